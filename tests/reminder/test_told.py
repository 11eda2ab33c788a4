"""What a sidecar refuses to be told, how long it believes it, and what it takes for the same line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reminder.config import Config
from reminder.imports import import_files
from tests.reminder.remembered import (
    DRUG,
    TEST,
    asked,
    body,
    fact,
    found,
    put_facts,
    put_history,
    record,
    save,
    write_rules,
)
from tests.reminder.sidecar import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.reminder.sidecar import Running

WEEKLY = "R31-weekly"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Running]:
    """A sidecar that knows nothing yet; its clock stands at 2026-01-01 09:00 in China."""
    with running(tmp_path, list=write_rules(tmp_path)) as started:
        yield started


def visit(*lines: dict[str, Any], encounter: str = "M1", **changes: Any) -> dict[str, Any]:
    """A body with lines of the test, each with what it changes of the usual one."""
    (line,) = body()["encounter"]["lines"]
    return body(encounter=encounter, visit={"lines": [line | one for one in lines]}, **changes)


REFUSED = [
    (fact("P1", "张三", fact="patient.name"), "fact"),
    (fact("R1", "李四", fact="line.doctor_name"), "fact"),
    (fact(institution_id=""), "institution_id"),
    (fact("R1", fact="line.take_home", institution_id=""), "institution_id"),
    (fact("T1", "M1", fact="line.trace_code_encounter", institution_id=""), "institution_id"),
    (fact("R1#2", fact="line.take_home"), "subject"),
    (fact(encounter_id="M1"), "encounter_id"),
    (fact("x" * 70_000), "subject"),
    (fact(valid_from="2026-02-01", expires="2026-01-01"), "expires"),
]


def test_facts_that_may_not_be_kept_or_could_not_be_found_are_refused(here: Running, tmp_path: Path) -> None:
    """Each names the field, and nothing of it is on the disk."""
    response = put_facts(here, *(told for told, _ in REFUSED))
    assert (response.stored, [one.field for one in response.refused]) == (0, [field for _, field in REFUSED])
    files = [file for file in (tmp_path / "var").rglob("*") if file.is_file()]
    assert files
    assert not any(name.encode() in file.read_bytes() for file in files for name in ("张三", "李四"))


def test_coverage_that_covers_nothing_is_refused(here: Running) -> None:
    """It would only take back, without a word, what was promised before."""
    told = [{"since": ""}, {"since": "2025-01-01", "until": "2024-01-01"}, {"complete": True, "until": "soon"}]
    response = put_history(here, *({"coverage": one} for one in told))
    assert [one.field for one in response.refused] == ["since", "until", "until"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"since": "2025-01-01"}, [f"?{WEEKLY}"]),
        ({"complete": True}, [f"?{WEEKLY}"]),
        ({"since": "2025-01-01", "until": "2026-01-06 09:00:00"}, []),
        ({"since": "2025-01-01", "until": "2026-01-06 08:59:59"}, [f"?{WEEKLY}"]),
    ],
)
def test_a_promise_holds_two_days_after_its_end(here: Running, told: dict[str, Any], expected: list[str]) -> None:
    """The end is when it was told where nothing else is said: here a week before the check."""
    put_history(here, {"coverage": told})
    assert found(asked(here, body())) == expected


def test_a_feed_that_goes_on_renews_its_promise(here: Running) -> None:
    """The last word counts."""
    for until, expected in (("2026-01-01", [f"?{WEEKLY}"]), ("2026-01-08", [])):
        put_history(here, {"coverage": {"since": "2025-01-01", "until": until}})
        assert found(asked(here, body())) == expected


def test_a_saved_line_without_a_time_began_when_it_was_saved(here: Running) -> None:
    """It would else lie in every window for ever."""
    save(here, visit({"begins": ""}, encounter="M0"), saved_at="2026-01-07 09:05:00")
    assert found(asked(here, body())) == [WEEKLY]
    late = visit({"begins": "2026-02-08 09:00:00"}, time="2026-02-08 09:00:00")
    put_history(here, {"coverage": {"since": "2025-01-01", "until": "2026-02-08"}})
    assert found(asked(here, late)) == []


def test_an_order_that_is_opened_again_is_the_saved_one(here: Running) -> None:
    """Its system stamps it anew; another one of that day is another one."""
    put_history(here, {"coverage": {"since": "2025-01-01", "until": "2026-01-08"}})
    save(here, body())
    assert found(asked(here, visit({"begins": "2026-01-08 09:30:00"}, time="2026-01-08 09:30:00"))) == []
    assert found(asked(here, visit({"id": "R2"}))) == [WEEKLY]


def test_prescriptions_with_the_same_line_numbers_are_all_known(tmp_path: Path) -> None:
    """Two were saved in one encounter, each with a line of one number and no time of day; the third is one too many."""
    rules = tmp_path / "twice.yaml"
    rules.write_text(write_rules(tmp_path).read_text("utf-8").replace("above: 1", "above: 2"), encoding="utf-8")
    with running(tmp_path, list=rules) as here:
        for name in ("RXA", "RXB"):
            save(here, visit({"id": "1", "begins": "2026-01-07"}, encounter="M0"), prescription_id=name)
        assert found(asked(here, body())) == [WEEKLY]


def test_a_charge_told_twice_hides_no_other(tmp_path: Path) -> None:
    """A fed line without an id is a copy of the saved one; what another feed charged that day is neither."""
    rules = tmp_path / "twice.yaml"
    rules.write_text(write_rules(tmp_path).read_text("utf-8").replace("above: 1", "above: 2"), encoding="utf-8")
    with running(tmp_path, list=rules) as here:
        save(here, visit({"begins": "2026-01-07 09:00:00"}, encounter="M0"))
        for name, line in (("A", {}), ("B", {"id": "FEE77", "begins": "2026-01-07 15:00:00"})):
            told = {"code": TEST, "name": "项目", "begins": "2026-01-07 10:00:00"} | line
            put_history(here, record(institution_id="H1", record_id=name, encounter={"id": "M0", "lines": [told]}))
        assert found(asked(here, body())) == [WEEKLY]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "subject;fact;value\nP1;patient.weight_kg;60\n", "subject;fact;value: no such column"),
        ("a.csv", "subject,fact,value\n,patient.weight_kg,60\n", "subject: missing"),
        ("a.csv", "subject,fact,value\nP1,patient.allergies,a,b\n", "more cells than"),
        ("a.jsonl", '{"subjekt": "P1", "fact": "patient.weight_kg", "value": 60}', "no such column; did you mean"),
        ("a.jsonl", '{"subjekt": "P1", "value": 60}', "subjekt: no such key; did you mean `subject`"),
        ("a.jsonl", '{"since": "2025-01-01"}', "patient_id: missing, and no other row names a patient"),
        ("a.jsonl", '{"patient_id": "P1"}', "since: nothing is covered"),
        ("a.jsonl", '{"subject": "P1", "fact": "patient.name", "value": "x"}', "`patient.name` is private"),
    ],
)
def test_a_file_that_is_misspelt_is_told_so(tmp_path: Path, name: str, text: str, said: str) -> None:
    """By what it was meant to be."""
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    (problem,) = import_files([file], Config(data=tmp_path / "var"), "H1", print)
    assert said in str(problem)


def test_a_file_speaks_of_those_it_names_up_to_its_import(tmp_path: Path) -> None:
    """Of others it cannot know whether they exist, nor of anybody what comes later."""
    file = tmp_path / "h.jsonl"
    line = {"patient_id": "P1", "encounter_id": "V0", "id": "7", "code": DRUG, "begins": "2026-01-05"}
    file.write_text(f'{{"since": "2025-01-01"}}\n{json.dumps(line)}\n', encoding="utf-8")
    with running(tmp_path, list=write_rules(tmp_path)) as here:
        assert import_files([file], Config(data=tmp_path / "var"), "H1", print) == []
        assert [found(asked(here, body(patient=name))) for name in ("P1", "P9")] == [[], [f"?{WEEKLY}"]]
        years_later = visit({"begins": "2096-01-08 09:00:00"}, time="2096-01-08 09:00:00")
        assert found(asked(here, years_later)) == [f"?{WEEKLY}"]
