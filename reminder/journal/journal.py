"""The asynchronous edge of the journal: an entry is on disk before its answer leaves, or the answer says it is not.

An answer waits for its entry at most its budget. A store that failed, or whose commit has hung for ``STUCK_S``, is
waited for by nobody: entries wait in memory, in their order, until it is back. What is more than may wait is lost, the
newest first: so the lost stand together, in one span of time, and a ``gap`` entry takes exactly their place.
Used inside one running event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from reminder.journal.base import Appended, receipt_of
from reminder.journal.gaps import Gaps
from reminder.journal.keeping import keep_on_trying
from reminder.journal.metrics import JournalMetrics
from reminder.journal.readers import Readers
from reminder.journal.waiters import NOT_IN_TIME, Waiters
from reminder.journal.writer import MEND_S, Hears, Opened, Waiting, Writer
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from reminder.journal.base import Artifact, Draft, JournalStore
    from reminder.journal.beside import Beside
    from reminder.journal.own import OwnEntries
    from reminder.stores.desk import Clocks

__all__ = [
    "GRACE_S",
    "LATE_EVERY_S",
    "MOST_BYTES",
    "MOST_ENTRIES",
    "OVER",
    "SLOW_IN_A_ROW",
    "SLOW_S",
    "STOPPING",
    "STUCK_S",
    "Journal",
]

MOST_ENTRIES = 50_000
"""Entries that may wait in memory: a store gone for three hours of a hospital's mornings at five checks a second."""

MOST_BYTES = 128 * 1024 * 1024
"""What they may hold: an entry of an ordinary prescription has 2.5 KB, so this is the same bound for larger ones."""

STUCK_S = 0.2
"""A commit that takes this long hangs: four times the budget of an answer, a hundred times what a disk takes."""

SLOW_S = 0.05
"""A commit that takes this long, and in time for nobody, is slow: after ``SLOW_IN_A_ROW`` of them nobody waits."""

SLOW_IN_A_ROW = 3
"""One slow commit may be the machine's, three in a row are the store's."""

GRACE_S = 10.0
"""How long a stop waits for what is not written yet."""

LATE_EVERY_S = 1.0
"""How long decisions that were answered before they were written are gathered for one entry that names them."""

OVER = "more entries waited for the store than may"
"""Why an entry was lost while the store was gone."""

STOPPING = "the service was stopping"
"""Why an entry was lost that came after everybody should have been answered."""

T = TypeVar("T")


