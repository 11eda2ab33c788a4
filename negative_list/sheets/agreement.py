"""Rows that contradict each other: one rule stated in two ways, or an item limited to one sex here and the other there.

Nobody but who wrote the sheet knows which of them is right, so all of them come back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from negative_list.conditions import All, Fact
from negative_list.rules import Rule
from negative_list.sheets.cells import CellError, refusal
from negative_list.sheets.convert import rules_of

if TYPE_CHECKING:
    from negative_list.sheets.drafts import Draft
    from negative_list.sheets.families import Family
    from negative_list.sheets.rows import Bad

__all__ = ["about", "agreeing", "refused_sex", "same_rule", "together"]

Stated: TypeAlias = tuple[int, Rule]
"""A rule and the number of the draft that states it."""


def agreeing(drafts: Sequence[Draft], family: Family) -> tuple[tuple[Draft, ...], tuple[Bad, ...]]:
    """The drafts that contradict no other of the sheet, and every row of those that do.

    Members of a group contradict nothing: a family of groups is returned as it is.
    """
    against: dict[int, CellError] = {}
    for one, other, code in () if family.shape.grouped else _contradictions(drafts, family):
        for number, first in ((one, other), (other, one)):
            against.setdefault(number, _other_sex(code, drafts[first]) if code else same_rule(drafts[first]))
    bad = [row.rejected(str(e), e.column) for number, e in sorted(against.items()) for row in drafts[number].rows]
    return tuple(draft for number, draft in enumerate(drafts) if number not in against), tuple(bad)


def _contradictions(drafts: Sequence[Draft], family: Family) -> Iterator[tuple[int, int, str]]:
    """Pairs of drafts that cannot both hold, with the code they disagree on; without one they state one rule."""
    by_id: defaultdict[str, list[Stated]] = defaultdict(list)
    by_code: defaultdict[str, list[Stated]] = defaultdict(list)
    for number, draft in enumerate(drafts):
        for rule in _stated(draft, family):
            by_id[rule.id].append((number, rule))
            for code in about(rule) if refused_sex(rule) else ():
                by_code[code].append((number, rule))
    for code, listed in sorted(by_code.items()):
        for (one, rule), (other, another) in combinations(listed, 2):
            if one != other and refused_sex(rule) != refused_sex(another) and together(rule, another):
                yield one, other, code
    for listed in by_id.values():
        for (one, rule), (other, another) in combinations(listed, 2):
            if one != other and not _in_other_words(rule, another):
                yield one, other, ""


def _in_other_words(rule: Rule, another: Rule) -> bool:
    """Whether rules differ in their texts alone, so that either may stand."""
    return replace(rule, title=another.title, message=another.message, basis=another.basis) == another


def _stated(draft: Draft, family: Family) -> tuple[Rule, ...]:
    """The rules a draft states; none where it ends one, or cannot be read without the rule it changes."""
    if draft.values.get("operation") == "end":
        return ()
    try:
        return rules_of(family, {"document": "-", **draft.values})
    except CellError:
        return ()


def same_rule(other: Draft) -> CellError:
    """The refusal of a row that is about the same rule as another draft and says something else."""
    message = (
        f"与 {_place(other)} 是同一条规则 (the same rule as another row)"
        "; 请合并，或给出不同的规则编号 (join them, or give another id)"
    )
    return refusal(message, "rule_id")


def _other_sex(code: str, other: Draft) -> CellError:
    message = (
        f"`{code}` 在 {_place(other)} 限另一性别 (another row limits it to the other sex)"
        "; 请核对，只留对的一行 (keep the row that is right)"
    )
    return refusal(message, "sex")


def _place(draft: Draft) -> str:
    return f"{draft.rows[0].grid.place} 第 {draft.rows[0].row + 1} 行"


def refused_sex(rule: Rule) -> tuple[object, ...] | None:
    """The sex a rule refuses an item to, where that is what it says."""
    parts = rule.violation.of if isinstance(rule.violation, All) else (rule.violation,)
    return next((part.any_of for part in parts if isinstance(part, Fact) and part.fact == "patient.sex"), None)


def about(rule: Rule) -> set[str]:
    """The codes a rule begins with."""
    return {*rule.trigger.codes, *rule.trigger.diagnoses, *rule.trigger.operations}


def together(one: Rule, other: Rule) -> bool:
    """Whether there is a day on which both rules are in force."""
    begins = max((rule.valid_from for rule in (one, other) if rule.valid_from), default=None)
    ends = min((rule.valid_to for rule in (one, other) if rule.valid_to), default=None)
    return begins is None or ends is None or begins <= ends
