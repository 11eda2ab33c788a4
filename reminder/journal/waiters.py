"""Who waits for an entry to be written, and until when: one timer for all of them.

A timer for each would cost as much as the rest of the way; those who wait are looked through when the first of them
may have waited long enough, which is far less often than entries come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from reminder.journal.base import Appended

if TYPE_CHECKING:
    from reminder.journal.writer import Waiting

__all__ = ["NOT_IN_TIME", "Waiters"]

NOT_IN_TIME = Appended(journaled=False)
"""The answer to who waited long enough."""


class Waiters:
    """Used inside one running event loop.

    Args:
        loop: The loop.
        overdue: Called when somebody has waited too long, after they were answered.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, overdue: Callable[[], None]) -> None:
        self._loop = loop
        self._overdue = overdue
        self._waiting: list[Waiting] = []
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    def add(self, one: Waiting) -> None:
        """Somebody waits until ``one.due``."""
        self._waiting.append(one)
        if self._timer is None or one.due < self._due:
            self._look_at(one.due)

    def release(self) -> None:
        """Let nobody wait any longer."""
        for one in self._waiting:
            if one.heard is not None and not one.heard.done():
                one.heard.set_result(NOT_IN_TIME)
        self._waiting = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_at(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = self._loop.call_at(due, self._look)

    def _look(self) -> None:
        self._timer = None
        waiting = [one for one in self._waiting if one.heard is not None and not one.heard.done()]
        now = self._loop.time()
        overdue = [one.heard for one in waiting if one.due <= now and one.heard is not None]
        self._waiting = [one for one in waiting if one.due > now]
        for heard in overdue:
            heard.set_result(NOT_IN_TIME)
        if self._waiting:
            self._look_at(min(one.due for one in self._waiting))
        if overdue:
            self._overdue()
