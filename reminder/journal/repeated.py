"""Requests that come again: the same id with the same body is answered with the answer that is in the journal.

A caller that got no reply sends its request again, and must not be told something else then, nor be counted twice. A
request is known by institution, request id and the digest of its body; the same id with another body is an id that was
used again. What has no request id is never a repetition.

A block is repeated only while the list and the policy that made it are in force: once the office said otherwise nobody
is blocked any more, also who asks again. Then it is decided anew, and that is the answer from then on.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime
from itertools import chain, repeat
from typing import TYPE_CHECKING, TypeAlias

from cachetools import LRUCache
from msgspec import Struct

from negative_list.decision import Decision
from reminder.journal.coding import decode
from reminder.journal.entries import Decided
from reminder.journal.known import NAME, WINDOW, OwnKnown
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from reminder.journal.base import JournalStore, Row
    from reminder.journal.drafts import Digests
    from reminder.journal.journal import Journal
    from reminder.journal.known import Came, Known

__all__ = ["MOST_ANSWERS", "REUSED", "TURN_S", "WINDOW", "Found", "InForce", "Repeated", "asked_of"]

MOST_ANSWERS = 1_000
"""Answers kept as they are, some 5 MB: most repetitions come within seconds."""

REUSED = "request_id_reused"
"""Code of the note on an answer to a request id that came before with another body."""

TURN_S = 2.0
"""How long a request waits while another worker answers the same one, before it is answered here too."""

_PAUSES_S = (0.001, 0.002, 0.005, 0.01, 0.02)


InForce: TypeAlias = "Callable[[], Digests]"
"""What decisions are made with just then."""


def asked_of(institution_id: str, request_id: str, digest: str) -> str:
    """What a request is known by: half a digest of its id, half that of its body; "" where one of them is not told."""
    if not (request_id and digest):
        return ""
    text = f"{institution_id}\x1f{request_id}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:NAME] + digest[:NAME]


class Found(Struct, frozen=True, kw_only=True):
    """What is known of a request: its answer as it is, or as it is in the journal (under keys), or its id's reuse."""

    answer: Decision | None = None
    journaled: Decision | None = None
    reused: bool = False


_NEW, _REUSED = Found(), Found(reused=True)


class _Answering(Struct):
    """A request being answered, or answered: when it came, and the answer."""

    at: datetime
    answer: asyncio.Future[Decision]


