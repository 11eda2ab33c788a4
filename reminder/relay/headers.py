"""Which headers pass: all of them but those that belong to one stretch of the way (RFC 9110, 7.6.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reminder.relay.records import Header

__all__ = ["to_bureau", "to_caller"]

_STRETCH = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect"}
)
_LENGTH = b"content-length"
_HOST = b"host"
_DATE = b"date"


def to_bureau(headers: Iterable[Header], own: Mapping[str, str], host: str, length: int) -> list[Header]:
    """The caller's headers for the bureau: its own host, the length as it is, and ours in place of theirs."""
    ours = [(name.encode(), value.encode()) for name, value in own.items()]
    replaced = {name.lower() for name, _ in ours} | {_HOST, _LENGTH}
    passing = [(name, value) for name, value in _passing(headers) if name.lower() not in replaced]
    return [(b"Host", host.encode()), *passing, *ours, (b"Content-Length", b"%d" % length)]


def to_caller(headers: Iterable[Header], length: int | None) -> tuple[Header, ...]:
    """The bureau's headers for the caller; the server that sends them writes a date of its own.

    ``length``: of the body; ``None`` where there is none by its nature, and a length is about something else.
    """
    passing = tuple((name, value) for name, value in _passing(headers) if name.lower() != _DATE)
    if length is None:
        return passing
    rest = ((name, value) for name, value in passing if name.lower() != _LENGTH)
    return (*rest, (_LENGTH, b"%d" % length))


def _passing(headers: Iterable[Header]) -> Iterator[Header]:
    told = list(headers)
    named = {name.strip().lower() for key, value in told if key.lower() == b"connection" for name in value.split(b",")}
    yield from ((name, value) for name, value in told if name.lower() not in _STRETCH | named)
