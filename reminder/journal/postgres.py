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
    from reminder.journal.store import Into
    from reminder.stores.driver import Writing

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

    def insert(self, writing: Writing, tables: Sequence[Into]) -> None:
        """Write rows by one statement for all tables, a column an array, so that the server is asked once."""
        names = tuple((table, tuple(columns)) for table, columns, _ in tables)
        writing.rows(_inserting(names), [list(column) for _, _, rows in tables for column in zip(*rows, strict=True)])

    def copy_to(self, path: Path) -> NoReturn:
        """Refused: a database is copied by its own tools, which also know the history in it."""
        raise StoreError(
            "refused", f"`{path}`: a journal in PostgreSQL is copied with `pg_dump`, with the history in it"
        )


@cache
def _inserting(tables: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    """One row comes back, for a transaction reads every answer."""
    return f"WITH {', '.join(_added(table, columns) for table, columns in tables)} SELECT 1"


def _added(table: str, columns: tuple[str, ...]) -> str:
    """A part of the statement; arrays go as bytes (``%b``)."""
    arrays = ", ".join(f"%b::{_type(name)}[]" for name in columns)
    known = KNOWN if table == "stay" else ""
    names = ", ".join(columns)
    return f"to_{table} AS (INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}){known})"  # noqa: S608


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
