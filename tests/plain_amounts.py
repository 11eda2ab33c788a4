"""The plain matcher, beside the loop: how much money a finding puts at risk.

Of ``excess``, what lies over the limit for certain: the least the number may be, less the most the limit may be. A
line's share of its money is that part of what the line itself adds to the number. Where nothing is over for certain
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
from tests.plain_lines import gather
from tests.plain_scene import Scene, Trigger, in_place, value_of
from tests.plain_totals import Number, limit_of, worth
from tests.plain_windows import use_of

if TYPE_CHECKING:
    from negative_list.prescription import Line
    from negative_list.rules import Rule

__all__ = ["amount_fen"]

Limited: TypeAlias = c.Sum | c.DaysOfUse | c.Rank | c.Fact
PRICE = "line.unit_price_fen"


def amount_fen(rule: Rule, lines: Sequence[Line], scene: Scene) -> int | None:
    """The money at risk in the offending lines; ``None`` where it is not stated or not known."""
    counted = lines[:1] if rule.amount == "excess" else lines
    amounts = [line.facts.get("line.amount_fen") for line in counted]
    if rule.amount == "none" or not lines or None in amounts:
        return None
    share = _share(rule, in_place(lines[0], scene), scene) if rule.amount == "excess" else Fraction(1)
    at_risk = sum(Fraction(str(amount)) for amount in amounts) * share * Fraction(rule.amount_share)
    return math.floor(at_risk + Fraction(1, 2))


def _share(rule: Rule, trigger: Trigger, scene: Scene) -> Fraction:
    """How much of the trigger line's money is over the limit."""
    condition = next(_limited(rule.violation), None)
    if condition is None or condition.above is None:
        return Fraction(1)
    number, own = _measured(condition, scene, trigger)
    limit = limit_of(condition.above, scene, trigger)
    if number is None or limit is None or math.inf in (number, limit):
        return Fraction(1)
    over = Fraction(number) - Fraction(limit)
    return min(Fraction(1), over / Fraction(own)) if over > 0 and own else Fraction(1)


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
