"""Classes judged by where and for what the fund pays: insurance, visit mode, level, course, second line, indication."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from negative_list.importer.indications import read_remark
from negative_list.importer.limits import MODES
from negative_list.importer.made import Made, items_of, refused
from negative_list.importer.singles import course_part, insurance_part, level_part, modes_part, second_line_part
from negative_list.importer.whole import indication_part, lifted_of, shared, whole

if TYPE_CHECKING:
    from negative_list.importer.indications import Remark
    from negative_list.importer.limits import Level
    from negative_list.importer.points import Point

__all__ = ["make_course", "make_indication", "make_insurance", "make_level", "make_modes", "make_second_line"]


_ALSO_OTHERS = re.compile("也可|亦可|也予|(?:保险|工伤|生育)[、及和或](?!(?:参加)?(?:工伤|生育|职工|居民|城))")


def make_insurance(point: Point, class_id: str) -> Made:
    """Payable under the named kinds of insurance only."""
    remark = read_remark(point.constraint)
    kinds = tuple(dict.fromkeys(kind for part in (remark.common, *remark.branches) for kind in part.insurance))
    if not kinds:
        return refused("the remark names no kind of insurance")
    certain = shared(remark).insurance or all(branch.insurance for branch in remark.branches)
    if not certain or _ALSO_OTHERS.search(point.constraint):
        return refused("the remark lets in others beside the insured")
    return whole(point, insurance_part(kinds, class_id), {"insurance": list(kinds)}, "insurance", remark=remark)


def make_modes(point: Point, class_id: str) -> Made:
    """Payable in the named visit modes only."""
    remark = read_remark(point.constraint)
    if any(branch.states for branch in remark.branches):
        return refused("the remark lets in a state beside the visit modes")
    modes = shared(remark).modes or _any_modes(remark)
    if not modes:
        return refused("the remark names no visit mode that every case needs")
    judged = "modes" if shared(remark).modes else ""
    return whole(point, modes_part(modes, class_id), {"visit_modes": list(modes)}, judged, remark=remark)


def _any_modes(remark: Remark) -> tuple[str, ...]:
    """Where every branch names its own visit modes, all of them together."""
    named = [branch.modes for branch in remark.branches]
    return tuple(mode for mode in MODES if any(mode in modes for modes in named)) if all(named) else ()


def make_level(point: Point, class_id: str) -> Made:
    """Payable in institutions of at least a level."""
    remark = read_remark(point.constraint)
    everywhere = shared(remark).level
    level = everywhere or _lowest(remark)
    if level is None:
        return refused("the remark names no lowest level that every case needs")
    judged = "level" if everywhere else ""
    return whole(point, level_part(level, class_id), {"level_at_least": level.at_least}, judged, remark=remark)


def _lowest(remark: Remark) -> Level | None:
    """Where every branch names its own level, the lowest of them."""
    named = [branch.level for branch in remark.branches]
    return min((level for level in named if level), key=lambda level: level.at_least) if all(named) else None


def make_course(point: Point, class_id: str) -> Made:
    """Payable for so many days of use."""
    remark = read_remark(point.constraint)
    course = shared(remark).course
    if course is None:
        return refused("the remark says no number of days that every case shares")
    own = course_part(course, items_of(point), class_id)
    return whole(point, own, {"course_days": course.days}, "course", remark=remark)


def make_second_line(point: Point, class_id: str) -> Made:
    """Payable only after a first-line drug failed or was not tolerated."""
    return whole(point, second_line_part(class_id), {}, "prior_treatment")


def make_indication(point: Point, class_id: str) -> Made:
    """Payable for the named diseases, each alternative with its own conditions."""
    remark = read_remark(point.constraint)
    people = any(part.ages or part.sex or part.measures for part in (remark.common, *remark.branches))
    if not remark.diseases and not people:
        return refused("the remark names no disease of the table")
    own = indication_part(remark, items_of(point), lifted_of(remark), class_id)
    if own is None:
        return refused("the remark demands nothing")
    return whole(point, own, {}, "", remark=remark)
