"""Refunds: what was given back is neither counted nor found."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from negative_list import conditions as c
from negative_list.prescription import History, Line
from tests.negative_list.builders import AT, DRUG, OTHER, day_limit, decided, judged, line, prescription, rule

YESTERDAY: dict[str, Any] = {"begins": AT - timedelta(days=1)}


def charged(ident: str, quantity: int, code: str = DRUG, **given: Any) -> Line:
    """A charge, or a refund where the quantity is below zero, at 10 yuan a unit."""
    facts = {"quantity": Decimal(quantity), "amount_fen": quantity * 1000}
    return line(ident, code, facts=facts, **given)


def told(*lines: Line) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """The lines found over 2 a day, and those undecided."""
    decision = decided(rule(day_limit(2)), on=prescription(*lines))
    return [each.lines for each in decision.findings], [each.lines for each in decision.not_evaluated]


@pytest.mark.parametrize(
    ("lines", "found", "undecided"),
    [
        ((charged("a", 3), charged("r", -2)), [], []),
        ((charged("a", 4), charged("r", -1)), [("a",)], []),
        ((charged("a", 1), charged("b", 1), charged("c", 1), charged("r", -2)), [], []),
        ((charged("a", 3), charged("r", -3)), [], []),
        ((charged("a", 3), charged("b", 3, **YESTERDAY), charged("r", -3)), [("b",)], []),
        ((charged("a", 3), charged("b", 3, **YESTERDAY), charged("r", -1)), [], [("a", "b")]),
        ((charged("a", 3), charged("r", -3, OTHER)), [("a",)], []),
        ((charged("a", 3), charged("r", -3, **YESTERDAY)), [("a",)], []),
    ],
)
def test_what_was_refunded_is_over_no_limit(
    lines: tuple[Line, ...], found: list[tuple[str, ...]], undecided: list[tuple[str, ...]]
) -> None:
    """A refund takes away from a charge of its item; where it may be of several, none of them is found over a limit."""
    assert told(*lines) == (found, undecided)


def test_a_refund_is_no_line_of_its_own() -> None:
    """It neither triggers nor counts, and the charge that is gone is not found either."""
    assert decided(rule(), on=prescription(charged("a", 1), charged("r", -1))).findings == ()
    count = c.Count(lines=c.Lines(), above=Decimal(1))
    assert judged(count, charged("a", 1), charged("b", 2), charged("r", -2)) is False


def test_a_refund_of_a_charge_saved_before_is_taken_from_it() -> None:
    """A body that carries only new lines refunds what stands in history."""
    saved = charged("h", 2, current=False, begins=AT - timedelta(hours=1))
    history = History(lines=(saved,), complete=True)
    month = c.Sum(lines=c.Lines(window=c.Window(unit="month", whose="patient")), above=Decimal(2))
    assert judged(month, charged("a", 1), history=history) is True
    assert judged(month, charged("a", 1), charged("r", -2), history=history) is not True
