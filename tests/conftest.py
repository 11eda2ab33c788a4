"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.stores.server import Server, started

__all__ = ["root", "server", "shared_data"]

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"

# A deadline would measure the machine, and the first example pays for imports.
settings.register_profile("house", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


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
