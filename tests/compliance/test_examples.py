"""The examples of docs/compliance.md, run from the page's own text."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from reminder.compliance.formulas import SHIPPED, formula_of, rate
from reminder.compliance.report import reminders, reports
from tests.compliance.stories import JANUARY, Story, fen, story
from tests.docs.pages import ROOT, Block, blocks

if TYPE_CHECKING:
    from reminder.compliance.records import Figures

PAGE = ROOT / "docs" / "compliance.md"
EXAMPLES = blocks(PAGE, "example")


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: f"line {block.line}")
def test_an_example_comes_out_as_the_page_says(block: Block) -> None:
    """Every reminder it names has that outcome, source and money, and every figure is as it stands there."""
    told = story(block.text)
    assert told.reminders
    assert [text for text in (*_wrong_reminders(told), *_wrong_figures(told)) if text] == []


def _wrong_reminders(told: Story) -> list[str]:
    found = {(one.rule_id, one.item): one for one in reminders(told.rows, JANUARY)}
    named = {(one.rule, one.item) for one in told.reminders}
    wrong = [f"not named: {found.keys() - named}"] if found.keys() - named else []
    for one in told.reminders:
        is_ = one.says(found[one.rule, one.item])
        wrong += [f"{one.rule} {one.item}: {is_}, not {one.words}"] if is_ != one.words else []
    return wrong


def _wrong_figures(told: Story) -> list[str]:
    figures = reports(told.rows, JANUARY)[""].total
    wrong = []
    for text in told.figures:
        *name, value = text.split()
        found = _figure(figures, name)
        expected = value if "/" in value else str(fen(value) if value.startswith("¥") else int(value))
        wrong += [f"{text}: {found}"] if found != expected else []
    return wrong


def _figure(figures: Figures, name: list[str]) -> str:
    first = name[0]
    if first in {formula.name for formula in SHIPPED}:
        share = rate(formula_of(first, JANUARY.begin.date(), ()), figures)
        return f"{share.part}/{share.whole}"
    assert figures.asked is not None
    if len(name) > 1:
        return str(getattr(figures, first).get(name[1], 0))
    for place, attribute in (
        (figures, first),
        (figures, f"{first}_fen"),
        (figures.asked, first),
        (figures.asked, f"{first}_fen"),
    ):
        if hasattr(place, attribute):
            return str(getattr(place, attribute))
    return f"no figure {first}"


def test_the_page_shows_every_outcome_a_report_can_have() -> None:
    """Of each source and of each outcome but the exit, which is feedback's word, there is an example."""
    told = [one.words for block in EXAMPLES for one in story(block.text).reminders]
    assert {words[0] for words in told} >= {
        "changed", "withdrawn", "self_paid", "justified", "overridden", "ignored", "abandoned", "unobserved",
    }  # fmt: skip
    assert {words[1] for words in told} == {"feedback", "saved", "next_call", "none"}
    assert all(one.line < two.line for one, two in pairwise(EXAMPLES))
