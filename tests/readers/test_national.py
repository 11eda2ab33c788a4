"""The national body, as clients really send it, to a prescription."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from negative_list.errors import RequestError
from negative_list.prescription import Diagnosed, Line, Operated, Prescription
from negative_list.readers import read_national
from negative_list.readers.limits import MAX_LINES, MAX_NOTES, MAX_TEXT_BYTES
from negative_list.readers.rows import has_own_id
from negative_list.site import Site, Sites
from tests.builders import AT, DRUG, HERB, body, diagnosis, line

SITES = Sites()
HOSPITAL = "H00000000000"


def read(sent: dict[str, Any], site: Site | None = None, at: datetime | None = None) -> Prescription:
    """Read a body at a site, by default one that says nothing."""
    return read_national(sent, Sites(default=site) if site else SITES, at)


def one_line(**fields: object) -> Line:
    """Read a body of one line with these national fields."""
    return read(body([line(**fields)])).encounter.lines[0]


def encounter_facts(**fields: object) -> dict[str, Any]:
    """Read the facts of an encounter with these national fields."""
    return dict(read(body(encounter=fields)).encounter.facts)


def refusal(sent: dict[str, Any]) -> list[str]:
    """Return the fields for which a body is refused."""
    with pytest.raises(RequestError) as caught:
        read(sent)
    return [problem.field for problem in caught.value.fields]


def notes(sent: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return code, line and field of every note."""
    return [(note.code, note.line, note.field.rpartition(".")[2]) for note in read(sent).notes]


def test_the_body_of_the_interface_becomes_a_prescription() -> None:
    """Patient, encounter, diagnosis, line and their facts stand where the records say, without a note."""
    told = read(body())
    assert told.request_id == "H00000000000202601010900000001"
    assert told.institution_id == "H00000000000"
    assert told.at == datetime(2026, 1, 1, 9)
    assert told.notes == ()
    assert told.patient.id == "P1"
    assert told.patient.facts["patient.sex"] == "男"
    assert told.patient.facts["patient.birth_date"] == date(1960, 1, 1)
    assert told.encounter.id == "M1"
    assert told.encounter.diagnoses == (Diagnosed(codes=("I10.X00",), name="高血压", main=True, stage="admission"),)
    assert told.encounter.facts["encounter.visit_mode"] == "outpatient"
    assert told.encounter.facts["encounter.insurance"] == ("employee",)
    assert told.encounter.facts["encounter.institution_level"] == 3
    assert told.encounter.facts["encounter.scene"] == ("2",)
    assert "encounter.fertility" not in told.encounter.facts
    assert "encounter.discharged_at" not in told.encounter.facts


def test_a_line_holds_its_facts_in_the_dictionarys_words() -> None:
    """Money is fen, quantities exact, codes words; record fields stand in the record and not among the facts."""
    told = one_line(extend_order_map={"o_prdDays": "7", "o_firstItemFlag": "1", "o_sinDosDscr": "10mg"})
    assert (told.id, told.encounter_id, told.codes, told.usable, told.name) == ("R1", "M1", (DRUG,), True, "维生素B1片")
    assert (told.begins, told.has_clock, told.stops, told.current) == (datetime(2026, 1, 1, 9), True, None, True)
    expected = {
        "line.quantity": Decimal(1),
        "line.unit": "瓶",
        "line.unit_price_fen": 1250,
        "line.amount_fen": 1250,
        "line.item_type": "drug",
        "line.charge_type": "western-drug",
        "line.list_level": "乙",
        "line.doctor_title": "attending",
        "line.long_order": False,
        "line.paid_by": "fund",
        "line.full_price": True,
        "line.days": 7,
        "line.first_line_used": True,
        "line.dose_text": "10mg",
        "line.dosage_form": "片剂",
    }
    assert {name: told.facts.get(name) for name in expected} == expected
    assert not {"line.id", "line.code", "line.name", "line.begins", "line.stops", "line.current"} & told.facts.keys()
    assert told.sources == dict.fromkeys(("line.days_less_one_pack", "line.dose", "line.dose_unit"), "derived")


