"""Writing sheets: tables of our own, and rejected rows as the sheet they came from with a column 问题.

XLS comes back as XLSX, text in its own encoding and with its own delimiter. Codes stand in cells of the format text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from negative_list.sheets.cells import folded, text_of
from negative_list.sheets.grid import Grid
from negative_list.sheets.header import PROBLEM_HEADING, Header
from negative_list.sheets.rows import Bad

if TYPE_CHECKING:
    from negative_list.errors import Problem
    from negative_list.sheets.grid import Raw

__all__ = [
    "INSTRUCTIONS",
    "TEXT_FORMAT",
    "Returned",
    "put",
    "rejected_bytes",
    "rejected_suffix",
    "table_bytes",
    "workbook_bytes",
]

INSTRUCTIONS = "填写说明"
"""The worksheet of a template that says how to fill it in; nobody reads it as a table."""

TEXT_FORMAT = "@"
"""The number format of cells that stay text."""

_PROBLEM_WIDTH = 80


class Returned(Struct, frozen=True, kw_only=True, eq=False):
    """A sheet with rejected rows: the grid, its header, and the rows."""

    grid: Grid
    header: Header
    bad: tuple[Bad, ...]


def put(sheet: Any, row: int, column: int, value: Raw, number_format: str = "") -> Any:
    """Write one cell, from 1; a text stays a text whatever it begins with."""
    cell = sheet.cell(row=row, column=column)
    if isinstance(value, str):
        cell.value = value
        cell.data_type = "s"
        cell.number_format = TEXT_FORMAT
    elif value is not None:
        cell.value = value
        cell.number_format = number_format or ("yyyy-mm-dd" if isinstance(value, date) else cell.number_format)
    return cell


def workbook_bytes(book: Any) -> bytes:
    """A workbook as the bytes of its file."""
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def table_bytes(path: Path, tables: Mapping[str, Sequence[Sequence[Raw]]]) -> bytes:
    """Tables by worksheet as the file its name asks for: CSV in UTF-8 with a mark (the first table), else XLSX."""
    if path.suffix.lower() == ".csv":
        return _csv_bytes(next(iter(tables.values())), "utf-8-sig", ",")
    from openpyxl import Workbook

    book = Workbook()
    first: Any = book.active
    book.remove(first)
    for title, rows in tables.items():
        sheet = book.create_sheet(title) if rows else None
        for number, row in enumerate(rows, 1):
            for place, value in enumerate(row, 1):
                put(sheet, number, place, value)
    return workbook_bytes(book)


def _csv_bytes(rows: Iterable[Sequence[Raw]], encoding: str, delimiter: str) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter).writerows([text_of(value) for value in row] for row in rows)
    return stream.getvalue().encode(encoding)


# -- rejected rows


def rejected_suffix(grid: Grid) -> str:
    """The ending of the file rejected rows come back in."""
    return Path(grid.file).suffix or ".csv" if grid.kind == "csv" else ".xlsx"


def rejected_bytes(returned: Sequence[Returned]) -> bytes:
    """The rejected rows of one file, below the title and header rows of their sheets."""
    if returned[0].grid.kind == "csv":
        grid = returned[0].grid
        return _csv_bytes(_rejected_rows(returned[0]), grid.encoding, grid.delimiter)
    from openpyxl import Workbook

    book = Workbook()
    first: Any = book.active
    book.remove(first)
    for one in returned:
        sheet = book.create_sheet(one.grid.sheet or PROBLEM_HEADING)
        _fill(sheet, one)
    return workbook_bytes(book)


def _fill(sheet: Any, one: Returned) -> None:
    for number, row in enumerate(_rejected_rows(one), 1):
        source = _source(one, number - 1)
        for place, value in enumerate(row, 1):
            put(sheet, number, place, value, one.grid.formats.get((source, place - 1), ""))
    for first, column, last, last_column in one.grid.merges:
        if last <= one.header.last:
            sheet.merge_cells(
                start_row=first + 1, start_column=column + 1, end_row=last + 1, end_column=last_column + 1
            )
    letter = sheet.cell(row=1, column=_problem_column(one) + 1).column_letter
    sheet.column_dimensions[letter].width = _PROBLEM_WIDTH
    sheet.freeze_panes = sheet.cell(row=one.header.last + 2, column=1)


def _source(one: Returned, number: int) -> int:
    """The row of the original sheet that a row of the new one is."""
    return number if number <= one.header.last else one.bad[number - one.header.last - 1].row


def _rejected_rows(one: Returned) -> list[list[Raw]]:
    column = _problem_column(one)
    rows = [_padded(one.grid.rows[number], column) for number in range(one.header.last + 1)]
    rows[one.header.last][column] = PROBLEM_HEADING
    for bad in one.bad:
        cells = _padded(_filled(one.grid, bad.row), column)
        cells[column] = "\n".join(_said(problem) for problem in bad.problems)
        rows.append(cells)
    return rows


def _filled(grid: Grid, row: int) -> tuple[Raw, ...]:
    """The cells of a row, those of a merge over several rows filled with its value."""
    cells = list(_padded(grid.rows[row], max(0, len(grid.rows[row]) - 1)))
    for first, column, last, last_column in grid.merges:
        if column == last_column and first < row <= last:
            cells.extend([None] * (column + 1 - len(cells)))
            cells[column] = grid.at(first, column)
    return tuple(cells)


def _padded(cells: Sequence[Raw], column: int) -> list[Raw]:
    return [*cells, *([None] * (column + 1 - len(cells)))]


def _problem_column(one: Returned) -> int:
    """The column of problems: the one a rejected sheet has already, else the first beyond the sheet's edge."""
    titles = [folded(title) for title in one.header.titles]
    return titles.index(PROBLEM_HEADING) if PROBLEM_HEADING in titles else max(map(len, one.grid.rows), default=0)


def _said(problem: Problem) -> str:
    """A problem as the office reads it, with the cell it is about."""
    place = f"{_letters(problem.column)}{problem.row}" if problem.column else f"第{problem.row}行"
    return f"{place} {problem.path}：{problem.message}" if problem.path else f"{place}：{problem.message}"


def _letters(column: int) -> str:
    text = ""
    while column:
        column, place = divmod(column - 1, 26)
        text = chr(ord("A") + place) + text
    return text
