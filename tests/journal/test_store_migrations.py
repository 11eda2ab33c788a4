"""The journal's tables are made and changed by code on a road of their own, and never by an older version."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic import command as alembic
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.pool import NullPool

from reminder.journal.opening import JOURNAL_FILE, open_journal
from reminder.journal.postgres import open_postgres_journal
from reminder.journal.schema import METADATA
from reminder.journal.sqlite import open_sqlite_journal
from reminder.journal.statements import SCHEMA
from reminder.stores.base import StoreError
from reminder.stores.migrate import migrate, scripts
from reminder.stores.opening import open_store
from reminder.stores.schema import METADATA as HISTORY_TABLES
from reminder.stores.version import HISTORY
from tests.journal.records import drafts, written
from tools.tables import PAGES, script

if TYPE_CHECKING:
    from tests.stores.server import Server

Opened = tuple[Callable[[], object], sa.Engine]


def open_and_close(dsn: str) -> None:
    """Start once."""
    open_postgres_journal(dsn).close()


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """How to open a journal where nothing is yet, and a way to look at its database."""
    if request.param == "sqlite":
        path = tmp_path / "journal.sqlite"
        yield lambda: open_sqlite_journal(path).close(), sa.create_engine(f"sqlite:///{path}", poolclass=NullPool)
        return
    server: Server = request.getfixturevalue("server")
    for dsn in server.database():
        url = dsn.replace("postgresql:", "postgresql+psycopg:")
        yield partial(open_and_close, dsn), sa.create_engine(url, poolclass=NullPool)


def differences(engine: sa.Engine) -> list[object]:
    """What tells the database's tables from those the code knows."""
    how = {"compare_type": True, "version_table": SCHEMA.table}
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=how)
        assert context.get_current_revision() == SCHEMA.head
        return list(compare_metadata(context, METADATA))


def test_the_version_is_that_of_the_last_migration() -> None:
    """What is checked at the start is what the migrations lead to, one after the other."""
    assert ScriptDirectory.from_config(scripts(SCHEMA)).get_heads() == [SCHEMA.head]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.schema.package)
def test_the_statements_of_a_new_file_are_those_of_the_tables(page: object) -> None:
    """What `make pages` writes is what is checked in."""
    for one in PAGES:
        if one is page:
            assert one.path.read_text("utf-8") == script(one)


def test_a_new_journal_has_the_tables_the_code_knows(empty: Opened) -> None:
    """Nothing is missing, left over or of another type."""
    start, engine = empty
    start()
    assert differences(engine) == []


def test_the_migrations_make_the_same_tables(empty: Opened) -> None:
    """Step by step they come to what a new journal is made as, down to the text of the indexes."""
    start, engine = empty
    migrate(engine.url.render_as_string(hide_password=False), schema=SCHEMA)
    assert differences(engine) == []
    start()


def test_a_file_made_by_migrations_has_the_same_indexes(tmp_path: Path) -> None:
    """Comparing tables does not see what an index leaves out."""
    made, migrated = tmp_path / "made.sqlite", tmp_path / "migrated.sqlite"
    open_sqlite_journal(made).close()
    migrate(f"sqlite:///{migrated}", schema=SCHEMA)
    said = [indexes(path) for path in (made, migrated)]
    assert said[0] == said[1]
    assert any("WHERE" in text for text in said[0])


def indexes(path: Path) -> list[str]:
    """What makes the indexes of a file."""
    engine = sa.create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.connect() as connection:
        texts = connection.execute(sa.text("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
        return sorted(" ".join(text.split()) for text in texts.scalars())


def test_the_migrations_can_be_undone_and_done_again(empty: Opened) -> None:
    """Nothing is left behind that would be in the way."""
    start, engine = empty
    start()
    with engine.begin() as connection:
        config = scripts(SCHEMA)
        config.attributes["connection"] = connection
        alembic.downgrade(config, "base")
        assert sa.inspect(connection).get_table_names() == [SCHEMA.table]
    start()
    with engine.connect() as connection:
        assert set(METADATA.tables) < set(sa.inspect(connection).get_table_names())


def test_a_journal_of_a_later_version_is_left_alone(empty: Opened) -> None:
    """An older program neither reads nor changes what it does not understand."""
    start, engine = empty
    start()
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE journal_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=f"has schema `9999`, this version knows `{SCHEMA.head}`") as newer:
        start()
    assert newer.value.kind == "newer"


def test_journal_and_history_share_a_database(server: Server, tmp_path: Path) -> None:
    """Each knows its own version, whichever came first; undoing one leaves the other."""
    for dsn in server.database():
        open_journal(tmp_path, dsn).close()
        open_store(tmp_path, dsn).close()
        open_journal(tmp_path, dsn).close()
        engine = sa.create_engine(dsn.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
        with engine.begin() as connection:
            assert connection.execute(sa.text(HISTORY.read_version)).scalar_one() == HISTORY.head
            assert connection.execute(sa.text(SCHEMA.read_version)).scalar_one() == SCHEMA.head
            config = scripts(SCHEMA)
            config.attributes["connection"] = connection
            alembic.downgrade(config, "base")
            assert set(HISTORY_TABLES.tables) < set(sa.inspect(connection).get_table_names())


def test_which_journal_is_told_by_the_address(postgres: str, tmp_path: Path) -> None:
    """A file of its own in the data folder, unless a database is named; anything else is refused."""
    for database in ("", postgres):
        journal = open_journal(tmp_path, database)
        rows = written(journal, drafts(1))
        assert list(journal.chain("a")) == rows
        journal.close()
    assert (tmp_path / JOURNAL_FILE).is_file()
    with pytest.raises(StoreError, match="write it like postgresql://"):
        open_journal(tmp_path, "mysql://localhost/x")


START = """
import sys
from pathlib import Path
from reminder.journal.opening import open_journal
open_journal(Path(sys.argv[1])).close()
print([name for name in ("sqlalchemy", "alembic", "psycopg") if name in sys.modules])
"""


def test_a_journal_opens_without_what_migrates(tmp_path: Path) -> None:
    """Neither the first nor the next start loads SQLAlchemy or Alembic."""
    for _ in range(2):
        command = [sys.executable, "-c", START, str(tmp_path)]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"


def open_and_write(folder: str, chain: str) -> None:
    """What one worker does at its first start."""
    journal = open_journal(Path(folder))
    written(journal, drafts(3), chain)
    journal.close()


def test_workers_that_start_together_make_the_tables_once(tmp_path: Path) -> None:
    """Each waits for who came first, finds the tables made, and writes its own chain."""
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=open_and_write, args=(str(tmp_path), f"w{number}")) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 3
    journal = open_journal(tmp_path)
    assert [(head.chain, head.seq) for head in journal.heads()] == [("w0", 3), ("w1", 3), ("w2", 3)]
    journal.close()
