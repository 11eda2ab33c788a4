"""An indication of several branches as rows: each row one diagnosis, and how they go together as data.

What the office corrects are the lists of diagnoses; what joins them (ages, stages, "and", "or") is kept in one cell as
the program wrote it, with the place of each row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from negative_list.conditions import Condition, Diagnosis
from negative_list.sheets.cells import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Tree", "grown", "taken_apart"]

Tree: TypeAlias = dict[str, Any]
"""A condition as plain data, with ``{"branch": n}`` in the place of the diagnosis of row n."""

_JOINING = ("all", "any", "at_least")


def taken_apart(condition: Condition) -> tuple[Tree, tuple[Diagnosis, ...]]:
    """A condition with its diagnoses taken out, those it demands the absence of aside."""
    found: list[Diagnosis] = []
    return _cut(msgspec.to_builtins(condition), found), tuple(found)


def _cut(node: Tree, found: list[Diagnosis]) -> Tree:
    if node["kind"] == "diagnosis":
        found.append(msgspec.convert(node, Diagnosis))
        return {"branch": len(found)}
    if node["kind"] in _JOINING:
        return {**node, "of": [_cut(child, found) for child in node["of"]]}
    return node


def grown(tree: Tree, diagnoses: Mapping[int, Diagnosis]) -> Condition:
    """The condition with the diagnoses put back.

    Raises:
        CellError: the tree was changed by hand, or a row it needs is missing.
    """
    try:
        condition: Condition = msgspec.convert(_put_back(tree, diagnoses), Condition)
    except (msgspec.ValidationError, KeyError, TypeError) as error:
        message = (
            "分支与条件结构不符 (branches and structure do not fit); 请恢复被删的分支行 (restore the rows of branches)"
        )
        raise refusal(message, "branch") from error
    return condition


def _put_back(node: Tree, diagnoses: Mapping[int, Diagnosis]) -> Tree:
    if "branch" in node:
        plain: Tree = msgspec.to_builtins(diagnoses[node["branch"]])
        return plain
    if node["kind"] in _JOINING:
        return {**node, "of": [_put_back(child, diagnoses) for child in node["of"]]}
    return node
