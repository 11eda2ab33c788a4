"""Blocks turned down under load: how long after the call returned does a block still arrive?

``python -m benchmarks.policy_set [--rounds 10] [--workers 2] [--rate 200]``. A sidecar of several workers is asked over
many channels, so that every worker has some, at times fixed in advance; every prescription would be blocked. Turn by
turn ``SetPolicy`` makes all blocks warnings and ``ClearPolicy`` takes that back. A block that arrives after
``SetPolicy`` returned is late by the time since; none may be by more than a second (the client's way back included).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import grpc
from msgspec import Struct, field

from benchmarks.kills import Victim, make_place
from reminder.v1 import reminder_pb2 as pb
from reminder.wire_client import request_of
from tests.reminder.bodies import own_body, own_line

__all__ = ["LATE_S", "bench_policy_set"]

LATE_S = 1.0
"""How long after the call a block may still arrive at most."""

CHANNELS = 16
"""Connections; the system spreads them over the workers, and one in 32,000 runs leaves one of two without any."""

_CHECK = "/reminder.v1.ReminderService/Check"
_POLICY = "/reminder.v1.PolicyService/"
_TURN_S = 1.5
_TIMEOUT_S = 30.0


class Heard(Struct):
    """What arrived: times of blocks and of other answers, and what failed."""

    blocks: list[float] = field(default_factory=list)
    others: int = 0
    failed: list[str] = field(default_factory=list)


class Turned(Struct, frozen=True, kw_only=True):
    """One ``SetPolicy``: how long it took, how late the last block after it was (0: none came), who followed."""

    call_ms: float
    latest_block_ms: float
    workers: int
    journaled: bool


async def _asked(channel: grpc.aio.Channel, due: float, number: int, heard: Heard) -> None:
    """One check, sent at its time."""
    await asyncio.sleep(max(0.0, due - time.monotonic()))
    call: Any = channel.unary_unary(
        _CHECK,
        request_serializer=pb.CheckRequest.SerializeToString,
        response_deserializer=pb.CheckResponse.FromString,
    )
    body = own_body(own_line(), sex="女", request_id=f"P{number}", institution_id="H1")
    try:
        answer = await call(request_of(body), timeout=_TIMEOUT_S)
    except grpc.aio.AioRpcError as error:
        heard.failed.append(f"{error.code().name} {error.details()}")
        return
    if answer.decision == pb.ACTION_BLOCK:
        heard.blocks.append(time.monotonic())
    else:
        heard.others += 1


async def _load(target: str, rate: float, seconds: float, heard: Heard) -> None:
    """Checks at their times, over all channels in turn."""
    async with contextlib.AsyncExitStack() as open_:
        options = [("grpc.use_local_subchannel_pool", 1)]
        channels = [
            await open_.enter_async_context(grpc.aio.insecure_channel(target, options=options)) for _ in range(CHANNELS)
        ]
        begun = time.monotonic() + 0.2
        calls = (_asked(channels[n % CHANNELS], begun + n / rate, n, heard) for n in range(round(rate * seconds)))
        await asyncio.gather(*calls)


async def _told(channel: grpc.aio.Channel, method: str, request: Any, response: Any) -> pb.PolicyChanged:
    call: Any = channel.unary_unary(
        _POLICY + method,
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=response.FromString,
    )
    changed: pb.PolicyChanged = (await call(request, timeout=_TIMEOUT_S)).changed
    return changed


async def _turns(target: str, rounds: int, heard: Heard) -> list[Turned]:
    """Blocks turned down and let up again, round by round."""
    found = []
    async with grpc.aio.insecure_channel(target) as channel:
        for _ in range(rounds):
            await asyncio.sleep(_TURN_S)
            down = pb.SetPolicyRequest(all=True, action=pb.ACTION_WARN, who="bench", why="bench")
            begun = time.monotonic()
            changed = await _told(channel, "SetPolicy", down, pb.SetPolicyResponse)
            returned = time.monotonic()
            await asyncio.sleep(_TURN_S)
            late = [moment - returned for moment in heard.blocks if moment > returned]
            found.append(
                Turned(
                    call_ms=(returned - begun) * 1000,
                    latest_block_ms=max(late, default=0.0) * 1000,
                    workers=len(changed.workers),
                    journaled=changed.journaled,
                )
            )
            up = pb.ClearPolicyRequest(all=True, who="bench", why="bench")
            await _told(channel, "ClearPolicy", up, pb.ClearPolicyResponse)
    return found


async def bench_policy_set(rounds: int, workers: int, rate: float) -> dict[str, Any]:
    """Turn blocks down under load; what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        place = make_place(Path(folder), workers=workers)
        victim = Victim(place)
        try:
            bound = await victim.serving()
            heard = Heard()
            seconds = rounds * 2 * _TURN_S + 2
            load = asyncio.create_task(_load(bound["grpc"], rate, seconds, heard))
            turned = await _turns(bound["admin"], rounds, heard)
            await load
        finally:
            victim.process.terminate()
            victim.process.wait(60)
    return {
        "rounds": rounds,
        "workers": workers,
        "rate": rate,
        "answers": {"block": len(heard.blocks), "other": heard.others, "failed": len(heard.failed)},
        "failures": heard.failed[:5],
        "call_ms": sorted(round(one.call_ms) for one in turned),
        "latest_block_ms": sorted(round(one.latest_block_ms) for one in turned),
        "workers_told": sorted({one.workers for one in turned}),
        "journaled": all(one.journaled for one in turned),
        "within": max(one.latest_block_ms for one in turned) <= LATE_S * 1000,
    }


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rate", type=float, default=200)
    asked = parser.parse_args()
    told = asyncio.run(bench_policy_set(asked.rounds, asked.workers, asked.rate))
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
