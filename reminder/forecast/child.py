"""What is told of a coming list, made in a process of its own, for the sidecar: what it costs is not taken from checks.

The process is told by a line of JSON what is wanted (:class:`reminder.forecast.ordered.Order`) and answers in frames
(:mod:`reminder.reports.frames`): how far it has come, the pieces, and at the end a sentence for the steps of the
release. It asks the system to put others first, and ends when nobody reads it any more.
"""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from negative_list.errors import NegativeListError, RequestError
from reminder.forecast.comparing import compared
from reminder.forecast.making import forecast
from reminder.forecast.ordered import Order
from reminder.forecast.page import written
from reminder.forecast.telling import page_of, summary_of
from reminder.forecast.tomorrow import tomorrow
from reminder.releases.folder import write_whole
from reminder.reports.frames import DONE, FAILED, FRAME, MAX_PIECE, PIECE, PROGRESS, REFUSED, UNREADABLE
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from reminder.forecast.making import Told
    from reminder.forecast.page import Page

__all__ = ["main"]

_NICE = 10


def main() -> None:
    """Make what standard input asks for."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    out = sys.stdout.buffer
    # Whoever asked has gone: nobody reads the rest.
    with contextlib.suppress(BrokenPipeError):
        try:
            _make(msgspec.json.decode(sys.stdin.buffer.readline(), type=Order), out)
        except RequestError as error:
            _send(out, REFUSED, msgspec.json.encode(list(error.fields)))
        except (StoreError, NegativeListError) as error:
            _send(out, UNREADABLE, str(error).encode())
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - the caller is told that it failed, the log why
            _log(error)
            _send(out, FAILED, type(error).__name__.encode())


def _make(order: Order, out: BinaryIO) -> None:
    def told(done: int, total: int) -> None:
        _send(out, PROGRESS, msgspec.json.encode((done, total)))

    page, summary = _MADE[order.wanted.form](order, told)
    content = written(page, order.wanted.format, english=order.wanted.english)
    for begin in range(0, len(content), MAX_PIECE):
        _send(out, PIECE, content[begin : begin + MAX_PIECE])
    _send(out, DONE, summary.encode())


def _forecast(order: Order, told: Told) -> tuple[Page, str]:
    made = forecast(order, told)
    if order.keep:
        write_whole(Path(order.keep), msgspec.json.encode(made))
    return page_of(made, english=order.wanted.english), summary_of(made)


_MADE: dict[str, Callable[[Order, Told], tuple[Page, str]]] = {
    "forecast": _forecast,
    "compare": lambda order, told: (compared(order, told), ""),
    "tomorrow": lambda order, told: (tomorrow(order, told), ""),
}


def _send(out: BinaryIO, kind: bytes, content: bytes) -> None:
    out.write(FRAME.pack(kind, len(content)) + content)
    out.flush()


def _log(error: Exception) -> None:
    """Kind and place on standard error, the sidecar's log, in its form; the message may hold more than it should."""
    frames = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)[-5:]]
    told = {"level": "error", "event": "forecast failed", "error": type(error).__name__, "frames": frames}
    sys.stderr.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
