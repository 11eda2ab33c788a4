"""Our own JSON to a prescription, equal to the national reader's for the same content."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from negative_list.codes import STRUCTURES
from negative_list.errors import RequestError
from negative_list.readers import read_body, read_check_request, read_national
from negative_list.readers.limits import MAX_LINES, MAX_TEXT_BYTES
from negative_list.readers.own import ENCOUNTER_KEYS, LINE_KEYS, PATIENT_KEYS
from negative_list.site import Site, Sites
from tests.builders import DRUG, HERB, SERVICE, body, diagnosis, line, own_body, own_line

if TYPE_CHECKING:
    from negative_list.prescription import Encounter, FactValue, Line, Prescription

SITES = Sites()


def told_as(facts: dict[str, FactValue], keys: dict[str, str]) -> dict[str, Any]:
    """Write facts as fields where the format has one, else among ``facts``."""
    fields = {key: written(facts[name]) for key, name in keys.items() if name in facts}
    rest = {name: written(value) for name, value in facts.items() if name not in keys.values()}
    return fields | {"facts": rest}


def written(value: FactValue) -> object:
    """Write a fact's value as JSON would hold it."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (date, Decimal)):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def own_line_of(told: Line) -> dict[str, Any]:
    """Write a line in our own JSON."""
    fields = {"id": told.id, "code": told.codes[0] if told.codes else "", "name": told.name, "current": told.current}
    for key, moment in (("begins", told.begins), ("stops", told.stops)):
        if moment:
            fields[key] = str(moment) if told.has_clock else str(moment.date())
    sent = {name: value for name, value in told.facts.items() if told.sources.get(name) != "derived"}
    return fields | told_as(sent, LINE_KEYS)


def own_encounter_of(told: Encounter) -> dict[str, Any]:
    """Write an encounter in our own JSON."""
    diagnoses = [{"code": "".join(d.codes), "name": d.name, "main": d.main, "stage": d.stage} for d in told.diagnoses]
    operations = [{"code": "".join(o.codes), "name": o.name, "main": o.main} for o in told.operations]
    lines = [own_line_of(each) for each in told.lines]
    named = {"id": told.id, "diagnoses": diagnoses, "operations": operations, "lines": lines}
    facts = {name: value for name, value in told.facts.items() if name != "encounter.scene"}
    return told_as(facts, ENCOUNTER_KEYS) | named


def own_body_of(told: Prescription) -> dict[str, Any]:
    """Write a prescription in our own JSON."""
    return {
        "request_id": told.request_id,
        "institution_id": told.institution_id,
        "time": str(told.at),
        "scene": written(told.encounter.facts.get("encounter.scene", ())),
        "patient": told_as(dict(told.patient.facts), PATIENT_KEYS) | {"id": told.patient.id},
        "encounter": own_encounter_of(told.encounter),
        "other_encounters": [own_encounter_of(other) for other in told.others],
    }


@pytest.mark.parametrize(
    "sent",
    [
        body(),
        body([line(rx_id="A"), line(rx_id="A", curr_drord_flag="0", hilist_code=HERB, hilist_type="")]),
        body([line(drord_begn_date="2026-01-01", drord_stop_date="2026-01-03", cnt="2.50", ownpay_amt=12.5)]),
        body([line(hilist_code=SERVICE, hilist_type="201", extend_order_map={"o_prdDays": 3})]),
        body(
            diagnoses=[diagnosis("E11.900", "2型糖尿病"), diagnosis("0815", "")],
            operations=[{"oprn_code": "66.2100", "oprn_name": "结扎"}],
            encounter={"med_type": "2101", "med_mdtrt_type": "2", "adm_date": "2025-12-20 08:00:00", "matn_stas": "3"},
        ),
        body(others=[{"mdtrt_id": "M0", "fsi_order_dtos": [line(rx_id="R0")], "med_type": "52", "insutype": "390"}]),
    ],
)
def test_both_kinds_of_body_read_alike(sent: dict[str, Any]) -> None:
    """The same content is the same prescription, whichever way it was written."""
    told = read_national(sent, SITES)
    assert told.notes == ()
    again = msgspec.json.decode(msgspec.json.encode(own_body_of(told)))
    # Names only national bodies tell are looked for in texts; nothing is judged by them.
    assert read_check_request(again, SITES) == msgspec.structs.replace(told, names=())


