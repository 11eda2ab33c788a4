"""The embedded store: one SQLite file, which several worker processes of one machine share.

WAL, so that readers never wait for the writer; ``synchronous=FULL``, so that what was committed survives the loss of
power (https://www.sqlite.org/pragma.html#pragma_synchronous). One connection writes, each reading thread has its own;
writers of other processes are waited for up to ``busy_s``. Not for a file on a network share: WAL needs shared memory
(https://www.sqlite.org/wal.html, section 1).
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from reminder.stores.base import Fault, StoreError
from reminder.stores.sqlstore import SqlStore
from reminder.stores.version import HISTORY, Schema, is_current

if TYPE_CHECKING:
    from reminder.stores.driver import Query, Row, Values

__all__ = ["BUSY_S", "SqliteDriver", "made_ready", "make_folder", "open_sqlite"]

BUSY_S = 2.0
"""How long a write waits for another process's: a group of a thousand rows takes some 20 ms, so this is a stall."""

_QUOTED = " with text '"  # what follows is what stands in the file, whatever that is: nothing for a terminal
_READ_BUSY_S = 0.1
"""Readers wait only while the log is recovered or made anew after a crash."""

_FAULTS: dict[int, tuple[Fault, str]] = {
    sqlite3.SQLITE_BUSY: ("locked", "another program has held `{path}` for too long; end it, or try again"),
    sqlite3.SQLITE_LOCKED: ("locked", "another program has held `{path}` for too long; end it, or try again"),
    sqlite3.SQLITE_FULL: ("full", "no space is left for `{path}`; make some"),
    sqlite3.SQLITE_READONLY: ("read-only", "`{path}` may not be written; give the rights to the file and its folder"),
}


