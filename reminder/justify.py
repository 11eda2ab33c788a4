"""Whether the fact a reason rests on is there, and justifies: looked for at once, as the next check would see it.

Where the rule looks at the fact, the prescription is judged again with it: only a rule that no longer holds is
justified. Where it does not, that somebody besides the doctor knows it has to do. What nobody knows is neither present
nor absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from negative_list.codes import normal
from negative_list.conditions import Diagnosis
from negative_list.decision import FactSeen
from negative_list.dictionary import load
from negative_list.engine import match
from negative_list.history import without_copies
from negative_list.prescription import Encounter, FactValue, Line, Patient, Prescription
from negative_list.readers.rows import has_own_id
from negative_list.readers.stored import StoreFact, line_subject, subjects_of, supplement
from negative_list.rules import DIAGNOSES
from negative_list.text import normalise
from reminder.journal.again import prescription_of
from reminder.journal.entries import Checked, Decided, Found, Verdict
from reminder.stores.base import Wanted

if TYPE_CHECKING:
    from negative_list.compile import BoundRule, CompiledList
    from negative_list.rules import Rule

__all__ = ["DOCTOR", "KEPT_FOR", "Case", "Looked", "facts_told", "looked_up", "uses", "wanted_of"]

DOCTOR = "doctor"
"""The source of a fact that was told with a feedback."""

KEPT_FOR = timedelta(hours=24)
"""How long such a fact is kept: the next checks know it, and no later visit takes it for its own."""

_TOLD_OF = frozenset({"patient", "encounter", "line"})
_CODE_LENGTH = 3
_NOBODY_KNOWS: Verdict = "unknown"


class Case(Struct, frozen=True, kw_only=True):
    """One look-up.

    ``decided`` is the entry the finding ``found`` is of, ``latest`` the last one of its encounter; ``facts`` are those
    of the store and those just told; ``value`` what the doctor says the fact is (of a diagnosis: which). ``at`` is now,
    in civil time.
    """

    decided: Decided
    latest: Decided
    found: Found
    fact: str
    value: FactValue | None = None
    facts: tuple[StoreFact, ...] = ()
    at: datetime


class Looked(Struct, frozen=True, kw_only=True):
    """What came of it: as the journal keeps it, and as the caller is told."""

    checked: Checked
    seen: FactSeen | None = None


def wanted_of(decided: Decided, found: Found, at: datetime) -> Wanted:
    """What to ask the store for a look-up: facts of the patient, the encounter, and the finding's lines."""
    told = decided.prescription
    ids = (told.patient.id, told.encounter.id, *subjects_of(told, frozenset(found.lines)))
    return Wanted(
        patient_key=told.patient.id,
        encounter_key=told.encounter.id,
        institution_id=decided.institution_id,
        at=at,
        subjects=tuple(dict.fromkeys(filter(None, ids))),
        history=False,
    )


def facts_told(case: Case, found_at: datetime | None) -> tuple[StoreFact, ...]:
    """The value a doctor told, as facts of the store; none where it may not be kept.

    A doctor tells of this patient, this encounter and these lines, of nothing that others are judged by.
    """
    if case.value is None or case.fact == DIAGNOSES or load()[case.fact].subject not in _TOLD_OF:
        return ()
    return tuple(
        StoreFact(
            subject=subject,
            fact=case.fact,
            value=case.value,
            valid_from=found_at,
            expires=case.at + KEPT_FOR,
            source=DOCTOR,
            told_at=None if found_at else case.at,
        )
        for subject in _subjects(case)
        if subject
    )


def _subjects(case: Case) -> Iterator[str]:
    told, kind = case.decided.prescription, load()[case.fact].subject
    if kind == "patient":
        yield told.patient.id
    elif kind == "encounter":
        yield told.encounter.id
    elif told.encounter.id:
        yield from (line_subject(told.encounter.id, line) for line in case.found.lines if has_own_id(line))


def looked_up(case: Case, compiled: CompiledList) -> Looked:
    """Whether the fact is there and justifies; see the module."""
    filled = _filled(case)
    if case.fact == DIAGNOSES:
        return _diagnosis(case, filled, compiled)
    seen = _seen(case, filled)
    if seen is None:
        return Looked(checked=Checked(fact=case.fact, verdict=_NOBODY_KNOWS))
    told, found_at = seen
    return _looked(case, _judged(case, filled, compiled) or _known(told), told, found_at)


def _known(seen: FactSeen) -> Verdict:
    """What a fact says to a rule that does not look at it; the doctor's own word proves nothing there."""
    if seen.value is False:
        return "absent"
    return _NOBODY_KNOWS if seen.source == DOCTOR else "present"


def _looked(case: Case, verdict: Verdict, seen: FactSeen, found_at: str) -> Looked:
    checked = Checked(fact=case.fact, verdict=verdict, value=seen.value, source=seen.source, found_at=found_at)
    return Looked(checked=checked, seen=seen)


# -- the prescription as it stands now


