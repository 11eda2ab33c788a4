"""What gRPC health says of releases: NOT_SERVING where nobody decided that it be so."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from msgspec.structs import replace

from reminder.releases.due import again
from reminder.releases.folder import Folder
from reminder.releases.health import HEALTH_NAME, keep_health
from reminder.releases.ledger import Step
from reminder.releases.pen import LATE_S, Lag
from reminder.releases.saying import START, trouble
from reminder.releases.standing import Scheduled, Seen, Standing, Working
from reminder.rpc import SERVICE
from tests.releases.lists import FIRST, NOW, chosen
from tests.releases.lists import until as until_async
from tests.releases.roads import listed, rules_with, some_release, trusted, until
from tests.reminder.sidecar import running
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.reminder.sidecar import Running

ACTIVE = chosen("2", FIRST)
STANDING = Standing(serial=7, active=ACTIVE, seen=Seen(version="3", digest="d", at=NOW))
WORKER = Working(number=1, pid=1, serial=7, version="2", digest=ACTIVE.digest, policy="p", at=NOW)
FAILED = Step(at=NOW, version="3", digest="d", step="activate", result="failed", reason="damaged", detail="no file")


def said(here: Running, face: str = "grpc") -> list[bool]:
    """Whether releases serve, and the service."""
    with grpc.insecure_channel(here.at(face)) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        asked = [health_pb2.HealthCheckRequest(service=name) for name in (HEALTH_NAME, SERVICE)]
        states = [health.Check(one, timeout=LONG_S).status for one in asked]
    return [state == health_pb2.HealthCheckResponse.SERVING for state in states]


def test_a_refused_release_is_no_health_until_a_good_one_is_brought(tmp_path: Path) -> None:
    """Decisions go on meanwhile; that a release waits to be activated is no fault."""
    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        until(lambda: said(here) == [True, True])
        listed(here).stage(some_release("2026.1")[:-40])
        until(lambda: said(here) == [False, True])
        assert said(here, "admin") == [False, True]
        listed(here).stage(some_release("2026.1", rules_with(title="新")))
        until(lambda: said(here) == [True, True])


def told(
    standing: Standing = STANDING,
    steps: Sequence[Step] = (),
    workers: Sequence[Working] = (WORKER,),
    late: Sequence[int] = (),
) -> str:
    """What is wrong."""
    waiting = again(standing.scheduled, steps) if standing.scheduled is not None else None
    return trouble(standing, steps, waiting, workers, late)


def test_what_somebody_decided_is_no_trouble() -> None:
    """Not activated yet, held back for its age, scheduled, active, taken back."""
    scheduled = Scheduled(version="3", digest="d", at=NOW + timedelta(days=1))
    assert told() == told(Standing()) == told(replace(STANDING, scheduled=scheduled)) == ""
    assert told(steps=[replace(FAILED, reason="older")]) == ""
    assert told(replace(STANDING, seen=Seen(version="2", digest=ACTIVE.digest, at=NOW)), [FAILED]) == ""
    assert told(steps=[replace(FAILED, step="rollback", result="done", who="王办")]) == ""


def test_what_nobody_decided_is_trouble() -> None:
    """Refused, failed, waiting, fallen back, not followed."""
    assert told(replace(STANDING, seen=Seen(at=NOW, problem="verify: altered"))) == "verify: altered"
    assert told(steps=[FAILED]) == "no file"
    waits = replace(STANDING, seen=None, scheduled=Scheduled(version="3", digest="d", at=NOW))
    assert "could not be made active when it was due (no file)" in told(waits, [FAILED])
    assert "started with 3" in told(steps=[replace(FAILED, step="rollback", result="done", who=START)])
    assert told(workers=[replace(WORKER, problem="no memory")]) == "1: no memory"
    assert told(late=(1,)) == "workers [1] do not follow"


def test_a_worker_is_late_once_it_had_time_to_follow() -> None:
    """Counted from the change on."""
    lag, behind = Lag(), (replace(WORKER, serial=6), replace(WORKER, number=2))
    assert lag.late(7, behind, 100.0) == lag.late(7, behind, 100.0 + LATE_S / 2) == ()
    assert lag.late(7, behind, 100.0 + LATE_S) == (1,)
    assert lag.late(8, behind, 101.0 + LATE_S) == ()


def test_workers_after_the_first_say_what_it_says(tmp_path: Path) -> None:
    """From a file; while there is none nothing is wrong."""
    folder, heard = Folder(tmp_path), list[bool]()
    folder.make()

    async def say(well: bool) -> None:
        heard.append(well)

    async def go() -> None:
        task = asyncio.create_task(keep_health(None, folder, say))
        await until_async(lambda: heard == [True])
        folder.health.write_bytes(b"trouble")
        await until_async(lambda: heard == [True, False])
        folder.health.write_bytes(b"")
        await until_async(lambda: heard == [True, False, True])
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(go())
    assert heard == [True, False, True]
