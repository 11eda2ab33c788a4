"""Files of history and of facts, and how facts of the store fill in a prescription."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from negative_list.errors import DataError
from negative_list.readers import read_national
from negative_list.readers.files import read_facts, read_history, supplement
from negative_list.site import Sites
from tests.builders import DRUG, body, line

SITES = Sites()
AT = datetime(2026, 1, 1, 9)


def written(folder: Path, name: str, text: str) -> Path:
    """Write a file of the test."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(error: DataError) -> list[tuple[int, str]]:
    """Return row and field of every problem."""
    return [(problem.row, problem.path) for problem in error.problems]


def test_history_holds_lines_and_what_they_cover(tmp_path: Path) -> None:
    """The first row tells the coverage, every other one is a line in force."""
    text = f"""{{"since": "2025-01-01", "complete": false}}
{{"encounter_id": "M0", "code": "{DRUG}", "name": "维生素B1片", "begins": "2025-06-01 08:00:00", "quantity": 2}}

{{"encounter_id": "M0", "id": "R7", "name": "理疗", "begins": "2025-06-02", "facts": {{"line.site": "左膝"}}}}
"""
    told = read_history(written(tmp_path, "h.jsonl", text), SITES).of("P1")
    assert (told.since, told.complete) == (datetime(2025, 1, 1), False)
    first, second = told.lines
    assert (first.id, first.encounter_id, first.codes, first.current) == ("#history-2", "M0", (DRUG,), False)
    assert (first.facts["line.quantity"], first.facts["line.item_type"]) == (Decimal(2), "drug")
    assert (second.id, second.usable, second.has_clock, second.facts["line.site"]) == ("R7", False, False, "左膝")


def test_history_without_a_first_row_promises_nothing(tmp_path: Path) -> None:
    """Lines alone cover no time."""
    text = f'{{"encounter_id": "M0", "code": "{DRUG}", "begins": "2025-06-01"}}\n'
    told = read_history(written(tmp_path, "h.jsonl", text), SITES).of("P1")
    assert (told.since, told.complete, len(told.lines)) == (None, False, 1)


TWO_PATIENTS = f"""{{"since": "2025-01-01"}}
{{"patient_id": "P1", "complete": true}}
{{"patient_id": "P1", "id": "A", "encounter_id": "M0", "code": "{DRUG}", "begins": "2025-06-01"}}
{{"patient_id": "P2", "id": "B", "encounter_id": "M0", "code": "{DRUG}", "begins": "2025-06-02"}}
{{"id": "C", "encounter_id": "M0", "code": "{DRUG}", "begins": "2025-06-03"}}
"""


@pytest.mark.parametrize(
    ("patient", "lines", "since", "complete"),
    [
        ("P1", ["C", "A"], None, True),
        ("P2", ["C", "B"], datetime(2025, 1, 1), False),
        ("P3", ["C"], datetime(2025, 1, 1), False),
        ("", ["C"], None, False),
    ],
)
def test_history_counts_for_its_own_patient(
    tmp_path: Path, patient: str, lines: list[str], since: datetime | None, complete: bool
) -> None:
    """Rows of others do not count; what names nobody does; of a patient without id nothing is known for certain."""
    told = read_history(written(tmp_path, "h.jsonl", TWO_PATIENTS), SITES).of(patient)
    assert ([one.id for one in told.lines], told.since, told.complete) == (lines, since, complete)


def test_coverage_of_everybody_holds_for_a_patient_without_id(tmp_path: Path) -> None:
    """As long as the file names no patient either."""
    told = read_history(written(tmp_path, "h.jsonl", '{"complete": true}\n'), SITES).of("")
    assert (told.lines, told.complete) == ((), True)


def test_a_patient_of_history_is_named_or_left_out(tmp_path: Path) -> None:
    """An empty id would make the row everybody's, and two rows of coverage might say different things."""
    text = f"""{{"patient_id": "P1", "since": "2025-01-01"}}
{{"patient_id": "P1", "complete": true}}
{{"patient_id": " ", "code": "{DRUG}", "begins": "2025-06-01"}}
{{"patient_id": null, "code": "{DRUG}", "begins": "2025-06-01"}}
"""
    with pytest.raises(DataError) as caught:
        read_history(written(tmp_path, "h.jsonl", text), SITES)
    assert problems(caught.value) == [(2, ""), (3, "patient_id"), (4, "patient_id")]


