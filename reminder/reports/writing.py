"""A report written as what is asked for."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

from negative_list.errors import ListError, Problem
from reminder.reports.texts import write_csv, write_json, write_table

if TYPE_CHECKING:
    from reminder.reports.table import Report

__all__ = ["FORMATS", "Format", "check_format", "write", "write_file", "written"]

Format: TypeAlias = Literal["table", "csv", "xlsx", "html", "json"]
FORMATS: tuple[Format, ...] = ("table", "csv", "xlsx", "html", "json")
"""How a report may be written: for the eye, for a spreadsheet (UTF-8 with mark), as a workbook, as a page, for
programs."""


def write(report: Report, as_format: Format, out: BinaryIO, *, english: bool = False) -> None:
    """Write a report, row by row where the format lets one."""
    _WRITERS[as_format](report, out, english=english)


def check_format(as_format: str, path: Path | None = None) -> None:
    """Refuse what cannot be written here, before anything is read.

    Raises:
        ListError: workbooks need the extra ``sheets``.
    """
    if as_format == "xlsx":
        from negative_list.sheets.grid import require  # noqa: PLC0415

        require("openpyxl", path or Path("xlsx"))


def write_file(report: Report, as_format: Format, path: Path, *, english: bool = False) -> None:
    """Write a report beside its place and move it there, so that nobody ever reads half of it.

    Raises:
        ListError: it cannot be written.
    """
    beside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as out:
            write(report, as_format, out, english=english)
        beside.replace(path)
    except OSError as error:
        why = error.strerror or str(error)
        message = f"无法写入 (cannot be written: {why}); 请检查文件夹和权限 (check the folder and its rights)"
        raise ListError([Problem(file=str(path), message=message)]) from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)


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
    check_format("xlsx")
    from reminder.reports.sheets import write_xlsx  # noqa: PLC0415

    write_xlsx(report, out, english=english)


_WRITERS: Mapping[Format, Callable[..., None]] = {
    "table": write_table,
    "csv": write_csv,
    "xlsx": _xlsx,
    "html": _html,
    "json": write_json,
}
