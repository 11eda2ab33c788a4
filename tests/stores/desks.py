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

__all__ = ["LONG_S", "Clock", "Failing", "desk_on", "in_time", "run", "until"]

T = TypeVar("T")

LONG_S = 60.0
"""A limit that nothing reaches, however busy the machine is: what is waited for is a condition."""

_STEPS = 10  # of the loop, from a deadline to the answer: more than it takes


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
    """A store around another one: ``fault`` makes it fail, ``stuck`` makes it hang; reads and groups are counted."""

    def __init__(self, store: SqlStore) -> None:
        self.fault: Fault | None = None
        self.stuck = threading.Event()
        self.stuck.set()
        self.reads = 0
        self.groups: list[int] = []
        self._store = store

    def ping(self) -> None:
        """Fails or hangs."""
        self._try()

    touch = ping

    def read(self, wanted: Wanted, *, within_s: float | None = None) -> Told:
        """Fails, hangs, or reads."""
        self.reads += 1
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
        self.stuck.wait(LONG_S)
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
        return await asyncio.wait_for(work(), 2 * LONG_S)

    return asyncio.run(limited())


async def in_time(desk: Desk, asked: Wanted, deadline_s: float) -> Told:
    """What a desk tells within a deadline: its answer comes before the bell of a clock that is set just as long.

    The clock is set after the question, and one loop keeps the time of both: the order is right on any machine.
    """
    came: list[str] = []
    answer = asyncio.create_task(desk.read(asked, deadline_s))
    answer.add_done_callback(lambda _: came.append("answer"))
    await asyncio.sleep(0)  # the question is on its way, with its deadline
    bell = asyncio.create_task(_rung(deadline_s))
    bell.add_done_callback(lambda _: came.append("bell"))
    told = await answer
    await bell
    assert came == ["answer", "bell"]
    return told


async def _rung(after_s: float) -> None:
    await asyncio.sleep(after_s)
    for _ in range(_STEPS):
        await asyncio.sleep(0)


async def until(true: Callable[[], bool | Awaitable[bool]], within_s: float = LONG_S) -> None:
    """Wait until something is true; fails when it does not come true."""
    end = time.monotonic() + within_s
    while True:
        found = true()
        if found if isinstance(found, bool) else await found:
            return
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0.02)
