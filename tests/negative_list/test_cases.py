"""Cases beside rules: what they want, how derived ones are made, and whether they bite."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from negative_list import conditions as c
from negative_list.cases import CaseBody, CaseError, bodies_of, coverage_of, run_cases
from negative_list.classes import CLASS_IDS
from negative_list.rules import Case, Rule, RuleList, Trigger
from tests.negative_list.builders import DRUG, fact, rule

WOMAN = fact("patient.sex", "女")


def body(**patient: Any) -> dict[str, Any]:
    """A request with one line of the drug for a woman."""
    line = {"id": "l", "code": DRUG, "name": "阿帕他胺片", "quantity": "1", "begins": "2026-11-20 09:00:00"}
    return {
        "time": "2026-11-20 09:00:00",
        "patient": {"id": "p", "sex": "女"} | patient,
        "encounter": {"id": "e", "visit_mode": "outpatient", "lines": [line]},
    }


def whole(kind: Any = "violating", **given: Any) -> Case:
    """A whole case, violating unless said otherwise."""
    return Case(kind=kind, **({"request": body()} | given))


def changed(kind: Any, change: str, to: Any = UNSET, **given: Any) -> Case:
    """A case derived from the last whole one."""
    return Case(kind=kind, change=change, to=to, **given)


def problems(*cases: Case, violation: c.Condition = WOMAN, **given: Any) -> list[str]:
    """What is wrong with the cases of a rule."""
    return [result.problem for result in run_cases(listed(*cases, violation=violation, **given))]


def listed(*cases: Case, violation: c.Condition = WOMAN, **given: Any) -> RuleList:
    """A list of one rule with cases."""
    return RuleList(rules=(rule(violation, cases=cases, **given),))


def derived(path: str, to: Any = UNSET, **given: Any) -> CaseBody | CaseError:
    """What a change makes of a whole case."""
    return list(bodies_of([whole(**given), changed("conforming", path, to)]))[1][1]


def test_the_three_kinds_pass_and_bite() -> None:
    """A woman violates, a man conforms, nobody knows without the sex."""
    cases = (whole(), changed("conforming", "request.patient.sex", "男"), changed("unknown", "request.patient.sex"))
    results = list(run_cases(listed(*cases)))
    assert [(r.place, r.answer, r.passed, r.bites) for r in results] == [
        (1, "found", True, True),
        (2, "silent", True, True),
        (3, "undecided", True, True),
    ]


def test_a_case_the_rule_does_not_keep_is_told() -> None:
    """A conforming case that is only unknown, and a violating one that is silent."""
    cases = (whole(request=body(sex="男")), changed("conforming", "request.patient.sex"))
    assert problems(*cases) == [
        "the rule is `silent`, the case wants `found`",
        "the rule is `undecided`, the case wants `silent`",
    ]


def test_a_case_that_passes_without_the_condition_proves_nothing() -> None:
    """A conforming case whose line does not trigger the rule is silent with the condition and without it."""
    other = changed("conforming", "request.encounter.lines[0].code", "XA11DAW036A001010104127")
    assert "it proves nothing" in problems(whole(), other)[1]


@pytest.mark.parametrize(
    "given",
    [
        {"scope": fact("encounter.visit_mode", "inpatient")},
        {"trigger": Trigger(codes=(DRUG,), except_codes=(DRUG[:5],))},
    ],
)
def test_a_near_miss_may_be_silent_for_scope_or_exception(given: dict[str, Any]) -> None:
    """The scope and the trigger's exceptions are taken away with the condition."""
    assert problems(whole("near_miss", expect="silent"), **given) == [""]


def test_a_near_miss_says_what_to_expect() -> None:
    """Found, or silent; an undecided rule is silent to a near miss."""
    cases = (whole("near_miss", expect="found"), changed("near_miss", "request.patient.sex", expect="silent"))
    assert problems(*cases) == ["", ""]


def test_history_and_facts_of_a_case_are_read() -> None:
    """Two uses in history, and a fact of the store, decide what the request leaves open."""
    window = c.Window(unit="days", length=30, whose="patient")
    twice = c.Count(lines=c.Lines(items=c.Items(codes=(DRUG,)), window=window), above=Decimal(1))
    past = {"id": "o", "encounter_id": "x", "code": DRUG, "quantity": "1", "begins": "2026-11-10"}
    cases = (
        whole(history={"since": "2020-01-01", "lines": [past]}),
        changed("conforming", "history.lines[0].begins", "2026-09-10"),
        changed("unknown", "history.lines[0].begins", "2026-09-10"),
    )
    assert problems(*cases, violation=twice) == ["", "", "the rule is `silent`, the case wants `undecided`"]
    told = [{"subject": "p", "fact": "patient.watch_listed", "value": True}]
    watched = fact("patient.watch_listed", yes=True)
    assert problems(whole(facts=told), changed("conforming", "facts[0].value", to=False), violation=watched) == ["", ""]


