"""Facts that follow once the body and the fact store are put together."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.readers import read_check_request, read_national
from negative_list.readers.past_visits import visits_of
from negative_list.readers.stored import StoreFact, supplement
from negative_list.site import Sites
from tests.builders import body, own_body, own_line

if TYPE_CHECKING:
    from negative_list.prescription import FactValue, Line, Prescription

SITES = Sites()
AT = datetime(2026, 11, 20, 10, 0)
TODAY = datetime(2026, 11, 20, 8, 0)
INSTITUTION = "H00000000000"
PACK = "81000000000000000001"


def fact(subject: str, name: str, value: FactValue, valid_from: datetime | None = TODAY) -> StoreFact:
    """A fact of the store, told this morning."""
    return StoreFact(subject=subject, fact=name, value=value, valid_from=valid_from)


def told(*facts: StoreFact, sent: dict[str, Any] | None = None, at: datetime = AT) -> Prescription:
    """A body with facts of the store put in."""
    by_subject: dict[str, tuple[StoreFact, ...]] = {}
    for each in facts:
        by_subject[each.subject] = (*by_subject.get(each.subject, ()), each)
    return supplement(read_check_request(sent or own_body(), SITES), by_subject, at)


def line_of(*facts: StoreFact, sent: dict[str, Any] | None = None, at: datetime = AT) -> Line:
    """The first line of such a body."""
    return told(*facts, sent=sent, at=at).encounter.lines[0]


@pytest.mark.parametrize(("points", "state"), [(0, "active"), (8, "active"), (9, "suspended"), (12, "ended")])
def test_points_of_this_year_tell_the_doctors_state(points: int, state: str) -> None:
    """Nine points suspend, twelve end; the state says that it was worked out."""
    line = line_of(fact("T001", "line.doctor_points", points))
    assert line.facts["line.doctor_state"] == state
    assert line.sources["line.doctor_state"] == "derived"


def test_points_of_last_year_are_cleared() -> None:
    """Points count in a natural year, unless it was told until when."""
    last_year = datetime(2025, 12, 31, 9, 0)
    assert "line.doctor_points" not in line_of(fact("T001", "line.doctor_points", 12, last_year)).facts
    dated = StoreFact(
        subject="T001", fact="line.doctor_points", value=12, valid_from=last_year, expires=datetime(2027, 1, 1)
    )
    assert line_of(dated).facts["line.doctor_points"] == 12


def test_a_state_that_is_told_wins_over_points() -> None:
    """The bureau may have ended a suspension that the points would still mean."""
    line = line_of(fact("T001", "line.doctor_points", 9), fact("T001", "line.doctor_state", "active"))
    assert line.facts["line.doctor_state"] == "active"


@pytest.mark.parametrize(("place", "here"), [(INSTITUTION, True), ("H99999999999", False)])
def test_a_doctor_is_signed_in_here_or_elsewhere(place: str, here: bool) -> None:
    """Signed in at the encounter's institution or at another."""
    line = line_of(
        fact("T001", "line.doctor_signed_in", value=True), fact("T001", "line.doctor_signed_in_institution", place)
    )
    assert line.facts["line.doctor_signed_in_here"] is here


def test_a_doctor_not_signed_in_is_not_here() -> None:
    """Without a place it is known all the same."""
    line = line_of(fact("T001", "line.doctor_signed_in", value=False))
    assert line.facts["line.doctor_signed_in_here"] is False
    assert "line.doctor_signed_in_here" not in line_of(fact("T001", "line.doctor_signed_in", value=True)).facts


def test_stock_of_ones_own_institution_counts() -> None:
    """What is told of the institution's item is more than what is told of the item."""
    code = own_line()["code"]
    here, anywhere = fact(f"{INSTITUTION}/{code}", "line.stock", 0), fact(code, "line.stock", 50, AT)
    assert line_of(here, anywhere).facts["line.stock"] == 0
    assert line_of(fact("L1", "line.stock", 3)).facts["line.stock"] == 3


def packed(*codes: str) -> dict[str, Any]:
    """A body whose line has packs with trace codes."""
    return own_body([own_line(facts={"line.trace_codes": list(codes)})])


def test_a_pack_sold_to_another_encounter_is_sold() -> None:
    """Any pack will do; the sale to the line's own encounter is none."""
    sold, other = fact(PACK, "line.trace_code_sold", value=True), fact("2", "line.trace_code_sold", value=False)
    assert line_of(sold, other, sent=packed(PACK, "2")).facts["line.trace_code_sold"] is True
    elsewhere = fact(PACK, "line.trace_code_encounter", "V-OTHER")
    assert line_of(sold, elsewhere, sent=packed(PACK)).facts["line.trace_code_sold"] is True
    own = fact(PACK, "line.trace_code_encounter", read_check_request(own_body(), SITES).encounter.id)
    assert line_of(sold, own, sent=packed(PACK)).facts["line.trace_code_sold"] is False


