"""What a line is of and when it begins, in the words by which it is known again: said once, for everybody."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from negative_list.text import normalise

if TYPE_CHECKING:
    from datetime import date, datetime

    from negative_list.prescription import Line

__all__ = ["item_of", "order_date_of", "order_day_of"]


def item_of(line: Line) -> str:
    """The item of a line: its first code, else the hospital's own, else its normalised name."""
    if line.codes:
        return line.codes[0]
    local = line.facts.get("line.local_code")
    return local if isinstance(local, str) else normalise(line.name)


def order_date_of(line: Line) -> str:
    """The civil day a line begins, ``yyyy-mm-dd``; "" where that is not told."""
    return _written(line.begins.date()) if line.begins is not None else ""


def order_day_of(line: Line, at: datetime) -> str:
    """The same, the day of the decision's instant where it is not told."""
    return order_date_of(line) or _written(at.date())


@lru_cache(maxsize=1024)
def _written(day: date) -> str:
    return day.isoformat()
