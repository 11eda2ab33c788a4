"""The specification in examples, part 2: windows, coverage and what is gathered over lines; each states one rule."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from negative_list import conditions as c
from negative_list.prescription import Encounter, FactValue, History
from negative_list.rules import Trigger
from tests.examples import DRUG, HERB, NO, OTHER, UNKNOWN, YES, answers, counted, has, line, told, when


@pytest.mark.parametrize(
    ("window", "other", "inside"),
    [
        (c.Window(unit="instant"), "15 10:30", True),
        (c.Window(unit="instant"), "15 10:31", False),
        (c.Window(unit="hour"), "15 10:59", True),
        (c.Window(unit="hour"), "15 11:00", False),
        (c.Window(unit="hours", length=6), "15 16:30", True),
        (c.Window(unit="hours", length=6, ends="open"), "15 16:30", False),
        (c.Window(unit="hours", length=6, side="before"), "15 10:31", False),
        (c.Window(unit="hours", length=6, side="before"), "15 04:30", True),
        (c.Window(unit="day"), "15 23:59", True),
        (c.Window(unit="day"), "16 00:00", False),
        (c.Window(unit="days", length=14), "1 23:00", True),
        (c.Window(unit="days", length=14, ends="open"), "1 23:00", False),
        (c.Window(unit="days", length=14, ends="open"), "2", True),
        (c.Window(unit="days", length=14, side="before"), "15 23:00", True),
        (c.Window(unit="month"), "1", True),
        (c.Window(unit="quarter"), "31", True),
        (c.Window(unit="encounter"), "31", True),
    ],
)
def test_windows_and_their_ends(window: c.Window, other: str, inside: bool) -> None:
    """Calendar units are shared, distances are closed or open, ``before`` ends with the trigger line."""
    found = answers(c.Some(lines=c.Lines(window=window)), line(), line("b", when(other), current=False))
    assert found == ({"a": True} if inside else {})


def test_a_bare_date_is_any_moment_of_its_day() -> None:
    """Certain where every moment would be inside, possible where some would."""
    bare = line("b", when("15"), current=False, has_clock=False)
    within = {hours: c.Some(lines=c.Lines(window=c.Window(unit="hours", length=hours))) for hours in (6, 24)}
    assert answers(within[6], line(), bare) == {"a": None}
    assert answers(within[24], line(), bare) == {"a": True}
    assert answers(within[24], line(), line("b", when("13"), current=False, has_clock=False)) == {}


def test_a_line_without_time_is_possible_but_in_the_encounter() -> None:
    """Without any time a line is in the encounter for certain, elsewhere perhaps."""
    timeless = line("b", None, current=False)
    assert answers(c.Some(lines=c.Lines(window=c.Window(unit="day"))), line(), timeless) == {"a": None}
    assert answers(c.Some(lines=c.Lines(window=c.Window(unit="encounter"))), line(), timeless) == {"a": True}


def test_counts_slide_over_the_trigger() -> None:
    """The stretch with most lines counts, and it is never longer than the window."""
    week = c.Window(unit="days", length=7)
    body = [line(str(day), when(str(day)), current=day == 15) for day in (9, 15, 20, 22)]
    assert answers(counted(week, above=2), *body) == {"15": True}
    assert answers(counted(week, above=3), *body) == {}


def test_what_is_over_the_limit_needs_no_coverage() -> None:
    """A count over the limit is true whatever is missing; at the limit only history can say it is not."""
    month = c.Window(unit="month", whose="patient")
    assert answers(counted(month), line(), line("b", current=False)) == {"a": True}
    assert answers(counted(month), line()) == {"a": None}
    assert answers(counted(month), line(), history=History(since=when("1"))) == {}
    assert answers(counted(month), line(), history=History(since=when("1 00:01"))) == {"a": None}


def test_a_body_covers_its_encounter_unless_it_carries_only_new_lines() -> None:
    """Where the site says bodies are not complete, absence in the encounter is unknown."""
    alone = counted(c.Window(unit="day"))
    assert answers(alone, line()) == {}
    assert answers(alone, line(), encounter={"complete": False}) == {"a": None}


def test_a_lifetime_is_covered_by_complete_history_only() -> None:
    """However long history reaches back, only a whole life covers a lifetime."""
    ever = c.Some(lines=c.Lines(window=c.Window(unit="lifetime", whose="patient")))
    assert answers(ever, line(), history=History(since=datetime(1950, 1, 1))) == {"a": None}
    assert answers(ever, line(), history=History(complete=True)) == {}


def test_patients_lines_are_those_of_all_encounters() -> None:
    """``whose`` tells whether other encounters and history are looked at; they are in force."""
    elsewhere = Encounter(id="F", lines=(line("b", encounter_id="F"),))
    own = c.Some(lines=c.Lines(state="in_force"))
    every = c.Some(lines=c.Lines(state="in_force", window=c.Window(unit="day", whose="patient")))
    assert answers(own, line(), encounter={"others": (elsewhere,)}) == {}
    assert answers(every, line(), encounter={"others": (elsewhere,)}) == {"a": True}


def test_state_parts_current_lines_from_those_in_force() -> None:
    """Current lines are being written now, the others were there before."""
    there = line("b", current=False)
    assert answers(c.Some(lines=c.Lines(state="current")), line(), there) == {}
    assert answers(c.Some(lines=c.Lines(state="in_force")), line(), there) == {"a": True}


def test_same_facts_must_be_known_on_both_sides() -> None:
    """Equal facts gather, different ones do not, unknown ones perhaps."""
    some = c.Some(lines=c.Lines(same=("line.site",)))
    left, right = {"line.site": "左"}, {"line.site": "右"}
    assert answers(some, line(facts=left), line("b", code=OTHER, facts=left)) == {"a": True}
    assert answers(some, line(facts=left), line("b", code=OTHER, facts=right)) == {}
    assert answers(some, line(facts=left), line("b", code=OTHER)) == {"a": None}


def test_other_item_leaves_out_the_triggers_own_item() -> None:
    """A second line of the same item is no other item."""
    some = c.Some(lines=c.Lines(other_item=True))
    assert answers(some, line(), line("b", current=False)) == {}
    assert answers(some, line(), line("b", code=OTHER)) == {"a": True}


def test_where_is_judged_for_the_gathered_line() -> None:
    """Facts in ``where`` are the gathered line's."""
    some = c.Some(lines=c.Lines(where=has("line.site", "左")))
    assert answers(some, line(facts={"line.site": "右"}), line("b", code=OTHER, facts={"line.site": "左"})) == {
        "a": True
    }


