"""The specification in examples, part 5: evidence, stages, visits, grades, overrides, amounts; each states one rule."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from negative_list import conditions as c
from negative_list.prescription import Diagnosed, Encounter, History, Line, Operated
from negative_list.rules import Action, Grade, Trigger
from tests.examples import HERB, NO, UNKNOWN, YES, answers, has, judged, line, rule, told, when


@pytest.mark.parametrize(
    ("of", "count", "value"),
    [
        ((YES, YES, NO), 2, True),
        ((YES, NO, NO), 2, False),
        ((YES, UNKNOWN, NO), 2, None),
        ((UNKNOWN, NO, NO), 2, False),
        ((UNKNOWN, YES, YES), 2, True),
    ],
)
def test_at_least_some_hold(of: tuple[c.Condition, ...], count: int, value: bool | None) -> None:
    """False only when even all unknown ones would not make up the number."""
    assert answers(c.AtLeast(of=of, count=count), line()).get("a", False) is value


def test_evidence_of_at_least_is_what_suffices() -> None:
    """Involved are the lines of the first children that make up the number."""
    herb, site = (
        c.Some(lines=c.Lines(items=c.Items(codes=(HERB,)))),
        c.Some(lines=c.Lines(where=has("line.site", "左"))),
    )
    lines = line(facts={"line.site": "右"}), line("b", code=HERB, facts={"line.site": "右"})
    other = line("d", current=False, facts={"line.site": "左"})
    found = told(c.AtLeast(of=(YES, herb, site), count=2), *lines, other)
    assert found.findings["r", ("a",)].involved == {"b", "d"}
    found = told(c.AtLeast(of=(NO, herb, c.Not(of=NO), site), count=2), *lines, other)
    assert found.findings["r", ("a",)].involved == {"b"}


# --- evidence -------------------------------------------------------------------------------------------------------

TEST = "encounter.susceptibility_test"


def proven(value: bool | None, found: datetime | None = None) -> dict[str, Any]:
    """An encounter with what is told of a test, and when it was found."""
    return {"facts": {} if value is None else {TEST: value}, "times": {TEST: found} if found else {}}


@pytest.mark.parametrize(
    ("encounter", "state"),
    [
        (proven(value=True, found=when("12")), "present"),
        (proven(value=True, found=when("11 23:00")), "too_old"),
        (proven(value=True, found=when("20")), "present"),
        (proven(value=False, found=when("1")), "absent"),
    ],
)
def test_evidence_is_present_absent_or_too_old(encounter: dict[str, Any], state: str) -> None:
    """Three calendar days back from the 15th is the 12th; told as false it is absent, however old."""
    for one in ("present", "absent", "too_old"):
        states: Any = (one,)
        found = answers(c.Evidence(fact=TEST, states=states, max_age_days=3), line(), encounter=encounter)
        assert found == ({"a": True} if one == state else {})


def test_hours_of_evidence_are_exact() -> None:
    """Exactly a day old is present, a minute more too old; for a bare trigger it may be either."""
    fresh = c.Evidence(fact=TEST, max_age_hours=24)
    assert answers(fresh, line(), encounter=proven(value=True, found=when("14 10:30"))) == {"a": True}
    assert answers(fresh, line(), encounter=proven(value=True, found=when("14 10:29"))) == {}
    bare = line(begins=when("15"), has_clock=False)
    assert answers(fresh, bare, encounter=proven(value=True, found=when("14 10:30"))) == {"a": None}


def test_evidence_never_told_is_unknown() -> None:
    """So is one without a time where an age is asked for, unless old or new is the same to the rule."""
    assert answers(c.Evidence(fact=TEST), line()) == {"a": None}
    aged: dict[str, Any] = {"fact": TEST, "max_age_days": 3}
    timeless = proven(value=True)
    assert answers(c.Evidence(**aged), line(), encounter=timeless) == {"a": None}
    assert answers(c.Evidence(states=("present", "too_old"), **aged), line(), encounter=timeless) == {"a": True}
    assert answers(c.Evidence(fact=TEST), line(), encounter=timeless) == {"a": True}


def test_evidence_of_a_line_is_the_trigger_lines() -> None:
    """Each line has its own approval."""
    approved = c.Evidence(fact="line.prior_approval")
    assert answers(approved, line(facts={"line.prior_approval": True}), line("b")) == {"a": True, "b": None}


# --- diagnoses and operations ---------------------------------------------------------------------------------------


def test_sets_of_diagnoses_and_operations() -> None:
    """A set's codes are written like codes: ranges and categories."""
    given = {"diagnoses": (Diagnosed(codes=("I63.9",)),), "operations": (Operated(codes=("36.07",)),)}
    none = {"diagnoses": (Diagnosed(codes=("I10",)),), "operations": (Operated(codes=("85.21",)),)}
    for condition in (c.Diagnosis(sets=("strokes",)), c.Operation(sets=("stents",))):
        assert answers(condition, line(), encounter=given) == {"a": True}
        assert answers(condition, line(), encounter=none) == {}


