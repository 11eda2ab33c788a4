"""Shapes of rules about how much: quantities, money, days, grams and prices, in a line or in a window."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import fields

from negative_list.conditions import (
    All,
    Condition,
    DaysOfUse,
    Fact,
    Items,
    Lines,
    Since,
    Some,
    Sum,
    Window,
)
from negative_list.conditions import (
    Any as AnyOf,
)
from negative_list.rules import Rule, Text
from negative_list.sheets.cells import refusal
from negative_list.sheets.shapes import Made, Shape, Values, item_values, items_of, trigger_of
from negative_list.sheets.spans import written_window

__all__ = [
    "AMOUNT",
    "CAPS",
    "COURSE",
    "GRAMS",
    "PRICE",
    "QUANTITY",
    "STATE",
    "VISIT",
    "line_values",
    "lines_of",
    "said",
]

VISIT = Lines().window
"""The window of a condition that names none: this visit."""

STATE = "line_state"
"""The column that tells which lines are gathered: all, those being written, those in force."""


def said(window: Window) -> str:
    """A window as a message says it."""
    return written_window(window).partition("（")[0]


def lines_of(values: Values, items: Items, **more: Any) -> Lines:
    """The lines a row gathers; a window that nobody told is the default itself, which canonical lines leave out."""
    told = {"same": tuple(values.get("same", ())), **more}
    return Lines(items=items, window=values.get("window", VISIT), state=values.get(STATE, "any"), **told)


def line_values(lines: Lines) -> dict[str, Any]:
    """The columns of gathered lines; what they say besides has no column and shows when the row is read back."""
    told: dict[str, Any] = {} if lines.window is VISIT else {"window": lines.window}
    if lines.same:
        told["same"] = lines.same
    return told if lines.state == "any" else {**told, STATE: lines.state}


# -- sums and courses


def _make_sum(values: Values, limit: Decimal, of: str, told: str) -> Made:
    violation = Sum(lines=lines_of(values, items_of(values)), of=of, above=limit)
    message = Text(zh=f"{said(values.get('window', VISIT))}{told}", en="over the limit of the period")
    return Made(violation=violation, trigger=trigger_of(values), message=message)


def _windowed(values: Values) -> Values:
    """A row whose period is told in days has a window of so many days."""
    if "window" in values and "period_days" not in values:
        return values
    window = Window(unit="days", length=values["period_days"], ends="open", whose="patient")
    return {**values, "window": window}


_QUANTITY: str = next(field.default for field in fields(Sum) if field.name == "of")
"""What a sum adds up where nobody told: the default itself, which canonical lines leave out."""


def _make_quantity(values: Values) -> Made:
    of = values.get("measure", _QUANTITY)
    return _make_sum(_windowed(values), values["limit"], of, f"数量不超过{values['limit']}")


def _take_quantity(rule: Rule, core: Condition) -> Values | None:
    match core:
        case Sum(lines=Lines() as lines, of=of, above=Decimal() as limit):
            measure = {} if of is _QUANTITY else {"measure": of}
            return {**item_values(rule.trigger), **line_values(lines), **measure, "limit": limit}
    return None


QUANTITY = Shape(
    columns=("limit", "unit", "window", "period_days", "measure", "same", STATE),
    needs=(("limit",), ("window", "period_days")),
    make=_make_quantity,
    take=_take_quantity,
    key=("window", "period_days", "measure"),
)
"""At most so much in a window."""


def _make_amount(values: Values) -> Made:
    fen = values["limit_amount"]
    return _make_sum(_windowed(values), fen, "line.amount_fen", f"金额不超过{fen / 100}元")


def _take_amount(rule: Rule, core: Condition) -> Values | None:
    match core:
        case Sum(lines=Lines() as lines, of="line.amount_fen", above=Decimal() as fen):
            return {**item_values(rule.trigger), **line_values(lines), "limit_amount": fen}
    return None


AMOUNT = Shape(
    columns=("limit_amount", "window", "period_days", "same", STATE),
    needs=(("limit_amount",), ("window", "period_days")),
    make=_make_amount,
    take=_take_amount,
    key=("window", "period_days"),
)
"""At most so much money in a window."""


def _make_course(values: Values) -> Made:
    days, lines = values["limit_days"], lines_of(values, items_of(values))
    violation: Condition = DaysOfUse(lines=lines, above=days)
    if values.get("span"):
        since = Since(event="first_use", lines=lines, unit="day", at_least=days)
        violation = AnyOf(of=(violation, All(of=(Some(lines=lines), since))))
    message = Text(zh=f"支付疗程不超过{days}天", en=f"beyond the payable course of {days} days")
    return Made(violation=violation, trigger=trigger_of(values), message=message)


def _take_course(rule: Rule, core: Condition) -> Values | None:
    span = isinstance(core, AnyOf)
    days = core.of[0] if isinstance(core, AnyOf) and core.of else core
    if not (isinstance(days, DaysOfUse) and isinstance(days.above, Decimal)):
        return None
    told = {**item_values(rule.trigger), **line_values(days.lines), "limit_days": days.above}
    return {**told, "span": True} if span else told


COURSE = Shape(
    columns=("limit_days", "window", "span", "same", STATE),
    needs=(("limit_days",),),
    make=_make_course,
    take=_take_course,
)
"""Payable for so many days of use."""


# -- caps of one line


def _make_caps(values: Values) -> Made:
    days = values.get("limit_days")
    if (days is None) is (values.get("limit") is None):
        raise refusal("天数与数量只能填一种 (either days or a quantity); 请清空其一 (empty one of them)", "limit")
    if days is None and ("window" in values or "period_days" in values):
        return _make_quantity(values)
    fact, bound, unit = ("line.days", days, "天") if days is not None else ("line.quantity", values["limit"], "")
    return _capped(values, Fact(fact=fact, above=bound), f"一次开药不超过{bound}{unit}")


def _capped(values: Values, over: Condition, zh: str) -> Made:
    if modes := values.get("modes"):
        over = All(of=(Fact(fact="encounter.visit_mode", any_of=tuple(modes)), over))
    return Made(violation=over, trigger=trigger_of(values), message=Text(zh=zh, en="over the cap of one issue"))


def _take_caps(rule: Rule, core: Condition) -> Values | None:
    match core:
        case All(of=(Fact(fact="encounter.visit_mode", any_of=modes), Fact() as over)):
            told = _take_caps(rule, over)
            return {**told, "modes": modes} if told else None
        case Fact(fact="line.days", above=Decimal() as bound):
            return {**item_values(rule.trigger), "limit_days": bound}
        case Fact(fact="line.quantity", above=Decimal() as bound):
            return {**item_values(rule.trigger), "limit": bound}
    return _take_quantity(rule, core)


CAPS = Shape(
    columns=("limit_days", "limit", "modes", "window", "period_days", "measure", "same", STATE),
    needs=(("limit_days", "limit"),),
    make=_make_caps,
    take=_take_caps,
    key=("modes", "window", "measure"),
)
"""At most so many days, or so much, in one issue or in a window."""


def _make_grams(values: Values) -> Made:
    grams = values.get("grams")
    if grams is None:
        grams = values["grams_label"] * values.get("grams_multiple", _MULTIPLE)
    message = Text(zh=f"每日用量不超过{grams}克", en="over the grams a day")
    return Made(violation=Fact(fact="line.daily_grams", above=grams), trigger=trigger_of(values), message=message)


_MULTIPLE = Decimal(5)
"""Suggested by the rule library of 2025: five times the pharmacopoeia's maximum."""


