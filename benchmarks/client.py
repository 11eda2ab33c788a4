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

import asyncio
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from benchmarks import steady
from benchmarks.kills import Place, Victim, exported, make_place
from reminder.client import Checked, Client, Told
from tests.reminder.bodies import WOMEN, own_body, own_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["FAULTS", "Course", "Heard", "judge", "place_of", "run"]

DEADLINE_MS = 300.0
FAULTS = ("late", "unreported", "lost", "doubled", "not_in_journal", "put_aside", "still_waiting")
"""The figures of a run that have to be nothing."""

_THREADS = 8
_DRAIN_S = 300.0


class Course(steady.Course, frozen=True, kw_only=True):
    """A run, and what its callers wait at most."""

    prescriptions: int = 10_000
    per_s: float = 100.0
    kills: int = 8
    deadline_ms: float = DEADLINE_MS


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
    return make_place(folder, "", grpc=steady.free_address("grpc"), **settings)


async def run(place: Place, course: Course) -> dict[str, Any]:
    """The figures of a run."""
    heard: list[Heard] = []
    lives: list[tuple[float, float]] = []
    over = threading.Event()
    victim = Victim(place)
    target = (await victim.serving())["grpc"]
    stall = steady.Stall(over)
    with Client(target, deadline_ms=course.deadline_ms, folder=place.folder / "spool") as client:
        begun = time.monotonic()

        def one(number: int) -> None:
            heard.append(_prescription(client, number))

        work = asyncio.create_task(asyncio.to_thread(steady.prescribe, course, _THREADS, over, one))
        try:
            victim = await steady.kill_again(place, victim, course, work, lives)
            await work
            took_s = time.monotonic() - begun
            delivered = await asyncio.to_thread(client.deliver, _DRAIN_S)
            figures = {"took_s": round(took_s, 1), "kills": len(lives) - 1, "put_aside": client.put_aside}
            figures["still_waiting"] = 0 if delivered else client.waiting
        finally:
            over.set()
            await work
            victim.process.terminate()
            victim.process.wait(60)
    return figures | _waits(heard, course, stall.longest_ms) | judge(heard, exported(place))


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
        "check_ms": steady.spread(waits),
        "told_ms": steady.spread(told),
        "machine_stall_ms": round(stall_ms, 1),
        "past_deadline": sum(wait > course.deadline_ms for wait in both),
        "late": sum(wait > course.deadline_ms + steady.SLACK_MS + stall_ms for wait in both),
        "unreported": sum(one.checked.checked == bool(one.checked.why) for one in heard),
    }


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
    usual = {"prescriptions": 10_000, "per_s": 100.0, "kills": 8, "seed": 1}
    course = Course(**steady.told(__doc__, usual))
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(run(place_of(Path(folder)), course))
    steady.verdict(figures, FAULTS)


if __name__ == "__main__":
    main()
