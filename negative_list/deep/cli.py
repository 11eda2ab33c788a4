"""What ``negative-list check --deep`` prints."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

import typer

from negative_list.deep.analysis import analyse, placed
from negative_list.deep.observations import KINDS

if TYPE_CHECKING:
    from datetime import date

    from negative_list.parse import Parsed

__all__ = ["print_observations"]


def print_observations(parsed: Parsed, today: date, language: Literal["zh", "en"]) -> int:
    """Print every observation at its place, then how many there are of each kind; returns the number of faults."""
    seen = analyse(parsed.rules, today)
    for observation, problem in placed(seen, parsed, language):
        typer.echo(str(problem), err=observation.is_fault)
    counts = Counter(observation.kind for observation in seen)
    for kind, (zh, en, is_fault) in KINDS.items():
        if counts[kind]:
            typer.echo(f"{_grade(language, is_fault=is_fault)} {zh if language == 'zh' else en}: {counts[kind]}")
    if not seen:
        typer.echo("深度检查：未见问题" if language == "zh" else "deep check: nothing seen")
    return sum(observation.is_fault for observation in seen)


def _grade(language: Literal["zh", "en"], *, is_fault: bool) -> str:
    if language == "zh":
        return "错误" if is_fault else "建议"
    return "fault" if is_fault else "advice"
