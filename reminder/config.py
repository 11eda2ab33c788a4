"""Configuration of the sidecar: one record, from a TOML file and the options of ``reminder serve``.

An option wins over the file. Paths in the file are relative to the file's folder, paths in options to the current one.
All wrong values are reported at once.
"""

from __future__ import annotations

import re
import tomllib
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from negative_list.errors import Problem, nearest
from reminder.callers import Caller, read_callers
from reminder.cds.settings import Cds, read_cds
from reminder.settings import WrongSettingsError, texts_of
from reminder.upstream import Upstream, read_upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = [
    "LEAST_JOURNAL_DAYS",
    "LOG_LEVELS",
    "OFF",
    "ON",
    "OPTIONS",
    "SQLITE",
    "Address",
    "Config",
    "ConfigError",
    "load_config",
]

OPTIONS = "command line"
"""What problems of options name in place of a file."""

LOG_LEVELS = ("debug", "info", "warning", "error")
"""What the log shows: this level and those after it."""

SQLITE = "sqlite"
"""The store in the data folder."""

ON, OFF = "on", "off"
"""Whether there is a journal."""

LEAST_JOURNAL_DAYS = 180
"""Days below which the journal is evidence no more: a payer may ask after half a year. Shorter has to be said twice."""

_MAX_PORT = 65535
_MAX_GRACE_S = 3600
_MAX_WAIT_MS = 10_000
_MAX_WORKERS = 64
_POSTGRESQL = ("postgresql://", "postgres://")


