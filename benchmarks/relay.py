"""A bureau that is slow, dead and back, and a sidecar that is killed: nobody's answer is late, each word arrives once.

``python -m benchmarks.relay --prescriptions 2000 --kills 4``. Callers of the national interface check prescriptions at
a steady pace in mode ``both``, answer each finding of the bureau (3103, said again until it is taken), and settle in
GBK (2207). Meanwhile the bureau goes round: well, slow, dead; and the sidecar's process is killed and started again on
the same address and data. In the end both are well, and the bureau is the judge: of each finding whose answer was
taken, a 3103 arrived, and every call that says so is the same, byte for byte. Every check is timed by its caller,
beside a thread that does nothing but sleep and see how late it is waked; those made before the sidecar served, which
wait for it to start, are told apart.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import tempfile
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from benchmarks import steady
from benchmarks.kills import Place, Victim, make_place
from tests.relay.bureau import Arrived, Bureau, finding, taken
from tests.relay.bureau import http as reply_of
from tests.reminder.bodies import encoded, national_body, national_order

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FAULTS", "Course", "Heard", "judge", "place_of", "run"]

DEADLINE_MS = 1000.0
FAULTS = ("late", "lost", "differing", "changed", "unnamed")
"""The figures of a run that have to be nothing."""

_THREADS = 6
_ROUND_S = 2.0
_SLOW_S = 3.0
_LINE_S = 30.0
_DRAIN_S = 120.0


class Course(steady.Course, frozen=True, kw_only=True):
    """A run."""

    prescriptions: int = 2000
    per_s: float = 50.0
    kills: int = 4


class Heard(Struct, kw_only=True):
    """What the callers heard: when each check began and how many milliseconds it took, and what came of it.

    ``lives``: from when until when each sidecar served. ``answered``: the findings whose answer was taken.
    """

    took: list[tuple[float, float]] = field(default_factory=list)
    lives: list[tuple[float, float]] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    whys: Counter[str] = field(default_factory=Counter)
    unnamed: int = 0
    broken: int = 0
    settled: int = 0
    changed: int = 0


def place_of(folder: Path, bureau: Bureau) -> Place:
    """Settings for a sidecar that listens on the same port in each of its lives, with a bureau behind it."""
    place = make_place(folder, "", http=steady.free_address("http"))
    callers = f'[[callers]]\npath = "/his"\ndeadline_ms = {DEADLINE_MS:.0f}\n'
    upstream = f'[upstream]\nurl = "{bureau.url}"\nmodes = {{3101 = "both"}}\nwait_ms = 300\nread_ms = 2000\n'
    place.config.write_text(place.config.read_text("utf-8") + callers + upstream, "utf-8")
    return place


async def run(folder: Path, course: Course) -> dict[str, Any]:
    """The figures of a run."""
    bureau, heard, over = Bureau(), Heard(), threading.Event()
    bureau.reply = _answers
    place = place_of(folder, bureau)
    victim = Victim(place)
    target = (await victim.serving())["http"]
    stall = steady.Stall(over)
    visit = partial(_visit, target, heard)
    work = asyncio.create_task(asyncio.to_thread(steady.prescribe, course, _THREADS, over, visit))
    moods = asyncio.create_task(asyncio.to_thread(_go_round, bureau, over))
    try:
        victim = await steady.kill_again(place, victim, course, work, heard.lives)
        await work
    finally:
        over.set()
        await asyncio.gather(work, moods)
    drained = await asyncio.to_thread(_drained, bureau, heard)
    victim.process.terminate()
    victim.process.wait(60)
    calls = list(bureau.arrived)
    bureau.die()
    return {"kills": len(heard.lives) - 1, "drained": drained} | _waits(heard, stall.longest_ms) | judge(heard, calls)


def _go_round(bureau: Bureau, over: threading.Event) -> None:
    """The bureau: well, slow, dead, and well again in the end."""
    dead = False
    while not over.is_set():
        for mood in ("well", "slow", "dead"):
            bureau.slow_s = _SLOW_S if mood == "slow" else 0.0
            if mood == "dead":
                bureau.die()
                dead = True
            over.wait(_ROUND_S)
            if dead:
                bureau.rise()
                dead = False
    bureau.slow_s = 0.0


def _answers(call: Arrived) -> bytes:
    """One finding for each prescription, named after it; a settlement comes back as it is."""
    told = call.json
    if told["infno"] == "2207":
        return reply_of(call.body)
    return taken(result=[finding(f"B-{told['msgid']}")]) if told["infno"] == "3101" else taken()


# --- the callers ------------------------------------------------------------------------------------------------------


def _visit(target: str, heard: Heard, number: int) -> None:
    """One visit: check, answer what the bureau found, settle."""
    begun = time.monotonic()
    reply = _call(target, encoded(national_body(national_order(), msgid=f"M{number}")), heard)
    if reply is None:
        return
    heard.took.append((begun, (time.monotonic() - begun) * 1000))
    output = json.loads(reply)["output"]
    bureau = output.get("bureau") or {"why": "?", "findings": 0}
    heard.whys[bureau["why"][:10]] += 1
    heard.unnamed += not bureau["why"] and not bureau["findings"]
    for row in output["result"]:
        if row.get("origin") == "bureau":
            _answer(target, row["jr_id"], heard)
    if number % 5 == 0:
        _settle(target, number, heard)


def _answer(target: str, jr_id: str, heard: Heard) -> None:
    """3103, said again until it is taken."""
    warns = [{"warn_rslt_id": jr_id, "dspo_way": "2", "dspo_way_rea": ""}]
    body = encoded({"infno": "3103", "msgid": f"F{jr_id}", "input": {"data": {"warn_type": "1", "warns": warns}}})
    ends = time.monotonic() + _LINE_S
    while time.monotonic() < ends:
        reply = _call(target, body, heard)
        if reply is not None and json.loads(reply)["infcode"] == 0:
            heard.answered.add(jr_id)
            return
        time.sleep(0.05)


def _settle(target: str, number: int, heard: Heard) -> None:
    """2207 in GBK: what comes back is what the bureau said, or words of ours."""
    body = f'{{"infno":"2207","msgid":"S{number}","input":{{"data":{{"psn_name":"测试"}}}}}}'.encode("gbk")
    reply = _call(target, body, heard)
    if reply is not None:
        heard.settled += reply == body
        heard.changed += reply != body and json.loads(reply)["infcode"] != -1


def _call(target: str, body: bytes, heard: Heard) -> bytes | None:
    """One call; ``None`` where the sidecar was killed meanwhile."""
    host, _, port = target.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=_LINE_S)
    try:
        connection.request("POST", "/his", body=body)
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        heard.broken += 1
        return None
    finally:
        connection.close()


# --- the judge --------------------------------------------------------------------------------------------------------


def _drained(bureau: Bureau, heard: Heard) -> bool:
    """Whether every answer that was taken arrived in the end."""
    ends = time.monotonic() + _DRAIN_S
    while time.monotonic() < ends:
        if heard.answered <= _told(list(bureau.arrived)).keys():
            return True
        time.sleep(0.2)
    return False


def _told(calls: Sequence[Arrived]) -> dict[str, list[bytes]]:
    """The bodies that answer each finding."""
    found: dict[str, list[bytes]] = {}
    for call in calls:
        told = call.json
        for warn in told["input"]["data"]["warns"] if told["infno"] == "3103" else ():
            found.setdefault(warn["warn_rslt_id"], []).append(call.body)
    return found


def _waits(heard: Heard, stall_ms: float) -> dict[str, Any]:
    """How long callers waited; ``stall_ms``: how late the machine waked a sleeper."""
    waits = sorted(ms for at, ms in heard.took if any(since <= at < until for since, until in heard.lives))
    return {
        "checked": len(heard.took),
        "checked_while_starting": len(heard.took) - len(waits),
        "check_ms": steady.spread(waits),
        "machine_stall_ms": round(stall_ms, 1),
        "late": sum(wait > DEADLINE_MS + steady.SLACK_MS + stall_ms for wait in waits),
        "bureau_said": dict(heard.whys),
        "unnamed": heard.unnamed,
        "lines_broken_by_kills": heard.broken,
        "settled": heard.settled,
        "changed": heard.changed,
    }


def judge(heard: Heard, calls: Sequence[Arrived]) -> dict[str, Any]:
    """What callers were told against what the bureau got."""
    told = _told(calls)
    return {
        "answers_taken": len(heard.answered),
        "lost": sorted(heard.answered - told.keys()),
        "differing": sorted(jr_id for jr_id, bodies in told.items() if len(set(bodies)) > 1),
        "sent_again_in_doubt": sum(len(bodies) - 1 for bodies in told.values()),
    }


def main() -> None:
    """Run it and print the figures."""
    usual = {"prescriptions": 2000, "per_s": 50.0, "kills": 4, "seed": 1}
    course = Course(**steady.told(__doc__, usual))
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(run(Path(folder), course))
    steady.verdict(figures, FAULTS)


if __name__ == "__main__":
    main()
