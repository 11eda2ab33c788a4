"""Validation: what a well-formed list says that cannot be meant, one row for each check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from negative_list import conditions as c
from negative_list.compile import compile
from negative_list.errors import ListError, Problem
from negative_list.parse import Parsed, Place, parse_yaml, read_parsed
from negative_list.rules import NamedSet, Rule, RuleList, Trigger
from negative_list.schema import KINDS
from negative_list.validate import CHECKS, check, validate
from tests.negative_list.builders import rule, rule_yaml, written

if TYPE_CHECKING:
    from pathlib import Path

LINES = "lines: {items: {codes: [A]}"


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


def of_rule(**given: Any) -> list[str]:
    """What is wrong with a rule made in code: path and message of each problem."""
    place = Place(file="list", locate=lambda _path: (1, 1))
    parsed = Parsed(rules=RuleList(rules=(rule(**given),)), rule_places=(place,), set_places=(), problems=())
    return [f"{problem.path}: {problem.message}" for problem in validate(parsed)]


CONDITIONS = [
    (
        "{kind: fact, fact: patient.sx, any_of: [男]}",
        "violation.fact: no fact is called `patient.sx`; did you mean `patient.sex`?",
    ),
    (
        "{kind: fact, fact: patient.sex, any_of: [male]}",
        "violation.any_of[0]: `male` is no value of `patient.sex`; use 男, 女",
    ),
    ("{kind: fact, fact: encounter.visit_mode, any_of: [inpatients]}", "did you mean `inpatient`?; use "),
    (
        "{kind: fact, fact: patient.sex, any_of: [1]}",
        "violation.any_of[0]: `patient.sex` is a word; write `1` in quotes",
    ),
    (
        "{kind: fact, fact: line.long_order, any_of: ['1']}",
        "violation.any_of[0]: `line.long_order` is a flag; write true or false",
    ),
    ("{kind: fact, fact: line.days, any_of: [seven]}", "violation.any_of[0]: `line.days` is a number, `seven` is none"),
    ("{kind: fact, fact: line.days, any_of: [true]}", "violation.any_of[0]: `line.days` is a number, `True` is none"),
    ("{kind: fact, fact: patient.sex, above: 1}", "violation: `patient.sex` is a word, it has no bounds; use `any_of`"),
    ("{kind: fact, fact: line.days}", "violation: give either `any_of` or bounds"),
    ("{kind: fact, fact: line.days, any_of: [1], above: 3}", "violation: give either `any_of` or bounds"),
    ("{kind: age}", "violation: no bound is given; use `above`, `at_least`, `below` or `at_most`"),
    ("{kind: age, above: 12, below: 3}", "violation: contradictory bounds: nothing lies between 12 and 3"),
    ("{kind: age, at_least: 3, below: 3}", "violation: contradictory bounds: nothing lies between 3 and 3"),
    ("{kind: age, above: 3, at_most: 3}", "violation: contradictory bounds: nothing lies between 3 and 3"),
    ("{kind: fact, fact: line.days, above: 9, at_most: 3}", "contradictory bounds: nothing lies between 9 and 3"),
    ("{kind: age, above: .nan, below: 3}", "violation.above: `NaN` is no limit; write a number of at most 15 digits"),
    ("{kind: age, above: sNaN}", "violation.above: `sNaN` is no limit"),
    ("{kind: not, of: {kind: age, at_most: .inf}}", "violation.of.at_most: `Infinity` is no limit"),
    ("{kind: age, above: '1e15'}", "violation.above: `1E+15` is no limit"),
    ("{kind: all, of: []}", "violation.of: `of` is empty; give it at least one condition"),
    ("{kind: not, of: {kind: any, of: []}}", "violation.of.of: `of` is empty; give it at least one condition"),
    ("{kind: diagnosis}", "violation: give codes, terms or both"),
    ("{kind: operation, main: true}", "violation: give codes, terms or both"),
    (
        "{kind: diagnosis, codes: [I10, E1]}",
        "violation.codes[1]: `E1` is no ICD code; write a category, a code or a range like `I20-I25`",
    ),
    ("{kind: diagnosis, codes: [I25-I20]}", "violation.codes[0]: `I25-I20` runs backwards; swap its ends"),
    ("{kind: diagnosis, codes: [I10-E11.91]}", "violation.codes[0]: `I10-E11.91` is no range"),
    ("{kind: diagnosis, codes: [A00], terms: [癌]}", "violation.terms[0]: term `癌` is shorter than 2 characters"),
    ("{kind: diagnosis, codes: [A00], terms: ['']}", "violation.terms[0]: term `` is shorter than 2 characters"),
    ("{kind: diagnosis, codes: [A00], terms: [糖尿病, ' \u00a0癌 ']}", "violation.terms[1]: term ` "),
    (
        f"{{kind: some, {LINES}, window: {{unit: days}}}}}}",
        "violation.lines.window.length: a window of `days` needs a `length` of at least 1",
    ),
    (
        f"{{kind: some, {LINES}, window: {{unit: hours, length: 0}}}}}}",
        "a window of `hours` needs a `length` of at least 1",
    ),
    (
        f"{{kind: some, {LINES}, window: {{unit: course, length: -3}}}}}}",
        "a window of `course` needs a `length` of at least 1",
    ),
    (
        f"{{kind: some, {LINES}, window: {{unit: day, length: 3}}}}}}",
        "violation.lines.window.length: a window of `day` has no length; take it out",
    ),
    (
        f"{{kind: some, {LINES}, window: {{unit: days, length: 36526}}}}}}",
        "violation.lines.window.length: longer than a hundred years; at most 36525",
    ),
    (
        f"{{kind: some, {LINES}, window: {{unit: hours, length: 999999999999}}}}}}",
        "longer than a hundred years; at most 876600",
    ),
    (
        f"{{kind: some, {LINES}, window: {{unit: encounter, whose: patient}}}}}}",
        "violation.lines.window.whose: the window is one encounter",
    ),
    (
        f"{{kind: some, {LINES}, same: [line.rxno]}}}}",
        "violation.lines.same[0]: no fact is called `line.rxno`; did you mean `line.rx_no`?",
    ),
    (f"{{kind: some, {LINES}, same: [patient.sex]}}}}", "violation.lines.same[0]: `patient.sex` is no fact of a line"),
    (f"{{kind: some, {LINES}, where: {{kind: age}}}}}}", "violation.lines.where: no bound is given"),
    (
        "{kind: some, lines: {items: {sets: [hrebs]}}}",
        "violation.lines.items.sets[0]: no set `hrebs` in the list; did you mean `herbs`?",
    ),
    (
        "{kind: some, lines: {items: {types: [herbs]}}}",
        "violation.lines.items.types[0]: `herbs` is no item type; did you mean `herb`?; use ",
    ),
    ("{kind: some, lines: {items: {codes: ['A B']}}}", "violation.lines.items.codes[0]: `A B` is no code"),
    ("{kind: some, lines: {items: {prefixes: [Ｘ０１]}}}", "violation.lines.items.prefixes[0]: `Ｘ０１` is no code"),
    ("{kind: some, lines: {items: {except_codes: ['']}}}", "violation.lines.items.except_codes[0]: `` is no code"),
    (
        "{kind: some, lines: {items: {names: [片]}}}",
        "violation.lines.items.names[0]: term `片` is shorter than 2 characters",
    ),
    (
        f"{{kind: sum, {LINES}}}, of: line.unit, above: 1}}",
        "violation.of: `line.unit` is no number of a line; use `line.quantity` or",
    ),
    (
        f"{{kind: sum, {LINES}}}, of: encounter.stay_days, above: 1}}",
        "violation.of: `encounter.stay_days` is no number of a line",
    ),
    (
        f"{{kind: sum, {LINES}}}, of: line.quantty, above: 1}}",
        "violation.of: no fact is called `line.quantty`; did you mean `line.quantity`?",
    ),
    (f"{{kind: count, {LINES}}}}}", "violation: no bound is given"),
    (f"{{kind: days_of_use, {LINES}}}}}", "violation: no bound is given"),
    (f"{{kind: rank, {LINES}}}, above: 3, below: 2}}", "violation: contradictory bounds: nothing lies between 3 and 2"),
    (f"{{kind: since, event: last_use, {LINES}, window: {{unit: days}}}}}}", "violation: no bound is given"),
    (f"{{kind: every, {LINES}}}, among: {{sets: [x]}}}}", "violation.among.sets[0]: no set `x` in the list"),
    (
        "{kind: pair, main: {}, contained: {codes: [A]}, window: {unit: day}}",
        "violation.main: names no items; a pair needs both sides",
    ),
    ("{kind: pair, main: {codes: [A]}, contained: {}, window: {unit: days}}", "violation.contained: names no items"),
    (
        "{kind: elapsed, fact: patient.sex, above: 3}",
        "violation.fact: `patient.sex` is no time; name a date or time fact",
    ),
    (
        "{kind: elapsed, fact: encounter.onset_a, above: 3}",
        "violation.fact: no fact is called `encounter.onset_a`; did you mean `encounter.onset_at`?",
    ),
]


@pytest.mark.parametrize(("violation", "problem"), CONDITIONS, ids=range(len(CONDITIONS)))
def test_conditions_that_cannot_be_meant_are_told(violation: str, problem: str) -> None:
    """A condition that contradicts itself, limits nothing or names something unknown is told at its place."""
    found = told("sets: [{set: herbs, codes: [T001700688]}]\nrules:\n" + rule_yaml(violation))
    assert found != []
    assert [row for row in found if problem in row] != [], found
    assert {row.partition(":")[0] for row in found} == {"7"}


RULES = [
    ({"id": "''"}, "id: `id` is empty; write one"),
    ({"title": "' '"}, "title: `title` is empty; write one"),
    ({"message": "{zh: ' '}"}, "message.zh: the message is empty; say in Chinese what is not met"),
    ({"cls": "R99"}, "class: unknown class `R99`"),
    ({"cls": "r67"}, "class: unknown class `r67`; did you mean `R67`?; use R01-R88 or E01-E31"),
    ({"trigger": "{}"}, "trigger: nothing triggers the rule; name codes, prefixes, sets, names, types,"),
    ({"trigger": "{except_codes: [A]}"}, "trigger: nothing triggers the rule"),
    ({"trigger": "{codes: ['']}"}, "trigger.codes[0]: `` is no code; codes are letters and digits without blanks"),
    ({"trigger": "{codes: ['A\tB', C]}"}, "trigger.codes[0]: `A"),
    ({"trigger": "{names: [阿帕他胺, 片]}"}, "trigger.names[1]: term `片` is shorter than 2 characters"),
    ({"trigger": "{sets: [herbs]}"}, "trigger.sets[0]: no set `herbs` in the list"),
    ({"trigger": "{types: [drugs]}"}, "trigger.types[0]: `drugs` is no item type; did you mean `drug`?"),
    ({"trigger": "{diagnoses: [I99-I10]}"}, "trigger.diagnoses[0]: `I99-I10` runs backwards; swap its ends"),
    ({"trigger": "{operations: ['3']}"}, "trigger.operations[0]: `3` is no ICD code"),
    (
        {"valid_from": "2026-03-02", "valid_to": "2026-03-01"},
        "valid_to: ends on 2026-03-01, before it begins on 2026-03-02",
    ),
    (
        {"on_unknown": "{action: warn, ask: [line.day]}"},
        "on_unknown.ask[0]: no fact is called `line.day`; did you mean `line.days`?",
    ),
    (
        {"fund_only": "true", "message": "{zh: 禁止使用}"},
        "message.zh: `禁止` sounds like a ban, but only the fund refuses; write `医保不支付`",
    ),
    (
        {"violation": "{kind: not, of: {kind: diagnosis, terms: [糖尿病]}}", "action": "block"},
        "action: terms alone prove no absence",
    ),
    ({"violation": "{kind: not, of: {kind: diagnosis, terms: [糖尿病]}}"}, "action: terms alone prove no absence"),
    (
        {
            "violation": "{kind: all, of: [{kind: age, above: 3}, {kind: not, of: {kind: any, of: [{kind: diagnosis, "
            "terms: [糖尿病]}, {kind: diagnosis, codes: [E11]}]}}]}",
            "result": "suspicious",
            "action": "block",
        },
        "action: terms alone prove no absence; make it `result: suspicious` with `action: warn`, or give codes",
    ),
    (
        {
            "trigger": "{encounter: true}",
            "violation": "{kind: pair, main: {codes: [A]}, contained: {codes: [B]}, window: {unit: day}}",
        },
        "violation: `rank`, `overlap` and `pair` look at a trigger line; trigger the rule by items alone",
    ),
    (
        {"trigger": "{codes: [A], diagnoses: [I10]}", "scope": "{kind: not, of: {kind: overlap, lines: {}}}"},
        "scope: `rank`, `overlap` and `pair` look at a trigger line",
    ),
]


@pytest.mark.parametrize(("given", "problem"), RULES, ids=range(len(RULES)))
def test_rules_that_cannot_be_meant_are_told(given: dict[str, str], problem: str) -> None:
    """A rule that nothing triggers, ends before it begins, blocks on terms alone... is told at its place."""
    found = told(rule_yaml(**given))
    assert [row for row in found if problem in row] != [], found


GOOD = [
    {"violation": "{kind: not, of: {kind: diagnosis, terms: [糖尿病]}}", "result": "suspicious"},
    {"violation": "{kind: not, of: {kind: diagnosis, terms: [糖尿病], codes: [E10-E14]}}", "action": "block"},
    {"violation": "{kind: diagnosis, terms: [糖尿病]}", "action": "block"},
    {"violation": "{kind: not, of: {kind: not, of: {kind: diagnosis, terms: [糖尿病]}}}", "action": "block"},
    {"violation": "{kind: age, at_least: 3, at_most: 3}"},
    {"violation": "{kind: age, above: 3, below: 4}"},
    {"violation": f"{{kind: some, {LINES}, window: {{unit: days, length: 36525}}}}}}"},
    {"violation": "{kind: fact, fact: encounter.institution_level, any_of: [0, 1]}"},
    {"trigger": "{diagnoses: [I60-I69, I10], operations: ['35-37', '66.2']}"},
    {"valid_from": "2026-03-01", "valid_to": "2026-03-01"},
    {"fund_only": "false", "message": "{zh: 禁止使用}"},
]


@pytest.mark.parametrize("given", GOOD, ids=range(len(GOOD)))
def test_what_can_be_meant_passes(given: dict[str, str]) -> None:
    """The checks refuse only what they are about: the neighbours of each refused rule are fine."""
    assert told(rule_yaml(**given)) == []


def test_ids_are_unique_over_all_files(tmp_path: Path) -> None:
    """A second rule or set of the same id is told with the place of the first."""
    sets = "sets: [{set: s, codes: [A]}]\n"
    first = written(tmp_path, sets + "rules:\n" + rule_yaml(), "a.yaml")
    second = written(tmp_path, sets + "rules:\n" + rule_yaml(id="q") + rule_yaml(), "b.yaml")
    with pytest.raises(ListError) as caught:
        check(read_parsed(tmp_path))
    assert [(p.file, p.row, p.path, p.message) for p in caught.value.problems] == [
        (str(second), 1, "set", f"set `s` stands at {first}:1 already; give it another id"),
        (str(second), 10, "id", f"rule `r` stands at {first}:3 already; give it another id"),
    ]


def test_sets_hold_codes() -> None:
    """An empty set, and codes that are none, are told."""
    found = told("sets:\n- {set: a, codes: []}\n- {set: b, codes: [T1, 'T 2']}\nrules:\n" + rule_yaml())
    assert found == [
        "2: codes: set `a` is empty; give it codes or take it out",
        "3: codes[1]: `T 2` is no code; codes are letters and digits without blanks",
    ]


@pytest.mark.parametrize("text", ["", "rules: []\n", "sets: [{set: a, codes: [A]}]\n", "# nothing\n"])
def test_an_empty_list_is_refused(tmp_path: Path, text: str) -> None:
    """A list without rules would look like approval of everything."""
    with pytest.raises(ListError, match="the list is empty; give it at least one rule"):
        check(read_parsed(written(tmp_path, text)))


def test_problems_of_reading_and_of_meaning_come_together(tmp_path: Path) -> None:
    """Rules that can be read are validated even where others cannot; everything is sorted by place."""
    text = "rules:\n" + rule_yaml(cls="R99") + rule_yaml(id="s", action="stop") + rule_yaml(id="t", title="''")
    with pytest.raises(ListError) as caught:
        check(read_parsed(written(tmp_path, text)))
    assert [(p.row, p.path) for p in caught.value.problems] == [(3, "class"), (16, "action"), (19, "title")]


def test_equal_bad_conditions_are_told_for_every_rule() -> None:
    """A condition that several rules share is looked at once while it is good, and told each time when it is bad."""
    found = told(rule_yaml("{kind: all, of: [{kind: age}]}") + rule_yaml("{kind: all, of: [{kind: age}]}", id="s"))
    assert [row.partition(": no")[0] for row in found] == ["5: violation.of[0]", "12: violation.of[0]"]


def test_half_characters_are_told_and_do_not_end_the_check() -> None:
    """A lone surrogate, half of a character, cannot be written in UTF-8: as a term or a code it is refused."""
    terms = c.Diagnosis(codes=("E11",), terms=("糖\ud83d尿病",))
    assert of_rule(violation=terms) == [
        "violation.terms[0]: term `\\u7cd6\\ud83d\\u5c3f\\u75c5` cannot be written in UTF-8; write it again"
    ]
    assert "`\\ud83d` is no code" in of_rule(trigger=Trigger(codes=("\ud83d",)))[0]


def test_every_kind_is_checked_and_every_check_named() -> None:
    """Each condition kind stands in a row above or among the good ones, so that no kind goes unlooked at."""
    rows = "".join(row[0] for row in CONDITIONS) + "".join(str(row) for row in (*RULES, *GOOD))
    unseen = [kind for kind in KINDS if f"kind: {kind}" not in rows]
    assert unseen == []
    assert len({rule_check.__doc__ for rule_check in CHECKS}) == len(CHECKS)


def test_a_list_that_passes_can_be_compiled(tmp_path: Path) -> None:
    """What the checks let through, the compiler takes."""
    text = "sets: [{set: herbs, codes: [T001700688]}]\nrules:\n"
    text += "".join(rule_yaml(id=f"r{n}", **given) for n, given in enumerate(GOOD))
    assert len(compile(check(read_parsed(written(tmp_path, text)))).rules) == len(GOOD)


def test_problems_read_as_places() -> None:
    """A problem is shown as file, row, column, path and message, leaving out what is not known."""
    whole = Problem(file="a.yaml", row=3, column=5, path="violation.of", message="is empty")
    assert str(whole) == "a.yaml:3:5: violation.of: is empty"
    assert str(msgspec.structs.replace(whole, row=0, column=0, path="")) == "a.yaml: is empty"