def test_a_request_that_cannot_be_read_is_a_problem_of_its_case() -> None:
    """The field is named; without a time there is no instant to decide for."""
    wrong = problems(whole(request={"time": "2026-11-20"}), whole(request=body() | {"time": ""}))
    assert all(wrong)
    assert "`time`" in wrong[1]


@pytest.mark.parametrize(
    ("path", "to", "reads"),
    [
        ("request.patient.sex", "男", lambda told: told.request["patient"]["sex"] == "男"),
        ("request.patient.sex", UNSET, lambda told: "sex" not in told.request["patient"]),
        (
            "request.encounter.facts.encounter.stay_days",
            3,
            lambda told: told.request["encounter"]["facts"] == {"encounter.stay_days": 3},
        ),
        (
            "request.encounter.lines[0].quantity",
            "2",
            lambda told: told.request["encounter"]["lines"][0]["quantity"] == "2",
        ),
        ("history.since", "2020-01-01", lambda told: told.history == {"since": "2020-01-01"}),
    ],
)
def test_one_field_is_changed(path: str, to: Any, reads: Any) -> None:
    """The field named is set, or taken out; the rest stays, and so does the case it is made from."""
    assert reads(derived(path, to))


@pytest.mark.parametrize("path", ["request.nobody.sex", "request.encounter.lines[7].code", "?"])
def test_a_path_that_leads_nowhere_is_told(path: str) -> None:
    """A change needs a field that is there, or whose holder is."""
    told = derived(path)
    assert isinstance(told, CaseError)
    assert f"`{path}`" in str(told)


def test_a_derived_case_needs_a_whole_one_before_it() -> None:
    """The first case of a rule has a request."""
    first = next(iter(bodies_of([changed("conforming", "request.patient.sex")])))[1]
    assert "no whole case stands before it" in str(first)


def test_coverage_counts_what_passes_and_bites() -> None:
    """Every class has a row; a class is complete with a rule and the three kinds."""
    cases = (whole(), changed("conforming", "request.patient.sex", "男"), changed("unknown", "request.patient.sex"))
    rows = coverage_of(listed(*cases, changed("conforming", "request.patient.sex")))
    assert [row.class_id for row in rows] == list(CLASS_IDS)
    row = next(row for row in rows if row.class_id == "R67")
    assert (row.rules, row.violating, row.conforming, row.unknown, row.bites, row.complete) == (1, 1, 1, 1, 3, True)
    assert not any(other.complete for other in rows if other is not row)


def test_the_rows_have_the_keys_of_the_contract() -> None:
    """`stats --coverage --json` prints them as they are."""
    row = msgspec.to_builtins(coverage_of(RuleList(rules=()))[0])
    assert list(row) == ["class_id", "class", "rules", "violating", "conforming", "unknown", "bites"]


def test_the_rule_is_tried_alone() -> None:
    """Another rule of the list that overrides it, or finds too, does not matter to its cases."""
    own = rule(WOMAN, cases=(whole(),))
    other: Rule = rule(WOMAN, id="other", overrides=("r",))
    assert [result.problem for result in run_cases(RuleList(rules=(own, other)))] == [""]


def test_a_conforming_case_of_another_request_is_not_counted() -> None:
    """It passes and bites, but compares more than one fact; so does one in which another item triggers the rule."""
    other = whole("conforming", request=body(sex="男"))
    changed_item = changed(
        "conforming", "request.encounter.lines[0]", body()["encounter"]["lines"][0] | {"name": "另一片"}
    )
    results = list(run_cases(listed(whole(), other, violation=WOMAN)))
    assert [(result.passed, result.bites, result.counts) for result in results] == [
        (True, True, True),
        (True, True, False),
    ]
    item = c.Fact(fact="line.quantity", above=Decimal(0))
    pair = list(run_cases(listed(whole(), changed_item, violation=c.All(of=(WOMAN, item)))))
    assert [result.counts for result in pair] == [True, False]


def test_a_near_miss_is_not_counted_for_its_class() -> None:
    """Only the three kinds make the coverage."""
    near = whole("near_miss", expect="found")
    row = next(row for row in coverage_of(listed(near)) if row.class_id == "R67")
    assert (row.rules, row.violating, row.bites) == (1, 0, 0)