@pytest.mark.parametrize(("stage", "value"), [("admission", True), ("", True), ("discharge", None)])
def test_a_stage_looks_at_its_diagnoses(stage: str, value: bool | None) -> None:
    """One that tells no stage is either; without any of the stage nothing is known."""
    given = {"diagnoses": (Diagnosed(codes=("I63.9",), stage=stage),)}
    assert answers(c.Diagnosis(codes=("I63",), stage="admission"), line(), encounter=given) == {"a": value}


# --- visits ---------------------------------------------------------------------------------------------------------


def visit(ident: str, admitted: str | None, discharged: str | None = None, **given: Any) -> Encounter:
    """Another encounter in March, with further facts by their last word."""
    facts: dict[str, Any] = {f"encounter.{name}": value for name, value in given.items()}
    facts |= {"encounter.admitted_at": when(admitted)} if admitted else {}
    facts |= {"encounter.discharged_at": when(discharged)} if discharged else {}
    return Encounter(id=ident, facts=facts)


NOW = {"encounter.admitted_at": when("15 08:00"), "encounter.visit_mode": "inpatient"}
ALL = History(complete=True)


def visits(condition: c.Condition, *others: Encounter, history: History = ALL, **facts: Any) -> bool | None:
    """What a condition says of the encounter admitted on the 15th, with others in the body."""
    given = NOW | {f"encounter.{name}": value for name, value in facts.items()}
    return answers(condition, line(), encounter={"facts": given, "others": others}, history=history).get("a", False)


def more(above: int, **given: Any) -> c.VisitCount:
    """More than so many visits in the month."""
    window = c.Window(unit="month", whose=given.pop("whose", "patient"))
    return c.VisitCount(visits=c.Visits(window=window, **given), above=Decimal(above))


def test_visits_count_others_and_the_current_one() -> None:
    """One other of the month makes two; an encounter counts once, wherever it is told."""
    assert visits(more(1), visit("F", "2")) is True
    assert visits(more(2), visit("F", "2"), history=History(complete=True, encounters=(visit("F", "2"),))) is False
    assert visits(more(1), history=History(complete=True, encounters=(visit("E", "2"),))) is False
    assert visits(more(1), visit("F", "16")) is False


def test_visits_nobody_told_may_be_there() -> None:
    """More than the limit needs no coverage; no more than it does."""
    assert visits(more(1), visit("F", "2"), history=History()) is True
    assert visits(more(1), history=History(since=when("1"))) is False
    assert visits(more(1), history=History(since=when("2"))) is None
    assert visits(more(1, whose="institution"), history=History(own_since=when("1"))) is False


@pytest.mark.parametrize(("mode", "value"), [("inpatient", True), ("outpatient", False), (None, None)])
def test_modes_of_visits(mode: str | None, value: bool | None) -> None:
    """Only visits of the modes named count; of an unknown mode perhaps."""
    other = visit("F", "2", visit_mode=mode) if mode else visit("F", "2")
    assert visits(more(1, modes=("inpatient",)), other) is value


def test_the_current_encounter_counts_where_it_fits() -> None:
    """An outpatient visit is none of the stays, and neither is one for which ``where`` does not hold."""
    assert visits(more(0, modes=("outpatient",))) is False
    assert visits(more(0, modes=("inpatient",))) is True
    assert visits(more(0, where=has("encounter.rescue", True)), rescue=False) is False  # noqa: FBT003 - a fact's value
    assert visits(more(0, where=has("encounter.rescue", True))) is None  # noqa: FBT003 - a fact's value


@pytest.mark.parametrize(
    ("theirs", "same", "different"), [("D1", True, False), ("D2", False, True), (None, None, None)]
)
def test_facts_of_visits_are_the_same_or_differ(theirs: str | None, same: bool | None, different: bool | None) -> None:
    """Unknown on either side is possible."""
    other = visit("F", "2", department_code=theirs) if theirs else visit("F", "2")
    fact = ("encounter.department_code",)
    assert visits(more(1, same=fact), other, department_code="D1") is same
    assert visits(more(1, different=fact), other, department_code="D1") is different


def test_where_is_judged_for_the_visit() -> None:
    """Diagnoses in ``where`` are those of the visit."""
    stroke = c.Diagnosis(codes=("I63",))
    ours = {"diagnoses": (Diagnosed(codes=("I10",)),)}
    theirs = Encounter(id="F", facts={"encounter.admitted_at": when("2")}, diagnoses=(Diagnosed(codes=("I63.9",)),))
    encounter = {"facts": NOW, "others": (theirs,), **ours}
    assert answers(more(0, where=stroke), line(), encounter=encounter, history=ALL) == {"a": True}
    assert answers(more(1, where=stroke), line(), encounter=encounter, history=ALL) == {}


def test_visits_without_a_time_or_of_an_unknown_place_are_possible() -> None:
    """What would decide is the admission, or the institution."""
    assert visits(more(1), visit("F", None)) is None
    here = more(1, whose="institution")
    assert visits(here, visit("F", "2", institution_id="H1"), institution_id="H1") is True
    assert visits(here, visit("F", "2", institution_id="H2"), institution_id="H1") is False
    assert visits(here, visit("F", "2"), institution_id="H1") is None