class ConfigError(Exception):
    """The configuration cannot be used; ``problems`` names every wrong value."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class Address(Struct, frozen=True, order=True):
    """Where a face listens. Port 0: any free one. An IPv6 host is written in brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        """``HOST:PORT``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Config(Struct, frozen=True, kw_only=True):
    """What ``reminder serve`` runs with.

    ``list`` is a file or a folder of files; ``site`` and ``policy`` are files, ``None`` the shipped defaults. ``data``
    is the folder of everything the service writes. Callers reach ``grpc`` and ``http``; ``admin`` (gRPC) and
    ``admin_http`` are for operations, loopback unless said otherwise. ``grace_s``: how long calls in flight may go on
    after a stop was asked for. ``max_calls``: gRPC calls worked on at once; more are refused at once instead of
    queueing behind a caller's deadline. ``rounds_at``: the civil time of the default site at which orders in force are
    checked again each night. ``store`` keeps history and facts: ``sqlite`` in ``data``, or the URL of a
    PostgreSQL database that several sidecars share; ``store_deadline_ms``: how long a check waits for it at most.

    ``journal`` ``off``: no decision is written down, and every answer says so. ``commit_budget_ms``: how long an answer
    waits for its entry at most. ``checkpoints`` is the file of signed checkpoints, ``None``: ``checkpoints.jsonl`` in
    ``data``. ``journal_days``: how long entries are kept, 0: for good; fewer than ``LEAST_JOURNAL_DAYS`` only with
    ``journal_days_below_180``. ``formulas`` is a file of formulas of the compliance rate of one's own.

    ``release`` is the release a data folder begins with, ``trust`` the files of public keys releases may be signed by,
    ``watch`` a folder in which new ones are looked for. ``releases_kept``: how many of those that were staged are kept,
    the newest, beside what is active, was before or is scheduled; 0: all.

    ``survey`` ``off``: what bodies hold is not counted for ``reminder survey``.

    ``workers``: processes that serve callers on one set of addresses; more than one on Linux only.

    ``callers``: how old clients are answered (:mod:`reminder.callers`). ``cors``: the origins whose pages may call
    callers' HTTP from a browser, ``*`` any; administration's never. ``http_deadline_ms``: when a caller by HTTP that
    says nothing of it gives up, 0: it waits; clients that wait at all wait 10 s (interface fact sheet 8). ``upstream``:
    the bureau's own interface, :mod:`reminder.upstream`. ``cds``: how CDS Hooks is spoken,
    :mod:`reminder.cds.settings`.
    """

    list: Path | None = None
    site: Path | None = None
    policy: Path | None = None
    data: Path = Path("var")
    grpc: Address = Address("127.0.0.1", 50051)
    http: Address = Address("127.0.0.1", 8080)
    admin: Address = Address("127.0.0.1", 50052)
    admin_http: Address = Address("127.0.0.1", 8081)
    grace_s: float = 10.0
    max_calls: int = 256
    rounds_at: time = time(2, 0)
    store: str = SQLITE
    store_deadline_ms: float = 20.0
    journal: str = ON
    commit_budget_ms: float = 50.0
    checkpoints: Path | None = None
    journal_days: int = 0
    journal_days_below_180: bool = False
    formulas: Path | None = None
    survey: str = ON
    log_level: str = "info"
    workers: int = 1
    release: Path | None = None
    trust: tuple[Path, ...] = ()
    watch: Path | None = None
    releases_kept: int = 10
    callers: tuple[Caller, ...] = ()
    cors: tuple[str, ...] = ("*",)
    http_deadline_ms: float = 9000.0
    upstream: Upstream | None = None
    cds: Cds = Cds()


class _Wrong(Struct):
    """Problems found so far, and the place the next belongs to."""

    problems: list[Problem] = field(default_factory=list)

    def add(self, source: str, path: str, message: str) -> None:
        self.problems.append(Problem(file=source, path=path, message=message))


def load_config(file: Path | None, options: Mapping[str, Any]) -> Config:
    """Read ``file`` and lay ``options`` over it; ``None`` in an option means not given.

    Raises:
        ConfigError: With every wrong value of both.
    """
    wrong = _Wrong()
    values = _read_values(_read_table(file, wrong), str(file), file.parent if file else Path(), wrong)
    given = {name: value for name, value in options.items() if value is not None}
    values |= _read_values(given, OPTIONS, Path(), wrong)
    values |= _admin_http(values, wrong)
    _check_apart(values, wrong)
    _check_days(values, wrong)
    if wrong.problems:
        raise ConfigError(wrong.problems)
    return Config(**values)


def _read_table(file: Path | None, wrong: _Wrong) -> dict[str, Any]:
    """The table of ``file``; nothing where it cannot be read."""
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        wrong.add(str(file), "", f"cannot be read: {error.strerror}")
    except ValueError as error:
        wrong.add(str(file), "", f"not TOML in UTF-8: {error}")
    return {}


def _read_values(table: Mapping[str, Any], source: str, folder: Path, wrong: _Wrong) -> dict[str, Any]:
    """Every usable value of ``table``; the others become problems."""
    values: dict[str, Any] = {}
    for name, raw in table.items():
        if name not in _READERS:
            wrong.add(source, name, f"no setting is called `{name}`{nearest(name, _READERS)}")
            continue
        try:
            values[name] = _READERS[name](raw, folder)
        except WrongSettingsError as error:
            for place, message in error.problems:
                wrong.add(source, f"{name}{place}", message)
        except ValueError as error:
            wrong.add(source, name, str(error))
    return values


def _admin_http(values: Mapping[str, Any], wrong: _Wrong) -> dict[str, Address]:
    """The HTTP address beside an administration address given alone: the next port."""
    if "admin" not in values or "admin_http" in values:
        return {}
    admin: Address = values["admin"]
    if admin.port == _MAX_PORT:
        wrong.add(OPTIONS, "admin_http", f"no port follows `{admin}`; give the address")
        return {}
    return {"admin_http": Address(admin.host, admin.port + 1 if admin.port else 0)}


def _check_apart(values: Mapping[str, Any], wrong: _Wrong) -> None:
    """No two faces may listen on one address."""
    seen: dict[Address, str] = {}
    for name in ("grpc", "http", "admin", "admin_http"):
        address: Address = values.get(name) or _DEFAULTS[name]
        if address.port and address in seen:
            wrong.add(OPTIONS, name, f"`{address}` is already the address of {seen[address]}; give each its own")
        seen[address] = name
    upstream: Upstream | None = values.get("upstream")
    if upstream is not None and upstream.address in map(str, seen):
        wrong.add(OPTIONS, "upstream.url", f"`{upstream.address}` is our own address; name the bureau's")


def _check_days(values: Mapping[str, Any], wrong: _Wrong) -> None:
    """Evidence is not thrown away by one slip of the pen."""
    days: int = values.get("journal_days", 0)
    if 0 < days < LEAST_JOURNAL_DAYS and not values.get("journal_days_below_180"):
        wrong.add(
            OPTIONS,
            "journal_days",
            f"`{days}` days of journal are less than {LEAST_JOURNAL_DAYS}, in which a payer may still ask; keep them "
            "longer, or set journal_days_below_180 = true",
        )


def _path(raw: object, folder: Path) -> Path:
    """A path; a relative one belongs to ``folder``."""
    if isinstance(raw, Path):
        return raw
    if not isinstance(raw, str) or not raw:
        raise ValueError(f"`{raw}` is not a path")
    return folder / raw


def _paths(raw: object, folder: Path) -> tuple[Path, ...]:
    """Paths: one alone, or several in a list."""
    return tuple(_path(one, folder) for one in (raw if isinstance(raw, (list, tuple)) else [raw]))


def _address(raw: object, _folder: Path) -> Address:
    """``HOST:PORT``, an IPv6 host in brackets."""
    host, colon, port = str(raw).rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not (colon and bare and port.isascii() and port.isdigit()) or (":" in bare and bare == host):
        raise ValueError(f"`{raw}` is not HOST:PORT, as in 127.0.0.1:50051 or [::1]:50051")
    if int(port) > _MAX_PORT:
        raise ValueError(f"`{port}` is not a port; use 0 to {_MAX_PORT}, 0 for any free one")
    return Address(bare, int(port))


def _seconds(raw: object, _folder: Path) -> float:
    """A number of seconds from 0 to 3600."""
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw <= _MAX_GRACE_S:
        raise ValueError(f"`{raw}` is not a number of seconds from 0 to {_MAX_GRACE_S}")
    return float(raw)


def _calls(raw: object, _folder: Path) -> int:
    """A whole number of calls, at least 1."""
    if isinstance(raw, bool) or not isinstance(raw, int) or raw < 1:
        raise ValueError(f"`{raw}` is not a number of calls; use a whole number from 1")
    return raw


def _workers(raw: object, _folder: Path) -> int:
    """A whole number of processes, at least 1."""
    if isinstance(raw, bool) or not isinstance(raw, int) or not 1 <= raw <= _MAX_WORKERS:
        raise ValueError(f"`{raw}` is not a number of workers; use a whole number from 1 to {_MAX_WORKERS}")
    return raw


def _store(raw: object, _folder: Path) -> str:
    """The word for the embedded store, or the URL of a database; what is wrong is not repeated: it holds a password."""
    if isinstance(raw, str) and (raw == SQLITE or raw.startswith(_POSTGRESQL)):
        return raw
    raise ValueError(f"neither `{SQLITE}` nor a URL that begins with `{_POSTGRESQL[0]}`")


def _milliseconds(raw: object, _folder: Path) -> float:
    """A number of milliseconds from 0 (never wait, so never read) to 10,000."""
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw <= _MAX_WAIT_MS:
        raise ValueError(f"`{raw}` is not a number of milliseconds from 0 to {_MAX_WAIT_MS}")
    return float(raw)


def _switch(raw: object, _folder: Path) -> str:
    """On or off."""
    if raw not in (ON, OFF):
        raise ValueError(f"`{raw}` is neither `{ON}` nor `{OFF}`")
    return str(raw)


def _days(raw: object, _folder: Path) -> int:
    """A whole number of days; 0 stands for no end."""
    if isinstance(raw, bool) or not isinstance(raw, int) or raw < 0:
        raise ValueError(f"`{raw}` is not a number of days; use a whole number, 0 to keep everything")
    return raw


def _releases(raw: object, _folder: Path) -> int:
    """A whole number of releases; 0 stands for all."""
    if isinstance(raw, bool) or not isinstance(raw, int) or raw < 0:
        raise ValueError(f"`{raw}` is not a number of releases; use a whole number, 0 to keep everything")
    return raw


def _yes(raw: object, _folder: Path) -> bool:
    """True or false."""
    if not isinstance(raw, bool):
        raise ValueError(f"`{raw}` is neither true nor false")  # noqa: TRY004 - told as every wrong value
    return raw


def _origins(raw: object, _folder: Path) -> tuple[str, ...]:
    """Origins as browsers send them, ``*`` for any; an empty list: none."""
    origins = texts_of(raw)
    for origin in origins:
        if origin != "*" and not re.fullmatch(r"https?://[^/?#\s]+", origin):
            raise ValueError(f"`{origin}` is not an origin, as in http://10.1.2.3:8000, or * for any")
    return origins


def _clock(raw: object, _folder: Path) -> time:
    """A time of the day, as text or as TOML writes it."""
    if isinstance(raw, time):
        return raw
    try:
        return time.fromisoformat(str(raw))
    except ValueError:
        raise ValueError(f"`{raw}` is not a time of the day, as in 02:00") from None


def _level(raw: object, _folder: Path) -> str:
    """A level of the log."""
    if raw not in LOG_LEVELS:
        raise ValueError(f"`{raw}` is none of {', '.join(LOG_LEVELS)}{nearest(str(raw), LOG_LEVELS)}")
    return str(raw)


_READERS: dict[str, Callable[[object, Path], object]] = {
    "list": _path,
    "site": _path,
    "formulas": _path,
    "policy": _path,
    "data": _path,
    "grpc": _address,
    "http": _address,
    "admin": _address,
    "admin_http": _address,
    "grace_s": _seconds,
    "max_calls": _calls,
    "rounds_at": _clock,
    "store": _store,
    "store_deadline_ms": _milliseconds,
    "journal": _switch,
    "commit_budget_ms": _milliseconds,
    "checkpoints": _path,
    "journal_days": _days,
    "journal_days_below_180": _yes,
    "survey": _switch,
    "log_level": _level,
    "workers": _workers,
    "release": _path,
    "trust": _paths,
    "watch": _path,
    "releases_kept": _releases,
    "callers": read_callers,
    "cors": _origins,
    "http_deadline_ms": _milliseconds,
    "upstream": read_upstream,
    "cds": read_cds,
}
_DEFAULTS = {name: getattr(Config(), name) for name in _READERS}
