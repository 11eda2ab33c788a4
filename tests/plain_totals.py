"""The plain matcher, part 4 of 8: totals over gathered lines, and the bounds they are held against.

Numbers are intervals: the least and the most they may be. A limit is an interval too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

from negative_list import conditions as c
from negative_list.prescription import Line
from tests.plain_lines import Gathered, gather, is_among
from tests.plain_scene import (
    NOTHING,
    Answer,
    Kleene,
    Scene,
    Trigger,
    extent,
    is_bare,
    named,
    span,
    value_of,
)
from tests.plain_windows import reaches

__all__ = [
    "Interval",
    "Number",
    "hours",
    "largest",
    "limit_of",
    "limits",
    "loose_needs",
    "stretches",
    "total",
    "value_needs",
    "worth",
]

Number: TypeAlias = int | float | Decimal | Fraction
"""A number, exact wherever it is finite."""
Interval: TypeAlias = tuple[Any, Any]
"""The least and the most a number may be; each a :data:`Number`."""
Measure: TypeAlias = Callable[[list[Line]], Interval]

BEGINS = frozenset({"line.begins"})


# --- bounds ---------------------------------------------------------------------------------------------------------


def limits(bounds: c.Bounds, interval: Interval | None, scene: Scene, trigger: Trigger) -> Answer:
    """Whether a number that lies in the interval keeps all the bounds; ``None``: nothing is known of it.

    The lines are those that limits are worked out from, the needs all that keeps limits from being exact.
    """
    kept: list[Kleene] = []
    involved: list[Line] = []
    needs = NOTHING
    for name in c.Bounds.__struct_fields__:
        limit = getattr(bounds, name)
        if limit is not None:
            ends, lines, lacking = _limit(limit, scene, trigger)
            kept.append(_keeps(name, interval, ends) if interval is not None and ends is not None else None)
            involved += lines
            needs |= lacking
    return Answer(False if False in kept else (None if None in kept else True), involved, needs)


def _keeps(name: str, interval: Interval, limit: Interval) -> Kleene:
    """Whether a number keeps one bound: for every value both may have, for none, or nobody knows."""
    low, high = interval
    least, most = limit
    match name:
        case "above":
            always, never = low > most, high <= least
        case "at_least":
            always, never = low >= most, high < least
        case "below":
            always, never = high < least, low >= most
        case _:
            always, never = high <= least, low > most
    return True if always else (False if never else None)


def _limit(limit: c.Limit, scene: Scene, trigger: Trigger) -> tuple[Interval | None, list[Line], frozenset[str]]:
    """The values a limit may have (``None``: any), the lines it is worked out from, and what it needs."""
    if not isinstance(limit, c.Formula):
        return (limit, limit), [], NOTHING
    if limit.lines is None:
        value = value_of(limit.fact, scene, trigger)
        if not isinstance(value, int | Decimal):
            return None, [], frozenset({limit.fact})
        return (_worked_out(limit, value), _worked_out(limit, value)), [], NOTHING
    found = gather(limit.lines, scene, trigger)
    low, high = total(limit.of, (), limit.lines.window, found, scene, trigger)
    involved = [line for line in found.certain if line is not trigger.line]
    needs = found.needs | value_needs(limit.of, (), found, scene) | loose_needs(limit.lines.window, found, trigger)
    return (_worked_out(limit, low), _worked_out(limit, high)), involved, needs


def limit_of(limit: c.Limit, scene: Scene, trigger: Trigger) -> Number | None:
    """The most a limit may be; ``None`` where nothing is known of it."""
    ends, _, _ = _limit(limit, scene, trigger)
    return ends[1] if ends else None


def _worked_out(formula: c.Formula, value: Number) -> Number:
    return value if value == math.inf else (Decimal(str(value)) + formula.plus) * formula.times


def hours(stretch: timedelta) -> Fraction:
    """A stretch of time in hours, exactly."""
    return Fraction(stretch // timedelta(microseconds=1), 3_600_000_000)


# --- sums -----------------------------------------------------------------------------------------------------------


def total(
    of: str, weights: tuple[c.Weight, ...], window: c.Window, found: Gathered, scene: Scene, trigger: Trigger
) -> Interval:
    """The sum of a fact over the gathered lines, each by its weight."""

    def measure(lines: list[Line]) -> Interval:
        ends = [worth(line, of, weights, scene) for line in lines]
        return sum((low for low, _ in ends), Decimal(0)), _added([high for _, high in ends])

    return largest(measure, window, found, trigger)


def _added(values: list[Number]) -> Any:
    return math.inf if math.inf in values else sum(values, Decimal(0))


def worth(line: Line, of: str, weights: tuple[c.Weight, ...], scene: Scene) -> Interval:
    """What a line adds to a sum: its value times the least and the most its weight may be."""
    value = line.facts.get(of)
    if not isinstance(value, int | Decimal):
        return Decimal(0), math.inf
    may_be = _weights(line, weights, scene)[0]
    return value * min(may_be), value * max(may_be)


def _weights(line: Line, weights: tuple[c.Weight, ...], scene: Scene) -> tuple[list[Decimal], frozenset[str]]:
    """The weights a line may have, and what would settle which."""
    may_be: list[Decimal] = []
    needs = NOTHING
    for weight in weights:
        meant, lacking = named(weight.items, line, scene)
        if meant is not False:
            may_be.append(weight.weight)
            needs |= lacking
        if meant:
            return may_be, needs
    return [*may_be, Decimal(1)], needs


def value_needs(of: str, weights: tuple[c.Weight, ...], found: Gathered, scene: Scene) -> frozenset[str]:
    """What keeps from being exact what the gathered lines add to a sum."""
    lines = found.certain + found.possible
    lacking = frozenset({of}) if any(of not in line.facts for line in lines) else NOTHING
    return lacking.union(*(_weights(line, weights, scene)[1] for line in lines))


# --- sliding windows ------------------------------------------------------------------------------------------------


def largest(measure: Measure, window: c.Window, found: Gathered, trigger: Trigger) -> Interval:
    """The total of the gathered lines; where the window slides, that of the stretch with the largest total."""
    every = stretches(window, found.certain, trigger)
    low = max(measure(stretch)[0] for stretch in every)
    if not found.covered:
        return low, math.inf
    loose = _loose(window, found, trigger)
    placed = [[line for line in stretch if not is_among(line, loose)] for stretch in every]
    return low, max(measure(stretch + loose + found.possible)[1] for stretch in placed)


def loose_needs(window: c.Window, found: Gathered, trigger: Trigger) -> frozenset[str]:
    """A begin is needed where certain lines have no exact place in a window that slides."""
    return BEGINS if _loose(window, found, trigger) else NOTHING


def stretches(window: c.Window, certain: list[Line], trigger: Trigger) -> list[list[Line]]:
    """The certain lines, or of a window that slides every stretch of them, those that begin earlier first."""
    return list(_stretches(window, certain, trigger)) if _slides(window) else [certain]


def _slides(window: c.Window) -> bool:
    return window.side == "around" and window.unit in ("hours", "days")


def _loose(window: c.Window, found: Gathered, trigger: Trigger) -> list[Line]:
    """Other lines that are certain but, by hours, have no exact place: they may share any stretch, or none."""
    if not _slides(window) or window.unit != "hours":
        return []
    return [line for line in found.without(trigger.line).certain if is_bare(line, trigger)]


def _stretches(window: c.Window, lines: list[Line], trigger: Trigger) -> Iterator[list[Line]]:
    """Every fullest choice of lines that, whenever in their days they stand, lie in one stretch with the trigger."""
    ours = _place(window, span(trigger.moment, has_clock=trigger.has_clock))
    places = [(line, _place(window, stands)) for line in lines if (stands := extent(line, trigger))]
    for start in sorted({ours[0], *(first for _, (first, _) in places if first <= ours[0])}):
        if _fits(window, ours[1] - start):
            yield [line for line, (first, last) in places if first >= start and _fits(window, last - start)]
    yield [line for line in lines if line is trigger.line]


def _fits(window: c.Window, stretch: timedelta) -> bool:
    return reaches(window, stretch if window.unit == "hours" else stretch.days)


def _place(window: c.Window, stands: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    """Where a line stands on the window's scale: by moments for hours, by midnights for days."""
    if window.unit == "hours":
        return stands
    midnight = datetime.combine(stands[0], time())
    return midnight, midnight
