"""From a list of rules to one immutable object that finds the rules of a line by its code.

The cost of a check grows with the rules that concern its lines, not with the list: rules stand in dictionaries by
exact code, by prefix, by item type, by item-name term, by diagnosis and by operation. Conditions are bound once
and shared (:mod:`negative_list.bind`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from negative_list import conditions as c
from negative_list.bind import Binder
from negative_list.codes import expand_ranges, normal
from negative_list.gather import Test
from negative_list.members import Members
from negative_list.rules import Grade, Rule
from negative_list.terms import Terms
from negative_list.text import normalise
from negative_list.walk import children_of, lines_of

if TYPE_CHECKING:
    from negative_list.check import Check
    from negative_list.prescription import Line
    from negative_list.rules import RuleList, Trigger

__all__ = [
    "BoundRule",
    "CompiledList",
    "Indexes",
    "bound_rule",
    "canonical_lines",
    "changes_of",
    "codes_of_sets",
    "compile",
    "digest_of",
    "digest_of_lines",
    "indexed",
    "standing_in",
    "terms_of",
]

_ENCODER = msgspec.json.Encoder(decimal_format="number", order="sorted")
_MAX_DAY = date.max.toordinal()


class BoundRule(Struct, frozen=True, kw_only=True, eq=False):
    """A rule ready to be judged, its cases left out. ``guard``: a code or name alone does not settle the trigger.

    ``days`` are the first and the last day it is in force, ``overridden`` those of the rules that stand in for it:
    ordinals, both included. ``dated``: some of them limit it. ``local``: it finds line by line and no condition
    gathers lines, so that only the trigger line, the patient and the encounter decide.
    """

    rule: Rule
    scope: Test | None
    violation: Test
    guard: Members | None
    days: tuple[int, int]
    overridden: tuple[tuple[int, int], ...]
    dated: bool
    grades: tuple[tuple[Test, Grade], ...]
    local: bool

    def judge(self, check: Check, line: Line | None) -> bool | None:
        """Whether the rule holds for a trigger line: in force, in scope, not paid by the patient, and violated."""
        if self.dated and not self._in_force(check.day_of(line)):
            return False
        if self.rule.fund_only and line is not None and line.facts.get("line.paid_by") == "self":
            return False
        if self.scope is None:
            return self.violation(check, line)
        inside = self.scope(check, line)
        if inside is False:
            return False
        violated = self.violation(check, line)
        return None if inside is None and violated else violated

    def _in_force(self, day: int) -> bool:
        """Whether the rule may hold on a day: it has begun, has not ended, and no rule stands in for it."""
        if not self.days[0] <= day <= self.days[1]:
            return False
        return not any(first <= day <= last for first, last in self.overridden)

    def grade(self, check: Check, line: Line | None) -> Grade | None:
        """The first grade that is certain for a trigger line for which the rule holds."""
        return next((grade for when, grade in self.grades if when(check, line)), None)


class CompiledList(Struct, frozen=True, kw_only=True, eq=False, weakref=True):
    """A list ready to match, never changed after it was made. ``digest`` names its content (SHA-256, hexadecimal).

    ``rules`` are by id. ``changes`` are the ordinals of the days on which a rule begins to be in force or has ended.
    ``lines`` gives the list as canonical JSON Lines. ``parts`` are the dictionaries and lists it is made of: whoever
    lets it go when nobody uses it any more empties those a little at a time, for all at once takes long.
    """

    rules: Sequence[BoundRule]
    by_code: Mapping[str, tuple[BoundRule, ...]]
    by_prefix: Mapping[int, Mapping[str, tuple[BoundRule, ...]]]
    by_type: Mapping[str, tuple[BoundRule, ...]]
    by_name: Mapping[str, tuple[BoundRule, ...]]
    by_diagnosis: Mapping[str, tuple[BoundRule, ...]]
    by_operation: Mapping[str, tuple[BoundRule, ...]]
    of_encounter: tuple[BoundRule, ...]
    terms: Terms
    binder: Binder
    digest: str
    details: int
    changes: frozenset[int]
    lines: Callable[[], Iterator[bytes]]
    parts: tuple[dict[Any, Any] | list[Any], ...] = ()


def compile(rules: RuleList, *, digest: str | None = None) -> CompiledList:  # noqa: A001 (the verb, as in re.compile)
    """Compile a validated list, every rule of it at once.

    Args:
        rules: a list without problems (see :func:`negative_list.validate.validate`).
        digest: the list's digest where the caller already has it; else it is worked out here.
    """
    sets = codes_of_sets(rules)
    binder = Binder(sets)
    overridden = standing_in(rules)
    # By id, as the digest is: lists of one digest decide alike, whatever order their files were read in.
    in_order = sorted(rules.rules, key=lambda rule: rule.id)
    bound = tuple(bound_rule(rule, binder, overridden.get(rule.id, ())) for rule in in_order)
    found = indexed(in_order, bound, sets)
    return CompiledList(
        rules=bound,
        by_code=found.by_code,
        by_prefix=found.by_prefix,
        by_type=found.by_type,
        by_name=found.by_name,
        by_diagnosis=found.by_diagnosis,
        by_operation=found.by_operation,
        of_encounter=found.of_encounter,
        terms=Terms(terms_of(rules)),
        binder=binder,
        digest=digest or digest_of(rules),
        details=rules.details,
        changes=changes_of(rules),
        lines=partial(canonical_lines, rules),
    )


def codes_of_sets(rules: RuleList) -> dict[str, tuple[str, ...]]:
    """The codes of the list's named sets as they are compared."""
    return {named.id: tuple(map(normal, named.codes)) for named in rules.sets}


