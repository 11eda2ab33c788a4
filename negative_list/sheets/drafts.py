"""From rows to drafts: rows that together say one thing become one.

A sheet may write one code a row, or one disease a row. Rows that say the same of one item and differ in codes only are
one rule with all codes; rows of one item that name further diseases (departments, companions) it may be used for are
alternatives, since a list of what is allowed is never a list of refusals; rows of a group are one rule.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from negative_list.sheets.columns import MANY, columns
from negative_list.sheets.rows import Bad, Row

if TYPE_CHECKING:
    from negative_list.sheets.families import Family

__all__ = ["Draft", "drafted"]

_LOOSE = frozenset(
    {"comment", "name", "article", "document", "title", "group", "main_name", "other_name", "operation_name"}
)
"""Columns of which a rule takes the first row's word: they decide nothing."""


_ADDING = MANY | {"branch"}
"""Kinds of columns of which a rule takes what all its rows say."""


class Draft(Struct, frozen=True, kw_only=True, eq=False):
    """What becomes one rule (or, told in words, several), and the rows that say it."""

    values: Mapping[str, Any]
    rows: tuple[Row, ...]


def drafted(rows: Iterable[Row], family: Family) -> tuple[tuple[Draft, ...], tuple[Bad, ...]]:
    """The drafts of rows in the order of their first row, and rows that contradict the one they belong to."""
    singles = [Draft(values=_branched(row.values), rows=(row,)) for row in rows]
    bad: list[Bad] = []
    for key_of in (_by_all, _by_id, _by_group, _by_item, _by_statement):
        singles = _joined(singles, partial(key_of, family=family), bad)
    return tuple(singles), tuple(bad)


def _branched(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row of one branch: its diagnosis belongs to the branch, everything else to the rule."""
    if "branch" not in values:
        return values
    own = {key: values[key] for key in _OF_A_BRANCH if key in values}
    return {**{key: value for key, value in values.items() if key not in own}, "branch": ((values["branch"], own),)}


_OF_A_BRANCH = ("diagnosis_codes", "diagnosis_terms", "main_only", "past")


def _by_all(draft: Draft, family: Family) -> Hashable:  # noqa: ARG001 - one signature for all keys
    """Rows that say the same count once."""
    told = {key: value for key, value in draft.values.items() if key != "comment"}
    return None if "branch" in told else ("all", _frozen(told))


def _by_id(draft: Draft, family: Family) -> Hashable:  # noqa: ARG001 - one signature for all keys
    named = draft.values.get("rule_id")
    return ("id", named, draft.values.get("operation")) if named else None


def _by_group(draft: Draft, family: Family) -> Hashable:
    """All rows of a group; a family without a column of groups is one group."""
    if not family.shape.grouped or draft.values.get("rule_id") or draft.values.get("operation") == "end":
        return None
    if "group" not in family.shape.columns:
        return ("group", draft.values.get("operation"))
    return ("group", draft.values.get("group"), draft.values.get("operation")) if draft.values.get("group") else None


def _by_item(draft: Draft, family: Family) -> Hashable:
    """Rows of one item that name alternatives, everything else being equal."""
    alternatives = {*family.shape.union, "branch"}
    if not family.shape.union or not alternatives & draft.values.keys():
        return None
    about = {key: value for key, value in draft.values.items() if key not in alternatives | _LOOSE}
    return ("item", _frozen(about), draft.values.get("name") if "codes" not in about else "")


def _by_statement(draft: Draft, family: Family) -> Hashable:  # noqa: ARG001 - one signature for all keys
    """Rows of one named item that differ in codes only."""
    if not (draft.values.get("codes") and draft.values.get("name")):
        return None
    return ("same", _frozen({key: value for key, value in draft.values.items() if key not in ("codes", "comment")}))


def _frozen(values: Mapping[str, Any]) -> str:
    return repr(sorted(values.items(), key=lambda pair: pair[0]))


def _joined(drafts: list[Draft], key_of: Any, bad: list[Bad]) -> list[Draft]:
    found: dict[Hashable, Draft] = {}
    for number, draft in enumerate(drafts):
        key = key_of(draft)
        key = ("row", number) if key is None else key
        if key not in found:
            found[key] = draft
            continue
        against = _contradiction(found[key].values, draft.values)
        if against:
            bad.extend(_contradicting(row, found[key], against) for row in draft.rows)
        else:
            found[key] = _together(found[key], draft)
    return list(found.values())


def _contradiction(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """A column that two rows of one rule fill differently; lists add up and names decide nothing."""
    return next((key for key in other if key in one and not _adds(key) and one[key] != other[key]), "")


def _adds(key: str) -> bool:
    return key in _LOOSE or columns()[key].kind in _ADDING


def _contradicting(row: Row, first: Draft, key: str) -> Bad:
    started = first.rows[0]
    place = f"{started.grid.place} 第 {started.row + 1} 行"
    message = (
        f"与同一规则的 {place} 在“{columns()[key].zh}”上不一致 (differs from another row of the same rule)"
        "; 请统一，或给出不同的规则编号 (make them equal, or give another id)"
    )
    return row.rejected(message, key)


def _together(one: Draft, other: Draft) -> Draft:
    values = {**other.values, **one.values}
    for key in values:
        if columns()[key].kind in _ADDING and key in one.values and key in other.values:
            both = (*one.values[key], *other.values[key])
            values[key] = both if key == "branch" else tuple(dict.fromkeys(both))
    return Draft(values=values, rows=(*one.rows, *other.rows))
