"""What workers share, without processes: two parts of one memory, as two workers would use them."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from negative_list.decision import Decision
from negative_list.prescription import Encounter, Line, Prescription
from reminder.board import Board
from reminder.exits import EXIT_PERIOD, Exits
from reminder.journal.base import Draft
from reminder.journal.entries import Exit
from reminder.journal.known import WINDOW
from reminder.stores.base import StoreError
from reminder.workers import folder
from reminder.workers.common import SAID_BYTES, Common
from reminder.workers.exits import SharedExits
from reminder.workers.folder import LOCK_FILE, alone_in
from reminder.workers.known import SharedKnown
from reminder.workers.lead import FAILED, SERVES, Lead
from reminder.workers.records import Records
from reminder.workers.streams import Stream
from reminder.workers.system import CAN_SHARE
from reminder.workers.together import Together
from tests.journal.memory_store import MemoryJournalStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(not CAN_SHARE, reason="processes share memory so on Linux only")

NOW = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
ONE, OTHER = "a" * 16 + "b" * 16, "a" * 16 + "c" * 16
"""Two requests under one id."""


def _cells(count: int) -> memoryview:
    return memoryview(bytearray(8 * count)).cast("q")


def test_a_stream_is_read_from_where_one_came_to() -> None:
    """Over its end, too; what is gone is told."""
    stream = Stream(_cells(1), _cells(8))
    place = 0
    for first in (0, 3, 6, 9):
        stream.tell((first, first + 1, first + 2))
        numbers, place, whole = stream.since(place)
        assert (list(numbers), whole) == ([first, first + 1, first + 2], True)
    stream.tell((12, 13, 14))
    stream.tell((15, 16, 17))
    assert (list(stream.since(place)[0]), stream.since(place)[2]) == ([14, 15, 16, 17], False)


def test_what_a_part_said_is_whole_also_after_a_kill_in_the_middle() -> None:
    """The half that was being written is not the one that is read."""
    part = Common(2).parts[1]
    assert part.said() == b""
    assert part.say(b"first")
    assert part.say(b"second")
    assert part.said() == b"second"
    assert not part.say(bytes(SAID_BYTES))
    assert part.said() == b"second"


def test_a_request_one_worker_answered_is_known_to_the_other() -> None:
    """And that its id stood for it, for as long as a request is remembered."""
    common = Common(2)
    here, there = (SharedKnown(common, number, shared=False) for number in (0, 1))
    assert not there.sure(NOW)
    for known in (here, there):
        known.journaled([], NOW)
    here.comes(ONE, NOW)
    here.answered(ONE, NOW)
    assert (there.latest(ONE, NOW), there.latest(ONE[:16], NOW), there.latest(OTHER, NOW)) == (ONE, ONE, "")
    there.answered(OTHER, NOW)
    assert (here.latest(ONE[:16], NOW), here.latest(ONE, NOW)) == (OTHER, ONE)
    assert here.latest(ONE, NOW + WINDOW) == ""
    assert here.sure(NOW)


def test_who_missed_something_is_sure_of_nothing_for_a_window() -> None:
    """A worker that slept while thousands were answered elsewhere asks the journal."""
    common = Common(2)
    here, there = (SharedKnown(common, number, shared=False) for number in (0, 1))
    there.journaled([], NOW)
    for number in range(20_000):
        here.answered(f"{number:032x}", NOW)
    assert there.latest(ONE, NOW) == ""
    assert (there.sure(NOW), there.sure(NOW + WINDOW)) == (False, True)


def exits_of(common: Common, number: int) -> Exits:
    """What a worker without a journal knows of exits."""
    return Exits(None, SharedExits(common, number))


def in_force_at(exits: Exits, key: str, at: datetime = NOW) -> int:
    """How many exits hold for an encounter."""
    return len(asyncio.run(exits.of((key,), at, 1.0)))


def left_until(at: datetime) -> Exit:
    """An exit of some rule."""
    return Exit(rule_id="r1", item="XA01", order_date="2026-01-01", until=at)


def test_an_exit_one_worker_heard_holds_at_all_and_ends_at_all() -> None:
    """With no journal at all; also at one that comes later, and at one in the place of who told it."""
    common = Common(2)
    first, other = exits_of(common, 0), exits_of(common, 1)
    assert in_force_at(other, "e") == 0
    first.heard("e", (left_until(NOW + EXIT_PERIOD),))
    assert [in_force_at(each, "e") for each in (first, other, exits_of(common, 0), exits_of(common, 1))] == [1] * 4
    assert in_force_at(other, "f") == 0
    other.ended(("e",), NOW + timedelta(hours=1))
    later = NOW + timedelta(hours=2)
    assert [in_force_at(each, "e", later) for each in (first, other, exits_of(common, 0))] == [0] * 3


def test_ends_of_encounters_nobody_left_a_block_of_are_told_to_nobody() -> None:
    """Each stay ends; who is sure of what was left tells only what matters."""
    common = Common(2)
    first = Exits(_Empty(), SharedExits(common, 0))
    asyncio.run(first.load(NOW))
    before = common.parts[0].heard.count
    first.ended(("e",), NOW)
    assert common.parts[0].heard.count == before
    first.heard("e", (left_until(NOW + EXIT_PERIOD),))
    told = common.parts[0].heard.count
    first.ended(("e",), NOW)
    assert common.parts[0].heard.count > told > before


class _Empty:
    """A journal nothing stands in."""

    async def ask(self, work: Callable[[Any], Any], _within_s: float) -> Any:
        """What the work finds."""
        return work(MemoryJournalStore())


def test_who_missed_an_exit_asks_the_journal_for_a_day() -> None:
    """What was told before it looked first it has read there."""
    common = Common(2)
    first = exits_of(common, 0)

    def told(times: int) -> None:
        for number in range(times):
            first.heard(f"e{number % 100}", (left_until(NOW + timedelta(seconds=number)),))

    told(3_000)
    journal = _Counted()
    other = Exits(journal, SharedExits(common, 1))
    asyncio.run(other.load(NOW))
    assert (in_force_at(other, "f"), journal.times) == (0, 1)
    late = _Counted()
    later = Exits(late, SharedExits(common, 1))
    asyncio.run(later.load(NOW))
    told(3_000)
    assert (in_force_at(later, "f"), late.times) == (0, 2)
    assert (in_force_at(other, "f"), journal.times) == (0, 2)
    assert (in_force_at(other, "f", NOW + EXIT_PERIOD), journal.times) == (0, 2)


class _Counted(_Empty):
    """The same; ``times``: how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    async def ask(self, work: Callable[[Any], Any], within_s: float) -> Any:
        """What the work finds."""
        self.times += 1
        return await super().ask(work, within_s)


