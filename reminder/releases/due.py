"""When a scheduled activation that failed is tried again. Pure: how often it was tried stands in the steps.

A full disk is made room on, a worker finds its memory, a file is put back: such a failure may mend itself, and is tried
again with growing pauses for a day. What was decided does not mend itself: a release older than the active one, one
that is staged no more. Steps outlive the process, so that pauses grow on after a restart.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from reminder.releases.ledger import Step
    from reminder.releases.standing import Scheduled
    from reminder.releases.trust import RoadError

__all__ = ["FIRST_PAUSE", "MOST_PAUSE", "PATIENCE", "Again", "again", "may_mend"]

FIRST_PAUSE = timedelta(seconds=5)
"""After the first failure; twice as long after each one more."""

MOST_PAUSE = timedelta(minutes=15)
"""The longest pause: a disk that was made room on is found within it. Some hundred tries in a day."""

PATIENCE = timedelta(hours=24)
"""How long after the first failure it is tried: what nobody mended in a day somebody has to decide anew."""

_MOST_DOUBLED = 10


class Again(Struct, frozen=True, kw_only=True):
    """A scheduled activation that failed. ``at`` and ``until`` are UTC; ``why``: as its last step says.

    ``tries``: how often it failed; ``at``: when it is tried next; ``until``: when it is given up.
    """

    tries: int
    at: datetime
    until: datetime
    why: str

    @property
    def given_up(self) -> bool:
        """Whether it is not tried again."""
        return self.at > self.until


def again(due: Scheduled, steps: Iterable[Step]) -> Again | None:
    """When it is tried again; ``None``: it has not failed yet.

    Args:
        due: what was scheduled.
        steps: the steps that were taken, newest first.
    """
    failed = [step for step in steps if step.at >= due.at and _is_try(step, due) and step.result == "failed"]
    if not failed:
        return None
    tries, last = len(failed), failed[0]
    pause = min(FIRST_PAUSE * 2 ** min(tries - 1, _MOST_DOUBLED), MOST_PAUSE)
    return Again(tries=tries, at=last.at + pause, until=failed[-1].at + PATIENCE, why=last.detail)


def _is_try(step: Step, due: Scheduled) -> bool:
    return step.step == "activate" and (step.version, step.digest) == (due.version, due.digest)


def may_mend(error: RoadError) -> bool:
    """Whether a refusal may mend itself: no version is wrong or gone, and nothing was decided."""
    return error.kind == "refused" and error.reason != "older"