def _filled(case: Case) -> Prescription:
    """The prescription the finding is of, with what the encounter's last body and the store know since."""
    first, last = prescription_of(case.decided), prescription_of(case.latest)
    replace = msgspec.structs.replace
    lines = {line.id: line for line in last.encounter.lines}
    encounter = replace(
        _with(first.encounter, last.encounter),
        diagnoses=last.encounter.diagnoses,
        operations=last.encounter.operations,
        lines=tuple(_with(line, lines.get(line.id, line)) for line in first.encounter.lines),
    )
    known = replace(first, patient=_with(first.patient, last.patient), encounter=encounter)
    told: dict[str, tuple[StoreFact, ...]] = {}
    for fact in (*case.decided.facts, *case.facts):
        told[fact.subject] = (*told.get(fact.subject, ()), fact)
    return supplement(known, told, case.at)


def _with(record: Any, later: Any) -> Any:
    """A record with the facts of a later one of the same, where it has any."""
    return msgspec.structs.replace(
        record,
        facts={**record.facts, **later.facts},
        sources={**record.sources, **later.sources},
        times={**record.times, **later.times},
    )


def _seen(case: Case, filled: Prescription) -> tuple[FactSeen, str] | None:
    """The fact as it is known now, and since when; of several lines only where all of them have it."""
    holders = tuple(_holders(case, filled))
    if not holders or any(record.facts.get(case.fact) is None for _, record in holders):
        return None
    subject, record = holders[0]
    value = record.facts[case.fact]
    seen = FactSeen(
        fact=case.fact,
        subject=subject,
        value=value if isinstance(value, bool | int | tuple) else str(value),
        unit=_unit(load()[case.fact].unit),
        source=record.sources.get(case.fact, "request"),
    )
    found_at = record.times.get(case.fact)
    return seen, found_at.isoformat(" ") if found_at else ""


def _unit(unit: str) -> str:
    return "" if unit.startswith("line.") else unit


def _holders(case: Case, filled: Prescription) -> Iterator[tuple[str, Patient | Encounter | Line]]:
    """Whose fact it is, and what the caller calls it."""
    holder = load()[case.fact].holder
    if holder == "patient":
        yield "patient", filled.patient
    elif holder == "encounter":
        yield "encounter", filled.encounter
    else:
        yield from ((line.id, line) for line in filled.encounter.lines if line.id in case.found.lines)


# -- the rule, judged again


def _judged(case: Case, filled: Prescription, compiled: CompiledList) -> Verdict:
    """What the rule says now: present where it no longer holds; "" where it does not look at the fact, or is gone."""
    rule = _rule(compiled, case.found.rule_id)
    if rule is None or case.fact not in uses(rule.rule):
        return ""
    history = case.decided.history
    known = without_copies(history, filled) if history is not None else None
    matched = match(compiled, filled, case.at, known)
    lines = {*case.found.lines, None}
    answers = {
        judgement.holds
        for judgement in matched.judgements
        if judgement.rule.rule.id == rule.rule.id and (judgement.line.id if judgement.line else None) in lines
    }
    return "absent" if True in answers else "unknown" if None in answers else "present"


def _rule(compiled: CompiledList, rule_id: str) -> BoundRule | None:
    return next((bound for bound in compiled.rules if bound.rule.id == rule_id), None)


def uses(rule: Rule) -> frozenset[str]:
    """The names of facts a rule looks at; the diagnoses by the name of their record."""
    named: set[str] = set()
    waiting: list[object] = [rule.scope, rule.violation]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Diagnosis):
            named.add(DIAGNOSES)
        if isinstance(part, Struct):
            waiting.extend(getattr(part, name) for name in part.__struct_fields__)
        elif isinstance(part, str):
            named.add(part)
        elif isinstance(part, Mapping):
            waiting.extend(part.values())
        elif isinstance(part, Iterable):
            waiting.extend(part)
    return frozenset(name for name in named if name == DIAGNOSES or name in load())


# -- diagnoses


def _diagnosis(case: Case, filled: Prescription, compiled: CompiledList) -> Looked:
    """The diagnosis that was named, else whether the rule still holds with those of the encounter's last body."""
    if case.value is None:
        judged = _judged(case, filled, compiled) or _NOBODY_KNOWS
        return Looked(checked=Checked(fact=DIAGNOSES, verdict=judged))
    wanted = str(case.value)
    found = _named(wanted, filled.encounter)
    if found:
        seen = FactSeen(fact=DIAGNOSES, subject="encounter", value=found)
        return _looked(case, "present", seen, case.latest.decided_at.isoformat(" ", "seconds"))
    coded = bool(filled.encounter.diagnoses) and all(one.codes for one in filled.encounter.diagnoses)
    # A name proves presence, never absence: the same disease may have been written another way.
    verdict: Verdict = "absent" if coded and _is_code(wanted) else _NOBODY_KNOWS
    return Looked(checked=Checked(fact=DIAGNOSES, verdict=verdict))


def _named(wanted: str, encounter: Encounter) -> str:
    """The first diagnosis with that code, in that category, or with that name; "" where there is none."""
    code, name = normal(wanted), normalise(wanted)
    for one in encounter.diagnoses:
        fitting = next((each for each in one.codes if normal(each).startswith(code)), "") if _is_code(wanted) else ""
        if fitting or (not _is_code(wanted) and name in normalise(one.name)):
            return fitting or one.name
    return ""


def _is_code(text: str) -> bool:
    return len(text) >= _CODE_LENGTH and text.isascii() and text[:1].isalpha() and text[1:2].isdigit()