@pytest.mark.parametrize("blank", ["", "-", "--", None, " "])
def test_placeholders_mean_unknown_for_every_scalar(blank: object) -> None:
    """A body whose every scalar is a placeholder is read, knows nothing, and complains only of the missing codes."""
    empty = dict.fromkeys(line(), blank)
    sent = body([empty], patient={"gend": blank, "brdy": blank, "patn_id": blank}, encounter={"mdtrt_id": blank})
    told = read(sent)
    assert told.encounter.lines[0].facts == {"line.institution_id": HOSPITAL}
    assert told.encounter.lines[0].current
    assert told.encounter.lines[0].id == "#1"
    assert "patient.sex" not in told.patient.facts
    assert [note.code for note in told.notes] == ["unknown_code"]


def test_missing_fields_are_no_errors() -> None:
    """A line that only says what it is is judged by that."""
    told = read(body([{"hilist_code": HERB}], encounter={"fsi_diagnose_dtos": None, "fsi_operation_dtos": ""}))
    item = {"line.item_type": "herb", "line.generic": HERB}
    assert told.encounter.lines[0].facts == item | {"line.institution_id": HOSPITAL}


@pytest.mark.parametrize(("sent", "level"), [("01", 3), ("2", 3), (5, 2), ("08", 1), ("11", 0), ("14", 1)])
def test_the_level_is_read_by_the_grade_table(sent: object, level: int) -> None:
    """medins_lv is the table of fourteen grades unless the site says otherwise, padded or not."""
    assert encounter_facts(medins_lv=sent)["encounter.institution_level"] == level


def test_a_site_may_read_plain_levels() -> None:
    """With the plain table, 2 is level 2."""
    site = Site(tables={"encounter.institution_level": {"1": 1, "2": 2, "3": 3}})
    assert read(body(), site).encounter.facts["encounter.institution_level"] == 2


@pytest.mark.parametrize(
    ("fields", "mode"),
    [
        ({"med_type": "11"}, "outpatient"),
        ({"med_type": "13"}, "emergency"),
        ({"med_type": "1301"}, "emergency"),
        ({"med_type": "140104"}, "outpatient"),
        ({"med_type": "2101"}, "inpatient"),
        ({"med_type": "52"}, "inpatient"),
        ({"med_type": "51"}, "outpatient"),
        ({"med_type": "3101"}, "inpatient"),
        ({"med_type": "41"}, "pharmacy"),
        ({"med_type": "9901"}, "outpatient"),
        ({"med_type": "", "med_mdtrt_type": "2"}, "inpatient"),
        ({"med_type": "", "med_mdtrt_type": "210"}, "inpatient"),
        ({"med_type": "77", "med_mdtrt_type": "3"}, "pharmacy"),
        ({"med_type": "", "med_mdtrt_type": "4"}, None),
        ({"pay_loc": "5"}, "internet"),
        ({"reim_flag": "5"}, "internet"),
        ({"out_setl_flag": 5}, "internet"),
    ],
)
def test_the_visit_mode_comes_from_what_is_most_telling(fields: dict[str, object], mode: str | None) -> None:
    """Pay location 5, else the medical category by its beginning, else the visit kind."""
    assert encounter_facts(**fields).get("encounter.visit_mode") == mode


def test_pay_location_5_counts_wherever_it_is_put() -> None:
    """Envelope, data and patient may carry it as well as the encounter."""
    in_data = body()
    in_data["input"]["data"]["pay_loc"] = "5"
    bodies = [body(pay_loc="5"), body(patient={"pay_loc": "5"}), in_data]
    assert [read(b).encounter.facts["encounter.visit_mode"] for b in bodies] == ["internet"] * 3


