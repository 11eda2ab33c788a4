"""Reading the cells of a file: XLSX, XLS or delimited text, told apart by their first bytes, not by their names.

Old systems call anything ``.xls``. Text is UTF-8 (with or without mark), UTF-16 with its mark, or GB18030, which holds
GBK and GB2312. Nothing is interpreted here: a number stays a number, with the format it is shown in where that is
known.
"""

from __future__ import annotations

import codecs
import csv
import importlib.util
import io
import re
import warnings
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeAlias
from zipfile import BadZipFile

from msgspec import Struct

from negative_list.codes import usable_item
from negative_list.errors import ListError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Grid", "Kind", "Raw", "read_grids", "require"]

Raw: TypeAlias = str | int | float | bool | date | datetime | None
"""What a cell holds."""

Kind: TypeAlias = Literal["xlsx", "xls", "csv"]
"""What a file is."""

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_DELIMITERS = ",\t;|"
_SAMPLE_LINES = 20


class Grid(Struct, frozen=True, kw_only=True, eq=False):
    """One worksheet, or one text file. Rows and columns count from 0 here, from 1 in every message.

    ``merges`` are (first row, first column, last row, last column); only their first cell holds a value. ``formats``
    are the number formats of cells with numbers, ``uncalculated`` cells with a formula and no value. ``hidden`` and
    ``merges`` are known for XLSX, merges also for XLS.
    """

    file: str
    sheet: str = ""
    kind: Kind
    rows: tuple[tuple[Raw, ...], ...]
    merges: tuple[tuple[int, int, int, int], ...] = ()
    formats: Mapping[tuple[int, int], str] = {}
    uncalculated: frozenset[tuple[int, int]] = frozenset()
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    hidden: bool = False
    epoch_1904: bool = False
    encoding: str = "utf-8-sig"
    delimiter: str = ","

    @property
    def place(self) -> str:
        """File and worksheet, as problems name them."""
        return f"{self.file}[{self.sheet}]" if self.sheet else self.file

    def at(self, row: int, column: int) -> Raw:
        """What a cell holds; ``None`` beyond the edges."""
        cells = self.rows[row] if 0 <= row < len(self.rows) else ()
        return cells[column] if 0 <= column < len(cells) else None

    def problem(self, message: str, row: int = -1, column: int = -1, path: str = "") -> Problem:
        """A problem of this sheet; row and column as they count here."""
        return Problem(file=self.place, row=row + 1, column=column + 1, path=path, message=message)

    def swallowed(self, row: int, width: int) -> Problem | None:
        """The problem of a row one cell of which holds further rows of a sheet of so many columns.

        In text, a quote that nobody closes takes in everything up to the next one.
        """
        if self.kind != "csv":
            return None
        found = (n for n, value in enumerate(self.rows[row]) if _holds_rows(value, self.delimiter, width))
        message = (
            "引号不成对，这一格里有好几行 (an unpaired quote: this cell holds several rows)"
            "; 请在原文件中补上或去掉引号，再导入这些行 (mend the quote in the source, import these rows again)"
        )
        return next((self.problem(message, row, column) for column in found), None)


def _holds_rows(value: Raw, delimiter: str, width: int) -> bool:
    """Whether a cell of several lines has a line of so many cells, or codes between other words."""
    if not isinstance(value, str) or not re.search(r"[\r\n]", value):
        return False
    lines = value.splitlines()
    parts = [part.strip() for line in lines for part in line.split(delimiter) if part.strip()]
    mixed = len({usable_item(part) for part in parts}) > 1 and any(delimiter in line for line in lines)
    return mixed or any(line.count(delimiter) >= max(width - 1, 1) for line in lines)