class SqliteDriver:
    """Connections to one SQLite file; see :class:`reminder.stores.driver.Driver`.

    Args:
        path: The file, made where it is missing.
        busy_s: How long a write waits for another process's.
        most_bytes: What the file may grow to; a write past it is ``full``.
        schema: Which tables it holds.
    """

    def __init__(
        self, path: Path, busy_s: float = BUSY_S, most_bytes: int | None = None, schema: Schema = HISTORY
    ) -> None:
        self._path = path
        self._schema = schema
        self._busy_s = busy_s
        self._most_bytes = most_bytes
        self._write_lock = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._own = threading.local()
        self._readers: list[sqlite3.Connection] = []

    def version(self) -> str | None:
        """The schema's version, ``None`` where there is none yet. The file is made where it is missing."""
        with self._told():
            try:
                rows = self._reader().execute(self._schema.read_version).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return None
                raise
        return str(rows[0][0]) if rows else None

    def make(self) -> None:
        """Make the tables, unless somebody has meanwhile.

        By the statements the migrations come to, for SQLAlchemy and Alembic take half a second to load.
        """
        tables = resources.files(self._schema.package) / "tables.sql"
        statements = tables.read_text(encoding="utf-8").split(";\n")
        with self.writing() as writing:
            if not writing.rows("SELECT name FROM sqlite_master WHERE name = ?", (self._schema.table,)):
                for statement in statements:
                    writing.rows(statement, ())

    def prepare(self) -> None:
        """Make the file one with a write-ahead log, which it then stays."""
        with self._told(), contextlib.closing(self._connect(self._busy_s)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")

    def read(self, queries: Sequence[Query]) -> list[list[Row]]:
        """The answers to several queries, all as of one moment."""
        with self._told():
            connection = self._reader()
            if len(queries) == 1:  # one statement sees one moment without being told to
                return [connection.execute(_text(text), _flat(values)).fetchall() for text, values in queries]
            connection.execute("BEGIN")
            try:
                return [connection.execute(_text(text), _flat(values)).fetchall() for text, values in queries]
            finally:
                connection.execute("COMMIT")

    def stream(self, statement: str, values: Values) -> Iterator[Row]:
        """A long answer on a connection of its own."""
        with self._told(), contextlib.closing(self._connect(_READ_BUSY_S)) as connection:
            yield from self._rows(connection, _text(statement), _flat(values))

    def _rows(self, connection: sqlite3.Connection, text: str, values: list[str | int | bytes]) -> Iterator[Row]:
        """A long answer, on a connection nobody else uses."""
        return connection.execute(text, values)

    @contextlib.contextmanager
    def writing(self) -> Iterator[_Transaction]:
        """A transaction of the one writer of this process."""
        with self._write_lock, self._told():
            connection = self._writer = self._writer or self._connect(self._busy_s)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield _Transaction(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Let go of every connection; a read under way ends with an error."""
        for connection in (*self._readers, self._writer):
            if connection is not None:
                connection.close()
        self._readers, self._writer, self._own = [], None, threading.local()

    def _reader(self) -> sqlite3.Connection:
        """The reading connection of this thread."""
        connection: sqlite3.Connection | None = getattr(self._own, "reader", None)
        if connection is None:
            connection = self._own.reader = self._connect(_READ_BUSY_S)
            self._readers.append(connection)
        return connection

    def _connect(self, busy_s: float) -> sqlite3.Connection:
        # Closed by whoever stops the store, hence from another thread; used by one at a time.
        connection = sqlite3.connect(self._path, timeout=busy_s, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA synchronous = FULL")
        if self._most_bytes is not None:
            (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
            connection.execute(f"PRAGMA max_page_count = {self._most_bytes // page_bytes}")
        return connection

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the database as a ``StoreError`` that says what to do."""
        try:
            yield
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte: the kind without its details
            kind, text = _FAULTS.get(code, ("gone", "`{path}` cannot be used ({why}); see to the file"))
            why = str(error).partition(_QUOTED)[0]
            raise StoreError(kind, text.format(path=self._path, why=why)) from error
        except (
            sqlite3.IntegrityError,
            sqlite3.DataError,
            sqlite3.ProgrammingError,
            OverflowError,
            UnicodeError,
        ) as error:
            raise StoreError("refused", f"cannot be kept: {error}") from error
        except sqlite3.Error as error:
            raise StoreError("gone", f"`{self._path}` is damaged ({error}); put back a copy") from error


class _Transaction:
    """See :class:`reminder.stores.driver.Writing`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def many(self, statement: str, rows: Sequence[Values]) -> int:
        return max(self._connection.executemany(statement, rows).rowcount, 0)

    def alone(self, table: str) -> None:
        """Whoever writes a file writes it alone."""

    def rows(self, statement: str, values: Values) -> list[Row]:
        return self._connection.execute(statement, values).fetchall()


@cache
def _text(statement: str) -> str:
    return statement.replace("LIST(?)", "SELECT value FROM json_each(?)")


def _flat(values: Values) -> list[str | int | bytes]:
    """Values with lists as JSON, the one way SQLite takes them as one value."""
    return [json.dumps(value) if isinstance(value, list) else value for value in values]


def make_folder(folder: Path) -> None:
    """Make a folder where it is missing. Raises ``StoreError`` when that is not allowed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError("read-only", f"`{folder}` cannot be made ({error.strerror}); give the rights") from error


def open_sqlite(path: Path, *, busy_s: float = BUSY_S) -> SqlStore:
    """The store in a file, made or brought up to date where it has to be.

    Raises:
        StoreError: When the file cannot be used, or a later version of the program made it.
    """
    driver = SqliteDriver(path, busy_s)
    made_ready(driver, path, HISTORY)
    return SqlStore(driver)


def made_ready(driver: SqliteDriver, path: Path, schema: Schema) -> None:
    """Make the file of a driver, or bring its tables up to date; the driver is closed where that fails.

    Raises:
        StoreError: When the file cannot be used, or a later version of the program made it.
    """
    make_folder(path.parent)
    try:
        if driver.version() is None:
            driver.prepare()
            driver.make()
        if not is_current(driver.version(), schema):
            _migrate(path, schema)
    except StoreError:
        driver.close()
        raise


def _migrate(path: Path, schema: Schema) -> None:
    """Loads SQLAlchemy and Alembic, which a new or an up-to-date store needs not."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - as said

    from reminder.stores.migrate import migrate  # noqa: PLC0415

    try:
        migrate(f"sqlite:///{path}", schema=schema)
    except SQLAlchemyError as error:
        raise StoreError("gone", f"the tables in `{path}` cannot be made: {error}") from error
