"""Walking a condition: what stands directly inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from negative_list.conditions import All, Any, AtLeast, Bounds, Formula, Not

if TYPE_CHECKING:
    from negative_list.conditions import Condition, Lines

__all__ = ["children_of", "lines_of"]


def children_of(condition: Condition) -> tuple[Condition, ...]:
    """The conditions directly inside a condition, those of gathered lines and visits, and of limits, included."""
    if isinstance(condition, (All, Any, AtLeast)):
        return condition.of
    if isinstance(condition, Not):
        return (condition.of,)
    visits = getattr(condition, "visits", None)
    selections = (*lines_of(condition), *((visits,) if visits is not None else ()))
    return tuple(selection.where for selection in selections if selection.where is not None)


def lines_of(condition: Condition) -> tuple[Lines, ...]:
    """What a condition itself gathers: its own lines first, then those its limits are worked out from."""
    own = getattr(condition, "lines", None)
    if not isinstance(condition, Bounds):
        return (own,) if own is not None else ()
    limits = (getattr(condition, name, None) for name in Bounds.__struct_fields__)
    worked_out = (limit.lines for limit in limits if isinstance(limit, Formula) and limit.lines is not None)
    return (*((own,) if own is not None else ()), *worked_out)
