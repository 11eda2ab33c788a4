"""The specification in examples, part 1: logic, triggers, items, facts and diagnoses; each states one rule."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from negative_list import conditions as c
from negative_list.prescription import Diagnosed, Operated
from negative_list.rules import Trigger
from tests.examples import DRUG, HERB, NO, OTHER, SERVICE, UNKNOWN, YES, answers, has, line, when


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        (c.All(of=(YES, UNKNOWN)), None),
        (c.All(of=(UNKNOWN, NO)), False),
        (c.Any(of=(UNKNOWN, YES)), True),
        (c.Any(of=(NO, UNKNOWN)), None),
        (c.Not(of=UNKNOWN), None),
        (c.Not(of=NO), True),
    ],
)
def test_logic_is_kleenes(condition: c.Condition, value: bool | None) -> None:
    """Unknown is decided by a false child of all and a true child of any, and by nothing else."""
    assert answers(condition, line()).get("a", False) is value


def test_only_current_lines_trigger() -> None:
    """A line that was there before triggers no rule."""
    assert answers(YES, line("a"), line("b", current=False)) == {"a": True}


def test_uncertain_membership_does_not_trigger() -> None:
    """A line without a usable code triggers only where a term names it."""
    rule: dict[str, Any] = {"trigger": Trigger(codes=(DRUG,), names=("阿帕他胺",))}
    lines = (
        line("a", code="", name="某药"),
        line("b", code="", name="阿帕他胺片"),
        line("c", code=OTHER, name="阿帕他胺"),
    )
    assert answers(YES, *lines, **rule) == {"b": True}


def test_fund_only_spares_what_the_patient_pays() -> None:
    """A rule of the fund does not look at lines paid by the patient; unknown counts as fund."""
    lines = (line("a"), line("b", facts={"line.paid_by": "self"}), line("c", facts={"line.paid_by": "fund"}))
    assert answers(YES, *lines, fund_only=True) == {"a": True, "c": True}


def test_validity_is_judged_on_the_lines_day() -> None:
    """The first and the last day are in force, judged at each line's own time."""
    lines = [line(str(day), when(f"{day} 23:59")) for day in (9, 10, 12, 13)]
    found = answers(YES, *lines, valid_from=date(2026, 3, 10), valid_to=date(2026, 3, 12))
    assert found == {"10": True, "12": True}


def test_scope_and_violation_are_joined_by_all() -> None:
    """Outside its scope a rule says nothing; with an unknown scope it is unknown."""
    assert answers(YES, line(), scope=NO) == {}
    assert answers(YES, line(), scope=UNKNOWN) == {"a": None}


def test_per_encounter_gathers_the_offending_lines() -> None:
    """One finding with every true line in body order; the unknown ones are not told beside it."""
    young = has("line.site", "左")
    lines = line("a"), line("b", facts={"line.site": "左"}), line("c", facts={"line.site": "左"})
    assert answers(young, *lines, per="encounter") == {"b,c": True}
    assert answers(young, line("a"), line("d"), per="encounter") == {"a,d": None}


def test_a_diagnosis_triggers_without_a_line() -> None:
    """A diagnosis that is stated triggers once; one that is doubtful does not."""
    rule: dict[str, Any] = {"trigger": Trigger(diagnoses=("I60-I69",))}
    stated = {"diagnoses": (Diagnosed(codes=("I63.9",), name="脑梗死"),)}
    doubtful = {"diagnoses": (Diagnosed(codes=("I63.9",), name="脑梗死待排"),)}
    assert answers(YES, line(), encounter=stated, **rule) == {"": True}
    assert answers(YES, line(), encounter=doubtful, **rule) == {}


@pytest.mark.parametrize(
    ("items", "named"),
    [
        (c.Items(codes=(HERB,)), True),
        (c.Items(prefixes=("T00",)), True),
        (c.Items(sets=("herbs",)), True),
        (c.Items(names=("西洋参",)), False),
        (c.Items(types=("herb",)), True),
        (c.Items(types=("drug",), codes=(HERB,)), False),
        (c.Items(sets=("herbs",), except_codes=("T0017",)), False),
        (c.Items(except_codes=(DRUG,)), True),
        (c.Items(), True),
    ],
)
def test_ways_to_name_an_item(items: c.Items, named: bool) -> None:
    """Codes, prefixes and sets name; terms only without a usable code; types narrow; exceptions take out."""
    other = line("b", code=HERB, name="西洋参", current=False, facts={"line.item_type": "herb"})
    assert answers(c.Some(lines=c.Lines(items=items)), line(), other) == ({"a": True} if named else {})


