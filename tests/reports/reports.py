"""Reports of the tests, and what each format says of them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from openpyxl import load_workbook

from reminder.reports.cells import shown
from reminder.reports.table import Bar, Column, Line, Pareto, Report, Said, Stack
from reminder.reports.writing import written

__all__ = ["COLUMNS", "ROWS", "TOTALS", "from_csv", "from_json", "from_xlsx", "report", "texts"]

COLUMNS = (
    Column(name="rule_id", zh="规则", en="rule"),
    Column(
        name="shown", zh="提醒数", en="reminders", kind="count", means_zh="显示过的提醒", means_en="reminders shown"
    ),
    Column(name="warned", zh="预警金额(元)", en="warned (yuan)", kind="yuan"),
    Column(name="rate", zh="执行率", en="rate", kind="percent"),
    Column(name="per_100", zh="每百方打断", en="per 100", kind="number"),
    Column(name="first_at", zh="首次", en="first", kind="time"),
    Column(name="day", zh="日期", en="day", kind="day"),
    Column(name="exited", zh="紧急放行", en="exited", kind="flag"),
    Column(name="action", zh="动作", en="action", words="action"),
)
"""A column of each kind."""

ROWS: tuple[tuple[Any, ...], ...] = (
    ("R1", 1234, 123456, Fraction(1, 3), 12.345, datetime(2026, 1, 2, 3, 4, 5), "2026-01-02", True, "block"),
    ("R2", 0, None, None, None, None, "", False, "warn"),
)
"""A full row, and one of which nearly nothing is known."""

TOTALS = ("", 1234, 123456, Fraction(1, 3), None, None, "", None, "")
"""Their total."""


def report(rows: Sequence[Sequence[Any]] = ROWS, **changed: Any) -> Report:
    """A report with a row of totals, something said above and below, and charts."""
    told: dict[str, Any] = {
        "title": "ward",
        "columns": COLUMNS,
        "rows": iter(rows),
        "totals": lambda: TOTALS,
        "head": (Said(name="about", value={"from": "2026-01-01"}, zh="一月", en="January"),),
        "foot": lambda: (Said(name="not_counted", value=3, zh="3 条", en="3 entries"),),
        "charts": (
            Stack(title="ward", words="action", parts=("block", "warn"), bars=(Bar(label="<R1>", parts=(3, 1)),)),
            Line(title="ward", points=(("2026-01-01", Fraction(1, 2)), ("2026-01-02", None))),
            Pareto(title="ward", whole=4, bars=(("R1", 3),), left_out=1),
        ),
    }
    return Report(**told | changed)


def texts(row: Sequence[Any], *, english: bool = False) -> list[str]:
    """The cells of a row as people read them."""
    return [shown(column, value, english=english) for column, value in zip(COLUMNS, row, strict=True)]


def from_csv(made: Report) -> list[list[str]]:
    """The rows of the CSV, header first, up to the empty line."""
    rows = list(csv.reader(io.StringIO(written(made, "csv").decode("utf-8-sig"))))
    return rows[: rows.index([])]


def from_json(made: Report) -> Any:
    """The object of the JSON."""
    return json.loads(written(made, "json"))


def from_xlsx(made: Report, *, english: bool = False) -> Any:
    """The workbook."""
    return load_workbook(io.BytesIO(written(made, "xlsx", english=english)))
