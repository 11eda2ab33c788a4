"""A decision whose time is up: what it tells is true, what it leaves out it names, and it is made again equal."""

from __future__ import annotations

from itertools import count
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negative_list import hurry
from negative_list.compile import compile
from negative_list.decide import LATE, Fuller, begin, decide, decide_whole
from negative_list.engine import match
from negative_list.findings import not_evaluated_of, skipped_of, told_of
from negative_list.hurry import EVERY, TOLD_LEAST, Halt, Stopped, in_haste
from tests.generators import Case, draw_case, seeds
from tests.generators_lists import draw_list
from tests.negative_list.builders import ALL_KINDS, AT, DRUG, OTHER, line, listed, prescription, rule
from tests.plain import match_plainly

if TYPE_CHECKING:
    from collections.abc import Iterator

    from negative_list.compile import CompiledList
    from negative_list.hurry import Part

SOON = st.integers(min_value=0, max_value=12)


@pytest.fixture
def often() -> Iterator[None]:
    """The clock is looked at before every step, so that small prescriptions are stopped anywhere."""
    with pytest.MonkeyPatch.context() as patch:
        for part in EVERY:
            patch.setitem(EVERY, part, 1)
        patch.setattr(hurry, "TOLD_LEAST", 0)
        yield


def after(looks: int) -> Halt:
    """The time is up at the clock's look of that number, counted from 0."""
    left = count(looks, -1)
    return Halt(lambda _part: next(left) <= 0)


# -- against the plain matcher


@pytest.mark.usefixtures("often")
@settings(max_examples=150, deadline=None)
@given(list_seed=seeds, case_seed=seeds, looks=SOON)
def test_what_is_told_is_what_the_plain_matcher_says(list_seed: int, case_seed: int, looks: int) -> None:
    """Each finding and each undecided rule is one of its, and whatever else it says is named as left out."""
    rules, case = draw_list(list_seed), draw_case(Random(case_seed))
    compiled, per = compile(rules), {each.id: each.per for each in rules.rules}
    matched = match(compiled, case.prescription, case.at, case.history, after(looks))
    told, untold = told_of(matched, compiled.binder, "", after(looks))
    late = {(one.rule_id, id_) for one in skipped_of((*matched.skipped, *untold)) for id_ in one.lines or ("",)}
    plain = match_plainly(rules, case.prescription, case.at, case.history)
    found = {(one.rule_id, id_) for one in told if not one.unknown for id_ in one.lines or ("",)}
    open_ = {(one.rule_id, id_) for one in not_evaluated_of(matched, compiled.binder) for id_ in one.lines or ("",)}
    said = {(rule_id, id_) for rule_id, lines in plain.findings for id_ in lines or ("",)}
    unsure = {(rule_id, id_) for rule_id, lines in plain.undecided for id_ in lines or ("",)}
    at_once = {rule_id for rule_id, kind in per.items() if kind == "encounter"}
    assert found <= said
    assert said <= found | late
    # A rule that finds once for an encounter may be undecided for what was looked at, and true for what was not.
    assert {one for one in open_ - unsure if one[0] not in at_once} == set()
    assert {one for one in unsure - open_ - late if one[0] not in at_once} == set()
    for one in told:
        if not one.unknown and per[one.rule_id] != "encounter":
            assert plain.findings[one.rule_id, one.lines].action == one.action
            assert plain.findings[one.rule_id, one.lines].amount_fen == one.amount_fen


@pytest.mark.usefixtures("often")
@settings(max_examples=100, deadline=None)
@given(list_seed=seeds, case_seed=seeds, looks=SOON)
def test_a_decision_is_made_again_from_where_it_stopped(list_seed: int, case_seed: int, looks: int) -> None:
    """Bit for bit, both passes, texts and suggestions; and no clock is looked at."""
    compiled, case = compile(draw_list(list_seed)), draw_case(Random(case_seed))
    fuller = Fuller(prescription=case.prescription, history=case.history)
    halt = after(looks)
    begun = begin(compiled, case.prescription, case.at, halt)
    whole = decide_whole(compiled, case.prescription, case.at, begun=begun, fuller=fuller, halt=halt)
    again = Halt(stopped=whole.stopped)
    assert decide_whole(compiled, case.prescription, case.at, fuller=fuller, halt=again) == whole
    assert again.stopped == whole.stopped


@pytest.mark.usefixtures("often")
@settings(max_examples=50, deadline=None)
@given(list_seed=seeds, case_seed=seeds)
def test_who_has_time_is_told_what_everybody_is_told(list_seed: int, case_seed: int) -> None:
    """A deadline that is far away changes nothing, not even the order."""
    compiled, case = compile(draw_list(list_seed)), draw_case(Random(case_seed))
    assert hurried(compiled, case, Halt()) == hurried(compiled, case, None)


