"""What is scheduled is made active when its time has come, and tried again where that failed for the moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

from reminder.releases.due import Again, again, may_mend
from reminder.releases.saying import given_up, tried_again
from reminder.releases.standing import Chosen, Scheduled, Standing
from reminder.releases.trust import RoadError

if TYPE_CHECKING:
    from reminder.releases.book import Book
    from reminder.releases.moving import Moves
    from reminder.releases.pen import Pen
    from reminder.releases.serves import Serves

__all__ = ["Schedule"]

_LOOKED_AT = 1_000

_Activate: TypeAlias = Callable[[Scheduled], Awaitable[object]]


class Schedule:
    """What is to become active, and how that goes.

    Args:
        service: its clock.
        book: the steps that were taken.
        pen: the writer of what stands.
        moves: tells of steps.
        activate: makes what was scheduled active. Raises ``RoadError``.
    """

    def __init__(self, service: Serves, book: Book, pen: Pen, moves: Moves, activate: _Activate) -> None:
        self._service = service
        self._book = book
        self._pen = pen
        self._moves = moves
        self._activate = activate
        self._over: Scheduled | None = None

    @property
    def due(self) -> Scheduled | None:
        """What is to be tried now; ``None``: nothing is."""
        due, now = self._pen.standing.scheduled, self._service.now()
        if due is None or due.at > now:
            return None
        waiting = self.waiting()
        return due if waiting is None or waiting.at <= now else None

    def waiting(self) -> Again | None:
        """When the activation that failed is tried again; ``None``: none has, or it is over."""
        due = self._pen.standing.scheduled
        if due is None or due == self._over or due.at > self._service.now():
            return None
        return again(due, self._book.last(_LOOKED_AT))

    async def is_over(self, due: Scheduled, standing: Standing) -> bool:
        """Try what is due; whether it is scheduled no more: it is active, refused for good, or given up."""
        if standing.scheduled != due:
            return False
        if self._over == due or await self._tried(due):
            self._over = due
        return self._over == due

    async def _tried(self, due: Scheduled) -> bool:
        try:
            await self._activate(due)
        except RoadError as error:
            return await self._failed(due, error)
        return True

    async def _failed(self, due: Scheduled, error: RoadError) -> bool:
        """Whether it is not tried again; the first time and the last it is said that it is, or is no more."""
        chosen = Chosen(version=due.version, digest=due.digest, at=self._service.now(), who=due.who, why=due.why)
        if error.kind == "unknown":
            # A version that is staged no more fails without a step of its own.
            await self._moves.step(chosen, "activate", "failed", str(error), reason=error.reason)
        waiting = self.waiting()
        if waiting is None or not may_mend(error):
            return True
        if waiting.given_up:
            await self._moves.step(chosen, "schedule", "failed", given_up(waiting), reason="given-up")
        elif waiting.tries == 1:
            await self._moves.step(chosen, "schedule", "done", tried_again(waiting))
        return waiting.given_up
