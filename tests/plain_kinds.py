"""The plain matcher, part 8 of 8 before the loop: what each kind of condition answers, and on which evidence.

An answer is the value, the *involved* lines of a decided one (certain gathered lines other than the trigger line)
and the *needs* of an unknown one. ``all``, ``any`` and ``at_least`` carry evidence as design 4 defines it: of a true
one the first true children that suffice, of a false one the first false children that suffice, of an unknown one its
unknown children. ``all`` is ``at_least`` all of them, ``any`` is ``at_least`` one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from negative_list import conditions as c
from negative_list.codes import expand_ranges
from negative_list.text import clauses, normalise, occurs
from tests.plain_gathered import gathered
from tests.plain_scene import NOTHING, Answer, Kleene, Scene, Trigger, span, value_of
from tests.plain_totals import Interval, hours, limits
from tests.plain_visits import since_visit, visit_count

if TYPE_CHECKING:
    from negative_list.prescription import Diagnosed, FactValue, Operated

__all__ = ["answer", "expanded", "stated"]

STRENGTH = ("denied", "family", "past", "doubtful", "present")


def answer(condition: c.Condition, scene: Scene, trigger: Trigger) -> Answer:
    """Judge a condition for a trigger and tally the answer under the condition's kind, and its window's words."""
    given = _answer(condition, scene, trigger)
    if given.value is not None:
        given = Answer(given.value, given.involved)
    for word in _words(condition):
        scene.seen[word, given.value] += 1
    return given


def _words(condition: c.Condition) -> Iterator[str]:
    """What is tallied of a condition: its kind, its window, and whether a limit is worked out."""
    yield str(type(condition).__struct_config__.tag)
    stretch = getattr(condition, "lines", None) or getattr(condition, "visits", None) or condition
    window = getattr(stretch, "window", None)
    if window is not None:
        yield f"unit {window.unit}"
        yield f"whose {window.whose}"
    if any(isinstance(getattr(condition, name, None), c.Formula) for name in c.Bounds.__struct_fields__):
        yield "formula"


def _answer(condition: c.Condition, scene: Scene, trigger: Trigger) -> Answer:
    match condition:
        case c.All(of=children):
            return _at_least(len(children), children, scene, trigger)
        case c.Any(of=children):
            return _at_least(1, children, scene, trigger)
        case c.AtLeast(of=children, count=count):
            return _at_least(count, children, scene, trigger)
        case c.Not():
            child = answer(condition.of, scene, trigger)
            return Answer(None if child.value is None else not child.value, child.involved, child.needs)
        case c.Fact() | c.Age() | c.Elapsed():
            return _fact(condition, scene, trigger)
        case c.Diagnosis() | c.Operation() | c.Evidence():
            return _known(condition, scene, trigger)
        case c.VisitCount():
            return visit_count(condition, scene, trigger)
        case c.SinceVisit():
            return since_visit(condition, scene, trigger)
        case _:
            return gathered(condition, scene, trigger)


def _at_least(count: int, children: tuple[c.Condition, ...], scene: Scene, trigger: Trigger) -> Answer:
    """True with ``count`` true children, false when too many are false for that, with those it takes to see it."""
    sides: dict[Kleene, list[Answer]] = {True: [], False: [], None: []}
    enough = {True: count, False: len(children) - count + 1}
    for child in children:
        given = answer(child, scene, trigger)
        sides[given.value].append(given)
        if given.value is not None and len(sides[given.value]) == enough[given.value]:
            return Answer(given.value, [line for one in sides[given.value] for line in one.involved])
    return Answer(None, needs=NOTHING.union(*(one.needs for one in sides[None])))


# --- facts ----------------------------------------------------------------------------------------------------------


def _fact(condition: c.Fact | c.Age | c.Elapsed, scene: Scene, trigger: Trigger) -> Answer:
    """A condition on one fact: it needs the fact where its own number is not exact, and what its limits need."""
    name = "patient.birth_date" if isinstance(condition, c.Age) else condition.fact
    value = value_of(name, scene, trigger)
    if isinstance(condition, c.Fact) and condition.any_of:
        words = value if isinstance(value, tuple) else (value,)
        named = None if value is None else any(word in condition.any_of for word in words)
        return Answer(named, needs=frozenset({name}))
    if isinstance(condition, c.Fact) and condition.terms:
        said = None if value is None else normalise(str(value))
        worded = None if said is None else any(occurs(normalise(term), said) for term in condition.terms)
        return Answer(worded, needs=frozenset({name}))
    number = _number(condition, value, trigger)
    kept = limits(condition, number, scene, trigger)
    exact = number is not None and number[0] == number[1]
    return Answer(kept.value, kept.involved, kept.needs | (NOTHING if exact else frozenset({name})))


def _number(condition: c.Fact | c.Age | c.Elapsed, value: FactValue | None, trigger: Trigger) -> Interval | None:
    match condition:
        case c.Fact():
            return (value, value) if isinstance(value, int | Decimal) else None
        case c.Age(unit=unit):
            return _age(unit, value, trigger)
        case c.Elapsed(unit=unit):
            return _elapsed(unit, value, trigger)


def _age(unit: str, birth: FactValue | None, trigger: Trigger) -> Interval | None:
    if not isinstance(birth, date) or birth > trigger.day:
        return None
    months = (trigger.day.year - birth.year) * 12 + trigger.day.month - birth.month - (trigger.day.day < birth.day)
    age = {"year": months // 12, "month": months, "day": (trigger.day - birth).days}[unit]
    return age, age


def _elapsed(unit: str, event: FactValue | None, trigger: Trigger) -> Interval | None:
    if not isinstance(event, date):
        return None
    if unit == "day":
        days = (trigger.day - (event.date() if isinstance(event, datetime) else event)).days
        return days, days
    begin = event if isinstance(event, datetime) else datetime.combine(event, time())
    first, last = span(begin, has_clock=begin.time() != time())
    early, late = span(trigger.moment, has_clock=trigger.has_clock)
    return hours(early - last), hours(late - first)


# --- evidence, diagnoses, operations --------------------------------------------------------------------------------


def _known(condition: c.Evidence | c.Diagnosis | c.Operation, scene: Scene, trigger: Trigger) -> Answer:
    """A condition on what is known of the patient or the encounter, and the name that would settle it."""
    encounter = scene.prescription.encounter
    match condition:
        case c.Evidence():
            return Answer(_evident(condition, scene, trigger), needs=frozenset({condition.fact}))
        case c.Diagnosis():
            stage = condition.stage
            pool = [one for one in encounter.diagnoses if stage == "any" or one.stage in ("", stage)]
            value = _diagnosed(condition, tuple(pool), scene, past=condition.past)
            return Answer(value, needs=frozenset({"encounter.diagnoses"}))
        case c.Operation():
            value = _diagnosed(condition, encounter.operations, scene, past=False)
            return Answer(value, needs=frozenset({"encounter.operations"}))


def _evident(condition: c.Evidence, scene: Scene, trigger: Trigger) -> Kleene:
    states = _states(condition, scene, trigger)
    if not states:
        return None
    if states <= {*condition.states}:
        return True
    return False if states.isdisjoint(condition.states) else None


def _states(condition: c.Evidence, scene: Scene, trigger: Trigger) -> set[str]:
    """The states a piece of evidence may be in; none where it was never told."""
    value = value_of(condition.fact, scene, trigger)
    if value is None or value is False:
        return set() if value is None else {"absent"}
    if condition.max_age_hours is None and condition.max_age_days is None:
        return {"present"}
    found = _found_at(condition.fact, scene, trigger)
    if found is None:
        return {"present", "too_old"}
    early, late = span(trigger.moment, has_clock=trigger.has_clock)
    return {_state(condition, moment, found) for moment in (early, late)}


def _state(condition: c.Evidence, moment: datetime, found: datetime) -> str:
    """Whether evidence found at a moment is present or too old at another."""
    hours_old = condition.max_age_hours is not None and moment - found > timedelta(hours=condition.max_age_hours)
    days_old = condition.max_age_days is not None and (moment.date() - found.date()).days > condition.max_age_days
    return "too_old" if hours_old or days_old else "present"


def _found_at(fact: str, scene: Scene, trigger: Trigger) -> datetime | None:
    """When a fact was found, where that is told."""
    match fact.partition(".")[0]:
        case "patient":
            return scene.prescription.patient.times.get(fact)
        case "encounter":
            return scene.prescription.encounter.times.get(fact)
        case _:
            return trigger.line.times.get(fact) if trigger.line is not None else None


def _diagnosed(
    condition: c.Diagnosis | c.Operation, given: tuple[Diagnosed | Operated, ...], scene: Scene, *, past: bool
) -> Kleene:
    pool = [one for one in given if one.main or not condition.main]
    codes = (*condition.codes, *(code for name in condition.sets for code in sorted(scene.sets[name])))
    beginnings = expanded(codes)
    said = {statement for one in pool for statement in _statements(condition, one, beginnings)}
    if "present" in said or (past and "past" in said):
        return True
    coded = bool(codes) and bool(pool) and all(one.codes for one in pool)
    return False if coded and "doubtful" not in said else None


@cache
def expanded(codes: tuple[str, ...]) -> tuple[str, ...]:
    """The beginnings that codes and ranges of codes mean."""
    return tuple(expand_ranges(codes))


def _statements(
    condition: c.Diagnosis | c.Operation, one: Diagnosed | Operated, beginnings: tuple[str, ...]
) -> Iterator[str]:
    """What is said where the diagnosis or operation matches: by code over its whole name, by term in its clause."""
    for code in one.codes:
        if code.startswith(beginnings):
            yield stated(one, code)
    for clause, statement in clauses(one.name):
        for term in condition.terms:
            if occurs(normalise(term), clause):
                yield "present" if statement in {"past", "family"} and term.endswith("史") else statement


def stated(one: Diagnosed | Operated, code: str) -> str:
    """The strongest statement over the clauses of the name; present where there is no name.

    Of a code that names a history itself (Z80-Z99), "history" states that it is there.
    """
    strongest = max((statement for _, statement in clauses(one.name)), key=STRENGTH.index, default="present")
    return "present" if strongest in {"past", "family"} and code.startswith(("Z8", "Z9")) else strongest
