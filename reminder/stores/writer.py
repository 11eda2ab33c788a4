"""What the desk's writing thread does: commit the changes of many callers together, or let them wait in the spool."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from reminder.stores.breaker import Breaker
    from reminder.stores.changes import Change
    from reminder.stores.spool import Spool, Waiting
    from reminder.stores.sqlstore import SqlStore

__all__ = ["GROUP", "Changes", "Opened", "Writer"]

GROUP = 200
"""The most changes taken out of the spool at once: some ten milliseconds of work, which the next writer waits for."""

Changes: TypeAlias = "tuple[Change, ...]"
"""What one caller writes; all of it or nothing."""


class Opened:
    """A store that is opened when it is first needed, and tried again until it can be had. For any thread."""

    def __init__(self, open_store: Callable[[], SqlStore]) -> None:
        self._open_store = open_store
        self._store: SqlStore | None = None
        self._lock = threading.Lock()

    def get(self) -> SqlStore:
        """The store. Raises ``StoreError`` while it cannot be opened."""
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


class Writer:
    """Writes changes, in the order they come; used by one thread at a time.

    ``waiting``: how many wait in the spool. ``aside``: how many of them the store can never hold.
    """

    def __init__(self, opened: Opened, spool: Spool, breaker: Breaker) -> None:
        self.waiting = 0
        self.aside = spool.refused()
        self._opened = opened
        self._spool = spool
        self._breaker = breaker

    def commit(self, callers: Sequence[Changes]) -> list[int | StoreError]:
        """Write what several callers told, on disk when this returns.

        Returns for each how many records of its first change changed what is known (where they wait, how many were
        told), or why they could not be kept.
        """
        if self.look() or self._breaker.why:
            return self._wait(callers)
        try:
            counts = self._opened.get().apply([change for changes in callers for change in changes])
        except StoreError as error:
            if error.kind == "refused":
                return [self.commit([changes])[0] for changes in callers] if len(callers) > 1 else [error]
            self._breaker.failed(str(error))
            return self._wait(callers)
        places = itertools.accumulate((len(changes) for changes in callers[:-1]), initial=0)
        return [counts[place] for place in places]

    def mend(self) -> bool:
        """Take the oldest waiting changes to the store, if it is back; returns whether more are to be taken."""
        if not self.look() or self._breaker.why:
            return False
        waiting = self._spool.first(GROUP)
        try:
            self._opened.get().apply([one.change for one in waiting])
            self._spool.done(waiting)
        except StoreError as error:
            if error.kind != "refused":
                self._breaker.failed(str(error))
                return False
            self._one_by_one(waiting)
        return self.look() > 0

    def _one_by_one(self, waiting: Sequence[Waiting]) -> None:
        """One change cannot be kept: the others are, and it is put aside."""
        for one in waiting:
            try:
                self._opened.get().apply([one.change])
            except StoreError as error:
                if error.kind != "refused":
                    raise
                self._spool.refuse(one, str(error))
            else:
                self._spool.done([one])

    def _wait(self, callers: Sequence[Changes]) -> list[int | StoreError]:
        try:
            self._spool.add([change for changes in callers for change in changes])
        except StoreError as error:
            if error.kind == "refused":
                return [self._wait([changes])[0] for changes in callers] if len(callers) > 1 else [error]
            text = f"nothing was kept: the store is gone ({self._breaker.why}), and writes cannot wait for it: {error}"
            return [StoreError(error.kind, text)] * len(callers)
        self.look()
        return [len(changes[0].records) for changes in callers]

    def look(self) -> int:
        """How many changes wait, counted now."""
        self.waiting, self.aside = self._spool.count(), self._spool.refused()
        return self.waiting
