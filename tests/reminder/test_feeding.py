"""A feed gives way to checks."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import pytest

from reminder import feed_rpc
from reminder.memory import Memory
from reminder.metrics import Metrics
from reminder.stores.keys import Keys
from tests.reminder.remembered import asked, body, put_history, record, write_rules
from tests.reminder.sidecar import running
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from pathlib import Path

ENTRIES = 1000
FEW = 8
"""Entries that may be read between two occasions for checks to go first."""


class Course:
    """What happens while one message is read: after how many entries others may go first, and one check that does."""

    def __init__(self, memory: Memory) -> None:
        self.read = 0
        self.ways: list[int] = []
        self.half, self.checked = threading.Event(), asyncio.Event()
        self._entry, self._give_way = feed_rpc._entry, memory.give_way  # noqa: SLF001 - listened to

    def entry(self, *told: Any) -> Any:
        """An entry is read."""
        self.read += 1
        return self._entry(*told)

    async def give_way(self) -> None:
        """Others may go first: in the middle of the message one does, however long it takes."""
        self.ways.append(self.read)
        await self._give_way()
        if self.read > ENTRIES / 2:
            self.half.set()
            await self.checked.wait()


def test_checks_go_on_while_a_message_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand entries in one message are read between checks: each check waits for a few of them."""
    entries = [record(record_id=f"r{number}", patient=f"F{number}") for number in range(ENTRIES)]
    with running(tmp_path, list=write_rules(tmp_path)) as here, ThreadPoolExecutor(1) as beside:
        memory = here.service.memory
        assert memory is not None
        course = Course(memory)
        monkeypatch.setattr(feed_rpc, "_entry", course.entry)
        monkeypatch.setattr(memory, "give_way", course.give_way)
        feed = beside.submit(put_history, here, *entries, in_one=True)
        try:
            assert course.half.wait(LONG_S)
            assert asked(here, body()).decision_id
            assert not feed.done()
        finally:
            here.loop.call_soon_threadsafe(course.checked.set)
        assert feed.result().stored == ENTRIES
    between = [after - before for before, after in pairwise([0, *course.ways, ENTRIES])]
    assert max(between) <= FEW


@pytest.mark.parametrize("waiting", [0, 1])
def test_who_gives_way_goes_on_after_the_others(waiting: int) -> None:
    """Whoever is ready goes first; a check that waits for the store is waited for a while, and not for ever."""

    async def course() -> list[str]:
        memory = Memory(cast("Any", None), Keys((b"k" * 32,)), LONG_S, Metrics())
        order: list[str] = []
        memory._asking = waiting  # noqa: SLF001 - as if a check asked
        others = [asyncio.create_task(_noted(order, f"check {number}")) for number in range(3)]
        await memory.give_way()
        order.append("feed")
        await asyncio.gather(*others)
        return order

    assert asyncio.run(course()) == ["check 0", "check 1", "check 2", "feed"]


async def _noted(order: list[str], what: str) -> None:
    order.append(what)


def test_entries_of_one_message_keep_their_places(tmp_path: Path) -> None:
    """A message is written a hundred entries at a time; a refused one is told by its place in the stream."""
    entries = [record(record_id=f"r{number}" if number != 250 else "") for number in range(300)]
    with running(tmp_path, list=write_rules(tmp_path)) as here:
        answer = put_history(here, *entries, in_one=True)
    assert (answer.stored, [one.index for one in answer.refused]) == (299, [250])
