"""The bureau's own count against the journal: joined by finding id, what either side lacks, where they differ.

A bureau's file is a sheet (XLSX, XLS, CSV). Its columns are found by their headings (``bureau.toml``); of a finding it
names twice the last row counts.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from negative_list.errors import ListError, Problem
from negative_list.sheets.cells import text_of
from negative_list.sheets.grid import read_grids
from negative_list.sheets.header import Header, find_header, heading, spellings
from negative_list.sheets.writing import INSTRUCTIONS
from reminder.reports.table import Report, Said
from reminder.reports.words import flat, said

if TYPE_CHECKING:
    from negative_list.sheets.grid import Grid
    from reminder.reports.findings import Answered, Shown
    from reminder.reports.table import Row

__all__ = ["COLUMNS", "Counted", "Theirs", "read_bureau", "reconciled"]

_FILE = Path(__file__).with_name("bureau.toml")
_SEARCHED_ROWS = 40  # as find_header does
COLUMNS = ("finding_id", "difference", "their_way", "our_way", "rule", "department_code", "doctor", "place")
"""The columns of the list of differences."""


class Theirs(Struct, frozen=True, kw_only=True):
    """A row of the bureau's: its place and 处理方式 (1, 2, "" for none).

    ``way`` is ``None`` where the sheet has no such column.
    """

    way: str | None
    place: str


class Counted(Struct, frozen=True, kw_only=True):
    """What a bureau's file holds: its rows by finding id, and how many named one again."""

    rows: Mapping[str, Theirs]
    again: int = 0


@cache
def _tables() -> Mapping[str, Mapping[str, list[str]]]:
    return tomllib.loads(_FILE.read_text("utf-8"))


@cache
def _ways() -> Mapping[str, str]:
    return {heading(text): way for way, texts in _tables()["ways"].items() for text in texts}


def read_bureau(path: Path, column: str = "") -> Counted:
    """Read a bureau's file.

    Args:
        path: a sheet.
        column: the heading of the column of finding ids, where it has a name of its own.

    Raises:
        ListError: it cannot be read, no worksheet has such a column, or a cell says what is no 处理方式; every place.
    """
    rows: dict[str, Theirs] = {}
    problems: list[Problem] = []
    named, found = 0, False
    grids = read_grids(path)
    for grid in grids:
        header = None if grid.sheet in _explaining() else _header(grid, column)
        place = None if header is None else _column(header, _names("finding", column))
        if header is None or place is None:
            continue
        found = True
        problems.extend(_two_ids(grid, header, _names("finding", column)))
        for finding_id, theirs in _rows(grid, header, place, problems):
            named += 1
            rows[finding_id] = theirs
    if not found:
        problems.append(_no_workbook(path) if _is_text(path, grids) else _no_column(path, column))
    if problems:
        raise ListError(problems)
    return Counted(rows=rows, again=named - len(rows))


def _explaining() -> frozenset[str]:
    """Worksheets that say what columns mean, ours among them."""
    return frozenset({*said("about"), INSTRUCTIONS})


def _names(kind: str, column: str = "") -> frozenset[str]:
    return frozenset({heading(column)} if column else map(heading, _tables()["headings"][kind]))


def _header(grid: Grid, column: str) -> Header | None:
    """The header of a sheet: as anywhere, else the first row with a heading of finding ids, whatever else it names."""
    ids = _names("finding", column)
    known = ids | _names("way")
    found = find_header(grid, lambda title: title in known)
    if found is not None:
        return found
    rows = ((n, tuple(map(text_of, grid.rows[n]))) for n in range(min(_SEARCHED_ROWS, len(grid.rows))))
    headers = (Header(first=n, last=n, titles=titles) for n, titles in rows)
    return next((header for header in headers if _column(header, ids) is not None), None)


def _column(header: Header, names: frozenset[str]) -> int | None:
    places = (n for n, title in enumerate(header.titles) if title and not names.isdisjoint(spellings(title)))
    return next(places, None)


def _is_text(path: Path, grids: Sequence[Grid]) -> bool:
    """Whether a file is called a workbook and holds none."""
    return path.suffix.lower() in {".xlsx", ".xls"} and all(grid.kind == "csv" for grid in grids)


def _no_workbook(path: Path) -> Problem:
    message = "不是工作簿 (is no workbook); 请用表格软件打开后另存为 XLSX (open it and save it as XLSX)"
    return Problem(file=str(path), message=message)


