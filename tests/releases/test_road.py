"""The road of a release, over real sockets: staged, made active, taken back, and each step kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

from reminder.v1 import reminder_pb2 as pb
from tests.releases.roads import answer, listed, rules_with, some_release, trusted
from tests.reminder.sidecar import get, running

if TYPE_CHECKING:
    from pathlib import Path

STEPS = ["receive", "verify", "validate", "self_test", "compile"]


def test_a_release_is_staged_without_touching_what_is_active_then_made_active_and_taken_back(tmp_path: Path) -> None:
    """Every step is told; answers name the release once it is active, and the list of the start after a rollback."""
    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        lists = listed(here)
        before = answer(here)
        staged = lists.stage(some_release("2026.1", rules_with(rule_id="R67-new")), why="新版")
        assert (staged.staged, staged.known, staged.older) == (True, False, False)
        assert [(step.step, step.result) for step in staged.steps] == [(step, "done") for step in STEPS]
        assert answer(here) == before == ("", "block", ["R67-men"])
        done = lists.activate("2026.1", who="王办", why="启用")
        assert (done.active.version, done.before.version, done.unconfirmed, done.forecast) == ("2026.1", "", 1, False)
        # A rule nobody confirmed warns at most.
        assert answer(here) == ("2026.1", "warn", ["R67-new"])
        back = lists.rollback()
        assert (back.active.version, back.before.version, back.unconfirmed) == ("", "2026.1", 0)
        assert answer(here) == before
        told = [(step.step, step.result, step.who, step.why) for step in lists.status().steps]
        assert told[:3] == [
            ("rollback", "done", "王办", "误拦"),
            ("activate", "done", "王办", "启用"),
            ("forecast", "skipped", "王办", "启用"),
        ]


def test_status_health_and_metrics_show_what_is_active_beside_what_was_seen_last(tmp_path: Path) -> None:
    """And why they differ, in words."""
    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        lists = listed(here)
        lists.stage(some_release("2026.1"))
        status = lists.status()
        assert (status.active.version, status.latest_seen.version) == ("", "2026.1")
        assert "lists activate 2026.1" in status.why_not_active
        told = get(here.at("admin_http"), "/readyz")[1]["release"]
        assert (told["active"]["version"], told["latest_seen"]["version"]) == ("", "2026.1")
        assert told["why_not_active"] == status.why_not_active
        assert "reminder_release_behind 1.0" in here.service.metrics.text().decode()
        lists.activate("2026.1")
        status = lists.status()
        assert (status.active.version, status.why_not_active) == ("2026.1", "")
        assert "reminder_release_behind 0.0" in here.service.metrics.text().decode()


def test_an_older_version_is_staged_but_active_only_when_asked_for(tmp_path: Path) -> None:
    """What somebody held back does not come as news."""
    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        lists = listed(here)
        lists.stage(some_release("2026.2"))
        lists.activate("2026.2")
        assert lists.stage(some_release("2026.1", rules_with(title="旧"))).older
        code, why = lists.refusal("Activate", pb.ActivateRequest(version="2026.1"))
        assert (code, "--allow-older" in why) == (grpc.StatusCode.FAILED_PRECONDITION, True)
        assert answer(here)[0] == "2026.2"
        assert lists.activate("2026.1", allow_older=True).active.version == "2026.1"
        assert answer(here)[0] == "2026.1"


def test_a_release_staged_again_is_known_and_nothing_is_done(tmp_path: Path) -> None:
    """The same version with the same digest is no error."""
    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        lists = listed(here)
        lists.stage(some_release("2026.1"))
        again = lists.stage(some_release("2026.1"))
        assert (again.staged, again.known, [step.step for step in again.steps]) == (True, True, STEPS[:2])


def test_a_version_nobody_staged_is_not_found(tmp_path: Path) -> None:
    """The nearest one is named."""
    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        listed(here).stage(some_release("2026.11.1"))
        code, why = listed(here).refusal("Activate", pb.ActivateRequest(version="2026.11.2"))
        assert (code, "`2026.11.1`" in why) == (grpc.StatusCode.NOT_FOUND, True)
        code, _ = listed(here).refusal("Activate", pb.ActivateRequest(version="latest"))
        assert code == grpc.StatusCode.INVALID_ARGUMENT
        code, _ = listed(here).refusal("Rollback", pb.RollbackRequest())
        assert code == grpc.StatusCode.FAILED_PRECONDITION


def test_a_list_issued_anew_under_a_later_version_stands_beside_the_earlier_one(tmp_path: Path) -> None:
    """What was wrong in between is passed over; either may be active, and a restart finds both."""
    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        lists = listed(here)
        for version, title in (("2026.1", "甲"), ("2026.2", "乙"), ("2026.3", "甲")):
            assert lists.stage(some_release(version, rules_with(title=title))).staged
        lists.activate("2026.1")
        assert lists.activate("2026.3").before.version == "2026.1"
        assert answer(here)[0] == "2026.3"
        assert lists.rollback().active.version == "2026.1"
        assert answer(here)[0] == "2026.1"
    with running(tmp_path, list=None) as here:
        assert [one.release.version for one in listed(here).status().staged] == ["2026.3", "2026.2", "2026.1"]
        assert listed(here).activate("2026.3").active.version == "2026.3"
        assert answer(here)[0] == "2026.3"
