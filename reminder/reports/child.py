"""A report made in a process of its own, for the sidecar: what it costs is not taken from checks.

Python lets one thread run at a time: a report in a thread of the sidecar would hold every check up for milliseconds,
again and again. The process is told by a line of JSON what is wanted and answers in frames: a letter, four bytes of
length, the content. It asks the system to put others first, and ends when nobody reads it any more.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
from msgspec import Struct

from negative_list.errors import NegativeListError, RequestError
from reminder.reports.asking import Asked
from reminder.reports.frames import DONE, FAILED, FRAME, MAX_PIECE, PIECE, PROGRESS, REFUSED, UNREADABLE
from reminder.reports.making import Sources, made
from reminder.reports.writing import write
from reminder.stores.base import StoreError

__all__ = ["Order", "main"]

_NICE = 10


class Order(Struct, frozen=True, kw_only=True):
    """What the process is told."""

    asked: Asked
    sources: Sources


class _Pieces(io.RawIOBase):
    """What is written leaves as frames."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        piece = memoryview(data)[:MAX_PIECE]
        _send(self._out, PIECE, bytes(piece))
        return len(piece)


def main() -> None:
    """Make the report that standard input asks for."""
    _step_back()
    out = sys.stdout.buffer
    # Whoever asked has gone: nobody reads the rest.
    with contextlib.suppress(BrokenPipeError):
        try:
            order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
            _make(order, out)
            _send(out, DONE, b"")
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

    asked = order.asked
    with made(asked, order.sources, told) as report, io.BufferedWriter(_Pieces(out), MAX_PIECE) as pieces:
        write(report, asked.format, cast("BinaryIO", pieces), english=asked.english)


def _send(out: BinaryIO, kind: bytes, content: bytes) -> None:
    out.write(FRAME.pack(kind, len(content)) + content)
    out.flush()


def _log(error: Exception) -> None:
    """Kind and place on standard error, the sidecar's log, in its form; the message may hold more than it should."""
    frames = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)[-5:]]
    told = {"level": "error", "event": "report failed", "error": type(error).__name__, "frames": frames}
    sys.stderr.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stderr.flush()


def _step_back() -> None:
    """Let others run first; Windows is told when the process is made."""
    if hasattr(os, "nice"):
        os.nice(_NICE)


if __name__ == "__main__":
    main()
