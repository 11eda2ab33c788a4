"""Terms inside other terms, and rules that every encounter triggers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from negative_list import conditions as c
from negative_list.codes import expand_ranges
from negative_list.deep.observations import Observation
from negative_list.diseases import disease
from negative_list.terms import Terms
from negative_list.text import normalise
from negative_list.walk import children_of

if TYPE_CHECKING:
    from negative_list.deep.reach import Reach
    from negative_list.rules import Rule

__all__ = ["MOST_OF_ENCOUNTER", "terms_in_terms", "too_many_of_encounter"]

MOST_OF_ENCOUNTER = 200
"""Rules the encounter may trigger: each is judged at every check, some 2 us each, a fifth of a check at this many."""

_CATEGORY = 3


def too_many_of_encounter(reach: Reach, _today: date) -> Iterator[Observation]:
    """Every check judges each rule the encounter triggers, whatever is written."""
    count = sum(rule.trigger.encounter for rule in reach.rules.values())
    if count > MOST_OF_ENCOUNTER:
        zh = f"{count} 条规则由就诊本身触发，每次检查都要判断，超过 {MOST_OF_ENCOUNTER} 条会拖慢检查；请改由编码触发"
        en = f"{count} rules are triggered by the encounter and judged at every check; above {MOST_OF_ENCOUNTER} "
        yield Observation(kind="encounter", rule_id="", zh=zh, en=f"{en}checks slow down: trigger them by codes")


def terms_in_terms(reach: Reach, _today: date) -> Iterator[Observation]:
    """Disease terms that stand in the name of another disease: 高血压 is found in 肺动脉高血压, which is another."""
    owners = _owners(reach)
    # Each term is a text, too: the automata of the list find all terms in all terms at once.
    terms = Terms(owners)
    for outer in sorted(owners):
        for inner in sorted(set(terms.in_text(outer)) - {outer}):
            if _another_meaning(inner, outer) and (rules := _without(owners[inner], outer)):
                zh = f"词 `{inner}` 出现在另一疾病 `{outer}` 的名称中，会被误认；请为它加编码或改用更完整的词"
                en = f"term `{inner}` is found in `{outer}`, another disease; give codes, or a longer term"
                others = tuple(rule.id for rule in rules[1:])
                yield Observation(kind="term", rule_id=rules[0].id, others=others, zh=zh, en=en)


def _owners(reach: Reach) -> dict[str, list[Rule]]:
    """The rules that look for each disease term."""
    owners: dict[str, list[Rule]] = {}
    for rule in reach.rules.values():
        conditions = (rule.scope, rule.violation, *(grade.when for grade in rule.grades))
        terms = {normalise(term) for each in conditions if each is not None for term in _terms(each)}
        for term in terms:
            owners.setdefault(term, []).append(rule)
    return owners


def _terms(condition: c.Condition) -> Iterator[str]:
    if isinstance(condition, c.Diagnosis):
        yield from condition.terms
    for child in children_of(condition):
        yield from _terms(child)


def _another_meaning(inner: str, outer: str) -> bool:
    """Whether the disease table files the two under categories that have nothing in common."""
    one, other = disease(inner), disease(outer)
    if one is None or other is None or one is other:
        return False
    ours, theirs = ({code[:_CATEGORY] for code in expand_ranges(each.codes)} for each in (one, other))
    return bool(ours and theirs) and not ours & theirs


def _without(rules: list[Rule], outer: str) -> list[Rule]:
    """The rules that do not name the longer term themselves."""
    return [rule for rule in rules if outer not in _named(rule)]


def _named(rule: Rule) -> set[str]:
    conditions = (rule.scope, rule.violation, *(grade.when for grade in rule.grades))
    return {normalise(term) for each in conditions if each is not None for term in _terms(each)}
