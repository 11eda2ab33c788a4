"""What the payer's platform is told and asks, as facts: sign-in, entitlements, stock, packs, settlement lists."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.dictionary import load
from negative_list.readers import read_check_request
from negative_list.readers.exchange import read_exchange, read_exchanges
from negative_list.readers.exchange_settlement import CONTRADICTIONS, REQUIRED, SettlementList, score
from negative_list.readers.stored import StoreFact, supplement
from negative_list.site import Sites
from tests.builders import DRUG, own_body, own_line
from tests.readers.test_exchange import INSTITUTION, NOW, answered, request

if TYPE_CHECKING:
    from negative_list.prescription import FactValue

SITES = Sites()
PACK = "81000000000000000001"
TOMORROW = datetime(2026, 11, 21)

Json = dict[str, Any]


def facts_of(*calls: Json) -> dict[tuple[str, str], FactValue]:
    """The facts calls tell, by subject and name."""
    return {(fact.subject, fact.fact): fact.value for fact in read_exchanges(calls, SITES).facts}


def by_subject(*calls: Json) -> dict[str, tuple[StoreFact, ...]]:
    """The same facts as a store gives them."""
    told: dict[str, tuple[StoreFact, ...]] = {}
    for fact in read_exchanges(calls, SITES).facts:
        told[fact.subject] = (*told.get(fact.subject, ()), fact)
    return told


# -- doctors


SIGNED_IN = {
    "request": request("9001", signIn={"opter_no": "T001", "mac": "00", "ip": "0"}),
    "reply": {"infcode": "0", "output": {"signinoutb": {"sign_time": "2026-11-20 07:50:00", "sign_no": "S1"}}},
}


def test_a_sign_in_holds_for_its_day_and_place() -> None:
    """9001 tells that a doctor is there, since when, and in which institution, until midnight."""
    told = {fact.fact: fact for fact in read_exchange(SIGNED_IN, SITES).facts}
    assert {name: fact.value for name, fact in told.items()} == {
        "line.doctor_signed_in": True,
        "line.doctor_signed_in_at": datetime(2026, 11, 20, 7, 50),
        "line.doctor_signed_in_institution": INSTITUTION,
    }
    assert {(fact.subject, fact.valid_from, fact.expires) for fact in told.values()} == {
        ("T001", datetime(2026, 11, 20, 7, 50), TOMORROW)
    }


def test_a_doctor_signed_in_elsewhere_is_not_here() -> None:
    """The sign-in reaches the line of the same doctor, and says where."""
    elsewhere = SIGNED_IN | {"request": SIGNED_IN["request"] | {"fixmedins_code": "H99999999999"}}
    for call, here in ((SIGNED_IN, True), (elsewhere, False)):
        told = supplement(read_check_request(own_body(), SITES), by_subject(call), datetime(2026, 11, 20, 9))
        assert told.encounter.lines[0].facts["line.doctor_signed_in_here"] is here


# -- patients


def test_entitlements_in_force_are_one_fact_until_the_first_of_them_ends() -> None:
    """5301 tells every special disease of a patient; what has ended or not begun is left out."""
    rows = [
        {"opsp_dise_code": "M00500", "begndate": "2026-01-01", "enddate": "2026-12-31"},
        {"opsp_dise_code": "M01600", "begndate": "2026-01-01", "enddate": "2027-12-31"},
        {"opsp_dise_code": "M02000", "begndate": "2024-01-01", "enddate": "2025-12-31"},
        {"opsp_dise_code": "M03000", "begndate": "2027-01-01", "enddate": "2027-12-31"},
    ]
    (fact,) = read_exchange(answered("5301", {"feedetail": rows}, psn_no="P1"), SITES).facts
    assert (fact.subject, fact.fact) == ("P1", "patient.special_diseases")
    assert fact.value == ("M00500", "M01600")
    assert fact.expires == datetime(2027, 1, 1)


def test_no_entitlement_is_known_too() -> None:
    """An answer without rows says that there is none, for today."""
    (fact,) = read_exchange(answered("5301", {"feedetail": []}, psn_no="P1"), SITES).facts
    assert (fact.value, fact.expires) == (("none",), TOMORROW)


def test_designated_institutions_are_a_fact_of_the_patient() -> None:
    """5302 tells where a patient is designated to."""
    row = {"fixmedins_code": INSTITUTION, "begndate": "2026-01-01", "enddate": "2026-12-31"}
    told = facts_of(answered("5302", {"psnfixmedin": [row]}, psn_no="P1"))
    assert told["P1", "patient.designated_institutions"] == (INSTITUTION,)


def test_a_stay_elsewhere_is_a_fact_and_a_visit() -> None:
    """5303 tells who is in hospital, and where; nobody found is known not to be."""
    row = {"psn_no": "P1", "mdtrt_id": "V9", "fixmedins_code": "H99999999999", "begntime": "2026-11-18 09:00:00"}
    call = answered("5303", {"data": [row]}, psn_no="P1", begntime="2026-11-01", endtime="2026-11-20")
    told = facts_of(call)
    assert told["P1", "patient.in_hospital"] is True
    assert told["P1", "patient.in_hospital_at"] == ("H99999999999",)
    (record,) = read_exchange(call, SITES).records
    assert (record.institution_id, record.record_id) == ("H99999999999", "5303:V9")
    assert facts_of(answered("5303", {"data": []}, psn_no="P1")) == {("P1", "patient.in_hospital"): False}


# -- stock


def counted(amount: object, **fields: object) -> Json:
    """A count of 3501."""
    row = {"med_list_codg": DRUG, "fixmedins_hilist_id": "L1", "inv_cnt": amount, "invdate": "2026-11-09"}
    return request("3501", invinfo=[row | fields])


def sold(infno: str = "3505A", node: str = "selinfoDetail", **fields: object) -> Json:
    """A sale, or with 3506 a return."""
    row = {
        "med_list_codg": DRUG,
        "fixmedins_hilist_id": "L1",
        "fixmedins_hilist_name": "维生素B1片",
        "mdtrt_sn": "V1",
        "psn_no": "P1",
        "rxno": "RX1",
        "sel_retn_cnt": 2,
        "sel_retn_time": "2026-11-10 09:00:00",
        "trdn_flag": "0",
        "drugtracinfo": [{"drug_trac_codg": PACK}],
    }
    return request(infno, **{node: [row | fields]})


STOCK = (f"{INSTITUTION}/{DRUG}", "line.stock")


def test_the_stock_is_the_count_and_what_came_and_went_since() -> None:
    """Purchases and transfers in add, sales and transfers out take away, in the order of their times."""
    bought = {"med_list_codg": DRUG, "purc_retn_cnt": "10", "purc_retn_stoin_time": "2026-11-09 08:00:00"}
    moved = {"med_list_codg": DRUG, "inv_chg_type": "102", "cnt": 3, "inv_chg_time": "2026-11-09 12:00:00"}
    calls = [sold(), request("3503", purcinfo=bought), counted(5), request("3502", invinfo=moved)]
    assert facts_of(*calls)[STOCK] == Decimal(10)
    back = request("3504A", purcinfoDetail=bought | {"purc_retn_stoin_time": "2026-11-10 12:00:00"})
    assert facts_of(*calls, back)[STOCK] == 0
    assert facts_of(*calls, sold("3506", "selinfo", sel_retn_time="2026-11-10 13:00:00"))[STOCK] == 12


def test_batches_of_one_count_belong_together() -> None:
    """Two batches counted at one time are the stock of that time; a later count replaces both."""
    calls = [counted(5, fixmedins_bchno="A"), counted(7, fixmedins_bchno="B")]
    assert facts_of(*calls)[STOCK] == 12
    assert facts_of(*calls, counted(1, invdate="2026-11-10"))[STOCK] == 1


def test_a_stock_never_counted_is_unknown() -> None:
    """A sale says how much went, not how much there was."""
    assert STOCK not in facts_of(sold())


def test_an_item_without_national_code_is_known_by_the_hospitals_own() -> None:
    """NMLC999 stands for no code."""
    assert facts_of(counted(5, med_list_codg="NMLC999"))[f"{INSTITUTION}/L1", "line.stock"] == 5


def test_a_change_of_unknown_kind_or_amount_is_noted() -> None:
    """Nobody guesses whether the stock grew."""
    row = {"med_list_codg": DRUG, "inv_chg_type": "999", "cnt": 3, "inv_chg_time": NOW}
    notes = read_exchange(request("3502", invinfo=row), SITES).notes
    assert [(note.code, note.field) for note in notes] == [
        ("impossible_value", "input.invinfo.inv_chg_type"),
        ("not_read", "input.invinfo.cnt"),
    ]
    assert next(note.field for note in read_exchange(counted("many"), SITES).notes) == "input.invinfo[0].inv_cnt"


def test_the_stock_reaches_the_lines_of_its_institution() -> None:
    """The last box was sold: the next line of the same item finds none."""
    told = supplement(read_check_request(own_body(), SITES), by_subject(counted(2), sold()), datetime(2026, 11, 10, 10))
    assert told.encounter.lines[0].facts["line.stock"] == 0


def test_a_count_tells_the_stock_to_the_end_of_the_next_day() -> None:
    """What went since an older one may not have been told."""
    (fact,) = read_exchanges([counted(2)], SITES).facts
    assert (fact.valid_from, fact.expires) == (datetime(2026, 11, 9), datetime(2026, 11, 11))
    late = sold(sel_retn_time="2026-11-11 09:00:00")
    assert facts_of(counted(2), late)[STOCK] == 2


# -- packs


def test_a_sold_pack_is_known_by_its_trace_code() -> None:
    """3505A tells which pack went to which visit; the sale is a line of the patient's history too."""
    told = facts_of(sold())
    assert told[PACK, "line.trace_code_sold"] is True
    assert told[PACK, "line.trace_code_encounter"] == "V1"
    (record,) = read_exchange(sold(), SITES).records
    assert (record.patient_id, record.lines[0].encounter_id, record.lines[0].codes) == ("P1", "V1", (DRUG,))