def test_every_gathered_line_is_one_of_the_items() -> None:
    """One line of another kind is enough to refute, one that may be is enough to doubt."""
    every = c.Every(lines=c.Lines(), among=c.Items(prefixes=("X",)))
    assert answers(every, line(), line("b", code=OTHER)) == {"a": True}
    assert answers(every, line(), line("b", code=HERB)) == {}
    assert answers(every, line(), line("b", code="", name="某药")) == {"a": None}


def test_counting_items_and_days() -> None:
    """Distinct items and distinct days, the trigger line included."""
    lines = line("a", when("15 08:00")), line("b", when("15 09:00"), current=False)
    assert answers(c.Count(lines=c.Lines(), by="line", above=Decimal(1)), *lines) == {"a": True}
    assert answers(c.Count(lines=c.Lines(), by="item", above=Decimal(1)), *lines) == {}
    assert answers(c.Count(lines=c.Lines(), by="day", above=Decimal(1)), *lines) == {}


def test_a_sum_with_an_unknown_value_has_no_upper_end() -> None:
    """What is known is the least, an unknown value makes the most without limit."""
    sum_over = c.Sum(lines=c.Lines(), above=Decimal(3))
    two, four = ({"line.quantity": Decimal(n)} for n in (2, 4))
    assert answers(sum_over, line(facts=two), line("b", code=OTHER, facts=four)) == {"a": True}
    assert answers(sum_over, line(facts=two), line("b", code=OTHER)) == {"a": None}
    assert answers(sum_over, line(facts=two)) == {}


@pytest.mark.parametrize(
    ("given", "facts", "value"),
    [
        ({}, {"line.days": 8}, True),
        ({}, {"line.days": 7}, False),
        ({"stops": when("22")}, {}, True),
        ({"stops": when("21 23:00")}, {}, False),
        ({"begins": when("8")}, {"line.long_order": True}, True),
        ({"begins": when("9")}, {"line.long_order": True}, None),
        ({}, {"line.item_type": "service"}, False),
        ({}, {}, None),
    ],
)
def test_days_of_use(given: dict[str, Any], facts: dict[str, FactValue], value: bool | None) -> None:
    """Days, else the stop day, else a long order up to now, else one day, which may be more for outpatients' drugs."""
    over = c.DaysOfUse(lines=c.Lines(), above=Decimal(7))
    assert answers(over, line(facts=facts, **given)).get("a", False) is value


def test_an_inpatients_line_is_one_day_of_use() -> None:
    """In a stay an order that says nothing is for its day."""
    over = c.DaysOfUse(lines=c.Lines(), above=Decimal(1))
    assert answers(over, line(), encounter={"facts": {"encounter.visit_mode": "inpatient"}}) == {}


