"""Facts from outside the body: their rows, and how they fill in a prescription.

A row has the columns subject, fact, value, unit, valid_from, expires and source, whether it stands in a file, in a case
or in a message of ``PutFacts``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from typing import TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from negative_list.dictionary import CIVIL_ZONE, Fact, ImpossibleValueError, load, parse_time, parse_value
from negative_list.errors import FieldProblem, RequestError, UnknownNameError, nearest
from negative_list.prescription import Encounter, FactValue, Line, Patient, Prescription
from negative_list.readers.rows import plain

__all__ = [
    "DEFAULT_SOURCE",
    "FACT_COLUMNS",
    "RowError",
    "StoreFact",
    "StoreFacts",
    "fact_of_row",
    "facts_of_rows",
    "moment_of",
    "subjects_of",
    "supplement",
]

FACT_COLUMNS = ("subject", "fact", "value", "unit", "valid_from", "expires", "source")
"""Columns of a file of facts."""

DEFAULT_SOURCE = "fact store"
"""The source of a fact that names none."""

_Record = TypeVar("_Record", Patient, Encounter, Line)


class StoreFact(Struct, frozen=True, kw_only=True):
    """A fact from outside the body, known from ``valid_from`` until before ``expires`` (``None``: without limit).

    ``subject`` is the id of a patient, an encounter or a line; for facts of doctors and institutions theirs, for
    facts of items a national code. ``valid_from`` is also when the fact was found: how old a value or a check is, is
    counted from it. Both are civil times.
    """

    subject: str
    fact: str
    value: FactValue
    valid_from: datetime | None = None
    expires: datetime | None = None
    source: str = DEFAULT_SOURCE


StoreFacts: TypeAlias = Mapping[str, tuple[StoreFact, ...]]
"""Facts by subject."""


class RowError(Exception):
    """A field of a row that cannot be used, and why."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        self.message = message
        super().__init__(message)


def facts_of_rows(rows: Iterable[Mapping[str, object]], zone: tzinfo = CIVIL_ZONE) -> StoreFacts:
    """Return the facts of parsed rows; a row whose value means unknown says nothing.

    Raises ``RequestError`` naming every field that cannot be used, as ``[3].value``.
    """
    told: dict[str, list[StoreFact]] = {}
    problems: list[FieldProblem] = []
    for number, row in enumerate(rows):
        try:
            fact = fact_of_row(row, zone)
        except RowError as error:
            problems.append(FieldProblem(field=f"[{number}].{error.field}", message=error.message))
        else:
            if fact is not None:
                told.setdefault(fact.subject, []).append(fact)
    if problems:
        raise RequestError(problems)
    return {subject: tuple(facts) for subject, facts in told.items()}


def fact_of_row(row: Mapping[str, object], zone: tzinfo) -> StoreFact | None:
    """Return the fact of one row, ``None`` where its value means unknown; raises :class:`RowError`."""
    unknown = sorted(row.keys() - set(FACT_COLUMNS))
    if unknown:
        raise RowError(unknown[0], f"no such column{nearest(unknown[0], FACT_COLUMNS)}")
    subject, name = plain(row.get("subject")), plain(row.get("fact"))
    if not subject:
        raise RowError("subject", "missing; give the id of what the fact is about")
    fact = _settable(name)
    unit = plain(row.get("unit"))
    if unit and fact.unit and unit != fact.unit:
        raise RowError("unit", f"`{name}` is in {fact.unit}; convert the value")
    try:
        value = parse_value(fact, row.get("value"), zone)
    except ImpossibleValueError as error:
        raise RowError("value", f"not a value of `{name}`: {error}") from None
    if value is None:
        return None
    return StoreFact(
        subject=subject,
        fact=name,
        value=value,
        valid_from=moment_of(row, "valid_from", zone),
        expires=moment_of(row, "expires", zone),
        source=plain(row.get("source")) or DEFAULT_SOURCE,
    )


def moment_of(row: Mapping[str, object], key: str, zone: tzinfo) -> datetime | None:
    """Return the civil time under a key, ``None`` where there is none; raises :class:`RowError`."""
    raw = row.get(key)
    try:
        told = parse_time(raw, zone) if raw is not None else None
    except ImpossibleValueError:
        raise RowError(key, f"`{raw}` is no time; write it like 2026-01-31 09:00:00") from None
    return told[0] if told else None


