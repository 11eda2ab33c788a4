"""The journal in a SQLite file of its own, so that no big write of another table delays an answer.

What is written goes to the write-ahead log and is synced there; a thread of its own brings it from there into the file,
so that no commit waits for that. Under a load without a pause the log would never begin anew: where it has become long
and readers are not in the way, writers wait for some milliseconds (https://www.sqlite.org/wal.html, section 6).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reminder.journal.statements import KNOWN, SCHEMA
from reminder.journal.store import SqlJournal
from reminder.stores.base import StoreError
from reminder.stores.sqlite import BUSY_S, SqliteDriver, made_ready

if TYPE_CHECKING:
    from reminder.journal.store import Into
    from reminder.stores.driver import Query, Row, Writing

__all__ = ["JournalFile", "open_sqlite_journal"]

_ROWS_AT_ONCE = 32
_LOG_PAGES = 4000  # 16 MB: the log is begun anew where it is longer
_LOG_PAGES_AT_LAST = 32_000  # 128 MB: beyond, a commit empties the log itself, for the thread does not come to it
_RESTART_S = 0.05  # how long beginning anew may wait for who reads; writers wait meanwhile
_CACHE_KIB = 16_000  # of the writer: the inner pages of all indexes, and what was written last
_ROWS_A_ROUND = 500  # entries between two rounds of the thread that empties the log: some 5 MB


class JournalFile(SqliteDriver):
    """The connections to the file; see :class:`reminder.journal.store.JournalDriver`.

    A file that is no longer the one that was opened (deleted, put back from a copy) is written no more: what would be
    promised of it nobody would find. The next write goes to the file that stands there then.
    """

    def __init__(self, path: Path, busy_s: float = BUSY_S, most_bytes: int | None = None) -> None:
        super().__init__(path, busy_s, most_bytes, SCHEMA)
        self._file: tuple[int, int] | None = None
        self._astray = False
        self._emptier = _Emptier(self._empty_log)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Any]:
        """A transaction of the one writer of this process, on the file that was opened."""
        self.look()
        with super().writing() as writing:
            yield writing

    def insert(self, writing: Writing, tables: Sequence[Into]) -> None:
        """Write rows, many by one statement: each statement lets go of the interpreter and waits for it again."""
        for table, columns, rows in tables:
            for begin in range(0, len(rows), _ROWS_AT_ONCE):
                part = rows[begin : begin + _ROWS_AT_ONCE]
                writing.rows(_inserting(table, tuple(columns), len(part)), tuple(chain.from_iterable(part)))
        self._emptier.count(len(tables[0][2]))

    def read(self, queries: Sequence[Query]) -> list[list[Row]]:
        """The answers to several queries; a text that is none is read as far as it is one, and its entry is damaged."""
        try:
            return super().read(queries)
        except StoreError as error:
            if not _is_no_text(error.__cause__):
                raise
        reader = self._reader()
        reader.text_factory = _legible
        try:
            return super().read(queries)
        finally:
            reader.text_factory = str

    def _rows(self, connection: sqlite3.Connection, text: str, values: list[str | int | bytes]) -> Iterator[Row]:
        """A long answer; from a text on that is none all are read as above, which takes longer."""
        number = 0
        connection.execute("BEGIN")  # both questions are asked of one moment
        try:
            for number, row in enumerate(connection.execute(text, values), 1):  # noqa: B007 - used where it breaks off
                yield row
        except sqlite3.OperationalError as error:
            if not _is_no_text(error):
                raise
        else:
            return
        connection.text_factory = _legible
        yield from islice(connection.execute(text, values), number, None)

    def copy_to(self, path: Path) -> None:
        """A copy of the file, as it stood at one moment, while it is written."""
        with (
            self._told(),
            contextlib.closing(self._connect(BUSY_S)) as source,
            contextlib.closing(sqlite3.connect(path)) as copy,
        ):
            source.execute("BEGIN")  # holds the moment: a copy in steps would begin again at each write
            source.execute("SELECT 1 FROM chain").fetchall()
            source.backup(copy)

    def close(self) -> None:
        """Let go of every connection."""
        self._emptier.stop()
        super().close()

    def look(self) -> None:
        """Make sure that the file is the one that was first looked at; raises ``StoreError`` where it is not."""
        if self._astray:
            self._astray = False
            self._begin_anew()
        try:
            status = os.stat(self._path)  # noqa: PTH116 - half as long as by the path's own method, and asked each time
            found = (status.st_dev, status.st_ino)
        except FileNotFoundError as error:
            if self._path.parent.is_dir():
                self._leave()
            raise StoreError("gone", f"`{self._path}` is not there any more; put it back, or a copy") from error
        except OSError as error:
            raise StoreError("gone", f"`{self._path}` cannot be looked at ({error.strerror}); see to it") from error
        if self._file not in {None, found}:
            self._leave()
            raise StoreError("gone", f"`{self._path}` is not the file it was; what follows is written into this one")
        self._file = found

    def _leave(self) -> None:
        super().close()
        self._file, self._astray = None, True

    def _begin_anew(self) -> None:
        """Use what stands at the path now: a file that is there as it is, a new one where there is none."""
        if self._path.parent.is_dir():
            made_ready(self, self._path, SCHEMA)

    def _empty_log(self) -> None:
        """Bring what is in the log into the file. Who reads an older state keeps a part of it in the log, no longer."""
        with contextlib.suppress(sqlite3.Error), contextlib.closing(self._connect(_RESTART_S)) as connection:
            for how in ("PASSIVE", "PASSIVE", "RESTART"):
                _, pages, done = connection.execute(f"PRAGMA wal_checkpoint({how})").fetchone()
                if pages < _LOG_PAGES or done < pages:
                    return

    def _connect(self, busy_s: float) -> sqlite3.Connection:
        connection = super()._connect(busy_s)
        if busy_s == self._busy_s:
            connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES_AT_LAST}")
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        return connection


class _Emptier:
    """Does something in a thread of its own whenever enough was counted; one round at a time."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._rows = 0
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None
        self._ending = False

    def count(self, rows: int) -> None:
        """Entries were written."""
        self._rows += rows
        if self._rows < _ROWS_A_ROUND:
            return
        self._rows = 0
        self._wanted.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="journal-log", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread; a round under way is waited for."""
        thread, self._thread, self._ending = self._thread, None, True
        self._wanted.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        self._ending = False
        self._wanted.clear()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._ending:
                return
            self._work()


def _is_no_text(error: BaseException | None) -> bool:
    """Somebody has written a text that is none: an error without a code, of the module itself."""
    return isinstance(error, sqlite3.OperationalError) and str(error).startswith("Could not decode")


def _legible(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


@cache
def _inserting(table: str, columns: tuple[str, ...], rows: int) -> str:
    values = f"({', '.join('?' * len(columns))})"
    known = KNOWN if table == "stay" else ""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([values] * rows)}{known}"  # noqa: S608


def open_sqlite_journal(path: Path, *, busy_s: float = BUSY_S, most_bytes: int | None = None) -> SqlJournal:
    """The journal in a file, made or brought up to date where it has to be.

    Raises:
        StoreError: When the file cannot be used, or a later version of the program made it.
    """
    driver = JournalFile(path, busy_s, most_bytes)
    made_ready(driver, path, SCHEMA)
    driver.look()
    return SqlJournal(driver)
