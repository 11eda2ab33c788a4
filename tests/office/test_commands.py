"""The office's commands, as somebody types them."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from reminder.cli import app
from reminder.journal.engine import engine
from reminder.journal.opening import open_journal
from reminder.stores.base import Wanted
from reminder.stores.keys import Keys
from reminder.stores.opening import open_store
from tests.office.decided import DECIDED, ENCOUNTER, INSTITUTION, PATIENT, write_decision

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typer.testing import Result

    from reminder.journal.base import Row


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder, not made yet."""
    return tmp_path / "var"


def run(data: Path, *words: str, typed: str = "") -> Result:
    """The outcome of a command on the data folder."""
    return CliRunner().invoke(app, [*words, "--data", str(data)], input=typed)


def decided(data: Path) -> Row:
    """A decision in the folder's journal."""
    journal = open_journal(data)
    row = write_decision(journal, Keys.open(data / "keys"), engine=engine())
    journal.close()
    return row


def test_a_decision_is_explained(data: Path) -> None:
    """In Chinese, in English and as JSON; by the id of the decision or of a finding."""
    row = decided(data)
    chinese = run(data, "explain", row.decision_id)
    assert chinese.exit_code == 0
    assert "class-E30-doctor" in chinese.stdout
    assert "[成立]" in chinese.stdout
    assert "[true]" in run(data, "explain", row.decision_id, "--english").stdout
    told = json.loads(run(data, "explain", row.decision_id, "--format", "json").stdout)
    assert told["found"][0]["rule"]["id"] == "class-E30-doctor"
    finding = told["found"][0]["found"]["finding_id"]
    assert run(data, "explain", finding).stdout == chinese.stdout


def test_an_unknown_decision_is_told(data: Path) -> None:
    """Exit 1 and a way out, and the same where there is no journal at all."""
    decided(data)
    for folder, why in ((data, "no decision `01ABC`"), (data.parent / "wrong", "holds no journal")):
        result = run(folder, "explain", "01ABC")
        assert result.exit_code == 1
        assert why in result.stderr
    assert not (data.parent / "wrong").exists()


def test_one_thing_is_asked_at_a_time() -> None:
    """A decision, a patient or an encounter: anything else is a wrong command line."""
    assert CliRunner().invoke(app, ["explain"]).exit_code == 2
    assert CliRunner().invoke(app, ["explain", "01A", "--patient", "P1"]).exit_code == 2


def test_decisions_of_a_patient_are_listed(data: Path) -> None:
    """By the id typed, or read from standard input; the id is in no output and no file."""
    row = decided(data)
    for result in (
        run(data, "explain", "--patient", PATIENT),
        run(data, "explain", "--patient", "-", typed=f"{PATIENT}\n"),
        run(data, "explain", "--encounter", ENCOUNTER, "--institution", INSTITUTION),
        run(data, "explain", "--patient", PATIENT, "--from", "2026-11-20", "--to", "2026-11-21"),
    ):
        assert result.exit_code == 0
        assert row.decision_id in result.stdout
        assert PATIENT not in result.output
        assert ENCOUNTER not in result.output
    assert row.decision_id not in run(data, "explain", "--patient", PATIENT, "--from", "2026-11-21").stdout
    assert row.decision_id not in run(data, "explain", "--patient", "P-other").stdout
    files = [path.read_bytes() for path in data.rglob("*") if path.is_file()]
    assert [content for content in files if PATIENT.encode() in content] == []


def test_a_patient_is_found_under_every_number(data: Path) -> None:
    """The hospital's own number and that of the insurance are of one patient: whichever is typed."""
    row = decided(data)
    keys, history = Keys.open(data / "keys"), open_store(data)
    history.put_aliases([(keys.patient("psn", PATIENT), keys.patient("his", "H0042"))])
    history.close()
    for words in ((PATIENT,), ("H0042", "--id-system", "his")):
        assert row.decision_id in run(data, "explain", "--patient", *words).stdout
    assert run(data, "explain", "--patient", "H0042").exit_code == 1


