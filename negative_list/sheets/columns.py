"""The columns a sheet may have: their headings and synonyms, how a cell of each is read, and how a value is written."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from msgspec import Struct, field

from negative_list.dictionary import load
from negative_list.errors import UnknownNameError
from negative_list.sheets.cells import (
    code_list,
    day_of,
    decimal_of,
    each,
    flag_of,
    folded,
    icd_list,
    item_codes,
    operation_list,
    refusal,
    terms_of,
    text_of,
    whole_of,
    word_of,
    written_terms,
)
from negative_list.sheets.spans import (
    high_bound,
    low_bound,
    read_age_text,
    read_window,
    written_bound,
    written_window,
)

if TYPE_CHECKING:
    from negative_list.sheets.grid import Grid, Raw

__all__ = ["MANY", "NONE", "Column", "columns", "read_cell", "written"]

NONE = "无"
"""What a cell says that is told to be empty, where a blank one would take the family's default."""

Value: TypeAlias = Any
"""What a cell of a column is read as; its type is that of the column's kind."""


class Column(Struct, frozen=True, kw_only=True):
    """One column. ``words`` maps the words of a cell to values, ``also`` further spellings."""

    key: str
    zh: str
    kind: str
    words: Mapping[str, str] = field(default_factory=dict)
    also: Mapping[str, str] = field(default_factory=dict)
    synonyms: tuple[str, ...] = ()
    note: str = ""
    width: int = 14


@cache
def columns() -> Mapping[str, Column]:
    """Return every column by its key, in the order of ``columns.toml``, read once."""
    raw = tomllib.loads((resources.files("negative_list") / "sheets" / "columns.toml").read_text(encoding="utf-8"))
    return msgspec.convert({key: {**row, "key": key} for key, row in raw.items()}, dict[str, Column])


MANY = frozenset({"item_codes", "codes", "codes_named", "icd", "operations", "terms", "words", "facts"})
"""Kinds whose value is a tuple of texts; :data:`NONE` says that it is empty."""


def read_cell(column: Column, grid: Grid, row: int, place: int) -> Value:
    """What a cell says; ``None`` for a blank one. Raises ``CellError`` for one that cannot be read."""
    value = grid.at(row, place)
    if value is None:
        return None
    _refuse_failed(value, uncalculated=(row, place) in grid.uncalculated)
    if column.kind in MANY and folded(text_of(value)) == NONE:
        return ()
    if column.kind == "day":
        return _day(value, grid)
    return _READERS[column.kind](column, value, grid.formats.get((row, place), ""))


_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!")


def _refuse_failed(value: Raw, *, uncalculated: bool) -> None:
    """Refuse what a formula left behind that has no value."""
    if isinstance(value, str) and value.strip().upper() in _ERRORS:
        raise refusal(f"`{value}` 是公式出错的结果 (a formula failed); 请填写值本身 (write the value itself)")
    if uncalculated:
        raise refusal(
            f"公式 `{value}` 没有保存结果 (a formula without a saved value)"
            "; 请在表格软件中打开并保存，或粘贴为数值 (open and save it, or paste the values)"
        )


def _day(value: Raw, grid: Grid) -> date | None:
    return day_of(value, epoch_1904=grid.epoch_1904)


def _words(column: Column, value: Raw, _format: str) -> tuple[str, ...]:
    whole = folded(text_of(value))
    if whole in column.also:
        return tuple(column.also[whole].split("、"))
    found = each(lambda text: word_of(text, column.words, column.also), value)
    return tuple(dict.fromkeys(word for text in found for word in text.split("、")))


def _facts(_column: Column, value: Raw, _format: str) -> tuple[str, ...]:
    names = tuple(re.split(r"[\s、,;]+", folded(text_of(value))))
    for name in names:
        try:
            load()[name]
        except UnknownNameError as error:
            raise refusal(
                f"没有事实 `{name}` (no fact is called so{error.hint}); 请查阅事实表 (see the list of facts)"
            ) from error
    return names


_COUNTED: Mapping[str, str] = {"limit": "次|个|项", "limit_days": "天|日", "grams": "克|g", "grams_label": "克|g"}


