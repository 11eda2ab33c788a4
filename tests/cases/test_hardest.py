"""The shipped rules of the hardest published items: all are there, their cases pass and bite, each branch is shown."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import msgspec
import pytest

import negative_list
from negative_list import conditions as c
from negative_list.cases import CaseBody, CaseResult, answer_of, bodies_of, run_cases
from negative_list.compile import compile as compiled
from negative_list.engine import match
from negative_list.parse import read_list
from negative_list.readers.own import read_check_request
from negative_list.readers.past import read_history_object
from negative_list.rules import Rule, RuleList
from negative_list.site import Sites

FOLDER = Path(negative_list.__file__).parent / "lists" / "hardest"
SITES = Sites()

ITEMS: dict[int, str] = {
    1: (
        "R08-aflibercept R08-ranibizumab R08-conbercept R08-faricimab R08-brolucizumab R08-dexamethasone "
        "R12-eye-institution E17-eye-specialty R08-eye-first-vision E26-eye-approval E26-eye-evidence "
        "E15-vegf-lifetime E15-vegf-first-year E15-dexamethasone-lifetime E15-dexamethasone-year"
    ),
    2: "R08-toripalimab R08-tislelizumab",
    3: "R04-herbs-alone",
    4: ("R15-liver R15-stomach R15-abdominal-rectum R15-rectum R15-bladder R15-male R15-female R15-liver-province"),
    5: "E11-further-vessels E10-once-per-vessel E14-same-segment R25-angiography E08-antiplatelet",
    6: "R08-ginkgo R10-ginkgo-14 R13-angong",
    7: "R08-mifepristone",
    8: "R08-peginterferon R10-peginterferon-stop R10-peginterferon-12",
    9: "R05-paliperidone-6m R05-paliperidone-3m",
    10: "R08-glp1 E17-glp1-first R08-semaglutide R08-liraglutide",
    11: "R08-albumin",
    12: (
        "R08-alteplase R08-prourokinase R08-butylphthalide-injection R10-butylphthalide-injection-14 "
        "R08-butylphthalide-capsule R10-butylphthalide-capsule-20 R08-urinary-kallidinogenase "
        "R10-urinary-kallidinogenase-21"
    ),
    13: "R08-letermovir",
    14: "R13-structolipid",
    15: "R27-oxygen-day E12-oxygen-stay R27-ventilator-day E12-ventilator-icu R27-crrt-day E12-crrt-icu",
    16: "E11-anaesthesia-weights E11-anaesthesia-units R25-monitoring",
    17: (
        "R31-hand-gap R23-hand-span R23-hand-local R23-weight-support R23-weight-support-local E17-performer "
        "E10-sites R27-per-site"
    ),
    18: "E05-matrix E05-methylphenidate E05-pethidine E05-dihydroetorphine",
    19: "R44-allow-list",
    20: "R69-metformin R69-ppi R69-ppi-local",
    21: "R74-elvitegravir R74-sildenafil R74-midazolam R74-paroxetine-maoi R74-probiotic",
    22: "E11-ihc E11-spect E11-ct-parts R25-ct-enhanced",
    23: "E20-cystatin E20-crp E19-d-dimer",
}
"""Item of the reference's list of stress tests, and the rules that say it; ids begin with `hardest-` and the item."""

BRANCHES: dict[str, int] = {
    "hardest-01-R08-aflibercept": 2,
    "hardest-01-R08-ranibizumab": 4,
    "hardest-01-R08-conbercept": 4,
    "hardest-01-R08-faricimab": 2,
    "hardest-01-R08-brolucizumab": 2,
    "hardest-01-R08-dexamethasone": 2,
    "hardest-01-R12-eye-institution": 2,
    "hardest-01-E26-eye-approval": 2,
    "hardest-01-E26-eye-evidence": 3,
    "hardest-02-R08-toripalimab": 12,
    "hardest-02-R08-tislelizumab": 13,
    "hardest-06-R08-ginkgo": 2,
    "hardest-06-R13-angong": 2,
    "hardest-07-R08-mifepristone": 2,
    "hardest-08-R08-peginterferon": 2,
    "hardest-10-R08-semaglutide": 2,
    "hardest-11-R08-albumin": 3,
    "hardest-12-R08-alteplase": 2,
    "hardest-12-R08-butylphthalide-injection": 2,
    "hardest-12-R08-butylphthalide-capsule": 2,
    "hardest-12-R08-urinary-kallidinogenase": 2,
    "hardest-13-R08-letermovir": 2,
    "hardest-14-R13-structolipid": 2,
    "hardest-18-E05-matrix": 9,
    "hardest-18-E05-methylphenidate": 3,
    "hardest-18-E05-pethidine": 2,
    "hardest-18-E05-dihydroetorphine": 2,
    "hardest-19-R44-allow-list": 6,
    "hardest-21-R74-elvitegravir": 3,
    "hardest-23-E19-d-dimer": 3,
}
"""Rules whose remark lists alternatives, and how many: their first `any` has as many branches."""

OVERRIDDEN = {
    "hardest-04-R15-liver-province": "hardest-04-R15-liver",
    "hardest-17-R23-hand-local": "hardest-17-R23-hand-span",
    "hardest-17-R23-weight-support-local": "hardest-17-R23-weight-support",
    "hardest-20-R69-ppi-local": "hardest-20-R69-ppi",
}
"""Local rules and the national ones they stand in for."""

of_every_branched_rule = pytest.mark.parametrize("rule_id", BRANCHES)


@cache
def shipped() -> RuleList:
    """The list."""
    return read_list(FOLDER)


@cache
def results() -> tuple[CaseResult, ...]:
    """What came of every case."""
    return tuple(run_cases(shipped()))


