"""The plain matcher, beside the loop: how much money a finding puts at risk.

Of ``excess``, what lies over the limit for certain: the least the number may be, less the most the limit may be. A
line's share of its money is that part of what the line itself adds to the number, as far as the lines after it (those
in force first, then the dearest, then as written; days of use by the calendar) do not make it up already. Where
nothing is over for certain
(the rule was broken otherwise), or the line's own part is not known, the whole line is at risk.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from negative_list import conditions as c
from tests.plain_gathered import number_of
from tests.plain_lines import gather, is_among
from tests.plain_scene import Scene, Trigger, in_place, value_of
from tests.plain_totals import Number, limit_of, stretches, worth
from tests.plain_windows import use_of

if TYPE_CHECKING:
    from negative_list.prescription import Line
    from negative_list.rules import Rule

__all__ = ["amount_fen"]

Limited: TypeAlias = c.Sum | c.DaysOfUse | c.Rank | c.Fact
PRICE = "line.unit_price_fen"


def amount_fen(rule: Rule, lines: Sequence[Line], scene: Scene) -> int | None:
    """The money at risk in the offending lines, each in whole fen; ``None`` where it is not stated or not known."""
    if rule.amount == "none" or not lines:
        return None
    shares = [_share(rule, in_place(line, scene), scene) if rule.amount == "excess" else Fraction(1) for line in lines]
    total = 0
    for line, share in zip(lines, shares, strict=True):
        amount = line.facts.get("line.amount_fen") if share else 0
        if amount is None:
            return None
        total += math.floor(Fraction(str(amount)) * share * Fraction(rule.amount_share) + Fraction(1, 2))
    return total


def _share(rule: Rule, trigger: Trigger, scene: Scene) -> Fraction:
    """How much of the trigger line's money is over the limit: of what all lines make, the last ones are."""
    condition = next(_limited(rule.violation), None)
    if condition is None or condition.above is None:
        return Fraction(1)
    number, own = _measured(condition, scene, trigger)
    limit = limit_of(condition.above, scene, trigger)
    if number is None or limit is None or math.inf in (number, limit):
        return Fraction(1)
    over = Fraction(number) - Fraction(limit)
    if over <= 0 or not own:
        return Fraction(1)
    if isinstance(condition, c.DaysOfUse):
        return _share_of_days(condition, Fraction(limit), over, scene, trigger)
    if isinstance(condition, c.Sum):
        over = max(over - _later(condition, scene, trigger), Fraction(0))
    return min(Fraction(1), over / Fraction(own))


def _later(condition: c.Sum, scene: Scene, trigger: Trigger) -> Fraction:
    """What the lines counted after the trigger line add to the sum; nothing where it is not counted itself."""
    found = gather(condition.lines, scene, trigger)

    def added(lines: list[Line]) -> Fraction:
        return sum((Fraction(worth(line, condition.of, condition.weights, scene)[0]) for line in lines), Fraction(0))

    lines = max(stretches(condition.lines.window, found.certain, trigger), key=added)
    if trigger.line is None or not is_among(trigger.line, lines):
        return Fraction(0)
    ordered = sorted(lines, key=lambda line: _place(line, scene))
    place = next(number for number, one in enumerate(ordered) if one is trigger.line)
    return added(ordered[place + 1 :])


def _place(line: Line, scene: Scene) -> tuple[bool, bool, int | Decimal, int]:
    """Lines in force first, then the dearest, those without a price last, then as they stand in the body."""
    price = line.facts.get(PRICE)
    priced = isinstance(price, int | Decimal)
    body = [number for number, one in enumerate(scene.prescription.encounter.lines) if one is line]
    return not scene.in_force(line), not priced, -price if priced else 0, body[0] if body else -1  # type: ignore[operator]


def _share_of_days(condition: c.DaysOfUse, limit: Fraction, over: Fraction, scene: Scene, trigger: Trigger) -> Fraction:
    """How many of the line's days of use come after as many days as the limit allows, one of them perhaps in part."""
    lines = gather(condition.lines, scene, trigger).certain
    used = {id(line): use.days for line in lines if (use := use_of(line, scene, trigger))}
    mine = use_of(trigger.line, scene, trigger) if trigger.line is not None else None
    assert mine is not None
    if id(trigger.line) not in used:
        return min(Fraction(1), over / len(mine.days))
    days = sorted({day for each in used.values() for day in each})
    parts = {day: min(Fraction(1), max(Fraction(0), number - limit)) for number, day in enumerate(days, 1)}
    return sum((parts[day] for day in mine.days), Fraction(0)) / len(mine.days)


def _limited(condition: c.Condition) -> Iterator[Limited]:
    """The conditions that name a limit, as written."""
    match condition:
        case c.All(of=children) | c.Any(of=children) | c.AtLeast(of=children):
            for child in children:
                yield from _limited(child)
        case c.Not(of=child):
            yield from _limited(child)
        case c.Sum() | c.DaysOfUse():
            yield condition
        case c.Rank(of=of) if of:
            yield condition
        case c.Fact(fact=fact) if fact == PRICE:
            yield condition
        case _:
            pass


def _measured(condition: Limited, scene: Scene, trigger: Trigger) -> tuple[Number | None, Number]:
    """The least the number may be, and the trigger line's own part of it (0 where that is not known)."""
    line = trigger.line
    assert line is not None
    if isinstance(condition, c.Fact):
        price = value_of(PRICE, scene, trigger)
        return (price, price) if isinstance(price, int | Decimal) else (None, 0)
    number, _, _ = number_of(condition, gather(condition.lines, scene, trigger), scene, trigger)
    low = number[0] if number else None
    if isinstance(condition, c.DaysOfUse):
        use = use_of(line, scene, trigger)
        return low, len(use.days) if use else 0
    weights = condition.weights if isinstance(condition, c.Sum) else ()
    least, most = worth(line, condition.of, weights, scene)
    return low, least if least == most else 0