def test_a_distrusted_category_does_not_decide() -> None:
    """Where a site distrusts the constant med_type, the visit kind tells the mode and maternity is not added."""
    site = Site(untrusted=frozenset({"encounter.med_type"}))
    facts = read(body(encounter={"med_type": "52", "med_mdtrt_type": "1"}), site).encounter.facts
    assert facts["encounter.visit_mode"] == "outpatient"
    assert facts["encounter.insurance"] == ("employee",)


def test_categories_that_contradict_the_visit_kind_are_noted() -> None:
    """The category decides, and the caller is told that the two fields disagree."""
    sent = body(encounter={"med_type": "21", "med_mdtrt_type": "1"})
    assert read(sent).encounter.facts["encounter.visit_mode"] == "inpatient"
    assert notes(sent) == [("conflict", "", "med_mdtrt_type")]


@pytest.mark.parametrize(
    ("fields", "insurance"),
    [
        ({"insutype": "390"}, ("resident",)),
        ({"insutype": "310", "med_type": "52"}, ("employee", "maternity")),
        ({"insutype": "510", "med_type": "51"}, ("maternity",)),
        ({"insutype": "310,510"}, ("employee", "maternity")),
        ({"insutype": ""}, None),
    ],
)
def test_insurance_may_be_several(fields: dict[str, object], insurance: tuple[str, ...] | None) -> None:
    """Maternity categories add maternity insurance to the one that is sent."""
    assert encounter_facts(**fields).get("encounter.insurance") == insurance


@pytest.mark.parametrize(
    ("fields", "payer"),
    [
        ({"ownpay_amt": 12.5}, "self"),
        ({"ownpay_amt": "12.50", "sumamt": "12.5"}, "self"),
        ({"ownpay_amt": 5}, "fund"),
        ({"ownpay_amt": 0, "sumamt": 0, "pric": 0}, None),
        ({"ownpay_amt": ""}, None),
        ({"self_paying_flag": 1}, "self"),
        ({"hosp_appr_flag": "2"}, "self"),
        ({"hosp_appr_flag": "0"}, "fund"),
    ],
)
def test_who_pays_is_read_from_the_amounts(fields: dict[str, object], payer: str | None) -> None:
    """Own pay of the whole amount, a self-pay mark or a refused approval is self; unknown amounts are unknown."""
    assert one_line(**fields).facts.get("line.paid_by") == payer


def test_an_amount_that_was_not_sent_is_quantity_times_price() -> None:
    """Zero stands for an empty number, and half a fen rounds up."""
    assert one_line(sumamt=0, cnt="3", pric="0.125", ownpay_amt="").facts["line.amount_fen"] == 39
    assert one_line(sumamt=0, cnt=0).facts.get("line.amount_fen") is None


def test_full_price_needs_both_prices() -> None:
    """A unit price at the list price is full, below it is not, and an empty list price says nothing."""
    told = [one_line(pric=p, hilist_pric=q).facts.get("line.full_price") for p, q in ((5, 5), (4, 5), (5, 0))]
    assert told == [True, False, None]


@pytest.mark.parametrize(
    ("title", "word"),
    [("231", "chief"), ("5", "chief"), ("233", "attending"), ("3", "attending"), (2, "physician"), ("-", None)],
)
def test_titles_of_both_code_sets_are_read(title: object, word: str | None) -> None:
    """The five of the standard and the older single digits mean the same titles."""
    assert one_line(drord_dr_profttl=title).facts.get("line.doctor_title") == word


def test_a_bare_day_has_no_clock() -> None:
    """A begin without a time of day is known to its day only."""
    told = one_line(drord_begn_date="2026-01-01")
    assert (told.begins, told.has_clock) == (datetime(2026, 1, 1), False)


@pytest.mark.parametrize("end", ["2026-01-01 08:50:00", "9999-12-31 00:00:00", "1900-01-01 00:00:00", None])
def test_a_discharge_that_is_none_is_unknown(end: object) -> None:
    """Clients fill the discharge of a patient in hospital with placeholders or with the admission."""
    assert "encounter.discharged_at" not in encounter_facts(dscg_date=end, med_type="21", med_mdtrt_type="2")


