"""What a check is told, from the rows of one batch: lines without copies, encounters, coverage, facts that hold."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from negative_list.history import items_of, without_copies
from negative_list.indicators import Visit
from negative_list.prescription import COVERAGE_GRACE, Encounter, History, Line, Prescription
from negative_list.readers.stored import StoreFact
from reminder.stores import statements as sql
from reminder.stores.base import MOST_LINES, Told, Wanted
from reminder.stores.changes import INSTITUTION, SAVED, civil_text
from reminder.stores.coding import Content, decode_past, decode_value

if TYPE_CHECKING:
    from reminder.stores.driver import Query, Row

__all__ = ["RECORDS_PER_S", "Bounds", "encounters_of", "queries", "told"]

RECORDS_PER_S = 20_000
"""How many records of five lines are asked for in a second that is left, somewhat more than are worked up in it, so
that the patients with years of records cost no more than others; what is told of them is the latest."""

_MOMENT = timedelta(microseconds=1)
_EVER = datetime.min  # noqa: DTZ901 - a civil time before every other
_NEVER = datetime.max  # noqa: DTZ901 - and one after every other


class Bounds(Struct, frozen=True, kw_only=True):
    """How much a read may cost: the most records, and the time of ``time.monotonic`` by which to have done."""

    records: int = MOST_LINES
    until: float | None = None

    @classmethod
    def within(cls, seconds: float | None) -> Bounds:
        """What can be done from now on in so many seconds (``None``: whatever there is to do)."""
        if seconds is None:
            return cls()
        records = min(MOST_LINES, max(1, int(seconds * RECORDS_PER_S)))
        return cls(records=records, until=time.monotonic() + seconds)


def queries(wanted: Wanted, bounds: Bounds) -> list[Query]:
    """What to ask for a check; :func:`told` takes the answers in the same order."""
    return [*_history_queries(wanted, bounds.records), *_fact_queries(wanted)]


def told(wanted: Wanted, answers: Sequence[list[Row]], bounds: Bounds) -> Told:
    """What a check is told."""
    known = Told(history=History() if wanted.history else None)
    if _has_history(wanted):
        records, words, aliases = answers[:3]
        found, cut_at = _found_within(bounds, records, wanted.encounter_key, _known_as(wanted, aliases))
        known = _history(wanted, found, _said(words, wanted.at), cut_at)
    facts = _facts(wanted, *answers[-2:]) if _has_facts(wanted) else ()
    return msgspec.structs.replace(known, facts=facts)


def _has_history(wanted: Wanted) -> bool:
    return wanted.history and bool(wanted.patient_key)


def _has_facts(wanted: Wanted) -> bool:
    return wanted.facts and any(wanted.subjects)


def _history_queries(wanted: Wanted, most: int) -> list[Query]:
    if not _has_history(wanted):
        return []
    patient = [wanted.patient_key, *wanted.patient_before]
    return [
        (sql.RECORDS, (patient, patient, most - 1)),
        (sql.COVERAGE, (patient, patient, wanted.institution_id)),
        (sql.ALIASES, (_own_encounters(wanted),)),
    ]


def _own_encounters(wanted: Wanted) -> list[str]:
    return [wanted.encounter_key, *wanted.encounter_before]


def _fact_queries(wanted: Wanted) -> list[Query]:
    if not _has_facts(wanted):
        return []
    subjects, at = sorted(filter(None, {*wanted.subjects, *wanted.patient_before, *wanted.encounter_before})), wanted.at
    return [
        (sql.FACTS, (subjects, subjects, civil_text(at), civil_text(at))),
        (sql.ALIASES, (subjects,)),
    ]


def _known_as(wanted: Wanted, aliases: list[Row]) -> frozenset[str]:
    """What records call the asking encounter: its keys, or what stands for them among aliases."""
    persons: dict[str, str] = dict(aliases)
    return frozenset(persons.get(key, key) for key in _own_encounters(wanted))


class _Word(Struct, frozen=True, kw_only=True):
    """A word of coverage: since when (:data:`_EVER`: ever) and up to when (``None``: no end) all is known."""

    since: datetime | None = None
    until: datetime | None = None


class _Words(Struct, frozen=True, kw_only=True):
    """Words of coverage that count: about all records, and about those of the asking institution."""

    everywhere: _Word = _Word()
    here: _Word = _Word()
    forgotten_before: datetime | None = None


class _Found(Struct, frozen=True):
    """One record as read: whose it is, whether it was saved here, and what it holds under the key asked for."""

    institution_id: str
    saved: bool
    encounter_key: str
    content: Content


def _found_within(
    bounds: Bounds, rows: list[Row], here: str, own: frozenset[str]
) -> tuple[list[_Found], datetime | None]:
    """Records, the latest first, and the time before which others are left out (``None``: these are all)."""
    found: list[_Found] = []
    kept = 0
    for last_at, lines, *row, known_as in rows:
        kept += lines
        if kept > MOST_LINES or (bounds.until is not None and time.monotonic() > bounds.until):
            return found, datetime.fromisoformat(last_at)
        found.append(_found(row, here if known_as in own else known_as))
    return found, datetime.fromisoformat(rows[-1][0]) if len(rows) >= bounds.records else None


def _history(wanted: Wanted, found: list[_Found], said: _Words, cut_at: datetime | None) -> Told:
    """The history, and what is left out of it."""
    others = (one for one in found if one.encounter_key != wanted.encounter_key)
    history = msgspec.structs.replace(
        _covered(said, cut_at), lines=_lines(found), encounters=_encounters(others), unique=True
    )
    return Told(history=history, cut_at=cut_at, forgotten_before=said.forgotten_before)


def _found(row: Sequence[Any], here: str) -> _Found:
    """A record, with what it says of its encounter told of the key asked for."""
    institution_id, encounter_key, source, body = row
    content = decode_past(body)
    if here != encounter_key:
        content = Content(
            encounter=content.encounter and msgspec.structs.replace(content.encounter, id=here),
            lines=tuple(
                msgspec.structs.replace(line, encounter_id=here) if line.encounter_id == encounter_key else line
                for line in content.lines
            ),
        )
    return _Found(institution_id, source == SAVED, here, content)


def _lines(found: Iterable[_Found]) -> tuple[Line, ...]:
    """The lines of records, each once: of copies that which was saved here, else the one told last.

    Lines of one record are no copies of each other, so that an encounter told by one record is taken as it is; nor
    are those of prescriptions saved here under different ids.
    """
    by_encounter: dict[str, list[tuple[bool, tuple[Line, ...]]]] = {}
    for one in sorted(found, key=lambda one: not one.saved):
        for encounter_id, lines in itertools.groupby(one.content.lines, key=attrgetter("encounter_id")):
            by_encounter.setdefault(encounter_id, []).append((one.saved, tuple(lines)))
    return tuple(line for told in by_encounter.values() for line in (_once(told) if len(told) > 1 else told[0][1]))


def _once(told: Sequence[tuple[bool, tuple[Line, ...]]]) -> tuple[Line, ...]:
    """The lines of several records about one encounter, those saved here first.

    A copy is of the same item and day, whatever its ids say.
    """
    own = tuple(line for saved, lines in told if saved for line in lines)
    fed = tuple(line for saved, lines in told if not saved for line in lines)
    places = [
        {(item, line.begins and line.begins.date()) for line in lines for item in items_of(line)} for _, lines in told
    ]
    if not fed or len(set().union(*places)) == sum(map(len, places)):
        return own + fed
    saved_here = Prescription(encounter=Encounter(id="", lines=own))
    return own + without_copies(History(lines=fed), saved_here).lines


def _encounters(found: Iterable[_Found]) -> tuple[Encounter, ...]:
    """Each encounter once, with all that is told of it; where records differ, the latest is right."""
    merged: dict[str, Encounter] = {}
    for one in found:
        if told := one.content.encounter:
            known = merged.get(one.encounter_key)
            merged[one.encounter_key] = _filled(known, told) if known else told
    return tuple(merged.values())


def _filled(known: Encounter, older: Encounter) -> Encounter:
    """An encounter with what only an older record tells."""
    return msgspec.structs.replace(
        known,
        facts={**older.facts, **known.facts},
        sources={**older.sources, **known.sources},
        times={**older.times, **known.times},
        diagnoses=known.diagnoses or older.diagnoses,
        operations=known.operations or older.operations,
    )


def _said(words: list[Row], at: datetime) -> _Words:
    """The words that count: of each institution the last, but none that is over before one that holds."""
    said: dict[str, _Word] = {}
    for institution_id, since, complete, until in words:
        word = _Word(since=_EVER if complete else _time(since), until=_time(until))
        if institution_id not in said or _holds(word, at) or not _holds(said[institution_id], at):
            said[institution_id] = word
    forgotten, everywhere = said.pop(sql.FORGOTTEN, _Word()), said.pop("", _Word())
    here = next(iter(said.values()), _Word())
    return _Words(everywhere=everywhere, here=here, forgotten_before=forgotten.since)


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _holds(word: _Word, at: datetime) -> bool:
    return word.until is None or word.until >= at - COVERAGE_GRACE


def _covered(said: _Words, cut_at: datetime | None) -> History:
    """What is promised to the asking institution: nothing of what was forgotten or is left out."""
    floor = max(said.forgotten_before or _EVER, cut_at + _MOMENT if cut_at else _EVER)
    everywhere, here = said.everywhere, _widest(said.everywhere, said.here)
    complete = everywhere.since == _EVER == floor
    return History(
        since=None if complete or everywhere.since is None else max(everywhere.since, floor),
        own_since=here.since and max(here.since, floor),
        complete=complete,
        until=everywhere.until,
        own_until=here.until,
    )


def _widest(everywhere: _Word, here: _Word) -> _Word:
    """What is known of one institution's records: of both words the one from earlier on, unless it ends before."""
    if everywhere.since is None or here.since is None:
        return everywhere if here.since is None else here
    earlier = everywhere.since <= here.since
    return everywhere if earlier and (everywhere.until or _NEVER) >= (here.until or _NEVER) else here