def rule_of(rule_id: str) -> Rule:
    """The rule of an id."""
    return next(rule for rule in shipped().rules if rule.id == rule_id)


def test_all_items_are_there() -> None:
    """The 23 items are all said, and no rule of the list is none of theirs."""
    assert list(ITEMS) == list(range(1, 24))
    named = [f"hardest-{item:02d}-{rule}" for item, rules in ITEMS.items() for rule in rules.split()]
    assert sorted(named) == sorted(rule.id for rule in shipped().rules)


def test_every_case_passes_and_bites() -> None:
    """Each rule says what its cases want, and would not without its condition."""
    assert [f"{r.rule_id}, case {r.place} ({r.kind}): {r.problem}" for r in results() if r.problem] == []


def test_every_rule_has_the_three_kinds() -> None:
    """No rule is shipped without a violating, a conforming and an unknown case."""
    kinds = {rule.id: {case.kind for case in rule.cases} for rule in shipped().rules}
    assert {rule: k for rule, k in kinds.items() if not k >= {"violating", "conforming", "unknown"}} == {}


def test_people_are_told_why_in_two_languages() -> None:
    """Every rule has its reason in Chinese and English, and names document and article."""
    told = ((r.id, r.message.zh, r.message.en, r.basis.document, r.basis.article) for r in shipped().rules)
    assert [row[0] for row in told if not all(row)] == []


def test_local_rules_name_the_national_ones() -> None:
    """A local rule stands in for the national one of its item, which has no other."""
    assert {rule.id: rule.overrides for rule in shipped().rules if rule.overrides} == {
        local: (national,) for local, national in OVERRIDDEN.items()
    }


@pytest.mark.parametrize(("local", "national"), OVERRIDDEN.items())
def test_local_rules_stand_in_for_the_national_ones(local: str, national: str) -> None:
    """Beside its local rule the national one is silent where alone it is found."""
    pair = RuleList(rules=(rule_of(local), rule_of(national)), sets=shipped().sets)
    body = next(bodies_of(rule_of(national).cases))[1]
    assert isinstance(body, CaseBody)
    alone = RuleList(rules=(rule_of(national),), sets=shipped().sets)
    assert answer_of(alone, national, body, SITES) == "found"
    assert answer_of(pair, national, body, SITES) == "silent"


@of_every_branched_rule
def test_each_branch_decides_alone(rule_id: str) -> None:
    """For each branch a case turns on it alone: conforming where branches allow, violating where they forbid."""
    branches, allows = _branches(rule_id)
    assert len(branches) == BRANCHES[rule_id]
    kind = "conforming" if allows else "violating"
    alone = {tuple(holding) for case, holding in _answers(rule_id, branches) if case == kind}
    assert [n for n in range(1, len(branches) + 1) if _only(n, len(branches)) not in alone] == []


@of_every_branched_rule
def test_each_branch_fails_by_one_condition(rule_id: str) -> None:
    """For each branch a case misses exactly one of its conditions, and the rule answers the other way."""
    branches, allows = _branches(rule_id)
    answer = "found" if allows else "silent"
    missing = set()
    for n, branch in enumerate(branches, 1):
        parts = branch.of if isinstance(branch, c.All) else (branch,)
        for place, (_, holding) in enumerate(_answers(rule_id, parts)):
            if _answer(rule_id, place) == answer and _misses_one(holding):
                missing.add(n)
    assert missing == set(range(1, len(branches) + 1))


def _misses_one(holding: list[bool | None]) -> bool:
    return holding.count(False) == 1 and holding.count(True) == len(holding) - 1


def _only(n: int, of: int) -> tuple[bool, ...]:
    return tuple(place == n for place in range(1, of + 1))


def _branches(rule_id: str) -> tuple[tuple[c.Condition, ...], bool]:
    """The branches of a rule, and whether one that holds allows what the rule else forbids."""
    return next(_alternatives(rule_of(rule_id).violation, allows=False))


def _alternatives(condition: c.Condition, *, allows: bool) -> Iterator[tuple[tuple[c.Condition, ...], bool]]:
    if isinstance(condition, c.Any):
        yield condition.of, allows
    elif isinstance(condition, c.Not):
        yield from _alternatives(condition.of, allows=not allows)
    elif isinstance(condition, c.All):
        for child in condition.of:
            yield from _alternatives(child, allows=allows)


def _answer(rule_id: str, place: int) -> str | None:
    return [result.answer for result in results() if result.rule_id == rule_id][place]


def _answers(rule_id: str, conditions: Sequence[c.Condition]) -> Iterator[tuple[str, list[bool | None]]]:
    """Each case's kind, and for each condition whether it holds for a trigger line of the case."""
    rule = rule_of(rule_id)
    bare = msgspec.structs.replace(rule, scope=None, fund_only=False, overrides=(), cases=())
    alone = tuple(msgspec.structs.replace(bare, id=str(n), violation=one) for n, one in enumerate(conditions))
    ready = compiled(RuleList(rules=alone, sets=shipped().sets))
    for case, body in bodies_of(rule.cases):
        assert isinstance(body, CaseBody), f"{rule_id}: {body}"
        prescription = read_check_request(copy.deepcopy(body.request), SITES)
        assert prescription.at is not None
        history = None if body.history is None else read_history_object(copy.deepcopy(body.history), SITES)
        found = match(ready, prescription, prescription.at, history)
        told: dict[str, bool | None] = {j.rule.rule.id: None for j in found.unknown}
        told |= {j.rule.rule.id: True for j in found.true}
        yield case.kind, [told.get(str(n), False) for n in range(len(alone))]
