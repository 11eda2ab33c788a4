"""Lines by the days on which they are in use."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from negative_list.check import Check
    from negative_list.prescription import Line

__all__ = ["Uses"]


class Uses:
    """Places of lines by their possible stretches of use, so that a stay of thousands of lines stays cheap.

    Args:
        check: works out the stretches.
        lines: in the order that gives them their places.
    """

    __slots__ = ("_firsts", "_reached", "_stretches", "_timeless")

    def __init__(self, check: Check, lines: Sequence[Line]) -> None:
        self._timeless = [place for place, line in enumerate(lines) if line.begins is None]
        stretches: list[tuple[int, float, int]] = []
        for place, line in enumerate(lines):
            if line.begins is not None:
                first, _, last = check.use_of(line)
                stretches.append((first, math.inf if last is None else last, place))
        self._stretches = sorted(stretches)
        self._firsts = [first for first, _, _ in self._stretches]
        self._reached: list[float] = []
        """The last day any stretch up to here may reach."""
        for _, most, _ in self._stretches:
            self._reached.append(max(most, self._reached[-1] if self._reached else most))

    def near(self, use: tuple[int, int, int | None], length: int) -> list[int]:
        """Places of the lines possibly in use at most ``length`` days from a stretch, and of those without a time."""
        first, _, most = use
        place = bisect_right(self._firsts, math.inf if most is None else most + length)
        found = list(self._timeless)
        while place and self._reached[place - 1] >= first - length:
            place -= 1
            if self._stretches[place][1] >= first - length:
                found.append(self._stretches[place][2])
        return sorted(found)
