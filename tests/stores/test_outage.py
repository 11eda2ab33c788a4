"""PostgreSQL stopped in the middle of a run: answers come within their deadline, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import psycopg
import pytest

from reminder.stores.base import StoreError
from reminder.stores.postgres import open_postgres
from tests.stores.builders import fact, fed, line, saved, wanted
from tests.stores.desks import desk_on, run, until
from tests.stores.server import Server, started

if TYPE_CHECKING:
    from reminder.stores.desk import Desk

DEADLINE_S = 0.05
PATIENTS = [f"p{number}" for number in range(1, 21)]
SLACK_S = 0.25
"""What a busy machine may take to wake a coroutine."""


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A PostgreSQL that nobody else uses, to be stopped."""
    with started() as running:
        yield running


class Load:
    """Writers and checks that go on all the while; what was accepted, and what checks were told."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.going = True
        self.accepted: set[str] = set()
        self.lost: list[str] = []
        self.told: list[tuple[str, float]] = []

    async def write(self) -> None:
        """Save a prescription, correct every third, feed one in ten and tell a fact, again and again."""
        number = 0
        while self.going:
            number += 1
            patient = PATIENTS[number % len(PATIENTS)]
            one = saved(line(f"R{number}"), prescription_id=str(number), patient_key=patient)
            try:
                await self.desk.save([one])
                self.accepted.add(f"R{number}")
                if number % 3 == 0:
                    await self.desk.save([msgspec.structs.replace(one, revision=2)])
                if number % 10 == 0:
                    other = line(f"F{number}", encounter_id="f")
                    await self.desk.put_history([fed(other, record_id=str(number), patient_key=patient)])
                    self.accepted.add(f"F{number}")
                await self.desk.put_facts([fact(number)])
            except StoreError as error:
                self.lost.append(str(error))
            await asyncio.sleep(0.005)

    async def check(self) -> None:
        """Ask, and note what was told and how long it took."""
        while self.going:
            began = time.monotonic()
            told = await self.desk.read(wanted("p1"), DEADLINE_S)
            self.told.append((told.failed, time.monotonic() - began))
            await asyncio.sleep(0.01)

    def outcomes(self) -> set[str]:
        """What checks were told since the last time."""
        seen, self.told = {failed for failed, _ in self.told}, []
        return seen


async def known(desk: Desk) -> list[str]:
    """The lines the store knows of all patients."""
    told = [await desk.read(wanted(patient_key=patient), 5) for patient in PATIENTS]
    assert {one.failed for one in told} == {""}, desk.degraded
    return sorted(one.id for answer in told if answer.history for one in answer.history.lines)


@pytest.mark.parametrize("mode", ["immediate", "fast"])
def test_a_database_stopped_in_the_middle_of_a_run(own_server: Server, tmp_path: Path, mode: str) -> None:
    """Whatever was accepted is there once it is back, once; no check waited longer than its deadline."""

    async def work(dsn: str) -> None:
        async with desk_on(lambda: open_postgres(dsn), tmp_path) as desk:
            load = Load(desk)
            tasks = [asyncio.create_task(load.write()), *(asyncio.create_task(load.check()) for _ in range(3))]
            await asyncio.sleep(1)
            assert "" in load.outcomes()
            await asyncio.to_thread(own_server.stop, mode)
            longest = max((took for _, took in load.told), default=0.0)
            load.told.clear()
            await asyncio.sleep(2)
            longest = max(longest, *(took for _, took in load.told))
            assert load.outcomes() <= {"gone", "slow", "behind"}
            assert desk.waiting > 0
            assert desk.degraded[0].startswith("history store: gone since ")
            await asyncio.to_thread(own_server.start)
            await until(lambda: not desk.waiting)
            await asyncio.sleep(1.5)
            longest = max(longest, *(took for _, took in load.told))
            load.going = False
            await asyncio.gather(*tasks)
            assert load.lost == []
            assert await known(desk) == sorted(load.accepted)
            assert desk.degraded == ()
            assert longest < DEADLINE_S + SLACK_S

    for dsn in own_server.database():
        run(partial(work, dsn))


def test_a_database_that_hangs_costs_a_check_its_deadline_at_most(postgres: str, tmp_path: Path) -> None:
    """Tables that somebody else holds: checks are answered, writes wait in the spool, and both go on afterwards."""

    async def work() -> None:
        async with desk_on(lambda: open_postgres(postgres), tmp_path) as desk:
            await desk.save([saved(line())])
            with psycopg.connect(postgres) as other:
                other.execute("LOCK TABLE record IN ACCESS EXCLUSIVE MODE")
                began = time.monotonic()
                told = [(await desk.read(wanted(), DEADLINE_S)).failed for _ in range(50)]
                assert set(told) <= {"slow", "gone"}
                assert time.monotonic() - began < 50 * (DEADLINE_S + SLACK_S)
                assert await desk.save([saved(line("R2"), prescription_id="2")]) == 1
                assert desk.waiting == 1
            await until(lambda: not desk.waiting and not desk.degraded)
            answer = await desk.read(wanted(), 5)
            assert answer.history is not None
            assert sorted(one.id for one in answer.history.lines) == ["R1", "R2"]

    run(work)
