"""What every HTTP face does with a request and a reply, whatever it says: its bytes, its caller, its time, its form."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, TypeVar

from starlette.responses import Response

from negative_list.readers.body import MAX_BYTES
from reminder.callers import NAMED_BY
from reminder.service import LARGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from reminder.callers import Caller, Callers

__all__ = [
    "AS_IT_IS",
    "DEADLINE_HEADER",
    "GRPC_TIMEOUT",
    "AsItIs",
    "bytes_of",
    "caller_of",
    "in_time",
    "json_response",
    "left_s_of",
    "timed",
    "to_decide_s",
]

T = TypeVar("T")

AS_IT_IS = "reminder.as_it_is"
"""The key of a request's scope that says that its reply is somebody else's."""

DEADLINE_HEADER = "reminder-deadline-ms"
"""The header in which a caller says after how many milliseconds it gives up."""

GRPC_TIMEOUT = "grpc-timeout"
"""The header in which gRPC says the same, as in ``300m``."""

_WAY_BACK, _WAY_BACK_BESIDE = (0.02, 0.1), (0.1, 0.2)
"""Seconds kept for the way back, and what part of the time that is left they are at most."""

_JSON = "application/json"
_UNITS_S = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")


async def bytes_of(request: Request, most: int = MAX_BYTES) -> bytes:
    """The body; reading ends with the chunk that passes ``most``, so that no more than that is held.

    Raises:
        ClientDisconnect: The caller left in the middle.
    """
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > most:
            break
    return bytes(data)


def caller_of(request: Request, callers: Callers, *, institution: str = "", systems: Iterable[str] = ()) -> Caller:
    """Whose request it is; ``institution`` and ``systems`` are what its body says, once it was read."""
    return callers.of(
        path=request.scope["path"],
        address=request.client.host if request.client is not None else "",
        institution=institution,
        system=systems,
        named=request.headers.get(NAMED_BY, ""),
    )


def left_s_of(headers: Mapping[str, str], caller: Caller, callers: Callers) -> float | None:
    """Seconds until a caller gives up, ``None``: it waits. What cannot be read says nothing.

    Args:
        headers: of the request, looked up without regard to case.
        caller: whose settings count as well; the sooner counts.
        callers: which say what holds where nothing is told.
    """
    told = [caller.left_s, _timeout(headers.get(GRPC_TIMEOUT, "")), _milliseconds(headers.get(DEADLINE_HEADER, ""))]
    return min((each for each in told if each is not None), default=callers.http_left_s)


def in_time(left_s: float | None, size_bytes: int) -> float | None:
    """When to stop waiting: a little is kept for saying so, and for the way back.

    What is large is done in a thread beside, which goes on for a while although nobody waits for it, and gives way to
    the loop some milliseconds at a time: there, saying so takes longer.
    """
    if left_s is None:
        return None
    most_s, part = _WAY_BACK_BESIDE if size_bytes > LARGE_BYTES else _WAY_BACK
    return left_s - min(most_s, left_s * part)


def to_decide_s(left_s: float | None, size_bytes: int, reading_s: float) -> float | None:
    """Of what is left, what deciding may take: a reply takes about as long to write as its body took to read."""
    until_s = in_time(left_s, size_bytes)
    return None if until_s is None else max(0.0, until_s - reading_s)


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What some work comes to, and how many seconds it took."""
    began = time.perf_counter()
    return work(), time.perf_counter() - began


def _timeout(text: str) -> float | None:
    found = _TIMEOUT.fullmatch(text.strip())
    return int(found[1]) * _UNITS_S[found[2]] if found else None


def _milliseconds(text: str) -> float | None:
    return float(text) / 1000 if _NUMBER.fullmatch(text.strip()) else None


def json_response(status: int, content: bytes, charset: str = "utf-8") -> Response:
    """A reply in JSON."""
    return Response(content, status_code=status, headers={"content-type": f"{_JSON}; charset={charset}"})


class AsItIs(Response):
    """A reply of somebody else: its headers are what they are, and nobody puts any to them on the way."""

    def __init__(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
        super().__init__(body, status_code=status)
        self.raw_headers = list(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        scope[AS_IT_IS] = True
        await super().__call__(scope, receive, send)
