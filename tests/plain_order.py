"""The plain matcher, part 6 of 8: places, times between lines, supplies, overlaps and pairs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeAlias

from negative_list import conditions as c
from negative_list.prescription import Line
from tests.plain_lines import Gathered, gather, is_among
from tests.plain_scene import (
    FALSE,
    NOTHING,
    TRUE,
    Answer,
    Kleene,
    Scene,
    Told,
    Trigger,
    both,
    extent,
    is_bare,
    named,
    span,
)
from tests.plain_totals import Interval, Number, hours, worth
from tests.plain_windows import Use, use_of

__all__ = ["before_in", "exists", "overlap", "pair", "since", "supply_left"]

Measured: TypeAlias = tuple[Interval | None, list[Line], frozenset[str]]
"""A number, the lines it rests on, and what keeps it from being exact."""

BEGINS = frozenset({"line.begins"})
DAYS = frozenset({"line.days"})
PRICE = frozenset({"line.unit_price_fen"})
LINE = frozenset({"line.code"})


def exists(found: Gathered) -> Kleene:
    """Whether any line is gathered."""
    if found.certain:
        return True
    return None if found.possible or not found.covered else False


# --- places ---------------------------------------------------------------------------------------------------------


def before_in(condition: c.Rank, others: Gathered, scene: Scene, trigger: Trigger) -> Measured:
    """The trigger line's place: its own part of 1 (or its units) and those of the lines before it."""
    if trigger.line is None:
        return None, [], LINE
    placed = [(line, _goes_before(line, trigger.line, scene)) for line in others.certain + others.possible]
    sure = [line for line, (before, _) in placed if before and is_among(line, others.certain)]
    maybe = [line for line, (before, _) in placed if before is not False]
    low = sum(_units(condition, line, scene)[0] for line in (trigger.line, *sure))
    high = [_units(condition, line, scene)[1] for line in (trigger.line, *maybe)]
    needs = others.needs.union(*(needs for _, (_, needs) in placed))
    if any(condition.of and condition.of not in line.facts for line in (trigger.line, *maybe)):
        needs |= {condition.of}
    return (low, math.inf if math.inf in high or not others.covered else sum(high)), sure, needs


def _units(condition: c.Rank, line: Line, scene: Scene) -> Interval:
    """How many places a line takes."""
    return worth(line, condition.of, (), scene) if condition.of else (1, 1)


def _goes_before(line: Line, ours: Line, scene: Scene) -> Told:
    if scene.in_force(line):
        return TRUE
    price, own = line.facts.get("line.unit_price_fen"), ours.facts.get("line.unit_price_fen")
    if not (isinstance(price, int | Decimal) and isinstance(own, int | Decimal)):
        return None, PRICE
    if price != own:
        return TRUE if price > own else FALSE
    first = next(one for one in scene.prescription.encounter.lines if one is line or one is ours)
    return TRUE if first is line else FALSE


# --- time between uses ----------------------------------------------------------------------------------------------


def since(condition: c.Since, others: Gathered, trigger: Trigger) -> Measured:
    """The time from the first or the last use, not later than the trigger, to the trigger."""
    every = others.certain + others.possible
    uses = [(line, ago) for line in every if (ago := _ago(condition, line, trigger)) is not None]
    maybe: list[Interval] = [(max(ago[0], 0), ago[1]) for _, ago in uses]
    certain = [line for line, ago in uses if ago[0] >= 0 and is_among(line, others.certain)]
    sure = [ago for line, ago in uses if is_among(line, certain)]
    if condition.event == "last_use":
        low: Number = min((ago[0] for ago in maybe), default=math.inf) if others.covered else 0
        interval = (low, min((ago[1] for ago in sure), default=math.inf))
    else:
        high: Number = max((ago[1] for ago in maybe), default=0) if others.covered else math.inf
        interval = (max((ago[0] for ago in sure), default=0), high)
    loose = [line for line in every if condition.unit == "hour" and is_bare(line, trigger)]
    inexact = loose or any(extent(line, trigger) is None for line in every)
    return interval, certain, others.needs | (BEGINS if inexact else NOTHING)


