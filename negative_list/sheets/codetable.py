"""The local code table as a sheet: which of the hospital's codes stands for which national code, readable either way.

Columns are known by their headings, in any order. Where both headings only say "code", the column all of whose codes
have the structure of national codes is the national one; where that tells nothing the sheet is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from negative_list.codes import icd9_codes, icd10_codes, normal, usable_item
from negative_list.errors import ListError, Problem
from negative_list.sheets.cells import CellError, code_list, day_of, folded, refusal, text_of
from negative_list.sheets.grid import Grid, read_grids
from negative_list.sheets.header import Header, find_header, spellings

__all__ = ["CodeKind", "CodeRow", "CodeSheet", "read_code_sheet"]

CodeKind: TypeAlias = Literal["item", "diagnosis", "operation"]
"""What a row is about."""


class CodeRow(Struct, frozen=True, kw_only=True, order=True):
    """A local code, the national code it stands for ("" for none), their names, and the days it does."""

    kind: CodeKind = "item"
    local: str
    national: str
    local_name: str = ""
    national_name: str = ""
    valid_from: date | None = None
    valid_to: date | None = None


class CodeSheet(Struct, frozen=True, kw_only=True):
    """A code table: its rows in order, what is wrong with others, and what people should know."""

    rows: tuple[CodeRow, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()


_HEADINGS: Mapping[str, tuple[str, ...]] = {
    # column: headings that mean it; national interface, transaction 3301: fixmedins_hilist_id, hilist_code, begndate...
    "local": (
        "医院编码", "医院代码", "院内编码", "院内代码", "本院编码", "医院目录编码", "医院目录代码", "机构编码",
        "机构目录编码", "HIS编码", "HIS代码", "本地编码", "院内项目编码", "医院项目编码", "自编码", "LOCAL",
        "FIXMEDINS_HILIST_ID", "HOSPLIST_CODE",
    ),
    "national": (
        "国家编码", "国家代码", "医保编码", "医保代码", "国家医保编码", "国家医保代码", "医保目录编码", "医保目录代码",
        "国家目录编码", "贯标编码", "国标编码", "国家项目编码", "NATIONAL", "HILIST_CODE", "MED_LIST_CODG",
    ),
    "local_name": (
        "医院名称", "院内名称", "本院名称", "医院目录名称", "HIS名称", "本地名称", "院内项目名称", "HOSPLIST_NAME",
    ),
    "national_name": ("国家名称", "医保名称", "医保目录名称", "国家医保名称", "国家目录名称", "HILIST_NAME"),
    "valid_from": ("生效", "生效日期", "生效时间", "开始日期", "启用日期", "VALID_FROM", "BEGNDATE"),
    "valid_to": ("失效", "失效日期", "失效时间", "结束日期", "停用日期", "终止日期", "VALID_TO", "ENDDATE"),
    "kind": ("类别", "目录类别", "编码类别", "类型", "KIND"),
}  # fmt: skip
_ANY_CODE = ("编码", "代码", "对照编码", "对应编码", "源编码", "目标编码", "原编码", "新编码", "匹配编码")
_BY_HEADING = {name: key for key, names in _HEADINGS.items() for name in names}
_KINDS: Mapping[str, CodeKind] = {
    "": "item", "item": "item", "项目": "item", "药品": "item", "诊疗": "item", "诊疗项目": "item",
    "耗材": "item", "服务项目": "item", "西药": "item", "中成药": "item", "中药饮片": "item",
    "医用耗材": "item", "医疗服务项目": "item",
    "diagnosis": "diagnosis", "诊断": "diagnosis", "疾病": "diagnosis", "疾病诊断": "diagnosis",
    "operation": "operation", "手术": "operation", "手术操作": "operation",
}  # fmt: skip
_CHECKS: Mapping[CodeKind, Callable[[str], object]] = {
    "item": usable_item,
    "diagnosis": icd10_codes,
    "operation": icd9_codes,
}
_NO_CODE = ("", "-", "--", "/", "无", "未对照", "未匹配", "暂无", "待对照")


def read_code_sheet(path: Path) -> CodeSheet:
    """Read every worksheet of a code table that has a header.

    Raises:
        ListError: the file cannot be read, or no sheet of it says which column is which.
    """
    parts = [_read(grid, header) for grid in read_grids(path) if (header := find_header(grid, _known)) is not None]
    if not parts:
        message = "找不到医院编码与国家编码两列 (no columns of local and national codes); 请核对表头 (check the header)"
        raise ListError([Problem(file=str(path), message=message)])
    return CodeSheet(
        rows=tuple(row for part in parts for row in part.rows),
        problems=tuple(sorted(problem for part in parts for problem in part.problems)),
        notes=tuple(note for part in parts for note in part.notes),
    )


def _known(name: str) -> bool:
    return name in _BY_HEADING or name in _ANY_CODE


def _read(grid: Grid, header: Header) -> CodeSheet:
    places = _places(grid, header)
    if not {"local", "national"} <= places.keys():
        message = "分不清哪列是医院编码、哪列是国家编码 (which column is local); 请改表头 (write 医院编码 and 国家编码)"
        raise ListError([grid.problem(message, header.last)])
    rows: list[CodeRow] = []
    problems: list[Problem] = []
    numbers: list[int] = []
    for number in range(header.last + 1, len(grid.rows)):
        if lost := grid.swallowed(number, len(header.titles)):
            problems.append(lost)
            continue
        if sum(value is not None for value in grid.rows[number]) <= 1:
            continue
        try:
            rows.extend(_code_rows(grid, number, places))
        except CellError as error:
            place = places[error.column]
            problems.append(grid.problem(str(error), number, place, header.titles[place]))
            continue
        if isinstance(grid.at(number, places["local"]), (int, float)):
            numbers.append(number + 1)
    return CodeSheet(rows=tuple(rows), problems=tuple(problems), notes=tuple(_numbers(grid, numbers)))


def _numbers(grid: Grid, rows: list[int]) -> Iterator[str]:
    if rows:
        shown = "、".join(map(str, rows[:10]))
        told = f"{len(rows)} 个医院编码是数字，前导零（如有）已丢失 (local codes are numbers)"
        yield f"{grid.place}：{told}：第 {shown} 行"


def _places(grid: Grid, header: Header) -> dict[str, int]:
    found: dict[str, int] = {}
    unsure: list[int] = []
    for place, title in enumerate(header.titles):
        told = list(spellings(re.sub(r"#\d+$", "", title)))
        key = next((_BY_HEADING[name] for name in told if name in _BY_HEADING), None)
        if key is not None:
            found.setdefault(key, place)
        elif any(name in _ANY_CODE for name in told):
            unsure.append(place)
    return found | _by_structure(grid, header, unsure, found)


def _by_structure(grid: Grid, header: Header, unsure: list[int], found: Mapping[str, int]) -> dict[str, int]:
    """Columns whose heading only says code, told apart by their codes; a single one is the side that is missing."""
    missing = [side for side in ("local", "national") if side not in found]
    if len(missing) == 1 and len(unsure) == 1:
        return {missing[0]: unsure[0]}
    national = [place for place in unsure if _all_national(grid, header, place)]
    local = [place for place in unsure if place not in national]
    if found.keys() & {"local", "national"} or len(national) != 1 or len(local) != 1:
        return {}
    return {"national": national[0], "local": local[0]}


def _all_national(grid: Grid, header: Header, place: int) -> bool:
    told = [text_of(grid.at(row, place)) for row in range(header.last + 1, len(grid.rows))]
    codes = [text for text in told if folded(text) not in _NO_CODE]
    return bool(codes) and all(usable_item(folded(code)) for code in codes)


def _code_rows(grid: Grid, row: int, places: Mapping[str, int]) -> Iterator[CodeRow]:
    def cell(key: str) -> str:
        return text_of(grid.at(row, places[key])) if key in places else ""

    kind = _KINDS.get(folded(cell("kind")))
    if kind is None:
        message = f"`{cell('kind')}` 不是编码类别 (no kind of code); 请写 项目、诊断 或 手术 (write one of them)"
        raise refusal(message, "kind")
    local = normal(folded(cell("local")))
    if not local:
        raise refusal("没有医院编码 (no local code); 请填写 (fill it in)", "local")
    begins, ends = (_day(grid, row, places, key) for key in ("valid_from", "valid_to"))
    if begins and ends and ends < begins:
        message = f"失效日期 `{ends}` 早于生效日期 `{begins}` (ends before it begins); 请核对 (check both)"
        raise refusal(message, "valid_to")
    for national in _national(grid, row, places["national"], kind) or ("",):
        yield CodeRow(
            kind=kind,
            local=local,
            national=national,
            local_name=cell("local_name"),
            national_name=cell("national_name"),
            valid_from=begins,
            valid_to=ends,
        )


def _national(grid: Grid, row: int, place: int, kind: CodeKind) -> tuple[str, ...]:
    value = grid.at(row, place)
    if folded(text_of(value)) in _NO_CODE:
        return ()
    try:
        codes = code_list(value, grid.formats.get((row, place), ""))
    except CellError as error:
        raise refusal(str(error), "national") from error
    for code in codes:
        if not _CHECKS[kind](code):
            message = f"`{code}` 不符合国家编码的结构 (no structure of a national code); 请核对 (check it)"
            raise refusal(message, "national")
    return codes


def _day(grid: Grid, row: int, places: Mapping[str, int], key: str) -> date | None:
    if key not in places:
        return None
    try:
        return day_of(grid.at(row, places[key]), epoch_1904=grid.epoch_1904)
    except CellError as error:
        raise refusal(str(error), key) from error
