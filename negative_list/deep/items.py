"""Codes, prefixes and pairs: what a list says of items that it cannot mean, or says half."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import accumulate
from typing import TYPE_CHECKING

from negative_list import conditions as c
from negative_list.codes import PLACEHOLDERS, STRUCTURES, normal, structure
from negative_list.deep.observations import Observation
from negative_list.walk import children_of

if TYPE_CHECKING:
    from negative_list.deep.reach import Reach
    from negative_list.rules import Rule

__all__ = ["PARTS", "addons_alone", "one_way", "unknown_codes", "wide_prefixes"]

PARTS: Mapping[str, tuple[int, ...]] = {
    # X, the levels of the ATC class up to the 4th, name, form (letter, number), specification, company
    "western drug": (1, 1, 2, 1, 1, 4, 1, 3, 4, 5),
    # Z, class letter, number and subclass, then name, specification and pack, company
    "patent drug": (1, 1, 2, 1, 1, 5, 4, 5),
    # T, standard class, efficacy class, name
    "herb": (1, 2, 2, 5),
    # as a herb, then origin, specification and pack, company
    "granule": (1, 2, 2, 5, 1, 4, 5),
    # C, three levels of class, generic name, features, company, serial
    "consumable": (1, 2, 2, 2, 3, 5, 5, 7),
    # zeros, chapter, two levels, item, extension, add-on
    "service": (2, 2, 2, 2, 3, 2, 2),
}
"""Lengths of the parts of each structure of :data:`negative_list.codes.STRUCTURES`: a prefix that ends inside a part
takes in several classes at once. Sources: as there."""

_ADD_ON = re.compile(r"\d{11}00(?!00)\d{2}", re.ASCII)
_SHOWN = 3


def unknown_codes(reach: Reach, _today: date) -> Iterator[Observation]:
    """Codes that have the shape of no national code: a line with the code of the insurer is never found by them."""
    for rule in reach.rules.values():
        odd = sorted(code for code in reach.codes_of(rule) if code in PLACEHOLDERS or structure(code) is None)
        if odd:
            zh = f"{len(odd)} 个编码不符合国家编码结构：{_some(odd)}"
            en = f"{len(odd)} codes have no national structure: {_some(odd)}"
            yield Observation(kind="code", rule_id=rule.id, path="trigger.codes", zh=zh, en=en)


def _some(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} …"


def wide_prefixes(reach: Reach, _today: date) -> Iterator[Observation]:
    """Prefixes that end inside a part of a code, and those under which two structures of codes stand."""
    for rule in reach.rules.values():
        for prefix in map(normal, rule.trigger.prefixes):
            for zh, en in _too_wide(prefix, rule):
                yield Observation(kind="prefix", rule_id=rule.id, path="trigger.prefixes", zh=zh, en=en)


def _too_wide(prefix: str, rule: Rule) -> Iterator[tuple[str, str]]:
    kinds = [kind for kind in STRUCTURES if _may_begin(prefix, kind.name)]
    if len(prefix) == 1:
        zh = f"前缀 `{prefix}` 涵盖这一结构的全部编码；如确为此意，请改用 types"
        yield zh, f"prefix `{prefix}` takes in every code of its structure; if that is meant, use `types`"
    elif not any(len(prefix) in accumulate(PARTS[kind.name]) for kind in kinds):
        zh = f"前缀 `{prefix}` 止于编码的一段之中，会同时涵盖几类"
        yield zh, f"prefix `{prefix}` ends inside a part of the code and takes in several classes"
    elif len({kind.item_type for kind in kinds}) > 1 and not rule.trigger.types:
        names, words = "、".join(kind.zh for kind in kinds), " and ".join(kind.name for kind in kinds)
        zh = f"前缀 `{prefix}` 同时涵盖{names}；如只指其中一类，请加上 types"
        yield zh, f"prefix `{prefix}` takes in {words} codes; where one is meant, add `types`"


def _may_begin(prefix: str, kind: str) -> bool:
    first = {"western drug": "X", "patent drug": "Z", "herb": "T", "granule": "T", "consumable": "C"}.get(kind)
    return prefix.startswith(first) if first else prefix.isdigit()


def addons_alone(reach: Reach, _today: date) -> Iterator[Observation]:
    """Add-on services (00 and a number at the end) whose base is named nowhere: rules of the base do not reach them."""
    named = {code for rule in reach.rules.values() for code in reach.codes_of(rule)} | _looked_for(reach)
    for rule in reach.rules.values():
        alone = sorted(code for code in reach.codes_of(rule) if _ADD_ON.fullmatch(code) and _base(code) not in named)
        if alone:
            zh = f"{len(alone)} 个加收项的主项目未在清单中出现：{_some(alone)}"
            en = f"{len(alone)} add-ons whose base stands nowhere in the list: {_some(alone)}"
            yield Observation(kind="add-on", rule_id=rule.id, path="trigger.codes", zh=zh, en=en)


def _base(code: str) -> str:
    return f"{code[:-2]}00"


def _looked_for(reach: Reach) -> set[str]:
    """The codes conditions look for."""
    return {
        normal(code) for rule in reach.rules.values() for items in _items_in(rule.violation) for code in items.codes
    }


def _items_in(condition: c.Condition) -> Iterator[c.Items]:
    lines = getattr(condition, "lines", None)
    if lines is not None:
        yield lines.items
    if isinstance(condition, c.Pair):
        yield from (condition.main, condition.contained)
    for child in children_of(condition):
        yield from _items_in(child)


# -- pairs


def one_way(reach: Reach, _today: date) -> Iterator[Observation]:
    """Rules that find an item beside another, where nothing finds it when the other is written second."""
    looked = {rule.id: tuple(_partners(rule.violation)) for rule in reach.rules.values()}
    for rule in reach.rules.values():
        codes = reach.codes_of(rule)
        for partner in looked[rule.id] if codes else ():
            missing = sorted(code for code in _codes(reach, partner) - codes if not _back(reach, code, codes, looked))
            if missing:
                zh = f"后开立的一方不会被发现：没有由 {_some(missing)} 触发、查找本规则项目的规则"
                en = f"not found when written second: no rule triggered by {_some(missing)} looks for its items"
                yield Observation(kind="one-way", rule_id=rule.id, path="violation", zh=zh, en=en)


def _partners(condition: c.Condition) -> Iterator[c.Items]:
    """Items whose presence beside the trigger violates: those of "some" and "pair" that are not negated."""
    if isinstance(condition, (c.All, c.Any, c.AtLeast)):
        for child in condition.of:
            yield from _partners(child)
    elif isinstance(condition, (c.Some, c.Overlap)) and condition.lines.state != "current":
        yield condition.lines.items
    elif isinstance(condition, c.Pair):
        yield from (condition.main, condition.contained)


def _codes(reach: Reach, items: c.Items) -> frozenset[str]:
    return frozenset((*map(normal, items.codes), *(code for name in items.sets for code in reach.sets[name])))


def _back(reach: Reach, code: str, wanted: frozenset[str], looked: Mapping[str, tuple[c.Items, ...]]) -> bool:
    """Whether a rule triggered by a code looks for one of the wanted."""
    return any(
        wanted & _codes(reach, items) or any(each.startswith(tuple(map(normal, items.prefixes))) for each in wanted)
        for name in reach.at.get(code, ())
        for items in looked[name]
    )
