"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.stores.server import Server, started

__all__ = ["PATIENCE_S", "patient", "root", "server", "shared_data"]

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"

# A deadline would measure the machine, and the first example pays for imports.
settings.register_profile("house", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

PATIENCE_S = {
    "reminder.feedback.desk.LOOK_UP_S": 60.0,
    "reminder.feedback.desk.COMMIT_S": 60.0,
    "reminder.feedback.desk._FLAG_S": 60.0,
    "reminder.journal.beside.HANGS_S": 60.0,
    "reminder.journal.readers.WARM_S": 60.0,
    "reminder.recording.SAVED_S": 60.0,
    "reminder.stores.postgres.CONNECT_S": 60,
    "reminder.stores.postgres.READ_S": 60.0,
    "reminder.stores.postgres.WRITE_S": 60.0,
    "reminder.stores.sqlite._READ_BUSY_S": 60.0,
}
"""How long the program waits in a test, in seconds: in a hospital for moments, here until it comes true.

A machine may stand still for seconds, and what a test says is not how busy it is. A test of a limit sets the limit."""


@pytest.fixture(scope="session", autouse=True)
def patient() -> Iterator[None]:
    """The program as patient as its tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name, seconds in PATIENCE_S.items():
            patch.setattr(name, seconds)
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the published reference data, which is not part of the project."""
    if not SHARED.is_dir():
        pytest.skip("the published reference data is not beside this clone (../shared/data)")
    return SHARED


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A running PostgreSQL, the same for every test that does not stop it."""
    with started() as running:
        yield running
