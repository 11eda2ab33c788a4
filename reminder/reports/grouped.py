"""Figures of compliance as rows: one for each rule, doctor, day and so on, and one of the total.

Figures are counts; shares are made here, so that a total is never a mean of shares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from reminder.compliance.formulas import rate
from reminder.compliance.records import OUTCOMES, SOURCES, Figures
from reminder.reports.table import Bar, Chart, Line, Pareto, Stack
from reminder.reports.words import columns, flat, word

if TYPE_CHECKING:
    from reminder.compliance.formulas import Formula
    from reminder.compliance.records import Group, Report
    from reminder.reports.table import Column, Row

__all__ = ["BY", "charts", "group_columns", "group_row", "pareto", "share"]

BY: Mapping[str, tuple[str, str]] = {
    "rule": ("rule", "rule"),
    "class": ("class", "class"),
    "department": ("department", "department_code"),
    "doctor": ("doctor", "doctor"),
    "institution": ("institution", "institution"),
    "addressee": ("addressee", "addressee"),
    "scene": ("scene", "scene"),
    "mode": ("visit_mode", "mode"),
    "ward-compliance": ("ward", "ward_code"),
    "day": ("day", "day"),
    "week": ("week", "week"),
    "month": ("month", "month"),
    "board": ("hour", "hour"),
}
"""What a report by groups is made from: the grouping of the figures, and the column its groups stand in."""

_MAX_BARS = 31
_TIMES = frozenset({"day", "week", "month", "board"})
_MS_IN_S = 1000
_HUNDRED = 100

_Cell: TypeAlias = Callable[[Figures], Any]


def share(part: int, whole: int) -> Fraction | None:
    """A part of a whole; ``None`` of nothing."""
    return Fraction(part, whole) if whole else None


def _of(mapping: str, name: str) -> _Cell:
    return lambda figures: getattr(figures, mapping).get(name, 0)


def _share_of(mapping: str, name: str) -> _Cell:
    return lambda figures: share(getattr(figures, mapping).get(name, 0), figures.reminders)


def _plain(name: str) -> _Cell:
    return lambda figures: getattr(figures, name)


def _asked(name: str) -> _Cell:
    return lambda figures: None if figures.asked is None else getattr(figures.asked, name)


def _per_100(figures: Figures) -> Fraction | None:
    asked = figures.asked
    return Fraction(_HUNDRED * asked.interruptions, asked.prescriptions) if asked and asked.prescriptions else None


def _drug_share(figures: Figures) -> Fraction | None:
    return None if figures.asked is None else share(figures.asked.drugs_fen, figures.asked.fees_fen)


def _top_reason(figures: Figures) -> tuple[str, int]:
    """The reason given most often, the smaller code of two; words without a code aside."""
    coded = [(count, code) for code, count in figures.reasons.items() if code]
    count, code = min(coded, key=lambda one: (-one[0], one[1]), default=(0, ""))
    return code, count


def _acted_s(figures: Figures) -> int | None:
    return None if figures.acted.median is None else round(figures.acted.median / _MS_IN_S)


_OUTCOMES: Mapping[str, _Cell] = {
    "reminders": _plain("reminders"),
    **{name: _of("outcomes", name) for name in OUTCOMES},
}
_EVIDENCE: Mapping[str, _Cell] = {
    "findings": _plain("findings"),
    "showings": _plain("showings"),
    "repeats": _plain("repeats"),
    "repeat_share": lambda figures: share(figures.repeats, figures.showings),
    **{f"by_{name}": _of("sources", name) for name in SOURCES},
    "none_share": _share_of("sources", "none"),
    "disagrees": _plain("disagrees"),
    "automatic": _plain("automatic"),
    "unknown": _plain("unknown"),
    "shadow": _plain("shadow"),
}
_MONEY: Mapping[str, _Cell] = {
    **{action: _of("actions", action) for action in ("block", "warn", "remind")},
    "at_risk_yuan": _plain("at_risk_fen"),
    "warned_yuan": _plain("warned_fen"),
    "intercepted_yuan": _plain("intercepted_fen"),
    "intercepted_share": lambda figures: share(figures.intercepted_fen, figures.warned_fen),
    "self_paid_share": _share_of("outcomes", "self_paid"),
    "justified_share": _share_of("outcomes", "justified"),
}
_REASONS: Mapping[str, _Cell] = {
    "reasons": lambda figures: sum(figures.reasons.values()),
    "texts": _plain("texts"),
    "junk": _plain("junk"),
    "junk_share": lambda figures: share(figures.junk, figures.texts),
    "top_reason": lambda figures: _top_reason(figures)[0] or None,
    "top_reason_share": lambda figures: share(_top_reason(figures)[1], sum(figures.reasons.values())),
}
_TIME: Mapping[str, _Cell] = {
    "answered_ms": lambda figures: figures.answered.median,
    "answered_p90_ms": lambda figures: figures.answered.p90,
    "acted_s": _acted_s,
}
_ASKED: Mapping[str, _Cell] = {
    "checks": _asked("checks"),
    "prescriptions": _asked("prescriptions"),
    "interruptions": _asked("interruptions"),
    "per_100": _per_100,
    "visits": _asked("visits"),
    "doctors": _asked("doctors"),
    "fees_yuan": _asked("fees_fen"),
    "drugs_yuan": _asked("drugs_fen"),
    "drug_share": _drug_share,
}
_BOARD = ("visits", "prescriptions", "fees_yuan", "reminders", "rate", "rate_of", "drugs_yuan", "drug_share", "doctors")


def _cells(formula: Formula) -> Mapping[str, _Cell]:
    rates: Mapping[str, _Cell] = {
        "rate": lambda figures: share(rate(formula, figures).part, rate(formula, figures).whole),
        "rate_of": lambda figures: rate(formula, figures).whole,
    }
    return {**_OUTCOMES, **rates, **_EVIDENCE, **_MONEY, **_REASONS, **_TIME, **_ASKED}


def _names(by: str) -> Sequence[str]:
    if by == "board":
        return _BOARD
    names = [*_OUTCOMES, "rate", "rate_of", *_EVIDENCE, *_MONEY, *_REASONS, *_TIME]
    return names if by in {"rule", "class", "addressee"} else [*names, *_ASKED]


def group_columns(by: str) -> tuple[Column, ...]:
    """The columns of a report by groups."""
    return (flat if by == "board" else columns)((BY[by][1], *_names(by)))


def group_row(by: str, formula: Formula) -> Callable[[str, Figures], Row]:
    """What makes the row of a group."""
    cells = _cells(formula)
    picked = [cells[name] for name in _names(by)]
    return lambda key, figures: (key, *(cell(figures) for cell in picked))


def charts(by: str, report: Report, days: Report | None, formula: Formula, *, english: bool) -> tuple[Chart, ...]:
    """What a page draws: outcomes by group, the rate by day, and of rules how few make the most."""
    drawn: list[Chart] = [_outcomes(by, report, english=english)]
    if days is not None and len(days.groups) > 1:
        drawn.append(_rates(days, formula))
    if by == "rule":
        drawn.append(pareto(report))
    return tuple(drawn)


def _outcomes(by: str, report: Report, *, english: bool) -> Stack:
    groups = [one for one in report.groups if one.figures.reminders]
    if by not in _TIMES:
        groups.sort(key=lambda one: (-one.figures.reminders, one.key))
    bars = tuple(
        Bar(
            label=_label(by, one.key, english=english),
            parts=tuple(one.figures.outcomes.get(name, 0) for name in OUTCOMES),
        )
        for one in groups[:_MAX_BARS]
    )
    left_out = max(0, len(groups) - _MAX_BARS)
    return Stack(title="outcomes", words="outcome", parts=OUTCOMES, bars=bars, left_out=left_out)


def _label(by: str, key: str, *, english: bool) -> str:
    (column,) = columns((BY[by][1],))
    return word(column.words, key, english=english) if column.words else key


def _rates(days: Report, formula: Formula) -> Line:
    shares = ((one.key, rate(formula, one.figures)) for one in days.groups)
    return Line(title="rates", points=tuple((day, share(found.part, found.whole)) for day, found in shares))


def pareto(report: Report) -> Pareto:
    """How few rules make the most findings."""
    ranked = sorted(report.groups, key=_by_findings)
    bars = tuple((one.key, one.figures.findings) for one in ranked[:_MAX_BARS])
    left_out = max(0, len(ranked) - _MAX_BARS)
    return Pareto(title="top", whole=report.total.findings, bars=bars, left_out=left_out)


def _by_findings(group: Group) -> tuple[int, str]:
    return -group.figures.findings, group.key
