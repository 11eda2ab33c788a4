"""Rows of the office's lists as text: a table for the eye, CSV for spreadsheets, JSON for programs."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

__all__ = ["FORMATS", "Format", "written"]

Format: TypeAlias = Literal["table", "csv", "json"]
FORMATS: tuple[Format, ...] = ("table", "csv", "json")
"""How a list may be written."""

_FORMULA = ("=", "+", "-", "@")


def written(rows: Sequence[Mapping[str, Any]], headings: Mapping[str, str], as_format: Format) -> bytes:
    """Rows with the columns that have a heading, in the headings' order; JSON keeps the columns' names."""
    if as_format == "json":
        return msgspec.json.format(msgspec.json.encode(rows)) + b"\n"
    cells = [list(headings.values()), *([_text(row.get(name)) for name in headings] for row in rows)]
    return _csv(cells) if as_format == "csv" else _table(cells).encode()


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    # A text that begins like a formula is none.
    csv.writer(out).writerows([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Columns under their headings; a Chinese character is two columns wide."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return "".join(
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"
        for row in ([" ".join(cell.split()) for cell in row] for row in rows)
    )


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