def _settable(name: str) -> Fact:
    try:
        fact = load()[name]
    except UnknownNameError as error:
        raise RowError("fact", str(error)) from None
    if not fact.settable:
        raise RowError("fact", f"`{name}` belongs to the body, and is not told from outside")
    return fact


def supplement(prescription: Prescription, facts: StoreFacts, at: datetime) -> Prescription:
    """Return the prescription with facts of the store filled in where its own are unknown, each with source and time.

    Of several that hold at ``at`` the one that became valid last counts.
    """
    if not facts:
        return prescription
    current, patient = prescription.encounter, prescription.patient
    return msgspec.structs.replace(
        prescription,
        patient=_with(patient, _holding(facts, at, "patient", {"patient": (patient.id,)})),
        encounter=_supplemented(current, facts, at),
        others=tuple(_supplemented(other, facts, at) for other in prescription.others),
    )


def subjects_of(prescription: Prescription) -> tuple[str, ...]:
    """Return everything of a prescription that facts may be told of, each once: ids as the body has them."""
    named = dict.fromkeys((prescription.patient.id, *_of_encounter(prescription.encounter)))
    for other in prescription.others:
        named.update(dict.fromkeys(_of_encounter(other)))
    named.pop("", None)
    return tuple(named)


def _of_encounter(encounter: Encounter) -> Iterable[str]:
    for subjects in _encounter_subjects(encounter).values():
        yield from subjects
    for line in encounter.lines:
        for subjects in _line_subjects(line).values():
            yield from subjects


def _encounter_subjects(encounter: Encounter) -> dict[str, tuple[str, ...]]:
    institution = str(encounter.facts.get("encounter.institution_id", ""))
    doctor = str(encounter.facts.get("encounter.doctor_id", ""))
    return {"encounter": (encounter.id,), "institution": (institution,), "doctor": (doctor,)}


def _line_subjects(line: Line) -> dict[str, tuple[str, ...]]:
    doctor = str(line.facts.get("line.doctor_id", ""))
    return {"line": (line.id,), "doctor": (line.id, doctor), "item": (line.id, *line.codes)}


def _supplemented(encounter: Encounter, facts: StoreFacts, at: datetime) -> Encounter:
    held = _with(encounter, _holding(facts, at, "encounter", _encounter_subjects(encounter)))
    return msgspec.structs.replace(held, lines=tuple(_supplemented_line(line, facts, at) for line in held.lines))


def _supplemented_line(line: Line, facts: StoreFacts, at: datetime) -> Line:
    return _with(line, _holding(facts, at, "line", _line_subjects(line)))


def _holding(facts: StoreFacts, at: datetime, holder: str, subjects: Mapping[str, tuple[str, ...]]) -> list[StoreFact]:
    """Return the facts of a holder that are told of the right subject and hold at ``at``, the latest last."""
    named = {subject for ids in subjects.values() for subject in ids if subject}
    told = [fact for subject in sorted(named) for fact in facts.get(subject, ()) if _holds(fact, at)]
    known = load()
    mine = [
        fact
        for fact in told
        if known[fact.fact].holder == holder and fact.subject in subjects.get(known[fact.fact].subject, ())
    ]
    return sorted(mine, key=lambda fact: fact.valid_from or datetime.min)  # noqa: DTZ901 - before every civil time


def _holds(fact: StoreFact, at: datetime) -> bool:
    return (fact.valid_from is None or fact.valid_from <= at) and (fact.expires is None or at < fact.expires)


def _with(record: _Record, told: list[StoreFact]) -> _Record:
    news = {fact.fact: fact for fact in told if fact.fact not in record.facts}
    if not news:
        return record
    found = {name: fact.valid_from for name, fact in news.items() if fact.valid_from is not None}
    return msgspec.structs.replace(
        record,
        facts={**record.facts, **{name: fact.value for name, fact in news.items()}},
        sources={**record.sources, **{name: fact.source for name, fact in news.items()}},
        times={**record.times, **found},
    )