def _bare_number(key: str, value: Raw) -> Raw:
    """A cap without the words that say nothing more: 不超过1次, ≤7天. Any other word stays, and is refused."""
    words = _COUNTED.get(key)
    if words is None or not isinstance(value, str):
        return value
    found = re.fullmatch(rf"(?:≤|<=|不超过|最多|至多|限)?\s*(\d+(?:\.\d+)?)\s*(?:{words})?", folded(value))
    return found[1] if found else value


def _yuan(_column: Column, value: Raw, _format: str) -> Decimal:
    fen = decimal_of(re.sub("[元¥￥]", "", text_of(value))) * 100
    if fen != fen.to_integral_value():
        raise refusal(f"`{text_of(value)}` 不足一分 (less than a fen); 请写到分 (write two decimals)")
    return fen.quantize(Decimal(1))


def _json(_column: Column, value: Raw, _format: str) -> dict[str, Any]:
    try:
        read = json.loads(text_of(value))
    except ValueError as error:
        raise refusal("程序写入的内容已改动 (changed by hand); 请恢复或清空 (restore it, or empty the cell)") from error
    if not isinstance(read, dict):
        raise refusal("程序写入的内容已改动 (changed by hand); 请恢复或清空 (restore it, or empty the cell)")
    return read


_READERS: Mapping[str, Callable[[Column, Raw, str], Value]] = {
    "text": lambda _column, value, _format: text_of(value),
    "item_codes": lambda _column, value, number: item_codes(value, number),
    "codes": lambda _column, value, number: code_list(value, number),
    "codes_named": lambda _column, value, _format: terms_of(value),
    "icd": lambda _column, value, number: icd_list(value, number),
    "operations": lambda _column, value, number: operation_list(value, number),
    "terms": lambda _column, value, _format: terms_of(value),
    "word": lambda column, value, _format: word_of(value, column.words, column.also),
    "words": _words,
    "facts": _facts,
    "flag": lambda _column, value, _format: flag_of(value),
    "branch": lambda _column, value, _format: whole_of(value),
    "whole": lambda _column, value, _format: whole_of(value),
    "decimal": lambda column, value, _format: decimal_of(_bare_number(column.key, value)),
    "yuan": _yuan,
    "json": _json,
    "window": lambda _column, value, _format: read_window(text_of(value)),
    "age_low": lambda _column, value, _format: low_bound(text_of(value)),
    "age_high": lambda _column, value, _format: high_bound(text_of(value)),
    "ages": lambda _column, value, _format: read_age_text(text_of(value)),
}


# -- writing


def written(column: Column, value: Value) -> Raw:
    """A value as its cell: what :func:`read_cell` reads as the same value."""
    if value is None:
        return None
    if column.kind in MANY and not value:
        return NONE
    return _WRITERS.get(column.kind, _same)(column, value)


def _same(_column: Column, value: Value) -> Raw:
    return value  # type: ignore[no-any-return]


def _number(_column: Column, value: Decimal) -> Raw:
    """A number as a number where it is shown as it is, else as text."""
    return int(value) if str(value) == str(int(value)) and abs(value) < _EXACT else str(value)


_EXACT = 10**12


def _written_yuan(_column: Column, fen: Decimal) -> Raw:
    yuan = fen / 100
    return int(yuan) if yuan == int(yuan) and abs(yuan) < _EXACT else str(yuan)


def _written_word(column: Column, value: str) -> Raw:
    return next((word for word, meant in column.words.items() if meant == value), value)


_WRITERS: Mapping[str, Callable[[Column, Value], Raw]] = {
    "item_codes": lambda _column, value: "、".join(value),
    "codes": lambda _column, value: "、".join(value),
    "codes_named": lambda _column, value: written_terms(value),
    "icd": lambda _column, value: "、".join(value),
    "operations": lambda _column, value: "、".join(value),
    "terms": lambda _column, value: written_terms(value),
    "facts": lambda _column, value: "、".join(value),
    "word": _written_word,
    "words": lambda column, value: "、".join(str(_written_word(column, word)) for word in value),
    "flag": lambda _column, value: "是" if value else "否",
    "decimal": _number,
    "yuan": _written_yuan,
    "json": lambda _column, value: json.dumps(value, ensure_ascii=False, sort_keys=True),
    "window": lambda _column, value: written_window(value),
    "age_low": lambda _column, value: written_bound(value, low=True),
    "age_high": lambda _column, value: written_bound(value, low=False),
}
