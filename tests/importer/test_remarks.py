"""Invented points are read as a careful reader reads them."""

from __future__ import annotations

from typing import Any

import pytest

from negative_list.importer import PointReport, import_points
from tests.importer.remarks import REMARKS, Case

_NAMES = [f"{n}-{case.rule_class}-{case.remark[:14]}" for n, case in enumerate(REMARKS)]


def _read(case: Case) -> PointReport:
    row: dict[str, Any] = {
        "kp_id": "KP-1",
        "rule_class": case.rule_class,
        "item_name": case.item,
        "med_codes": ("A1", "A2") if "×" in case.item else ("A1",),
        "constraint": case.remark,
        "batch_tag": "batch_18",
        **case.columns,
    }
    return import_points([row]).report[0]


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
