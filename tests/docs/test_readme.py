"""The examples of the front page run, and print what it says."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from reminder.wire_client import request_of
from tests.docs.pages import ROOT, blocks, shell_lines
from tests.docs.running import run, shown_in
from tests.reminder.sidecar import ask, running

README = ROOT / "README.md"
BLOCKS = {block.name or block.kind: block.text for block in blocks(README)}
LISTS = (ROOT / "negative_list" / "lists").as_posix()
LINES = [line.replace("negative_list/lists", LISTS) for line in shell_lines(README)]
COMMANDS = [line for line in LINES if line.split()[:2] in (["negative-list", "check"], ["negative-list", "match"])]
SERVED = ("reminder serve", "reminder check", "make ")
"""Commands that need a running sidecar or a machine of their own; tests of the service and the demo run them."""
JOURNAL = [line for line in LINES if line.split()[1] in {"journal", "backup"} or "--by class" in line]
RELEASE = [line for line in LINES if line.split()[1] in {"keygen", "build", "diff", "lists", "policy"}]
FEEDS = {block.name: block.text for block in blocks(ROOT / "docs" / "history.md")}


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


def test_the_other_commands_work_in_their_order(folder: Path) -> None:
    """Every further command exits 0: cases, coverage, a sheet there and back, files of history and facts."""
    for name in ("history.jsonl", "facts.csv"):
        (folder / name).write_text(FEEDS[name], "utf-8")
    apart = (*COMMANDS, *JOURNAL, *RELEASE)
    others = [line for line in LINES if line not in apart and not line.startswith(SERVED)]
    assert {line.split()[1] for line in others} == {"test", "stats", "export", "import", "facts"}
    assert [(line, done.stderr) for line in others if (done := run(line, folder)).returncode != 0] == []


def test_the_commands_of_the_journal_work_on_what_a_sidecar_kept(folder: Path) -> None:
    """After one check the journal is sound, a report has its pages, and everything is backed up."""
    with running(folder, list=folder / "list.yaml") as here:
        assert ask(here, request_of(json.loads(BLOCKS["body.json"]))).journaled
    assert [line.split()[1] for line in JOURNAL] == ["journal", "report", "backup"]
    assert [(line, done.stderr) for line in JOURNAL if (done := run(line, folder)).returncode != 0] == []
    assert "药品区分性别使用" in (folder / "report.html").read_text("utf-8")
    assert (folder / "hospital.tar.gz").stat().st_size > 0


def test_a_release_is_made_brought_made_active_and_taken_back(folder: Path) -> None:
    """The commands about a new list work in their order, on a sidecar that believes the key."""
    made, asked = ([line for line in RELEASE if (line.split()[0] == "reminder") is served] for served in (False, True))
    assert [line.split()[1] for line in made] == ["keygen", "build", "diff"]
    assert [(line, done.stderr) for line in made if (done := run(line, folder)).returncode != 0] == []
    assert [" ".join(line.split()[1:3]) for line in asked] == [
        "lists stage",
        "lists forecast",
        "lists activate",
        "policy set",
        "lists rollback",
    ]
    with running(folder, list=Path(LISTS) / "sample", trust=(folder / "office.key.pub",)) as here:
        for line in asked:
            done = run(f"{line} --target {here.at('admin')}", folder)
            assert (line, done.returncode) == (line, 0), done.stderr
            if "activate" in line:
                assert here.service.active.release == "2026.12.1"
        assert (here.service.active.release, here.service.active.policy.set_[0].action) == (None, "warn")


def test_the_sheet_comes_back_as_the_same_rule(folder: Path) -> None:
    """What the front page exports and imports again matches as before."""
    for line in (line for line in LINES if " sheet " in line):
        run(line, folder)
    again = run(COMMANDS[-1].replace("list.yaml", "list.jsonl"), folder)
    assert json.loads(again.stdout)["findings"] == json.loads(run(COMMANDS[-1], folder).stdout)["findings"]


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
    """The program of the guide, with the files of the front page, prints the decision of the command."""
    program = folder / "example.py"
    program.write_text(next(block.text for block in blocks(ROOT / "docs" / "guide.md", "python")), "utf-8")
    monkeypatch.chdir(folder)
    runpy.run_path(str(program))
    answer = json.loads(run(COMMANDS[-1], folder).stdout)
    messages = [finding["message"] for finding in answer["findings"]]
    assert capsys.readouterr().out == f"{answer['decision']} {messages}\n"
