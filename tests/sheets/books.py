"""Sheets as bureaus send them, made by the tests: XLSX by openpyxl, XLS by xlwt, text by hand."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xlwt
from openpyxl import Workbook, load_workbook
from typer.testing import CliRunner

from negative_list.cli import app
from negative_list.parse import read_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typer.testing import Result

    from negative_list.rules import Rule

__all__ = [
    "FEMALE",
    "HEAD",
    "MALE",
    "back",
    "csv_of",
    "imported",
    "rules_in",
    "run",
    "xls_of",
    "xlsx_of",
]

HEAD: list[Any] = ["药品名称", "药品编码", "限定性别", "来源文件"]
"""The header of the small sheet most tests start from: drugs for one sex."""

FEMALE: list[Any] = ["妇乐胶囊", "ZD02AAF0221010105329", "女", "公开第1批"]
"""A good row."""

MALE: list[Any] = ["阿帕他胺片", "XL02BBA326A001010102180", "男", "公开第1批"]
"""Another."""


def xlsx_of(path: Path, rows: Sequence[Sequence[Any]], *, merges: Sequence[str] = (), sheet: str = "目录") -> Path:
    """Write an XLSX file of one worksheet."""
    book = Workbook()
    page: Any = book.active
    page.title = sheet
    for row in rows:
        page.append(list(row))
    for area in merges:
        page.merge_cells(area)
    book.save(path)
    return path


def xls_of(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    """Write an XLS file of one worksheet."""
    book = xlwt.Workbook()
    page = book.add_sheet("目录")
    for number, row in enumerate(rows):
        for place, value in enumerate(row):
            page.write(number, place, value)
    book.save(str(path))
    return path


def csv_of(path: Path, rows: Sequence[Sequence[Any]], encoding: str = "utf-8-sig") -> Path:
    """Write a CSV file."""
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows(rows)
    path.write_bytes(stream.getvalue().encode(encoding))
    return path


def run(*words: object) -> Result:
    """Run ``negative-list`` with these words."""
    return CliRunner().invoke(app, [str(word) for word in words])


def imported(sheet: Path, *words: object, family: str = "R67") -> tuple[Result, dict[str, Rule]]:
    """Import a sheet whose guessed columns are confirmed; the result, and the rules of the list by title."""
    output = sheet.parent / "list.jsonl"
    result = run("import", "sheet", sheet, "-o", output, "--family", family, "--confirm", *words)
    return result, rules_in(output)


def rules_in(path: Path) -> dict[str, Rule]:
    """The rules of a list by the item in their title; none where there is no list."""
    if not path.exists():
        return {}
    return {rule.title.partition("：")[0]: rule for rule in read_list(path).rules}


def back(path: Path) -> list[list[Any]]:
    """The rows of the first worksheet of an XLSX file."""
    page: Any = load_workbook(path).worksheets[0]
    return [[cell.value for cell in row] for row in page.iter_rows()]
