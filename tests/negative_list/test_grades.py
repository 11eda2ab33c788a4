"""Grades, rules that stand in for others, and the money of an excess."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from negative_list import conditions as c
from negative_list.compile import canonical_lines, compile, digest_of
from negative_list.parse import parse_jsonl
from negative_list.policy import parse_policy
from negative_list.rules import Case, Grade, OnUnknown, RuleList, Text
from tests.negative_list.builders import AT, DRUG, MALE, day_limit, decided, fact, line, listed, prescription, rule

if TYPE_CHECKING:
    from negative_list.prescription import Line

FREE = parse_policy('[default]\ndefinite = "block"\nsuspicious = "block"\n', "free.toml")
CHILD = c.Age(below=Decimal(18))
OLD = c.Age(at_least=Decimal(80))
PREGNANT = fact("encounter.pregnant", yes=True)
GRADES = (
    Grade(when=PREGNANT, action="block", message=Text(zh="孕妇禁用")),
    Grade(when=OLD, action="warn"),
    Grade(when=MALE, action="block", message=Text(zh="男性", en="men")),
)


@pytest.mark.parametrize(
    ("given", "action", "text"),
    [
        ({"birth": date(1940, 1, 1)}, "warn", "限女性使用"),
        ({"birth": date(1940, 1, 1), "pregnant": True}, "block", "孕妇禁用"),
        ({"birth": date(1980, 1, 1)}, "block", "男性"),
        ({"birth": date(1980, 1, 1), "sex": "女"}, "remind", "限女性使用"),
        ({"birth": None, "sex": None}, "remind", "限女性使用"),
    ],
)
def test_the_first_certain_grade_gives_action_and_text(given: dict[str, Any], action: str, text: str) -> None:
    """An unknown grade is passed over, so that doubt never raises an action; without a text the rule's own stays."""
    graded = rule(c.Fact(fact="line.quantity", above=Decimal(0)), action="remind", grades=GRADES)
    found = decided(graded, on=prescription(**given), policy=FREE).findings[0]
    assert (found.action, found.rule_id) == (action, "r")
    assert text in found.message


def test_a_finding_of_several_lines_takes_the_strongest_grade() -> None:
    """The text is that of the line with the strongest action."""
    dear = Grade(when=c.Fact(fact="line.quantity", above=Decimal(5)), action="block", message=Text(zh="量大"))
    graded = rule(MALE, per="encounter", action="remind", grades=(dear,))
    found = decided(graded, on=prescription(line(), line("b", facts={"quantity": 9})), policy=FREE).findings[0]
    assert (found.action, found.lines) == ("block", ("a", "b"))
    assert "量大" in found.message


def test_a_question_is_not_graded() -> None:
    """An undecided rule asks as its rule says."""
    graded = rule(PREGNANT, on_unknown=OnUnknown(action="remind"), grades=(Grade(when=MALE, action="block"),))
    found = decided(graded, policy=FREE).findings[0]
    assert (found.unknown, found.action) == (True, "remind")


def test_other_findings_of_a_line_are_told_as_graded() -> None:
    """What a line's first message repeats of the others is their graded text."""
    graded = rule(MALE, id="s", action="warn", grades=(Grade(when=MALE, action="warn", message=Text(zh="另一句")),))
    found = decided(rule(), graded, policy=FREE).findings
    assert [each.rule_id for each in found] == ["r", "s"]
    assert "另一句" in found[0].message


# -- rules that stand in for others


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, ["own"]),
        ({"valid_from": date(2026, 3, 16)}, ["r"]),
        ({"valid_from": date(2026, 3, 15)}, ["own"]),
        ({"valid_to": date(2026, 3, 14)}, ["r"]),
        ({"scope": CHILD}, []),
    ],
)
def test_a_rule_stands_in_while_it_is_in_force(given: dict[str, Any], found: list[str]) -> None:
    """By its days alone: what it does not find the rule it stands in for does not find either."""
    own = rule(id="own", origin="province", overrides=("r",), **given)
    assert [each.rule_id for each in decided(rule(), own).findings] == found


