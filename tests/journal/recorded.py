"""A sidecar that journals, and what is in its journal afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reminder.journal.coding import decode
from reminder.journal.entries import Decided, Saved
from reminder.journal.opening import open_journal

if TYPE_CHECKING:
    from pathlib import Path

    from reminder.journal.base import Row
    from reminder.journal.entries import Entry

__all__ = ["decisions_in", "entries_in", "rows_in", "saved_in"]


def rows_in(data: Path) -> list[Row]:
    """Every row of every chain of a stopped sidecar's journal."""
    store = open_journal(data)
    try:
        return [row for head in store.heads() for row in store.chain(head.chain)]
    finally:
        store.close()


def entries_in(data: Path) -> list[Entry]:
    """The same, read."""
    return [decode(row.body) for row in rows_in(data)]


def decisions_in(data: Path) -> list[Decided]:
    """The decisions, in the order they were written."""
    return [entry for entry in entries_in(data) if isinstance(entry, Decided)]


def saved_in(data: Path) -> list[Saved]:
    """What was saved, in the order it was written."""
    return [entry for entry in entries_in(data) if isinstance(entry, Saved)]
