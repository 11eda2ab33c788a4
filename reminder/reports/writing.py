"""A report written as what is asked for."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

from reminder.reports.texts import write_csv, write_json, write_table

if TYPE_CHECKING:
    from reminder.reports.table import Report

__all__ = ["FORMATS", "Format", "write", "written"]

Format: TypeAlias = Literal["table", "csv", "xlsx", "html", "json"]
FORMATS: tuple[Format, ...] = ("table", "csv", "xlsx", "html", "json")
"""How a report may be written: for the eye, for a spreadsheet (UTF-8 with mark), as a workbook, as a page, for
programs."""


def write(report: Report, as_format: Format, out: BinaryIO, *, english: bool = False) -> None:
    """Write a report, row by row where the format lets one."""
    _WRITERS[as_format](report, out, english=english)


def written(report: Report, as_format: Format, *, english: bool = False) -> bytes:
    """A report as bytes."""
    out = io.BytesIO()
    write(report, as_format, out, english=english)
    return out.getvalue()


# What makes pages and workbooks is loaded where one is wanted.
def _html(report: Report, out: BinaryIO, *, english: bool) -> None:
    from reminder.reports.page import write_html  # noqa: PLC0415

    write_html(report, out, english=english)


def _xlsx(report: Report, out: BinaryIO, *, english: bool) -> None:
    from reminder.reports.sheets import write_xlsx  # noqa: PLC0415

    write_xlsx(report, out, english=english)


_WRITERS: Mapping[Format, Callable[..., None]] = {
    "table": write_table,
    "csv": write_csv,
    "xlsx": _xlsx,
    "html": _html,
    "json": write_json,
}
