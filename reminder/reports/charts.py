"""Charts of a page as SVG of our own: no script, readable on a telephone and on paper, in light and in dark.

Bars are as wide as the page lets them be (lengths in percent), texts stand beside in HTML, so that nothing shrinks.
What a chart shows is also said in words, for who does not see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from html import escape
from itertools import accumulate
from typing import TYPE_CHECKING

from reminder.reports.cells import PERCENT, tidy
from reminder.reports.table import Line, Pareto, Stack
from reminder.reports.words import said, title, word

if TYPE_CHECKING:
    from reminder.reports.table import Bar, Chart

__all__ = ["figure"]

_GRID = (0, 25, 50, 75, 100)


def figure(chart: Chart, *, english: bool) -> str:
    """A chart with its title and legend."""
    if isinstance(chart, Stack):
        body, left_out = _stack(chart, english=english), chart.left_out
    elif isinstance(chart, Pareto):
        body, left_out = _pareto(chart, english=english), chart.left_out
    else:
        body, left_out = _line(chart), 0
    cut = f"<p>{escape(said('left_out')[english].format(left_out))}</p>" if left_out else ""
    return f"<figure><figcaption>{_safe(title(chart.title)[english])}</figcaption>{body}{cut}</figure>\n"


def _stack(chart: Stack, *, english: bool) -> str:
    names = [word(chart.words, part, english=english) for part in chart.parts]
    legend = "".join(
        f'<li><svg class="key" aria-hidden="true"><rect class="c{n}" width="100%" height="100%"/></svg>'
        f"{_safe(name)}</li>"
        for n, name in enumerate(names)
    )
    return f'<ul class="legend">{legend}</ul>{_bars(_stacked(bar, names) for bar in chart.bars)}'


def _stacked(bar: Bar, names: Sequence[str]) -> str:
    whole = sum(bar.parts)
    told = ", ".join(f"{name} {count:,}" for name, count in zip(names, bar.parts, strict=True) if count)
    begins = accumulate(bar.parts, initial=0)
    rects = "".join(
        f'<rect class="c{n}" x="{_percent(begin, whole)}" width="{_percent(count, whole)}" height="100%">'
        f"<title>{_safe(names[n])} {count:,}</title></rect>"
        for n, (count, begin) in enumerate(zip(bar.parts, begins, strict=False))
        if count
    )
    return _bar(bar.label, told, rects, f"{whole:,}")


def _pareto(chart: Pareto, *, english: bool) -> str:
    largest = max((count for _, count in chart.bars), default=0)
    sums = accumulate(count for _, count in chart.bars)
    rows = (
        _ranked(label, count, largest, Fraction(up_to, chart.whole) if chart.whole else Fraction())
        for (label, count), up_to in zip(chart.bars, sums, strict=True)
    )
    return f'<p class="legend">{escape(said("pareto")[english])}</p>{_bars(rows)}'


def _ranked(label: str, count: int, largest: int, up_to: Fraction) -> str:
    share = f"{float(up_to) * PERCENT:.1f}%"
    rects = (
        f'<rect class="c3" width="{_percent(count, largest)}" height="100%"/>'
        f'<line class="mark" x1="{share}" x2="{share}" y1="0" y2="100%"/>'
    )
    return _bar(label, f"{count:,}, {share}", rects, f"{count:,} · {share}")


def _bars(rows: Iterable[str]) -> str:
    return f'<div class="bars">{"".join(rows)}</div>'


def _bar(label: str, told: str, rects: str, figure_: str) -> str:
    name = _safe(label)
    return (
        f'<div class="label" title="{name}">{name}</div>'
        f'<svg class="bar" role="img" aria-label="{name}: {_safe(told)}">{rects}</svg>'
        f'<div class="figure">{figure_}</div>'
    )


def _line(chart: Line) -> str:
    grid = "".join(f'<line class="grid" x1="0" x2="100" y1="{y}" y2="{y}"/>' for y in _GRID)
    scale = "".join(f"<span>{y}%</span>" for y in reversed(_GRID))
    days = [day for day, _ in chart.points]
    shown = dict.fromkeys(days[place] for place in (0, len(days) // 2, -1)) if days else ()
    below = "".join(f"<span>{_safe(day)}</span>" for day in shown)
    told = ", ".join(f"{day} {float(share) * PERCENT:.1f}%" for day, share in chart.points if share is not None)
    return (
        f'<div class="plot"><div class="scale" aria-hidden="true">{scale}</div>'
        f'<svg class="area" viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="{_safe(told)}">'
        f'{grid}<path class="rate" d="{" ".join(_strokes(chart))}"/></svg>'
        f'<div class="days" aria-hidden="true">{below}</div></div>'
    )


def _strokes(chart: Line) -> Iterator[str]:
    """The line, broken where a day has no share; a day alone is a dot."""
    step = Fraction(PERCENT, max(1, len(chart.points) - 1))
    drawing = False
    for place, (_, share) in enumerate(chart.points):
        if share is not None:
            x, y = float(place * step), PERCENT - float(share) * PERCENT
            yield f"{'L' if drawing else 'M'}{x:.2f} {y:.2f}" + ("" if drawing else "h0")
        drawing = share is not None


def _percent(part: int, whole: int) -> str:
    return f"{PERCENT * part / whole:.3f}%" if whole else "0%"


def _safe(text: str) -> str:
    return escape(tidy(text))
