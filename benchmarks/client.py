"""A sidecar killed and started again while a client goes on: nobody waits past the deadline, each word arrives once.

``python -m benchmarks.client --prescriptions 10000 --kills 8``. A program with eight threads checks prescriptions at a
steady pace, tells what was done about each finding and that each prescription was saved; meanwhile the sidecar's
process is killed again and again and started anew on the same address and data. In the end everything that waited is
delivered, and the journal is the judge: each prescription's ``saved`` entry stands there once, each finding's word once
(what was sent again because its answer was lost is marked as a repetition there), and so does each journaled decision
the caller heard of. Every call is timed by the caller's own clock, beside a thread that does nothing but sleep and see
how late it is waked: a call is late where it took longer than its deadline, by more than that and 20 ms. What nobody
checked has to be what the client said nobody checked.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from benchmarks.kills import Place, Victim, exported, make_place
from reminder.client import Checked, Client, Told
from reminder.config import Address
from reminder.workers.ports import listener
from tests.reminder.bodies import WOMEN, own_body, own_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["FAULTS", "Course", "Heard", "judge", "place_of", "run"]

DEADLINE_MS = 300.0
SLACK_MS = 20.0
"""What the way back through the client may take after the deadline: reading a decision, a thread being waked."""

FAULTS = ("late", "unreported", "lost", "doubled", "not_in_journal", "put_aside", "still_waiting")
"""The figures of a run that have to be nothing."""

_THREADS = 8
_NAP_S = 0.005
_DRAIN_S = 300.0


class Course(Struct, frozen=True, kw_only=True):
    """A run: how many prescriptions, at how many a second, how many kills."""

    prescriptions: int = 10_000
    per_s: float = 100.0
    kills: int = 8
    deadline_ms: float = DEADLINE_MS
    seed: int = 1


class Heard(Struct):
    """What one prescription's caller heard."""

    number: int
    checked: Checked
    saved: Told
    words: dict[str, Told]
    check_ms: float
    told_ms: float