@pytest.mark.parametrize(
    "packs", [{"drugtracinfo": {"drug_trac_codg": PACK}}, {"drugtracinfo": "", "drug_trac_codg": PACK}]
)
def test_older_layouts_of_trace_codes_are_read(packs: Json) -> None:
    """One object in place of the list, and the flat field of before 2024-08."""
    assert facts_of(sold(**packs))[PACK, "line.trace_code_sold"] is True


def test_a_pack_of_a_split_box_may_come_again() -> None:
    """Where the box was split the code tells nothing; a returned pack is unsold."""
    assert (PACK, "line.trace_code_sold") not in facts_of(sold(trdn_flag="1"))
    returned = sold("3506A", sel_retn_time="2026-11-12 09:00:00")
    told = supplement(
        read_check_request(own_body([own_line(facts={"line.trace_codes": [PACK]})]), SITES),
        by_subject(sold(mdtrt_sn="V8"), returned),
        datetime(2026, 11, 20),
    )
    assert told.encounter.lines[0].facts["line.trace_code_sold"] is False


def test_a_sale_the_platform_did_not_take_is_none() -> None:
    """Each line has its own answer beside that of the call."""
    reply = {"infcode": 0, "output": {"result": [{"retRslt": "0", "msgRslt": "追溯码重复"}]}}
    told = read_exchange(sold(), SITES, reply=reply)
    assert (told.records, told.facts) == ((), ())


