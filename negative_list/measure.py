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

from negative_list.items import item_of

if TYPE_CHECKING:
    from negative_list.check import Check
    from negative_list.conditions import Count, Since, Window
    from negative_list.gather import Gathered, Gatherer
    from negative_list.limits import Interval
    from negative_list.members import Members
    from negative_list.prescription import Line

__all__ = ["Weights", "count", "counted_lines", "since", "total", "weights_of"]


def count(condition: Count, gatherer: Gatherer, check: Check, trigger: Line | None) -> Interval:
    """How many lines, items, days or values of a fact."""
    gathered = gatherer.gather(check, trigger)
    measure = _COUNTED.get(condition.by)
    if condition.by == "day":
        measure = partial(_days, check, trigger)
    return _stretched(condition.lines.window, check, trigger, gathered, measure or _valued(condition.by), condition.by)


Weights: TypeAlias = "tuple[tuple[Members, Decimal], ...]"
"""Bound weights of a sum, as written."""


def total(of: str, weights: Weights, gatherer: Gatherer, check: Check, trigger: Line | None) -> Interval:
    """The sum of a line fact; a line without the fact adds nothing for certain and without limit at most."""
    measure = _weighed(of, weights, check) if weights else _summed(of)
    return _stretched(gatherer.lines.window, check, trigger, gatherer.gather(check, trigger), measure, (of, weights))


def counted_lines(of: str, weights: Weights, gatherer: Gatherer, check: Check, trigger: Line) -> tuple[Line, ...]:
    """The certain lines that the low end of :func:`total` is made of: of stretches the first with the largest total."""
    gathered, window = gatherer.gather(check, trigger), gatherer.lines.window
    if gathered.whole is not None or window.side != "around" or window.unit not in {"hours", "days"}:
        return gathered.certain
    measure = _weighed(of, weights, check) if weights else _summed(of)
    places = [(_place(window, check, line), line) for line in gathered.certain]
    stretches = _stretches(window, places, _place(window, check, trigger), trigger)
    return max(stretches, key=lambda stretch: measure(stretch)[0])


def weights_of(weights: Weights, check: Check, line: Line) -> list[Decimal]:
    """The weights a line may have: that of the first items that mean it, of all that may mean it before them."""
    possible = []
    for members, weight in weights:
        meant = members.means(check, line)
        if meant is not False:
            possible.append(weight)
        if meant:
            return possible
    return [*possible, Decimal(1)]


_Measure: TypeAlias = "Callable[[Iterable[Line]], Interval]"


def _distinct(key: Callable[[Line], object]) -> _Measure:
    def measure(lines: Iterable[Line]) -> Interval:
        size = len({key(line) for line in lines})
        return size, size

    return measure


_COUNTED: dict[str, _Measure] = {"line": _distinct(id), "item": _distinct(item_of)}


def _valued(fact: str) -> _Measure:
    """Distinct values of a fact; of one that holds several words each. A line without it may make one more."""

    def measure(lines: Iterable[Line]) -> Interval:
        values: set[object] = set()
        missing = 0
        for line in lines:
            value = line.facts.get(fact)
            missing += value is None
            values.update(value if isinstance(value, tuple) else () if value is None else (value,))
        return len(values), len(values) + missing

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


def _weighed(fact: str, weights: Weights, check: Check) -> _Measure:
    """The sum with each value times the smallest, and the largest, weight its line may have."""

    def measure(lines: Iterable[Line]) -> Interval:
        low, high, missing = Decimal(0), Decimal(0), False
        for line in lines:
            value = line.facts.get(fact)
            missing = missing or value is None
            if isinstance(value, (int, Decimal)):
                counted = [value * weight for weight in weights_of(weights, check, line)]
                low, high = low + min(counted), high + max(counted)
        return low, math.inf if missing else high

    return measure


def _of_lacking(check: Check, gathered: Gathered, measure: _Measure, name: object) -> Interval:
    """The measure of the trigger line alone, and of all lines; the latter once for all that lack the same fact."""
    low, _ = measure(gathered.certain)
    if not gathered.covered:
        return low, math.inf
    whole = gathered.whole or ()
    high = check.remember(("most", name, id(whole)), lambda: measure(whole)[1])
    return low, high


def _stretched(
    window: Window, check: Check, trigger: Line | None, gathered: Gathered, measure: _Measure, name: object
) -> Interval:
    """The measure over a window, or over the stretch of a sliding window with the largest certain total."""
    if gathered.whole is not None:
        return _of_lacking(check, gathered, measure, name)
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


# Without a use before it the trigger line is the first use (0), and the last use is "never" (no limit).
def since(condition: Since, gatherer: Gatherer, check: Check, trigger: Line | None) -> Interval:
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
