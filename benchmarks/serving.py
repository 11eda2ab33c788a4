"""The sidecar as a process: Check against an empty unary RPC, cold start, memory.

The empty server is of the same kind (grpc.aio, one process) and returns bytes of the same sizes without looking at the
request; both are driven by the same client with the same request bytes, turn by turn.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["IN_FLIGHT", "METHOD", "bench_cold_start", "bench_rpc", "empty_server", "served"]

METHOD = "/reminder.v1.ReminderService/Check"
IN_FLIGHT = 16
ROUNDS = 5
CALLS = 3_000
"""Calls of one round: a second or so, five rounds of each turn by turn."""

_EMPTY_SERVER = """
import asyncio, sys, grpc
answer = bytes(int(sys.argv[1]))

class Empty(grpc.GenericRpcHandler):
    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(self.answer)

    async def answer(self, request, context):
        return answer

async def main():
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Empty(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()

asyncio.run(main())
"""


@asynccontextmanager
async def served(list_path: Path) -> AsyncIterator[tuple[str, subprocess.Popen[str], dict[str, Any]]]:
    """``reminder serve`` on free ports: its gRPC address, process, and the log entry that says it serves."""
    ports = [f"--{face}=127.0.0.1:0" for face in ("grpc", "http", "admin", "admin-http")]
    data = ["--data", str(list_path.with_suffix(".data"))]
    command = [sys.executable, "-m", "reminder.cli", "serve", "--list", str(list_path), *data, *ports]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        entry: dict[str, Any] = {}
        while entry.get("event") != "serving":
            entry = json.loads(await asyncio.to_thread(_line, process))
        yield str(entry["grpc"]), process, entry
    finally:
        process.terminate()
        process.wait(30)


@asynccontextmanager
async def empty_server(size: int) -> AsyncIterator[tuple[str, subprocess.Popen[str]]]:
    """A server of the same kind that answers so many bytes: its address and process."""
    process = subprocess.Popen([sys.executable, "-c", _EMPTY_SERVER, str(size)], stdout=subprocess.PIPE, text=True)
    try:
        yield f"127.0.0.1:{(await asyncio.to_thread(_line, process)).strip()}", process
    finally:
        process.terminate()
        process.wait(30)


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None  # noqa: S101 (a pipe was asked for)
    line = process.stdout.readline()
    if not line:
        raise SystemExit("the server ended before it served")
    return line


async def bench_rpc(list_path: Path, requests: list[bytes]) -> dict[str, Any]:
    """Calls a second of Check and of the empty RPC, their ratio, and Check's latency at the same load."""
    async with served(list_path) as (target, _process, _entry):
        size = statistics.median(await _sizes(target, requests[:200]))
        async with empty_server(int(size)) as (empty_target, _empty_process):
            rates: dict[str, list[float]] = {"check": [], "empty": []}
            latencies: list[float] = []
            for _ in range(ROUNDS):
                for name, where in (("check", target), ("empty", empty_target)):
                    rate, times = await _load(where, requests)
                    rates[name].append(rate)
                    latencies += times if name == "check" else []
    latencies.sort()
    return {
        "response_bytes": int(size),
        "check_per_s": round(statistics.median(rates["check"])),
        "empty_per_s": round(statistics.median(rates["empty"])),
        "ratio": round(statistics.median(c / e for c, e in zip(rates["check"], rates["empty"], strict=True)), 3),
        "check_ms": {
            "p50": round(latencies[len(latencies) // 2] * 1000, 2),
            "p99": round(latencies[int(len(latencies) * 0.99)] * 1000, 2),
            "max": round(latencies[-1] * 1000, 2),
        },
    }


async def _sizes(target: str, requests: list[bytes]) -> list[int]:
    async with grpc.aio.insecure_channel(target) as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
        return [len(await call(request)) for request in requests]


async def _load(target: str, requests: list[bytes]) -> tuple[float, list[float]]:
    """Calls a second with so many in flight, and each call's seconds."""
    times: list[float] = []
    numbers = iter(range(CALLS))
    async with grpc.aio.insecure_channel(target) as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
        await call(requests[0])

        async def run() -> None:
            for number in numbers:
                started = time.perf_counter()
                await call(requests[number % len(requests)])
                times.append(time.perf_counter() - started)

        started = time.perf_counter()
        await asyncio.gather(*(run() for _ in range(IN_FLIGHT)))
        return CALLS / (time.perf_counter() - started), times


async def bench_cold_start(list_path: Path, empty_list: Path) -> dict[str, Any]:
    """Seconds from starting the process to SERVING, and resident memory above a sidecar with one rule, in MB."""
    seconds, memory, base = [], [], []
    details = 0
    for _ in range(3):
        started = time.perf_counter()
        async with served(list_path) as (_target, process, entry):
            seconds.append(time.perf_counter() - started)
            memory.append(_resident_mb(process.pid))
            details = entry["details"]
        async with served(empty_list) as (_target, process, _entry):
            base.append(_resident_mb(process.pid))
    return {
        "details": details,
        "to_serving_s": round(statistics.median(seconds), 2),
        "memory_mb": round(statistics.median(memory), 1),
        "memory_above_empty_mb": round(statistics.median(memory) - statistics.median(base), 1),
    }


def _resident_mb(pid: int) -> float:
    """Resident memory as Linux counts it (VmRSS)."""
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("no VmRSS: memory is measured on Linux only")
