"""What an entry of a decision holds: everything design section 6 lists, and nobody's name."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.policy import shipped
from reminder import wire_client
from reminder.journal.again import answer_of
from reminder.journal.brief import DecisionBrief, decode_brief
from reminder.journal.briefs import brief_of
from reminder.journal.coding import decode, encode
from reminder.journal.engine import engine
from reminder.journal.entries import Decided, Gap
from reminder.journal.masking import MASK
from tests.journal.recorded import decisions_in, entries_in, rows_in, saved_in
from tests.reminder import remembered as rem
from tests.reminder.bodies import encoded, national_body, national_order, own_body, own_line
from tests.reminder.sidecar import NOW, ask, post, running

if TYPE_CHECKING:
    from pathlib import Path

    from reminder.v1 import reminder_pb2 as pb


def body(**changes: Any) -> dict[str, Any]:
    """A body whose ids, names and numbers are told apart from everything else."""
    sent = own_body(
        own_line("R1"),
        own_line("R2", code="", name="某院内制剂 王小明 13812345678", quantity="2.50"),
        request_id="MSG-1",
        institution_id="H430100",
        **changes,
    )
    sent["patient"] |= {"id": "PATIENT-77", "facts": {"patient.name": "王小明", "patient.weight_kg": "61.5"}}
    sent["encounter"] |= {"id": "VISIT-88"}
    sent["encounter"]["diagnoses"].append({"name": "头痛（家属王 小 明 代诉，VISIT-88）"})
    return sent


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[pb.CheckResponse, Path]:
    """One decision with a block, and the data folder it was written to."""
    folder = tmp_path_factory.mktemp("journaled")
    with running(folder) as here:
        answer = ask(here, wire_client.request_of(body()))
    return answer, folder / "var"


def test_an_entry_holds_what_a_stranger_needs(written: tuple[pb.CheckResponse, Path]) -> None:
    """Schema, engine, instant and zone, facts by name, digests, idempotency key, findings on both sides, the answer."""
    answer, data = written
    (entry,) = decisions_in(data)
    (row,) = [row for row in rows_in(data) if row.kind == "decision"]
    assert (entry.schema, entry.engine, entry.at, entry.zone) == (1, engine(), NOW, "Asia/Shanghai")
    assert (entry.decision_id, entry.face, entry.institution_id) == (answer.decision_id, "grpc", "H430100")
    assert entry.decided_at == datetime(2026, 1, 1, 9)
    assert entry.prescription.patient.facts["patient.weight_kg"] == Decimal("61.5")
    assert (entry.list, entry.policy, entry.release) == (entry.list, shipped().digest, None)
    assert len(entry.list) == 64
    assert entry.request_id == "MSG-1"
    assert row.asked
    assert entry.body_digest
    (found,) = [each for each in entry.found if each.rule_id == "R67-men"]
    assert (found.own_action, found.action, found.shown, found.lines) == ("block", "block", True, ("R1",))
    assert len(found.reminders) == 1
    assert entry.answer.decision == "block"
    assert [f.finding_id for f in entry.answer.findings] == [f.finding_id for f in answer.findings]
    assert (answer.journaled, answer.receipt) == (True, row.receipt)
    assert entry.elapsed_us == answer.elapsed_us


def test_columns_and_brief_say_what_the_body_says(written: tuple[pb.CheckResponse, Path]) -> None:
    """The brief is made of the entry alone, and reading it back gives the same bytes."""
    (row,) = [row for row in rows_in(written[1]) if row.kind == "decision"]
    entry = decode(row.body)
    assert isinstance(entry, Decided)
    assert encode(entry) == row.body
    assert brief_of(entry) == row.brief
    brief = decode_brief(row.brief)
    assert isinstance(brief, DecisionBrief)
    assert (brief.decision, brief.zone_minutes, brief.visit_mode) == ("block", 480, "outpatient")
    assert [(line.id, line.quantity) for line in brief.lines] == [("R1", "1"), ("R2", "2.5")]
    assert [found.rule_id for found in brief.found if found.shown] == ["R67-men"]
    assert (row.patient_key, row.encounter_key) == (entry.prescription.patient.id, entry.prescription.encounter.id)


def test_nobody_is_named_in_any_byte(written: tuple[pb.CheckResponse, Path]) -> None:
    """No id, no name, no birth date, no number: not in the journal, and in no other file of the folder."""
    _, data = written
    (entry,) = decisions_in(data)
    assert entry.age is not None
    assert (entry.age.months, entry.age.days) == (66 * 12, None)
    assert MASK in entry.prescription.encounter.lines[1].name
    assert entry.prescription.encounter.diagnoses[-1].name == f"头痛（家属{MASK} 代诉，{MASK}）"
    files = [path for path in data.rglob("*") if path.is_file() and path.suffix != ".key"]
    for row in rows_in(data):
        for word in ("PATIENT-77", "VISIT-88", "王小明", "13812345678", "1960-01-01"):
            assert word.encode() not in row.body + row.brief
    for path in files:
        for word in ("PATIENT-77", "VISIT-88", "王小明", "13812345678"):
            assert word.encode() not in path.read_bytes()


def test_the_caller_gets_its_own_ids_back(tmp_path: Path) -> None:
    """Facts of an encounter are told under the id the caller knows, on each face."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        """
