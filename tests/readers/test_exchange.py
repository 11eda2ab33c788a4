"""What the payer's platform is told and asks, as history: visits, diagnoses, fee lines, checks and settlement lists."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import msgspec
import pytest

from negative_list.errors import RequestError
from negative_list.history import without_copies
from negative_list.prescription import History
from negative_list.readers import read_check_request
from negative_list.readers.exchange import Exchange, read_exchange, read_exchanges
from negative_list.readers.exchange_table import TRANSACTIONS
from negative_list.site import Sites
from tests.builders import AT, DRUG, SERVICE, body, line, own_body, own_line

SITES = Sites()
INSTITUTION = "H00000000000"
NOW = "2026-11-20 10:00:00"

Json = dict[str, Any]


def request(infno: str, **sent: object) -> Json:
    """A call without its answer."""
    return {"infno": infno, "fixmedins_code": INSTITUTION, "inf_time": NOW, "input": sent}


def answered(infno: str, output: object, **asked: object) -> Json:
    """A query with its answer."""
    return {"request": request(infno, data=asked), "reply": {"infcode": 0, "err_msg": "", "output": output}}


def visit(**fields: object) -> Json:
    """One visit as 5201 answers it."""
    told = {
        "mdtrt_id": "V1",
        "psn_no": "P1",
        "insutype": "310",
        "begntime": "2026-03-01 08:00:00",
        "endtime": "2026-03-08 10:00:00",
        "med_type": "21",
        "dscg_maindiag_code": "I63.900",
        "dscg_maindiag_name": "脑梗死",
        "ipt_days": 7,
        "inhosp_stas": "0",
    }
    return told | fields


def fee(**fields: object) -> Json:
    """One fee line as 5204 answers it and 2204 uploads it."""
    told = {
        "feedetl_sn": "F1",
        "mdtrt_id": "V1",
        "psn_no": "P1",
        "fee_ocur_time": "2026-03-02 09:00:00",
        "hilist_code": DRUG,
        "hilist_name": "维生素B1片",
        "list_type": "101",
        "cnt": 2,
        "pric": 12.5,
        "det_item_fee_sumamt": 25,
        "fulamt_ownpay_amt": 0,
        "sin_dos_dscr": "1片",
        "used_frqu_dscr": "tid",
        "prd_days": 7,
        "hosp_appr_flag": "1",
    }
    return told | fields


VISITS = answered("5201", {"mdtrtinfo": [visit()]}, psn_no="P1", begntime="2026-01-01", endtime="2026-11-20")
FEES = answered("5204", {"feedetail": [fee()]}, psn_no="P1", mdtrt_id="V1")


def read(told: Json) -> Exchange:
    """What one call tells."""
    return read_exchange(told, SITES)


def test_a_visit_becomes_an_encounter_of_the_institution_asked() -> None:
    """5201 tells one's own visits, with dates, kind and main diagnosis."""
    told = read(VISITS)
    (record,) = told.records
    assert (record.institution_id, record.record_id, record.patient_id) == (INSTITUTION, "5201:V1", "P1")
    assert record.source == "transaction 5201"
    assert record.encounter is not None
    assert record.encounter.id == "V1"
    assert record.encounter.diagnoses[0].codes == ("I63.900",)
    assert record.encounter.diagnoses[0].main
    expected = {
        "encounter.visit_mode": "inpatient",
        "encounter.insurance": ("employee",),
        "encounter.admitted_at": datetime(2026, 3, 1, 8),
        "encounter.discharged_at": datetime(2026, 3, 8, 10),
        "encounter.institution_id": INSTITUTION,
        "encounter.main_diagnosis_category": "I63",
        "encounter.stay_days": 7,
    }
    assert {name: record.encounter.facts.get(name) for name in expected} == expected


def test_who_died_is_known_to_have_died() -> None:
    """5201 tells the day of death."""
    dead = answered("5201", {"mdtrtinfo": [visit(die_date="2026-03-08")]}, psn_no="P1")
    (fact,) = read(dead).facts
    assert (fact.subject, fact.fact, fact.value) == ("P1", "patient.deceased_at", datetime(2026, 3, 8))


def test_diagnoses_join_their_visit() -> None:
    """5202 alone tells the diagnoses of a visit; beside 5201 they are one encounter."""
    diagnoses = [
        {"diag_code": "I63.900", "diag_name": "脑梗死", "maindiag_flag": "1"},
        {"diag_code": "I10.x00", "diag_name": "高血压", "maindiag_flag": "0"},
    ]
    asked = answered("5202", {"diseinfo": diagnoses}, psn_no="P1", mdtrt_id="V1")
    alone = read(asked).records[0]
    assert alone.record_id == "5202:V1"
    (both,) = read_exchanges([VISITS, asked], SITES).records
    assert both.encounter is not None
    assert [d.name for d in both.encounter.diagnoses] == ["脑梗死", "高血压"]
    assert both.encounter.facts["encounter.visit_mode"] == "inpatient"


