"""The examples of the front page run, and print what it says."""

from __future__ import annotations

import json
import os
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT, blocks, shell_lines

README = ROOT / "README.md"
BLOCKS = {block.name or block.kind: block.text for block in blocks(README)}
COMMANDS = [line for line in shell_lines(README) if line.startswith("negative-list ")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that holds the files the front page shows."""
    for name in ("list.yaml", "body.json"):
        (tmp_path / name).write_text(BLOCKS[name], "utf-8")
    return tmp_path


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command line of the front page as a reader would, in a folder."""
    program = line.split(maxsplit=1)[0].replace("-", "_")
    command = [sys.executable, "-m", f"{program}.cli", *shlex.split(line)[1:]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def shown_in(shown: Any, real: Any) -> bool:
    """Whether everything a shortened example shows is in the real thing."""
    if isinstance(shown, dict) and isinstance(real, dict):
        return all(key in real and shown_in(value, real[key]) for key, value in shown.items())
    if isinstance(shown, list) and isinstance(real, list):
        return len(shown) == len(real) and all(map(shown_in, shown, real))
    return bool(shown == real)


def test_there_are_commands_to_run() -> None:
    """The front page shows the list being checked and matched."""
    assert [line.split()[1] for line in COMMANDS] == ["check", "match"]


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_works(line: str, folder: Path) -> None:
    """Each ``negative-list`` command of the front page exits 0 and complains of nothing."""
    done = run(line, folder)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_answer_is_the_one_shown(folder: Path) -> None:
    """The answer holds everything the front page shows of it."""
    answer = json.loads(run(COMMANDS[-1], folder).stdout)
    shown = json.loads(BLOCKS["answer"])
    assert shown["findings"] != []
    assert shown_in(shown, answer)


def test_its_twin_passes(folder: Path) -> None:
    """With the one field changed that the front page names, nothing is found."""
    body = folder / "body.json"
    body.write_text(BLOCKS["body.json"].replace('"sex": "女"', '"sex": "男"'), "utf-8")
    answer = json.loads(run(COMMANDS[-1], folder).stdout)
    assert (answer["decision"], answer["findings"]) == ("pass", [])


def test_the_example_in_python_decides_the_same(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program of the front page prints the decision of the command."""
    program = folder / "example.py"
    program.write_text(BLOCKS["python"], "utf-8")
    monkeypatch.chdir(folder)
    runpy.run_path(str(program))
    answer = json.loads(run(COMMANDS[-1], folder).stdout)
    messages = [finding["message"] for finding in answer["findings"]]
    assert capsys.readouterr().out == f"{answer['decision']} {messages}\n"