def _facts(wanted: Wanted, rows: list[Row], aliases: list[Row]) -> tuple[StoreFact, ...]:
    """Facts under the keys that were asked; of a key and its aliases the one valid last."""
    asked = _asked(wanted, dict(aliases))
    best: dict[tuple[str, str], StoreFact] = {}
    for row in sorted(rows, key=itemgetter(6)):
        fact = _fact(*row)
        for subject in asked.get(fact.subject, ()):
            best[subject, fact.fact] = msgspec.structs.replace(fact, subject=subject)
    return tuple(best.values())


def _asked(wanted: Wanted, persons: Mapping[str, str]) -> dict[str, set[str]]:
    """The keys asked for, by each key that is the same person's or encounter's."""
    before = {wanted.patient_key: wanted.patient_before, wanted.encounter_key: wanted.encounter_before}
    joined = {persons.get(old, old): persons.get(key, key) for key, olds in before.items() for old in olds}
    keys = {*persons, *wanted.subjects, *wanted.patient_before, *wanted.encounter_before}
    same = {key: joined.get(persons.get(key, key), persons.get(key, key)) for key in keys}
    asked: dict[str, set[str]] = {}
    for subject in wanted.subjects:
        asked.setdefault(same[subject], set()).add(subject)
    return {key: asked.get(person, set()) for key, person in same.items()}


