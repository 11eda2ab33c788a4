"""Builders of the list side: rules, lines and prescriptions with what a test cares about named, and nothing else."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from negative_list import conditions as c
from negative_list.compile import CompiledList, compile
from negative_list.decide import decide
from negative_list.decision import Decision, Finding, Suggestion
from negative_list.engine import match
from negative_list.findings import not_evaluated_of
from negative_list.parse import Parsed, parse_yaml
from negative_list.prescription import Diagnosed, Encounter, History, Line, Patient, Prescription
from negative_list.rules import Basis, NamedSet, Rule, RuleList, Text, Trigger
from negative_list.validate import validate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = [
    "ADULT",
    "ALL_KINDS",
    "AT",
    "DRUG",
    "HERB",
    "MALE",
    "OTHER",
    "SERVICE",
    "VIOLATION",
    "day_limit",
    "decided",
    "edited",
    "fact",
    "finding",
    "judged",
    "line",
    "listed",
    "needs",
    "past",
    "prescription",
    "rule",
    "rule_yaml",
    "told",
    "written",
]

AT = datetime(2026, 3, 15, 10, 30)
"""The decision's instant, and when a line begins that says nothing else."""
DRUG, OTHER, HERB, SERVICE = "XL02BBA326A001010102180", "XJ01DDT082B001010104021", "T001700688", "001203000010000"
"""Codes of the examples: two drugs, a herb, a service."""
MALE = c.Fact(fact="patient.sex", any_of=("男",))
"""The patient is a man."""
ADULT = c.Age(at_least=Decimal(18))
"""The patient is 18 or older."""
ALL_KINDS: Any = ("drop", "quantity", "days", "self_pay")
"""Every kind of suggestion."""
VIOLATION = "{kind: fact, fact: patient.sex, any_of: [男]}"
"""The violation of a rule written in YAML that says no other."""


def rule(violation: c.Condition = MALE, **given: Any) -> Rule:
    """A rule for :data:`DRUG`; every field may be given."""
    fields: dict[str, Any] = {
        "id": "r",
        "class_id": "R67",
        "title": "药品",
        "trigger": Trigger(codes=(DRUG,)),
        "message": Text(zh="限女性使用", en="for women only"),
        "basis": Basis(document="知识库", article="条文"),
        "action": "block",
    }
    return Rule(violation=violation, **(fields | given))


def listed(*rules: Rule, sets: Sequence[NamedSet] = ()) -> CompiledList:
    """A compiled list."""
    return compile(RuleList(rules=rules, sets=tuple(sets)))


def line(ident: str = "a", code: str = DRUG, *, name: str = "阿帕他胺片", **given: Any) -> Line:
    """A current line of the encounter that costs 10 yuan; ``facts`` without ``line.`` override its facts."""
    facts = {"quantity": Decimal(1), "unit_price_fen": 1000, "amount_fen": 1000} | given.pop("facts", {})
    named = {f"line.{key}": value for key, value in facts.items() if value is not None}
    codes = (code,) if code else ()
    return Line(
        **{"id": ident, "encounter_id": "E", "codes": codes, "name": name, "begins": AT, "facts": named} | given
    )


def prescription(
    *lines: Line,
    sex: str | None = "男",
    birth: date | None = date(1980, 1, 1),
    diagnoses: Sequence[Diagnosed] = (),
    request_id: str = "M",
    **facts: Any,
) -> Prescription:
    """A prescription of a man of 46; further facts of the encounter by their name without ``encounter.``."""
    person: dict[str, Any] = {"patient.sex": sex, "patient.birth_date": birth}
    known = {name: value for name, value in person.items() if value is not None}
    told = {f"encounter.{name}": value for name, value in facts.items()}
    encounter = Encounter(id="E", lines=lines or (line(),), diagnoses=tuple(diagnoses), facts=told)
    return Prescription(encounter=encounter, patient=Patient(id="P", facts=known), request_id=request_id)


def decided(*rules: Rule, on: Prescription | None = None, **given: Any) -> Decision:
    """What is decided about a prescription at :data:`AT`."""
    return decide(listed(*rules), on or prescription(), AT, **given)