def hurried(compiled: CompiledList, case: Case, halt: Halt | None) -> bytes:
    """The whole decision, as text."""
    fuller = Fuller(prescription=case.prescription, history=case.history)
    return repr(decide(compiled, case.prescription, case.at, fuller=fuller, halt=halt)).encode()


# -- what is left out


def test_rules_left_out_are_named_with_their_lines_and_a_note() -> None:
    """They need nothing, and nothing is asked for them; the answer passes what was not looked at."""
    listed_ = listed(rule(), rule(id="other"))
    body = prescription(line("a"), line("b"))
    whole = decide_whole(listed_, body, AT, halt=after(0))
    assert whole.decision.decision == "pass"
    assert whole.decision.findings == ()
    assert [(one.rule_id, one.reason, one.needs, one.lines) for one in whole.decision.not_evaluated] == [
        ("other", LATE, (), ("a", "b")),
        ("r", LATE, (), ("a", "b")),
    ]
    assert [(note.code, note.message) for note in whole.decision.notes] == [
        (LATE, "调用方等待的时间已到，部分规则本次未检查")
    ]
    assert whole.stopped == Stopped(judged=0)


@pytest.mark.usefixtures("often")
def test_blocks_come_before_warnings() -> None:
    """Where one rule could be judged, it is the one that blocks, wherever it stands in the body."""
    compiled = listed(rule(id="a-warns", action="warn"), rule(id="b-blocks"))
    whole = decide_whole(compiled, prescription(), AT, halt=after(1))
    assert [found.rule_id for found in whole.decision.findings] == []
    assert whole.stopped.judged == 1
    judged = match(compiled, prescription(), AT, halt=after(1))
    assert [one.rule.rule.id for one in judged.true] == ["b-blocks"]
    assert [one.rule.rule.id for one in judged.skipped] == ["a-warns"]


def test_what_was_found_is_told_however_late_it_is() -> None:
    """The time was up when everything had been judged: the strongest findings are told all the same."""
    body = prescription(*(line(f"L{number}") for number in range(TOLD_LEAST + 8)))
    compiled = listed(rule())
    begun = begin(compiled, body, AT)
    whole = decide_whole(compiled, body, AT, begun=begun, halt=after(0))
    assert len(whole.decision.findings) == TOLD_LEAST
    assert whole.stopped == Stopped(told=TOLD_LEAST)
    assert [(one.rule_id, len(one.lines)) for one in whole.decision.not_evaluated] == [("r", 8)]


def test_ways_out_are_not_looked_for_when_the_time_is_up() -> None:
    """The finding is told without them, and nothing is said to be left out."""
    compiled = listed(rule(suggestions=ALL_KINDS))
    late = Halt(lambda part: part == "tried")
    whole = decide_whole(compiled, prescription(), AT, halt=late)
    assert [(found.rule_id, found.suggestions) for found in whole.decision.findings] == [("r", ())]
    assert whole.decision.not_evaluated == ()
    assert whole.decision.notes == ()
    assert whole.stopped == Stopped(tried=0)
    assert decide(compiled, prescription(), AT).findings[0].suggestions != ()


# -- where it stops


def test_a_part_that_ended_ends_there_again() -> None:
    """The clock decides once; then the number of steps does, whatever the clock says."""
    halt = after(2)
    assert [halt.over("judged", done) for done in (0, 32, 64, 32, 64, 96)] == [False, False, True, False, True, True]
    assert halt.stopped == Stopped(judged=64)
    given_ = Halt(lambda _part: True, Stopped(told=40))
    assert [given_.over("told", done) for done in (0, 39, 40)] == [False, False, True]


@pytest.mark.parametrize("part", list(EVERY))
def test_the_strongest_come_first_and_equals_in_their_order(part: Part) -> None:
    """Where all are done at one look, in the order they have."""
    strengths = [1, 3, 2, 3] * EVERY[part]
    places = list(in_haste(strengths, part))
    assert sorted(places) == list(range(len(strengths)))
    assert [strengths[place] for place in places] == sorted(strengths, reverse=True)
    assert places == sorted(places, key=lambda place: (-strengths[place], place))
    assert list(in_haste(strengths[: EVERY[part]], part)) == list(range(EVERY[part]))


def test_lines_of_other_items_are_not_taken_for_alike() -> None:
    """Lines that share codes and names share what triggers; what a line says of itself still counts."""
    compiled = listed(rule(), rule(id="two"))
    body = prescription(line("a"), line("b", OTHER), line("c"), line("d", DRUG, current=False))
    assert [(one.rule.rule.id, one.line.id if one.line else "") for one in match(compiled, body, AT).true] == [
        ("r", "a"),
        ("two", "a"),
        ("r", "c"),
        ("two", "c"),
    ]
