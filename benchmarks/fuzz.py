"""Mutated bodies through the HTTP face of a sidecar that runs as a process of its own.

``python -m benchmarks.fuzz --bodies 50000 --seed 1``. Half of the bodies are readable mutants: each has to be answered
as its plain twin is. The others are broken: each has to be answered with well-formed JSON, a status of 200 and findings
or an infcode of -1 whose error names a field of the caller's, never a fault of ours. In between come the few that are
deep or large, whose caller says how long it waits. Every reply is timed, from the first byte sent to the last one read;
memory is read from the kernel after each hundred bodies. Exit 1 where a promise is not kept.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, Self

from msgspec import Struct, field

from benchmarks.kills import Victim, make_place
from reminder.over_http import DEADLINE_HEADER
from tests.faults.mutations import SPECIALS, Mutant, base, broken, readable
from tests.readers.dialect_list import LIST

__all__ = ["Seen", "Speaker", "agree", "fuzz", "well_formed"]

LONGEST_S = 1.0
"""No reply takes longer."""

DEADLINE_MS = 900
"""What a caller of the large bodies says it waits: 15,000 lines that all violate a rule take a minute."""

MOST_MB = 300.0
"""Memory of the process above what it had after its first hundred bodies; the large bodies are in it."""

_SAID = ("not done in time", "no [upstream] is set")
"""What -1 may say without a field: the caller's deadline, and a number that the mutation made another transaction's."""

_EACH = 100
_SHOWN = 20
_PATIENCE_S = 60.0


class Seen(Struct):
    """What came of a run: how many of each kind, the slowest replies, memory, and every promise that was not kept."""

    counts: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)
    slowest: list[tuple[float, float, str]] = field(default_factory=list)
    first_mb: float = 0.0
    most_mb: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def timed(self, seconds: float, worked_s: float, what: str) -> None:
        """Keep how long a reply took, and how much of that the sidecar worked."""
        self.seconds.append(seconds)
        self.worked.append(worked_s)
        self.slowest = sorted([*self.slowest, (seconds, worked_s, what)], reverse=True)[:_SHOWN]


class Speaker:
    """One connection to a sidecar, made again where it was closed; ``process``: its number, to read what it worked."""

    def __init__(self, address: str, process: int = 0) -> None:
        self._line = http.client.HTTPConnection(address, timeout=_PATIENCE_S)
        self._process = process

    def __enter__(self) -> Self:
        """The connection is made with the first body."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close it."""
        self._line.close()

    def worked_s(self) -> float:
        """Processor time of the sidecar so far."""
        if not self._process:
            return 0.0
        user, system = Path(f"/proc/{self._process}/stat").read_text("utf-8").rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def ask(self, raw: bytes, deadline_ms: int = 0) -> tuple[int, str, float]:
        """Status, reply, seconds; ``deadline_ms``: what the caller says it waits, 0 for nothing said."""
        begun = time.perf_counter()
        said = {DEADLINE_HEADER: str(deadline_ms)} if deadline_ms else {}
        self._line.request("POST", "/3101", raw, {"Content-Type": "text/plain", **said})
        reply = self._line.getresponse()
        text = reply.read()
        seconds = time.perf_counter() - begun
        return reply.status, text.decode(reply.headers.get_content_charset("utf-8")), seconds


def well_formed(status: int, text: str) -> tuple[str, dict[str, Any]]:
    """What is wrong with a reply ("" for nothing), and the reply."""
    if status != 200:  # noqa: PLR2004 - the one status callers take for an answer
        return f"status {status}", {}
    try:
        reply = json.loads(text)
        result, infcode = reply["output"]["result"], reply["infcode"]
    except (ValueError, KeyError, TypeError) as error:
        return f"no reply: {error!r} in {text[:200]!r}", {}
    if infcode not in {0, -1} or not isinstance(result, list):
        return f"infcode {infcode!r}, result {str(result)[:80]}", reply
    errors = [one["field"] for one in reply["output"].get("error", ())]
    named = errors and "sidecar" not in errors
    if infcode == -1 and not named and not any(said in reply["err_msg"] for said in _SAID):
        return f"refused for {errors}: {reply['err_msg']}", reply
    return "", reply


def agree(reply: dict[str, Any], twin: dict[str, Any]) -> bool:
    """Whether a reply says what the twin's says: rule, action, lines, text and amount of every finding."""
    return reply["infcode"] == twin["infcode"] == 0 and _said(reply) == _said(twin)


def _said(reply: dict[str, Any]) -> list[tuple[object, ...]]:
    told = ("rule_id", "action", "lines", "involved", "vola_cont", "vola_amt", "sev_deg", "unknown")
    return [tuple(str(row[key]) for key in told) for row in reply["output"]["result"]]


