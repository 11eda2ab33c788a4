"""The points ledger as lists for people: where doctors stand, and the events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reminder.office.points import band_of

if TYPE_CHECKING:
    from reminder.office.points import Event, Standing

__all__ = ["EVENTS", "STANDINGS", "STATES", "event_row", "standing_row"]

STATES: Mapping[str, tuple[str, str]] = {
    "ok": ("正常", "ok"),
    "talk": ("约谈", "talk"),
    "suspended": ("暂停", "suspended"),
    "ended": ("终止", "ended"),
}
"""What states are called."""

STANDINGS: Mapping[str, tuple[str, str]] = {
    "doctor_id": ("医师", "doctor"),
    "points": ("本年记分", "points of the year"),
    "state": ("状态", "state"),
    "since": ("自", "since"),
    "until": ("暂停至", "suspended until"),
    "may_apply_from": ("可申请恢复", "may apply from"),
}
"""The columns of where doctors stand."""

EVENTS: Mapping[str, tuple[str, str]] = {
    "event_id": ("事件", "event"),
    "doctor_id": ("医师", "doctor"),
    "points": ("记分", "points"),
    "band": ("档次", "gravity"),
    "decided_on": ("认定日期", "decided on"),
    "until": ("暂停至", "suspended until"),
    "why": ("事由", "why"),
    "by": ("认定机构", "by"),
    "voided": ("已作废", "voided"),
}
"""The columns of the events."""


def standing_row(standing: Standing, *, english: bool) -> dict[str, object]:
    """Where a doctor stands as a row of a list."""
    days = {name: getattr(standing, name) for name in ("since", "until", "may_apply_from")}
    return {
        "doctor_id": standing.doctor_id,
        "points": standing.points,
        "state": STATES[standing.state][english],
        **{name: "" if day is None else day.isoformat() for name, day in days.items()},
    }


def event_row(event: Event, *, english: bool) -> dict[str, object]:
    """An event as a row of a list."""
    band = band_of(event.points)
    return {
        "event_id": event.event_id,
        "doctor_id": event.doctor_id,
        "points": event.points,
        "band": "" if band is None else (band.en if english else band.zh),
        "decided_on": event.decided_on.isoformat(),
        "until": "" if event.until is None else event.until.isoformat(),
        "why": event.why,
        "by": event.by,
        "voided": {True: "yes" if english else "是", False: ""}[event.voided],
    }
