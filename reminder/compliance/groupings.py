"""What a row of a report may be about: each grouping as a function of a reminder, a check and a finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from reminder.compliance.records import Reminder
from reminder.journal.brief import FoundBrief

if TYPE_CHECKING:
    from reminder.journal.brief import DecisionBrief

__all__ = ["GROUPINGS", "Answer", "Grouping", "week_of"]


class Answer(Protocol):
    """A decision, as far as groups are about it. ``civil`` is like "2026-01-05 09"."""

    @property
    def institution(self) -> str:
        """The institution that asked."""

    @property
    def civil(self) -> str:
        """The civil hour it was answered in."""

    @property
    def brief(self) -> DecisionBrief:
        """What reports read of it."""


class Grouping(Struct, frozen=True, kw_only=True):
    """The key of a reminder, and of a finding in an answer.

    A finding stands in the group of its answer (``of_check``), or, where ``of_check`` is ``None``, in its own
    (``of_found``): by rule, class and addressee a check has no group.
    """

    of_reminder: Callable[[Reminder], str]
    of_check: Callable[[Answer], str] | None = None
    of_found: Callable[[FoundBrief], str] | None = None


@lru_cache(maxsize=4096)
def week_of(day: str) -> str:
    """The ISO week of a civil day, like "2026-W02"."""
    year, week, _ = date.fromisoformat(day).isocalendar()
    return f"{year}-W{week:02}"


GROUPINGS: Mapping[str, Grouping] = {
    "rule": Grouping(of_reminder=lambda one: one.rule_id, of_found=lambda found: found.rule_id),
    "class": Grouping(of_reminder=lambda one: one.class_id, of_found=lambda found: found.class_id),
    "addressee": Grouping(of_reminder=lambda one: one.addressee, of_found=lambda found: found.addressee),
    "institution": Grouping(of_reminder=lambda one: one.institution, of_check=lambda check: check.institution),
    "department": Grouping(of_reminder=lambda one: one.department, of_check=lambda check: check.brief.department),
    "doctor": Grouping(of_reminder=lambda one: one.doctor, of_check=lambda check: check.brief.doctor),
    "scene": Grouping(of_reminder=lambda one: one.scene, of_check=lambda check: ",".join(check.brief.scene)),
    "visit_mode": Grouping(of_reminder=lambda one: one.visit_mode, of_check=lambda check: check.brief.visit_mode),
    "ward": Grouping(of_reminder=lambda one: one.ward, of_check=lambda check: check.brief.ward),
    "hour": Grouping(of_reminder=lambda one: one.civil_hour, of_check=lambda check: check.civil),
    "day": Grouping(of_reminder=lambda one: one.civil_day, of_check=lambda check: check.civil[:10]),
    "week": Grouping(of_reminder=lambda one: week_of(one.civil_day), of_check=lambda check: week_of(check.civil[:10])),
    "month": Grouping(of_reminder=lambda one: one.civil_day[:7], of_check=lambda check: check.civil[:7]),
}
"""The words of ``--by``."""
