"""The national interface, transactions 3101 and 3102: a parsed body to a prescription.

Liberal as the clients are (interface fact sheet, 2.8 and 10): scalars may be texts, numbers, "", "-", null or missing,
a single object may stand for a list of one, keys nobody knows are ignored. Values a fact cannot have make it unknown,
with a note. Optional ``facts`` objects at patient, encounter and line carry what the interface lacks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from negative_list.errors import RequestError
from negative_list.prescription import Encounter, Line, Patient, Prescription
from negative_list.readers import build
from negative_list.readers.columns import ForeignNameError
from negative_list.readers.dialects import Form, has_strays, national_form
from negative_list.readers.joined import joined_body
from negative_list.readers.limits import MAX_VISITS
from negative_list.readers.reading import Gathered, Place, Reading, Row
from negative_list.readers.rows import (
    all_at_payment,
    check_count,
    check_lines,
    needs_current_line,
    plain,
    refused,
    rows,
)
from negative_list.readers.wording import EXPECTED_OBJECT, NO_ENCOUNTER, NO_PATIENT

if TYPE_CHECKING:
    from negative_list.site import Sites

__all__ = ["read_national"]

_INTERNET = ("5", "05", 5)
_TOP = Place("")
_TABLES = {"diagnosis": "fsi_diagnose_dtos", "operation": "fsi_operation_dtos"}
_CALL_RECORDS = ("request.system", "request.task")
_ATTENDING = ("dr_name", "chfpdr_name", "atddr_name", "resp_nurs_name")
_OPERATING = ("oper_dr_name", "anst_dr_name")
_DEPARTMENTS = tuple(
    (f"encounter.{which}_code", f"encounter.{which}_name") for which in ("department", "discharge_department")
)
_NAMES = {
    "patient.birth_date": "brdy",
    "encounter.discharged_at": "dscg_date",
    "encounter.visit_kind": "med_mdtrt_type",
    "line.code": "hilist_code",
    "line.stops": "drord_stop_date",
}


class _Visit(Struct, frozen=True):
    """One encounter of the body: its row and the path of it, and its orders with theirs."""

    row: Row
    path: str
    orders: list[tuple[Row, str]]


class _Whose(Struct, frozen=True):
    """What the lines of an encounter share."""

    encounter_id: str
    institution_id: str
    current: bool


class _Frame(Struct, frozen=True):
    """The objects a body is made of, the current encounter first.

    ``passed_over`` counts further patients, ``misnamed`` tells that no encounter has the id called the current one.
    """

    body: Row
    data: Row
    person: Row
    person_path: str
    visits: list[_Visit]
    passed_over: int
    misnamed: bool


def read_national(
    body: Mapping[str, object] | Form, sites: Sites, at: datetime | None = None, *, saved: bool = False
) -> Prescription:
    """Read the parsed body of transaction 3101 or 3102, in any dialect, or the form it was made over to.

    ``at`` is the instant it is judged at, in the site's zone; ``None``: the body's own time. ``saved``: it is no
    question but tells what was saved, which may be nothing. Raises ``RequestError`` naming the fields, as the caller
    calls them, where there is no patient, no encounter, no current order in an order scene, or too much.
    """
    if isinstance(body, Form):
        return _read_form(body, sites, at, saved=saved)
    try:
        return _read(body, sites, at, saved=saved)
    except (ForeignNameError, RequestError):
        form = national_form(body)
        if not form.sent:
            raise
    return _read_form(form, sites, at, saved=saved)


def _read_form(form: Form, sites: Sites, at: datetime | None, *, saved: bool) -> Prescription:
    """Read what was made over, and say what is said of it in the caller's words."""
    try:
        told = _read(form.body, sites, at, saved=saved)
    except RequestError as error:
        raise type(error)(form.problems(error.fields)) from error
    if not form.sent:
        return told
    notes = tuple(msgspec.structs.replace(note, field=note.field and form.said(note.field)) for note in told.notes)
    return msgspec.structs.replace(told, notes=notes)


def _read(body: Row, sites: Sites, at: datetime | None, *, saved: bool) -> Prescription:
    frame = _frame(body)
    institution = plain(body.get("fixmedins_code")) or plain(frame.visits[0].row.get("medins_id"))
    reading = Reading(sites.of(institution), at, _NAMES, institution)
    envelope: Gathered = {}
    reading.gather(reading.plan.envelope, body, envelope, _TOP)
    told_at, _ = envelope.get("request.time", (None, True))
    reading.at = at or told_at
    _note_choices(reading, frame)
    current, *others = _encounters(reading, frame)
    if not saved:
        current = _judged(reading, current, frame.visits[0].path)
    told = Prescription(
        encounter=current,
        others=tuple(others),
        patient=_patient(reading, frame),
        request_id=envelope.get("request.id", ""),
        institution_id=institution,
        at=told_at,
        notes=reading.settled_notes(),
        names=_names(frame),
        never_sent=reading.plan.never_sent,
    )
    return joined_body(told, reading.told, reading.at)


