"""What the service knows from outside the body: one question a check, and whatever it is told to remember.

The store is asked under a deadline and never waited for longer; what it is told is on disk before the teller hears of
it. Bodies of running stays are remembered beside the reply, never in its way.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from reminder.keyed import kept_of
from reminder.stores.base import StoreError, Told

if TYPE_CHECKING:
    from negative_list.prescription import Prescription
    from negative_list.readers.stored import StoreFact
    from reminder.metrics import Metrics
    from reminder.stores.base import Coverage, HistoryRecord, Saved, Store, Wanted
    from reminder.stores.desk import Desk
    from reminder.stores.keys import Keys

__all__ = ["KEEP_EVERY_S", "KEEP_MOST", "STORE_PART", "Memory", "Written"]

STORE_PART = 0.75
"""What part of the caller's time the store may take at most; deciding again and the way back need the rest."""

KEEP_EVERY_S = 30.0
"""How long the last body of a stay may wait to be written: stays are checked again and again, and only their last body
counts, at night. A crash costs these seconds, until the next body of the stay."""

KEEP_MOST = 2000
"""Bodies that may wait: some 50 MB of them, and a second of writing."""

_AT_ONCE = 50
_PAUSE_S = 0.001
_PAUSES = 20


class Written(Struct, frozen=True, kw_only=True):
    """What became of something told: how much of it changed what is known, and whether it waits for the store.

    ``journaled``: whether an entry of it is on disk.
    """

    changed: int
    waits: bool
    journaled: bool = False


class Memory:
    """The desk of the store, with the keys ids are known under.

    Args:
        desk: of the store; started and stopped here.
        keys: of patients and encounters.
        deadline_s: the longest a check waits for the store.
        metrics: where reads and writes are counted.
    """

    def __init__(self, desk: Desk, keys: Keys, deadline_s: float, metrics: Metrics) -> None:
        self.keys = keys
        self._desk = desk
        self._deadline_s = deadline_s
        self._metrics = metrics
        self._bodies: dict[tuple[str, str], tuple[Prescription, datetime]] = {}
        self._full = asyncio.Event()
        self._stopping = False
        self._asking = 0
        self._keeping: asyncio.Task[None] | None = None

    @property
    def degraded(self) -> tuple[str, ...]:
        """What does not work, for who runs the service."""
        return self._desk.degraded

    async def start(self) -> None:
        """Begin; a store that is gone is tried again until it is back. Raises ``StoreError`` for a newer one."""
        await self._desk.start()

    async def stop(self) -> None:
        """End, with everything told on disk."""
        self._stopping = True
        self._full.set()
        if self._keeping is not None:
            await self._keeping
        await self._desk.stop()

    def store(self) -> Store:
        """The store itself, for jobs that may block, in a thread of their own; raises ``StoreError``."""
        return self._desk.store()

    async def read(self, wanted: Wanted, left_s: float | None) -> Told:
        """What the store knows, or why it did not say; never raises.

        ``left_s``: seconds until the caller gives up; ``None``: it waits.
        """
        within_s = self._deadline_s if left_s is None else min(self._deadline_s, left_s * STORE_PART)
        self._asking += 1
        try:
            told = await self._desk.read(wanted, within_s) if within_s > 0 else Told(failed="slow")
        finally:
            self._asking -= 1
        self._metrics.read(told.failed or "read")
        return told

    async def give_way(self) -> None:
        """Let checks go first: back when none waits for the store, and after some 20 ms at most."""
        await asyncio.sleep(0)
        for _ in range(_PAUSES):
            if not self._asking:
                return
            await asyncio.sleep(_PAUSE_S)

    async def record(self, saved: Saved) -> Written:
        """Remember a prescription as it was saved; raises ``StoreError`` when nothing can."""
        return await self._written("saved", 1, self._desk.save([saved]))

    async def put_facts(self, facts: Sequence[StoreFact]) -> Written:
        """Remember facts, their subjects under keys; raises ``StoreError``."""
        return await self._written("facts", len(facts), self._desk.put_facts(facts))

    async def put_history(self, records: Sequence[HistoryRecord], coverage: Sequence[Coverage]) -> Written:
        """Remember records of a feed and what they cover; raises ``StoreError``."""
        count = len(records) + len(coverage)
        return await self._written("history", count, self._desk.put_history(records, coverage))

    async def put_aliases(self, keys: Sequence[tuple[str, str]]) -> Written:
        """Remember that keys are of one patient; raises ``StoreError``."""
        return await self._written("aliases", len(keys), self._desk.put_aliases(keys))

    def keep(self, prescription: Prescription, received_at: datetime) -> None:
        """Remember the last body of a running stay, some time after the reply. ``received_at`` is UTC.

        Of several bodies of one stay only the last is written.
        """
        if not _is_stay(prescription):
            return
        self._bodies[prescription.institution_id, prescription.encounter.id] = (prescription, received_at)
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep_on())
        elif len(self._bodies) >= KEEP_MOST:
            self._full.set()

    async def _keep_on(self) -> None:
        """Write the bodies of stays, a few at a time, as long as there are any."""
        try:
            while self._bodies:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._full.wait(), 0 if self._stopping else KEEP_EVERY_S)
                self._full.clear()
                bodies, self._bodies = list(self._bodies.values()), {}
                for first in range(0, len(bodies), _AT_ONCE):
                    with contextlib.suppress(StoreError):  # counted; the next body of the stay is kept
                        await self._keep(bodies[first : first + _AT_ONCE])
        finally:
            self._keeping = None

    async def _keep(self, bodies: Sequence[tuple[Prescription, datetime]]) -> None:
        kept = await asyncio.to_thread(lambda: [kept_of(self.keys, body, at) for body, at in bodies])
        await self._written("bodies", len(kept), self._desk.keep(kept))

    async def _written(self, kind: str, count: int, write: Awaitable[int | None]) -> Written:
        try:
            changed = await write
        except StoreError:
            self._metrics.told(kind, "lost", count)
            raise
        waits = bool(self._desk.waiting)
        self._metrics.told(kind, "waits" if waits else "stored", count)
        return Written(changed=changed or 0, waits=waits)


def _is_stay(prescription: Prescription) -> bool:
    """Whether it is the body of a stay, whose orders go on."""
    encounter = prescription.encounter
    return bool(encounter.id) and encounter.facts.get("encounter.visit_mode") == "inpatient"
