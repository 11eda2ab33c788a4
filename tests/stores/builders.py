"""Builders of what a store is told: valid records with what a test cares about named. Invented people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from negative_list.prescription import Diagnosed, Encounter, Line
from negative_list.readers.stored import StoreFact
from reminder.stores.base import HistoryRecord, OpenFinding, Saved, Wanted

__all__ = [
    "AT", "DAY", "HERE", "NOW", "THERE", "encounter", "fact", "fed", "finding", "later", "line", "saved", "wanted",
]  # fmt: skip

DAY = datetime(2026, 1, 10, 9, 0)
"""The civil time of a line that names none."""

AT = datetime(2026, 2, 1, 9, 0)
"""The civil time of a check that names none."""

NOW = datetime(2026, 2, 1, 1, 0, tzinfo=UTC)
"""The same instant."""

HERE, THERE = "H1", "H2"
"""The institution that asks, and another one."""


def line(id: str = "R1", **fields: Any) -> Line:  # noqa: A002 - the field's name
    """One line; without a word about it of 2 boxes in encounter ``e1`` on :data:`DAY`."""
    told = {
        "encounter_id": "e1",
        "codes": ("XA11DAW036A001010104127",),
        "name": "维生素B1片",
        "current": False,
        "begins": DAY,
        "facts": {"line.quantity": Decimal(2), "line.institution_id": HERE},
    }
    return Line(id=id, **{**told, **fields})


def encounter(id: str = "e1", **facts: Any) -> Encounter:  # noqa: A002 - the field's name
    """One encounter with a diagnosis; keywords are its facts, without their holder."""
    told = {f"encounter.{name}": value for name, value in facts.items()}
    return Encounter(id=id, facts=told, diagnoses=(Diagnosed(codes=("I10.x00",), name="高血压"),))


def saved(*lines: Line, **fields: Any) -> Saved:
    """A saved prescription of patient ``p1`` in encounter ``e1``: its first revision."""
    told = {
        "institution_id": HERE,
        "encounter_key": "e1",
        "patient_key": "p1",
        "prescription_id": "RX1",
        "revision": 1,
        "saved_at": NOW,
        "encounter": encounter(fields.get("encounter_key", "e1")),
        "lines": lines,
    }
    return Saved(**{**told, **fields})


def fed(*lines: Line, **fields: Any) -> HistoryRecord:
    """A record of another institution's feed about patient ``p1``."""
    told = {"institution_id": THERE, "record_id": "F1", "patient_key": "p1", "lines": lines}
    return HistoryRecord(**{**told, **fields})


def fact(value: Any = Decimal("1.5"), **fields: Any) -> StoreFact:
    """A fact about patient ``p1``, told the day before :data:`AT` where it names no time."""
    told_at = None if fields.get("valid_from") else AT - timedelta(days=1)
    told = {"subject": "p1", "fact": "encounter.creatinine_umol_l", "value": value, "told_at": told_at}
    return StoreFact(**{**told, **fields})


def finding(rule_id: str = "rule", **fields: Any) -> OpenFinding:
    """A finding about an order of encounter ``e1``."""
    told = {
        "encounter_key": "e1",
        "institution_id": HERE,
        "ward": "W1",
        "bed": "1",
        "class_id": "R01",
        "line_id": "R1",
        "item": "维生素B1片",
        "action": "warn",
        "message": "【警告】",
        "found_at": NOW,
    }
    return OpenFinding(rule_id=rule_id, **{**told, **fields})


def wanted(*subjects: str, **fields: Any) -> Wanted:
    """What a check of patient ``p1`` in a new encounter asks."""
    told = {"patient_key": "p1", "encounter_key": "now", "institution_id": HERE, "at": AT, "subjects": subjects}
    return Wanted(**{**told, **fields})


def later(minutes: int) -> datetime:
    """An instant after :data:`NOW`."""
    return NOW + timedelta(minutes=minutes)
