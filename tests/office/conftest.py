"""What the tests of the office's commands stand on: a PostgreSQL for those that need one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stores.server import Server, binaries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def office_server() -> Iterator[Server]:
    """A running PostgreSQL."""
    found = binaries()
    if found is None:
        pytest.skip("PostgreSQL is not installed (tools/postgres.sh installs it)")
    running = Server(found)
    try:
        running.start()
        yield running
    finally:
        running.remove()


@pytest.fixture(params=["sqlite", "postgres"])
def databases(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Makes an empty database at each call: "" for files in the data folder, else the URL of a PostgreSQL."""
    if request.param == "sqlite":
        yield lambda: ""
        return
    server = request.getfixturevalue("office_server")
    made: list[Iterator[str]] = []

    def make() -> str:
        made.append(iter(server.database()))
        return next(made[-1])

    yield make
    for database in reversed(made):
        next(database, None)
