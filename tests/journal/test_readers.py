"""Questions to the journal: beside the loop, under a deadline, by threads that are ready."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from reminder.journal.readers import MOST_ASKED, READERS
from reminder.stores.base import StoreError
from tests.journal.journals import LONG_S, NOW, draft, journal_on
from tests.journal.memory_store import MemoryJournalStore
from tests.stores.desks import run, until

if TYPE_CHECKING:
    from reminder.journal.base import Head


def test_every_reading_thread_has_its_connection_before_the_first_question() -> None:
    """Repeated requests come just after a restart, and are looked up within milliseconds."""
    threads: set[str] = set()

    class Told(MemoryJournalStore):
        """Tells which threads asked."""

        def head(self, chain: str) -> Head:
            """Who asks?"""
            threads.add(threading.current_thread().name)
            return super().head(chain)

    async def work() -> None:
        async with journal_on(Told):
            assert len([name for name in threads if name.startswith("journal-read")]) == READERS

    run(work)


def test_what_the_store_knows_is_asked_beside_the_loop() -> None:
    """Under a deadline, and not at all while it is gone."""

    async def work() -> None:
        store = MemoryJournalStore()
        async with journal_on(lambda: store) as journal:
            await journal.append(draft(1), LONG_S)
            found = await journal.ask(lambda it: it.decision(draft(1).decision_id), LONG_S)
            assert found is not None
            assert found.at == draft(1).at > NOW
            store.stuck.clear()
            with pytest.raises(StoreError, match="did not answer within 10 ms"):
                await journal.ask(lambda it: it.heads(), 0.01)
            store.fault = "gone"
            store.stuck.set()
            await until(lambda: any("cannot be read" in text for text in journal.degraded))
            with pytest.raises(StoreError, match="is not asked"):
                await journal.ask(lambda it: it.heads(), LONG_S)
            store.fault = None
            await until(lambda: journal.degraded == ())

    run(work)


def test_more_questions_than_can_be_answered_are_refused_at_once() -> None:
    """Whoever comes later would wait for nothing."""

    async def work() -> None:
        store = MemoryJournalStore()
        async with journal_on(lambda: store) as journal:
            await journal.append(draft(1), LONG_S)
            store.stuck.clear()
            asked = [asyncio.create_task(journal.ask(lambda it: it.heads(), LONG_S)) for _ in range(MOST_ASKED)]
            await asyncio.sleep(0)
            with pytest.raises(StoreError, match="questions wait already"):
                await journal.ask(lambda it: it.heads(), LONG_S)
            store.stuck.set()
            await asyncio.gather(*asked)

    run(work)
