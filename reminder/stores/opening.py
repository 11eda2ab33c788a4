"""Which store: a SQLite file unless a PostgreSQL is named."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from reminder.stores.base import StoreError
from reminder.stores.sqlite import open_sqlite

if TYPE_CHECKING:
    from reminder.stores.sqlstore import SqlStore

__all__ = ["STORE_FILE", "open_store"]

STORE_FILE = "history.sqlite"
"""The file of the embedded store in the data folder."""

_POSTGRES = ("postgresql://", "postgres://")


def open_store(data: Path, database: str = "") -> SqlStore:
    """The store of a data folder, or the PostgreSQL at a URL.

    Raises:
        StoreError: When it cannot be had (``newer``: when a later version of the program made it).
    """
    if not database:
        return open_sqlite(data / STORE_FILE)
    if not database.startswith(_POSTGRES):
        raise StoreError("refused", "the database is no URL of PostgreSQL; write it like postgresql://USER@HOST/NAME")
    try:
        postgres = import_module("reminder.stores.postgres")
    except ImportError as error:
        raise StoreError(
            "refused", f"the driver for PostgreSQL is missing ({error}); install the extra `postgres`"
        ) from error
    store: SqlStore = postgres.open_postgres(database)
    return store
