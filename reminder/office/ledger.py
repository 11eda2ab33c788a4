"""The points ledger in the journal: its events read, written, and told to the fact store."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from reminder.journal.entries import PointsEvent
from reminder.office.desk import OfficeError, entry_of, office_chains, write
from reminder.office.points import events_of, facts_of

if TYPE_CHECKING:
    from reminder.journal.base import JournalStore, Row
    from reminder.office.points import Rules
    from reminder.stores.base import Store

__all__ = ["enter", "entries", "publish", "voided"]

_ANY = datetime(2000, 1, 1, tzinfo=UTC)


def entries(journal: JournalStore) -> list[PointsEvent]:
    """Every entry of the ledger, in the order they were made, of all data folders that share the journal."""
    return [entry for row in _rows(journal) if isinstance(entry := entry_of(row), PointsEvent)]


def _rows(journal: JournalStore) -> list[Row]:
    rows = (row for chain in office_chains(journal) for row in journal.chain(chain) if row.kind == "points")
    return sorted(rows, key=lambda row: (row.at, row.chain, row.seq))


def enter(journal: JournalStore, data: Path, events: Sequence[PointsEvent]) -> list[PointsEvent]:
    """Write the events that say something new; returns those.

    Raises:
        StoreError: They cannot be written.
    """
    known = {entry.event_id: _said(entry) for entry in entries(journal)}
    fresh = [event for event in {event.event_id: event for event in events}.values() if _is_new(event, known)]
    write(journal, data, "points", fresh)
    return fresh


def _is_new(event: PointsEvent, known: dict[str, PointsEvent]) -> bool:
    return known.get(event.event_id) != _said(event)


def _said(event: PointsEvent) -> PointsEvent:
    """What an entry says, whenever and by whichever program it was made."""
    return msgspec.structs.replace(event, at=_ANY, engine="")


def voided(journal: JournalStore, ident: str, at: datetime, engine: str, why: str) -> PointsEvent:
    """The entry that takes an event back, not yet written.

    Raises:
        OfficeError: There is no such event, or it is taken back already.
    """
    latest = {entry.event_id: entry for entry in entries(journal)}.get(ident)
    if latest is None:
        raise OfficeError(f"no event `{ident}` in the ledger; `reminder points list --events` shows them")
    if latest.voided:
        raise OfficeError(f"event `{ident}` is voided already; nothing was done")
    return msgspec.structs.replace(latest, at=at, engine=engine, why=why, voided=True)


def publish(journal: JournalStore, store: Store, rules: Rules, at: datetime) -> int:
    """Tell the fact store what follows from the ledger; returns how many facts changed.

    Raises:
        StoreError: It cannot be written.
    """
    return store.put_facts(facts_of(events_of(entries(journal)), rules), at=at)
