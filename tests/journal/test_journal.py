"""The edge of the journal: groups, budgets, outages, order, loss and stop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import count

import msgspec
import pytest

from reminder.journal.base import Appended, Artifact, Head, Row
from reminder.journal.chain import follows
from reminder.journal.health import keep_health
from reminder.journal.journal import STUCK_S
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


def test_what_is_over_the_bound_is_one_gap_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest are lost, counted, and told by one entry between those before and those after them."""
    monkeypatch.setattr("reminder.journal.journal.MOST_ENTRIES", 10)

    async def work() -> None:
        store = MemoryJournalStore()
        async with journal_on(lambda: store) as journal:
            await journal.append(draft(0), LONG_S)
            store.fault = "gone"
            for number in range(1, 16):
                assert not (await journal.append(draft(number), LONG_S)).journaled
            assert journal.waiting == 10
            assert "journal: 5 entries are lost, for no more may wait" in journal.degraded
            store.fault = None
            await until(lambda: journal.serving)
            assert (await journal.append(draft(16), LONG_S)).journaled
        rows = [row for row in store.chain(CHAIN) if not said(row).get("late")][1:]
        assert [row.body for row in rows if row.kind == "decision"] == [draft(n).body for n in (*range(11), 16)]
        (gap,) = (row for row in rows if row.kind == "gap")
        assert rows[11] is gap
        assert said(gap)["lost"] == 5
        assert msgspec.convert([said(gap)["begin"], said(gap)["end"]], list[datetime]) == [draft(11).at, draft(15).at]

    run(work)


def test_large_entries_are_bounded_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that an outage does not take the machine's memory."""
    monkeypatch.setattr("reminder.journal.journal.MOST_BYTES", 10_000)

    async def work() -> None:
        store = MemoryJournalStore()
        async with journal_on(lambda: store) as journal:
            await journal.append(draft(0), LONG_S)
            store.fault = "gone"
            for number in range(4):
                await journal.append(draft(number, body=b"{%s}" % (b" " * 4000)), LONG_S)
            assert journal.waiting == 2
            store.fault = None

    run(work)


def test_a_stop_writes_what_waits() -> None:
    """And a last entry about what was late."""

    async def work() -> None:
        store = MemoryJournalStore()
        async with journal_on(lambda: store) as journal:
            await journal.append(draft(0), LONG_S)
            store.stuck.clear()
            for number in range(1, 30):
                await journal.append(draft(number), 0.0)
            asyncio.get_running_loop().call_later(0.1, store.stuck.set)
            assert await journal.stop(LONG_S) == 0
        *rows, gap = store.chain(CHAIN)
        assert [row.body for row in rows[1:]] == [draft(n).body for n in range(30)]
        assert len(said(gap)["late"]) == 29

    run(work)


def test_a_stop_while_the_store_is_gone_says_what_is_lost() -> None:
    """After the grace, in the log; an entry that comes after it is lost too."""
    told: list[tuple[str, dict[str, object]]] = []

    class Log:
        """Keeps what is logged."""

        def error(self, event: str, **fields: object) -> None:
            """An error."""
            told.append((event, fields))

    async def work() -> None:
        store = MemoryJournalStore()
        async with journal_on(lambda: store, grace_s=0.1, log=Log()) as journal:
            await journal.append(draft(0), LONG_S)
            store.fault = "gone"
            for number in range(1, 6):
                await journal.append(draft(number), LONG_S)
            assert await journal.stop(0.1) == 5
            assert not (await journal.append(draft(7), LONG_S)).journaled

    run(work)
    assert ("journal entries lost", {"count": 5, "why": "told to fail"}) in told


def test_who_finds_the_chain_taken_goes_on_in_another() -> None:
    """Two sidecars on one data folder write two chains, each whole, and the second one says so."""

    async def work() -> None:
        store = MemoryJournalStore()
        async with journal_on(lambda: store) as first, journal_on(lambda: store) as second:
            for one in (first, second):  # in turn: who had written all before the other began would leave it the chain
                await one.append(draft(0), LONG_S)
            told = await asyncio.gather(
                *(one.append(draft(n), LONG_S) for n in range(1, 21) for one in (first, second))
            )
            assert all(one.journaled for one in told)
            (forked,) = (one for one in (first, second) if one.chain != CHAIN)
            assert "is written by somebody else too" in forked.degraded[0]
            assert forked.chain.startswith(f"{CHAIN}-")
            chains = [list(store.chain(one.chain)) for one in (first, second)]
        assert [rows[0].kind for rows in chains] == ["started", "started"]
        assert sum(row.kind == "decision" for rows in chains for row in rows) == 42
        for rows in chains:
            assert all(follows(row, before) is None for before, row in pairwise(map(end_of, rows), rows))

    run(work)


def end_of(row: Row) -> Head:
    """How far the chain had come with an entry."""
    return Head(chain=row.chain, seq=row.seq, hash=row.hash)