@pytest.mark.parametrize(("reply", "sold_"), [([], False), ([{"drugTracCodg": PACK, "mdtrtId": "V5"}], True)])
def test_a_query_by_trace_code_tells_sold_or_not(reply: list[Json], sold_: bool) -> None:
    """3513 answers the sales of a pack; none is known not to be sold."""
    told = facts_of(answered("3513", reply, drug_trac_codg=PACK))
    assert told[PACK, "line.trace_code_sold"] is sold_


# -- settlement lists


def settlement(**fields: object) -> Json:
    """A whole settlement list of a stay of seven days."""
    head = {row.field: "1" for row in REQUIRED if not row.where}
    head |= {
        "psn_no": "P1",
        "mdtrt_id": "V1",
        "adm_time": "2026-11-01 08:00:00",
        "dscg_time": "2026-11-08 10:00:00",
        "wm_dise_code": "I63.900",
        "age": "66",
        "lv1_nurscare_days": "8",
    }
    return head | fields


MAIN = {"diag_type": "1", "diag_code": "I63.900", "diag_name": "脑梗死", "maindiag_flag": "1"}


def test_a_whole_settlement_list_loses_no_points() -> None:
    """Nothing missing and nothing contradictory are known to be none."""
    call = request("4101", setlinfo=settlement(), diseinfo=[MAIN])
    told = facts_of(call)
    assert told["V1", "encounter.settlement_missing"] == ("none",)
    assert told["V1", "encounter.settlement_contradictions"] == ("none",)
    assert told["V1", "encounter.settlement_points_off"] == 0
    (record,) = read_exchange(call, SITES).records
    assert record.encounter is not None
    assert record.encounter.diagnoses[0].main
    assert record.encounter.facts["encounter.level1_nursing_days"] == 8