def fuzz(speaker: Speaker, seen: Seen, seed: int) -> None:
    """One readable mutant beside its twin, and one broken one."""
    rng = Random(seed)
    plain = base(rng, f"P{seed}")
    status, text, _ = speaker.ask(json.dumps(plain | {"msgid": f"T{seed}"}).encode())
    wrong, twin = well_formed(status, text)
    seen.wrong += [f"seed {seed}, twin: {wrong}"] if wrong else []
    mutant = readable(plain, rng)
    reply = _ask(speaker, seen, mutant, f"seed {seed}, readable")
    if reply is not None and not agree(reply, twin):
        seen.wrong.append(f"seed {seed}, readable {mutant.how}: {_said(reply)} in place of {_said(twin)}")
    seen.counts["readable"] += 1
    people = base(rng, f"Q{seed}")
    reply = _ask(speaker, seen, broken(people, rng), f"seed {seed}, broken")
    seen.counts["broken, read" if reply and reply["infcode"] == 0 else "broken, refused"] += 1


def _ask(speaker: Speaker, seen: Seen, mutant: Mutant, what: str, deadline_ms: int = 0) -> dict[str, Any] | None:
    before = speaker.worked_s()
    status, text, seconds = speaker.ask(mutant.raw, deadline_ms)
    seen.timed(seconds, speaker.worked_s() - before, f"{what} {mutant.how}, {len(mutant.raw):,} bytes")
    wrong, reply = well_formed(status, text)
    if wrong:
        seen.wrong.append(f"{what} {mutant.how}: {wrong}")
    return reply if not wrong else None


def _run(victim: Victim, speaker: Speaker, seen: Seen, bodies: int, seed: int) -> None:
    specials = list(SPECIALS.items())
    rounds = bodies // 2
    for number in range(rounds):
        fuzz(speaker, seen, seed * 1_000_003 + number)
        if number % _EACH == _EACH - 1:
            _remember(victim, seen)
        if specials and number % max(1, rounds // len(SPECIALS)) == 0:
            name, make = specials.pop()
            _ask(speaker, seen, Mutant(make(), (name,)), "special", DEADLINE_MS)
            seen.counts["special"] += 1
    _remember(victim, seen)


def _remember(victim: Victim, seen: Seen) -> None:
    if victim.process.poll() is not None:
        raise RuntimeError(f"the sidecar ended with {victim.process.returncode}:\n{victim.said()}")
    status = Path(f"/proc/{victim.process.pid}/status").read_text("utf-8")
    now = int(status.partition("VmRSS:")[2].split()[0]) / 1024
    seen.first_mb = seen.first_mb or now
    seen.most_mb = max(seen.most_mb, now)


def _report(seen: Seen) -> dict[str, Any]:
    ordered = sorted(seen.seconds)
    return {
        "bodies": sum(seen.counts.values()),
        "counts": dict(seen.counts),
        "ms": {f"p{share}": round(1000 * ordered[len(ordered) * share // 100], 2) for share in (50, 99)},
        "slowest_ms": [[round(1000 * took), round(1000 * worked), what] for took, worked, what in seen.slowest],
        "over_1_s": sum(seconds > LONGEST_S for seconds in ordered),
        "worked_over_1_s": sum(seconds > LONGEST_S for seconds in seen.worked),
        "memory_mb": {"first": round(seen.first_mb), "most": round(seen.most_mb)},
        "wrong": seen.wrong[:_SHOWN],
        "wrong_count": len(seen.wrong),
    }


def main() -> None:
    """Run, print the report as JSON, and end with 1 where a promise was not kept."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--bodies", type=int, default=50_000, help="how many mutants, half of them readable")
    words.add_argument("--busy", action="store_true", help="judge by the sidecar's processor time, not by the clock")
    words.add_argument("--seed", type=int, default=1, help="another seed, other mutants")
    told = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = make_place(Path(folder))
        (Path(folder) / "list.yaml").write_text(LIST, "utf-8")
        victim, seen = Victim(place), Seen()
        try:
            address = asyncio.run(victim.serving())["http"]
            with Speaker(address, victim.process.pid) as speaker:
                _run(victim, speaker, seen, told.bodies, told.seed)
        finally:
            victim.kill()
    report = _report(seen)
    sys.stdout.write(json.dumps(report, ensure_ascii=False, indent=1) + "\n")
    grown = seen.most_mb - seen.first_mb
    late = report["worked_over_1_s" if told.busy else "over_1_s"]
    sys.exit(bool(seen.wrong or late or grown > MOST_MB))


if __name__ == "__main__":
    main()
