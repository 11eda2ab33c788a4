"""Write the tables of a new SQLite file as the SQL that makes them: ``tables.sql`` of each package with a schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from reminder.journal.schema import METADATA as JOURNAL_TABLES
from reminder.journal.statements import SCHEMA as JOURNAL
from reminder.stores.schema import METADATA
from reminder.stores.version import HISTORY, Schema

if TYPE_CHECKING:
    from sqlalchemy import MetaData

__all__ = ["JOURNAL_PAGE", "PAGE", "PAGES", "Page", "script"]


class Page(NamedTuple):
    """A file, the tables it makes, and the version they are of."""

    path: Path
    tables: MetaData
    schema: Schema


def _page(tables: MetaData, schema: Schema) -> Page:
    folder = Path(__file__).resolve().parent.parent / schema.package.replace(".", "/")
    return Page(folder / "tables.sql", tables, schema)


PAGES = (_page(METADATA, HISTORY), _page(JOURNAL_TABLES, JOURNAL))
"""Every such file: that of history, facts and orders, and that of the journal."""

PAGE, JOURNAL_PAGE = (page.path for page in PAGES)
"""Where the scripts are kept."""

_HEADER = "-- Written by `make pages` from {source}: the tables of a new SQLite store.\n"
_VERSION = """
CREATE TABLE {table} (
\tversion_num VARCHAR(32) NOT NULL,
\tCONSTRAINT {table}_pkc PRIMARY KEY (version_num)
);
INSERT INTO {table} (version_num) VALUES ('{head}');
"""


def script(page: Page = PAGES[0]) -> str:
    """The statements, each ending with a semicolon."""
    tables = page.tables.sorted_tables
    made: list[ExecutableDDLElement] = [CreateTable(table) for table in tables]
    found = [CreateIndex(index) for table in tables for index in sorted(table.indexes, key=lambda one: str(one.name))]
    texts = [str(one.compile(dialect=sqlite.dialect())).strip() for one in (*made, *found)]
    plain = ("\n".join(line.rstrip() for line in text.splitlines()) for text in texts)
    header = _HEADER.format(source=page.schema.package.replace(".", "/") + "/schema.py")
    version = _VERSION.format(table=page.schema.table, head=page.schema.head)
    return header + "".join(f"\n{text};\n" for text in plain) + version


if __name__ == "__main__":
    for one in PAGES:
        one.path.write_text(script(one), encoding="utf-8")
