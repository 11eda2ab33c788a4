"""History and facts as objects and rows: what a case, a message or a file tells beside the body."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.errors import RequestError
from negative_list.readers import read_check_request
from negative_list.readers.files import read_history
from negative_list.readers.past import past_of_row, read_history_object
from negative_list.readers.stored import facts_of_rows, line_subject, subjects_of, supplement
from negative_list.site import Site, Sites
from tests.builders import DRUG, own_body, own_line

if TYPE_CHECKING:
    from pathlib import Path

    from negative_list.prescription import Prescription

SITES = Sites()
AT = datetime(2026, 1, 1, 9)
VISIT = {
    "id": "V0",
    "institution_id": "H2",
    "visit_mode": "inpatient",
    "admitted_at": "2025-12-01",
    "discharged_at": "2025-12-09 10:00:00",
    "diagnoses": [{"code": "I10.X00", "name": "高血压", "main": True, "stage": "discharge"}],
    "facts": {"encounter.nutrition_risk": True},
}


def told_with(**fields: Any) -> Prescription:
    """Read our own body with other fields of its encounter."""
    return read_check_request(own_body() | {"encounter": own_body()["encounter"] | fields}, SITES)


def fields_of(told: object) -> list[str]:
    """Return the fields for which a history is refused."""
    with pytest.raises(RequestError) as caught:
        read_history_object(told, SITES)
    return [problem.field for problem in caught.value.fields]


def test_a_history_is_one_object_of_lines_visits_and_coverage() -> None:
    """Every part stands where the record says; a line and its encounter know their institution."""
    line = {"encounter_id": "V0", "institution_id": "H2", "id": "A", "code": DRUG, "begins": "2025-12-02"}
    told = read_history_object(
        {"since": "2025-01-01", "own_since": "2024-01-01", "complete": False, "lines": [line], "encounters": [VISIT]},
        SITES,
    )
    assert (told.since, told.own_since, told.complete) == (datetime(2025, 1, 1), datetime(2024, 1, 1), False)
    assert (told.lines[0].encounter_id, told.lines[0].facts["line.institution_id"]) == ("V0", "H2")
    visit = told.encounters[0]
    assert (visit.id, visit.facts["encounter.institution_id"], visit.facts["encounter.stay_days"]) == ("V0", "H2", 8)
    assert (visit.diagnoses[0].stage, visit.facts["encounter.main_diagnosis_category"]) == ("discharge", "I10")


def test_the_lines_of_an_encounter_may_stand_in_it() -> None:
    """They become lines of the history, in force, under its id; without ids they are known by their day."""
    row: dict[str, Any] = {"encounter": VISIT | {"lines": [{"code": DRUG, "begins": "2025-12-02"}]}}
    told = past_of_row(row, 3, SITES)
    assert told.problems == ()
    assert [(one.id, one.encounter_id, one.current) for one in told.lines] == [("#history-3-1", "V0", False)]
    assert told.encounters[0].lines == ()


def test_everything_wrong_with_a_history_is_named_at_once() -> None:
    """Unknown keys, missing times and ids, impossible values, each with its path."""
    wrong = {
        "sinse": "2025-01-01",
        "own_since": "soon",
        "lines": [{"encounter_id": "V0", "code": DRUG}, {"begins": "2025-01-01"}],
        "encounters": [{"visit_mode": "inpatient"}, {"id": "V", "facts": {"encounter.weigth": 1}}],
    }
    assert fields_of(wrong) == [
        "encounters[0].id",
        "encounters[1].facts.encounter.weigth",
        "lines[0].begins",
        "lines[1].code",
        "own_since",
        "sinse",
    ]
    assert fields_of([]) == ["history"]
    assert fields_of({"encounters": [{"id": "V", "lines": 3}]}) == ["encounters[0].lines"]


def test_a_key_beside_an_encounter_is_refused() -> None:
    """What belongs to it is written inside."""
    told = past_of_row({"encounter": dict(VISIT), "encounter_id": "V0"}, 1, SITES)
    assert [problem.field for problem in told.problems] == ["encounter_id"]


def test_rows_of_facts_become_facts_by_subject() -> None:
    """A value that means unknown tells nothing; wrong ones are named by their place."""
    rows: list[dict[str, object]] = [
        {"subject": "P1", "fact": "patient.weight_kg", "value": 60, "valid_from": "2025-12-01 08:00:00"},
        {"subject": "P1", "fact": "patient.sex", "value": "-"},
    ]
    told = facts_of_rows(rows)
    assert [(fact.fact, fact.value) for fact in told["P1"]] == [("patient.weight_kg", Decimal(60))]
    with pytest.raises(RequestError) as caught:
        facts_of_rows([*rows, {"subject": "P1", "fact": "patient.weigth_kg", "value": 60}])
    assert [problem.field for problem in caught.value.fields] == ["[2].fact"]


def test_a_fact_of_the_store_brings_its_time() -> None:
    """How old a value is, is counted from when it was found."""
    row = {"subject": "V1", "fact": "encounter.albumin_g_l", "value": 27, "valid_from": "2025-12-30 08:00:00"}
    told = supplement(told_with(id="V1"), facts_of_rows([row]), AT)
    assert told.encounter.times == {"encounter.albumin_g_l": datetime(2025, 12, 30, 8)}


def test_a_fact_of_the_request_may_bring_its_time() -> None:
    """At every level; without one there is no time."""
    lab = {"value": 27, "at": "2025-12-30 08:00:00"}
    line = own_line() | {"facts": {"line.days": {"value": 5, "at": "2025-12-31"}}}
    told = told_with(facts={"encounter.albumin_g_l": lab, "encounter.nutrition_risk": True}, lines=[line])
    assert told.encounter.facts["encounter.albumin_g_l"] == 27
    assert told.encounter.times == {"encounter.albumin_g_l": datetime(2025, 12, 30, 8)}
    assert told.encounter.lines[0].times == {"line.days": datetime(2025, 12, 31)}
    assert told.notes == ()


def test_an_impossible_time_leaves_the_value_without_one() -> None:
    """The value stands; a key nobody knows is refused."""
    told = told_with(facts={"encounter.albumin_g_l": {"value": 27, "at": "soon"}})
    assert (told.encounter.facts["encounter.albumin_g_l"], told.encounter.times) == (27, {})
    assert [(note.code, note.field) for note in told.notes] == [
        ("impossible_value", "encounter.facts.encounter.albumin_g_l.at")
    ]
    with pytest.raises(RequestError) as caught:
        told_with(facts={"encounter.albumin_g_l": {"value": 27, "when": "2025-12-30"}})
    assert [problem.field for problem in caught.value.fields] == ["encounter.facts.encounter.albumin_g_l.when"]


def test_a_time_belongs_to_the_value_the_body_told() -> None:
    """What the site fixes in its place was not found then."""
    site = Site(overrides={"encounter.albumin_g_l": Decimal(40)})
    sent = own_body()
    sent["encounter"]["facts"] = {"encounter.albumin_g_l": {"value": 27, "at": "2025-12-30"}}
    told = read_check_request(sent, Sites(default=site)).encounter
    assert (told.facts["encounter.albumin_g_l"], told.times) == (Decimal(40), {})


def test_lines_know_the_institution_of_their_encounter() -> None:
    """The encounter's own, else the body's."""
    sent = own_body()
    sent["other_encounters"] = [{"id": "V8", "institution_id": "H8", "lines": [own_line() | {"id": "R8"}]}]
    told = read_check_request(sent, SITES)
    lines = (told.encounter.lines[0], told.others[0].lines[0])
    assert [one.facts["line.institution_id"] for one in lines] == [sent["institution_id"], "H8"]
    assert told.encounter.facts["encounter.institution_id"] == sent["institution_id"]


def test_a_diagnosis_of_both_stages_counts_for_each() -> None:
    """The same one at admission and at discharge stands twice; an unknown stage is noted."""
    one = {"code": "I10.X00", "name": "高血压"}
    told = told_with(diagnoses=[one | {"stage": "admission"}, one | {"stage": "discharge"}, one | {"stage": "later"}])
    assert [each.stage for each in told.encounter.diagnoses] == ["admission", "discharge", ""]
    assert [note.field for note in told.notes] == ["encounter.diagnoses[2].stage"]


def test_subjects_are_all_that_facts_may_be_told_of() -> None:
    """Doctors, institutions, lines and their codes, each once and none empty; patient and encounter have keys."""
    sent = own_body()
    told = read_check_request(sent, SITES)
    line, institution = told.encounter.lines[0], sent["institution_id"]
    items = {*line.codes, str(line.facts["line.local_code"])}
    here = {f"{institution}/{name}" for name in (line.id, *items)}
    doctor = str(told.encounter.facts["encounter.doctor_id"])
    lines = {line.id, line_subject("M1", line.id)}
    assert set(subjects_of(told)) == {*lines, institution, doctor, *items, *here}
    assert {*subjects_of(told, None, {"M1": ("k1", "k2")})} >= {line_subject(key, line.id) for key in ("k1", "k2")}
    assert line.id not in subjects_of(told, ())


def test_a_history_file_holds_encounters_too(tmp_path: Path) -> None:
    """Each for its own patient."""
    path = tmp_path / "h.jsonl"
    path.write_text(
        '{"own_since": "2024-01-01"}\n{"patient_id": "P1", "encounter": {"id": "V0", "visit_mode": "inpatient"}}\n',
        encoding="utf-8",
    )
    told = read_history(path, SITES)
    assert [visit.id for visit in told.of("P1").encounters] == ["V0"]
    assert (told.of("P2").encounters, told.of("P2").own_since) == ((), datetime(2024, 1, 1))
    assert told.of("").own_since is None
