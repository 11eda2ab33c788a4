"""A birth date is written down only as an age, and a stand-in for it is worked out when a decision is derived again.

Rules judge completed years, months or days at the decision's instant and at the times of lines. Completed months tell
the years too; a stand-in that has as many at each of these times decides alike, unless a rule counts days.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from negative_list.values import age_in
from reminder.journal.entries import Age

if TYPE_CHECKING:
    from negative_list.decision import Finding
    from negative_list.prescription import History, Prescription

__all__ = ["DAYS_BELOW_MONTHS", "age_of", "birth_of", "counts_days", "times_of"]

DAYS_BELOW_MONTHS = 36
"""Below three years days are written: rules of newborns and infants count them."""

_DAY = timedelta(days=1)
_NEAR = timedelta(days=28)
_LONGEST_MONTH = 31


def age_of(birth: date, at: datetime, times: Iterable[datetime], *, days: bool = False) -> Age:
    """How a birth date is written for a decision at an instant.

    Args:
        birth: the birth date.
        at: the decision's instant, civil.
        times: when lines begin, civil.
        days: a rule counted days.
    """
    months = age_in("month", birth, at)
    if days or months < DAYS_BELOW_MONTHS:
        return Age(months=months, days=age_in("day", birth, at))
    told, moments = Age(months=months), _days(at, times)
    if moments == {at.date()}:
        return told
    stand_in = birth_of(told, at, moments)
    alike = all(age_in("month", stand_in, day) == age_in("month", birth, day) for day in moments)
    return told if alike else Age(months=months, days=age_in("day", birth, at))


def birth_of(age: Age, at: datetime, times: Iterable[date]) -> date:
    """A birth date that gives the same age: the very one where days are written.

    Of all that have as many completed months the one is taken whose month is completed last, after every line of the
    days around the instant: then nobody turns a month older between two lines of one prescription.
    """
    if age.days is not None:
        return at.date() - timedelta(days=age.days)
    months = age.months or 0
    last = max((day for day in _days(at, times) if day - at.date() < _NEAR), default=at.date())
    return _latest_to_turn(months, last)


def _latest_to_turn(months: int, day: date) -> date:
    """The earliest birth date with so many completed months on a day."""
    years, rest = divmod(months + 1, 12)
    year, month = day.year - years, day.month - rest
    if month < 1:
        year, month = year - 1, month + 12
    born = date(year, month, 1) + timedelta(days=min(day.day, _LONGEST_MONTH) - 2)
    while age_in("month", born, day) > months:
        born += _DAY
    while age_in("month", born - _DAY, day) <= months:
        born -= _DAY
    return born


def _days(at: datetime, times: Iterable[date]) -> set[date]:
    """The different days among the times and the instant."""
    return {at.date(), *[time.date() if isinstance(time, datetime) else time for time in times]}


def times_of(prescription: Prescription, history: History | None = None) -> list[datetime]:
    """When the lines begin that a rule may judge an age at."""
    lines = [line for encounter in (prescription.encounter, *prescription.others) for line in encounter.lines]
    past = history.lines if history is not None else ()
    return [line.begins for line in (*lines, *past) if line.begins is not None]


def counts_days(findings: Iterable[Finding]) -> bool:
    """Whether an answer tells an age in days."""
    return any(seen.fact == "patient.age" and seen.unit == "day" for found in findings for seen in found.facts)
