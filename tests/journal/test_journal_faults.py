"""Faults drawn at random, on both databases: every entry is written once, in its order, and what was said is true."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from reminder.journal.base import Head
from reminder.journal.chain import follows
from reminder.stores.base import StoreError
from tests.journal.journals import CHAIN, LONG_S, draft, journal_on, said
from tests.stores.desks import run, until

if TYPE_CHECKING:
    from reminder.journal.base import Appended, Row
    from reminder.journal.store import SqlJournal
    from reminder.stores.base import Fault

CALLERS, EACH = 8, 40
FAULTS: tuple[Fault, ...] = ("gone", "locked", "full", "read-only")


class Shaken:
    """A journal store whose commits fail now and then: before they are done, or after, so that the answer is lost."""

    def __init__(self, store: SqlJournal, draw: random.Random) -> None:
        self.calm = False
        self._store = store
        self._draw = draw

    def append(self, rows: Sequence[Row]) -> None:
        """Write them, or fail, or both."""
        drawn = 1.0 if self.calm else self._draw.random()
        if drawn < 0.1:
            raise StoreError(self._draw.choice(FAULTS), "drawn to fail")
        self._store.append(rows)
        if drawn < 0.2:
            raise StoreError("gone", "the answer was drawn to be lost")

    def close(self) -> None:
        """The inner store is the fixture's to close."""

    def __getattr__(self, name: str) -> Any:
        """Everything else is the inner store's."""
        return getattr(self._store, name)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_fails_each_entry_stands_once_and_answers_are_true(
    opening: Callable[[], SqlJournal], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that said journaled has its receipt in the chain; one that did not is named as late."""
    monkeypatch.setattr("reminder.journal.writer.MEND_S", 0.02)
    inner = opening()
    shaken = Shaken(inner, random.Random(seed))
    told: dict[str, Appended] = {}

    async def call(caller: int, journal: Any) -> None:
        for number in range(EACH):
            one = draft(caller * EACH + number)
            told[one.decision_id] = await journal.append(one, LONG_S if number % 3 else 0.002)
            await asyncio.sleep(0)

    async def work() -> None:
        async with journal_on(lambda: shaken) as journal:
            await asyncio.gather(*(call(caller, journal) for caller in range(CALLERS)))
            shaken.calm = True
            await until(lambda: journal.serving and not journal.waiting)

    run(work)
    rows = list(inner.chain(CHAIN))
    inner.close()
    _check(rows, told)


def _check(rows: list[Row], told: dict[str, Appended]) -> None:
    before = Head(chain=CHAIN)
    for row in rows:
        assert follows(row, before) is None
        before = Head(chain=CHAIN, seq=row.seq, hash=row.hash)
    decisions = [row for row in rows if row.kind == "decision"]
    for caller in range(CALLERS):
        mine = [draft(caller * EACH + number).decision_id for number in range(EACH)]
        assert [row.decision_id for row in decisions if row.decision_id in mine] == mine
    assert len(decisions) == CALLERS * EACH
    late = {name for row in rows if row.kind == "gap" for name in said(row)["late"]}
    assert late == {name for name, one in told.items() if not one.journaled}
    assert all(row.receipt == told[row.decision_id].receipt for row in decisions if told[row.decision_id].journaled)


def test_two_writers_of_one_chain_write_two_whole_ones(opening: Callable[[], SqlJournal]) -> None:
    """As two sidecars do on one data folder: nothing is mixed, nothing is lost, each answer has its receipt."""
    count = 60

    async def work() -> list[Appended]:
        async with journal_on(opening) as first, journal_on(opening) as second:
            # In turn at first, for whoever had written all before the other began would leave it a chain to go on in.
            told = [await one.append(draft(0), LONG_S) for one in (first, second)]
            calls = [one.append(draft(n), LONG_S) for n in range(1, count) for one in (first, second)]
            told += await asyncio.gather(*calls)
            assert {first.chain, second.chain} > {CHAIN}
            return told

    told = run(work)
    store = opening()
    chains = [list(store.chain(head.chain)) for head in store.heads()]
    store.close()
    assert len(chains) == 2
    for rows in chains:
        before = Head(chain=rows[0].chain)
        for row in rows:
            assert follows(row, before) is None
            before = Head(chain=row.chain, seq=row.seq, hash=row.hash)
    receipts = sorted(row.receipt for rows in chains for row in rows if row.kind == "decision")
    assert receipts == sorted(one.receipt or "" for one in told)
    assert len(receipts) == 2 * count
