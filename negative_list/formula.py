"""Limits that are worked out, from a fact or from gathered lines: bound :class:`negative_list.conditions.Formula`."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from negative_list.gather import shared
from negative_list.measure import total
from negative_list.values import is_number, reader_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from negative_list.check import Check
    from negative_list.conditions import Formula, Lines
    from negative_list.gather import Gatherer
    from negative_list.limits import Interval, Number, Worked
    from negative_list.prescription import Line

__all__ = ["bind_formula"]


def bind_formula(formula: Formula, gatherer_of: Callable[[Lines], Gatherer]) -> Worked:
    """What works the limit out for a trigger line; ``gatherer_of`` binds the lines it is made of."""
    if formula.lines is None:
        return _of_fact(formula)
    gatherer = gatherer_of(formula.lines)
    summed = shared(partial(total, formula.of, (), gatherer), gatherer)

    def worked(check: Check, line: Line | None) -> Interval:
        low, high = summed(check, line)
        return _scaled(formula, low), _scaled(formula, high)

    return worked


def _of_fact(formula: Formula) -> Worked:
    read = reader_of(formula.fact)

    def worked(check: Check, line: Line | None) -> Interval | None:
        value = read(check, line)
        if not is_number(value):
            return None
        limit = _scaled(formula, value)
        return limit, limit

    return worked


def _scaled(formula: Formula, number: Number) -> Number:
    """``times`` x (number + ``plus``); what is without limit stays so."""
    return number if isinstance(number, float) else formula.times * (Decimal(number) + formula.plus)
