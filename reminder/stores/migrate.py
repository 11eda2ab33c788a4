"""Make a store's tables, or bring them up to this version. Loaded only when there is something to do.

Workers that start together do it one after the other: who has waited finds it done.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy.pool import NullPool

from reminder.stores.version import HISTORY, Schema, is_current

__all__ = ["migrate", "scripts"]

_ADVISORY = 0x7265_6D69_6E64_6572
"""The lock of PostgreSQL under which migrations run: "reminder" in ASCII."""


def migrate(url: str, connect: Callable[[], Any] | None = None, schema: Schema = HISTORY) -> None:
    """Bring the tables of a schema in the database at an SQLAlchemy URL up to its head.

    ``connect`` makes the driver's connection where the URL does not say how.

    Raises:
        StoreError: ``newer``, when a later version of the program made it.
        sqlalchemy.exc.SQLAlchemyError: When the database cannot be changed.
    """
    engine = sa.create_engine(url, poolclass=NullPool, **({"creator": connect} if connect else {}))
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({_ADVISORY})"))
        else:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        context = MigrationContext.configure(connection, opts={"version_table": schema.table})
        if not is_current(context.get_current_revision(), schema):
            config = scripts(schema)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        connection.commit()


def scripts(schema: Schema = HISTORY) -> Config:
    """Alembic's configuration: where the migrations are."""
    config = Config()
    config.set_main_option("script_location", str(resources.files(schema.package) / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
