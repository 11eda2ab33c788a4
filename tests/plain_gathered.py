"""The plain matcher, part 2 of 4: what the conditions that gather lines answer.

Needs of an unknown one: ``history`` where the window is not covered, and for every line that is gathered or may be,
each name that keeps its membership or what it adds from being exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

from negative_list import conditions as c
from negative_list.prescription import Line
from tests.plain_lines import (
    FALSE,
    NOTHING,
    TRUE,
    Answer,
    Gathered,
    Kleene,
    Scene,
    Told,
    Trigger,
    both,
    extent,
    gather,
    is_bare,
    item_key,
    last_certain_day,
    named,
    reaches,
    span,
)

__all__ = ["Gathering", "gathered", "hours", "limits"]

Gathering: TypeAlias = c.Some | c.Every | c.Count | c.Sum | c.DaysOfUse | c.Rank | c.Since | c.Overlap | c.Pair
Number: TypeAlias = int | float | Decimal | Fraction
"""A number, exact wherever it is finite."""
Interval: TypeAlias = tuple[Any, Any]
"""The least and the most a number may be; each a :data:`Number`."""
Measure: TypeAlias = Callable[[list[Line]], Interval]
Outcome: TypeAlias = tuple[Kleene, list[Line], frozenset[str]]
"""The value, the lines a decided one rests on, and what its lines need beyond their membership."""

BEGINS = frozenset({"line.begins"})
PRICE = frozenset({"line.unit_price_fen"})


def limits(bounds: c.Bounds, interval: Interval) -> Kleene:
    """Whether a number that lies in the interval keeps all the bounds."""
    low, high = interval
    always, never = True, False
    if bounds.above is not None:
        always, never = always and low > bounds.above, never or high <= bounds.above
    if bounds.at_least is not None:
        always, never = always and low >= bounds.at_least, never or high < bounds.at_least
    if bounds.below is not None:
        always, never = always and high < bounds.below, never or low >= bounds.below
    if bounds.at_most is not None:
        always, never = always and high <= bounds.at_most, never or low > bounds.at_most
    return False if never else (True if always else None)


def hours(stretch: timedelta) -> Fraction:
    """A stretch of time in hours, exactly."""
    return Fraction(stretch // timedelta(microseconds=1), 3_600_000_000)


def gathered(condition: Gathering, scene: Scene, trigger: Trigger) -> Answer:
    """Judge a condition that gathers lines, with the lines it rests on and all that keeps it from being exact."""
    if isinstance(condition, c.Pair):
        return _pair(condition, scene, trigger)
    found = gather(condition.lines, scene, trigger)
    if isinstance(condition, c.Some | c.Rank | c.Since | c.Overlap):
        found = found.without(trigger.line)
    value, involved, needs = _outcome(condition, found, scene, trigger)
    involved = [line for line in involved if line is not trigger.line]
    return Answer(value, involved, found.needs | needs | _missing(found))


def _outcome(condition: Gathering, found: Gathered, scene: Scene, trigger: Trigger) -> Outcome:
    match condition:
        case c.Some():
            return _exists(found), found.certain, NOTHING
        case c.Every():
            return _every(condition, found, scene)
        case c.Count():
            return _count(condition, found, trigger)
        case c.Sum():
            return _sum(condition, found, trigger)
        case c.DaysOfUse():
            return _days_of_use(condition, found, scene, trigger)
        case c.Rank():
            return _rank(condition, found, scene, trigger)
        case c.Since():
            return _since(condition, found, trigger)
        case _:
            return _overlap(found, trigger)


def _missing(found: Gathered) -> frozenset[str]:
    return NOTHING if found.covered else frozenset({"history"})


def _exists(found: Gathered) -> Kleene:
    if found.certain:
        return True
    return None if found.possible or not found.covered else False


def _every(condition: c.Every, found: Gathered, scene: Scene) -> Outcome:
    sure = [named(condition.among, line, scene) for line in found.certain]
    maybe = [named(condition.among, line, scene) for line in found.possible]
    needs = NOTHING.union(*(told[1] for told in sure + maybe))
    if any(told[0] is False for told in sure):
        return False, found.certain, needs
    exact = found.covered and all(told[0] for told in sure + maybe)
    return True if exact else None, found.certain, needs


# --- totals ---------------------------------------------------------------------------------------------------------


def _count(condition: c.Count, found: Gathered, trigger: Trigger) -> Outcome:
    def measure(lines: list[Line]) -> Interval:
        if condition.by == "line":
            return len(lines), len(lines)
        if condition.by == "item":
            return (number := len({item_key(line) for line in lines})), number
        days = {stands[0].date() for line in lines if (stands := extent(line, trigger))}
        return len(days), len(days) + sum(extent(line, trigger) is None for line in lines)

    window = condition.lines.window
    timeless = any(extent(line, trigger) is None for line in found.certain + found.possible)
    needs = BEGINS if _loose(window, found, trigger) or (condition.by == "day" and timeless) else NOTHING
    return limits(condition, _largest(measure, window, found, trigger)), found.certain, needs


def _sum(condition: c.Sum, found: Gathered, trigger: Trigger) -> Outcome:
    def measure(lines: list[Line]) -> Interval:
        values = [line.facts.get(condition.of) for line in lines]
        known = sum((value for value in values if isinstance(value, int | Decimal)), Decimal(0))
        return known, math.inf if any(value is None for value in values) else known

    window = condition.lines.window
    unknown = any(condition.of not in line.facts for line in found.certain + found.possible)
    needs = frozenset({condition.of}) if unknown else NOTHING
    needs |= BEGINS if _loose(window, found, trigger) else NOTHING
    return limits(condition, _largest(measure, window, found, trigger)), found.certain, needs


def _largest(measure: Measure, window: c.Window, found: Gathered, trigger: Trigger) -> Interval:
    """The total of the gathered lines; where the window slides, that of the stretch with the largest total."""
    stretches = list(_stretches(window, found.certain, trigger)) if _slides(window) else [found.certain]
    low = max(measure(stretch)[0] for stretch in stretches)
    if not found.covered:
        return low, math.inf
    loose = _loose(window, found, trigger)
    placed = [[line for line in stretch if not any(line is one for one in loose)] for stretch in stretches]
    return low, max(measure(stretch + loose + found.possible)[1] for stretch in placed)


def _slides(window: c.Window) -> bool:
    return window.side == "around" and window.unit in ("hours", "days")


def _loose(window: c.Window, found: Gathered, trigger: Trigger) -> list[Line]:
    """Other lines that are certain but, by hours, have no exact place: they may share any stretch, or none."""
    if not _slides(window) or window.unit != "hours":
        return []
    return [line for line in found.without(trigger.line).certain if is_bare(line, trigger)]


def _stretches(window: c.Window, lines: list[Line], trigger: Trigger) -> Iterator[list[Line]]:
    """Every fullest choice of lines that, whenever in their days they stand, lie in one stretch with the trigger."""
    yield [line for line in lines if line is trigger.line]
    ours = _place(window, span(trigger.moment, has_clock=trigger.has_clock))
    places = [(line, _place(window, stands)) for line in lines if (stands := extent(line, trigger))]
    for start in {ours[0], *(first for _, (first, _) in places if first <= ours[0])}:
        if _fits(window, ours[1] - start):
            yield [line for line, (first, last) in places if first >= start and _fits(window, last - start)]


def _fits(window: c.Window, stretch: timedelta) -> bool:
    return reaches(window, stretch if window.unit == "hours" else stretch.days)


def _place(window: c.Window, stands: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    """Where a line stands on the window's scale: by moments for hours, by midnights for days."""
    if window.unit == "hours":
        return stands
    midnight = datetime.combine(stands[0], time())
    return midnight, midnight


