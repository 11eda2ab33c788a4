"""Evidence: present, absent, too old, or not known; and diagnoses by set and by stage."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from negative_list import conditions as c
from negative_list.compile import compile
from negative_list.engine import match
from negative_list.prescription import Diagnosed, Line, Operated, Prescription
from negative_list.rules import NamedSet, RuleList
from tests.negative_list.builders import AT, decided, judged, line, needs, prescription, rule

FACT = "encounter.pathology_report"
YES: object = True


def told(value: object, age: timedelta | None = None, trigger: Line | None = None) -> Prescription:
    """A body with the report, found so long before the instant."""
    facts: dict[str, Any] = {} if value is None else {"pathology_report": value}
    body = prescription(trigger or line(), **facts)
    times = {} if age is None else {FACT: AT - age}
    return replace(body, encounter=replace(body.encounter, times=times))


H = timedelta(hours=1)
STATES: list[tuple[dict[str, Any], object, timedelta | None, bool | None]] = [
    ({}, True, None, True),
    ({}, False, None, False),
    ({}, None, None, None),
    ({"states": ("absent",)}, False, None, True),
    ({"states": ("absent",)}, True, None, False),
    ({"states": ("absent",)}, None, None, None),
    ({"max_age_hours": 24}, True, 24 * H, True),
    ({"max_age_hours": 24}, True, 24 * H + timedelta(seconds=1), False),
    ({"max_age_hours": 24}, True, None, None),
    ({"max_age_hours": 24}, False, None, False),
    ({"max_age_hours": 24}, True, -5 * H, True),
    ({"max_age_days": 1}, True, 34 * H, True),
    ({"max_age_days": 1}, True, 35 * H, False),
    ({"max_age_days": 0}, True, 10 * H, True),
    ({"max_age_days": 1, "states": ("too_old",)}, True, 35 * H, True),
    ({"max_age_days": 1, "states": ("too_old",)}, True, 3 * H, False),
    ({"max_age_days": 1, "states": ("too_old",)}, None, None, None),
    ({"max_age_days": 1, "states": ("too_old", "present")}, True, None, True),
    ({"max_age_days": 1, "states": ("too_old", "absent")}, False, None, True),
    ({"max_age_days": 1, "max_age_hours": 8}, True, 9 * H, False),
    ({"max_age_days": 1, "max_age_hours": 8}, True, 8 * H, True),
]


@pytest.mark.parametrize(("given", "value", "age", "answer"), STATES, ids=range(len(STATES)))
def test_evidence_is_in_one_of_its_states(
    given: dict[str, Any], value: object, age: timedelta | None, answer: bool | None
) -> None:
    """Told as false it is absent; else present, or too old; never told, or without a time where one is asked, open."""
    assert judged(c.Evidence(fact=FACT, **given), on=told(value, age)) is answer


@pytest.mark.parametrize(("age", "answer"), [(8, True), (15, None), (40, False)])
def test_a_bare_date_stands_for_any_moment_of_its_day(age: int, answer: bool | None) -> None:
    """Hours are decided where every moment of the trigger's day would do."""
    trigger = line(begins=datetime(2026, 3, 15), has_clock=False)
    condition = c.Evidence(fact=FACT, max_age_hours=24)
    assert judged(condition, on=told(YES, age * H, trigger)) is answer
    both = c.Evidence(fact=FACT, max_age_hours=24, states=("present", "too_old"))
    assert judged(both, on=told(YES, age * H, trigger)) is True


def test_evidence_of_a_line_is_judged_at_the_lines_time() -> None:
    """A check of the line is as old as it is when the line begins."""
    own = line(facts={"prior_approval": True}, times={"line.prior_approval": AT - 30 * H})
    condition = c.Evidence(fact="line.prior_approval", max_age_hours=24)
    assert judged(condition, own) is False
    assert judged(condition, replace(own, begins=AT - 10 * H)) is True
    assert needs(condition, line()) == ["line.prior_approval"]


def test_a_finding_tells_how_old_evidence_is() -> None:
    """The fact stands in the finding, and its age beside it."""
    too_old = c.Evidence(fact=FACT, max_age_days=1, states=("too_old",))
    found = decided(rule(too_old), on=told(YES, 50 * H)).findings[0]
    assert [(fact.fact, fact.subject, fact.value, fact.unit) for fact in found.facts] == [
        (FACT, "E", True, ""),
        ("encounter.evidence_age", "E", 2, "days"),
    ]
    assert "证据时间：2天" in found.message


# -- diagnoses

SETS = (NamedSet(id="tumours", codes=("C00-C97", "D46")), NamedSet(id="eyes", codes=("13", "14.2")))


def with_entries(condition: c.Condition, *entries: Diagnosed, operations: tuple[Operated, ...] = ()) -> bool | None:
    """What a condition says of a body with these diagnoses and operations."""
    body = prescription(diagnoses=entries)
    body = replace(body, encounter=replace(body.encounter, operations=operations))
    found = match(compile(RuleList(rules=(rule(condition),), sets=SETS)), body, AT).judgements
    return found[0].holds if found else False


def test_sets_of_diagnoses_and_operations() -> None:
    """A set's codes and ranges decide as those of the condition do."""
    tumour, cough = Diagnosed(codes=("C34.900",), name="肺癌"), Diagnosed(codes=("R05.x00",), name="咳嗽")
    condition = c.Diagnosis(sets=("tumours",))
    assert with_entries(condition, tumour) is True
    assert with_entries(condition, cough) is False
    assert with_entries(condition) is None
    assert with_entries(c.Diagnosis(sets=("tumours",), codes=("R05",)), cough) is True
    eye = Operated(codes=("13.4100",), name="白内障")
    assert with_entries(c.Operation(sets=("eyes",)), operations=(eye,)) is True
    assert with_entries(c.Operation(sets=("tumours",)), operations=(eye,)) is False


def test_diagnoses_of_a_stage() -> None:
    """Those of the other stage are not looked at; one that tells no stage is either."""
    admitted = Diagnosed(codes=("I63.9",), name="脑梗死", stage="admission")
    discharged = Diagnosed(codes=("R05.x00",), name="咳嗽", stage="discharge")
    at_admission, at_discharge = (
        c.Diagnosis(codes=("I63",), stage="admission"),
        c.Diagnosis(codes=("I63",), stage="discharge"),
    )
    assert with_entries(at_admission, admitted, discharged) is True
    assert with_entries(at_discharge, admitted, discharged) is False
    assert with_entries(at_discharge, admitted) is None
    assert with_entries(at_discharge, replace(admitted, stage="")) is True