def test_days_of_stay_count_to_discharge_or_to_now() -> None:
    """An inpatient's days run to the discharge where it is known, else to the instant of the check."""
    staying = {"med_type": "21", "med_mdtrt_type": "2", "adm_date": "2025-12-28 10:00:00"}
    assert encounter_facts(**staying)["encounter.stay_days"] == 4
    assert encounter_facts(**staying, dscg_date="2025-12-30 09:00:00")["encounter.stay_days"] == 2


def test_line_ids_are_made_unique() -> None:
    """An id stands where it is unique in the body; else its place follows, over all lines of the encounter."""
    sent = body([line(rx_id="A"), line(rx_id="B"), line(rx_id="A", curr_drord_flag="0"), line(rx_id="")])
    assert [told.id for told in read(sent).encounter.lines] == ["A#1", "B", "A#3", "#4"]


def test_line_ids_are_unique_over_encounters_too() -> None:
    """Lines without an id in another encounter carry that encounter's id."""
    other = {"mdtrt_id": "M0", "fsi_order_dtos": [line(rx_id="")]}
    told = read(body([line(rx_id="")], others=[other]))
    assert [told.encounter.lines[0].id, told.others[0].lines[0].id] == ["#1", "M0/#1"]


def test_an_encounter_that_comes_for_every_line_names_each_of_them_shortly() -> None:
    """A client that makes an encounter of each line, all of one id: a name that grew with each took a minute."""
    count = 300
    others = [{"mdtrt_id": "M0", "fsi_order_dtos": [line(rx_id="R")]} for _ in range(count)]
    told = read(body([line(rx_id="R")], others=others))
    ids = [each.lines[0].id for each in (told.encounter, *told.others)]
    assert ids[:4] == ["R#1", "M0/R#1", "M0/2/R#1", "M0/3/R#1"]
    assert len(set(ids)) == count + 1
    assert max(map(len, ids)) < 20
    assert not any(map(has_own_id, ids))


def test_the_current_encounter_is_the_named_one_else_the_last() -> None:
    """Other encounters of the patient are kept apart, and their lines are in force."""
    others: list[dict[str, Any]] = [{"mdtrt_id": "M0", "fsi_order_dtos": [line(rx_id="R0")]}, {"mdtrt_id": "M2"}]
    named = read(body(others=others, patient={"curr_mdtrt_id": "M1"}))
    assert (named.encounter.id, [o.id for o in named.others]) == ("M1", ["M0", "M2"])
    assert not named.others[0].lines[0].current
    assert read(body(others=others, patient={"curr_mdtrt_id": "M9"})).encounter.id == "M1"
    assert read(body(others=others, patient={"curr_mdtrt_id": "M0"})).encounter.id == "M0"


def choices(sent: dict[str, Any]) -> list[tuple[str, str]]:
    """Code and field of the notes about who and what was judged."""
    return [(note.code, note.field) for note in read(sent).notes if note.code in {"conflict", "not_checked"}]


@pytest.mark.parametrize(
    ("named", "noted"),
    [("M1", []), ("", []), ("-", []), ("M9", [("conflict", "input.data.patient_dtos[0].curr_mdtrt_id")])],
)
def test_a_current_encounter_that_is_not_there_is_noted(named: str, noted: list[tuple[str, str]]) -> None:
    """The last one is judged, which the caller did not ask for; where none is named there is nothing to say."""
    assert choices(body(patient={"curr_mdtrt_id": named})) == noted


def test_a_second_patient_is_passed_over_with_a_note() -> None:
    """One body is about one patient: the first is judged, and the note counts the others."""
    sent = body()
    people = sent["input"]["data"]["patient_dtos"]
    people += [people[0] | {"patn_id": "P2", "gend": "2"}, {}]
    told = read(sent)
    assert told.patient.facts["patient.sex"] == "男"
    assert choices(sent) == [("not_checked", "input.data.patient_dtos[1]")]
    assert any("其余 2 位未检查" in note.message for note in told.notes)


