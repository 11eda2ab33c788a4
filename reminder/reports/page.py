"""Reports as one HTML page: no network, no script; charts, tables with proper headers, light and dark, A4 on paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from reminder.reports.cells import shown, tidy
from reminder.reports.charts import figure
from reminder.reports.words import heading, said, title

if TYPE_CHECKING:
    from reminder.reports.table import Column, Report, Said

__all__ = ["MAX_ROWS", "write_html"]

MAX_ROWS = 1000
"""Rows of a page: more make a browser slow and paper useless. The page says how many it leaves out; sheets have all."""

_CSS = Path(__file__).with_name("page.css")
_LOOKS = {"text": "t", "time": "s", "day": "s", "flag": "s"}
# Nothing is loaded and nothing runs, whatever a text of a report says.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def write_html(report: Report, out: BinaryIO, *, english: bool) -> None:
    """One page. Of more than ``MAX_ROWS`` rows it has the first, and the totals of all."""
    rows = iter(report.rows)
    kept = [_texts(report.columns, row, english=english) for row in islice(rows, MAX_ROWS)]
    left_out = sum(1 for _ in rows)
    totals = report.totals()
    total = _texts(report.columns, totals, english=english) if totals else []
    parts = [
        _top(report, english=english),
        *(figure(chart, english=english) for chart in report.charts),
        *_tables(report, kept, total, english=english),
        _cut(len(kept), left_out, english=english),
        _bottom(report, english=english),
    ]
    out.write("".join(parts).encode("utf-8", "replace"))


def _texts(columns: Sequence[Column], row: Sequence[object], *, english: bool) -> list[str]:
    cells = (shown(column, value, english=english, grouped=True) for column, value in zip(columns, row, strict=True))
    return [escape(tidy(cell)) for cell in cells]


def _top(report: Report, *, english: bool) -> str:
    name = escape(title(report.title)[english])
    return (
        f'<!doctype html>\n<html lang="{"en" if english else "zh-CN"}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{name}</title>\n<style>\n{_CSS.read_text('utf-8')}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{name}</h1>\n{_list(report.head, english=english)}"
    )


def _list(told: Iterable[Said], *, english: bool) -> str:
    rows = "".join(
        f"<dt>{escape(said(one.name)[english])}</dt><dd>{escape(tidy(one.en if english else one.zh))}</dd>"
        for one in told
    )
    return f'<dl class="said">{rows}</dl>\n' if rows else ""


def _tables(report: Report, rows: Sequence[Sequence[str]], total: Sequence[str], *, english: bool) -> Iterator[str]:
    for name, places in report.panels():
        caption = escape(title(name or report.title)[english])
        yield f'<h2>{caption}</h2>\n<div class="scroll" tabindex="0" role="region" aria-label="{caption}">\n<table>\n'
        yield f"<thead><tr>{''.join(_heads(report, places, english=english))}</tr></thead>\n<tbody>\n"
        if not rows:
            yield f'<tr><td colspan="{len(places)}">{escape(said("nothing")[english])}</td></tr>\n'
        for row in rows:
            yield f"<tr>{''.join(_cells(report, row, places))}</tr>\n"
        yield "</tbody>\n" + (_total(report, total, places, english=english) if total else "") + "</table>\n</div>\n"


def _heads(report: Report, places: Sequence[int], *, english: bool) -> Iterator[str]:
    for place in places:
        column = report.columns[place]
        look = "" if column.kind in _LOOKS else ' class="n"'
        yield f'<th scope="col"{look}>{escape(heading(column, english=english))}</th>'


def _cells(report: Report, row: Sequence[str], places: Sequence[int]) -> Iterator[str]:
    for place in places:
        look = _LOOKS.get(report.columns[place].kind, "n")
        if place < report.keys:
            yield f'<th scope="row" class="{look}">{row[place]}</th>'
        else:
            yield f'<td class="{look}">{row[place]}</td>'


def _total(report: Report, total: Sequence[str], places: Sequence[int], *, english: bool) -> str:
    named = [total[0] or escape(said("total")[english]), *total[1:]]
    return f"<tfoot><tr>{''.join(_cells(report, named, places))}</tr></tfoot>\n"


def _cut(kept: int, left_out: int, *, english: bool) -> str:
    if not left_out:
        return ""
    return f"<p><strong>{escape(said('rows_left_out')[english].format(kept, left_out))}</strong></p>\n"


def _bottom(report: Report, *, english: bool) -> str:
    foot = report.foot()
    told = f"<h2>{escape(said('not_counted')[english])}</h2>\n{_list(foot, english=english)}" if foot else ""
    meant = [(heading(c, english=english), c.means_en if english else c.means_zh) for c in report.columns]
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in meant if text)
    name = escape(said("columns")[english])
    explained = f'<details><summary>{name}</summary>\n<dl class="said">{rows}</dl></details>\n' if rows else ""
    return f"{told}{explained}</main>\n</body>\n</html>\n"
