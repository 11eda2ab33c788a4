"""A circuit breaker: after a failure nothing is tried for a while, so that an outage costs nobody's time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

__all__ = ["MISSES", "REST_S", "Breaker"]

REST_S = 1.0
"""How long nothing is tried after a failure: what is back is used within it, and an outage costs one try each."""

MISSES = 2
"""Deadlines missed in a row that count as a failure: a single one may be the machine's, not the store's."""


class Breaker:
    """Whether to try. Closed: always; open: not before the rest is over, and then one at a time until one works.

    ``tick_s`` is a clock that only goes forward, in seconds; ``now`` is the instant. ``why`` is "" while it is closed,
    ``since`` when it opened. May be used from any thread.
    """

    def __init__(self, tick_s: Callable[[], float], now: Callable[[], datetime], rest_s: float = REST_S) -> None:
        self.why = ""
        self.since: datetime | None = None
        self._tick_s = tick_s
        self._now = now
        self._rest_s = rest_s
        self._retry_at = 0.0
        self._misses = 0
        self._lock = threading.Lock()

    def allows(self) -> bool:
        """Whether to try now; who is let through while it is open is the only one for another rest."""
        with self._lock:
            if not self.why:
                return True
            if self._tick_s() < self._retry_at:
                return False
            self._retry_at = self._tick_s() + self._rest_s
            return True

    def worked(self) -> None:
        """A try worked: closed."""
        self.why, self.since, self._misses = "", None, 0

    def failed(self, why: str) -> None:
        """A try failed: open."""
        with self._lock:
            self.since = self.since if self.why else self._now()
            self.why = why
            self._retry_at = self._tick_s() + self._rest_s

    def missed(self, why: str) -> None:
        """A try took longer than anybody waits for."""
        self._misses += 1
        if self._misses >= MISSES:
            self.failed(why)
