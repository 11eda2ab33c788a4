"""Tests of facts: words, numbers, ages, times, and diagnoses and operations by code or term.

Each ``bind_`` function makes a condition the function of a check and its trigger line that answers it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeGuard

from negative_list import conditions as c
from negative_list.check import Check, ymd
from negative_list.codes import expand_ranges
from negative_list.text import normalise, occurs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from negative_list.gather import Test
    from negative_list.limits import Interval, Within
    from negative_list.prescription import FactValue, Line
    from negative_list.text import Statement

__all__ = [
    "HOUR_S",
    "age_in",
    "bind_age",
    "bind_coded",
    "bind_elapsed",
    "bind_fact",
    "elapsed",
    "is_number",
    "reader_of",
]

HOUR_S = 3_600
"""Seconds of an hour: times in hours are compared in seconds, exactly."""


# -- facts


def reader_of(name: str) -> Callable[[Check, Line | None], FactValue | None]:
    """What reads a fact of the patient, the encounter or the trigger line; ``None`` where it is unknown."""

    def of_patient(check: Check, _line: Line | None) -> FactValue | None:
        return check.patient_facts.get(name)

    def of_encounter(check: Check, _line: Line | None) -> FactValue | None:
        return check.encounter_facts.get(name)

    def of_line(_check: Check, line: Line | None) -> FactValue | None:
        return line.facts.get(name) if line is not None else None

    return {"patient": of_patient, "line": of_line}.get(name.partition(".")[0], of_encounter)


def bind_fact(condition: c.Fact, bounds: Callable[[c.Bounds], Within]) -> Test:
    """The test of a fact; an absent one is unknown. ``bounds`` binds the limits of a number."""
    if not (condition.any_of or condition.terms):
        return _bind_number(condition.fact, bounds(condition))
    holds = _named(condition.any_of) if condition.any_of else _worded(condition.terms)
    name = condition.fact
    subject = name.partition(".")[0]

    def of_patient(check: Check, _line: Line | None) -> bool | None:
        value = check.patient_facts.get(name)
        return None if value is None else holds(value)

    def of_encounter(check: Check, _line: Line | None) -> bool | None:
        value = check.encounter_facts.get(name)
        return None if value is None else holds(value)

    def of_line(_check: Check, line: Line | None) -> bool | None:
        value = line.facts.get(name) if line is not None else None
        return None if value is None else holds(value)

    return {"patient": of_patient, "line": of_line}.get(subject, of_encounter)


def _named(any_of: tuple[c.Scalar, ...]) -> Callable[[FactValue], bool]:
    """Whether a known value is one of the words; of several words, any of them."""
    words = frozenset(any_of)

    def named(value: FactValue) -> bool:
        if isinstance(value, tuple):
            return not words.isdisjoint(value)
        return value in words

    return named


def _worded(terms: tuple[str, ...]) -> Callable[[FactValue], bool]:
    """Whether one of the terms occurs in a known text."""
    wanted = tuple(map(normalise, terms))

    def worded(value: FactValue) -> bool:
        text = normalise(str(value))
        return any(occurs(term, text) for term in wanted)

    return worded


def _bind_number(name: str, within: Within) -> Test:
    read = reader_of(name)

    def test(check: Check, line: Line | None) -> bool | None:
        value = read(check, line)
        return within(check, line, value, value) if is_number(value) else None

    return test


def is_number(value: FactValue | None) -> TypeGuard[int | Decimal]:
    """Whether a fact's value is known and a number, flags aside."""
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def bind_age(condition: c.Age, within: Within) -> Test:
    """The test of the patient's age at the trigger line's time; before birth it is unknown."""

    def test(check: Check, line: Line | None) -> bool | None:
        birth = check.birth
        if birth is None:
            return None
        age = age_in(condition.unit, birth, check.time_of(line))
        return None if age < 0 else within(check, line, age, age)

    return test


def age_in(unit: str, birth: date, day: date) -> int:
    """Completed years, months or days between birth and a day."""
    if unit == "year":
        return (ymd(day) - ymd(birth)) // 10_000
    if unit == "month":
        return (day.year - birth.year) * 12 + day.month - birth.month - (day.day < birth.day)
    return day.toordinal() - birth.toordinal()


# -- diagnoses and operations


def bind_coded(subject: str, condition: c.Diagnosis | c.Operation, sets: Mapping[str, tuple[str, ...]]) -> Test:
    """Presence by code or term; absence by codes alone."""
    codes = expand_ranges((*condition.codes, *(code for name in condition.sets for code in sets[name])))
    terms = frozenset(normalise(term) for term in condition.terms)
    main = condition.main
    past = isinstance(condition, c.Diagnosis) and condition.past
    stage = condition.stage if isinstance(condition, c.Diagnosis) else "any"

    def judge(check: Check) -> bool | None:
        by_code = check.stated_codes(subject, main=main, stage=stage)
        by_term = check.stated_terms(subject, main=main, stage=stage)

        def stated(statement: Statement) -> bool:
            return not (codes.isdisjoint(by_code.get(statement, ())) and terms.isdisjoint(by_term.get(statement, ())))

        if stated("present") or (past and stated("past")):
            return True
        entries = check.entries(subject, main=main, stage=stage)
        absent = codes and entries and not stated("doubtful") and all(entry.codes for entry in entries)
        return False if absent else None

    def test(check: Check, _line: Line | None) -> bool | None:
        try:
            return check.memo[judge]  # type: ignore[no-any-return]
        except KeyError:
            answer = check.memo[judge] = judge(check)
            return answer

    return test


# -- times


def bind_elapsed(condition: c.Elapsed, within: Within) -> Test:
    """The test of the time since a fact's time; ``within`` takes seconds where the unit is hours."""

    def test(check: Check, line: Line | None) -> bool | None:
        apart = elapsed(condition, check, line)
        return None if apart is None else within(check, line, *apart)

    return test


def elapsed(condition: c.Elapsed, check: Check, line: Line | None) -> Interval | None:
    """Days, or seconds for hours, from the fact's time to the trigger; ``None`` when the fact is unknown."""
    facts = check.patient_facts if condition.fact.startswith("patient.") else check.encounter_facts
    if condition.fact.startswith("line."):
        facts = line.facts if line is not None else {}
    time = facts.get(condition.fact)
    if not isinstance(time, date):
        return None
    if condition.unit == "day":
        days = check.day_of(line) - time.toordinal()
        return days, days
    first, last = _moments(time)
    ours = check.moments(line)
    return (ours[0] - last).total_seconds(), (ours[1] - first).total_seconds()


def _moments(time: date) -> tuple[datetime, datetime]:
    """A time fact's earliest and latest moment: a bare day, or midnight, stands for any moment of the day."""
    if isinstance(time, datetime) and (time.hour or time.minute or time.second):
        return time, time
    midnight = datetime(time.year, time.month, time.day)
    return midnight, midnight + timedelta(days=1, seconds=-1)
