"""By how much a limit is passed: what a rule's money at risk and the edits that would help are worked out from."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, TypeAlias, cast

from negative_list import conditions as c
from negative_list.bind import measure_of
from negative_list.measure import counted_lines, weights_of
from negative_list.values import is_number
from negative_list.walk import children_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from negative_list.bind import Binder
    from negative_list.check import Check
    from negative_list.engine import Judgement
    from negative_list.measure import Weights
    from negative_list.prescription import Line

__all__ = ["Limited", "days_over", "quantity_over", "share_over"]

PRICE = "line.unit_price_fen"
"""The fact whose limit refuses what each unit costs too much."""

Limited: TypeAlias = "c.Sum | c.DaysOfUse | c.Rank | c.Fact"
"""The conditions whose ``above`` is a limit on part of a line: on units, days, places or the price of one."""


def share_over(judgement: Judgement, check: Check, binder: Binder) -> Fraction | None:
    """Which share of the offending line is over the rule's limit; ``None`` where it cannot be told.

    Of what all lines make together the last is over: units in the order of :class:`negative_list.conditions.Rank`, days
    of use in the order of the calendar. So the shares of all lines add up to what is over, and a line that is
    within the limit in its place has the share 0.
    """
    condition = next(_limited(judgement.rule.rule.violation), None)
    over = None if condition is None else _over(condition, judgement, check, binder)
    if condition is None or over is None:
        return None
    part, line = _part_of(condition, judgement.line, check, binder), judgement.line
    if line is None or part is None or part <= 0:
        return None
    if isinstance(condition, c.DaysOfUse):
        return _share_of_days(condition, line, check, binder, over)
    if isinstance(condition, c.Sum):
        over = max(over - _later(condition, line, check, binder), Decimal(0))
    return min(Fraction(over) / Fraction(part), Fraction(1))


def _later(condition: c.Sum, line: Line, check: Check, binder: Binder) -> Decimal:
    """What the lines that come after a line add to the sum; nothing where the line itself is not counted."""
    weights = binder.weights(condition.weights)
    counted = counted_lines(condition.of, weights, binder.gatherer(condition.lines), check, line)
    places = {id(each): _placed(each, check) for each in counted}
    own = places.get(id(line))
    if own is None:
        return Decimal(0)
    later = (each for each in counted if places[id(each)] > own)
    return sum((_worth(condition.of, weights, check, each) for each in later), Decimal(0))


def _placed(line: Line, check: Check) -> tuple[bool, Decimal, int]:
    """What puts lines in order: those in force, the dearest, those without a price; of one kind as written."""
    price = line.facts.get(PRICE)
    cheap = -Decimal(price) if is_number(price) else Decimal(1)
    return check.is_current(line), cheap, check.place_of(line)


def _worth(of: str, weights: Weights, check: Check, line: Line) -> Decimal:
    """The least a line adds to a sum."""
    value = line.facts.get(of)
    return min(value * weight for weight in weights_of(weights, check, line)) if is_number(value) else Decimal(0)


def _share_of_days(condition: c.DaysOfUse, line: Line, check: Check, binder: Binder, over: Decimal) -> Fraction:
    """The share of a line's days of use that come after as many days as the limit allows."""
    gathered = binder.gatherer(condition.lines).gather(check, line)
    first, last, _ = check.use_of(line)
    if not any(each is line for each in gathered.certain):
        return min(Fraction(over) / (last - first + 1), Fraction(1))
    days: list[int] = check.remember(("days", id(gathered.certain)), lambda: _days_of(gathered.certain, check))
    # Of days numbered from 1 the n-th is over when n is above the limit, the first of them perhaps in part.
    within = len(days) - Fraction(over)
    begin = floor(within)
    partly = 1 - (within - begin)
    whole = max(0, last - max(first, days[begin] + 1) + 1)
    return (whole + (partly if first <= days[begin] <= last else 0)) / Fraction(last - first + 1)


def _days_of(lines: tuple[Line, ...], check: Check) -> list[int]:
    """The distinct days lines are certainly in use, in order."""
    uses = [check.use_of(line) for line in lines]
    return sorted({day for first, last, _ in uses for day in range(first, last + 1)})


def quantity_over(judgement: Judgement, check: Check, binder: Binder) -> Decimal | None:
    """By how many units the first limit on units is passed; ``None`` for a rule without one, or within it."""
    return _first_over((c.Sum, c.Rank), judgement, check, binder)


def days_over(judgement: Judgement, check: Check, binder: Binder) -> Decimal | None:
    """By how many days of use the first limit on them is passed; ``None`` for a rule without one, or within it."""
    return _first_over((c.DaysOfUse,), judgement, check, binder)


def _first_over(kinds: tuple[type, ...], judgement: Judgement, check: Check, binder: Binder) -> Decimal | None:
    fitting = (each for each in _limited(judgement.rule.rule.violation) if isinstance(each, kinds))
    condition = next(fitting, None)
    return None if condition is None else _over(condition, judgement, check, binder)


def _limited(condition: c.Condition) -> Iterator[Limited]:
    """The conditions of a violation that limit part of a line, as written; those inside ``where`` are others'."""
    priced = isinstance(condition, c.Fact) and condition.fact == PRICE
    placed = isinstance(condition, c.Rank) and bool(condition.of)
    if isinstance(condition, (c.Sum, c.DaysOfUse)) or priced or placed:
        yield cast("Limited", condition)
    if isinstance(condition, (c.All, c.Any, c.Not, c.AtLeast)):
        for child in children_of(condition):
            yield from _limited(child)


def _over(condition: Limited, judgement: Judgement, check: Check, binder: Binder) -> Decimal | None:
    """By how much the limit is passed for certain."""
    number, limit = _number(condition, judgement.line, check, binder), condition.above
    if isinstance(limit, c.Formula):
        ends = binder.formula(limit)(check, judgement.line)
        limit = Decimal(ends[1]) if ends is not None else None
    return number - limit if number is not None and limit is not None and number > limit else None


def _number(condition: Limited, line: Line | None, check: Check, binder: Binder) -> Decimal | None:
    """The low end of what the condition compares."""
    if isinstance(condition, c.Fact):
        value = line.facts.get(condition.fact) if line is not None else None
        return Decimal(value) if is_number(value) else None
    interval = measure_of(binder, condition)(check, line)
    return None if interval is None else Decimal(interval[0])


def _part_of(condition: Limited, line: Line | None, check: Check, binder: Binder) -> Decimal | None:
    """What of the compared number is the offending line's own."""
    if line is None:
        return None
    if isinstance(condition, c.DaysOfUse):
        first, last, _ = check.use_of(line)
        return Decimal(last - first + 1)
    value = line.facts.get(PRICE if isinstance(condition, c.Fact) else condition.of)
    if not is_number(value):
        return None
    weights = weights_of(binder.weights(condition.weights) if isinstance(condition, c.Sum) else (), check, line)
    return Decimal(value) * weights[0] if len(set(weights)) == 1 else None
