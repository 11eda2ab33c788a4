"""A circuit breaker: after a failure nothing more is tried, so that an outage costs no caller's time.

Who looks after the store tries it, beside the callers, and closes the breaker when it works again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

__all__ = ["MISSES", "Breaker"]

MISSES = 3
"""Different callers' deadlines missed in a row that count as a failure: one may be the machine's, and a patient with
thousands of lines misses each time without the store being any slower for others."""


class Breaker:
    """Whether to try. ``why`` is "" while it is closed; ``since`` is when it opened, by ``now``. For any thread."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.why = ""
        self.since: datetime | None = None
        self._now = now
        self._missed: set[str] = set()
        self._lock = threading.Lock()

    def failed(self, why: str) -> None:
        """A try failed: open."""
        with self._lock:
            self.since = self.since or self._now()
            self.why = why

    def missed(self, why: str, who: str) -> None:
        """A try for somebody took longer than anybody waits for: open when it was so for several in a row."""
        self._missed.add(who)
        if len(self._missed) >= MISSES:
            self.failed(why)

    def worked(self) -> None:
        """A try worked: closed."""
        with self._lock:
            self.why, self.since = "", None
            self._missed.clear()
