"""The words of reports: headings, titles and codes in Chinese and English, from one table (``words.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from negative_list.classes import classes
from reminder.junk import WHYS
from reminder.reasons import standard
from reminder.reports.table import Column

__all__ = ["Both", "columns", "every_column", "flat", "heading", "said", "title", "word", "words"]

_FILE = Path(__file__).with_name("words.toml")


class Both(NamedTuple):
    """A text in Chinese and in English; ``both[english]`` is the one wanted."""

    zh: str
    en: str


@cache
def _tables() -> Mapping[str, Any]:
    return tomllib.loads(_FILE.read_text("utf-8"))


@cache
def every_column() -> Mapping[str, Column]:
    """Every column a report may have, by name."""
    rows = _tables()["columns"]
    return {name: msgspec.convert({"name": name, **row}, Column) for name, row in rows.items()}


def columns(names: Iterable[str]) -> tuple[Column, ...]:
    """Columns by their names."""
    known = every_column()
    return tuple(known[name] for name in names)


def flat(names: Iterable[str]) -> tuple[Column, ...]:
    """The same for a report that is not written in parts."""
    return tuple(replace(column, panel="") for column in columns(names))


def heading(column: Column, *, english: bool) -> str:
    """A column's heading."""
    return column.en if english else column.zh


def title(name: str) -> Both:
    """The title of a report, a part of one or a chart."""
    return Both(*_tables()["titles"][name])


def said(name: str) -> Both:
    """What is said about reports: a label, or a sentence with places to fill in."""
    return Both(*_tables()["said"][name])


@cache
def words(table: str) -> Mapping[str, Both]:
    """A table of codes and what they are called."""
    if table == "class":
        return {ident: Both(one.name, one.en) for ident, one in classes().items()}
    if table == "junk":
        return {code: Both(*texts) for code, texts in WHYS.items()}
    if table == "reason":
        named = {one.code: Both(one.zh, one.en) for one in standard().values()}
        return {"": Both(*_tables()["words"]["untold"][""]), **named}
    return {code: Both(*texts) for code, texts in _tables()["words"][table].items()}


def word(table: str, code: str, *, english: bool) -> str:
    """What a code is called; itself where the table does not have it."""
    found = words(table).get(code)
    return code if found is None else found[english]
