"""The plain matcher, part 3 of 4: what each kind of condition answers, and on which evidence.

An answer is the value, the *involved* lines of a decided one (certain gathered lines other than the trigger line)
and the *needs* of an unknown one. ``all`` and ``any`` carry evidence as design 4 defines it: of a true ``all`` every
child, of a false one the first false child, of an unknown one its unknown children; ``any`` is the mirror image.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from negative_list import conditions as c
from negative_list.codes import expand_ranges
from negative_list.text import clauses, normalise, occurs
from tests.plain_gathered import gathered, hours, limits
from tests.plain_lines import NOTHING, Answer, Kleene, Scene, Trigger, span

if TYPE_CHECKING:
    from negative_list.prescription import Diagnosed, FactValue, Operated

__all__ = ["answer", "expanded", "stated"]

STRENGTH = ("denied", "family", "past", "doubtful", "present")


def answer(condition: c.Condition, scene: Scene, trigger: Trigger) -> Answer:
    """Judge a condition for a trigger and tally the answer under the condition's kind."""
    given = _answer(condition, scene, trigger)
    if given.value is not None:
        given = Answer(given.value, given.involved)
    scene.seen[str(type(condition).__struct_config__.tag), given.value] += 1
    return given


def _answer(condition: c.Condition, scene: Scene, trigger: Trigger) -> Answer:
    match condition:
        case c.All():
            return _joined((answer(child, scene, trigger) for child in condition.of), decisive=False)
        case c.Any():
            return _joined((answer(child, scene, trigger) for child in condition.of), decisive=True)
        case c.Not():
            child = answer(condition.of, scene, trigger)
            return Answer(None if child.value is None else not child.value, child.involved, child.needs)
        case c.Fact() | c.Age() | c.Elapsed() | c.Diagnosis() | c.Operation():
            value, need = _known(condition, scene, trigger)
            return Answer(value, needs=frozenset({need}))
        case _:
            return gathered(condition, scene, trigger)


def _joined(children: Iterable[Answer], *, decisive: bool) -> Answer:
    """``all`` (decided by its first false child) or ``any`` (decided by its first true one)."""
    seen: list[Answer] = []
    for child in children:
        if child.value is decisive:
            return child
        seen.append(child)
    unknown = [child.needs for child in seen if child.value is None]
    if unknown:
        return Answer(None, needs=NOTHING.union(*unknown))
    return Answer(not decisive, tuple(line for child in seen for line in child.involved))


def _known(
    condition: c.Fact | c.Age | c.Elapsed | c.Diagnosis | c.Operation, scene: Scene, trigger: Trigger
) -> tuple[Kleene, str]:
    """The value of a condition on facts, and the name that would settle it."""
    encounter = scene.prescription.encounter
    match condition:
        case c.Fact():
            return _fact(condition, value_of(condition.fact, scene, trigger)), condition.fact
        case c.Age():
            return _age(condition, value_of("patient.birth_date", scene, trigger), trigger), "patient.birth_date"
        case c.Elapsed():
            return _elapsed(condition, value_of(condition.fact, scene, trigger), trigger), condition.fact
        case c.Diagnosis():
            return _diagnosed(condition, encounter.diagnoses, past=condition.past), "encounter.diagnoses"
        case c.Operation():
            return _diagnosed(condition, encounter.operations, past=False), "encounter.operations"


def value_of(fact: str, scene: Scene, trigger: Trigger) -> FactValue | None:
    """The value of a fact by its dictionary name; ``None`` where it is not known."""
    match fact.partition(".")[0]:
        case "patient":
            return scene.prescription.patient.facts.get(fact)
        case "encounter":
            return scene.prescription.encounter.facts.get(fact)
        case _:
            return trigger.line.facts.get(fact) if trigger.line is not None else None


def _fact(condition: c.Fact, value: FactValue | None) -> Kleene:
    if value is None:
        return None
    if condition.any_of:
        held = value if isinstance(value, tuple) else (value,)
        return any(word in condition.any_of for word in held)
    return limits(condition, (value, value)) if isinstance(value, int | Decimal) else None


def _age(condition: c.Age, birth: FactValue | None, trigger: Trigger) -> Kleene:
    if not isinstance(birth, date) or birth > trigger.day:
        return None
    months = (trigger.day.year - birth.year) * 12 + trigger.day.month - birth.month - (trigger.day.day < birth.day)
    age = {"year": months // 12, "month": months, "day": (trigger.day - birth).days}[condition.unit]
    return limits(condition, (age, age))


def _elapsed(condition: c.Elapsed, event: FactValue | None, trigger: Trigger) -> Kleene:
    if not isinstance(event, date):
        return None
    if condition.unit == "day":
        days = (trigger.day - (event.date() if isinstance(event, datetime) else event)).days
        return limits(condition, (days, days))
    begin = event if isinstance(event, datetime) else datetime.combine(event, time())
    first, last = span(begin, has_clock=isinstance(event, datetime))
    early, late = span(trigger.moment, has_clock=trigger.has_clock)
    return limits(condition, (hours(early - last), hours(late - first)))


def _diagnosed(condition: c.Diagnosis | c.Operation, given: tuple[Diagnosed | Operated, ...], *, past: bool) -> Kleene:
    pool = [one for one in given if one.main or not condition.main]
    beginnings = expanded(condition.codes)
    said = {statement for one in pool for statement in _statements(condition, one, beginnings)}
    if "present" in said or (past and "past" in said):
        return True
    coded = bool(condition.codes) and bool(pool) and all(one.codes for one in pool)
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