def test_an_answer_with_a_block_that_is_not_written_yet_is_known_to_all() -> None:
    """So that it can be left at any worker while the journal cannot be written; one without a block is not told."""
    common = Common(2)
    first, other = exits_of(common, 0), exits_of(common, 1)
    blocked, passed = (Draft(kind="decision", at=NOW, decision_id=name, body=b"{}" * 99) for name in ("b", "p"))
    first.answered(blocked)
    assert other.answer("b") is None
    first.waits(blocked)
    first.waits(passed)
    assert other.answer("b") == blocked
    assert other.answer("p") is None
    first.waits(blocked)
    assert other.answer("b") == blocked


def test_records_are_whole_over_the_end_of_their_ring() -> None:
    """Each with its own length; where some are gone none is read from the middle."""
    records, place = Records(Stream(_cells(1), _cells(16))), 0
    for size in (0, 1, 7, 8, 9, 30, 17, 55):
        assert records.tell(bytes([size]) * size)
        found, place, whole = records.since(place)
        assert (found, whole) == ([bytes([size]) * size], True)
    assert not records.tell(bytes(64))
    for _ in range(5):
        assert records.tell(bytes(24))
    assert records.since(place) == ([], records.count, False)


def test_the_board_counts_what_any_worker_saw_once() -> None:
    """A visit checked on both is one; who takes a worker's place counts on; a new day begins at nothing."""
    common = Common(2)
    boards = [Board(), Board()]
    for number, board in enumerate(boards):
        board.share(common, number)
    asked = _asked("L1", "L2")
    at = datetime(2026, 1, 1, 9, 0)
    for board in boards:
        board.decided(at, asked, Decision(decision="pass", decision_id="D1"))
    assert {(hour["visits"], hour["prescriptions"]) for hour in _hours(boards[0])} == {(1, 1)}
    again = Board()
    again.share(common, 0)
    again.decided(at, asked, Decision(decision="pass", decision_id="D2"))
    again.decided(at, _asked("L3"), Decision(decision="pass", decision_id="D3"))
    assert {hour["prescriptions"] for hour in _hours(boards[1])} == {2}
    boards[1].decided(at + timedelta(days=1), asked, Decision(decision="pass", decision_id="D4"))
    again.decided(at, asked, Decision(decision="pass", decision_id="D5"))
    assert {hour["prescriptions"] for hour in _hours(again)} == {1}


