"""The log: JSON lines with ids, counts and durations, never a name, a text or a body.

A line is handed to a thread that writes in batches, so that neither a slow disk nor a pipe that nobody reads holds a
check up. When too many lines wait, further ones are dropped and counted; the journal, not the log, is the record of
decisions.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

if _WITHOUT_RICH := "rich" not in sys.modules:
    # structlog loads what colours a console wherever it is installed; a log of JSON lines has no use for it, and it
    # takes a tenth of a start.
    sys.modules["rich"] = None  # type: ignore[assignment]  # as the import system has it: not to be had
import structlog

if _WITHOUT_RICH:
    del sys.modules["rich"]

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from structlog.typing import EventDict, FilteringBoundLogger

__all__ = ["LineWriter", "make_logger"]

_MAX_WAITING = 10_000
"""Lines that may wait: some 2 MB, ten seconds of the busiest hospital."""

_ENCODER = msgspec.json.Encoder(enc_hook=str)

_PAUSE_S = 0.05
"""Lines of this span are written together."""


class LineWriter:
    """Writes lines to ``stream`` from a thread of its own; ``close`` writes what waits and ends it.

    ``turn``: to be had while lines are written, where other processes write to the same stream: what is longer than a
    pipe takes at once would stand in the middle of their lines.
    """

    def __init__(self, stream: TextIO, turn: Callable[[], AbstractContextManager[None]] | None = None) -> None:
        self._stream = stream
        self._turn = turn or contextlib.nullcontext
        self._waiting: deque[str] = deque()
        self._dropped = 0
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def msg(self, line: str) -> None:
        """Take one line, without its end."""
        if len(self._waiting) >= _MAX_WAITING:
            self._dropped += 1
            return
        self._waiting.append(line)
        if not self._wake.is_set():
            self._wake.set()

    log = debug = info = warning = warn = error = exception = critical = msg

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what waits; after ``timeout_s`` give up, since nobody may be reading."""
        self._closing.set()
        self._wake.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._closing.wait(_PAUSE_S)
            self._wake.clear()
            self._write()
        self._write()

    def _write(self) -> None:
        lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if self._dropped:
            lines.append(f'{{"event":"log lines dropped","level":"warning","count":{self._dropped}}}')
            self._dropped = 0
        if not lines:
            return
        try:
            with self._turn():
                self._stream.write("\n".join(lines) + "\n")
                self._stream.flush()
        except (OSError, ValueError):
            # The stream is gone; a service goes on without its log.
            self._dropped += len(lines)


def make_logger(writer: LineWriter, level: str) -> FilteringBoundLogger:
    """A logger of JSON lines from ``level`` (a name of ``config.LOG_LEVELS``) on."""
    lowest = logging.getLevelNamesMapping()[level.upper()]
    kind: type[Any] = structlog.make_filtering_bound_logger(lowest)
    if lowest <= logging.INFO:
        kind = type("Lines", (kind,), {"info": _info})
    logger: FilteringBoundLogger = structlog.wrap_logger(
        writer,
        processors=[_line],
        wrapper_class=kind,
        context_class=dict,
    ).bind()
    return logger


def _info(self: structlog.BoundLoggerBase, event: str, **told: object) -> None:
    """A line of every check, in half the time of the way of all others: nothing is looked up for it."""
    self._logger.msg(_line(self, "info", {**self._context, **told, "event": event}))


def _line(_logger: object, level: str, event: EventDict) -> str:
    """Level, time and JSON in one step: a line is written for every check, and three processors took twice as long."""
    event["level"] = level
    event["timestamp"] = datetime.now(UTC).isoformat()
    return _ENCODER.encode(event).decode()