def _frame(body: Row) -> _Frame:
    inner = _object(body, "input", "input")
    if len(inner) > 1 and has_strays(inner):
        raise ForeignNameError
    data = _object(inner, "data", "input.data")
    people = rows(data.get("patient_dtos"), "input.data.patient_dtos")
    if not people:
        raise refused("input.data.patient_dtos", NO_PATIENT)
    (person, path), *further = people
    told = rows(person.get("fsi_encounter_dtos"), f"{path}.fsi_encounter_dtos")
    check_count(len(told), MAX_VISITS, f"{path}.fsi_encounter_dtos")
    visits = [_visit(row, at) for row, at in told]
    if not visits:
        raise refused(f"{path}.fsi_encounter_dtos", NO_ENCOUNTER)
    _check_lines(visits)
    wanted = plain(person.get("curr_mdtrt_id"))
    named = [visit for visit in visits if wanted and plain(visit.row.get("mdtrt_id")) == wanted]
    current = (named or visits)[-1]
    return _Frame(
        body=body,
        data=data,
        person=person,
        person_path=path,
        visits=[current, *(visit for visit in visits if visit is not current)],
        passed_over=len(further),
        misnamed=bool(wanted.strip("-")) and not named,
    )


def _names(frame: _Frame) -> tuple[str, ...]:
    """Persons the body names besides patient and ordering doctors, whose names are facts."""
    told = [frame.body.get("opter_name"), frame.person.get("coner_name")]
    for visit in frame.visits:
        told += [visit.row.get(key) for key in _ATTENDING]
        if visit.row.get(_TABLES["operation"]):
            operated = rows(visit.row[_TABLES["operation"]], "")
            told += [row.get(key) for row, _ in operated for key in _OPERATING]
    return tuple(dict.fromkeys(name for raw in told if raw and (name := plain(raw))))


def _visit(row: Row, path: str) -> _Visit:
    return _Visit(row, path, rows(row.get("fsi_order_dtos"), f"{path}.fsi_order_dtos"))


def _object(row: Row, key: str, path: str) -> Row:
    value = row.get(key)
    if not isinstance(value, dict):
        raise refused(path, EXPECTED_OBJECT)
    return value


def _check_lines(visits: list[_Visit]) -> None:
    longest = max(visits, key=lambda visit: len(visit.orders))
    check_lines(sum(len(visit.orders) for visit in visits), f"{longest.path}.fsi_order_dtos")


def _note_choices(reading: Reading, frame: _Frame) -> None:
    """Say which patient and which encounter were judged where the body leaves it open."""
    if frame.passed_over:
        told = f"只检查第一位参保人，其余 {frame.passed_over} 位未检查，请分次发送"
        reading.note("not_checked", Place("input.data"), "patient_dtos[1]", told)
    if frame.misnamed:
        told = "没有此就诊ID的就诊信息，按最后一次就诊处理"
        reading.note("conflict", Place(frame.person_path), "curr_mdtrt_id", told)
    for visit in frame.visits:
        sent = visit.row.get("fsi_order_dtos")
        if isinstance(sent, list) and len(sent) != len(visit.orders):
            _note_gap(reading, visit, sent)


def _note_gap(reading: Reading, visit: _Visit, sent: list[object]) -> None:
    """Say that a place among the orders holds none: what was lost on the way cannot be judged."""
    first = next(n for n, row in enumerate(sent) if not isinstance(row, dict))
    told = f"{len(sent) - len(visit.orders)} 处没有医嘱内容，按没有处理"
    reading.note("impossible_value", Place(visit.path), f"fsi_order_dtos[{first}]", told)


def _judged(reading: Reading, current: Encounter, path: str) -> Encounter:
    if needs_current_line(current):
        reading.refuse(
            f"{path}.fsi_order_dtos",
            "没有当前处方行 (no current line); 请给出要检查的医嘱 (give orders with curr_drord_flag 1)",
        )
    return all_at_payment(current)


def _patient(reading: Reading, frame: _Frame) -> Patient:
    gathered: Gathered = {}
    place = Place(frame.person_path)
    reading.gather(reading.plan.patient, frame.person, gathered, place)
    reading.explicit(frame.person.get("facts"), "patient", gathered, place)
    gathered.pop("patient.current_encounter", None)
    return build.patient(reading, gathered.pop("patient.id", ""), gathered, place)


