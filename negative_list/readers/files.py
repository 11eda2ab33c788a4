"""Files of history and of facts, for judging bodies without a service: what `match` is told beside the body.

History is JSON Lines; a row may say what the file covers (``{"since": "2025-01-01", "complete": false}``), every
other row is a line as in our own JSON with the ``encounter_id`` it belongs to. Either kind may name its ``patient_id``;
what names none is about every patient. Facts are JSON Lines or CSV with the columns subject, fact, value, unit,
valid_from, expires and source. All problems of a file come back at once.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from negative_list.dictionary import Fact, ImpossibleValueError, load, parse_time, parse_value
from negative_list.errors import DataError, Problem, UnknownNameError, nearest
from negative_list.prescription import Encounter, FactValue, History, Line, Patient, Prescription
from negative_list.readers.own import NAMES, read_line
from negative_list.readers.reading import Facts, Place, Reading
from negative_list.readers.rows import plain
from negative_list.site import Sites, decoded

__all__ = [
    "FACT_COLUMNS",
    "ROW_KEYS",
    "PatientHistories",
    "StoreFact",
    "StoreFacts",
    "read_facts",
    "read_history",
    "supplement",
]

Json: TypeAlias = "dict[str, object]"
_Record = TypeVar("_Record", Patient, Encounter, Line)

_COVERAGE = frozenset({"since", "complete"})
_NOBODY = ""
FACT_COLUMNS = ("subject", "fact", "value", "unit", "valid_from", "expires", "source")
"""Columns of a file of facts."""

ROW_KEYS = ("since", "complete", "patient_id", "encounter_id", "institution_id")
"""Keys of a history's rows beside the fields of a line."""


class StoreFact(Struct, frozen=True, kw_only=True):
    """A fact from outside the body, known from ``valid_from`` until before ``expires`` (``None``: without limit).

    ``subject`` is the id of a patient, an encounter or a line; for facts of doctors and institutions theirs, for
    facts of items a national code.
    """

    subject: str
    fact: str
    value: FactValue
    valid_from: datetime | None = None
    expires: datetime | None = None
    source: str = "fact store"


StoreFacts: TypeAlias = Mapping[str, tuple[StoreFact, ...]]
"""Facts by subject."""


class PatientHistories(Struct, frozen=True, kw_only=True):
    """What a history file tells, by patient; under ``""`` what names no patient and so is about each of them."""

    lines: Mapping[str, tuple[Line, ...]]
    coverage: Mapping[str, History]

    def of(self, patient_id: str) -> History:
        """Return one patient's lines and those of nobody named, and the coverage told of the patient, else of all.

        A patient without id may be any of those named, so nothing is promised of what is known about them.
        """
        lines = self.lines.get(_NOBODY, ())
        if not patient_id:
            named = self.lines.keys() - {_NOBODY}
            covered = History() if named else self.coverage.get(_NOBODY, History())
        else:
            lines += self.lines.get(patient_id, ())
            covered = self.coverage.get(patient_id) or self.coverage.get(_NOBODY, History())
        return msgspec.structs.replace(covered, lines=lines)


def read_history(path: Path, sites: Sites) -> PatientHistories:
    """Read a history file; raises ``DataError`` with file, row and field of every problem."""
    lines: dict[str, list[Line]] = {}
    coverage: dict[str, History] = {}
    problems: list[Problem] = []
    for number, row in _json_lines(path, problems):
        patient = _patient_of(path, number, row, problems)
        if row.keys() <= _COVERAGE and (row or number == 1):
            if patient in coverage:
                message = "the coverage of this patient is told already; keep one such row"
                problems.append(Problem(file=str(path), row=number, message=message))
            coverage[patient] = _coverage(path, number, row, sites.default.zone, problems)
        else:
            lines.setdefault(patient, []).extend(_history_line(path, number, row, sites, problems))
    if problems:
        raise DataError(problems)
    return PatientHistories(lines={name: tuple(told) for name, told in lines.items()}, coverage=coverage)


def read_facts(path: Path, sites: Sites | None = None) -> StoreFacts:
    """Read a file of facts, CSV by its suffix, else JSON Lines; raises ``DataError`` with every problem."""
    zone = (sites or Sites()).default.zone
    problems: list[Problem] = []
    told: dict[str, list[StoreFact]] = {}
    for number, row in _csv(path, problems) if path.suffix.lower() == ".csv" else _json_lines(path, problems):
        try:
            fact = _store_fact(row, zone)
        except _FieldError as error:
            problems.append(Problem(file=str(path), row=number, path=error.field, message=error.message))
        else:
            if fact is not None:
                told.setdefault(fact.subject, []).append(fact)
    if problems:
        raise DataError(problems)
    return {subject: tuple(facts) for subject, facts in told.items()}


def supplement(prescription: Prescription, facts: StoreFacts, at: datetime) -> Prescription:
    """Return the prescription with facts of the store filled in where its own are unknown, each with its source.

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


class _FieldError(Exception):
    """A field of a row that cannot be used."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        self.message = message
        super().__init__(message)


def _text(path: Path, problems: list[Problem]) -> str:
    try:
        return decoded(path.read_bytes())
    except OSError as error:
        problems.append(Problem(file=str(path), message=f"cannot be read ({error.strerror}); give an existing file"))
    except UnicodeDecodeError:
        problems.append(Problem(file=str(path), message="neither UTF-8 nor GB18030; save it in one of them"))
    return ""


