"""Tables are made and changed by code, only where it has to be, and never by an older version."""

from __future__ import annotations

import contextlib
import multiprocessing
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command as alembic
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.pool import NullPool

from reminder.stores.base import StoreError
from reminder.stores.migrate import migrate, scripts
from reminder.stores.opening import open_store
from reminder.stores.postgres import PostgresDriver, open_postgres
from reminder.stores.reading import Bounds, queries
from reminder.stores.schema import METADATA
from reminder.stores.sqlite import open_sqlite
from reminder.stores.version import HEAD
from tests.stores.builders import NOW, fact, line, saved, wanted
from tools.tables import PAGE, script

if TYPE_CHECKING:
    from alembic.config import Config

    from tests.stores.server import Server


TOLD = "2026-01-05T01:00:00"


def open_and_close(dsn: str) -> None:
    """Start once."""
    open_postgres(dsn).close()


Opened = tuple[Callable[[], object], sa.Engine]


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """How to open a store where nothing is yet, and a way to look at its database."""
    if request.param == "sqlite":
        path = tmp_path / "history.sqlite"
        yield lambda: open_sqlite(path).close(), sa.create_engine(f"sqlite:///{path}", poolclass=NullPool)
        return
    server: Server = request.getfixturevalue("server")
    for dsn in server.database():
        url = dsn.replace("postgresql:", "postgresql+psycopg:")
        yield partial(open_and_close, dsn), sa.create_engine(url, poolclass=NullPool)


def test_the_version_is_that_of_the_last_migration() -> None:
    """What is checked at the start is what the migrations lead to, one after the other."""
    assert ScriptDirectory.from_config(scripts()).get_heads() == [HEAD]


def test_the_statements_of_a_new_file_are_those_of_the_tables() -> None:
    """What `make pages` writes is what is checked in."""
    assert PAGE.read_text("utf-8") == script()


def test_a_new_store_has_the_tables_the_code_knows(empty: Opened) -> None:
    """Nothing is missing, left over or of another type."""
    start, engine = empty
    start()
    assert differences(engine) == []


def test_the_migrations_make_the_same_tables(empty: Opened) -> None:
    """Step by step they come to what a new store is made as."""
    start, engine = empty
    migrate(engine.url.render_as_string(hide_password=False))
    assert differences(engine) == []
    start()


def differences(engine: sa.Engine) -> list[object]:
    """What tells the database's tables from those the code knows."""
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA)
        assert MigrationContext.configure(connection).get_current_revision() == HEAD
        return list(found)


def test_the_migrations_can_be_undone_and_done_again(empty: Opened) -> None:
    """Nothing is left behind that would be in the way."""
    start, engine = empty
    start()
    with engine.begin() as connection:
        config: Config = scripts()
        config.attributes["connection"] = connection
        alembic.downgrade(config, "base")
        assert sa.inspect(connection).get_table_names() == ["alembic_version"]
    start()
    with engine.connect() as connection:
        assert set(METADATA.tables) < set(sa.inspect(connection).get_table_names())


def test_what_an_older_version_kept_is_read_by_this_one(empty: Opened) -> None:
    """A promise made when promises had no end reaches up to then; a fact counts as of when it was told."""
    start, engine = empty
    with engine.begin() as connection:
        config: Config = scripts()
        config.attributes["connection"] = connection
        alembic.upgrade(config, "0001")
        connection.execute(sa.text("INSERT INTO coverage VALUES ('', '', '2025-01-01T00:00:00', 0, :at)"), {"at": TOLD})
        told = "INSERT INTO fact VALUES ('p1', 'patient.weight_kg', 's', :since, '', :value, :at)"
        for since in ("", "2020-01-01T00:00:00"):
            connection.execute(sa.text(told), {"since": since, "value": b"<", "at": TOLD})
    start()
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT until FROM coverage")).scalars().all() == [TOLD]
        held = connection.execute(sa.text("SELECT held_from FROM fact ORDER BY valid_from")).scalars().all()
        assert held == [TOLD, "2020-01-01T00:00:00"]


def test_a_store_of_a_later_version_is_left_alone(empty: Opened) -> None:
    """An older program neither reads nor changes what it does not understand."""
    start, engine = empty
    start()
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match=f"has schema `9999`, this version knows `{HEAD}`") as newer:
        start()
    assert newer.value.kind == "newer"
    with pytest.raises(StoreError, match="has schema `9999`"):
        migrate(engine.url.render_as_string(hide_password=False))


START = """
import sys
from pathlib import Path
from reminder.stores.sqlite import open_sqlite
open_sqlite(Path(sys.argv[1])).close()
print(any(name.startswith(("sqlalchemy", "alembic")) for name in sys.modules))
"""


def test_a_store_opens_without_what_migrates(tmp_path: Path) -> None:
    """Neither the first nor the next start loads SQLAlchemy or Alembic."""
    for _ in range(2):
        command = [sys.executable, "-c", START, str(tmp_path / "history.sqlite")]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == ["False"]


def open_and_save(path: str, number: int) -> None:
    """What one worker does at its first start."""
    store = open_sqlite(Path(path))
    store.save([saved(line(f"R{number}"), prescription_id=str(number))])
    store.close()


def test_workers_that_start_together_make_the_tables_once(tmp_path: Path) -> None:
    """Each waits for who came first, and finds the tables made."""
    path = tmp_path / "history.sqlite"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=open_and_save, args=(str(path), number)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    told = open_sqlite(path).read(wanted()).history
    assert told is not None
    assert len(told.lines) == 4


def test_a_database_without_statistics_reads_by_keys(postgres: str) -> None:
    """A table that was just filled is not read whole, nor by an index that finds most of it."""
    store = open_postgres(postgres)
    store.save([saved(line(), patient_key=f"p{number}", prescription_id=str(number)) for number in range(3000)])
    store.put_facts([fact(subject=f"p{number}") for number in range(3000)], at=NOW)
    store.close()
    driver = PostgresDriver(postgres)
    answers = driver.read([(f"EXPLAIN {text}", values) for text, values in queries(wanted("p1", "T001"), Bounds())])
    driver.close()
    plans = "\n".join(row for (answer) in answers for (row,) in answer)
    assert set(re.findall(r"record_\w+|fact_\w+", plans)) == {"record_of_patient", "fact_pkey"}
    assert "Seq Scan" not in plans


def test_which_store_is_told_by_the_address(postgres: str, tmp_path: Path) -> None:
    """A file in the data folder, unless a database is named; anything else is refused with what to write."""
    open_store(tmp_path).close()
    with contextlib.closing(sqlite3.connect(tmp_path / "history.sqlite")) as file:
        assert file.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
    open_store(tmp_path, postgres).close()
    with psycopg.connect(postgres) as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
    with pytest.raises(StoreError, match="write it like postgresql://"):
        open_store(tmp_path, "mysql://localhost/x")
