"""Validation: what a well-formed list says that cannot be meant.

Each check is a function from a rule and what is known of the list to problems (path and message); :data:`CHECKS` names
them in order. All problems come back at once, sorted by their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from negative_list import conditions as c
from negative_list.classes import CLASS_IDS
from negative_list.dictionary import load
from negative_list.errors import ListError, Problem, nearest
from negative_list.rules import DIAGNOSES
from negative_list.validate_cases import has_good_cases
from negative_list.validate_conditions import condition_children, condition_problems, impossible_bounds
from negative_list.validate_names import (
    Known,
    bad_codes,
    bad_ranges,
    incomparable_fact,
    items_problems,
    kinds_of,
    unknown_fact,
)
from negative_list.walk import children_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from negative_list.parse import Parsed, Place
    from negative_list.rules import Rule, RuleList
    from negative_list.validate_names import Found

__all__ = ["CHECKS", "check", "repeated_ids", "validate"]


def check(parsed: Parsed) -> RuleList:
    """The list, when nothing is wrong with it.

    Raises:
        ListError: with every problem of reading and of validation.
    """
    problems = (*parsed.problems, *validate(parsed))
    if problems:
        raise ListError(problems)
    return parsed.rules


def validate(parsed: Parsed) -> tuple[Problem, ...]:
    """Every problem of a list that could be read, sorted by place."""
    rules = parsed.rules
    known = Known(
        sets={named.id: kinds_of(named.codes) for named in rules.sets},
        facts=load(),
        overrides={rule.id: rule.overrides for rule in rules.rules},
    )
    seen = _Seen(known)
    problems = [
        place.problem(path, message)
        for rule, place in zip(rules.rules, parsed.rule_places, strict=True)
        for path, message in seen.problems(rule)
    ]
    problems += repeated_ids([r.id for r in rules.rules], parsed.rule_places, "rule", "id")
    problems += repeated_ids([s.id for s in rules.sets], parsed.set_places, "set", "set")
    problems += _bad_sets(parsed)
    if not rules.rules and not parsed.problems:
        file = parsed.set_places[0].file if parsed.set_places else ""
        problems.append(Problem(file=file, message="the list is empty; give it at least one rule"))
    return tuple(sorted(problems))


def repeated_ids(ids: list[str], places: tuple[Place, ...], noun: str, path: str) -> Iterator[Problem]:
    """Ids that stand more than once, each with the place of the first; ``noun`` is what they name."""
    first: dict[str, Place] = {}
    for name, place in zip(ids, places, strict=True):
        there = first.setdefault(name, place)
        if there is not place:
            row, _ = there.locate("")
            yield place.problem(path, f"{noun} `{name}` stands at {there.file}:{row} already; give it another id")


def _bad_sets(parsed: Parsed) -> Iterator[Problem]:
    for named, place in zip(parsed.rules.sets, parsed.set_places, strict=True):
        if not named.codes:
            yield place.problem("codes", f"set `{named.id}` is empty; give it codes or take it out")
        for path, message in bad_codes(named.codes, "codes"):
            yield place.problem(path, message)


class _Seen:
    """Checks rules, looking at equal conditions only once where nothing was wrong with them."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._good: set[c.Condition] = set()

    def problems(self, rule: Rule) -> Found:
        for rule_check in CHECKS:
            yield from rule_check(rule, self._known)
        for path, condition in _conditions(rule):
            # First, and alone: a bound that is no number cannot even be compared.
            impossible = list(impossible_bounds(condition, path))
            yield from impossible or self._condition(condition, path)

    def _condition(self, condition: c.Condition, path: str) -> Found:
        if condition in self._good:
            return
        found = list(condition_problems(condition, path, self._known))
        for child_path, child in condition_children(condition, path):
            found.extend(self._condition(child, child_path))
        if not found:
            self._good.add(condition)
        yield from found


def _conditions(rule: Rule) -> Iterator[tuple[str, c.Condition]]:
    """The conditions of a rule, each with its path."""
    if rule.scope is not None:
        yield "scope", rule.scope
    yield "violation", rule.violation
    yield from ((f"grades[{place}].when", grade.when) for place, grade in enumerate(rule.grades))


# -- rules


def _named(rule: Rule, _known: Known) -> Found:
    """An id, a title and a message are not empty."""
    for name in ("id", "title"):
        if not getattr(rule, name).strip():
            yield name, f"`{name}` is empty; write one"
    for path, text in _messages(rule):
        if not text.strip():
            yield path, "the message is empty; say in Chinese what is not met"


def _messages(rule: Rule) -> Iterator[tuple[str, str]]:
    """The Chinese messages of a rule and of its grades, each with its path."""
    yield "message.zh", rule.message.zh
    for place, grade in enumerate(rule.grades):
        if grade.message is not None:
            yield f"grades[{place}].message.zh", grade.message.zh


def _of_known_class(rule: Rule, _known: Known) -> Found:
    """The class is an official one or an extension."""
    if rule.class_id not in CLASS_IDS:
        hint = nearest(rule.class_id, CLASS_IDS)
        yield "class", f"unknown class `{rule.class_id}`{hint}; use R01-R88 or E01-E31"


