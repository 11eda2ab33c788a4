"""What changed between two lists."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from negative_list.classes import CLASS_IDS, classes
from negative_list.differences.records import (
    ChangedRule,
    ChangedSet,
    ClassCount,
    Differences,
    Renumbered,
    RuleTold,
    Side,
)
from negative_list.differences.rule import changes_of, importance_of
from negative_list.rules import ACTIONS, NamedSet, Rule, RuleList, details_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Named", "compare"]


class Named(Struct, frozen=True, kw_only=True):
    """A list to compare: its name, its digest, and its version where it is a release."""

    rules: RuleList
    name: str
    digest: str
    version: str = ""


class _Part(Struct, frozen=True, kw_only=True):
    """A list taken apart: its rules by id, its sets, and how many codes each has."""

    rules: dict[str, Rule]
    sets: dict[str, NamedSet]
    codes: dict[str, tuple[str, ...]]
    sizes: dict[str, int]

    def told(self, rule: Rule) -> RuleTold:
        return RuleTold(
            id=rule.id,
            class_id=rule.class_id,
            title=rule.title,
            action=rule.action,
            result=rule.result,
            details=details_of(rule.trigger, self.sizes),
            valid_from=rule.valid_from,
            valid_to=rule.valid_to,
            origin=rule.origin,
        )


def compare(before: Named, after: Named) -> Differences:
    """What changed from one list to another. Rules are the same where their ids are."""
    was, is_ = _part(before.rules), _part(after.rules)
    moved = _moved(was, is_)
    both = [(was.rules[name], rule) for name, rule in is_.rules.items() if name in was.rules]
    differing = [(old, rule) for old, rule in both if old != rule]
    sets = tuple(_changed_sets(was, is_))
    new = [rule for name, rule in is_.rules.items() if name not in was.rules and name not in moved]
    gone = [rule for name, rule in was.rules.items() if name not in is_.rules and name not in moved.values()]
    touched = {name for changed in sets if changed.kind == "changed" for name in changed.rules}
    return Differences(
        before=_side(before),
        after=_side(after),
        new=_sorted(map(is_.told, new)),
        gone=_sorted(map(was.told, gone)),
        changed=_changed(differing, was, is_),
        renumbered=tuple(Renumbered(before=old, rule=is_.told(is_.rules[name])) for name, old in sorted(moved.items())),
        sets=sets,
        classes=tuple(_classes(was, is_, new, gone, [rule for _, rule in differing])),
        unchanged=len(both) - len(differing),
        through_sets=len(touched - {rule.id for _, rule in differing} - moved.keys()),
    )


def _part(rules: RuleList) -> _Part:
    return _Part(
        rules={rule.id: rule for rule in rules.rules},
        sets={named.id: named for named in rules.sets},
        codes={named.id: named.codes for named in rules.sets},
        sizes={named.id: len(named.codes) for named in rules.sets},
    )


def _side(named: Named) -> Side:
    rules = named.rules
    return Side(
        name=named.name,
        version=named.version,
        digest=named.digest,
        rules=len(rules.rules),
        details=rules.details,
        sets=len(rules.sets),
    )


def _moved(was: _Part, is_: _Part) -> dict[str, str]:
    """New id → old id of rules that say the same under another id."""
    old = {_content(rule): name for name, rule in was.rules.items() if name not in is_.rules}
    moved: dict[str, str] = {}
    for name, rule in is_.rules.items():
        if name not in was.rules and (found := old.pop(_content(rule), None)) is not None:
            moved[name] = found
    return moved


def _content(rule: Rule) -> Rule:
    return msgspec.structs.replace(rule, id="", version=1, points=(), cases=())


def _changed(pairs: list[tuple[Rule, Rule]], was: _Part, is_: _Part) -> tuple[ChangedRule, ...]:
    told = []
    for old, rule in pairs:
        changes = changes_of(old, rule, (was.codes, is_.codes))
        told.append(ChangedRule(rule=is_.told(rule), importance=importance_of(changes), changes=changes))
    return tuple(sorted(told, key=lambda one: (one.importance, _place(one.rule))))


def _sorted(rules: Iterable[RuleTold]) -> tuple[RuleTold, ...]:
    return tuple(sorted(rules, key=_place))


def _place(rule: RuleTold) -> tuple[int, int, str]:
    """Blocks first, then rules with many details."""
    return -ACTIONS.index(rule.action), -rule.details, rule.id


# -- sets


def _changed_sets(was: _Part, is_: _Part) -> Iterator[ChangedSet]:
    names = [name for name in {**was.sets, **is_.sets} if was.codes.get(name) != is_.codes.get(name)]
    users = _users(names, (*was.rules.values(), *is_.rules.values())) if names else {}
    found = [_changed_set(name, was, is_, tuple(sorted(users.get(name, ())))) for name in names]
    yield from sorted((one for one in found if one is not None), key=lambda one: (-len(one.rules), one.id))


def _changed_set(name: str, was: _Part, is_: _Part, rules: tuple[str, ...]) -> ChangedSet | None:
    old, now = set(was.codes.get(name, ())), set(is_.codes.get(name, ()))
    if old == now and name in was.sets and name in is_.sets:
        return None
    return ChangedSet(
        id=name,
        title=is_.sets[name].title if name in is_.sets else was.sets[name].title,
        kind="new" if name not in was.sets else "changed" if name in is_.sets else "gone",
        added=tuple(sorted(now - old)),
        removed=tuple(sorted(old - now)),
        rules=rules,
    )


def _users(names: list[str], rules: Iterable[Rule]) -> Mapping[str, set[str]]:
    """Ids of the rules that name each set, wherever in them."""
    wanted = set(names)
    users: dict[str, set[str]] = {}
    for rule in rules:
        for name in wanted.intersection(_named_in(rule)):
            users.setdefault(name, set()).add(rule.id)
    return users


def _named_in(value: Any) -> Iterator[str]:
    """The sets a record names, the records inside it included."""
    if isinstance(value, tuple):
        for part in value:
            yield from _named_in(part)
    elif isinstance(value, Struct):
        yield from getattr(value, "sets", ())
        for name in value.__struct_fields__:
            if name not in _WITHOUT:
                yield from _named_in(getattr(value, name))


_WITHOUT = frozenset({"cases", "codes", "sets", "message", "basis", "reasons", "terms"})
"""Fields in which no set can be named, left out for their size."""


# -- classes


def _classes(was: _Part, is_: _Part, new: list[Rule], gone: list[Rule], changed: list[Rule]) -> Iterator[ClassCount]:
    counts = [Counter(rule.class_id for rule in rules) for rules in (new, gone, changed)]
    details = [_details(part) for part in (was, is_)]
    there = [name for name in CLASS_IDS if any(count[name] for count in counts) or details[0][name] != details[1][name]]
    for name in there:
        yield ClassCount(
            class_id=name,
            name=classes()[name].name,
            new=counts[0][name],
            gone=counts[1][name],
            changed=counts[2][name],
            details=(details[0][name], details[1][name]),
        )


def _details(part: _Part) -> Counter[str]:
    found: Counter[str] = Counter()
    for rule in part.rules.values():
        found[rule.class_id] += details_of(rule.trigger, part.sizes)
    return found
