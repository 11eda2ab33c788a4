"""The journal in a SQLite file of its own, so that no big write of another table delays an answer."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from reminder.journal.statements import SCHEMA
from reminder.journal.store import SqlJournal
from reminder.stores.sqlite import BUSY_S, SqliteDriver, made_ready

if TYPE_CHECKING:
    from reminder.stores.driver import Row, Writing

__all__ = ["JournalFile", "open_sqlite_journal"]

_ROWS_AT_ONCE = 32


class JournalFile(SqliteDriver):
    """The connections to the file; see :class:`reminder.journal.store.JournalDriver`."""

    def __init__(self, path: Path, busy_s: float = BUSY_S, most_bytes: int | None = None) -> None:
        super().__init__(path, busy_s, most_bytes, SCHEMA)

    def insert(self, writing: Writing, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Write rows, many by one statement: each statement lets go of the interpreter and waits for it again."""
        for begin in range(0, len(rows), _ROWS_AT_ONCE):
            part = rows[begin : begin + _ROWS_AT_ONCE]
            writing.rows(_inserting(table, tuple(columns), len(part)), tuple(chain.from_iterable(part)))

    def copy_to(self, path: Path) -> None:
        """A copy of the file, as it stood at one moment, while it is written."""
        with (
            self._told(),
            contextlib.closing(self._connect(BUSY_S)) as source,
            contextlib.closing(sqlite3.connect(path)) as copy,
        ):
            source.execute("BEGIN")  # holds the moment: a copy in steps would begin again at each write
            source.execute("SELECT 1 FROM chain").fetchall()
            source.backup(copy)


@cache
def _inserting(table: str, columns: tuple[str, ...], rows: int) -> str:
    values = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([values] * rows)}"  # noqa: S608 - own names


def open_sqlite_journal(path: Path, *, busy_s: float = BUSY_S, most_bytes: int | None = None) -> SqlJournal:
    """The journal in a file, made or brought up to date where it has to be.

    Raises:
        StoreError: When the file cannot be used, or a later version of the program made it.
    """
    driver = JournalFile(path, busy_s, most_bytes)
    made_ready(driver, path, SCHEMA)
    return SqlJournal(driver)
