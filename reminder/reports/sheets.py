"""Reports as XLSX: typed cells under a frozen header, a row of totals, and a sheet that says what was counted.

openpyxl makes the book (styles, widths, panes); the rows are written by us into its sheets, one after another: a cell
costs it some thirty microseconds, and a month of reminders has millions. The same report gives the same bytes.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import chain, islice
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.writer.excel import ExcelWriter

from reminder.reports.cells import PERCENT, YES_NO, plain, shown, tidy
from reminder.reports.words import heading, said, title

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from reminder.reports.table import Column, Kind, Report, Row

__all__ = ["FORMATS", "MAX_ROWS", "write_xlsx"]

FORMATS: Mapping[Kind, str] = {
    "text": "@",
    "flag": "@",
    "count": "#,##0",
    "ms": "#,##0",
    "seconds": "#,##0",
    "exact": "General",
    "number": "#,##0.0",
    "yuan": "#,##0.00",
    "percent": "0.0%",
    "time": "yyyy-mm-dd hh:mm:ss",
    "day": "yyyy-mm-dd",
}
"""How the cells of a column are shown."""

MAX_ROWS = 1_000_000
"""Rows of one sheet; a sheet may have 1,048,576 (ECMA-376), and what is over goes on in the next."""

_MAX_TEXT = 32_767  # characters of a cell (ECMA-376)
_MAX_TITLE = 31
_WIDTHS: Mapping[Kind, int] = {"time": 20, "day": 12, "yuan": 16, "text": 18}
_SAID_WIDTHS = (22, 100)
_WIDE = 60
_SAMPLE = 200
_MADE = datetime(2020, 1, 1)  # what a report says does not depend on when it was written
_ZIPPED = (1980, 1, 1, 0, 0, 0)
_HEAD = PatternFill("solid", fgColor="1F4E78")
_RULE = Border(top=Side("thin", color="1F4E78"))
_DATA = re.compile(rb"<sheetData>.*</sheetData>|<sheetData ?/>", re.DOTALL)
_SIZE = re.compile(rb'<dimension ref="[^"]*" ?/>')


def write_xlsx(report: Report, out: BinaryIO, *, english: bool) -> None:
    """Write a workbook. Rows pass through a file beside, so that memory does not grow with them."""
    rows = iter(report.rows)
    sample = list(islice(rows, _SAMPLE))
    book = Workbook()
    frame = _Frame(book, report, sample, english=english)
    with tempfile.TemporaryFile() as spilled:
        sizes = list(frame.spill(chain(sample, rows), cast("IO[bytes]", spilled)))
        frame.dress(sizes)
        _about(book, report, english=english)
        spilled.seek(0)
        with tempfile.TemporaryFile() as made, tempfile.TemporaryFile() as whole:
            book.properties.created = book.properties.modified = _MADE
            # Saved by its writer: `save` would write down when that was.
            ExcelWriter(book, ZipFile(made, "w", ZIP_DEFLATED)).save()
            _join(made, whole, spilled, sizes)
            whole.seek(0)
            shutil.copyfileobj(whole, out)


class _Size:
    """One sheet's rows: how many, how many bytes they are in the file beside, and its cells without the totals."""

    def __init__(self, rows: int, length: int, reference: str, filtered: str) -> None:
        self.rows, self.length, self.reference, self.filtered = rows, length, reference, filtered


class _Frame:
    """The sheets of a report: all but their rows."""

    def __init__(self, book: Workbook, report: Report, sample: Sequence[Row], *, english: bool) -> None:
        self._book, self._report, self._english = book, report, english
        sheet = cast("Worksheet", book.active)
        self._heads = [heading(column, english=english) for column in report.columns]
        # The styles are made by dressing cells of a sheet whose rows are then ours: openpyxl numbers them.
        self._header = [_head_style(sheet, n) for n, _ in enumerate(report.columns, 1)]
        self._plain = [_style(sheet, n, c.kind, total=False) for n, c in enumerate(report.columns, 1)]
        self._total = [_style(sheet, n, c.kind, total=True) for n, c in enumerate(report.columns, 1)]
        self._widths = [
            _width(c, head, n, sample) for n, (c, head) in enumerate(zip(report.columns, self._heads, strict=True))
        ]
        self._letters = [get_column_letter(n) for n in range(1, len(report.columns) + 1)]

    def spill(self, rows: Iterator[Row], to: IO[bytes]) -> Iterator[_Size]:
        """Write every row as a sheet has it; tells the sheets."""
        more = True
        while more:
            begin, count = to.tell(), 1
            to.write(b"<sheetData>" + self._row(1, self._heads, self._header).encode())
            for row in islice(rows, MAX_ROWS):
                count += 1
                to.write(self._row(count, self._values(row), self._plain).encode())
            following = next(rows, None)
            more, told = following is not None, count
            if following is not None:
                rows = chain((following,), rows)
            else:
                count += self._totals(count, to)
            to.write(b"</sheetData>")
            reference, filtered = (f"A1:{self._letters[-1]}{last}" for last in (count, told))
            yield _Size(count, to.tell() - begin, reference, filtered)

    def _totals(self, count: int, to: IO[bytes]) -> int:
        totals = self._report.totals()
        if not totals:
            return 0
        values = self._values(totals)
        values[0] = values[0] or said("total")[self._english]
        to.write(self._row(count + 1, values, self._total).encode())
        return 1

    def _values(self, row: Row) -> list[Any]:
        pairs = zip(self._report.columns, row, strict=True)
        return [_value(column, value, english=self._english) for column, value in pairs]

    def _row(self, number: int, values: Sequence[Any], styles: Sequence[int]) -> str:
        cells = map(_cell, self._letters, styles, values)
        return f'<row r="{number}">{"".join(cell.replace("#", str(number), 1) for cell in cells)}</row>'

    def dress(self, sizes: Sequence[_Size]) -> None:
        """Give each sheet its name, header and widths; the rows that made the styles go."""
        name = _sheet_name(title(self._report.title)[self._english])
        for number, size in enumerate(sizes, 1):
            sheet = cast("Worksheet", self._book.active) if number == 1 else self._book.create_sheet()
            sheet.title = name if number == 1 else f"{name[: _MAX_TITLE - 4]} {number}"
            sheet.freeze_panes = f"{get_column_letter(self._report.keys + 1)}2"
            sheet.auto_filter.ref = size.filtered
            sheet.print_title_rows = "1:1"
            sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
            sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
            sheet.page_setup.fitToHeight = 0
            for letter, width in zip(self._letters, self._widths, strict=True):
                sheet.column_dimensions[letter].width = width


