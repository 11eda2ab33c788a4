"""Which points a revision has withdrawn.

A revision (``updates_2026-01``, published 2026-01-28 for the public batches 1 and 3 to 6) replaces the whole list of
each class it names: an earlier row of that class from one of those batches is no longer in force, whether or not
the revision holds the same item again (then the revision's own row carries it on). A class without a row in the
revision is untouched, and so are later batches.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from negative_list.importer.points import Point

__all__ = ["LAST_DAY", "REVISED_BATCHES", "superseded"]

REVISED_BATCHES = frozenset({1, 3, 4, 5, 6})
"""The public batches the revision of 2026-01-28 replaces."""

LAST_DAY = date(2026, 1, 28)
"""The last day a withdrawn point's rule is in force: the day the revision was published."""


def superseded(points: Iterable[Point]) -> frozenset[str]:
    """Ids of the points that are withdrawn."""
    points = tuple(points)
    revised = {p.rule_class for p in points if p.revises}
    return frozenset(p.kp_id for p in points if p.rule_class in revised and p.batch in REVISED_BATCHES)
