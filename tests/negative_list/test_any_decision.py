"""What holds of every decision, on lists and prescriptions drawn at random."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from negative_list.compile import CompiledList, compile
from negative_list.decide import Fuller, decide
from negative_list.messages import HEAD_LENGTH
from negative_list.output import decision_json
from negative_list.rules import ACTIONS, Rule, RuleList
from tests.generators import Case, draw_case
from tests.generators_lists import draw_list
from tests.negative_list.builders import ALL_KINDS, edited

if TYPE_CHECKING:
    from datetime import datetime

    from negative_list.decision import Decision, Finding
    from negative_list.prescription import Prescription

SEEDS, PRESCRIPTIONS = range(12), 16


def drawn(seed: int) -> RuleList:
    """A list whose rules ask, suggest and refuse in every way."""
    random = Random(seed)

    def varied(rule: Rule) -> Rule:
        given: dict[str, Any] = {
            "suggestions": ALL_KINDS,
            "on_unknown": msgspec.structs.replace(rule.on_unknown, action=random.choice(("pass", "remind", "warn"))),
            "fund_only": random.random() < 0.5,
            "amount": random.choice(("line", "excess")),
            "action": random.choice(("remind", "warn", "block")),
            "class_id": random.choice(("R67", "R01", "R31")),
            "result": "definite",
        }
        return msgspec.structs.replace(rule, **given)

    rules = draw_list(seed)
    return msgspec.structs.replace(rules, rules=tuple(map(varied, rules.rules)))


def answered(compiled: CompiledList, case: Case, body: Prescription | None = None) -> Decision:
    """The decision, with the case's history read where it is needed."""

    def read(given: Prescription, _needs: frozenset[str], _at: datetime) -> Fuller:
        return Fuller(prescription=given, history=case.history)

    return decide(compiled, body or case.prescription, case.at, read=read, decision_id="D")


def strengths(decision: Decision) -> dict[tuple[str, str], int]:
    """How strong each certain finding is on each line."""
    certain = [found for found in decision.findings if not found.unknown]
    return {(found.rule_id, name): ACTIONS.index(found.action) for found in certain for name in found.lines or ("",)}


def check_finding(found: Finding, case: Case) -> None:
    """Offending lines are current, involved ones others; amounts and texts are what people can read."""
    lines = case.prescription.encounter.lines
    assert set(found.lines) <= {line.id for line in lines if line.current}
    assert not set(found.lines) & set(found.involved)
    assert found.amount_fen is None or found.amount_fen >= 0
    assert len(found.message.partition("。")[0]) <= HEAD_LENGTH
    assert found.message.startswith("【")
    assert not found.unknown or (found.action != "block" and found.suggestions == () and found.needs)


def check_suggestions(decision: Decision, compiled: CompiledList, case: Case) -> int:
    """Every suggestion, made by hand, helps; how many there were."""
    tried = 0
    for found in decision.findings:
        for suggestion in found.suggestions:
            after = answered(compiled, case, edited(case.prescription, suggestion))
            known, level = strengths(decision), ACTIONS.index(found.action)
            assert not any(f.rule_id == found.rule_id and set(f.lines) & set(found.lines) for f in after.findings)
            assert not any(now >= max(level, known.get(place, -1) + 1) for place, now in strengths(after).items())
            tried += 1
    return tried


@pytest.mark.parametrize("seed", SEEDS)
def test_what_holds_of_every_decision(seed: int) -> None:
    """One question at most, ids of their own, nothing unknown unlisted, the same again."""
    rules = drawn(seed)
    compiled = compile(rules)
    for number in range(PRESCRIPTIONS):
        case = draw_case(Random(seed * 1000 + number))
        decision = answered(compiled, case)
        for found in decision.findings:
            check_finding(found, case)
        assert sum(found.unknown for found in decision.findings) <= 1
        assert len({found.finding_id for found in decision.findings}) == len(decision.findings)
        assert all(each.needs for each in decision.not_evaluated)
        open_rules = {each.rule_id for each in decision.not_evaluated}
        assert {found.rule_id for found in decision.findings if found.unknown} <= open_rules
        assert decision_json(answered(compile(rules), case)) == decision_json(decision)


def test_suggestions_help() -> None:
    """Every edit that is offered takes its finding away and brings nothing as strong; many are offered."""
    tried = 0
    for seed in SEEDS:
        compiled = compile(drawn(seed))
        cases = [draw_case(Random(seed * 1000 + number)) for number in range(PRESCRIPTIONS)]
        tried += sum(check_suggestions(answered(compiled, case), compiled, case) for case in cases)
    assert tried > 20
