"""Invented points are read as a careful reader reads them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest

from negative_list.classes import class_by_name
from negative_list.compile import compile as compiled
from negative_list.conditions import Any as AnyOf
from negative_list.conditions import Fact, Not
from negative_list.importer import Point, PointReport, import_points
from negative_list.importer.proof import tells_apart, trial
from tests.importer.remarks import REMARKS, Case

_NAMES = [f"{n}-{case.rule_class}-{case.remark[:14]}" for n, case in enumerate(REMARKS)]


def _row(case: Case) -> dict[str, Any]:
    return {
        "kp_id": "KP-1",
        "rule_class": case.rule_class,
        "item_name": case.item,
        "med_codes": ("A1", "A2") if "×" in case.item else ("A1",),
        "constraint": case.remark,
        "batch_tag": "batch_18",
        **case.columns,
    }


def _read(case: Case) -> PointReport:
    return import_points([_row(case)]).report[0]


def _holds(parameters: Any, key: str, wanted: Any) -> bool:
    """A wanted code or term is among those read; anything else is equal; ``None`` is absent."""
    if wanted is None:
        return key not in parameters
    if key in ("codes", "terms"):
        one_or_more = (wanted,) if isinstance(wanted, str) else wanted
        return all(any(code.startswith(want) for code in parameters.get(key, ())) for want in one_or_more)
    return bool(parameters.get(key) == wanted)


@pytest.mark.parametrize("case", REMARKS, ids=_NAMES)
def test_an_invented_point_is_read(case: Case) -> None:
    """The parameters and the status of every invented point are those its author meant."""
    report = _read(case)
    wrong = {
        key: report.parameters.get(key)
        for key, want in case.expected.items()
        if not _holds(report.parameters, key, want)
    }
    assert (wrong, report.status) == ({}, case.status), report


def test_there_are_enough_invented_points() -> None:
    """At least 120 invented points, over every class of the published ones."""
    assert len(REMARKS) >= 120
    assert len({case.rule_class for case in REMARKS}) >= 20


def test_a_listed_disease_outside_the_table_is_asked() -> None:
    """A member of a list that no row stands for lets in whoever the doctor says it is met for, and demands nothing."""
    imported = import_points([_row(Case("药品限适应症", "某某片", "限脑外伤、颅脑大手术", {}))])
    (rule,) = imported.rule_list.rules
    assert isinstance(rule.violation, Not)
    assert isinstance(rule.violation.of, AnyOf)
    assert rule.violation.of.of[-1] == Fact(fact="line.payment_condition_met", any_of=(True,))
    assert imported.report[0].unread == ("颅脑大手术",)


_READ = [(name, case) for name, case in zip(_NAMES, REMARKS, strict=True) if case.status != "needs-review"]


@pytest.mark.parametrize("case", [case for _, case in _READ], ids=[name for name, _ in _READ])
def test_an_invented_point_bites(case: Case) -> None:
    """The engine tells a violating request from a conforming one, both made from the parameters alone."""
    rows = [_row(case), {**_row(case), "kp_id": "KP-2", "med_codes": ("B1", "B2") if "×" in case.item else ("B1",)}]
    points = [msgspec.convert(row, Point) for row in rows]
    imported = import_points(points)
    class_id = class_by_name(case.rule_class).id
    companion = "A1" if "×" in case.item else "B1"
    made = trial(points[0], imported.report[0], class_id, companion, datetime(2026, 11, 21, 10))
    assert made is None or tells_apart(compiled(imported.rule_list), made, imported.report[0].rule_ids)
    assert (made is None) == (class_id == "R03")
