"""What the journal's writing thread does: commit whatever has come, at once, and hold what cannot be committed.

There is no timer: while one group is committed the next gathers. Entries get their places in the chain here. A group
that failed is written again as it was, for its commit may have worked and only the answer been lost; a store gives the
same rows their places once.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from msgspec import Struct

from reminder.journal.base import Head, Row
from reminder.journal.chain import rows_of
from reminder.journal.naming import other_chain
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    import asyncio

    from reminder.journal.base import Appended, Draft, JournalStore
    from reminder.journal.beside import Beside

__all__ = ["GROUP", "GROUP_BYTES", "MEND_S", "Hears", "Opened", "Waiting", "Writer", "append_in_turn"]

GROUP = 500
"""The most entries of one commit: some 2 MB and 20 ms, so that a backlog goes in without holding up who reads."""

GROUP_BYTES = 4 * 1024 * 1024
"""And their bytes: a stay of 5,000 fee lines is an entry of a megabyte."""

MEND_S = 1.0
"""How often a store that failed is tried again: what is back is used within it."""

_TURNS = 20


class Waiting:
    """An entry on its way, and who waits for it (``None``: nobody). ``due``: by when, in the loop's time."""

    __slots__ = ("draft", "due", "heard", "size")

    def __init__(self, draft: Draft, heard: asyncio.Future[Appended] | None, due: float, size: int) -> None:
        self.draft = draft
        self.heard = heard
        self.due = due
        self.size = size


class Hears(Struct, frozen=True, kw_only=True):
    """Who is told, by the writing thread and in it.

    ``written``: a group is on disk, with these hashes, after so many seconds; whether more waits than one group takes.
    ``failed``: the store failed, and is tried again. ``refused``: it can never hold this entry. ``forked``: somebody
    else writes the first chain; this writer goes on in the second.
    """

    written: Callable[[Sequence[Waiting], Sequence[bytes], float, bool], None]
    failed: Callable[[str], None]
    refused: Callable[[Waiting, str], None]
    forked: Callable[[str, str], None]


class Opened:
    """A store that is opened when it is first needed, and tried again until it can be had. For any thread."""

    def __init__(self, open_store: Callable[[], JournalStore]) -> None:
        self._open_store = open_store
        self._store: JournalStore | None = None
        self._lock = threading.Lock()

    def get(self) -> JournalStore:
        """The store. Raises ``StoreError`` while it cannot be opened."""
        if self._store is not None:
            return self._store
        with self._lock:
            if self._store is None:
                self._store = self._open_store()
            return self._store

    def close(self) -> None:
        """Let go of it."""
        with self._lock:
            if self._store is not None:
                self._store.close()
            self._store = None


class _Group:
    """Entries, how far the chain has come before them, and the hashes they have once they are written."""

    __slots__ = ("_rows", "before", "entries", "hashes")

    def __init__(self, before: Head, entries: list[Waiting]) -> None:
        self.before = before
        self.entries = entries
        self.hashes: list[bytes] = []
        self._rows: list[Row] = []

    @property
    def end(self) -> Head:
        """How far the chain has come with them."""
        return Head(chain=self.before.chain, seq=self.before.seq + len(self.hashes), hash=self.hashes[-1])

    def write(self, store: JournalStore, beside: Beside | None) -> None:
        """Have the entries on disk, as the same rows each time: by the process beside, or else here."""
        drafts = [one.draft for one in self.entries]
        hashes = beside.append(self.before, drafts) if beside is not None else None
        if hashes is None:
            self._rows = self._rows or rows_of(self.before, drafts)[0]
            store.append(self._rows)
            hashes = [row.hash for row in self._rows]
        self.hashes = hashes


