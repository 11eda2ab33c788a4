"""The period of a report: civil days of the site as instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from reminder.compliance.records import LOOK_BACK_DAYS, Period

__all__ = ["EVIDENCE_DAYS", "LOOK_BACK", "period_of", "reads_from"]

EVIDENCE_DAYS = 31
"""Days after a period that evidence still counts: a stay is settled, feedback comes late; a month later it is over."""

LOOK_BACK = timedelta(days=LOOK_BACK_DAYS)
"""After this time without a showing a reminder that is shown again is a new one."""


def period_of(first: date, last: date, zone: tzinfo, until: date | None = None) -> Period:
    """The half-open period of civil days [first, last), with evidence up to the midnight of ``until``.

    Raises:
        ValueError: It ends before it begins, or its evidence ends before it does.
    """
    end_of_evidence = until or last + timedelta(days=EVIDENCE_DAYS)
    if not first < last <= end_of_evidence:
        raise ValueError(f"`{first}` to `{last}` until `{end_of_evidence}` is no period; give its days in their order")
    begin, end, known = (_midnight(day, zone) for day in (first, last, end_of_evidence))
    return Period(begin=begin, end=end, until=known)


def reads_from(period: Period) -> datetime:
    """From when on entries have to be read."""
    return period.begin - LOOK_BACK


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
