"""What of a rule can never be: the rule itself, or a condition inside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from negative_list import conditions as c
from negative_list.codes import normal
from negative_list.deep.implying import conjuncts_of
from negative_list.deep.observations import Observation
from negative_list.deep.reach import in_force_within
from negative_list.walk import children_of

if TYPE_CHECKING:
    from negative_list.deep.implying import Implying
    from negative_list.deep.reach import Reach
    from negative_list.rules import Rule

__all__ = ["expired", "never_fires", "unreachable"]

_PAID_BY_SELF = c.Not(of=c.Fact(fact="line.paid_by", any_of=("self",)))


def never_fires(reach: Reach, _today: date) -> Iterator[Observation]:
    """Rules that nothing can violate, that nothing triggers, or that others stand in for as long as they are there."""
    for rule in reach.rules.values():
        for path, zh, en in _why_never(reach, rule):
            yield Observation(kind="never", rule_id=rule.id, path=path, zh=zh, en=en)
        for name in rule.overrides:
            if in_force_within(reach.rules[name], rule):
                zh, en = f"始终由规则 `{rule.id}` 取代", f"rule `{rule.id}` stands in for it as long as it is there"
                yield Observation(kind="replaced", rule_id=name, others=(rule.id,), zh=zh, en=en)


def _why_never(reach: Reach, rule: Rule) -> Iterator[tuple[str, str, str]]:
    if _excepts_all(reach, rule):
        yield "trigger.except_codes", "触发的编码全部被除外", "every code that triggers the rule is excepted again"
    if reach.implying.never(rule.violation):
        yield "violation", "违规条件自相矛盾", "the violation contradicts itself"
    elif rule.scope is not None and reach.implying.never(rule.scope):
        yield "scope", "适用范围自相矛盾", "the scope contradicts itself"
    elif any(reach.implying.excludes(rule.violation, given) for given in _given(rule)):
        yield "violation", "适用范围内不可能违规", "inside its scope nothing can violate the rule"


def _excepts_all(reach: Reach, rule: Rule) -> bool:
    trigger = rule.trigger
    if trigger.prefixes or trigger.names or trigger.encounter or trigger.diagnoses or trigger.operations:
        return False
    codes, excepted = reach.codes_of(rule), tuple(map(normal, trigger.except_codes))
    return bool(codes and excepted) and all(code.startswith(excepted) for code in codes)


def _given(rule: Rule) -> tuple[c.Condition, ...]:
    """What holds wherever the violation is looked at."""
    given = conjuncts_of(rule.scope)
    if rule.trigger.types:
        given = (*given, c.Fact(fact="line.item_type", any_of=rule.trigger.types))
    return (*given, _PAID_BY_SELF) if rule.fund_only else given


def unreachable(reach: Reach, _today: date) -> Iterator[Observation]:
    """Conditions inside a rule that never hold where they are asked, and grades no finding comes to.

    Of a rule that never fires at all that alone is told.
    """
    for rule in reach.rules.values():
        if any(_why_never(reach, rule)):
            continue
        seeker = _Seeker(reach.implying)
        given = _given(rule)
        places = [("violation", rule.violation, given)]
        if rule.scope is not None:
            places.append(("scope", rule.scope, ()))
        found = [place for path, condition, around in places for place in seeker.inside(condition, around, path)]
        found += _grades(rule, reach.implying, given)
        for path, zh, en in found:
            yield Observation(kind="unreachable", rule_id=rule.id, path=path, zh=zh, en=en)
        for path in seeker.idle:
            zh, en = "前面的分支已包含此分支", "an earlier branch holds whenever this one does"
            yield Observation(kind="idle", rule_id=rule.id, path=path, zh=zh, en=en)


def _grades(rule: Rule, implying: Implying, given: tuple[c.Condition, ...]) -> Iterator[tuple[str, str, str]]:
    violated = (*given, *conjuncts_of(rule.violation))
    for place, grade in enumerate(rule.grades):
        path = f"grades[{place}].when"
        if implying.never(grade.when) or any(implying.excludes(grade.when, known) for known in violated):
            yield path, "此分级条件永不成立", "the grade never holds where the rule does"
        elif any(implying.implies(grade.when, before.when) for before in rule.grades[:place]):
            yield path, "总是先落入前面的分级", "a grade before it holds whenever it does"


class _Seeker:
    """Looks for conditions that never hold where they stand; ``idle`` are branches that add nothing."""

    def __init__(self, implying: Implying) -> None:
        self._implying = implying
        self.idle: list[str] = []

    def inside(
        self, condition: c.Condition, given: tuple[c.Condition, ...], path: str
    ) -> Iterator[tuple[str, str, str]]:
        """What never holds inside a condition. ``given``: what is known to hold where it is asked."""
        if isinstance(condition, (c.All, c.Any)):
            for place, child in enumerate(condition.of):
                beside = tuple(other for other in condition.of if other is not child)
                around = (*given, *beside) if isinstance(condition, c.All) else given
                yield from self._child(child, around, f"{path}.of[{place}]")
            if isinstance(condition, c.Any):
                self.idle += self._idle(condition, path)
        elif isinstance(condition, c.Not):
            yield from self._child(condition.of, given, f"{path}.of")
        else:
            # Judged of other lines or encounters: nothing is known of those.
            for child in children_of(condition):
                yield from self.inside(child, (), path)

    def _child(self, child: c.Condition, given: tuple[c.Condition, ...], path: str) -> Iterator[tuple[str, str, str]]:
        known = tuple(inner for each in given for inner in conjuncts_of(each))
        if self._implying.never(child) or any(self._implying.excludes(child, each) for each in known):
            yield path, "此条件在此处永不成立", "this condition never holds where it stands"
        else:
            yield from self.inside(child, given, path)

    def _idle(self, condition: c.Any, path: str) -> Iterator[str]:
        """Branches of "any" that hold only where an earlier one does."""
        for place, child in enumerate(condition.of):
            if any(self._implying.implies(child, before) for before in condition.of[:place]):
                yield f"{path}.of[{place}]"


def expired(reach: Reach, today: date) -> Iterator[Observation]:
    """Rules whose last day is past."""
    for rule in reach.rules.values():
        if rule.valid_to is not None and rule.valid_to < today:
            zh, en = f"已于 {rule.valid_to} 失效", f"ended on {rule.valid_to}"
            yield Observation(kind="expired", rule_id=rule.id, path="valid_to", zh=zh, en=en)