def test_our_own_body_becomes_a_prescription() -> None:
    """Fields are facts of the same name; record fields stand in the record."""
    told = read_check_request(own_body([own_line(days=7, facts={"line.site": "左膝"})]), SITES)
    assert told.notes == ()
    assert told.at == datetime(2026, 1, 1, 9)
    assert told.encounter.facts["encounter.visit_mode"] == "outpatient"
    only = told.encounter.lines[0]
    assert (only.id, only.codes, only.current) == ("R1", (DRUG,), True)
    assert (only.facts["line.days"], only.facts["line.site"], only.facts["line.full_price"]) == (7, "左膝", True)


def test_times_with_an_offset_become_the_sites_civil_time() -> None:
    """An instant is turned into the zone of the institution's site."""
    sites = Sites(by_institution={"H00000000000": Site(zone=ZoneInfo("Asia/Urumqi"))})
    sent = own_body(time="2026-01-01T01:00:00Z")
    assert read_check_request(sent, sites).at == datetime(2026, 1, 1, 7)
    assert read_check_request(sent, SITES).at == datetime(2026, 1, 1, 9)


def test_item_types_follow_from_the_code() -> None:
    """Where the body names no type, the structure of the code does."""
    sent = own_body([own_line(id=str(n), code=code, item_type="") for n, code in enumerate((DRUG, HERB, SERVICE))])
    told = [each.facts["line.item_type"] for each in read_check_request(sent, SITES).encounter.lines]
    assert told == ["drug", "herb", "service"]
    assert {"drug", "herb", "service", "granule", "material"} == {s.item_type for s in STRUCTURES}


def refusals(sent: dict[str, Any]) -> list[tuple[str, str]]:
    """Return field and message for which a body is refused."""
    with pytest.raises(RequestError) as caught:
        read_check_request(sent, SITES)
    return [(problem.field, problem.message) for problem in caught.value.fields]


