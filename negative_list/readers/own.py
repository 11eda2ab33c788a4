"""Our own JSON, the fields of ``CheckRequest``: a parsed body to a prescription.

Values are in the dictionary's words and units. The format is ours, so a key nobody knows is refused, naming the
nearest; a value a fact cannot have makes it unknown, with a note, as in every other body. ``facts`` objects at patient,
encounter and line carry every further fact of the dictionary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from negative_list.errors import FieldProblem, RequestError, nearest
from negative_list.prescription import Encounter, FactValue, Line, Patient, Prescription
from negative_list.readers import build
from negative_list.readers.columns import Column, own_columns
from negative_list.readers.limits import MAX_LINES
from negative_list.readers.reading import Facts, Place, Reading, Row

if TYPE_CHECKING:
    from negative_list.site import Site, Sites

__all__ = ["LINE_FACTS", "LINE_KEYS", "read_check_request", "read_line"]

PATIENT_FACTS = {"sex": "patient.sex", "birth_date": "patient.birth_date"}
ENCOUNTER_FACTS = {
    key: f"encounter.{key}"
    for key in (
        "visit_mode",
        "insurance",
        "institution_level",
        "admitted_at",
        "discharged_at",
        "department_code",
        "department_name",
        "doctor_id",
    )
}
LINE_FACTS = {
    key: f"line.{key}"
    for key in (
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
"""Keys of a line that are facts; the rest of a line are fields of its record."""

BODY_KEYS = frozenset({"request_id", "institution_id", "time", "scene", "patient", "encounter", "other_encounters"})
PATIENT_KEYS = frozenset({"id", "facts", *PATIENT_FACTS})
ENCOUNTER_KEYS = frozenset({"id", "facts", "diagnoses", "operations", "lines", *ENCOUNTER_FACTS})
NAMED_KEYS = frozenset({"code", "name", "main"})
LINE_KEYS = frozenset({"id", "code", "name", "current", "begins", "stops", "facts", *LINE_FACTS})

_NAMES = {
    "patient.birth_date": "birth_date",
    "encounter.discharged_at": "discharged_at",
    "encounter.visit_kind": "facts.encounter.visit_kind",
    "line.code": "code",
    "line.stops": "stops",
}
_TOP = Place("")
_ORDER_SCENES = frozenset({"2", "4", "5"})

Columns = tuple[Column[FactValue], ...]


class OwnPlan:
    """The columns of our own JSON for one site."""

    def __init__(self, site: Site) -> None:
        self.scene = own_columns(site, {"scene": "encounter.scene"})
        self.patient = own_columns(site, PATIENT_FACTS)
        self.encounter = own_columns(site, ENCOUNTER_FACTS)
        self.line = own_columns(site, LINE_FACTS)


@lru_cache(maxsize=256)
def _plan(site: Site) -> OwnPlan:
    return OwnPlan(site)


def read_check_request(body: Mapping[str, object], sites: Sites, at: datetime | None = None) -> Prescription:
    """Read the parsed JSON of a ``CheckRequest``.

    ``at`` is the instant it is judged at, in the site's zone; ``None``: the body's ``time``. Raises ``RequestError``
    naming every field that is unknown, missing or too much.
    """
    institution = _plain(body.get("institution_id"))
    reading = Reading(sites.of(institution), at, _NAMES)
    _known(reading, body, BODY_KEYS, "")
    told = reading.time(body, "time", _TOP)
    reading.at = at or (told[0] if told else None)
    visits = _visits(body)
    sent = [_sent_ids(reading, row, path) for row, path in visits]
    _check_size(sent)
    ids = build.line_ids(sent)
    scene: Facts = {}
    reading.gather(_plan(reading.site).scene, body, scene, _TOP)
    encounters = [
        _encounter(reading, visit, (sent[n][0], ids[n]), scene if n == 0 else {}) for n, visit in enumerate(visits)
    ]
    _check_scene(reading, encounters[0])
    return Prescription(
        encounter=encounters[0],
        others=tuple(encounters[1:]),
        patient=_patient(reading, body.get("patient")),
        request_id=reading.text(body, "request_id", _TOP),
        institution_id=institution,
        at=told[0] if told else None,
        notes=reading.settled_notes(),
    )


def _visits(body: Row) -> list[tuple[Row, str]]:
    current = body.get("encounter")
    if not isinstance(current, Mapping):
        raise RequestError([FieldProblem(field="encounter", message="expected an object; give the current encounter")])
    return [(current, "encounter"), *_rows(body, "other_encounters", "")]


def _rows(row: Row, key: str, path: str) -> list[tuple[Row, str]]:
    """Return the objects of a list with their paths; raises ``RequestError`` for anything else."""
    value, at = row.get(key), f"{path}.{key}".lstrip(".")
    if value is None:
        return []
    if not isinstance(value, list):
        raise RequestError([FieldProblem(field=at, message="expected a list of objects")])
    wrong = [f"{at}[{n}]" for n, entry in enumerate(value) if not isinstance(entry, Mapping)]
    if wrong:
        raise RequestError([FieldProblem(field=field, message="expected an object") for field in wrong])
    return [(entry, f"{at}[{n}]") for n, entry in enumerate(value)]


def _plain(raw: object) -> str:
    return str(raw).strip() if isinstance(raw, (str, int)) else ""


def _known(reading: Reading, row: Row, keys: frozenset[str], path: str) -> None:
    """Refuse keys the format does not have, and texts over the limit."""
    if not row.keys() <= keys:
        for key in sorted(row.keys() - keys):
            reading.refuse(
                f"{path}.{key}".lstrip("."), f"no such field{nearest(key, keys)}; further facts go into `facts`"
            )
    reading.check_texts(row, path)


def _check_size(sent: list[tuple[str, list[str]]]) -> None:
    if sum(len(ids) for _, ids in sent) > MAX_LINES:
        message = f"more than {MAX_LINES:,} lines in one body; send the encounter in parts"
        raise RequestError([FieldProblem(field="encounter.lines", message=message)])


def _check_scene(reading: Reading, current: Encounter) -> None:
    scenes = current.facts.get("encounter.scene", ())
    ordering = not scenes or (isinstance(scenes, tuple) and not _ORDER_SCENES.isdisjoint(scenes))
    if ordering and not any(line.current for line in current.lines):
        reading.refuse("encounter.lines", "no current line; give the orders to be checked")


def _patient(reading: Reading, row: object) -> Patient:
    facts: Facts = {}
    if not isinstance(row, Mapping):
        raise RequestError([*reading.problems, FieldProblem(field="patient", message="expected an object")])
    place = Place("patient")
    _known(reading, row, PATIENT_KEYS, "patient")
    reading.gather(_plan(reading.site).patient, row, facts, place)
    reading.explicit(row.get("facts"), "patient", facts, place)
    return build.patient(reading, reading.text(row, "id", place), facts, place)


def _sent_ids(reading: Reading, row: Row, path: str) -> tuple[str, list[str]]:
    lines = _rows(row, "lines", path)
    return reading.text(row, "id", Place(path)), [reading.text(line, "id", Place(at)) for line, at in lines]


def _encounter(reading: Reading, visit: tuple[Row, str], named: tuple[str, list[str]], facts: Facts) -> Encounter:
    row, path = visit
    place, (encounter_id, ids) = Place(path), named
    _known(reading, row, ENCOUNTER_KEYS, path)
    reading.gather(_plan(reading.site).encounter, row, facts, place)
    reading.explicit(row.get("facts"), "encounter", facts, place)
    lines = zip(_rows(row, "lines", path), ids, strict=True)
    parts = build.Parts(
        id=encounter_id,
        lines=tuple(read_line(reading, line, encounter_id, Place(at, id_)) for (line, at), id_ in lines),
        diagnoses=build.diagnoses(reading, _named(reading, row, "diagnoses", path)),
        operations=build.operations(reading, _named(reading, row, "operations", path)),
    )
    return build.encounter(reading, parts, facts, place)


def read_line(reading: Reading, row: Row, encounter_id: str, place: Place) -> Line:
    """Read one line; lines of other encounters than the current one are in force whatever they say."""
    _known(reading, row, LINE_KEYS, place.path)
    facts: Facts = {}
    reading.gather(_plan(reading.site).line, row, facts, place)
    reading.explicit(row.get("facts"), "line", facts, place)
    draft = build.Draft(
        id=place.line,
        encounter_id=encounter_id,
        code=reading.text(row, "code", place),
        name=reading.text(row, "name", place),
        current=reading.flag(row, "current", place, missing=True) and place.path.startswith("encounter."),
        begins=reading.time(row, "begins", place),
        stops=reading.time(row, "stops", place),
        facts=facts,
    )
    return build.line(reading, draft, place)


def _named(reading: Reading, row: Row, key: str, path: str) -> Iterable[build.Named]:
    for entry, at in _rows(row, key, path):
        _known(reading, entry, NAMED_KEYS, at)
        place = Place(at)
        yield build.Named(
            code=reading.text(entry, "code", place),
            name=reading.text(entry, "name", place),
            main=reading.flag(entry, "main", place, missing=False),
        )
