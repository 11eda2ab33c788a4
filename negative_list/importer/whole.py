"""A remark as a whole: the rule of the point's own class, the rules of what else is demanded, and the parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import Struct, convert

from negative_list.importer.ages import Ages
from negative_list.importer.indications import Branch, Remark, read_remark
from negative_list.importer.limits import Cap, Course, Level
from negative_list.importer.made import Made, Part, items_of, refused
from negative_list.importer.parts import demand, no
from negative_list.importer.sexes import Sex
from negative_list.importer.singles import (
    course_part,
    insurance_part,
    level_part,
    modes_part,
    period_part,
    second_line_part,
)
from negative_list.rules import OnUnknown, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from negative_list.conditions import Items
    from negative_list.importer.points import Point

__all__ = ["Shared", "indication_part", "lifted_of", "parameters", "restricts", "shared", "whole"]

_SHOWN = 3
"""How many diseases a message names; the rule's page has them all."""


class Shared(Struct, frozen=True, kw_only=True):
    """What every case of a remark needs alike: said in its common part, or in every branch."""

    level: Level | None = None
    modes: tuple[str, ...] = ()
    insurance: tuple[str, ...] = ()
    course: Course | None = None
    cap: Cap | None = None
    second_line: bool = False
    sex: Sex | None = None


def restricts(point: Point) -> bool:
    """Whether the remark restricts payment, rather than describe the item as a label does ("用于…")."""
    return point.constraint.strip().startswith(("限", "仅", "需"))


def shared(remark: Remark) -> Shared:
    """What every case of a remark needs alike. An insurance that is an alternative to a disease is not."""
    found = {part: _alike(remark, part) for part in Shared.__struct_fields__}
    if not remark.common.insurance and not all(b.diseases for b in remark.branches) and remark.diseases:
        found["insurance"] = ()
    return convert({part: value for part, value in found.items() if value}, Shared, from_attributes=True)


def _alike(remark: Remark, part: str) -> object:
    named = [getattr(branch, part) for branch in remark.branches]
    return getattr(remark.common, part) or (named[0] if all(n == named[0] for n in named) else None)


def whole(point: Point, own: Part, said: Mapping[str, object], judged: str, *, remark: Remark | None = None) -> Made:
    """A point's own rule, with what else its remark demands. A label ("用于…") demands nothing.

    Args:
        point: The point.
        own: The rule of its own class.
        said: The parameters of that rule.
        judged: The part of a remark (a field of :class:`Branch`) that rule judges, empty where it judges none.
        remark: The remark, where it was read already.
    """
    if remark is None and not restricts(point):
        return Made(parts=(own,), parameters=said)
    read = remark or read_remark(point.constraint)
    if own.class_id not in _INDICATIONS and not read.diseases and _EXEMPTS.search(point.constraint):
        return refused("the remark exempts somebody")
    everywhere = shared(read)
    lifted = frozenset(part for part in _LIFTED if getattr(everywhere, part)) | {judged}
    further = [
        part
        for part in _further(everywhere, items_of(point), drug=_is_drug(point))
        if _answers(part.class_id) != _answers(own.class_id)
    ]
    if own.class_id not in _INDICATIONS:
        indication = indication_part(read, items_of(point), _without(lifted), "R08")
        further.extend([indication] if indication else [])
    unread = (*read.rest, *_uses(everywhere, point))
    return Made(parts=(own, *further), parameters={**parameters(read), **said}, unread=unread)


def _uses(everywhere: Shared, point: Point) -> tuple[str, ...]:
    """A drug's cap: its times are courses, which no fact counts (the quantity counts its units)."""
    return (everywhere.cap.source,) if everywhere.cap and _is_drug(point) else ()


def _is_drug(point: Point) -> bool:
    return point.rule_class.startswith("药品")


_EXEMPTS = re.compile(r"[,，;；(（][^,，;；。()（）]{1,12}除外")
"""Without a disease, who is left out is free of the restriction: "限二级及以上医疗机构，抢救患者除外"."""

