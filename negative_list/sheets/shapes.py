"""What a shape of rules is: which columns say it, how a row becomes the condition, and how the condition becomes a row.

A shape serves every class whose rules are built alike. ``make`` and ``take`` are each other's inverse where ``take``
answers; where a condition is built otherwise ``take`` says ``None`` and the rule is refused by name, never cut down.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from negative_list.conditions import Condition, Items
from negative_list.rules import Rule, Text, Trigger

__all__ = [
    "ITEM_COLUMNS",
    "Made",
    "Shape",
    "Values",
    "item_values",
    "items_of",
    "joined",
    "some_of",
    "trigger_of",
]

Values: TypeAlias = "Mapping[str, Any]"
"""What a row says, by column; blank cells are not in it."""

ITEM_COLUMNS = ("codes", "sets", "names", "prefixes", "types", "except_codes", "except_names")
"""The columns that name items, in the order of :class:`negative_list.conditions.Items`."""


class Made(Struct, frozen=True, kw_only=True):
    """What a row asks for."""

    violation: Condition
    trigger: Trigger
    message: Text


class Shape(Struct, frozen=True, kw_only=True):
    """One way rules are built.

    ``columns`` are its own, beside those of every rule; of each tuple in ``needs`` a row fills at least one. ``key``
    names the columns that, with the items, tell one rule from another; ``union`` those whose values over several rows
    of one item are alternatives ("this or that diagnosis"); ``grouped`` makes one rule of all rows of a group.
    """

    columns: tuple[str, ...]
    needs: tuple[tuple[str, ...], ...]
    make: Callable[[Values], Made]
    take: Callable[[Rule, Condition], Values | None]
    key: tuple[str, ...] = ()
    union: tuple[str, ...] = ()
    grouped: bool = False


def items_of(values: Values) -> Items:
    """The items a row names: by its item columns, or by the item's name where there is nothing else."""
    told = {name: tuple(values[name]) for name in ITEM_COLUMNS if values.get(name)}
    if not (told.keys() - {"except_codes"}) and values.get("name"):
        told["names"] = (values["name"],)
    return Items(**told)


def trigger_of(values: Values) -> Trigger:
    """The trigger that looks at the items of a row."""
    items = items_of(values)
    return Trigger(**{name: getattr(items, name) for name in ITEM_COLUMNS})


def item_values(items: Items) -> dict[str, Any]:
    """The item columns of items."""
    return {name: getattr(items, name) for name in ITEM_COLUMNS if getattr(items, name)}


def some_of(values: Values, *names: str) -> str:
    """The first of the columns that is filled, as text for a message."""
    for name in names:
        if told := values.get(name):
            return told if isinstance(told, str) else joined(told)
    return ""


def joined(words: Any, most: int = 3) -> str:
    """Words as a message lists them: the first few, and that there are more."""
    listed = [str(word) for word in words]
    return "、".join(listed[:most]) + ("等" if len(listed) > most else "")
