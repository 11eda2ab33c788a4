"""Requests that come again: the same id with the same body is answered with the answer that is in the journal.

A caller that got no reply sends its request again, and must not be told something else then, nor be counted twice. A
request is known by institution and request id; the digest of its body tells a repetition from an id that was used
again. What has no request id is never a repetition.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

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
"""Requests of the window known by their digests, some 10 MB; beyond them the journal is asked for each request."""

MOST_ANSWERS = 1_000
"""Answers kept as they are, some 5 MB: most repetitions come within seconds."""

REUSED = "request_id_reused"
"""Code of the note on an answer to a request id that came before with another body."""

_DIGITS = 32


def asked_of(institution_id: str, request_id: str) -> str:
    """What a request is known by: a digest, "" where it has no id."""
    if not request_id:
        return ""
    text = f"{institution_id}\x1f{request_id}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:_DIGITS]


class Found(Struct, frozen=True, kw_only=True):
    """What is known of a request: its answer as it is, or as it is in the journal (under keys), or its id's reuse."""

    answer: Decision | None = None
    journaled: Decision | None = None
    reused: bool = False


_NEW, _REUSED = Found(), Found(reused=True)


class _Answering(Struct):
    """A request being answered, or answered: its body's digest, when it came, and the answer."""

    digest: str
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
        self._answers: LRUCache[str, _Answering] = LRUCache(MOST_ANSWERS)
        self._known: set[str] = set()
        self._before: set[str] = set()
        self._begun: datetime | None = None
        self._sure_from: datetime | None = None
        self._shared = shared

    async def load(self, now: datetime) -> None:
        """Learn the requests of the window from a journal nobody else writes; until then it is asked for each."""
        if self._shared:
            return
        try:
            known = await self._journal.ask(lambda store: _asked_since(store, now), float("inf"))
        except StoreError:
            return
        self._known |= known
        self._begun = self._sure_from = now

    async def first(self, asked: str, digest: str, now: datetime, within_s: float) -> Found:
        """What is known of a request; where nothing is, it is taken to be answered from now on.

        :meth:`answered` or :meth:`failed` must follow then.
        """
        found = await self._look(asked, digest, now, within_s)
        if found.answer is None and found.journaled is None:
            answer = asyncio.get_running_loop().create_future()
            self._answers[asked] = _Answering(digest=digest, at=now, answer=answer)
        return found

    def answered(self, asked: str, digest: str, answer: Decision) -> None:
        """A request got its answer."""
        held = self._answers.get(asked)
        if held is not None and held.digest == digest and not held.answer.done():
            held.answer.set_result(answer)
            self._forget(held.at)
        self._known.add(asked)

    def _forget(self, now: datetime) -> None:
        """Let go of what is older than the window, by halves; of more than fits, with a window of doubt."""
        begun = self._begun = self._begun or now
        full = len(self._known) >= MOST_KNOWN
        if full or now - begun >= WINDOW:
            self._before, self._known, self._begun = self._known, set(), now
        if full and self._sure_from is not None:
            self._sure_from = now + WINDOW

    def failed(self, asked: str) -> None:
        """A request got none: whoever waits for it decides for itself."""
        held = self._answers.pop(asked, None)
        if held is not None and not held.answer.done():
            held.answer.cancel()

    async def _look(self, asked: str, digest: str, now: datetime, within_s: float) -> Found:
        held = self._answers.get(asked)
        if held is not None and now - held.at < WINDOW:
            if held.digest != digest:
                return _REUSED
            try:
                return Found(answer=await asyncio.shield(held.answer))
            except asyncio.CancelledError:
                if not held.answer.cancelled():
                    raise
                return _NEW
        known = asked in self._known or asked in self._before
        if not known and self._sure_from is not None and now >= self._sure_from:
            return _NEW
        return await self._journaled(asked, digest, now, within_s)

    async def _journaled(self, asked: str, digest: str, now: datetime, within_s: float) -> Found:
        try:
            row = await self._journal.ask(lambda store: store.asked(asked), within_s)
        except StoreError:
            return _NEW
        if row is None or now - row.at >= WINDOW:
            return _NEW
        entry = decode(row.body)
        if not isinstance(entry, Decided) or entry.body_digest != digest:
            return _REUSED
        return Found(journaled=_answer_in(entry, row))


def _answer_in(entry: Decided, row: Row) -> Decision:
    """The answer as it left, with its receipt."""
    fields = {name: getattr(entry.answer, name) for name in entry.answer.__struct_fields__}
    return Decision(**fields | {"receipt": row.receipt, "journaled": True, "elapsed_us": entry.elapsed_us})


def _asked_since(store: JournalStore, now: datetime) -> set[str]:
    """Which requests came in the window before an instant."""
    rows = store.briefs(now - WINDOW, now + WINDOW, by_encounter=False)
    return {row.asked for row in rows if row.asked}
