"""What stands already on the day a release is to be activated, and may be met by it.

- *running* orders: the last body of each stay, as it stands on that day;
- *drafts*: the latest prescription of an encounter asked about in the last two days that nobody said was saved;
- *repeat* prescriptions: a drug with a supply of a week or more that an outpatient was given on two days or more, whose
  supply ends around the activation: it is judged on the day it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
from msgspec import Struct

from negative_list.decide import Fuller
from negative_list.items import item_of
from negative_list.readers.stored import subjects_of
from negative_list.running import running_on
from reminder.forecast.ordered import journal_of
from reminder.forecast.replay import Case, case_of, needs_of
from reminder.journal.brief import DecisionBrief, decode_brief
from reminder.journal.coding import decode
from reminder.journal.entries import Decided
from reminder.keyed import Asked, fuller_of
from reminder.stores.base import Wanted
from reminder.stores.opening import STORE_FILE, open_store

if TYPE_CHECKING:
    from negative_list.prescription import Line, Prescription
    from negative_list.site import Sites
    from reminder.forecast.ordered import Order
    from reminder.forecast.replay import Pair
    from reminder.journal.base import JournalStore
    from reminder.stores.base import Store

__all__ = ["DRAFT_DAYS", "LEAST_DAYS", "REPEAT_DAYS", "Kind", "Waiting", "waiting"]

DRAFT_DAYS = 2
"""Days a prescription that nobody said was saved may still be a draft."""

REPEAT_DAYS = 62
"""Days that are looked back for drugs given again and again."""

LEAST_DAYS = 7
"""Days of a supply from which on it is taken to be repeated."""

_DUE_BEFORE, _DUE_AFTER = timedelta(days=3), timedelta(days=14)
_AT_HOME = frozenset({"outpatient", "internet", "pharmacy"})

Kind: TypeAlias = Literal["running", "draft", "repeat"]
"""What stands already."""


class Waiting(Struct, frozen=True, kw_only=True):
    """Something that stands already, ready to be judged; ``due_on``: the civil day a repeat is due."""

    kind: Kind
    case: Case
    due_on: str = ""
    decision_id: str = ""


def waiting(order: Order, pair: Pair) -> Iterator[Waiting]:
    """All that waits, kind by kind.

    Args:
        order: what is asked for.
        pair: both lists, to know for which stays the store has to be read.

    Raises:
        StoreError: journal or store cannot be read.
    """
    known: set[str] = set()
    if order.database or (Path(order.data) / STORE_FILE).exists():
        store = open_store(Path(order.data), order.database)
        try:
            yield from _running(order, pair, store, known)
        finally:
            store.close()
    journal = journal_of(order)
    if journal is not None:
        try:
            yield from _drafts(order, journal, known)
            yield from _repeats(order, journal)
        finally:
            journal.close()


def _running(order: Order, pair: Pair, store: Store, known: set[str]) -> Iterator[Waiting]:
    sites = order.sites()
    for kept in store.kept():
        known.add(kept.prescription.encounter.id)
        body = running_on(kept.prescription, order.at)
        if any(line.current for line in body.encounter.lines):
            fuller = _read(store, sites, body, order.at) if needs_of(pair, body, order.at) else None
            case = Case(ident="", encounter=body.encounter.id, at=order.at, prescription=body, fuller=fuller)
            yield Waiting(kind="running", case=case)


def _read(store: Store, sites: Sites, body: Prescription, at: datetime) -> Fuller | None:
    """What the store knows of a kept body, whose patient and encounter stand under their keys already."""
    encounter = body.encounter.id
    wanted = Wanted(
        patient_key=body.patient.id,
        encounter_key=encounter,
        institution_id=body.institution_id,
        at=at,
        subjects=tuple(filter(None, (body.patient.id, encounter, *subjects_of(body)))),
    )
    own_since = sites.of(body.institution_id).own_history_since
    return fuller_of(Asked(wanted=wanted, ids={}), store.read(wanted), body, own_since)


def _drafts(order: Order, journal: JournalStore, known: set[str]) -> Iterator[Waiting]:
    """The latest prescription of each encounter that is not in the house, where nothing says that it was saved."""
    latest: dict[str, bytes] = {}
    for row in journal.period(order.now - timedelta(days=DRAFT_DAYS), order.until, ("decision", "saved"), _pass_over):
        if row.kind == "saved":
            latest.pop(row.encounter_key, None)
        elif row.encounter_key and row.encounter_key not in known:
            latest[row.encounter_key] = row.body
    for body in latest.values():
        entry = _decided(body)
        if entry is not None and "encounter.discharged_at" not in entry.prescription.encounter.facts:
            case = msgspec.structs.replace(case_of(entry), at=max(order.at, entry.decided_at))
            yield Waiting(kind="draft", case=case, decision_id=entry.decision_id)


def _pass_over(_: object) -> None:
    """What cannot be read stops nobody's prescription."""


