"""The rules a single part of a remark makes: level, visit mode, insurance, course, period, second line."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from negative_list.conditions import All, Any, Condition, DaysOfUse, Fact, Items, Lines, Since, Some, Sum, Window
from negative_list.importer.made import Part
from negative_list.importer.parts import EVIDENCE, denied, flagged, no, words
from negative_list.rules import OnUnknown, Text

if TYPE_CHECKING:
    from negative_list.importer.limits import Cap, Course, Level

__all__ = [
    "COURSE_PAUSE_DAYS",
    "course_part",
    "insurance_part",
    "level_part",
    "modes_part",
    "period_part",
    "second_line_part",
]

_MODE_NAMES = {"outpatient": "门诊", "emergency": "急诊", "inpatient": "住院", "internet": "互联网", "pharmacy": "药店"}
_INSURANCE_NAMES = {"work-injury": "工伤保险", "maternity": "生育保险", "employee": "职工医保", "resident": "居民医保"}
_LEVEL_NAMES = {1: "一级", 2: "二级", 3: "三级"}

COURSE_PAUSE_DAYS = 30
"""Uses with longer pauses between them are different episodes of disease: the longest cap in the public course list is
two or three weeks of an acute disease, and nobody goes on with the same acute episode after a month."""


def insurance_part(kinds: tuple[str, ...], class_id: str) -> Part:
    """Payable under the named kinds of insurance only."""
    names = "或".join(_INSURANCE_NAMES[kind] for kind in kinds)
    return Part(
        class_id=class_id,
        violation=no(words("encounter.insurance", *kinds)),
        message=Text(zh=f"限{names}", en="payable only under the named insurance"),
    )


def modes_part(modes: tuple[str, ...], class_id: str) -> Part:
    """Payable in the named visit modes only."""
    names = "、".join(_MODE_NAMES[m] for m in modes)
    return Part(
        class_id=class_id,
        violation=no(words("encounter.visit_mode", *modes)),
        message=Text(zh=f"限{names}使用", en=f"payable only for {', '.join(modes)} visits"),
    )


def level_part(level: Level, class_id: str) -> Part:
    """Payable from a level up, or, with ``first``, first prescribed there."""
    below: Condition = Fact(fact="encounter.institution_level", below=Decimal(level.at_least))
    name = f"{_LEVEL_NAMES[level.at_least]}及以上医疗机构"
    on_unknown = OnUnknown()
    if level.first:
        below = All(of=(below, flagged("line.first_prescription")))
        on_unknown = OnUnknown(ask=("line.first_prescription",))
        name = f"首次处方须由{name}开具"
    message = Text(zh=f"{'' if level.first else '限'}{name}", en=f"payable only from level {level.at_least} up")
    return Part(class_id=class_id, violation=below, message=message, on_unknown=on_unknown)


def course_part(course: Course, items: Items, class_id: str) -> Part:
    """Payable for so many days of use."""
    window = (
        Window(unit="encounter")
        if course.encounter
        else Window(unit="course", length=COURSE_PAUSE_DAYS, whose="patient")
    )
    lines = Lines(items=items, window=window)
    violation: Condition = DaysOfUse(lines=lines, above=Decimal(course.days))
    if course.span:
        # "总时间" runs from the first to the last day, both counted, so it is longer than 90 on the 91st day
        since = Since(event="first_use", lines=lines, unit="day", at_least=Decimal(course.days))
        violation = Any(of=(violation, All(of=(Some(lines=lines), since))))
    once = "单次住院" if course.encounter else ""
    message = Text(zh=f"{once}支付疗程不超过{course.days}天", en=f"beyond the payable course of {course.days} days")
    return Part(class_id=class_id, violation=violation, message=message)


def period_part(cap: Cap, items: Items, class_id: str = "R31") -> Part:
    """At most so many in any stretch of days; the first and the fifteenth are fourteen days apart, so both may be."""
    window = Window(unit="days", length=cap.days, ends="open", whose="patient")
    violation = Sum(lines=Lines(items=items, window=window), of="line.quantity", above=cap.limit)
    message = Text(zh=f"任意{cap.days}天内最多支付{cap.limit}次", en=f"at most {cap.limit} in any {cap.days} days")
    return Part(class_id=class_id, violation=violation, message=message)


def second_line_part(class_id: str) -> Part:
    """Payable where a first-line drug was used before."""
    return Part(
        class_id=class_id,
        violation=denied(EVIDENCE),
        message=Text(zh="限二线使用，须有一线用药无效或不耐受的依据", en="second line only"),
        on_unknown=OnUnknown(ask=(EVIDENCE,)),
    )