class Journal:
    """One journal store as the service uses it.

    ``degraded``: what does not work, for who runs the service. ``serving``: entries are written in time, as far as is
    known; while it is false answers are ``journaled: false`` at once; ``changed`` is set whenever that changes.
    ``waiting``: entries not written yet, ``written``: entries written since the start. ``own`` makes its own entries.

    Args:
        open_store: Opens the store; may block, and raises ``StoreError`` while it cannot be had.
        clocks: What time it is.
        chain: The chain to write (:func:`reminder.journal.naming.chain_name`).
        own: Makes the journal's entries about itself.
        metrics: Where entries are counted.
        log: Where failures, forks and losses are told.
    """

    def __init__(
        self,
        open_store: Callable[[], JournalStore],
        clocks: Clocks,
        chain: str,
        own: OwnEntries,
        *,
        metrics: JournalMetrics | None = None,
        log: FilteringBoundLogger | None = None,
    ) -> None:
        self.metrics = metrics or JournalMetrics()
        self.written = 0
        self._waiting_bytes = 0
        self._clocks = clocks
        self._log = log
        self.own = own
        self._opened = Opened(open_store)
        self._writer = Writer(self._opened, chain, lambda: own.started(clocks.now()), self._hears())
        self._readers = Readers(self._opened)
        self._gaps = Gaps(own)
        self._why = ""
        self._since: datetime | None = None
        self._notes: dict[str, str] = {}
        self._slow = 0
        self._started = False
        self._stopped = False
        self._ended = False
        self.changed = asyncio.Event()
        self._empty = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: list[Callable[[], Awaitable[object]]] = []
        self._loop: asyncio.AbstractEventLoop
        self._waiters: Waiters

    @property
    def degraded(self) -> tuple[str, ...]:
        """What does not work, for who runs the service; empty when all is well."""
        texts = list(self._notes.values())
        if self._why:
            texts.append(f"journal: not written since {self._since:%Y-%m-%dT%H:%M:%SZ}: {self._why}")
        if self._why and self.waiting:
            texts.append(f"journal: {self.waiting} entries wait to be written")
        if self._gaps.lost:
            texts.append(f"journal: {self._gaps.lost} entries are lost, for no more may wait")
        if self._readers.why:
            texts.append(f"journal: cannot be read: {self._readers.why}")
        return tuple(texts)

    @property
    def waiting(self) -> int:
        """How many entries are not written yet."""
        return self.metrics.waiting

    @property
    def serving(self) -> bool:
        """Whether entries are written in time, as far as is known."""
        return not (self._why or self._stopped)

    @property
    def chain(self) -> str:
        """The chain being written."""
        return self._writer.chain

    async def start(self) -> None:
        """Open the store and begin to write; a store that is gone is tried again until it is back.

        Raises:
            StoreError: ``newer``, when a later version of the program made the store, and ``refused``, when what is
                configured can never be one: nothing would mend that.
        """
        self._loop = asyncio.get_running_loop()
        self._waiters = Waiters(self._loop, self._overdue)
        try:
            await asyncio.to_thread(self._opened.get)
        except StoreError as error:
            if error.kind in {"newer", "refused"}:
                raise
            self._fail(str(error))
        else:
            await self._readers.warm()
        self._writer.start()
        self._started = True
        self.note(self.own.started(self._clocks.now()))

    async def stop(self, grace_s: float = GRACE_S) -> int:
        """Write what waits within the grace and let go of everything, after a failed start, too; how many are lost."""
        self._stopped = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        ended = not self._started or await self._end(grace_s)
        lost = self.waiting + self._gaps.lost
        if lost and self._log is not None:
            self._log.error("journal entries lost", count=lost, why=self._why or "the store did not answer in time")
        self._readers.close()
        if ended:
            for work in self._last:
                await work()
            self._opened.close()
        return lost

    async def append(self, draft: Draft, within_s: float) -> Appended:
        """Write an entry; answers when it is on disk, or after ``within_s`` that it is not there yet. Never raises.

        An entry that was not on disk in time is written all the same, and a later ``gap`` entry names its decision.
        """
        heard: asyncio.Future[Appended] = self._loop.create_future()
        due = self._loop.time() + within_s
        if not self._take(Waiting(draft, heard, due, len(draft.body) + len(draft.brief))):
            return NOT_IN_TIME
        return await heard

    def note(self, draft: Draft) -> None:
        """Write an entry that nobody waits for."""
        self._take(Waiting(draft, None, 0.0, len(draft.body) + len(draft.brief)))

    async def ask(self, work: Callable[[JournalStore], T], within_s: float) -> T:
        """What ``work`` finds in the store, done in a thread.

        Raises:
            StoreError: When it does not come within ``within_s``, or the store cannot be read.
        """
        return await self._readers.ask(work, within_s)

    def keep(self, artifact: Artifact | Callable[[], Artifact]) -> None:
        """Keep what decisions are made with, tried until the store has it; a callable is called in a thread."""
        self.beside(keep_on_trying(self._opened, artifact, self.degrade))

    def store(self) -> JournalStore:
        """The store itself, for jobs in threads of their own. Raises ``StoreError`` while it cannot be had."""
        return self._opened.get()

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Work on beside the callers, until it is done or the journal stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def append_by(self, beside: Beside) -> None:
        """Have entries appended by a process, where that can; it is started and stopped with the journal."""
        self._writer.beside = beside

    def writing_long(self) -> contextlib.AbstractContextManager[None]:
        """While a job in a thread writes for long: it and the journal's own thread take turns, a process would not."""
        return contextlib.nullcontext() if self._writer.beside is None else self._writer.beside.resting()

    def at_end(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do something when the journal stops, once everything is written and before the store is let go of."""
        self._last.append(work)

    def now(self) -> datetime:
        """The instant, UTC."""
        return self._clocks.now()

    def degrade(self, part: str, text: str) -> None:
        """Say that a part of the journal does not work; "" takes it back."""
        if text:
            self._notes[part] = text
        else:
            self._notes.pop(part, None)

    def _take(self, one: Waiting) -> bool:
        """Let an entry wait for the writing thread, unless too many do; returns whether it waits."""
        if self._stopped or self.waiting >= MOST_ENTRIES or self._waiting_bytes + one.size > MOST_BYTES:
            self._lose(one, STOPPING if self._stopped else OVER)
            return False
        if self._gaps.lost:
            self._say_gaps()
        self._put(one)
        if one.heard is not None:
            if self._why or one.due <= self._loop.time():
                one.heard.set_result(NOT_IN_TIME)
            else:
                self._waiters.add(one)
        return True

    def _put(self, one: Waiting) -> None:
        self.metrics.waiting += 1
        self._waiting_bytes += one.size
        self._writer.put(one)

    def _lose(self, one: Waiting, why: str) -> None:
        self.metrics.entry(one.draft.kind, "lost")
        if not self._gaps.lost and self._log is not None:
            self._log.error("journal entries are being lost", why=why)
        self._gaps.lose(one.draft, why)

    def _say_gaps(self) -> None:
        """Entries in the place of those lost, and about those that were late."""
        if self._ended:
            return
        for draft in self._gaps.entries(self._clocks.now()):
            self._put(Waiting(draft, None, 0.0, len(draft.body)))

    def _overdue(self) -> None:
        """Somebody waited too long: where it is the store that hangs, nobody waits for it any more."""
        since = self._writer.committing_since
        if since is not None and time.monotonic() - since > STUCK_S:
            self._fail(f"a commit hangs for more than {STUCK_S:.1f} s")

    def _fail(self, why: str) -> None:
        """The store cannot be written: who waits is answered, and nobody waits until it is back."""
        if not self._why:
            self._since = self._clocks.now()
            self.changed.set()
            if self._log is not None:
                self._log.error("journal not written", why=why)
        self._why = why
        self._waiters.release()

    def _works(self) -> None:
        """The store is written, and nothing waits longer than it has to."""
        if self._why:
            self.changed.set()
            if self._log is not None:
                self._log.info("journal written again", entries=self.written)
        self._why, self._since = "", None
        if self._gaps.lost:
            self._say_gaps()

    async def _end(self, grace_s: float) -> bool:
        """Wait until all is written, or the grace is over; returns whether the writing thread has ended."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                while self.waiting or self._gaps:
                    self._say_gaps()
                    self._empty.clear()
                    await self._empty.wait()
        self._ended = True
        ended = await asyncio.to_thread(self._writer.stop)
        self._waiters.release()
        return ended

    def _hears(self) -> Hears:
        """Everything the writing thread says is heard in the loop, by one wake-up for a group."""
        return Hears(
            written=partial(self._tell, self._has_written),
            failed=partial(self._tell, self._fail),
            refused=partial(self._tell, self._has_refused),
            forked=partial(self._tell, self._has_forked),
        )

    def _tell(self, heard: Callable[..., None], *what: Any) -> None:
        """Call something in the loop, unless that is closed."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(heard, *what)

    def _has_written(self, group: Sequence[Waiting], hashes: Sequence[bytes], seconds: float, behind: bool) -> None:
        self.metrics.group(len(group), seconds)
        self.written += len(group)
        heard = any(one.heard is not None and not one.heard.done() for one in group)
        for one, hash_ in zip(group, hashes, strict=True):
            self._one_written(one, hash_)
        self._look_at_pace(seconds, heard=heard, behind=behind)
        if not self.waiting:
            self._empty.set()

    def _look_at_pace(self, seconds: float, *, heard: bool, behind: bool) -> None:
        """A store that writes, but slower than anybody waits, is left alone until it is fast, or nothing waits."""
        self._slow = 0 if heard or seconds <= SLOW_S else self._slow + 1
        if self._slow >= SLOW_IN_A_ROW:
            self._fail(f"commits take {seconds * 1000:.0f} ms")
        if not self._slow and not behind:
            self._works()
        elif self._why and not self.waiting:
            self._loop.call_later(MEND_S, self._rest)

    def _rest(self) -> None:
        if not self.waiting:
            self._works()

    def _one_written(self, one: Waiting, hash_: bytes) -> None:
        if one.size:
            self.metrics.waiting -= 1
            self._waiting_bytes -= one.size
        heard = one.heard
        if heard is None or not heard.done():
            self.metrics.entry(one.draft.kind, "in_time")
            if heard is not None:
                heard.set_result(Appended(journaled=True, receipt=receipt_of(hash_)))
        elif not heard.cancelled():
            self.metrics.entry(one.draft.kind, "late")
            self._late(one.draft)

    def _late(self, draft: Draft) -> None:
        """One entry tells of all that were late within a while."""
        if not self._gaps:
            self._loop.call_later(LATE_EVERY_S, self._say_gaps)
        self._gaps.late(draft)

    def _has_refused(self, one: Waiting, why: str) -> None:
        self.metrics.waiting -= 1
        self._waiting_bytes -= one.size
        if one.heard is not None and not one.heard.done():
            one.heard.set_result(NOT_IN_TIME)
        self._lose(one, why)
        if not self.waiting:
            self._empty.set()

    def _has_forked(self, before: str, chain: str) -> None:
        text = f"journal: the chain `{before}` is written by somebody else too; this worker goes on in `{chain}`"
        self.degrade("chain", text)
        if self._log is not None:
            self._log.error("journal chain taken", chain=before, other=chain)
