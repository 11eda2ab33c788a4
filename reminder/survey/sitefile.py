"""The piece of a site file that a survey proposes: what nobody tells, so that nobody is asked for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from negative_list.dictionary import load

if TYPE_CHECKING:
    from reminder.survey.records import Survey

__all__ = ["site_piece"]


def site_piece(surveys: Iterable[Survey]) -> str:
    """TOML with ``never_sent`` of every institution; a comment alone where there is nothing to propose."""
    parts = ["\n".join(_lines(survey)) for survey in surveys if survey.never_sent]
    return "\n\n".join(parts or ["# nothing is missing for good: no fact is proposed for never_sent"]) + "\n"


def _lines(survey: Survey) -> Iterator[str]:
    silent = f"{len(survey.silent):,} of {survey.listed:,} rules silent"
    yield f"# reminder survey: {survey.bodies:,} bodies{_when(survey.days)}; {silent}"
    yield "# Look through it, put it into the table of this institution, and take a line out once its field is sent."
    yield f"[{_key(survey.institution_id)}]"
    yield "never_sent = ["
    yield from (f"    {json.dumps(name)},  # {_said(name)}" for name in survey.never_sent)
    yield "]"


def _when(days: tuple[str, ...]) -> str:
    return f", {days[0]} to {days[-1]}" if days else ""


def _key(institution_id: str) -> str:
    """The table of an institution; bodies that name none are read by the default."""
    return json.dumps(institution_id, ensure_ascii=False) if institution_id else "default"


def _said(name: str) -> str:
    fact = load()[name]
    return " ".join([fact.zh, *fact.national[:1]])
