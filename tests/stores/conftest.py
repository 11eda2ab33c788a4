"""Every test of a store runs on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from reminder.stores.postgres import open_postgres
from reminder.stores.schema import METADATA
from reminder.stores.sqlite import open_sqlite

if TYPE_CHECKING:
    from reminder.stores.sqlstore import SqlStore
    from tests.stores.server import Server


@pytest.fixture(scope="session")
def database(server: Server) -> Iterator[str]:
    """The URL of a database with our tables."""
    for dsn in server.database():
        open_postgres(dsn).close()
        yield dsn


@pytest.fixture
def postgres(database: str) -> str:
    """The URL of a database with our tables and nothing in them."""
    with psycopg.connect(database) as connection:
        connection.execute(f"TRUNCATE {', '.join(METADATA.tables)}".encode())
    return database


@pytest.fixture(params=["sqlite", "postgres"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], SqlStore]:
    """Opens the same store again and again."""
    if request.param == "sqlite":
        return lambda: open_sqlite(tmp_path / "history.sqlite")
    dsn = request.getfixturevalue("postgres")
    return lambda: open_postgres(dsn)


@pytest.fixture
def store(opening: Callable[[], SqlStore]) -> Iterator[SqlStore]:
    """An empty store."""
    opened = opening()
    yield opened
    opened.close()
