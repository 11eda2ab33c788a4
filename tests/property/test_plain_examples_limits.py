"""The specification in examples, part 4: limits worked out, weights, units, supplies; each states one rule."""

from __future__ import annotations

from decimal import Decimal

import pytest

from negative_list import conditions as c
from negative_list.prescription import FactValue, History, Line
from tests.examples import DRUG, HERB, OTHER, answers, line, told, when

PATIENT = c.Window(unit="month", whose="patient")


def of(quantity: str, ident: str = "a", code: str = DRUG, slides: int = 1) -> Line:
    """A line in force or, where it is the trigger, current, of a quantity."""
    facts = {"line.quantity": Decimal(quantity), "line.slides": Decimal(slides)}
    return line(ident, code=code, current=ident == "a", facts=facts)


STAY = c.Formula(fact="encounter.stay_days", plus=Decimal(1), times=Decimal(2))
NURSING = c.Sum(lines=c.Lines(), above=STAY)


@pytest.mark.parametrize(("quantity", "stay", "value"), [("9", 3, True), ("8", 3, False), ("9", None, None)])
def test_a_limit_made_of_a_fact(quantity: str, stay: int | None, value: bool | None) -> None:
    """Twice (stay days + 1): 8 for a stay of 3 days; unknown without the stay, which is what it needs."""
    encounter = {"facts": {"encounter.stay_days": stay} if stay else {}}
    assert answers(NURSING, of(quantity), encounter=encounter).get("a", False) is value
    if value is None:
        assert told(NURSING, of(quantity)).undecided == {("r", ("a",)): frozenset({"encounter.stay_days"})}


def test_a_limit_made_of_other_lines() -> None:
    """Not more extras than main items; a main item without quantity makes the limit open above."""
    mains = c.Formula(lines=c.Lines(items=c.Items(codes=(HERB,))))
    more = c.Sum(lines=c.Lines(items=c.Items(codes=(DRUG,))), above=mains)
    assert answers(more, of("3"), of("2", "b", HERB)) == {"a": True}
    assert answers(more, of("2"), of("2", "b", HERB)) == {}
    assert answers(more, of("3"), line("b", code=HERB, current=False)) == {"a": None}


def test_a_limit_may_count_for_facts_and_ages() -> None:
    """Any bound may be worked out: this line's slides are more than the others' quantity."""
    more = c.Fact(fact="line.slides", above=c.Formula(lines=c.Lines(items=c.Items(codes=(HERB,)))))
    assert answers(more, of("1", slides=3), of("2", "b", HERB)) == {"a": True}
    assert answers(more, of("1", slides=2), of("2", "b", HERB)) == {}


def test_lines_of_a_limit_are_evidence() -> None:
    """The finding names the lines its limit was worked out from."""
    mains = c.Formula(lines=c.Lines(items=c.Items(codes=(HERB,))))
    found = told(c.Sum(lines=c.Lines(items=c.Items(codes=(DRUG,))), above=mains), of("3"), of("2", "b", HERB))
    assert found.findings["r", ("a",)].involved == {"b"}


HALF = c.Weight(items=c.Items(codes=(OTHER,)), weight=Decimal("0.5"))
THRICE = c.Weight(items=c.Items(prefixes=("X",)), weight=Decimal(3))


@pytest.mark.parametrize(
    ("other", "above", "value"),
    [
        (of("4", "b", OTHER), 4, True),
        (of("4", "b", OTHER), 5, False),
        (of("4", "b", HERB), 6, True),
        (of("4", "b", HERB), 7, False),
        (of("4", "b", ""), 4, True),
        (of("4", "b", ""), 5, None),
        (of("4", "b", ""), 14, None),
        (of("4", "b", ""), 15, False),
        (line("b", code=OTHER, current=False), 100, None),
    ],
)
def test_the_first_weight_that_means_a_line_counts(other: Line, above: int, value: bool | None) -> None:
    """1 x 3 of the drug, and 4 x 0.5 by the first weight, or x 1 by none; without code anything from 0.5 to 3."""
    total = c.Sum(lines=c.Lines(), weights=(HALF, THRICE), above=Decimal(above))
    assert answers(total, of("1"), other).get("a", False) is value


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({"line.rx_no": "B"}, True),
        ({"line.rx_no": "A"}, False),
        ({}, None),
    ],
)
def test_distinct_values_of_a_fact_are_counted(given: dict[str, FactValue], value: bool | None) -> None:
    """A line without the fact adds nothing for certain and one at most."""
    two = c.Count(lines=c.Lines(), by="line.rx_no", above=Decimal(1))
    found = answers(two, line(facts={"line.rx_no": "A"}), line("b", current=False, facts=given))
    assert found.get("a", False) is value


