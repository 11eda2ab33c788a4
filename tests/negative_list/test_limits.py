"""Limits that are worked out, weights, counts of values, units of places, and how many of several hold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from negative_list import conditions as c
from negative_list.prescription import History
from negative_list.rules import Trigger
from tests.negative_list.builders import (
    ADULT,
    DRUG,
    MALE,
    OTHER,
    SERVICE,
    fact,
    judged,
    line,
    needs,
    past,
    prescription,
)

ITEMS = c.Items(codes=(DRUG,))
LINES = c.Lines(items=ITEMS)
OTHERS = c.Lines(items=c.Items(codes=(OTHER,)))
EVER = c.Lines(items=ITEMS, window=c.Window(unit="lifetime", whose="patient"))


def number(value: float | str) -> Decimal:
    """An exact number."""
    return Decimal(str(value))


STAY = c.Formula(fact="encounter.stay_days", plus=Decimal(1), times=Decimal(2))

OF_FACTS = [
    (c.Count(lines=LINES, above=STAY), 3, False),
    (c.Count(lines=LINES, above=STAY), -1, True),
    (c.Count(lines=LINES, above=STAY), None, None),
    (c.Count(lines=LINES, at_most=STAY), 0, True),
    (c.Count(lines=LINES, below=STAY), 0, True),
    (c.Count(lines=LINES, at_least=STAY), 0, False),
    (c.Age(below=STAY), 30, True),
    (c.Age(below=STAY), 22, False),
]


@pytest.mark.parametrize(("condition", "days", "answer"), OF_FACTS, ids=range(len(OF_FACTS)))
def test_a_limit_is_worked_out_from_a_fact(condition: c.Condition, days: int | None, answer: bool | None) -> None:
    """Times is applied to the fact and what is added to it; an unknown fact leaves the comparison unknown."""
    facts: dict[str, Any] = {} if days is None else {"stay_days": days}
    assert judged(condition, on=prescription(line(), **facts)) is answer


def test_a_limit_of_a_line_is_the_trigger_lines() -> None:
    """Three a day: the quantity is held against the line's own days."""
    condition = c.Fact(fact="line.quantity", above=c.Formula(fact="line.days", times=number(1.5)))
    assert judged(condition, line(facts={"quantity": number(4.6), "days": 3})) is True
    assert judged(condition, line(facts={"quantity": number(4.5), "days": 3})) is False
    assert needs(condition, line()) == ["line.days"]


@pytest.mark.parametrize(("quantity", "others", "answer"), [(5, 2, True), (4, 2, False), (1, 0, True), (5, None, None)])
def test_a_limit_is_worked_out_from_other_lines(quantity: int, others: int | None, answer: bool | None) -> None:
    """At most twice as much of an item as of another; a missing quantity of the other has no limit above."""
    condition = c.Sum(lines=LINES, above=c.Formula(lines=OTHERS, times=Decimal(2)))
    other = [] if others == 0 else [line("b", OTHER, facts={"quantity": others})]
    assert judged(condition, line(facts={"quantity": quantity}), *other) is answer


def test_a_limit_between_two_numbers_leaves_it_open() -> None:
    """True is what holds for every value the limit may have, false what holds for none."""
    unsure = line("b", "", name="某药")
    condition = c.Count(lines=LINES, above=c.Formula(lines=OTHERS, times=Decimal(3)))
    assert judged(condition, line(), unsure) is None
    assert judged(c.Count(lines=LINES, above=c.Formula(lines=OTHERS, plus=Decimal(5))), line(), unsure) is False
    assert needs(condition, line(), unsure) == ["line.code"]


def test_lines_that_share_what_they_gather_keep_limits_of_their_own() -> None:
    """The sum is made once for both lines, the limit for each."""
    condition = c.Sum(lines=LINES, above=c.Formula(fact="line.days"))
    lines = line(facts={"days": 1}), line("b", facts={"days": 2})
    assert judged(condition, *lines) is True
    assert judged(condition, *lines[::-1]) is False


WEIGHTS = (c.Weight(items=ITEMS, weight=number(0.5)), c.Weight(items=c.Items(codes=(OTHER,)), weight=Decimal(0)))
ALL_ITEMS = c.Lines()
SUMS = [
    ([line(facts={"quantity": 4}), line("b", OTHER)], 2, 2),
    ([line(facts={"quantity": 4}), line("b", "T001700688", facts={"quantity": 3})], 5, 5),
    ([line(facts={"quantity": 4}), line("b", "", name="某药", facts={"quantity": 2})], 2, 4),
    ([line(facts={"quantity": None})], 0, 10**9),
]


@pytest.mark.parametrize(("lines", "low", "high"), SUMS, ids=range(len(SUMS)))
def test_weights_make_lines_count_less(lines: list[Any], low: int, high: int) -> None:
    """The first weight that means a line counts, one where none does, from least to most where it is unknown."""

    def answer(**bounds: Any) -> bool | None:
        return judged(c.Sum(lines=ALL_ITEMS, weights=WEIGHTS, **bounds), *lines)

    assert answer(at_least=Decimal(low)) is True
    assert answer(above=Decimal(low)) is (False if low == high else None)
    assert answer(above=Decimal(high)) is (None if high > 100 else False)