def test_packs_are_unsold_only_where_all_are_known() -> None:
    """A pack nobody told of may be sold."""
    unsold = fact(PACK, "line.trace_code_sold", value=False)
    assert line_of(unsold, sent=packed(PACK)).facts["line.trace_code_sold"] is False
    assert "line.trace_code_sold" not in line_of(unsold, sent=packed(PACK, "2")).facts


def test_lines_alike_are_told_alike_but_for_what_is_told_of_one() -> None:
    """A fact of one line stays with it, and the doctor of another visit is another doctor."""
    sent = own_body([own_line(id="A", facts={}), own_line(id="B", facts={})])
    other = {"id": "V0", "doctor_id": "T002", "lines": [own_line(id="C", facts={}, current=False)]}
    facts = (fact("B", "line.performed", value=False), fact("T001", "line.doctor_state", "suspended"))
    read = told(*facts, sent=sent | {"other_encounters": [other]})
    assert ["line.performed" in line.facts for line in read.encounter.lines] == [False, True]
    assert [line.facts.get("line.doctor_state") for line in read.encounter.lines] == ["suspended"] * 2
    assert "line.doctor_state" not in read.others[0].lines[0].facts


def test_an_entitlement_ends_with_its_last_day() -> None:
    """The disease of the visit must be one of the patient's, and still be."""
    sent = own_body()
    sent["encounter"]["facts"] = {"encounter.special_disease": "M00500"}
    patient = sent["patient"]["id"]
    held = fact(patient, "patient.special_diseases", ("M00500", "M01600"))
    until = fact(patient, "patient.special_diseases_until", datetime(2026, 11, 20).date())
    assert told(held, sent=sent).encounter.facts["encounter.special_disease_entitled"] is True
    assert told(held, until, sent=sent).encounter.facts["encounter.special_disease_entitled"] is True
    late = told(held, until, sent=sent, at=datetime(2026, 11, 21))
    assert late.encounter.facts["encounter.special_disease_entitled"] is False
    other = fact(patient, "patient.special_diseases", ("M01600",))
    assert told(other, sent=sent).encounter.facts["encounter.special_disease_entitled"] is False


def test_an_item_stands_on_the_list_of_a_disease() -> None:
    """The lists of an item are a fact of the item."""
    sent = own_body()
    sent["encounter"]["facts"] = {"encounter.special_disease": "M00500"}
    lists = fact(own_line()["code"], "line.special_disease_lists", ("M01600",))
    assert line_of(lists, sent=sent).facts["line.special_disease_listed"] is False


def test_a_body_alone_is_enough() -> None:
    """What follows from further facts of the body needs no store."""
    sent = own_body()
    sent["patient"]["facts"] = {"patient.weight_kg": 60, "patient.height_cm": 165}
    weights = {"encounter.dialysis_weight_before_kg": 62, "encounter.dialysis_weight_after_kg": 60}
    sent["encounter"]["facts"] = {"encounter.gestational_week": 14, **weights}
    read = read_check_request(sent, SITES)
    assert str(read.patient.facts["patient.bmi"]) == "22"
    assert str(read.patient.facts["patient.body_surface_m2"]) == "1.66"
    assert read.encounter.facts["encounter.trimester"] == 2
    assert read.encounter.facts["encounter.dialysis_weights_recorded"] is True
    assert read.encounter.sources["encounter.trimester"] == "derived"


def test_the_latest_upload_is_counted_in_whole_hours() -> None:
    """A line of the morning uploaded next day in the evening was 34 hours late."""
    late = own_line(begins="2026-01-01 09:00:00", facts={"line.uploaded_at": "2026-01-02 19:30:00"})
    read = read_check_request(own_body([own_line(), late]), SITES)
    assert read.encounter.facts["encounter.upload_delay_hours"] == 34


def test_fields_of_the_national_visit_are_followed() -> None:
    """The healing grade tells the class of the incision, and the packed counts the visits."""
    counts = "月:门诊 3,住院 0;年:门诊 20"
    visit = {"sinc_heal_lv": "4,1", "his_md_cnt": counts}
    sent = body()
    sent["input"]["data"]["patient_dtos"][0]["fsi_encounter_dtos"][0] |= visit
    read = read_national(sent, SITES)
    assert read.encounter.facts["encounter.incision_class"] == ("I", "II")
    assert read.patient.facts["patient.outpatient_visits_month"] == 3
    assert read.patient.facts["patient.admissions_month"] == 0


@pytest.mark.parametrize("text", ["", "1 3η2 0", "门诊3", "月门诊3月门诊4", "门" * 300])
def test_packed_visits_of_unknown_meaning_are_not_read(text: str) -> None:
    """A number that might mean another thing is no count."""
    assert visits_of(text) == {}
