"""Writes that wait for a store that is gone: a SQLite file of this machine, on disk before the caller is answered.

All workers of a data folder share it. Changes are taken out in the order they came in, once the store holds them; a
change whose taking out failed is done again, which changes nothing (:mod:`reminder.stores.changes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from negative_list.readers.stored import StoreFact
from reminder.stores.base import Coverage, HistoryRecord, Kept, OpenFinding, Saved
from reminder.stores.changes import Change, Kind
from reminder.stores.coding import decode, encode
from reminder.stores.sqlite import SqliteDriver, make_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MOST_BYTES", "Spool", "Waiting"]

MOST_BYTES = 512 * 1024 * 1024
"""What may wait: five days of a large hospital's 30,000 prescriptions of 3 KB, longer than an outage may last, and
little enough for any disk."""

_BUSY_S = 5.0
_TABLES = (
    "CREATE TABLE IF NOT EXISTS waiting (place INTEGER PRIMARY KEY AUTOINCREMENT, change BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS refused (place INTEGER PRIMARY KEY, change BLOB NOT NULL, why TEXT NOT NULL)",
)
_ENDS = "SELECT (SELECT MIN(place) FROM waiting), (SELECT MAX(place) FROM waiting)"
_RECORDS: Mapping[Kind, type[Struct]] = {
    "save": Saved,
    "history": HistoryRecord,
    "coverage": Coverage,
    "facts": StoreFact,
    "keep": Kept,
    "findings": OpenFinding,
}


class _Written(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change in the file: its records by their own coding, pairs of keys as they are."""

    kind: Kind
    at: datetime
    subject: str = ""
    records: tuple[bytes, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()


class Waiting(Struct, frozen=True):
    """A change and its place in the spool."""

    place: int
    change: Change


class Spool:
    """The file of waiting writes. Making one and every method may block, and raises ``StoreError``."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        make_folder(path.parent)
        self._driver = SqliteDriver(path, _BUSY_S, most_bytes)
        self._driver.prepare()
        with self._driver.writing() as writing:
            for table in _TABLES:
                writing.rows(table, ())

    def add(self, changes: Sequence[Change]) -> None:
        """Keep changes; they are on disk when this returns."""
        with self._driver.writing() as writing:
            writing.many("INSERT INTO waiting (change) VALUES (?)", [(_bytes(change),) for change in changes])

    def count(self) -> int:
        """How many changes wait. Costs some ten microseconds, however many they are."""
        ((first, last),) = self._driver.read([(_ENDS, ())])[0]
        return last - first + 1 if last else 0

    def refused(self) -> int:
        """How many changes the store refused and nobody has looked at."""
        ((count,),) = self._driver.read([("SELECT COUNT(*) FROM refused", ())])[0]
        return int(count)

    def first(self, most: int) -> list[Waiting]:
        """The changes that have waited longest; one that cannot be read any more is put aside."""
        (rows,) = self._driver.read([("SELECT place, change FROM waiting ORDER BY place LIMIT ?", (most,))])
        waiting = []
        for place, body in rows:
            try:
                waiting.append(Waiting(place, _change(body)))
            except (ValueError, LookupError, ArithmeticError) as error:
                self._put_aside(place, f"damaged: {error}")
        return waiting

    def done(self, waiting: Sequence[Waiting]) -> None:
        """Take out changes that the store holds now."""
        with self._driver.writing() as writing:
            writing.many("DELETE FROM waiting WHERE place = ?", [(one.place,) for one in waiting])

    def refuse(self, waiting: Waiting, why: str) -> None:
        """Put aside a change the store can never hold, so that it holds up no other."""
        self._put_aside(waiting.place, why)

    def close(self) -> None:
        """Let go of the file."""
        self._driver.close()

    def _put_aside(self, place: int, why: str) -> None:
        with self._driver.writing() as writing:
            copied = "INSERT OR REPLACE INTO refused SELECT place, change, ? FROM waiting WHERE place = ?"
            writing.many(copied, [(why, place)])
            writing.many("DELETE FROM waiting WHERE place = ?", [(place,)])


def _bytes(change: Change) -> bytes:
    told: dict[str, Any] = {"kind": change.kind, "at": change.at, "subject": change.subject}
    if change.kind == "aliases":
        return msgspec.msgpack.encode(_Written(**told, pairs=change.records))
    return msgspec.msgpack.encode(_Written(**told, records=tuple(map(encode, change.records))))


def _change(body: bytes) -> Change:
    written = msgspec.msgpack.decode(body, type=_Written)
    at = written.at.astimezone(UTC)
    if written.kind == "aliases":
        return Change(kind=written.kind, at=at, records=written.pairs)
    record = _RECORDS[written.kind]
    records = tuple(decode(record, data) for data in written.records)
    return Change(kind=written.kind, at=at, subject=written.subject, records=records)