def test_each_word_of_a_fact_counts() -> None:
    """A drug of two classes and one of a third make three classes."""
    classes = c.Count(lines=c.Lines(), by="line.drug_class", above=Decimal(2))
    two = line(facts={"line.drug_class": ("甲类", "乙类")})
    assert answers(classes, two, line("b", current=False, facts={"line.drug_class": ("丙类",)})) == {"a": True}
    assert answers(classes, two, line("b", current=False, facts={"line.drug_class": ("乙类",)})) == {}


@pytest.mark.parametrize(
    ("ours", "before", "value"),
    [("1", "8", True), ("1", "7", False), ("3", "6", True), ("1", None, None), (None, "8", None), (None, "9", True)],
)
def test_places_in_units(ours: str | None, before: str | None, value: bool | None) -> None:
    """Above 8: some of the line's units come after the eighth; a missing number is without limit at most."""
    ninth = c.Rank(lines=c.Lines(), of="line.slides", above=Decimal(8))
    slides = ({"line.slides": Decimal(n)} if n else {} for n in (ours, before))
    first, second = slides
    found = answers(ninth, line(facts=first), line("b", current=False, facts=second))
    assert found.get("a", False) is value


def issue(ident: str, day: str, days: int | None = 7) -> Line:
    """An issue in force that lasts some days."""
    return line(ident, when(day), current=False, facts={"line.days": days} if days else {})


@pytest.mark.parametrize(
    ("issues", "left"),
    [
        ([], 0),
        ([issue("b", "8")], 0),
        ([issue("b", "9")], 1),
        ([issue("b", "15")], 7),
        ([issue("b", "16")], 0),
        ([issue("b", "8"), issue("d", "8")], 7),
        ([issue("b", "8"), issue("d", "10")], 7),
        ([issue("b", "1"), issue("d", "10")], 2),
    ],
)
def test_supplies_are_used_up_one_after_the_other(issues: list[Line], left: int) -> None:
    """Seven days from the 9th end on the 15th, which counts; a second issue begins where the first one ends."""
    exactly = c.SupplyLeft(lines=c.Lines(), at_least=Decimal(left), at_most=Decimal(left))
    assert answers(exactly, line(), *issues) == {"a": True}


@pytest.mark.parametrize(
    ("other", "needs"),
    [(issue("b", "14", None), "line.days"), (line("b", None, current=False, facts={"line.days": 3}), "line.begins")],
)
def test_a_supply_without_end_or_begin_has_no_limit(other: Line, needs: str) -> None:
    """What is left may be anything more than what is certain."""
    more = c.SupplyLeft(lines=c.Lines(), above=Decimal(0))
    assert told(more, line(), other).undecided == {("r", ("a",)): frozenset({needs})}


def test_a_supply_nobody_saw_may_be_left() -> None:
    """Without coverage more may be left; what is left for certain is enough for a limit below it."""
    window = c.Window(unit="in_use", side="before", whose="patient")
    more = c.SupplyLeft(lines=c.Lines(window=window), above=Decimal(2))
    trigger = line(facts={"line.days": 7})
    assert answers(more, trigger, issue("b", "12")) == {"a": True}
    assert answers(more, trigger, issue("b", "10")) == {"a": None}
    assert answers(more, trigger, issue("b", "10"), history=History(complete=True)) == {}
