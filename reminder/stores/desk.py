"""The asynchronous edge of the stores: reads under a deadline, writes that are never lost, and no waiting in an outage.

A check asks once and waits at most its deadline. After a failure nothing is asked until a probe beside the callers,
each second, finds the store again, so that an outage costs a check nothing. Writes of many callers that arrive together
share one transaction. While the store is gone accepted writes go to the spool, on disk before the caller hears of it,
and into the store when it is back; until the last of them is there nothing is read, for what is read would lack them.
Used inside one running event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from reminder.stores.base import StoreError, Told
from reminder.stores.breaker import Breaker
from reminder.stores.changes import Change, saving
from reminder.stores.writer import Changes, Opened, Writer

if TYPE_CHECKING:
    from negative_list.readers.stored import StoreFact
    from reminder.stores.base import Coverage, HistoryRecord, Kept, OpenFinding, Saved, Wanted
    from reminder.stores.spool import Spool
    from reminder.stores.sqlstore import SqlStore

__all__ = ["DEADLINE_S", "MEND_S", "MOST_READS", "READERS", "Clocks", "Desk"]

DEADLINE_S = 0.020
"""How long a check waits for what the store knows."""

READERS = 4
"""Threads that read. They take turns on the interpreter, so that more would only help with a database far away."""

MOST_READS = 64
"""Reads under way or waiting for a thread: as many as are done within the deadline when each takes a millisecond."""

T = TypeVar("T")

MEND_S = 1.0
"""How long a store that failed is left alone: what is back is used within it, and no caller pays for trying."""

# Of the deadline; the rest is for handing over, and for what is done once all records are read.
_WORK_PART = 0.6


class Clocks(Struct, frozen=True):
    """``now``: the instant, UTC; ``tick_s``: seconds of ``time.monotonic``."""

    now: Callable[[], datetime]
    tick_s: Callable[[], float]


class _Caller(Struct, frozen=True, eq=False):
    """What a caller writes, and where it hears the outcome."""

    changes: Changes
    heard: asyncio.Future[int]


class Desk:
    """One store as the service uses it.

    Args:
        open_store: Opens the store; may block, and raises ``StoreError`` while it cannot be had.
        spool: Where writes wait while the store is gone.
        clocks: What time it is.
    """

    def __init__(self, open_store: Callable[[], SqlStore], spool: Spool, clocks: Clocks) -> None:
        self._clocks = clocks
        self._spool = spool
        self._opened = Opened(open_store)
        self._reading = Breaker(clocks.now)
        self._writing = Breaker(clocks.now)
        self._writer = Writer(self._opened, spool, self._writing)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-read")
        self._written = ThreadPoolExecutor(1, thread_name_prefix="store-write")
        self._reads = 0
        self._callers: list[_Caller] = []
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []
        self._told = asyncio.Event()

    @property
    def degraded(self) -> tuple[str, ...]:
        """What does not work, for who runs the service; empty when all is well."""
        faults = {breaker.why: breaker.since for breaker in (self._writing, self._reading) if breaker.why}
        texts = [f"history store: gone since {since:%Y-%m-%dT%H:%M:%SZ}: {why}" for why, since in faults.items()]
        if self._writer.waiting:
            texts.append(f"history store: {self._writer.waiting} accepted writes wait to be written")
        if self._writer.aside:
            texts.append(f"history store: {self._writer.aside} accepted writes cannot be kept and lie in the spool")
        return tuple(texts)

    @property
    def waiting(self) -> int:
        """How many accepted writes are not in the store yet; 0: every later read knows all that was told."""
        return self._writer.waiting

    async def start(self) -> None:
        """Open the store, and begin to write. A store that is gone is tried again until it is back.

        Raises:
            StoreError: ``newer``, when a later version of the program made the store: nothing would mend that.
        """
        try:
            await self._in_writer(self._opened.get)
        except StoreError as error:
            if error.kind == "newer":
                raise
            for breaker in (self._reading, self._writing):
                breaker.failed(str(error))
        await self._in_writer(self._writer.look)
        self._tasks = [asyncio.create_task(self._write_on()), asyncio.create_task(self._mend_on())]

    async def stop(self) -> None:
        """Write what was told, then let go of everything. May be called when starting failed."""
        self._closing = True
        self._told.set()
        for task in self._tasks[1:]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._written.shutdown()
        self._readers.shutdown(cancel_futures=True)
        self._opened.close()
        self._spool.close()

    def store(self) -> SqlStore:
        """The store itself, for what may block: jobs and reports. Raises ``StoreError`` while it cannot be had."""
        return self._opened.get()

    async def read(self, wanted: Wanted, deadline_s: float = DEADLINE_S) -> Told:
        """What the store knows, or why it was not asked or did not answer in time; never raises."""
        if self._reads >= MOST_READS:
            return Told(failed="slow")
        if self._reading.why:
            return Told(failed="gone")
        self._reads += 1
        until = self._clocks.tick_s() + deadline_s
        future = asyncio.get_running_loop().run_in_executor(self._readers, self._read, wanted, until)
        future.add_done_callback(self._has_read)
        await asyncio.wait((future,), timeout=deadline_s)
        if not future.done():
            self._reading.missed(f"no answer within {deadline_s * 1000:.0f} ms", wanted.patient_key)
            return Told(failed="slow")
        if future.exception() is not None:
            return Told(failed="gone")
        self._reading.worked()
        return future.result()

    async def save(self, saved: Sequence[Saved]) -> int:
        """Keep saved prescriptions; on disk when this returns, and in every later read.

        As all writes here: returns how many changed what is known (told, where they have to wait for the store), and
        raises ``StoreError`` when they can neither be kept nor wait.
        """
        return await self._write(saving(saved, self._clocks.now()))

    async def put_history(self, records: Sequence[HistoryRecord], coverage: Sequence[Coverage] = ()) -> int:
        """Keep records of a feed and what they cover."""
        at = self._clocks.now()
        return await self._write(
            Change(kind="history", records=tuple(records), at=at),
            Change(kind="coverage", records=tuple(coverage), at=at),
        )

    async def put_facts(self, facts: Sequence[StoreFact]) -> int:
        """Keep facts."""
        return await self._write(Change(kind="facts", records=tuple(facts), at=self._clocks.now()))

    async def put_aliases(self, keys: Sequence[tuple[str, str]]) -> int:
        """Keep that two keys are of one patient, or of one encounter."""
        return await self._write(Change(kind="aliases", records=tuple(keys), at=self._clocks.now()))

    async def keep(self, bodies: Sequence[Kept]) -> None:
        """Keep the last body of encounters."""
        await self._write(Change(kind="keep", records=tuple(bodies), at=self._clocks.now()))

    async def put_findings(self, encounter_key: str, found: Sequence[OpenFinding]) -> None:
        """Replace what is open for an encounter."""
        await self._write(Change(kind="findings", records=tuple(found), at=self._clocks.now(), subject=encounter_key))

    def _read(self, wanted: Wanted, until: float) -> Told:
        """In a reading thread: the answer, unless writes wait or nobody waits for it any more."""
        if self._spool.count():
            return Told(failed="behind")
        left_s = until - self._clocks.tick_s()
        return self._opened.get().read(wanted, within_s=left_s * _WORK_PART) if left_s > 0 else Told(failed="slow")

    def _has_read(self, future: asyncio.Future[Told]) -> None:
        self._reads -= 1
        error = None if future.cancelled() else future.exception()
        if error is not None and not (isinstance(error, StoreError) and error.kind == "refused"):
            self._reading.failed(str(error))

    async def _write(self, *changes: Change) -> int:
        if self._closing:
            raise StoreError("gone", "nothing was kept: the service is stopping; tell it again")
        heard = asyncio.get_running_loop().create_future()
        self._callers.append(_Caller(changes, heard))
        self._told.set()
        return int(await heard)

    async def _write_on(self) -> None:
        """Write what was told since the last time, as long as the desk is open."""
        while self._callers or not self._closing:
            await self._told.wait()
            self._told.clear()
            callers, self._callers = self._callers, []
            if callers:
                await self._commit(callers)

    async def _commit(self, callers: Sequence[_Caller]) -> None:
        try:
            outcomes = await self._in_writer(lambda: self._writer.commit([caller.changes for caller in callers]))
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            outcomes = [StoreError("gone", f"nothing was kept: {error}")] * len(callers)
        for caller, outcome in zip(callers, outcomes, strict=True):
            if caller.heard.cancelled():
                continue
            if isinstance(outcome, StoreError):
                caller.heard.set_exception(outcome)
            else:
                caller.heard.set_result(outcome)

    async def _mend_on(self) -> None:
        """Look after what waits, as long as the desk is open."""
        while True:
            try:
                await self._probe()
                while await self._in_writer(self._writer.mend):
                    pass
            except StoreError:
                pass  # the breakers stay as they are, and the next round tries again
            except Exception as error:  # noqa: BLE001 - a fault of ours is told, and mending goes on
                self._writing.failed(repr(error))
            await asyncio.sleep(MEND_S)

    async def _probe(self) -> None:
        """Close the breakers if the store is back; each reading thread finds its connection made again."""
        if self._reading.why or self._writing.why:
            await asyncio.gather(*(self._in_reader(lambda: self._opened.get().ping()) for _ in range(READERS)))
            self._reading.worked()
        if self._writing.why:
            await self._in_reader(lambda: self._opened.get().touch())
            self._writing.worked()

    async def _in_reader(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    async def _in_writer(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._written, work)
