"""Other encounters: which are meant, how many, and how long the last is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from negative_list import conditions as c
from negative_list.compile import compile
from negative_list.decide import Fuller, decide
from negative_list.prescription import Diagnosed, Encounter, History, Prescription
from negative_list.rules import RuleList, Trigger
from tests.negative_list.builders import AT, judged, line, needs, prescription, rule

STROKE = (Diagnosed(codes=("I63.9",), name="脑梗死"),)


def visit(ident: str, ago: float | None, stayed: float | None = 2, **facts: Any) -> Encounter:
    """A stay that began so many days ago, in institution A."""
    told: dict[str, Any] = {"visit_mode": "inpatient", "institution_id": "A"} | facts
    if ago is not None:
        told["admitted_at"] = AT - timedelta(days=ago)
    if ago is not None and stayed is not None:
        told["discharged_at"] = AT - timedelta(days=ago - stayed)
    diagnoses = told.pop("diagnoses", ())
    named = {f"encounter.{name}": value for name, value in told.items() if value is not None}
    return Encounter(id=ident, facts=named, diagnoses=diagnoses)


def here(**facts: Any) -> Prescription:
    """A stay in institution A that begins now."""
    told: dict[str, Any] = {"visit_mode": "inpatient", "institution_id": "A", "admitted_at": AT} | facts
    return prescription(line(), **{name: value for name, value in told.items() if value is not None})


def number(kind: Any, visits: c.Visits, body: Prescription, history: History | None) -> tuple[int | None, int | None]:
    """The least and the most a condition measures, up to 99; ``None`` for more."""

    def answer(**bound: Decimal) -> bool | None:
        return judged(kind(visits=visits, **bound), on=body, history=history)

    low = next((n for n in range(99, -1, -1) if answer(at_least=Decimal(n))), None)
    high = next((n for n in range(100) if answer(above=Decimal(n)) is False), None)
    return low, high


def window(unit: Any, length: int | None = None, **given: Any) -> c.Window:
    """A window of the patient's encounters."""
    return c.Window(**{"unit": unit, "length": length, "whose": "patient"} | given)


STAYS = (visit("s1", 5), visit("s2", 40), visit("o1", 3, visit_mode="outpatient"), visit("e1", 100, institution_id="B"))
COUNTS: list[tuple[dict[str, Any], int, int]] = [
    ({}, 5, 5),
    ({"modes": ("inpatient",)}, 4, 4),
    ({"modes": ("outpatient",)}, 1, 1),
    ({"window": window("days", 40)}, 4, 4),
    ({"window": window("days", 40, ends="open")}, 3, 3),
    ({"window": window("month")}, 3, 3),
    ({"window": window("lifetime", whose="institution")}, 4, 4),
    ({"same": ("encounter.institution_id",)}, 4, 4),
    ({"different": ("encounter.institution_id",)}, 2, 2),
    ({"same": ("encounter.ward",)}, 1, 5),
    ({"where": c.Diagnosis(codes=("I63",))}, 0, 5),
    ({"where": c.Fact(fact="encounter.institution_id", any_of=("B",))}, 1, 1),
    ({"where": c.Age(at_least=Decimal(18)), "modes": ("outpatient",)}, 1, 1),
]


@pytest.mark.parametrize(("given", "low", "high"), COUNTS, ids=range(len(COUNTS)))
def test_encounters_are_counted_with_the_current_one(given: dict[str, Any], low: int, high: int) -> None:
    """Those of the mode, in the window before this admission, that agree and for which the condition holds."""
    history = History(encounters=STAYS, complete=True)
    assert number(c.VisitCount, c.Visits(**given), here(), history) == (low, high)


def test_an_encounter_counts_once() -> None:
    """The body's other encounters go before those of history, and the current one is no other."""
    body = replace(here(), others=(visit("s1", 5), visit("s1", 5)))
    history = History(encounters=(visit("s1", 5, visit_mode="outpatient"), visit("E", 9)), complete=True)
    assert number(c.VisitCount, c.Visits(modes=("inpatient",)), body, history) == (2, 2)


def test_what_is_asked_of_another_encounter_is_asked_of_it() -> None:
    """Its own diagnoses decide, not those of the current one."""
    history = History(encounters=(visit("s1", 5, diagnoses=STROKE), visit("s2", 9)), complete=True)
    stroke = c.Visits(where=c.Diagnosis(codes=("I63",)))
    assert number(c.VisitCount, stroke, here(), history) == (1, 3)
    assert needs(c.VisitCount(visits=stroke, above=Decimal(1)), on=here(), history=history) == ["encounter.diagnoses"]
    assert number(c.SinceVisit, stroke, here(), history)[1] == 3


