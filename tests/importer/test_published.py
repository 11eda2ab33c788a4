"""The published points become rules that bite, and their parameters agree with what others read by hand."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from negative_list.classes import class_by_name
from negative_list.compile import compile as compiled
from negative_list.importer import Imported, Point, PointReport, import_points, read_points
from negative_list.importer.proof import tells_apart, trial

_NOW = datetime(2026, 11, 21, 10)
_BEFORE_THE_REVISION = datetime(2026, 1, 20, 10)
_HARD = ("药品限适应症", "药品限二线使用")


@cache
def _published(folder: Path) -> tuple[tuple[Point, ...], Imported]:
    points = read_points([folder / "knowledge_points.jsonl"])
    return points, import_points(points)


@cache
def _bites(folder: Path) -> dict[str, bool]:
    """For each point whether the engine tells its two requests apart; never-payable items have only one."""
    points, imported = _published(folder)
    rules = compiled(imported.rule_list)
    groups = defaultdict(list)
    for point in points:
        groups[point.rule_class, point.constraint].append(point)
    found = {}
    for point, report in zip(points, imported.report, strict=True):
        others = groups[point.rule_class, point.constraint]
        at = _BEFORE_THE_REVISION if report.status == "superseded" else _NOW
        made = trial(point, report, class_by_name(point.rule_class).id, _companion(point, others), at)
        found[point.kp_id] = made is None or tells_apart(rules, made, report.rule_ids)
    return found


def _companion(point: Point, others: list[Point]) -> str:
    """The main item of a pair, else another item of the same group."""
    if len(point.med_codes) > 1 and point.window:
        return point.med_codes[0]
    return next((other.med_codes[0] for other in others if other.kp_id != point.kp_id), "")


def _share(entries: list[PointReport], statuses: tuple[str, ...], bites: dict[str, bool]) -> float:
    return sum(entry.status in statuses and bites[entry.kp_id] for entry in entries) / len(entries)


def test_nearly_every_point_in_force_becomes_a_rule_that_bites(shared_data: Path) -> None:
    """Of the points in force at least 97 % have a sound rule that tells a violating request from a conforming one."""
    _, imported = _published(shared_data)
    in_force = [entry for entry in imported.report if entry.status != "superseded"]
    assert _share(in_force, ("rule", "partial"), _bites(shared_data)) >= 0.97


def test_outside_indications_nearly_every_remark_is_read_whole(shared_data: Path) -> None:
    """Outside indications and second-line use at least 99 % of the points in force are read whole."""
    points, imported = _published(shared_data)
    hard = {point.kp_id for point in points if point.rule_class in _HARD}
    others = [entry for entry in imported.report if entry.status != "superseded" and entry.kp_id not in hard]
    assert _share(others, ("rule",), _bites(shared_data)) >= 0.99


def test_withdrawn_points_still_explain_old_findings(shared_data: Path) -> None:
    """A withdrawn point's rule bites for a day before the revision."""
    _, imported = _published(shared_data)
    withdrawn = [entry for entry in imported.report if entry.status == "superseded"]
    assert len(withdrawn) > 600
    assert _share(withdrawn, ("superseded",), _bites(shared_data)) >= 0.99


def test_parameters_agree_with_labels_made_by_hand(shared_data: Path) -> None:
    """At least 98 % of the labelled parameters are the same; where the remark says more, the remark wins."""
    _, imported = _published(shared_data)
    read = {entry.kp_id: entry.parameters for entry in imported.report}
    labels = (shared_data / "expected_parameters.tsv").read_text("utf-8").splitlines()[1:]
    compared = [
        (kp_id, _translated(key, value), read[kp_id])
        for kp_id, _, _, parameters in (label.split("\t") for label in labels)
        for key, value in json.loads(parameters).items()
    ]
    agree = [wanted for _, wanted, found in compared if found.get(wanted[0]) == wanted[1]]
    assert len(agree) / len(compared) >= 0.98, [row for row in compared if row[2].get(row[1][0]) != row[1][1]]


def _translated(key: str, value: str) -> tuple[str, Any]:
    """A label in the words of the report: other keys, other words, days as a number."""
    if key == "course":
        return "course_days", int(value.removesuffix("天"))
    keys = {"visit_mode": "visit_modes"}
    words: dict[str, Any] = {
        "住院": ["inpatient"],
        "工伤": ["work-injury"],
        "生育": ["maternity"],
        "一级": 1,
        "二级": 2,
        "三级": 3,
    }
    return keys.get(key, key), words.get(value, value)


def test_every_rule_of_the_published_points_is_valid(shared_data: Path) -> None:
    """Rule ids are unique, every rule cites its source, and the report names only rules of the list."""
    _, imported = _published(shared_data)
    ids = [rule.id for rule in imported.rule_list.rules]
    assert len(ids) == len(set(ids))
    assert all(rule.basis.document and rule.basis.article for rule in imported.rule_list.rules)
    assert {name for entry in imported.report for name in entry.rule_ids} == set(ids)
