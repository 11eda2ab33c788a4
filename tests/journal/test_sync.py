"""Answered means on disk: between the write of an entry and its answer the system was told to sync, and did."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.kills import Place, Victim, command, make_place
from reminder.wire_client import request_of
from tests.journal.traced import faults, read_trace, strace, traceable
from tests.reminder.bodies import own_body
from tests.reminder.sidecar import stub
from tests.stores.server import started

CHECKS, CALLERS = 40, 4
READY_S = 60.0

CARELESS = """
import re
import sqlite3

connect = sqlite3.connect

def careless(*args, **more):
    class Connection(sqlite3.Connection):
        def execute(self, text, *values):
            return super().execute(re.sub(r"synchronous *= *FULL", "synchronous = OFF", text), *values)
    return connect(*args, factory=Connection, **more)

sqlite3.connect = careless

import psycopg

dial = psycopg.connect

def hasty(*args, **more):
    more["options"] = (more.get("options") or "").replace("synchronous_commit=on", "synchronous_commit=off")
    return dial(*args, **more)

psycopg.connect = hasty
"""
"""What makes a process tell its database not to wait for the disk: no setting of ours does that."""

WRITTEN = {"sqlite": "journal.sqlite-wal", "postgres": "/pg_wal/"}
"""What the file is called into which a database writes first."""


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """A database that syncs: which, its URL, and its processes."""
    if why := traceable():
        pytest.skip(why)
    if request.param == "sqlite":
        yield "sqlite", "", ()
        return
    with started(fsync=True) as server:
        for dsn in server.database():
            yield "postgres", dsn, server.pids()


def traced(place: Place, words: list[str], also: tuple[int, ...]) -> tuple[list[str], Path]:
    """Checks by a few callers at once, of a sidecar that is traced: ids of what was journaled, and the trace."""
    out = place.folder / "trace"
    victim = Victim(place, [*strace(out, also), *words])
    try:
        target = str(asyncio.run(victim.serving())["grpc"])
        until_ready(place)
        with stub(target) as call, ThreadPoolExecutor(CALLERS) as callers:
            answers = list(callers.map(lambda number: call(request(number), timeout=60), range(CHECKS)))
    finally:
        end(victim.process)
    return [answer.decision_id for answer in answers if answer.journaled], out


def until_ready(place: Place) -> None:
    """Wait for the process that writes the journal beside the sidecar."""
    ends = time.monotonic() + READY_S
    while '"journal process ready"' not in (place.folder / "log").read_text("utf-8"):
        assert time.monotonic() < ends
        time.sleep(0.05)


def request(number: int) -> object:
    """A body of its own."""
    return request_of(own_body(request_id=f"T{number}", institution_id="H1"))


def end(tracer: subprocess.Popen[bytes]) -> None:
    """End what is traced, then let go of the database."""
    children = Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children").read_text("utf-8").split()
    for child in children:
        os.kill(int(child), signal.SIGTERM)
    while any(Path(f"/proc/{child}").exists() for child in children):
        if tracer.poll() is not None:
            return
    tracer.send_signal(signal.SIGINT)
    tracer.wait(30)


def test_an_answer_leaves_after_its_entry_was_synced(store: tuple[str, str, tuple[int, ...]], tmp_path: Path) -> None:
    """Written, synced, answered: in this order, for every answer that says it was journaled."""
    kind, dsn, pids = store
    place = make_place(tmp_path, dsn, commit_budget_ms=10_000)
    journaled, out = traced(place, command(place, "serve"), pids)
    assert len(journaled) == CHECKS
    assert faults(read_trace(out), journaled, WRITTEN[kind]) == []


def test_a_database_that_does_not_sync_is_seen(
    store: tuple[str, str, tuple[int, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same look finds fault with a sidecar whose database was told not to wait for the disk."""
    kind, dsn, pids = store
    place = make_place(tmp_path, dsn, commit_budget_ms=10_000)
    (tmp_path / "sitecustomize.py").write_text(CARELESS, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    journaled, out = traced(place, command(place, "serve"), pids)
    assert len(journaled) == CHECKS
    assert faults(read_trace(out), journaled, WRITTEN[kind]) != []
