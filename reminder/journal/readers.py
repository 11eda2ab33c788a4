"""Questions to the journal under a deadline, in threads; none are asked while the store is known to be gone."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from reminder.journal.writer import MEND_S
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from reminder.journal.base import JournalStore
    from reminder.journal.writer import Opened

__all__ = ["MOST_ASKED", "READERS", "WARM_S", "Readers"]

READERS = 3
"""Threads that ask the store: two may read what a start has to know of the day, and one is left for point reads."""

MOST_ASKED = 64
"""Questions under way or waiting for a thread."""

WARM_S = 1.0
"""How long a start waits for connections; later they are made when they are needed."""

T = TypeVar("T")


class Readers:
    """``why`` is "" while the store can be read. Used inside one running event loop."""

    def __init__(self, opened: Opened) -> None:
        self.why = ""
        self._opened = opened
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="journal-read")
        self._asked = 0
        self._mending: asyncio.Task[None] | None = None
        self._closed = False

    async def ask(self, work: Callable[[JournalStore], T], within_s: float) -> T:
        """What ``work`` finds. Raises ``StoreError`` when it cannot, or not in time."""
        if self.why or self._closed:
            raise StoreError("gone", f"the journal is not asked: {self.why or 'the service is stopping'}")
        if self._asked >= MOST_ASKED:
            raise StoreError("gone", f"the journal is not asked: {MOST_ASKED} questions wait already")
        self._asked += 1
        future = self._in_thread(work)
        future.add_done_callback(self._has_asked)
        await asyncio.wait((future,), timeout=within_s)
        if not future.done():
            raise StoreError("gone", f"the journal did not answer within {within_s * 1000:.0f} ms")
        return future.result()

    async def warm(self) -> None:
        """Let each thread make its connection, before the first question has to be answered in time."""
        together = threading.Barrier(READERS)

        def work(store: JournalStore) -> None:
            with contextlib.suppress(threading.BrokenBarrierError):
                together.wait(WARM_S)  # else one thread would do it all
            store.head("")

        futures = [self._in_thread(work) for _ in range(READERS)]
        for future in futures:
            future.add_done_callback(self._look_at)
        await asyncio.wait(futures, timeout=WARM_S)

    def close(self) -> None:
        """Ask no more."""
        self._closed = True
        if self._mending is not None:
            self._mending.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _in_thread(self, work: Callable[[JournalStore], T]) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(self._opened.get()))

    def _has_asked(self, future: asyncio.Future[Any]) -> None:
        self._asked -= 1
        self._look_at(future)

    def _look_at(self, future: asyncio.Future[Any]) -> None:
        error = None if future.cancelled() else future.exception()
        if isinstance(error, StoreError) and error.kind != "refused" and not (self.why or self._closed):
            self.why = str(error)
            self._mending = asyncio.create_task(self._mend())

    async def _mend(self) -> None:
        """Try the store beside the callers, until it can be read again."""
        while self.why:
            await asyncio.sleep(MEND_S)
            try:
                await self._in_thread(lambda store: store.head(""))
            except StoreError as error:
                self.why = str(error)
            else:
                self.why = ""