def changes_of(rules: RuleList) -> frozenset[int]:
    """The ordinals of the days on which a rule is in force and was not on the day before, or the other way round."""
    begun = (rule.valid_from.toordinal() for rule in rules.rules if rule.valid_from)
    return frozenset((*begun, *(rule.valid_to.toordinal() + 1 for rule in rules.rules if rule.valid_to)))


def bound_rule(rule: Rule, binder: Binder, overridden: tuple[tuple[int, int], ...]) -> BoundRule:
    """A rule bound; ``overridden``: first and last days on which others stand in for it."""
    trigger = rule.trigger
    narrowed = bool(trigger.types or trigger.except_codes or trigger.except_names)
    when = tuple(grade.when for grade in rule.grades)
    return BoundRule(
        rule=msgspec.structs.replace(rule, cases=()) if rule.cases else rule,
        scope=binder.bind(rule.scope) if rule.scope is not None else None,
        violation=binder.bind(rule.violation),
        guard=binder.members(_items(trigger)) if narrowed else None,
        days=_days_in_force(rule),
        overridden=overridden,
        dated=bool(rule.valid_from or rule.valid_to or overridden),
        grades=tuple((binder.bind(grade.when), grade) for grade in rule.grades),
        local=rule.per == "line" and not any(map(_gathers, (rule.scope, rule.violation, *when))),
    )


def _days_in_force(rule: Rule) -> tuple[int, int]:
    first = rule.valid_from.toordinal() if rule.valid_from else 0
    return first, rule.valid_to.toordinal() if rule.valid_to else _MAX_DAY


def standing_in(rules: RuleList) -> dict[str, tuple[tuple[int, int], ...]]:
    """For each rule that is overridden, the days on which others stand in for it."""
    days: dict[str, tuple[tuple[int, int], ...]] = {}
    for rule in rules.rules:
        for name in rule.overrides:
            days[name] = (*days.get(name, ()), _days_in_force(rule))
    return days


def _gathers(condition: c.Condition | None) -> bool:
    """Whether a condition looks at more lines than the trigger line."""
    if condition is None:
        return False
    return bool(_items_of(condition)) or any(map(_gathers, children_of(condition)))


def _items(trigger: c.Items) -> c.Items:
    """The item ways of a trigger alone."""
    return c.Items(**{name: getattr(trigger, name) for name in c.Items.__struct_fields__})


# -- what finds rules


Thing = TypeVar("Thing")
"""What stands for a rule in an index: the bound rule, or its number."""


class Indexes(Struct, Generic[Thing], frozen=True, kw_only=True):
    """What finds the rules of a list, each once under a key, by id."""

    by_code: dict[str, tuple[Thing, ...]]
    by_prefix: dict[int, dict[str, tuple[Thing, ...]]]
    by_type: dict[str, tuple[Thing, ...]]
    by_name: dict[str, tuple[Thing, ...]]
    by_diagnosis: dict[str, tuple[Thing, ...]]
    by_operation: dict[str, tuple[Thing, ...]]
    of_encounter: tuple[Thing, ...]


