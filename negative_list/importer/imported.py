"""From points to a list: read each point, make its rules, group what the class says is one rule."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from negative_list.classes import class_by_name, class_name
from negative_list.errors import UnknownNameError
from negative_list.importer import patients, payment, services
from negative_list.importer.families import FAMILIES, Family, Kind
from negative_list.importer.made import Made, Part, refused
from negative_list.importer.points import Point, point_of
from negative_list.importer.report import PARAMETERS, Imported, PointReport, Status
from negative_list.importer.revision import LAST_DAY, superseded
from negative_list.rules import Basis, Rule, RuleList, Trigger

__all__ = ["import_points"]

_MAKERS: Mapping[Kind, Callable[[Point, str], Made]] = {
    "sex": patients.make_sex,
    "ages": patients.make_ages,
    "work_age": patients.make_work_age,
    "insurance": payment.make_insurance,
    "modes": payment.make_modes,
    "level": payment.make_level,
    "indication": payment.make_indication,
    "second_line": payment.make_second_line,
    "course": payment.make_course,
    "never": services.make_never,
    "pair": services.make_pair,
    "frequency": services.make_frequency,
    "period": services.make_period,
    "internet": services.make_internet,
}
_GROUPED: tuple[Kind, ...] = ("alone", "discount")


def import_points(points: Iterable[Point | Mapping[str, Any]]) -> Imported:
    """Turn published points into rules.

    One rule a point and part, shared by the points that say the same of the same items; but one a group where the
    class speaks of a group (operations of one group, herbs not payable alone). A withdrawn point's rules end on the
    day of the revision, so that old findings explain. The same points give the same list, whatever was imported
    before.

    Args:
        points: Points, or rows with the same keys; raises ``msgspec.ValidationError`` for a row that is none.
    """
    read = tuple(p if isinstance(p, Point) else point_of(p) for p in points)
    withdrawn = superseded(read)
    groups = _groups(read, withdrawn)
    rules: list[Rule] = [rule for _, rule in sorted(groups.items())]
    report: list[PointReport] = []
    for point in read:
        ended = point.kp_id in withdrawn
        key = _group_key(point, ended=ended)
        if key in groups:
            report.append(_entry(point, Made(), (groups[key].id,), ended=ended))
            continue
        made = _made(point)
        own = [_rule(point, part, ended=ended) for part in made.parts]
        rules.extend(own)
        report.append(_entry(point, made, tuple(rule.id for rule in own), ended=ended))
    return _shared(rules, report)


def _shared(rules: Iterable[Rule], report: Iterable[PointReport]) -> Imported:
    """Rules that say the same of the same items as one, with the points of all: a remark stands in several classes."""
    same: dict[Rule, list[Rule]] = {}
    for rule in rules:
        same.setdefault(replace(rule, id="", title="", basis=_NO_BASIS, points=()), []).append(rule)
    ids = {rule.id: group[0].id for group in same.values() for rule in group}
    one_each = (
        replace(group[0], points=tuple(dict.fromkeys(point for rule in group for point in rule.points)))
        for group in same.values()
    )
    entries = (
        replace(entry, rule_ids=tuple(dict.fromkeys(ids[rule_id] for rule_id in entry.rule_ids))) for entry in report
    )
    return Imported(rule_list=RuleList(rules=tuple(one_each)), report=tuple(entries))


_NO_BASIS = Basis(document="")


def _class_id(point: Point) -> str:
    try:
        return class_by_name(point.rule_class).id
    except UnknownNameError:
        return ""


def _family(point: Point) -> Family | None:
    return FAMILIES.get(_class_id(point))


def _made(point: Point) -> Made:
    class_id = _class_id(point)
    family = FAMILIES.get(class_id)
    if family is None:
        return refused(f"the importer does not read the class `{point.rule_class}`")
    if family.kind in _GROUPED:
        return refused("the point names no group" if family.kind == "discount" else "the point has no code")
    return _MAKERS[family.kind](point, class_id)


def _entry(point: Point, made: Made, rule_ids: tuple[str, ...], *, ended: bool) -> PointReport:
    parameters = {key: made.parameters[key] for key in PARAMETERS if key in made.parameters}
    return PointReport(
        kp_id=point.kp_id,
        rule_ids=rule_ids,
        status=_status(made, rule_ids, ended=ended),
        parameters=parameters,
        unread=made.unread,
        reason=made.reason,
    )


def _status(made: Made, rule_ids: tuple[str, ...], *, ended: bool) -> Status:
    if ended:
        return "superseded"
    if not rule_ids:
        return "needs-review"
    return "partial" if made.unread else "rule"


def _rule(point: Point, part: Part, *, ended: bool) -> Rule:
    return _written(part, f"{part.class_id}-{point.kp_id}", point.item_name, point.med_codes, (point,), ended=ended)


def _written(
    part: Part, rule_id: str, title: str, codes: tuple[str, ...], points: tuple[Point, ...], *, ended: bool
) -> Rule:
    family = FAMILIES[part.class_id]
    return Rule(
        id=rule_id,
        class_id=part.class_id,
        title=f"{title}：{class_name(part.class_id)}",
        trigger=Trigger(codes=codes) if codes else Trigger(names=(title,)),
        violation=part.violation,
        message=part.message,
        basis=_basis(points[0]),
        result="suspicious" if part.suspicious else "definite",
        action=family.action,
        fund_only=family.fund_only,
        addressee=family.addressee,
        per=family.per,
        valid_to=LAST_DAY if ended else None,
        on_unknown=part.on_unknown,
        amount=family.amount,
        suggestions=family.suggestions,
        points=tuple(point.kp_id for point in points),
    )


def _basis(point: Point) -> Basis:
    document = "国家医疗保障局智能监管规则库、知识库"
    if point.batch is not None:
        document = f"{document}公开第{point.batch}批"
    elif point.revises:
        document = f"{document}更新（{point.batch_tag.removeprefix('updates_')}）"
    return Basis(document=document, article=f"{point.rule_class}（{point.kp_id}）")


def _group_key(point: Point, *, ended: bool) -> str:
    """What one rule is made for: a group of operations, or all herbs of the class; empty for a point of its own."""
    family = _family(point)
    if family is None or not point.med_codes:
        return ""
    if family.kind == "discount" and point.constraint.strip():
        return f"{_class_id(point)}-{_short(point.constraint.strip())}{'-ended' if ended else ''}"
    return f"{_class_id(point)}-all{'-ended' if ended else ''}" if family.kind == "alone" else ""


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def _groups(points: Iterable[Point], withdrawn: frozenset[str]) -> dict[str, Rule]:
    members: dict[str, list[Point]] = {}
    for point in points:
        if key := _group_key(point, ended=point.kp_id in withdrawn):
            members.setdefault(key, []).append(point)
    return dict(_group_rules(members, withdrawn))


def _group_rules(members: Mapping[str, list[Point]], withdrawn: frozenset[str]) -> Iterator[tuple[str, Rule]]:
    for key, group in members.items():
        class_id = _class_id(group[0])
        codes = tuple(dict.fromkeys(code for point in group for code in point.med_codes))
        name = group[0].constraint.strip()
        part = (
            services.alone_part(codes, class_id)
            if FAMILIES[class_id].kind == "alone"
            else services.discount_part(name, codes, class_id)
        )
        title = class_name(class_id) if FAMILIES[class_id].kind == "alone" else name
        ended = group[0].kp_id in withdrawn
        yield key, _written(part, key, title, codes, tuple(group), ended=ended)
