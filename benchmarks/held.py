"""``reminder serve`` with every step of its loop timed: ``python -m benchmarks.held FILE serve ...``.

A step is what the loop does between two looks at what else is to be done. Its time is that of the processor, so that
what else the machine does is not counted. Steps of a millisecond and more go to FILE when the sidecar has ended, as
JSON: when each was over by the machine's monotonic clock, its milliseconds, whose it was, and how many of them the
collector took.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

__all__ = ["main"]

LEAST_MS = 1.0

_STEPS: list[tuple[float, float, str, float]] = []
_RUN = asyncio.Handle._run  # noqa: SLF001 - the loop has no other place to stand at


class _Collector:
    """The time the collector has taken so far, in milliseconds."""

    def __init__(self) -> None:
        self.ms = 0.0
        self._begun = 0.0

    def __call__(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._begun = time.thread_time()
        else:
            self.ms += (time.thread_time() - self._begun) * 1000


_COLLECTOR = _Collector()


def _timed(handle: Any) -> None:
    begun, collected = time.thread_time(), _COLLECTOR.ms
    _RUN(handle)
    took = (time.thread_time() - begun) * 1000
    if took >= LEAST_MS:
        _STEPS.append((time.perf_counter(), round(took, 2), _named(handle), round(_COLLECTOR.ms - collected, 2)))


def _named(handle: Any) -> str:
    """The task whose step it was, or the callback."""
    task = getattr(handle._callback, "__self__", None)  # noqa: SLF001
    if isinstance(task, asyncio.Task):
        return str(getattr(task.get_coro(), "__qualname__", task))
    return str(getattr(handle._callback, "__qualname__", handle._callback))  # noqa: SLF001


def main() -> None:
    """Serve, and write down what the steps took."""
    from reminder.cli import app  # noqa: PLC0415 - after the loop is timed

    gc.callbacks.append(_COLLECTOR)
    setattr(asyncio.Handle, "_run", _timed)  # noqa: B010 - as for a test
    file, sys.argv = Path(sys.argv[1]), ["reminder", *sys.argv[2:]]
    try:
        app()
    finally:
        file.write_text(json.dumps(_STEPS), "utf-8")


if __name__ == "__main__":
    main()
