"""Each kind of observation on the smallest list that has it, and none on the same list put right."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from negative_list.cli import app
from negative_list.codes import STRUCTURES
from negative_list.deep.analysis import CHECKS, analyse
from negative_list.deep.items import PARTS
from negative_list.deep.observations import KINDS
from negative_list.deep.words import MOST_OF_ENCOUNTER
from negative_list.generate import generate
from negative_list.parse import read_parsed
from negative_list.validate import check

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 11, 22)
ONE, TWO = "XL02BBA001A001010178380", "XA10BAE004A001010101445"
MALE = "{kind: fact, fact: patient.sex, any_of: [女]}"
FEMALE = "{kind: fact, fact: patient.sex, any_of: [男]}"
YOUNG = "{kind: age, below: 12}"
YOUNGER = "{kind: age, unit: month, below: 36}"


def rule(name: str, violation: str, codes: str = ONE, **more: str) -> str:
    """A rule as YAML; ``more`` are further keys."""
    rows = [
        f"- id: {name}",
        "class: R67",
        "title: 示例",
        f"trigger: {more.pop('trigger', f'{{codes: [{codes}]}}')}",
        f"violation: {violation}",
        "message: {zh: 示例}",
        "basis: {document: 示例}",
        *(f"{key}: {value}" for key, value in more.items()),
    ]
    return "\n    ".join(rows)


def beside(codes: str) -> str:
    """The items stand beside the trigger."""
    return f"{{kind: some, lines: {{items: {{codes: [{codes}]}}, window: {{unit: day}}}}}}"


def diagnosed(*terms: str) -> str:
    """A diagnosis with one of the terms."""
    return f"{{kind: diagnosis, codes: [I10], terms: [{', '.join(terms)}]}}"


def both(*conditions: str, kind: str = "all") -> str:
    """Conditions joined."""
    return f"{{kind: {kind}, of: [{', '.join(conditions)}]}}"


STORIES = {
    "a violation that contradicts itself": (
        [rule("a", both(YOUNG, "{kind: age, at_least: 12}"))],
        {"never a violation"},
        [rule("a", both(YOUNG, "{kind: age, at_least: 11}"))],
    ),
    "newborn and a year old": (
        [rule("a", both("{kind: age, unit: day, below: 28}", "{kind: age, at_least: 1}"))],
        {"never a violation"},
        [rule("a", both("{kind: age, unit: day, below: 366}", "{kind: age, at_least: 1}"))],
    ),
    "a scope nobody in it can violate": (
        [rule("a", both(YOUNG, beside(TWO)), scope="{kind: age, unit: month, at_least: 144}", codes=f"{ONE}, {TWO}")],
        {"never a violation"},
        [rule("a", both(YOUNG, beside(TWO)), scope="{kind: age, unit: month, at_least: 143}", codes=f"{ONE}, {TWO}")],
    ),
    "every code excepted again": (
        [rule("a", MALE, trigger=f"{{codes: [{ONE}], except_codes: [XL02BB]}}")],
        {"never a trigger.except_codes"},
        [rule("a", MALE, trigger=f"{{codes: [{ONE}, {TWO}], except_codes: [XL02BB]}}")],
    ),
    "a rule of the fund that asks for self-pay": (
        [rule("a", "{kind: fact, fact: line.paid_by, any_of: [self]}", fund_only="true")],
        {"never a violation"},
        [rule("a", "{kind: fact, fact: line.paid_by, any_of: [self]}")],
    ),
    "a rule replaced for good": (
        [rule("a", MALE, valid_from="2026-01-01"), rule("b", YOUNG, overrides="[a]")],
        {"replaced a "},
        [rule("a", MALE), rule("b", YOUNG, overrides="[a]", valid_from="2026-01-01")],
    ),
    "an exception that never applies": (
        [rule("a", both(MALE, f"{{kind: not, of: {both(FEMALE, YOUNG)}}}"))],
        {"unreachable a violation.of[1].of"},
        [rule("a", both(MALE, f"{{kind: not, of: {both(MALE, YOUNG)}}}"))],
    ),
    "a grade after one that takes all": (
        [rule("a", MALE, grades=f"[{{when: {YOUNG}, action: warn}}, {{when: {YOUNGER}, action: remind}}]")],
        {"unreachable a grades[1].when"},
        [rule("a", MALE, grades=f"[{{when: {YOUNGER}, action: warn}}, {{when: {YOUNG}, action: remind}}]")],
    ),
    "a branch that adds nothing": (
        [rule("a", both(YOUNG, YOUNGER, kind="any"))],
        {"idle a violation.of[1]"},
        [rule("a", both(YOUNG, MALE, kind="any"))],
    ),
    "for men only, and for women only": (
        [rule("a", MALE), rule("b", "{kind: not, of: " + MALE + "}", f"{ONE}, {TWO}")],
        {"contradiction b "},
        [rule("a", MALE), rule("b", "{kind: not, of: " + MALE + "}", TWO)],
    ),
    "only with a diagnosis, and never with it": (
        [rule("a", diagnosed("高血压")), rule("b", f"{{kind: not, of: {diagnosed('高血压')}}}")],
        {"contradiction b "},
        [rule("a", diagnosed("高血压")), rule("b", f"{{kind: not, of: {diagnosed('冠心病')}}}")],
    ),
    "for nobody by the fund, and bought by oneself": (
        [rule("a", MALE), rule("b", FEMALE)],
        {"contradiction b "},
        [rule("a", MALE, fund_only="true"), rule("b", FEMALE)],
    ),
    "a rule and a reminder": (
        [rule("a", YOUNG), rule("b", "{kind: age, at_least: 12}")],
        {"contradiction b "},
        [rule("a", YOUNG), rule("b", "{kind: age, at_least: 12}", action="remind", result="suspicious")],
    ),
    "from 12 years on, and only up to 12": (
        [rule("a", YOUNG), rule("b", "{kind: age, unit: month, at_least: 144}")],
        {"contradiction b "},
        [rule("a", YOUNG), rule("b", "{kind: age, unit: month, above: 144}")],
    ),
    "one rule twice": (
        [rule("a", YOUNG), rule("b", "{kind: age, unit: month, below: 144}")],
        {"duplicate b "},
        [rule("a", YOUNG), rule("b", "{kind: age, unit: month, below: 144}", per="encounter")],
    ),
    "details that stand twice": (
        [rule("a", YOUNG, f"{ONE}, XL02BBA001A001010178381"), rule("b", YOUNG, f"{ONE}, {TWO}")],
        {"duplicate b "},
        [rule("a", YOUNG, f"{ONE}, XL02BBA001A001010178381"), rule("b", YOUNG, TWO)],
    ),
    "a stricter rule by prefix": (
        [rule("a", YOUNGER), rule("b", YOUNG, trigger="{prefixes: [XL02BB]}")],
        {"subsumed a "},
        [rule("a", YOUNGER, action="block"), rule("b", YOUNG, trigger="{prefixes: [XL02BB]}")],
    ),
    "a rule whose last day is past": (
        [rule("a", MALE, valid_to="2026-11-21")],
        {"expired a valid_to"},
        [rule("a", MALE, valid_to="2026-11-22")],
    ),
    "a pair stored one way only": (
        [rule("a", beside(TWO))],
        {"one-way a violation"},
        [rule("a", beside(TWO)), rule("b", beside(ONE), TWO)],
    ),
    "an add-on whose base stands nowhere": (
        [rule("a", MALE, '"003312010020001"')],
        {"add-on a trigger.codes"},
        [rule("a", MALE, '"003312010020001", "003312010020000"')],
    ),
    "a local code": (
        [rule("a", MALE, "LOCAL1")],
        {"code a trigger.codes"},
        [rule("a", MALE, ONE)],
    ),
    "a prefix that ends inside the class": (
        [rule("a", MALE, trigger="{prefixes: [XL0]}")],
        {"prefix a trigger.prefixes"},
        [rule("a", MALE, trigger="{prefixes: [XL02]}")],
    ),
    "a prefix that is a letter": (
        [rule("a", MALE, trigger="{prefixes: [Z]}")],
        {"prefix a trigger.prefixes"},
        [rule("a", MALE, trigger="{prefixes: [ZA]}")],
    ),
    "a prefix of herbs that takes in granules": (
        [rule("a", MALE, trigger="{prefixes: [T1701]}")],
        {"prefix a trigger.prefixes"},
        [rule("a", MALE, trigger="{prefixes: [T1701], types: [herb]}")],
    ),
    "hypertension inside pulmonary hypertension": (
        [rule("a", diagnosed("高血压")), rule("b", diagnosed("肺高血压"), TWO)],
        {"term a "},
        [rule("a", diagnosed("高血压", "肺高血压")), rule("b", diagnosed("肺高血压"), TWO)],
    ),
    "more rules of the encounter than may be": (
        [
            rule(
                f"r{n}",
                f"{{kind: age, below: {n}}}",
                trigger="{encounter: true}",
                per="encounter",
                addressee="doctor",
                action="block" if n % 2 else "warn",
                amount_share=f"0.{n:03}",
            )
            for n in range(1, MOST_OF_ENCOUNTER + 2)
        ],
        {"encounter  "},
        [
            rule(
                f"r{n}",
                f"{{kind: age, below: {n}}}",
                trigger="{encounter: true}",
                per="encounter",
                addressee="doctor",
                action="block" if n % 2 else "warn",
                amount_share=f"0.{n:03}",
            )
            for n in range(1, MOST_OF_ENCOUNTER + 1)
        ],
    ),
}


def seen(folder: Path, rules: list[str]) -> set[str]:
    """Kind, rule and path of what is seen in a list of these rules."""
    file = folder / "list.yaml"
    file.write_text("rules:\n  " + "\n  ".join(rules) + "\n", "utf-8")
    return {f"{one.kind} {one.rule_id} {one.path}" for one in analyse(check(read_parsed(file)), TODAY)}


@pytest.mark.parametrize("story", STORIES)
def test_what_is_seen_and_what_is_not(story: str, tmp_path: Path) -> None:
    """The list shows the one thing, and nothing once that is put right."""
    wrong, expected, right = STORIES[story]
    assert seen(tmp_path, wrong) == expected
    assert seen(tmp_path, right) == set()


def test_every_kind_has_its_story() -> None:
    """No kind of observation is without a list that has it."""
    told = {each.split()[0] for _, expected, _ in STORIES.values() for each in expected}
    assert told == set(KINDS)
    assert len(CHECKS) == len(set(CHECKS))


def test_parts_make_up_whole_codes() -> None:
    """The parts of every structure are as long together as a code of it."""
    lengths = {"western drug": 23, "patent drug": 20, "herb": 10, "granule": 20, "consumable": 27, "service": 15}
    assert {kind.name: sum(PARTS[kind.name]) for kind in STRUCTURES} == lengths


def test_a_made_up_list_has_no_fault() -> None:
    """Whatever is seen in a generated list is advice."""
    assert [one for one in analyse(generate(3_000, 7), TODAY) if one.is_fault] == []


def test_the_command_names_the_place_and_fails_on_faults_only(tmp_path: Path) -> None:
    """A fault ends with 1, advice with 0; each stands at its file and row, in the language asked for."""
    file = tmp_path / "list.yaml"
    file.write_text(f"rules:\n  {rule('a', MALE)}\n  {rule('b', FEMALE)}\n", "utf-8")
    told = CliRunner().invoke(app, ["check", str(file), "--deep"])
    assert told.exit_code == 1
    assert f"{file}:9:5: `b` 互相矛盾：满足规则 `a` 必违反本规则" in told.output
    assert "错误 互相矛盾: 1" in told.output
    file.write_text(f"rules:\n  {rule('a', MALE, 'LOCAL1')}\n", "utf-8")
    told = CliRunner().invoke(app, ["check", str(file), "--deep", "--english"])
    assert told.exit_code == 0
    assert "advice a code of no known structure: 1" in told.output
    file.write_text(f"rules:\n  {rule('a', MALE)}\n", "utf-8")
    assert "未见问题" in CliRunner().invoke(app, ["check", str(file), "--deep"]).output
