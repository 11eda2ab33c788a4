"""Every step of every release and how it ended: a file that only grows, a line of JSON for each step, synced."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

__all__ = ["STEPS", "Ledger", "Result", "Step", "StepName"]

StepName: TypeAlias = Literal[
    "receive", "verify", "validate", "self_test", "compile", "forecast", "schedule", "activate", "rollback", "prune"
]
STEPS: tuple[StepName, ...] = (
    "receive",
    "verify",
    "validate",
    "self_test",
    "compile",
    "forecast",
    "schedule",
    "activate",
    "rollback",
    "prune",
)
"""The steps of the road, in order; the last when a release is taken away."""

Result: TypeAlias = Literal["done", "failed", "skipped"]
"""How a step ended."""

_MOST = 10_000
"""Steps kept in memory, the newest: some 1,000 releases."""


class Step(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step and how it ended. ``at`` is UTC, when it ended.

    ``version``, ``digest`` and ``name`` say which release, "" as far as that could not be read. ``reason``: the word
    for why it failed, for metrics; ``detail``: what was found, Chinese (English). ``who`` and ``why``: as told.
    """

    at: datetime
    version: str = ""
    digest: str = ""
    name: str = ""
    step: StepName
    result: Result
    reason: str = ""
    detail: str = ""
    who: str = ""
    why: str = ""
    took_ms: int = 0


class Ledger:
    """The steps that were taken. Used by one process; what it holds is read once.

    Args:
        path: the file; it need not be there. What cannot be read stops nothing: steps are a memory, not what stands.

    Attributes:
        problem: why what was written could not be read; "" where it could.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.problem = ""
        self._steps: list[Step] = []
        try:
            self._steps = list(_read(path))[-_MOST:]
        except OSError as error:
            self.problem = str(error.strerror)

    def append(self, step: Step) -> None:
        """Write a step down; it is on disk afterwards.

        Raises:
            OSError: it could not be; it is remembered all the same until the process ends.
        """
        self._steps.append(step)
        del self._steps[:-_MOST]
        with self._path.open("ab") as file:
            # A process that was killed may have left half a line: what follows begins on its own.
            half = file.tell() and not _ends_whole(self._path)
            file.write((b"\n" if half else b"") + msgspec.json.encode(step) + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def last(self, count: int) -> tuple[Step, ...]:
        """The newest steps, newest first."""
        return tuple(reversed(self._steps[-count:])) if count > 0 else ()

    def all(self) -> tuple[Step, ...]:
        """Every step that is remembered, oldest first."""
        return tuple(self._steps)


def _read(path: Path) -> Iterator[Step]:
    """The steps of a file; a line that is none, the half last one of a killed process, is passed over."""
    if not path.exists():
        return
    decoder = msgspec.json.Decoder(Step)
    for line in path.read_bytes().splitlines():
        with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
            yield decoder.decode(line)


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