def pairwise(heads: Iterable[Head], rows: Sequence[Row]) -> Iterator[tuple[Head, Row]]:
    """What stands before each entry, and the entry."""
    return zip([Head(chain=rows[0].chain), *heads], rows, strict=False)


def test_an_entry_the_store_can_never_hold_keeps_no_other_from_it() -> None:
    """It is found, counted as lost with the reason, and its neighbours are written."""

    async def work() -> None:
        store = MemoryJournalStore()
        store.refuses = lambda row: row.decision_id == draft(3).decision_id
        async with journal_on(lambda: store) as journal:
            await journal.append(draft(0), LONG_S)
            told = await asyncio.gather(*(journal.append(draft(n), LONG_S) for n in range(1, 6)))
            assert [one.journaled for one in told] == [True, True, False, True, True]
            assert journal.serving
            await until(lambda: any(row.kind == "gap" for row in store.rows.values()))
        (gap,) = (row for row in store.chain(CHAIN) if row.kind == "gap")
        assert said(gap)["lost"] == 1

    run(work)


def test_nobody_waits_for_a_store_that_is_slower_than_anybody_waits() -> None:
    """After three commits that were in time for nobody answers leave at once, until it is fast or nothing waits."""

    async def work() -> None:
        store = MemoryJournalStore()
        async with journal_on(lambda: store) as journal:
            await journal.append(draft(0), LONG_S)
            store.takes_s = 0.15
            for number in range(1, 100):
                if journal.serving:
                    await journal.append(draft(number), 0.02)
            await until(lambda: any("commits take" in text for text in journal.degraded))
            assert not (await journal.append(draft(100), LONG_S)).journaled
            store.takes_s = 0.0
            await until(lambda: journal.serving)
            assert (await journal.append(draft(101), LONG_S)).journaled

    run(work)


def test_a_slow_store_is_in_time_for_who_waits_longer() -> None:
    """What is slow is what is too late: a budget of seconds is nobody's impatience."""

    async def work() -> None:
        store = MemoryJournalStore()
        async with journal_on(lambda: store) as journal:
            store.takes_s = 0.06
            for number in range(5):
                assert (await journal.append(draft(number), LONG_S)).journaled
            assert journal.serving

    run(work)


def test_a_commit_that_hangs_is_waited_for_by_nobody() -> None:
    """Those who wait are answered within their budget, and once it is known to hang nobody begins to wait."""

    async def work() -> None:
        store = MemoryJournalStore()
        async with journal_on(lambda: store) as journal:
            await journal.append(draft(0), LONG_S)
            store.stuck.clear()
            numbers = count(1)

            async def given_up() -> bool:
                assert not (await journal.append(draft(next(numbers)), STUCK_S + 0.1)).journaled
                return not journal.serving

            await until(given_up)
            assert not (await journal.append(draft(next(numbers)), LONG_S)).journaled
            store.stuck.set()
            await until(lambda: journal.serving and not journal.waiting)

    run(work)


def test_health_says_whether_entries_are_written() -> None:
    """At once, and at each change."""
    heard: list[bool] = []

    async def say(serving: bool) -> None:
        heard.append(serving)

    async def work() -> None:
        store = MemoryJournalStore()
        async with journal_on(lambda: store) as journal:
            keep_health(journal, say)
            await journal.append(draft(0), LONG_S)
            store.fault = "read-only"
            await journal.append(draft(1), LONG_S)
            await until(lambda: heard[-1:] == [False])
            store.fault = None
            await until(lambda: heard[-1:] == [True])
        assert heard == [True, False, True]

    run(work)


def test_a_store_that_is_gone_at_the_start_is_used_when_it_is_back() -> None:
    """Starting waits for nothing; only what nothing would mend keeps a journal from starting."""
    store, faults = MemoryJournalStore(), ["gone", "newer"]

    def open_store() -> MemoryJournalStore:
        if faults:
            raise StoreError(faults[0], "not there")  # type: ignore[arg-type]
        return store

    async def work() -> None:
        async with journal_on(open_store) as journal:
            assert not journal.serving
            assert not (await journal.append(draft(0), LONG_S)).journaled
            faults.clear()
            await until(lambda: journal.serving)
            assert (await journal.append(draft(1), LONG_S)).journaled
        faults[:] = ["newer"]
        with pytest.raises(StoreError, match="not there"):
            async with journal_on(open_store):
                pass

    run(work)


def test_what_decisions_are_made_with_is_kept_beside_the_callers() -> None:
    """Made in a thread, and tried until the store has it."""

    async def work() -> None:
        store = MemoryJournalStore()
        made = Artifact(digest="d" * 64, kind="list", content=b"{}", first_at=NOW)
        async with journal_on(lambda: store) as journal:
            store.fault = "full"
            journal.keep(lambda: made)
            await until(lambda: any("is not kept yet" in text for text in journal.degraded))
            store.fault = None
            await until(lambda: bool(store.artifacts))
            assert store.artifacts == {made.digest: made}

    run(work)
