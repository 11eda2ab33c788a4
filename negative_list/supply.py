"""Days of use, and days of supply left, over gathered lines: intervals, as in :mod:`negative_list.measure`."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from negative_list.check import Check
    from negative_list.gather import Gathered, Gatherer
    from negative_list.limits import Interval
    from negative_list.prescription import Line

__all__ = ["days_of_use", "supply_left"]


def days_of_use(gatherer: Gatherer, check: Check, trigger: Line | None) -> Interval:
    """How many distinct days of use."""
    gathered = gatherer.gather(check, trigger)
    if trigger is not None and trigger.begins is None:
        return _days_of_use(check, trigger, gathered)
    # All trigger lines of one course share its tuples of lines, so it is measured once.
    key = ("days of use", id(gathered.certain), id(gathered.possible), gathered.covered)
    interval: Interval = check.remember(key, lambda: _days_of_use(check, trigger, gathered))
    return interval


def _days_of_use(check: Check, trigger: Line | None, gathered: Gathered) -> Interval:
    timed = [line for line in gathered.certain if line.begins is not None or line is trigger]
    uses = [check.days_of_use(line) for line in timed]
    low = _union_days((first, last) for first, last, _ in uses)
    timeless = [line for line in (*gathered.certain, *gathered.possible) if line.begins is None and line is not trigger]
    if timeless or not gathered.covered:
        return low, math.inf
    uses += [check.days_of_use(line) for line in gathered.possible]
    if any(most is None for _, _, most in uses):
        return low, math.inf
    return low, _union_days((first, most) for first, _, most in uses if most is not None)


def _union_days(stretches: Iterable[tuple[int, int]]) -> int:
    """Days in the union of inclusive stretches of days."""
    days, reached = 0, 0
    for first, last in sorted(stretches):
        days += max(0, last - max(first, reached + 1) + 1)
        reached = max(reached, last)
    return days


# -- supplies used up one after the other


def supply_left(gatherer: Gatherer, check: Check, trigger: Line | None) -> Interval:
    """How many days' supply of the other lines is left on the trigger's day, that day included."""
    gathered = gatherer.gather(check, trigger)
    low = _supplies(check, gathered, most=False).left(check, trigger)
    return low, _supplies(check, gathered, most=True).left(check, trigger) if gathered.covered else math.inf


def _supplies(check: Check, gathered: Gathered, *, most: bool) -> _Supplies:
    """The gathered supplies, strung once for all trigger lines that gather the same."""
    key = ("supplies", id(gathered.certain), id(gathered.possible), most)
    found: _Supplies | None = check.memo.get(key)
    if found is None:
        found = check.memo[key] = _Supplies(check, gathered, most=most)
    return found


class _Supplies:
    """Supplies used up one after the other: the certain ones, or with ``most`` the longest all may last.

    The last of the supplies begun up to a day is used up on day max(f - 1 + n), over each supply with its first day f
    and the days n that it and all later ones last. So the days up to each first day are summed beforehand; one supply,
    the trigger line's, is taken out again by its own days: on its day it may as well be the last in the row.
    """

    __slots__ = ("_days", "_endless", "_lasting", "_offsets", "_sums", "_timeless")

    def __init__(self, check: Check, gathered: Gathered, *, most: bool) -> None:
        lines = (*gathered.certain, *gathered.possible) if most else gathered.certain
        timed = [line for line in lines if line.begins is not None]
        self._timeless = {id(line) for line in lines if line.begins is None} if most else set()
        uses = {id(line): check.use_of(line) for line in timed}
        self._endless = sorted((first, line) for line, (first, _, last) in uses.items() if most and last is None)
        self._lasting = {
            line: (last if most and last is not None else sure) - first + 1
            for line, (first, sure, last) in uses.items()
            if not (most and last is None)
        }
        by_day: dict[int, int] = {}
        for line, days in self._lasting.items():
            by_day[uses[line][0]] = by_day.get(uses[line][0], 0) + days
        self._days = sorted(by_day)
        self._sums, self._offsets = _summed_up(by_day)

    def left(self, check: Check, trigger: Line | None) -> float:
        """Days of supply from the trigger's day on, without the trigger line's own."""
        day = check.day_of(trigger)
        if self._timeless - {id(trigger)} or any(f <= day and line != id(trigger) for f, line in self._endless[:2]):
            return math.inf
        place = bisect_right(self._days, day) - 1
        if place < 0:
            return 0
        own = self._lasting.get(id(trigger), 0)
        return max(0, self._offsets[place] + self._sums[place] - own - day + 1)


def _summed_up(by_day: dict[int, int]) -> tuple[list[int], list[int]]:
    """Up to each day, in order: the days all supplies last, and the largest of first day less 1 less those before."""
    sums: list[int] = []
    offsets: list[int] = []
    for day in sorted(by_day):
        before = sums[-1] if sums else 0
        offsets.append(max(day - 1 - before, offsets[-1] if offsets else day - 1 - before))
        sums.append(before + by_day[day])
    return sums, offsets
