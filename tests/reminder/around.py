"""A service as far as feedback is concerned: a journal, a memory, a clock that a test sets."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from negative_list.compile import CompiledList
from negative_list.site import Sites
from reminder.exits import Exits
from reminder.feedback.desk import FeedbackDesk
from reminder.feedback.items import read_words
from reminder.journal.coding import decode
from reminder.journal.entries import Feedback
from reminder.memory import Written
from reminder.metrics import Metrics
from reminder.stores.base import StoreError, Told
from reminder.stores.keys import Keys
from tests.journal.journals import CHAIN, LONG_S, journal_on
from tests.journal.memory_store import MemoryJournalStore
from tests.reminder.deciding import NOW, compiled, drafted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from negative_list.readers.stored import StoreFact
    from reminder.feedback.words import Answer, Recorded
    from reminder.journal.entries import Decided
    from reminder.journal.journal import Journal
    from reminder.stores.base import Wanted

__all__ = ["KEYS", "Facts", "Room", "room", "until"]

KEYS = Keys((b"k" * 32,))


async def until(holds: Callable[[], bool], patience_s: float = LONG_S) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(patience_s):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


class _Active(Struct, frozen=True, kw_only=True):
    compiled: CompiledList
    sites: Sites


class Facts:
    """A memory that keeps facts in a list; ``gone`` makes it fail."""

    def __init__(self) -> None:
        self.keys = KEYS
        self.known: list[StoreFact] = []
        self.gone = False

    async def put_facts(self, facts: Sequence[StoreFact]) -> Written:
        """Keep them."""
        if self.gone:
            raise StoreError("gone", "told to be gone")
        self.known += facts
        return Written(changed=len(facts), waits=False)

    async def read(self, wanted: Wanted, _left_s: float | None) -> Told:
        """Those of the subjects."""
        if self.gone:
            return Told(failed="gone")
        return Told(facts=tuple(fact for fact in self.known if fact.subject in wanted.subjects))


class Room:
    """What the desk needs, and what it said: see :class:`reminder.feedback.around.Around`."""

    def __init__(self, journal: Journal | None, store: Any) -> None:
        self.metrics = Metrics()
        self.memory: Any = Facts()
        self.journal = journal
        self.store = store
        self.exits = Exits(journal)
        self.active = _Active(compiled=compiled(), sites=Sites())
        self.at = NOW
        self.logged: list[dict[str, Any]] = []
        log: Any = self
        self.desk = FeedbackDesk(self, log)

    def now(self) -> datetime:
        """The instant, each time a little later."""
        self.at += timedelta(seconds=1)
        return self.at

    def civil(self, moment: datetime, institution_id: str) -> datetime:
        """Civil time."""
        zone: tzinfo = self.active.sites.of(institution_id).zone
        return moment.astimezone(zone).replace(tzinfo=None)

    def info(self, event: str, **told: Any) -> None:
        """Logged."""
        self.logged.append({"event": event} | told)

    warning = info

    async def knows(self, *entries: Decided) -> None:
        """Decisions are in the journal."""
        assert self.journal is not None
        for entry in entries:
            assert (await self.journal.append(drafted(entry), LONG_S)).journaled

    async def told(self, *items: dict[str, Any], **body: Any) -> Recorded:
        """A request, and what became of it."""
        words = read_words({"items": list(items)} | body, lambda _institution: UTC, "json")
        return await self.desk.record(words)

    async def one(self, item: dict[str, Any], **body: Any) -> Answer:
        """A request of one item."""
        (answer,) = (await self.told(item, **body)).items
        return answer

    def kept(self) -> list[Feedback]:
        """The words in the journal, in their order."""
        assert self.journal is not None
        entries = (decode(row.body) for row in self.store.chain(self.journal.chain) if row.kind == "feedback")
        return [entry for entry in entries if isinstance(entry, Feedback)]

    async def settle(self) -> None:
        """Wait until what is done beside the reply is done."""
        await self.desk.settled()


@asynccontextmanager
async def room(store: Any = None, chain: str = CHAIN) -> AsyncIterator[Room]:
    """A room with a journal: in memory, where no store is given."""
    store = store or MemoryJournalStore()
    async with journal_on(lambda: store, chain) as journal:
        yield Room(journal, store)