def _fact(  # noqa: PLR0913, PLR0917 - the columns of a row
    subject: str, name: str, value: bytes, valid_from: str, expires: str, source: str, held_from: str
) -> StoreFact:
    return StoreFact(
        subject=subject,
        fact=name,
        value=decode_value(value),
        valid_from=_time(valid_from),
        expires=_time(expires),
        source=source,
        told_at=None if valid_from else _time(held_from),
    )


def encounters_of(rows: Iterable[Row]) -> Iterator[Visit]:
    """Each encounter, from the rows of ``PATIENTS_BETWEEN``, patient by patient."""
    for patient, records in itertools.groupby(rows, key=itemgetter(0)):
        found = [_found(row, known_as) for _, *row, known_as in records]
        institutions = {one.encounter_key: one.institution_id for one in sorted(found, key=attrgetter("saved"))}
        encounters = {encounter.id: encounter for encounter in _encounters(found)}
        lines: dict[str, list[Line]] = {}
        for line in _lines(found):
            lines.setdefault(line.encounter_id, []).append(line)
            if line.encounter_id not in institutions:
                institutions[line.encounter_id] = str(line.facts[INSTITUTION])
        for key in encounters.keys() | lines.keys():
            yield Visit(
                patient=str(patient),
                institution_id=institutions[key],
                encounter=encounters.get(key, Encounter(id=key)),
                lines=tuple(lines.get(key, ())),
            )
