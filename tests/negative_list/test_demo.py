"""The demo: a list, a sidecar, samples beside their twins, the decisions, and an end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from negative_list.rules import ACTIONS, Action

if TYPE_CHECKING:
    from reminder.demo import Answer

demo = pytest.importorskip("reminder.demo", reason="the sidecar's extra is not installed")


def answer(name: str, decision: Action, twin_of: str = "") -> Answer:
    """One sample and what was answered."""
    sample = {"twin_of": twin_of} if twin_of else {}
    made: Answer = demo.Answer(file=Path(f"{name}.json"), sample=sample, decision=decision, messages=(), elapsed_us=1)
    return made


EVERY = [answer(action, action) for action in ACTIONS]


def test_a_demo_that_shows_everything_has_no_problems() -> None:
    """Each decision was seen, and each twin is milder than its sample."""
    assert list(demo._problems([*EVERY, answer("t", "remind", "warn")])) == []  # noqa: SLF001 (what the demo promises)


def test_what_a_demo_did_not_show_is_told() -> None:
    """A missing decision and a twin that is no milder end the demo with a problem each."""
    told = list(demo._problems([*EVERY[:3], answer("t", "warn", "warn")]))  # noqa: SLF001
    assert told == ["no sample was answered with block", "t.json is answered warn, no milder than warn"]


def test_the_demo_runs_to_its_end(tmp_path: Path, root: Path) -> None:
    """Run anywhere, it serves, shows every sample with the command that repeats it, stops the sidecar and exits 0."""
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "reminder.demo"]
    done = subprocess.run(command, capture_output=True, check=False, cwd=tmp_path, env=environment, timeout=300)
    shown = done.stdout.decode("utf-8")
    assert (done.returncode, done.stderr.decode("utf-8")) == (0, "")
    assert [action for action in ACTIONS if f"→ {action.upper()} in " not in shown] == []
    samples = [line for line in shown.splitlines() if "$ .venv/bin/negative-list match " in line]
    assert len(samples) == len(list((demo.SAMPLE / "requests").glob("*.json")))
    assert "sidecar serves " in shown
    assert "sidecar stopped" in shown
