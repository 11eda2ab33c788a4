"""The fact dictionary: complete, consistent, and strict about what a value may be."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from negative_list.dictionary import HELD, ImpossibleValueError, load, parse_time, parse_value
from negative_list.errors import UnknownNameError

# Every field of tables 2.1 to 2.6 of the national interface.
NATIONAL = {
    "data": "patient_dtos rule_ids trig_scen syscode task_id",
    "patient_dtos": "patn_id patn_name gend brdy poolarea curr_mdtrt_id fsi_encounter_dtos fsi_his_data_dto",
    "fsi_encounter_dtos": (
        "mdtrt_id medins_id medins_name medins_admdvs medins_type medins_lv wardarea_codg wardno bedno adm_date "
        "dscg_date dscg_main_dise_codg dscg_main_dise_name fsi_diagnose_dtos dr_codg adm_dept_codg adm_dept_name "
        "dscg_dept_codg dscg_dept_name med_mdtrt_type med_type fsi_order_dtos matn_stas medfee_sumamt ownpay_amt "
        "selfpay_amt acct_payamt ma_amt hifp_payamt setl_totlnum insutype reim_flag out_setl_flag fsi_operation_dtos "
        "dise_no dise_name sinc_heal_lv his_md_cnt"
    ),
    "fsi_diagnose_dtos": "dise_id inout_dise_type maindise_flag dias_srt_no dise_codg dise_name dise_date",
    "fsi_order_dtos": (
        "rx_id rxno grpno long_drord_flag hilist_type chrg_type drord_bhvr hilist_code hilist_name hilist_dosform "
        "hilist_lv hilist_pric lv1_hosp_item_pric lv2_hosp_item_pric lv3_hosp_item_pric hilist_memo hosplist_code "
        "hosplist_name hosplist_dosform cnt pric sumamt ownpay_amt selfpay_amt spec spec_unt drord_begn_date "
        "drord_stop_date drord_dept_codg drord_dept_name drord_dr_codg drord_dr_name drord_dr_profttl curr_drord_flag "
        "extend_order_map"
    ),
    "fsi_order_dtos.extend_order_map": (
        "o_prdDays o_minPacCnt o_minPrepunt o_minPacUnt o_drugSpec o_firstItemFlag o_sinDosDscr o_used_frqu_dscr"
    ),
    "fsi_operation_dtos": (
        "setl_list_oprn_id oprn_code oprn_name main_oprn_flag oprn_date anst_way oper_dr_name oper_dr_code "
        "anst_dr_name anst_dr_code"
    ),
}
CANONICAL = frozenset(
    {
        "patient.sex",
        "patient.birth_date",
        "patient.pool_area",
        "patient.weight_kg",
        "patient.retired",
        "encounter.visit_mode",
        "encounter.insurance",
        "encounter.institution_level",
        "encounter.institution_type",
        "encounter.med_type",
        "encounter.scene",
        "encounter.admitted_at",
        "encounter.discharged_at",
        "encounter.stay_days",
        "encounter.department_code",
        "encounter.department_name",
        "encounter.ward",
        "encounter.bed",
        "encounter.doctor_id",
        "encounter.fertility",
        "encounter.cross_region",
        "encounter.special_disease",
        "encounter.total_fen",
        "encounter.onset_at",
        "encounter.nutrition_risk",
        "encounter.rescue",
        "line.quantity",
        "line.unit",
        "line.unit_price_fen",
        "line.list_price_fen",
        "line.amount_fen",
        "line.item_type",
        "line.charge_type",
        "line.list_level",
        "line.rx_no",
        "line.group_no",
        "line.long_order",
        "line.days",
        "line.dose_text",
        "line.frequency_text",
        "line.first_line_used",
        "line.spec",
        "line.dosage_form",
        "line.doctor_id",
        "line.doctor_title",
        "line.department_code",
        "line.paid_by",
        "line.full_price",
        "line.incision",
        "line.site",
        "line.take_home",
        "line.payment_condition_met",
        "encounter.diagnoses",
        "encounter.operations",
        "history",
        "line.code",
        "line.begins",
    }
)


def test_every_field_of_the_national_interface_has_a_fact() -> None:
    """Each field of 3101 is named as the source of at least one fact."""
    named = {path for fact in load().values() for path in fact.national}
    wanted = {f"{table}.{field}" for table, fields in NATIONAL.items() for field in fields.split()}
    assert wanted - named == set()


def test_the_names_others_rely_on_are_there() -> None:
    """Names that lists, needs and messages use exist."""
    assert [name for name in CANONICAL if name not in load()] == []


@pytest.mark.parametrize("name", list(load()))
def test_an_entry_agrees_with_itself(name: str) -> None:
    """Words have labels, code tables lead to values of the fact, units stand where numbers are."""
    fact = load()[name]
    assert fact.zh
    assert bool(fact.words) or fact.type != "word", "a word needs its words"
    assert fact.unit or fact.type not in {"integer", "number", "money"} or fact.name == "encounter.institution_level"
    assert fact.holder in {*HELD, "diagnosis", "operation", "request", "history"}
    for table in (fact.values, *fact.variants.values()):
        for code, value in table.items():
            assert code == (code.lstrip("0") or "0")
            assert value == "" or parse_value(fact, value) is not None


def test_labels_of_a_fact_are_distinct() -> None:
    """A word may be given by its Chinese label, so no two words share one."""
    shared = [f.name for f in load().values() if len(set(f.words.values())) != len(f.words)]
    assert shared == []


def test_an_unknown_name_offers_the_nearest() -> None:
    """A slip in a fact's name is met with the name that was probably meant."""
    with pytest.raises(UnknownNameError, match=r"no fact is called `line\.quantitty`; did you mean `line.quantity`"):
        load().get("line.quantitty")


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("patient.sex", "男", "男"),
        ("patient.sex", "0", None),
        ("encounter.visit_mode", "住院", "inpatient"),
        ("encounter.insurance", "maternity, employee", ("employee", "maternity")),
        ("encounter.insurance", ["resident"], ("resident",)),
        ("encounter.scene", "23", ("23",)),
        ("line.quantity", "2.50", Decimal("2.5")),
        ("line.quantity", 1000.0, Decimal(1000)),
        ("line.quantity", "0", None),
        ("line.unit_price_fen", 1250, 1250),
        ("line.days", "7", 7),
        ("line.long_order", 1, True),
        ("line.long_order", "否", False),
        ("line.long_order", False, False),
        ("patient.birth_date", "1960-01-02 00:00:00", date(1960, 1, 2)),
        ("patient.birth_date", "1900-01-01", None),
        ("encounter.onset_at", "2026-01-01T01:00:00Z", datetime(2026, 1, 1, 9)),
        ("encounter.onset_at", "9999-12-31 00:00:00", None),
        ("line.site", " 左膝 ", "左膝"),
        ("line.site", "--", None),
        ("line.rx_no", 12, "12"),
        ("line.rx_no", None, None),
    ],
)
def test_values_are_read_as_people_write_them(name: str, raw: object, value: object) -> None:
    """Texts, numbers, labels, placeholders and times become the fact's own value or unknown."""
    assert parse_value(load()[name], raw) == value


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("patient.sex", "7"),
        ("line.days", -1),
        ("line.quantity", "abc"),
        ("line.quantity", float("nan")),
        ("line.quantity", 10**400),
        ("line.quantity", "9" * 5000),
        ("line.quantity", [1]),
        ("line.days", "1.5"),
        ("line.long_order", "2"),
        ("encounter.institution_level", 4),
        ("patient.birth_date", "2026-13-45"),
        ("patient.birth_date", "昨天"),
        ("encounter.onset_at", "9999-12-30T23:00:00-23:00"),
        ("line.site", "左\x00膝"),
        pytest.param("line.site", "\ud800", id="lone surrogate"),
        ("line.site", {"a": 1}),
        ("encounter.diagnoses", "I10"),
    ],
)
def test_impossible_values_say_why(name: str, raw: object) -> None:
    """What the fact cannot be is refused with a reason in Chinese."""
    with pytest.raises(ImpossibleValueError, match=r"[一-鿿]"):
        parse_value(load()[name], raw)


@pytest.mark.parametrize(
    ("raw", "moment"),
    [
        ("2026-01-01 09:00:00", (datetime(2026, 1, 1, 9), True)),
        ("2026-01-01", (datetime(2026, 1, 1), False)),
        ("2026/1/5 8:03", (datetime(2026, 1, 5, 8, 3), True)),
        ("20260101090000", (datetime(2026, 1, 1, 9), True)),
        ("2026-01-01T09:00:00.123", (datetime(2026, 1, 1, 9), True)),
        ("2026-01-01T09:00:00+08:00", (datetime(2026, 1, 1, 9), True)),
        ("2026年1月5日", (datetime(2026, 1, 5), False)),
    ],
)
def test_times_come_in_every_spelling(raw: str, moment: tuple[datetime, bool]) -> None:
    """Civil times with or without a clock, and instants with an offset, are told apart."""
    assert parse_time(raw) == moment
