"""Reports from what the store knows: the wards' lists and an institution's indicators.

A row is a mapping from column to value, in the order of the columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from negative_list.indicators import FACTS, READMITTED_DAYS, Indicator, indicators_of
from negative_list.readers.stored import StoreFact
from reminder.reports.table import Report
from reminder.reports.words import columns

if TYPE_CHECKING:
    from datetime import tzinfo

    from reminder.stores.base import OpenFinding, Store

__all__ = ["facts_of", "indicator_report", "indicator_rows", "indicators", "ward_report", "ward_rows"]

_Told: TypeAlias = Mapping[str, Any]

SOURCE = "reports from history"
"""The source of an indicator that is kept as a fact."""

KEPT_DAYS = 62
"""Days an indicator holds as a fact: until two months later, by when the next month's is worked out."""

_WARD = (
    "institution_id",
    "ward",
    "department",
    "bed",
    "admitted_on",
    "starts_on",
    "action",
    "item",
    "line_id",
    "ordered_at",
    "class_id",
    "rule_id",
    "message",
    "amount_yuan",
    "found_at",
    "closed_at",
)
_INDICATOR = ("class_id", "name", "institution_id", "part", "whole", "unit", "percent", "uncounted")
_PLACES = ("ward", "department", "bed")
_NOWHERE = "nowhere"


def ward_report(rows: Iterable[_Told], *, for_people: bool = True) -> Report:
    """The wards' lists; to people, a stay without ward, department and bed says that it has none."""
    return Report(title="ward", columns=columns(_WARD), rows=_placed(rows, for_people=for_people), keys=2, bare=True)


def _placed(rows: Iterable[_Told], *, for_people: bool) -> Iterator[list[Any]]:
    for row in rows:
        lost = for_people and not any(row[name] for name in _PLACES)
        yield [_NOWHERE if lost and name == "ward" else row[name] for name in _WARD]


def indicator_report(found: Iterable[Indicator]) -> Report:
    """The indicators of institutions."""
    rows = ([row[name] for name in _INDICATOR] for row in indicator_rows(found))
    return Report(title="indicator", columns=columns(_INDICATOR), rows=rows, keys=2, bare=True)


def ward_rows(findings: Iterable[OpenFinding], zone: tzinfo) -> Iterator[_Told]:
    """The wards' lists, one row for each order found; times as civil times of the site, the amount in fen."""
    for one in findings:
        yield {
            "institution_id": one.institution_id,
            "ward": one.ward,
            "department": one.department,
            "bed": one.bed,
            "admitted_on": one.admitted_on,
            "starts_on": one.starts_on,
            "action": one.action,
            "item": one.item,
            "line_id": one.line_id,
            "ordered_at": one.ordered_at,
            "class_id": one.class_id,
            "rule_id": one.rule_id,
            "message": one.message,
            "amount_yuan": one.amount_fen,
            "found_at": _civil(one.found_at, zone),
            "closed_at": _civil(one.closed_at, zone),
        }


def indicators(store: Store, begin: datetime, end: datetime, now: datetime) -> list[Indicator]:
    """The indicators of every institution over [begin, end); ``now`` is civil time, up to when admissions are known."""
    visits = store.saved_encounters(begin, end + timedelta(days=READMITTED_DAYS + 1))
    return indicators_of(visits, begin, end, now)


def indicator_rows(found: Iterable[Indicator]) -> Iterator[_Told]:
    """One row for each indicator of each institution; of what was saved without one, only where there is a figure."""
    for one in found:
        if one.institution_id or one.whole or one.uncounted:
            yield {name: getattr(one, name) for name in _INDICATOR}


def facts_of(found: Iterable[Indicator], end: datetime) -> list[StoreFact]:
    """Indicators as facts of their institutions, from the end of the period on; what has no figure is left out."""
    return [
        StoreFact(
            subject=one.institution_id,
            fact=FACTS[one.class_id],
            value=one.percent,
            valid_from=end,
            expires=end + timedelta(days=KEPT_DAYS),
            source=SOURCE,
        )
        for one in found
        if one.percent is not None and one.institution_id
    ]


def _civil(moment: datetime | None, zone: tzinfo) -> str:
    if moment is None:
        return ""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return f"{aware.astimezone(zone):%Y-%m-%d %H:%M}"