def test_the_day_is_that_of_the_line() -> None:
    """A line of yesterday is judged by the rule of yesterday."""
    own = rule(id="own", overrides=("r",), valid_from=AT.date())
    body = prescription(line(begins=AT - timedelta(days=1)), line("b"))
    found = decided(rule(), own, on=body).findings
    assert sorted((each.rule_id, each.lines) for each in found) == [("own", ("b",)), ("r", ("a",))]


def test_a_rule_that_is_stood_in_for_still_stands_in() -> None:
    """Hospital over province over nation: only the hospital's holds."""
    rules = (rule(), rule(id="p", overrides=("r",)), rule(id="h", overrides=("p",)))
    assert [each.rule_id for each in decided(*rules).findings] == ["h"]


# -- cases and exchange


def test_cases_belong_to_the_list_and_not_to_the_match() -> None:
    """The digest names them, the compiled rule does not carry them, and they are read back as they were."""
    case = Case(kind="near_miss", request={"patient": {"sex": "男", "weight": 3.5}}, expect="silent")
    with_case = rule(cases=(case, Case(kind="unknown", change="request.patient.sex")), amount_share=Decimal("0.2"))
    rules = RuleList(rules=(with_case,))
    assert digest_of(rules) != digest_of(RuleList(rules=(rule(amount_share=Decimal("0.2")),)))
    assert compile(rules).rules[0].rule.cases == ()
    assert [row.record for row in parse_jsonl(b"".join(canonical_lines(rules)), "x")] == [with_case]


def test_grades_that_gather_lines_are_not_local() -> None:
    """An edit of another line may change the action, so that such a rule is judged again."""
    many = c.Count(lines=c.Lines(), above=Decimal(1))
    local, other = (listed(rule(grades=(Grade(when=when, action="block"),))).rules[0].local for when in (MALE, many))
    assert (local, other) == (True, False)


# -- money

ITEMS = c.Lines(items=c.Items(codes=(DRUG,)))
HALF = (c.Weight(items=c.Items(codes=(DRUG,)), weight=Decimal("0.5")),)


def costs(*lines: Line, violation: c.Condition, **given: Any) -> list[int | None]:
    """The money at risk of each finding."""
    found = decided(rule(violation, **{"amount": "excess"} | given), on=prescription(*lines)).findings
    return [each.amount_fen for each in found]


def ten(**facts: Any) -> Line:
    """A line of ten, at 10 yuan each."""
    return line(facts={"quantity": Decimal(10), "amount_fen": 10000} | facts)


AMOUNTS: list[tuple[c.Condition, Line, dict[str, Any], int]] = [
    (c.Sum(lines=ITEMS, above=Decimal(4)), ten(), {}, 6000),
    (c.Sum(lines=ITEMS, above=Decimal(4)), ten(), {"amount_share": Decimal("0.5")}, 3000),
    (c.Sum(lines=ITEMS, above=Decimal(4)), ten(), {"amount": "line", "amount_share": Decimal("0.8")}, 8000),
    (c.Sum(lines=ITEMS, above=c.Formula(fact="line.days", times=Decimal(2))), ten(days=3), {}, 4000),
    (c.Sum(lines=ITEMS, weights=HALF, above=Decimal(4)), ten(), {}, 2000),
    (c.Rank(lines=ITEMS, of="line.quantity", above=Decimal(8)), ten(), {"amount_share": Decimal("0.5")}, 1000),
    (c.DaysOfUse(lines=ITEMS, above=Decimal(7)), ten(days=14), {}, 5000),
    (c.Fact(fact="line.unit_price_fen", above=Decimal(800)), ten(), {}, 2000),
    (c.Fact(fact="line.unit_price_fen", above=c.Formula(fact="line.price_cap_fen")), ten(price_cap_fen=900), {}, 1000),
    (c.All(of=(MALE, c.Sum(lines=ITEMS, above=Decimal(4)))), ten(), {}, 6000),
    (c.Any(of=(MALE, c.Sum(lines=ITEMS, above=Decimal(40)))), ten(), {}, 10000),
    (c.Any(of=(c.Sum(lines=ITEMS, at_least=Decimal(4)), c.Sum(lines=ITEMS, above=Decimal(4)))), ten(), {}, 10000),
    (c.AtLeast(count=1, of=(c.Sum(lines=ITEMS, above=Decimal(9)),)), ten(), {}, 1000),
    (c.Some(lines=c.Lines(where=c.Sum(lines=ITEMS, above=Decimal(4)))), ten(), {}, -1),
]


