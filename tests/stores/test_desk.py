"""The edge of the stores: what checks and writers get while the store works, hangs, fails and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reminder.stores import desk as desk_module
from reminder.stores.base import Coverage, StoreError
from reminder.stores.breaker import MISSES
from reminder.stores.desk import MOST_READS
from reminder.stores.sqlite import open_sqlite
from tests.stores.builders import DAY, fact, fed, line, saved, wanted
from tests.stores.desks import LONG_S, Clock, Failing, desk_on, in_time, run, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from negative_list.prescription import Line
    from reminder.stores.desk import Desk
    from reminder.stores.sqlstore import SqlStore

PATIENT_S = LONG_S
"""A deadline nothing here misses."""


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[Failing]:
    """A store that can be told to fail."""
    inner = open_sqlite(tmp_path / "history.sqlite")
    yield Failing(inner)
    inner.close()


async def ids(desk: Desk) -> list[str]:
    """The ids of patient p1's lines."""
    told = await desk.read(wanted(), PATIENT_S)
    assert told.history is not None
    return sorted(one.id for one in told.history.lines)


def test_what_one_worker_saved_the_next_check_on_any_worker_sees(
    opening: Callable[[], SqlStore], tmp_path: Path
) -> None:
    """A read that begins after the reply to a write sees it, on whichever desk."""

    async def work() -> None:
        async with desk_on(opening, tmp_path) as one, desk_on(opening, tmp_path) as other:
            for k in range(20):
                assert await one.save([saved(line(f"R{k:02}"), prescription_id=str(k))]) == 1
                assert f"R{k:02}" in await ids(other)
            assert await other.put_facts([fact()]) == 1
            assert (await one.read(wanted("p1"), PATIENT_S)).facts == (fact(),)
            assert one.degraded == other.degraded == ()

    run(work)


def test_writes_that_arrive_together_share_a_transaction(failing: Failing, tmp_path: Path) -> None:
    """While the first is written the others gather, and each caller hears of its own."""

    async def work() -> None:
        async with desk_on(lambda: failing, tmp_path) as desk:
            records = [saved(line(f"R{k}"), prescription_id=str(k % 30)) for k in range(50)]
            counts = await asyncio.gather(*(desk.save([one]) for one in records))
            assert len(failing.groups) < 10
            assert (sum(counts), len(await ids(desk))) == (50, 30)
            fed_twice = [desk.put_history([fed(record_id=str(k % 2))], [Coverage(complete=True)]) for k in range(4)]
            told = [desk.save([saved(line("R99"), prescription_id="99")]) for _ in range(2)]
            assert await asyncio.gather(*fed_twice, *told) == [1, 1, 0, 0, 1, 0]

    run(work)


def test_one_write_that_cannot_be_kept_fails_alone(opening: Callable[[], SqlStore], tmp_path: Path) -> None:
    """What the database refuses is told to who wrote it; the others of the group are kept."""

    async def work() -> None:
        async with desk_on(opening, tmp_path) as desk:
            bad = saved(line(), prescription_id="\ud800")
            good = [saved(line(f"R{k}"), prescription_id=str(k)) for k in range(3)]
            outcomes = await asyncio.gather(*(desk.save([one]) for one in (*good, bad)), return_exceptions=True)
            assert outcomes[:3] == [1, 1, 1]
            assert isinstance(outcomes[3], StoreError)
            assert outcomes[3].kind == "refused"
            assert await ids(desk) == ["R0", "R1", "R2"]
            assert desk.degraded == ()

    run(work)


