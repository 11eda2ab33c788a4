"""What somebody with the database's password could do to a journal: raw statements, on SQLite and PostgreSQL."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from reminder.journal.agreeing import columns_of, disagreement
from reminder.journal.attested import read_attested
from reminder.journal.base import Draft
from reminder.journal.briefs import brief_of
from reminder.journal.checkpoints import Checkpointer
from reminder.journal.coding import encode
from reminder.journal.entries import Changed, Feedback, PointsEvent, Started
from reminder.journal.lines import LineFile
from reminder.journal.signing import TrustedKeys, public_files
from reminder.journal.verify import verify
from tests.journal.records import T0

if TYPE_CHECKING:
    from reminder.journal.base import JournalStore
    from reminder.journal.entries import Entry
    from reminder.journal.problems import Report

__all__ = ["Place", "Raw", "drafted", "entries", "got", "put", "raw_on", "report_on"]

Raw = Callable[..., list[Any]]
"""Runs one statement with ``?`` for values; returns its rows."""


class Place:
    """Where checkpoints and keys of a test are."""

    def __init__(self, folder: Path) -> None:
        self.keys = folder / "keys"
        self.path = folder / "elsewhere" / "checkpoints.jsonl"

    def checkpointer(self, passed: timedelta = timedelta()) -> Checkpointer:
        """One of a new process."""
        return Checkpointer(self.path, self.keys, lambda: T0 + passed)


def raw_on(url: str | Path) -> Raw:
    """Statements on a SQLite file or a PostgreSQL, each committed at once."""

    def run(statement: str, *values: Any) -> list[Any]:
        if isinstance(url, Path):
            with contextlib.closing(sqlite3.connect(url)) as connection:
                rows = connection.execute(statement, values).fetchall()
                connection.commit()
                return rows
        with psycopg.connect(url) as connection:
            cursor = connection.execute(statement.replace("?", "%s").encode(), values)
            return cursor.fetchall() if cursor.description else []

    return run


def got(raw: Raw, column: str, at: int) -> Any:
    """What stands in a column of the entry that lies there, or in its body."""
    ((found,),) = raw(f"SELECT {column} FROM {_table(column)} WHERE id = ?", at)  # noqa: S608 - own names
    return found


def put(raw: Raw, column: str, at: int, value: Any) -> None:
    """Write something else there."""
    raw(f"UPDATE {_table(column)} SET {column} = ? WHERE id = ?", value, at)  # noqa: S608 - own names


def _table(column: str) -> str:
    return "body" if column == "content" else "entry"


def drafted(entry: Entry) -> Draft:
    """An entry as it is written."""
    return Draft(**columns_of(entry), asked="", brief=brief_of(entry), body=encode(entry))


def entries(count: int) -> list[Draft]:
    """Entries of different kinds, one second apart."""
    made: list[Draft] = []
    for number in range(count):
        common: dict[str, Any] = {"engine": "test", "at": T0 + timedelta(seconds=number), "institution_id": "H1"}
        kinds: Sequence[Entry] = (
            Feedback(
                **common,
                finding_id=f"F{number}",
                decision_id=f"D{number}",
                patient_key="p1",
                encounter_key="e1",
                done="overridden",
                reason_text="换药无效",
                doctor_id="doc",
                done_at=T0,
            ),
            Changed(**common, what="list", digest=f"{number:064x}", why="new list"),
            PointsEvent(**common, event_id=f"P{number}", doctor_id="doc", points=3, decided_on="2026-01-05"),
            Started(**common),
        )
        made.append(drafted(kinds[number % len(kinds)]))
    return made


def report_on(store: JournalStore, place: Place) -> Report:
    """What ``verify`` finds."""
    attested = read_attested(LineFile(place.path).lines(), TrustedKeys(public_files(place.keys)))
    return verify(store, attested, disagreement)
