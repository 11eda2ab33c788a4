"""The journal in PostgreSQL, beside the history it shares with several sidecars."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from reminder.journal.statements import KNOWN, SCHEMA
from reminder.journal.store import SqlJournal
from reminder.stores.base import StoreError
from reminder.stores.postgres import PostgresDriver, made_ready

if TYPE_CHECKING:
    from reminder.stores.driver import Row, Writing

__all__ = ["JournalDatabase", "open_postgres_journal"]

_WHOLE = frozenset({"id", "patient_sum", "encounter_sum", "asked_sum"})
_BYTES = frozenset({"hash", "brief", "content"})


class JournalDatabase(PostgresDriver):
    """The connections to the database; see :class:`reminder.journal.store.JournalDriver`.

    Every connection says itself that a commit is on disk before it is answered (``synchronous_commit``), whatever the
    server, the database or the user has as default.
    """

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn, SCHEMA)

    def insert(self, writing: Writing, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Write rows by one statement, a column an array, so that the server is asked once."""
        if rows:
            writing.rows(_inserting(table, tuple(columns)), [list(column) for column in zip(*rows, strict=True)])

    def copy_to(self, path: Path) -> NoReturn:
        """Refused: a database is copied by its own tools, which also know the history in it."""
        raise StoreError(
            "refused", f"`{path}`: a journal in PostgreSQL is copied with `pg_dump`, with the history in it"
        )


@cache
def _inserting(table: str, columns: tuple[str, ...]) -> str:
    """Arrays go as bytes (``%b``). What a statement adds is counted, for a transaction reads every answer."""
    known = KNOWN if table == "stay" else ""
    arrays = ", ".join(f"%b::{_type(name)}[]" for name in columns)
    return (
        f"WITH added AS (INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608 - names of our own
        f"SELECT * FROM unnest({arrays}){known} RETURNING 1) SELECT COUNT(*) FROM added"
    )


def _type(column: str) -> str:
    return "bigint" if column in _WHOLE else "bytea" if column in _BYTES else "text"


def open_postgres_journal(dsn: str) -> SqlJournal:
    """The journal in a database, its tables made or brought up to date where they have to be.

    Raises:
        StoreError: When the database cannot be reached or used, or a later version of the program made the tables.
    """
    driver = JournalDatabase(dsn)
    made_ready(driver, dsn, SCHEMA)
    return SqlJournal(driver)
