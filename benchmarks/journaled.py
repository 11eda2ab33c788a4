"""What the journal costs: checks a second with it and without it, and of an empty RPC, in one run, turn by turn.

``python -m benchmarks.journaled``. Three processes stand side by side: a sidecar that journals, the same without
journal, and an empty server that returns as many bytes. Each turn the same client asks each of them the same, 16 in
flight, every request with an id of its own, as callers send them: so the journal is asked whether it knows it. That
each group of entries was synced is counted from outside, by strace, in a turn that is not timed.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
import msgspec

from benchmarks.kills import Place, Victim, make_place
from benchmarks.serving import IN_FLIGHT, METHOD, empty_server
from benchmarks.workload import make_workload
from negative_list.compile import canonical_lines, compile
from negative_list.generate import generate
from reminder.wire_client import request_of

if TYPE_CHECKING:
    from negative_list.rules import RuleList

__all__ = ["bench_journaled"]

ROUNDS = 5
CALLS = 2_000
WARM_S = 5.0
"""By then the process that writes the journal is there, which no answer waits for."""

_SERIAL = itertools.count()


async def bench_journaled(rules: RuleList, folder: Path) -> dict[str, Any]:
    """Calls a second with journal, without, and empty; the ratios of each turn, and syncs a thousand entries."""
    list_ = folder / "list.jsonl"
    list_.write_bytes(b"".join(canonical_lines(rules)))
    requests = _requests(rules)
    async with _served(folder / "on", list_) as on, _served(folder / "off", list_, journal="off") as off:
        sizes = await _sizes(on[1], requests[:200])
        await asyncio.sleep(WARM_S)
        async with empty_server(round(statistics.median(sizes))) as (empty, process):
            servers = {"journaled": (on[1], on[0].process.pid), "off": (off[1], off[0].process.pid)}
            before = _cpu_s(*_children(on[0].process.pid))
            rates, cpu_us = await _turns(servers | {"empty": (empty, process.pid)}, requests)
            beside_s = _cpu_s(*_children(on[0].process.pid)) - before
        syncs = await _synced(on[0], on[1], requests)
    return {
        "response_bytes": round(statistics.median(sizes)),
        **{f"{name}_per_s": round(statistics.median(values)) for name, values in rates.items()},
        **{f"{name}_cpu_us": round(statistics.median(values)) for name, values in cpu_us.items()},
        "beside_cpu_us": round(beside_s / ROUNDS / CALLS * 1e6),
        "journaled_to_off": _ratio(rates["journaled"], rates["off"]),
        "journaled_to_empty": _ratio(rates["journaled"], rates["empty"]),
        "off_to_empty": _ratio(rates["off"], rates["empty"]),
        **syncs,
    }


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return round(statistics.median(a / b for a, b in zip(ours, theirs, strict=True)), 3)


_Figures: TypeAlias = "dict[str, list[float]]"


async def _turns(servers: dict[str, tuple[str, int]], requests: list[bytes]) -> tuple[_Figures, _Figures]:
    """Calls a second, and microseconds of the processor a call, of each turn; whoever is first changes.

    The processor's time of a server does not hang on what else the machine does.
    """
    rates: _Figures = {name: [] for name in servers}
    cpu_us: _Figures = {name: [] for name in servers}
    for turn in range(ROUNDS):
        names = list(servers)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            target, pid = servers[name]
            before = _cpu_s(pid)
            rates[name].append(await _load(target, requests))
            cpu_us[name].append((_cpu_s(pid) - before) / CALLS * 1e6)
    return rates, cpu_us


def _cpu_s(*pids: int) -> float:
    """Seconds of the processor some processes have used (Linux)."""
    stats = [Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split() for pid in pids]
    return sum(int(fields[11]) + int(fields[12]) for fields in stats) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    """The processes a process has started (Linux): the one that writes the journal."""
    texts = [path.read_text("utf-8") for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [int(word) for text in texts for word in text.split()]


async def _load(target: str, requests: list[bytes], calls: int = CALLS) -> float:
    numbers = iter(range(calls))
    async with grpc.aio.insecure_channel(target) as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
        await call(_named(requests[0]))

        async def run() -> None:
            for number in numbers:
                await call(_named(requests[number % len(requests)]))

        started = time.perf_counter()
        await asyncio.gather(*(run() for _ in range(IN_FLIGHT)))
        return calls / (time.perf_counter() - started)


def _named(request: bytes) -> bytes:
    """A request with an id of its own: of a field that stands twice, the last counts."""
    ident = f"Q{next(_SERIAL):09d}".encode()
    return request + b"\x0a" + bytes([len(ident)]) + ident


async def _sizes(target: str, requests: list[bytes]) -> list[int]:
    async with grpc.aio.insecure_channel(target) as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
        return [len(await call(_named(request))) for request in requests]


@contextlib.asynccontextmanager
async def _served(folder: Path, list_: Path, **settings: str) -> AsyncIterator[tuple[Victim, str]]:
    folder.mkdir()  # noqa: ASYNC240 - before anything is measured
    place: Place = make_place(folder, **{"list": str(list_), **settings})
    with _running(Victim(place)) as victim:
        yield victim, str((await victim.serving())["grpc"])


@contextlib.contextmanager
def _running(victim: Victim) -> Iterator[Victim]:
    try:
        yield victim
    finally:
        victim.process.terminate()
        victim.process.wait(60)


async def _synced(victim: Victim, target: str, requests: list[bytes]) -> dict[str, Any]:
    """Syncs of the journal's log while a thousand checks are answered; nothing where strace is not there."""
    if shutil.which("strace") is None:
        return {}
    pids = [word for pid in (victim.process.pid, *_children(victim.process.pid)) for word in ("-p", str(pid))]
    command = ["strace", "-f", "-qq", "-y", "-e", "trace=fdatasync,fsync", *pids]
    # A file, not a pipe: strace stops what it traces while nobody reads a full pipe.
    with tempfile.TemporaryFile("w+") as said:
        tracer = subprocess.Popen(command, stderr=said)
        await asyncio.sleep(1)
        rate = await _load(target, requests, 1000)
        tracer.send_signal(signal.SIGINT)
        await asyncio.to_thread(tracer.wait)
        said.seek(0)
        syncs = sum("journal.sqlite-wal" in line for line in said if "resumed" not in line)
    return {"syncs_per_1000_entries": syncs, "traced_per_s": round(rate)}


def _requests(rules: RuleList) -> list[bytes]:
    """The workload as bytes on the wire."""
    workload = make_workload(compile(rules))
    return [request_of(msgspec.to_builtins(body)).SerializeToString() for body in workload.bodies]


def main() -> None:
    """Run it and print the figures."""
    details = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(bench_journaled(generate(details, 1), Path(folder))), indent=1))


if __name__ == "__main__":
    main()