def _encounters(reading: Reading, frame: _Frame) -> Iterator[Encounter]:
    sent = [_sent_ids(reading, visit) for visit in frame.visits]
    ids = build.line_ids(sent)
    for n, visit in enumerate(frame.visits):
        gathered: Gathered = {}
        place = Place(visit.path)
        reading.gather(reading.plan.encounter, visit.row, gathered, place)
        if n == 0:
            _above(reading, frame, gathered)
        _unswap(gathered)
        reading.explicit(visit.row.get("facts"), "encounter", gathered, place)
        yield _encounter(reading, visit, gathered, ids[n], current=n == 0)


def _unswap(gathered: Gathered) -> None:
    """Put code and name of a department in their places: one client swaps them (2.8), and no code is Chinese."""
    for code, name in _DEPARTMENTS:
        sent = gathered.get(code, "")
        if not sent.isascii() and gathered.get(name, "").isascii():
            gathered.pop(code)
            if name in gathered:
                gathered[code] = gathered[name]
            gathered[name] = sent


def _sent_ids(reading: Reading, visit: _Visit) -> tuple[str, list[str]]:
    """Read the encounter's id and its lines' ids; impossible ones are noted where their rows are read."""
    read = reading.plan.texts.read
    ids = (read(row.get("rx_id")) for row, _ in visit.orders)
    return plain(visit.row.get("mdtrt_id")), [sent if isinstance(sent, str) else "" for sent in ids]


def _above(reading: Reading, frame: _Frame, gathered: Gathered) -> None:
    """Read what stands above the encounter and belongs to the current one: the scene, the place of payment.

    Clients put ``pay_loc`` at any level, and two of them in ``reim_flag`` and ``out_setl_flag`` instead (2.8, 5.2).
    """
    reading.gather(reading.plan.data, frame.data, gathered, Place("input.data"))
    for record in _CALL_RECORDS:
        gathered.pop(record, None)
    row = frame.visits[0].row
    levels = (frame.body, frame.data, frame.person, row)
    sent = [*(level.get("pay_loc") for level in levels), row.get("reim_flag"), row.get("out_setl_flag")]
    if any(raw in _INTERNET for raw in sent):
        gathered["encounter.pay_location"] = "internet"


def _encounter(reading: Reading, visit: _Visit, gathered: Gathered, ids: list[str], *, current: bool) -> Encounter:
    take = gathered.pop
    id_ = take("encounter.id", "")
    whose = build.institution_of(reading, gathered)
    main = build.Named(take("encounter.main_diagnosis_code", ""), take("encounter.main_diagnosis_name", ""))
    parts = build.Parts(
        id=id_,
        lines=tuple(
            _line(reading, _Whose(id_, whose, current), row, Place(path, name))
            for (row, path), name in zip(visit.orders, ids, strict=True)
        ),
        diagnoses=build.diagnoses(reading, _named(reading, visit, "diagnosis"), main),
        operations=build.operations(reading, _named(reading, visit, "operation")),
    )
    return build.encounter(reading, parts, gathered, Place(visit.path))


def _line(reading: Reading, whose: _Whose, row: Row, place: Place) -> Line:
    gathered: Gathered = {}
    reading.gather(reading.plan.line, row, gathered, place)
    extension, facts = row.get("extend_order_map"), row.get("facts")
    if isinstance(extension, str) and extension.startswith("{"):
        raise ForeignNameError
    if isinstance(extension, dict):
        within = Place(f"{place.path}.extend_order_map", place.line)
        reading.gather(reading.plan.line_extension, extension, gathered, within)
    _fill_in(reading, gathered)
    reading.explicit(facts, "line", gathered, place)
    if whose.institution_id:
        gathered.setdefault("line.institution_id", whose.institution_id)
    further = extension is not None or facts is not None
    return build.line(reading, whose.encounter_id, gathered, place, current=whose.current, further=further)


def _fill_in(reading: Reading, gathered: Gathered) -> None:
    """Derive what the national order says in a second field."""
    if "line.name" not in gathered and "line.hospital_name" in gathered:
        gathered["line.name"] = gathered["line.hospital_name"]
    if "line.dosage_form" not in gathered and "line.hospital_dosage_form" in gathered:
        gathered["line.dosage_form"] = gathered["line.hospital_dosage_form"]
    if reading.plan.take_home:
        take_home = reading.plan.take_home.get(gathered.get("line.order_behaviour", ""))
        if take_home is not None:
            gathered["line.take_home"] = take_home


def _named(reading: Reading, visit: _Visit, kind: str) -> Iterator[build.Named]:
    """Read the diagnoses or the operations of an encounter."""
    key, columns = _TABLES[kind], reading.plan.named[kind]
    for row, path in rows(visit.row.get(key), f"{visit.path}.{key}"):
        read: Gathered = {}
        reading.gather(columns, row, read, Place(path))
        get = read.get
        yield build.Named(
            get(f"{kind}.code", ""), get(f"{kind}.name", ""), get(f"{kind}.main", False), get(f"{kind}.kind", "")
        )
