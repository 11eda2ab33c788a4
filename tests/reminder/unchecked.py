"""What a sidecar's journal has of prescriptions that were not checked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from reminder.journal.coding import decode
from reminder.journal.entries import Unchecked
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from tests.reminder.sidecar import Running

__all__ = ["entry_of"]


async def _entries(here: Running) -> list[Unchecked]:
    journal = here.service.journal
    assert journal is not None

    def read(store: Any) -> list[Unchecked]:
        rows = [row for head in store.heads() for row in store.chain(head.chain) if row.kind == "unchecked"]
        return [entry for row in rows if isinstance(entry := decode(row.body), Unchecked)]

    return await journal.ask(read, LONG_S)


def entry_of(here: Running, ident: str) -> Unchecked:
    """The entry an answer names."""
    until = time.monotonic() + LONG_S
    while time.monotonic() < until:  # past a deadline nobody waits for the entry
        for entry in here.await_(_entries(here)):
            if entry.unchecked_id == ident:
                return entry
    raise AssertionError(ident)
