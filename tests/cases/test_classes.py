"""The shipped rules of all classes, file by file: their cases pass, bite, and turn on one named field."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
import pytest

import negative_list
from negative_list import conditions as c
from negative_list.cases import CaseBody, CaseResult, bodies_of, run_cases
from negative_list.classes import CLASS_IDS
from negative_list.compile import compile as compiled
from negative_list.engine import match
from negative_list.parse import read_list
from negative_list.readers.own import read_check_request
from negative_list.rules import Case, Rule, RuleList
from negative_list.site import Sites

FOLDER = Path(negative_list.__file__).parent / "lists" / "classes"
FILES = sorted(FOLDER.glob("*.yaml"))
ENTERED = ("R15", "R25", "R27", "R30", "R31")
"""Classes whose charges nurses and cashiers enter, and which are looked at again before settlement."""
CHARGE_ENTRY, BEFORE_SETTLEMENT = {"2", "4"}, {"7", "9"}

_SEVERAL = re.compile(r"(?:^(?:request|history)|\.(?:patient|encounter|facts|lines))$")
"""What holds several fields; a list of words, a diagnosis or an operation with its code and name is one."""
_LINE = re.compile(r"request\.encounter\.lines\[(\d+)\]")
_SAYS_WHICH = {"id", "code", "local_code", "name", "item_type", "unit"}
"""Together they name one item: a line in whose place stands another item has one field changed."""

of_every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@cache
def rules_of(file: Path) -> RuleList:
    """The list a file holds."""
    return read_list(file)


@cache
def results_of(file: Path) -> tuple[CaseResult, ...]:
    """What came of every case of a file."""
    return tuple(run_cases(rules_of(file)))


@of_every_file
def test_every_case_passes_and_bites(file: Path) -> None:
    """Each rule says what its cases want, and would not without its condition."""
    problems = [f"{r.rule_id}, case {r.place} ({r.kind}): {r.problem}" for r in results_of(file) if r.problem]
    assert problems == []


@of_every_file
def test_every_rule_has_the_three_kinds(file: Path) -> None:
    """No rule is shipped without a violating, a conforming and an unknown case."""
    kinds = {rule.id: {case.kind for case in rule.cases} for rule in rules_of(file).rules}
    assert {rule: k for rule, k in kinds.items() if not k >= {"violating", "conforming", "unknown"}} == {}


@of_every_file
def test_violating_and_conforming_cases_differ_in_one_named_field(file: Path) -> None:
    """For each rule a violating case turns conforming by one field, and the same item triggers the rule in both."""
    rules = rules_of(file)
    wrong = [rule.id for rule in rules.rules if not _turns(rule, rules)]
    assert wrong == []


@of_every_file
def test_people_are_told_why_in_two_languages(file: Path) -> None:
    """Every rule has its reason in Chinese and English, and names document and article."""
    told = ((r.id, r.message.zh, r.message.en, r.basis.document, r.basis.article) for r in rules_of(file).rules)
    assert [row[0] for row in told if not all(row)] == []


def test_all_classes_are_covered() -> None:
    """Every official class and every extension has, over all files, all three kinds of cases that pass and bite."""
    good = {(r.class_id, r.kind) for file in FILES for r in results_of(file) if r.passed and r.bites}
    kinds = ("violating", "conforming", "unknown")
    assert [f"{name}: {kind}" for name in CLASS_IDS for kind in kinds if (name, kind) not in good] == []


def test_ids_are_unique_over_all_files() -> None:
    """The files make one list together."""
    ids = [rule.id for file in FILES for rule in rules_of(file).rules]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("class_id", ENTERED)
def test_charges_are_judged_where_they_are_entered_and_before_settlement(class_id: str) -> None:
    """Classes of charge entry have a violating case where charges are entered, and one at pre-settlement."""
    rules = [rule for file in FILES for rule in rules_of(file).rules if rule.class_id == class_id]
    entered = [rule for rule in rules if rule.addressee == "charge_entry"]
    assert CHARGE_ENTRY & set().union(*map(_violating_scenes, entered))
    assert BEFORE_SETTLEMENT & set().union(*map(_violating_scenes, rules))


def _violating_scenes(rule: Rule) -> set[str]:
    return {scene for case in rule.cases if case.kind == "violating" for scene in (case.request or {}).get("scene", ())}


def _pairs(rule: Rule) -> Iterator[tuple[CaseBody, CaseBody]]:
    """Each conforming case made by one field from a violating one, with the one it is made from."""
    whole: tuple[Case, CaseBody] | None = None
    for case, body in bodies_of(rule.cases):
        assert isinstance(body, CaseBody), f"{rule.id}: {body}"
        if case.request is not None:
            whole = (case, body)
        elif case.kind == "conforming" and whole is not None and whole[0].kind == "violating":
            assert _is_one_field(case, whole[1]), f"{rule.id}: `{case.change}` changes more than one field"
            yield whole[1], body


def _is_one_field(case: Case, before: CaseBody) -> bool:
    line = _LINE.fullmatch(case.change)
    if line is None:
        return not _SEVERAL.search(case.change)
    if not isinstance(case.to, dict):
        return False
    old = before.request["encounter"]["lines"][int(line[1])]
    return {key for key in old.keys() | case.to.keys() if old.get(key) != case.to.get(key)} <= _SAYS_WHICH


def _turns(rule: Rule, rules: RuleList) -> bool:
    return any(_items(rule, rules, one) & _items(rule, rules, other) for one, other in _pairs(rule))


def _items(rule: Rule, rules: RuleList, body: CaseBody) -> set[tuple[str, ...]]:
    """The codes, or the name, of every line that triggers the rule; an empty one stands for the encounter."""
    bare = msgspec.structs.replace(rule, violation=c.All(of=()), scope=None, overrides=(), cases=())
    prescription = read_check_request(copy.deepcopy(body.request), Sites())
    assert prescription.at is not None
    found = match(compiled(RuleList(rules=(bare,), sets=rules.sets)), prescription, prescription.at).true
    return {() if j.line is None else (j.line.codes or (j.line.name,)) for j in found}
