"""Rules by id: what they are called and do, and their mark, for who confirms them. Done by the process beside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from negative_list.rules import Action
from reminder.releases.confirming import mark_of

if TYPE_CHECKING:
    from negative_list.rules import RuleList

__all__ = ["RuleTold", "described"]


class RuleTold(Struct, frozen=True, kw_only=True):
    """A rule as the office knows it; ``mark`` is what it would be confirmed by, ``changed``: another mark was.

    ``action`` is the list's; what the policy makes of it depends on ``result`` and ``addressee`` as well.
    """

    rule_id: str
    class_id: str
    title: str
    action: Action
    mark: str
    changed: bool
    result: Literal["definite", "suspicious"] = "definite"
    addressee: str = "doctor"


def described(
    rules: RuleList, ids: frozenset[str], class_id: str, confirmed: dict[str, set[str]]
) -> Iterator[RuleTold]:
    """The rules of these ids and this class ("": any), by class and id."""
    sets = {named.id: named.codes for named in rules.sets}
    for rule in sorted(rules.rules, key=lambda rule: (rule.class_id, rule.id)):
        if rule.id in ids and class_id in {"", rule.class_id}:
            mark = mark_of(rule, sets)
            known = confirmed.get(rule.id, set())
            yield RuleTold(
                rule_id=rule.id,
                class_id=rule.class_id,
                title=rule.title,
                action=rule.action,
                mark=mark,
                changed=bool(known - {mark}),
                result=rule.result,
                addressee=rule.addressee,
            )