def test_a_line_without_code_is_possibly_any_item() -> None:
    """Without a usable code nothing is excluded: only terms decide, and only for being one."""
    some = c.Some(lines=c.Lines(items=c.Items(codes=(HERB,), names=("西洋参",))))
    assert answers(some, line(), line("b", code="", name="甘草", current=False)) == {"a": None}
    assert answers(some, line(), line("b", code="", name="西洋参片", current=False)) == {"a": True}


def test_a_needed_type_that_is_unknown_is_unknown() -> None:
    """A type that is not known makes only lines unknown whose code is meant."""
    some = c.Some(lines=c.Lines(items=c.Items(prefixes=("T",), types=("herb",))))
    assert answers(some, line(), line("b", code=HERB, current=False)) == {"a": None}
    assert answers(some, line(), line("b", code=SERVICE, current=False)) == {}


@pytest.mark.parametrize(
    ("birth", "at_most", "below"),
    [
        (date(2014, 3, 16), True, True),
        (date(2014, 3, 15), True, False),
        (date(2013, 3, 16), True, False),
        (date(2013, 3, 15), False, False),
    ],
)
def test_age_is_in_completed_years(birth: date, at_most: bool, below: bool) -> None:
    """At most 12 holds up to the day before the 13th birthday, below 12 up to the day before the 12th."""
    encounter = {"patient": {"patient.birth_date": birth}}
    assert answers(c.Age(at_most=Decimal(12)), line(), encounter=encounter).get("a", False) is at_most
    assert answers(c.Age(below=Decimal(12)), line(), encounter=encounter).get("a", False) is below


def test_age_in_months_and_days() -> None:
    """A month is complete on the same day of the month; days are differences of dates."""
    born = {"patient": {"patient.birth_date": date(2026, 2, 16)}}
    assert answers(c.Age(unit="month", below=Decimal(1)), line(), encounter=born) == {"a": True}
    assert answers(c.Age(unit="day", at_least=Decimal(27), at_most=Decimal(27)), line(), encounter=born) == {"a": True}


def test_a_fact_of_several_values() -> None:
    """A fact that holds several values is true when one of them is named."""
    encounter = {"facts": {"encounter.insurance": ("employee", "maternity")}}
    assert answers(has("encounter.insurance", "maternity"), line(), encounter=encounter) == {"a": True}
    assert answers(has("encounter.insurance", "resident"), line(), encounter=encounter) == {}


STROKE = c.Diagnosis(codes=("I60-I69",), terms=("脑梗死",))


@pytest.mark.parametrize(
    ("diagnoses", "value"),
    [
        ([("I63.9", "脑梗死")], True),
        ([("I63.9", "")], True),
        ([("", "左侧脑梗死")], True),
        ([("I63.9", "脑梗死待排")], None),
        ([("I63.9", "脑梗死?")], None),
        ([("I63.9", "否认脑梗死")], False),
        ([("I63.9", "脑梗死病史")], False),
        ([("I10", "高血压")], False),
        ([("I10", "高血压"), ("", "咳嗽")], None),
        ([("I10", "高血压，脑梗死")], True),
        ([], None),
    ],
)
def test_what_a_diagnosis_proves(diagnoses: list[tuple[str, str]], value: bool | None) -> None:
    """Stated proves presence; absence takes codes on every diagnosis; doubt proves nothing."""
    given = tuple(Diagnosed(codes=(code,) if code else (), name=name) for code, name in diagnoses)
    assert answers(STROKE, line(), encounter={"diagnoses": given}).get("a", False) is value


def test_terms_alone_never_prove_absence() -> None:
    """A condition with terms only is true or unknown."""
    given = {"diagnoses": (Diagnosed(codes=("I10",), name="高血压"),)}
    assert answers(c.Diagnosis(terms=("脑梗死",)), line(), encounter=given) == {"a": None}


def test_past_counts_only_where_asked() -> None:
    """A history of the disease counts with ``past``."""
    given = {"diagnoses": (Diagnosed(codes=("I63.9",), name="脑梗死病史"),)}
    assert answers(c.Diagnosis(codes=("I63",), past=True), line(), encounter=given) == {"a": True}


def test_main_looks_at_the_main_diagnosis_only() -> None:
    """Other diagnoses neither prove nor hinder."""
    given = {"diagnoses": (Diagnosed(codes=("I10",), name="高血压", main=True), Diagnosed(name="脑梗死"))}
    assert answers(c.Diagnosis(codes=("I63",), main=True), line(), encounter=given) == {}


def test_operations_need_not_be_sent() -> None:
    """No operation in the body is unknown; one without the code is an absence."""
    stent = c.Operation(codes=("36",))
    assert answers(stent, line()) == {"a": None}
    assert answers(stent, line(), encounter={"operations": (Operated(codes=("85.21",)),)}) == {}
    assert answers(stent, line(), encounter={"operations": (Operated(codes=("36.07",)),)}) == {"a": True}
