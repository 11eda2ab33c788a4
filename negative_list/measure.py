"""Numbers gathered over lines, as intervals: what is certain, and the most it can be.

Each measure takes a check, its trigger line and the bound condition's :class:`negative_list.gather.Gatherer`, and
answers ``(low, high)``. ``high`` is infinite where nothing limits it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from negative_list.check import Check, item_of

if TYPE_CHECKING:
    from negative_list.conditions import Bounds, Count, Since, Sum, Window
    from negative_list.gather import Gathered, Gatherer
    from negative_list.prescription import Line

__all__ = ["Interval", "Number", "before", "compare", "count", "days_of_use", "rank", "since", "total"]

Number: TypeAlias = int | float | Decimal
"""Counts, seconds and days are whole or infinite; quantities are exact decimals."""

Interval: TypeAlias = tuple[Number, Number]
"""What is certain, and the most it can be."""


def compare(bounds: Bounds, low: Number, high: Number, scale: int = 1) -> bool | None:
    """Whether a number between ``low`` and ``high`` is within the bounds, each bound times ``scale``."""
    held: bool | None = True
    if bounds.above is not None and not low > bounds.above * scale:
        held = None if high > bounds.above * scale else False
    if held is not False and bounds.at_least is not None and not low >= bounds.at_least * scale:
        held = None if high >= bounds.at_least * scale else False
    if held is not False and bounds.below is not None and not high < bounds.below * scale:
        held = None if low < bounds.below * scale else False
    if held is not False and bounds.at_most is not None and not high <= bounds.at_most * scale:
        held = None if low <= bounds.at_most * scale else False
    return held


def count(condition: Count, check: Check, trigger: Line | None, gatherer: Gatherer) -> Interval:
    """How many lines, items or days."""
    gathered = gatherer.gather(check, trigger)
    if condition.by == "day":
        return _stretched(condition.lines.window, check, trigger, gathered, partial(_days, check, trigger))
    key: Callable[[Line], object] = id if condition.by == "line" else item_of
    return _stretched(condition.lines.window, check, trigger, gathered, _distinct(key))


def total(condition: Sum, check: Check, trigger: Line | None, gatherer: Gatherer) -> Interval:
    """The sum of a line fact; a line without the fact adds nothing for certain and without limit at most."""
    return _stretched(condition.lines.window, check, trigger, gatherer.gather(check, trigger), _summed(condition.of))


_Measure: TypeAlias = "Callable[[Iterable[Line]], Interval]"


def _distinct(key: Callable[[Line], object]) -> _Measure:
    def measure(lines: Iterable[Line]) -> Interval:
        size = len({key(line) for line in lines})
        return size, size

    return measure


def _days(check: Check, trigger: Line | None, lines: Iterable[Line]) -> Interval:
    """Distinct known days; a line without a time may make one more each."""
    lines = tuple(lines)
    low = len({check.day_of(line) for line in lines if line.begins is not None or line is trigger})
    return low, low + sum(line.begins is None and line is not trigger for line in lines)


def _summed(fact: str) -> _Measure:
    def measure(lines: Iterable[Line]) -> Interval:
        values = [line.facts.get(fact) for line in lines]
        low = sum((value for value in values if isinstance(value, (int, Decimal))), start=Decimal(0))
        return low, math.inf if any(value is None for value in values) else low

    return measure


def _stretched(window: Window, check: Check, trigger: Line | None, gathered: Gathered, measure: _Measure) -> Interval:
    """The measure over a window, or over the stretch of a sliding window with the largest certain total."""
    if window.side != "around" or window.unit not in {"hours", "days"}:
        low, high = measure(gathered.certain)
        if not gathered.covered:
            return low, math.inf
        return low, measure((*gathered.certain, *gathered.possible))[1] if gathered.possible else high
    return _slid(window, check, trigger, gathered, measure)


def _slid(window: Window, check: Check, trigger: Line | None, gathered: Gathered, measure: _Measure) -> Interval:
    """The measure of the best stretch of a sliding window."""
    stretches, loose = [gathered.certain], gathered.possible
    if len(gathered.certain) > 1 or gathered.possible:
        places = [(_place(window, check, line), line) for line in gathered.certain]
        stretches = _stretches(window, places, _place(window, check, trigger), trigger)
        loose += _loose(window, check, trigger, gathered.certain)
    low = max(measure(stretch)[0] for stretch in stretches)
    if not gathered.covered:
        return low, math.inf
    return low, max(measure(_joined(stretch, loose))[1] for stretch in stretches)


def _joined(stretch: Iterable[Line], loose: Iterable[Line]) -> list[Line]:
    return list({id(line): line for line in (*stretch, *loose)}.values())


_Place: TypeAlias = "tuple[float, float]"
"""The first and the last moment a line may stand at: days as ordinals, or seconds."""

_EPOCH = datetime(2000, 1, 1)


def _place(window: Window, check: Check, line: Line | None) -> _Place:
    if window.unit == "days":
        day = check.day_of(line)
        return day, day
    first, last = check.moments(line)
    return (first - _EPOCH).total_seconds(), (last - _EPOCH).total_seconds()


def _stretches(
    window: Window, places: list[tuple[_Place, Line]], here: _Place, trigger: Line | None
) -> list[tuple[Line, ...]]:
    """Every stretch that begins at a certain line, or at the trigger, and holds the trigger for certain.

    A bare date is held only where its whole day is. The trigger line alone is always a stretch.
    """
    unit_s = 3600 if window.unit == "hours" else 1
    length = (window.length or 0) * unit_s

    def holds(start: float, place: _Place) -> bool:
        reach = place[1] - start
        return place[0] >= start and (reach <= length if window.ends == "closed" else reach < length)

    starts = {place[0] for place, _ in places} | {here[0]}
    stretches = [
        tuple(line for place, line in places if line is trigger or holds(start, place))
        for start in sorted(starts)
        if holds(start, here)
    ]
    return [*stretches, tuple(line for _, line in places if line is trigger)]


def _loose(window: Window, check: Check, trigger: Line | None, certain: tuple[Line, ...]) -> tuple[Line, ...]:
    """Certain lines that may lie in any stretch: those with a bare date, all where the trigger's is one."""
    first, last = _place(window, check, trigger)
    bare = (line for line in certain if len(set(_place(window, check, line))) > 1)
    return certain if first != last else tuple(bare)