def test_an_encounter_is_known_by_its_institution(data: Path) -> None:
    """Its number is that of an institution, which has to be named."""
    decided(data)
    assert run(data, "explain", "--encounter", ENCOUNTER).exit_code == 2


def test_points_are_entered_listed_and_voided(data: Path) -> None:
    """Each is an entry; the list shows where the doctor stands after it."""
    entered = run(data, "points", "add", "D1", "--points", "9", "--on", "2026-03-01", "--until", "2026-04-30")
    assert entered.exit_code == 0, entered.output
    event = entered.stdout.split()[0]
    listed = json.loads(run(data, "points", "list", "--on", "2026-04-01", "--format", "json").stdout)
    assert [(row["points"], row["state"], row["until"]) for row in listed] == [(9, "暂停", "2026-04-30")]
    assert run(data, "points", "void", event, "--why", "复核撤销").exit_code == 0
    listed = json.loads(run(data, "points", "list", "--on", "2026-04-01", "--format", "json").stdout)
    assert [(row["points"], row["state"]) for row in listed] == [(0, "正常")]
    events = json.loads(run(data, "points", "list", "--events", "--format", "json", "--english").stdout)
    assert [(row["event_id"], row["voided"], row["why"]) for row in events] == [(event, "yes", "复核撤销")]
    assert run(data, "points", "void", event).exit_code == 1
    assert run(data, "points", "void", "E-nothing").exit_code == 1


def test_points_reach_the_fact_store(data: Path) -> None:
    """What a check is told of the doctor on a day is what the ledger says."""
    run(data, "points", "add", "D1", "--points", "9", "--on", "2026-03-01", "--until", "2026-04-30")
    store = open_store(data)
    at = DECIDED.replace(tzinfo=None, month=4)
    told = store.read(Wanted(patient_key="", encounter_key="", institution_id="H1", at=at, subjects=("D1",)))
    store.close()
    facts = {fact.fact: (str(fact.value), fact.source) for fact in told.facts}
    assert facts == {
        "line.doctor_points": ("9", "points ledger"),
        "line.doctor_state": ("suspended", "points ledger"),
        "line.doctor_state_until": ("2026-04-30", "points ledger"),
    }


def test_a_file_of_points_is_entered_once(data: Path, tmp_path: Path) -> None:
    """Read again it says nothing new; a wrong row enters nothing of its file."""
    path = tmp_path / "points.csv"
    path.write_text("医师代码,记分,认定日期\nD1,3,2026-03-01\nD2,6,2026-04-01\n", "utf-8")
    assert "2 events entered" in run(data, "points", "import", str(path)).stdout
    assert "0 events entered" in run(data, "points", "import", str(path)).stdout
    path.write_text("医师代码,记分,认定日期\nD3,3,2026-03-01\nD4,99,2026-04-01\n", "utf-8")
    refused = run(data, "points", "import", str(path))
    assert refused.exit_code == 1
    assert "more than an event may give" in refused.stderr
    listed = run(data, "points", "list", "--on", "2026-05-01", "--format", "csv").stdout
    assert [line.split(",")[:3] for line in listed.splitlines()[1:]] == [["D1", "3", "正常"], ["D2", "6", "约谈"]]
    assert "0 events entered" in run(data, "points", "publish").stdout


def test_an_appeal_is_entered_and_listed(data: Path) -> None:
    """Its stages have receipts and stand in the explanation; a checkpoint covers them."""
    row = decided(data)
    finding = json.loads(run(data, "explain", row.decision_id, "--format", "json").stdout)["found"][0]["found"][
        "finding_id"
    ]
    raised = run(
        data, "appeal", finding, "--stage", "raised", "--text", "医保局扣款", "--amount", "31.5", "--who", "YB01"
    )
    assert raised.exit_code == 0, raised.output
    assert run(data, "appeal", finding, "--stage", "result").exit_code == 1
    assert run(data, "appeal", finding, "--stage", "result", "--upheld").exit_code == 0
    listed = json.loads(run(data, "appeal", "--list", "--format", "json").stdout)
    assert [(one["stage"], one["amount_yuan"], one["upheld"]) for one in listed] == [
        ("raised", "31.50", ""),
        ("result", "", "yes"),
    ]
    text = run(data, "explain", row.decision_id).stdout
    assert "申诉结果（成立）" in text
    assert "已覆盖" in text
    assert run(data, "appeal").exit_code == 2
    assert run(data, "journal", "verify").exit_code == 0