def indexed(rules: Sequence[Rule], things: Sequence[Thing], sets: Mapping[str, tuple[str, ...]]) -> Indexes[Thing]:
    """The indexes of rules that are sorted by id; ``things`` stand for them, one each."""
    pairs = tuple(zip((rule.trigger for rule in rules), things, strict=True))
    return Indexes(
        by_code=_index((code, thing) for trigger, thing in pairs for code in _codes(trigger, sets)),
        by_prefix=_prefix_index(pairs),
        by_type=_index((kind, thing) for trigger, thing in pairs if _by_type_only(trigger) for kind in trigger.types),
        by_name=_index((normalise(name), thing) for trigger, thing in pairs for name in trigger.names),
        by_diagnosis=_index((code, thing) for trigger, thing in pairs for code in expand_ranges(trigger.diagnoses)),
        by_operation=_index((code, thing) for trigger, thing in pairs for code in expand_ranges(trigger.operations)),
        of_encounter=tuple(thing for trigger, thing in pairs if trigger.encounter),
    )


def _codes(trigger: Trigger, sets: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    yield from map(normal, trigger.codes)
    for name in trigger.sets:
        yield from sets[name]


def _by_type_only(trigger: Trigger) -> bool:
    return not (trigger.codes or trigger.prefixes or trigger.sets or trigger.names)


def _index(pairs: Iterable[tuple[str, Thing]]) -> dict[str, tuple[Thing, ...]]:
    """Rules by key, each once under a key, by id; keys of one rule share one tuple."""
    index: dict[str, tuple[Thing, ...]] = {}
    last: tuple[Thing, ...] = ()
    for key, thing in pairs:
        there = index.get(key)
        if there is None:
            last = last if last and last[0] is thing else (thing,)
            index[key] = last
        elif thing not in there:
            index[key] = (*there, thing)
    return index


def _prefix_index(pairs: Iterable[tuple[Trigger, Thing]]) -> dict[int, dict[str, tuple[Thing, ...]]]:
    flat = _index((normal(prefix), thing) for trigger, thing in pairs for prefix in trigger.prefixes)
    by_length: dict[int, dict[str, tuple[Thing, ...]]] = {}
    for prefix, things in flat.items():
        by_length.setdefault(len(prefix), {})[prefix] = things
    return by_length


# -- what a list's conditions hold


def terms_of(rules: RuleList) -> set[str]:
    """Every distinct normalised term of the list."""
    terms: set[str] = set()
    seen: set[c.Condition] = set()
    for rule in rules.rules:
        terms.update(map(normalise, (*rule.trigger.names, *rule.trigger.except_names)))
        for condition in (rule.scope, rule.violation, *(grade.when for grade in rule.grades)):
            if condition is not None:
                _collect_terms(condition, terms, seen)
    return terms


def _collect_terms(condition: c.Condition, terms: set[str], seen: set[c.Condition]) -> None:
    if condition in seen:
        return
    seen.add(condition)
    if isinstance(condition, (c.Diagnosis, c.Operation)):
        terms.update(map(normalise, condition.terms))
    for items in _items_of(condition):
        terms.update(map(normalise, (*items.names, *items.except_names)))
    for child in children_of(condition):
        _collect_terms(child, terms, seen)


def _items_of(condition: c.Condition) -> tuple[c.Items, ...]:
    """Every selection of items a condition itself looks for."""
    if isinstance(condition, c.Pair):
        return (condition.main, condition.contained)
    gathered = tuple(lines.items for lines in lines_of(condition))
    if isinstance(condition, c.Every):
        return (*gathered, condition.among)
    if isinstance(condition, c.Sum):
        return (*gathered, *(weight.items for weight in condition.weights))
    return gathered


# -- digest


def canonical_lines(rules: RuleList) -> Iterator[bytes]:
    """The list as canonical JSON Lines: sets, then rules, each sorted by id, keys sorted, defaults left out."""
    for record in (*sorted(rules.sets, key=lambda s: s.id), *sorted(rules.rules, key=lambda r: r.id)):
        yield _ENCODER.encode(record) + b"\n"


def digest_of(rules: RuleList) -> str:
    """SHA-256 of the canonical JSON Lines, in hexadecimal."""
    return digest_of_lines(canonical_lines(rules))


def digest_of_lines(lines: Iterable[bytes]) -> str:
    """The same of lines that are there already."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line)
    return digest.hexdigest()
