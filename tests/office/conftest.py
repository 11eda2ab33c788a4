"""What the tests of the office's commands stand on: a PostgreSQL for those that need one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.stores.server import Server


@pytest.fixture(params=["sqlite", "postgres"])
def databases(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Makes an empty database at each call: "" for files in the data folder, else the URL of a PostgreSQL."""
    if request.param == "sqlite":
        yield lambda: ""
        return
    server: Server = request.getfixturevalue("server")
    made: list[Iterator[str]] = []

    def make() -> str:
        made.append(iter(server.database()))
        return next(made[-1])

    yield make
    for database in reversed(made):
        next(database, None)
