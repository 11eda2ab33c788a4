"""``reminder facts import``: files of facts, of history and of what a hospital exchanges, into a store.

What a row is, is told by what stands in it (:data:`KINDS`). Good rows go in, bad ones are named with file and row. A
file may be imported again: what is known already changes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import Struct, field

from negative_list.dictionary import load
from negative_list.errors import FieldProblem, Problem, RequestError, SiteError, nearest
from negative_list.readers.exchange import read_exchange, read_exchanges
from negative_list.readers.exchange_stock import StockChange
from negative_list.readers.files import rows_of
from negative_list.readers.own import LINE_KEYS
from negative_list.readers.past import ROW_KEYS, coverage_of_row, is_coverage, past_of_row
from negative_list.readers.rows import plain
from negative_list.readers.stored import FACT_COLUMNS, StoreFact
from negative_list.site import Sites, decoded
from reminder.config import SQLITE, Config
from reminder.feeds import SAYS_NOTHING, Feed
from reminder.keyed import PATIENT_IDS, encounter_under, lines_under, named_of
from reminder.stocks import carried_on
from reminder.stores.base import Coverage, HistoryRecord, StoreError
from reminder.stores.keys import Keys, KeysError
from reminder.stores.opening import open_store

if TYPE_CHECKING:
    from negative_list.prescription import Encounter, Line
    from reminder.stores.base import Store

__all__ = ["KINDS", "Batch", "ImportFailedError", "Into", "Kind", "import_files", "read_file", "write"]

Row: TypeAlias = "dict[str, Any]"
Rows: TypeAlias = Sequence[tuple[int, Row]]
"""Rows of a file with their numbers from 1."""

_KNOWN = (*FACT_COLUMNS, *ROW_KEYS, *LINE_KEYS, "facts", "id_system")
_AT_ONCE = 500
"""Records of one write: a transaction of some 20 ms, which a sidecar that runs meanwhile waits for."""


class Into(Struct, frozen=True, kw_only=True):
    """What rows are read for: the keys of the store, the sites, and the institution of rows that name none.

    ``at``: when they are told, UTC.
    """

    keys: Keys
    sites: Sites
    at: datetime
    institution_id: str = ""

    @property
    def feed(self) -> Feed:
        """What reads a row."""
        return Feed(self.keys, self.sites, lambda: self.at)


class Batch(Struct, kw_only=True):
    """What the rows of a file tell; ``problems`` and ``notes`` by their rows."""

    facts: list[StoreFact] = field(default_factory=list)
    records: list[HistoryRecord] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)
    stock: list[StockChange] = field(default_factory=list)
    problems: list[tuple[int, FieldProblem]] = field(default_factory=list)
    notes: list[tuple[int, FieldProblem]] = field(default_factory=list)

    def refuse(self, number: int, path: str, message: str) -> None:
        """Remember what is wrong with a row."""
        self.problems.append((number, FieldProblem(field=path, message=message)))

    def counts(self) -> dict[str, int]:
        """How many of each kind it tells."""
        return {"facts": len(self.facts), "records": len(self.records), "coverage": len(self.coverage)}


class Kind(Struct, frozen=True):
    """A kind of row: its name, how it is recognised, and how all rows of the kind in a file are read into a batch."""

    name: str
    fits: Callable[[Row], bool]
    read: Callable[[Rows, Into, Batch], None]


class ImportFailedError(Exception):
    """Nothing more can be imported: the site configuration, the secrets or the store cannot be used."""


def import_files(
    files: Sequence[Path], config: Config, institution_id: str, say: Callable[[str], None]
) -> list[Problem]:
    """Import files into the store of the settings, a line said of each; returns everything wrong with their rows.

    Raises:
        ImportFailedError: Nothing more can be imported; files before it are in.
    """
    problems: list[Problem] = []
    database = "" if config.store == SQLITE else config.store
    try:
        sites = Sites.read(config.site) if config.site else Sites()
        for text in sites.degraded:
            say(text)
        keys = Keys.open(config.data / "keys")
        with contextlib.closing(open_store(config.data, database)) as store:
            for path in files:
                into = Into(keys=keys, sites=sites, at=datetime.now(UTC), institution_id=institution_id)
                batch, wrong = read_file(path, into)
                changed = write(batch, store, into.at)
                problems += wrong
                say(_report(path, batch, changed, len(wrong)))
    except (SiteError, KeysError, StoreError) as error:
        raise ImportFailedError(str(error)) from error
    return problems


def _report(path: Path, batch: Batch, changed: int, wrong: int) -> str:
    """One line about a file, and one about each thing its rows' reader noted."""
    counts = ", ".join(f"{name} {count}" for name, count in batch.counts().items())
    notes = [f"{path}:{number}: {note.field}: {note.message}" for number, note in batch.notes]
    return "\n".join([*notes, f"{path}: {counts}; new or changed {changed}, refused {wrong}"])


