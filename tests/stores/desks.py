"""Desks to test with: a clock that is moved by hand, and a store that fails when it is told to."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from reminder.stores.base import StoreError, Told, Wanted
from reminder.stores.desk import Clocks, Desk
from reminder.stores.spool import MOST_BYTES, Spool
from tests.stores.builders import NOW

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from reminder.stores.base import Fault
    from reminder.stores.changes import Change
    from reminder.stores.sqlstore import SqlStore

__all__ = ["Clock", "Failing", "desk_on", "run", "until"]

T = TypeVar("T")


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def clocks(self) -> Clocks:
        """What a desk is given."""
        return Clocks(now=self.now, tick_s=lambda: self.passed_s)

    def now(self) -> datetime:
        """The instant."""
        return NOW + timedelta(seconds=self.passed_s)


class Failing:
    """A store around another one: ``fault`` makes it fail, ``stuck`` makes it hang; what was asked is counted."""

    def __init__(self, store: SqlStore) -> None:
        self.fault: Fault | None = None
        self.stuck = threading.Event()
        self.stuck.set()
        self.asked = 0
        self.groups: list[int] = []
        self._store = store

    def ping(self) -> None:
        """Fails or hangs."""
        self._try()

    touch = ping

    def read(self, wanted: Wanted, *, within_s: float | None = None) -> Told:
        """Fails, hangs, or reads."""
        self._try()
        return self._store.read(wanted, within_s=within_s)

    def apply(self, changes: Sequence[Change]) -> list[int]:
        """Fails, hangs, or writes."""
        self._try()
        self.groups.append(len(changes))
        return self._store.apply(changes)

    def close(self) -> None:
        """The inner store is the test's to close."""

    def _try(self) -> None:
        self.asked += 1
        self.stuck.wait(10)
        if self.fault:
            raise StoreError(self.fault, "told to fail")


@asynccontextmanager
async def desk_on(
    open_store: Callable[[], Any], folder: Path, clocks: Clocks | None = None, most_bytes: int = MOST_BYTES
) -> AsyncIterator[Desk]:
    """A started desk with its spool in a folder, stopped afterwards; without clocks on those of the machine."""
    told = clocks or Clocks(now=lambda: NOW + timedelta(seconds=time.monotonic()), tick_s=time.monotonic)
    desk = Desk(open_store, Spool(folder / "spool.sqlite", most_bytes), told)
    try:
        await desk.start()
        yield desk
    finally:
        await desk.stop()


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end; one that hangs fails."""

    async def limited() -> T:
        return await asyncio.wait_for(work(), 60)

    return asyncio.run(limited())


async def until(true: Callable[[], bool | Awaitable[bool]], within_s: float = 15) -> None:
    """Wait until something is true; fails when it does not come true."""
    end = time.monotonic() + within_s
    while True:
        found = true()
        if found if isinstance(found, bool) else await found:
            return
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.02)
