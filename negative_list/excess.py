"""By how much a limit is passed: what a rule's money at risk and the edits that would help are worked out from."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias, cast

from negative_list import conditions as c
from negative_list.bind import measure_of
from negative_list.measure import weights_of
from negative_list.values import is_number
from negative_list.walk import children_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from negative_list.bind import Binder
    from negative_list.check import Check
    from negative_list.engine import Judgement
    from negative_list.prescription import Line

__all__ = ["Limited", "days_over", "quantity_over", "share_over"]

PRICE = "line.unit_price_fen"
"""The fact whose limit refuses what each unit costs too much."""

Limited: TypeAlias = "c.Sum | c.DaysOfUse | c.Rank | c.Fact"
"""The conditions whose ``above`` is a limit on part of a line: on units, days, places or the price of one."""


def share_over(judgement: Judgement, check: Check, binder: Binder) -> Decimal | None:
    """Which share of the offending line is over the rule's limit; ``None`` where it cannot be told."""
    condition = next(_limited(judgement.rule.rule.violation), None)
    if condition is None:
        return None
    over = _over(condition, judgement, check, binder)
    part = _part_of(condition, judgement.line, check, binder)
    return over / part if over is not None and part is not None and part > 0 else None


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