def judged(
    condition: c.Condition, *lines: Line, on: Prescription | None = None, history: History | None = None, **rule_: Any
) -> bool | None:
    """What a condition answers for the first line of a body (or for :func:`prescription` of these lines)."""
    body = on or prescription(*lines)
    matched = match(listed(rule(condition, **rule_)), body, AT, history)
    first = body.encounter.lines[0].id
    answers = [each.holds for each in matched.judgements if each.line is None or each.line.id == first]
    return answers[0] if answers else False


def needs(
    condition: c.Condition, *lines: Line, on: Prescription | None = None, history: History | None = None
) -> list[str]:
    """What a condition lacks for the first line of a body."""
    compiled = listed(rule(condition))
    body = on or prescription(*lines)
    matched = match(compiled, body, AT, history)
    open_ = not_evaluated_of(matched, compiled.binder)
    return [name for each in open_ if each.lines[:1] == (body.encounter.lines[0].id,) for name in each.needs]


def past(days: float, ident: str = "h", code: str = DRUG, **given: Any) -> Line:
    """A line of another encounter, ``H``, so many days ago."""
    fields: dict[str, Any] = {"encounter_id": "H", "current": False, "begins": AT - timedelta(days=days)}
    return line(ident, code, **(fields | given))


def edited(body: Prescription, suggestion: Suggestion) -> Prescription:
    """What the caller would send next: the edit made by hand."""
    changes: dict[str, Any] = {
        "quantity": {"line.quantity": suggestion.value},
        "days": {"line.days": int(suggestion.value or 0)},
        "self_pay": {"line.paid_by": "self"},
    }
    lines: list[Line] = []
    for each in body.encounter.lines:
        if each.id not in suggestion.lines:
            lines.append(each)
        elif suggestion.kind != "drop":
            lines.append(msgspec.structs.replace(each, facts=dict(each.facts) | changes[suggestion.kind]))
    return msgspec.structs.replace(body, encounter=msgspec.structs.replace(body.encounter, lines=tuple(lines)))


def finding(**given: Any) -> Finding:
    """A certain finding of the rule ``r`` that asks for a block."""
    fields: dict[str, Any] = {
        "finding_id": "0",
        "rule_id": "r",
        "rule_version": 1,
        "class_name": "药品区分性别使用",
        "class_id": "R67",
        "action": "block",
        "lines": ("a",),
    }
    return Finding(**(fields | given))


def fact(name: str, *values: c.Scalar, yes: bool | None = None) -> c.Fact:
    """A fact is one of the values, or a flag that is so."""
    return c.Fact(fact=name, any_of=values if yes is None else (yes,))


def day_limit(limit: int, code: str = DRUG) -> c.Sum:
    """More than so many of the item on one day."""
    lines = c.Lines(items=c.Items(codes=(code,)), window=c.Window(unit="day"))
    return c.Sum(lines=lines, above=Decimal(limit))


def rule_yaml(violation: str = VIOLATION, **given: str) -> str:
    """A rule as people write it; keywords are keys with their YAML, ``cls`` stands for ``class``, "" leaves one out."""
    fields = {
        "id": "r",
        "cls": "R67",
        "title": "阿帕他胺片",
        "trigger": f"{{codes: [{DRUG}]}}",
        "violation": violation,
        "message": "{zh: 限女性使用}",
        "basis": "{document: 知识库}",
    }
    keys = (fields | given).items()
    rows = [f"{'class' if key == 'cls' else key}: {value}" for key, value in keys if value]
    return "- " + "\n  ".join(rows) + "\n"


def told(text: str) -> list[str]:
    """What is wrong with a list in YAML: row, path and message of each problem."""
    rows = [row for row in parse_yaml(text.encode(), "list") if row.place is not None]
    records = [(row.record, row.place) for row in rows]
    rules = [(record, place) for record, place in records if isinstance(record, Rule) and place]
    sets = [(record, place) for record, place in records if isinstance(record, NamedSet) and place]
    parsed = Parsed(
        rules=RuleList(rules=tuple(r for r, _ in rules), sets=tuple(s for s, _ in sets)),
        rule_places=tuple(place for _, place in rules),
        set_places=tuple(place for _, place in sets),
        problems=(),
    )
    assert len(rows) == len(rules) + len(sets)
    return [f"{problem.row}: {problem.path}: {problem.message}" for problem in validate(parsed)]


def written(folder: Path, text: str | bytes, name: str = "list.yaml") -> Path:
    """A file with that text in UTF-8."""
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file
