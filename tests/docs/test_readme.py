"""The examples of the front page run, and print what it says."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks, shell_lines
from tests.docs.running import run, shown_in

README = ROOT / "README.md"
BLOCKS = {block.name or block.kind: block.text for block in blocks(README)}
COMMANDS = [line for line in shell_lines(README) if line.startswith("negative-list ")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that holds the files the front page shows."""
    for name in ("list.yaml", "body.json"):
        (tmp_path / name).write_text(BLOCKS[name], "utf-8")
    return tmp_path


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
