"""Evidence: what is known of a report, an approval or a laboratory value, and how old it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from negative_list.values import HOUR_S, reader_of

if TYPE_CHECKING:
    from datetime import datetime

    from negative_list.check import Check
    from negative_list.conditions import Evidence
    from negative_list.gather import Test
    from negative_list.prescription import Line

__all__ = ["Aged", "ages_of_evidence", "bind_evidence"]


class Aged(Struct, frozen=True, kw_only=True):
    """How old evidence is at the trigger, at least and at most, against the most it may be.

    In days (``unit_s`` 1), or in seconds where the unit is hours.
    """

    low: float
    high: float
    most: int
    unit: str
    unit_s: int


def bind_evidence(condition: Evidence) -> Test:
    """The test of what is known of a piece of evidence."""
    read, states = reader_of(condition.fact), frozenset(condition.states)
    dated = condition.max_age_hours is not None or condition.max_age_days is not None
    # Whether a told fact is present or too old is asked only where one of both is named and not the other.
    told = None if dated and len(states & {"present", "too_old"}) == 1 else "present" in states

    def test(check: Check, line: Line | None) -> bool | None:
        value = read(check, line)
        if value is None:
            return None
        if value is False:
            return "absent" in states
        if told is not None:
            return told
        old = _too_old(condition, check, line)
        return None if old is None else ("too_old" if old else "present") in states

    return test


def _too_old(condition: Evidence, check: Check, line: Line | None) -> bool | None:
    """Whether the evidence is older than is asked for, whichever moment the trigger stands at."""
    ages = ages_of_evidence(condition, check, line)
    if ages is None:
        return None
    if any(age.low > age.most for age in ages):
        return True
    return False if all(age.high <= age.most for age in ages) else None


def ages_of_evidence(condition: Evidence, check: Check, line: Line | None) -> tuple[Aged, ...] | None:
    """How old the evidence is by each age asked for; ``None`` where it is not told when it was found."""
    time = _told_at(condition.fact, check, line)
    if time is None:
        return None
    ages = []
    if condition.max_age_days is not None:
        days = max(0, check.day_of(line) - time.toordinal())
        ages.append(Aged(low=days, high=days, most=condition.max_age_days, unit="days", unit_s=1))
    if condition.max_age_hours is not None:
        low, high = (max(0.0, (moment - time).total_seconds()) for moment in check.moments(line))
        ages.append(Aged(low=low, high=high, most=condition.max_age_hours * HOUR_S, unit="hours", unit_s=HOUR_S))
    return tuple(ages)


def _told_at(name: str, check: Check, line: Line | None) -> datetime | None:
    """When a fact was found, where that is told."""
    if name.startswith("line."):
        return line.times.get(name) if line is not None else None
    holder = check.prescription.patient if name.startswith("patient.") else check.encounter
    return holder.times.get(name)