def _decided(body: bytes) -> Decided | None:
    entry = decode(body)
    return entry if isinstance(entry, Decided) and not entry.derivable else None


class _Given(Struct, kw_only=True):
    """What an outpatient was given of a drug: on which days, and until when the last of it lasts."""

    days: set[str]
    last: date
    until: date
    decision_id: str


def _repeats(order: Order, journal: JournalStore) -> Iterator[Waiting]:
    """Drugs given again and again whose supply ends around the activation, each on the day it ends."""
    due: dict[str, dict[str, date]] = {}
    for (_, item), given in _supplies(order, journal).items():
        ends = given.until
        if len(given.days) > 1 and order.at.date() - _DUE_BEFORE <= ends <= order.at.date() + _DUE_AFTER:
            due.setdefault(given.decision_id, {})[item] = ends
    for decision_id, items in due.items():
        row = journal.decision(decision_id)
        entry = _decided(row.body) if row is not None else None
        if entry is not None:
            yield from _renewed(order, entry, items)


def _supplies(order: Order, journal: JournalStore) -> dict[tuple[str, str], _Given]:
    found: dict[tuple[str, str], _Given] = {}
    for row in journal.briefs(order.now - timedelta(days=REPEAT_DAYS), order.until, by_encounter=False):
        if row.kind != "decision" or not row.patient_key:
            continue
        brief = decode_brief(row.brief)
        if isinstance(brief, DecisionBrief) and brief.visit_mode in _AT_HOME:
            _take_in(found, row.patient_key, row.decision_id, brief)
    return found


def _take_in(found: dict[tuple[str, str], _Given], patient: str, decision_id: str, brief: DecisionBrief) -> None:
    for line in brief.lines:
        if not (line.current and line.is_drug and line.order_date and line.days.isdigit()):
            continue
        begins, days = date.fromisoformat(line.order_date), int(line.days)
        if days < LEAST_DAYS:
            continue
        given = found.setdefault(
            (patient, line.item), _Given(days=set(), last=begins, until=begins, decision_id=decision_id)
        )
        given.days.add(line.order_date)
        if begins >= given.last:
            given.last, given.until, given.decision_id = begins, begins + timedelta(days=days), decision_id


def _renewed(order: Order, entry: Decided, items: dict[str, date]) -> Iterator[Waiting]:
    """A prescription written again on the day a supply ends, with the drugs that are due then."""
    for day in sorted({max(one, order.at.date()) for one in items.values()}):
        case = case_of(entry)
        encounter = case.prescription.encounter
        moment = datetime.combine(day, entry.decided_at.time())
        lines = tuple(
            _moved(line, moment)
            for line in encounter.lines
            if line.current
            and max(items.get(item_of(line), date.min), order.at.date()) == day
            and item_of(line) in items
        )
        body = msgspec.structs.replace(case.prescription, encounter=msgspec.structs.replace(encounter, lines=lines))
        renewed = msgspec.structs.replace(case, at=moment, prescription=body, fuller=_again(case.fuller, lines))
        yield Waiting(kind="repeat", case=renewed, due_on=day.isoformat(), decision_id=entry.decision_id)


def _again(fuller: Fuller | None, lines: tuple[Line, ...]) -> Fuller | None:
    """What had been read, with the lines as they will be."""
    if fuller is None:
        return None
    told = {line.id: line for line in fuller.prescription.encounter.lines}
    kept = tuple(
        msgspec.structs.replace(told.get(line.id, line), begins=line.begins, stops=line.stops) for line in lines
    )
    encounter = msgspec.structs.replace(fuller.prescription.encounter, lines=kept)
    prescription = msgspec.structs.replace(fuller.prescription, encounter=encounter)
    return Fuller(prescription=prescription, history=fuller.history)


def _moved(line: Line, moment: datetime) -> Line:
    stops = line.stops
    if stops is not None and line.begins is not None:
        stops = moment + (stops - line.begins)
    return msgspec.structs.replace(line, begins=moment, stops=stops)
