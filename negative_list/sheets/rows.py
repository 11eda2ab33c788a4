"""The rows of a sheet: which are rules, what each says, and what is wrong with it.

Passed over, and told: rows without anything, headings repeated on a further page, headings of sections, notes, the
example of a template, rows of another class. Everything else is a rule, good or bad.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from negative_list.classes import CLASS_IDS, class_by_name
from negative_list.codes import usable_item
from negative_list.errors import Problem, UnknownNameError
from negative_list.sheets.cells import CellError, folded, refusal, text_of
from negative_list.sheets.columns import columns, read_cell
from negative_list.sheets.grid import Grid, Raw
from negative_list.sheets.header import Header, heading, spellings
from negative_list.sheets.spans import AgeEnd, Unit, age_form, read_age_text

if TYPE_CHECKING:
    from negative_list.sheets.families import Family

__all__ = ["Bad", "Passed", "Row", "Table", "read_table"]

Why: TypeAlias = Literal["empty", "header", "section", "note", "example", "class", "hidden"]
"""Why a row was passed over."""


class Row(Struct, frozen=True, kw_only=True, eq=False):
    """A row that reads: its grid, its place (from 0), what it says by column, and where each column stands."""

    grid: Grid
    row: int
    values: Mapping[str, Any]
    places: Mapping[str, int]

    def rejected(self, message: str, key: str = "") -> Bad:
        """The row with a problem, at the column it is about where the sheet has that one."""
        path = columns()[key].zh if key else ""
        problem = self.grid.problem(message, self.row, self.places.get(key, -1), path)
        return Bad(grid=self.grid, row=self.row, problems=(problem,), values=self.values)


class Bad(Struct, frozen=True, kw_only=True, eq=False):
    """A row that is rejected, with its problems; ``values`` is what could be read of it."""

    grid: Grid
    row: int
    problems: tuple[Problem, ...]
    values: Mapping[str, Any]


class Passed(Struct, frozen=True, kw_only=True):
    """A row that is no rule; ``row`` counts from 1."""

    place: str
    row: int
    why: Why


class Table(Struct, frozen=True, kw_only=True, eq=False):
    """What a sheet holds; ``hidden`` are the rows (from 1) that were read although the sheet does not show them."""

    rows: tuple[Row, ...]
    bad: tuple[Bad, ...]
    passed: tuple[Passed, ...]
    hidden: tuple[int, ...] = ()


def read_table(
    grid: Grid, header: Header, places: Mapping[str, int], family: Family, *, skip_hidden: bool = False
) -> Table:
    """Read every row below the header."""
    reading = _Reading(grid, header, places, family)
    rows: list[Row] = []
    bad: list[Bad] = []
    passed: list[Passed] = []
    another = False
    for number in range(header.last + 1, len(grid.rows)):
        if another or reading.another_table(number):
            another = True
            bad.extend(_of_another_table(grid, number))
            continue
        if lost := reading.lost(number):
            bad.append(Bad(grid=grid, row=number, problems=(lost,), values={}))
            continue
        why: Why | None = "hidden" if skip_hidden and number in grid.hidden_rows else reading.passed_over(number)
        if why == "empty":
            continue
        if why is not None:
            passed.append(Passed(place=grid.place, row=number + 1, why=why))
            continue
        read = reading.read(number)
        if isinstance(read, Row):
            rows.append(read)
        else:
            bad.append(read)
    numbers = {row.row for row in rows} | {row.row for row in bad}
    return Table(
        rows=tuple(rows),
        bad=tuple(bad),
        passed=tuple(passed),
        hidden=tuple(sorted(number + 1 for number in numbers & grid.hidden_rows)),
    )


def _of_another_table(grid: Grid, row: int) -> Iterator[Bad]:
    """A row below the header of another table: its columns are not those that were confirmed."""
    if any(value is not None for value in grid.rows[row]):
        message = (
            "这里起是另一张表，没有读入 (another table begins here, it is not read)"
            "; 请放到自己的工作表中导入 (give it a worksheet of its own)"
        )
        yield Bad(grid=grid, row=row, problems=(grid.problem(message, row),), values={})


# 注 alone begins names too (注射用...), so it needs its colon or number
_NOTE = re.compile(
    r"(?:备?注|说明|附注)(?=[:\d(.、\s]|$)|填表|填报|制表|审核人|联系[人电方]|数据来源|合计|总计|共计|小计|本表|本目录|\*|※"
)
_SECTION = re.compile(r"(?:[一二三四五六七八九十]+|[(](?:[一二三四五六七八九十]+|\d+)[)])\s*[、.,]?\s*\D*")
_EXAMPLE = "示例"
_SHORTEST_SENTENCE = 12


class _Reading:
    """One reading of one sheet."""

    def __init__(self, grid: Grid, header: Header, places: Mapping[str, int], family: Family) -> None:
        self._grid = grid
        self._header = header
        self._places = places
        self._family = family
        self._filled = dict(_filled_down(grid))
        self._units = dict(_units_of_headings(header, places))
        self._twins = dict(_twins(header, places))
        self._wrong_form = dict(_wrong_forms(header, places, family))
        self._last = max((n for n in range(len(grid.rows)) if self._cells(n) > 1), default=-1)

    def passed_over(self, row: int) -> Why | None:
        """Why a row is no rule; ``None`` for one that is."""
        told = [(column, value) for column, value in enumerate(self._grid.rows[row]) if value is not None]
        if not told:
            return "empty"
        first = folded(text_of(told[0][1]))
        if self._is_header(row):
            return "header"
        if _EXAMPLE in (first, folded(text_of(self._value(row, "operation")))):
            return "example"
        if len(told) == 1:
            return self._alone(row, first)
        if _NOTE.match(first) and not any(self._value(row, key) is not None for key in _ABOUT if key in self._places):
            return "note"
        return "class" if self._of_another_class(row) else None

    def lost(self, row: int) -> Problem | None:
        """The problem of a row that is passed over or read askew although it holds rules."""
        problem = self._grid.swallowed(row, len(self._header.titles))
        if problem is not None or self.passed_over(row) not in ("note", "section"):
            return problem
        told = re.findall(r"[A-Z0-9]+", folded(" ".join(map(text_of, self._grid.rows[row]))).upper())
        code = next(filter(usable_item, told), None)
        message = (
            f"这一行像注释，却有项目编码 `{code}`，没有读入 (a note that holds a code)"
            "; 请把编码写在编码列，或从注释中删去 (put it into its column, or take it out of the note)"
        )
        return None if code is None else self._grid.problem(message, row)

    def _alone(self, row: int, text: str) -> Why | None:
        """A row of one cell: a note, the heading of a section, or, below everything, a sentence."""
        if _NOTE.match(text):
            return "note"
        if _SECTION.fullmatch(text):
            return "section"
        return "note" if row > self._last and len(text) >= _SHORTEST_SENTENCE and not text.isascii() else None

    def _cells(self, row: int) -> int:
        return sum(value is not None for value in self._grid.rows[row])

    def _is_header(self, row: int) -> bool:
        own = self._grid.rows[self._header.first : self._header.last + 1]
        return [heading(text_of(value)) for value in self._grid.rows[row]] in [
            [heading(text_of(value)) for value in cells] for cells in own
        ]

    def _value(self, row: int, key: str) -> Raw:
        place = self._places.get(key)
        return None if place is None else self._grid.at(*self._filled.get((row, place), (row, place)))

    def _of_another_class(self, row: int) -> bool:
        named = folded(text_of(self._value(row, "rule_class")))
        return bool(named) and _class_id(named) not in (None, self._family.class_id)

    def read(self, row: int) -> Row | Bad:
        """What a row says, or everything that is wrong with its cells."""
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for key, place in self._places.items():
            try:
                value = self._cell(row, key, place)
            except CellError as error:
                problems.append(self._grid.problem(str(error), row, place, self._header.titles[place]))
                continue
            if value is not None and value != "":
                values[key] = value
        problems.extend(self._beside(row))
        values.pop("rule_class", None)
        if problems:
            return Bad(grid=self._grid, row=row, problems=tuple(problems), values=values)
        return Row(grid=self._grid, row=row, values=values, places=self._places)

    def _cell(self, row: int, key: str, place: int) -> Any:
        """What one cell says, by the words of its heading where it leaves something to them."""
        at = self._filled.get((row, place), (row, place))
        if key == "rule_class":
            return _known_class(self._grid.at(*at))
        unit = self._units.get(key, "")
        if key == "age_text" and unit and self._grid.at(*at) is not None:
            value: Any = read_age_text(text_of(self._grid.at(*at)), unit)
        else:
            value = read_cell(columns()[key], self._grid, *at)
        if value is not None and key in self._wrong_form and "form" not in self._told(row):
            raise refusal(self._wrong_form[key])
        if isinstance(value, AgeEnd) and value.unit is None and unit and "age_unit" not in self._told(row):
            return replace(value, unit=_UNITS[unit])
        return value

    def _told(self, row: int) -> set[str]:
        """The columns a row fills."""
        return {key for key in self._places if self._value(row, key) is not None}

    def _beside(self, row: int) -> Iterator[Problem]:
        """Cells of a column that has the heading of another and is not read: a second table beside the first."""
        for place, title in self._twins.items():
            if self._grid.at(row, place) is not None:
                message = (
                    "这一列与前面的列同名，没有读入 (a second column of this name is not read)"
                    "; 并排的表请上下接成一个，多个编码请写在一格 (put tables below each other, codes into one cell)"
                )
                yield self._grid.problem(message, row, place, title)

    def another_table(self, row: int) -> bool:
        """Whether a row is the header of another table: headings only, two or more, and not those of this one."""
        told = [text_of(value) for value in self._grid.rows[row] if value is not None]
        named = _headings()
        known = [text for text in told if any(word in named for word in spellings(text))]
        return len(told) > 1 and len(known) == len(told) and not self._is_header(row)


@cache
def _headings() -> frozenset[str]:
    """Every heading of every family."""
    return frozenset(heading(word) for column in columns().values() for word in (column.zh, *column.synonyms))


_ABOUT = ("codes", "main_codes", "other_codes", "diagnosis_codes", "operation_codes", "rule_id")
"""Columns a note has nothing in."""


def _class_id(named: str) -> str | None:
    if named.upper() in CLASS_IDS:
        return named.upper()
    try:
        return class_by_name(named).id
    except UnknownNameError:
        return None


def _known_class(value: Raw) -> str | None:
    """The class a row names; a word that is none is told, with the nearest."""
    named = folded(text_of(value))
    if not named:
        return None
    try:
        return named.upper() if named.upper() in CLASS_IDS else class_by_name(named).id
    except UnknownNameError as error:
        raise refusal(
            f"没有规则类别 `{named}` (no class is called so{error.hint}); 请用官方规则名称 (use an official name)"
        ) from error


def _filled_down(grid: Grid) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Cells of a column that are merged over several rows, each with the cell that holds their value."""
    for first, column, last, last_column in grid.merges:
        if column == last_column:
            yield from (((row, column), (first, column)) for row in range(first + 1, last + 1))


