"""A decision whose caller does not wait for ever: where it stops, and that it stops in the same place again.

A decision is made in parts, each a row of steps in an order that hangs on list and prescription alone. A part whose
time is up ends after a number of steps; who knows that number makes the same decision again, with no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

__all__ = ["EVERY", "TOLD_LEAST", "Halt", "Part", "Stopped", "in_haste", "until"]

Part: TypeAlias = Literal["judged", "again", "told", "tried"]
"""Rules judged by the body alone; judged again with what was read; findings told; edits tried for suggestions."""

EVERY: Mapping[Part, int] = {"judged": 32, "again": 32, "told": 1, "tried": 1}
"""Steps between two looks at the clock. A judgement takes some 8 us in a stay of 5,000 lines, so that 32 are a quarter
of a millisecond, and a prescription of six lines is mostly judged at one look; telling a finding takes 150 us."""

TOLD_LEAST = 32
"""Findings that are told however late it is: what was found and is not told was judged for nothing."""


class Stopped(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many steps each part had made when its time was up; ``None``: it was done whole."""

    judged: int | None = None
    again: int | None = None
    told: int | None = None
    tried: int | None = None


class Halt:
    """Says when a part has to end.

    Args:
        is_late: whether a part's time is up.
        stopped: where parts ended when the decision was made before; they end there, whatever the time.
    """

    def __init__(self, is_late: Callable[[Part], bool] = lambda _part: False, stopped: Stopped | None = None) -> None:
        self._is_late = is_late
        self._at: dict[Part, int] = {}
        for part in EVERY if stopped is not None else ():
            steps = getattr(stopped, part)
            if steps is not None:
                self._at[part] = steps

    def over(self, part: Part, done: int) -> bool:
        """Whether a part ends after the steps it has made; once it has, it ends there again."""
        if part not in self._at:
            if (part == "told" and done < TOLD_LEAST) or not self._is_late(part):
                return False
            self._at[part] = done
        return done >= self._at[part]

    @property
    def stopped(self) -> Stopped:
        """Where parts ended."""
        return Stopped(**self._at)


def in_haste(strengths: Sequence[int], part: Part) -> Sequence[int]:
    """The places of steps in the order in which they are made where the time may be up before all are.

    Where they are more than are made between two looks at the clock, the strongest come first, so that what is left out
    blocks least.
    """
    if len(strengths) <= EVERY[part]:
        return range(len(strengths))
    return sorted(range(len(strengths)), key=strengths.__getitem__, reverse=True)


def until(places: Sequence[int], part: Part, halt: Halt) -> Iterator[int]:
    """The places, until the time is up."""
    every = EVERY[part]
    for begin in range(0, len(places), every):
        if halt.over(part, begin):
            return
        yield from places[begin : begin + every]
