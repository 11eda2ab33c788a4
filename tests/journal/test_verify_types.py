"""SQLite keeps anything in any column: what is of another type than was written is a damaged entry, and no crash."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reminder.journal.base import DamagedError
from reminder.journal.sqlite import open_sqlite_journal
from reminder.stores.base import StoreError
from tests.journal.records import T0, written
from tests.journal.tampering import Place, Raw, entries, put, raw_on, report_on

if TYPE_CHECKING:
    from reminder.journal.store import SqlJournal

COUNT, AT = 12, 1 << 40
COLUMNS = ("at", "kind", "decision_id", "institution_id", "patient_key", "encounter_key", "asked", "hash", "brief")
VALUES = {"bytes": b"\xff\xfe", "text": "text", "number": 7, "fraction": 1.5}


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqlJournal]:
    """Twelve entries of chain ``a`` and three of ``b``, all of them covered by a checkpoint."""
    opened = open_sqlite_journal(tmp_path / "journal.sqlite")
    written(opened, entries(COUNT), "a")
    written(opened, entries(3), "b")
    Place(tmp_path).checkpointer().make(opened)
    yield opened
    opened.close()


@pytest.fixture
def raw(tmp_path: Path) -> Raw:
    """Statements on the file, past everything of ours."""
    return raw_on(tmp_path / "journal.sqlite")


def no_text(raw: Raw, column: str, seq: int) -> None:
    """A text that is no UTF-8, with a letter that turns a terminal's colours."""
    table = "body" if column == "content" else "entry"
    raw(f"UPDATE {table} SET {column} = CAST(X'c3281b5b33316d' AS TEXT) WHERE id = ?", AT + seq)  # noqa: S608


@pytest.mark.parametrize("column", [*COLUMNS, "content"])
@pytest.mark.parametrize("value", [*VALUES, "no text"])
def test_a_column_of_another_type_is_named_and_the_rest_is_checked(
    journal: SqlJournal, tmp_path: Path, raw: Raw, column: str, value: Any
) -> None:
    """By chain and number; nothing of what stands there is shown."""
    if value == "no text":
        no_text(raw, column, 5)
    else:
        put(raw, column, AT + 5, VALUES[value])
    put(raw, "kind", AT + 8, "gap")
    problems = report_on(journal, Place(tmp_path)).problems
    found = [(problem.kind, problem.chain, problem.seq) for problem in problems]
    assert {("entry", "a", 5), ("entry", "a", 8)} <= set(found) <= {("entry", "a", seq) for seq in (5, 6, 8)}
    assert "\x1b" not in "".join(map(str, problems))


@pytest.mark.parametrize("column", ["seq", "hash"])
def test_an_end_of_another_type_is_found(journal: SqlJournal, tmp_path: Path, raw: Raw, column: str) -> None:
    """The entries are checked all the same."""
    raw(f"UPDATE chain SET {column} = CAST(X'c328' AS TEXT) WHERE name = 'a'")  # noqa: S608
    report = report_on(journal, Place(tmp_path))
    assert [(problem.kind, problem.chain, problem.seq) for problem in report.problems] == [("order", "a", COUNT)]
    assert [proof.entries for proof in report.proofs] == [COUNT, 3]


def test_every_way_of_reading_names_the_entry(journal: SqlJournal, raw: Raw) -> None:
    """One that is looked up, and one met in a period; those around it can be read."""
    no_text(raw, "content", 5)
    no_text(raw, "brief", 7)
    with pytest.raises(DamagedError, match="entry 5 of chain `a` is damaged"):
        journal.about("D4")
    with pytest.raises(DamagedError, match="entry 7 of chain `a` is damaged"):
        list(journal.briefs(T0, T0 + timedelta(days=1), by_encounter=False))
    assert [row.seq for row in journal.chain("a", 8)] == list(range(8, COUNT + 1))
    no_text(raw, "content", 7)
    assert [row.seq for row in journal.of_encounter(["e1"], limit=1)] == [9]


def test_a_text_nobody_reads_on_for_is_told_without_what_stands_there(journal: SqlJournal, raw: Raw) -> None:
    """Where an entry cannot be named the file is, with nothing of the text that is none."""
    raw("UPDATE chain SET name = CAST(X'c3281b' AS TEXT) WHERE name = 'b'")
    with pytest.raises(StoreError) as error, journal._driver.writing() as writing:  # noqa: SLF001 - as a writer reads
        writing.rows("SELECT name FROM chain", ())
    assert "Could not decode" in str(error.value)
    assert "\x1b" not in str(error.value)