def _take_grams(rule: Rule, core: Condition) -> Values | None:
    match core:
        case Fact(fact="line.daily_grams", above=Decimal() as grams):
            return {**item_values(rule.trigger), "grams": grams}
    return None


GRAMS = Shape(
    columns=("grams", "grams_label", "grams_multiple"),
    needs=(("grams", "grams_label"),),
    make=_make_grams,
    take=_take_grams,
)
"""At most so many grams of a herb a day."""


# -- prices

_LEVELS: Mapping[str, int] = {"price_3": 3, "price_2": 2, "price_1": 1}


def _make_price(values: Values) -> Made:
    tiers = [_at_level(level, values[column]) for column, level in _LEVELS.items() if column in values]
    if bool(tiers) is ("price" in values):
        raise refusal(
            "限价与分级限价只能填一种 (either one price or one for each level); 请清空其一 (empty one)", "price"
        )
    over = _over(values["price"]) if not tiers else tiers[0] if len(tiers) == 1 else AnyOf(of=tuple(tiers))
    message = Text(zh="单价超过限价", en="the unit price is over the cap")
    return Made(violation=over, trigger=trigger_of(values), message=message)


def _over(fen: Decimal) -> Condition:
    return Fact(fact="line.unit_price_fen", above=fen)


def _at_level(level: int, fen: Decimal) -> Condition:
    return All(of=(Fact(fact="encounter.institution_level", any_of=(level,)), _over(fen)))


def _take_price(rule: Rule, core: Condition) -> Values | None:
    match core:
        case Fact(fact="line.unit_price_fen", above=Decimal() as fen):
            return {**item_values(rule.trigger), "price": fen}
    told: dict[str, Any] = {}
    for tier in core.of if isinstance(core, AnyOf) else (core,):
        match tier:
            case All(
                of=(Fact(fact="encounter.institution_level", any_of=(int() as level,)), Fact(above=Decimal() as fen))
            ):
                told[f"price_{level}"] = fen
            case _:
                return None
    return {**item_values(rule.trigger), **told}


PRICE = Shape(columns=("price", *_LEVELS), needs=(("price", *_LEVELS),), make=_make_price, take=_take_price)
"""The unit price is at most the cap, one for all or one for each level of institution."""
