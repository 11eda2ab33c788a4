"""Write the tables of a new SQLite store as the SQL that makes them: ``reminder/stores/tables.sql``."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from reminder.stores.schema import METADATA
from reminder.stores.version import HEAD

__all__ = ["PAGE", "script"]

PAGE = Path(__file__).resolve().parent.parent / "reminder" / "stores" / "tables.sql"
"""Where the script is kept."""

_HEADER = "-- Written by `make pages` from reminder/stores/schema.py: the tables of a new SQLite store.\n"
_VERSION = """
CREATE TABLE alembic_version (
\tversion_num VARCHAR(32) NOT NULL,
\tCONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO alembic_version (version_num) VALUES ('{head}');
"""


def script() -> str:
    """The statements, each ending with a semicolon."""
    tables = METADATA.sorted_tables
    made: list[ExecutableDDLElement] = [CreateTable(table) for table in tables]
    found = [CreateIndex(index) for table in tables for index in sorted(table.indexes, key=lambda one: str(one.name))]
    texts = [str(one.compile(dialect=sqlite.dialect())).strip() for one in (*made, *found)]
    plain = ("\n".join(line.rstrip() for line in text.splitlines()) for text in texts)
    return _HEADER + "".join(f"\n{text};\n" for text in plain) + _VERSION.format(head=HEAD)


if __name__ == "__main__":
    PAGE.write_text(script(), encoding="utf-8")
