"""A journal store that is slow, full, held, read-only or gone: a real sidecar answers on, says so, and catches up."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.journal.moods import JOURNAL, REMINDER, Ward, ward
from tests.stores.server import Server, started


@contextlib.contextmanager
def held(here: Ward) -> Iterator[None]:
    """Another program writes to the file, and does not end."""
    file = here.place.folder / "data" / "journal.sqlite"
    with contextlib.closing(sqlite3.connect(file, isolation_level=None, timeout=60)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


FAULTS: dict[str, Callable[[Ward], AbstractContextManager[None]]] = {
    "held": held,
    "full": lambda here: here.mood("full"),
    "slow": lambda here: here.mood("slow"),
    "read-only": lambda here: here.mood("read-only"),
}


def check_suffers(here: Ward, fault: AbstractContextManager[None]) -> None:
    """Ask before, during and after a fault, and look at what is told of it."""
    here.until(here.well)
    with fault:
        here.until(lambda: not here.check())
        here.check(20)
        here.until(lambda: here.health(JOURNAL) == "NOT_SERVING")
        here.until(lambda: "journal" in here.degraded())
        assert here.health(REMINDER) == "SERVING"
        here.until(lambda: not here.check())
    here.until(here.well)
    here.until(lambda: here.check(3))


def check_caught_up(here: Ward) -> None:
    """Every answer stands in the journal once, in the order of answering, whether it was promised or not."""
    decisions = [line["entry"]["decision_id"] for line in here.entries() if of_kind(line, "decision")]
    assert decisions == [ident for ident, _ in here.answers]
    assert here.verified() == ""


def of_kind(line: dict[str, object], kind: str) -> bool:
    """Whether a line of an export is of a kind of entry."""
    return line["kind"] == kind


def test_a_faulty_file_costs_no_answer_and_no_entry(tmp_path: Path) -> None:
    """Answers go on marked, the journal's health says so, the others do not; afterwards everything is written, once."""
    with ward(tmp_path) as here:
        for fault in FAULTS.values():
            check_suffers(here, fault(here))
        assert here.verified() == ""
    check_caught_up(here)
    late = [ident for ident, journaled in here.answers if not journaled]
    entries = [line["entry"] for line in here.entries()]
    named = [ident for entry in entries if entry["kind"] == "gap" for ident in entry.get("late", ())]
    marked = [entry["decision_id"] for entry in entries if entry["kind"] == "decision" and entry.get("late")]
    assert sorted(named + marked) == sorted(late), "each answer that promised nothing is named as written later, once"


def test_what_no_memory_can_hold_is_counted(tmp_path: Path) -> None:
    """More answers than may wait: the first wait, the others are lost, and an entry says how many and when."""
    with ward(tmp_path, most=10) as here:
        here.until(lambda: here.check(5))
        with here.mood("read-only"):
            here.until(lambda: not here.check())
            here.check(30)
            here.until(lambda: "lost" in here.degraded())
        here.until(here.well)
    lines = [line["entry"] for line in here.entries()]
    kept = [entry["decision_id"] for entry in lines if entry["kind"] == "decision"]
    gaps = [entry for entry in lines if entry["kind"] == "gap" and entry.get("lost")]
    assert kept == [ident for ident, _ in here.answers if ident in set(kept)]
    assert {ident for ident, journaled in here.answers if journaled} <= set(kept)
    assert sum(gap["lost"] for gap in gaps) == len(here.answers) - len(kept) > 0
    assert all(gap["begin"] <= gap["end"] for gap in gaps)
    assert here.verified() == ""


def test_a_folder_that_was_moved_away_and_back_lost_nothing(tmp_path: Path) -> None:
    """Answers go on; what was promised is there afterwards."""
    data, away = tmp_path / "data", tmp_path / "away"
    with ward(tmp_path) as here:
        here.until(lambda: here.check(5))
        data.rename(away)
        try:
            here.check(20)
        finally:
            away.rename(data)
        here.until(here.well)
    check_caught_up(here)


def test_a_file_that_was_deleted_is_not_taken_for_a_journal(tmp_path: Path) -> None:
    """What is promised after it was deleted is in the file that stands there afterwards."""
    with ward(tmp_path) as here:
        here.until(lambda: here.check(5))
        for file in (tmp_path / "data").glob("journal.sqlite*"):
            file.unlink()
        before = len(here.answers)
        here.check(20)
        here.until(here.well)
    kept = {line["entry"]["decision_id"] for line in here.entries() if of_kind(line, "decision")}
    assert {ident for ident, journaled in here.answers[before:] if journaled} <= kept


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[Server]:
    """A PostgreSQL that nobody else uses, to be stopped."""
    with started() as running:
        yield running


@contextlib.contextmanager
def stopped(server: Server) -> Iterator[None]:
    """The server is gone."""
    server.stop()
    try:
        yield
    finally:
        server.start()


@contextlib.contextmanager
def frozen(server: Server) -> Iterator[None]:
    """The server's processes stand still: connections are there, and nothing comes back."""
    pids = server.pids()
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_a_database_that_stops_costs_no_answer_and_no_entry(server: Server, tmp_path: Path) -> None:
    """The same of a server that hangs, and of one that was stopped."""
    for dsn in server.database():
        with ward(tmp_path, dsn) as here:
            check_suffers(here, frozen(server))
            check_suffers(here, stopped(server))
        check_caught_up(here)
