"""``reminder lists`` as a shell runs it, against a sidecar."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from reminder import cli_lists
from reminder.cli import app
from reminder.v1 import reminder_pb2 as pb
from tests.releases.roads import rules_with, some_release, trusted
from tests.reminder.sidecar import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.reminder.sidecar import Running


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar that trusts the issuer."""
    folder = tmp_path_factory.mktemp("lists")
    with running(folder, trust=(trusted(folder),)) as sidecar:
        yield sidecar


def lists(here: Running, *words: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    done = CliRunner().invoke(app, ["lists", *words, "--target", here.at("admin")])
    return done.exit_code, done.output


def test_a_release_is_staged_activated_shown_and_taken_back(here: Running, tmp_path: Path) -> None:
    """Chinese unless asked otherwise; what happened is printed."""
    file = tmp_path / "a.release"
    file.write_bytes(some_release("2026.1", rules_with(rule_id="R67-new")))
    code, out = lists(here, "stage", str(file), "--who", "王办", "--why", "新版")
    assert (code, "自测  完成" in out, "2026.1 已暂存" in out, "王办" in out) == (0, True, True, True)
    code, out = lists(here, "activate", "2026.1", "--at", "2026-02-01 00:00:00", "--english")
    assert (code, "scheduled: 2026.1" in out) == (0, True)
    code, out = lists(here, "activate", "2026.1", "--at", "never")
    assert (code, "定时启用: 无" in out) == (0, True)
    code, out = lists(here, "activate", "2026.1")
    assert (code, "正在使用: 2026.1" in out, "未确认的规则 1 条" in out, "未做预测" in out) == (0, True, True, True)
    code, out = lists(here, "status")
    assert (code, "正在使用: 2026.1" in out, "可回退到: --list 指定的清单" in out) == (0, True, True)
    code, out = lists(here, "status", "--format", "json", "--steps", "1")
    told = json.loads(out)
    assert (told["active"]["version"], len(told["steps"])) == ("2026.1", 1)
    code, out = lists(here, "rollback", "--english")
    assert (code, "active: list of --list" in out, "before: 2026.1" in out) == (0, True, True)


def test_where_a_worker_still_answers_with_another_list_the_command_ends_with_1(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A script must not believe that the list is active everywhere."""
    old, new = pb.ReleaseName(version="1", digest="old"), pb.ReleaseName(version="2", digest="new")
    workers = [pb.WorkerStatus(number=number, release=release) for number, release in enumerate((new, old))]
    response = pb.RollbackResponse(activated=pb.Activated(active=new, before=old, workers=workers))
    monkeypatch.setattr(cli_lists, "_asked", lambda *_asked: response)
    told = CliRunner().invoke(app, ["lists", "rollback", "--english"])
    assert (told.exit_code, "NOT active everywhere yet (worker 1)" in told.output) == (1, True)


def test_what_is_refused_ends_with_1_and_says_why(here: Running, tmp_path: Path) -> None:
    """A broken file, one that is not there, a version nobody staged."""
    file = tmp_path / "b.release"
    file.write_bytes(some_release("2026.2")[:-20])
    code, out = lists(here, "stage", str(file))
    assert (code, "验签  失败  文件不完整" in out, "正在使用的清单不变" in out) == (1, True, True)
    code, out = lists(here, "stage", str(tmp_path / "none.release"))
    assert (code, "cannot be read" in out) == (1, True)
    code, out = lists(here, "activate", "2026.9")
    assert (code, "没有暂存版本 `2026.9`" in out) == (1, True)


def test_without_a_sidecar_the_exit_code_is_3() -> None:
    """And it says what to look at."""
    done = CliRunner().invoke(app, ["lists", "status", "--target", "127.0.0.1:1"])
    assert (done.exit_code, "is `reminder serve` running there?" in done.output) == (3, True)