def _two_ids(grid: Grid, header: Header, names: frozenset[str]) -> Iterator[Problem]:
    """The first row whose columns of finding ids say different ones: which is meant, nobody can guess."""
    places = [n for n, title in enumerate(header.titles) if title and not names.isdisjoint(spellings(title))]
    for row in range(header.last + 1, len(grid.rows)) if len(places) > 1 else ():
        if len({text_of(grid.at(row, place)) for place in places} - {""}) > 1:
            message = (
                "两列违规标识不同 (two columns of finding ids differ)"
                "; 请用 --column 写出要用的一列的标题 (name the one that counts by --column)"
            )
            yield grid.problem(message, row, places[1])
            return


def _no_column(path: Path, column: str) -> Problem:
    known = ", ".join(_tables()["headings"]["finding"][:5])
    asked = f"`{column}`" if column else known
    message = (
        f"没有违规标识列 (no column of finding ids: {asked})"
        "; 请用 --column 写出该列的标题 (name its heading by --column)"
    )
    return Problem(file=str(path), message=message)


def _rows(grid: Grid, header: Header, place: int, problems: list[Problem]) -> Iterator[tuple[str, Theirs]]:
    way_place = _column(header, _names("way"))
    for row in range(header.last + 1, len(grid.rows)):
        finding_id = text_of(grid.at(row, place))
        if finding_id:
            way = None if way_place is None else _way(grid, row, way_place, problems)
            yield finding_id, Theirs(way=way, place=f"{grid.place}:{row + 1}:{place + 1}")


def _way(grid: Grid, row: int, column: int, problems: list[Problem]) -> str:
    text = text_of(grid.at(row, column))
    way = _ways().get(heading(text))
    if way is None:
        message = f"`{text}` 不是处理方式 (is no disposition); 请写 1 继续执行医嘱 或 2 返回修改医嘱 (write 1 or 2)"
        problems.append(grid.problem(message, row, column))
    return way or ""


def reconciled(
    counted: Counted, shown: Iterable[Shown], elsewhere: Callable[[str], bool], head: tuple[Said, ...] = ()
) -> Report:
    """What differs, ours first as the journal has it, then what only the bureau has, as its file has it.

    Args:
        counted: the bureau's file.
        shown: the findings of the period.
        elsewhere: whether the journal has an answer with a finding of that id in another period.
        head: what the report says of its period.
    """
    count: Counter[str] = Counter()
    rows = _differences(counted, shown, elsewhere, count)
    return Report(
        title="reconcile",
        columns=flat(COLUMNS),
        rows=rows,
        head=head,
        foot=lambda: _counts(count, len(counted.rows), counted.again),
    )


def _differences(
    counted: Counted, shown: Iterable[Shown], elsewhere: Callable[[str], bool], count: Counter[str]
) -> Iterator[Row]:
    left = dict(counted.rows)
    for one in shown:
        for found, answered in one.found:
            theirs = left.pop(found.finding_id, None)
            difference = _difference(theirs, answered)
            count[difference or "same"] += 1
            if difference:
                way, place = (theirs.way or "", theirs.place) if theirs is not None else ("", "")
                about = (found.rule_id, one.brief.department, one.brief.doctor)
                yield (found.finding_id, difference, way, answered.way, *about, place)
    for finding_id, theirs in left.items():
        difference = "other_period" if elsewhere(finding_id) else "not_ours"
        count[difference] += 1
        yield (finding_id, difference, theirs.way or "", "", None, None, None, theirs.place)


def _difference(theirs: Theirs | None, ours: Answered) -> str:
    """What differs: a way only where the bureau's file tells ways at all.

    A bureau knows what it was told: none there is as good as an outcome here that nobody told anybody.
    """
    if theirs is None:
        return "not_theirs"
    untold = theirs.way == "" and ours.source != "feedback"
    return "" if theirs.way is None or theirs.way == ours.way or untold else "way"


def _counts(count: Counter[str], rows: int, again: int) -> tuple[Said, ...]:
    ours = count["same"] + count["way"] + count["not_theirs"]
    told = {
        "ours": ours,
        "theirs": rows,
        "same": count["same"],
        "way": count["way"],
        "not_theirs": count["not_theirs"],
        "not_ours": count["not_ours"],
        "other_period": count["other_period"],
        "again": again,
    }
    return tuple(
        Said(name=f"rec_{name}", value=value, zh=f"{value:,}", en=f"{value:,}") for name, value in told.items()
    )
