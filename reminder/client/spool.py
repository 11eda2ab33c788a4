"""What could not be told yet: kept in the order it came, bounded, on disk where a folder is given.

A file holds the requests as they go over the wire: the HIS's own ids of patient and encounter, the birth date, no name.
It is readable by its owner only (on Windows by whom its folder lets), and what was delivered is gone from it. Several
processes of one program may share a folder: one of them delivers at a time, by a lease.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from reminder.stores.base import StoreError
from reminder.stores.sqlite import SqliteDriver, make_folder

__all__ = ["LEASE_S", "MOST_BYTES", "MOST_WAITING", "Spool", "Waiting", "open_spool"]

MOST_WAITING = 100_000
"""Words that wait at most: three days of a large hospital's 30,000 prescriptions."""

MOST_BYTES = 512 * 1024 * 1024
"""Bytes that wait at most on disk; in memory an eighth of it."""

LEASE_S = 30.0
"""How long whoever delivers is let alone without a sign of life."""

_log = logging.getLogger("reminder.client")
_FILE = "waiting.sqlite"
_BUSY_S = 5.0
_FULL = "the spool holds all it may; see why nothing is delivered"
_CALL = "method TEXT NOT NULL, request BLOB NOT NULL"
_TABLES = (
    f"CREATE TABLE IF NOT EXISTS waiting (place INTEGER PRIMARY KEY AUTOINCREMENT, {_CALL})",
    f"CREATE TABLE IF NOT EXISTS refused (place INTEGER PRIMARY KEY, {_CALL}, why TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS lease (one INTEGER PRIMARY KEY, who TEXT NOT NULL, ends_ms INTEGER NOT NULL)",
)
_LEASE = (
    "INSERT INTO lease VALUES (1, ?, ?) ON CONFLICT (one) DO UPDATE SET who = excluded.who, ends_ms = excluded.ends_ms"
    " WHERE lease.who = excluded.who OR lease.ends_ms < ?"
)


class Waiting(Struct, frozen=True, kw_only=True):
    """A call that waits: its place, its method and the bytes of its request."""

    place: int
    method: str
    request: bytes


class Spool(Protocol):
    """Where calls wait. Every method may block, and raises ``StoreError``. ``problem``: why the folder is not used."""

    problem: str

    def add(self, method: str, request: bytes) -> Future[None]:
        """Keep a call; done where it is kept, on disk where there is a file. It fails with ``StoreError``."""

    def first(self, most: int) -> Sequence[Waiting]:
        """The calls that have waited longest."""

    def done(self, waiting: Waiting) -> None:
        """Take out a call that was answered."""

    def refuse(self, waiting: Waiting, why: str) -> None:
        """Put aside a call that can never be answered."""

    def count(self) -> int:
        """How many calls wait."""

    def refused(self) -> int:
        """How many were put aside, and nobody has looked at."""

    def lease(self, who: str, now_s: float) -> bool:
        """Whether ``who`` may deliver until a lease from ``now_s`` (seconds of the wall clock)."""

    def close(self, who: str) -> None:
        """Let go of everything."""


def open_spool(folder: Path | str | None, most: int) -> Spool:
    """The spool of a folder, or of this process's memory, where there is none or it cannot be used (``problem``).

    A file that was damaged by a loss of power may keep no program from starting; it stays as it is, to be looked at.
    """
    if folder is None:
        return _Memory(most)
    try:
        return _Disk(Path(folder), most)
    except StoreError as error:
        _log.error("words wait in memory only: %s", error)
        return _Memory(most, str(error))


class _Memory:
    """Calls in memory: gone with the process."""

    def __init__(self, most: int, problem: str = "") -> None:
        self.problem = problem
        self._most = most
        self._lock = threading.Lock()
        self._waiting: OrderedDict[int, Waiting] = OrderedDict()
        self._last = self._bytes = self._refused = 0

    def add(self, method: str, request: bytes) -> Future[None]:
        done: Future[None] = Future()
        with self._lock:
            if len(self._waiting) >= self._most or self._bytes + len(request) > MOST_BYTES // 8:
                done.set_exception(StoreError("full", _FULL))
                return done
            self._last += 1
            self._bytes += len(request)
            self._waiting[self._last] = Waiting(place=self._last, method=method, request=request)
        done.set_result(None)
        return done

    def first(self, most: int) -> Sequence[Waiting]:
        with self._lock:
            return list(islice(self._waiting.values(), most))

    def done(self, waiting: Waiting) -> None:
        with self._lock:
            if self._waiting.pop(waiting.place, None) is not None:
                self._bytes -= len(waiting.request)

    def refuse(self, waiting: Waiting, why: str) -> None:  # noqa: ARG002 - nobody could look at it
        self.done(waiting)
        self._refused += 1

    def count(self) -> int:
        return len(self._waiting)

    def refused(self) -> int:
        return self._refused

    def lease(self, who: str, now_s: float) -> bool:  # noqa: ARG002 - nobody else sees it
        return True

    def close(self, who: str) -> None:
        """Nothing is held."""


