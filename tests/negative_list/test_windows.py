"""Windows: insurance years, uses that meet, first uses, and whose lines are looked at."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from negative_list import conditions as c
from negative_list import gather
from negative_list.compile import compile
from negative_list.engine import match
from negative_list.prescription import History, Line
from negative_list.windows import within
from tests.agreement import match_engine
from tests.generators import draw_case
from tests.generators_lists import draw_list
from tests.negative_list.builders import AT, DRUG, OTHER, judged, line, listed, needs, past, prescription, rule

ITEMS = c.Items(codes=(DRUG,))
ALL = History(complete=True)


def some(items: c.Items = ITEMS, **window: Any) -> c.Some:
    """Another line in the window, of the whole patient where nothing else is said."""
    return c.Some(lines=c.Lines(items=items, window=c.Window(**{"whose": "patient"} | window)))


def known(*lines: Line, **given: Any) -> History:
    """A history that is complete unless it says otherwise."""
    fields: dict[str, Any] = {"lines": lines, "complete": True}
    return History(**(fields | given))


YEARS = [
    ((2025, 7, 1), 100, True),
    ((2025, 7, 1), 257, True),
    ((2025, 7, 1), 258, False),
    ((2020, 3, 15), 0.4, True),
    ((2020, 3, 15), 1, False),
    ((2024, 2, 29), 14, True),
    ((2024, 2, 29), 15, False),
    ((2026, 3, 16), 364, True),
]


@pytest.mark.parametrize(("begins", "days", "answer"), YEARS, ids=range(len(YEARS)))
def test_an_insurance_year_is_counted_from_its_day(begins: Any, days: float, answer: bool) -> None:
    """The month and day of the fact begin each year; one from 29 February begins on 1 March of other years."""
    body = prescription(line(), insurance_year_from=date(*begins))
    assert judged(some(unit="insurance_year"), on=body, history=known(past(days))) is answer


def test_an_insurance_year_that_begins_on_an_unknown_day() -> None:
    """Every other line may lie in it, nothing is covered, and the day is asked for; the line itself is in it."""
    condition = some(unit="insurance_year")
    assert judged(condition, line(), history=known()) is None
    assert needs(condition, line(), history=known(past(300))) == ["encounter.insurance_year_from", "history"]
    count = c.Count(lines=condition.lines, above=Decimal(0))
    assert judged(count, line(), line("b"), history=known()) is True
    assert judged(c.Count(lines=condition.lines, above=Decimal(1)), line(), line("b"), history=known()) is None


@pytest.mark.parametrize(("since", "answer"), [(datetime(2025, 7, 1), False), (datetime(2025, 7, 1, 0, 1), None)])
def test_an_insurance_year_is_covered_from_its_first_moment(since: datetime, answer: bool | None) -> None:
    """History that begins a minute later may lack a line."""
    body = prescription(line(), insurance_year_from=date(2025, 7, 1))
    assert judged(some(unit="insurance_year"), on=body, history=History(since=since)) is answer


USES = [
    (7, 7, {}, False),
    (6, 7, {}, True),
    (7, 7, {"length": 1}, True),
    (7, 7, {"length": 1, "ends": "open"}, False),
    (7, 7, {"length": 2, "ends": "open"}, True),
    (9, 7, {"length": 3}, True),
    (9, 7, {"length": 2}, False),
    (-2, 1, {}, True),
    (-3, 1, {}, False),
    (-2, 1, {"side": "before"}, False),
    (3, None, {}, None),
    (-3, None, {}, False),
]


@pytest.mark.parametrize(("ago", "days", "window", "answer"), USES, ids=range(len(USES)))
def test_uses_meet_by_the_days_they_last(ago: int, days: int | None, window: Any, answer: bool | None) -> None:
    """The trigger line lasts three days; another is in use with it where they share a day, or lie near enough."""
    other = past(ago, facts={"days": days})
    assert judged(some(unit="in_use", **window), line(facts={"days": 3}), history=known(other)) is answer


def test_a_use_without_an_end_is_possible() -> None:
    """How long it lasts is asked for."""
    condition = some(unit="in_use")
    assert needs(condition, line(facts={"days": 3}), history=known(past(3))) == ["line.days"]
    assert needs(condition, line(), history=known(past(3, begins=None))) == ["line.begins"]


def test_a_use_is_covered_as_far_back_as_the_longest_supply() -> None:
    """No issue is for more than twelve weeks: what began earlier is used up."""
    midnight = datetime(2026, 3, 15)
    condition = some(unit="in_use", length=3)
    for days, answer in ((87, False), (86, None)):
        assert judged(condition, line(), history=History(since=midnight - timedelta(days=days))) is answer


FIRSTS = [
    ([5], 7, 2),
    ([7], 7, 0),
    ([6, 3, 1], 7, 4),
    ([20, 3, 1], 7, 0),
    ([], 7, 1),
    ([-3], 4, 2),
    ([-4], 4, 1),
]


@pytest.mark.parametrize(("ago", "length", "members"), FIRSTS, ids=range(len(FIRSTS)))
def test_a_first_use_gathers_the_days_that_begin_with_it(ago: list[int], length: int, members: int) -> None:
    """Members begin less than so many days after the first; behind them nothing is gathered."""
    lines = c.Lines(items=ITEMS, window=c.Window(unit="first_use", length=length, whose="patient"))
    others = [past(days, f"h{days}") for days in ago]
    for bound, answer in ((members, True), (members + 1, False)):
        assert judged(c.Count(lines=lines, at_least=Decimal(bound)), line(), history=known(*others)) is answer


def test_a_first_use_may_have_been_earlier() -> None:
    """Where history is not complete only the trigger line is certain."""
    lines = c.Lines(items=ITEMS, window=c.Window(unit="first_use", length=7, whose="patient"))
    history = known(past(3), complete=False, since=AT - timedelta(days=400))
    assert judged(c.Count(lines=lines, at_least=Decimal(1)), line(), history=history) is True
    assert judged(c.Count(lines=lines, at_least=Decimal(2)), line(), history=history) is None
    assert needs(c.Count(lines=lines, at_least=Decimal(2)), line(), history=history) == ["history"]


def test_the_trigger_lines_day_is_one_of_use() -> None:
    """A trigger of another item before the first line counts as the beginning."""
    lines = c.Lines(items=c.Items(codes=(OTHER,)), window=c.Window(unit="first_use", length=3))
    later = [line("b", OTHER, begins=AT + timedelta(days=2)), line("c", OTHER, begins=AT + timedelta(days=3))]
    for bound, answer in ((1, True), (2, False)):
        assert judged(c.Count(lines=lines, at_least=Decimal(bound)), line(), *later, history=ALL) is answer


HERE = [("A", "A", True), ("A", "B", False), ("A", None, None), (None, "A", None)]


@pytest.mark.parametrize(("ours", "theirs", "answer"), HERE)
def test_lines_of_the_institution_are_those_given_here(
    ours: str | None, theirs: str | None, answer: bool | None
) -> None:
    """The other line's institution is the trigger line's; unknown on either side it is possible."""
    condition = some(unit="days", length=30, whose="institution")
    other = past(3, facts={"institution_id": theirs})
    facts: dict[str, Any] = {} if ours is None else {"institution_id": ours}
    assert judged(condition, on=prescription(line(), **facts), history=known(other)) is answer
    if answer is None:
        assert needs(condition, on=prescription(line(), **facts), history=known(other)) == ["line.institution_id"]


def test_a_line_may_be_given_elsewhere_than_its_encounter() -> None:
    """What a line says of its institution goes before the encounter's; lines of the encounter are always meant."""
    condition = some(unit="days", length=30, whose="institution")
    body = prescription(line(facts={"institution_id": "B"}), institution_id="A")
    assert judged(condition, on=body, history=known(past(3, facts={"institution_id": "B"}))) is True
    assert judged(condition, line(), line("b")) is True


