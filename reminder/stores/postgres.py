"""The shared store: PostgreSQL, for several sidecars that judge by one history.

Connections are synchronous, one for each thread that reads and one that writes, and are made again when they broke. A
server that does not answer is given up: while connecting, while a statement runs, and where the network swallows all.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict

from reminder.stores.base import Fault, StoreError
from reminder.stores.sqlstore import SqlStore
from reminder.stores.version import HISTORY, Schema, is_current

if TYPE_CHECKING:
    from reminder.stores.driver import Query, Row, Values

__all__ = ["CONNECT_S", "READ_S", "WRITE_S", "PostgresDriver", "made_ready", "open_postgres"]

CONNECT_S = 2
"""How long a connection may take to be made: libpq knows no shorter time."""

READ_S = 1.0
"""How long a read may take on the server: no check waits as long, so this only frees the thread and the server."""

WRITE_S = 5.0
"""How long a write may take, waiting for locks too: a group takes some 20 ms, and what fails waits in the spool."""

_ROWS_AT_ONCE = 500
# Checks read some rows by their keys. A table that was just filled has no statistics, and the planner would read all of
# it: 45 ms instead of 2 where 100,000 records are kept. A plan for any values has the same fault.
_BY_INDEX = "-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c plan_cache_mode=force_custom_plan"
_NETWORK: dict[str, Any] = {
    "keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 5000,
}  # fmt: skip
_NAMES = itertools.count()
_NAME = "prescription-reminder"
_Connection: TypeAlias = "psycopg.Connection[Row]"

_FAULTS: tuple[tuple[type[psycopg.Error], Fault], ...] = (
    (errors.DiskFull, "full"),
    (errors.ReadOnlySqlTransaction, "read-only"),
    (errors.InsufficientPrivilege, "read-only"),
    (errors.QueryCanceled, "locked"),
    (errors.LockNotAvailable, "locked"),
    (errors.DeadlockDetected, "locked"),
    (psycopg.DataError, "refused"),
    (psycopg.IntegrityError, "refused"),
)
_WAYS_OUT: dict[Fault, str] = {
    "gone": "the database cannot be used ({reason}); see that the server runs and can be reached",
    "locked": "the database took too long ({reason}); see what holds it",
    "full": "the database has no space left ({reason}); make some",
    "read-only": "the database may not be written ({reason}); give the rights, or name the primary server",
    "refused": "cannot be kept: {reason}",
}


class PostgresDriver:
    """Connections to one database; see :class:`reminder.stores.driver.Driver`. ``dsn`` is libpq's or a URL."""

    def __init__(self, dsn: str, schema: Schema = HISTORY) -> None:
        self._dsn = dsn
        self._schema = schema
        # It warns of each pipeline that a lost server leaves unfinished; the error itself is told.
        logging.getLogger("psycopg").setLevel(logging.ERROR)
        self._write_lock = threading.Lock()
        self._writer: _Connection | None = None
        self._own = threading.local()
        self._readers: list[_Connection] = []

    def version(self) -> str | None:
        """The schema's version, ``None`` where there is none yet."""
        with _told():
            try:
                rows = self._reader().execute(self._schema.read_version.encode()).fetchall()
            except errors.UndefinedTable:
                return None
        return str(rows[0][0]) if rows else None

    def read(self, queries: Sequence[Query]) -> list[list[Row]]:
        """The answers to several queries, sent together so that the network is crossed once."""
        with _told():
            was_used = hasattr(self._own, "reader")
            try:
                return self._batch(queries)
            except psycopg.OperationalError:
                if not (was_used and self._own.reader.broken):
                    raise
            self._let_go_of_reader()  # the server was started again since: its successor is asked
            return self._batch(queries)

    def stream(self, statement: str, values: Values) -> Iterator[Row]:
        """A long answer on a connection of its own, fetched in parts."""
        with (
            _told(),
            contextlib.closing(self._connect(0)) as connection,
            connection.transaction(),
            connection.cursor(name=f"long_{next(_NAMES)}", binary=True) as cursor,
        ):
            cursor.itersize = _ROWS_AT_ONCE
            cursor.execute(_text(statement), values)
            yield from cursor

    @contextlib.contextmanager
    def writing(self) -> Iterator[_Transaction]:
        """A transaction of the one writer of this process."""
        with self._write_lock, _told():
            connection = self._writer = self._writer or self._connect(WRITE_S)
            try:
                with connection.transaction():
                    yield _Transaction(connection)
            finally:
                if connection.broken:
                    connection.close()
                    self._writer = None

    def close(self) -> None:
        """Let go of every connection."""
        for connection in (*self._readers, self._writer):
            if connection is not None:
                connection.close()
        self._readers, self._writer, self._own = [], None, threading.local()

    def _batch(self, queries: Sequence[Query]) -> list[list[Row]]:
        connection = self._reader()
        with connection.pipeline():
            cursors = [connection.cursor(binary=True).execute(_text(text), values) for text, values in queries]
        return [cursor.fetchall() for cursor in cursors]

    def _reader(self) -> _Connection:
        """The reading connection of this thread."""
        connection: _Connection | None = getattr(self._own, "reader", None)
        if connection is None or connection.closed:
            connection = self._own.reader = self._connect(READ_S, _BY_INDEX)
            self._readers.append(connection)
        return connection

    def _let_go_of_reader(self) -> None:
        self._own.reader.close()
        self._readers.remove(self._own.reader)
        del self._own.reader

    def _connect(self, statement_s: float, further: str = "") -> _Connection:
        """A connection whose statements may take that long (0: any time), with further settings of the server."""
        limit_ms = round(statement_s * 1000)
        own = conninfo_to_dict(self._dsn).get("options") or ""
        limits = f"-c statement_timeout={limit_ms} -c lock_timeout={limit_ms} -c jit=off -c synchronous_commit=on"
        return psycopg.connect(
            self._dsn,
            autocommit=True,
            connect_timeout=CONNECT_S,
            options=f"{own} {limits} {further}",
            application_name=_NAME,
            **_NETWORK,
        )


