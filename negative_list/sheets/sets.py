"""Named sets beside the rules that use them: a worksheet 集合 of an exported workbook, and read with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from negative_list.errors import ListError
from negative_list.rules import NamedSet, Rule, RuleList
from negative_list.sheets.cells import CellError, code_list, folded, text_of

if TYPE_CHECKING:
    from negative_list.sheets.grid import Grid, Raw

__all__ = ["SETS", "read_sets", "set_rows", "sets_used", "with_sets"]

SETS = "集合"
"""The worksheet of named sets."""

_HEAD = ("集合编号", "集合标题", "编码")
_CODES_IN_A_CELL = 1_000


def sets_used(rule: Rule) -> frozenset[str]:
    """The names of the sets a rule uses, wherever in it."""
    return frozenset(_named(msgspec.to_builtins(replace(rule, cases=()))))


def _named(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node.get("sets", ())
        for child in node.values():
            yield from _named(child)
    elif isinstance(node, (list, tuple)):
        for child in node:
            yield from _named(child)


def set_rows(sets: Iterable[NamedSet]) -> list[tuple[Raw, ...]]:
    """Sets as rows, the header first; a set of many codes takes several rows."""
    rows: list[tuple[Raw, ...]] = [_HEAD]
    for named in sets:
        for start in range(0, len(named.codes), _CODES_IN_A_CELL):
            piece = "、".join(named.codes[start : start + _CODES_IN_A_CELL])
            rows.append((named.id, named.title or None, piece))
    return rows if len(rows) > 1 else []


def read_sets(grids: Iterable[Grid]) -> tuple[NamedSet, ...]:
    """The sets of worksheets of that name and header.

    Raises:
        ListError: a code of theirs cannot be read.
    """
    found: dict[str, NamedSet] = {}
    for grid in grids:
        if grid.sheet != SETS or not grid.rows or tuple(map(text_of, grid.rows[0])) != _HEAD:
            continue
        for row in range(1, len(grid.rows)):
            name = folded(text_of(grid.at(row, 0)))
            codes = _codes(grid, row)
            known = found.get(name, NamedSet(id=name, codes=(), title=text_of(grid.at(row, 1))))
            found[name] = replace(known, codes=(*known.codes, *codes))
    return tuple(found.values())


def _codes(grid: Grid, row: int) -> tuple[str, ...]:
    try:
        return code_list(grid.at(row, 2), grid.formats.get((row, 2), ""))
    except CellError as error:
        raise ListError([grid.problem(str(error), row, 2, _HEAD[2])]) from error


def with_sets(rules: RuleList, sets: Iterable[NamedSet]) -> RuleList:
    """A list with these sets; one of the same name gives way."""
    kept = {named.id: named for named in (*rules.sets, *sets)}
    return replace(rules, sets=tuple(kept.values()))
