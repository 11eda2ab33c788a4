"""A real sidecar whose journal store is in a bad mood when a test says so, and a caller who goes on asking it."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from benchmarks.kills import Place, Victim, command, exported, make_place
from reminder.wire_client import request_of
from tests.reminder.bodies import own_body
from tests.reminder.sidecar import get, stub

__all__ = ["JOURNAL", "REMINDER", "Ward", "ward"]

REMINDER, JOURNAL = "reminder.v1.ReminderService", "reminder.v1.Journal"
TIMEOUT_S = 60.0
"""A caller's deadline, far above any budget: what a test says is not how busy the machine is."""

WAIT_S = 120.0

MOODY = """
import sqlite3
import sys
import time
from pathlib import Path

mood, connect = Path(sys.argv.pop(1)), sqlite3.connect

class Moody(sqlite3.Connection):
    def execute(self, text, *values):
        now = mood.read_text()
        if text.startswith("BEGIN IMMEDIATE"):
            (pages,) = super().execute("PRAGMA page_count").fetchone()
            super().execute(f"PRAGMA max_page_count = {pages if now == 'full' else 2**30}")
            super().execute(f"PRAGMA query_only = {'ON' if now == 'read-only' else 'OFF'}")
        if text == "COMMIT" and now == "slow" and self.in_transaction:
            time.sleep(1.5)
        return super().execute(text, *values)

def moody(file, *args, **more):
    if "journal.sqlite" in str(file):
        more["factory"] = Moody
    return connect(file, *args, **more)

sqlite3.connect = moody

import reminder.journal.journal as journal
journal.MOST_ENTRIES = int(sys.argv.pop(1))
journal.Journal.append_by = lambda *_: None  # another process has no moods

from reminder.cli import main
main()
"""
"""The sidecar, with a SQLite that does as a file says: no setting of ours makes a store faulty."""


class Ward:
    """A sidecar and its caller. ``answers``: decision id and whether it was journaled, in the order of asking."""

    def __init__(self, place: Place, faces: dict[str, Any]) -> None:
        self.place = place
        self.answers: list[tuple[str, bool]] = []
        self._faces = faces
        self._mood = place.folder / "mood"

    @contextlib.contextmanager
    def mood(self, name: str) -> Iterator[None]:
        """The store is in that mood, then well again."""
        self._mood.write_text(name)
        try:
            yield
        finally:
            self._mood.write_text("")

    def check(self, times: int = 1) -> bool:
        """Ask, one after the other; whether the last answer was journaled. Raises where none came in time."""
        with stub(self._faces["grpc"]) as call:
            for _ in range(times):
                answer = call(request_of(own_body(request_id=f"W{len(self.answers)}")), timeout=TIMEOUT_S)
                self.answers.append((answer.decision_id, answer.journaled))
        return self.answers[-1][1]

    def health(self, service: str) -> str:
        """SERVING or NOT_SERVING."""
        with grpc.insecure_channel(self._faces["grpc"], options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
            asked = health_pb2.HealthCheckRequest(service=service)
            caller: Any = health_pb2_grpc.HealthStub(channel)
            found = caller.Check(asked, timeout=TIMEOUT_S)
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(found.status))

    def degraded(self) -> str:
        """What /readyz says does not work."""
        status, told = get(self._faces["http"], "/readyz")
        assert status == 200
        return " ".join(told["degraded"])

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for something to become true."""
        ends = time.monotonic() + WAIT_S
        while not true():
            assert time.monotonic() < ends, f"{self.answers[-3:]} {self.degraded()}"
            time.sleep(0.05)

    def well(self) -> bool:
        """Whether entries are written in time again; what a checkpoint lacked is told until the next one."""
        return self.check() and self.health(JOURNAL) == "SERVING" and "not written since" not in self.degraded()

    def entries(self) -> list[dict[str, Any]]:
        """The journal as a stranger gets it."""
        return exported(self.place)

    def verified(self) -> str:
        """What ``verify`` complains of."""
        done = subprocess.run(command(self.place, "journal", "verify"), capture_output=True, text=True, check=False)
        return done.stdout + done.stderr if done.returncode else ""


@contextlib.contextmanager
def ward(folder: Path, store: str = "", most: int = 50_000) -> Iterator[Ward]:
    """A sidecar that lives as long as the block; at most so many entries may wait for its store."""
    place = make_place(folder, store)
    mood = folder / "mood"
    mood.write_text("")
    words = command(place, "serve")
    victim = Victim(place, [sys.executable, "-c", MOODY, str(mood), str(most), *words[words.index("serve") :]])
    try:
        yield Ward(place, asyncio.run(victim.serving()))
    finally:
        victim.process.terminate()
        victim.process.wait(WAIT_S)