def test_a_backup_without_keys_is_restored_and_verifies_ever_after(data: Path, tmp_path: Path) -> None:
    """Its checkpoints are checked with the old public key, those that follow with a new one beside it."""
    decided(data)
    run(data, "points", "add", "D1", "--points", "9", "--on", "2026-03-01")
    archive, copy = str(tmp_path / "backup.tar.gz"), tmp_path / "copy" / "var"
    assert run(data, "backup", archive).exit_code == 0
    assert run(copy, "restore", archive).exit_code == 0
    verified = run(copy, "journal", "verify")
    assert (verified.exit_code, "is proved up to" in verified.stdout) == (0, True)
    (copy / "keys" / "0001.key").write_bytes((data / "keys" / "0001.key").read_bytes())
    assert run(copy, "points", "add", "D1", "--points", "3", "--on", "2026-03-02").exit_code == 0
    assert sorted(path.name for path in (copy / "keys").glob("journal-*")) == [
        "journal-0001.pub",
        "journal-0002.pem",
        "journal-0002.pub",
    ]
    assert run(copy, "journal", "verify").exit_code == 0
    assert sorted(path.name for path in copy.iterdir() if path.is_dir()) == ["keys"]


def first_finding(data: Path) -> str:
    """The id of a finding of a decision in the folder's journal."""
    told = json.loads(run(data, "explain", decided(data).decision_id, "--format", "json").stdout)
    return str(told["found"][0]["found"]["finding_id"])


def test_a_stage_that_cannot_be_meant_is_refused(data: Path) -> None:
    """What is written down stays: no two results in one word, no amount that is rounded, no result of no appeal."""
    finding = first_finding(data)
    enter = ("appeal", finding, "--stage")
    assert run(data, *enter, "result", "--upheld", "--rejected").exit_code == 2
    for amount in ("31.555", "-1", "1e3", "一百"):
        assert run(data, *enter, "raised", "--amount", amount).exit_code == 2
    for stage in (["answered"], ["result", "--upheld"]):
        refused = run(data, *enter, *stage)
        assert (refused.exit_code, "enter --stage raised first" in refused.stderr) == (1, True)
    assert run(data, *enter, "raised", "--amount", "31.5").exit_code == 0
    assert run(data, *enter, "answered").exit_code == 0
    assert run(data, *enter, "result", "--rejected").exit_code == 0
    assert run(data, *enter, "result", "--upheld").exit_code == 1
    assert run(data, *enter, "raised").exit_code == 0
    assert run(data, *enter, "result", "--upheld").exit_code == 0


def test_appeals_are_listed_in_the_readers_words(data: Path) -> None:
    """In Chinese unless English is asked for, by the hospital's clock; programs get codes and UTC."""
    finding = first_finding(data)
    run(data, "appeal", finding, "--stage", "raised")
    run(data, "appeal", finding, "--stage", "result", "--rejected")
    chinese, english = (run(data, "appeal", "--list", *more).stdout for more in ((), ("--english",)))
    assert [word in chinese for word in ("已提出", "结果", "不成立", "raised", "UTC")] == [True] * 3 + [False] * 2
    assert [word in english for word in ("raised", "result", "no", "UTC")] == [True] * 3 + [False]
    told = json.loads(run(data, "appeal", "--list", "--format", "json").stdout)
    assert [(one["stage"], one["upheld"]) for one in told] == [("raised", ""), ("result", "no")]
    utc, civil = datetime.fromisoformat(told[0]["at"]), " ".join(chinese.splitlines()[1].split()[:2])
    assert datetime.fromisoformat(civil) - utc == timedelta(hours=8)


def test_a_patient_or_an_encounter_nobody_decided_about_is_said(data: Path) -> None:
    """In words, with exit 1, and no empty table."""
    decided(data)
    for words in (("--patient", "NOBODY"), ("--encounter", "NONE", "--institution", INSTITUTION)):
        told = run(data, "explain", *words)
        assert (told.exit_code, told.stdout) == (1, "")
        assert "no decision of this" in told.stderr


