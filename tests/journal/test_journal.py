"""The edge of the journal: groups, budgets, outages, order, loss and stop."""

from __future__ import annotations

import asyncio

import pytest

from reminder.journal.base import Appended
from reminder.stores.base import StoreError
from tests.journal.journals import CHAIN, LONG_S, NOW, draft, journal_on, said
from tests.journal.memory_store import MemoryJournalStore
from tests.stores.desks import run, until


def bodies(store: MemoryJournalStore, chain: str = CHAIN) -> list[bytes]:
    """What a chain says, in its order, without its first entry."""
    return [row.body for row in store.chain(chain)][1:]


def test_an_entry_is_in_the_store_when_its_answer_leaves() -> None:
    """Its receipt is the beginning of its hash, and the chain began with an entry that says so."""

    async def work() -> None:
        store = MemoryJournalStore()
        async with journal_on(lambda: store) as journal:
            appended = await journal.append(draft(1), LONG_S)
            rows = list(store.chain(CHAIN))
        assert [row.kind for row in rows] == ["started", "decision"]
        assert appended == Appended(journaled=True, receipt=rows[1].receipt)

    run(work)


def test_what_comes_while_a_group_is_committed_is_the_next_group() -> None:
    """Fifty answers that wait together cost two commits, not fifty, and keep the order they came in."""

    async def work() -> None:
        store = MemoryJournalStore()
        async with journal_on(lambda: store) as journal:
            await journal.append(draft(0), LONG_S)
            store.stuck.clear()
            first = asyncio.create_task(journal.append(draft(1), LONG_S))
            await until(lambda: store.tries == len(store.groups) + 1)
            rest = [asyncio.create_task(journal.append(draft(n), LONG_S)) for n in range(2, 52)]
            await until(lambda: journal.waiting == 51)
            store.stuck.set()
            told = await asyncio.gather(first, *rest)
            assert store.groups[-2:] == [1, 50]
            assert all(one.journaled for one in told)
        assert bodies(store) == [draft(n).body for n in range(52)]

    run(work)


def test_past_its_budget_an_answer_goes_on_and_its_entry_is_written_all_the_same() -> None:
    """A later entry names the decisions that were answered before they were written."""

    async def work() -> None:
        store = MemoryJournalStore()
        async with journal_on(lambda: store) as journal:
            await journal.append(draft(0), LONG_S)
            store.stuck.clear()
            assert await journal.append(draft(1), 0.01) == Appended(journaled=False)
            assert await journal.append(draft(2), 0.0) == Appended(journaled=False)
            store.stuck.set()
            await until(lambda: len(store.rows) == 5)
            *_, gap = store.chain(CHAIN)
        assert bodies(store)[:3] == [draft(n).body for n in range(3)]
        assert (gap.kind, said(gap)["late"]) == ("gap", [draft(1).decision_id, draft(2).decision_id])
        assert "lost" not in said(gap)

    run(work)


def test_nobody_waits_for_a_store_that_is_gone_and_everything_is_in_it_in_order_when_it_is_back() -> None:
    """The journal says so meanwhile, and no longer afterwards."""

    async def work() -> None:
        store = MemoryJournalStore()
        async with journal_on(lambda: store) as journal:
            await journal.append(draft(0), LONG_S)
            store.fault = "full"
            assert not (await journal.append(draft(1), LONG_S)).journaled
            assert not journal.serving
            told = await asyncio.gather(*(journal.append(draft(n), LONG_S) for n in range(2, 2001)))
            assert not any(one.journaled for one in told)
            assert journal.waiting == 2000
            assert "told to fail" in journal.degraded[0]
            assert "2000 entries wait" in journal.degraded[1]
            store.fault = None
            await until(lambda: journal.serving and not journal.waiting)
            assert journal.degraded == ()
            assert (await journal.append(draft(2001), LONG_S)).journaled
        found = [row for row in store.chain(CHAIN) if row.kind == "decision"]
        assert [row.body for row in found] == [draft(n).body for n in range(2002)]

    run(work)


def test_a_commit_whose_answer_was_lost_stands_once() -> None:
    """It is written again as it was, and the store sees that it has it."""

    async def work() -> None:
        store = MemoryJournalStore()
        async with journal_on(lambda: store) as journal:
            await journal.append(draft(0), LONG_S)
            store.forgetful = True
            assert not (await journal.append(draft(1), LONG_S)).journaled
            await until(lambda: journal.serving)
            await journal.append(draft(2), LONG_S)
        found = [row for row in store.chain(CHAIN) if row.kind == "decision"]
        assert [row.body for row in found] == [draft(n).body for n in range(3)]

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
