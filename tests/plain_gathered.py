"""The plain matcher, part 5 of 8: what the conditions that gather lines answer.

Needs of an unknown one: ``history`` where the window is not covered, and for every line that is gathered or may be,
each name that keeps its membership or what it adds from being exact.
"""

from __future__ import annotations

import math
from datetime import date
from typing import TYPE_CHECKING, TypeAlias

from negative_list import conditions as c
from tests.plain_lines import Gathered, gather, is_among
from tests.plain_order import before_in, exists, overlap, pair, since, supply_left
from tests.plain_scene import NOTHING, Answer, Scene, Trigger, extent, item_key, named
from tests.plain_totals import Interval, largest, limits, loose_needs, total, value_needs
from tests.plain_windows import use_of

if TYPE_CHECKING:
    from negative_list.prescription import Line

__all__ = ["Gathering", "gathered", "number_of"]

Gathering: TypeAlias = (
    c.Some | c.Every | c.Count | c.Sum | c.DaysOfUse | c.SupplyLeft | c.Rank | c.Since | c.Overlap | c.Pair
)
Measured: TypeAlias = c.Count | c.Sum | c.DaysOfUse | c.SupplyLeft | c.Rank | c.Since
"""Conditions that hold a number against bounds."""

BEGINS = frozenset({"line.begins"})


def gathered(condition: Gathering, scene: Scene, trigger: Trigger) -> Answer:
    """Judge a condition that gathers lines, with the lines it rests on and all that keeps it from being exact."""
    if isinstance(condition, c.Pair):
        return pair(condition, scene, trigger)
    found = gather(condition.lines, scene, trigger)
    match condition:
        case c.Some():
            others = found.without(trigger.line)
            return Answer(exists(others), others.certain, others.needs)
        case c.Every():
            return _every(condition, found, scene, trigger)
        case c.Overlap():
            return overlap(found.without(trigger.line), trigger)
        case _:
            return _measured(condition, found, scene, trigger)


def _measured(condition: Measured, found: Gathered, scene: Scene, trigger: Trigger) -> Answer:
    """A number held against its bounds: evidence and needs are those of the number, then those of the bounds."""
    number, lines, needs = number_of(condition, found, scene, trigger)
    kept = limits(condition, number, scene, trigger)
    involved = [line for line in lines if line is not trigger.line]
    return Answer(kept.value, [*involved, *kept.involved], needs | kept.needs)


def number_of(
    condition: Measured, found: Gathered, scene: Scene, trigger: Trigger
) -> tuple[Interval | None, list[Line], frozenset[str]]:
    """The number a condition looks at, the lines it rests on, and all that keeps it from being exact."""
    others = found.without(trigger.line)
    match condition:
        case c.Count():
            needs = found.needs | _count_needs(condition, found, trigger)
            return _count(condition, found, trigger), found.certain, needs
        case c.Sum(of=of, weights=weights, lines=lines):
            needs = value_needs(of, weights, found, scene) | loose_needs(lines.window, found, trigger)
            return total(of, weights, lines.window, found, scene, trigger), found.certain, found.needs | needs
        case c.DaysOfUse():
            interval, needs = _days_of_use(found, scene, trigger)
            return interval, found.certain, found.needs | needs
        case c.Rank():
            return before_in(condition, others, scene, trigger)
        case c.Since():
            return since(condition, others, trigger)
        case _:
            return supply_left(others, scene, trigger)


def _every(condition: c.Every, found: Gathered, scene: Scene, trigger: Trigger) -> Answer:
    sure = [named(condition.among, line, scene) for line in found.certain]
    maybe = [named(condition.among, line, scene) for line in found.possible]
    involved = [line for line in found.certain if line is not trigger.line]
    if any(told[0] is False for told in sure):
        return Answer(value=False, involved=involved)
    exact = found.covered and all(told[0] for told in sure + maybe)
    return Answer(True if exact else None, involved, found.needs.union(*(told[1] for told in sure + maybe)))


# --- counts and days ------------------------------------------------------------------------------------------------


def _count(condition: c.Count, found: Gathered, trigger: Trigger) -> Interval:
    def measure(lines: list[Line]) -> Interval:
        if condition.by == "line":
            return len(lines), len(lines)
        told = [_words(condition.by, line, trigger) for line in lines]
        distinct = {word for words in told if words for word in words}
        return len(distinct), len(distinct) + told.count(None)

    return largest(measure, condition.lines.window, found, trigger)


def _words(by: str, line: Line, trigger: Trigger) -> tuple[object, ...] | None:
    """What a line adds to a count of distinct things; ``None`` where that is not known."""
    if by == "item":
        return (item_key(line),)
    if by == "day":
        stands = extent(line, trigger)
        return (stands[0].date(),) if stands else None
    value = line.facts.get(by)
    return value if value is None or isinstance(value, tuple) else (value,)


def _count_needs(condition: c.Count, found: Gathered, trigger: Trigger) -> frozenset[str]:
    needs = loose_needs(condition.lines.window, found, trigger)
    lines = found.certain + found.possible
    if condition.by == "line" or None not in [_words(condition.by, line, trigger) for line in lines]:
        return needs
    return needs | (BEGINS if condition.by == "day" else {condition.by})


def _days_of_use(found: Gathered, scene: Scene, trigger: Trigger) -> tuple[Interval, frozenset[str]]:
    sure: set[date] = set()
    most: set[date] = set()
    needs = NOTHING
    for line in found.certain + found.possible:
        use = use_of(line, scene, trigger)
        if use is None:
            needs |= BEGINS
            continue
        most.update(use.days)
        if is_among(line, found.certain):
            sure.update(use.days)
        if use.open_ended:
            needs |= {"line.days"}
    return (len(sure), math.inf if needs or not found.covered else len(most)), needs
