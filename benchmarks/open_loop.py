"""An open-loop load: send times fixed in advance, each answer counted from the time its request was to be sent.

A client that waits for one answer before it sends the next hides a stall; this one does not. What is asked names the
findings each release has for it, so that every answer is also held against the release it names.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from msgspec import Struct

from reminder.v1 import reminder_pb2 as pb

__all__ = ["Answer", "Asked", "Expected", "Load", "Told", "figures", "longest_in", "named"]

Told = frozenset[tuple[str, int, tuple[str, ...]]]
"""What an answer's findings are known again by: rule, its version, the lines."""


class Expected(Struct, frozen=True, kw_only=True):
    """A request as bytes, and its findings under each release.

    ``whole``: the body decides them all. Where history may have a part in it, what is found must be of the release.
    """

    data: bytes
    found: Mapping[str, Told]
    whole: bool

    def fits(self, release: str, found: Told, versions: Mapping[str, int]) -> bool:
        """Whether findings are those of the release an answer names; ``versions``: of its rules, by id."""
        own = all(versions.get(rule) == version for rule, version, _ in found)
        return own and (not self.whole or found == self.found.get(release))


class Answer(Struct, frozen=True, kw_only=True):
    """One answer: when it was to be sent, when it came, what it named; ``right``: its findings are that release's."""

    due: float
    came: float
    release: str
    right: bool
    error: str = ""


class Asked(Struct, frozen=True, kw_only=True):
    """What is asked; ``versions``: those of each release's rules, by id."""

    requests: Sequence[Expected]
    versions: Mapping[str, Mapping[str, int]]


_SERIAL = itertools.count()


def named(request: bytes) -> bytes:
    """A request with an id of its own, or it got the answer it had: of a field that stands twice, the last counts."""
    ident = f"Q{next(_SERIAL):09d}".encode()
    return request + b"\x0a" + bytes([len(ident)]) + ident


class Load:
    """Requests at times fixed in advance, for so many seconds. ``asked``: what is asked, and how to tell answers."""

    def __init__(self, call: Any, asked: Asked, rate: float, seconds: float) -> None:
        self._call, self._requests, self._versions = call, asked.requests, asked.versions
        self._rate, self._count = rate, round(rate * seconds)
        self.answers: list[Answer] = []

    async def run(self) -> list[Answer]:
        """Send them all; every answer, failed ones too."""
        begun = time.perf_counter() + 0.05
        sent = []
        for number in range(self._count):
            due = begun + number / self._rate
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            sent.append(asyncio.create_task(self._one(number, due)))
        await asyncio.gather(*sent)
        return self.answers

    async def _one(self, number: int, due: float) -> None:
        expected = self._requests[number % len(self._requests)]
        try:
            data = await self._call(named(expected.data), timeout=20)
        except grpc.aio.AioRpcError as error:
            told = Answer(due=due, came=time.perf_counter(), release="", right=False, error=str(error.code()))
        else:
            came = time.perf_counter()
            answer = pb.CheckResponse.FromString(data)
            found = frozenset((f.rule_id, f.rule_version, tuple(f.lines)) for f in answer.findings)
            right = expected.fits(answer.release, found, self._versions.get(answer.release, {}))
            told = Answer(due=due, came=came, release=answer.release, right=right)
        self.answers.append(told)


def figures(answers: Sequence[Answer]) -> dict[str, float]:
    """Milliseconds from the scheduled time, and what failed."""
    ms = sorted((answer.came - answer.due) * 1000 for answer in answers)
    return {
        "answers": len(ms),
        "p50": round(ms[len(ms) // 2], 2),
        "p99": round(ms[int(len(ms) * 0.99)], 2),
        "p999": round(ms[int(len(ms) * 0.999)], 2),
        "longest": round(ms[-1], 2),
        "failed": sum(bool(answer.error) for answer in answers),
        "wrong": sum(not answer.right for answer in answers),
    }


def longest_in(answers: Sequence[Answer], begun: Sequence[float], seconds: float) -> list[float]:
    """The longest answer, in milliseconds, of those due within some seconds of each instant; sorted."""
    inside = ([one for one in answers if at <= one.due < at + seconds] for at in begun)
    return sorted(round(max(one.came - one.due for one in each) * 1000, 2) for each in inside if each)