_LIFTED = ("level", "modes", "insurance", "course", "cap", "second_line")
_INDICATIONS = ("R08", "R20", "R88")
_SAME_QUESTION = {"R24": "R12", "R22": "R13", "R23": "R10", "R16": "R01", "R17": "R01", "R02": "R01"}


def _answers(class_id: str) -> str:
    """The class of drugs that asks the same as a class of services."""
    return _SAME_QUESTION.get(class_id, class_id)


def _without(lifted: frozenset[str]) -> frozenset[str]:
    """The parts to leave out of an indication; a remark that is second line everywhere needs no further evidence."""
    return lifted | {"prior_treatment"} if "second_line" in lifted else lifted


def lifted_of(remark: Remark) -> frozenset[str]:
    """The parts of a remark that rules of their own judge."""
    everywhere = shared(remark)
    return _without(frozenset(part for part in _LIFTED if getattr(everywhere, part)))


def _further(everywhere: Shared, items: Items, *, drug: bool) -> Iterator[Part]:
    """Rules under the class of each part that every case needs."""
    if everywhere.level:
        yield level_part(everywhere.level, "R12")
    if everywhere.modes:
        yield modes_part(everywhere.modes, "R13")
    if everywhere.insurance:
        yield insurance_part(everywhere.insurance, "R02" if "maternity" in everywhere.insurance else "R01")
    if everywhere.course:
        yield course_part(everywhere.course, items, "R10")
    if everywhere.cap and not drug:
        yield period_part(everywhere.cap, items)
    if everywhere.second_line:
        yield second_line_part("R05")


def indication_part(remark: Remark, items: Items, lifted: frozenset[str], class_id: str) -> Part | None:
    """The rule that one of the branches holds; ``None`` where nothing is demanded beyond the ``lifted`` parts."""
    needed = demand(remark, items, lifted)
    if needed is None:
        return None
    names = "、".join(row.name for row in remark.diseases[:_SHOWN])
    more = "等" if len(remark.diseases) > _SHOWN else ""
    said = f"限定支付范围为{names}{more}" if names else "须符合限定支付条件"
    return Part(
        class_id=class_id,
        violation=no(needed.met),
        message=Text(zh=said, en="the payer's indication is not met"),
        on_unknown=OnUnknown(ask=needed.ask),
        suspicious=bool(remark.diseases) and not any(row.codes for row in remark.diseases),
    )


def parameters(remark: Remark) -> dict[str, object]:
    """Everything the remark says, under the keys of the report. Ages and sex are those that suit every branch."""
    everywhere, ages = shared(remark), _ages_for_all(remark)
    cap, course, level = everywhere.cap, everywhere.course, everywhere.level
    rows = [row for branch in sorted(remark.branches, key=_narrowness) for row in branch.diseases]
    found: dict[str, object] = {
        "sex": everywhere.sex,
        "age": ages.parameters() if ages else None,
        "level_at_least": level.at_least if level else None,
        "visit_modes": list(everywhere.modes),
        "insurance": list(everywhere.insurance),
        "course_days": course.days if course else None,
        "limit": int(cap.limit) if cap else None,
        "period_days": cap.days if cap else None,
        "terms": list(dict.fromkeys(term for row in rows for term in row.terms)),
        "codes": list(dict.fromkeys(code for row in rows for code in row.codes)),
    }
    return {key: value for key, value in found.items() if value}


def _narrowness(branch: Branch) -> int:
    """How much a branch asks of patient and visit besides the disease: the report names the freest branch first."""
    return sum(map(bool, (branch.modes, branch.sex, branch.ages, branch.level, branch.insurance)))


def _ages_for_all(remark: Remark) -> Ages | None:
    """The ages that suit every branch, if any does."""
    both = Ages()
    for branch in (*remark.branches, remark.common):
        both = both.meet(branch.ages or Ages())
    return None if both.empty or both == Ages() else both
