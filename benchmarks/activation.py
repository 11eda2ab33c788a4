"""Activations under open-loop load: does anybody notice?

``python -m benchmarks.activation [--details 20000] [--activations 20] [--changed 0.05] [--seconds 40] [--holds]``. A
sidecar answers from a release; the client sends at times fixed in advance, 200 a second and half of what the sidecar
can do, and counts each answer from the time it was to be sent, so that a stall is not hidden by a client that waits.
Blocks with activations and blocks without take turns. Two releases, one probe: every answer must name one of them and
have that one's findings. With ``--holds`` each step of the sidecar's loop is timed by the processor's clock.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import io
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from benchmarks.open_loop import Answer, Asked, Expected, Load, Told, figures, longest_in, named
from benchmarks.serving import IN_FLIGHT, METHOD
from benchmarks.workload import AT, make_workload
from negative_list.compile import canonical_lines
from negative_list.compiled_form import form_of, loading_of
from negative_list.conditions import Fact
from negative_list.decide import begin, decide
from negative_list.generate import generate
from negative_list.readers import read_body
from negative_list.rules import RuleList, Trigger
from negative_list.site import Sites
from reminder.v1 import reminder_pb2 as pb
from reminder.wire_client import request_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from negative_list.compile import CompiledList
    from negative_list.decision import Decision
    from negative_list.prescription import Prescription
    from negative_list.rules import Rule

__all__ = ["bench_activation"]

RATE = 200.0
BLOCKS = 4
PROBE = "Z9PROBE00000000000000001"
CAPACITY_S = 4.0
MOST_HELD_MS = 5.0
_PROBED = 6
REST_S = 0.5
WINDOW_S = 2.0
"""Seconds after the call for an activation in which it is felt, if it is; calm blocks are cut into as long ones."""

_PIECE = 1 << 20
_LISTS = "/reminder.v1.ListService/"
_BIN = Path(sys.executable).parent
_ALWAYS = Fact(fact="encounter.visit_mode", any_of=("inpatient", "outpatient"))

# -- two releases


def releases(details: int, changed: float) -> dict[str, RuleList]:
    """Two lists: the second has new versions of a share of the rules, and both have the probe's own rule."""
    first = generate(details, 1)
    every = max(1, round(1 / changed)) if changed else len(first.rules) + 1
    second = tuple(replace(rule, version=2) if n % every == 0 else rule for n, rule in enumerate(first.rules))
    return {
        "2026.1": RuleList(rules=(*first.rules, _probe_rule(first.rules[0], "probe-1")), sets=first.sets),
        "2026.2": RuleList(rules=(*second, _probe_rule(first.rules[0], "probe-2")), sets=first.sets),
    }


def _probe_rule(like: Rule, ident: str) -> Rule:
    return replace(like, id=ident, trigger=Trigger(codes=(PROBE,)), violation=_ALWAYS, scope=None, grades=())


def written(folder: Path, lists: Mapping[str, RuleList]) -> dict[str, Path]:
    """The releases as files, signed; made by the commands people use."""
    _run("negative-list", "keygen", "-o", str(folder / "key"))
    files = {}
    for version, rules in lists.items():
        source, files[version] = folder / f"{version}.jsonl", folder / f"{version}.release"
        source.write_bytes(b"".join(canonical_lines(rules)))
        key = ("--key", str(folder / "key"), "--version", version)
        _run("negative-list", "build", str(source), *key, "-o", str(files[version]))
    return files


def _run(program: str, *words: str) -> None:
    subprocess.run([_BIN / program, *words], check=True, capture_output=True)


def requests_of(lists: Mapping[str, RuleList]) -> list[Expected]:
    """The workload of every benchmark, each sixth request with the probe among its lines, and what is to be found."""
    compiled = {version: _loaded(rules) for version, rules in lists.items()}
    workload = make_workload(next(iter(compiled.values())))
    made = []
    for number, (body, read) in enumerate(zip(workload.bodies, workload.prescriptions, strict=True)):
        prescription = read if number % _PROBED else _with_probe(body)
        found = {version: _told(decide(each, prescription, AT)) for version, each in compiled.items()}
        whole = not any(begin(each, prescription, AT).needs for each in compiled.values())
        data = request_of(msgspec.to_builtins(body)).SerializeToString()
        made.append(Expected(data=data, found=found, whole=whole))
    return made


def _with_probe(body: dict[str, Any]) -> Prescription:
    """The first line's item becomes the probe; what is read then."""
    body["encounter"]["lines"][0]["code"] = PROBE
    return read_body(body, Sites(), AT)


def _loaded(rules: RuleList) -> CompiledList:
    loading = loading_of(io.BytesIO(form_of(rules)))
    for _ in loading:
        pass
    return loading.compiled


