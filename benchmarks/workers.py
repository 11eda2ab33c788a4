"""Two workers against one: processor time a call, memory, and what callers see when a worker is killed.

``python -m benchmarks.workers [--details 20000] [--rounds 5] [--kills 6] [--rate 200] [--calm 0]``. Processor time is
user and system time of every process of a sidecar (supervisor, workers, the processes that append to their journals),
turn by turn in one run, over calls that all have a request id of their own; with ``--calm 150`` at so many a second.
Kills: checks sent at times fixed in advance over many connections, half of which send again what failed; of the others
those that fail are set beside how many were on their way to the worker that was killed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import msgspec
from msgspec import Struct

from benchmarks.serving import IN_FLIGHT, METHOD
from benchmarks.workload import make_workload
from negative_list.compile import canonical_lines, compile
from negative_list.generate import generate
from reminder.wire_client import request_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from reminder.v1 import reminder_pb2 as pb

__all__ = ["bench_cpu", "bench_kills"]

CALLS = 3_000
"""Calls of one round."""

_KILL_EVERY_S = 3.0
_TIMEOUT_S = 30.0
_MB = 1024
_TICKS = os.sysconf("SC_CLK_TCK")
_AGAIN = json.dumps({
    "methodConfig": [{
        "name": [{}],
        "retryPolicy": {
            "maxAttempts": 5, "initialBackoff": "0.05s", "maxBackoff": "1s", "backoffMultiplier": 3,
            "retryableStatusCodes": ["UNAVAILABLE"],
        },
    }]
})  # fmt: skip


class Sidecar(Struct):
    """A sidecar that serves: where, and its first process."""

    target: str
    pid: int

    @property
    def processes(self) -> list[int]:
        """Every process of it."""
        found = [self.pid]
        for pid in found:
            for thread in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (thread / "children").read_text("ascii").split())
        return found

    @property
    def workers(self) -> list[int]:
        """Its workers."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text("ascii").split()]

    def cpu_s(self) -> float:
        """User and system time of all of them so far."""
        return sum(_ticks(pid) for pid in self.processes) / _TICKS

    def memory(self) -> dict[str, float]:
        """MB of all of them, shared pages counted once (PSS), and of each."""
        each = [_pss_mb(pid) for pid in self.processes]
        return {"mb": round(sum(each), 1), "each_mb": [round(one, 1) for one in each]}  # type: ignore[dict-item]


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])  # proc(5): utime, stime


def _pss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / _MB
    return 0.0


@contextmanager
def served(file: Path, data: Path, workers: int) -> Iterator[Sidecar]:
    """``reminder serve`` with so many workers on free ports."""
    ports = [f"--{face}=127.0.0.1:0" for face in ("grpc", "http", "admin", "admin-http")]
    words = ["serve", "--list", str(file), "--data", str(data), "--workers", str(workers), *ports]
    log = data.with_suffix(".log")
    with log.open("w") as sink:
        process = subprocess.Popen([sys.executable, "-m", "reminder.cli", *words], stdout=sink)
    try:
        yield Sidecar(_target(process, log), process.pid)
    finally:
        process.terminate()
        process.wait(60)


def _target(process: subprocess.Popen[bytes], log: Path) -> str:
    while process.poll() is None:
        for line in log.read_text("utf-8").splitlines():
            if '"event":"serving"' in line:
                return str(json.loads(line)["grpc"])
        time.sleep(0.05)
    raise SystemExit("the sidecar ended before it served")


