"""Whether the bureau is asked now: left alone after failures, tried again by one call a while later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import count

from reminder.stores.breaker import Breaker

__all__ = ["FIRST_PAUSE_S", "MOST_PAUSE_S", "Trying"]

FIRST_PAUSE_S = 1.0
"""How long a bureau that failed is left alone the first time; twice as long each time it fails again."""

MOST_PAUSE_S = 10.0
"""How long at most: what is back is used within it, and no more than six answers a minute wait for nothing."""


class Trying:
    """A breaker that lets one try through after each pause. Used inside one event loop.

    Args:
        now: the instant, UTC.
        tick_s: a clock that only goes forward.
    """

    def __init__(self, now: Callable[[], datetime], tick_s: Callable[[], float]) -> None:
        self._breaker = Breaker(now)
        self._tick_s = tick_s
        self._pause_s = FIRST_PAUSE_S
        self._due_s = 0.0
        self._serial = count()

    @property
    def why(self) -> str:
        """Why it is left alone; "" while it is not."""
        return self._breaker.why

    @property
    def since(self) -> datetime | None:
        """When it failed."""
        return self._breaker.since

    def may(self) -> bool:
        """Whether to ask now. Of those that come after a pause one may, until it is known what came of that."""
        if not self._breaker.why:
            return True
        if self._tick_s() < self._due_s:
            return False
        self._wait()
        return True

    def failed(self, why: str) -> None:
        """It did not answer."""
        if not self._breaker.why:
            self._wait()
        self._breaker.failed(why)

    def missed(self, why: str) -> None:
        """It did not answer in the time there was: a failure when it is so several times in a row."""
        was_open = bool(self._breaker.why)
        self._breaker.missed(why, str(next(self._serial)))
        if self._breaker.why and not was_open:
            self._wait()

    def worked(self) -> None:
        """It answered."""
        self._breaker.worked()
        self._pause_s = FIRST_PAUSE_S

    def _wait(self) -> None:
        self._due_s = self._tick_s() + self._pause_s
        self._pause_s = min(2 * self._pause_s, MOST_PAUSE_S)
