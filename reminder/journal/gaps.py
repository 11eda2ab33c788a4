"""What became of entries that were not written in time: counted here until the journal itself can say so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reminder.journal.base import Draft
    from reminder.journal.own import OwnEntries

__all__ = ["LATE", "LATE_AT_ONCE", "Gaps"]

LATE = "written after they were answered"
"""What a ``gap`` entry says of decisions that are in the journal, but whose answer said they were not yet."""

LATE_AT_ONCE = 500
"""Decisions one entry names as late: 15 KB."""


class Gaps:
    """What is lost and what is late since the last ``gap`` entries were made. ``lost`` counts the lost."""

    def __init__(self, own: OwnEntries) -> None:
        self.lost = 0
        self._own = own
        self._why = ""
        self._span: tuple[datetime, datetime] | None = None
        self._late: list[tuple[str, datetime]] = []

    def __bool__(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.lost or self._late)

    def lose(self, draft: Draft, why: str) -> None:
        """An entry will never be written."""
        self.lost += 1
        self._why = why
        begin, end = self._span or (draft.at, draft.at)
        self._span = (min(begin, draft.at), max(end, draft.at))

    def late(self, draft: Draft) -> None:
        """An entry was written, whose answer had said otherwise; of decisions that is told."""
        if draft.kind == "decision":
            self._late.append((draft.decision_id, draft.at))

    def entries(self, now: datetime) -> Iterator[Draft]:
        """The entries that say so; afterwards nothing is left to say."""
        if self.lost and self._span is not None:
            yield self._own.gap(now, self._span, self.lost, (), self._why)
        self.lost, self._span = 0, None
        while late := self._late[:LATE_AT_ONCE]:
            del self._late[:LATE_AT_ONCE]
            instants = [at for _, at in late]
            yield self._own.gap(now, (min(instants), max(instants)), 0, tuple(name for name, _ in late), LATE)
