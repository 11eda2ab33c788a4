"""The national interface, transactions 3101 and 3102, nested list style: a parsed body to a prescription.

Liberal as the clients are (interface fact sheet, 2.8 and 10): scalars may be texts, numbers, "", "-", null or missing,
a single object may stand for a list of one, keys nobody knows are ignored. Values a fact cannot have make it unknown,
with a note. Optional ``facts`` objects at patient, encounter and line carry what the interface lacks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from negative_list.errors import FieldProblem, RequestError
from negative_list.prescription import Diagnosed, Encounter, Line, Patient, Prescription
from negative_list.readers import build
from negative_list.readers.limits import MAX_LINES
from negative_list.readers.reading import Facts, Place, Reading, Row

if TYPE_CHECKING:
    from negative_list.site import Sites

__all__ = ["read_national"]

_ORDER_SCENES = frozenset({"2", "4", "5"})
_INTERNET = "5"
_TOP = Place("")
_DIAGNOSIS_KEYS = ("dise_codg", "dise_name", "maindise_flag")
_MAIN_DIAGNOSIS_KEYS = ("dscg_main_dise_codg", "dscg_main_dise_name", "")
_OPERATION_KEYS = ("oprn_code", "oprn_name", "main_oprn_flag")
_NAMES = {
    "patient.birth_date": "brdy",
    "encounter.discharged_at": "dscg_date",
    "encounter.visit_kind": "med_mdtrt_type",
    "line.code": "hilist_code",
    "line.stops": "drord_stop_date",
}


class Visit(Struct, frozen=True):
    """One encounter of the body: its row and the path of it, and its orders with theirs."""

    row: Row
    path: str
    orders: list[tuple[Row, str]]


class Frame(Struct, frozen=True):
    """The objects a body is made of, the current encounter first."""

    body: Row
    data: Row
    person: Row
    person_path: str
    visits: list[Visit]


def read_national(body: Mapping[str, object], sites: Sites, at: datetime | None = None) -> Prescription:
    """Read the parsed body of transaction 3101 or 3102.

    ``at`` is the instant it is judged at, in the site's zone; ``None``: the body's own time. Raises ``RequestError``
    naming the fields where there is no patient, no encounter, no current order in an order scene, or too much.
    """
    frame = _frame(body)
    institution = _plain(body.get("fixmedins_code")) or _plain(frame.visits[0].row.get("medins_id"))
    reading = Reading(sites.of(institution), at, _NAMES)
    told = reading.time(body, "inf_time", _TOP)
    reading.at = at or (told[0] if told else None)
    _check(reading, frame)
    current, *others = _encounters(reading, frame)
    _check_scene(reading, current, frame.visits[0].path)
    return Prescription(
        encounter=current,
        others=tuple(others),
        patient=_patient(reading, frame),
        request_id=reading.text(body, "msgid", _TOP),
        institution_id=institution,
        at=told[0] if told else None,
        notes=reading.settled_notes(),
    )


def _frame(body: Row) -> Frame:
    data = _object(_object(body, "input", "input"), "data", "input.data")
    people = _rows(data.get("patient_dtos"), "input.data.patient_dtos")
    if not people:
        raise _refused("input.data.patient_dtos", "no patient; give one")
    person, path = people[0]
    visits = [_visit(row, at) for row, at in _rows(person.get("fsi_encounter_dtos"), f"{path}.fsi_encounter_dtos")]
    if not visits:
        raise _refused(f"{path}.fsi_encounter_dtos", "no encounter; give the current one")
    current = _current(_plain(person.get("curr_mdtrt_id")), visits)
    return Frame(body, data, person, path, [current, *(visit for visit in visits if visit is not current)])


def _visit(row: Row, path: str) -> Visit:
    return Visit(row, path, _rows(row.get("fsi_order_dtos"), f"{path}.fsi_order_dtos"))


def _current(wanted: str, visits: list[Visit]) -> Visit:
    """Find the encounter ``curr_mdtrt_id`` names, else the last one."""
    named = [visit for visit in visits if wanted and _plain(visit.row.get("mdtrt_id")) == wanted]
    return (named or visits)[-1]


def _object(row: Row, key: str, path: str) -> Row:
    value = row.get(key)
    if not isinstance(value, Mapping):
        raise _refused(path, "expected an object")
    return value


def _rows(value: object, path: str) -> list[tuple[Row, str]]:
    """Return the objects of a list with their paths; one object stands for a list of one, a placeholder for none."""
    if isinstance(value, Mapping):
        return [(value, path)]
    if isinstance(value, list):
        for n, row in enumerate(value):
            if not isinstance(row, Mapping):
                raise _refused(f"{path}[{n}]", "expected an object")
        return [(row, f"{path}[{n}]") for n, row in enumerate(value)]
    if value is None or (isinstance(value, str) and not value.strip("- ")):
        return []
    raise _refused(path, "expected a list of objects")


def _refused(field: str, message: str) -> RequestError:
    return RequestError([FieldProblem(field=field, message=message)])


def _plain(raw: object) -> str:
    return str(raw).strip() if isinstance(raw, (str, int)) else ""


def _check(reading: Reading, frame: Frame) -> None:
    """Refuse what is over a limit, before anything is read."""
    visits = frame.visits
    if sum(len(visit.orders) for visit in visits) > MAX_LINES:
        field = f"{max(visits, key=lambda visit: len(visit.orders)).path}.fsi_order_dtos"
        raise _refused(field, f"more than {MAX_LINES:,} lines in one body; send the encounter in parts")
    check = reading.check_texts
    check(frame.body, "")
    check(frame.data, "input.data")
    check(frame.person, frame.person_path)
    for visit in visits:
        check(visit.row, visit.path)
        for row, path in visit.orders:
            check(row, path)


def _check_scene(reading: Reading, current: Encounter, path: str) -> None:
    """Refuse a body in an order scene (2, 4, 5 or none named) without anything to judge."""
    scenes = current.facts.get("encounter.scene", ())
    ordering = not scenes or (isinstance(scenes, tuple) and not _ORDER_SCENES.isdisjoint(scenes))
    if ordering and not any(line.current for line in current.lines):
        reading.refuse(f"{path}.fsi_order_dtos", "no current line (curr_drord_flag 1); give the orders to be checked")


def _patient(reading: Reading, frame: Frame) -> Patient:
    facts: Facts = {}
    place = Place(frame.person_path)
    reading.gather(reading.plan.patient, frame.person, facts, place)
    reading.explicit(frame.person.get("facts"), "patient", facts, place)
    return build.patient(reading, reading.text(frame.person, "patn_id", place), facts, place)


def _encounters(reading: Reading, frame: Frame) -> Iterator[Encounter]:
    sent = [_sent_ids(reading, visit) for visit in frame.visits]
    ids = build.line_ids(sent)
    for n, visit in enumerate(frame.visits):
        facts: Facts = {}
        if n == 0:
            _whole_body(reading, frame, facts)
        yield _encounter(reading, visit, (sent[n][0], ids[n]), facts, current=n == 0)


def _sent_ids(reading: Reading, visit: Visit) -> tuple[str, list[str]]:
    encounter_id = reading.text(visit.row, "mdtrt_id", Place(visit.path))
    return encounter_id, [reading.text(row, "rx_id", Place(path)) for row, path in visit.orders]


def _whole_body(reading: Reading, frame: Frame, facts: Facts) -> None:
    """Read what stands above the encounter and belongs to the current one: the scene, the place of payment.

    Clients put ``pay_loc`` at any level, and two of them in ``reim_flag`` and ``out_setl_flag`` instead (2.8, 5.2).
    """
    reading.gather(reading.plan.scene, frame.data, facts, Place("input.data"))
    row = frame.visits[0].row
    sent = [level.get("pay_loc") for level in (frame.body, frame.data, frame.person, row)]
    sent += [row.get("reim_flag"), row.get("out_setl_flag")]
    if any(_plain(raw).lstrip("0") == _INTERNET for raw in sent):
        facts["encounter.pay_location"] = "internet"


def _encounter(
    reading: Reading, visit: Visit, named: tuple[str, list[str]], facts: Facts, *, current: bool
) -> Encounter:
    place, row, (encounter_id, ids) = Place(visit.path), visit.row, named
    internet = facts.get("encounter.pay_location")
    reading.gather(reading.plan.encounter, row, facts, place)
    if internet:
        facts["encounter.pay_location"] = internet
    reading.explicit(row.get("facts"), "encounter", facts, place)
    orders = zip(visit.orders, ids, strict=True)
    parts = build.Parts(
        id=encounter_id,
        lines=tuple(_line(reading, order, encounter_id, Place(at, id_), current) for (order, at), id_ in orders),
        diagnoses=_diagnoses(reading, visit),
        operations=build.operations(reading, _operations(reading, visit)),
    )
    return build.encounter(reading, parts, facts, place)


def _line(reading: Reading, row: Row, encounter_id: str, place: Place, current: bool) -> Line:
    facts: Facts = {}
    reading.gather(reading.plan.line, row, facts, place)
    extension = row.get("extend_order_map")
    if isinstance(extension, Mapping):
        within = Place(f"{place.path}.extend_order_map", place.line)
        reading.gather(reading.plan.line_extension, extension, facts, within)
    reading.explicit(row.get("facts"), "line", facts, place)
    if "line.dosage_form" not in facts and "line.hospital_dosage_form" in facts:
        facts["line.dosage_form"] = facts["line.hospital_dosage_form"]
    draft = build.Draft(
        id=place.line,
        encounter_id=encounter_id,
        code=reading.text(row, "hilist_code", place),
        name=reading.text(row, "hilist_name", place) or str(facts.get("line.hospital_name", "")),
        current=reading.flag(row, "curr_drord_flag", place, missing=True) and current,
        begins=reading.time(row, "drord_begn_date", place),
        stops=reading.time(row, "drord_stop_date", place),
        facts=facts,
    )
    return build.line(reading, draft, place)


def _diagnoses(reading: Reading, visit: Visit) -> tuple[Diagnosed, ...]:
    rows = _rows(visit.row.get("fsi_diagnose_dtos"), f"{visit.path}.fsi_diagnose_dtos")
    named = [_named(reading, row, Place(path), _DIAGNOSIS_KEYS) for row, path in rows]
    main = _named(reading, visit.row, Place(visit.path), _MAIN_DIAGNOSIS_KEYS)
    return build.diagnoses(reading, named, main)


def _operations(reading: Reading, visit: Visit) -> list[build.Named]:
    rows = _rows(visit.row.get("fsi_operation_dtos"), f"{visit.path}.fsi_operation_dtos")
    return [_named(reading, row, Place(path), _OPERATION_KEYS) for row, path in rows]


def _named(reading: Reading, row: Row, place: Place, keys: tuple[str, str, str]) -> build.Named:
    code, name, main = keys
    reading.check_texts(row, place.path)
    return build.Named(
        code=reading.text(row, code, place),
        name=reading.text(row, name, place),
        main=reading.flag(row, main, place, missing=False),
    )
