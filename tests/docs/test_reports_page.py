"""The page on reports: its examples are what the command prints, and its tables name every column there is."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from reminder.cli import app
from reminder.reports import grouped, listed
from reminder.reports.asking import subjects
from reminder.reports.bureau import COLUMNS
from reminder.reports.reconcile import COLUMNS as DIFFERENCES
from reminder.reports.words import columns
from tests.docs.pages import ROOT, blocks, inline_codes
from tests.reports.hospital import finding_id, two_days, written_to

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = ROOT / "docs" / "reports.md"
EXAMPLES = {block.name: block.text for block in blocks(PAGE, "text")}
JANUARY = ("--from", "2026-01-01", "--to", "2026-02-01")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two days of the page."""
    folder = tmp_path_factory.mktemp("page")
    written_to(folder, two_days()).close()
    return folder


def printed(data: Path, *words: str) -> str:
    """What the command prints."""
    done = CliRunner().invoke(app, ["report", *words, *JANUARY, "--data", str(data)])
    assert done.exit_code == 0, done.output
    return done.stdout


def bureau(folder: Path) -> Path:
    """A bureau's file: one finding as ours, one another way, one that is not ours."""
    path = folder / "bureau.csv"
    rows = [("违规标识", "处理方式"), (finding_id(1), 2), (finding_id(2), 2), ("X1", 1)]
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out).writerows(rows)
    return path


@pytest.mark.parametrize("by", ["rule", "top", "flags", "reasons", "board"])
def test_the_examples_are_what_the_command_prints(data: Path, by: str) -> None:
    """Every number of the page is made again."""
    assert EXAMPLES[by] == printed(data, "--by", by)


def test_the_example_of_reconciling_is_what_it_prints(data: Path, tmp_path: Path) -> None:
    """The file's path aside."""
    path = bureau(tmp_path)
    assert EXAMPLES["reconcile"] == printed(data, "reconcile", str(path)).replace(str(path), "bureau.csv")


def table(names: Iterable[str]) -> str:
    """The table that explains columns."""
    rows = [f"| `{one.name}` | {one.zh} | {one.means_en}; {one.means_zh} |" for one in columns(names)]
    return "\n".join(["| column | heading | what it is |", "|---|---|---|", *rows])


TABLES = {
    "groups": dict.fromkeys(one.name for by in grouped.BY for one in grouped.group_columns(by)),
    "lists": dict.fromkeys((*listed.TOP, *listed.DEMOTION, *listed.FLAGS, *listed.REASONS, *listed.REMINDER)),
    "bureau": dict.fromkeys(COLUMNS),
    "reconcile": dict.fromkeys(DIFFERENCES),
}
"""The columns each table of the page explains."""


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_explained_as_in_the_program(name: str) -> None:
    """The tables of the page are the words of the reports."""
    assert table(TABLES[name]) in PAGE.read_text("utf-8")


def test_every_subject_is_named() -> None:
    """Whatever ``--by`` knows stands on the page."""
    named = {word for code in inline_codes(PAGE.read_text("utf-8")) for word in code.split()}
    assert set(subjects()) <= named
