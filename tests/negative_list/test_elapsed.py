"""Time since a moment another system told: what a day without a clock proves."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from negative_list import conditions as c
from tests.negative_list.builders import decided, line, prescription, rule

LATE = c.Elapsed(fact="encounter.onset_at", unit="hour", above=Decimal(72))


@pytest.mark.parametrize(
    ("onset", "found", "undecided"),
    [
        (datetime(2026, 3, 12, 10, 29), 1, 0),
        (datetime(2026, 3, 12, 10, 30), 0, 0),
        (datetime(2026, 3, 12), 0, 1),
        (datetime(2026, 3, 11), 1, 0),
        (datetime(2026, 3, 13), 0, 0),
    ],
)
def test_a_day_stands_for_any_of_its_moments(onset: datetime, found: int, undecided: int) -> None:
    """An onset told as a day three days ago may or may not be more than 72 hours ago: nobody is found for it."""
    body = prescription(line(), onset_at=onset)
    decision = decided(rule(LATE), on=body)
    assert (len(decision.findings), len(decision.not_evaluated)) == (found, undecided)
