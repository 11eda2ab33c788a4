"""How many days' supply is left of what was issued before."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from negative_list import conditions as c
from negative_list.prescription import History, Line
from tests.negative_list.builders import AT, DRUG, decided, judged, line, needs, past, prescription, rule

LINES = c.Lines(items=c.Items(codes=(DRUG,)), window=c.Window(unit="days", length=90, whose="patient"))


def left(*others: Line, complete: bool = True, trigger: Line | None = None) -> tuple[int | None, int | None]:
    """The least and the most that may be left, up to 200 days; ``None`` for more."""
    history = History(lines=others, complete=complete)
    body = prescription(trigger or line())

    def answer(**bound: Decimal) -> bool | None:
        return judged(c.SupplyLeft(lines=LINES, **bound), on=body, history=history)

    low = next((n for n in range(200, -1, -1) if answer(at_least=Decimal(n))), None)
    high = next((n for n in range(200) if answer(above=Decimal(n)) is False), None)
    return low, high


ISSUES = [
    ([], 0, 0),
    ([(10, 7)], 0, 0),
    ([(10, 10)], 0, 0),
    ([(10, 11)], 1, 1),
    ([(10, 30)], 20, 20),
    ([(10, 7), (5, 7)], 4, 4),
    ([(10, 7), (9, 7)], 4, 4),
    ([(40, 7), (9, 7), (9, 7)], 5, 5),
    ([(0, 7)], 7, 7),
    ([(-1, 7)], 0, 0),
    ([(3, 7), (-1, 7)], 4, 4),
    ([(3, None)], 0, None),
    ([(30, None), (3, 7)], 4, None),
]


@pytest.mark.parametrize(("issues", "low", "high"), ISSUES, ids=range(len(ISSUES)))
def test_supplies_are_used_up_one_after_the_other(issues: list[Any], low: int, high: int | None) -> None:
    """A supply begins on its day or when the one before it ends; what lasts to the trigger's day and beyond is left."""
    others = [past(ago, f"h{k}", facts={"days": days}) for k, (ago, days) in enumerate(issues)]
    assert left(*others) == (low, high)


def test_what_is_written_now_is_not_left_over() -> None:
    """The trigger line's own days are no supply, those of another current line of the day are."""
    own = line(facts={"days": 30})
    assert left(trigger=own) == (0, 0)
    body = prescription(own, line("b", facts={"days": 5}))
    assert judged(c.SupplyLeft(lines=LINES, at_least=Decimal(5)), on=body, history=History(complete=True)) is True
    assert judged(c.SupplyLeft(lines=LINES, above=Decimal(5)), on=body, history=History(complete=True)) is False


def test_what_is_not_known_makes_the_most() -> None:
    """Lines that are only possible, lines without a day and an uncovered window leave the high end open."""
    unsure = past(3, "u", "", name="某药", facts={"days": 7})
    assert left(past(3, facts={"days": 7}), unsure) == (4, 11)
    assert left(past(3, facts={"days": 7}), complete=False) == (4, None)
    assert left(past(3, begins=None)) == (0, None)
    condition = c.SupplyLeft(lines=LINES, above=Decimal(9))
    history = History(lines=(past(3), past(4, "x", begins=None), past(-3, "y")), complete=True)
    assert needs(condition, line(), history=history) == ["line.begins", "line.days"]


def test_the_same_as_day_by_day() -> None:
    """Summing beforehand gives what counting day after day gives."""
    random = Random(1)
    for _ in range(25):
        issues = [(random.randrange(40), random.randrange(1, 20)) for _ in range(random.randrange(6))]
        end = None
        for ago, days in sorted(issues, reverse=True):
            begin = -ago if end is None else max(-ago, end + 1)
            end = begin + days - 1
        wanted = max(0, end + 1) if end is not None else 0
        others = [past(ago, f"h{k}", facts={"days": days}) for k, (ago, days) in enumerate(issues)]
        assert left(*others) == (wanted, wanted)


def test_a_finding_tells_what_is_left_over() -> None:
    """The issues that last are involved with their days; one that begins later is not."""
    window = c.Window(unit="days", length=90)
    condition = c.SupplyLeft(lines=c.Lines(items=LINES.items, window=window), above=Decimal(3))
    later = line("c", begins=AT + timedelta(days=2), current=False, facts={"days": 9})
    before = line("b", begins=AT - timedelta(days=2), current=False, facts={"days": 9})
    found = decided(rule(condition), on=prescription(line(), before, later)).findings[0]
    assert (found.lines, found.involved) == (("a",), ("b",))
    assert [(fact.fact, fact.subject, fact.value) for fact in found.facts][:1] == [("line.days", "b", 9)]