def test_a_settlement_tells_amounts_and_one_paid_back_nothing() -> None:
    """5203 answers what was settled; a settlement that was taken back is noted."""
    settled = {"mdtrt_id": "V1", "psn_no": "P1", "med_type": "11", "setl_time": NOW, "medfee_sumamt": 100.5}
    told = read(answered("5203", {"setlinfo": settled}, psn_no="P1", mdtrt_id="V1"))
    assert told.records[0].encounter is not None
    assert told.records[0].encounter.facts["encounter.total_fen"] == 10050
    assert told.records[0].encounter.facts["encounter.settled_at"] == datetime(2026, 11, 20, 10)
    back = read(answered("5203", {"setlinfo": settled | {"refd_setl_flag": "1"}}, psn_no="P1"))
    assert back.records == ()
    assert [(note.code, note.field) for note in back.notes] == [("not_read", "output.setlinfo.refd_setl_flag")]


def test_fee_lines_of_a_visit_are_one_record() -> None:
    """5204 answers lines with dose, days, approval and the payer's part; they belong to the visit asked for."""
    (record,) = read(FEES).records
    assert (record.record_id, record.patient_id, record.encounter) == ("5204:V1", "P1", None)
    (told,) = record.lines
    assert (told.id, told.encounter_id, told.codes, told.current) == ("#F1", "V1", (DRUG,), False)
    assert told.begins == datetime(2026, 3, 2, 9)
    expected = {
        "line.institution_id": INSTITUTION,
        "line.days": 7,
        "line.dose_unit": "片",
        "line.doses_per_day": 3,
        "line.approval": "approved",
        "line.amount_fen": 2500,
        "line.paid_by": "fund",
    }
    assert {name: told.facts.get(name) for name in expected} == expected


@pytest.mark.parametrize("infno", ["2204", "2301"])
def test_uploaded_fees_are_lines_each_of_its_own(infno: str) -> None:
    """2204 and 2301 upload lines in batches; a batch sent again changes nothing, a refund of none of them is noted."""
    lines = [fee(), fee(feedetl_sn="F2", med_list_codg=SERVICE), fee(feedetl_sn="F3", cnt=-2, init_feedetl_sn="F0")]
    told = read(request(infno, feedetail=lines))
    assert [(record.record_id, record.patient_id) for record in told.records] == [
        (f"{infno}:F1", "P1"),
        (f"{infno}:F2", "P1"),
    ]
    assert [note.field for note in told.notes] == ["input.feedetail[2].cnt"]


def test_fees_of_one_item_and_day_are_one_line() -> None:
    """A fee's number says nothing to a prescription: visit, item and day tell that it is a line saved before."""
    later = fee(feedetl_sn="F2", fee_ocur_time="2026-03-02 20:00:00", cnt=1, det_item_fee_sumamt=12.5)
    other = fee(feedetl_sn="F3", fee_ocur_time="2026-03-03 09:00:00")
    own = fee(feedetl_sn="F4", cnt=4, fulamt_ownpay_amt=25)
    (record,) = read(answered("5204", [own, fee(), later, other], psn_no="P1", mdtrt_id="V1")).records
    assert [(line.id, line.facts["line.quantity"], line.facts["line.amount_fen"]) for line in record.lines] == [
        ("#F1", 3, 3750),
        ("#F3", 2, 2500),
        ("#F4", 4, 2500),
    ]
    saved = read_check_request(own_body([own_line(id="R1", begins="2026-03-02 08:30:00")]), SITES)
    mine = msgspec.structs.replace(saved.encounter.lines[0], encounter_id="V1")
    history = History(lines=(mine, *record.lines))
    kept = without_copies(history, saved)
    assert [line.id for line in kept.lines] == ["R1", "#F3"]


def test_a_refund_takes_away_from_its_fee() -> None:
    """From the fee it names, else from one of the same visit, item and day; what is wholly refunded never was."""
    whole = fee(feedetl_sn="F2", fee_ocur_time="2026-03-05 09:00:00")
    back = fee(feedetl_sn="F8", fee_ocur_time="2026-03-06 09:00:00", cnt=-2, init_feedetl_sn="F2")
    part = fee(feedetl_sn="F9", fee_ocur_time="2026-03-02 18:00:00", cnt="-1", det_item_fee_sumamt=-12.5)
    (record,) = read(answered("5204", [fee(), whole, back, part], psn_no="P1", mdtrt_id="V1")).records
    (left,) = record.lines
    assert (left.id, left.facts["line.quantity"], left.facts["line.amount_fen"]) == ("#F1", 1, 1250)


def test_a_call_packed_into_a_text_is_read() -> None:
    """One client sends its input as JSON in a text."""
    packed = request("2204") | {"input": json.dumps({"feedetail": [fee()]})}
    assert [record.record_id for record in read(packed).records] == ["2204:F1"]


