"""Rules as the sheet of their family, and the empty sheet of a family to fill in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from negative_list.errors import Problem
from negative_list.sheets.columns import MANY, NONE, Column, columns, written
from negative_list.sheets.convert import not_held, values_of
from negative_list.sheets.grid import Raw
from negative_list.sheets.sets import set_rows, sets_used
from negative_list.sheets.writing import INSTRUCTIONS, TEXT_FORMAT, put, workbook_bytes

if TYPE_CHECKING:
    from negative_list.rules import Rule, RuleList
    from negative_list.sheets.families import Family

__all__ = ["Exported", "exported", "template_bytes"]

_CODES_IN_A_CELL = 1_000
"""Codes a cell takes, well below the format's limit of characters; a rule with more goes on in further rows."""


class Exported(Struct, frozen=True, kw_only=True):
    """The rows of a family, the header first, the sets they use, and the rules no row holds, each with what is lost."""

    rows: tuple[tuple[Raw, ...], ...]
    sets: tuple[tuple[Raw, ...], ...]
    rules: int
    refused: tuple[Problem, ...]


def exported(rules: RuleList, family: Family, file: str = "", *, sets: bool = True) -> Exported:
    """The rules of a family as rows; reading the rows gives the same rules, or the rule is refused by name.

    ``sets``: whether there is a second worksheet for the named sets the rules use.
    """
    own = [rule for rule in rules.rules if rule.class_id == family.class_id]
    lost = {rule.id: fields for rule in own if (fields := not_held(family, rule) or _homeless(rule, sets=sets))}
    held = [rule for rule in own if rule.id not in lost]
    told = [values_of(family, rule) or {} for rule in held]
    filled = {key for values in told for key in (*values, *(k for _, one in values.get("branch", ()) for k in one))}
    used = [key for key in family.columns if key in filled]
    rows: list[tuple[Raw, ...]] = [tuple(columns()[key].zh for key in used)]
    for values in told:
        rows.extend(_rows(values, used, one_each=family.shape.grouped))
    used_sets = {name for rule in held for name in sets_used(rule)}
    listed = set_rows(named for named in rules.sets if named.id in used_sets)
    return Exported(rows=tuple(rows), sets=tuple(listed), rules=len(held), refused=tuple(_refused(own, lost, file)))


def _homeless(rule: Rule, *, sets: bool) -> tuple[str, ...]:
    return () if sets else tuple(sorted(f"sets.{name}" for name in sets_used(rule)))


def _refused(own: Iterable[Rule], lost: Mapping[str, tuple[str, ...]], file: str) -> Iterator[Problem]:
    for rule in own:
        if rule.id in lost:
            fields = "、".join(lost[rule.id])
            message = (
                f"规则 `{rule.id}` 的 {fields} 写不进这类表格 (the sheet of the family cannot hold it)"
                "; 请用 JSON Lines 或 YAML 交换 (exchange it as JSON Lines)"
            )
            yield Problem(file=file, path=rule.id, message=message)


def _rows(values: Mapping[str, Any], used: list[str], *, one_each: bool) -> Iterator[tuple[Raw, ...]]:
    """The rows of one rule: more than one for many codes, a group with one item a row, or branches of an indication."""
    codes = tuple(values.get("codes", ()))
    step = 1 if one_each else _CODES_IN_A_CELL
    further = [{"codes": codes[start : start + step]} for start in range(step, len(codes), step)]
    first, *branches = [{"branch": n, **told} for n, told in values.get("branch", ())] or [{}]
    whole = {**values, **({"codes": codes[:step]} if codes else {}), **first}
    yield tuple(_cell(key, whole) for key in used)
    for told in (*further, *branches):
        yield tuple(_cell(key, {"rule_id": values["rule_id"], **told}) for key in used)


def _cell(key: str, values: Mapping[str, Any]) -> Raw:
    return written(columns()[key], values.get(key))


# -- templates

