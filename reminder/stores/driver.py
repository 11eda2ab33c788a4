"""What a database has to offer for a store to stand on it: batches of reads, a transaction of writes, a long read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

__all__ = ["Driver", "Query", "Row", "Values", "Writing"]

Values: TypeAlias = "Sequence[str | int | bytes | list[str]]"
"""What is put in for the ``?`` of a statement, in order; a list of texts for ``LIST(?)``."""

Query: TypeAlias = "tuple[str, Values]"
"""A statement of :mod:`reminder.stores.statements` and its values."""

Row: TypeAlias = "tuple[Any, ...]"
"""One row of an answer."""


class Writing(Protocol):
    """A transaction in which is written; it ends with the block that opened it."""

    def many(self, statement: str, rows: Sequence[Values]) -> int:
        """Run one statement for each of the rows; returns how many rows of the table changed."""

    def alone(self, table: str) -> None:
        """Let nobody else write a table until the transaction ends: for what is read before it is written."""

    def rows(self, statement: str, values: Values) -> list[Row]:
        """What a statement reads, within the transaction."""


class Driver(Protocol):
    """One database. Every method may be called from any thread, and raises ``StoreError``."""

    def read(self, queries: Sequence[Query]) -> list[list[Row]]:
        """The answers to several queries, asked together."""

    def stream(self, statement: str, values: Values) -> Iterator[Row]:
        """A long answer, row by row, as the database stood when it began."""

    def writing(self) -> AbstractContextManager[Writing]:
        """A transaction: on disk when the block ends without an error, undone when it does not."""

    def close(self) -> None:
        """Let go of every connection."""