def days_of_use(check: Check, trigger: Line | None, gatherer: Gatherer) -> Interval:
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


def rank(check: Check, trigger: Line | None, gatherer: Gatherer) -> Interval | None:
    """The trigger line's place, from 1; ``None`` without a trigger line."""
    if trigger is None:
        return None
    gathered = gatherer.gather(check, trigger, others_only=True)
    sure = [before(check, line, trigger) for line in gathered.certain]
    maybe = [before(check, line, trigger) for line in gathered.possible]
    low = 1 + sure.count(True)
    high = low + sure.count(None) + len(maybe) - maybe.count(False)
    return low, high if gathered.covered else math.inf


def before(check: Check, line: Line, trigger: Line) -> bool | None:
    """Whether a line comes before the trigger line."""
    if not check.is_current(line):
        return True
    ours, theirs = trigger.facts.get("line.unit_price_fen"), line.facts.get("line.unit_price_fen")
    if not isinstance(ours, int) or not isinstance(theirs, int):
        return None
    if theirs != ours:
        return theirs > ours
    return check.place_of(line) < check.place_of(trigger)


# Without a use before it the trigger line is the first use (0), and the last use is "never" (no limit).
def since(condition: Since, check: Check, trigger: Line | None, gatherer: Gatherer) -> Interval:
    """Time since the first or the last other use: in seconds where the unit is hours, else in days."""
    gathered = gatherer.gather(check, trigger, others_only=True)
    certain = list(_apart(condition, check, trigger, gathered.certain))
    possible = list(_apart(condition, check, trigger, gathered.possible))
    # A certain line that may still lie after the trigger is only possibly a use before it.
    sure = [(low, high) for low, high in certain if low >= 0]
    unsure = [(0, high) for low, high in certain if low < 0] + [(max(low, 0), high) for low, high in possible]
    if condition.event == "last_use":
        most = min((high for _, high in sure), default=math.inf)
        least = min((low for low, _ in (*sure, *unsure)), default=math.inf)
        return (least if gathered.covered else 0), most
    low = max((low for low, _ in sure), default=0)
    high = max((high for _, high in (*sure, *unsure)), default=0)
    return low, high if gathered.covered else math.inf


def _apart(condition: Since, check: Check, trigger: Line | None, lines: Iterable[Line]) -> Iterable[Interval]:
    """How long before the trigger each line lies, later lines left out."""
    for line in lines:
        if line.begins is None:
            yield 0, math.inf
            continue
        if condition.unit == "day":
            apart = check.day_of(trigger) - check.day_of(line)
            low, high = float(apart), float(apart)
        else:
            ours, theirs = check.moments(trigger), check.moments(line)
            low, high = (ours[0] - theirs[1]).total_seconds(), (ours[1] - theirs[0]).total_seconds()
        if high >= 0:
            yield low, high
