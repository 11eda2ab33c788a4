"""A report is the same whichever database holds the journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from reminder.cli import app
from reminder.journal.opening import open_journal
from tests.reports.hospital import two_days, written_in, written_to

if TYPE_CHECKING:
    from typer.testing import Result

    from tests.stores.server import Server

JANUARY = ("--from", "2026-01-01", "--to", "2026-02-01")


@pytest.fixture(scope="module")
def database(server: Server) -> Iterator[str]:
    """The URL of a PostgreSQL with the two days of docs/reports.md."""
    for dsn in server.database():
        journal = open_journal(Path(), dsn)
        written_in(journal, two_days())
        journal.close()
        yield dsn


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in a file."""
    data = tmp_path_factory.mktemp("file")
    written_to(data, two_days()).close()
    return data


def run(*words: str) -> Result:
    """The command."""
    return CliRunner().invoke(app, ["report", *JANUARY, *words])


@pytest.mark.parametrize("by", ["rule", "doctor", "flags", "reminder", "bureau", "board"])
def test_both_databases_give_the_same_report(database: str, folder: Path, tmp_path: Path, by: str) -> None:
    """Figures by group, lists read as they are written, and whole entries read beside."""
    config = tmp_path / "config.toml"
    config.write_text(f'store = "{database}"\n', "utf-8")
    there = run("--by", by, "--config", str(config), "--format", "csv")
    here = run("--by", by, "--data", str(folder), "--format", "csv")
    assert (there.exit_code, here.exit_code) == (0, 0), there.output
    assert there.stdout == here.stdout
