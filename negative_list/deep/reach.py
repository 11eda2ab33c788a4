"""What each rule of a list can be triggered by, so that rules that may meet are found without comparing all."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from negative_list.codes import expand_ranges, normal
from negative_list.deep.implying import Implying
from negative_list.text import normalise

if TYPE_CHECKING:
    from negative_list.rules import Rule, RuleList

__all__ = ["MOST_AT_ONE", "Reach", "in_force_together", "in_force_within"]

MOST_AT_ONE = 300
"""Rules at one code that are set beside each other, pair by pair (45,000 pairs); the busiest code of the published
points has 32. Of more only the first, by id, are."""

_NARROWED = ("types", "except_codes", "except_names")


class Reach:
    """The triggers of one list.

    Args:
        rules: a valid list.
    """

    def __init__(self, rules: RuleList) -> None:
        self.rules = {rule.id: rule for rule in rules.rules}
        self.sets: Mapping[str, tuple[str, ...]] = {named.id: tuple(map(normal, named.codes)) for named in rules.sets}
        self.implying = Implying(self.sets)
        self.keys = {rule.id: frozenset(self._keys(rule)) for rule in rules.rules}

    def codes_of(self, rule: Rule) -> frozenset[str]:
        """The item codes that trigger a rule, those of its sets included."""
        trigger = rule.trigger
        return frozenset((*map(normal, trigger.codes), *(code for name in trigger.sets for code in self.sets[name])))

    def _keys(self, rule: Rule) -> Iterator[str]:
        """What triggers a rule, each way by itself."""
        trigger = rule.trigger
        yield from self.codes_of(rule)
        yield from (f"name {normalise(name)}" for name in trigger.names)
        yield from (f"prefix {normal(prefix)}" for prefix in trigger.prefixes)
        yield from (f"diagnosis {code}" for code in expand_ranges(trigger.diagnoses))
        yield from (f"operation {code}" for code in expand_ranges(trigger.operations))
        if trigger.encounter:
            yield "encounter"
        if not (trigger.codes or trigger.sets or trigger.names or trigger.prefixes):
            yield from (f"type {kind}" for kind in trigger.types)

    @cached_property
    def at(self) -> Mapping[str, tuple[str, ...]]:
        """Rule ids by what triggers them, prefixes at every code of the list they begin."""
        found: dict[str, set[str]] = {}
        for name, keys in self.keys.items():
            for key in keys:
                found.setdefault(key, set()).add(name)
        in_order = sorted(found)
        for name, rule in self.rules.items():
            for key in _begun(rule, in_order):
                found[key].add(name)
        return {key: tuple(sorted(names)) for key, names in found.items()}

    @cached_property
    def shared(self) -> Mapping[tuple[str, str], int]:
        """How many triggers two rules share, by their ids in order; pairs that share none are left out."""
        counted: Counter[tuple[str, str]] = Counter()
        for names in self.at.values():
            for place, one in enumerate(names[:MOST_AT_ONE]):
                counted.update((one, other) for other in names[place + 1 : MOST_AT_ONE])
        return counted

    def covers(self, outer: Rule, inner: Rule) -> bool:
        """Whether whatever triggers the one rule triggers the other."""
        narrowed = any(getattr(outer.trigger, name) for name in _NARROWED)
        if narrowed and any(getattr(outer.trigger, name) != getattr(inner.trigger, name) for name in _NARROWED):
            return False
        prefixes = tuple(map(normal, outer.trigger.prefixes))
        left = self.keys[inner.id] - self.keys[outer.id]
        return all(bool(prefixes) and key.removeprefix("prefix ").startswith(prefixes) for key in left)


def _begun(rule: Rule, in_order: list[str]) -> Iterator[str]:
    """The keys that begin with a prefix of the rule; they stand side by side in their order."""
    for prefix in map(normal, rule.trigger.prefixes):
        for place in range(bisect_left(in_order, prefix), len(in_order)):
            if not in_order[place].startswith(prefix):
                break
            yield in_order[place]


def in_force_within(inner: Rule, outer: Rule) -> bool:
    """Whether the one rule is in force on every day the other is."""
    first, last = inner.valid_from or date.min, inner.valid_to or date.max
    return (outer.valid_from or date.min) <= first and last <= (outer.valid_to or date.max)


def in_force_together(one: Rule, other: Rule) -> bool:
    """Whether there is a day on which both rules are in force."""
    first = max(one.valid_from or date.min, other.valid_from or date.min)
    return first <= min(one.valid_to or date.max, other.valid_to or date.max)
