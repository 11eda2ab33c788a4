"""Lists beside the figures by group: top rules, rules in question, flags, reasons, and every reminder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from reminder.compliance.questions import proposed, top_rules
from reminder.reports.grouped import share

if TYPE_CHECKING:
    from reminder.compliance.questions import Flag
    from reminder.compliance.records import Figures, Reminder, Report
    from reminder.reports.table import Row

__all__ = [
    "DEMOTION",
    "FLAGS",
    "REASONS",
    "REMINDER",
    "TOP",
    "demotion_rows",
    "flag_rows",
    "reason_rows",
    "reminder_row",
    "top_rows",
]

TOP = ("rank", "rule", "class", "findings", "share", "up_to", "reminders", "warned_yuan", "intercepted_yuan")
"""The columns of the list of top rules."""

DEMOTION = ("rule", "class", "findings", "known", "kept", "kept_share", "gone", "gone_share", "reminders")
"""The columns of the rules proposed for demotion."""

FLAGS = ("flag", "subject", "day", "flag_part", "flag_whole", "flag_share")
"""The columns of what the office should look at."""

REASONS = ("reason", "reason_code", "count", "reason_share")
"""The columns of the reasons."""

REMINDER: Mapping[str, str] = {
    "reminder_id": "reminder_id",
    "rule": "rule_id",
    "class": "class_id",
    "item": "item",
    "item_name": "item_name",
    "order_date": "order_date",
    "first_at": "first_at",
    "last_at": "last_at",
    "shown": "shown",
    "action": "action",
    "undecided": "unknown",
    "fund_only": "fund_only",
    "institution": "institution",
    "department_code": "department",
    "ward_code": "ward",
    "doctor": "doctor",
    "addressee": "addressee",
    "scene": "scene",
    "mode": "visit_mode",
    "amount_yuan": "amount_fen",
    "warned_part_yuan": "warned_fen",
    "was_intercepted": "intercepted",
    "intercepted_part_yuan": "intercepted_fen",
    "outcome": "outcome",
    "source": "source",
    "settled_at": "settled_at",
    "contrary": "disagrees",
    "done": "done",
    "reason": "reason_code",
    "has_text": "has_text",
    "junk_text": "junk",
    "was_automatic": "automatic",
    "answer_ms": "answer_ms",
    "finding_ids": "finding_ids",
}
"""The columns of the list of reminders, and the fields they show."""

_KNOWN = ("changed", "withdrawn", "self_paid", "justified", "overridden", "exited", "ignored", "abandoned")
_KEPT = ("overridden", "exited", "ignored")
_GONE = ("changed", "withdrawn", "self_paid")


def reminder_row(one: Reminder, zone: tzinfo) -> Row:
    """A reminder; its instants as civil times."""
    return [_cell(getattr(one, name), zone) for name in REMINDER.values()]


def _cell(value: object, zone: tzinfo) -> object:
    if isinstance(value, datetime):
        return value.astimezone(zone).replace(tzinfo=None, microsecond=0)
    return " ".join(value) if isinstance(value, tuple) else value


def top_rows(by_rule: Report, class_of: Mapping[str, str]) -> Iterator[Row]:
    """Rules by findings, with their own and the cumulative share."""
    for rank, top in enumerate(top_rules(by_rule), 1):
        figures, rule = top.group.figures, top.group.key
        shares = (share(top.share.part, top.share.whole), share(top.cumulative.part, top.cumulative.whole))
        money = (figures.warned_fen, figures.intercepted_fen)
        yield (rank, rule, class_of.get(rule, ""), figures.findings, *shares, figures.reminders, *money)


def demotion_rows(by_rule: Report, class_of: Mapping[str, str]) -> Iterator[Row]:
    """Rules that are gone on with nearly always, with the figures that say so."""
    for group in proposed(by_rule):
        outcomes = group.figures.outcomes
        known, kept, gone = (sum(outcomes.get(name, 0) for name in names) for names in (_KNOWN, _KEPT, _GONE))
        shares = (kept, share(kept, known), gone, share(gone, known))
        about = (group.key, class_of.get(group.key, ""), group.figures.findings)
        yield (*about, known, *shares, group.figures.reminders)


def flag_rows(found: Iterable[Flag]) -> Iterator[Row]:
    """What the office should look at; of exits there is no share."""
    for one in found:
        part, whole = one.share.part, one.share.whole
        yield (one.what, one.about, one.day, part, whole, None if one.what == "exits" else share(part, whole))


def reason_rows(total: Figures) -> Iterator[Row]:
    """The reasons of going on, most often given first, each with its share."""
    whole = sum(total.reasons.values())
    for code, count in sorted(total.reasons.items(), key=lambda one: (-one[1], one[0])):
        yield (code, code, count, share(count, whole))
