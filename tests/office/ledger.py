"""Entries of a points ledger for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from reminder.journal.entries import PointsEvent

__all__ = ["entry"]


def entry(decided_on: str, points: int, doctor: str = "D1", **told: Any) -> PointsEvent:
    """An event of a doctor, entered at noon of the day."""
    ident = told.pop("event_id", f"{doctor}/{decided_on}")
    at = datetime.fromisoformat(f"{decided_on}T04:00:00").replace(tzinfo=UTC)
    return PointsEvent(
        engine="test", at=at, event_id=ident, doctor_id=doctor, points=points, decided_on=decided_on, **told
    )
