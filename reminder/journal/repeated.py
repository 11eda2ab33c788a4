"""Requests that come again: the same id with the same body is answered with the answer that is in the journal.

A caller that got no reply sends its request again, and must not be told something else then, nor be counted twice. A
request is known by institution, request id and the digest of its body; the same id with another body is an id that was
used again. What has no request id is never a repetition.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from cachetools import LRUCache
from msgspec import Struct

from negative_list.decision import Decision
from reminder.journal.coding import decode
from reminder.journal.entries import Decided
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from reminder.journal.base import JournalStore, Row
    from reminder.journal.journal import Journal

__all__ = ["MOST_ANSWERS", "MOST_KNOWN", "REUSED", "WINDOW", "Found", "Repeated", "asked_of"]

WINDOW = timedelta(hours=24)
"""How long a request id is remembered: callers send again within minutes, and after an outage within the day; many
number their requests anew each day."""

MOST_KNOWN = 100_000
"""Requests of the window known by their digests, some 20 MB; beyond them the journal is asked for each request."""

MOST_ANSWERS = 1_000
"""Answers kept as they are, some 5 MB: most repetitions come within seconds."""

REUSED = "request_id_reused"
"""Code of the note on an answer to a request id that came before with another body."""

_HALF = 16


def asked_of(institution_id: str, request_id: str, digest: str) -> str:
    """What a request is known by: half a digest of its id, half that of its body; "" where one of them is not told."""
    if not (request_id and digest):
        return ""
    text = f"{institution_id}\x1f{request_id}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:_HALF] + digest[:_HALF]


class Found(Struct, frozen=True, kw_only=True):
    """What is known of a request: its answer as it is, or as it is in the journal (under keys), or its id's reuse."""

    answer: Decision | None = None
    journaled: Decision | None = None
    reused: bool = False


_NEW, _REUSED = Found(), Found(reused=True)


_Known: TypeAlias = "dict[str, tuple[str, datetime]]"
"""Requests, and the ids of requests, each with the latest request it stands for and when that came."""


class _Answering(Struct):
    """A request being answered, or answered: when it came, and the answer."""

    at: datetime
    answer: asyncio.Future[Decision]


class Repeated:
    """The requests of one process. Used inside its event loop.

    Args:
        journal: where answers are looked up that this process no longer holds, or never gave.
        shared: others write it too, so that a request nobody asked here may still be answered there.
    """

    def __init__(self, journal: Journal, *, shared: bool) -> None:
        self._journal = journal
        self._under_way: dict[str, _Answering] = {}
        self._answers: LRUCache[str, _Answering] = LRUCache(MOST_ANSWERS)
        self._known: _Known = {}
        self._before: _Known = {}
        self._begun: datetime | None = None
        self._sure_from: datetime | None = None
        self._shared = shared

    async def load(self, now: datetime) -> None:
        """Learn the requests of the window; who writes the journal alone need not ask it for new ones from then on."""
        try:
            known = await self._journal.ask(lambda store: _asked_since(store, now), float("inf"))
        except StoreError:
            return
        self._known = known | self._known
        self._begun = now
        self._sure_from = None if self._shared else now

    async def first(self, asked: str, now: datetime, within_s: float) -> Found:
        """What is known of a request; where nothing is, it is taken to be answered from now on.

        :meth:`answered` or :meth:`failed` must follow then. That an id was used again is known of the requests of this
        process, and of those that were in the journal when it started.
        """
        found = await self._look(asked, now, within_s)
        while found in (_NEW, _REUSED) and self._held(asked, now) is not None:  # begun while the journal was asked
            found = await self._look(asked, now, within_s)
        if found in (_NEW, _REUSED):
            answer = asyncio.get_running_loop().create_future()
            self._under_way[asked] = _Answering(at=now, answer=answer)
            self._known[asked[:_HALF]] = (asked, now)
        return found

    def answered(self, asked: str, answer: Decision) -> None:
        """A request got its answer."""
        held = self._under_way.pop(asked, None)
        if held is not None:
            held.answer.set_result(answer)
            self._answers[asked] = held
            self._forget(held.at)
            self._known[asked] = self._known[asked[:_HALF]] = (asked, held.at)

    def _forget(self, now: datetime) -> None:
        """Let go of what is older than the window, by halves; of more than fits, with a window of doubt."""
        begun = self._begun = self._begun or now
        full = len(self._known) >= 2 * MOST_KNOWN
        if full or now - begun >= WINDOW:
            self._before, self._known, self._begun = self._known, {}, now
        if full and self._sure_from is not None:
            self._sure_from = now + WINDOW

    def failed(self, asked: str) -> None:
        """A request got none: whoever waits for it decides for itself."""
        held = self._under_way.pop(asked, None)
        if held is not None:
            held.answer.cancel()

    def _held(self, asked: str, now: datetime) -> _Answering | None:
        """A request under way, or answered lately."""
        held = self._under_way.get(asked) or self._answers.get(asked)
        return held if held is not None and now - held.at < WINDOW else None

    async def _look(self, asked: str, now: datetime, within_s: float) -> Found:
        new = _REUSED if self._latest(asked[:_HALF], now) not in {"", asked} else _NEW
        held = self._held(asked, now)
        if held is not None:
            try:
                return Found(answer=await asyncio.shield(held.answer))
            except asyncio.CancelledError:
                if not held.answer.cancelled():
                    raise
                return new
        if not self._latest(asked, now) and self._sure_from is not None and now >= self._sure_from:
            return new
        return await self._journaled(asked, now, within_s) or new

    def _latest(self, name: str, now: datetime) -> str:
        """The latest request of a name within the window; "" where there was none."""
        asked, at = self._known.get(name) or self._before.get(name) or ("", now)
        return asked if now - at < WINDOW else ""

    async def _journaled(self, asked: str, now: datetime, within_s: float) -> Found | None:
        try:
            row = await self._journal.ask(lambda store: store.asked(asked), within_s)
        except StoreError:
            return None
        if row is None or now - row.at >= WINDOW:
            return None
        entry = decode(row.body)
        return Found(journaled=_answer_in(entry, row)) if isinstance(entry, Decided) else None


def _answer_in(entry: Decided, row: Row) -> Decision:
    """The answer as it left, with its receipt."""
    fields = {name: getattr(entry.answer, name) for name in entry.answer.__struct_fields__}
    return Decision(**fields | {"receipt": row.receipt, "journaled": True, "elapsed_us": entry.elapsed_us})


def _asked_since(store: JournalStore, now: datetime) -> _Known:
    """Which requests came in the window before an instant, and their ids."""
    rows = store.briefs(now - WINDOW, now + WINDOW, by_encounter=False)
    return {name: (row.asked, row.at) for row in rows if row.asked for name in (row.asked, row.asked[:_HALF])}
