"""From a list of rules to one immutable object that finds the rules of a line by its code.

The cost of a check grows with the rules that concern its lines, not with the list: rules stand in dictionaries by
exact code, by prefix, by item type, by item-name term, by diagnosis and by operation. Conditions are bound once
and shared (:mod:`negative_list.bind`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from negative_list import conditions as c
from negative_list.bind import Binder
from negative_list.codes import expand_ranges, normal
from negative_list.gather import Test
from negative_list.members import Members
from negative_list.rules import Grade, NamedSet, Rule
from negative_list.terms import Terms
from negative_list.text import normalise
from negative_list.walk import children_of, lines_of

if TYPE_CHECKING:
    from negative_list.check import Check
    from negative_list.prescription import Line
    from negative_list.rules import RuleList

__all__ = ["BoundRule", "CompiledList", "canonical_lines", "compile", "digest_of"]

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


class CompiledList(Struct, frozen=True, kw_only=True, eq=False):
    """A list ready to match, never changed after it was made. ``digest`` names its content (SHA-256, hexadecimal).

    ``sets`` are the list's own; what was compiled of them is in ``binder``.
    """

    rules: tuple[BoundRule, ...]
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
    sets: tuple[NamedSet, ...] = ()


def compile(rules: RuleList, *, digest: str | None = None) -> CompiledList:  # noqa: A001 (the verb, as in re.compile)
    """Compile a validated list.

    Args:
        rules: a list without problems (see :func:`negative_list.validate.validate`).
        digest: the list's digest where the caller already has it; else it is worked out here.
    """
    sets = {named.id: tuple(map(normal, named.codes)) for named in rules.sets}
    binder = Binder(sets)
    standing_in = _standing_in(rules)
    # By id, as the digest is: lists of one digest decide alike, whatever order their files were read in.
    in_order = sorted(rules.rules, key=lambda rule: rule.id)
    bound = tuple(_bound(rule, binder, standing_in.get(rule.id, ())) for rule in in_order)
    return CompiledList(
        rules=bound,
        by_code=_index((code, rule) for rule in bound for code in _codes(rule.rule, sets)),
        by_prefix=_prefix_index(bound),
        by_type=_index((kind, rule) for rule in bound if _by_type_only(rule.rule) for kind in rule.rule.trigger.types),
        by_name=_index((normalise(name), rule) for rule in bound for name in rule.rule.trigger.names),
        by_diagnosis=_index((code, rule) for rule in bound for code in expand_ranges(rule.rule.trigger.diagnoses)),
        by_operation=_index((code, rule) for rule in bound for code in expand_ranges(rule.rule.trigger.operations)),
        of_encounter=tuple(rule for rule in bound if rule.rule.trigger.encounter),
        terms=Terms(_terms(rules)),
        binder=binder,
        digest=digest or digest_of(rules),
        details=rules.details,
        sets=rules.sets,
    )


def _bound(rule: Rule, binder: Binder, overridden: tuple[tuple[int, int], ...]) -> BoundRule:
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


def _standing_in(rules: RuleList) -> dict[str, tuple[tuple[int, int], ...]]:
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


def _codes(rule: Rule, sets: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    yield from map(normal, rule.trigger.codes)
    for name in rule.trigger.sets:
        yield from sets[name]


def _by_type_only(rule: Rule) -> bool:
    trigger = rule.trigger
    return not (trigger.codes or trigger.prefixes or trigger.sets or trigger.names)


def _index(pairs: Iterable[tuple[str, BoundRule]]) -> dict[str, tuple[BoundRule, ...]]:
    """Rules by key, each once under a key, by id; keys of one rule share one tuple."""
    index: dict[str, tuple[BoundRule, ...]] = {}
    last: tuple[BoundRule, ...] = ()
    for key, rule in pairs:
        there = index.get(key)
        if there is None:
            last = last if last and last[0] is rule else (rule,)
            index[key] = last
        elif rule not in there:
            index[key] = (*there, rule)
    return index


def _prefix_index(bound: tuple[BoundRule, ...]) -> dict[int, dict[str, tuple[BoundRule, ...]]]:
    flat = _index((normal(prefix), rule) for rule in bound for prefix in rule.rule.trigger.prefixes)
    by_length: dict[int, dict[str, tuple[BoundRule, ...]]] = {}
    for prefix, rules in flat.items():
        by_length.setdefault(len(prefix), {})[prefix] = rules
    return by_length


# -- what a list's conditions hold


def _terms(rules: RuleList) -> set[str]:
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
    digest = hashlib.sha256()
    for line in canonical_lines(rules):
        digest.update(line)
    return digest.hexdigest()