def test_an_outage_costs_a_check_nothing(failing: Failing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After one failure no check asks the store; when it works again, all do."""

    async def work() -> None:
        async with desk_on(lambda: failing, tmp_path, Clock().clocks()) as desk:
            failing.fault = "gone"
            assert [(await desk.read(wanted(), PATIENT_S)).failed for _ in range(5)] == ["gone"] * 5
            assert failing.reads == 1
            assert desk.degraded == ("history store: gone since 2026-02-01T01:00:00Z: told to fail",)
            failing.fault = None
            await until(lambda: not desk.degraded)
            assert [(await desk.read(wanted(), PATIENT_S)).failed for _ in range(3)] == [""] * 3

    monkeypatch.setattr(desk_module, "MEND_S", 0.05)
    run(work)


def test_a_store_that_hangs_is_waited_for_until_the_deadline_and_then_left_alone(
    failing: Failing, tmp_path: Path
) -> None:
    """Each check waits its deadline at most; after those of three patients in a row nobody waits."""

    async def work() -> None:
        async with desk_on(lambda: failing, tmp_path) as desk:
            failing.stuck.clear()
            patients = [wanted(patient_key=f"p{n}") for n in range(MISSES)]
            assert [(await in_time(desk, one, 0.02)).failed for one in patients] == ["slow"] * MISSES
            assert [(await in_time(desk, wanted(), 0.0)).failed for _ in range(10)] == ["gone"] * 10
            assert "no answer within 20 ms" in desk.degraded[0]
            failing.stuck.set()
            await until(lambda: not desk.degraded)
            assert (await desk.read(wanted(), PATIENT_S)).failed == ""

    run(work)


def test_one_patient_who_takes_too_long_blinds_nobody_else(failing: Failing, tmp_path: Path) -> None:
    """Thousands of lines of one stay miss the deadline each time; the next patient is read as ever."""

    async def work() -> None:
        async with desk_on(lambda: failing, tmp_path) as desk:
            failing.stuck.clear()
            told = [(await desk.read(wanted(), 0.02)).failed for _ in range(MISSES * 3)]
            assert (told, desk.degraded) == (["slow"] * MISSES * 3, ())
            failing.stuck.set()
            assert (await desk.read(wanted(patient_key="p2"), PATIENT_S)).failed == ""

    run(work)


def test_more_reads_than_can_be_done_are_refused_at_once(failing: Failing, tmp_path: Path) -> None:
    """They do not queue behind each other's deadlines."""

    async def work() -> None:
        async with desk_on(lambda: failing, tmp_path) as desk:
            failing.stuck.clear()
            waiting = [asyncio.create_task(desk.read(wanted(), PATIENT_S)) for _ in range(MOST_READS)]
            await asyncio.sleep(0)
            assert (await desk.read(wanted(), PATIENT_S)).failed == "slow"
            failing.stuck.set()
            assert {told.failed for told in await asyncio.gather(*waiting)} == {""}

    run(work)


def test_writes_of_an_outage_wait_and_count_once(failing: Failing, tmp_path: Path) -> None:
    """They are accepted while the store is gone, withheld from checks while some wait, and all there afterwards."""

    async def work() -> None:
        async with desk_on(lambda: failing, tmp_path) as desk:
            await desk.save([saved(line("R0"), prescription_id="0")])
            failing.fault = "gone"
            for k in range(1, 6):
                assert await desk.save([saved(line(f"R{k}"), prescription_id=str(k))]) == 1
            await desk.save([saved(line("R1b"), prescription_id="1", revision=2)])
            await desk.put_aliases([("p1", "p1b")])
            await desk.put_facts([fact(subject="p1b")])
            assert desk.waiting == 8
            assert "8 accepted writes wait" in desk.degraded[-1]
            assert (await desk.read(wanted(), PATIENT_S)).failed in {"behind", "gone"}
            failing.fault = None
            await until(lambda: not desk.waiting)
            assert await ids(desk) == ["R0", "R1b", "R2", "R3", "R4", "R5"]
            assert (await desk.read(wanted("p1"), PATIENT_S)).facts == (fact(),)
            assert desk.degraded == ()

    run(work)


def test_what_waits_is_written_by_the_next_service(failing: Failing, tmp_path: Path) -> None:
    """Accepted writes survive the end of the process that accepted them."""

    async def accept() -> None:
        failing.fault = "gone"
        async with desk_on(lambda: failing, tmp_path) as desk:
            await desk.save([saved(line())])

    async def go_on() -> None:
        failing.fault = None
        async with desk_on(lambda: failing, tmp_path) as desk:
            await until(lambda: not desk.waiting)
            assert await ids(desk) == ["R1"]

    run(accept)
    run(go_on)


async def outcome(desk: Desk, one: Line, prescription_id: str) -> str:
    """What is wrong with the store when a line is saved; "" where it was accepted."""
    try:
        await desk.save([saved(one, prescription_id=prescription_id)])
    except StoreError as error:
        return error.kind
    return ""


def test_a_full_spool_is_told_to_who_writes(failing: Failing, tmp_path: Path) -> None:
    """What can neither be kept nor wait is not accepted; what was accepted is not lost."""

    async def work() -> None:
        failing.fault = "gone"
        async with desk_on(lambda: failing, tmp_path, most_bytes=64 * 1024) as desk:
            outcomes = [await outcome(desk, line(f"R{k}", name="名" * 500), str(k)) for k in range(100)]
            accepted = outcomes.count("")
            assert accepted > 5
            assert outcomes == [""] * accepted + ["full"] * (100 - accepted)
            failing.fault = None
            await until(lambda: not desk.waiting)
            told = await desk.read(wanted(), PATIENT_S)
            assert told.history is not None
            assert len(told.history.lines) == accepted

    run(work)


def test_a_waiting_write_that_is_refused_holds_up_no_other(opening: Callable[[], SqlStore], tmp_path: Path) -> None:
    """It is put aside and told of; what waited before and behind it is written."""
    inner = opening()
    failing = Failing(inner)

    async def work() -> None:
        async with desk_on(lambda: failing, tmp_path) as desk:
            failing.fault = "gone"
            await desk.save([saved(line("R0"), prescription_id="0")])
            await desk.save([saved(line("R1"), prescription_id="1", revision=2**63)])
            await desk.save([saved(line("R2"), prescription_id="2")])
            outcomes = await asyncio.gather(
                desk.save([saved(line("R3"), prescription_id="\ud800")]),
                desk.save([saved(line("R4"), prescription_id="4")]),
                return_exceptions=True,
            )
            assert isinstance(outcomes[0], StoreError)
            failing.fault = None
            await until(lambda: not desk.waiting)
            assert await ids(desk) == ["R0", "R2", "R4"]
            assert desk.degraded == ("history store: 1 accepted writes cannot be kept and lie in the spool",)

    run(work)
    inner.close()


def test_a_damaged_waiting_write_holds_up_no_other(failing: Failing, tmp_path: Path) -> None:
    """What cannot be read any more is put aside and told of."""

    async def work() -> None:
        async with desk_on(lambda: failing, tmp_path) as desk:
            failing.fault = "gone"
            await desk.save([saved(line("R0"), prescription_id="0")])
            await desk.save([saved(line("R1"), prescription_id="1")])
            with contextlib.closing(sqlite3.connect(tmp_path / "spool.sqlite", isolation_level=None)) as file:
                file.execute("UPDATE waiting SET change = x'c1' WHERE place = 1")
            failing.fault = None
            await until(lambda: not desk.waiting)
            assert await ids(desk) == ["R1"]
            assert "1 accepted writes cannot be kept" in desk.degraded[-1]

    run(work)


def test_a_store_that_is_gone_at_the_start_is_used_when_it_is_there(tmp_path: Path) -> None:
    """The service starts without it."""
    there = False

    def open_store() -> SqlStore:
        if not there:
            raise StoreError("gone", "not yet")
        return open_sqlite(tmp_path / "history.sqlite")

    async def work() -> None:
        nonlocal there
        async with desk_on(open_store, tmp_path) as desk:
            assert (await desk.read(wanted())).failed == "gone"
            await desk.save([saved(line(begins=DAY))])
            with pytest.raises(StoreError, match="not yet"):
                desk.store()
            there = True
            await until(lambda: not desk.waiting)
            await until(lambda: _read_works(desk))
            assert await ids(desk) == ["R1"]

    run(work)


async def _read_works(desk: Desk) -> bool:
    return not (await desk.read(wanted(), PATIENT_S)).failed


def test_a_store_of_a_later_version_is_told_at_the_start(tmp_path: Path) -> None:
    """Nothing would mend that, so the service does not start."""

    def open_store() -> SqlStore:
        raise StoreError("newer", "made by a later version")

    async def work() -> None:
        async with desk_on(open_store, tmp_path):
            pass

    with pytest.raises(StoreError, match="later version"):
        run(work)


def test_stopping_writes_what_was_told(failing: Failing, tmp_path: Path) -> None:
    """Who was still waiting hears that it was kept; who comes later hears that it was not."""

    async def work() -> None:
        async with desk_on(lambda: failing, tmp_path) as desk:
            task = asyncio.create_task(desk.save([saved(line())]))
            await asyncio.sleep(0)
        assert await task == 1
        with pytest.raises(StoreError, match="stopping"):
            await desk.save([saved(line("R2"), prescription_id="2")])

    run(work)
