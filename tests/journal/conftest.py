"""Every test of the journal's stores runs on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from reminder.journal.postgres import open_postgres_journal
from reminder.journal.schema import METADATA
from reminder.journal.sqlite import open_sqlite_journal
from tests.journal.tampering import Raw, raw_on

if TYPE_CHECKING:
    from reminder.journal.store import SqlJournal
    from tests.stores.server import Server


@pytest.fixture(scope="session")
def journal_database(server: Server) -> Iterator[str]:
    """The URL of a database with the journal's tables."""
    for dsn in server.database():
        open_postgres_journal(dsn).close()
        yield dsn


@pytest.fixture
def postgres(journal_database: str) -> str:
    """The URL of a database with the journal's tables and nothing in them."""
    with psycopg.connect(journal_database) as connection:
        connection.execute(f"TRUNCATE {', '.join(METADATA.tables)}".encode())
    return journal_database


@pytest.fixture(params=["sqlite", "postgres"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], SqlJournal]:
    """Opens the same journal again and again."""
    if request.param == "sqlite":
        return lambda: open_sqlite_journal(tmp_path / "journal.sqlite")
    dsn = request.getfixturevalue("postgres")
    return lambda: open_postgres_journal(dsn)


@pytest.fixture
def journal(opening: Callable[[], SqlJournal]) -> Iterator[SqlJournal]:
    """An empty journal."""
    opened = opening()
    yield opened
    opened.close()


@pytest.fixture
def raw(request: pytest.FixtureRequest, opening: Callable[[], SqlJournal], tmp_path: Path) -> Raw:
    """Statements on the database of the journal, past everything of ours."""
    if request.node.callspec.params["opening"] == "sqlite":
        return raw_on(tmp_path / "journal.sqlite")
    return raw_on(str(request.getfixturevalue("postgres")))
