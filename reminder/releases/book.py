"""Where steps are told: each is kept, counted and logged, and a failure is loud."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from reminder.releases.ledger import Ledger, Step

if TYPE_CHECKING:
    from datetime import datetime

    from structlog.typing import FilteringBoundLogger

    from reminder.releases.folder import Folder
    from reminder.releases.metrics import ReleaseMetrics

__all__ = ["Book"]

_MOST_WHO, _MOST_WHY, _MOST_DETAIL = 64, 500, 4_000


class Book:
    """The ledger with its metrics and its log.

    Args:
        folder: where the ledger lies.
        metrics: where steps are counted.
        log: where they are told.
        now: the instant, UTC.
    """

    def __init__(
        self, folder: Folder, metrics: ReleaseMetrics, log: FilteringBoundLogger, now: Callable[[], datetime]
    ) -> None:
        self._ledger = Ledger(folder.steps)
        self._metrics = metrics
        self._log = log
        self.now = now
        unread = self._ledger.problem
        self.problem = f"releases: steps cannot be read ({unread}); see to `{folder.steps}`" if unread else ""

    async def told(self, step: Step) -> Step:
        """A step ended. A ledger that cannot be written stops nothing; it is said in ``problem``."""
        step = msgspec.structs.replace(
            step, who=step.who[:_MOST_WHO], why=step.why[:_MOST_WHY], detail=step.detail[:_MOST_DETAIL]
        )
        self._metrics.stepped(step.step, step.result, step.reason)
        say = self._log.warning if step.result == "failed" else self._log.info
        told = {
            name: getattr(step, name) for name in ("version", "step", "result", "reason", "detail", "who", "took_ms")
        }
        say("release", digest=step.digest[:16], **told)
        try:
            await asyncio.to_thread(self._ledger.append, step)
        except OSError as error:
            self.problem = f"releases: steps cannot be written down ({error.strerror}); see to the data folder"
        else:
            self.problem = ""
        return step

    def last(self, count: int) -> tuple[Step, ...]:
        """The newest steps, newest first."""
        return self._ledger.last(count)

    def all(self) -> tuple[Step, ...]:
        """Every step that is remembered, oldest first."""
        return self._ledger.all()
