"""The page on files of history and facts: its example runs, and its tables name what is read."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.readers.exchange_table import TRANSACTIONS
from negative_list.readers.files import FACT_COLUMNS, ROW_KEYS
from negative_list.readers.own import LINE_KEYS
from tests.docs.pages import ROOT, blocks, inline_codes, sections, shell_lines
from tests.docs.running import run, shown_in

if TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "docs" / "history.md"
BLOCKS = {block.name or block.kind: block.text for block in blocks(PAGE)}
FILES = ("list.yaml", "bodies.jsonl", "history.jsonl", "facts.csv")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that holds the files the page shows."""
    for name in FILES:
        (tmp_path / name).write_text(BLOCKS[name], "utf-8")
    return tmp_path


def answers(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """The answers of a run that complained of nothing."""
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(row) for row in done.stdout.splitlines()]


def first_cells(title: str) -> set[str]:
    """What the first column of a section's tables names."""
    cells = re.findall(r"^\| (`.+?) \|", sections(PAGE)[title], re.MULTILINE)
    return {code for cell in cells for code in inline_codes(cell)}


def test_the_example_answers_what_it_shows(folder: Path) -> None:
    """The line of one patient warns that patient alone; the fact warns the other."""
    (line,) = shell_lines(PAGE)
    shown = [json.loads(row) for row in BLOCKS["answers"].splitlines()]
    told = answers(run(line, folder))
    assert len(shown) == len(told) == 2
    assert all(map(shown_in, shown, told)), told


def test_without_the_files_nothing_is_decided(folder: Path) -> None:
    """Both bodies pass, and what could not be decided is listed with what it needs."""
    (line,) = shell_lines(PAGE)
    told = answers(run(shlex.join(shlex.split(line)[:5]), folder))
    assert [[row["rule_id"] for row in answer["not_evaluated"]] for answer in told] == [
        ["R31-fructosamine"],
        ["R31-fructosamine", "R08-nutrition"],
    ]
    assert [answer["decision"] for answer in told] == ["pass", "pass"]


def test_a_row_of_nobody_counts_for_every_body(folder: Path) -> None:
    """As the page warns."""
    (line,) = shell_lines(PAGE)
    history = folder / "history.jsonl"
    history.write_text(BLOCKS["history.jsonl"].replace('"patient_id": "P1", ', ""), "utf-8")
    found = [[finding["rule_id"] for finding in answer["findings"]] for answer in answers(run(line, folder))]
    assert [("R31-fructosamine" in rules) for rules in found] == [True, True]


def test_a_copy_of_a_line_of_the_body_counts_once(folder: Path) -> None:
    """With its id and time, or with its day alone."""
    (line,) = shell_lines(PAGE)
    row = {"patient_id": "P2", "encounter_id": "V2", "code": "002503020020000"}
    for told in ({"id": "V2-1", "begins": "2026-01-08 09:00:00"}, {"begins": "2026-01-08"}):
        copy = json.dumps(row | told)
        (folder / "history.jsonl").write_text(f"{BLOCKS['history.jsonl']}{copy}\n", "utf-8")
        _, second = answers(run(line, folder))
        assert [finding["rule_id"] for finding in second["findings"]] == ["R08-nutrition"]


def test_the_tables_name_what_is_read() -> None:
    """Every column of facts and every key of a row that a line of our own JSON lacks; lines have the fields named."""
    assert first_cells("Facts") == set(FACT_COLUMNS)
    assert first_cells("History") == {*ROW_KEYS, "begins"}
    assert first_cells("What is exchanged with the platform") == set(TRANSACTIONS)
    (listed,) = re.findall(r"fields of a line of our own JSON \((.+?)\.\.\.\)", sections(PAGE)["History"])
    assert set(inline_codes(listed)) <= {*LINE_KEYS, "facts"}
