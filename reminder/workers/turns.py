"""Taking turns: locks on ranges of a file nobody else sees, which the system lets go of when their holder dies.

They are of a process, not of a thread: within one process whoever asks gets the turn.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from reminder.workers.system import lock_range, shared_file, unlock_range

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LOG", "OPENING", "Turns"]

OPENING = 0
"""The turn to make or bring up to date what is in the data folder."""

LOG = 1
"""The turn to write lines to the log."""

_LIVES = 1 << 16
_REQUESTS = 1 << 32
_DIGITS = 15  # hex: 60 bits


class Turns:
    """Made before the fork."""

    def __init__(self) -> None:
        self._file = shared_file()

    @contextlib.contextmanager
    def one_at_a_time(self, what: int) -> Iterator[None]:
        """Wait for a turn, and have it while the block runs."""
        lock_range(self._file, what, wait=True)
        try:
            yield
        finally:
            self.free(what)

    def now(self, what: int) -> bool:
        """Have a turn where it is free; whether it was."""
        return lock_range(self._file, what, wait=False)

    def free(self, what: int) -> None:
        """Let others have it."""
        unlock_range(self._file, what)

    def take(self, asked: str) -> bool:
        """Have the turn to answer a request, by its digest (hex); whether nobody else has it."""
        return self.now(_REQUESTS + int(asked[-_DIGITS:], 16))

    def leave(self, asked: str) -> None:
        """Let others have it."""
        self.free(_REQUESTS + int(asked[-_DIGITS:], 16))

    def live(self, number: int) -> None:
        """Be the worker of a number, until this process ends."""
        lock_range(self._file, _LIVES + number, wait=True)

    def lives(self, number: int) -> bool:
        """Whether the worker of a number, not oneself, has not ended."""
        if not self.now(_LIVES + number):
            return True
        self.free(_LIVES + number)
        return False
