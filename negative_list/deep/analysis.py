"""Every check of the deep kind, in order, over one list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Literal

from negative_list.deep.beside import contradicting, repeated
from negative_list.deep.dead import expired, never_fires, unreachable
from negative_list.deep.items import addons_alone, one_way, unknown_codes, wide_prefixes
from negative_list.deep.observations import KINDS, Observation
from negative_list.deep.reach import Reach
from negative_list.deep.words import terms_in_terms, too_many_of_encounter
from negative_list.errors import Problem

if TYPE_CHECKING:
    from negative_list.parse import Parsed
    from negative_list.rules import RuleList

__all__ = ["CHECKS", "analyse", "placed"]

CHECKS: tuple[Callable[[Reach, date], Iterator[Observation]], ...] = (
    never_fires,
    unreachable,
    contradicting,
    repeated,
    expired,
    one_way,
    addons_alone,
    unknown_codes,
    wide_prefixes,
    terms_in_terms,
    too_many_of_encounter,
)
"""The checks, in order."""


def analyse(rules: RuleList, today: date) -> tuple[Observation, ...]:
    """What a valid list says that cannot be meant, faults first, then by kind and rule.

    Args:
        rules: a list without problems.
        today: the day by which rules have expired.
    """
    reach = Reach(rules)
    found = [each for check in CHECKS for each in check(reach, today)]
    order = list(KINDS)
    return tuple(sorted(found, key=lambda each: (order.index(each.kind), each.rule_id, each.path, each.others)))


def placed(
    observations: Iterable[Observation], parsed: Parsed, language: Literal["zh", "en"] = "zh"
) -> Iterator[tuple[Observation, Problem]]:
    """Each observation at the place of its rule in the files of the list."""
    places = {rule.id: place for rule, place in zip(parsed.rules.rules, parsed.rule_places, strict=True)}
    for each in observations:
        zh, en, _ = KINDS[each.kind]
        message = f"{zh}：{each.zh}" if language == "zh" else f"{en}: {each.en}"
        if each.rule_id:
            yield each, places[each.rule_id].problem(each.path, f"`{each.rule_id}` {message}")
        else:
            yield each, Problem(file=parsed.rule_places[0].file, message=message)
