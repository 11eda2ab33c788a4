"""Shapes of rules about what stands together on the bill: pairs, companions, groups of herbs and drugs."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from negative_list.conditions import All, Condition, Count, Every, Fact, Items, Lines, Not, Pair, Rank, Some, Window
from negative_list.rules import Rule, Text, Trigger
from negative_list.sheets.amount_shapes import STATE, VISIT, line_values, lines_of, said
from negative_list.sheets.cells import refusal
from negative_list.sheets.shapes import Made, Shape, Values, item_values, items_of, joined, trigger_of

__all__ = ["ALONE", "COMPANION", "CONTAINED", "DISCOUNT", "DUPLICATES", "KINDS", "NEVER", "TOGETHER"]

# -- never payable, or not alone


def _make_never(values: Values) -> Made:
    lines = lines_of(values, items_of(values))
    message = Text(zh="单方、复方均不予支付", en="never payable")
    return Made(violation=Count(lines=lines, by="line", above=Decimal(0)), trigger=trigger_of(values), message=message)


def _take_never(rule: Rule, core: Condition) -> Values | None:
    match core:
        case Count(by="line", lines=Lines() as lines):
            return {**item_values(rule.trigger), **line_values(lines)}
    return None


NEVER = Shape(columns=("window", STATE), needs=(), make=_make_never, take=_take_never)
"""The item is never payable."""


def _make_alone(values: Values) -> Made:
    types = tuple(values.get("types", ()))
    lines = lines_of(values, Items(types=types), same=("line.rx_no",))
    among = items_of({**values, "types": ()})
    message = Text(zh="处方全部由单独使用不予支付的饮片组成", en="every herb is one not payable alone")
    return Made(violation=Every(lines=lines, among=among), trigger=trigger_of({**values, "types": ()}), message=message)


def _take_alone(rule: Rule, core: Condition) -> Values | None:
    match core:
        case Every(lines=Lines(items=Items(types=types)) as lines) if types:
            return {**item_values(rule.trigger), **line_values(lines), "types": types}
    return None


ALONE = Shape(
    columns=("types", "window", STATE),
    needs=(("codes", "name", "names", "sets"),),
    make=_make_alone,
    take=_take_alone,
    grouped=True,
)
"""The herb is not payable alone, nor a prescription of such herbs only; all rows make one rule."""


# -- pairs


def _side(values: Values, side: str) -> Items:
    """The items of one side: codes, else a name; what neither can say is data the program wrote."""
    if values.get(f"{side}_items"):
        try:
            return msgspec.convert(values[f"{side}_items"], Items)
        except msgspec.ValidationError as error:
            message = "程序写入的内容已改动 (changed by hand); 请恢复或清空 (restore it, or empty the cell)"
            raise refusal(message, f"{side}_items") from error
    if values.get(f"{side}_codes"):
        return Items(codes=tuple(values[f"{side}_codes"]))
    return Items(names=(values[f"{side}_name"],))


def _side_values(items: Items, side: str) -> dict[str, Any]:
    if items == Items(codes=items.codes) and items.codes:
        return {f"{side}_codes": items.codes}
    if items == Items(names=items.names) and len(items.names) == 1:
        return {f"{side}_name": items.names[0]}
    return {f"{side}_items": msgspec.to_builtins(items)}


def _side_name(values: Values, side: str) -> str:
    items = _side(values, side)
    return str(values.get(f"{side}_name") or joined((*items.names, *items.codes, *items.prefixes, *items.sets)))


def _pair_trigger(values: Values, main: Items, other: Items) -> Trigger:
    sides = {"main": (main,), "other": (other,)}.get(values.get("triggered_by", "both"), (main, other))
    told: dict[str, Any] = {
        name: tuple(dict.fromkeys(value for side in sides for value in getattr(side, name))) for name in _WAYS
    }
    return Trigger(**told)


_WAYS = Items.__struct_fields__


def _make_pair(symmetric: bool, zh: str, en: str) -> Callable[[Values], Made]:
    def make(values: Values) -> Made:
        main, other = _side(values, "main"), _side(values, "other")
        if set(main.codes) & set(other.codes):
            raise refusal("同一编码不能在两边 (one code on both sides); 请核对 (check both)", "other_codes")
        window: Window = values["window"]
        names = [_side_name(values, side) for side in ("main", "other")]
        return Made(
            violation=Pair(main=main, contained=other, window=window, symmetric=symmetric),
            trigger=_pair_trigger(values, main, other),
            message=Text(zh=zh.format(*names, window=said(window)), en=en),
        )

    return make


def _take_pair(rule: Rule, core: Condition) -> Values | None:
    if not isinstance(core, Pair):
        return None
    sides = {**_side_values(core.main, "main"), **_side_values(core.contained, "other")}
    return {"window": core.window, "triggered_by": _triggered_by(rule, core), **sides}


def _triggered_by(rule: Rule, pair: Pair) -> str:
    told = Items(**{name: getattr(rule.trigger, name) for name in _WAYS})
    return "main" if told == pair.main else "other" if told == pair.contained else "both"


def _pair_shape(zh: str, en: str, *, symmetric: bool) -> Shape:
    return Shape(
        columns=(
            "main_name",
            "main_codes",
            "main_items",
            "other_name",
            "other_codes",
            "other_items",
            "window",
            "triggered_by",
        ),
        needs=(("main_codes", "main_name", "main_items"), ("other_codes", "other_name", "other_items"), ("window",)),
        make=_make_pair(symmetric, zh, en),
        take=_take_pair,
        key=("main_codes", "main_name", "main_items", "other_codes", "other_name", "other_items", "window"),
    )


CONTAINED = _pair_shape(
    "{window}已收{0}，其内含的{1}不得另收", "already contained in another charged item", symmetric=False
)
"""The main item contains the other, which is not charged beside it."""

TOGETHER = _pair_shape("{0}与{1}不得{window}合用", "not to be used together", symmetric=True)
"""Two items that do not go together, whichever comes first."""


# -- companions and groups


def _make_companion(values: Values) -> Made:
    needed, name = _side(values, "companion"), _side_name(values, "companion")
    message = Text(zh=f"{said(values.get('window', VISIT))}没有配套的{name}", en="the companion item is missing")
    return Made(violation=Not(of=Some(lines=lines_of(values, needed))), trigger=trigger_of(values), message=message)


def _take_companion(rule: Rule, core: Condition) -> Values | None:
    match core:
        case Not(of=Some(lines=Lines() as lines)):
            return {**item_values(rule.trigger), **_side_values(lines.items, "companion"), **line_values(lines)}
    return None


COMPANION = Shape(
    columns=("companion_name", "companion_codes", "companion_items", "window", "same", STATE),
    needs=(("companion_codes", "companion_name", "companion_items"),),
    make=_make_companion,
    take=_take_companion,
    union=("companion_codes",),
)
"""The item goes with another; several rows of an item are alternatives."""


def _make_duplicates(values: Values) -> Made:
    lines = lines_of(values, items_of(values))
    name = values.get("group", "同类药品")
    message = Text(zh=f"{name}中同时开具了两种及以上", en="two or more of one class")
    violation = Count(lines=lines, by="item", above=values.get("limit", Decimal(1)))
    return Made(violation=violation, trigger=trigger_of(values), message=message)


def _take_count(rule: Rule, core: Condition) -> Values | None:
    match core:
        case Count(by="item", lines=Lines() as lines, above=Decimal() as limit):
            return {**item_values(rule.trigger), **line_values(lines), "limit": limit}
    return None


DUPLICATES = Shape(
    columns=("group", "limit", "window", "same", STATE),
    needs=(("group", "rule_id"),),
    make=_make_duplicates,
    take=_take_count,
    grouped=True,
)
"""Two items of one group; all rows of a group make one rule."""


def _make_kinds(values: Values) -> Made:
    lines = lines_of(values, items_of(values), same=("line.rx_no",))
    message = Text(zh=f"一张处方不超过{values['limit']}味（种）", en="too many items in one prescription")
    violation = Count(lines=lines, by="item", above=values["limit"])
    return Made(violation=violation, trigger=trigger_of(values), message=message)


KINDS = Shape(columns=("limit", "window", STATE), needs=(("limit",),), make=_make_kinds, take=_take_count)
"""At most so many different items in one prescription."""


# -- operations through one incision

_FULL = Fact(fact="line.full_price", any_of=(True,))


def _make_discount(values: Values) -> Made:
    lines = lines_of(values, items_of(values), same=("line.incision",), where=_FULL, other_item=True)
    zh = f"同一切口的{values.get('group', '手术')}第二项及以后手术应折价收费"
    message = Text(zh=zh, en="second operation through one incision at full price")
    violation = All(of=(_FULL, Rank(lines=lines, above=Decimal(1))))
    return Made(violation=violation, trigger=trigger_of(values), message=message)


def _take_discount(rule: Rule, core: Condition) -> Values | None:
    match core:
        case All(of=(first, Rank(lines=Lines() as lines))) if first == _FULL:
            return {**item_values(rule.trigger), **line_values(lines)}
    return None


DISCOUNT = Shape(
    columns=("group", "window", STATE),
    needs=(("group", "rule_id"),),
    make=_make_discount,
    take=_take_discount,
    grouped=True,
)
"""Of operations of one group through one incision, all but the first are charged at the discount."""