EMPTY: list[Any] = ["", None, [], [""], [None], "[]", "{}", "null", "-", 0, False, ["-", "null"], " [] "]


@pytest.mark.parametrize("value", EMPTY, ids=repr)
@pytest.mark.parametrize("key", ["fsi_operation_dtos", "fsi_diagnose_dtos"])
def test_a_placeholder_for_a_set_is_an_empty_one(key: str, value: object) -> None:
    """2.8: programs write them for what is not there, also as a text; the orders are checked all the same."""
    sent = body([line(rx_id="R1")], encounter={key: value})
    told = read(sent).encounter
    assert [each.id for each in told.lines] == ["R1"]
    empty = read(body([line(rx_id="R1")], encounter={key: []})).encounter
    assert (told.operations, told.diagnoses) == (empty.operations, empty.diagnoses)


@pytest.mark.parametrize("value", [None, "", "-", [], 0])
def test_a_placeholder_among_orders_is_none(value: object) -> None:
    """The paths of the others keep their places."""
    sent = body([value, line(rx_id="R1", cnt="abc")])  # type: ignore[list-item]
    assert [each.id for each in read(sent).encounter.lines] == ["R1"]
    fields = [note.field for note in read(sent).notes]
    path = "input.data.patient_dtos[0].fsi_encounter_dtos[0].fsi_order_dtos"
    assert fields == [f"{path}[0]", f"{path}[1].cnt"]  # a line that was lost on the way is not passed over in silence


def test_lines_without_a_flag_are_current() -> None:
    """Only a flag of 0 says that a line is in force already."""
    sent = body([line(rx_id=str(n), curr_drord_flag=flag) for n, flag in enumerate(("1", 1, "", None, "0", 0))])
    assert [told.current for told in read(sent).encounter.lines] == [True, True, True, True, False, False]


def test_single_objects_stand_for_lists() -> None:
    """Patient, encounter and order may be objects; paths then have no number."""
    sent = body([line(cnt="abc")])
    person = sent["input"]["data"]["patient_dtos"][0]
    visit = person["fsi_encounter_dtos"][0]
    visit["fsi_order_dtos"] = visit["fsi_order_dtos"][0]
    sent["input"]["data"]["patient_dtos"] = person | {"fsi_encounter_dtos": visit}
    assert [n.field for n in read(sent).notes] == ["input.data.patient_dtos.fsi_encounter_dtos.fsi_order_dtos.cnt"]


def test_diagnoses_are_merged_and_the_main_one_added() -> None:
    """The same code and name count once; a main diagnosis that is not in the list joins it."""
    sent = body(
        diagnoses=[
            diagnosis("E11.900", "2型糖尿病"),
            diagnosis("e11.900", "2型糖尿病", main=True),
            diagnosis("0815", "本院码"),
        ],
        encounter={"dscg_main_dise_codg": "I63.9", "dscg_main_dise_name": "脑梗死"},
    )
    assert read(sent).encounter.diagnoses == (
        Diagnosed(codes=("E11.900",), name="2型糖尿病", main=True, stage="admission"),
        Diagnosed(name="本院码", stage="admission"),
        Diagnosed(codes=("I63.9",), name="脑梗死", main=True),
    )


def test_a_diagnosis_that_states_something_else_stands_alone() -> None:
    """The same code under a name in doubt is another statement."""
    sent = body(diagnoses=[diagnosis("I10", "高血压"), diagnosis("I10", "高血压待排")])
    assert [d.name for d in read(sent).encounter.diagnoses] == ["高血压", "高血压待排"]


