"""Builders of feedback and of the decisions it is about: what a test does not say is the same everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from reminder.exits import EXIT_PERIOD
from reminder.journal.base import Draft
from reminder.journal.briefs import brief_of
from reminder.journal.coding import encode
from reminder.journal.entries import Exit, Feedback

__all__ = ["NOW", "RULE", "after", "exit_until", "kept", "word"]

NOW = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)
RULE = "R67-apalutamide"


def after(hours: float) -> datetime:
    """An instant some hours later."""
    return NOW + timedelta(hours=hours)


def exit_until(left_at: datetime = NOW, rule_id: str = RULE, **fields: str) -> Exit:
    """A block left at an instant."""
    told = {"item": "A", "order_date": "2026-01-01"} | fields
    return Exit(rule_id=rule_id, until=left_at + EXIT_PERIOD, **told)


def word(**fields: Any) -> Feedback:
    """A word about a finding: its block was left."""
    told: dict[str, Any] = {
        "engine": "test",
        "at": NOW,
        "done_at": fields.get("at", NOW),
        "finding_id": "01KDZZZZZZZZZZZZZZZZZZZZZZ0123456789",
        "decision_id": "01KDZZZZZZZZZZZZZZZZZZZZZZ",
        "encounter_key": "e",
        "rule_id": RULE,
        "done": "exited",
        "reason_code": "emergency",
        "doctor_id": "D1",
    }
    return Feedback(**(told | fields))


def kept(entry: Feedback) -> Draft:
    """The word as it goes to the journal."""
    return Draft(
        kind="feedback",
        at=entry.at,
        decision_id=entry.decision_id,
        encounter_key=entry.encounter_key,
        brief=brief_of(entry),
        body=encode(entry),
    )
