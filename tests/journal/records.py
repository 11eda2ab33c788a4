"""Builders of entries for tests of the journal's stores: what a test does not say is the same everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reminder.journal.base import Draft, Head, Sealed
from reminder.journal.chain import rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reminder.journal.base import JournalStore, Row

__all__ = ["T0", "after", "draft", "drafts", "sealed", "written"]

T0 = datetime(2026, 1, 5, 1, 0, 0, 250, tzinfo=UTC)


def after(seconds: float) -> datetime:
    """An instant some time after the first."""
    return T0 + timedelta(seconds=seconds)


def draft(number: int = 0, **fields: Any) -> Draft:
    """A decision made ``number`` seconds after the first."""
    told: dict[str, Any] = {
        "kind": "decision",
        "at": after(number),
        "decision_id": f"01J{number:023}",
        "institution_id": "H1",
        "patient_key": f"p{number % 3}",
        "encounter_key": f"e{number % 5}",
        "brief": b"brief %d" % number,
        "body": b'{"kind":"decision","number":%d}' % number,
    }
    return Draft(**(told | fields))


def drafts(count: int, **fields: Any) -> list[Draft]:
    """Decisions one second apart."""
    return [draft(number, **fields) for number in range(count)]


def written(store: JournalStore, entries: Sequence[Draft], chain: str = "a") -> list[Row]:
    """The entries as the next of a chain, in the store."""
    rows, _ = rows_of(store.head(chain), entries)
    store.append(rows)
    return rows


def sealed(rows: Sequence[Row]) -> Sealed:
    """The span some entries are."""
    kinds: dict[str, int] = {row.kind: sum(other.kind == row.kind for other in rows) for row in rows}
    first, last = rows[0], rows[-1]
    return Sealed(
        chain=first.chain,
        first=first.seq,
        last=last.seq,
        hash=last.hash,
        begin=first.at,
        end=last.at,
        kinds=kinds,
    )


EMPTY = Head(chain="a")
"""How far the chain of these tests is before anything is written."""
