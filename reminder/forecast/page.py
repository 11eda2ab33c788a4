"""What an office reads: conclusions first, then tables; as text, as a page, as a sheet, or as data.

Made once in the language that is wanted; the writers know nothing of forecasts. A page holds no script and asks for
nothing from the network.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

from reminder.reports import page as reports_page
from reminder.reports.cells import shown
from reminder.reports.table import Column, Report
from reminder.reports.texts import write_csv, write_table
from reminder.reports.words import heading

__all__ = ["FORMATS", "Figure", "Page", "Table", "written"]

_CSS = Path(reports_page.__file__).with_name("page.css")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_OWN_CSS = """
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: 0.75rem; margin: 1rem 0; }
.figures > div { border: 1px solid var(--rule); border-left: 0.3rem solid var(--head); padding: 0.5rem 0.75rem; }
.figures .name { color: var(--soft); font-size: 0.8125rem; }
.figures .value { font-size: 1.5rem; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; }
.figures .note { font-size: 0.8125rem; }
.points { margin: 0.5rem 0; padding-left: 1.25rem; }
.points li { margin: 0.2rem 0; }
.warn { border-left: 0.3rem solid #cf4a3c; padding-left: 0.75rem; font-weight: 600; }
.sub { color: var(--soft); margin: 0 0 0.5rem; }
td.t { white-space: pre-line; }
td.x { white-space: pre; font: 0.75rem/1.6 ui-monospace, monospace; }
"""


class Figure(Struct, frozen=True, kw_only=True):
    """A number to be seen at first sight: what it is, itself, and what to think of it."""

    name: str
    value: str
    note: str = ""


class Table(Struct, frozen=True, kw_only=True):
    """A table under its title; ``left_out`` rows are not on a page (a sheet has all)."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    left_out: int = 0


class Page(Struct, frozen=True, kw_only=True):
    """What is told. ``warnings`` stand out, ``figures`` and ``points`` are the conclusions.

    ``sheet``: the table a spreadsheet gets, with every row; ``data``: what a program gets.
    """

    title: str
    about: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    points: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    sheet: Table
    data: Any = None


def written(page: Page, as_format: str, *, english: bool = False) -> bytes:
    """A page as bytes.

    Args:
        page: what is told.
        as_format: one of :data:`FORMATS`.
        english: the headings of columns in English; the texts are in the language the page was made in.

    Raises:
        ListError: workbooks need the extra ``sheets``.
    """
    out = io.BytesIO()
    _WRITERS[as_format](page, out, english)
    return out.getvalue()


def _text(page: Page, out: BinaryIO, english: bool) -> None:
    lines = [page.title, *page.about, "", *(f"!! {text}" for text in page.warnings)]
    lines += [_figure_line(figure, english=english) for figure in page.figures]
    lines += [f"- {text}" for text in page.points]
    out.write("".join(f"{line}\n" for line in lines).encode())
    for table in page.tables:
        out.write(f"\n{table.title}\n".encode())
        write_table(_report(_without(table, _WIDE)), out, english=english)
        out.write("".join(f"  {text}\n" for text in _wide_cells(table)).encode())
        out.write("".join(f"{text}\n" for text in _left_out(table, english=english)).encode())


def _figure_line(figure: Figure, *, english: bool) -> str:
    between, note = (": ", f" ({figure.note})") if english else ("：", f"（{figure.note}）")
    return f"* {figure.name}{between}{figure.value}{note if figure.note else ''}"


_WIDE = "examples"
"""A column too wide for a table of text: its cells stand below it, each after the row's first cells."""


def _without(table: Table, name: str) -> Table:
    places = [place for place, column in enumerate(table.columns) if column.name != name]
    return msgspec.structs.replace(
        table,
        columns=tuple(table.columns[place] for place in places),
        rows=tuple(tuple(row[place] for place in places) for row in table.rows),
    )


def _wide_cells(table: Table) -> Iterator[str]:
    place = next((place for place, column in enumerate(table.columns) if column.name == _WIDE), None)
    if place is None:
        return
    for row in table.rows:
        if row[place]:
            yield f"{' '.join(dict.fromkeys(map(str, row[:2])))}: {' '.join(str(row[place]).split())}"


def _left_out(table: Table, *, english: bool) -> Iterator[str]:
    if table.left_out:
        zh = f"另有 {table.left_out:,} 行未列出，完整数据请用 --format xlsx 或 csv 导出"
        yield f"{table.left_out:,} more rows are not listed; --format xlsx or csv has all" if english else zh


def _report(table: Table) -> Report:
    """A table as the writers of reports take it."""
    return Report(title="forecast", columns=table.columns, rows=table.rows, bare=True)


def _json(page: Page, out: BinaryIO, _english: bool) -> None:
    out.write(msgspec.json.format(msgspec.json.encode(page.data), indent=1) + b"\n")


def _csv(page: Page, out: BinaryIO, english: bool) -> None:
    write_csv(_report(page.sheet), out, english=english)


def _xlsx(page: Page, out: BinaryIO, english: bool) -> None:
    from reminder.reports.writing import write  # noqa: PLC0415 - what makes workbooks is loaded where one is wanted

    write(_report(page.sheet), "xlsx", out, english=english)


# -- as a page


def _html(page: Page, out: BinaryIO, english: bool) -> None:
    out.write("".join(_parts(page, english=english)).encode("utf-8", "replace"))


def _parts(page: Page, *, english: bool) -> Iterator[str]:
    name = escape(page.title)
    yield f'<!doctype html>\n<html lang="{"en" if english else "zh-CN"}">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{name}</title>\n<style>\n{_CSS.read_text('utf-8')}{_OWN_CSS}</style>\n</head>\n<body>\n<main>\n"
    yield f"<h1>{name}</h1>\n"
    yield from (f'<p class="sub">{escape(text)}</p>\n' for text in page.about)
    yield from (f'<p class="warn">{escape(text)}</p>\n' for text in page.warnings)
    if page.figures:
        figures = "".join(map(_figure, page.figures))
        yield f'<div class="figures">\n{figures}</div>\n'
    if page.points:
        points = "".join([f"<li>{escape(text)}</li>\n" for text in page.points])
        yield f'<ul class="points">\n{points}</ul>\n'
    for table in page.tables:
        yield from _table(table, english=english)
    yield "</main>\n</body>\n</html>\n"


def _figure(figure: Figure) -> str:
    name, value, note = map(escape, (figure.name, figure.value, figure.note))
    return f'<div><div class="name">{name}</div><div class="value">{value}</div><div class="note">{note}</div></div>\n'


def _table(table: Table, *, english: bool) -> Iterator[str]:
    title = escape(table.title)
    yield f'<h2>{title}</h2>\n<div class="scroll" tabindex="0" role="region" aria-label="{title}">\n'
    yield "<table>\n<thead><tr>"
    for column in table.columns:
        yield f'<th scope="col"{_look(column)}>{escape(heading(column, english=english))}</th>'
    yield "</tr></thead>\n<tbody>\n"
    for row in table.rows:
        yield "<tr>" + "".join(_cells(table, row, english=english)) + "</tr>\n"
    yield "</tbody>\n</table>\n</div>\n"
    yield from (f"<p><strong>{escape(text)}</strong></p>\n" for text in _left_out(table, english=english))


def _look(column: Column) -> str:
    if column.name == _WIDE:
        return ' class="x"'
    return ' class="t"' if column.kind == "text" else ' class="n"'


def _cells(table: Table, row: tuple[Any, ...], *, english: bool) -> Iterator[str]:
    for place, (column, value) in enumerate(zip(table.columns, row, strict=True)):
        text = escape(shown(column, value, english=english, grouped=True))
        tag, scope = ("th", ' scope="row"') if place == 0 else ("td", "")
        yield f"<{tag}{scope}{_look(column)}>{text}</{tag}>"


_WRITERS: Mapping[str, Callable[[Page, BinaryIO, bool], None]] = {
    "text": _text,
    "html": _html,
    "csv": _csv,
    "xlsx": _xlsx,
    "json": _json,
}

FORMATS = tuple(_WRITERS)
"""How a page may be written: for the eye, as a page, for a spreadsheet (UTF-8 with mark), as a workbook, for
programs."""