def _triggered(rule: Rule, known: Known) -> Found:
    """Something triggers the rule."""
    trigger = rule.trigger
    ways = (trigger.codes, trigger.prefixes, trigger.sets, trigger.names, trigger.types)
    if not any((*ways, trigger.diagnoses, trigger.operations, trigger.encounter)):
        yield "trigger", "nothing triggers the rule; name codes, prefixes, sets, names, types, diagnoses or operations"
    yield from items_problems(trigger, "trigger", known)
    for name in ("diagnoses", "operations"):
        yield from bad_ranges(getattr(trigger, name), f"trigger.{name}")


def _in_order(rule: Rule, _known: Known) -> Found:
    """The rule does not end before it begins."""
    if rule.valid_from and rule.valid_to and rule.valid_to < rule.valid_from:
        yield "valid_to", f"ends on {rule.valid_to}, before it begins on {rule.valid_from}; swap them"


def _asks_known_facts(rule: Rule, known: Known) -> Found:
    """What is asked for are facts of the dictionary."""
    for place, name in enumerate(rule.on_unknown.ask):
        yield from unknown_fact(name, f"on_unknown.ask[{place}]", known)


def _reasoned(rule: Rule, known: Known) -> Found:
    """Each reason has a code of its own, and the fact that would justify it can be looked up."""
    name, codes = "code", [reason.code for reason in rule.reasons]
    for place, reason in enumerate(rule.reasons):
        if not reason.code.strip():
            yield f"reasons[{place}].{name}", f"`{name}` is empty; write one"
        elif reason.code in codes[:place]:
            yield f"reasons[{place}].{name}", f"reason `{reason.code}` stands twice; give it another code"
        yield from _justifying(reason.fact, f"reasons[{place}].fact", known)


def _justifying(name: str, path: str, known: Known) -> Found:
    """A fact that justifies a reason: the diagnoses, or one of the patient, the encounter or the line."""
    if name in {"", DIAGNOSES}:
        return
    bad_name = list(incomparable_fact(name, path, known))
    yield from bad_name
    if not bad_name and known.facts[name].private:
        yield path, f"`{name}` is private, and nothing private is looked up; name another fact or none"


def _words_payment(rule: Rule, _known: Known) -> Found:
    """Where only the fund refuses, the text never sounds like a ban (design 5)."""
    for path, text in _messages(rule) if rule.fund_only else ():
        if "禁止" in text:
            yield path, "`禁止` sounds like a ban, but only the fund refuses; write `医保不支付`"


def _blocks_on_codes(rule: Rule, _known: Known) -> Found:
    """An indication read only as terms is suspicious and warns at most (design 4)."""
    blocks = "block" in (rule.action, *(grade.action for grade in rule.grades))
    if _absent_by_terms(rule.violation, negated=False) and (blocks or rule.result == "definite"):
        yield "action", "terms alone prove no absence; make it `result: suspicious` with `action: warn`, or give codes"


def _absent_by_terms(condition: c.Condition, *, negated: bool) -> bool:
    """Whether the condition holds by the absence of a diagnosis that only terms could show."""
    if isinstance(condition, c.Diagnosis):
        return negated and not (condition.codes or condition.sets)
    inverted = negated is not isinstance(condition, c.Not)
    return any(_absent_by_terms(child, negated=inverted) for child in children_of(condition))


def _has_trigger_line(rule: Rule, _known: Known) -> Found:
    """Conditions about the trigger line need one."""
    trigger = rule.trigger
    if not (trigger.diagnoses or trigger.operations or trigger.encounter):
        return
    for path, condition in _conditions(rule):
        if _about_line(condition):
            yield path, "`rank`, `overlap` and `pair` look at a trigger line; trigger the rule by items alone"


def _about_line(condition: c.Condition) -> bool:
    if isinstance(condition, (c.Rank, c.Overlap, c.Pair)):
        return True
    return any(map(_about_line, children_of(condition)))


def _shares_money(rule: Rule, _known: Known) -> Found:
    """The share of the money at risk is one."""
    if not (rule.amount_share.is_finite() and 0 < rule.amount_share <= 1):
        yield "amount_share", f"`{rule.amount_share}` is no share; write more than 0 and at most 1"


def _stands_in(rule: Rule, known: Known) -> Found:
    """A rule stands in for others of the list, never round in a circle."""
    for place, name in enumerate(rule.overrides):
        path = f"overrides[{place}]"
        if name not in known.overrides:
            yield path, f"no rule `{name}` in the list{nearest(name, known.overrides)}; name the id of another rule"
        elif _leads_to(name, rule.id, known):
            yield path, f"`{rule.id}` and `{name}` stand in for each other; take one of the overrides out"


def _leads_to(start: str, end: str, known: Known) -> bool:
    """Whether a rule is, or overrides by however many steps, another."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name == end:
            return True
        if name not in seen:
            seen.add(name)
            waiting.extend(known.overrides.get(name, ()))
    return False


CHECKS: tuple[Callable[[Rule, Known], Found], ...] = (
    _named,
    _of_known_class,
    _triggered,
    _in_order,
    _asks_known_facts,
    _reasoned,
    _words_payment,
    _blocks_on_codes,
    _has_trigger_line,
    _shares_money,
    _stands_in,
    has_good_cases,
)
"""The checks of a rule, in order."""
