"""The embedded store where the file is held, full, not writable, damaged or gone, and shared by several processes."""

from __future__ import annotations

import contextlib
import multiprocessing
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reminder.stores.base import StoreError
from reminder.stores.sqlite import SqliteDriver, open_sqlite
from reminder.stores.sqlstore import SqlStore
from tests.stores.builders import NOW, fact, line, saved, wanted
from tests.stores.desks import LONG_S, Clock, desk_on, run, until

if TYPE_CHECKING:
    from reminder.stores.base import Told


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a store in which one line is saved."""
    file = tmp_path / "history.sqlite"
    store = open_sqlite(file)
    store.save([saved(line())])
    store.close()
    return file


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Another program writes, and does not end."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def count(told: Told) -> int:
    """How many lines are told."""
    assert told.history is not None
    return len(told.history.lines)


def test_a_held_file_is_read_and_a_write_says_who_is_in_the_way(path: Path) -> None:
    """Readers do not wait for a writer; a writer waits only so long."""
    store = open_sqlite(path, busy_s=0.05)
    with held(path):
        assert count(store.read(wanted())) == 1
        with pytest.raises(StoreError, match=r"another program has held `.*history.sqlite`") as locked:
            store.save([saved(line("R2"), prescription_id="2")])
    assert locked.value.kind == "locked"
    assert store.save([saved(line("R2"), prescription_id="2")]) == 1
    store.close()


def test_writes_to_a_held_file_wait_in_the_spool(path: Path, tmp_path: Path) -> None:
    """The caller is answered, and the file has it once it is free."""

    async def work() -> None:
        async with desk_on(lambda: open_sqlite(path, busy_s=0.05), tmp_path) as desk:
            with held(path):
                assert await desk.save([saved(line("R2"), prescription_id="2")]) == 1
                assert desk.waiting == 1
                assert (await desk.read(wanted(), LONG_S)).failed == "behind"
            await until(lambda: not desk.waiting)
            assert count(await desk.read(wanted(), LONG_S)) == 2

    run(work)


def test_a_full_disk_is_told_and_nothing_is_half_written(path: Path) -> None:
    """What was known before is known afterwards; a store with space again goes on."""
    full = SqlStore(SqliteDriver(path, most_bytes=path.stat().st_size))
    batch = [saved(line(f"R{k}", name="名" * 300), prescription_id=f"P{k}") for k in range(200)]
    with pytest.raises(StoreError, match="no space is left") as error:
        full.save(batch)
    assert error.value.kind == "full"
    assert count(full.read(wanted())) == 1
    full.close()
    roomy = open_sqlite(path)
    assert roomy.save(batch) == 200
    roomy.close()


def test_a_file_that_may_not_be_written_is_still_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """History is told; a write says what to change."""
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute(
            "PRAGMA journal_mode = DELETE"
        )  # without the shared memory of a log, which would have to be written
    connect = sqlite3.connect

    def read_only(file: Path, **how: Any) -> sqlite3.Connection:
        opened: sqlite3.Connection = connect(f"file:{file}?mode=ro", uri=True, **how)
        return opened

    monkeypatch.setattr(sqlite3, "connect", read_only)
    store = open_sqlite(path)
    assert count(store.read(wanted())) == 1
    with pytest.raises(StoreError, match="may not be written; give the rights") as error:
        store.save([saved(line("R2"), prescription_id="2")])
    assert error.value.kind == "read-only"
    store.close()


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    """A damaged file is not written over."""
    path = tmp_path / "history.sqlite"
    path.write_bytes(b"no database at all, but long enough to be one" * 100)
    with pytest.raises(StoreError, match=r"`.*history.sqlite` is damaged") as error:
        open_sqlite(path)
    assert error.value.kind == "gone"
    assert path.read_bytes().startswith(b"no database")


def test_a_damaged_record_harms_nobody_else(path: Path) -> None:
    """The patient's read fails and says why; others are told as ever."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("UPDATE record SET body = x'c1'")
    store = open_sqlite(path)
    with pytest.raises(StoreError, match="a record of this patient is damaged") as error:
        store.read(wanted())
    assert error.value.kind == "refused"
    assert count(store.read(wanted(patient_key="p2"))) == 0
    store.close()


def test_a_damaged_record_does_not_open_the_breaker(path: Path, tmp_path: Path) -> None:
    """One patient's damage costs the others nothing."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("UPDATE record SET body = x'c1'")

    async def work() -> None:
        async with desk_on(lambda: open_sqlite(path), tmp_path, Clock().clocks()) as desk:
            assert (await desk.read(wanted(), LONG_S)).failed == "gone"
            assert (await desk.read(wanted(patient_key="p2"), LONG_S)).failed == ""

    run(work)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """The message names the folder."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match=r"`.*file/data` cannot be made") as error:
        open_sqlite(tmp_path / "file" / "data" / "history.sqlite")
    assert error.value.kind == "read-only"


def write_many(path: str, worker: int, barrier: Any) -> None:
    """What one of several processes writes: its own prescriptions, and one fact they all write."""
    store = open_sqlite(Path(path), busy_s=LONG_S)
    barrier.wait(LONG_S)
    for k in range(60):
        store.save([saved(line(f"R{worker}-{k}"), prescription_id=f"{worker}-{k}")])
        store.put_facts([fact(worker)], at=NOW)
    store.close()


def test_several_processes_write_one_file_and_lose_nothing(path: Path) -> None:
    """Each write of each process is there, and readers were never refused."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    workers = [context.Process(target=write_many, args=(str(path), number, barrier)) for number in range(2)]
    for worker in workers:
        worker.start()
    store, seen = open_sqlite(path), []
    while any(worker.is_alive() for worker in workers):
        seen.append(count(store.read(wanted())))
        time.sleep(0.005)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert seen == sorted(seen)
    assert count(store.read(wanted())) == 1 + 2 * 60
    assert len(store.read(wanted("p1")).facts) == 1
    store.close()


def test_threads_read_while_one_writes(path: Path) -> None:
    """A write under way is seen whole or not at all."""
    store = open_sqlite(path)
    pairs = [(saved(line(f"a{k}"), line(f"b{k}"), prescription_id=str(k))) for k in range(50)]
    seen: list[int] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            seen.append(count(store.read(wanted())))

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    for pair in pairs:
        store.save([pair])
    done.set()
    for reader in readers:
        reader.join()
    assert {found % 2 for found in seen} == {1}
    assert count(store.read(wanted())) == 101
    store.close()
