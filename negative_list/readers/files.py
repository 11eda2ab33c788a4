"""Files of history and of facts, for judging bodies without a service: what `match` is told beside the body.

History is JSON Lines; a row may say what the file covers (``{"since": "2025-01-01", "complete": false}``) or tell of an
encounter (``{"encounter": {"id": "V0"}}``), every other row is a line as in our own JSON with the ``encounter_id`` it
belongs to. Any kind may name its ``patient_id``; what names none is about every patient. Facts are JSON Lines or CSV
with the columns subject, fact, value, unit, valid_from, expires and source. All problems of a file come back at once.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import msgspec
from msgspec import Struct

from negative_list.errors import DataError, FieldProblem, Problem
from negative_list.prescription import Encounter, History, Line
from negative_list.readers.past import ROW_KEYS, coverage_of_row, is_coverage, past_of_row
from negative_list.readers.rows import plain
from negative_list.readers.stored import (
    FACT_COLUMNS,
    RowError,
    StoreFact,
    StoreFacts,
    fact_of_row,
    supplement,
)
from negative_list.site import Sites, decoded

__all__ = [
    "FACT_COLUMNS",
    "ROW_KEYS",
    "PatientHistories",
    "StoreFact",
    "StoreFacts",
    "patient_of_row",
    "read_facts",
    "read_history",
    "rows_of",
    "supplement",
]

Json: TypeAlias = "dict[str, object]"

_NOBODY = ""


class PatientHistories(Struct, frozen=True, kw_only=True):
    """What a history file tells, by patient; under ``""`` what names no patient and so is about each of them."""

    lines: Mapping[str, tuple[Line, ...]]
    coverage: Mapping[str, History]
    encounters: Mapping[str, tuple[Encounter, ...]]

    def of(self, patient_id: str) -> History:
        """Return one patient's rows and those of nobody named, and the coverage told of the patient, else of all.

        A patient without id may be any of those named, so nothing is promised of what is known about them.
        """
        lines, encounters = self.lines.get(_NOBODY, ()), self.encounters.get(_NOBODY, ())
        if not patient_id:
            named = (self.lines.keys() | self.encounters.keys()) - {_NOBODY}
            covered = History() if named else self.coverage.get(_NOBODY, History())
        else:
            lines += self.lines.get(patient_id, ())
            encounters += self.encounters.get(patient_id, ())
            covered = self.coverage.get(patient_id) or self.coverage.get(_NOBODY, History())
        return msgspec.structs.replace(covered, lines=lines, encounters=encounters)


def read_history(path: Path, sites: Sites) -> PatientHistories:
    """Read a history file; raises ``DataError`` with file, row and field of every problem."""
    lines: dict[str, list[Line]] = {}
    encounters: dict[str, list[Encounter]] = {}
    coverage: dict[str, History] = {}
    problems: list[Problem] = []
    for number, row in rows_of(path, problems):
        wrong: list[FieldProblem] = []
        patient = patient_of_row(row, wrong)
        if is_coverage(row) and (row or number == 1):
            if patient in coverage:
                message = "the coverage of this patient is told already; keep one such row"
                wrong.append(FieldProblem(field="", message=message))
            coverage[patient] = coverage_of_row(row, sites.default.zone, wrong)
        else:
            past = past_of_row(row, number, sites)
            lines.setdefault(patient, []).extend(past.lines)
            encounters.setdefault(patient, []).extend(past.encounters)
            wrong += past.problems
        problems += [Problem(file=str(path), row=number, path=each.field, message=each.message) for each in wrong]
    if problems:
        raise DataError(problems)
    return PatientHistories(
        lines={name: tuple(told) for name, told in lines.items() if told},
        encounters={name: tuple(told) for name, told in encounters.items() if told},
        coverage=coverage,
    )


def read_facts(path: Path, sites: Sites | None = None) -> StoreFacts:
    """Read a file of facts, CSV by its suffix, else JSON Lines; raises ``DataError`` with every problem."""
    zone = (sites or Sites()).default.zone
    problems: list[Problem] = []
    told: dict[str, list[StoreFact]] = {}
    for number, row in rows_of(path, problems):
        try:
            fact = fact_of_row(row, zone)
        except RowError as error:
            problems.append(Problem(file=str(path), row=number, path=error.field, message=error.message))
        else:
            if fact is not None:
                told.setdefault(fact.subject, []).append(fact)
    if problems:
        raise DataError(problems)
    return {subject: tuple(facts) for subject, facts in told.items()}


def rows_of(path: Path, problems: list[Problem]) -> Iterator[tuple[int, Json]]:
    """Every row of a file with its number: CSV by its suffix, else JSON Lines; unreadable ones become problems."""
    return _csv(path, problems) if path.suffix.lower() == ".csv" else _json_lines(path, problems)


def patient_of_row(row: Json, problems: list[FieldProblem]) -> str:
    """Take the patient's id out of a row; one that is written and empty is refused, for it would mean everybody."""
    if "patient_id" not in row:
        return _NOBODY
    patient = plain(row.pop("patient_id"))
    if not patient:
        message = "no id of a patient; give one, or leave the key out for what is about everybody"
        problems.append(FieldProblem(field="patient_id", message=message))
    return patient


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
        if None in row:
            message = "more cells than the first row has columns; put texts with a comma in quotes"
            problems.append(Problem(file=str(path), row=reader.line_num, message=message))
            continue
        yield reader.line_num, {key: value for key, value in row.items() if key and value}
