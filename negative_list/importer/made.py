"""What reading one point gives: the rules it wants, its parameters, and what was not read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from negative_list.conditions import Condition, Items
from negative_list.rules import OnUnknown, Text

if TYPE_CHECKING:
    from negative_list.importer.points import Point

__all__ = ["Made", "Part", "items_of", "refused"]


class Part(Struct, frozen=True, kw_only=True):
    """One rule a point wants, under the class of that part. ``suspicious``: nothing but terms decides."""

    class_id: str
    violation: Condition
    message: Text
    on_unknown: OnUnknown = OnUnknown()
    suspicious: bool = False


class Made(Struct, frozen=True, kw_only=True):
    """A point read. The first part judges the condition the point's class names; none: the point needs review.

    ``parameters`` have the keys of the importer's report; ``unread`` is what is left of the remark.
    """

    parts: tuple[Part, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    reason: str = ""


def refused(reason: str) -> Made:
    """A point somebody has to look at."""
    return Made(reason=reason)


def items_of(point: Point) -> Items:
    """The items of a point: its codes, or its name where it has none."""
    return Items(codes=point.med_codes) if point.med_codes else Items(names=(point.item_name,))
