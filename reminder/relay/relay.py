"""The relay as faces use it: pass a call on, ask beside us, give an answer to whom it belongs. None of it ever raises.

A bureau that is slow or gone is named in the answer and never waited for past the deadline; after failures it is left
alone for a while (:mod:`reminder.relay.trying`). What is passed on is always tried: nobody else can answer it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from msgspec import Struct, structs
from structlog.typing import FilteringBoundLogger

from negative_list.errors import RequestError
from reminder.relay.bureau import Bureau, BureauError
from reminder.relay.courier import GRACE_S, Courier
from reminder.relay.feeding import Feeding
from reminder.relay.metrics import RelayMetrics
from reminder.relay.outbox import KEPT_S, Outbox
from reminder.relay.records import BureauSaid, Call, Passed
from reminder.relay.replies import failed, ids_of, said_of
from reminder.relay.texts import only, words_of
from reminder.relay.trying import Trying
from reminder.stores.base import StoreError
from reminder.upstream import Upstream

if TYPE_CHECKING:
    from reminder.upstream import Mode

__all__ = ["FAIR_S", "ISSUED_S", "OUTBOX_FILE", "Parts", "Relay"]

OUTBOX_FILE = "relay.sqlite"
"""Where answers to the bureau wait, in the data folder."""

FAIR_S = 0.2
"""A caller with less time than this is no test of the bureau: that it was late says nothing."""

ISSUED_S = 0.5
"""How long a reply that passes waits at most for its findings' ids to be on disk."""

_SAME = {"3660": "3101", "3661": "3102"}  # 2.7
_CHECKS = ("3101", "3102")
_MOST_KNOWN = 50_000
_NO_ANSWERS = "没有可转交医保的反馈 (no answer about these findings stands in the body)"
_TOO_DEEP = "正文嵌套过深 (nested too deeply)"
_FORGET_S = 3600.0

T = TypeVar("T")
_Work: TypeAlias = "Callable[[], Coroutine[Any, Any, None]]"


async def _once(_part: str, work: _Work) -> None:
    """Work that nobody begins again."""
    await work()


class Parts(Struct, frozen=True, kw_only=True):
    """What a relay is made of. ``now``: the instant, UTC; ``owner``: whether this process delivers.

    ``feeding``: what reads calls that pass, ``None`` for nobody. ``keep``: does work that goes on, and begins it again
    whenever it fails (:meth:`reminder.going_on.GoingOn.keep`).
    """

    upstream: Upstream
    outbox: Outbox
    now: Callable[[], datetime]
    metrics: RelayMetrics
    log: FilteringBoundLogger
    feeding: Feeding | None = None
    owner: bool = True
    keep: Callable[[str, _Work], Coroutine[Any, Any, None]] = _once


