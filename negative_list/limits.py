"""Limits: whether a number known as an interval is within bounds, some of which may be worked out themselves.

A limit is an interval too; a plain one has equal ends. :class:`negative_list.conditions.Formula` says what is true.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from negative_list.conditions import Bounds, Formula

if TYPE_CHECKING:
    from negative_list.check import Check
    from negative_list.prescription import Line

__all__ = ["Interval", "Number", "Within", "Worked", "formulas_of", "within_bounds"]

Number: TypeAlias = int | float | Decimal
"""Counts, seconds and days are whole or infinite; quantities are exact decimals."""

Interval: TypeAlias = tuple[Number, Number]
"""What is certain, and the most it can be."""

Worked: TypeAlias = "Callable[[Check, Line | None], Interval | None]"
"""A bound formula: the limit for a check and its trigger line, ``None`` where it is unknown."""

Within: TypeAlias = "Callable[[Check, Line | None, Number, Number], bool | None]"
"""Bound limits: whether a number between two ends is within them, for a check and its trigger line."""

_Holds: TypeAlias = Callable[[Number, Number, Number, Number], bool | None]


def _above(low: Number, high: Number, least: Number, most: Number) -> bool | None:
    return True if low > most else (None if high > least else False)


def _at_least(low: Number, high: Number, least: Number, most: Number) -> bool | None:
    return True if low >= most else (None if high >= least else False)


def _below(low: Number, high: Number, least: Number, most: Number) -> bool | None:
    return True if high < least else (None if low < most else False)


def _at_most(low: Number, high: Number, least: Number, most: Number) -> bool | None:
    return True if high <= least else (None if low <= most else False)


_HOLDS: dict[str, _Holds] = {"above": _above, "at_least": _at_least, "below": _below, "at_most": _at_most}
"""Each bound for a number between ``low`` and ``high`` and a limit between ``least`` and ``most``."""


def formulas_of(bounds: Bounds) -> tuple[Formula, ...]:
    """The limits that are worked out, as written."""
    limits = (bounds.above, bounds.at_least, bounds.below, bounds.at_most)
    return tuple([limit for limit in limits if isinstance(limit, Formula)])


def within_bounds(bounds: Bounds, worked: Callable[[Formula], Worked], scale: int = 1) -> Within:
    """The test of a number against bounds, each limit times ``scale``; ``worked`` binds a formula."""
    limits = ((name, getattr(bounds, name)) for name in _HOLDS)
    tests = tuple(_test(name, limit, worked, scale) for name, limit in limits if limit is not None)
    if len(tests) == 1:
        return tests[0]

    def test(check: Check, line: Line | None, low: Number, high: Number) -> bool | None:
        held: bool | None = True
        for each in tests:
            answer = each(check, line, low, high)
            if answer is False:
                return False
            held = answer and held
        return held

    return test


def _test(name: str, limit: Decimal | Formula, worked: Callable[[Formula], Worked], scale: int) -> Within:
    holds = _HOLDS[name]
    if isinstance(limit, Formula):
        return _worked_out(holds, worked(limit), scale)
    scaled = limit * scale
    # Whole numbers compare several times as fast as decimals, and most limits are whole.
    plain: Number = int(scaled) if scaled == scaled.to_integral_value() else scaled

    def test(_check: Check, _line: Line | None, low: Number, high: Number) -> bool | None:
        return holds(low, high, plain, plain)

    return test


def _worked_out(holds: _Holds, limit: Worked, scale: int) -> Within:
    def test(check: Check, line: Line | None, low: Number, high: Number) -> bool | None:
        ends = limit(check, line)
        return None if ends is None else holds(low, high, ends[0] * scale, ends[1] * scale)

    return test
