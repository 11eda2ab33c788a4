"""The courier: takes what waits in the outbox to the bureau, one call after another, while the first worker serves.

What "once" rests on: a call leaves the outbox when the bureau has replied that it took it. A reply that never came (the
line broke, this machine went dark) leaves open whether it did: the same bytes go again, with the same msgid, by which
the bureau knows them. A stop of ours waits for the reply of the call under way, so that it leaves nothing open.

A bureau that cannot be reached is one for all that waits. A call to which no reply comes may be alone with that (a
firewall that breaks the line on a word of it): it rests for a while, and those behind it are tried.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from msgspec import structs

from reminder.relay.bureau import BureauError
from reminder.relay.outbox import Standing
from reminder.relay.replies import taken_of
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from reminder.relay.bureau import Bureau
    from reminder.relay.metrics import RelayMetrics
    from reminder.relay.outbox import Outbox, Waiting
    from reminder.relay.records import Call
    from reminder.relay.replies import Taken

__all__ = ["GRACE_S", "LOOK_S", "MOST_TRIES", "Courier"]

LOOK_S = 1.0
"""How often the outbox is looked into for what other workers put there, and a bureau that is gone is tried again."""

MOST_TRIES = 12
"""How often a call the bureau refuses is tried, an hour in all, before it is put aside: a bureau that is busy says -1
as one that will never take it."""

GRACE_S = 5.0
"""How long a stop waits for the reply to the call under way."""

_MOST_PAUSE_S = 600.0
_MOST_REST_S = 60.0
_MOST_RESTS = 16  # of which the pause is the longest long before

T = TypeVar("T")


class Courier:
    """Deliveries of one data folder.

    Args:
        outbox: what waits; closed by whoever opened it.
        bureau: where it goes.
        now: the instant, UTC.
        thread: does what may block.
        metrics: where deliveries are counted.
        log: told of them.
    """

    def __init__(
        self,
        outbox: Outbox,
        bureau: Bureau,
        now: Callable[[], datetime],
        thread: ThreadPoolExecutor,
        metrics: RelayMetrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._outbox = outbox
        self._bureau = bureau
        self._now = now
        self._thread = thread
        self._metrics = metrics
        self._log = log
        self._told = asyncio.Event()
        self._stopping = False
        self._unheard: dict[int, int] = {}
        self.standing = Standing()
        self.why = ""

    def look(self) -> None:
        """Something was put into the outbox."""
        self._told.set()

    async def deliver_on(self) -> None:
        """Deliver, until :meth:`stop`."""
        while not self._stopping:
            self._told.clear()
            try:
                pause = not await self._deliver_next()
            except StoreError as error:
                self.why, pause = str(error), True
            if pause and not self._stopping:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._told.wait(), LOOK_S)

    def stop(self) -> None:
        """Begin nothing new."""
        self._stopping = True
        self._told.set()

    async def _deliver_next(self) -> bool:
        """Deliver the next call; whether there may be another one right now."""
        waiting = await self._run(lambda: self._outbox.first(self._now()))
        self.standing = await self._run(self._outbox.count)
        if waiting is None:
            self.why = self.why if self._unheard else ""
            return False
        try:
            passed = await self._bureau.send(await self._signed(waiting), read=True)
        except BureauError as error:
            self.why = error.why
            self._metrics.count("feedback", error.word)
            if error.sent or error.word == "unusable":
                await self._rest(waiting)
            return False
        self._unheard.pop(waiting.place, None)
        self.why = self.why if self._unheard else ""
        answer = taken_of(passed)
        if answer.taken:
            await self._run(lambda: self._outbox.done(waiting.place))
            self._metrics.count("feedback", "delivered")
        else:
            await self._refused(waiting, answer)
        return True

    async def _rest(self, waiting: Waiting) -> None:
        """Leave a call alone for a while; it was refused by nobody, so that it is never put aside for this."""
        rests = self._unheard.get(waiting.place, 0)
        self._unheard[waiting.place] = min(rests + 1, _MOST_RESTS)
        pause = timedelta(seconds=min(2.0**rests, _MOST_REST_S))
        await self._run(lambda: self._outbox.rest(waiting.place, self._now() + pause))

    async def _signed(self, waiting: Waiting) -> Call:
        """The call; one that was refused with headers of a later one, for a gateway may find its own out of date."""
        if not waiting.tries:
            return waiting.call
        return structs.replace(waiting.call, headers=await self._run(self._outbox.latest_headers))

    async def _refused(self, waiting: Waiting, answer: Taken) -> None:
        """Again later, or never; what the bureau said may quote the body, so it is logged nowhere.

        What a gateway did not let in the bureau has not refused: it waits for headers that are let in.
        """
        if waiting.tries + 1 >= MOST_TRIES and not answer.at_the_gate:
            await self._run(lambda: self._outbox.refuse(waiting.place, answer.why))
            self._metrics.count("feedback", "put_aside")
            self._log.error("feedback put aside", tries=waiting.tries + 1)
            return
        pause = timedelta(seconds=min(2.0 ** min(waiting.tries, MOST_TRIES), _MOST_PAUSE_S))
        await self._run(lambda: self._outbox.later(waiting.place, self._now() + pause))
        self._metrics.count("feedback", "refused")

    async def _run(self, work: Callable[[], T]) -> T:
        """Do what may block; ended by nothing but itself, for half done it would be done twice."""
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work))