_WRITTEN_BY_US = frozenset(
    {
        "rule_class",
        "points",
        "also",
        "tree",
        "rest",
        "message_en",
        "main_items",
        "other_items",
        "companion_items",
        "sets",
    }
)
"""Columns no template has: the program fills them in exports."""

_HEADER_FILL = "FFDCE6F1"
_NEEDED_FILL = "FFFCE4D6"
_EXAMPLE_COLOUR = "FF808080"
_LAST_ROW = 2_000
"""Rows below the header that get the text format and the lists of words; further rows take what is pasted."""


def template_bytes(family: Family) -> bytes:
    """The empty sheet of a family as XLSX: headings, an example nobody imports, lists of words, how to fill it."""
    from openpyxl import Workbook

    book = Workbook()
    sheet: Any = book.active
    sheet.title = family.class_id
    keys = [key for key in family.columns if key not in _WRITTEN_BY_US]
    needed = {key for group in family.needs for key in group if not _has_default(family, group)} | {"document"}
    for place, key in enumerate(keys, 1):
        _heading(sheet, place, columns()[key], needed=key in needed)
        _example(sheet, place, key, family)
        _format(sheet, place, columns()[key])
    sheet.freeze_panes = "A2"
    _instructions(book.create_sheet(INSTRUCTIONS), family, keys, needed)
    return workbook_bytes(book)


def _has_default(family: Family, group: Iterable[str]) -> bool:
    return any(family.defaults.get(key) for key in group)


def _heading(sheet: Any, place: int, column: Column, *, needed: bool) -> None:
    from openpyxl.comments import Comment
    from openpyxl.styles import Alignment, Font, PatternFill

    cell = put(sheet, 1, place, column.zh)
    cell.font = Font(bold=True)
    cell.fill = PatternFill("solid", start_color=_NEEDED_FILL if needed else _HEADER_FILL)
    cell.alignment = Alignment(wrap_text=True, vertical="center")
    if column.note:
        cell.comment = Comment(column.note, "negative-list")
    sheet.column_dimensions[cell.column_letter].width = column.width


def _example(sheet: Any, place: int, key: str, family: Family) -> None:
    from openpyxl.styles import Font

    told = {"operation": "示例", "document": "示例文件", "article": "第一条", **family.example}
    if key in told:
        put(sheet, 2, place, told[key]).font = Font(italic=True, color=_EXAMPLE_COLOUR)


def _format(sheet: Any, place: int, column: Column) -> None:
    """Text stays text below the heading, so that no code becomes a number; words are chosen from a list."""
    from openpyxl.worksheet.datavalidation import DataValidation

    letter = sheet.cell(row=1, column=place).column_letter
    if column.kind not in ("decimal", "yuan", "whole", "day"):
        sheet.column_dimensions[letter].number_format = TEXT_FORMAT
    words = list(column.words) if column.words else ["是", "否"] if column.kind == "flag" else []
    if words:
        offered = DataValidation(type="list", formula1=f'"{",".join(words)}"', allow_blank=True)
        # Several words may be written in one cell, so the list of such a column only offers.
        offered.showErrorMessage = column.kind not in MANY
        offered.add(f"{letter}2:{letter}{_LAST_ROW}")
        sheet.add_data_validation(offered)


def _instructions(sheet: Any, family: Family, keys: list[str], needed: set[str]) -> None:
    put(sheet, 1, 1, f"{family.class_id} {family.name}")
    for place, text in enumerate(("列", "必填", "怎么填", "可用的词"), 1):
        put(sheet, 3, place, text)
    for number, key in enumerate(keys, 4):
        column = columns()[key]
        empty = f"；没有则写 {NONE}" if column.kind in MANY and family.defaults.get(key) else ""
        words = "、".join(column.words) if column.words else "是、否" if column.kind == "flag" else ""
        for place, text in enumerate((column.zh, "是" if key in needed else "", column.note + empty, words), 1):
            if text:
                put(sheet, number, place, text)
    for letter, width in zip("ABCD", (18, 6, 50, 60), strict=True):
        sheet.column_dimensions[letter].width = width