def _days_of_use(condition: c.DaysOfUse, found: Gathered, scene: Scene, trigger: Trigger) -> Outcome:
    sure: set[date] = set()
    most: set[date] = set()
    needs = NOTHING
    for line in found.certain + found.possible:
        days = _days(line, scene, trigger)
        if any(line is one for one in found.certain):
            sure.update(days)
        most.update(days)
        if not days:
            needs |= BEGINS
        elif _is_open_ended(line, scene):
            needs |= {"line.days"}
    high = math.inf if needs or not found.covered else len(most)
    return limits(condition, (len(sure), high)), found.certain, needs


def _days(line: Line, scene: Scene, trigger: Trigger) -> list[date]:
    """The days the line is in use for certain; none for a line without a begin."""
    stands = extent(line, trigger)
    if stands is None:
        return []
    begin = stands[0].date()
    return [begin + timedelta(days=n) for n in range((last_certain_day(line, scene, trigger) - begin).days + 1)]


def _is_open_ended(line: Line, scene: Scene) -> bool:
    """Whether more days of use may follow the certain ones."""
    if "line.days" in line.facts or line.stops is not None:
        return False
    if line.facts.get("line.long_order") is True:
        return True
    return not (_is_inpatient(line, scene) or line.facts.get("line.item_type") in ("service", "material"))