class _Transaction:
    """See :class:`reminder.stores.driver.Writing`."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    def many(self, statement: str, rows: Sequence[Values]) -> int:
        cursor = self._connection.cursor()
        if rows:
            cursor.executemany(_text(statement), rows)
        return max(cursor.rowcount, 0)

    def alone(self, table: str) -> None:
        self._connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(sql.Identifier(table)))

    def rows(self, statement: str, values: Values) -> list[Row]:
        return self._connection.cursor(binary=True).execute(_text(statement), values).fetchall()


def open_postgres(dsn: str) -> SqlStore:
    """The store in a database, its tables made or brought up to date where they have to be.

    Raises:
        StoreError: When the database cannot be reached or used, or a later version of the program made the tables.
    """
    driver = PostgresDriver(dsn)
    made_ready(driver, dsn, HISTORY)
    return SqlStore(driver)


def made_ready(driver: PostgresDriver, dsn: str, schema: Schema) -> None:
    """Make the tables of a schema, or bring them up to date; the driver is closed where that fails.

    Raises:
        StoreError: When the database cannot be reached or used, or a later version of the program made the tables.
    """
    try:
        if not is_current(driver.version(), schema):
            with _told():
                _migrate(dsn, schema)
    except StoreError:
        driver.close()
        raise


def _migrate(dsn: str, schema: Schema) -> None:
    """SQLAlchemy and Alembic take half a second to load, so that an up-to-date store never does."""
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - as said

    from reminder.stores.migrate import migrate  # noqa: PLC0415

    try:
        migrate("postgresql+psycopg://", lambda: psycopg.connect(dsn, connect_timeout=CONNECT_S), schema)
    except DBAPIError as error:
        raise error.orig or error from error


@cache
def _text(statement: str) -> bytes:
    """A statement with psycopg's mark for a value; ours stands in none for anything else."""
    return statement.replace("LIST(?)", "SELECT unnest(%s::text[])").replace("?", "%s").encode()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Errors of the database as a ``StoreError`` that says what to do."""
    try:
        yield
    except (UnicodeError, OverflowError) as error:
        raise StoreError("refused", f"cannot be kept: {error}") from error
    except psycopg.Error as error:
        kind: Fault = next((kind for type_, kind in _FAULTS if isinstance(error, type_)), "gone")
        reason = (str(error).strip().splitlines() or ["no reason told"])[0]
        raise StoreError(kind, _WAYS_OUT[kind].format(reason=reason)) from error
