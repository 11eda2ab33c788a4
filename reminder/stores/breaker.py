"""A circuit breaker: after a failure nothing more is tried, so that an outage costs no caller's time.

Who looks after the store tries it, beside the callers, and closes the breaker when it works again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

__all__ = ["MISSES", "Breaker"]

MISSES = 2
"""Deadlines missed in a row that count as a failure: a single one may be the machine's, not the store's."""


class Breaker:
    """Whether to try. ``why`` is "" while it is closed; ``since`` is when it opened, by ``now``. For any thread."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.why = ""
        self.since: datetime | None = None
        self._now = now
        self._misses = 0
        self._lock = threading.Lock()

    def failed(self, why: str) -> None:
        """A try failed: open."""
        with self._lock:
            self.since = self.since or self._now()
            self.why = why

    def missed(self, why: str) -> None:
        """A try took longer than anybody waits for: open when it was not the first."""
        self._misses += 1
        if self._misses >= MISSES:
            self.failed(why)

    def worked(self) -> None:
        """A try worked: closed."""
        with self._lock:
            self.why, self.since, self._misses = "", None, 0