def _is_inpatient(line: Line, scene: Scene) -> bool:
    encounters = (scene.prescription.encounter, *scene.prescription.others)
    modes = [one.facts.get("encounter.visit_mode") for one in encounters if one.id == line.encounter_id]
    return "inpatient" in modes


# --- order and time -------------------------------------------------------------------------------------------------


def _rank(condition: c.Rank, others: Gathered, scene: Scene, trigger: Trigger) -> Outcome:
    if trigger.line is None:
        return None, [], frozenset({"line.code"})
    sure = [line for line in others.certain if _goes_before(line, trigger.line, scene)[0]]
    told = [_goes_before(line, trigger.line, scene) for line in others.certain + others.possible]
    high = 1 + sum(before is not False for before, _ in told)
    interval = (1 + len(sure), high if others.covered else math.inf)
    return limits(condition, interval), sure, NOTHING.union(*(needs for _, needs in told))


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


def _since(condition: c.Since, others: Gathered, trigger: Trigger) -> Outcome:
    every = others.certain + others.possible
    uses = [(line, ago) for line in every if (ago := _ago(condition, line, trigger)) is not None]
    maybe: list[Interval] = [(max(ago[0], 0), ago[1]) for _, ago in uses]
    certain = [line for line, ago in uses if ago[0] >= 0 and any(line is one for one in others.certain)]
    sure = [ago for line, ago in uses if any(line is one for one in certain)]
    if condition.event == "last_use":
        low: Number = min((ago[0] for ago in maybe), default=math.inf) if others.covered else 0
        interval = (low, min((ago[1] for ago in sure), default=math.inf))
    else:
        high: Number = max((ago[1] for ago in maybe), default=0) if others.covered else math.inf
        interval = (max((ago[0] for ago in sure), default=0), high)
    loose = [line for line in every if condition.unit == "hour" and is_bare(line, trigger)]
    inexact = loose or any(extent(line, trigger) is None for line in every)
    return limits(condition, interval), certain, BEGINS if inexact else NOTHING


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


def _overlap(others: Gathered, trigger: Trigger) -> Outcome:
    if trigger.line is None:
        return None, [], frozenset({"line.code"})
    told = [(line, _crosses(line, trigger.line)) for line in others.certain + others.possible]
    sure = [line for line, (crosses, _) in told if crosses and any(line is one for one in others.certain)]
    maybe = [line for line, (crosses, _) in told if crosses is not False]
    needs = NOTHING.union(*(needs for _, (_, needs) in told))
    return _exists(others._replace(certain=sure, possible=maybe)), sure, needs


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


def _pair(condition: c.Pair, scene: Scene, trigger: Trigger) -> Answer:
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
    there = _exists(others)
    partner: Told = (there, NOTHING if there else others.needs | _missing(others))
    value, needs = both(ours, partner)
    return Answer(value, tuple(others.certain), needs)