_UNITS: Mapping[str, Unit] = {
    "岁": "year",
    "周岁": "year",
    "年": "year",
    "月": "month",
    "个月": "month",
    "天": "day",
    "日": "day",
}


def _units_of_headings(header: Header, places: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """The unit each heading of an age names in brackets, 年龄上限（岁）: it is said of that column alone."""
    for key in ("age_low", "age_high", "age_text"):
        title = folded(header.titles[places[key]]) if key in places else ""
        found = re.search(r"[(](?:单位[::]?)?([^()]+)[)]", title)
        if found and found[1] in _UNITS:
            yield key, found[1]


def _twins(header: Header, places: Mapping[str, int]) -> Iterator[tuple[int, str]]:
    """Columns that are not read, of the same heading as one that is."""
    read = {header.titles[place] for place in places.values()}
    for place, title in enumerate(header.titles):
        base, mark, number = title.rpartition("#")
        if mark and number.isdecimal() and base in read and place not in places.values():
            yield place, title


def _wrong_forms(header: Header, places: Mapping[str, int], family: Family) -> Iterator[tuple[str, str]]:
    """Headings of ages that say the contrary of what a blank 限制方式 means: 适用年龄 in a class of bans."""
    for key in ("age_low", "age_high", "age_text"):
        title = folded(header.titles[places[key]]) if key in places else ""
        said, meant = age_form(title), family.defaults.get("form")
        if said is not None and meant is not None and (said == "not") is not (meant == "not"):
            yield (
                key,
                (
                    f"表头“{title}”与本类规则相反 (the heading says the contrary of this class)"
                    "; 请加“限制方式”列填 仅限 或 禁用 (add a column 限制方式 that says which)"
                ),
            )
