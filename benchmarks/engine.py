"""The engine alone: reading a list, and the time of a decision at 20,000 and 400,000 details.

Both sizes hold the same rules for the prescriptions' codes (the large list is the small one and more), are built in
one process and timed turn by turn, so that the ratio does not hang on what else the machine does.
"""

from __future__ import annotations

import gc
import itertools
import statistics
import time
from typing import TYPE_CHECKING, Any

from benchmarks.workload import AT, make_workload
from negative_list.compile import CompiledList, canonical_lines, compile
from negative_list.decide import decide
from negative_list.engine import match
from negative_list.generate import generate
from negative_list.parse import read_parsed
from negative_list.readers import read_body
from negative_list.rules import RuleList
from negative_list.site import Sites
from negative_list.validate import check

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from negative_list.prescription import Prescription

__all__ = ["bench_engine", "bench_reading", "enlarged"]

ROUNDS = 5


def bench_reading(path: Path, details: int) -> dict[str, Any]:
    """Seconds to parse, validate and compile a generated list of so many details from a file."""
    path.write_bytes(b"".join(canonical_lines(generate(details, 1))))
    times: dict[str, list[float]] = {"parse_s": [], "validate_s": [], "compile_s": [], "all_s": []}
    sizes = {"details": 0, "rules": 0}
    for _ in range(3):
        gc.collect()
        marks = [time.perf_counter()]
        parsed = read_parsed(path)
        marks.append(time.perf_counter())
        rules = check(parsed)
        marks.append(time.perf_counter())
        compiled = compile(rules)
        marks.append(time.perf_counter())
        steps = [after - before for before, after in itertools.pairwise(marks)]
        sizes = {"details": compiled.details, "rules": len(compiled.rules)}
        for name, value in zip(times, (*steps, marks[-1] - marks[0]), strict=True):
            times[name].append(value)
    medians = {name: round(statistics.median(values), 4) for name, values in times.items()}
    return {**sizes, **medians}


def enlarged(small: RuleList, details: int) -> RuleList:
    """The small list and so many generated details more."""
    more = generate(details - small.details, 2)
    return RuleList(rules=(*small.rules, *more.rules), sets=small.sets)


def bench_engine(small: RuleList, large: RuleList | None) -> dict[str, Any]:
    """Median microseconds of match and of decide for a prescription, and the ratio of large to small."""
    lists = {"small": compile(small)} | ({"large": compile(large)} if large is not None else {})
    workload = make_workload(lists["small"])
    gc.collect()
    gc.freeze()
    answer: dict[str, Any] = {"details": {name: compiled.details for name, compiled in lists.items()}}
    for name, run in (("match_us", match), ("decide_us", decide)):
        answer[name] = _timed(run, lists, workload.prescriptions)
    answer["read_us"] = _reading(workload.bodies)
    answer["mix"] = _mix(lists["small"], workload.prescriptions)
    return answer


def _timed(
    run: Callable[[CompiledList, Prescription, datetime], object],
    lists: dict[str, CompiledList],
    prescriptions: tuple[Prescription, ...],
) -> dict[str, Any]:
    medians: dict[str, list[float]] = {name: [] for name in lists}
    p99: dict[str, list[float]] = {name: [] for name in lists}
    for _ in range(ROUNDS):
        for name, compiled in lists.items():
            times = sorted(_once(run, compiled, prescription) for prescription in prescriptions)
            medians[name].append(times[len(times) // 2])
            p99[name].append(times[int(len(times) * 0.99)])
    found: dict[str, Any] = {name: round(statistics.median(values), 1) for name, values in medians.items()}
    found["p99"] = {name: round(statistics.median(values), 1) for name, values in p99.items()}
    if "large" in medians:
        ratios = [large / small for small, large in zip(medians["small"], medians["large"], strict=True)]
        found["large_to_small"] = round(statistics.median(ratios), 3)
    return found


def _once(run: Callable[..., object], compiled: CompiledList, prescription: Prescription) -> float:
    started = time.perf_counter_ns()
    run(compiled, prescription, AT)
    return (time.perf_counter_ns() - started) / 1000


def _reading(bodies: tuple[dict[str, Any], ...]) -> float:
    """Median microseconds to read a parsed body of our own JSON."""
    sites = Sites()
    times = []
    for body in bodies:
        started = time.perf_counter_ns()
        read_body(body, sites, AT)
        times.append((time.perf_counter_ns() - started) / 1000)
    return round(statistics.median(times), 1)


def _mix(compiled: CompiledList, prescriptions: tuple[Prescription, ...]) -> dict[str, float]:
    """What the workload turned out to be, as shares."""
    decisions = [decide(compiled, prescription, AT) for prescription in prescriptions]
    size = len(decisions)
    certain = [sum(not f.unknown for f in d.findings) for d in decisions]
    return {
        "prescriptions": size,
        "no_finding": round(sum(n == 0 for n in certain) / size, 3),
        "one": round(sum(n == 1 for n in certain) / size, 3),
        "more": round(sum(n > 1 for n in certain) / size, 3),
        "with_unknown": round(sum(bool(d.not_evaluated) for d in decisions) / size, 3),
    }
