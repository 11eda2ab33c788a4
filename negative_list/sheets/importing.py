"""One import: files to grids, headers, maps, rows, drafts, the list, and the rows that come back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from negative_list.classes import classes
from negative_list.errors import ListError, Problem
from negative_list.rules import NamedSet, RuleList
from negative_list.sheets.agreement import agreeing
from negative_list.sheets.cells import folded, text_of
from negative_list.sheets.columns import columns
from negative_list.sheets.drafts import drafted
from negative_list.sheets.families import FAMILIES, Family
from negative_list.sheets.grid import Grid, read_grids
from negative_list.sheets.header import PROBLEM_HEADING, Header, find_header, heading
from negative_list.sheets.maps import ColumnMap, kept_map, known_headings, other_headers, proposed
from negative_list.sheets.merging import Mode, merged
from negative_list.sheets.rows import Bad, Table, read_table
from negative_list.sheets.sets import SETS, read_sets
from negative_list.sheets.writing import INSTRUCTIONS, Returned

__all__ = ["Found", "SheetImport", "Sheets", "Wanted", "find_tables", "guessed_family", "import_tables", "mapped"]

_FIRST_ROWS = 12


class Found(Struct, frozen=True, kw_only=True, eq=False):
    """A sheet with a header, and the map it is read by; ``None`` until one is confirmed."""

    grid: Grid
    header: Header
    column_map: ColumnMap | None = None


class SheetImport(Struct, frozen=True, kw_only=True, eq=False):
    """What an import comes to. ``returned`` are the rejected rows by file; ``notes`` what people should know."""

    rules: RuleList
    counts: Mapping[str, int]
    good: int
    returned: Mapping[str, tuple[Returned, ...]]
    notes: tuple[str, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem of every rejected row."""
        sheets = (one for listed in self.returned.values() for one in listed)
        return tuple(problem for one in sheets for bad in one.bad for problem in bad.problems)

    @property
    def rejected(self) -> int:
        """How many rows were rejected."""
        return sum(len(one.bad) for listed in self.returned.values() for one in listed)


# -- which sheets, which family, which columns


def guessed_family(grids: Iterable[Grid]) -> Family | None:
    """The one class that file names, sheet names and title rows speak of, if there is exactly one with a sheet."""
    text = "\n".join(_telling(grid) for grid in grids)
    named = {found.id for found in classes().values() if found.name in text}
    named |= set(re.findall(r"(?<![A-Za-z0-9])[RE]\d\d(?!\d)", text))
    told = [FAMILIES[class_id] for class_id in named if class_id in FAMILIES]
    return told[0] if len(told) == 1 else None


def _telling(grid: Grid) -> str:
    cells = (text_of(value) for row in grid.rows[:_FIRST_ROWS] for value in row)
    return "\n".join([Path(grid.file).stem, grid.sheet, *cells])


class Sheets(Struct, frozen=True, kw_only=True, eq=False):
    """The sheets of some files that hold a table, the named sets beside them, and what is to be told of the others."""

    found: tuple[Found, ...]
    sets: tuple[NamedSet, ...]
    notes: tuple[str, ...]


def find_tables(paths: Iterable[Path], family: Family, given: ColumnMap | None = None) -> Sheets:
    """The sheets of the files that hold a table of the family. The headings of a map that is given are known too.

    Raises:
        ListError: a file cannot be read, or holds no table.
    """
    found: list[Found] = []
    sets: list[NamedSet] = []
    notes: list[str] = []
    problems: list[Problem] = []
    for path in paths:
        grids = [grid for grid in read_grids(path) if grid.sheet != INSTRUCTIONS]
        sets.extend(read_sets(grids))
        own = list(_tables(grids, family, given))
        read = {id(one.grid) for one in own}
        unread = [grid for grid in grids if id(grid) not in read and grid.sheet != SETS]
        notes.extend(f"{grid.place}：没有识别到表头，未读 (no header, not read)" for grid in unread)
        notes.extend(f"{one.grid.place}：工作表是隐藏的，已读 (hidden, read)" for one in own if one.grid.hidden)
        if not own:
            problems.append(Problem(file=str(path), message=_no_table(family)))
        found.extend(own)
    if problems:
        raise ListError(problems)
    return Sheets(found=tuple(found), sets=tuple(sets), notes=tuple(notes))


def _tables(grids: Iterable[Grid], family: Family, given: ColumnMap | None) -> Iterator[Found]:
    known = known_headings(family) | ({heading(title) for title in given.columns} if given else set())
    for grid in grids:
        header = find_header(grid, known.__contains__) if grid.sheet != SETS else None
        if header is not None and _tells_items(header, family, given):
            yield Found(grid=grid, header=header)


def _tells_items(header: Header, family: Family, given: ColumnMap | None) -> bool:
    """Whether a header has a column for what the family's rules are about."""
    told = {*proposed(header, family, "").columns.values(), *(given.columns.values() if given else ())}
    return not family.needs or bool(told & set(family.needs[0]))


def _no_table(family: Family) -> str:
    heads = "、".join(columns()[needed[0]].zh for needed in family.needs)
    return f"找不到表头 (no header found); 至少需要 {heads} 等列，可用 template 生成模板 (make a template)"


def mapped(
    found: Iterable[Found], family: Family, issuer: str, folder: Path, given: ColumnMap | None
) -> tuple[tuple[Found, ...], tuple[tuple[Found, ColumnMap, bool], ...]]:
    """Sheets with their maps; and those nobody has confirmed, with the map proposed and whether the header changed.

    A map comes from the command line, from the folder of confirmed maps, or from a header that is a template's own.
    """
    sure: list[Found] = []
    open_: list[tuple[Found, ColumnMap, bool]] = []
    for one in found:
        confirmed = _confirmed(one.header, family, issuer, folder, given)
        if confirmed is not None:
            sure.append(replace(one, column_map=confirmed))
        else:
            changed = given is not None or bool(other_headers(folder, family, issuer))
            open_.append((one, proposed(one.header, family, issuer), changed))
    return tuple(sure), tuple(open_)


