"""Two rules beside each other: said twice, said already, or contradicting each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from negative_list import conditions as c
from negative_list.deep.observations import Observation
from negative_list.deep.reach import in_force_together, in_force_within
from negative_list.rules import ACTIONS, Rule

if TYPE_CHECKING:
    from negative_list.deep.reach import Reach

__all__ = ["contradicting", "repeated"]

_ALIKE = ("class_id", "per", "addressee", "fund_only", "grades", "amount", "amount_share")
"""What two rules must have in common for one to say what the other says."""


def repeated(reach: Reach, today: date) -> Iterator[Observation]:
    """Rules that find nothing another rule of their class does not find, and details that stand twice."""
    for (name, other_name), shared in reach.shared.items():
        one, other = reach.rules[name], reach.rules[other_name]
        if any(getattr(one, field) != getattr(other, field) for field in _ALIKE) or _stands_in(one, other):
            continue
        if any(rule.valid_to is not None and rule.valid_to < today for rule in (one, other)):
            continue
        forth, back = _says_more(reach, one, other), _says_more(reach, other, one)
        if forth and back:
            yield _about("duplicate", other, one, f"与规则 `{name}` 完全相同", f"says what rule `{name}` says")
        elif forth or back:
            less, more = (one, other) if forth else (other, one)
            zh = f"凡其触发时规则 `{more.id}` 也触发，且动作不弱于它"
            yield _about("subsumed", less, more, zh, f"rule `{more.id}` holds whenever it does, with no weaker action")
        elif _same_statement(one, other) and in_force_together(one, other):
            zh = f"与规则 `{name}` 内容相同，有 {shared} 个相同的触发项"
            en = f"says what rule `{name}` says of {shared} of the same triggers"
            yield _about("duplicate", other, one, zh, en)


def _about(kind: str, rule: Rule, other: Rule, zh: str, en: str) -> Observation:
    return Observation(kind=kind, rule_id=rule.id, others=(other.id,), zh=zh, en=en)  # type: ignore[arg-type]  # kinds


def _stands_in(one: Rule, other: Rule) -> bool:
    """Whether one of the rules was written in place of the other."""
    return one.id in other.overrides or other.id in one.overrides


def _same_statement(one: Rule, other: Rule) -> bool:
    return (one.scope, one.violation, one.action, one.result) == (
        other.scope,
        other.violation,
        other.action,
        other.result,
    )


def _says_more(reach: Reach, less: Rule, more: Rule) -> bool:
    """Whether the one rule finds whatever the other does, on the same triggers, as strongly."""
    if ACTIONS.index(more.action) < ACTIONS.index(less.action) or (more.result, less.result) == (
        "suspicious",
        "definite",
    ):
        return False
    if not (in_force_within(less, more) and reach.covers(more, less)):
        return False
    violated = c.All(of=(less.scope, less.violation)) if less.scope is not None else less.violation
    wanted = (more.violation,) if more.scope is None else (more.scope, more.violation)
    return all(reach.implying.implies(violated, each) for each in wanted)


def contradicting(reach: Reach, _today: date) -> Iterator[Observation]:
    """Rules of which one is violated whatever is written: what the one asks for the other forbids."""
    for name, other_name in reach.shared:
        one, other = reach.rules[name], reach.rules[other_name]
        if not (_forbids(one) and _forbids(other) and one.fund_only is other.fund_only):
            continue
        if not reach.implying.covers(one.violation, other.violation):
            continue
        if in_force_together(one, other) and not _stands_in(one, other) and _meet(reach, one, other):
            zh = f"满足规则 `{name}` 必违反本规则，共同的触发项无法合规"
            en = f"what keeps rule `{name}` violates this one"
            yield _about("contradiction", other, one, zh, en)


def _forbids(rule: Rule) -> bool:
    """Whether what violates the rule is refused: a reminder, or a suspicion, keeps nobody from anything."""
    return rule.result == "definite" and rule.action != "remind" and not rule.grades


def _meet(reach: Reach, one: Rule, other: Rule) -> bool:
    """Whether the two are about the same cases for certain: one scope, or none."""
    if one.scope == other.scope or one.scope is None or other.scope is None:
        return True
    return reach.implying.implies(one.scope, other.scope) or reach.implying.implies(other.scope, one.scope)
