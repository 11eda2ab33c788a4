"""Point reads stay point reads, however large the journal is and whether the database knows so or not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from reminder.journal import statements as sql
from tests.journal.records import drafts, written

if TYPE_CHECKING:
    from reminder.journal.store import SqlJournal

READS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "decision": (sql.DECISION, ("D",)),
    "about": (sql.ABOUT, ("D",)),
    "asked": (sql.ASKED, (1, "q")),
    "encounter": (sql.OF_ENCOUNTER[False], (["1", "2"], ["e1", "e2"], 100)),
    "encounter, some kinds": (sql.OF_ENCOUNTER[True], (["1", "2"], ["e1", "e2"], ["saved"], 100)),
    "patient": (sql.OF_PATIENT, (["1", "2"], ["p1", "p2"], 100)),
    "head": (sql.HEAD, ("a",)),
    "chain": (sql.CHAIN, (sql.place(1, 1), sql.place(1, 2))),
    "taken": (sql.HASHES, (sql.place(1, 1), sql.place(1, 2))),
    "left": (sql.FIRST_PLACE, (sql.place(1, 1), sql.place(1, 2))),
}
WHOLE = re.compile(r"Seq Scan on (?:entry|body|stay)|SCAN (?:e|b|entry|body|stay)\b|Seq Scan on chain \w")


def plan_of(journal: SqlJournal, statement: str, values: tuple[Any, ...]) -> str:
    """How the database will read."""
    driver: Any = journal._driver  # noqa: SLF001 - asked for its plans
    how = "EXPLAIN QUERY PLAN" if type(driver).__name__ == "JournalFile" else "EXPLAIN"
    (plan,) = driver.read([(f"{how} {statement}", values)])
    return "\n".join(str(row[-1]) for row in plan)


@pytest.mark.parametrize("name", list(READS))
def test_a_point_read_reads_no_table_whole(journal: SqlJournal, name: str) -> None:
    """A table that was just filled, of which the database knows nothing yet, is read by its indexes."""
    written(journal, drafts(1500))
    plan = plan_of(journal, *READS[name])
    assert plan
    assert not WHOLE.search(plan), plan
    assert WHOLE.search(plan_of(journal, "SELECT brief FROM entry WHERE brief = ?", (b"",)))
