"""The tables of a PostgreSQL as files and back: COPY through a connection of our own, all as of one moment.

Loaded only where a PostgreSQL is named: the driver is an extra.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql

from reminder.stores.base import StoreError

__all__ = ["copy_in", "copy_out", "empty", "filled"]

_CHUNK = 1 << 20
_CONNECT_S = 10
_NAME = "prescription-reminder backup"
_COLUMNS = """
SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


@contextlib.contextmanager
def _connected(dsn: str) -> Iterator[psycopg.Connection]:
    """A connection; its errors as ``StoreError``."""
    try:
        with psycopg.connect(
            dsn, connect_timeout=10, autocommit=True, application_name="reminder-backup"
        ) as connection:
            yield connection
    except psycopg.Error as error:
        reason = (str(error).strip().splitlines() or ["no reason told"])[0]
        raise StoreError("gone", f"the database cannot be copied ({reason}); see that the server runs") from error


def copy_out(dsn: str, tables: Sequence[str], folder: Path) -> Mapping[str, tuple[str, ...]]:
    """Write each table as ``NAME.copy`` (COPY's text format), all as of one moment; returns their columns.

    Nobody waits for it: a snapshot is read while others write.

    Raises:
        StoreError: When the database cannot be read.
    """
    with _connected(dsn) as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return {table: _table_out(connection, table, folder) for table in tables}


def _table_out(connection: psycopg.Connection, table: str, folder: Path) -> tuple[str, ...]:
    columns = _columns(connection, table)
    statement = _statement("COPY {table} ({columns}) TO STDOUT", table, columns)
    with (folder / f"{table}.copy").open("wb") as file, connection.cursor().copy(statement) as copy:
        for chunk in copy:
            file.write(chunk)
    return columns


def _columns(connection: psycopg.Connection, table: str) -> tuple[str, ...]:
    return tuple(str(name) for (name,) in connection.execute(_COLUMNS, (table,)).fetchall())


def _statement(text: LiteralString, table: str, columns: Sequence[str] = ()) -> sql.Composed:
    named = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL(text).format(table=sql.Identifier(table), columns=named)


def filled(dsn: str, tables: Sequence[str]) -> tuple[str, ...]:
    """Which of the tables hold a row."""
    with _connected(dsn) as connection:
        return tuple(
            table
            for table in tables
            if connection.execute(_statement("SELECT 1 FROM {table} LIMIT 1", table)).fetchone()
        )


def copy_in(dsn: str, tables: Mapping[str, Sequence[str]], folder: Path) -> None:
    """Fill tables from their files, all or none; ``tables`` with the columns of the files.

    Raises:
        StoreError: When the database cannot be written, or a file does not fit.
    """
    with _connected(dsn) as connection, connection.transaction():
        for table, columns in tables.items():
            statement = _statement("COPY {table} ({columns}) FROM STDIN", table, columns)
            with (folder / f"{table}.copy").open("rb") as file, connection.cursor().copy(statement) as copy:
                while chunk := file.read(_CHUNK):
                    copy.write(chunk)


def empty(dsn: str, tables: Sequence[str]) -> None:
    """Take out again what was filled in."""
    with _connected(dsn) as connection, connection.transaction():
        for table in tables:
            connection.execute(_statement("DELETE FROM {table}", table))
