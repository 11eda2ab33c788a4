"""Long bodies are worked on one after another, and nobody waits for that longer than it may."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from reminder.callers import Caller
from reminder.over_http import in_time
from reminder.recording import NOT_TOLD, Came
from reminder.service import LARGE_BYTES, Service
from reminder.upstream import Upstream
from tests.cds.asking import send, sign
from tests.cds.bodies import hook_body
from tests.national.asking import call, feedback, here_with, raw_call, three
from tests.relay.bureau import bureau, http
from tests.reminder.bodies import encoded, national_body, national_order, own_body
from tests.reminder.sidecar import METHOD
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from negative_list.decision import Decision
    from negative_list.prescription import Prescription
    from tests.reminder.sidecar import Running


class SlowToRead(Service):
    """One that takes long to read a body, and tells how long it was given to decide."""

    given: list[float]

    def read_national(self, body: dict[str, Any], *, saved: bool = False) -> Prescription:
        """As ever, later."""
        time.sleep(READING_S)
        return super().read_national(body, saved=saved)

    def read_own(self, body: dict[str, Any], *, saved: bool = False) -> Prescription:
        """The same."""
        time.sleep(READING_S)
        return super().read_own(body, saved=saved)

    async def check(
        self, prescription: Prescription, size_bytes: int = 0, left_s: float | None = None, came: Came = NOT_TOLD
    ) -> Decision:
        """As ever."""
        assert left_s is not None
        self.given = [*getattr(self, "given", ()), left_s]
        return await super().check(prescription, size_bytes, left_s, came)


READING_S = 0.3
PATIENT_S = 60.0
HURRIED = {"reminder-deadline-ms": "300"}
PADDING = "x" * 300_000


@contextlib.contextmanager
def busy(here: Running) -> Iterator[None]:
    """While a stay of thousands of lines is worked on."""
    over = threading.Event()
    work = asyncio.run_coroutine_threadsafe(here.service.run(10**6, over.wait), here.loop)
    try:
        yield
    finally:
        over.set()
        work.result(LONG_S)


def long_body() -> dict[str, object]:
    """A stay of six hundred lines."""
    return national_body(*(national_order(f"R{n}", spec="盒" * 100) for n in range(600)))


def test_a_long_body_behind_a_long_one_is_told_in_time_that_it_was_not_checked(tmp_path: Path) -> None:
    """It waits to be read; short ones are answered meanwhile."""
    with here_with(tmp_path) as here:
        with busy(here):
            late = call(here, long_body(), path="/3101", headers=HURRIED)
            short = call(here, three())
            told = call(here, feedback(pad=PADDING), path="/3103", headers=HURRIED)
        done = call(here, long_body(), path="/3101")
    assert (late["infcode"], late["output"]["not_checked"]["reason"]) == (-1, "deadline")
    assert short["output"]["decision"] == "block"
    assert told["infcode"] == -1
    assert len(done["output"]["result"]) == 600


def test_a_long_call_of_the_bureaus_passes_by_long_bodies(tmp_path: Path) -> None:
    """A settlement never waits for our work."""
    body = encoded({"infno": "2204", "input": {"data": PADDING}})
    with bureau() as ours, here_with(tmp_path, upstream=Upstream(url=ours.url)) as here, busy(here):
        ours.reply = lambda _call: http(b"taken")
        assert raw_call(here, body)[::2] == (200, b"taken")
    assert ours.arrived[0].body == body


def test_what_is_nothing_of_the_interface_passes_with_its_body(tmp_path: Path) -> None:
    """A path of nobody's with a body that says nothing."""
    with bureau() as ours, here_with(tmp_path, upstream=Upstream(url=ours.url)) as here:
        ours.reply = lambda _call: http(b"taken")
        assert raw_call(here, b'{"a":1}', "/upload/files")[::2] == (200, b"taken")
    assert ours.arrived[0].body == b'{"a":1}'


def test_the_time_to_write_a_reply_is_taken_off_before_anything_is_decided(tmp_path: Path) -> None:
    """It takes about as long as reading did: else what is known by then would leave too late."""
    callers = (Caller(path="/", deadline_ms=PATIENT_S * 1000),)
    with here_with(tmp_path, *callers, make=SlowToRead) as here:
        assert call(here, three(), path="/3101")["infcode"] == 0
        assert sign(here, hook_body())["cards"] != []
        headers = {"reminder-deadline-ms": f"{PATIENT_S * 1000:.0f}"}
        assert send(here, "POST", METHOD, own_body(), headers)["findings"] != []
        given = here.service.given  # type: ignore[attr-defined]  # it is one that tells it
    assert len(given) == 3
    assert all(left_s < PATIENT_S - 2 * READING_S for left_s in given)


@pytest.mark.parametrize(
    ("left_s", "size", "until_s"),
    [(None, 0, None), (1.0, 0, 0.98), (0.1, 0, 0.09), (1.0, LARGE_BYTES + 1, 0.9), (0.1, LARGE_BYTES + 1, 0.08)],
)
def test_a_part_of_the_time_is_kept_for_the_way_back(left_s: float | None, size: int, until_s: float | None) -> None:
    """More of it where a thread goes on beside, which gives way to the loop from time to time only."""
    assert in_time(left_s, size) == (None if until_s is None else pytest.approx(until_s))