class Repeated:
    """The requests of one process. Used inside its event loop.

    Args:
        journal: where answers are looked up that this process no longer holds, or never gave.
        known: which requests came lately, where workers share that.
        shared: others write the journal too and share nothing, so that it is asked for every request.
    """

    def __init__(self, journal: Journal, known: Known | None = None, *, shared: bool = False) -> None:
        self._journal = journal
        self._under_way: dict[str, _Answering] = {}
        self._answers: LRUCache[str, _Answering] = LRUCache(MOST_ANSWERS)
        self._known = known or OwnKnown(shared=shared)

    async def load(self, now: datetime) -> None:
        """Learn the requests of the window; who alone writes the journal need not ask it for new ones from then on."""
        try:
            came = await self._journal.ask(lambda store: _asked_since(store, now), float("inf"))
        except StoreError:
            return
        self._known.journaled(came, now)

    async def first(self, asked: str, now: datetime, within_s: float, in_force: InForce | None = None) -> Found:
        """What is known of a request; where nothing is, it is taken to be answered from now on.

        :meth:`answered` or :meth:`failed` must follow then. That an id was used again is known of the requests of this
        process and those it shares that with, and of those that were in the journal when they started. Without
        ``in_force`` every answer is repeated, blocks too.
        """
        before = self._known.latest(asked, now)
        found = await self._look(asked, now, within_s, in_force)
        while found in (_NEW, _REUSED) and self._held(asked, now, in_force) is not None:  # begun while that was asked
            found = await self._look(asked, now, within_s, in_force)
        if found not in (_NEW, _REUSED):
            return found
        answer = asyncio.get_running_loop().create_future()
        self._under_way[asked] = _Answering(at=now, answer=answer)
        if not self._known.take(asked) or self._known.latest(asked, now) != before:
            return await self._after_another(asked, now, within_s, found, in_force)
        self._known.comes(asked, now)
        return found

    async def _after_another(
        self, asked: str, now: datetime, within_s: float, new: Found, in_force: InForce | None
    ) -> Found:
        """Another worker answers the same request, or has meanwhile: its answer, once that is in the journal."""
        try:
            await self._turn(asked)
            found = await self._journaled(asked, now, within_s, in_force)
        except BaseException:
            self.failed(asked)
            raise
        if found is None:
            self._known.comes(asked, now)
            return new
        self.failed(asked)
        return found

    async def _turn(self, asked: str) -> None:
        """Wait until no other worker answers a request, and no longer than one may take."""
        left_s = TURN_S
        for pause_s in chain(_PAUSES_S, repeat(_PAUSES_S[-1])):
            if self._known.take(asked) or left_s <= 0:
                return
            left_s -= pause_s
            await asyncio.sleep(pause_s)

    def answered(self, asked: str, answer: Decision) -> None:
        """A request got its answer."""
        held = self._under_way.pop(asked, None)
        if held is not None:
            held.answer.set_result(answer)
            self._answers[asked] = held
            self._known.answered(asked, held.at)
            self._known.leave(asked)

    def failed(self, asked: str) -> None:
        """A request got none: whoever waits for it decides for itself."""
        held = self._under_way.pop(asked, None)
        if held is not None:
            held.answer.cancel()
            self._known.leave(asked)

    def _held(self, asked: str, now: datetime, in_force: InForce | None) -> _Answering | None:
        """A request under way, or answered lately."""
        held = self._under_way.get(asked) or self._answers.get(asked)
        if held is None or now - held.at >= WINDOW:
            return None
        told = held.answer.result() if held.answer.done() and not held.answer.cancelled() else None
        return held if told is None or _stands(told, in_force) else None

    async def _look(self, asked: str, now: datetime, within_s: float, in_force: InForce | None) -> Found:
        new = _REUSED if self._known.latest(asked[:NAME], now) not in {"", asked} else _NEW
        held = self._held(asked, now, in_force)
        if held is not None:
            try:
                answer = await asyncio.shield(held.answer)
                if answer.decision == "block" and in_force is not None:
                    # Another worker may have decided it anew since: the newest answer is the answer.
                    newest = await self._journaled(asked, now, within_s, in_force)
                    if newest is not None:
                        return newest
                if _stands(answer, in_force):
                    return Found(answer=answer)
            except asyncio.CancelledError:
                if not held.answer.cancelled():
                    raise
        if not self._known.latest(asked, now) and self._known.sure(now):
            return new
        return await self._journaled(asked, now, within_s, in_force) or new

    async def _journaled(self, asked: str, now: datetime, within_s: float, in_force: InForce | None) -> Found | None:
        try:
            row = await self._journal.ask(lambda store: store.asked(asked), within_s)
        except StoreError:
            return None
        if row is None or now - row.at >= WINDOW:
            return None
        entry = decode(row.body)
        if not isinstance(entry, Decided):
            return None
        answer = _answer_in(entry, row)
        return Found(journaled=answer) if _stands(answer, in_force, entry.list) else None


def _stands(answer: Decision, in_force: InForce | None, made_with: str = "") -> bool:
    """Whether an answer is repeated: a block only while what made it is in force.

    ``made_with``: the digest of its list; "": not told, and its release says it.
    """
    if answer.decision != "block" or in_force is None:
        return True
    now = in_force()
    return answer.policy == now.policy and (made_with == now.list if made_with else answer.release == now.release)


def _answer_in(entry: Decided, row: Row) -> Decision:
    """The answer as it left, with its receipt."""
    fields = {name: getattr(entry.answer, name) for name in entry.answer.__struct_fields__}
    return Decision(**fields | {"receipt": row.receipt, "journaled": True, "elapsed_us": entry.elapsed_us})


def _asked_since(store: JournalStore, now: datetime) -> list[Came]:
    """Which requests came in the window before an instant, in their order."""
    rows = store.briefs(now - WINDOW, now + WINDOW, by_encounter=False)
    return [(row.asked, row.at) for row in rows if row.asked]
