"""Answers about the bureau's findings on their way to it: a SQLite file of this machine, in it before they are heard.

All workers of a data folder write it; the first alone sends. Beside them stand the ids of findings the bureau issued,
so that any worker, also after a restart, knows whose a finding is, and the last word sent about each, so that a caller
who says the same again is not sent twice.

It holds what 3103 holds (ids of findings, ways and reasons, and who says so) and the headers of the call, which may be
credentials: nobody but the sidecar's own user may read it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reminder.relay.records import Call, Header
from reminder.stores.base import StoreError
from reminder.stores.sqlite import SqliteDriver, make_folder

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["KEPT_S", "MOST_BYTES", "Outbox", "Standing", "Waiting"]

MOST_BYTES = 128 * 1024 * 1024
"""What may wait: some 60,000 answers of 2 KB, more than a hospital gives in a month."""

KEPT_S = 92 * 86_400.0
"""How long ids and last words are kept: nobody answers a finding after a settled quarter."""

_BUSY_S = 5.0
_WAITING = "place INTEGER PRIMARY KEY AUTOINCREMENT, call BLOB NOT NULL, tries INTEGER NOT NULL, due INTEGER NOT NULL"
_TABLES = (
    f"CREATE TABLE IF NOT EXISTS waiting ({_WAITING})",
    "CREATE TABLE IF NOT EXISTS about (place INTEGER NOT NULL, id TEXT NOT NULL, PRIMARY KEY (id, place))",
    "CREATE TABLE IF NOT EXISTS refused (place INTEGER PRIMARY KEY, call BLOB NOT NULL, why TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS said (id TEXT PRIMARY KEY, word BLOB NOT NULL, at INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS issued (id TEXT PRIMARY KEY, at INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS latest (one INTEGER PRIMARY KEY, call BLOB NOT NULL)",
)
# One answer waits for an earlier one about the same finding: the last word has to be the last to arrive.
_DUE = (
    "SELECT w.place, w.call, w.tries FROM waiting w WHERE w.due <= ? AND NOT EXISTS (SELECT 1 FROM about a JOIN about b"
    " ON a.id = b.id WHERE a.place = w.place AND b.place < w.place) ORDER BY w.place LIMIT 1"
)
_COUNTS = (
    "SELECT COUNT(*) FROM waiting",
    "SELECT COUNT(*) FROM waiting WHERE tries > 0",
    "SELECT COUNT(*) FROM refused",
)
_DECODER = msgspec.msgpack.Decoder(Call)  # made while the module is loaded, see reminder.once
_WORD = "SELECT 1 FROM said WHERE id = ? AND word = ?"


class Standing(Struct, frozen=True):
    """How many calls wait, how many of them the bureau refused so far, and how many it never took."""

    waiting: int = 0
    refused: int = 0
    put_aside: int = 0


class Waiting(Struct, frozen=True):
    """A call that waits, its place, and how often the bureau refused it."""

    place: int
    call: Call
    tries: int


class Outbox:
    """The file. Making one and every method may block, and raises ``StoreError``. Times are instants, UTC."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        make_folder(path.parent)
        with _told(path):
            path.touch(mode=0o600)  # the files beside it get the same rights; Windows knows those of the folder
        self._driver = SqliteDriver(path, _BUSY_S, most_bytes)
        self._driver.prepare()
        with self._driver.writing() as writing:
            for table in _TABLES:
                writing.rows(table, ())

    def issued(self, ids: Collection[str], at: datetime) -> None:
        """The bureau issued findings of these ids."""
        with self._driver.writing() as writing:
            rows = [(id_, _ms(at)) for id_ in ids]
            writing.many("INSERT OR REPLACE INTO issued VALUES (?, ?)", rows)

    def is_issued(self, id_: str) -> bool:
        """Whether the bureau issued a finding of this id. Some 20 microseconds."""
        return bool(self._driver.read([("SELECT 1 FROM issued WHERE id = ?", (id_,))])[0])

    def add(self, words: Mapping[str, bytes], make: Callable[[Collection[str]], Call], at: datetime) -> int:
        """Keep what was said of findings, on disk when this returns; returns of how many it is news.

        ``words``: of each finding's id; ``make``: the call that says only what is news of these.
        """
        with self._driver.writing() as writing:
            news = [id_ for id_, word in words.items() if not writing.rows(_WORD, (id_, word))]
            if not news:
                return 0
            made = make(news)
            call = msgspec.msgpack.encode(made)
            bare = msgspec.msgpack.encode(Call(headers=made.headers))
            writing.many("INSERT OR REPLACE INTO latest VALUES (1, ?)", [(bare,)])
            ((place,),) = writing.rows(
                "INSERT INTO waiting (call, tries, due) VALUES (?, 0, ?) RETURNING place", (call, _ms(at))
            )
            writing.many("INSERT INTO about VALUES (?, ?)", [(place, id_) for id_ in news])
            rows = [(id_, words[id_], _ms(at)) for id_ in news]
            writing.many("INSERT OR REPLACE INTO said VALUES (?, ?, ?)", rows)
        return len(news)

    def first(self, at: datetime) -> Waiting | None:
        """What is to be sent next by now, if anything; what cannot be read any more is put aside."""
        for place, call, tries in self._driver.read([(_DUE, (_ms(at),))])[0]:
            try:
                return Waiting(place, _DECODER.decode(call), tries)
            except msgspec.DecodeError as error:
                self.refuse(place, f"damaged: {error}")
                return self.first(at)
        return None

    def latest_headers(self) -> tuple[Header, ...]:
        """The headers of the call that was kept last: a gateway's signature over its time is fresh there."""
        rows = self._driver.read([("SELECT call FROM latest", ())])[0]
        return _DECODER.decode(rows[0][0]).headers if rows else ()

    def count(self) -> Standing:
        """How many calls wait, were refused so far, and were put aside."""
        rows = self._driver.read([(text, ()) for text in _COUNTS])
        return Standing(*(int(told[0][0]) for told in rows))

    def done(self, place: int) -> None:
        """The bureau has it."""
        self._take_out(place)

    def later(self, place: int, due: datetime) -> None:
        """The bureau refused it; try again then."""
        with self._driver.writing() as writing:
            values = (_ms(due), place)
            writing.many("UPDATE waiting SET tries = tries + 1, due = ? WHERE place = ?", [values])

    def rest(self, place: int, due: datetime) -> None:
        """The bureau said nothing; try again then, and what waits behind it before."""
        with self._driver.writing() as writing:
            writing.many("UPDATE waiting SET due = ? WHERE place = ?", [(_ms(due), place)])

    def refuse(self, place: int, why: str) -> None:
        """Put aside what the bureau never takes, so that it holds up no other."""
        self._take_out(place, why)

    def forget(self, before: datetime) -> None:
        """Let go of ids and last words of before."""
        with self._driver.writing() as writing:
            for table in ("issued", "said"):
                writing.many(f"DELETE FROM {table} WHERE at < ?", [(_ms(before),)])  # noqa: S608 - ours

    def close(self) -> None:
        """Let go of the file."""
        self._driver.close()

    def _take_out(self, place: int, why: str | None = None) -> None:
        rows: Sequence[tuple[int]] = [(place,)]
        with self._driver.writing() as writing:
            if why is not None:
                copied = "INSERT OR REPLACE INTO refused SELECT place, call, ? FROM waiting WHERE place = ?"
                writing.many(copied, [(why, place)])
            writing.many("DELETE FROM waiting WHERE place = ?", rows)
            writing.many("DELETE FROM about WHERE place = ?", rows)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError("read-only", f"`{path}` cannot be made ({error.strerror}); give the rights") from error


def _ms(at: datetime) -> int:
    """Milliseconds since 1970."""
    return round(at.timestamp() * 1000)
