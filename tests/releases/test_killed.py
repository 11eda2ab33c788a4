"""A sidecar killed at any moment of the road: the old or the new stands, and the next start says what happened."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from threading import Thread
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from reminder.releases.folder import Folder
from reminder.v1 import reminder_pb2 as pb
from tests.releases.roads import Lists, rules_with, some_release, trusted
from tests.reminder.bodies import encoded, national_body, write_list
from tests.reminder.sidecar import PATIENT, stub
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent.parent
ANYWHERE = tuple(f"--{face}=127.0.0.1:0" for face in ("grpc", "http", "admin", "admin-http"))
RULES = {"": "R67-men", "2026.1": "R67-one", "2026.2": "R67-two"}
"""The rule that finds, by the release that is named."""

KILLS = 4


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """The settings of every start."""
    lines = [f"{name} = {value}" for name, value in PATIENT.items()]
    lines += [f'trust = ["{trusted(tmp_path)}"]', f'list = "{write_list(tmp_path)}"', f'data = "{tmp_path / "var"}"']
    file = tmp_path / "settings.toml"
    file.write_text("\n".join(lines), "utf-8")
    return file


@contextlib.contextmanager
def serving(settings: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A sidecar in a process of its own, and the line it said when it served."""
    words = [sys.executable, "-m", "reminder.cli", "serve", "--config", str(settings), *ANYWHERE]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        try:
            lines = map(loaded, process.stdout)
            yield process, next(line for line in lines if line["event"] == "serving")
        finally:
            process.kill()


def on_the_road(target: str) -> None:
    """Stage and activate in turn until nobody answers."""
    lists = Lists(target)
    with contextlib.suppress(grpc.RpcError):
        while True:
            for version in ("2026.1", "2026.2"):
                lists.stage(some_release(version, rules_with(rule_id=RULES[version])))
                lists.activate(version, allow_older=True, who="test")
            lists.rollback()


def test_a_kill_at_any_moment_leaves_the_old_or_the_new_standing(settings: Path) -> None:
    """Every start comes up, answers by a whole release and names it, and nothing half done is left."""
    draw, seen = Random(5), set[str]()
    for _ in range(KILLS):
        with serving(settings) as (process, said):
            seen.add(assert_whole(said["grpc"], settings.parent / "var"))
            road = Thread(target=on_the_road, args=(said["admin"],))
            road.start()
            time.sleep(draw.uniform(0.1, 3.0))
            process.kill()
            road.join(LONG_S)
    with serving(settings) as (_, said):
        seen.add(assert_whole(said["grpc"], settings.parent / "var"))
        status = Lists(said["admin"]).status()
        assert {step.result for step in status.steps} <= {"done", "failed", "skipped"}
        lists = Lists(said["admin"])
        lists.stage(some_release("2026.9", rules_with(rule_id="R67-nine")))
        assert lists.activate("2026.9").active.version == "2026.9"
    assert seen <= RULES.keys()


def assert_whole(target: str, data: Path) -> str:
    """A woman given a drug for men is answered by one release, which is told."""
    with stub(target) as call:
        told = call(pb.CheckRequest(national_body=encoded(national_body())), timeout=LONG_S)
    assert [found.rule_id for found in told.findings] == [RULES[told.release]]
    folder = Folder(data)
    standing = folder.read_standing()
    assert standing.coming is None
    assert (standing.active.version if standing.active is not None else "") == told.release
    assert not list(folder.incoming.iterdir())
    return str(told.release)


def loaded(line: str) -> dict[str, Any]:
    """A line of the log; anything else is what went wrong."""
    try:
        told: dict[str, Any] = json.loads(line)
    except ValueError:
        raise AssertionError(line) from None
    return told