def _told(decision: Decision) -> Told:
    return frozenset((each.rule_id, each.rule_version, each.lines) for each in decision.findings)


# -- the sidecar


@contextlib.asynccontextmanager
async def serving(folder: Path, files: Mapping[str, Path], *, holds: Path | None) -> AsyncIterator[dict[str, Any]]:
    """A sidecar that began with the first release and has staged the second: what it said when it served."""
    first, second = files.values()
    faces = dict.fromkeys(("grpc", "http", "admin", "admin_http"), "127.0.0.1:0")
    settings = {**faces, "release": str(first), "trust": [str(folder / "key.pub")], "data": str(folder / "data")}
    config = folder / "settings.toml"
    config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()), "utf-8")
    program = ["-m", "reminder.cli"] if holds is None else ["-m", "benchmarks.held", str(holds)]
    command = [sys.executable, *program, "serve", "--config", str(config)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        entry = await asyncio.to_thread(_serves, process)
        draining = asyncio.create_task(asyncio.to_thread(_drained, process))
        try:
            await _stage(entry["admin"], second)
            yield entry | {"pid": process.pid}
        finally:
            process.terminate()
            await draining


async def _stage(target: str, file: Path) -> None:
    data = file.read_bytes()  # noqa: ASYNC240 - before anything is measured

    async def pieces() -> AsyncIterator[pb.StageRequest]:
        for start in range(0, len(data), _PIECE):
            yield pb.StageRequest(who="bench", size_bytes=len(data), piece=data[start : start + _PIECE])

    async with grpc.aio.insecure_channel(target) as channel:
        call: grpc.aio.StreamUnaryMultiCallable[pb.StageRequest, pb.StageResponse] = channel.stream_unary(
            f"{_LISTS}Stage",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=pb.StageResponse.FromString,
        )
        told = await call(pieces())
    if not told.staged:
        raise SystemExit(f"not staged: {told.steps}")


def _serves(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None  # noqa: S101 (a pipe was asked for)
    for line in process.stdout:
        entry: dict[str, Any] = json.loads(line)
        if entry.get("event") == "serving":
            return entry
    raise SystemExit("the sidecar ended before it served")


def _drained(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None  # noqa: S101 (a pipe was asked for)
    for _ in process.stdout:
        pass


# -- the load


async def capacity(target: str, requests: Sequence[Expected]) -> float:
    """Checks a second with so many in flight, for some seconds."""
    end = time.perf_counter() + CAPACITY_S
    numbers = iter(range(1 << 40))
    async with grpc.aio.insecure_channel(target) as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)

        async def run() -> int:
            done = 0
            while time.perf_counter() < end:
                await call(named(requests[next(numbers) % len(requests)].data))
                done += 1
            return done

        return sum(await asyncio.gather(*(run() for _ in range(IN_FLIGHT)))) / CAPACITY_S


class Change(Struct, frozen=True, kw_only=True):
    """One activation: which, when it was called for, when the call came back."""

    version: str
    called: float
    back: float


async def activations(channel: grpc.aio.Channel, versions: Iterator[str], count: int, seconds: float) -> list[Change]:
    """So many activations, evenly over the seconds."""
    call: grpc.aio.UnaryUnaryMultiCallable[pb.ActivateRequest, pb.ActivateResponse] = channel.unary_unary(
        f"{_LISTS}Activate",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=pb.ActivateResponse.FromString,
    )
    done = []
    begun = time.perf_counter()
    for number in range(count):
        await asyncio.sleep(max(0.0, begun + (number + 0.2) * seconds / count - time.perf_counter()))
        version, called = next(versions), time.perf_counter()
        await call(pb.ActivateRequest(version=version, allow_older=True, who="bench", why="bench"), timeout=60)
        done.append(Change(version=version, called=called, back=time.perf_counter()))
    return done


# -- what came of it


def seen(changes: Sequence[Change], answers: Sequence[Answer]) -> dict[str, float]:
    """Seconds from the call for an activation to the first answer that names it, and answers of the old one after."""
    seconds, late = [], 0
    for number, change in enumerate(changes):
        until = changes[number + 1].called if number + 1 < len(changes) else float("inf")
        after = [one for one in answers if change.called <= one.came < until]
        seconds.append(min((one.came - change.called for one in after if one.release == change.version), default=-1.0))
        late += sum(one.release != change.version for one in after if one.due > change.back)
    return {
        "activations": len(changes),
        "seen_after_s_longest": round(max(seconds), 3),
        "never_seen": sum(each < 0 for each in seconds),
        "call_s_longest": round(max(change.back - change.called for change in changes), 3),
        "old_release_after_the_call": late,
    }


def windows(
    calm: Sequence[Answer], busy: Sequence[Answer], changes: Sequence[Change], seconds: float
) -> dict[str, Any]:
    """The longest answer after each activation, beside that of as many seconds without: a median of stalls.

    The longest of all belongs to the machine as often as to an activation; the median of windows does not.
    """
    first, last = min(one.due for one in calm), max(one.due for one in calm)
    starts = [first + n * seconds for n in range(int((last - first) / seconds))]
    without, with_ = longest_in(calm, starts, seconds), longest_in(busy, [one.called for one in changes], seconds)
    return {
        "seconds": round(seconds, 2),
        "without_ms": without,
        "with_ms": with_,
        "median_above_ms": round(statistics.median(with_) - statistics.median(without), 2),
    }


async def _measured(
    entry: dict[str, Any], asked: Asked, rate: float, versions: Iterator[str], given: argparse.Namespace
) -> dict[str, Any]:
    """Blocks without and with activations, taking turns."""
    seconds, count = given.seconds / BLOCKS, given.activations // BLOCKS
    calm: list[Answer] = []
    busy: list[Answer] = []
    changes: list[Change] = []
    edges: list[float] = []
    async with grpc.aio.insecure_channel(entry["grpc"]) as faced, grpc.aio.insecure_channel(entry["admin"]) as admin:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = faced.unary_unary(METHOD)
        await Load(call, asked, rate, 2.0).run()
        for _ in range(BLOCKS):
            edges.append(time.perf_counter())
            calm += await Load(call, asked, rate, seconds).run()
            await asyncio.sleep(REST_S)
            edges.append(time.perf_counter())
            both = await asyncio.gather(
                Load(call, asked, rate, seconds).run(), activations(admin, versions, count, seconds)
            )
            busy += both[0]
            changes += both[1]
            await asyncio.sleep(REST_S)
        edges.append(time.perf_counter())
    without, with_ = figures(calm), figures(busy)
    return {
        "rate": round(rate),
        "without_ms": without,
        "with_ms": with_,
        "longest_above_ms": round(with_["longest"] - without["longest"], 2),
        "windows": windows(calm, busy, changes, min(WINDOW_S, seconds / count)),
        **seen(changes, busy),
        "edges": edges,
    }


async def bench_activation(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Everything, at both rates."""
    lists = releases(given.details, given.changed)
    files = written(folder, lists)
    asked = Asked(
        requests=requests_of(lists),
        versions={version: {rule.id: rule.version for rule in rules.rules} for version, rules in lists.items()},
    )
    changed, holds = given.changed, folder / "holds" if given.holds else None
    del lists
    gc.collect()
    gc.freeze()
    versions = _turns()
    async with serving(folder, files, holds=holds) as entry:
        await asyncio.sleep(5)
        most = await capacity(entry["grpc"], asked.requests)
        memory = [_resident_mb(entry["pid"])]
        runs = []
        for rate in (RATE, most / 2):
            runs.append(await _measured(entry, asked, rate, versions, given))
            memory.append(_resident_mb(entry["pid"]))
    return {
        "details": entry["details"],
        "changed": changed,
        "start_ms": entry["start_ms"],
        "capacity_per_s": round(most),
        "runs": runs,
        "resident_mb": memory,
        **({"holds": _holds(holds, runs)} if holds is not None else {}),
    }


def _holds(file: Path, runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The longest steps of the loop in blocks without and with activations; how many were over five milliseconds."""
    steps = json.loads(file.read_text("utf-8"))
    edges = [edge for run in runs for edge in itertools.pairwise(run.pop("edges"))]
    told = {}
    for place, name in enumerate(("without", "with")):
        blocks = edges[place::2]
        inside = sorted(
            (took, who, collected) for at, took, who, collected in steps if any(a <= at < b for a, b in blocks)
        )
        told[name] = {
            "over_5_ms": sum(took > MOST_HELD_MS for took, _, _ in inside),
            "longest": {who: {"ms": took, "collector_ms": collected} for took, who, collected in inside},
        }
    return told


def _turns() -> Iterator[str]:
    while True:
        yield "2026.2"
        yield "2026.1"


def _resident_mb(pid: int) -> float:
    """Resident memory as Linux counts it (VmRSS)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def main() -> None:
    """Run it and print the figures."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--details", type=int, default=20_000)
    asked.add_argument("--activations", type=int, default=20)
    asked.add_argument("--changed", type=float, default=0.05, help="share of the rules with a new version")
    asked.add_argument("--seconds", type=float, default=40.0, help="with activations, and as long without")
    asked.add_argument("--holds", action="store_true", help="time each step of the sidecar's loop")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(bench_activation(Path(folder), given)), indent=1))


if __name__ == "__main__":
    main()
