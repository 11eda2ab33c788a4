"""The specification in examples, part 3: insurance years, use, first use, institutions; each states one rule."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from negative_list import conditions as c
from negative_list.prescription import Encounter, History
from negative_list.rules import Trigger
from tests.examples import AT, DRUG, OTHER, YES, answers, counted, line, told, when

SEEN = History(complete=True)


def another(window: c.Window, **given: Any) -> c.Some:
    """Another line is in the window."""
    return c.Some(lines=c.Lines(window=window, **given))


YEAR = c.Window(unit="insurance_year")


def from_day(day: date | None) -> dict[str, Any]:
    """An encounter whose insurance year begins on the month and day."""
    return {"facts": {"encounter.insurance_year_from": day} if day else {}}


@pytest.mark.parametrize(
    ("begin", "other", "inside"),
    [
        (date(2020, 3, 10), "10", True),
        (date(2020, 3, 10), "9 23:59", False),
        (date(2020, 3, 16), "15 23:00", True),
        (date(2020, 3, 16), "16", False),
        (date(2024, 2, 29), "1", True),
    ],
)
def test_an_insurance_year_begins_on_the_day_of_its_fact(begin: date, other: str, inside: bool) -> None:
    """Only month and day of the fact count; the 29th of February is the 1st of March in other years."""
    there = line("b", when(other), current=False)
    assert answers(another(YEAR), line(), there, encounter=from_day(begin)) == ({"a": True} if inside else {})


def test_without_the_day_of_the_insurance_year_nothing_is_covered() -> None:
    """Every other line with a time is possible, and the fact and history are asked for."""
    outcome = told(another(YEAR), line(), line("b", when("1"), current=False))
    assert outcome.undecided == {("r", ("a",)): frozenset({"encounter.insurance_year_from", "history"})}
    assert answers(another(YEAR), line(), history=SEEN) == {"a": None}


USE = c.Window(unit="in_use")


@pytest.mark.parametrize(
    ("length", "ends", "other", "value"),
    [
        (None, "closed", "12", False),
        (None, "closed", "13", True),
        (1, "closed", "12", True),
        (1, "open", "12", False),
        (3, "open", "11", True),
        (3, "closed", "20", True),
        (3, "closed", "21", False),
    ],
)
def test_lines_in_use_together_or_days_apart(length: int | None, ends: Any, other: str, value: bool) -> None:
    """Three days of use from the 12th end on the 14th, one day before the 15th; sharing a day is no distance."""
    week = {"line.days": 3}
    window = c.Window(unit="in_use", length=length, ends=ends)
    there = line("b", when(other), current=False, facts=week)
    assert answers(another(window), line(facts=week), there) == ({"a": True} if value else {})


def test_use_that_may_go_on_is_possibly_together() -> None:
    """A line of which only the first day of use is certain may still be in use; what would tell is its days."""
    outcome = told(another(USE), line(facts={"line.days": 1}), line("b", when("10"), current=False))
    assert outcome.undecided == {("r", ("a",)): frozenset({"line.days"})}
    later = line("b", when("16"), current=False, facts={"line.days": 1})
    assert answers(another(USE), line(facts={"line.days": 1}), later) == {}
    assert answers(another(USE), line(), later) == {"a": None}


def test_use_is_covered_where_no_issue_reaches_in_from_before() -> None:
    """No issue lasts longer than 84 days: history from 84 days before the trigger's day on is enough."""
    window = c.Window(unit="in_use", whose="patient")
    one_day = line(facts={"line.days": 1})
    assert answers(another(window), one_day, history=History(since=datetime(2025, 12, 21))) == {}
    assert answers(another(window), one_day, history=History(since=datetime(2025, 12, 21, 0, 1))) == {"a": None}


FIRST = c.Window(unit="first_use", length=7)


def test_the_days_that_begin_with_the_first_use() -> None:
    """Within seven days of the first use two lines count; the trigger on the eighth day gathers nothing."""
    twice = counted(FIRST)
    assert answers(twice, line(), line("b", when("9"), current=False), history=SEEN) == {"a": True}
    assert answers(twice, line(), line("b", when("8"), current=False), history=SEEN) == {}


def test_lines_after_the_first_days_are_no_members() -> None:
    """The first use on the 10th: the 16th is the last of its seven days."""
    lines = line("a"), line("b", when("10"), current=False)
    assert answers(counted(FIRST, above=2), *lines, line("c", when("16"), current=False), history=SEEN) == {"a": True}
    assert answers(counted(FIRST, above=2), *lines, line("c", when("17"), current=False), history=SEEN) == {}


