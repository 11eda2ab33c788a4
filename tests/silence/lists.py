"""The lists the silence is tried on: the published points as imported, and the shipped sample."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from negative_list.classes import class_name
from negative_list.compile import CompiledList, compile
from negative_list.decide import Fuller, decide
from negative_list.importer import Point, import_points, read_points
from negative_list.parse import read_parsed
from negative_list.rules import RuleList
from negative_list.validate import check
from tests.silence.points import Points

if TYPE_CHECKING:
    from datetime import datetime

    from negative_list.decision import Decision
    from negative_list.prescription import History, Prescription
    from negative_list.rules import Rule

__all__ = ["Tried", "decided", "published", "sample"]


class Tried(Struct, frozen=True):
    """A list ready to match, its points in force and all its points ever, each with what its remark says."""

    points: Points
    ever: Points
    rules: RuleList
    compiled: CompiledList

    def rules_of(self, kp_id: str) -> list[Rule]:
        """The rules made from a point."""
        return [rule for rule in self.rules.rules if kp_id == rule.id or kp_id in rule.points]


@cache
def published(shared: Path) -> Tried:
    """The published points, imported."""
    points = read_points([shared / "knowledge_points.jsonl"])
    imported = import_points(points)
    parameters = {entry.kp_id: entry.parameters for entry in imported.report}
    ended = [entry.kp_id for entry in imported.report if entry.status == "superseded"]
    rules = imported.rule_list
    return Tried(Points(points, parameters, ended), Points(points, parameters, ()), rules, compile(rules))


@cache
def sample() -> Tried:
    """The shipped sample; its rules' messages stand for the payer's remarks."""
    rules = check(read_parsed(Path(str(files("negative_list") / "lists" / "sample"))))
    sets = {named.id: named.codes for named in rules.sets}
    points = [_point(rule, sets) for rule in rules.rules]
    read = Points(points, {}, ())
    return Tried(read, read, rules, compile(rules))


def _point(rule: Rule, sets: dict[str, tuple[str, ...]]) -> Point:
    codes = (*rule.trigger.codes, *(code for name in rule.trigger.sets for code in sets[name]))
    return Point(
        kp_id=rule.id,
        rule_class=class_name(rule.class_id),
        item_name=rule.title,
        med_codes=codes,
        constraint=rule.title if rule.class_id == "R15" else rule.message.zh,
    )


def decided(tried: Tried, prescription: Prescription, history: History | None, at: datetime) -> Decision:
    """Decide as the service does: history is read where rules lack it."""

    def read(asked: Prescription, _needs: frozenset[str], _at: datetime) -> Fuller:
        return Fuller(prescription=asked, history=history)

    return decide(tried.compiled, prescription, at, read=read if history is not None else None)