def test_a_course_is_strung_by_pauses() -> None:
    """A pause of exactly the length joins, a longer one parts; it runs from the last certain day of use."""
    over = c.DaysOfUse(lines=c.Lines(window=c.Window(unit="course", length=3)), above=Decimal(4))
    week = {"line.days": 3}
    for begin, expected in ((10, {"a": True}), (9, {})):
        earlier = line("b", when(str(begin)), current=False, facts=week)
        assert answers(over, line(facts=week), earlier) == expected


def test_rank_goes_by_force_price_and_place() -> None:
    """In force first, then dearer, then earlier in the body; a missing price leaves the order open."""
    second = c.Rank(lines=c.Lines(), at_least=Decimal(2))
    price = [{"line.unit_price_fen": n} for n in (500, 500, 900)]
    lines = [line(name, facts=facts) for name, facts in zip("abc", price, strict=True)]
    assert answers(second, *lines) == {"a": True, "b": True}
    assert answers(second, lines[2], line("d", current=False)) == {"c": True}
    assert answers(second, lines[0], line("e")) == {"a": None, "e": None}


def test_since_the_last_use() -> None:
    """Whole days to the last other use; never is without limit; uncovered it may be nearer."""
    soon = c.Since(event="last_use", below=Decimal(7), lines=c.Lines())
    assert answers(soon, line(), line("b", when("9"), current=False)) == {"a": True}
    assert answers(soon, line(), line("b", when("8"), current=False)) == {}
    assert answers(soon, line()) == {}
    assert answers(soon, line(), encounter={"complete": False}) == {"a": None}


def test_since_the_first_use() -> None:
    """Without another use the trigger line is the first: 0; uncovered the first may be earlier."""
    late = c.Since(event="first_use", above=Decimal(7), lines=c.Lines())
    assert answers(late, line(), line("b", when("7"), current=False)) == {"a": True}
    assert answers(late, line()) == {}
    assert answers(late, line(), encounter={"complete": False}) == {"a": None}


def test_hours_elapsed_are_exact() -> None:
    """Six hours and a minute are above six; without the fact nothing is known."""
    over = c.Elapsed(fact="encounter.onset_at", above=Decimal(6))
    assert answers(over, line(), encounter={"facts": {"encounter.onset_at": when("15 04:29")}}) == {"a": True}
    assert answers(over, line(), encounter={"facts": {"encounter.onset_at": when("15 04:30")}}) == {}
    assert answers(over, line()) == {"a": None}


def test_touching_stretches_do_not_overlap() -> None:
    """Two stretches overlap when each begins before the other stops; without a stop it is unknown."""
    overlap = c.Overlap(lines=c.Lines())
    ours = line(begins=when("15 08:00"), stops=when("15 09:00"))
    for stop, expected in ((when("15 08:01"), {"a": True}), (when("15 08:00"), {}), (None, {"a": None})):
        other = line("b", when("15 07:00"), current=False, stops=stop)
        assert answers(overlap, ours, other) == expected


def test_the_contained_item_offends_where_it_is_current() -> None:
    """The main line offends only beside a contained line in force; symmetric pairs offend on either side."""
    pair = c.Pair(main=c.Items(codes=(DRUG,)), contained=c.Items(codes=(HERB,)), window=c.Window(unit="hour"))
    both: dict[str, Any] = {"trigger": Trigger(codes=(DRUG, HERB))}
    current, in_force = (line("b", code=HERB, current=state) for state in (True, False))
    assert answers(pair, line(), current, **both) == {"b": True}
    assert answers(pair, line(), in_force, **both) == {"a": True}
    symmetric = c.Pair(main=pair.main, contained=pair.contained, window=pair.window, symmetric=True)
    assert answers(symmetric, line(), current, **both) == {"a": True, "b": True}


def test_evidence_of_any_is_its_first_true_branch() -> None:
    """Involved are the lines of the first true branch as written, not of a later one."""
    drug, herb = (c.Some(lines=c.Lines(items=c.Items(codes=(code,)))) for code in (OTHER, HERB))
    outcome = told(c.Any(of=(NO, herb, drug)), line(), line("b", code=HERB), line("c", code=OTHER))
    assert {key: one.involved for key, one in outcome.findings.items()} == {("r", ("a",)): frozenset({"b"})}


def test_needs_name_what_would_decide() -> None:
    """An undecided rule names its unknown facts, and history where coverage lacks; not what is decided."""
    month = c.Window(unit="month", whose="patient")
    outcome = told(c.All(of=(UNKNOWN, YES, counted(month), c.Not(of=c.Age(below=Decimal(12))))), line())
    assert outcome.undecided == {("r", ("a",)): frozenset({"patient.sex", "history", "patient.birth_date"})}