def _sheet_name(text: str) -> str:
    return re.sub(r"[\[\]:*?/\\]", " ", text)[:_MAX_TITLE]


def _head_style(sheet: Worksheet, column: int) -> int:
    cell = sheet.cell(1, column)
    cell.font, cell.fill = Font(bold=True, color="FFFFFF"), _HEAD
    cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
    return cell.style_id


def _style(sheet: Worksheet, column: int, kind: Kind, *, total: bool) -> int:
    cell = sheet.cell(3 if total else 2, column)
    cell.number_format = FORMATS[kind]
    if total:
        cell.font, cell.border = Font(bold=True), _RULE
    return cell.style_id


def _width(column: Column, head: str, place: int, sample: Iterable[Row]) -> int:
    """Wide enough for the heading and the first rows, within bounds."""
    texts = (shown(column, row[place], english=False, grouped=True) for row in sample)
    widest = max(map(_columns, chain((head,), texts)), default=0) + 2
    return max(min(widest, _WIDE), _WIDTHS.get(column.kind, 10) if column.kind != "text" else 8)


def _columns(text: str) -> int:
    return len(text) if text.isascii() else sum(1 if c.isascii() else 2 for c in text)


def _value(column: Column, value: Any, *, english: bool) -> Any:
    """A cell as a sheet holds it: numbers as numbers, days and times as such, the rest as text."""
    if value is None or value == "":
        return None
    if column.words or column.kind == "text":
        return shown(column, value, english=english)
    if column.kind == "flag":
        return YES_NO[bool(value)][english]
    if column.kind == "percent":
        return plain(column, value) / PERCENT
    if column.kind == "day":
        return _day(value)
    return value if column.kind == "time" else plain(column, value)


def _day(value: str) -> date | str:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return value


def _cell(letter: str, style: int, value: Any) -> str:
    """A cell; ``#`` stands for the number of its row."""
    if value is None:
        return f'<c r="{letter}#" s="{style}"/>'
    if isinstance(value, str):
        text = escape(tidy(value)[:_MAX_TEXT])
        return f'<c r="{letter}#" s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    number = to_excel(value) if isinstance(value, date) else value  # type: ignore[no-untyped-call]
    return f'<c r="{letter}#" s="{style}"><v>{number}</v></c>'


def _about(book: Workbook, report: Report, *, english: bool) -> None:
    """The sheet that says what was counted, what was not, and what each column means."""
    sheet = book.create_sheet(said("about")[english])
    told = [(said(one.name)[english], one.en if english else one.zh) for one in (*report.head, *report.foot())]
    meant = [(heading(c, english=english), c.means_en if english else c.means_zh) for c in report.columns]
    lines = [(title(report.title)[english], ""), *told, ("", ""), (said("columns")[english], ""), *meant]
    for number, cells in enumerate(lines, 1):
        for place, text in enumerate(cells, 1):
            _put(sheet, number, place, text)
    for letter, width in zip("AB", _SAID_WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width


def _put(sheet: Worksheet, row: int, column: int, text: str) -> None:
    cell = sheet.cell(row, column)
    cell.value = tidy(text)[:_MAX_TEXT]
    cell.data_type, cell.number_format = "s", FORMATS["text"]
    cell.font = Font(bold=column == 1)
    cell.alignment = Alignment(wrap_text=True, vertical="top")


def _join(made: IO[bytes], whole: IO[bytes], rows: IO[bytes], sizes: Sequence[_Size]) -> None:
    """Copy a book, putting our rows into its first sheets; nothing in it tells when it was written."""
    with ZipFile(made) as source, ZipFile(whole, "w", ZIP_DEFLATED) as target:
        names = source.namelist()
        sheets = {f"xl/worksheets/sheet{number}.xml": size for number, size in _numbered(sizes)}
        # The rows stand in the file beside in the order of the sheets.
        for name in sorted(names, key=lambda n: (n in sheets, _number(n))):
            info = ZipInfo(name, _ZIPPED)
            info.compress_type = ZIP_DEFLATED
            with target.open(info, "w", force_zip64=True) as entry:
                _copy(source.read(name), sheets.get(name), rows, entry)


def _numbered(sizes: Sequence[_Size]) -> Iterable[tuple[int, _Size]]:
    """Sheets by their number in the file: the first, then those after it; the one that explains was made last."""
    return enumerate(sizes, 1)


def _number(name: str) -> int:
    found = re.search(r"sheet(\d+)\.xml$", name)
    return int(found[1]) if found else 0


def _copy(data: bytes, size: _Size | None, rows: IO[bytes], to: IO[bytes]) -> None:
    if size is None:
        to.write(data)
        return
    data = _SIZE.sub(f'<dimension ref="{size.reference}"/>'.encode(), data)
    before, after = _DATA.split(data, maxsplit=1)
    to.write(before)
    left = size.length
    while left:
        left -= to.write(rows.read(min(left, 1 << 20)))
    to.write(after)