VALUES = [
    ([{"tooth": "11"}, {"tooth": "12"}, {"tooth": "11"}], 2, 2),
    ([{"tooth": "11"}, {}], 1, 2),
    ([{"drug_class": ("a", "b")}, {"drug_class": ("b", "c")}], 3, 3),
]


@pytest.mark.parametrize(("facts", "low", "high"), VALUES, ids=range(len(VALUES)))
def test_values_of_a_fact_are_counted_once(facts: list[dict[str, Any]], low: int, high: int) -> None:
    """Distinct values make the number; a line without the fact may make one more."""
    by = "line.drug_class" if "drug_class" in facts[0] else "line.tooth"
    lines = [line(str(k), facts=one) for k, one in enumerate(facts)]
    assert judged(c.Count(lines=LINES, by=by, at_least=Decimal(low)), *lines) is True
    assert judged(c.Count(lines=LINES, by=by, above=Decimal(low)), *lines) is (False if low == high else None)
    assert judged(c.Count(lines=LINES, by=by, above=Decimal(high)), *lines) is False


PLACES = [
    ([(3, 1000)], 3, 3),
    ([(3, 1000), (6, 2000)], 9, 9),
    ([(3, 1000), (6, 500)], 3, 3),
    ([(3, 1000), (6, None)], 3, 9),
    ([(3, None), (6, 500), (2, None)], 3, 11),
    ([(3, 1000), (None, 2000)], 3, 10**9),
    ([(3, 1000), (None, 500)], 3, 3),
    ([(None, 1000), (6, 2000)], 6, 10**9),
]


@pytest.mark.parametrize(("lines", "low", "high"), PLACES, ids=range(len(PLACES)))
def test_places_are_counted_in_units(lines: list[tuple[int | None, int | None]], low: int, high: int) -> None:
    """A line's last unit stands after all units of the lines before it: dearer ones first, then as in the body."""
    made = [line(str(k), facts={"slides": n, "unit_price_fen": price}) for k, (n, price) in enumerate(lines)]

    def answer(**bounds: Any) -> bool | None:
        return judged(c.Rank(lines=LINES, of="line.slides", **bounds), *made)

    assert answer(at_least=Decimal(low)) is True
    assert answer(above=Decimal(low)) is (False if low == high else None)
    assert answer(above=Decimal(high)) is (None if high > 100 else False)


def test_units_in_force_come_first() -> None:
    """Units charged before stand before all that are being written, whatever they cost."""
    condition = c.Rank(lines=EVER, of="line.slides", above=Decimal(8))
    before = past(3, facts={"slides": 6, "unit_price_fen": 1})
    for slides, answer in ((2, False), (3, True)):
        assert (
            judged(condition, line(facts={"slides": slides}), history=History(lines=(before,), complete=True)) is answer
        )
    assert needs(condition, line(facts={"slides": 2})) == ["history"]


MANY = [(1, True), (2, True), (3, None), (4, None), (5, False)]


@pytest.mark.parametrize(("wanted", "answer"), MANY)
def test_at_least_so_many_of_several_hold(wanted: int, answer: bool | None) -> None:
    """True with enough that hold; false only when the unknown ones would not make up the number."""
    unknown = fact("encounter.pregnant", yes=True), fact("encounter.rescue", yes=True)
    children = (MALE, ADULT, fact("patient.sex", "女"), *unknown)
    assert judged(c.AtLeast(of=children, count=wanted), line()) is answer
    assert needs(c.AtLeast(of=children, count=3), line()) == ["encounter.pregnant", "encounter.rescue"]


def test_lines_may_have_to_differ() -> None:
    """A line with another value is gathered, the trigger line never; unknown on either side it is possible."""
    condition = c.Some(lines=c.Lines(items=ITEMS, different=("line.rx_no",)))
    a, b, none = ({"rx_no": "1"}, {"rx_no": "2"}, {"rx_no": None})
    assert judged(condition, line(facts=a)) is False
    assert judged(condition, line(facts=a), line("b", facts=b)) is True
    assert judged(condition, line(facts=a), line("b", facts=a)) is False
    assert judged(condition, line(facts=a), line("b", facts=none)) is None
    assert judged(condition, line(facts=none)) is False
    assert needs(condition, line(facts=a), line("b", facts=none)) == ["line.rx_no"]


NAMED = [
    (c.Items(prefixes=("X",), except_names=("鸡内金",)), line("b", "", name="炒鸡内金"), False),
    (c.Items(prefixes=("X",), except_names=("鸡内金",)), line("b", "", name="人参"), None),
    (c.Items(names=("内金",), except_names=("鸡内金",)), line("b", "", name="炒鸡内金"), False),
    (c.Items(names=("内金",), except_names=("鸡内金",)), line("b", "", name="内金散"), True),
    (c.Items(prefixes=("X",), except_names=("阿帕他胺",)), line("b", OTHER), True),
    (c.Items(types=("herb",), except_names=("鸡内金",)), line("b", "", name="人参", facts={"item_type": "herb"}), None),
]


@pytest.mark.parametrize(("items", "other", "answer"), NAMED, ids=range(len(NAMED)))
def test_names_are_excepted_where_no_code_decides(items: c.Items, other: Any, answer: bool | None) -> None:
    """An excepted term takes out lines without a usable code, and no others."""
    trigger = Trigger(codes=(SERVICE,))
    assert judged(c.Some(lines=c.Lines(items=items)), line(code=SERVICE), other, trigger=trigger) is answer
