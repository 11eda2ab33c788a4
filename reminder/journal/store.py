"""The journal over any database: the protocol's methods as point reads, long reads, and one transaction for a group."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeAlias

from reminder.journal import statements as sql
from reminder.journal.base import Artifact, DamagedError, Head, Kind, Row, Sealed
from reminder.journal.chain import hash_of, instant_of, instant_text
from reminder.journal.names import Names
from reminder.journal.packing import packed, text_of
from reminder.journal.rows import bare_row, in_order, sought, stay_of, sum_of, sums_of, values_of, whole_row
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from reminder.stores.driver import Query, Values, Writing
    from reminder.stores.driver import Row as Read

__all__ = ["Into", "JournalDriver", "SqlJournal"]

_STEP = 500  # entries removed by one transaction: some 30 ms, in which nobody else writes a file
_STAYS = 10_000  # remembered as written: a day of a large hospital, a megabyte
_PAUSE_S = 0.005  # between two of them: whoever waits to write has his turn


Into: TypeAlias = "tuple[str, Sequence[str], Sequence[Read]]"
"""Where rows go: a table, its columns in the order of the values, and the rows."""


class JournalDriver(Protocol):
    """A :class:`reminder.stores.driver.Driver` that can write many rows by one statement."""

    def read(self, queries: Sequence[Query]) -> list[list[Read]]:
        """The answers to several queries, asked together."""

    def stream(self, statement: str, values: Values) -> Iterator[Read]:
        """A long answer, row by row, as the database stood when it began."""

    def writing(self) -> AbstractContextManager[Writing]:
        """A transaction: on disk when the block ends without an error, undone when it does not."""

    def insert(self, writing: Writing, tables: Sequence[Into]) -> None:
        """Write rows into tables by as few statements as may be; a place that is taken is an error."""

    def copy_to(self, path: Path) -> None:
        """A copy of the whole, as it stood at one moment, while it is written."""

    def close(self) -> None:
        """Let go of every connection."""


class _Place:
    """What this store knows of a chain since it last wrote it: whether that still holds, the database says."""

    __slots__ = ("head", "names", "number", "removals", "stays")

    def __init__(self, number: int, head: Head, removals: int) -> None:
        self.number = number
        self.head = head
        self.removals = removals
        self.names = Names()
        self.stays: set[tuple[int, int]] = set()

    def new_stays(self, rows: Sequence[Row]) -> list[tuple[int, int]]:
        """By which encounters the patients of some entries are to be found, where that is not written down yet."""
        found = {(sum_of(row.patient_key), found_by) for row in rows if row.patient_key and (found_by := sought(row))}
        new = sorted(found - self.stays)
        if len(self.stays) > _STAYS:
            self.stays.clear()
        self.stays |= found
        return new


class SqlJournal:
    """A :class:`reminder.journal.base.JournalStore` on a database; where that stands is the driver's business."""

    def __init__(self, driver: JournalDriver) -> None:
        self._driver = driver
        self._places: dict[str, _Place] = {}
        self._names: dict[int, str] = {}
        self._lock = threading.Lock()

    # -- writing

    def append(self, rows: Sequence[Row]) -> None:
        """Write entries, synced to disk when this returns; all of them or none."""
        by_chain: dict[str, list[tuple[Row, bytes]]] = {}
        for row, content in zip(rows, packed([row.body for row in rows]), strict=True):
            by_chain.setdefault(row.chain, []).append((row, content))
        with self._lock:
            places: dict[str, _Place] = {}
            try:
                with self._driver.writing() as writing:
                    for name, group in by_chain.items():
                        places[name] = self._append(writing, name, group)
            except BaseException:
                self._places.clear()  # whether it was committed is not known, nor whether this is still the same file
                self._names.clear()
                raise
            self._places.update(places)

    def _append(self, writing: Writing, name: str, group: list[tuple[Row, bytes]]) -> _Place:
        place = self._places.get(name)
        if place is None or not self._advance(writing, place, [row for row, _ in group]):
            place = self._read_place(writing, name)
            group = self._beyond(writing, place, group)
            if group and not self._advance(writing, place, [row for row, _ in group]):
                raise StoreError("refused", f"somebody else writes chain `{name}`; go on in a new one")
        if group:
            self._insert(writing, place, group)
        return place

    def _advance(self, writing: Writing, place: _Place, rows: Sequence[Row]) -> bool:
        """Move the head of a chain over entries that follow it; whether it was where it is thought to be."""
        head, first, last = place.head, rows[0], rows[-1]
        if first.seq != head.seq + 1 or hash_of(head.hash, first.chain, first.seq, first) != first.hash:
            return False
        moved = (last.seq, last.hash, place.number, head.seq, head.hash, place.removals)
        if not writing.many(sql.ADVANCE, [moved]):
            return False
        place.head = Head(chain=last.chain, seq=last.seq, hash=last.hash)
        return True

    def _read_place(self, writing: Writing, name: str) -> _Place:
        writing.alone("chain")
        found = writing.rows(sql.HEAD, (name,))
        if not found:
            ((most,),) = writing.rows(sql.NUMBERS, ())
            writing.many(sql.NEW_CHAIN, [(most + 1, name, Head(chain=name).hash)])
            return _Place(most + 1, Head(chain=name), 0)
        ((number, seq, hash_, removals),) = found
        return _Place(number, Head(chain=name, seq=seq, hash=hash_), removals)

    def _beyond(self, writing: Writing, place: _Place, group: list[tuple[Row, bytes]]) -> list[tuple[Row, bytes]]:
        """What of the entries is not written yet; raises ``StoreError`` where another one is, or one is missing."""
        name, first = place.head.chain, group[0][0].seq
        if first > place.head.seq + 1:
            raise StoreError("refused", f"chain `{name}` ends at {place.head.seq}: entry {first} does not follow it")
        bounds = (sql.place(place.number, first), sql.place(place.number, place.head.seq))
        written = {sql.seq_of(id_): hash_ for id_, hash_ in writing.rows(sql.HASHES, bounds)}
        for row, _ in group:
            if row.seq <= place.head.seq and written.get(row.seq) != row.hash:
                raise StoreError(
                    "refused", f"somebody else writes chain `{name}`: entry {row.seq} is another; go on in a new one"
                )
        return [one for one in group if one[0].seq > place.head.seq]

    def _insert(self, writing: Writing, place: _Place, group: list[tuple[Row, bytes]]) -> None:
        number = place.number
        entries = [values_of(sql.place(number, row.seq), row) for row, _ in group]
        bodies = [(sql.place(number, row.seq), content) for row, content in group]
        rows = [row for row, _ in group]
        tables: list[Into] = [("entry", sql.ENTRY_COLUMNS, entries), ("body", sql.BODY_COLUMNS, bodies)]
        if stays := place.new_stays(rows):
            tables.append(("stay", sql.STAY_COLUMNS, stays))
        self._driver.insert(writing, tables)
        if named := place.names.news(rows):
            writing.many(sql.NAME, [(digest, number, until) for digest, until in named])

    def keep(self, artifact: Artifact) -> None:
        """Keep an artifact, once. Packed, for nobody's entry is written meanwhile: a list may be 27 MB of text."""
        if self._all(sql.HAS_ARTIFACT, artifact.digest):
            return
        (content,) = packed([artifact.content])
        values = (artifact.digest, artifact.kind, content, instant_text(artifact.first_at))
        with self._driver.writing() as writing:
            writing.many(sql.KEEP_ARTIFACT, [values])

    def remove(self, spans: Sequence[Sealed]) -> int:
        """Take sealed spans out, and artifacts no entry names any more; returns how many entries went.

        In steps from the first number on, each on disk before the next, so that nobody waits long to write. Where it
        ends early, what is left of a span is taken out by doing it again.
        """
        return sum(self._remove(span) for span in spans)

    def _remove(self, span: Sealed) -> int:
        gone = 0
        for number, *_ in self._all(sql.HEAD, span.chain):
            first, last = sql.place(number, span.first), sql.place(number, span.last)
            while (place := self._first(first, last)) is not None:
                gone += self._remove_step(place, min(last, place + _STEP - 1))
                time.sleep(_PAUSE_S)
            with self._driver.writing() as writing:
                writing.alone("chain")
                _forget_names(writing, number)
        return gone

    def _first(self, first: int, last: int) -> int | None:
        found: int | None = self._all(sql.FIRST_PLACE, first, last)[0][0]
        return found

    def _remove_step(self, first: int, last: int) -> int:
        with self._driver.writing() as writing:
            writing.alone("chain")
            writing.many(sql.REMOVED, [()])
            stays = {stay_of(*read) for read in writing.rows(sql.STAYS, (first, last))}
            gone = [writing.many(statement, [(first, last)]) for statement in sql.FORGET][1]
            writing.many(sql.DROP_STAY, [(patient, stay, stay) for patient, stay in sorted(stays)])
            return gone

    # -- reading

    def head(self, chain: str) -> Head:
        """How far a chain has come."""
        ((found),) = self._driver.read([(sql.HEAD, (chain,))])
        return _head_of(chain, *found[0][1:3]) if found else Head(chain=chain)

    def heads(self) -> list[Head]:
        """The same of every chain, by name."""
        return [_head_of(*read) for read in self._all(sql.HEADS)]

    def chain(self, chain: str, first: int = 1, last: int | None = None) -> Iterator[Row]:
        """The entries of one chain in their order."""
        for number, *_ in self._all(sql.HEAD, chain):
            end = sql.MOST_SEQ if last is None else last
            bounds = (sql.place(number, max(first, 0)), sql.place(number, max(end, 0)))
            for read in self._driver.stream(sql.CHAIN, bounds):
                yield whole_row(chain, read)

    def decision(self, decision_id: str) -> Row | None:
        """The entry of a decision."""
        return self._one(sql.DECISION, decision_id)

    def about(self, decision_id: str) -> list[Row]:
        """Every entry that names a decision, by instant: itself, feedback, appeals."""
        return sorted(
            self._rows(self._all(sql.ABOUT, decision_id), whole_row), key=lambda row: (row.at, row.chain, row.seq)
        )

    def asked(self, asked: str) -> Row | None:
        """The latest decision with that ``asked``."""
        return self._one(sql.ASKED, sum_of(asked), asked) if asked else None

    def of_encounter(self, encounter_keys: Sequence[str], kinds: Sequence[Kind] = (), limit: int = 100) -> list[Row]:
        """The latest entries of an encounter under any of its keys, the latest first."""
        wanted: list[list[str]] = [list(kinds)] if kinds else []
        return self._latest(sql.OF_ENCOUNTER[bool(kinds)], encounter_keys, *wanted, limit)

    def of_patient(self, patient_keys: Sequence[str], limit: int = 1000) -> list[Row]:
        """The latest entries of a patient under any of the patient's keys, the latest first."""
        return self._latest(sql.OF_PATIENT, patient_keys, limit)

    def period(
        self,
        begin: datetime,
        end: datetime,
        kinds: Sequence[Kind] = (),
        damaged: Callable[[DamagedError], object] | None = None,
    ) -> Iterator[Row]:
        """Entries with ``at`` in [begin, end), by instant, then chain and number."""
        values: list[str | list[str]] = [instant_text(begin), instant_text(end)]
        if kinds:
            values.append(list(kinds))
        reads = self._driver.stream(sql.PERIOD[bool(kinds)], values)
        yield from in_order(self._rows(reads, whole_row, damaged), by_encounter=False)

    def briefs(
        self, begin: datetime, end: datetime, *, by_encounter: bool, part: int = 0, parts: int = 1
    ) -> Iterator[Row]:
        """The same of every kind with an empty ``body``; ``by_encounter``: by institution and encounter, then instant.

        Sorted by the database, so that memory does not grow with the period. ``part`` of ``parts`` (from 0, by
        encounter only), for processes of their own: each encounter stands in one. What has no encounter key stands in
        the first; feedback without one in every part, for its finding may be anywhere.
        """
        statement = sql.BRIEFS_BY_ENCOUNTER if by_encounter else sql.BRIEFS
        values: list[str | int] = [instant_text(begin), instant_text(end)]
        if by_encounter and parts > 1:
            statement = sql.BRIEFS_OF_PART
            values += [*sums_of(part, parts), part]
        reads = self._driver.stream(statement, values)
        yield from in_order(self._rows(reads, bare_row), by_encounter=by_encounter)

    def count(self, begin: datetime, end: datetime, kinds: Sequence[Kind] = ()) -> int:
        """How many entries a period has, of some kinds or of all."""
        wanted: list[list[str]] = [list(kinds)] if kinds else []
        return int(self._all(sql.COUNT[bool(kinds)], instant_text(begin), instant_text(end), *wanted)[0][0])

    def artifact(self, digest: str) -> Artifact | None:
        """An artifact by its digest."""
        for found, kind, content, first_at in self._all(sql.ARTIFACT, digest):
            if tuple(map(type, (kind, content, first_at))) == (str, bytes, str):
                with contextlib.suppress(ValueError):
                    return Artifact(digest=found, kind=kind, content=text_of(content), first_at=instant_of(first_at))
            raise StoreError("refused", f"what was kept under `{digest}` is damaged; put back a copy")
        return None

    def copy_to(self, path: Path) -> None:
        """Write a copy of the journal, as it stood at one moment, while it goes on being written.

        Raises:
            StoreError: ``refused`` for PostgreSQL, which has its own tools for that.
        """
        self._driver.copy_to(path)

    def close(self) -> None:
        """Let go of files and connections."""
        self._driver.close()

    def _all(self, statement: str, *values: str | int | list[str]) -> list[Read]:
        return self._driver.read([(statement, values)])[0]

    def _one(self, statement: str, *values: str | int) -> Row | None:
        return next(self._rows(self._all(statement, *values), whole_row), None)

    def _latest(self, statement: str, keys: Sequence[str], *further: int | list[str]) -> list[Row]:
        named = [key for key in keys if key]
        if not named:
            return []
        sums = [str(sum_of(key)) for key in named]
        return list(self._rows(self._all(statement, sums, named, *further), whole_row))

    def _rows(
        self,
        reads: Iterable[Read],
        made: Callable[[str, Read], Row],
        damaged: Callable[[DamagedError], object] | None = None,
    ) -> Iterator[Row]:
        """What was read as entries, with the names of their chains."""
        for read in reads:
            number = sql.number_of(read[0])
            name = self._names.get(number) or self._learned(number)
            if name is None:
                continue
            try:
                row = made(name, read)
            except DamagedError as error:
                if damaged is None:
                    raise
                damaged(error)
            else:
                yield row

    def _learned(self, number: int) -> str | None:
        """The name of a chain somebody has begun since names were read."""
        self._names.update(self._all(sql.NAMES))
        return self._names.get(number)


def _head_of(name: object, seq: object, hash_: object) -> Head:
    """How far a chain has come: nowhere, where that is not what was written (SQLite keeps anything in any column)."""
    ends = type(seq) is int and type(hash_) is bytes
    return Head(chain=str(name), seq=seq, hash=hash_) if ends else Head(chain=str(name))  # type: ignore[arg-type]


def _forget_names(writing: Writing, number: int) -> None:
    """Let go of artifacts no entry of a chain names any more, unless one of another chain does."""
    for digest, until in writing.rows(sql.LOST_NAMES, (number,)):
        ((first,),) = writing.rows(sql.FIRST_PLACE, (sql.place(number, 0), sql.place(number, until)))
        if first is None:
            writing.many(sql.DROP_NAMED, [(digest, number)])
            writing.many(sql.DROP_ARTIFACT, [(digest, digest)])
