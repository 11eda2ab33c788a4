"""What Alembic runs for a migration: on the connection it was handed, in one transaction."""

from __future__ import annotations

from alembic import context

from reminder.journal.schema import METADATA
from reminder.journal.statements import SCHEMA

__all__: list[str] = []


def _migrate() -> None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=METADATA,
        version_table=SCHEMA.table,
        render_as_batch=True,  # SQLite changes a table by making it anew
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if "connection" in getattr(getattr(context, "config", None), "attributes", {}):
    _migrate()