def _ago(condition: c.Since, line: Line, trigger: Trigger) -> Interval | None:
    """The least and the most time from the use to the trigger (below 0: it may be later); ``None``: it is later."""
    stands = extent(line, trigger)
    if stands is None:
        return -1, math.inf
    if condition.unit == "day":
        days = (trigger.day - stands[0].date()).days
        return (days, days) if days >= 0 else None
    ours = span(trigger.moment, has_clock=trigger.has_clock)
    least, most = hours(ours[0] - stands[1]), hours(ours[1] - stands[0])
    return (least, most) if most >= 0 else None


# --- supplies -------------------------------------------------------------------------------------------------------


def supply_left(others: Gathered, scene: Scene, trigger: Trigger) -> Measured:
    """How many days' supply is left on the trigger's day, with every issue used up after the one before it."""
    uses = [(line, use_of(line, scene, trigger)) for line in others.certain + others.possible]
    begun = [(line, use) for line, use in uses if use is not None and use.first <= trigger.day]
    sure = [line for line, _ in begun if is_among(line, others.certain)]
    needs = BEGINS if any(use is None for _, use in uses) else NOTHING
    needs |= DAYS if any(use.open_ended for _, use in begun) else NOTHING
    low = _left((use for line, use in begun if is_among(line, sure)), trigger.day)
    high = _left((use for _, use in begun), trigger.day) if others.covered and not needs else math.inf
    return (low, high), sure, others.needs | needs


def _left(uses: Iterable[Use], day: date) -> int:
    """Days from the day on to the end of the last supply, the supplies strung one after the other."""
    last = date.min
    for use in sorted(uses, key=lambda use: use.first):
        begin = max(use.first, last + timedelta(days=1))
        last = begin + timedelta(days=len(use.days) - 1)
    return max(0, (last - day).days + 1)


# --- overlaps and pairs ---------------------------------------------------------------------------------------------


def overlap(others: Gathered, trigger: Trigger) -> Answer:
    """Whether another line's stretch from begin to stop overlaps the trigger line's."""
    if trigger.line is None:
        return Answer(None, needs=LINE)
    told = [(line, _crosses(line, trigger.line)) for line in others.certain + others.possible]
    sure = [line for line, (crosses, _) in told if crosses and is_among(line, others.certain)]
    maybe = [line for line, (crosses, _) in told if crosses is not False]
    needs = others.needs.union(*(needs for _, (_, needs) in told))
    return Answer(exists(others._replace(certain=sure, possible=maybe)), sure, needs)


def _crosses(one: Line, other: Line) -> Told:
    told = _starts_in_time(one, other), _starts_in_time(other, one)
    needs = told[0][1] | told[1][1]
    return (None, needs) if needs else both(*told)


def _starts_in_time(one: Line, other: Line) -> Told:
    """Whether one line begins before the other stops; unknown without both, or when the begin is a bare date."""
    needs = NOTHING if one.begins and one.has_clock else BEGINS
    if other.stops is None:
        needs |= {"line.stops"}
    if needs or one.begins is None or other.stops is None:
        return None, needs
    return TRUE if one.begins < other.stops else FALSE


def pair(condition: c.Pair, scene: Scene, trigger: Trigger) -> Answer:
    """A contained trigger line with a main line, or a main one with a contained line in force."""
    if trigger.line is None:
        return Answer(value=False)
    mains = c.Lines(items=condition.main, window=condition.window)
    containeds = c.Lines(
        items=condition.contained, window=condition.window, state="any" if condition.symmetric else "in_force"
    )
    sides = [
        _side(named(condition.contained, trigger.line, scene), gather(mains, scene, trigger), trigger),
        _side(named(condition.main, trigger.line, scene), gather(containeds, scene, trigger), trigger),
    ]
    for side in sides:
        if side.value:
            return side
    unknown = [side.needs for side in sides if side.value is None]
    return Answer(None, needs=NOTHING.union(*unknown)) if unknown else Answer(value=False)


def _side(ours: Told, found: Gathered, trigger: Trigger) -> Answer:
    others = found.without(trigger.line)
    there = exists(others)
    partner: Told = (there, NOTHING if there else others.needs)
    value, needs = both(ours, partner)
    return Answer(value, tuple(others.certain), needs)
