"""The rate is a formula with a name and a date."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from reminder.compliance.formulas import (
    SHIPPED,
    FormulaError,
    changes_within,
    formula_of,
    rate,
    read_formulas,
)
from reminder.compliance.records import OUTCOMES, WAYS, Figures, Share
from tests.docs.pages import ROOT, sections

DAY = date(2026, 1, 1)


def row(**changed: Any) -> dict[str, Any]:
    """A formula as a table has it."""
    told = {
        "name": "city",
        "valid_from": date(2026, 3, 1),
        "unit": "reminders",
        "numerator": ["changed"],
        "denominator": ["changed", "ignored"],
    }
    return told | changed


def test_the_shipped_formulas_are_those_of_the_page() -> None:
    """Names, units and the words above the line stand in docs/compliance.md as in the table."""
    text = sections(ROOT / "docs" / "compliance.md")["Rates"]
    for formula in SHIPPED:
        cells = next(line for line in text.splitlines() if line.startswith(f"| `{formula.name}`")).split("|")
        assert cells[2].strip() == formula.unit
        assert [word.strip("` ") for word in cells[3].split(",")] == list(formula.numerator)
    assert set(SHIPPED[0].denominator) == set(WAYS)
    assert set(OUTCOMES) - set(SHIPPED[1].denominator) == {"abandoned", "unobserved"}


def test_a_rate_is_a_part_of_a_whole() -> None:
    """Findings are counted by their last word, reminders by their outcome."""
    figures = Figures(ways={"changed": 2, "overridden": 1, "none": 3}, outcomes={"justified": 1, "abandoned": 4})
    assert rate(formula_of("bureau", DAY), figures) == Share(part=2, whole=6)
    assert rate(formula_of("ours", DAY), figures) == Share(part=1, whole=1)


def test_the_latest_formula_of_a_name_is_in_force() -> None:
    """From its day on; one of equal name and day replaces the shipped one, and a report over a change can say so."""
    first, second = read_formulas([row(), row(valid_from=date(2026, 5, 1), numerator=["ignored"])])
    assert formula_of("city", date(2026, 4, 30), (first, second)) == first
    assert formula_of("city", date(2026, 5, 1), (first, second)) == second
    assert changes_within("city", date(2026, 4, 1), date(2026, 6, 1), (first, second)) == (second,)
    (mine,) = read_formulas([row(name="ours", valid_from=SHIPPED[1].valid_from)])
    assert formula_of("ours", DAY, (mine,)) == mine


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"unit": "visits"}, "formula 1: Invalid enum value 'visits'"),
        ({"numerator": ["abandonned"]}, "formula 1: `abandonned` is none of changed, withdrawn"),
        ({"unit": "findings", "numerator": ["changed"]}, "`ignored` is none of changed"),
        ({"numerator": ["withdrawn"]}, "formula 1: all of the numerator has to stand in the denominator"),
        ({"why": "?"}, "formula 1: Object contains unknown field `why`"),
    ],
)
def test_a_formula_that_cannot_be_used_is_named(changed: dict[str, Any], says: str) -> None:
    """With its place and what is wrong with it."""
    with pytest.raises(FormulaError) as error:
        read_formulas([row(**changed)])
    assert says in str(error.value)


def test_a_name_nobody_knows_is_answered_with_those_there_are() -> None:
    """Also where a formula is not in force yet."""
    for name in ("theirs", "city"):
        with pytest.raises(
            FormulaError, match=r"no formula `.*` is in force on 2026-01-01; there are bureau, city, ours"
        ):
            formula_of(name, DAY, read_formulas([row()]))