@pytest.mark.parametrize(
    ("others", "value"),
    [
        ((visit("F", "2", "8"),), True),
        ((visit("F", "2", "7"),), False),
        ((visit("F", "2", "7"), visit("G", "3", "9")), True),
        ((visit("F", "2"),), None),
        ((visit("F", "9"),), True),
        ((), False),
    ],
)
def test_days_since_the_last_discharge(others: tuple[Encounter, ...], value: bool | None) -> None:
    """Below eight days: from the 8th to the 15th are seven; without a discharge it was since the admission."""
    again = c.SinceVisit(visits=c.Visits(window=c.Window(unit="month", whose="patient")), below=Decimal(8))
    assert visits(again, *others) is value
    if not others:
        assert visits(again, history=History()) is None


# --- grades, overrides, amounts -------------------------------------------------------------------------------------

BLOCK = Grade(when=has("line.site", "左"), action="block")
REMIND = Grade(when=has("line.site", "右"), action="remind")


def action_of(*sites: str, **given: Any) -> Action:
    """The action of the finding over lines of these sites, "" for one that is not known."""
    lines = [line(str(n), facts={"line.site": site} if site else {}) for n, site in enumerate(sites)]
    (found,) = told(YES, *lines, grades=(BLOCK, REMIND), action="warn", **given).findings.values()
    return found.action


def test_the_first_grade_that_holds_gives_the_action() -> None:
    """A grade may raise or lower; an unknown one is passed over; of several lines the strongest counts."""
    assert [action_of(site) for site in ("左", "右", "中", "")] == ["block", "remind", "warn", "warn"]
    assert action_of("右", "左", per="encounter") == "block"
    assert action_of("右", "右", per="encounter") == "remind"


def test_a_rule_stands_in_for_others_while_it_is_in_force() -> None:
    """The province's rule silences the national one on its days, whether or not it holds itself."""
    national = rule(YES, id="n")
    province = rule(NO, id="p", overrides=("n",), valid_from=date(2026, 3, 15))
    assert judged((national, province), line()).findings == {}
    earlier = line("b", when("14"))
    assert set(judged((national, province), line(), earlier).findings) == {("n", ("b",))}


def test_a_rule_that_is_stood_in_for_is_not_undecided() -> None:
    """It is not asked about either, whatever triggers the other rule."""
    national = rule(UNKNOWN, id="n")
    province = rule(YES, id="p", overrides=("n",), trigger=Trigger(codes=(HERB,)))
    assert judged((national, province), line()).undecided == {}


def priced(ident: str = "a", fen: int | None = 1000, **facts: Any) -> Line:
    """A line of an amount."""
    given = {f"line.{name}": value for name, value in facts.items()} | ({"line.amount_fen": fen} if fen else {})
    return line(ident, facts=given)


def amount(condition: c.Condition, *lines: Line, **given: Any) -> int | None:
    """The money at risk in the only finding."""
    (found,) = told(condition, *lines, **given).findings.values()
    return found.amount_fen


def test_the_money_at_risk_is_the_lines_or_a_share_of_it() -> None:
    """The whole line's, a share of it, or nothing stated; unknown where an amount is."""
    assert amount(YES, priced()) == 1000
    assert amount(YES, priced(), amount_share=Decimal("0.5")) == 500
    assert amount(YES, priced(), amount="none") is None
    assert amount(YES, priced(fen=None)) is None
    assert amount(YES, priced(), priced("b", 500), per="encounter") == 1500


OVER = Decimal(8)


@pytest.mark.parametrize(
    ("condition", "facts", "fen"),
    [
        (c.Sum(lines=c.Lines(), above=OVER), {"quantity": Decimal(10)}, 200),
        (c.Sum(lines=c.Lines(), of="line.amount_fen", above=Decimal(700)), {}, 300),
        (c.DaysOfUse(lines=c.Lines(), above=OVER), {"days": 10}, 200),
        (c.Rank(lines=c.Lines(), of="line.slides", above=OVER), {"slides": Decimal(10)}, 200),
        (c.Fact(fact="line.unit_price_fen", above=Decimal(400)), {"unit_price_fen": 500}, 200),
        (c.Sum(lines=c.Lines(), above=c.Formula(fact="line.days", times=Decimal(2))), {"quantity": 10, "days": 4}, 200),
        (c.Sum(lines=c.Lines(), at_least=OVER), {"quantity": Decimal(10)}, 1000),
        (c.Any(of=(YES, c.Sum(lines=c.Lines(), above=OVER))), {"quantity": Decimal(3)}, 1000),
    ],
)
def test_only_the_excess_is_at_risk(condition: c.Condition, facts: dict[str, Any], fen: int) -> None:
    """The part over the limit; the whole line where nothing is over it, or no limit is named."""
    assert amount(condition, priced(**facts), amount="excess") == fen
    assert amount(condition, priced(**facts), amount="excess", amount_share=Decimal("0.5")) == fen / 2
