"""The store over any database: the protocol's methods as batches of reads and as changes in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from reminder.stores import statements as sql
from reminder.stores.base import Coverage, HistoryRecord, Kept, OpenFinding, Saved, StoreError, Told, Wanted
from reminder.stores.changes import NO_TIME, Change, apply, civil_text, saving, utc_text
from reminder.stores.coding import decode
from reminder.stores.reading import Bounds, encounters_of, queries, told

if TYPE_CHECKING:
    from negative_list.indicators import Visit
    from negative_list.readers.stored import StoreFact
    from reminder.stores.driver import Driver, Row

__all__ = ["SqlStore"]

_TIMELESS = datetime.min.replace(tzinfo=UTC)


class SqlStore:
    """A :class:`reminder.stores.base.Store` on a database; where that stands is the driver's business."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def read(self, wanted: Wanted, *, within_s: float | None = None) -> Told:
        """Everything one check asks for, in one batch."""
        bounds = Bounds.within(within_s)
        answers = self._driver.read(queries(wanted, bounds))
        try:
            return told(wanted, answers, bounds)
        except msgspec.DecodeError as error:
            raise StoreError("refused", f"a record of this patient is damaged ({error}); put back a copy") from error

    def ping(self) -> None:
        """Make sure that the store can be read on this thread; raises ``StoreError``."""
        self._driver.read([("SELECT 1", ())])

    def touch(self) -> None:
        """Make sure that nobody keeps the store from being written; raises ``StoreError``."""
        with self._driver.writing():
            pass

    def apply(self, changes: Sequence[Change]) -> list[int]:
        """Do changes in one transaction; returns of each how many records changed what is known."""
        with self._driver.writing() as writing:
            return [apply(writing, change) for change in changes]

    def save(self, saved: Sequence[Saved]) -> int:
        """Keep saved prescriptions."""
        return self._do(saving(saved, _TIMELESS))

    def put_history(self, records: Sequence[HistoryRecord], coverage: Sequence[Coverage] = (), *, at: datetime) -> int:
        """Keep records of a feed and what they cover."""
        return self._do(
            Change(kind="history", records=tuple(records), at=at),
            Change(kind="coverage", records=tuple(coverage), at=at),
        )

    def put_facts(self, facts: Sequence[StoreFact], *, at: datetime) -> int:
        """Keep facts."""
        return self._do(Change(kind="facts", records=tuple(facts), at=at))

    def put_aliases(self, keys: Sequence[tuple[str, str]]) -> int:
        """Keep that two keys are of one patient, or of one encounter."""
        return self._do(Change(kind="aliases", records=tuple(keys), at=_TIMELESS))

    def known_as(self, keys: Sequence[str]) -> list[str]:
        """The keys given and all others of the same patients (or encounters), sorted."""
        ((*found,),) = self._driver.read([(sql.ALIASES, (list(keys),))])
        return sorted({*keys, *(key for key, _ in found)})

    def keep(self, bodies: Sequence[Kept]) -> None:
        """Keep the last body of encounters."""
        self._do(Change(kind="keep", records=tuple(bodies), at=_TIMELESS))

    def kept(self, institution_id: str = "") -> Iterator[Kept]:
        """The last body of every encounter that is not discharged."""
        for (body,) in self._driver.stream(sql.KEPT, (institution_id, institution_id)):
            yield decode(Kept, body)

    def put_findings(self, encounter_key: str, found: Sequence[OpenFinding], at: datetime) -> None:
        """Replace what is open for an encounter."""
        self._do(Change(kind="findings", records=tuple(found), at=at, subject=encounter_key))

    def findings(self, *, only_open: bool = True, since: datetime | None = None) -> Iterator[OpenFinding]:
        """Findings about running orders."""
        begin = utc_text(since) if since else NO_TIME
        yield from map(_finding, self._driver.stream(sql.FINDINGS, (int(only_open), begin, begin)))

    def saved_encounters(self, begin: datetime, end: datetime) -> Iterator[Visit]:
        """Every known encounter with a line or an admission in [begin, end)."""
        rows = self._driver.stream(sql.PATIENTS_BETWEEN, (civil_text(begin), civil_text(end)))
        for visit in encounters_of(rows):
            times = [visit.encounter.facts.get("encounter.admitted_at"), *(line.begins for line in visit.lines)]
            if any(isinstance(moment, datetime) and begin <= moment < end for moment in times):
                yield visit

    def forget(self, before: datetime) -> int:
        """Take out what ended before a civil time."""
        end = civil_text(before)
        with self._driver.writing() as writing:
            writing.many(sql.PUT_FORGOTTEN, [(end,)])
            return sum(writing.many(statement, [(end,)]) for statement in sql.FORGET)

    def close(self) -> None:
        """Let go of files and connections."""
        self._driver.close()

    def _do(self, *changes: Change) -> int:
        """Do changes; returns how many records of the first changed what is known."""
        return self.apply(changes)[0]


def _finding(row: Row) -> OpenFinding:
    found_at, closed_at, body = row
    return msgspec.structs.replace(
        decode(OpenFinding, body),
        found_at=datetime.fromisoformat(found_at).replace(tzinfo=UTC),
        closed_at=datetime.fromisoformat(closed_at).replace(tzinfo=UTC) if closed_at else None,
    )
