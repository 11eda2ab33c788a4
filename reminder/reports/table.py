"""A report as a table of typed columns, whatever it is about: what every writer writes and every report is made into.

Cells hold plain values: fen for money, a share for percent, a civil time without offset. How they look is decided once,
in :mod:`reminder.reports.cells`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from msgspec import Struct

__all__ = ["Bar", "Chart", "Column", "Kind", "Line", "Pareto", "Report", "Row", "Said", "Stack", "nothing"]

Kind: TypeAlias = Literal[
    "text", "count", "exact", "number", "yuan", "percent", "ms", "seconds", "time", "day", "flag"
]  # fmt: skip
"""What a column holds: a text; how many; a number as it is; a number with one decimal; fen, written as yuan with two
decimals; a share (1 is all), written in percent with one; milliseconds; seconds; a civil time; a day "yyyy-mm-dd"; yes
or no."""

Row: TypeAlias = Sequence[Any]
"""The cells of a row, in the order of the columns; ``None`` is empty."""


class Column(Struct, frozen=True, kw_only=True):
    """A column: its name (for programs), its headings, what it holds and what it means.

    ``words`` names the table its codes are written in for people (:data:`reminder.reports.words.WORDS`), ``panel`` the
    part of a wide report it stands in; the report's first columns stand in every part.
    """

    name: str
    zh: str
    en: str
    kind: Kind = "text"
    words: str = ""
    panel: str = ""
    means_zh: str = ""
    means_en: str = ""


class Said(Struct, frozen=True, kw_only=True):
    """Something said about a report: under its name for programs, in words for people."""

    name: str
    value: Any
    zh: str
    en: str


class Bar(Struct, frozen=True, kw_only=True):
    """A bar of a stack: what it is about and how long each of its parts is."""

    label: str
    parts: tuple[int, ...]


class Stack(Struct, frozen=True, kw_only=True):
    """Bars side by side, each cut into the same ``parts`` (names in the table of words ``words``)."""

    title: str
    words: str
    parts: tuple[str, ...]
    bars: tuple[Bar, ...]
    left_out: int = 0


class Line(Struct, frozen=True, kw_only=True):
    """A share over days; ``None`` where there is none."""

    title: str
    points: tuple[tuple[str, Fraction | None], ...]


class Pareto(Struct, frozen=True, kw_only=True):
    """Counts, the largest first, and the share all up to each have of ``whole``."""

    title: str
    whole: int
    bars: tuple[tuple[str, int], ...]
    left_out: int = 0


Chart: TypeAlias = Stack | Line | Pareto
"""Any chart."""


def nothing() -> tuple[()]:
    """What is said at the end of a report that has nothing to add, and the total of one without."""
    return ()


class Report(Struct, frozen=True, kw_only=True, eq=False):
    """A report. ``rows`` may be walked once; ``totals`` and ``foot`` are asked after that.

    ``title`` is its name in :data:`reminder.reports.words.TITLES`. ``head`` says what was counted, ``foot`` what was
    not. The first ``keys`` columns say what a row is about. ``totals``: a row whose first cell stays empty, or nothing.
    ``bare``: written without head and foot, and as a list in JSON.
    """

    title: str
    columns: tuple[Column, ...]
    rows: Iterable[Row]
    keys: int = 1
    totals: Callable[[], Row] = nothing
    head: tuple[Said, ...] = ()
    foot: Callable[[], tuple[Said, ...]] = nothing
    charts: tuple[Chart, ...] = ()
    bare: bool = False

    def panels(self) -> list[tuple[str, tuple[int, ...]]]:
        """The parts of a wide report: name and the places of their columns, those of the keys first."""
        found: dict[str, list[int]] = {}
        for place, column in enumerate(self.columns):
            if place >= self.keys:
                found.setdefault(column.panel, []).append(place)
        first = tuple(range(self.keys))
        return [(name, (*first, *places)) for name, places in found.items()] or [("", first)]