def test_a_local_code_without_name_is_still_a_diagnosis() -> None:
    """Nobody can decide by it, so it must not vanish from the list."""
    told = read(
        body(diagnoses=[diagnosis("0815", "")], encounter={"dscg_main_dise_codg": "", "dscg_main_dise_name": ""})
    )
    assert told.encounter.diagnoses == (Diagnosed(name="0815", stage="admission"),)


def test_operations_hold_their_codes() -> None:
    """Usable operation codes in upper case, local ones by name only."""
    rows = [{"oprn_code": "66.2100x001", "oprn_name": "结扎", "main_oprn_flag": "1"}, {"oprn_name": "换药"}]
    assert read(body(operations=rows)).encounter.operations == (
        Operated(codes=("66.2100X001",), name="结扎", main=True),
        Operated(name="换药"),
    )


@pytest.mark.parametrize("code", ["ABC123", "NMLC999", "", None])
def test_an_unknown_code_passes_with_a_note(code: object) -> None:
    """A line without a national code is read, not usable, and the caller is told."""
    sent = body([line(hilist_code=code)])
    told = read(sent).encounter.lines[0]
    assert (told.usable, told.facts["line.item_type"]) == (False, "drug")
    assert notes(sent) == [("unknown_code", "R1", "hilist_code")]


@pytest.mark.parametrize(
    ("fields", "fact"),
    [
        ({"cnt": "9e15"}, "line.quantity"),
        ({"cnt": "abc"}, "line.quantity"),
        ({"cnt": [1]}, "line.quantity"),
        ({"pric": "1,5"}, "line.unit_price_fen"),
        ({"spec": "10\x00mg"}, "line.spec"),
        ({"hilist_type": "999"}, "line.item_type"),
        ({"long_drord_flag": "7"}, "line.long_order"),
    ],
)
def test_an_impossible_value_is_unknown_and_noted(fields: dict[str, object], fact: str) -> None:
    """The check goes on without the fact, and the note names line and field."""
    sent = body([line(**{"sumamt": 0, "hilist_code": "本院"} | fields)])
    assert fact not in read(sent).encounter.lines[0].facts
    assert ("impossible_value", "R1", next(iter(fields))) in notes(sent)


def test_impossible_values_of_the_patient_are_noted() -> None:
    """A sex nobody has, and a birth after the visit, are unknown."""
    told = read(body(patient={"gend": "7", "brdy": "2026-01-02"}))
    assert not {"patient.sex", "patient.birth_date"} & told.patient.facts.keys()
    assert [note.field for note in told.notes] == ["input.data.patient_dtos[0].gend", "input.data.patient_dtos[0].brdy"]
    assert all("未知" in note.message for note in told.notes)


def test_the_future_is_that_of_the_decision() -> None:
    """Born on the day of the check is possible; the instant given counts before the body's own time."""
    newborn = body(patient={"brdy": "2026-01-01"})
    assert read(newborn).patient.facts["patient.birth_date"] == date(2026, 1, 1)
    assert "patient.birth_date" not in read(newborn, at=datetime(2025, 12, 31)).patient.facts


@pytest.mark.parametrize("day", ["2026-13-45", "昨天", "2026-02-30 10:00:00"])
def test_a_day_that_is_none_is_unknown(day: str) -> None:
    """A line with an impossible begin has no time and a note."""
    sent = body([line(drord_begn_date=day)])
    assert read(sent).encounter.lines[0].begins is None
    assert notes(sent) == [("impossible_value", "R1", "drord_begn_date")]


def test_a_stop_before_the_begin_is_unknown() -> None:
    """A line cannot end on a day before it began; on the same day clients send only the date."""
    assert notes(body([line(drord_stop_date="2025-12-30")])) == [("impossible_value", "R1", "drord_stop_date")]
    assert one_line(drord_stop_date="2026-01-01").stops == datetime(2026, 1, 1)


