"""Whether to ask the sidecar at all: a circuit breaker with the times of its tries. Pure: time is an argument.

One call that nobody answers, or three in a row that are not answered in time, and nobody is asked any more: a
prescription is saved unchecked at once. Beside the callers it is then tried whether the sidecar serves, and the
breaker closes. One that opens again and again without a single answer between rests longer each time.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reminder.stores.breaker import Breaker

if TYPE_CHECKING:
    from reminder.client.refusals import Failure

__all__ = ["PROBE_S", "REST_S", "Watch"]

PROBE_S = (0.1, 1.0)
"""Between tries whether a sidecar that went away is back: at first, and at most."""

REST_S = (1.0, 30.0)
"""How long one that answers too late is left alone: at first, and at most."""


class Watch:
    """What is known of the sidecar. For any thread; ``now_s`` is a clock that only goes forward."""

    def __init__(self) -> None:
        self._breaker = Breaker(lambda: datetime.now(UTC))
        self._lock = threading.Lock()
        self._calls = 0
        self._tries = 0
        self._opened = 0
        self._due_s = 0.0

    @property
    def resting(self) -> bool:
        """Whether nobody is asked now."""
        return bool(self._breaker.why)

    @property
    def why(self) -> str:
        """Why nobody is asked; "" where everybody is."""
        return self._breaker.why

    def answered(self) -> None:
        """Somebody was answered."""
        if self._calls or self._opened:
            with self._lock:
                self._calls = self._opened = 0
            self._breaker.worked()

    def failed(self, failure: Failure, now_s: float) -> None:
        """Somebody was not answered."""
        with self._lock:
            if self.resting:
                return
            if failure.why == "deadline":
                self._calls += 1
                self._breaker.missed(failure.text, str(self._calls))
            elif failure.why == "away":
                self._breaker.failed(failure.text)
            if self._breaker.why:
                self._rest(now_s, late=failure.why == "deadline")

    def due_in_s(self, now_s: float) -> float:
        """Seconds until it is to be tried whether the sidecar serves; 0: now."""
        return max(0.0, self._due_s - now_s)

    def tried(self, now_s: float, *, serves: bool) -> None:
        """It was tried; where it serves, the next caller asks it."""
        with self._lock:
            if serves:
                self._calls = self._tries = 0
                self._breaker.worked()
            else:
                self._tries += 1
                self._due_s = now_s + min(PROBE_S[0] * 2**self._tries, PROBE_S[1])

    def _rest(self, now_s: float, *, late: bool) -> None:
        """One that went away is looked for at once; one that is slow gets time, more each time."""
        self._tries = 0
        self._due_s = now_s + (min(REST_S[0] * 2**self._opened, REST_S[1]) if late else PROBE_S[0])
        self._opened = min(self._opened + 1, 10)
