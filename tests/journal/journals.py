"""Journals to test with: drafts, the journal's own entries, and a journal that is stopped afterwards."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from reminder.journal.base import Draft
from reminder.journal.journal import Journal
from reminder.journal.own import OwnEntries
from reminder.stores.desk import Clocks
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from reminder.journal.base import Row
    from reminder.journal.beside import Beside

__all__ = ["CHAIN", "LONG_S", "NOW", "OWN", "draft", "journal_on", "said"]

NOW = datetime(2026, 3, 2, 8, 30, tzinfo=UTC)
CHAIN = "0123456789ab-0"
OWN = OwnEntries(engine="test", encode=msgspec.json.Encoder().encode)


def draft(number: int = 1, **fields: Any) -> Draft:
    """An entry that is told apart by its number."""
    values: dict[str, Any] = {
        "kind": "decision",
        "at": NOW + timedelta(seconds=number),
        "decision_id": f"D{number:025}",
        "body": b'{"kind":"decision","number":%d}' % number,
    }
    return Draft(**values | fields)


def said(row: Row) -> dict[str, Any]:
    """What the body of an entry says."""
    told: dict[str, Any] = msgspec.json.decode(row.body)
    return told


@asynccontextmanager
async def journal_on(
    open_store: Callable[[], Any], chain: str = CHAIN, by: Beside | None = None, grace_s: float = LONG_S, **given: Any
) -> AsyncIterator[Journal]:
    """A started journal, stopped afterwards within ``grace_s``. ``by``: a process that appends."""
    begun = time.monotonic()
    clocks = Clocks(now=lambda: NOW + timedelta(seconds=time.monotonic() - begun), tick_s=time.monotonic)
    journal = Journal(open_store, clocks, chain, OWN, **given)
    if by is not None:
        journal.append_by(by)
    try:
        await journal.start()
        yield journal
    finally:
        await journal.stop(grace_s)
