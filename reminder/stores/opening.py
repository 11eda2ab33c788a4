"""Which store: a SQLite file unless a PostgreSQL is named."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reminder.stores.base import StoreError
from reminder.stores.sqlite import open_sqlite

if TYPE_CHECKING:
    from reminder.stores.sqlstore import SqlStore

__all__ = ["STORE_FILE", "driver_of", "open_store"]

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
    store: SqlStore = driver_of(database, "reminder.stores.postgres").open_postgres(database)
    return store


def driver_of(database: str, module: str) -> Any:
    """The module that opens the database at a URL.

    Raises:
        StoreError: When that is no PostgreSQL, or its driver is missing.
    """
    if not database.startswith(_POSTGRES):
        raise StoreError("refused", "the database is no URL of PostgreSQL; write it like postgresql://USER@HOST/NAME")
    try:
        return import_module(module)
    except ImportError as error:
        raise StoreError(
            "refused", f"the driver for PostgreSQL is missing ({error}); install the extra `postgres`"
        ) from error