def test_a_reader_who_has_had_enough_is_no_error(data: Path) -> None:
    """As `| head` has: the command ends in peace."""
    row = decided(data)
    for words in (("journal", "export"), ("explain", row.decision_id, "--format", "json")):
        command = [sys.executable, "-c", "from reminder.cli import app; app()", *words, "--data", str(data)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            said = process.stderr.read()
            assert (process.wait(60), said) == (0, b"")


def test_keys_are_listed_and_changed_without_being_told(data: Path, tmp_path: Path) -> None:
    """Marks and times; the secrets stand nowhere in what is printed."""
    decided(data)
    run(data, "points", "add", "D1", "--points", "1", "--on", "2026-03-01")
    assert run(data, "keys", "rotate").exit_code == 0
    listed = run(data, "keys", "list").stdout
    assert [line.split()[0] for line in listed.splitlines()] == ["0002.key", "0001.key", "journal-0001.pem"]
    secrets = [path.read_bytes() for path in (data / "keys").glob("*.key")]
    assert [secret for secret in secrets if secret.hex()[:12] in listed] == []
    out = tmp_path / "journal.pub"
    assert run(data, "keys", "public", "--out", str(out)).exit_code == 0
    assert out.read_bytes().startswith(b"-----BEGIN PUBLIC KEY-----")
    assert run(data.parent / "none", "keys", "rotate").exit_code == 1


def test_a_backup_is_restored_and_verified(data: Path, tmp_path: Path) -> None:
    """What was decided is explained from the copy in the same words, and the copy verifies."""
    row = decided(data)
    run(data, "points", "add", "D1", "--points", "9", "--on", "2026-03-01")
    archive, copy = str(tmp_path / "backup.tar.gz"), tmp_path / "copy" / "var"
    assert run(data, "backup", archive, "--with-keys").exit_code == 0
    assert run(data, "backup", archive).exit_code == 1
    restored = run(copy, "restore", archive)
    assert restored.exit_code == 0, restored.output
    assert run(copy, "explain", row.decision_id).stdout == run(data, "explain", row.decision_id).stdout
    assert run(copy, "explain", "--patient", PATIENT).stdout == run(data, "explain", "--patient", PATIENT).stdout
    assert run(copy, "points", "list").stdout == run(data, "points", "list").stdout
    assert run(copy, "journal", "verify").exit_code == 0
    assert run(copy, "restore", archive).exit_code == 1


def test_a_copy_without_keys_says_what_that_means(data: Path, tmp_path: Path) -> None:
    """Backup and restore name the secrets that are needed."""
    decided(data)
    archive = str(tmp_path / "backup.tar")
    assert "holds no keys" in run(data, "backup", archive).stderr
    restored = run(tmp_path / "copy", "restore", archive)
    assert "before a sidecar starts" in restored.stderr
    assert not list((tmp_path / "copy" / "keys").glob("*.key"))


def test_the_ledger_of_a_shared_database_is_one(databases: Callable[[], str], tmp_path: Path) -> None:
    """What is entered with one data folder is listed with another on the same database."""
    database = databases()
    folders = [tmp_path / "a", tmp_path / ("b" if database else "a")]
    for folder in folders:
        folder.mkdir(exist_ok=True)
        (folder / "settings.toml").write_text(f'store = "{database or "sqlite"}"\ndata = "var"\n', "utf-8")
    for number, folder in enumerate(folders, 1):
        words = ["points", "add", f"D{number}", "--points", str(number), "--on", "2026-03-01"]
        result = CliRunner().invoke(app, [*words, "--config", str(folder / "settings.toml")])
        assert result.exit_code == 0, result.output
    words = ["points", "list", "--on", "2026-04-01", "--format", "json", "--config", str(folders[1] / "settings.toml")]
    listed = json.loads(CliRunner().invoke(app, words).stdout)
    assert [(row["doctor_id"], row["points"]) for row in listed] == [("D1", 1), ("D2", 2)]
