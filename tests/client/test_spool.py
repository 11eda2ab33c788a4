"""Where words wait: in order, bounded, on disk for its owner only, delivered by one process at a time."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from typing import TYPE_CHECKING

import pytest

from reminder.client.spool import LEASE_S, MOST_BYTES, open_spool
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reminder.client.spool import Spool

    Make = Callable[..., Spool]


@pytest.fixture(params=["memory", "disk"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Makes spools of one kind; those on disk share a folder."""
    return lambda most=100: open_spool(tmp_path / "spool" if request.param == "disk" else None, most)


def test_words_come_out_in_the_order_they_came_and_stay_until_they_are_done(make: Make) -> None:
    """What is looked at is still there."""
    spool = make()
    for number in range(5):
        spool.add("m", bytes([number])).result()
    first = spool.first(3)
    assert [(one.method, one.request) for one in first] == [("m", b"\0"), ("m", b"\1"), ("m", b"\2")]
    assert [one.place for one in spool.first(3)] == [one.place for one in first]
    spool.done(first[0])
    spool.done(first[0])
    assert (spool.count(), [one.request for one in spool.first(1)]) == (4, [b"\1"])
    spool.close("x")


def test_what_can_never_be_told_is_put_aside(make: Make) -> None:
    """It is counted, and holds up nobody."""
    spool = make()
    spool.add("m", b"bad").result()
    spool.add("m", b"good").result()
    spool.refuse(spool.first(1)[0], "why not")
    assert (spool.count(), spool.refused(), spool.first(9)[0].request) == (1, 1, b"good")
    spool.close("x")


def test_a_full_spool_says_so(make: Make) -> None:
    """And takes the next one when there is room."""
    spool = make(2)
    spool.add("m", b"1").result()
    spool.add("m", b"2").result()
    with pytest.raises(StoreError, match="holds all it may"):
        spool.add("m", b"3").result()
    spool.done(spool.first(1)[0])
    spool.add("m", b"3").result()
    assert [one.request for one in spool.first(9)] == [b"2", b"3"]
    spool.close("x")


def test_memory_is_bounded_in_bytes_too() -> None:
    """A stay of thousands of lines takes a megabyte."""
    spool = open_spool(None, 100)
    spool.add("m", bytes(MOST_BYTES // 8)).result()
    with pytest.raises(StoreError, match="holds all it may"):
        spool.add("m", b"1").result()


def test_a_file_outlives_its_process_and_is_its_owners_only(tmp_path: Path) -> None:
    """It holds ids of patients."""
    spool = open_spool(tmp_path / "a" / "b", 10)
    spool.add("m", b"1").result()
    spool.close("x")
    again = open_spool(tmp_path / "a" / "b", 10)
    assert [one.request for one in again.first(9)] == [b"1"]
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "a" / "b" / "waiting.sqlite").stat().st_mode) == 0o600
    again.close("x")


def test_one_of_several_processes_delivers(tmp_path: Path) -> None:
    """Until it ends, or has not been heard of for the time of the lease."""
    one, other = open_spool(tmp_path, 10), open_spool(tmp_path, 10)
    assert (one.lease("one", 0.0), other.lease("other", 1.0), one.lease("one", 2.0)) == (True, False, True)
    assert (other.lease("other", LEASE_S), other.lease("other", LEASE_S + 3)) == (False, True)
    other.close("other")
    assert one.lease("one", LEASE_S + 4)
    one.close("one")


@pytest.mark.parametrize("damage", [b"", b"SQLite format 3\x00" + b"\xff" * 4096, b"no database at all" * 999], ids=len)
def test_a_folder_that_cannot_be_used_stops_no_program(damage: bytes, tmp_path: Path) -> None:
    """Words wait in memory then, and the spool says why; the damaged file stays to be looked at."""
    folder, file = (tmp_path, tmp_path / "waiting.sqlite") if damage else (tmp_path / "file", tmp_path / "file")
    file.write_bytes(damage)
    spool = open_spool(str(folder), 10)
    assert spool.problem
    spool.add("m", b"1").result()
    assert [one.request for one in spool.first(9)] == [b"1"]
    spool.close("x")
    assert file.read_bytes() == damage


def test_a_folder_may_be_a_text(tmp_path: Path) -> None:
    """As settings hold it."""
    spool = open_spool(str(tmp_path / "new"), 10)
    assert spool.problem == ""
    assert (tmp_path / "new" / "waiting.sqlite").exists()
    spool.close("x")


def test_what_comes_while_the_disk_is_busy_is_written_together_and_waits_for_nobody(tmp_path: Path) -> None:
    """Whoever tells a word may go on before it is on disk; it is counted from the first."""
    spool = open_spool(tmp_path, 100)
    with contextlib.closing(sqlite3.connect(tmp_path / "waiting.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        adding = [spool.add("m", bytes([number])) for number in range(20)]
        assert (spool.count(), [one.done() for one in adding]) == (20, [False] * 20)
        other.execute("COMMIT")
    for one in adding:
        one.result()
    assert [one.request for one in spool.first(99)] == [bytes([number]) for number in range(20)]
    spool.close("x")
    with pytest.raises(StoreError, match="closed"):
        spool.add("m", b"late").result()
