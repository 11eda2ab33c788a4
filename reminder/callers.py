"""Who calls, and how it wants to be answered: the switches of old clients, by the settings ``[[callers]]``.

A caller is known by where it calls from, for whom, and on which path; the first entry of which everything given fits is
the caller's. Whoever can send a header (or gRPC metadata) ``reminder-caller: NAME`` names its entry outright. Whoever
fits none is answered as the national interface prints it (reference `national_interface.md` 3.1 to 3.3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct

from negative_list.rules import ACTIONS, Action
from reminder.settings import WrongSettingsError, number_of, one_of, problem, read_rows, text_of, texts_of, yes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

__all__ = [
    "ANYBODY",
    "ENCODINGS",
    "FAILURES",
    "INFCODES",
    "NAMED_BY",
    "NO_ROWS",
    "RESULTS",
    "Caller",
    "Callers",
    "read_callers",
]

NAMED_BY = "reminder-caller"
"""The header, and the key of gRPC metadata, in which a caller names its entry."""

ENCODINGS = ("", "utf-8", "gbk")
"""How a caller writes and reads: "" is answered in the encoding it asked in."""

INFCODES = ("number", "text")
"""``infcode`` as a JSON number (1.2; a client compares it with the integer 0, 3.3), or as text (1.2, its sample)."""

RESULTS = ("list", "object")
"""``output.result`` as a list (3.1), or as the one finding that matters most (3.3: a client parses a single object)."""

NO_ROWS = ("empty", "null", "absent")
"""``output.result`` where nothing was found: the empty list (or object), null, or no such key (3.2)."""

FAILURES = ("error", "row", "open")
"""What a caller is told of a prescription that could not be checked: ``infcode`` -1 and why; a finding named 未检查
that says so; or success with ``not_checked`` set (fail-open)."""

_MAX_DEADLINE_MS = 600_000
_PATH = re.compile(r"/[A-Za-z0-9._~/%-]*")
_bytes = number_of(16_384, 2**30)
_Network: TypeAlias = IPv4Network | IPv6Network


class Caller(Struct, frozen=True, kw_only=True):
    """A caller, and how it is answered.

    What it is known by (empty: any): ``address`` networks it calls from, ``institution`` its ``fixmedins_code``,
    ``system`` its ``recer_sys_code`` or ``syscode``, ``path`` what the path of its calls begins with. A path that is
    given is one of the national interface, with and without a transaction's number behind it.

    ``lowest_action``: findings with a weaker action are kept back from a client that stops at any finding.
    ``deadline_ms``: when it gives up, 0: not known, so that it waits. ``automatic``: it answers findings by itself
    (3103), so that its word is nobody's. ``most_bytes``: of a national reply, 1 MiB where nothing is set (3.3).
    """

    name: str = ""
    address: tuple[_Network, ...] = ()
    institution: tuple[str, ...] = ()
    system: tuple[str, ...] = ()
    path: str = ""
    encoding: Literal["", "utf-8", "gbk"] = ""
    infcode: Literal["number", "text"] = "number"
    result: Literal["list", "object"] = "list"
    no_rows: Literal["empty", "null", "absent"] = "empty"
    lowest_action: Action = "remind"
    on_failure: Literal["error", "row", "open"] = "error"
    deadline_ms: float = 0.0
    automatic: bool = False
    most_bytes: int = 2**20

    @property
    def left_s(self) -> float | None:
        """Seconds until it gives up, from the moment it calls; ``None``: it waits."""
        return self.deadline_ms / 1000 if self.deadline_ms else None


ANYBODY = Caller()
"""Whoever fits no entry."""


class Callers:
    """The callers of the settings, in their order.

    Args:
        callers: how each is answered.
        http_deadline_ms: when a caller by HTTP gives up that says nothing of it; 0: it waits.
    """

    def __init__(self, callers: Sequence[Caller] = (), http_deadline_ms: float = 0.0) -> None:
        self.http_left_s = http_deadline_ms / 1000 or None
        self._callers = tuple(callers)
        self._by_name = {caller.name: caller for caller in reversed(self._callers) if caller.name}
        self.paths = tuple(dict.fromkeys(caller.path for caller in self._callers if caller.path))
        self._by_body = any(caller.institution or caller.system for caller in self._callers)

    def of(
        self, *, path: str = "", address: str = "", institution: str = "", system: str | Iterable[str] = (),
        named: str = "",
    ) -> Caller:  # fmt: skip
        """Whose call it is.

        Args:
            path: of the request, "" by gRPC.
            address: it came from.
            institution: what the body says it is for.
            system: what the body says sent it, one name or several.
            named: what the header says.
        """
        if not self._callers:
            return ANYBODY
        if named in self._by_name:
            return self._by_name[named]
        came = _Came(path, _ip(address), institution, frozenset((system,) if isinstance(system, str) else system))
        return next((caller for caller in self._callers if came.fits(caller)), ANYBODY)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._callers)

    @property
    def by_body(self) -> bool:
        """Whether who calls may depend on what the body says."""
        return self._by_body


class _Came(Struct, frozen=True):
    """What is known of a call."""

    path: str
    address: IPv4Address | IPv6Address | None
    institution: str
    systems: frozenset[str]

    def fits(self, caller: Caller) -> bool:
        """Whether everything a caller is known by fits; one known by nothing has to be named."""
        known_by = caller.address or caller.institution or caller.system or caller.path
        return bool(known_by) and (
            (not caller.path or _under(self.path, caller.path))
            and (not caller.address or (self.address is not None and any(self.address in n for n in caller.address)))
            and (not caller.institution or self.institution in caller.institution)
            and (not caller.system or not self.systems.isdisjoint(caller.system))
        )


def _under(path: str, prefix: str) -> bool:
    """Whether a path is one of a prefix, whole segments only."""
    return path == prefix or path.startswith(prefix.rstrip("/") + "/")


def _ip(address: str) -> IPv4Address | IPv6Address | None:
    """An address; an IPv4 one that came over an IPv6 socket is an IPv4 one."""
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (read.ipv4_mapped or read) if isinstance(read, IPv6Address) else read


# -- settings


def read_callers(raw: object, folder: Path) -> tuple[Caller, ...]:
    """The callers of ``[[callers]]``.

    Raises:
        WrongSettingsError: Naming every wrong value.
    """
    callers = read_rows(raw, folder, _READERS, Caller)
    names = [caller.name for caller in callers]
    wrong = [
        problem(f"[{number}].name", f"`{name}` is already the name of a caller; give each its own")
        for number, name in enumerate(names, 1)
        if name in names[: number - 1] and name
    ]
    wrong += [
        problem(f"[{number}]", "nothing says whose it is; give name, address, institution, system or path")
        for number, caller in enumerate(callers, 1)
        if not (caller.name or caller.address or caller.institution or caller.system or caller.path)
    ]
    if wrong:
        raise WrongSettingsError(wrong)
    return callers


def _networks(raw: object, _folder: Path) -> tuple[_Network, ...]:
    """Addresses, or networks as in 10.1.0.0/16."""
    networks = []
    for text in texts_of(raw):
        try:
            networks.append(ip_network(text, strict=False))
        except ValueError:
            raise ValueError(f"`{text}` is neither an address nor a network, as in 10.1.2.3 or 10.1.0.0/16") from None
    return tuple(networks)


def _prefix(raw: object, folder: Path) -> str:
    """What a path begins with."""
    text = text_of(raw, folder)
    if not _PATH.fullmatch(text):
        raise ValueError(f"`{text}` is not the beginning of a path, as in /api/audit")
    return text.rstrip("/") or "/"


_READERS: Mapping[str, Any] = {
    "name": text_of,
    "address": _networks,
    "institution": texts_of,
    "system": texts_of,
    "path": _prefix,
    "encoding": one_of(ENCODINGS[1:]),
    "infcode": one_of(INFCODES),
    "result": one_of(RESULTS),
    "no_rows": one_of(NO_ROWS),
    "lowest_action": one_of(ACTIONS[1:]),
    "on_failure": one_of(FAILURES),
    "deadline_ms": number_of(1, _MAX_DEADLINE_MS),
    "automatic": yes_of,
    "most_bytes": lambda raw, folder: int(_bytes(raw, folder)),
}
