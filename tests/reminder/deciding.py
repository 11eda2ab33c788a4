"""Entries of decisions for tests of feedback: a list decides a body, and what it found becomes an entry."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from negative_list.compile import CompiledList, compile
from negative_list.decide import decide_whole
from negative_list.parse import parse_yaml
from negative_list.policy import Ceiling, Policy
from negative_list.readers.own import read_check_request
from negative_list.rules import Rule, RuleList
from negative_list.site import Sites
from reminder.ids import reminder_id
from reminder.journal.base import Draft
from reminder.journal.briefs import brief_of
from reminder.journal.coding import encode
from reminder.journal.entries import Decided, Found

__all__ = [
    "ALBUMIN",
    "APPROVED",
    "AT",
    "COUNTED",
    "INDICATED",
    "NOW",
    "RULES",
    "compiled",
    "decided",
    "drafted",
    "visit",
]

NOW = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)
AT = "2026-01-01 09:00:00"

ALBUMIN, INDICATED, APPROVED, COUNTED = "XB05AAR043B002010100001", "XA1", "XA2", "XA3"
"""Codes of items: one paid at a low albumin, one for a disease, one with an approval, one with a limit of quantity."""

RULES = f"""
rules:
- id: albumin
  class: R08
  title: 限低蛋白血症
  trigger: {{codes: [{ALBUMIN}]}}
  violation: {{kind: not, of: {{kind: fact, fact: encounter.albumin_g_l, below: 30}}}}
  on_unknown: {{action: warn, ask: [encounter.albumin_g_l]}}
  action: block
  message: {{zh: 限白蛋白低于30克每升}}
  basis: {{document: 目录}}
  reasons:
  - {{code: low, text: {{zh: 白蛋白低于30克每升, en: albumin below 30 g/l}}, fact: encounter.albumin_g_l}}
  - {{code: burns, text: {{zh: 大面积烧伤}}}}
- id: indicated
  class: R08
  title: 限急性心肌梗死
  trigger: {{codes: [{INDICATED}]}}
  violation: {{kind: not, of: {{kind: diagnosis, codes: [I21]}}}}
  action: block
  message: {{zh: 限急性心肌梗死}}
  basis: {{document: 目录}}
  reasons:
  - {{code: infarction, text: {{zh: 急性心肌梗死，诊断已补}}, fact: encounter.diagnoses}}
- id: approved
  class: R08
  title: 限审批
  trigger: {{codes: [{APPROVED}]}}
  violation: {{kind: not, of: {{kind: fact, fact: line.prior_approval, any_of: [true]}}}}
  on_unknown: {{action: warn, ask: [line.prior_approval]}}
  action: block
  message: {{zh: 须经审批}}
  basis: {{document: 目录}}
- id: counted
  class: E01
  title: 数量
  trigger: {{codes: [{COUNTED}]}}
  violation: {{kind: sum, of: line.quantity, lines: {{items: {{codes: [{COUNTED}]}}, window: {{unit: day}}}}, above: 3}}
  action: warn
  message: {{zh: 数量超过三}}
  basis: {{document: 数量规定}}
"""
"""Rules a fact can justify going on with, and one that no fact speaks to."""


AS_WRITTEN = Policy(default=Ceiling(definite="block", suspicious="block"))
"""A policy that leaves every rule its own action."""


@cache
def compiled(text: str = RULES) -> CompiledList:
    """A list, ready."""
    records = [row.record for row in parse_yaml(text.encode(), "list")]
    return compile(RuleList(rules=tuple(record for record in records if isinstance(record, Rule))))


def visit(code: str, *, quantity: int = 1, diagnoses: tuple[str, ...] = ("I10",), **facts: Any) -> dict[str, Any]:
    """Our own body: one line of a code, and facts by their names."""
    line = {"id": "R1", "code": code, "name": "项目", "begins": AT, "quantity": quantity, "amount_fen": 100}
    held: dict[str, dict[str, Any]] = {"patient": {}, "encounter": {}, "line": {}}
    for name, value in facts.items():
        holder, _, fact = name.partition("_")
        held[holder][f"{holder}.{fact}"] = value
    return {
        "time": AT,
        "institution_id": "H1",
        "patient": {"id": "p", "sex": "女", "birth_date": "1960-01-01", "facts": held["patient"]},
        "encounter": {
            "id": "e",
            "visit_mode": "inpatient",
            "admitted_at": "2026-01-01 08:00:00",
            "diagnoses": [{"code": f"{code}.x00", "name": code} for code in diagnoses],
            "lines": [line | {"facts": held["line"]}],
            "facts": held["encounter"],
        },
    }


def decided(body: dict[str, Any], number: int = 1, *, at: datetime = NOW, **fields: Any) -> Decided:
    """The entry of a decision over the list; ids stand as they are, as if they were keys."""
    asked = read_check_request(body, Sites())
    ident = f"01KDZZZZZZ{number:016}"
    moment = asked.at or datetime.min  # noqa: DTZ901
    whole = decide_whole(compiled(), asked, moment, AS_WRITTEN, decision_id=ident)
    found = tuple(
        Found(
            finding_id=each.finding_id,
            rule_id=each.rule_id,
            rule_version=each.rule_version,
            class_id=each.class_id,
            own_action=graded.action,
            action=each.action,
            shown=True,
            unknown=each.unknown,
            exited=each.exited,
            lines=each.lines,
            reminders=tuple(reminder_id("e", each.rule_id, line, "2026-01-01") for line in each.lines),
        )
        for graded, each in zip(whole.graded, whole.found, strict=True)
    )
    told: dict[str, Any] = {
        "engine": "test",
        "at": at,
        "decision_id": ident,
        "decided_at": moment,
        "institution_id": "H1",
        "prescription": asked,
        "found": found,
        "answer": whole.decision,
    }
    return Decided(**(told | fields))


def drafted(entry: Decided) -> Draft:
    """The entry as it goes to the journal."""
    return Draft(
        kind="decision",
        at=entry.at,
        decision_id=entry.decision_id,
        institution_id=entry.institution_id,
        patient_key=entry.prescription.patient.id,
        encounter_key=entry.prescription.encounter.id,
        brief=brief_of(entry),
        body=encode(entry),
    )
