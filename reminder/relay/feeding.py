"""Calls that pass, read into history and facts beside the callers.

What a hospital tells the bureau anyway (fees, stock, signing in) and what it is told (past visits and their fees) is
what rules over months need. A bounded queue: while it is full, calls pass and are counted as not read. Reading and
writing are those of ``reminder facts import``, a few calls at a time, in the service's own store and its spool.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from negative_list.errors import RequestError
from negative_list.readers.body import parse_body
from negative_list.readers.exchange_table import TRANSACTIONS
from reminder.imports import KINDS, Batch, Into
from reminder.relay.codings import plain_body
from reminder.relay.queries import Queries
from reminder.relay.records import Passed
from reminder.stocks import carried_on
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from negative_list.readers.stored import StoreFact
    from negative_list.site import Sites
    from reminder.memory import Memory
    from reminder.relay.metrics import RelayMetrics

__all__ = ["MOST_BYTES", "MOST_CALLS", "Feeding"]

MOST_CALLS = 1000
"""Calls that may wait to be read: ten minutes of a large hospital's fees."""

MOST_BYTES = 64 * 1024 * 1024
"""What they may hold together."""

_AT_ONCE = 20
_OK = 200
_PRESCRIPTION = "prescription"  # 3101 and 3102 hold lines not saved yet; their own way leads into history
_CALLS = next(kind for kind in KINDS if kind.name == "calls")


class _Heard(Struct, frozen=True):
    request: bytes
    reply: Passed

    @property
    def size(self) -> int:
        return len(self.request) + len(self.reply.body)


class Feeding:
    """What passes through one worker, on its way into the store. Used inside one event loop.

    Args:
        memory: where it goes.
        sites: as they stand, for local codes and zones.
        now: the instant, UTC.
        metrics: where calls are counted.
        log: told of what cannot be read or kept, by kind only.
    """

    def __init__(
        self,
        memory: Memory,
        sites: Callable[[], Sites],
        now: Callable[[], datetime],
        metrics: RelayMetrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._memory = memory
        self._sites = sites
        self._now = now
        self._metrics = metrics
        self._log = log
        self._heard: deque[_Heard] = deque()
        self._bytes = 0
        self._told = asyncio.Event()
        self._stopping = False
        self._why = ""
        self._queries = Queries()

    @property
    def degraded(self) -> tuple[str, ...]:
        """What does not work although calls pass."""
        return (f"bureau: what passes is not read into history: {self._why}",) if self._why else ()

    def heed(self, infno: str, request: bytes, passed: Passed) -> None:
        """A call passed. ``infno``: its transaction; "": to be read out of it."""
        if passed.status != _OK or (infno and not _is_read(infno)):
            return
        heard = _Heard(request, passed)
        if len(self._heard) >= MOST_CALLS or self._bytes + heard.size > MOST_BYTES:
            self._metrics.count("fed", "dropped")
            return
        self._heard.append(heard)
        self._bytes += heard.size
        self._told.set()

    async def read_on(self) -> None:
        """Read what passed, until :meth:`stop`, and then what still waits."""
        while self._heard or not self._stopping:
            await self._told.wait()
            self._told.clear()
            while self._heard:
                taken = [self._heard.popleft() for _ in range(min(_AT_ONCE, len(self._heard)))]
                self._bytes -= sum(heard.size for heard in taken)
                await self._feed(taken)

    def stop(self) -> None:
        """Read no more than what waits."""
        self._stopping = True
        self._told.set()

    async def _feed(self, taken: Sequence[_Heard]) -> None:
        """Read some calls and keep what they tell; a fault of ours ends nothing but these."""
        try:
            batch, read, refused = await asyncio.to_thread(self._read, taken)
            await self._keep(batch)
        except StoreError as error:
            self._why = str(error)
            self._metrics.count("fed", "lost", len(taken))
            return
        except Exception as error:  # noqa: BLE001 - whatever a bureau wrote, the next call is read
            self._log.error("not fed", error=type(error).__name__)
            self._metrics.count("fed", "failed", len(taken))
            return
        self._why = ""
        self._metrics.count("fed", "read", read)
        self._metrics.count("fed", "refused", refused)

    def _read(self, taken: Sequence[_Heard]) -> tuple[Batch, int, int]:
        """What calls tell, and how many of them could be read and how many not."""
        told = [call for heard in taken if (call := _call(heard)) is not None]
        calls = self._queries.joined(told, self._now())
        into = Into(keys=self._memory.keys, sites=self._sites(), at=self._now())
        batch = Batch()
        _CALLS.read(list(enumerate(calls)), into, batch)
        wrong = [calls[number] for number in {number for number, _ in batch.problems}]
        self._queries.drop(wrong)
        refused = sum(any(one is call for call in told) for one in wrong)
        return batch, len(told) - refused, refused

    async def _keep(self, batch: Batch) -> None:
        """As ``reminder facts import`` keeps it, through the service's own desk."""
        facts: list[StoreFact] = list(batch.facts)
        if batch.stock:
            facts += await asyncio.to_thread(lambda: carried_on(batch.stock, self._memory.store()))
        if facts:
            await self._memory.put_facts(facts)
        if batch.records or batch.coverage:
            await self._memory.put_history(batch.records, batch.coverage)


def _is_read(infno: str) -> bool:
    row = TRANSACTIONS.get(infno.upper())
    return row is not None and row.kind != _PRESCRIPTION


def _call(heard: _Heard) -> dict[str, Any] | None:
    """A call as a row of an import, ``None`` where it is none or tells nothing that is read."""
    try:
        request = parse_body(heard.request)
        if not _is_read(str(request.get("infno", ""))):
            return None
        return {"request": request, "reply": parse_body(plain_body(heard.reply))}
    except (RequestError, msgspec.DecodeError):
        return None
