"""Where the table of a sheet begins: title rows above, one header row or two of which the upper one is merged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from negative_list.sheets.cells import folded, text_of

if TYPE_CHECKING:
    from negative_list.sheets.grid import Grid

__all__ = ["PROBLEM_HEADING", "Header", "find_header", "heading", "spellings"]

PROBLEM_HEADING = "问题"
"""The column that comes back with rejected rows; it is no part of a header."""

_SEARCHED_ROWS = 40
_FEWEST = 2


class Header(Struct, frozen=True, kw_only=True):
    """The rows of a header, and the heading of each column: both rows joined by ``/``; "" for a column without one."""

    first: int
    last: int
    titles: tuple[str, ...]

    @property
    def signature(self) -> tuple[str, ...]:
        """What a column map is kept for: the headings as they are compared, the column of problems left out."""
        kept = [heading(title) for title in self.titles]
        while kept and kept[-1] in ("", PROBLEM_HEADING):
            kept.pop()
        return tuple("" if title == PROBLEM_HEADING else title for title in kept)


def heading(text: str) -> str:
    """A heading as it is compared: no blanks, marks of needed columns or line breaks."""
    return re.sub(r"[\s*:：★▲]+", "", folded(text)).upper()


def spellings(title: str) -> Iterator[str]:
    """A heading as synonyms may write it: whole, without what stands in brackets, the lower row of two alone."""
    whole = heading(title)
    yield whole
    yield re.sub(r"\([^()]*\)", "", whole)
    if "/" in whole:
        yield from spellings(whole.rpartition("/")[2])


def find_header(grid: Grid, known: Callable[[str], bool]) -> Header | None:
    """The header of a sheet: the row, or two rows, most of whose headings are known; ``None`` where none has two.

    A single known heading suffices where its row has nothing else.
    """
    best: Header | None = None
    best_score = (0, 0)
    for row in range(min(_SEARCHED_ROWS, len(grid.rows))):
        for candidate in _candidates(grid, row):
            count = sum(any(map(known, spellings(title))) for title in candidate.titles if title)
            alone = sum(1 for title in candidate.titles if title) == count
            # of two readings the one with a single row: what stands above it is a title
            score = (count, candidate.first - candidate.last)
            if score > best_score and (count >= _FEWEST or alone):
                best, best_score = candidate, score
    return best


def _candidates(grid: Grid, row: int) -> Iterator[Header]:
    yield Header(first=row, last=row, titles=_distinct(tuple(text_of(value) for value in grid.rows[row])))
    if row + 1 < len(grid.rows) and _two_rows(grid, row):
        yield Header(first=row, last=row + 1, titles=_distinct(tuple(_joined(grid, row))))


def _two_rows(grid: Grid, row: int) -> bool:
    """Whether the row may be the upper one of two: it has cells over several columns, or gaps the next row fills."""
    if any(first == row and last_column > column for first, column, _, last_column in grid.merges):
        return True
    width = max(len(grid.rows[row]), len(grid.rows[row + 1]))
    filled = [grid.at(row, column) is not None for column in range(width)]
    return any(filled) and any(not here and grid.at(row + 1, column) is not None for column, here in enumerate(filled))


def _joined(grid: Grid, row: int) -> Iterator[str]:
    width = max(len(grid.rows[row]), len(grid.rows[row + 1]))
    above = ""
    for column in range(width):
        upper, lower = text_of(grid.at(row, column)), text_of(grid.at(row + 1, column))
        if upper or not _continues(grid, row, column):
            above = upper
        yield f"{above}/{lower}" if above and lower else above if upper else lower


def _continues(grid: Grid, row: int, column: int) -> bool:
    """Whether a blank cell of the upper row goes on with the one before it; a text file has no merges to tell."""
    if not grid.merges:
        return True
    return any(r0 <= row <= r1 and c0 < column <= c1 for r0, c0, r1, c1 in grid.merges)


def _distinct(titles: tuple[str, ...]) -> tuple[str, ...]:
    """The same heading twice would be one column: the later ones are numbered."""
    seen: dict[str, int] = {}
    named = []
    for title in titles:
        seen[title] = seen.get(title, 0) + 1
        named.append(f"{title}#{seen[title]}" if title and seen[title] > 1 else title)
    return tuple(named)
