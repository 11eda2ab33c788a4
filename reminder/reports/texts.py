"""Reports as text: a table for the eye, CSV for spreadsheets, JSON for programs. Every row is written as it comes."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from reminder.reports.cells import plain, shown, tidy
from reminder.reports.words import heading, said, title

if TYPE_CHECKING:
    from reminder.reports.table import Column, Report, Row, Said

__all__ = ["harmless", "write_csv", "write_json", "write_table"]

_ENCODER = msgspec.json.Encoder(decimal_format="number")
# Both widths: Chinese versions of spreadsheets take the wide ones for formulas too.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_TOTAL = "total"


def write_table(report: Report, out: BinaryIO, *, english: bool) -> None:
    """Columns under their headings; a Chinese character is two columns wide. A wide report in parts, one below another.

    All rows are held, because the widest cell decides how wide a column is.
    """
    rows = list(_lines(report, english=english, grouped=True))
    foot = report.foot()
    if not report.bare:
        out.write(f"{title(report.title)[english]}\n".encode())
        out.write("".join(f"{line}\n" for line in _said(report.head, english=english)).encode())
    headings = [heading(column, english=english) for column in report.columns]
    for name, places in report.panels():
        if not rows:
            out.write(("" if report.bare else "\n").encode() + f"{said('nothing')[english]}\n".encode())
            break
        label = "" if report.bare else f"\n{title(name)[english]}\n" if name else "\n"
        aligned = [report.columns[place].kind not in _LEFT for place in places]
        picked = [[row[place] for place in places] for row in [headings, *rows]]
        out.write(label.encode() + _aligned(picked, aligned).encode())
    if foot and not report.bare:
        out.write(("\n" + "".join(f"{line}\n" for line in _said(foot, english=english))).encode())


_LEFT = frozenset({"text", "day", "time", "flag"})


def _lines(report: Report, *, english: bool, grouped: bool = False) -> Iterator[list[str]]:
    """The rows as texts, that of the totals last."""
    for row in report.rows:
        yield _texts(report.columns, row, english=english, grouped=grouped)
    if totals := report.totals():
        cells = _texts(report.columns, totals, english=english, grouped=grouped)
        yield [cells[0] or said(_TOTAL)[english], *cells[1:]]


def _texts(columns: Sequence[Column], row: Row, *, english: bool, grouped: bool) -> list[str]:
    return [shown(column, value, english=english, grouped=grouped) for column, value in zip(columns, row, strict=True)]


def _said(parts: Iterable[Said], *, english: bool) -> Iterator[str]:
    for one in parts:
        yield f"{said(one.name)[english]}: {one.en}" if english else f"{said(one.name)[english]}：{one.zh}"


def _aligned(rows: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    flat = [[tidy(" ".join(cell.split())) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*flat, strict=True)]
    return "".join(f"{'  '.join(map(_padded, row, widths, right)).rstrip()}\n" for row in flat)


def _padded(cell: str, width: int, right: bool) -> str:
    blanks = " " * (width - _width(cell))
    return blanks + cell if right else cell + blanks


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def write_csv(report: Report, out: BinaryIO, *, english: bool) -> None:
    """UTF-8 with a byte order mark, so that spreadsheets know it; what was counted stands below an empty line."""
    text = io.TextIOWrapper(out, "utf-8-sig", errors="replace", newline="")
    writer = csv.writer(text)
    is_text = [column.kind in _LEFT for column in report.columns]
    rows = _lines(report, english=english)
    first = next(rows, None)
    if first is not None or not report.bare:
        writer.writerow([heading(column, english=english) for column in report.columns])
    writer.writerows(map(_cell, row, is_text) for row in chain(() if first is None else (first,), rows))
    if not report.bare:
        writer.writerow([])
        for one in (*report.head, *report.foot()):
            writer.writerow([said(one.name)[english], harmless(tidy(one.en if english else one.zh))])
    text.detach()


def _cell(cell: str, is_text: bool) -> str:
    return harmless(tidy(cell)) if is_text else cell


def harmless(cell: str) -> str:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def write_json(report: Report, out: BinaryIO, *, english: bool) -> None:
    """One object, each row on its own line; ``bare``: a list. Codes stay codes, and so do names of columns."""
    out.write(b"[" if report.bare else _opening(report, english=english))
    between = b"\n"
    for row in report.rows:
        out.write(between + _object(report.columns, row))
        between = b",\n"
    out.write(b"\n]\n" if report.bare else b"\n]" + _closing(report))


def _opening(report: Report, *, english: bool) -> bytes:
    columns = [{"name": c.name, "kind": c.kind, "heading": heading(c, english=english)} for c in report.columns]
    head = {one.name: one.value for one in report.head}
    told = {"report": report.title, "title": title(report.title)[english], "about": head, "columns": columns}
    return _ENCODER.encode(told)[:-1] + b',"rows":['


def _closing(report: Report) -> bytes:
    totals = report.totals()
    rest = {
        "totals": msgspec.Raw(_object(report.columns, totals)) if totals else None,
        "not_counted": {one.name: one.value for one in report.foot()},
    }
    return b"," + _ENCODER.encode(rest)[1:] + b"\n"


def _object(columns: Sequence[Column], row: Row) -> bytes:
    return _ENCODER.encode({column.name: plain(column, value) for column, value in zip(columns, row, strict=True)})
