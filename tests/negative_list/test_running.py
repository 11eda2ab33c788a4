"""Orders that run on are judged again for a later day."""

from __future__ import annotations

import itertools
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from negative_list import conditions as c
from negative_list.decide import decide
from negative_list.rules import OnUnknown
from negative_list.running import BEFORE, is_running, new_findings, running_on
from tests.negative_list.builders import DRUG, decided, line, listed, prescription, rule

if TYPE_CHECKING:
    from negative_list.prescription import Line

BEGUN = datetime(2026, 3, 1, 8)
COURSE = c.DaysOfUse(
    lines=c.Lines(items=c.Items(codes=(DRUG,)), window=c.Window(unit="course", length=1)), above=Decimal(14)
)


def order(**facts: object) -> Line:
    """An order begun on 1 March, long unless its facts say otherwise."""
    return line("long", begins=BEGUN, facts={"long_order": True, **facts})


def at(day: int, month: int = 3) -> datetime:
    """Nine in the morning of a day in 2026."""
    return datetime(2026, month, day, 9)


def test_a_running_order_is_current_on_the_day_and_in_force_before_it() -> None:
    """Its use on the day is one current line, all its use before another in force."""
    parts = running_on(prescription(order()), at(10)).encounter.lines
    told = [(part.id, part.current, part.begins, part.facts["line.days"]) for part in parts]
    assert told == [("long" + BEFORE, False, BEGUN, 9), ("long", True, datetime(2026, 3, 10, 8), 1)]


def test_an_order_of_the_day_itself_is_one_line() -> None:
    """Nothing of it was used before."""
    parts = running_on(prescription(order()), at(1)).encounter.lines
    assert [(part.id, part.current) for part in parts] == [("long", True)]


def test_a_supply_keeps_the_days_that_are_left() -> None:
    """Ten days' supply on the fourth day: three were used, seven are left."""
    parts = running_on(prescription(order(long_order=False, days=10)), at(4)).encounter.lines
    assert [part.facts["line.days"] for part in parts] == [3, 7]


@pytest.mark.parametrize(
    ("running", "told"),
    [
        (True, order()),
        (False, line(begins=BEGUN)),
        (True, line(begins=BEGUN, facts={"days": 10})),
        (False, line(begins=BEGUN, facts={"days": 9})),
        (False, line(begins=BEGUN, stops=datetime(2026, 3, 9, 8), facts={"long_order": True})),
        (True, line(begins=BEGUN, stops=datetime(2026, 3, 10, 8), facts={"long_order": True})),
        (False, line(begins=datetime(2026, 3, 11), facts={"long_order": True})),
        (False, line(begins=None, facts={"long_order": True})),
    ],
)
def test_what_runs_on_the_tenth(running: bool, told: Line) -> None:
    """A long order until it is stopped, a supply until it is used up, nothing that has not begun or has no begin."""
    assert is_running(told, date(2026, 3, 10)) is running


def test_the_last_payable_day_is_the_day_before_the_first_new_finding() -> None:
    """A course of 14 days from 1 March: nothing on the 14th, a finding on the 15th."""
    compiled = listed(rule(COURSE))
    body = prescription(order())
    days = [decide(compiled, running_on(body, at(day)), at(day)) for day in (13, 14, 15, 16)]
    assert [len(new_findings(one, other)) for one, other in itertools.pairwise(days)] == [0, 1, 0]


def test_a_rule_that_starts_is_new_on_its_first_day() -> None:
    """A rule in force from 10 March finds a running order on that day."""
    compiled = listed(rule(c.Fact(fact="patient.sex", any_of=("男",)), valid_from=date(2026, 3, 10)))
    body = prescription(order())
    ninth, tenth = (decide(compiled, running_on(body, at(day)), at(day)) for day in (9, 10))
    assert [finding.lines for finding in new_findings(ninth, tenth)] == [("long",)]


def test_what_asks_is_not_new() -> None:
    """A question is no finding about a running order."""
    asking = decided(rule(c.Fact(fact="patient.retired", any_of=(True,)), on_unknown=OnUnknown(action="warn")))
    nothing = decided(rule(c.Fact(fact="patient.sex", any_of=("女",))))
    assert (len(asking.findings), new_findings(nothing, asking)) == (1, ())


def test_the_stay_and_the_scene_are_those_of_the_day() -> None:
    """Days of the stay grow; the scene is the carrying out of orders."""
    body = prescription(order(), admitted_at=BEGUN, stay_days=0)
    facts = running_on(body, at(10)).encounter.facts
    assert (facts["encounter.stay_days"], facts["encounter.scene"]) == (9, ("5",))
