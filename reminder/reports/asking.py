"""Which report is wanted: what a row is about, which days, in which form; wrong words are all named at once."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from negative_list.errors import FieldProblem, RequestError, nearest
from reminder.compliance.records import LOOK_BACK_DAYS
from reminder.reports.writing import FORMATS, Format

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

__all__ = ["GROUPS", "LISTS", "STORED", "Asked", "asked_of", "subjects"]

STORED = ("ward", "indicator")
"""What is known from the store: the wards' lists, and the indicators of institutions."""

GROUPS = (
    "rule",
    "class",
    "department",
    "doctor",
    "institution",
    "addressee",
    "scene",
    "mode",
    "ward-compliance",
    "day",
    "week",
    "month",
)
"""What reminders are counted by; ``ward-compliance``: by ward, for ``ward`` are the wards' lists."""

LISTS = ("top", "demotion", "flags", "reasons", "reminder", "bureau", "board")
"""Further reports from the journal: rules by firings, rules proposed for demotion, what the office should look at,
reasons of overrides, every reminder, every finding with the columns a bureau keeps, and the board by hour."""

_FIRST_YEAR, _LAST_YEAR = 1900, 2999  # evidence reaches beyond a period, and a calendar ends with 9999
_SETTLED_DAYS = LOOK_BACK_DAYS
"""Days after a period in which what became of its reminders is still looked for, unless another day is named."""


class Asked(Struct, frozen=True, kw_only=True):
    """A report that is wanted: of the civil days from ``begin`` to the day before ``end``.

    Later evidence counts up to the day before ``until``. ``institution``: only this one; "" all of them.
    """

    by: str
    begin: date
    end: date
    until: date
    format: Format = "json"
    english: bool = False
    formula: str = ""
    institution: str = ""

    def instants(self, zone: tzinfo) -> tuple[datetime, datetime, datetime]:
        """``begin``, ``end`` and ``until`` as instants of a zone."""
        first, end, until = (datetime.combine(day, time(), zone) for day in (self.begin, self.end, self.until))
        return first, end, until


def subjects() -> tuple[str, ...]:
    """Every word of ``--by``."""
    return (*STORED, *GROUPS, *LISTS)


def asked_of(  # noqa: PLR0913 - one argument a field of the request
    *,
    by: str,
    begin: str,
    end: str,
    until: str = "",
    as_format: str = "",
    english: bool = False,
    formula: str = "",
    institution: str = "",
) -> Asked:
    """What is asked for in texts; days are "yyyy-mm-dd", an empty ``as_format`` is JSON.

    Raises:
        RequestError: with every field that is wrong.
    """
    problems = [
        *_of_words("by", by, subjects()),
        *_of_words("format", as_format or "json", FORMATS),
        *(problem for name, text in (("from", begin), ("to", end)) for problem in _of_day(name, text)),
        *(_of_day("until", until) if until else ()),
    ]
    if not problems:
        problems = [*_of_order(begin, end, until)]
    if problems:
        raise RequestError(problems)
    last = date.fromisoformat(end)
    return Asked(
        by=by,
        begin=date.fromisoformat(begin),
        end=last,
        until=date.fromisoformat(until) if until else last + timedelta(days=_SETTLED_DAYS),
        format=cast("Format", as_format or "json"),
        english=english,
        formula=formula,
        institution=institution,
    )


def _of_words(field: str, text: str, known: tuple[str, ...]) -> Iterator[FieldProblem]:
    if text not in known:
        message = (
            f"没有 `{text}` (there is no `{text}`{nearest(text, known)}); 可用的有 (known are): {', '.join(known)}"
        )
        yield FieldProblem(field=field, message=message)


def _of_day(field: str, text: str) -> Iterator[FieldProblem]:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        if not text:
            yield FieldProblem(
                field=field, message="缺少日期 (the day is missing); 请写成 2026-01-31 的样子 (write it)"
            )
            return
        message = f"`{text}` 不是日期 (is no day); 请写成 2026-01-31 的样子 (write it like 2026-01-31)"
        yield FieldProblem(field=field, message=message)
        return
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        first, last = _FIRST_YEAR, _LAST_YEAR
        message = f"`{text}` 不在 {first} 至 {last} 年 (is not of the years {first} to {last}); 请改写 (name another)"
        yield FieldProblem(field=field, message=message)


def _of_order(begin: str, end: str, until: str) -> Iterator[FieldProblem]:
    first, last = date.fromisoformat(begin), date.fromisoformat(end)
    if first >= last:
        message = (
            "统计期间为空 (the period ends before it begins); 请写期间之后的第一天 (`to` is the first day after it)"
        )
        yield FieldProblem(field="to", message=message)
    elif until and date.fromisoformat(until) < last:
        message = "证据截止日早于期间结束 (evidence ends before the period does); 请改晚 (name a later day)"
        yield FieldProblem(field="until", message=message)
