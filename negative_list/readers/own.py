"""Our own JSON, the fields of ``CheckRequest``: a parsed body to a prescription.

Values are in the dictionary's words and units. The format is ours, so a key nobody knows is refused, naming the
nearest; a value a fact cannot have makes it unknown, with a note, as in every other body. ``facts`` objects at patient,
encounter and line carry every further fact of the dictionary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from negative_list.dictionary import HELD
from negative_list.prescription import Encounter, Line, Patient, Prescription
from negative_list.readers import build
from negative_list.readers.alike import AlikeLines, Whose
from negative_list.readers.columns import Columns, own_columns
from negative_list.readers.joined import joined_body
from negative_list.readers.limits import MAX_VISITS
from negative_list.readers.reading import Gathered, Place, Reading, Row, plan
from negative_list.readers.rows import (
    all_at_payment,
    check_count,
    check_lines,
    needs_current_line,
    plain,
    refused,
    rows,
)
from negative_list.readers.wording import EXPECTED_OBJECT, NO_ENCOUNTER, NO_PATIENT, no_field

if TYPE_CHECKING:
    from negative_list.site import Site, Sites

__all__ = ["LINE_KEYS", "NAMES", "OwnPlan", "own_plan", "read_check_request", "read_encounter", "read_line"]

BODY_KEYS = {"request_id": "request.id", "institution_id": "", "time": "request.time", "scene": "encounter.scene"}
PATIENT_KEYS = {"id": "patient.id", "sex": "patient.sex", "birth_date": "patient.birth_date"}
ENCOUNTER_KEYS = {
    key: f"encounter.{key}"
    for key in (
        "id",
        "visit_mode",
        "insurance",
        "institution_level",
        "admitted_at",
        "discharged_at",
        "department_code",
        "department_name",
        "doctor_id",
        "institution_id",
    )
}
LINE_KEYS = {
    key: f"line.{key}"
    for key in (
        "id",
        "code",
        "name",
        "current",
        "begins",
        "stops",
        "local_code",
        "item_type",
        "quantity",
        "unit",
        "unit_price_fen",
        "list_price_fen",
        "amount_fen",
        "rx_no",
        "group_no",
        "long_order",
        "days",
        "paid_by",
    )
}
"""Fields of a line and the names they have in the dictionary."""

_NAMED_KEYS = ("code", "name", "main")
_STAGE = {"stage": "diagnosis.kind"}
_OBJECTS = {
    "": frozenset({"patient", "encounter", "other_encounters"}),
    "patient": frozenset({"facts"}),
    "encounter": frozenset({"facts", "diagnoses", "operations", "lines"}),
    "line": frozenset({"facts"}),
}
NAMES: Mapping[str, str] = {
    "patient.birth_date": "birth_date",
    "encounter.discharged_at": "discharged_at",
    "encounter.visit_kind": "facts.encounter.visit_kind",
    "line.code": "code",
    "line.stops": "stops",
}
"""How our own JSON calls the fields that notes may be about."""
_TOP = Place("")
_NAMED = 8192
_SHORT = 64
"""Diagnoses and operations remembered, and the characters of a name that is no prose."""


class OwnPlan:
    """The columns of our own JSON at one site, and the keys each object may have."""

    def __init__(self, site: Site) -> None:
        self.columns: dict[str, Columns] = {
            "": own_columns(site, {key: name for key, name in BODY_KEYS.items() if name}),
            "patient": own_columns(site, PATIENT_KEYS),
            "encounter": own_columns(site, ENCOUNTER_KEYS),
            "line": own_columns(site, LINE_KEYS),
            "diagnoses": own_columns(site, {key: f"diagnosis.{key}" for key in _NAMED_KEYS} | _STAGE),
            "operations": own_columns(site, {key: f"operation.{key}" for key in _NAMED_KEYS}),
        }
        self.keys = {
            kind: frozenset(columns) | _OBJECTS.get(kind, frozenset()) for kind, columns in self.columns.items()
        }
        self.keys[""] |= {"institution_id"}
        self.alike = AlikeLines(self.columns["line"], settled=not site.codes and plan(site).quiet["line"])
        self.named: dict[tuple[object, ...], build.Named] = {}


@lru_cache(maxsize=256)
def own_plan(site: Site) -> OwnPlan:
    """Return the plan of a site, which is known by its identity."""
    return OwnPlan(site)


def read_check_request(
    body: Mapping[str, object], sites: Sites, at: datetime | None = None, *, saved: bool = False
) -> Prescription:
    """Read the parsed JSON of a ``CheckRequest``.

    ``at`` is the instant it is judged at, in the site's zone; ``None``: the body's ``time``. ``saved``: it is no
    question but tells what was saved, which may be nothing. Raises ``RequestError`` naming every field that is
    unknown, missing or too much.
    """
    visits, person = _visits(body), _person(body)
    institution = plain(body.get("institution_id"))
    reading = Reading(sites.of(institution), at, NAMES, institution)
    request = _gather(reading, "", body, _TOP)
    told_at, _ = request.pop("request.time", (None, True))
    reading.at = at or told_at
    request_id = request.pop("request.id", "")
    current, *others = _encounters(reading, visits, request)
    if not saved:
        current = _judged(reading, current)
    told = Prescription(
        encounter=current,
        others=tuple(others),
        patient=_patient(reading, person),
        request_id=request_id,
        institution_id=institution,
        at=told_at,
        notes=reading.settled_notes(),
        never_sent=reading.plan.never_sent,
    )
    return joined_body(told, reading.told, reading.at)


def _judged(reading: Reading, current: Encounter) -> Encounter:
    if needs_current_line(current):
        reading.refuse(
            "encounter.lines", "没有当前处方行 (no current line); 请给出要检查的医嘱 (give the orders to be checked)"
        )
    return all_at_payment(current)


def _visits(body: Row) -> list[tuple[Row, str]]:
    current = body.get("encounter")
    if not isinstance(current, dict):
        raise refused("encounter", NO_ENCOUNTER if current is None else EXPECTED_OBJECT)
    others = rows(body.get("other_encounters"), "other_encounters")
    check_count(len(others), MAX_VISITS, "other_encounters")
    return [(current, "encounter"), *others]


def _person(body: Row) -> Row:
    person = body.get("patient")
    if not isinstance(person, dict):
        raise refused("patient", NO_PATIENT if person is None else EXPECTED_OBJECT)
    return person


def _gather(reading: Reading, kind: str, row: Row, place: Place) -> Gathered:
    """Read the fields of an object; the format is ours, so a field it does not have is refused."""
    plan = own_plan(reading.site)
    if not row.keys() <= plan.keys[kind]:
        for key in sorted(row.keys() - plan.keys[kind]):
            reading.refuse(f"{place.path}.{key}", no_field(key, plan.keys[kind]))
    gathered: Gathered = {}
    reading.gather(plan.columns[kind], row, gathered, place)
    if kind in HELD:
        reading.explicit(row.get("facts"), kind, gathered, place)
    return gathered


def _patient(reading: Reading, row: Row) -> Patient:
    place = Place("patient")
    gathered = _gather(reading, "patient", row, place)
    return build.patient(reading, gathered.pop("patient.id", ""), gathered, place)


def _encounters(reading: Reading, visits: list[tuple[Row, str]], request: Gathered) -> Iterator[Encounter]:
    lines = [rows(row.get("lines"), f"{path}.lines") for row, path in visits]
    check_lines(sum(map(len, lines)), f"{visits[0][1]}.lines")
    read = reading.plan.texts.read
    sent = [
        (plain(row.get("id")), [id_ if isinstance(id_ := read(line.get("id")), str) else "" for line, _ in lines[n]])
        for n, (row, _) in enumerate(visits)
    ]
    ids = build.line_ids(sent)
    for n, (row, path) in enumerate(visits):
        placed = [(line, Place(at, id_)) for (line, at), id_ in zip(lines[n], ids[n], strict=True)]
        yield _encounter(reading, row, Place(path), placed, request if n == 0 else None)


def _encounter(
    reading: Reading, row: Row, place: Place, lines: list[tuple[Row, Place]], request: Gathered | None
) -> Encounter:
    gathered = _gather(reading, "encounter", row, place)
    if request is not None:
        gathered = request | gathered
    id_ = gathered.pop("encounter.id", "")
    whose = Whose(id_, build.institution_of(reading, gathered), request is not None)
    alike = own_plan(reading.site).alike
    parts = build.Parts(
        id=id_,
        lines=tuple([alike.line(line, at.line, whose) or read_line(reading, whose, line, at) for line, at in lines]),
        diagnoses=build.diagnoses(reading, _named(reading, row, place, "diagnoses")),
        operations=build.operations(reading, _named(reading, row, place, "operations")),
    )
    return build.encounter(reading, parts, gathered, place)


def read_encounter(reading: Reading, row: Row, place: Place, line_ids: Sequence[str] = ()) -> Encounter:
    """Read an encounter that is not the current one; ``line_ids`` names each of its lines."""
    lines = rows(row.get("lines"), f"{place.path}.lines")
    placed = [(line, Place(path, id_)) for (line, path), id_ in zip(lines, line_ids, strict=True)]
    return _encounter(reading, row, place, placed, None)


def read_line(reading: Reading, whose: Whose, row: Row, place: Place) -> Line:
    """Read one line, whose id ``place`` tells."""
    told = reading.told_so_far
    gathered = _gather(reading, "line", row, place)
    if whose.institution_id:
        gathered.setdefault("line.institution_id", whose.institution_id)
    further = "facts" in row or "days" in row
    read = build.line(reading, whose.encounter_id, gathered, place, current=whose.current, further=further)
    if whose.current and reading.told_so_far == told:
        own_plan(reading.site).alike.remember(row, read)
    return read


def _named(reading: Reading, row: Row, place: Place, kind: str) -> Iterator[build.Named]:
    """Read the diagnoses or the operations of an encounter; the same come again and again."""
    own = own_plan(reading.site)
    for entry, path in rows(row.get(kind), f"{place.path}.{kind}"):
        told = (kind, *entry.items())
        try:
            known = own.named.get(told)
        except TypeError:  # a list or an object has no hash
            known = None
        yield known or _one_named(reading, own, kind, entry, Place(path))


def _one_named(reading: Reading, own: OwnPlan, kind: str, entry: Row, place: Place) -> build.Named:
    one, told = "diagnosis" if kind == "diagnoses" else "operation", reading.told_so_far
    get = _gather(reading, kind, entry, place).get
    read = build.Named(
        get(f"{one}.code", ""), get(f"{one}.name", ""), get(f"{one}.main", False), get(f"{one}.kind", "")
    )
    if reading.told_so_far == told and len(read.name) <= _SHORT:
        if len(own.named) >= _NAMED:
            own.named.clear()
        own.named[kind, *entry.items()] = read
    return read
