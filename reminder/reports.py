"""Reports from what the store knows: the wards' lists and an institution's indicators, as rows and as text.

A row is a mapping from column to value, in the order of the columns; every report has Chinese headings, and English
ones by switch. JSON keeps the names of the columns.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from negative_list.indicators import FACTS, READMITTED_DAYS, Indicator, indicators_of
from negative_list.readers.stored import StoreFact

if TYPE_CHECKING:
    from datetime import tzinfo

    from reminder.stores.base import OpenFinding, Store

__all__ = ["FORMATS", "Format", "facts_of", "indicator_rows", "indicators", "ward_rows", "written"]

Row: TypeAlias = Mapping[str, Any]
Format: TypeAlias = Literal["table", "csv", "json"]
FORMATS: tuple[Format, ...] = ("table", "csv", "json")
"""How a report may be written: for the eye, for a spreadsheet (UTF-8 with mark), for programs."""

SOURCE = "reports from history"
"""The source of an indicator that is kept as a fact."""

KEPT_DAYS = 62
"""Days an indicator holds as a fact: until two months later, by when the next month's is worked out."""

_HEADINGS: Mapping[str, tuple[str, str]] = {
    "institution_id": ("医疗机构", "institution"),
    "ward": ("病区", "ward"),
    "department": ("科室", "department"),
    "bed": ("床位", "bed"),
    "admitted_on": ("入院日期", "admitted on"),
    "starts_on": ("不再支付起始日", "not paid from"),
    "action": ("动作", "action"),
    "item": ("项目", "item"),
    "line_id": ("医嘱", "order"),
    "ordered_at": ("医嘱开始", "order begins"),
    "class_id": ("规则类", "class"),
    "rule_id": ("规则", "rule"),
    "message": ("说明", "message"),
    "amount_yuan": ("涉及金额(元)", "amount (yuan)"),
    "found_at": ("发现时间", "found at"),
    "closed_at": ("消除时间", "closed at"),
    "name": ("名称", "name"),
    "percent": ("百分比", "percent"),
    "part": ("分子", "part"),
    "whole": ("分母", "whole"),
    "unit": ("单位", "unit"),
    "uncounted": ("未能计入", "not counted"),
}
_PLACES = ("ward", "department", "bed")
_NO_INSTITUTION = ("（未报医疗机构）", "(no institution told)")
_NOWHERE = ("（未报病区、科室、床位）", "(no ward, department or bed told)")
_JSON = msgspec.json.Encoder(decimal_format="number")
_ACTIONS = {"block": "拦截", "warn": "警告", "remind": "提醒"}


def ward_rows(findings: Iterable[OpenFinding], zone: tzinfo) -> Iterator[Row]:
    """The wards' lists, one row for each order found; times as civil times of the site."""
    for one in findings:
        yield {
            "institution_id": one.institution_id,
            "ward": one.ward,
            "department": one.department,
            "bed": one.bed,
            "admitted_on": one.admitted_on,
            "starts_on": one.starts_on,
            "action": one.action,
            "item": one.item,
            "line_id": one.line_id,
            "ordered_at": one.ordered_at,
            "class_id": one.class_id,
            "rule_id": one.rule_id,
            "message": one.message,
            "amount_yuan": None if one.amount_fen is None else Decimal(one.amount_fen) / 100,
            "found_at": _civil(one.found_at, zone),
            "closed_at": _civil(one.closed_at, zone),
        }


def indicators(store: Store, begin: datetime, end: datetime, now: datetime) -> list[Indicator]:
    """The indicators of every institution over [begin, end); ``now`` is civil time, up to when admissions are known."""
    visits = store.saved_encounters(begin, end + timedelta(days=READMITTED_DAYS + 1))
    return indicators_of(visits, begin, end, now)


def indicator_rows(found: Iterable[Indicator]) -> Iterator[Row]:
    """One row for each indicator of each institution; of what was saved without one, only where there is a figure."""
    for one in found:
        if one.institution_id or one.whole or one.uncounted:
            yield {name: getattr(one, name) for name in Indicator.__struct_fields__ if name in _HEADINGS}


def facts_of(found: Iterable[Indicator], end: datetime) -> list[StoreFact]:
    """Indicators as facts of their institutions, from the end of the period on; what has no figure is left out."""
    return [
        StoreFact(
            subject=one.institution_id,
            fact=FACTS[one.class_id],
            value=one.percent,
            valid_from=end,
            expires=end + timedelta(days=KEPT_DAYS),
            source=SOURCE,
        )
        for one in found
        if one.percent is not None and one.institution_id
    ]


def written(rows: Sequence[Row], as_format: Format, *, english: bool = False) -> bytes:
    """A report as bytes: a table in UTF-8, CSV in UTF-8 with a byte order mark (for spreadsheets), or JSON."""
    if as_format == "json":
        return _JSON.encode(rows) + b"\n"
    placed = [_placed(row, english=english) for row in rows]
    texts = [[_text(column, value, english=english) for column, value in cells] for cells in placed]
    headings = [_HEADINGS[column][english] for column in rows[0]] if rows else []
    if as_format == "csv":
        return _csv([headings, *texts]) if rows else b""
    return _table([headings, *texts]).encode() if rows else ("(nothing)\n" if english else "（无）\n").encode()


def _placed(row: Row, *, english: bool) -> Iterable[tuple[str, Any]]:
    """The cells of a row; one of no institution, or of a stay without ward, department and bed, says so."""
    told = dict(row)
    if not told.get("institution_id", "-"):
        told["institution_id"] = _NO_INSTITUTION[english]
    if "ward" in row and not any(row[name] for name in _PLACES):
        told["ward"] = _NOWHERE[english]
    return told.items()


def _text(column: str, value: object, *, english: bool) -> str:
    if value is None:
        return ""
    return _ACTIONS.get(str(value), str(value)) if column == "action" and not english else str(value)


def _civil(moment: datetime | None, zone: tzinfo) -> str:
    if moment is None:
        return ""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return f"{aware.astimezone(zone):%Y-%m-%d %H:%M}"


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([_harmless(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _harmless(cell: str) -> str:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@"} else cell


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Columns under their headings; a Chinese character is two columns wide."""
    flat = [[" ".join(cell.split()) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*flat, strict=True)]
    padded = (
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in flat
    )
    return "".join(f"{line}\n" for line in padded)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