class _Disk:
    """Calls in a file of a folder on a local disk, written beside the callers: what comes meanwhile goes together."""

    problem = ""

    def __init__(self, folder: Path, most: int) -> None:
        make_folder(folder)
        path = folder / _FILE
        with suppress(OSError):  # what goes wrong here goes wrong at the first write too, which says so
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._most = most
        self._coming: list[tuple[str, bytes, Future[None]]] = []
        self._unwritten = 0
        self._lock = threading.Lock()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="reminder-spool")
        self._driver = SqliteDriver(path, _BUSY_S, MOST_BYTES)
        self._driver.prepare()
        with self._driver.writing() as writing:
            for table in _TABLES:
                writing.rows(table, ())

    def add(self, method: str, request: bytes) -> Future[None]:
        done: Future[None] = Future()
        with self._lock:
            self._coming.append((method, request, done))
            self._unwritten += 1
        try:
            self._writer.submit(self._write)
        except RuntimeError:
            self._written([done], StoreError("gone", "the client is closed; make another"))
        return done

    def first(self, most: int) -> Sequence[Waiting]:
        query = "SELECT place, method, request FROM waiting ORDER BY place LIMIT ?"
        (rows,) = self._driver.read([(query, (most,))])
        return [Waiting(place=int(place), method=str(method), request=bytes(data)) for place, method, data in rows]

    def done(self, waiting: Waiting) -> None:
        with self._driver.writing() as writing:
            writing.many("DELETE FROM waiting WHERE place = ?", [(waiting.place,)])

    def refuse(self, waiting: Waiting, why: str) -> None:
        with self._driver.writing() as writing:
            moved = "INSERT OR REPLACE INTO refused SELECT place, method, request, ? FROM waiting WHERE place = ?"
            writing.many(moved, [(why, waiting.place)])
            writing.many("DELETE FROM waiting WHERE place = ?", [(waiting.place,)])

    def count(self) -> int:
        return self._unwritten + self._count("waiting")

    def refused(self) -> int:
        return self._count("refused")

    def lease(self, who: str, now_s: float) -> bool:
        with self._driver.writing() as writing:
            return writing.many(_LEASE, [(who, round((now_s + LEASE_S) * 1000), round(now_s * 1000))]) > 0

    def close(self, who: str) -> None:
        self._writer.shutdown()
        with suppress(StoreError), self._driver.writing() as writing:
            writing.many("DELETE FROM lease WHERE who = ?", [(who,)])
        self._driver.close()

    def _write(self) -> None:
        """Write all that has come, in one transaction."""
        with self._lock:
            coming, self._coming = self._coming, []
        if not coming:
            return
        try:
            room = max(0, self._most - self._count("waiting"))
            with self._driver.writing() as writing:
                rows = [(method, request) for method, request, _ in coming[:room]]
                writing.many("INSERT INTO waiting (method, request) VALUES (?, ?)", rows)
        except StoreError as error:
            self._written([done for _, _, done in coming], error)
        else:
            self._written([done for _, _, done in coming[:room]], None)
            self._written([done for _, _, done in coming[room:]], StoreError("full", _FULL))

    def _written(self, waiting: Sequence[Future[None]], error: StoreError | None) -> None:
        """Tell who waits what became of it. The log tells, too: who waited may have gone on."""
        with self._lock:
            self._unwritten -= len(waiting)
        for done in waiting:
            if error is None:
                done.set_result(None)
            else:
                _log.error("a word is lost: %s", error)
                done.set_exception(error)

    def _count(self, table: str) -> int:
        ((count,),) = self._driver.read([(f"SELECT COUNT(*) FROM {table}", ())])[0]  # noqa: S608 - a name of ours
        return int(count)