class Relay:
    """One worker's way to the bureau; made, started and stopped inside its event loop."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._metrics = parts.metrics
        self._outbox = parts.outbox
        self._bureau = Bureau(parts.upstream)
        self._trying = Trying(parts.now, time.monotonic)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="relay")
        self._courier = Courier(self._outbox, self._bureau, parts.now, self._thread, parts.metrics, parts.log)
        self._known: dict[str, None] = {}
        self._delivering: list[asyncio.Task[None]] = []
        self._beside: set[asyncio.Task[None]] = set()
        parts.metrics.watch(self._stands)

    @property
    def degraded(self) -> tuple[str, ...]:
        """What does not work although decisions are made."""
        texts = []
        if self._trying.why:
            texts.append(f"bureau: left alone since {self._trying.since:%Y-%m-%dT%H:%M:%SZ}: {self._trying.why}")
        standing, why = self._courier.standing, self._courier.why
        if standing.waiting and why:
            texts.append(f"bureau: {standing.waiting} answers wait to be delivered: {why}")
        if standing.refused:
            texts.append(f"bureau: {standing.refused} answers were refused so far and are tried again")
        if standing.put_aside:
            texts.append(f"bureau: {standing.put_aside} answers were never taken and lie in {OUTBOX_FILE}")
        if self._parts.feeding is not None:
            texts += self._parts.feeding.degraded
        return tuple(texts)

    async def start(self) -> None:
        """Begin to deliver and to read what passes."""
        await self._bureau.ready()
        if self._parts.owner:
            self._keep("delivery to the bureau", self._courier.deliver_on)
            self._set_going(self._forget_on())
        if self._parts.feeding is not None:
            self._keep("reading what passes", self._parts.feeding.read_on)

    async def stop(self) -> None:
        """End; a delivery under way gets some seconds to be heard of. May be called when it never started."""
        self._courier.stop()
        if self._parts.feeding is not None:
            self._parts.feeding.stop()
        if self._delivering:
            await asyncio.wait(self._delivering, timeout=GRACE_S)
        for task in (*self._delivering, *self._beside):
            task.cancel()
        await asyncio.gather(*self._delivering, *self._beside, return_exceptions=True)
        await self._bureau.close()
        await asyncio.to_thread(self._thread.shutdown)
        self._outbox.close()

    def mode(self, infno: str) -> Mode:
        """Who answers a transaction, by its number in any dialect."""
        return self._parts.upstream.mode(_SAME.get(infno, infno))

    async def pass_on(self, call: Call, infno: str = "") -> Passed:
        """A call to the bureau and its reply back, byte for byte; where there is none, words that say so."""
        began = time.perf_counter()
        try:
            passed = await self._bureau.send(call)
        except BureauError as error:
            self._metrics.count("passed", error.word)
            self._parts.log.warning("not passed", why=error.word, sent=error.sent)
            if not error.sent:
                self._trying.failed(error.why)
            return failed(error)
        self._metrics.count("passed", "passed")
        self._metrics.took(time.perf_counter() - began)
        if _SAME.get(infno, infno) in _CHECKS:
            await self._issued(ids_of(said_of(passed).rows), time.perf_counter() + ISSUED_S)
        elif self._parts.feeding is not None:
            self._parts.feeding.heed(infno, call.body, passed)
        return passed

    async def ask(self, call: Call, within_s: float) -> BureauSaid:
        """The bureau's findings on a body we check too, or why there are none by then; never later.

        Args:
            call: the caller's own.
            within_s: seconds there are at most.
        """
        if not self._trying.may():
            return self._unasked("open", f"医保接口暂停询问 (it failed and is left alone): {self._trying.why}")
        wait_s = self._parts.upstream.wait_ms / 1000
        within_s = min(within_s, wait_s)
        until = time.perf_counter() + within_s
        try:
            async with asyncio.timeout(within_s):
                passed = await self._bureau.send(call, again=True, read=True)
        except TimeoutError:
            why = f"医保接口未在 {within_s * 1000:.0f} 毫秒内答复 (it did not answer within that time)"
            if within_s >= min(FAIR_S, wait_s):
                self._trying.missed(why)
            return self._unasked("late", why)
        except BureauError as error:
            self._trying.failed(error.why)
            return self._unasked(error.word, error.why)
        self._trying.worked()
        said = said_of(passed)
        self._metrics.count("asked", "refused" if said.why else "answered")
        await self._issued(ids_of(said.rows), until)
        return said

    def theirs(self, finding_id: str) -> bool:
        """Whether the bureau issued a finding of that id."""
        if finding_id in self._known:
            return True
        try:
            return self._outbox.is_issued(finding_id)
        except StoreError:
            return False

    async def feed_back(self, ids: Collection[str], call: Call) -> str:
        """Keep what a 3103 says of the bureau's findings, for delivery; "" once it is on disk, else why it is not.

        Args:
            ids: of the findings.
            call: the caller's own 3103, of which the bureau gets the answers about these.
        """
        try:
            told, news = await self._run(lambda: self._put(frozenset(ids), call))
        except RequestError as error:
            return str(error)
        except RecursionError:
            return _TOO_DEEP
        except StoreError as error:
            self._metrics.count("feedback", "lost", len(ids))
            self._not_kept(error)
            return f"反馈未能保存 (not kept: {error})"
        self._metrics.count("feedback", "kept", news)
        self._metrics.count("feedback", "repeated", told - news)
        self._courier.look()
        return "" if told else _NO_ANSWERS

    def _put(self, ids: frozenset[str], call: Call) -> tuple[int, int]:
        """Keep the answers about these findings: how many there are, and how many are news. In the outbox's thread."""
        words = words_of(call.body, ids)
        return len(words), self._outbox.add(words, lambda news: _part(call, news), self._parts.now())

    def _stands(self) -> tuple[int, int, bool]:
        standing = self._courier.standing
        return standing.waiting, standing.put_aside, bool(self._trying.why)

    def _unasked(self, word: str, why: str) -> BureauSaid:
        self._metrics.count("asked", word)
        return BureauSaid(why=why)

    async def _issued(self, ids: Collection[str], until: float) -> None:
        """Remember whose findings these are; back when it is on disk, or at ``until`` (``perf_counter``)."""
        if not ids:
            return
        self._known |= dict.fromkeys(ids)
        while len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]
        task = self._set_going(self._keep_issued(ids))
        await asyncio.wait((task,), timeout=max(0.0, until - time.perf_counter()))

    async def _keep_issued(self, ids: Collection[str]) -> None:
        """On disk, for other workers and for after a restart; a failure costs no more than that they do not know."""
        try:
            await self._run(lambda: self._outbox.issued(ids, self._parts.now()))
        except StoreError as error:
            self._not_kept(error)

    def _not_kept(self, error: StoreError) -> None:
        self._parts.log.error("not kept", face="relay", kind=error.kind)

    def _keep(self, part: str, work: _Work) -> None:
        self._delivering.append(asyncio.create_task(self._parts.keep(part, work)))

    def _set_going(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)
        return task

    async def _forget_on(self) -> None:
        """Let go of what nobody asks for any more, and say how things stand."""
        while True:
            try:
                await self._run(lambda: self._outbox.forget(self._parts.now() - timedelta(seconds=KEPT_S)))
            except StoreError as error:
                self._parts.log.warning("not forgotten", kind=error.kind)
            await asyncio.sleep(_FORGET_S)

    async def _run(self, work: Callable[[], T]) -> T:
        """What may block, in the outbox's thread; it goes on although nobody waits for it any more."""
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, work))


def _part(call: Call, ids: Collection[str]) -> Call:
    """The call with nothing but what it says of these findings."""
    return structs.replace(call, body=only(call.body, ids))