def _json_lines(path: Path, problems: list[Problem]) -> Iterator[tuple[int, Json]]:
    for number, text in enumerate(_text(path, problems).splitlines(), 1):
        if not text.strip():
            continue
        try:
            row = msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            problems.append(Problem(file=str(path), row=number, message=f"no JSON: {error}".lower()))
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            problems.append(Problem(file=str(path), row=number, message="expected an object"))


def _csv(path: Path, problems: list[Problem]) -> Iterator[tuple[int, Json]]:
    reader = csv.DictReader(io.StringIO(_text(path, problems), newline=""))
    for row in reader:
        yield reader.line_num, {key: value for key, value in row.items() if key and value}


def _patient_of(path: Path, number: int, row: Json, problems: list[Problem]) -> str:
    """Take the patient's id out of a row; one that is written and empty is refused, for it would mean everybody."""
    if "patient_id" not in row:
        return _NOBODY
    patient = plain(row.pop("patient_id"))
    if not patient:
        message = "no id of a patient; give one, or leave the key out for what is about everybody"
        problems.append(Problem(file=str(path), row=number, path="patient_id", message=message))
    return patient


def _coverage(path: Path, number: int, row: Json, zone: tzinfo, problems: list[Problem]) -> History:
    complete, since = row.get("complete", False), None
    if not isinstance(complete, bool):
        problems.append(Problem(file=str(path), row=number, path="complete", message="expected true or false"))
    try:
        since = _moment(row, "since", zone)
    except _FieldError as error:
        problems.append(Problem(file=str(path), row=number, path=error.field, message=error.message))
    return History(since=since, complete=complete is True)


def _moment(row: Json, key: str, zone: tzinfo) -> datetime | None:
    raw = row.get(key)
    try:
        told = parse_time(raw, zone) if raw is not None else None
    except ImpossibleValueError:
        raise _FieldError(key, f"`{raw}` is no time; write it like 2026-01-31 09:00:00") from None
    return told[0] if told else None


def _history_line(path: Path, number: int, row: Json, sites: Sites, problems: list[Problem]) -> Iterator[Line]:
    encounter_id, institution = plain(row.pop("encounter_id", "")), plain(row.pop("institution_id", ""))
    reading = Reading(sites.of(institution), None, NAMES)
    # before the # stands the caller's id, here none: a copy of the line is then known by its day
    place = Place("", plain(row.get("id")) or f"#history-{number}")
    line = read_line(reading, encounter_id, row, place, current=False)
    if line.begins is None and not reading.notes:
        reading.refuse("begins", "missing; say when the line began")
    if not (line.codes or line.name):
        reading.refuse("code", "missing; give a code or a name")
    wrong = [(problem.field, problem.message) for problem in reading.problems]
    wrong += [(note.field, note.message) for note in reading.notes if note.code == "impossible_value"]
    problems += [Problem(file=str(path), row=number, path=field, message=text) for field, text in wrong]
    yield line


def _store_fact(row: Json, zone: tzinfo) -> StoreFact | None:
    unknown = sorted(row.keys() - set(FACT_COLUMNS))
    if unknown:
        raise _FieldError(unknown[0], f"no such column{nearest(unknown[0], FACT_COLUMNS)}")
    subject, name = plain(row.get("subject")), plain(row.get("fact"))
    if not subject:
        raise _FieldError("subject", "missing; give the id of what the fact is about")
    fact = _settable(name)
    unit = plain(row.get("unit"))
    if unit and fact.unit and unit != fact.unit:
        raise _FieldError("unit", f"`{name}` is in {fact.unit}; convert the value")
    try:
        value = parse_value(fact, row.get("value"), zone)
    except ImpossibleValueError as error:
        raise _FieldError("value", f"not a value of `{name}`: {error}") from None
    if value is None:
        return None
    return StoreFact(
        subject=subject,
        fact=name,
        value=value,
        valid_from=_moment(row, "valid_from", zone),
        expires=_moment(row, "expires", zone),
        source=plain(row.get("source")) or "fact store",
    )


def _settable(name: str) -> Fact:
    try:
        fact = load()[name]
    except UnknownNameError as error:
        raise _FieldError("fact", str(error)) from None
    if not fact.settable:
        raise _FieldError("fact", f"`{name}` belongs to the body, and is not told from outside")
    return fact


def _supplemented(encounter: Encounter, facts: StoreFacts, at: datetime) -> Encounter:
    institution = str(encounter.facts.get("encounter.institution_id", ""))
    doctor = str(encounter.facts.get("encounter.doctor_id", ""))
    subjects = {"encounter": (encounter.id,), "institution": (institution,), "doctor": (doctor,)}
    held = _with(encounter, _holding(facts, at, "encounter", subjects))
    return msgspec.structs.replace(held, lines=tuple(_supplemented_line(line, facts, at) for line in held.lines))


def _supplemented_line(line: Line, facts: StoreFacts, at: datetime) -> Line:
    doctor = str(line.facts.get("line.doctor_id", ""))
    subjects = {"line": (line.id,), "doctor": (line.id, doctor), "item": (line.id, *line.codes)}
    return _with(line, _holding(facts, at, "line", subjects))


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
    facts: Facts = {**record.facts, **{name: fact.value for name, fact in news.items()}}
    sources = {**record.sources, **{name: fact.source for name, fact in news.items()}}
    return msgspec.structs.replace(record, facts=facts, sources=sources)
