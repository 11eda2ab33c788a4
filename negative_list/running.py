"""Orders that run on: what the last body of an encounter says on a later day.

A drug given every day was allowed when it was ordered; the day its course is over, or a new rule starts, nobody asks
again. So the orders in force are judged again for each day: what was used of an order before that day is in force, its
use on that day is the current line. Findings that a day brings and the day before did not have are new: the day before
was the last payable one.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from negative_list.decision import Decision, Finding
    from negative_list.prescription import Encounter, FactValue, Line, Prescription

__all__ = ["BEFORE", "EXECUTION", "is_running", "new_findings", "running_on"]

BEFORE = "#before"
"""What is added to the id of a running order for its use before the day."""

EXECUTION = "5"
"""The trigger scene of orders being carried out (national interface, trig_scen 5)."""


def running_on(prescription: Prescription, at: datetime) -> Prescription:
    """The prescription as it stands at a later civil time: running orders are current, for that day's use alone.

    Nothing is current when no order runs. The instant, the scene and the days of the stay are those of ``at``.
    """
    encounter = prescription.encounter
    lines = tuple(part for line in encounter.lines for part in _parts(line, at.date()))
    facts: dict[str, FactValue] = {**encounter.facts, "encounter.scene": (EXECUTION,)}
    facts |= _stay(encounter, at)
    return msgspec.structs.replace(
        prescription,
        encounter=msgspec.structs.replace(encounter, lines=lines, facts=facts),
        at=at,
        notes=(),
    )


def _stay(encounter: Encounter, at: datetime) -> dict[str, FactValue]:
    """The days of the stay so far, where the day of admission is known."""
    admitted = encounter.facts.get("encounter.admitted_at")
    if not isinstance(admitted, datetime):
        return {}
    return {"encounter.stay_days": max(0, (at.date() - admitted.date()).days)}


def _parts(line: Line, day: date) -> Iterator[Line]:
    """A line as it stands on a day: a running one in two parts, any other in force."""
    if not is_running(line, day) or line.begins is None:
        yield msgspec.structs.replace(line, current=False)
        return
    used = (day - line.begins.date()).days
    if used:
        yield _used_before(line, day, used)
    yield _used_on(line, day, used)


def is_running(line: Line, day: date) -> bool:
    """Whether an order is carried out on a day: a long order not stopped before, or a supply that lasts until then."""
    if line.begins is None or line.begins.date() > day or (line.stops is not None and line.stops.date() < day):
        return False
    if line.facts.get("line.long_order") is True:
        return True
    days = line.facts.get("line.days")
    return isinstance(days, int) and line.begins.date() + timedelta(days=max(days, 1)) > day


def _used_before(line: Line, day: date, used: int) -> Line:
    midnight = datetime.combine(day, time())
    return msgspec.structs.replace(
        line,
        id=line.id + BEFORE,
        current=False,
        stops=midnight - timedelta(seconds=1),
        facts={**line.facts, "line.days": used},
    )


def _used_on(line: Line, day: date, used: int) -> Line:
    """The use of one day. What is left of a supply is still to be used; of a long order only this day is certain."""
    assert line.begins is not None  # noqa: S101 (only lines with a begin run)
    days = line.facts.get("line.days")
    left = days - used if isinstance(days, int) and line.facts.get("line.long_order") is not True else 1
    return msgspec.structs.replace(
        line,
        current=True,
        begins=datetime.combine(day, line.begins.time()),
        facts={**line.facts, "line.days": max(left, 1)},
    )


def new_findings(before: Decision, after: Decision) -> tuple[Finding, ...]:
    """The certain findings of the later decision that the earlier one has not, by rule and offending lines."""
    known = {(finding.rule_id, line) for finding in before.findings for line in _lines(finding)}
    return tuple(
        finding
        for finding in after.findings
        if not finding.unknown and any((finding.rule_id, line) not in known for line in _lines(finding))
    )


def _lines(finding: Finding) -> Iterable[str]:
    """The offending lines, or one empty id for a finding about the encounter."""
    return finding.lines or ("",)
