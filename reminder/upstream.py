"""The settings of the bureau's own interface, ``[upstream]``: where it is and what is asked of it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from negative_list.errors import nearest
from reminder.settings import WrongSettingsError, number_of, read_row, yes_of

__all__ = ["MODES", "Mode", "Upstream", "read_upstream"]

Mode: TypeAlias = Literal["local", "bureau", "both"]
"""Who answers a transaction: this sidecar, the bureau, or both with their findings together."""

MODES: tuple[Mode, ...] = ("local", "bureau", "both")
"""Every mode."""

_CHECKS = ("3101", "3102")
_TRANSACTIONS = (*_CHECKS, "3103")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2: a token
_MAX_MS = 600_000
_MAX_MB = 1024


class Upstream(Struct, frozen=True, kw_only=True):
    """Where the bureau's interface is, and how it is used.

    ``url`` stands before the path a caller used. ``modes``: who answers 3101, 3102 and 3103. ``headers`` go with every
    call, in place of the caller's of the same name. ``wait_ms``: how long an answer waits for the bureau's findings at
    most; ``connect_ms`` and ``read_ms``: how long a call that is passed on waits to be taken, and for each piece of its
    reply. ``most_mb``: the longest reply passed back. ``ca``: who may sign the bureau's certificate, ``None``: whom the
    system trusts. ``feed``: whether what passes is read into history and facts.
    """

    url: str
    modes: Mapping[str, Mode] = {}
    headers: Mapping[str, str] = {}
    wait_ms: float = 800.0
    connect_ms: float = 3_000.0
    read_ms: float = 60_000.0
    most_mb: int = 64
    ca: Path | None = None
    feed: bool = True

    @property
    def address(self) -> str:
        """HOST:PORT of the bureau."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"

    def mode(self, number: str) -> Mode:
        """Who answers a transaction; where a bureau checks at all, both hear feedback unless it is said otherwise."""
        if number not in _TRANSACTIONS:
            return "bureau"
        checks = {self.modes.get(one, "local") for one in _CHECKS}
        return self.modes.get(number, "both" if number not in _CHECKS and checks != {"local"} else "local")


def read_upstream(raw: object, folder: Path) -> Upstream:
    """The table of the settings; a relative path in it belongs to ``folder``.

    Raises:
        WrongSettingsError: Naming every wrong value.
    """
    values = read_row(raw, folder, _READERS)
    if "url" not in values:
        raise WrongSettingsError([(".url", "missing; say where the bureau's interface is, as in http://HOST:PORT")])
    return Upstream(**values)


def _url(raw: object, _folder: Path) -> str:
    """An address of the web, without the slash at its end; what is wrong is not repeated: it may hold a password."""
    parts = _parts(raw)
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("not an address that begins with http:// or https:// and ends with its path")
    if parts.username or parts.password:
        raise ValueError("names a user; put what the gateway wants into `headers`")
    return parts.geturl().rstrip("/")


def _parts(raw: object) -> SplitResult | None:
    """The parts of an address; ``None`` where it is none, or has a port that is none."""
    if not isinstance(raw, str):
        return None
    with contextlib.suppress(ValueError):
        parts = urlsplit(raw)
        _ = parts.port  # looked at, for a wrong one is found only then
        return parts
    return None


def _modes(raw: object, _folder: Path) -> dict[str, Mode]:
    """Modes by transaction."""
    if not isinstance(raw, dict):
        raise ValueError('not a table of transactions, as in {"3101" = "both"}')  # noqa: TRY004 - as every wrong value
    for number, mode in raw.items():
        if number not in _TRANSACTIONS:
            raise ValueError(f"`{number}` is none of {', '.join(_TRANSACTIONS)}; all others go to the bureau")
        if mode not in MODES:
            raise ValueError(f"`{mode}` is none of {', '.join(MODES)}{nearest(str(mode), MODES)}")
    return {str(number): mode for number, mode in raw.items()}


def _headers(raw: object, _folder: Path) -> dict[str, str]:
    """Headers by name; their values are not repeated, they may be secrets."""
    if not isinstance(raw, dict):
        raise ValueError("not a table of headers")  # noqa: TRY004 - told as every wrong value
    for name, value in raw.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"`{name}` is no name of a header")
        if not (isinstance(value, str) and value.isascii() and value.isprintable()):
            raise ValueError(f"the value of `{name}` is no text of printable ASCII")
    return {str(name): value for name, value in raw.items()}


def _mb(raw: object, _folder: Path) -> int:
    """A whole number of MB."""
    if isinstance(raw, bool) or not isinstance(raw, int) or not 1 <= raw <= _MAX_MB:
        raise ValueError(f"`{raw}` is not a number of MB from 1 to {_MAX_MB}")
    return raw


def _authority(raw: object, folder: Path) -> Path:
    """The file of an authority's certificate."""
    if not isinstance(raw, str) or not raw:
        raise ValueError(f"`{raw}` is not a path")
    import ssl  # noqa: PLC0415 - only where there is an authority to look at

    try:
        ssl.create_default_context(cafile=folder / raw)
    except OSError as error:  # that there is no certificate in it is one, too
        raise ValueError(f"`{raw}` holds no certificate that can be read ({error.strerror or error})") from None
    return folder / raw


_ms = number_of(1, _MAX_MS)

_READERS: dict[str, Callable[[object, Path], object]] = {
    "url": _url,
    "modes": _modes,
    "headers": _headers,
    "wait_ms": _ms,
    "connect_ms": _ms,
    "read_ms": _ms,
    "most_mb": _mb,
    "ca": _authority,
    "feed": yes_of,
}
