"""What every report says of itself: the period, the evidence, the formula with its date, and what was not counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from reminder.reports.table import Said
from reminder.reports.words import word

if TYPE_CHECKING:
    from reminder.compliance.formulas import Formula
    from reminder.compliance.records import Figures, Notes
    from reminder.reports.asking import Asked

__all__ = ["Lost", "foot_of", "foot_of_list", "head_of"]

_DAY = timedelta(days=1)
_HUNDRED = 100


class Lost(Struct, frozen=True, kw_only=True):
    """What the journal itself says it does not hold of a period.

    ``answers``: of how many answers the entry was lost (entries ``gap``); ``removed``: how many entries retention took.
    """

    answers: int = 0
    removed: int = 0


def head_of(asked: Asked, formula: Formula | None = None, later: Iterable[Formula] = ()) -> tuple[Said, ...]:
    """What was counted. Days are said as people do: the first and the last one.

    ``later``: formulas of the same name that come into force within the period; the report is by the first one.
    """
    told = tuple(_head(asked, formula))
    return (*told, *(Said(name="later", value=one.value, zh=one.zh, en=one.en) for one in map(_formula, later)))


def _head(asked: Asked, formula: Formula | None) -> Iterator[Said]:
    first, last, days = asked.begin, asked.end - _DAY, (asked.end - asked.begin).days
    value: Any = {"from": str(first), "to": str(asked.end)}
    zh, en = f"{first} 至 {last}，共 {days} 天", f"{first} to {last}, {days} days"
    yield Said(name="period", value=value, zh=zh, en=en)
    known = str(asked.until - _DAY)
    yield Said(name="until", value=str(asked.until), zh=known, en=known)
    if asked.institution:
        yield Said(name="only", value=asked.institution, zh=asked.institution, en=asked.institution)
    if formula is not None:
        yield _formula(formula)


def _formula(formula: Formula) -> Said:
    value = {
        "name": formula.name,
        "from": str(formula.valid_from),
        "unit": formula.unit,
        "numerator": list(formula.numerator),
        "denominator": list(formula.denominator),
    }
    return Said(name="formula", value=value, zh=_written(formula, english=False), en=_written(formula, english=True))


def _written(formula: Formula, *, english: bool) -> str:
    between = ", " if english else "、"
    over, under = (
        between.join(word("way", part, english=english) for part in parts)
        for parts in (formula.numerator, formula.denominator)
    )
    unit = word("unit", formula.unit, english=english)
    if english:
        return f"{formula.name}, in force from {formula.valid_from}: of {unit}, ({over}) / ({under})"
    return f"{formula.name}，{formula.valid_from} 起施行：按{unit}计，（{over}）／（{under}）"


def foot_of(notes: Notes, total: Figures, lost: Lost) -> tuple[Said, ...]:
    """What was not counted, and what is not known. Only outcomes nobody knows are told where there are none."""
    unobserved = total.outcomes.get("unobserved", 0)
    counts = (
        ("lost", lost.answers),
        ("removed", lost.removed),
        ("shadow", total.shadow),
        ("before", notes.before),
        ("unjoined", notes.unjoined),
        ("unknown_feedback", notes.unknown),
        ("late", notes.late),
        ("keyless", notes.keyless),
    )
    return (_unobserved(unobserved, total.reminders), *_counts(counts))


def foot_of_list(rows: int, lost: Lost) -> tuple[Said, ...]:
    """The same of a list: how many rows it has, and what the journal does not hold."""
    said_rows = Said(name="rows", value=rows, zh=f"{rows:,}", en=f"{rows:,}")
    return (said_rows, *_counts((("lost", lost.answers), ("removed", lost.removed))))


def _counts(counts: Iterable[tuple[str, int]]) -> Iterator[Said]:
    for name, count in counts:
        if count:
            yield Said(name=name, value=count, zh=f"{count:,}", en=f"{count:,}")


def _unobserved(count: int, whole: int) -> Said:
    percent = f"{_HUNDRED * count / whole:.1f}%" if whole else "-"
    zh, en = f"{count:,} 条，占提醒的 {percent}", f"{count:,}, {percent} of the reminders"
    return Said(name="unobserved", value=count, zh=zh, en=en)