def test_unknown_fields_are_refused_all_at_once() -> None:
    """The format is ours: every key it does not have is named with the nearest it has."""
    sent = own_body(
        [own_line(quantitty=1)], patient={"gender": "男"}, encounter={"visit_mod": "inpatient"}, requestid="1"
    )
    sent["encounter"]["diagnoses"][0]["icd"] = "I10"
    told = refusals(sent)
    assert {field for field, _ in told} == {
        "requestid",
        "patient.gender",
        "encounter.visit_mod",
        "encounter.lines[0].quantitty",
        "encounter.diagnoses[0].icd",
    }
    hints = dict(told)
    assert "did you mean `quantity`" in hints["encounter.lines[0].quantitty"]
    assert "did you mean `visit_mode`" in hints["encounter.visit_mod"]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "encounter"),
        ({"encounter": {}}, "patient"),
        ({"encounter": [], "patient": {}}, "encounter"),
        (own_body([]), "encounter.lines"),
        (own_body([own_line(current=False)]), "encounter.lines"),
        (own_body(encounter={"lines": "R1"}), "encounter.lines"),
        (own_body(encounter={"lines": [1]}), "encounter.lines[0]"),
        (own_body([own_line()] * (MAX_LINES + 1)), "encounter.lines"),
        (own_body([own_line(name="药" * (MAX_TEXT_BYTES // 3 + 1))]), "encounter.lines[0].name"),
        (own_body([own_line(facts={"line.dayz": 1})]), "encounter.lines[0].facts.line.dayz"),
        (own_body([own_line(facts=[1])]), "encounter.lines[0].facts"),
    ],
)
def test_what_is_no_prescription_is_refused_by_field(sent: dict[str, Any], field: str) -> None:
    """The same limits as for the national body."""
    assert [told for told, _ in refusals(sent)] == [field]


@pytest.mark.parametrize(
    ("fields", "fact"),
    [
        ({"quantity": "9e15"}, "line.quantity"),
        ({"unit_price_fen": 12.5}, "line.unit_price_fen"),
        ({"item_type": "pill"}, "line.item_type"),
        ({"begins": "2026-13-45"}, "line.begins"),
    ],
)
def test_impossible_values_are_unknown_and_noted(fields: dict[str, object], fact: str) -> None:
    """As in the national body the check goes on without the fact."""
    told = read_check_request(own_body([own_line(**{"code": "本院"} | fields)]), SITES)
    assert fact not in told.encounter.lines[0].facts
    assert f"encounter.lines[0].{next(iter(fields))}" in [note.field for note in told.notes]


def test_a_birth_in_the_future_is_unknown() -> None:
    """Judged against the body's own time."""
    told = read_check_request(own_body(patient={"birth_date": "2026-01-02"}), SITES)
    assert "patient.birth_date" not in told.patient.facts
    assert [note.field for note in told.notes] == ["patient.birth_date"]


def test_the_two_kinds_are_told_apart() -> None:
    """A body with ``input`` or ``infno`` is national; anything that is no object is refused."""
    assert read_body(body(), SITES).patient.facts["patient.name"] == "测试"
    assert read_body(own_body(), SITES).request_id == "H00000000000202601010900000001"
    with pytest.raises(RequestError, match=r"body: .*expected an object"):
        read_body([], SITES)
    with pytest.raises(RequestError, match=r"input: .*expected an object"):
        read_body({"infno": "3101"}, SITES)


@pytest.mark.parametrize(("told", "sex"), [("1", "男"), ("02", "女"), ("9", None), ("0", None)])
def test_a_word_may_come_as_the_code_of_the_national_table(told: str, sex: str | None) -> None:
    """A HIS that knows only gend 1 and 2 is understood; 0 and 9 are unknown, and nothing is noted."""
    prescription = read_check_request(own_body(patient={"id": "p", "sex": told}), Sites())
    assert (prescription.patient.facts.get("patient.sex"), prescription.notes) == (sex, ())


@pytest.mark.parametrize(
    ("code", "generic"),
    [(DRUG, DRUG[:10]), (DRUG[:14] + "999999999", DRUG[:10]), (HERB, HERB), (SERVICE, SERVICE), ("HIS-7", None)],
)
def test_the_same_medicine_has_one_generic_code(code: str, generic: str | None) -> None:
    """A western drug's code up to its name; another item's whole code; nothing for a line without a national code."""
    told = read_check_request(own_body([own_line(code=code, item_type=None)]), Sites())
    assert told.encounter.lines[0].facts.get("line.generic") == generic


def test_refunds_keep_their_quantities_and_amounts() -> None:
    """What is below zero is a refund and no mistake, in our own JSON as in the national body."""
    own = read_check_request(own_body([own_line(), own_line(id="R2", quantity=-1, amount_fen=-1250)]), SITES)
    sent = body([line(), line(rx_id="R2", cnt=-1, sumamt=-12.5, ownpay_amt=-12.5)])
    for told in (own, read_national(sent, SITES)):
        facts = told.encounter.lines[1].facts
        assert (facts["line.quantity"], facts["line.amount_fen"]) == (Decimal(-1), -1250)
        assert told.notes == ()


@pytest.mark.parametrize(("scene", "current"), [("9", [True, True]), ("1", [False, False])])
def test_what_is_paid_for_is_judged_although_every_order_is_in_force(scene: str, current: list[bool]) -> None:
    """As the national reader judges it."""
    sent = own_body([own_line(id=str(n), current=False) for n in range(2)]) | {"scene": [scene]}
    assert [told.current for told in read_check_request(sent, SITES).encounter.lines] == current