class Writer:
    """Takes entries from any thread and writes them in their order, in a thread of its own.

    ``chain`` is the chain being written, ``committing_since`` when the commit under way began (``time.monotonic``),
    ``beside`` a process that appends, where there is one, from the start to the stop.

    Args:
        opened: The store.
        chain: The chain to write.
        started: Makes the entry another chain begins with, where this one is taken.
        hears: Who is told what came of it.
    """

    def __init__(self, opened: Opened, chain: str, started: Callable[[], Draft], hears: Hears) -> None:
        self.chain = chain
        self.committing_since: float | None = None
        self.beside: Beside | None = None
        self._name = chain
        self._opened = opened
        self._started = started
        self._hears = hears
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._waiting: deque[Waiting] = deque()
        self._head: Head | None = None
        self._group: _Group | None = None
        self._singly = 0
        self._again_at: float | None = None
        self._ending = False
        # A thread stuck in a disk that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="journal-write", daemon=True)
        self.put = self._queue.put

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()
        if self.beside is not None:
            self.beside.start()

    def stop(self) -> bool:
        """Write no more; returns whether the thread has ended, which it does not while the store hangs. Blocks."""
        self._ending = True
        self._queue.put(None)
        self._thread.join(MEND_S)
        if self.beside is not None:
            self.beside.stop()
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._ending:
            self._collect()
            if self._again_at is None or time.monotonic() >= self._again_at:
                self._write()

    def _collect(self) -> None:
        """Take what has come; waits where there is nothing to do."""
        found: list[Waiting | None] = []
        with contextlib.suppress(Empty):
            if self._again_at is not None:
                found.append(self._queue.get(timeout=max(0.0, self._again_at - time.monotonic())))
            elif self._group is None and not self._waiting:
                found.append(self._queue.get())
            while True:
                found.append(self._queue.get_nowait())
        self._waiting.extend(one for one in found if one is not None)

    def _write(self) -> None:
        """Commit one group, if there is one."""
        self.committing_since = begun = time.monotonic()
        try:
            store = self._opened.get()
            group = self._group = self._group or self._gathered(store)
            if group is not None:
                group.write(store, self.beside)
        except StoreError as error:
            self._not_written(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread goes on, and the entry at fault is found
            self._not_written(StoreError("refused", repr(error)))
        else:
            self._again_at = None
            if group is not None:
                self._written(group, time.monotonic() - begun)
        finally:
            self.committing_since = None

    def _gathered(self, store: JournalStore) -> _Group | None:
        """The next group."""
        if not self._waiting:
            return None
        head = self._head = self._head or store.head(self.chain)
        most = 1 if self._singly else min(GROUP, len(self._waiting))
        self._singly = max(0, self._singly - 1)
        entries, size = [self._waiting.popleft()], 0
        while len(entries) < most and size < GROUP_BYTES:
            entries.append(self._waiting.popleft())
            size += entries[-1].size
        return _Group(head, entries)

    def _written(self, group: _Group, seconds: float) -> None:
        self._head, self._group = group.end, None
        self._hears.written(group.entries, group.hashes, seconds, len(self._waiting) >= GROUP)

    def _not_written(self, error: StoreError) -> None:
        """Try again later; where the store refused, find out whether the place is taken or an entry at fault."""
        if error.kind == "refused" and self._group is not None:
            with contextlib.suppress(StoreError):
                self._refused(self._group, str(error))
                return
        self._again_at = time.monotonic() + MEND_S
        self._hears.failed(str(error))

    def _refused(self, group: _Group, why: str) -> None:
        if self._opened.get().head(self.chain) != group.before:
            self._fork(group.entries)
        elif len(group.entries) > 1:
            self._waiting.extendleft(reversed(group.entries))
            self._singly = len(group.entries)
        else:
            self._hears.refused(group.entries[0], why)
        self._group = None

    def _fork(self, entries: Sequence[Waiting]) -> None:
        before, self.chain = self.chain, other_chain(self._name)
        self._head = Head(chain=self.chain)
        self._waiting.extendleft(reversed(entries))
        self._waiting.appendleft(Waiting(self._started(), None, 0.0, 0))
        self._hears.forked(before, self.chain)


def append_in_turn(store: JournalStore, chain: str, drafts: Sequence[Draft]) -> list[Row]:
    """Write entries of a command. Commands share a chain: whoever comes second takes the next place.

    Raises:
        StoreError: When they cannot be written.
    """
    for turn in range(_TURNS):
        head = store.head(chain)
        rows, _ = rows_of(head, drafts)
        try:
            store.append(rows)
        except StoreError as error:
            if error.kind != "refused" or turn == _TURNS - 1 or store.head(chain) == head:
                raise
        else:
            return rows
    return []