def test_special_disease_drugs_of_other_institutions_are_lines() -> None:
    """5205 answers over all institutions; what this one gave is known already."""
    rows = [
        fee(feedetl_sn="F8", mdtrt_id="", fixmedins_code="H99999999999"),
        fee(feedetl_sn="F9", mdtrt_id="", fixmedins_code=INSTITUTION),
    ]
    told = read(answered("5205", {"feedetail": rows}, psn_no="P1", begntime="2026-01-01", endtime="2026-11-20"))
    (record,) = told.records
    assert (record.institution_id, record.record_id, record.patient_id) == ("H99999999999", "5205:F8", "P1")
    assert record.lines[0].facts["line.institution_id"] == "H99999999999"
    assert [note.field for note in told.notes] == ["output.feedetail[1].mdtrt_id"]


def test_all_visits_with_all_their_fees_cover_the_institution() -> None:
    """Asked for every visit up to now, and for the fees of each: from the first day on nothing is missing."""
    (covered,) = read_exchanges([VISITS, FEES], SITES).coverage
    assert (covered.patient_id, covered.institution_id) == ("P1", INSTITUTION)
    assert covered.since.date() == date(2026, 1, 1)
    assert covered.until == datetime.fromisoformat(str(VISITS["request"]["inf_time"]))


@pytest.mark.parametrize(
    "calls",
    [
        [VISITS],
        [FEES],
        [answered("5201", {"mdtrtinfo": [visit(), visit(mdtrt_id="V2")]}, psn_no="P1", begntime="2026-01-01"), FEES],
        [
            answered(
                "5201",
                {"mdtrtinfo": [visit()]},
                psn_no="P1",
                begntime="2026-01-01",
                endtime="2026-11-20",
                med_type="21",
            ),
            FEES,
        ],
        [
            answered("5201", {"mdtrtinfo": [visit()]}, psn_no="P1", begntime="2026-01-01", endtime="2026-06-30"),
            FEES,
        ],
    ],
)
def test_less_covers_nothing(calls: list[Json]) -> None:
    """Fees not asked for, a kind of visit left out or an earlier end: nothing is promised."""
    assert read_exchanges(calls, SITES).coverage == ()


def test_a_check_tells_the_lines_in_force_and_the_visits_counted() -> None:
    """A body of 3101 is history but for what is being written; o_firstItemFlag stays with its line."""
    sent = body(
        [
            line(rx_id="R1", curr_drord_flag="1"),
            line(rx_id="R0", curr_drord_flag="0", extend_order_map={"o_firstItemFlag": "1"}),
        ],
        encounter={"his_md_cnt": "月:门诊 3"},
    )
    told = read(sent)
    (record,) = told.records
    assert [each.id for each in record.lines] == ["R0"]
    assert record.lines[0].facts["line.first_line_used"] is True
    (counted,) = told.facts
    assert (counted.fact, counted.value) == ("patient.outpatient_visits_month", 3)
    assert str(counted.valid_from) == AT


def test_a_refused_call_tells_nothing() -> None:
    """What the platform did not take did not happen."""
    refused = VISITS | {"reply": VISITS["reply"] | {"infcode": "-1"}}
    told = read(refused)
    assert (told.records, told.facts) == ((), ())
    assert [note.field for note in told.notes] == ["infcode"]


def test_what_cannot_be_used_is_named_with_its_path() -> None:
    """A bad value makes one fact unknown, a row without id or time is passed over; fields nobody knows are ignored."""
    told = read(
        answered(
            "5204",
            {"feedetail": [fee(cnt="many", spare="x"), fee(fee_ocur_time="")]},
            psn_no="P1",
            mdtrt_id="V1",
        )
    )
    assert len(told.records[0].lines) == 1
    assert [note.field for note in told.notes] == ["output.feedetail[0].cnt", "output.feedetail[1].fee_ocur_time"]
    nobody = read(answered("5201", {"mdtrtinfo": [visit(psn_no="")]}))
    assert (nobody.records, [note.field for note in nobody.notes]) == ((), ["output.psn_no"])
    nameless = read(answered("5201", {"mdtrtinfo": [visit(mdtrt_id="-")]}, psn_no="P1"))
    assert [note.field for note in nameless.notes] == ["output.mdtrtinfo[0].mdtrt_id"]


def test_a_call_that_is_not_read_is_refused_and_named() -> None:
    """Nobody guesses what an unknown transaction means; of several the number is told."""
    with pytest.raises(RequestError) as refusal:
        read_exchanges([VISITS, {"infno": "5299", "input": {}}, answered("5201", "text")], SITES)
    assert [problem.field for problem in refusal.value.fields] == ["[1].infno", "[2].output"]
    assert "5204" in refusal.value.fields[0].message
    with pytest.raises(RequestError):
        read_exchange([], SITES)


@pytest.mark.parametrize("number", sorted(TRANSACTIONS))
def test_an_empty_call_of_every_transaction_is_read_or_refused(number: str) -> None:
    """No transaction fails on a body without rows."""
    told = request(number, data={"psn_no": ""}) | {"output": {}}
    if TRANSACTIONS[number].kind == "prescription":
        with pytest.raises(RequestError):
            read_exchange(told, SITES)
    else:
        assert read_exchange(told, SITES).records == ()
