"""``reminder journal verify | export | remove`` as they are typed."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reminder.cli import app
from reminder.journal.base import NO_HASH
from reminder.journal.checkpoints import CHECKPOINTS_FILE, Checkpointer
from reminder.journal.naming import chain_name
from reminder.journal.opening import JOURNAL_FILE, open_journal
from reminder.journal.writer import append_in_turn
from tests.journal.tampering import entries, raw_on
from tests.journal.test_retention import entry

RUNNER = CliRunner()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a journal of eight entries and a checkpoint."""
    folder = tmp_path / "data"
    store = open_journal(folder)
    append_in_turn(store, chain_name(folder), entries(8))
    Checkpointer(folder / CHECKPOINTS_FILE, folder / "keys", lambda: datetime(2026, 1, 5, 1, 1, tzinfo=UTC)).make(store)
    store.close()
    return folder


def run(*words: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    done = RUNNER.invoke(app, ["journal", *map(str, words)])
    return done.exit_code, done.stdout, done.stderr


def test_verify_says_what_is_proved(data: Path) -> None:
    """Exit 0, and for each chain up to where nothing is missing."""
    code, out, err = run("verify", "--data", data)
    chain = chain_name(data)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"chain `{chain}`: 8 entries, 1 to 8; that none is missing is proved up to 8 (2026-01-05T01:01:00Z)",
        f"sound: 8 entries in 1 chains, 1 signed lines in {data / CHECKPOINTS_FILE}",
    ]


def test_verify_of_a_journal_that_was_changed_names_the_entry(data: Path) -> None:
    """Exit 1."""
    raw_on(data / JOURNAL_FILE)("UPDATE entry SET institution_id = 'H7' WHERE id & 1023 = 3")
    code, out, _ = run("verify", "--data", data)
    assert code == 1
    assert f"chain `{chain_name(data)}` entry 3: it, or the one before, is not what was written" in out
    assert f"chain `{chain_name(data)}`: 8 entries, 1 to 8; 1 problems, as said above" in out
    assert "NOT SOUND, 1 problems" in out
    assert "proved" not in out


def test_verify_trusts_only_the_keys_it_is_given(data: Path, tmp_path: Path) -> None:
    """Who does not trust the machine brings the key along; without a checkpoint nothing is proved of the end."""
    elsewhere = tmp_path / "elsewhere"
    Checkpointer(elsewhere / "x.jsonl", elsewhere / "keys", lambda: datetime(2026, 1, 5, tzinfo=UTC)).make(
        open_journal(data)
    )
    code, out, _ = run("verify", "--data", data, "--trust", elsewhere / "keys" / "journal-0001.pub")
    assert code == 1
    assert "which is not among those trusted" in out
    assert "no checkpoint covers it" in out
    code, out, _ = run("verify", "--data", data, "--trust", data / "keys" / "journal-0001.pub")
    assert code == 0


def test_a_wrong_folder_is_no_empty_journal(tmp_path: Path) -> None:
    """None is made."""
    code, out, err = run("verify", "--data", tmp_path / "nowhere")
    assert (code, out) == (1, "")
    assert "no journal in" in err
    assert not (tmp_path / "nowhere").exists()


def test_a_stranger_can_make_every_hash_again_from_an_export(data: Path, tmp_path: Path) -> None:
    """With SHA-256, JSON and Base64 alone, as the documentation says."""
    out = tmp_path / "journal.jsonl"
    code, _, err = run("export", "--data", data, "--out", out)
    assert (code, err) == (0, "8 entries exported\n")
    before = NO_HASH
    for raw in out.read_bytes().splitlines():
        said = json.loads(raw)
        body = raw[raw.index(b',"entry":') + len(b',"entry":') : -1]
        brief = base64.b64decode(said["brief"])
        names = ("kind", "at", "decision_id", "institution_id", "patient_key", "encounter_key", "asked")
        arrays = [[said["chain"], said["seq"]], [*(said[name] for name in names), len(brief)]]
        written = [json.dumps(array, ensure_ascii=False, separators=(",", ":")).encode() for array in arrays]
        before = hashlib.sha256(b"".join((before, *written, brief, body))).digest()
        assert (said["hash"], said["receipt"]) == (before.hex(), before.hex()[:16])


def test_an_export_has_what_can_be_read(data: Path, tmp_path: Path) -> None:
    """What cannot is named and left out, with exit 1; deriving again counts it."""
    raw = raw_on(data / JOURNAL_FILE)
    raw("UPDATE body SET content = CAST(X'c3281b5b' AS TEXT) WHERE id & 1023 = 5")
    raw("DELETE FROM body WHERE id & 1023 = 7")
    out = tmp_path / "journal.jsonl"
    code, _, err = run("export", "--data", data, "--out", out)
    assert [json.loads(line)["seq"] for line in out.read_bytes().splitlines()] == [1, 2, 3, 4, 6, 8]
    assert [line.split(":")[0] for line in err.splitlines()[:3]] == [
        f"entry 5 of chain `{chain_name(data)}` is damaged",
        f"entry 7 of chain `{chain_name(data)}` is damaged",
        "6 entries exported",
    ]
    assert (code, "2 entries cannot be read and are left out" in err, "\x1b" in err) == (1, True, False)
    raw("UPDATE entry SET kind = 'decision' WHERE id & 1023 = 5")
    code, told, _ = run("rederive", "--data", data)
    assert (code, "1 cannot be read" in told) == (1, True)


def test_an_export_has_the_days_and_kinds_asked_for(data: Path) -> None:
    """From the first day up to the day after the period, civil days of the site."""
    store = open_journal(data)
    append_in_turn(
        store,
        chain_name(data),
        [entry(datetime(2026, 1, 6, 15, 59, 59, tzinfo=UTC) + timedelta(seconds=n)) for n in range(2)],
    )
    store.close()
    code, out, _ = run("export", "--data", data, "--from", "2026-01-06", "--to", "2026-01-07", "--kind", "list")
    assert (code, [json.loads(line)["seq"] for line in out.splitlines()]) == (0, [9])
    assert run("export", "--data", data, "--kind", "lists")[0] == 2
    assert run("export", "--data", data, "--from", "yesterday")[0] == 2


def test_remove_takes_out_old_months_only(data: Path) -> None:
    """Days of the last half year stay unless the settings say otherwise; what is left is sound."""
    today = str(datetime.now(UTC).date())
    code, _, err = run("remove", "--data", data, "--before", today)
    assert (code, "a payer may still ask" in err) == (1, True)
    config = data / "reminder.toml"
    config.write_text('data = "."\njournal_days_below_180 = true\n', "utf-8")
    code, out, err = run("remove", "--config", config, "--before", "2026-02-01")
    assert (code, err) == (0, "8 entries removed in 1 spans\n")
    assert out == f"{chain_name(data)} 1-8 2026-01-05 2026-01-05\n"
    code, out, _ = run("verify", "--data", data)
    assert code == 0
    assert f"chain `{chain_name(data)}`: 0 entries; 1 to 8 were taken out with a signed record" in out