def _confirmed(header: Header, family: Family, issuer: str, folder: Path, given: ColumnMap | None) -> ColumnMap | None:
    if given is not None:
        return given if given.fits(header) or _covers(given, header) else None
    guess = proposed(header, family, issuer)
    own = {heading(columns()[key].zh): key for key in family.columns}
    of_template = all(own.get(title) == guess.columns.get(name) for title, name in _titles(header))
    return guess if of_template else kept_map(folder, header, family, issuer)


def _titles(header: Header) -> Iterator[tuple[str, str]]:
    named = ((heading(title), title) for title in header.titles if title)
    return ((compared, title) for compared, title in named if compared != PROBLEM_HEADING)


def _covers(given: ColumnMap, header: Header) -> bool:
    """Whether a map written without a header of its own names headings this sheet has."""
    wanted = {heading(title) for title in given.columns}
    return tuple(map(heading, given.header)) == tuple(map(heading, given.columns)) and wanted <= set(header.signature)


# -- reading and merging


class Wanted(Struct, frozen=True, kw_only=True):
    """How sheets are to be taken.

    ``mode``: ``None`` is by the column 操作 where the sheets have it, else as additions. ``on``: the day they hold
    from. ``document``: the basis of rows that name none. ``skip_hidden``: rows the sheet hides are left out.
    """

    mode: Mode | None = None
    on: date | None = None
    document: str = ""
    skip_hidden: bool = False


def import_tables(found: Sequence[Found], family: Family, existing: RuleList, wanted: Wanted) -> SheetImport:
    """Read sheets of one family whose columns are known into a list."""
    tables = [read_table(one.grid, one.header, _places(one), family, skip_hidden=wanted.skip_hidden) for one in found]
    rows = [row for table in tables for row in table.rows]
    if wanted.document:
        rows = [replace(row, values={"document": wanted.document, **row.values}) for row in rows]
    joined, apart = drafted(rows, family)
    drafts, against = agreeing(joined, family)
    contradicting = (*apart, *against)
    rejected = [*(bad for table in tables for bad in table.bad), *contradicting]
    by_column = any("operation" in _places(one) for one in found)
    mode = wanted.mode or ("action" if by_column else "add")
    done = merged(existing, drafts, rejected, family, mode, wanted.on)
    bad = _by_row((*rejected, *done.bad))
    return SheetImport(
        rules=done.rules,
        counts=done.counts,
        good=len(rows) - len({(id(b.grid), b.row) for b in (*contradicting, *done.bad)}),
        returned=dict(_returned(found, bad)),
        notes=tuple(_notes(tables, found)),
    )


def _places(one: Found) -> dict[str, int]:
    return one.column_map.places(one.header) if one.column_map is not None else {}


def _by_row(rejected: Iterable[Bad]) -> list[Bad]:
    """Every rejected row once, with all its problems, in the order of the sheets."""
    found: dict[tuple[int, int], Bad] = {}
    for bad in rejected:
        key = (id(bad.grid), bad.row)
        known = found.get(key)
        found[key] = bad if known is None else replace(known, problems=(*known.problems, *bad.problems))
    return sorted(found.values(), key=lambda bad: (bad.grid.place, bad.row))


def _returned(found: Iterable[Found], rejected: Sequence[Bad]) -> Iterator[tuple[str, tuple[Returned, ...]]]:
    by_file: dict[str, list[Returned]] = {}
    for one in found:
        own = tuple(bad for bad in rejected if bad.grid is one.grid)
        if own:
            by_file.setdefault(one.grid.file, []).append(Returned(grid=one.grid, header=one.header, bad=own))
    yield from ((file, tuple(listed)) for file, listed in by_file.items())


_WHY: Mapping[str, str] = {
    "header": "重复的表头 (repeated header)",
    "section": "分段标题 (section heading)",
    "note": "注释 (note)",
    "example": "示例 (example)",
    "class": "其他规则类别 (of another class)",
    "hidden": "隐藏行，未读 (hidden, not read)",
}


def _notes(tables: Sequence[Table], found: Sequence[Found]) -> Iterator[str]:
    for table, one in zip(tables, found, strict=True):
        for why, said in _WHY.items():
            rows = [passed.row for passed in table.passed if passed.why == why]
            if rows:
                yield f"{one.grid.place}：{said}：第 {_listed(rows)} 行"
        by_name = [row.row + 1 for row in table.rows if row.values.get("name") and not _ITEMS & row.values.keys()]
        if by_name and "codes" in _places(one):
            yield f"{one.grid.place}：没有编码，按名称识别 (no code, known by name)：第 {_listed(by_name)} 行"
        if table.hidden:
            yield f"{one.grid.place}：隐藏行已读 (hidden rows, read)：第 {_listed(table.hidden)} 行"
        hidden = [one.header.titles[place] for place in _places(one).values() if place in one.grid.hidden_columns]
        if hidden:
            yield f"{one.grid.place}：隐藏列已读 (hidden columns, read)：{'、'.join(map(folded, hidden))}"


_ITEMS = {"codes", "names", "prefixes", "types", "sets"}
_MOST = 12


def _listed(rows: Sequence[int]) -> str:
    return "、".join(map(str, rows[:_MOST])) + (f" 等 {len(rows)} " if len(rows) > _MOST else "")
