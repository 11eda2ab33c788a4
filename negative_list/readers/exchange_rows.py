"""From a row of an exchanged transaction to the records of the library: visits, diagnoses, and facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from negative_list.dictionary import ImpossibleValueError, load, parse_time, parse_value
from negative_list.prescription import Encounter, Line
from negative_list.readers import build
from negative_list.readers.columns import Columns, mapped_columns
from negative_list.readers.exchange_table import Tells, Transaction
from negative_list.readers.reading import Gathered, Place, Reading, Row
from negative_list.readers.rows import plain
from negative_list.readers.stored import StoreFact

if TYPE_CHECKING:
    from negative_list.prescription import FactValue
    from negative_list.site import Site

__all__ = [
    "SET",
    "Record",
    "Work",
    "diagnosis_records",
    "end_of_day",
    "facts_of",
    "gathered",
    "moment",
    "named_of",
    "record_of",
    "set_facts",
    "visit_of",
    "visit_records",
]

SET = ("1", 1, True, "01")
"""How a national flag that is set is sent."""


class Record(Struct, frozen=True, kw_only=True):
    """What one exchanged record tells of a patient: an encounter, lines, or both.

    It is known by institution and ``record_id``; a later one replaces an earlier one. ``patient_id`` is the payer's
    person number (``psn_no``). ``source`` names the transaction.
    """

    institution_id: str
    record_id: str
    patient_id: str
    encounter: Encounter | None = None
    lines: tuple[Line, ...] = ()
    source: str


class Work(Struct, frozen=True, kw_only=True):
    """One answered call: its transaction, rows with their paths, and what stands above the rows.

    ``above`` holds the fields of the envelope and of the request, under their own and their camel-case names,
    ``output`` the answer, whichever side has the rows; ``asked_at`` is the call's own time.
    """

    transaction: Transaction
    reading: Reading
    rows: tuple[tuple[Row, str], ...]
    above: Mapping[str, object]
    output: object = None
    asked_at: datetime | None

    def of(self, row: Row, key: str) -> str:
        """Return a field of the row, else of what stands above it, as text; "" where neither tells it."""
        return _known(row.get(key)) or _known(self.above.get(key))

    @property
    def source(self) -> str:
        """How records and facts name this transaction as their source."""
        return f"transaction {self.transaction.number}"


def _known(raw: object) -> str:
    text = plain(raw)
    return "" if text in load().placeholders else text


@lru_cache(maxsize=256)
def _columns(site: Site, number: str, fields: tuple[tuple[str, str], ...]) -> Columns:
    del number  # only tells the cache's entries apart
    return mapped_columns(site, dict(fields))


def gathered(work: Work, row: Row, path: str) -> Gathered:
    """Read the fields of a row that the transaction's table names; what is impossible is noted with its path."""
    columns = _columns(work.reading.site, work.transaction.number, tuple(work.transaction.fields.items()))
    read: Gathered = {}
    work.reading.gather(columns, row, read, Place(path))
    return read


# -- visits and diagnoses


def visit_records(work: Work) -> Iterable[Record]:
    """One record for each visit that was not taken back."""
    for row, path in work.rows:
        if row.get("refd_setl_flag") in SET:
            work.reading.note("not_read", Place(path), "refd_setl_flag", "已退费的结算，不计入")
        elif visit := visit_of(work, row, path):
            yield record_of(work, row, f"{work.transaction.number}:{visit.id}", visit)


def visit_of(
    work: Work,
    row: Row,
    path: str,
    diagnosed: Iterable[build.Named] = (),
    operated: Iterable[build.Named] = (),
) -> Encounter | None:
    """Return the encounter of a row, ``None`` (with a note) where it has no id."""
    read = gathered(work, row, path)
    id_ = str(read.pop("encounter.id", "")) or work.of(row, "mdtrt_id")
    if not id_:
        work.reading.note("not_read", Place(path), "mdtrt_id", "没有就诊ID，这一行未读")
        return None
    if institution := work.of(row, "fixmedins_code"):
        read.setdefault("encounter.institution_id", institution)
    main = build.Named(read.pop("encounter.main_diagnosis_code", ""), read.pop("encounter.main_diagnosis_name", ""))
    parts = build.Parts(
        id=id_,
        lines=(),
        diagnoses=build.diagnoses(work.reading, diagnosed, main),
        operations=build.operations(work.reading, operated),
    )
    return build.encounter(work.reading, parts, read, Place(path))