@pytest.mark.parametrize(
    ("whose", "since", "own", "answer"),
    [
        ("patient", 40, 40, False),
        ("patient", 20, 40, None),
        ("institution", 20, 40, False),
        ("institution", 40, 20, False),
        ("institution", None, 40, False),
        ("institution", 20, None, None),
    ],
)
def test_history_may_know_this_institution_longer(
    whose: str, since: int | None, own: int | None, answer: bool | None
) -> None:
    """For lines given here either beginning of history will do, for the patient's only that of everything."""
    first, here = (None if days is None else AT - timedelta(days=days) for days in (since, own))
    condition = some(unit="days", length=30, whose=whose)
    body = prescription(line(), institution_id="A")
    assert judged(condition, on=body, history=History(since=first, own_since=here)) is answer


def test_the_encounter_is_covered_by_what_is_known_of_the_institution() -> None:
    """A body that carries only new lines is filled up by what this institution remembers."""
    body = prescription(line())
    body = replace(body, encounter=replace(body.encounter, complete=False))
    condition = some(unit="days", length=30, whose="encounter")
    assert judged(condition, on=body) is None
    assert judged(condition, on=body, history=History(own_since=AT - timedelta(days=31))) is False


def test_many_lines_are_gathered_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking lines up by their days, as is done for a long stay, changes no answer."""
    seen = 0
    for seed in range(40):
        rules, cases = draw_list(seed), [draw_case(Random(seed * 1000 + k)) for k in range(12)]
        few = [match_engine(compile(rules), case) for case in cases]
        monkeypatch.setattr(gather, "MANY_LINES", 1)
        assert [match_engine(compile(rules), case) for case in cases] == few
        monkeypatch.undo()
        seen += sum(len(outcome.findings) for outcome in few)
    assert seen > 100


LONG = ("in_use", "first_use", "day", "month", "insurance_year", "encounter")


@pytest.mark.parametrize("unit", LONG)
def test_a_stay_of_thousands_of_lines_is_gathered_once(unit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that gather alike share it: what is looked at does not grow with the square of a settlement's lines."""
    looked = 0

    def counted(*given: Any) -> bool | None:
        nonlocal looked
        looked += 1
        return within(*given)

    monkeypatch.setattr(gather, "within", counted)
    size = 3000
    lines = (
        line(str(k), begins=AT - timedelta(days=k % 30, minutes=k % 600), facts={"days": 1 + k % 3})
        for k in range(size)
    )
    window = c.Window(unit=unit, length=7 if unit == "first_use" else None)
    supply = c.SupplyLeft(lines=c.Lines(items=ITEMS, window=window), above=Decimal(10**6))
    body = prescription(*lines, insurance_year_from=date(2025, 7, 1))
    assert len(match(listed(rule(supply)), body, AT, ALL).judgements) == 0
    assert 0 < looked < 5 * size
