"""History: rows of what a patient was given before, what they cover, and the visits they belong to.

Every row is of one of three kinds. *Coverage* says since when what is known (``{"since": "2025-01-01", "own_since":
"2024-01-01", "complete": false}``), and where that ends (``until``). An *encounter* stands under its name
(``{"encounter": {"id": "V0", ...}}``, with or without its ``lines``). Every other row is a *line* as in our own JSON,
with the ``encounter_id`` it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from msgspec import Struct

from negative_list.errors import FieldProblem, RequestError, nearest
from negative_list.prescription import Encounter, History, Line
from negative_list.readers.alike import Whose
from negative_list.readers.own import NAMES, read_encounter, read_line
from negative_list.readers.reading import Place, Reading
from negative_list.readers.rows import plain, rows
from negative_list.readers.stored import RowError, moment_of
from negative_list.readers.wording import EXPECTED_OBJECT

if TYPE_CHECKING:
    from negative_list.site import Sites

__all__ = ["ROW_KEYS", "Past", "coverage_of_row", "is_coverage", "past_of_row", "read_history_object"]

_COVERAGE = frozenset({"since", "own_since", "complete", "until"})
_KEYS = ("since", "own_since", "complete", "until", "lines", "encounters")
ROW_KEYS = ("since", "own_since", "complete", "until", "patient_id", "encounter_id", "institution_id", "encounter")
"""Keys of a history's rows beside the fields of a line."""

Row: TypeAlias = Mapping[str, object]


class Past(Struct, frozen=True, kw_only=True):
    """What one row tells: lines, each under its encounter's id, and encounters without them."""

    lines: tuple[Line, ...] = ()
    encounters: tuple[Encounter, ...] = ()
    problems: tuple[FieldProblem, ...] = ()


def read_history_object(told: object, sites: Sites) -> History:
    """Read one patient's history given as one object: since, own_since, complete, until, lines and encounters.

    Raises ``RequestError`` naming every field that cannot be used, as ``lines[0].begins``.
    """
    if not isinstance(told, dict):
        raise RequestError([FieldProblem(field="history", message=EXPECTED_OBJECT)])
    problems = [
        FieldProblem(field=key, message=f"no such key{nearest(key, _KEYS)}") for key in told.keys() - set(_KEYS)
    ]
    covered = coverage_of_row(told, sites.default.zone, problems)
    entries = [
        *(({"encounter": row}, path) for row, path in rows(told.get("encounters"), "encounters")),
        *(rows(told.get("lines"), "lines")),
    ]
    lines: list[Line] = []
    encounters: list[Encounter] = []
    for number, (row, path) in enumerate(entries, 1):
        past = past_of_row(dict(row), number, sites)
        lines += past.lines
        encounters += past.encounters
        own = ((p.field.removeprefix("encounter."), p.message) for p in past.problems)
        problems += [FieldProblem(field=f"{path}.{field}", message=message) for field, message in own]
    if problems:
        raise RequestError(sorted(problems))
    return msgspec.structs.replace(covered, lines=tuple(lines), encounters=tuple(encounters))


def is_coverage(row: Row) -> bool:
    """Tell whether a row without its ``patient_id`` says what is covered."""
    return row.keys() <= _COVERAGE


def coverage_of_row(row: Row, zone: tzinfo, problems: list[FieldProblem]) -> History:
    """Return what a row covers; what cannot be used is added to ``problems``."""
    complete = row.get("complete", False)
    if not isinstance(complete, bool):
        problems.append(FieldProblem(field="complete", message="expected true or false"))
    since, own_since, until = (_moment(row, key, zone, problems) for key in ("since", "own_since", "until"))
    if until is not None and any(begin is not None and begin > until for begin in (since, own_since)):
        problems.append(
            FieldProblem(field="until", message="before the beginning, so that nothing is covered; mend it")
        )
    return History(since=since, own_since=own_since, complete=complete is True, until=until, own_until=until)


def _moment(row: Row, key: str, zone: tzinfo, problems: list[FieldProblem]) -> datetime | None:
    try:
        return moment_of(row, key, zone)
    except RowError as error:
        problems.append(FieldProblem(field=error.field, message=error.message))
        return None


def past_of_row(row: dict[str, object], number: int, sites: Sites) -> Past:
    """Read a row that is no coverage: a line, or an encounter with or without its lines.

    ``number`` counts rows from 1 and names lines without an id. The row is taken apart.
    """
    try:
        return _encounter(row, number, sites) if "encounter" in row else _line(row, number, sites)
    except RequestError as error:  # an object where a list belongs, or a hundred problems
        return Past(problems=error.fields)


def _line(row: dict[str, object], number: int, sites: Sites) -> Past:
    encounter_id, institution = plain(row.pop("encounter_id", "")), plain(row.pop("institution_id", ""))
    reading = Reading(sites.of(institution), None, NAMES, institution)
    place = Place("", _line_id(row, number))
    line = read_line(reading, Whose(encounter_id, institution, current=False), row, place)
    _check_line(reading, line, "")
    return Past(lines=(line,), problems=_problems(reading))


def _encounter(row: dict[str, object], number: int, sites: Sites) -> Past:
    told, institution = row.pop("encounter"), plain(row.pop("institution_id", ""))
    if not isinstance(told, dict):
        return Past(problems=(FieldProblem(field="encounter", message=EXPECTED_OBJECT),))
    institution = plain(told.get("institution_id")) or institution
    reading = Reading(sites.of(institution), None, NAMES, institution)
    for key in row:
        reading.refuse(key, "stands beside an encounter; write it inside")
    if not plain(told.get("id")):
        reading.refuse("encounter.id", "missing; give the id of the encounter")
    lines = rows(told.get("lines"), "encounter.lines")
    ids = [_line_id(line, f"{number}-{n}") for n, (line, _) in enumerate(lines, 1)]
    encounter = read_encounter(reading, told, Place("encounter"), ids)
    for line, (_, path) in zip(encounter.lines, lines, strict=True):
        _check_line(reading, line, f"{path}.")
    bare = (msgspec.structs.replace(encounter, lines=()),)
    return Past(lines=encounter.lines, encounters=bare, problems=_problems(reading))


def _line_id(row: Row, place: object) -> str:
    # before the # stands the caller's id, here none: a copy of the line is then known by its day
    return plain(row.get("id")) or f"#history-{place}"


def _check_line(reading: Reading, line: Line, path: str) -> None:
    begins = f"{path}begins"
    if line.begins is None and not any(note.field == begins for note in reading.notes):
        reading.refuse(begins, "missing; say when the line began")
    if not (line.codes or line.name):
        reading.refuse(f"{path}code", "missing; give a code or a name")


def _problems(reading: Reading) -> tuple[FieldProblem, ...]:
    """What was refused, and values that cannot be: who wrote them can mend them, where a check has to go on."""
    impossible = (note for note in reading.notes if note.code == "impossible_value")
    return (*reading.problems, *(FieldProblem(field=note.field, message=note.message) for note in impossible))
