"""A list as it stands on one day, and two such lists taken apart into what they share and what differs.

A forecast asks what the coming release would have said to the last weeks: its rules begin on a day that lies ahead, so
validity is judged on the day of activation, once for all, while ages and windows go by each prescription's own clock.
Rules that judge alike in both lists are judged once, and a list that changed little costs little more than one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from negative_list.rules import Basis, Rule, RuleList, Text

__all__ = ["Apart", "apart", "as_of", "later_than"]

_ENCODER = msgspec.json.Encoder(decimal_format="number", order="sorted")
_WORDLESS: Mapping[str, Any] = {
    "title": "",
    "message": Text(zh=""),
    "basis": Basis(document=""),
    "version": 1,
    "reasons": (),
    "suggestions": (),
    "points": (),
    "origin": "",
    "cases": (),
}
"""What a rule says to people, and nobody judges by."""


_DEALING: Mapping[str, Any] = {
    "action": "warn",
    "result": "definite",
    "addressee": "doctor",
    "amount": "none",
    "amount_share": Decimal(1),
}
"""What is made of a rule that holds, in so far as it never decides whether it does."""


class Apart(Struct, frozen=True, kw_only=True):
    """Two lists taken apart.

    ``shared`` are the rules that judge alike in both, as the later list has them; ``before`` and ``after`` those of
    either list alone. A rule that only changed its wording is shared. ``alike``: ids of rules of ``after`` that hold as
    in ``before`` and only do something else then: where neither can be decided nothing changes.
    """

    shared: RuleList
    before: RuleList
    after: RuleList
    alike: frozenset[str] = frozenset()


def as_of(rules: RuleList, day: date) -> RuleList:
    """The rules in force on a day, without their dates; those not in force, or overridden on that day, are left out.

    Args:
        rules: a list.
        day: the civil day the list is to be active from.
    """
    standing_in = _standing_in(rules.rules, day)
    kept = (rule for rule in rules.rules if _in_force(rule, day) and rule.id not in standing_in)
    return RuleList(rules=tuple(map(_undated, kept)), sets=rules.sets)


def later_than(rules: RuleList, day: date) -> tuple[Rule, ...]:
    """The rules that begin after a day: a forecast for that day says nothing of them."""
    return tuple(rule for rule in rules.rules if rule.valid_from is not None and rule.valid_from > day)


def _standing_in(rules: Iterable[Rule], day: date) -> frozenset[str]:
    return frozenset(name for rule in rules if rule.overrides and _in_force(rule, day) for name in rule.overrides)


def _in_force(rule: Rule, day: date) -> bool:
    return (rule.valid_from or date.min) <= day <= (rule.valid_to or date.max)


def _undated(rule: Rule) -> Rule:
    if rule.valid_from is None and rule.valid_to is None and not rule.overrides:
        return rule
    return msgspec.structs.replace(rule, valid_from=None, valid_to=None, overrides=())


def apart(before: RuleList, after: RuleList) -> Apart:
    """What two lists share, and what each has alone.

    Args:
        before: what is active, as of the day.
        after: the coming list, as of the day.
    """
    moved = _moved_sets(before, after)
    same = _same(before.rules, after.rules, moved)
    shared, own = _split(after.rules, same)
    _, gone = _split(before.rules, same)
    return Apart(
        shared=RuleList(rules=shared, sets=after.sets),
        before=RuleList(rules=gone, sets=before.sets),
        after=RuleList(rules=own, sets=after.sets),
        alike=_same(map(_undealt, gone), map(_undealt, own), moved),
    )


def _same(before: Iterable[Rule], after: Iterable[Rule], moved: frozenset[str]) -> frozenset[str]:
    """Ids of the rules that judge the same."""
    old = {rule.id: _judging(rule, moved) for rule in before}
    return frozenset(rule.id for rule in after if (told := _judging(rule, moved)) and old.get(rule.id) == told)


def _undealt(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, **_DEALING)


def _split(rules: Iterable[Rule], shared: Collection[str]) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    sides: tuple[list[Rule], list[Rule]] = ([], [])
    for rule in rules:
        sides[rule.id not in shared].append(rule)
    return tuple(sides[0]), tuple(sides[1])


def _judging(rule: Rule, moved: frozenset[str]) -> bytes:
    """All of a rule that has a part in what is found; nothing where a set it names has other codes in the two lists."""
    grades = tuple(msgspec.structs.replace(grade, message=None) for grade in rule.grades)
    told = _ENCODER.encode(msgspec.structs.replace(rule, grades=grades, **_WORDLESS))
    if moved and b'"sets":' in told and not moved.isdisjoint(_sets_in(msgspec.json.decode(told))):
        return b""
    return told


def _sets_in(told: Any) -> Iterator[str]:
    """Ids of the sets named anywhere in a rule."""
    if isinstance(told, dict):
        for key, inner in told.items():
            yield from inner if key == "sets" else _sets_in(inner)
    elif isinstance(told, list):
        for inner in told:
            yield from _sets_in(inner)


def _moved_sets(before: RuleList, after: RuleList) -> frozenset[str]:
    """Sets that have other codes in the two lists, or stand in one alone."""
    old = {named.id: frozenset(named.codes) for named in before.sets}
    new = {named.id: frozenset(named.codes) for named in after.sets}
    return frozenset(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
