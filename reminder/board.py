"""The board as metrics: what this sidecar has seen today, hour by hour, from memory.

Only numbers leave. To count a visit, a doctor, a line or a finding once, their hashes are held for the running hour and
then forgotten; so a visit of two hours counts in both, as in the report by hour. The report (``--by board``) is made
from the journal, over every process and day, and knows what became of reminders; this knows only what was asked.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily

from reminder.workers.day import SharedDay, SharedHour

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from prometheus_client.metrics_core import Metric

    from negative_list.decision import Decision
    from negative_list.prescription import Line, Prescription
    from reminder.workers.common import Common

__all__ = ["DRUGS", "FIGURES", "Board"]

FIGURES = {
    "visits": "Encounters checked.",
    "doctors": "Doctors that asked.",
    "prescriptions": "Checks with lines not checked before in the hour.",
    "fees_yuan": "Amounts of lines, each once in the hour.",
    "drugs_yuan": "The same of drugs.",
    "reminders": "Findings shown, each once for its encounter, rule and lines in the hour.",
}
"""What the board tells of each hour of today."""

DRUGS = frozenset({"drug", "herb", "preparation", "ethnic-drug", "granule"})
"""Kinds of items that are drugs: those of :data:`reminder.journal.briefs.DRUGS`."""

_FEN = 100


class _Hour:
    """An hour as it runs. What was seen is held by its hash; each check costs some microseconds."""

    __slots__ = ("counts", "seen")

    def __init__(self) -> None:
        self.counts = dict.fromkeys(FIGURES, 0)
        self.seen: set[int] = set()

    def once(self, figure: str, about: Hashable) -> None:
        """Count something, the first time it is seen."""
        mark = hash((figure, about))
        if mark not in self.seen:
            self.seen.add(mark)
            self.counts[figure] += 1


class Board:
    """Today's hours. Told and asked inside one event loop."""

    def __init__(self) -> None:
        self._day = date.min
        self._hours: dict[int, _Hour] = {}
        self._shared: SharedDay | None = None

    def share(self, common: Common, number: int) -> None:
        """Count together with other workers, from now on."""
        self._shared = SharedDay(common, number, tuple(FIGURES))

    def decided(self, at: datetime, prescription: Prescription, decision: Decision) -> None:
        """A check was decided at an instant (civil); one of a day that is over counts no more."""
        hour = self._of(at) if self._shared is None else self._shared.hour(at)
        if hour is not None:
            _count(hour, prescription, decision)

    def _of(self, at: datetime) -> _Hour | None:
        if at.date() > self._day:
            self._day, self._hours = at.date(), {}
        return self._hour(at.hour) if at.date() == self._day else None

    def _hour(self, hour: int) -> _Hour:
        found = self._hours.get(hour)
        if found is None:
            for over in self._hours.values():
                over.seen.clear()
            found = self._hours[hour] = _Hour()
        return found

    def _told(self) -> Mapping[int, Mapping[str, int]]:
        if self._shared is not None:
            return self._shared.hours()
        return {hour: told.counts for hour, told in sorted(self._hours.items())}

    def collect(self) -> Iterator[Metric]:
        """The families as they stand."""
        hours = self._told()
        for name, text in FIGURES.items():
            family = GaugeMetricFamily(f"reminder_board_{name}", f"Today by hour. {text}", labels=("hour",))
            for hour, counts in hours.items():
                count = counts[name]
                family.add_metric((f"{hour:02}",), count / _FEN if name.endswith("_yuan") else count)
            yield family


def _count(hour: _Hour | SharedHour, prescription: Prescription, decision: Decision) -> None:
    encounter = prescription.encounter
    # Without an id every check is a visit of its own.
    visit = encounter.id or decision.decision_id or ""
    hour.once("visits", visit)
    # A line by its id and code; hashing times costs more than all the rest.
    marks = {hash((visit, line.id, line.codes)): line for line in encounter.lines if line.current}
    if new := [mark for mark in marks if mark not in hour.seen]:
        hour.counts["prescriptions"] += 1
        fees, drugs = _fees([marks[mark] for mark in new])
        hour.counts["fees_yuan"] += fees
        hour.counts["drugs_yuan"] += drugs
        hour.seen.update(new)
    doctor = encounter.facts.get("encounter.doctor_id") or _ordered_by(encounter.lines)
    if doctor:
        hour.once("doctors", doctor)
    for finding in decision.findings:
        hour.once("reminders", (visit, finding.rule_id, finding.lines))


def _fees(lines: Iterable[Line]) -> tuple[int, int]:
    """Amounts of lines in fen, and of those that are drugs."""
    fees = drugs = 0
    for line in lines:
        amount = line.facts.get("line.amount_fen")
        if isinstance(amount, int):
            fees += amount
            if line.facts.get("line.item_type") in DRUGS:
                drugs += amount
    return fees, drugs


def _ordered_by(lines: Sequence[Line]) -> object:
    return next((who for line in lines if line.current and (who := line.facts.get("line.doctor_id"))), None)
