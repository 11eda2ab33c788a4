"""Callers at a steady pace over a sidecar whose process is killed again and again and started anew on its address."""

from __future__ import annotations

import argparse
import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from benchmarks.kills import Victim
from reminder.config import Address
from reminder.workers.ports import listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from benchmarks.kills import Place

__all__ = ["SLACK_MS", "Course", "Stall", "free_address", "kill_again", "prescribe", "spread", "told", "verdict"]

SLACK_MS = 20.0
"""What the way back may take after a deadline: an answer being read, a thread being waked."""

_NAP_S = 0.005


class Course(Struct, frozen=True, kw_only=True):
    """A run: how many prescriptions, at how many a second, how many kills of the sidecar."""

    prescriptions: int
    per_s: float
    kills: int
    seed: int = 1


def free_address(face: str) -> str:
    """A HOST:PORT for a sidecar that listens there in each of its lives."""
    with listener(face, Address("127.0.0.1", 0)) as free:
        return f"127.0.0.1:{free.getsockname()[1]}"


def prescribe(course: Course, threads: int, over: threading.Event, one: Callable[[int], None]) -> None:
    """Do ``one`` for every prescription at its time; so many at once at most, none once it is ``over``."""
    begun = time.monotonic()

    def in_time(number: int) -> None:
        if not over.wait(max(0.0, begun + number / course.per_s - time.monotonic())):
            one(number)

    with ThreadPoolExecutor(threads) as pool:
        for done in pool.map(in_time, range(course.prescriptions)):
            assert done is None  # noqa: S101 - what a thread raised is raised here


async def kill_again(
    place: Place, victim: Victim, course: Course, work: asyncio.Task[None], lives: list[tuple[float, float]]
) -> Victim:
    """Kill and start again, evenly over the run, until ``work`` is done; the last one living.

    ``lives`` is told from when until when each of them served, by ``time.monotonic``.
    """
    rng, gap_s = Random(course.seed), course.prescriptions / course.per_s / (course.kills + 1)
    served = time.monotonic()
    while len(lives) < course.kills:
        await asyncio.wait([work], timeout=gap_s * rng.uniform(0.6, 1.0))
        if work.done():
            break
        lives.append((served, time.monotonic()))
        victim.kill()
        victim = Victim(place)
        await victim.serving()
        served = time.monotonic()
    lives.append((served, float("inf")))
    return victim


class Stall(threading.Thread):
    """How late this machine wakes a thread that sleeps, at worst."""

    def __init__(self, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.longest_ms = 0.0
        self._ended = over
        self.start()

    def run(self) -> None:
        """Sleep and see."""
        while not self._ended.is_set():
            begun = time.monotonic()
            self._ended.wait(_NAP_S)
            self.longest_ms = max(self.longest_ms, (time.monotonic() - begun - _NAP_S) * 1000)


def spread(waits: Sequence[float]) -> dict[str, float]:
    """Of milliseconds in rising order."""
    parts = {"p50": 0.5, "p99": 0.99, "p999": 0.999, "longest": 1.0}
    return {name: round(waits[min(int(len(waits) * part), len(waits) - 1)], 2) for name, part in parts.items()}


def told(description: str | None, usual: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a course as the command line tells them, else as ``usual``."""
    parser = argparse.ArgumentParser(description=description)
    for name, value in usual.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    return vars(parser.parse_args())


def verdict(figures: Mapping[str, Any], faults: Iterable[str]) -> None:
    """Print the figures, and end with status 1 where one of the faults is not nothing."""
    print(json.dumps(figures, ensure_ascii=False, indent=1))
    raise SystemExit(any(figures[fault] for fault in faults))