def _asked(*ids: str) -> Prescription:
    lines = tuple(Line(id=ident, encounter_id="M1", codes=("A",)) for ident in ids)
    return Prescription(encounter=Encounter(id="M1", lines=lines))


def _hours(board: Board) -> list[dict[str, float]]:
    told: dict[str, dict[str, float]] = {}
    for family in board.collect():
        for sample in family.samples:
            told.setdefault(sample.labels["hour"], {})[sample.name.removeprefix("reminder_board_")] = sample.value
    return list(told.values())


class Worker:
    """Some metrics, and a worker's part of those of all."""

    def __init__(self, common: Common, number: int, degraded: tuple[str, ...] = ()) -> None:
        registry = CollectorRegistry()
        self.checks = Counter("checks", "Checks.", ("decision",), registry=registry)
        self.seconds = Histogram("seconds", "Seconds.", buckets=(1.0, 2.0), registry=registry)
        self.rules = Gauge("rules", "Rules.", registry=registry)
        self.together = Together(common, number, registry, lambda: degraded, lambda: 7)
        common.parts[number].serves()

    def told(self, *, by_worker: bool = False) -> dict[str, float]:
        """Every sample."""
        lines = self.together.text(by_worker=by_worker).decode().splitlines()
        return {name: float(value) for name, _, value in (each.rpartition(" ") for each in lines if each[0] != "#")}


def test_metrics_are_added_up_and_go_on_where_a_worker_is_replaced() -> None:
    """Counters and histograms; a gauge that all have is told once."""
    common = Common(2)
    first, second = Worker(common, 0), Worker(common, 1)
    for worker, count in ((first, 2), (second, 3)):
        worker.checks.labels("block").inc(count)
        worker.seconds.observe(1.5)
        worker.rules.set(76)
    second.together.say()
    told = first.told()
    assert told['checks_total{decision="block"}'] == 5
    assert (told['seconds_bucket{le="1.0"}'], told['seconds_bucket{le="2.0"}'], told["rules"]) == (0, 2, 76)
    each = first.told(by_worker=True)
    assert [each[f'checks_total{{decision="block",worker="{number}"}}'] for number in (0, 1)] == [2, 3]
    after = Worker(common, 1)
    after.checks.labels("block").inc()
    assert after.told()['checks_total{decision="block"}'] == 6
    assert common.written == 21


def test_what_does_not_work_anywhere_is_told_by_all() -> None:
    """Once where all say it; and who does not serve."""
    common = Common(3)
    first, second = Worker(common, 0, ("disk",)), Worker(common, 1, ("disk", "share"))
    second.together.say()
    assert first.together.degraded() == ("disk", "worker 1: share", "worker 2 does not serve")


def test_a_turn_ends_with_who_has_it() -> None:
    """Another process waits for it, and has it when the first was killed."""
    turns = Common(2).turns
    ready, say = os.pipe()
    held, hold = os.pipe()
    pid = os.fork()
    if pid == 0:
        turns.live(1)
        os.write(say, b"1" if turns.take(ONE) else b"0")
        os.close(hold)
        os.read(held, 1)  # until it is killed
        os._exit(0)
    assert os.read(ready, 1) == b"1"
    assert (turns.take(ONE), turns.take(OTHER), turns.lives(1)) == (False, True, True)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert (turns.take(ONE), turns.lives(1)) == (True, False)
    for end in (ready, say, held, hold):
        os.close(end)


def test_a_data_folder_is_served_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left of one that was killed is waited for; the folder is free again after it."""
    with alone_in(tmp_path):
        with pytest.raises(StoreError, match=f"is served by process {os.getpid()} already"), alone_in(tmp_path):
            pass
        monkeypatch.setattr(folder, "LEFT_S", 0.0)
        (tmp_path / LOCK_FILE).write_text("999999999\n", "ascii")
        with pytest.raises(StoreError, match="is served by process 999999999 already"), alone_in(tmp_path):
            pass
    with alone_in(tmp_path):
        assert (tmp_path / LOCK_FILE).read_text("ascii") == f"{os.getpid()}\n"


def test_a_worker_learns_of_the_end_of_its_supervisor() -> None:
    """However that came; and says itself that it serves, or why it cannot."""
    alive, held = os.pipe()
    told, tell = os.pipe()
    lead = Lead(alive, tell)

    async def until_over() -> None:
        over = asyncio.create_task(lead.over())
        await asyncio.sleep(0)
        assert not over.done()
        os.close(held)
        await over

    asyncio.run(until_over())
    lead.serves()
    assert os.read(told, 100) == SERVES
    lead.failed("why")
    assert os.read(told, 100) == FAILED + b"why"
    for end in (alive, told, tell):
        os.close(end)
