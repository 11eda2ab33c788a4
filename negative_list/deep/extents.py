"""What a condition lets be of the one thing it measures: a stretch of numbers, or some of a fact's words."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import cache
from typing import TypeAlias

import msgspec
from msgspec import Struct

from negative_list import conditions as c
from negative_list.dictionary import load
from negative_list.validate_bounds import BOUNDS

__all__ = ["Extent", "Span", "Words", "everything_between", "excluded_by", "extent_of", "within"]

_MONTHS_OF_A_YEAR = 12
_LEAST_OF_A_MONTH, _MOST_OF_A_MONTH = 28, 31
_WHOLE = (c.Age, c.Count, c.DaysOfUse, c.SupplyLeft, c.VisitCount, c.SinceVisit)
"""Kinds that measure in whole numbers, whatever their unit."""


class Span(Struct, frozen=True, kw_only=True):
    """Numbers from ``low`` to ``high``, both included unless ``open``; ``None``: without limit. Of ``measure``.

    Of whole numbers both ends are whole and included.
    """

    measure: c.Condition
    low: Decimal | None = None
    high: Decimal | None = None
    low_open: bool = False
    high_open: bool = False


class Words(Struct, frozen=True, kw_only=True):
    """Values of the fact ``measure``. ``several``: it may hold more than one. ``all``: every value, ``None``: open."""

    measure: str
    any_of: frozenset[c.Scalar]
    several: bool
    all: frozenset[c.Scalar] | None


Extent: TypeAlias = Span | Words
"""What is left to the one thing a condition measures."""


def extent_of(condition: c.Condition) -> Extent | None:
    """What a condition on one measured thing lets it be; ``None`` where it is no such condition.

    "Not" of one is one too where a single value is what is measured: what is not above 3 is at most 3.
    """
    if isinstance(condition, c.Not):
        inner = extent_of(condition.of)
        return _outside(inner) if inner is not None else None
    if isinstance(condition, c.Fact) and condition.any_of:
        return _words(condition)
    if isinstance(condition, c.Bounds) and not getattr(condition, "terms", ()):
        return _span(condition)
    return None


def _words(condition: c.Fact) -> Words:
    fact = load()[condition.fact]
    known: frozenset[c.Scalar] | None = None
    if fact.type == "flag":
        known = frozenset((True, False))
    elif fact.words and not fact.open:
        known = frozenset(fact.words)
    return Words(measure=condition.fact, any_of=frozenset(condition.any_of), several=fact.type == "words", all=known)


def _span(condition: c.Bounds) -> Span | None:
    limits = {name: getattr(condition, name) for name in BOUNDS}
    if any(isinstance(limit, c.Formula) for limit in limits.values()):
        return None
    measure = msgspec.structs.replace(condition, **dict.fromkeys(BOUNDS))
    above, at_least, below, at_most = (limits[name] for name in ("above", "at_least", "below", "at_most"))
    low, low_open = _tighter(at_least, above, largest=True)
    high, high_open = _tighter(at_most, below, largest=False)
    span = Span(measure=measure, low=low, high=high, low_open=low_open, high_open=high_open)  # type: ignore[arg-type]
    return _in_months(_whole(span)) if _is_whole(condition) else span


def _tighter(closed: Decimal | None, opened: Decimal | None, *, largest: bool) -> tuple[Decimal | None, bool]:
    """The tighter of two limits on one side, and whether it is left out itself."""
    if closed is None or opened is None:
        return (closed, False) if opened is None else (opened, True)
    tighter_open = opened >= closed if largest else opened <= closed
    return (opened, True) if tighter_open else (closed, False)


def _is_whole(condition: c.Bounds) -> bool:
    if isinstance(condition, c.Fact):
        return load()[condition.fact].type in {"integer", "money"}
    if isinstance(condition, c.Rank):
        return not condition.of
    return isinstance(condition, _WHOLE) or getattr(condition, "unit", "") == "day"


def _whole(span: Span) -> Span:
    """Ends that are whole numbers and included."""
    low, high = span.low, span.high
    if low is not None:
        low = low.to_integral_value(ROUND_FLOOR) + 1 if span.low_open else low.to_integral_value(ROUND_CEILING)
    if high is not None:
        high = high.to_integral_value(ROUND_CEILING) - 1 if span.high_open else high.to_integral_value(ROUND_FLOOR)
    return Span(measure=span.measure, low=low, high=high)


def _in_months(span: Span) -> Span:
    """Ages in completed years as completed months, so that the two can be compared."""
    age = span.measure
    if not (isinstance(age, c.Age) and age.unit == "year"):
        return span
    return Span(
        measure=msgspec.structs.replace(age, unit="month"),
        low=None if span.low is None else span.low * _MONTHS_OF_A_YEAR,
        high=None if span.high is None else span.high * _MONTHS_OF_A_YEAR + _MONTHS_OF_A_YEAR - 1,
    )


def _outside(extent: Extent) -> Extent | None:
    """What is left where an extent does not hold, as one extent; ``None`` where it is none."""
    if isinstance(extent, Words):
        if extent.several or extent.all is None:
            return None
        return msgspec.structs.replace(extent, any_of=extent.all - extent.any_of)
    if (extent.low is None) is (extent.high is None):
        return None
    whole = _is_whole(extent.measure)  # type: ignore[arg-type]  # what is measured in numbers has bounds
    if extent.low is not None:
        opened = Span(measure=extent.measure, high=extent.low, high_open=not extent.low_open)
    else:
        opened = Span(measure=extent.measure, low=extent.high, low_open=not extent.high_open)
    return _whole(opened) if whole else opened


# -- comparing two


@cache
def within(inner: Extent, outer: Extent) -> bool:
    """Whether whatever lies in the one lies in the other."""
    if inner.measure != outer.measure:
        return False
    if isinstance(inner, Words) and isinstance(outer, Words):
        return inner.any_of <= outer.any_of
    if not (isinstance(inner, Span) and isinstance(outer, Span)):
        return False
    return _not_below(inner, outer) and _not_above(inner, outer)


def _not_below(inner: Span, outer: Span) -> bool:
    if outer.low is None or inner.low is None:
        return outer.low is None
    return inner.low > outer.low or (inner.low == outer.low and (inner.low_open or not outer.low_open))


def _not_above(inner: Span, outer: Span) -> bool:
    if outer.high is None or inner.high is None:
        return outer.high is None
    return inner.high < outer.high or (inner.high == outer.high and (inner.high_open or not outer.high_open))


@cache
def excluded_by(one: Extent, other: Extent) -> bool:
    """Whether nothing lies in both."""
    if one.measure != other.measure:
        return _ages_apart(one, other) or _ages_apart(other, one)
    if isinstance(one, Words) and isinstance(other, Words):
        return not one.several and not one.any_of & other.any_of
    if not (isinstance(one, Span) and isinstance(other, Span)):
        return False
    return _ends_before(one, other) or _ends_before(other, one)


def _ages_apart(days: Extent, months: Extent) -> bool:
    """Whether an age in days and one in months leave each other nothing: a month has 28 days at least, 31 at most."""
    if not (isinstance(days, Span) and isinstance(months, Span) and _is_age(days, "day") and _is_age(months, "month")):
        return False
    too_young = None not in {days.high, months.low} and days.high < months.low * _LEAST_OF_A_MONTH  # type: ignore[operator]
    too_old = None not in {days.low, months.high} and days.low >= (months.high + 1) * _MOST_OF_A_MONTH  # type: ignore[operator]
    return too_young or too_old


def _is_age(span: Span, unit: str) -> bool:
    return isinstance(span.measure, c.Age) and span.measure.unit == unit


def _ends_before(first: Span, second: Span) -> bool:
    if first.high is None or second.low is None:
        return False
    return first.high < second.low or (first.high == second.low and (first.high_open or second.low_open))


@cache
def everything_between(one: Extent, other: Extent) -> bool:
    """Whether whatever may be lies in the one or in the other."""
    if one.measure != other.measure:
        return False
    if isinstance(one, Words) and isinstance(other, Words):
        return one.all is not None and one.any_of | other.any_of >= one.all
    if not (isinstance(one, Span) and isinstance(other, Span)):
        return False
    return _joins(one, other) or _joins(other, one)


def _joins(lower: Span, upper: Span) -> bool:
    """Whether the one has no low end, the other no high end, and no number lies between them."""
    if lower.low is not None or upper.high is not None:
        return False
    if lower.high is None or upper.low is None:
        return True
    step = 1 if _is_whole(lower.measure) else 0  # type: ignore[arg-type]  # as above
    if step:
        return upper.low <= lower.high + step
    return upper.low < lower.high or (upper.low == lower.high and not (upper.low_open and lower.high_open))
