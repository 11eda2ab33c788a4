"""Long bodies are worked on one after another, and nobody waits for that longer than it may."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

from reminder.upstream import Upstream
from tests.national.asking import call, feedback, here_with, raw_call, three
from tests.relay.bureau import bureau, http
from tests.reminder.bodies import encoded, national_body, national_order
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.reminder.sidecar import Running

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