def test_a_first_use_that_nobody_saw_may_have_been_earlier() -> None:
    """Without a complete history every member but the trigger is possible only."""
    lines = line("a"), line("b", when("14"), current=False)
    assert answers(counted(FIRST), *lines) == {"a": None}
    assert answers(c.Count(lines=c.Lines(window=FIRST), at_least=Decimal(1)), *lines) == {"a": True}


HERE = c.Window(unit="days", length=7, whose="institution")
OURS = {"line.institution_id": "H1"}
COVERED = History(own_since=when("1"))


@pytest.mark.parametrize(("theirs", "value"), [("H1", True), ("H2", False), (None, None)])
def test_an_institution_looks_at_its_own_lines_of_the_patient(theirs: str | None, value: bool | None) -> None:
    """Lines of other encounters count where the institution is the trigger's; of an unknown one perhaps."""
    elsewhere = line("b", encounter_id="F", facts={"line.institution_id": theirs} if theirs else {})
    others = {"others": (Encounter(id="F", lines=(elsewhere,)),)}
    found = answers(another(HERE), line(facts=OURS), encounter=others, history=COVERED)
    assert found.get("a", False) is value


def test_a_trigger_without_institution_has_its_encounters() -> None:
    """The current encounter's institution stands in for the line's; its own lines need none."""
    elsewhere = line("b", encounter_id="F", facts={"line.institution_id": "H1"})
    encounter = {"others": (Encounter(id="F", lines=(elsewhere,)),), "facts": {"encounter.institution_id": "H1"}}
    assert answers(another(HERE), line(), encounter=encounter) == {"a": True}
    assert answers(another(HERE), line(), line("b", current=False)) == {"a": True}


@pytest.mark.parametrize(
    ("whose", "history", "value"),
    [
        ("patient", History(own_since=when("8")), None),
        ("institution", History(own_since=when("8")), False),
        ("institution", History(own_since=when("9")), None),
        ("institution", History(since=when("8"), own_since=when("9")), False),
        ("patient", History(since=when("8")), False),
    ],
)
def test_what_history_covers(whose: Any, history: History, value: bool | None) -> None:
    """``own_since`` covers the institution, ``since`` covers everybody, whichever is earlier."""
    window = c.Window(unit="days", length=7, whose=whose)
    found = answers(another(window), line(facts=OURS), history=history)
    assert found.get("a", False) is value


def test_history_of_the_institution_covers_an_encounter_sent_in_parts() -> None:
    """Where bodies carry only new lines, what the institution knows covers its own encounter."""
    incomplete = {"complete": False}
    assert answers(counted(c.Window(unit="day")), line(), encounter=incomplete, history=COVERED) == {}
    assert answers(counted(c.Window(unit="day")), line(), encounter=incomplete) == {"a": None}


def test_excepted_names_take_out_lines_without_a_code() -> None:
    """A line that an excepted term names is out; another without a code may be anything; codes are not looked at."""
    some = c.Some(lines=c.Lines(items=c.Items(except_names=("注射",))))
    assert answers(some, line(), line("b", code="", name="头孢曲松注射剂", current=False)) == {}
    assert answers(some, line(), line("b", code="", name="西洋参", current=False)) == {"a": None}
    assert answers(some, line(), line("b", code=OTHER, name="头孢曲松注射剂", current=False)) == {"a": True}


def test_an_excepted_name_wins_over_a_name() -> None:
    """The exception is looked at first, and also where lines trigger."""
    chicken, duck = (line(name, code="", name=name) for name in ("鸡内金", "鸭内金"))
    named: dict[str, Any] = {"names": ("内金",), "except_names": ("鸡内金",)}
    some = c.Some(lines=c.Lines(items=c.Items(**named)))
    assert answers(some, line(), chicken) == {}
    assert answers(some, line(), duck) == {"a": True}
    assert answers(YES, chicken, duck, trigger=Trigger(**named)) == {"鸭内金": True}


@pytest.mark.parametrize(("ours", "theirs", "value"), [("左", "右", True), ("左", "左", False), ("左", None, None)])
def test_facts_that_must_differ(ours: str, theirs: str | None, value: bool | None) -> None:
    """Unknown on either side is possible; the trigger line never differs from itself."""
    differing = c.Lines(different=("line.site",))
    lines = line(facts={"line.site": ours}), line("b", current=False, facts={"line.site": theirs} if theirs else {})
    assert answers(c.Some(lines=differing), *lines).get("a", False) is value
    assert answers(c.Count(lines=differing, above=Decimal(0)), line()) == {}


def test_examples_stand_on_the_day_they_say() -> None:
    """The trigger line is of the drug, on the 15th of March at half past ten."""
    assert (line().codes, line().begins) == ((DRUG,), AT)
