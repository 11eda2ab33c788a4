"""Decoders that are made when they are first needed are made by one thread at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Barrier, Thread

import pytest

from reminder.once import made_once

TURNS = 5
THREADS = 8
_ROOT = Path(__file__).parents[2]
_READ_TOGETHER = """
import sys
from datetime import UTC, datetime
from threading import Barrier, Thread

from negative_list.decision import Decision
from negative_list.prescription import Encounter, Line, Prescription
from reminder.journal import coding
from reminder.journal.entries import Decided
from reminder.journal.forms import as_form
from reminder.stores import coding as stored

asked = Prescription(encounter=Encounter(id="E", lines=(Line(id="1", encounter_id="E"),)))
entry = Decided(
    engine="1",
    at=datetime(2026, 1, 8, 1, tzinfo=UTC),
    decision_id="D",
    decided_at=datetime(2026, 1, 8, 9),
    prescription=as_form(asked),
    answer=as_form(Decision(decision="pass")),
)
body, kinds = coding.encode(entry), (asked, asked.encounter, asked.encounter.lines[0])
bodies = {type(each): stored.encode(each) for each in kinds}
works = [lambda: coding.decode(body)] * 4 + [lambda k=k, b=b: stored.decode(k, b) for k, b in bodies.items()] * 2
together, read = Barrier(len(works)), []


def run(work):
    together.wait()
    read.append(work())


sys.setswitchinterval(1e-6)
threads = [Thread(target=run, args=(work,)) for work in works]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.exit(len(read) != len(works))
"""


@pytest.mark.parametrize("turn", range(TURNS))
def test_threads_that_read_at_once_for_the_first_time_end_no_process(turn: int) -> None:
    """Threads may read their first entries and records at the same moment: a fault would be the process's end."""
    told = subprocess.run([sys.executable, "-c", _READ_TOGETHER], capture_output=True, cwd=_ROOT, check=False)
    assert (turn, told.returncode) == (turn, 0), told.stderr.decode()


def test_things_are_made_once_and_one_at_a_time() -> None:
    """Threads that ask together, for the same and for other things, get what one of them made, alone."""
    together, making, met = Barrier(THREADS), [0], [0]
    got: set[tuple[str, object]] = set()

    def make(name: str) -> tuple[str, object]:
        making[0] += 1
        met[0] = max(met[0], making[0])
        for _ in range(10_000):
            pass
        making[0] -= 1
        return name, object()

    kept = made_once(make)

    def ask(name: str) -> None:
        together.wait()
        got.add(kept(name))

    threads = [Thread(target=ask, args=(str(number % 2),)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == len({name for name, _ in got}) == 2
    assert met == [1]


def test_what_was_not_made_is_made_when_it_is_asked_for_again() -> None:
    """A failure is the caller's, and nothing is kept of it."""
    turns = iter((0, 1))
    kept = made_once(lambda: 1 // next(turns))
    with pytest.raises(ZeroDivisionError):
        kept()
    assert (kept(), kept()) == (1, 1)