def diagnosis_records(work: Work) -> Iterable[Record]:
    """One record for each visit, with all its diagnoses."""
    by_visit: dict[str, list[build.Named]] = {}
    rows: dict[str, Row] = {}
    for row, path in work.rows:
        visit = work.of(row, "mdtrt_id")
        by_visit.setdefault(visit, []).append(named_of(gathered(work, row, path), "diagnosis"))
        rows.setdefault(visit, row)
    for visit, told in by_visit.items():
        encounter = Encounter(id=visit, diagnoses=build.diagnoses(work.reading, told))
        yield record_of(work, rows[visit], f"{work.transaction.number}:{visit}", encounter)


def named_of(read: Gathered, kind: str) -> build.Named:
    """The diagnosis or operation that was gathered."""
    return build.Named(read.get(f"{kind}.code", ""), read.get(f"{kind}.name", ""), read.get(f"{kind}.main") is True)


def record_of(work: Work, row: Row, record_id: str, visit: Encounter | None, lines: tuple[Line, ...] = ()) -> Record:
    """Return the record of a row: whose it is stands in the row or above it."""
    return Record(
        institution_id=work.of(row, "fixmedins_code"),
        record_id=record_id,
        patient_id=work.of(row, "psn_no"),
        encounter=visit,
        lines=lines,
        source=work.source,
    )


# -- facts of their own


def moment(work: Work, row: Row, key: str, path: str) -> datetime | None:
    """Return the civil time in a field; what is no time is noted."""
    try:
        told = parse_time(work.of(row, key), work.reading.site.zone)
    except ImpossibleValueError as error:
        work.reading.impossible(Place(path), key, str(error))
        return None
    return told[0] if told else None


def end_of_day(at: datetime) -> datetime:
    """Return the first moment of the next day."""
    return datetime.combine(at.date() + timedelta(days=1), time())


def facts_of(work: Work) -> Iterable[StoreFact]:
    """What every row tells of its own; what was asked for and not found is told as not so."""
    for row, path in work.rows:
        for tells in work.transaction.tells:
            if told := _told(work, tells, row, path):
                yield told
    if work.transaction.asked and not work.rows and work.transaction.kind == "fact":
        yield from _nothing(work)


def _told(work: Work, tells: Tells, row: Row, path: str) -> StoreFact | None:
    subject, value = work.of(row, tells.subject), _value(work, tells, row, path)
    if not subject or value is None or (tells.unless and row.get(tells.unless) in SET):
        return None
    at = (moment(work, row, tells.at, path) if tells.at else None) or (work.asked_at if tells.at else None)
    ends = moment(work, row, tells.until, path) if tells.until else at if tells.of_day else None
    return StoreFact(
        subject=subject,
        fact=tells.fact,
        value=value,
        valid_from=at,
        expires=end_of_day(ends) if ends else None,
        source=work.source,
    )


def _value(work: Work, tells: Tells, row: Row, path: str) -> FactValue | None:
    if tells.constant is not None:
        return tells.constant
    try:
        return parse_value(load()[tells.fact], work.of(row, tells.value), work.reading.site.zone)
    except ImpossibleValueError as error:
        work.reading.impossible(Place(path), tells.value, str(error))
        return None


def _nothing(work: Work) -> Iterable[StoreFact]:
    """The answer has no rows: flags are false, and sets hold none where the dictionary has a word for it."""
    for tells in work.transaction.tells:
        subject, fact = work.of({}, tells.subject), load()[tells.fact]
        value: FactValue | None = False if fact.type == "flag" else ("none",) if "none" in fact.words else None
        if subject and value is not None and work.asked_at is not None:
            yield StoreFact(
                subject=subject,
                fact=tells.fact,
                value=value,
                valid_from=work.asked_at,
                expires=end_of_day(work.asked_at),
                source=work.source,
            )


def set_facts(work: Work) -> Iterable[StoreFact]:
    """Rows that together are one fact of a patient: those in force at the call's time, until the first of them ends."""
    in_force = [(row, path) for row, path in work.rows if _in_force(work, row, path)]
    if not in_force and work.transaction.asked:
        yield from _nothing(work)
    for tells in work.transaction.tells:
        by_subject: dict[str, list[StoreFact]] = {}
        for told in (_told(work, tells, row, path) for row, path in in_force):
            if told:
                by_subject.setdefault(told.subject, []).append(told)
        yield from (_united(several) for several in by_subject.values())


def _in_force(work: Work, row: Row, path: str) -> bool:
    first, last = (moment(work, row, key, path) for key in ("begndate", "enddate"))
    at = work.asked_at
    return at is None or ((first is None or first.date() <= at.date()) and (last is None or at.date() <= last.date()))


def _united(several: list[StoreFact]) -> StoreFact:
    first = several[0]
    if not isinstance(first.value, tuple):
        return first
    words = {word for told in several if isinstance(told.value, tuple) for word in told.value}
    ends = [told.expires for told in several if told.expires]
    return msgspec.structs.replace(first, value=tuple(sorted(words)), expires=min(ends, default=None))