def place_of(folder: Path, **settings: str | float) -> Place:
    """Settings for a sidecar that listens on the same port in each of its lives."""
    with listener("grpc", Address("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return make_place(folder, "", grpc=f"127.0.0.1:{port}", **settings)


async def run(place: Place, course: Course) -> dict[str, Any]:
    """The figures of a run."""
    heard: list[Heard] = []
    over = threading.Event()
    victim = Victim(place)
    target = (await victim.serving())["grpc"]
    stall = _Stall(over)
    with Client(target, deadline_ms=course.deadline_ms, folder=place.folder / "spool") as client:
        begun = time.monotonic()
        work = asyncio.create_task(asyncio.to_thread(_prescribe, client, course, heard, over))
        try:
            victim, lives = await _killed(place, victim, course, work)
            await work
            took_s = time.monotonic() - begun
            delivered = await asyncio.to_thread(client.deliver, _DRAIN_S)
            figures = {"took_s": round(took_s, 1), "kills": lives, "put_aside": client.put_aside}
            figures["still_waiting"] = 0 if delivered else client.waiting
        finally:
            over.set()
            await work
            victim.process.terminate()
            victim.process.wait(60)
    return figures | _waits(heard, course, stall.longest_ms) | judge(heard, exported(place))


async def _killed(place: Place, victim: Victim, course: Course, work: asyncio.Task[None]) -> tuple[Victim, int]:
    """Kill and start again, evenly over the run, until that is done; the last one living, and how many died."""
    rng, gap_s = Random(course.seed), course.prescriptions / course.per_s / (course.kills + 1)
    killed = 0
    while killed < course.kills:
        await asyncio.wait([work], timeout=gap_s * rng.uniform(0.6, 1.0))
        if work.done():
            break
        victim.kill()
        killed += 1
        victim = Victim(place)
        await victim.serving()
    return victim, killed


class _Stall(threading.Thread):
    """How late this machine wakes a thread that sleeps, at worst."""

    def __init__(self, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.longest_ms = 0.0
        self._ended = over
        self.start()

    def run(self) -> None:
        while not self._ended.is_set():
            begun = time.monotonic()
            self._ended.wait(_NAP_S)
            self.longest_ms = max(self.longest_ms, (time.monotonic() - begun - _NAP_S) * 1000)


def _prescribe(client: Client, course: Course, heard: list[Heard], over: threading.Event) -> None:
    """Every prescription at its time; eight at once at most."""
    begun = time.monotonic()

    def one(number: int) -> None:
        wait_s = begun + number / course.per_s - time.monotonic()
        if over.wait(max(0.0, wait_s)):
            return
        heard.append(_prescription(client, number))

    with ThreadPoolExecutor(_THREADS) as threads:
        for done in threads.map(one, range(course.prescriptions)):
            assert done is None  # noqa: S101 - what a thread raised is raised here


def _prescription(client: Client, number: int) -> Heard:
    """One doctor: check, answer what was found, save."""
    body = _body(number)
    waits: dict[str, float] = {"check": 0.0, "told": 0.0}

    def timed(kind: str, call: Any, *args: Any, **told: Any) -> Any:
        begun = time.monotonic()
        answer = call(*args, **told)
        waits[kind] = max(waits[kind], (time.monotonic() - begun) * 1000)
        return answer

    checked: Checked = timed("check", client.check, body)
    words = {}
    for finding in checked.decided.findings if checked.decided is not None else ():
        item = {"finding_id": finding.finding_id, "done": "changed"}
        words[finding.finding_id] = timed("told", client.record_feedback, [item], institution_id="H1", doctor_id="D1")
    saved: Told = timed("told", client.record_saved, body, prescription_id=f"S{number}", revision=1)
    return Heard(
        number=number,
        checked=checked,
        saved=saved,
        words=words,
        check_ms=waits["check"],
        told_ms=waits["told"],
    )


def _body(number: int) -> dict[str, Any]:
    """Every third has a block, every fifth a warning, the others nothing; each is somebody else's."""
    line = own_line(code=WOMEN, quantity=5) if number % 5 == 0 else own_line()
    body = own_body(line, sex="女" if number % 3 == 0 else "男", request_id=f"C{number}", institution_id="H1")
    body["patient"]["id"], body["encounter"]["id"] = f"P{number % 500}", f"M{number}"
    return body


# --- the judge --------------------------------------------------------------------------------------------------------


def _waits(heard: Sequence[Heard], course: Course, stall_ms: float) -> dict[str, Any]:
    """How long callers waited, and what they were told; ``stall_ms``: how late the machine waked a sleeper."""
    waits = sorted(one.check_ms for one in heard)
    told = sorted(one.told_ms for one in heard)
    both = [*waits, *told]
    whys = Counter(one.checked.why for one in heard)
    return {
        "prescriptions": len(heard),
        "checked": whys.pop("", 0),
        "not_checked": dict(whys),
        "waited": sum(word.state == "waiting" for one in heard for word in (one.saved, *one.words.values())),
        "check_ms": _spread(waits),
        "told_ms": _spread(told),
        "machine_stall_ms": round(stall_ms, 1),
        "past_deadline": sum(wait > course.deadline_ms for wait in both),
        "late": sum(wait > course.deadline_ms + SLACK_MS + stall_ms for wait in both),
        "unreported": sum(one.checked.checked == bool(one.checked.why) for one in heard),
    }


def _spread(waits: Sequence[float]) -> dict[str, float]:
    """Of milliseconds in rising order."""
    parts = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "longest": 1.0}
    return {name: round(waits[min(int(len(waits) * part), len(waits) - 1)], 2) for name, part in parts.items()}


def judge(heard: Iterable[Heard], exported: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What callers were told against what the journal holds."""
    decisions, found = set[str](), Counter[str]()
    for line in exported:
        entry = line.get("entry", line)
        if entry["kind"] == "decision":
            decisions.add(entry["decision_id"])
        elif entry["kind"] == "feedback" and not entry.get("times"):
            found[entry["finding_id"]] += 1
        elif entry["kind"] == "saved":
            found[entry["prescription_id"]] += 1
    told = {name: one for each in heard for name, one in (*each.words.items(), (f"S{each.number}", each.saved))}
    journaled = [each.checked.decided for each in heard if each.checked.decided is not None]
    return {
        "told": len(told),
        "lost": [name for name, one in told.items() if not (one.safe and found[name])],
        "doubled": [name for name in told if found[name] > 1],
        "not_in_journal": [d.decision_id for d in journaled if d.journaled and d.decision_id not in decisions],
    }


def main() -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prescriptions", type=int, default=10_000)
    parser.add_argument("--per-s", type=float, default=100.0)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    course = Course(prescriptions=given.prescriptions, per_s=given.per_s, kills=given.kills, seed=given.seed)
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(run(place_of(Path(folder)), course))
    print(json.dumps(figures, ensure_ascii=False, indent=1))
    raise SystemExit(any(figures[fault] for fault in FAULTS))


if __name__ == "__main__":
    main()