rules:
- id: R12-level
  class: R12
  title: 限二级
  trigger: {encounter: true}
  violation: {kind: fact, fact: encounter.institution_level, below: 2}
  action: warn
  message: {zh: 限二级以上医疗机构}
  basis: {document: 级别规定}
""",
        encoding="utf-8",
    )
    with running(tmp_path, list=rules) as here:
        answer = ask(here, wire_client.request_of(body(level=1)))
        reply = post(here, encoded(national_body(level="14")))[1]
    assert [seen.subject for seen in answer.findings[0].facts] == ["VISIT-88"]
    assert reply["output"]["result"][0]["mdtrt_id"] == "M1"
    assert [entry.face for entry in decisions_in(tmp_path / "var")] == ["grpc", "3101"]


def test_names_only_the_body_knows_are_masked(tmp_path: Path) -> None:
    """The operator, the patient and the doctor of a national body, wherever a text repeats them."""
    order = national_order(hilist_name="输液 李操作 赵医师 测试人", drord_dr_name="赵医师")
    sent = national_body(order, opter_name="李操作")
    sent["input"]["data"]["patient_dtos"][0]["patn_name"] = "测试人"
    with running(tmp_path) as here:
        assert post(here, encoded(sent))[1]["infcode"] == 0
    (entry,) = decisions_in(tmp_path / "var")
    assert entry.prescription.encounter.lines[0].name == f"输液 {MASK} {MASK} {MASK}"
    assert len(entry.names) == 3


def test_what_was_read_is_in_the_entry(tmp_path: Path) -> None:
    """Facts with source and time, and history, under the same keys as the prescription."""
    with running(tmp_path, list=rem.write_rules(tmp_path)) as here:
        rem.put_history(here, rem.record(), rem.COVERED)
        rem.put_facts(here, rem.fact(value="false", valid_from="2026-01-07 10:00:00"))
        rem.asked(here, rem.body())
        rem.asked(here, rem.body(rem.DRUG))
    first, second = decisions_in(tmp_path / "var")
    assert first.read
    assert first.history is not None
    assert [line.codes for line in first.history.lines] == [(rem.TEST,)]
    (told,) = second.facts
    assert (told.fact, told.value, told.source) == ("encounter.nutrition_risk", False, "nursing")
    assert told.valid_from == datetime(2026, 1, 7, 10)
    assert told.subject == second.prescription.encounter.id
    assert second.answer.decision == "warn"


def test_what_was_saved_is_in_the_journal(tmp_path: Path) -> None:
    """Its lines and diagnoses under keys; told twice it stands there once."""
    sent = body(time="2026-01-08 09:00:00")
    with running(tmp_path) as here:
        for _ in range(2):
            rem.save(here, sent)
    (entry,) = saved_in(tmp_path / "var")
    assert (entry.prescription_id, entry.revision) == ("RX1", 1)
    assert [line.encounter_id for line in entry.lines] == [entry.encounter_key] * 2
    assert MASK in entry.lines[1].name
    assert b"PATIENT-77" not in encode(entry)
    assert b"VISIT-88" not in encode(entry)


def test_what_was_saved_and_not_journaled_is_when_it_is_told_again(tmp_path: Path) -> None:
    """A sidecar that ended between the two is made good by the caller who tells it again, once."""
    sent = body(time="2026-01-08 09:00:00")
    with running(tmp_path, journal="off") as here:
        rem.save(here, sent)
    with running(tmp_path) as here:
        for _ in range(2):
            rem.save(here, sent)
    (entry,) = saved_in(tmp_path / "var")
    assert (entry.prescription_id, entry.revision) == ("RX1", 1)


def test_a_journal_that_is_off_writes_nothing(tmp_path: Path) -> None:
    """Answers say that they are not journaled."""
    with running(tmp_path, journal="off") as here:
        answer = ask(here, wire_client.request_of(own_body()))
    assert (answer.journaled, answer.HasField("receipt")) == (False, False)
    assert not (tmp_path / "var" / "journal.sqlite").exists()


def test_an_answer_that_is_not_in_time_says_so(tmp_path: Path) -> None:
    """With no budget at all the answer leaves at once; its entry is written all the same, and named as late."""
    with running(tmp_path, commit_budget_ms=0.0) as here:
        answer = ask(here, wire_client.request_of(own_body()))
    assert not answer.journaled
    (entry,) = decisions_in(tmp_path / "var")
    assert entry.decision_id == answer.decision_id
    assert answer_of(entry.answer)
    gaps = [each for each in entries_in(tmp_path / "var") if isinstance(each, Gap)]
    assert entry.late or any(answer.decision_id in gap.late for gap in gaps)
