"""Forecast, comparison and the list of tomorrow over real sockets, asked by the commands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from reminder.cli import app
from reminder.v1 import reminder_pb2 as pb
from tests.releases.roads import listed, rules_with, some_release, trusted
from tests.reminder.bodies import encoded, national_body
from tests.reminder.sidecar import ask, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.reminder.sidecar import Running


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar that was asked twice, with a release staged whose rule looks for men where women were."""
    folder = tmp_path_factory.mktemp("forecast")
    with running(folder, trust=(trusted(folder),)) as sidecar:
        for sex in ("2", "1"):
            ask(sidecar, pb.CheckRequest(national_body=encoded(national_body(gend=sex))))
        coming = rules_with(**{"any_of: [女]": "any_of: [男]"})
        assert listed(sidecar).stage(some_release("2026.1", coming)).staged
        yield sidecar


def run(here: Running, *words: str) -> tuple[int, bytes, str]:
    """What a command of lists exits with and prints."""
    done = CliRunner().invoke(app, ["lists", *words, "--target", here.at("admin")])
    return done.exit_code, done.stdout_bytes, done.stderr


def told(here: Running, *words: str) -> Any:
    """The JSON a command prints."""
    code, out, err = run(here, *words, "--format", "json")
    assert code == 0, err
    return json.loads(out)


def test_a_forecast_says_what_a_release_changes_and_is_a_step_of_its_release(here: Running) -> None:
    """One is blocked no more and one is newly found; the decisions are named, and nothing became active."""
    made = told(here, "forecast", "2026.1")
    (row,) = made["rules"]
    assert (row["rule_id"], row["state"], row["newly"], row["gone"]) == ("R67-men", "changed", 1, 1)
    assert (row["before"], row["after"], row["confirmed"]) == ({"block": 1}, {"warn": 1}, {"block": 1})
    assert (made["about"]["replayed"], made["about"]["source"]) == (2, "journal")
    assert len(row["examples"]) == 2
    status = listed(here).status()
    assert (status.active.version, status.staged[0].forecast) == ("", True)
    assert [(step.step, step.result) for step in status.steps][:1] == [("forecast", "done")]
    assert "打断" in status.steps[0].detail


def test_people_read_the_conclusions_first(here: Running) -> None:
    """Chinese unless English is asked for; a page needs no script."""
    code, text, _ = run(here, "forecast", "2026.1")
    lines = text.decode().splitlines()
    assert (code, lines[0]) == (0, "预测：名单 2026.1 若于 2026-01-01 启用")
    assert any(line.startswith("* 每百次审方打断：50.0 → 50.0") for line in lines[:8])
    english = run(here, "forecast", "2026.1", "--english")[1].decode()
    assert english.startswith("Forecast: list 2026.1 if active from 2026-01-01")
    page = run(here, "forecast", "2026.1", "--format", "html")[1].decode()
    assert page.startswith("<!doctype html>")
    assert "<script" not in page
    assert run(here, "forecast", "2026.1", "--format", "csv")[1].startswith(b"\xef\xbb\xbf")
    assert run(here, "forecast", "2026.1", "--format", "xlsx")[1].startswith(b"PK")


def test_samples_are_replayed_in_place_of_the_journal(here: Running, tmp_path: Path) -> None:
    """Each is named by its line; a line that is no body is named and nothing is made."""
    file = tmp_path / "bodies.jsonl"
    file.write_bytes(encoded(national_body(gend="1")).replace(b"\n", b"") + b"\n")
    made = told(here, "forecast", "2026.1", "--samples", str(file))
    assert (made["about"]["source"], made["rules"][0]["examples"]) == ("samples", ["sample 1"])
    file.write_bytes(b'{"patient": {}}\n')
    code, _, err = run(here, "forecast", "2026.1", "--samples", str(file))
    assert code == 1
    assert "samples[1]." in err


def test_what_cannot_be_asked_is_refused_naming_the_field(here: Running) -> None:
    """A version nobody staged, a period that is none, a time that is none, a release that was never active."""
    for words, named in (
        (("forecast", "2027.1"), "2027.1"),
        (("forecast", "2026.1", "--from", "2026-02-01", "--to", "2026-01-01"), "to"),
        (("forecast", "2026.1", "--from", "x"), "from"),
        (("forecast", "2026.1", "--within", "-1"), "within_s"),
        (("tomorrow", "2026.1", "--at", "soon"), "soon"),
        (("compare", "2026.1"), "2026.1"),
    ):
        code, _, err = run(here, *words)
        assert (code, named in err) == (1, True), (words, err)


def test_the_list_of_tomorrow_names_drafts_the_release_will_stop(here: Running) -> None:
    """What was asked and not saved; who is meant is found by the decision, no patient stands there."""
    coming = told(here, "tomorrow", "2026.1")
    (row,) = coming["rows"]
    assert (row["kind"], row["rule_id"], row["action"], row["confirmed"]) == ("draft", "R67-men", "warn", "block")
    assert row["decision_id"]
    assert run(here, "tomorrow", "2026.1")[1].decode().startswith("明日清单：名单 2026.1")


def test_a_comparison_sets_the_forecast_beside_what_came(tmp_path: Path) -> None:
    """Without a forecast there is nothing to compare; with one, rates stand beside rates."""
    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        for sex in ("2", "1"):
            ask(here, pb.CheckRequest(national_body=encoded(national_body(gend=sex))))
        lists = listed(here)
        lists.stage(some_release("2026.1", rules_with(**{"any_of: [女]": "any_of: [男]"})))
        told(here, "forecast", "2026.1")
        assert lists.activate("2026.1").forecast
        ask(here, pb.CheckRequest(national_body=encoded(national_body(gend="1"))))
        made = told(here, "compare")
        assert (made["version"], made["checks"], made["foreseen_checks"]) == ("2026.1", 1, 2)
        row = next(one for one in made["rules"] if one["rule_id"] == "R67-men")
        assert (row["foreseen_per_1000"], row["found_per_1000"]) == (500.0, 1000.0)
        assert made["interruptions_per_100"] == [50.0, 100.0]
        lists.stage(some_release("2026.2", rules_with(title="另一")))
        lists.activate("2026.2")
        code, _, err = run(here, "compare")
        assert (code, "lists forecast" in err) == (1, True)
        lists.activate("2026.1", allow_older=True)
        lists.activate("2026.2")
        assert told(here, "compare", "2026.1")["checks"] == 1  # of the first time it was active
        assert " to 2026-01-01 01:00 UTC; " in run(here, "compare", "2026.1", "--english")[1].decode()
        assert [lists.rollback().active.version for _ in range(4)] == ["2026.1", "2026.2", "2026.1", ""]
        assert told(here, "compare", "2026.1")["checks"] == 1  # taken back, and no way leads there any more


def test_of_no_checks_nothing_came(tmp_path: Path) -> None:
    """Not zero, as if all had passed."""
    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        ask(here, pb.CheckRequest(national_body=encoded(national_body())))
        listed(here).stage(some_release("2026.1", rules_with(title="新")))
        told(here, "forecast", "2026.1")
        listed(here).activate("2026.1")
        page = run(here, "compare", "--english")[1].decode()
        assert "100.0 → —" in page
        assert "no check while it was active" in page
