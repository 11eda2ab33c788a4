"""Which schema this program speaks: known without loading what makes or changes one."""

from __future__ import annotations

from typing import NamedTuple

from reminder.stores.base import StoreError

__all__ = ["HEAD", "HISTORY", "READ_VERSION", "Schema", "is_current"]

HEAD = "0002"
"""The latest migration in :mod:`reminder.stores.migrations`. Names of migrations sort as they follow each other."""


class Schema(NamedTuple):
    """Tables that are made and migrated together.

    ``package`` holds their ``migrations`` and the ``tables.sql`` of a new SQLite file, ``head`` is the latest
    migration, ``table`` where the database says how far it is.
    """

    package: str
    head: str
    table: str

    @property
    def read_version(self) -> str:
        """The statement that reads how far a database is."""
        return f"SELECT version_num FROM {self.table}"  # noqa: S608 - a name of our own


HISTORY = Schema("reminder.stores", HEAD, "alembic_version")
"""The stores of history, facts and orders."""

READ_VERSION = HISTORY.read_version
"""Where Alembic writes it."""


def is_current(version: str | None, schema: Schema = HISTORY) -> bool:
    """Whether a store of that version (``None``: an empty one) needs no migration.

    Raises:
        StoreError: ``newer``, when a later version of the program made it.
    """
    if version is not None and version > schema.head:
        raise StoreError(
            "newer",
            f"the store has schema `{version}`, this version knows `{schema.head}`; start the version that made it",
        )
    return version == schema.head
