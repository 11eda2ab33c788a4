"""Where the journal is: a SQLite file of its own unless a PostgreSQL is named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reminder.journal.sqlite import open_sqlite_journal
from reminder.stores.opening import driver_of

if TYPE_CHECKING:
    from reminder.journal.store import SqlJournal

__all__ = ["JOURNAL_FILE", "open_journal"]

JOURNAL_FILE = "journal.sqlite"
"""The file of the journal in the data folder."""


def open_journal(data: Path, database: str = "") -> SqlJournal:
    """The journal of a data folder, or the one in the PostgreSQL at a URL.

    Raises:
        StoreError: When it cannot be had (``newer``: when a later version of the program made it).
    """
    if not database:
        return open_sqlite_journal(data / JOURNAL_FILE)
    journal: SqlJournal = driver_of(database, "reminder.journal.postgres").open_postgres_journal(database)
    return journal