def test_problems_of_history_name_row_and_field(tmp_path: Path) -> None:
    """All of them at once: no JSON, unknown keys, impossible values, missing times."""
    text = f"""{{"since": "soon"}}
{{"code": "{DRUG}", "begins": "2025-13-01"}}
{{"code": "{DRUG}", "quantitty": 1, "begins": "2025-06-01"}}
{{"code": "{DRUG}"}}
{{"begins": "2025-06-01"}}
not json
[1]
"""
    with pytest.raises(DataError) as caught:
        read_history(written(tmp_path, "h.jsonl", text), SITES)
    assert problems(caught.value) == [
        (1, "since"),
        (2, "begins"),
        (3, "quantitty"),
        (4, "begins"),
        (5, "code"),
        (6, ""),
        (7, ""),
    ]
    misspelt = "h.jsonl:3: quantitty: 没有这个字段 (no such field); 是否为 `quantity` (did you mean `quantity`?)"
    assert misspelt in str(caught.value)


def test_facts_come_as_csv_and_as_json_lines(tmp_path: Path) -> None:
    """Both kinds of file hold the same facts."""
    sheet = "subject,fact,value,unit,valid_from,expires,source\nP1,patient.weight_kg,60.5,kg,2025-12-01,,scale\n"
    rows = (
        '{"subject": "P1", "fact": "patient.weight_kg", "value": 60.5, "valid_from": "2025-12-01", "source": "scale"}'
    )
    told = [read_facts(written(tmp_path, "f.csv", sheet)), read_facts(written(tmp_path, "f.jsonl", rows))]
    assert told[0] == told[1]
    assert told[0]["P1"][0].value == Decimal("60.5")


def test_problems_of_facts_name_row_and_column(tmp_path: Path) -> None:
    """Unknown names, foreign units, impossible values and record fields are refused together."""
    sheet = """subject,fact,value,unit,expires
P1,patient.weigth_kg,60,kg,
P1,patient.weight_kg,60000,g,
P1,patient.weight_kg,-1,,
,patient.sex,男,,
L1,line.code,X,,
P1,patient.sex,男,,sometime
"""
    with pytest.raises(DataError) as caught:
        read_facts(written(tmp_path, "f.csv", sheet))
    told = [(2, "fact"), (3, "unit"), (4, "value"), (5, "subject"), (6, "fact"), (7, "expires")]
    assert problems(caught.value) == told
    assert "did you mean `patient.weight_kg`" in str(caught.value)


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    """What cannot be opened is reported like every other problem."""
    with pytest.raises(DataError, match="cannot be read"):
        read_facts(tmp_path / "none.csv")


def test_store_facts_fill_only_what_is_unknown(tmp_path: Path) -> None:
    """By the id of patient, encounter, line, doctor, institution or item, each with its source."""
    sheet = f"""subject,fact,value,source
P1,patient.sex,女,registry
P1,patient.weight_kg,60,scale
M1,encounter.nutrition_risk,1,screening
R1,line.site,左膝,orders
T001,line.doctor_state,suspended,bureau
H00000000000,encounter.institution_equipment,CT,register
{DRUG},line.stock,3,pharmacy
R9,line.site,右膝,orders
"""
    told = supplement(read_national(body(), SITES), read_facts(written(tmp_path, "f.csv", sheet)), AT)
    assert told.patient.facts["patient.sex"] == "男"
    assert told.patient.sources == {"patient.weight_kg": "scale"}
    assert told.encounter.facts["encounter.nutrition_risk"] is True
    assert told.encounter.sources["encounter.institution_equipment"] == "register"
    only = told.encounter.lines[0]
    assert (only.facts["line.site"], only.facts["line.doctor_state"], only.facts["line.stock"]) == (
        "左膝",
        "suspended",
        Decimal(3),
    )
    assert only.sources == {"line.site": "orders", "line.doctor_state": "bureau", "line.stock": "pharmacy"}


def test_store_facts_hold_in_their_time(tmp_path: Path) -> None:
    """From valid_from until before expires; of several that hold the latest counts."""
    sheet = """subject,fact,value,valid_from,expires
P1,patient.weight_kg,60,2025-01-01,
P1,patient.weight_kg,61,2025-06-01,
P1,patient.weight_kg,62,2026-01-02,
P1,patient.bmi,22,2025-01-01,2026-01-01 09:00:00
"""
    facts = read_facts(written(tmp_path, "f.csv", sheet))
    told = supplement(read_national(body([line()]), SITES), facts, AT)
    assert told.patient.facts["patient.weight_kg"] == Decimal(61)
    assert "patient.bmi" not in told.patient.facts


def test_without_facts_nothing_changes() -> None:
    """An empty store leaves the prescription as it is."""
    told = read_national(body(), SITES)
    assert supplement(told, {}, AT) is told
