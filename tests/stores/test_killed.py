"""A process killed in the middle of its work: whatever it said was kept is kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reminder.stores.sqlite import open_sqlite
from tests.stores.builders import wanted
from tests.stores.desks import LONG_S, desk_on, run, until

if TYPE_CHECKING:
    from reminder.stores.sqlstore import SqlStore

WORKER = """
import asyncio, sys, time
from datetime import UTC, datetime
from pathlib import Path
from reminder.stores.base import StoreError
from reminder.stores.desk import Clocks, Desk
from reminder.stores.spool import Spool
from reminder.stores.sqlite import open_sqlite
from tests.stores.builders import line, saved

folder, gone = Path(sys.argv[1]), sys.argv[2] == "gone"

def open_store():
    if gone:
        raise StoreError("gone", "told to be")
    return open_sqlite(folder / "history.sqlite")

async def write():
    desk = Desk(open_store, Spool(folder / "spool.sqlite"), Clocks(lambda: datetime.now(UTC), time.monotonic))
    await desk.start()
    for number in range(100_000):
        await desk.save([saved(line(f"R{number}"), prescription_id=str(number))])
        print(number, flush=True)

asyncio.run(write())
"""


@pytest.mark.parametrize("state", ["there", "gone"])
def test_what_was_accepted_survives_a_kill(tmp_path: Path, state: str, root: Path) -> None:
    """Each write that was answered is in the store, or waits for it; at most one more had no time to be answered."""
    command = [sys.executable, "-c", WORKER, str(tmp_path), state]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, text=True) as worker:
        assert worker.stdout is not None
        heard = [int(worker.stdout.readline()) for _ in range(60)]
        worker.kill()
        heard += [int(text) for text in worker.stdout.read().splitlines()]

    def open_store() -> SqlStore:
        return open_sqlite(tmp_path / "history.sqlite")

    async def look() -> None:
        async with desk_on(open_store, tmp_path) as desk:
            await until(lambda: not desk.waiting)
            told = await desk.read(wanted(), LONG_S)
            assert told.history is not None
            known = {one.id for one in told.history.lines}
            assert {f"R{number}" for number in heard} <= known
            assert len(known) - len(heard) in {0, 1}

    run(look)