@pytest.mark.parametrize("required", [row for row in REQUIRED if not row.where], ids=lambda row: row.field)
def test_a_missing_field_costs_its_points(required: Any) -> None:
    """Each field that is not there is named, and what it costs is taken off."""
    head = {key: value for key, value in settlement().items() if key != required.field}
    told = score(SettlementList(head=head, diagnoses=(MAIN,)))
    assert required.field in told["encounter.settlement_missing"]  # type: ignore[operator]
    assert told["encounter.settlement_points_off"] == required.points
    assert told["encounter.missing_fields"] == 1


BROKEN: dict[str, Json] = {
    "dscg_time-adm_time": {"head": {"dscg_time": "2026-10-01 08:00:00", "lv1_nurscare_days": ""}},
    "maindiag_flag": {"diagnoses": (MAIN, MAIN)},
    "wm_dise_code-maindiag_flag": {"head": {"wm_dise_code": "I10.x00"}},
    "nurscare_days-stay": {"head": {"lv1_nurscare_days": "9"}},
    "age-nwb": {"head": {"nwb_bir_wt": "3200"}},
    "icuinfo-stay": {"units": ({"scs_cutd_ward_type": "1", "scs_cutd_exit_time": "2026-11-09 08:00:00"},)},
    "oprninfo-stay": {
        "operations": ({"oprn_oprt_code": "1", "oper_dr_code": "1", "oprn_oprt_begntime": "2026-10-31 08:00:00"},)
    },
    "vent_used_dura-stay": {"head": {"vent_used_dura": "8/00/00"}},
    "dscg_way-days_rinp_flag_31": {"head": {"dscg_way": "5", "days_rinp_flag_31": "2"}},
}


@pytest.mark.parametrize("contradiction", CONTRADICTIONS, ids=lambda row: row.name)
def test_each_contradiction_is_found_alone(contradiction: Any) -> None:
    """One field changed breaks one rule, and costs its points."""
    parts: Json = {"diagnoses": (MAIN,)} | BROKEN[contradiction.name]
    told = score(SettlementList(**parts | {"head": settlement(**parts.get("head", {}))}))
    assert told["encounter.settlement_contradictions"] == (contradiction.name,)
    assert told["encounter.settlement_points_off"] == contradiction.points


def test_a_newborn_needs_its_weights() -> None:
    """What has to be there depends on who it is."""
    told = score(SettlementList(head=settlement(age="0", age_days="3"), diagnoses=(MAIN,)))
    assert told["encounter.settlement_missing"] == ("nwb_adm_type", "nwb_adm_wt", "nwb_bir_wt")
    assert told["encounter.settlement_points_off"] == 5


def test_every_field_and_contradiction_has_its_word_in_the_dictionary() -> None:
    """What a finding names can be read by the office."""
    named = {
        "missing": {row.field: row.zh for row in REQUIRED},
        "contradictions": {c.name: c.zh for c in CONTRADICTIONS},
    }
    for kind, words in named.items():
        assert load()[f"encounter.settlement_{kind}"].words == {"none": "无"} | words