def test_facts_carry_what_the_interface_lacks() -> None:
    """Facts at patient, encounter and line level are read in the dictionary's words and win over the fields."""
    sent = body([line(facts={"line.days": 14, "line.site": "左膝"})], patient={"facts": {"patient.weight_kg": "60.50"}})
    sent["input"]["data"]["patient_dtos"][0]["fsi_encounter_dtos"][0]["facts"] = {"encounter.visit_mode": "emergency"}
    told = read(sent)
    assert told.encounter.lines[0].facts["line.days"] == 14
    assert told.patient.facts["patient.weight_kg"] == Decimal("60.5")
    assert told.encounter.facts["encounter.visit_mode"] == "emergency"


def test_unknown_facts_are_refused_with_the_nearest_name() -> None:
    """A slip in a fact's name, or a fact at the wrong level, is the caller's to mend; all are named at once."""
    sent = body([line(facts={"line.dayz": 1, "patient.sex": "男", "line.code": "X"})])
    with pytest.raises(RequestError) as caught:
        read(sent)
    path = "input.data.patient_dtos[0].fsi_encounter_dtos[0].fsi_order_dtos[0].facts"
    assert [p.field for p in caught.value.fields] == [f"{path}.{n}" for n in ("line.dayz", "patient.sex", "line.code")]
    assert "did you mean `line.days`" in caught.value.fields[0].message


def test_an_impossible_fact_is_unknown_and_noted() -> None:
    """A fact given with an impossible value takes the field's value with it."""
    sent = body([line(facts={"line.quantity": "abc"})])
    assert "line.quantity" not in read(sent).encounter.lines[0].facts
    assert read(sent).notes[0].field.endswith("facts.line.quantity")


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "input"),
        ({"input": []}, "input"),
        ({"input": {"data": ""}}, "input.data"),
        ({"input": {"data": {}}}, "input.data.patient_dtos"),
        ({"input": {"data": {"patient_dtos": []}}}, "input.data.patient_dtos"),
        ({"input": {"data": {"patient_dtos": "P1"}}}, "input.data.patient_dtos"),
        ({"input": {"data": {"patient_dtos": [1]}}}, "input.data.patient_dtos[0]"),
        (body(patient={"fsi_encounter_dtos": []}), "input.data.patient_dtos[0].fsi_encounter_dtos"),
        (body([]), "input.data.patient_dtos[0].fsi_encounter_dtos[0].fsi_order_dtos"),
        (body([line(curr_drord_flag=0)]), "input.data.patient_dtos[0].fsi_encounter_dtos[0].fsi_order_dtos"),
        (body(["R1"]), "input.data.patient_dtos[0].fsi_encounter_dtos[0].fsi_order_dtos[0]"),  # type: ignore[list-item]
    ],
)
def test_what_is_no_prescription_is_refused_by_field(sent: dict[str, Any], field: str) -> None:
    """Without patient, encounter or current line in an order scene there is nothing to judge."""
    assert refusal(sent) == [field]


@pytest.mark.parametrize("scene", ["1", "3", "8", "6,7"])
def test_other_scenes_need_no_current_line(scene: str) -> None:
    """Registration and settlement are judged without new orders."""
    sent = body([])
    sent["input"]["data"]["trig_scen"] = scene
    assert read(sent).encounter.lines == ()


@pytest.mark.parametrize(
    ("scene", "flags", "current"),
    [
        *((scene, "00", [True, True]) for scene in ("6", "7", "8", "9", "10", "6,7")),
        ("9", "10", [True, False]),
        ("9", "01", [False, True]),
        ("1", "00", [False, False]),
        ("3", "00", [False, False]),
    ],
)
def test_what_is_paid_for_is_judged_although_every_order_is_in_force(
    scene: str, flags: str, current: list[bool]
) -> None:
    """5.1, 2.5 row 34: at settlement no order is being written, and a pass that judged none would be no pass."""
    sent = body([line(rx_id=str(n), curr_drord_flag=flag) for n, flag in enumerate(flags)])
    sent["input"]["data"]["trig_scen"] = scene
    assert [told.current for told in read(sent).encounter.lines] == current
    saved = read_national(sent, SITES, saved=True)
    assert [told.current for told in saved.encounter.lines] == [flag == "1" for flag in flags]