def read_grids(path: Path) -> tuple[Grid, ...]:
    """Read every worksheet of a file.

    Raises:
        ListError: the file cannot be read, or is none of the kinds.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        _refuse(
            path, f"无法读取 (cannot be read: {error.strerror}); 请检查文件名和权限 (check the name and the rights)"
        )
    if raw.startswith(_ZIP):
        return tuple(_xlsx(path, raw))
    if raw.startswith(_OLE):
        return tuple(_xls(path, raw))
    return (_text(path, raw),)


def _refuse(path: Path, message: str) -> NoReturn:
    raise ListError([Problem(file=str(path), message=message)])


def require(module: str, path: Path) -> None:
    """Refuse to go on where what reads and writes sheets is not installed.

    Raises:
        ListError: the extra ``sheets`` is missing.
    """
    if importlib.util.find_spec(module) is None:
        message = "没有安装表格组件 (the extra `sheets` is missing); pip install '.[sheets]'"
        raise ListError([Problem(file=str(path), message=message)])


_BROKEN = "文件已损坏或已加密 (damaged or locked); 请在表格软件中打开后另存为 XLSX (open it and save it as XLSX)"


# -- XLSX


def _xlsx(path: Path, raw: bytes) -> Iterator[Grid]:
    require("openpyxl", path)
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions, which nothing here reads
            book = openpyxl.load_workbook(io.BytesIO(raw))
            shown = openpyxl.load_workbook(io.BytesIO(raw), data_only=True) if _has_formula(book) else book
    except (BadZipFile, KeyError, ValueError, OSError, TypeError, AttributeError):
        _refuse(path, _BROKEN)
    for sheet in book.worksheets:
        yield _worksheet(path, sheet, shown[sheet.title], epoch_1904=book.epoch.year == _EPOCH_1904)


_EPOCH_1904 = 1904


def _cells_of(sheet: Any) -> dict[tuple[int, int], Any]:
    """The cells a worksheet really has: walking its rows would make one for every place down to a stray last one."""
    cells: dict[tuple[int, int], Any] = sheet._cells  # noqa: SLF001 - openpyxl has no other way that makes none
    return cells


def _has_formula(book: Any) -> bool:
    return any(cell.data_type == "f" for sheet in book.worksheets for cell in _cells_of(sheet).values())


def _worksheet(path: Path, sheet: Any, shown: Any, *, epoch_1904: bool) -> Grid:
    values = {place: _shown(cell, _cells_of(shown).get(place)) for place, cell in _cells_of(sheet).items()}
    return Grid(
        file=str(path),
        sheet=sheet.title,
        kind="xlsx",
        rows=tuple(_rows({place: value for place, value in values.items() if value is not None})),
        merges=tuple((m.min_row - 1, m.min_col - 1, m.max_row - 1, m.max_col - 1) for m in sheet.merged_cells.ranges),
        formats=dict(_formats(sheet)),
        uncalculated=frozenset(_uncalculated(sheet, shown)),
        hidden_rows=frozenset(n - 1 for n, row in sheet.row_dimensions.items() if row.hidden),
        hidden_columns=frozenset(_hidden_columns(sheet)),
        hidden=sheet.sheet_state != "visible",
        epoch_1904=epoch_1904,
    )


def _rows(values: Mapping[tuple[int, int], Raw]) -> Iterator[tuple[Raw, ...]]:
    """Rows down to the last one with a value, each up to its own last value."""
    by_row: dict[int, dict[int, Raw]] = {}
    for (row, column), value in values.items():
        by_row.setdefault(row, {})[column] = value
    for row in range(1, max(by_row, default=0) + 1):
        cells = by_row.get(row, {})
        yield tuple(cells.get(column) for column in range(1, max(cells, default=0) + 1))


def _shown(cell: Any, shown: Any) -> Raw:
    """What a cell shows. A formula that was never calculated stays its own text, which nobody takes for a value."""
    value: Raw = shown.value if shown is not None else None
    return _plain(cell.value if value is None and cell.data_type == "f" else value)


def _plain(value: Any) -> Raw:
    if isinstance(value, str):
        return value if value.strip() else None
    return value if isinstance(value, (bool, int, float, date, datetime)) else None if value is None else str(value)


def _uncalculated(sheet: Any, shown: Any) -> Iterator[tuple[int, int]]:
    """Cells with a formula whose value the file does not hold: programs write such files, spreadsheets do not."""
    values = _cells_of(shown)
    for (row, column), cell in _cells_of(sheet).items():
        if cell.data_type == "f" and (shown is sheet or values[row, column].value is None):
            yield row - 1, column - 1


def _formats(sheet: Any) -> Iterator[tuple[tuple[int, int], str]]:
    for (row, column), cell in _cells_of(sheet).items():
        if isinstance(cell.value, (int, float)) and not isinstance(cell.value, bool):
            yield (row - 1, column - 1), cell.number_format


def _hidden_columns(sheet: Any) -> Iterator[int]:
    """A column's entry stands for a run of columns of the same look."""
    for dimension in sheet.column_dimensions.values():
        if dimension.hidden:
            yield from range(dimension.min - 1, dimension.max)


def _trimmed(cells: Iterable[Raw]) -> tuple[Raw, ...]:
    listed = list(cells)
    while listed and listed[-1] is None:
        listed.pop()
    return tuple(listed)


# -- XLS


def _xls(path: Path, raw: bytes) -> Iterator[Grid]:
    require("python_calamine", path)
    from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
        for known in book.sheets_metadata:
            sheet = book.get_sheet_by_name(known.name)
            yield Grid(
                file=str(path),
                sheet=known.name,
                kind="xls",
                rows=tuple(_trimmed(map(_from_xls, row)) for row in sheet.to_python(skip_empty_area=False)),
                merges=tuple((*first, *last) for first, last in sheet.merged_cell_ranges or ()),
                hidden=known.visible != SheetVisibleEnum.Visible,
            )
    except (CalamineError, OSError, ValueError):
        _refuse(path, _BROKEN)


def _from_xls(value: Any) -> Raw:
    """XLS has no whole numbers: those that are whole are shown without a point."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return _plain(value)


# -- delimited text


def _text(path: Path, raw: bytes) -> Grid:
    text, encoding = _decoded(path, raw)
    if text.lstrip().lower().startswith(("<html", "<!doctype", "<table", "<?xml")):
        _refuse(path, "是网页而不是表格 (a web page, not a sheet); 请在表格软件中打开后另存为 XLSX (save it as XLSX)")
    delimiter = _delimiter(text)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        cells = tuple(_trimmed(map(_from_text, row)) for row in rows)
    except csv.Error as error:
        _refuse(path, f"不是逗号分隔的文本 (not delimited text: {error}); 请另存为 XLSX (save it as XLSX)")
    return Grid(file=str(path), kind="csv", rows=cells, encoding=encoding, delimiter=delimiter)


def _from_text(value: str) -> Raw:
    """A cell of a text file; ``="00123"`` is how programs make a spreadsheet keep a code as text."""
    kept = _KEPT.fullmatch(value.strip())
    return _plain(kept[1] if kept else value)


_KEPT = re.compile(r'="([^"]*)"')


def _decoded(path: Path, raw: bytes) -> tuple[str, str]:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", "replace"), "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    _refuse(path, "既不是 UTF-8 也不是 GB18030 (neither UTF-8 nor GB18030); 请另存为 UTF-8 (save it as UTF-8)")


def _delimiter(text: str) -> str:
    """The delimiter that most lines of the beginning have most of; a comma where none has any."""
    lines = [line for line in text.splitlines()[:_SAMPLE_LINES] if line.strip()]
    return max(_DELIMITERS, key=lambda mark: sum(line.count(mark) for line in lines) if lines else 0)