@pytest.mark.parametrize(("violation", "offending", "given", "amount"), AMOUNTS, ids=range(len(AMOUNTS)))
def test_the_excess_is_what_is_over_the_first_limit(
    violation: c.Condition, offending: Line, given: dict[str, Any], amount: int
) -> None:
    """The share of the line that is over the limit, and of that the share the rule says; the whole line otherwise."""
    assert costs(offending, violation=violation, **given) == ([amount] if amount >= 0 else [])


def test_places_of_units_are_charged_line_by_line() -> None:
    """Slides beyond the eighth are half: of the first line none, of the second one, of the third all."""
    violation = c.Rank(lines=ITEMS, of="line.slides", above=Decimal(8))
    lines = [line(str(k), facts={"slides": Decimal(n), "amount_fen": 300 * n}) for k, n in enumerate((6, 3, 4))]
    assert costs(*lines, violation=violation, amount_share=Decimal("0.5")) == [150, 600]


def test_a_quantity_is_suggested_for_units_too() -> None:
    """What comes after the last place that is paid may be left out."""
    violation = c.Rank(lines=ITEMS, of="line.quantity", above=Decimal(8))
    found = decided(rule(violation, suggestions=("quantity",)), on=prescription(ten())).findings[0]
    assert [(each.kind, each.value) for each in found.suggestions] == [("quantity", Decimal(8))]


PRICES = [
    ((1, 1, 1), (None, None, None), [0, 0, 1000]),
    ((2, 2), (None, None), [0, 2000]),
    ((2, 2), (500, 1000), [2000, 0]),
    ((4, 1), (None, None), [2000, 1000]),
]


@pytest.mark.parametrize("per", ["line", "encounter"])
@pytest.mark.parametrize(("quantities", "prices", "fen"), PRICES)
def test_the_excess_of_several_lines_adds_up(
    quantities: tuple[int, ...], prices: tuple[int | None, ...], fen: list[int], per: Any
) -> None:
    """Of what lines make together the last units are over 2: the dearest lines come first, then the order written."""
    lines = [
        line(f"l{n}", facts={"quantity": Decimal(own), "unit_price_fen": price, "amount_fen": own * 1000})
        for n, (own, price) in enumerate(zip(quantities, prices, strict=True))
    ]
    found = decided(rule(day_limit(2), amount="excess", per=per), on=prescription(*lines)).findings
    money = {each.lines: each.amount_fen for each in found}
    expected = {(f"l{n}",): own for n, own in enumerate(fen)}
    assert money == (expected if per == "line" else {tuple(one.id for one in lines): sum(fen)})
    assert sum(fen) == (sum(quantities) - 2) * 1000


def test_days_of_use_over_the_limit_are_the_last_ones() -> None:
    """Of two courses of 5 days in a row against 7 days the second has 3 days over, the first none."""
    lines = [line(), line("b", begins=AT + timedelta(days=5))]
    told = [replace(each, facts={**each.facts, "line.days": 5}) for each in lines]
    limit = c.DaysOfUse(lines=c.Lines(), above=Decimal(7))
    found = decided(rule(limit, amount="excess"), on=prescription(*told)).findings
    assert {each.lines: each.amount_fen for each in found} == {("a",): 0, ("b",): 600}