def test_too_many_lines_are_refused() -> None:
    """The limit itself is read, one line more is not."""
    assert len(read(body([line()] * MAX_LINES)).encounter.lines) == MAX_LINES
    assert refusal(body([line()] * (MAX_LINES + 1))) == [
        "input.data.patient_dtos[0].fsi_encounter_dtos[0].fsi_order_dtos"
    ]


def test_a_text_over_the_limit_is_refused() -> None:
    """The limit counts bytes of UTF-8."""
    path = "input.data.patient_dtos[0].fsi_encounter_dtos[0].fsi_order_dtos[0].hilist_name"
    assert refusal(body([line(hilist_name="药" * (MAX_TEXT_BYTES // 3 + 1))])) == [path]
    assert read(body([line(hilist_name="a" * MAX_TEXT_BYTES)])).encounter.lines[0].id == "R1"


def test_a_key_nobody_looks_at_may_hold_as_much_as_it_likes() -> None:
    """A picture or a signature beside a prescription is passed over with its key, at every level."""
    long = "药" * (1024 * 1024)
    sent = body([line(picture=long)], patient={"photo": long}, encounter={"signed": long}, opter_name=long, zz=long)
    sent["input"]["data"] |= {"rule_ids": long, "picture": long}
    sent["input"]["picture"] = long
    told = read(sent)
    assert [each.id for each in told.encounter.lines] == ["R1"]
    assert (told.notes, long in told.names) == ((), False)


@pytest.mark.parametrize("where", ["msgid", "patn_name", "dise_name", "wardno", "trig_scen"])
def test_eight_megabytes_of_text_are_refused_wherever_they_are_read(where: str) -> None:
    """Envelope, data, patient, encounter and diagnosis are held to the same limit."""
    long = "药" * (8 * 1024 * 1024 // 3)
    in_data = body()
    in_data["input"]["data"]["trig_scen"] = long
    bodies = {
        "msgid": body(msgid=long),
        "patn_name": body(patient={"patn_name": long}),
        "dise_name": body(diagnoses=[diagnosis(name=long)]),
        "wardno": body(encounter={"wardno": long}),
        "trig_scen": in_data,
    }
    assert [field.rpartition(".")[2] for field in refusal(bodies[where])] == [where]


def test_notes_have_a_limit() -> None:
    """A body full of unusable values is told so once, with how many more there are."""
    told = read(body([line(rx_id=str(n), cnt="abc") for n in range(MAX_NOTES + 50)])).notes
    assert len(told) == MAX_NOTES + 1
    assert (told[-1].code, "50" in told[-1].message) == ("more_notes", True)


def test_what_was_met_before_does_not_change_what_is_read() -> None:
    """Columns remember values; true, 1 and 1.0 mean the same whichever came first, as number and as text."""
    sent = (True, 1, 1.0, Decimal("1.0"), "1")
    for order in (sent, sent[::-1]):
        site = Site()
        told = [read(body([line(cnt=raw, rxno=raw)]), site).encounter.lines[0].facts for raw in order]
        assert [(str(f["line.quantity"]), f["line.rx_no"]) for f in told] == [("1", "1")] * len(sent)


def test_reading_leaves_the_body_alone() -> None:
    """The same body reads the same twice."""
    sent = body([line(extend_order_map={"o_prdDays": 7})])
    assert read(sent) == read(sent)
    assert sent == body([line(extend_order_map={"o_prdDays": 7})])


def test_the_bodys_time_is_its_own() -> None:
    """A given instant is judged at, and does not stand for the body's time."""
    assert read(body(inf_time=""), at=datetime(2026, 5, 1)).at is None
    assert read(body(), at=datetime(2026, 5, 1)).at == datetime.fromisoformat(AT)