def test_an_uncovered_window_may_hold_more() -> None:
    """Without history the count has no upper end, and history is what is needed."""
    visits = c.Visits(window=window("days", 15))
    assert number(c.VisitCount, visits, here(), None) == (1, None)
    assert needs(c.VisitCount(visits=visits, above=Decimal(1)), on=here()) == ["history"]
    known = History(since=AT.replace(hour=0, minute=0) - timedelta(days=15))
    assert number(c.VisitCount, visits, here(), known) == (1, 1)
    own = History(own_since=AT - timedelta(days=16))
    assert number(c.VisitCount, visits, here(), own) == (1, None)
    assert number(c.VisitCount, c.Visits(window=window("days", 15, whose="institution")), here(), own) == (1, 1)


UNKNOWN = [
    (visit("x", 5, visit_mode=None), {"modes": ("inpatient",)}, "encounter.visit_mode"),
    (visit("x", None), {}, "encounter.admitted_at"),
    (
        visit("x", 5, institution_id=None),
        {"window": window("days", 9, whose="institution")},
        "encounter.institution_id",
    ),
    (visit("x", 5), {"same": ("encounter.ward",)}, "encounter.ward"),
    (visit("x", 5), {"window": window("insurance_year")}, "encounter.insurance_year_from"),
]


@pytest.mark.parametrize(("other", "given", "need"), UNKNOWN, ids=range(len(UNKNOWN)))
def test_an_encounter_may_only_be_possible(other: Encounter, given: dict[str, Any], need: str) -> None:
    """What it does not tell of itself is asked for."""
    condition = c.VisitCount(visits=c.Visits(**given), above=Decimal(1))
    history = History(encounters=(other,), complete=True)
    assert judged(condition, on=here(), history=history) is None
    assert need in needs(condition, on=here(), history=history)


DISCHARGES = [
    ([visit("s", 12, 2)], 10, 10),
    ([visit("s", 12, 2), visit("t", 30, 25)], 5, 5),
    ([visit("s", 12, None)], 0, 12),
    ([visit("s", 12, None), visit("t", 30, 25)], 0, 5),
    ([visit("s", 12, 20)], 0, 0),
    ([visit("s", -1, 1)], 99, None),
    ([], 99, None),
    ([visit("s", None)], 0, None),
]


@pytest.mark.parametrize(("others", "low", "high"), DISCHARGES, ids=range(len(DISCHARGES)))
def test_days_since_the_last_discharge(others: list[Encounter], low: int, high: int | None) -> None:
    """From the last discharge to this admission; a stay that is not known to be over may have ended any day since."""
    history = History(encounters=tuple(others), complete=True)
    assert number(c.SinceVisit, c.Visits(modes=("inpatient",)), here(), history) == (low, high)


def test_without_an_admission_the_instant_stands_for_it() -> None:
    """An outpatient body often tells no time of admission."""
    history = History(encounters=(visit("s", 12, 2),), complete=True)
    assert number(c.SinceVisit, c.Visits(), here(admitted_at=None), history) == (10, 10)
    assert number(c.SinceVisit, c.Visits(), here(admitted_at=datetime(2026, 3, 10)), history) == (5, 5)


def test_a_finding_tells_how_many_and_never_which() -> None:
    """Counts and days are shown, ids of other encounters are not."""
    both = c.All(
        of=(c.VisitCount(visits=c.Visits(), above=Decimal(1)), c.SinceVisit(visits=c.Visits(), at_most=Decimal(15)))
    )
    compiled = compile(RuleList(rules=(rule(both, trigger=Trigger(encounter=True)),)))
    history = History(encounters=(visit("secret", 12, 2),), complete=True)
    body = here()
    decision = decide(compiled, body, AT, read=lambda given, _needs, _at: Fuller(prescription=given, history=history))
    found = decision.findings[0]
    assert [(fact.fact, fact.value, fact.source) for fact in found.facts] == [
        ("encounter.visits", 2, "history"),
        ("encounter.days_since_visit", 10, "history"),
    ]
    assert "就诊次数：2次，距上次出院天数：10天" in found.message
    assert "secret" not in str(decision)


@pytest.mark.parametrize(("ours", "theirs"), [(0, 8.5), (10.5, 0), (0, 0)])
def test_an_admission_without_a_clock_is_compared_by_its_day(ours: float, theirs: float) -> None:
    """Two encounters of one day are both counted, though one body tells the day alone and the other a time."""
    day = AT.replace(hour=0, minute=0)
    current = here(admitted_at=day + timedelta(hours=ours))
    other = visit("o", None, admitted_at=day + timedelta(hours=theirs))
    history = History(encounters=(other,), complete=True)
    assert number(c.VisitCount, c.Visits(window=window("day")), current, history) == (2, 2)


def test_hours_between_admissions_without_a_clock_are_possible() -> None:
    """A bare date may stand for any moment of its day: where hours decide, the answer is open."""
    history = History(encounters=(visit("o", None, admitted_at=AT.replace(hour=0, minute=0)),), complete=True)
    assert number(c.VisitCount, c.Visits(window=window("hours", 1)), here(), history) == (1, 2)
