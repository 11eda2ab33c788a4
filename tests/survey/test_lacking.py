"""A rule that is said never to hold at a site never does: held against the engine, on lists and prescriptions drawn."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from negative_list import conditions as c
from negative_list.compile import compile
from negative_list.engine import match
from negative_list.lacking import kept_from, reads_of
from negative_list.rules import Trigger
from tests.generators import draw_case, seeds
from tests.generators_lists import draw_list
from tests.negative_list.builders import DRUG, fact, rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from negative_list.prescription import Encounter, Prescription
    from tests.generators import Case

WARD, BED = fact("encounter.ward", "W1"), fact("encounter.bed", "B1")
DIAGNOSED = c.Diagnosis(codes=("I10",))
ALL_LINES = c.Lines()


def without(case: Case, never: frozenset[str]) -> Case:
    """A case in which what is never told is not told."""
    history = case.history
    if history is not None:
        encounters = tuple(_encounter(each, never) for each in history.encounters)
        history = replace(history, lines=tuple(_line(each, never) for each in history.lines), encounters=encounters)
    return replace(case, prescription=_prescription(case.prescription, never), history=history)


def _prescription(told: Prescription, never: frozenset[str]) -> Prescription:
    patient = replace(told.patient, facts=_facts(told.patient.facts, never))
    others = tuple(_encounter(each, never) for each in told.others)
    return replace(told, patient=patient, encounter=_encounter(told.encounter, never), others=others)


def _encounter(told: Encounter, never: frozenset[str]) -> Encounter:
    return replace(
        told,
        facts=_facts(told.facts, never),
        lines=tuple(_line(each, never) for each in told.lines),
        diagnoses=_named(told.diagnoses, "diagnosis.code", never) if "encounter.diagnoses" not in never else (),
        operations=_named(told.operations, "operation.code", never) if "encounter.operations" not in never else (),
    )


def _named(told: Iterable[Any], code: str, never: frozenset[str]) -> tuple[Any, ...]:
    return tuple(replace(each, codes=()) if code in never else each for each in told)


def _line(told: Any, never: frozenset[str]) -> Any:
    changed: dict[str, Any] = {"usable": False, "codes": ("HIS-1",)} if "line.code" in never else {}
    if "line.begins" in never:
        changed |= {"begins": None}
    return replace(told, facts=_facts(told.facts, never), **changed)


def _facts(facts: Any, never: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in never}


@settings(max_examples=150, deadline=None)
@given(seed=seeds)
def test_a_rule_that_is_kept_from_holding_never_holds(seed: int) -> None:
    """Whatever it reads is drawn to be never told, in part; where it is said to be silent it finds nothing."""
    random, rules = Random(seed), draw_list(seed)
    names = sorted({name for rule_ in rules.rules for name in reads_of(rule_)})
    never = frozenset(random.sample(names, random.randint(1, len(names))))
    silent = {rule_.id for rule_ in rules.rules if kept_from(rule_, never)}
    compiled = compile(rules)
    for number in range(6):
        case = without(draw_case(Random(seed * 7 + number)), never)
        found = match(compiled, case.prescription, case.at, case.history).true
        assert silent.isdisjoint(judgement.rule.rule.id for judgement in found), never


@pytest.mark.parametrize(
    ("violation", "never", "kept"),
    [
        (WARD, {"encounter.ward"}, {"encounter.ward"}),
        (WARD, {"encounter.bed"}, set()),
        (c.All(of=(WARD, BED)), {"encounter.bed"}, {"encounter.bed"}),
        (c.Any(of=(WARD, BED)), {"encounter.bed"}, set()),
        (c.Any(of=(WARD, BED)), {"encounter.bed", "encounter.ward"}, {"encounter.bed", "encounter.ward"}),
        (c.Not(of=WARD), {"encounter.ward"}, {"encounter.ward"}),
        (c.Not(of=c.All(of=(WARD, BED))), {"encounter.bed"}, set()),
        (c.AtLeast(of=(WARD, BED), count=2), {"encounter.bed"}, {"encounter.bed"}),
        (c.AtLeast(of=(WARD, BED), count=1), {"encounter.bed"}, set()),
        (c.Age(below=Decimal(18)), {"patient.birth_date"}, {"patient.birth_date"}),
        (DIAGNOSED, {"encounter.diagnoses"}, {"encounter.diagnoses"}),
        (DIAGNOSED, {"diagnosis.code"}, {"diagnosis.code"}),
        (c.Diagnosis(codes=("I10",), terms=("高血压",)), {"diagnosis.code"}, set()),
        (c.Not(of=c.Diagnosis(codes=("I10",), terms=("高血压",))), {"diagnosis.code"}, {"diagnosis.code"}),
        (c.Some(lines=c.Lines(same=("line.site",))), {"line.site"}, {"line.site"}),
        (c.Sum(lines=ALL_LINES, of="line.days", above=Decimal(7)), {"line.days"}, {"line.days"}),
        (c.Sum(lines=ALL_LINES, of="line.days", at_most=Decimal(7)), {"line.days"}, set()),
        (c.Count(lines=c.Lines(same=("line.site",)), above=Decimal(1)), {"line.site"}, {"line.site"}),
        (c.Count(lines=c.Lines(same=("line.site",)), at_least=Decimal(1)), {"line.site"}, set()),
        (c.Count(lines=c.Lines(where=WARD), at_least=Decimal(1)), {"encounter.ward"}, {"encounter.ward"}),
        (
            c.Fact(fact="line.quantity", above=c.Formula(fact="encounter.stay_days")),
            {"encounter.stay_days"},
            {"encounter.stay_days"},
        ),
    ],
)
def test_what_keeps_a_condition_from_holding(violation: Any, never: set[str], kept: set[str]) -> None:
    """Each kind says what it cannot do without."""
    assert kept_from(rule(violation), never) == kept


def test_a_scope_and_a_trigger_can_keep_a_rule_silent_too() -> None:
    """A rule needs its scope; one triggered by codes needs usable codes, unless its names can trigger it."""
    assert kept_from(rule(BED, scope=WARD), {"encounter.ward"}) == {"encounter.ward"}
    assert kept_from(rule(BED), {"line.code"}) == {"line.code"}
    named = Trigger(codes=(DRUG,), names=("阿帕他胺",))
    assert kept_from(rule(BED, trigger=named), {"line.code"}) == frozenset()
    by_diagnosis = rule(BED, trigger=Trigger(diagnoses=("I10",)))
    assert kept_from(by_diagnosis, {"diagnosis.code"}) == {"diagnosis.code"}


def test_everything_a_rule_looks_at_is_named() -> None:
    """In scope, violation, selections of lines and limits that are worked out."""
    lines = c.Lines(same=("line.site",), where=fact("line.take_home", yes=True))
    summed = c.Sum(lines=lines, of="line.days", above=c.Formula(fact="encounter.stay_days"))
    counted = c.Count(lines=ALL_LINES, by="line.rx_no", above=Decimal(1))
    read = reads_of(rule(c.All(of=(summed, counted, DIAGNOSED)), scope=c.Age(below=Decimal(3))))
    assert read == {
        "line.site",
        "line.take_home",
        "line.days",
        "line.rx_no",
        "line.code",
        "encounter.stay_days",
        "encounter.diagnoses",
        "diagnosis.code",
        "patient.birth_date",
    }  # fmt: skip
