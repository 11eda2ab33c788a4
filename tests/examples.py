"""Builders for examples of the specification: lines of March 2026, one rule, and what both matchers answer."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from negative_list import conditions as c
from negative_list.compile import compile
from negative_list.prescription import Encounter, History, Line, Patient, Prescription
from negative_list.rules import Basis, NamedSet, Rule, RuleList, Text, Trigger
from tests.agreement import match_engine
from tests.generators import Case
from tests.plain import Outcome, match_plainly

__all__ = [
    "AT",
    "DRUG",
    "HERB",
    "NO",
    "OTHER",
    "SERVICE",
    "UNKNOWN",
    "YES",
    "answers",
    "counted",
    "has",
    "judged",
    "line",
    "rule",
    "told",
    "when",
]

AT = datetime(2026, 3, 15, 10, 30)
"""The decision's instant, and when a line begins that says nothing else."""
DRUG, OTHER, HERB, SERVICE = "XL02BBA326A001010102180", "XJ01DDT082B001010104021", "T001700688", "001203000010000"
"""Codes of the examples: two drugs, a herb, a service."""
SETS = (
    NamedSet(id="herbs", codes=(HERB, "T000700683")),
    NamedSet(id="strokes", codes=("I60-I69",)),
    NamedSet(id="stents", codes=("36",)),
)


def line(ident: str = "a", begins: datetime | None = AT, code: str = DRUG, **given: Any) -> Line:
    """A current line of the encounter; further facts by ``facts``, everything else by its field."""
    return Line(**{"id": ident, "encounter_id": "E", "codes": (code,) if code else (), "begins": begins, **given})


def when(text: str) -> datetime:
    """A moment of March 2026: day and, where given, clock."""
    day, _, clock = text.partition(" ")
    return datetime.fromisoformat(f"2026-03-{int(day):02d} {clock or '00:00'}")


def answers(
    condition: c.Condition,
    *lines: Line,
    history: History | None = None,
    encounter: dict[str, Any] | None = None,
    **given: Any,
) -> dict[str, bool | None]:
    """What a rule triggered by DRUG answers for each of its trigger lines; both matchers must say so.

    ``encounter`` holds fields of the encounter, and ``patient`` (facts) and ``others`` (encounters); ``given`` holds
    fields of the rule.
    """
    outcome = told(condition, *lines, history=history, encounter=encounter, **given)
    found: dict[str, bool | None] = {",".join(names): True for _, names in outcome.findings}
    return found | {",".join(names): None for _, names in outcome.undecided}


def told(
    condition: c.Condition,
    *lines: Line,
    history: History | None = None,
    encounter: dict[str, Any] | None = None,
    **given: Any,
) -> Outcome:
    """The whole outcome, with its evidence, as :func:`answers` takes it."""
    return judged((rule(condition, **given),), *lines, history=history, encounter=encounter)


def rule(condition: c.Condition, **given: Any) -> Rule:
    """A rule triggered by DRUG, with other fields as given."""
    given = {"id": "r", "class_id": "R01", "title": "t", "trigger": Trigger(codes=(DRUG,)), **given}
    return Rule(violation=condition, message=Text(zh="t"), basis=Basis(document="t"), **given)


def judged(
    rules: tuple[Rule, ...], *lines: Line, history: History | None = None, encounter: dict[str, Any] | None = None
) -> Outcome:
    """The outcome of several rules; both matchers must give it."""
    fields = dict(encounter or {})
    patient = Patient(facts=fields.pop("patient", {}), times=fields.pop("patient_times", {}))
    others = fields.pop("others", ())
    body = Prescription(encounter=Encounter(id="E", lines=lines, **fields), patient=patient, others=others)
    listed = RuleList(rules=rules, sets=SETS)
    plain = match_plainly(listed, body, AT, history)
    assert match_engine(compile(listed), Case(prescription=body, at=AT, history=history)) == plain
    return plain


def counted(window: c.Window, *, above: int = 1, **given: Any) -> c.Count:
    """More than ``above`` lines in the window."""
    return c.Count(lines=c.Lines(window=window, **given), above=Decimal(above))


def has(fact: str, *values: c.Scalar) -> c.Fact:
    """A fact is one of the values."""
    return c.Fact(fact=fact, any_of=values)


YES = c.Every(lines=c.Lines(), among=c.Items())
"""A condition that is true."""
NO = c.Some(lines=c.Lines(items=c.Items(codes=("0",))))
"""A condition that is false wherever every line has a code."""
UNKNOWN = has("patient.sex", "男")
"""A condition that is unknown while the sex is."""
