"""PostgreSQL stopped in the middle of a run: answers come within their deadline, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
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
from tests.stores.desks import LONG_S, desk_on, in_time, run, until
from tests.stores.server import Server, started

if TYPE_CHECKING:
    from reminder.stores.desk import Desk

DEADLINE_S = 0.05
PATIENTS = [f"p{number}" for number in range(1, 21)]
SOME = 20
"""Checks and writes of each time: before the outage, in it and after it."""


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A PostgreSQL that nobody else uses, to be stopped."""
    with started() as running:
        yield running


class Load:
    """Writers and checks that go on all the while; what was accepted, and what checks of this time were told."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.going = True
        self.time = "before"
        self.accepted: set[str] = set()
        self.lost: list[str] = []
        self.told: dict[str, list[str]] = {time: [] for time in ("before", "gone", "back", "after")}

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
        """Ask, each time within the deadline, and note what was told to a check of which time."""
        while self.going:
            asked_at = self.time
            told = await in_time(self.desk, wanted("p1"), DEADLINE_S)
            self.told[asked_at].append(told.failed)
            await asyncio.sleep(0.01)

    async def goes_on(self, *, read: bool) -> None:
        """Wait until there were some writes and checks, and, where they can be, checks that were told what is known."""
        accepted, told = len(self.accepted), self.told[self.time]
        await until(lambda: len(self.accepted) >= accepted + SOME and len(told) >= SOME and ("" in told or not read))


async def known(desk: Desk) -> list[str]:
    """The lines the store knows of all patients."""
    told = [await desk.read(wanted(patient_key=patient), LONG_S) for patient in PATIENTS]
    assert {one.failed for one in told} == {""}, desk.degraded
    return sorted(one.id for answer in told if answer.history for one in answer.history.lines)


async def outlived(server: Server, desk: Desk, load: Load, mode: str) -> None:
    """A load through the end of the database and its return."""
    tasks = [asyncio.create_task(load.write()), *(asyncio.create_task(load.check()) for _ in range(3))]
    await load.goes_on(read=True)
    await asyncio.to_thread(server.stop, mode)
    load.time = "gone"
    await load.goes_on(read=False)
    await until(lambda: desk.waiting > 0 and desk.degraded[0].startswith("history store: gone since "))
    load.time = "back"
    await asyncio.to_thread(server.start)
    await until(lambda: not desk.waiting and not desk.degraded)
    load.time = "after"
    await load.goes_on(read=True)
    load.going = False
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("mode", ["immediate", "fast"])
def test_a_database_stopped_in_the_middle_of_a_run(own_server: Server, tmp_path: Path, mode: str) -> None:
    """Whatever was accepted is there once it is back, once; no check waited longer than its deadline."""

    async def work(dsn: str) -> None:
        async with desk_on(lambda: open_postgres(dsn), tmp_path) as desk:
            load = Load(desk)
            await outlived(own_server, desk, load, mode)
            assert set(load.told["gone"]) <= {"gone", "slow", "behind"}
            assert load.lost == []
            await until(lambda: not desk.degraded)
            assert await known(desk) == sorted(load.accepted)

    for dsn in own_server.database():
        run(partial(work, dsn))


def test_a_database_that_hangs_costs_a_check_its_deadline_at_most(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables that somebody else holds: checks are answered, writes wait in the spool, and both go on afterwards."""
    monkeypatch.setattr("reminder.stores.postgres.WRITE_S", 1.0)

    async def work() -> None:
        async with desk_on(lambda: open_postgres(postgres), tmp_path) as desk:
            await desk.save([saved(line())])
            await until(lambda: not desk.waiting and not desk.degraded)
            with psycopg.connect(postgres) as other:
                other.execute("LOCK TABLE record IN ACCESS EXCLUSIVE MODE")
                told = [(await in_time(desk, wanted(), DEADLINE_S)).failed for _ in range(SOME)]
                assert set(told) <= {"slow", "gone"}
                assert await desk.save([saved(line("R2"), prescription_id="2")]) == 1
                assert desk.waiting == 1
            await until(lambda: not desk.waiting and not desk.degraded)
            answer = await desk.read(wanted(), LONG_S)
            assert answer.history is not None
            assert sorted(one.id for one in answer.history.lines) == ["R1", "R2"]

    run(work)
