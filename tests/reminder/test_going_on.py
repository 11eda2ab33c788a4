"""What goes on beside the answers is begun again when it fails, and said to have failed until it is steady."""

from __future__ import annotations

import asyncio

import pytest
import structlog
from structlog.testing import capture_logs

from reminder import going_on
from reminder.going_on import GoingOn


def test_work_that_fails_is_begun_again_and_stands_in_degraded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it has gone on for a while; the log says kind and place, not what was read."""
    monkeypatch.setattr(going_on, "FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(going_on, "STEADY_S", 0.05)
    begun, seen = [0], list[tuple[str, ...]]()

    async def look() -> None:
        begun[0] += 1
        if begun[0] < 3:
            raise ValueError("a name")
        seen.append(beside.degraded)
        await asyncio.Event().wait()

    async def watched() -> None:
        task = asyncio.create_task(beside.keep("looking", look))
        while not seen or beside.degraded:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with capture_logs() as lines:
        beside = GoingOn(structlog.get_logger())
        asyncio.run(asyncio.wait_for(watched(), 60))
    (told,) = seen[0]
    assert told.startswith("looking: ended by a fault of ours (ValueError in test_going_on.py:")
    assert [(line["event"], line["error"]) for line in lines] == [("failed beside", "ValueError")] * 2
    assert "a name" not in str(lines)


def test_what_does_not_work_is_said_until_it_does() -> None:
    """Each part for itself."""
    beside = GoingOn(structlog.get_logger())
    beside.say("one", "one does not work")
    beside.say("two", "two does not work")
    beside.say("one", "")
    beside.say("three", "")
    assert beside.degraded == ("two does not work",)
