"""Every finding shown in a period with what was done about it, encounter by encounter: what a bureau keeps a row of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reminder.compliance.period import reads_from
from reminder.compliance.report import reminders
from reminder.compliance.words import Word, last
from reminder.journal.base import Row
from reminder.journal.brief import DecisionBrief, FeedbackBrief, FoundBrief, decode_brief

if TYPE_CHECKING:
    from reminder.compliance.records import Outcome, Period, Reminder

__all__ = ["CHANGED", "WENT_ON", "Answered", "Shown", "shown_findings"]

WENT_ON, CHANGED = "1", "2"
"""处理方式 (national interface, 3103 ``dspo_way``): 1 继续执行医嘱, 2 返回修改医嘱."""

_WAY_OF_DONE = {
    "changed": CHANGED,
    "withdrawn": CHANGED,
    "self_paid": CHANGED,
    "overridden": WENT_ON,
    "exited": WENT_ON,
    "wrong_rule": WENT_ON,
}
_KEPT: frozenset[Outcome] = frozenset({"overridden", "exited", "ignored"})
_GONE: frozenset[Outcome] = frozenset({"changed", "withdrawn", "self_paid", "justified"})


class Answered(Struct, frozen=True, kw_only=True):
    """What was done about a finding: ``way`` is 1, 2 or "" where nobody knows.

    ``source``: the ``feedback`` about this very finding, else the ``outcome`` of its reminder, else "". ``at``: when it
    was done, or known; UTC.
    """

    way: str = ""
    source: str = ""
    reason_code: str = ""
    at: datetime | None = None


class Shown(Struct, frozen=True, kw_only=True, eq=False):
    """An answer of the period that showed something, and what was done about each finding it showed, in their order."""

    row: Row
    brief: DecisionBrief
    found: tuple[tuple[FoundBrief, Answered], ...]


def shown_findings(rows: Iterable[Row], period: Period) -> Iterator[Shown]:
    """Walk briefs sorted by encounter (:meth:`reminder.journal.base.JournalStore.briefs`); one encounter is held."""
    for _, of_one in groupby(rows, key=lambda row: (row.institution_id, row.encounter_key)):
        held = list(of_one)
        bodies = [(row, decode_brief(row.brief)) for row in held if row.brief]
        shown = [
            (row, brief) for row, brief in bodies if isinstance(brief, DecisionBrief) and _counts(row, brief, period)
        ]
        if shown:
            answered = _Answers(held, [(row.at, brief) for row, brief in bodies], period)
            for row, brief in shown:
                found = tuple((one, answered.to(one)) for one in brief.found if one.shown)
                yield Shown(row=row, brief=brief, found=found)


def _counts(row: Row, brief: DecisionBrief, period: Period) -> bool:
    return period.begin <= row.at < period.end and any(found.shown for found in brief.found)


class _Answers:
    """What was done about the findings of one encounter."""

    def __init__(self, rows: Sequence[Row], bodies: Iterable[tuple[datetime, object]], period: Period) -> None:
        self._words: dict[str, list[Word]] = {}
        for at, brief in bodies:
            if isinstance(brief, FeedbackBrief):
                self._words.setdefault(brief.finding_id, []).append(Word(at=at, brief=brief))
        # A finding may repeat a reminder that began before the period.
        wide = replace(period, begin=reads_from(period))
        self._reminders: dict[str, list[Reminder]] = {}
        for one in reminders(rows, wide):
            for finding_id in one.finding_ids:
                self._reminders.setdefault(finding_id, []).append(one)

    def to(self, found: FoundBrief) -> Answered:
        words = self._words.get(found.finding_id)
        if words:
            word = last(words).brief
            way, code = _WAY_OF_DONE[word.done], word.reason_code
            return Answered(way=way, source="feedback", reason_code=code, at=word.done_at)
        return _by_outcome(self._reminders.get(found.finding_id, ()))


def _by_outcome(settled: Sequence[Reminder]) -> Answered:
    """Gone on where any of its reminders was kept, changed where all are gone; of the others nobody knows."""
    outcomes = {one.outcome for one in settled}
    way = WENT_ON if outcomes & _KEPT else CHANGED if outcomes and outcomes <= _GONE else ""
    at = max((one.settled_at for one in settled if one.settled_at is not None), default=None)
    return Answered(way=way, source="outcome", at=at) if way else Answered()