@asynccontextmanager
async def _calls(target: str, count: int, *, again: bool = False) -> AsyncIterator[list[Any]]:
    """Calls of Check, each on a connection of its own."""
    options: list[tuple[str, Any]] = [("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 50)]
    options += [("grpc.service_config", _AGAIN)] if again else [("grpc.enable_retries", 0)]
    channels = [grpc.aio.insecure_channel(target, options=options) for _ in range(count)]
    try:
        yield [channel.unary_unary(METHOD) for channel in channels]
    finally:
        await asyncio.gather(*(channel.close() for channel in channels))


class _Requests:
    """The workload, each request under an id of its own."""

    def __init__(self, bodies: list[pb.CheckRequest]) -> None:
        self._bodies = bodies
        self._count = 0

    def next(self) -> bytes:
        self._count += 1
        body = self._bodies[self._count % len(self._bodies)]
        body.request_id = f"W{self._count:09d}"
        return body.SerializeToString()


async def _steady(target: str, requests: _Requests, rate: float) -> float:
    """So many calls at times fixed in advance, each on the next of as many connections; calls a second."""
    async with _calls(target, IN_FLIGHT) as calls:
        started, sent = time.perf_counter(), []
        for number in range(CALLS):
            await asyncio.sleep(max(0.0, started + number / rate - time.perf_counter()))
            call = calls[number % IN_FLIGHT]
            sent.append(asyncio.ensure_future(call(requests.next(), timeout=_TIMEOUT_S)))
        await asyncio.gather(*sent)
        return CALLS / (time.perf_counter() - started)


async def _round(target: str, requests: _Requests, rate: float = 0) -> float:
    """So many calls over as many connections as are in flight; calls a second. ``rate``: no more than so many."""
    if rate:
        return await _steady(target, requests, rate)
    numbers = iter(range(CALLS))
    async with _calls(target, IN_FLIGHT) as calls:

        async def run(call: Any) -> None:
            for _ in numbers:
                await call(requests.next(), timeout=_TIMEOUT_S)

        started = time.perf_counter()
        await asyncio.gather(*map(run, calls))
        return CALLS / (time.perf_counter() - started)


def bench_cpu(file: Path, folder: Path, requests: _Requests, rounds: int, rate: float) -> dict[str, Any]:
    """Milliseconds of processor time a call, and memory, with one worker and with two.

    ``rate``: calls a second, the same for both; 0: as many as there can be. Then two workers and the client share what
    processors there are, and a call costs more the more of them are busy, whoever serves.
    """
    spent: dict[int, list[float]] = {1: [], 2: []}
    rates: dict[int, list[float]] = {1: [], 2: []}
    with ExitStack() as stack:
        both = {count: stack.enter_context(served(file, folder / f"cpu{count}", count)) for count in (1, 2)}
        begun = {count: sidecar.memory() for count, sidecar in both.items()}
        for count, sidecar in both.items():
            for _ in range(2 * count):  # each worker binds by itself the rules it is asked about, the first time
                asyncio.run(_round(sidecar.target, requests))
        for turn in range(rounds):
            for count in (1, 2) if turn % 2 else (2, 1):
                before = both[count].cpu_s()
                rates[count].append(asyncio.run(_round(both[count].target, requests, rate)))
                spent[count].append((both[count].cpu_s() - before) / CALLS * 1000)
        memory = {count: {"begun": begun[count], "asked": sidecar.memory()} for count, sidecar in both.items()}
    ratios = [two / one for one, two in zip(spent[1], spent[2], strict=True)]
    return {
        "calls_asked_per_s": rate or "as many as there can be",
        "cpu_ms_a_call": {count: round(statistics.median(values), 3) for count, values in spent.items()},
        "ratio": round(statistics.median(ratios), 3),
        "ratios": [round(one, 3) for one in ratios],
        "calls_per_s": {count: round(statistics.median(values)) for count, values in rates.items()},
        "memory": memory,
    }


class _Seen:
    """What callers saw: answers, failures by kind, and how many were on their way at each kill."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.late: list[float] = []
        self.on_their_way: dict[str, int] = {"plain": 0, "again": 0}
        self.at_kills: list[int] = []
        self.killed_at = 0.0


async def _ask(call: Any, kind: str, data: bytes, seen: _Seen) -> None:
    seen.on_their_way[kind] += 1
    sent = time.perf_counter()
    try:
        await call(data, timeout=_TIMEOUT_S)
        seen.answers[kind] += 1
    except grpc.aio.AioRpcError as error:
        seen.failed[f"{kind} {error.code().name}"] += 1
        seen.late += [sent - seen.killed_at] if sent > seen.killed_at else []
    finally:
        seen.on_their_way[kind] -= 1


async def bench_kills(sidecar: Sidecar, requests: _Requests, kills: int, rate: float) -> dict[str, Any]:
    """Checks at times fixed in advance while one worker after the other is killed."""
    seen, tasks = _Seen(), []
    async with _calls(sidecar.target, 8) as plain, _calls(sidecar.target, 8, again=True) as again:
        begun = time.perf_counter()
        for number in range(int(rate * _KILL_EVERY_S * (kills + 1))):
            due = begun + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if number and number % int(rate * _KILL_EVERY_S) == 0:
                seen.at_kills.append(seen.on_their_way["plain"])
                seen.killed_at = time.perf_counter()
                os.kill(random.choice(sidecar.workers), signal.SIGKILL)
            kind, calls = (("plain", plain), ("again", again))[number % 2]
            tasks.append(asyncio.create_task(_ask(random.choice(calls), kind, requests.next(), seen)))
        await asyncio.gather(*tasks)
    return {
        "kills": kills,
        "answered": dict(seen.answers),
        "failed": dict(seen.failed),
        "on_their_way_at_kills": seen.at_kills,
        "failed_although_sent_after_the_kill": len(seen.late),
        "latest_of_these_s": round(max(seen.late, default=0.0), 3),
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("details", 20_000), ("rounds", 5), ("kills", 6), ("rate", 200), ("calm", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    rules = generate(asked.details, 1)
    bodies = [request_of(msgspec.to_builtins(body)) for body in make_workload(compile(rules)).bodies]
    requests = _Requests(bodies)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "list.jsonl"
        file.write_bytes(b"".join(canonical_lines(rules)))
        found: dict[str, Any] = {"details": asked.details}
        if asked.rounds:
            found |= bench_cpu(file, folder, requests, asked.rounds, asked.calm)
        if asked.kills:
            with served(file, folder / "kills", 2) as sidecar:
                found["kills"] = asyncio.run(bench_kills(sidecar, requests, asked.kills, asked.rate))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
