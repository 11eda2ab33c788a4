"""Validation of bounds: limits that are no numbers, contradict each other, or cannot be worked out."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from negative_list import conditions as c
from negative_list.validate_names import NUMERIC, line_number, unknown_fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from negative_list.validate_names import Found, Known

__all__ = ["BOUNDS", "LARGEST_DIGITS", "bounds_problems", "formulas_in", "impossible_numbers", "is_bounded"]

LARGEST_DIGITS = 15
"""Digits before the point of the largest bound, as of the largest value a fact may have."""

BOUNDS = c.Bounds.__struct_fields__
"""The names of the four bounds."""


def bounds_problems(condition: Any, path: str, known: Known) -> Found:
    """Numbers are limited, the limits can be worked out, and leave something between them."""
    if not isinstance(condition, c.Fact) and not is_bounded(condition):
        yield path, "no bound is given; use `above`, `at_least`, `below` or `at_most`"
    for name, formula in formulas_in(condition):
        yield from _formula_problems(formula, f"{path}.{name}", known)
    lows = [bound for bound in (condition.above, condition.at_least) if isinstance(bound, Decimal)]
    highs = [bound for bound in (condition.below, condition.at_most) if isinstance(bound, Decimal)]
    if lows and highs:
        low, high = max(lows), min(highs)
        touching = low == high and (condition.above == low or condition.below == high)
        if low > high or touching:
            yield path, f"contradictory bounds: nothing lies between {low} and {high}"


def _formula_problems(formula: c.Formula, path: str, known: Known) -> Found:
    """A formula is made of one thing that is a number, and grows with it; its lines are looked at elsewhere."""
    if bool(formula.fact) is (formula.lines is not None):
        yield path, "a limit is worked out from one thing; give either `fact` or `lines`"
    if formula.fact:
        bad_name = list(unknown_fact(formula.fact, f"{path}.fact", known))
        yield from bad_name
        if not bad_name and known.facts[formula.fact].type not in NUMERIC:
            yield f"{path}.fact", f"`{formula.fact}` is a {known.facts[formula.fact].type}, no number"
    if formula.lines is not None:
        yield from line_number(formula.of, f"{path}.of", known)
    if formula.times <= 0:
        yield f"{path}.times", f"`{formula.times}` turns the limit round or makes it nothing; write more than 0"


def formulas_in(condition: c.Condition) -> Iterator[tuple[str, c.Formula]]:
    """The limits that are worked out, with the bounds they are given as."""
    for name in BOUNDS:
        limit = getattr(condition, name, None)
        if isinstance(limit, c.Formula):
            yield name, limit


def impossible_numbers(condition: c.Condition, path: str) -> Found:
    """Numbers of one condition that no measured number comes near, ``NaN`` and infinity among them."""
    for name, number in _numbers(condition):
        if not (number.is_finite() and number.adjusted() < LARGEST_DIGITS):
            yield f"{path}.{name}", f"`{number}` is no limit; write a number of at most {LARGEST_DIGITS} digits"


def _numbers(condition: c.Condition) -> Iterator[tuple[str, Decimal]]:
    for name in BOUNDS:
        limit = getattr(condition, name, None)
        if isinstance(limit, Decimal):
            yield name, limit
        elif limit is not None:
            yield from ((f"{name}.times", limit.times), (f"{name}.plus", limit.plus))
    if isinstance(condition, c.Sum):
        yield from ((f"weights[{place}].weight", weight.weight) for place, weight in enumerate(condition.weights))


def is_bounded(condition: Any) -> bool:
    """Whether any bound is given."""
    return any(getattr(condition, name) is not None for name in BOUNDS)
