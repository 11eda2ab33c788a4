"""Which schema this program speaks: known without loading what makes or changes one."""

from __future__ import annotations

from reminder.stores.base import StoreError

__all__ = ["HEAD", "READ_VERSION", "is_current"]

HEAD = "0002"
"""The latest migration in :mod:`reminder.stores.migrations`. Names of migrations sort as they follow each other."""

READ_VERSION = "SELECT version_num FROM alembic_version"
"""Where Alembic writes it."""


def is_current(version: str | None) -> bool:
    """Whether a store of that version (``None``: an empty one) needs no migration.

    Raises:
        StoreError: ``newer``, when a later version of the program made it.
    """
    if version is not None and version > HEAD:
        raise StoreError(
            "newer", f"the store has schema `{version}`, this version knows `{HEAD}`; start the version that made it"
        )
    return version == HEAD