def read_file(path: Path, into: Into) -> tuple[Batch, list[Problem]]:
    """What a file tells, and everything wrong with it."""
    unreadable: list[Problem] = []
    rows = list(_rows(path, unreadable))
    batch = Batch()
    for kind in KINDS:
        mine = [(number, row) for number, row in rows if _kind_of(row, path) is kind]
        if mine:
            kind.read(mine, into, batch)
    wrong = [Problem(file=str(path), row=n, path=p.field, message=p.message) for n, p in batch.problems]
    return batch, sorted([*unreadable, *wrong])


def write(batch: Batch, store: Store, at: datetime) -> int:
    """Write what a batch tells, ``at`` an instant (UTC); returns how much of it was new. Raises ``StoreError``."""
    changed = sum(store.put_facts(part, at=at) for part in _parts(batch.facts))
    changed += sum(store.put_facts(part, at=at) for part in _parts(carried_on(batch.stock, store)))
    changed += sum(store.put_history(part, at=at) for part in _parts(batch.records))
    for words in _parts(batch.coverage):
        store.put_history((), words, at=at)
    return changed


def _parts(records: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (records[first : first + _AT_ONCE] for first in range(0, len(records), _AT_ONCE))


def _rows(path: Path, problems: list[Problem]) -> Iterator[tuple[int, Row]]:
    """The rows of a file: one JSON object, a JSON list of them, or as :func:`rows_of` reads it."""
    whole = _whole(path)
    if isinstance(whole, dict):
        whole = [whole]
    if whole is None:
        yield from rows_of(path, problems)
        return
    for number, row in enumerate(whole, 1):
        if isinstance(row, dict):
            yield number, row
        else:
            problems.append(Problem(file=str(path), row=number, message="expected an object"))


def _whole(path: Path) -> dict[str, Any] | list[Any] | None:
    if path.suffix.lower() == ".csv":
        return None
    try:
        told = msgspec.json.decode(decoded(path.read_bytes()))
    except (OSError, UnicodeDecodeError, msgspec.DecodeError):
        return None  # JSON Lines, or said to be unreadable when read as such
    return told if isinstance(told, (dict, list)) else None


def _kind_of(row: Row, path: Path) -> Kind:
    """The kind of a row; sheets hold facts."""
    return KINDS[0] if path.suffix.lower() == ".csv" else next(kind for kind in KINDS if kind.fits(row))


# -- facts


def _facts(rows: Rows, into: Into, batch: Batch) -> None:
    feed = into.feed
    for number, row in rows:
        try:
            fact = feed.fact({"institution_id": into.institution_id} | row)
        except RequestError as error:
            batch.problems += [(number, problem) for problem in error.fields]
        else:
            batch.facts += [fact] if fact is not None else []


# -- calls of the national interface


def _calls(rows: Rows, into: Into, batch: Batch) -> None:
    """All calls of an institution together: they complete each other."""
    by_institution: dict[str, list[Row]] = {}
    for number, row in rows:
        try:
            told = read_exchange(row, into.sites)
        except RequestError as error:
            batch.problems += [(number, problem) for problem in error.fields]
        else:
            batch.notes += [(number, FieldProblem(field=note.field, message=note.message)) for note in told.notes]
            request = row.get("request")
            institution = plain((request if isinstance(request, dict) else row).get("fixmedins_code"))
            by_institution.setdefault(institution or into.institution_id, []).append(row)
    for institution, calls in by_institution.items():
        _exchanged(institution, calls, into, batch)


def _exchanged(institution: str, calls: list[Row], into: Into, batch: Batch) -> None:
    told, keys = read_exchanges(calls, into.sites), into.keys
    feed = into.feed
    batch.facts += [feed.kept(fact, institution, PATIENT_IDS) for fact in told.facts if not load()[fact.fact].private]
    batch.stock += told.changes
    for record in told.records:
        patient = keys.patient(PATIENT_IDS, record.patient_id)
        named = HistoryRecord(
            institution_id=record.institution_id or institution,
            record_id=record.record_id,
            patient_key=patient,
            source=record.source,
        )
        batch.records += _keyed(named, record.encounter, record.lines, keys)
    batch.coverage += [
        Coverage(
            patient_key=keys.patient(PATIENT_IDS, covered.patient_id),
            institution_id=covered.institution_id,
            since=covered.since,
            until=covered.until,
        )
        for covered in told.coverage
    ]


def _keyed(
    record: HistoryRecord, encounter: Encounter | None, lines: Sequence[Line], keys: Keys
) -> tuple[HistoryRecord, ...]:
    """A record with what it tells, under keys."""
    ids = {line.encounter_id for line in lines} | ({encounter.id} if encounter is not None else set())
    names = {id_: keys.encounter(record.institution_id, id_) for id_ in ids}
    filled = msgspec.structs.replace(
        record,
        encounter=encounter and encounter_under(msgspec.structs.replace(encounter, lines=()), names[encounter.id]),
        lines=lines_under(lines, names),
    )
    return named_of(keys, filled)


# -- rows of history


def _history(rows: Rows, into: Into, batch: Batch) -> None:
    seen: dict[str, int] = {}
    of_all: list[tuple[int, Coverage]] = []
    for number, row in rows:
        patient, system = plain(row.pop("patient_id", "")), plain(row.pop("id_system", "")) or PATIENT_IDS
        key = into.keys.patient(system, patient) if patient else ""
        institution = plain(row.get("institution_id")) or into.institution_id
        if is_coverage({name: value for name, value in row.items() if name != "institution_id"}):
            words = _covered(number, row, key, institution, into, batch)
            if key:
                batch.coverage += words
            else:
                of_all += [(number, word) for word in words]
        elif not key:
            _refuse_nobodys(number, row, batch)
        elif not institution:
            batch.refuse(number, "institution_id", "missing; say where it was, here or with --institution")
        else:
            _past(number, row | {"institution_id": institution}, key, into, batch, seen)
    _of_all(of_all, batch)


def _refuse_nobodys(number: int, row: Row, batch: Batch) -> None:
    """A row that is nobody's, or, where a key is misspelt, of another kind than it was meant to be."""
    unknown = sorted(key for key in row if key not in _KNOWN)
    if unknown:
        batch.refuse(number, unknown[0], f"no such key{nearest(unknown[0], _KNOWN)}")
    else:
        batch.refuse(number, "patient_id", "missing; say whose it is")


def _of_all(words: list[tuple[int, Coverage]], batch: Batch) -> None:
    """What a file says of everybody it says of those it names: of others it does not know whether they exist.

    A word about one patient stands before it.
    """
    named = {record.patient_key for record in batch.records} | {word.patient_key for word in batch.coverage}
    told = {(word.patient_key, word.institution_id) for word in batch.coverage}
    for number, word in words:
        if not named:
            batch.refuse(number, "patient_id", "missing, and no other row names a patient; say whose it is")
        each = (msgspec.structs.replace(word, patient_key=key) for key in sorted(named))
        batch.coverage += [one for one in each if (one.patient_key, one.institution_id) not in told]


def _covered(number: int, row: Row, key: str, institution: str, into: Into, batch: Batch) -> list[Coverage]:
    """The words of a row; they reach up to now, for what happens later is in no file."""
    problems: list[FieldProblem] = []
    told = coverage_of_row(row, into.sites.of(institution).zone, problems)
    if told.own_since is not None and not institution:
        message = "missing; say whose records these are, here or with --institution"
        problems.append(FieldProblem(field="institution_id", message=message))
    if not (problems or told.since or told.own_since or told.complete):
        problems.append(FieldProblem(field="since", message=SAYS_NOTHING))
    batch.problems += [(number, problem) for problem in problems]
    word = Coverage(patient_key=key, until=told.until or into.feed.civil(institution))
    own = msgspec.structs.replace(word, institution_id=institution, since=told.own_since)
    whole = msgspec.structs.replace(word, since=told.since, complete=told.complete)
    said = [own] if told.own_since else []
    return [] if problems else said + ([whole] if whole.since or whole.complete else [])


def _past(number: int, row: Row, key: str, into: Into, batch: Batch, seen: dict[str, int]) -> None:
    institution = str(row["institution_id"])
    past = past_of_row(row, number, into.sites)
    if past.problems:
        batch.problems += [(number, problem) for problem in past.problems]
        return
    record = HistoryRecord(institution_id=institution, record_id="", patient_key=key)
    for encounter in past.encounters:
        named = msgspec.structs.replace(record, record_id=f"encounter {encounter.id}")
        batch.records += _keyed(named, encounter, past.lines, into.keys)
    for line in () if past.encounters else past.lines:
        named = msgspec.structs.replace(record, record_id=_name(line, seen))
        batch.records += _keyed(named, None, (line,), into.keys)


def _name(line: Line, seen: dict[str, int]) -> str:
    """A line's own id in its encounter; without one what it is, when, and the how manyth of them in the file."""
    told = f"{line.codes[0] if line.codes else line.name} {line.begins}" if line.id.startswith("#") else line.id
    name = f"line {line.encounter_id} {told}"
    seen[name] = seen.get(name, 0) + 1
    return name if seen[name] == 1 else f"{name} {seen[name]}"


def _names(*wanted: str) -> Callable[[Mapping[str, object]], bool]:
    return lambda row: any(name in row for name in wanted)


KINDS: tuple[Kind, ...] = (
    Kind("facts", _names("subject", "fact"), _facts),
    Kind("calls", _names("infno", "request"), _calls),
    Kind("history", lambda _row: True, _history),
)
"""The kinds of rows, the first that fits counts."""
