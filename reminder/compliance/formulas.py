"""The rate of compliance: formulas with a name and a date, and the share they give for figures."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import msgspec
from msgspec import Struct

from reminder.compliance.records import OUTCOMES, WAYS, Figures, Share

__all__ = ["SHIPPED", "Formula", "FormulaError", "changes_within", "formula_of", "rate", "read_formulas"]

_WORDS: Mapping[str, tuple[str, ...]] = {"findings": WAYS, "reminders": OUTCOMES}


class FormulaError(ValueError):
    """A formula cannot be used; the text says which one and why."""


class Formula(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a rate is worked out from the day ``valid_from`` on.

    ``unit``: findings by the last word about each (:data:`~reminder.compliance.records.WAYS`), or reminders by outcome.
    ``why_zh`` and ``why_en`` say why it is this one.
    """

    name: str
    valid_from: date
    unit: Literal["findings", "reminders"]
    numerator: tuple[str, ...]
    denominator: tuple[str, ...]
    why_zh: str = ""
    why_en: str = ""


def read_formulas(rows: Iterable[Mapping[str, Any]]) -> tuple[Formula, ...]:
    """Formulas as they stand in a table, such as the sidecar's configuration has it.

    Raises:
        FormulaError: Of the first row that cannot be used.
    """
    return tuple(_formula(row, place) for place, row in enumerate(rows, start=1))


def _formula(row: Mapping[str, Any], place: int) -> Formula:
    try:
        formula = msgspec.convert(row, Formula)
    except msgspec.ValidationError as error:
        raise FormulaError(f"formula {place}: {error}") from error
    words = _WORDS[formula.unit]
    wrong = [word for word in (*formula.numerator, *formula.denominator) if word not in words]
    if wrong:
        raise FormulaError(f"formula {place}: `{wrong[0]}` is none of {', '.join(words)}, which {formula.unit} have")
    if not set(formula.numerator) <= set(formula.denominator):
        raise FormulaError(f"formula {place}: all of the numerator has to stand in the denominator too")
    return formula


@cache
def _shipped() -> tuple[Formula, ...]:
    text = (files("reminder.compliance") / "formulas.toml").read_text("utf-8")
    return read_formulas(tomllib.loads(text)["formula"])


SHIPPED: tuple[Formula, ...] = _shipped()
"""``bureau`` and ``ours``."""


def formula_of(name: str, day: date, more: Iterable[Formula] = ()) -> Formula:
    """The formula of a name in force on a day; ``more`` are those of the configuration, which replace shipped ones.

    Raises:
        FormulaError: There is none; the names there are stand in it.
    """
    known = _known(more)
    valid = [formula for formula in known if formula.name == name and formula.valid_from <= day]
    if not valid:
        names = ", ".join(sorted({formula.name for formula in known}))
        raise FormulaError(f"no formula `{name}` is in force on {day}; there are {names}")
    return max(valid, key=lambda formula: formula.valid_from)


def changes_within(name: str, first: date, last: date, more: Iterable[Formula] = ()) -> tuple[Formula, ...]:
    """The formulas of a name that come into force after the first day of [first, last): a report says so."""
    return tuple(one for one in _known(more) if one.name == name and first < one.valid_from < last)


def _known(more: Iterable[Formula]) -> list[Formula]:
    return list({(one.name, one.valid_from): one for one in (*SHIPPED, *more)}.values())


def rate(formula: Formula, figures: Figures) -> Share:
    """The rate of a group as part and whole."""
    counts = figures.ways if formula.unit == "findings" else figures.outcomes
    part, whole = (
        sum(counts.get(word, 0) for word in set(words)) for words in (formula.numerator, formula.denominator)
    )
    return Share(part=part, whole=whole)
