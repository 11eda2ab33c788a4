"""What a list holds, counted: rules and details by class, condition kinds, what has no end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from negative_list.classes import CLASS_IDS, class_name
from negative_list.compile import digest_of
from negative_list.rules import Rule, RuleList
from negative_list.walk import children_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from negative_list import conditions as c

__all__ = ["ClassCount", "Stats", "stats_of"]


class ClassCount(Struct, frozen=True, kw_only=True):
    """Rules and details of one class; ``blocking`` rules ask for a block, ``ended`` ones have a last day."""

    class_id: str
    name: str
    rules: int
    details: int
    blocking: int
    ended: int


class Stats(Struct, frozen=True, kw_only=True):
    """Counts of a whole list. ``kinds``: how many conditions of each kind its rules hold."""

    digest: str
    rules: int
    details: int
    sets: int
    classes: tuple[ClassCount, ...]
    kinds: dict[str, int]


def stats_of(rules: RuleList) -> Stats:
    """Count a list."""
    kinds = Counter(kind for rule in rules.rules for kind in _kinds(rule))
    return Stats(
        digest=digest_of(rules),
        rules=len(rules.rules),
        details=rules.details,
        sets=len(rules.sets),
        classes=tuple(_class_count(class_id, rules) for class_id in _classes(rules)),
        kinds=dict(sorted(kinds.items())),
    )


def _classes(rules: RuleList) -> list[str]:
    there = {rule.class_id for rule in rules.rules}
    return [class_id for class_id in CLASS_IDS if class_id in there]


def _class_count(class_id: str, rules: RuleList) -> ClassCount:
    own = tuple(rule for rule in rules.rules if rule.class_id == class_id)
    return ClassCount(
        class_id=class_id,
        name=class_name(class_id),
        rules=len(own),
        details=RuleList(rules=own, sets=rules.sets).details,
        blocking=sum(rule.action == "block" for rule in own),
        ended=sum(rule.valid_to is not None for rule in own),
    )


def _kinds(rule: Rule) -> Iterator[str]:
    for condition in (rule.scope, rule.violation):
        if condition is not None:
            yield from _kinds_of(condition)


def _kinds_of(condition: c.Condition) -> Iterator[str]:
    yield str(condition.__struct_config__.tag)
    for child in children_of(condition):
        yield from _kinds_of(child)
