"""Validation: what a well-formed list says that cannot be meant, one row for each check."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from negative_list import conditions as c
from negative_list.compile import canonical_lines, compile
from negative_list.errors import ListError, Problem
from negative_list.parse import Parsed, Place, read_parsed
from negative_list.rules import RuleList, Trigger
from negative_list.validate import check, validate
from tests.negative_list.builders import rule, rule_yaml, told, written

if TYPE_CHECKING:
    from pathlib import Path

LINES = "lines: {items: {codes: [A]}"


def of_rule(**given: Any) -> list[str]:
    """What is wrong with a rule made in code: path and message of each problem."""
    place = Place(file="list", locate=lambda _path: (1, 1))
    parsed = Parsed(rules=RuleList(rules=(rule(**given),)), rule_places=(place,), set_places=(), problems=())
    return [f"{problem.path}: {problem.message}" for problem in validate(parsed)]


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
        {"reasons": "[{code: a, text: {zh: 甲}, fact: encounter.diagnoses}, {code: a, text: {zh: 乙}}]"},
        "reasons[1].code: reason `a` stands twice; give it another code",
    ),
    ({"reasons": "[{code: ' ', text: {zh: 甲}}]"}, "reasons[0].code: `code` is empty; write one"),
    (
        {"reasons": "[{code: a, text: {zh: 甲}, fact: encounter.albumin}]"},
        "reasons[0].fact: no fact is called `encounter.albumin`; did you mean `encounter.albumin_g_l`?",
    ),
    (
        {"reasons": "[{code: a, text: {zh: 甲}, fact: line.code}]"},
        "reasons[0].fact: `line.code` is a record, no fact to compare",
    ),
    (
        {"reasons": "[{code: a, text: {zh: 甲}, fact: patient.name}]"},
        "reasons[0].fact: `patient.name` is private, and nothing private is looked up; name another fact or none",
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
    (
        {
            "trigger": "{encounter: true}",
            "grades": "[{when: {kind: rank, lines: {}, above: 1}, action: block}]",
        },
        "grades[0].when: `rank`, `overlap` and `pair` look at a trigger line",
    ),
    ({"grades": "[{when: {kind: age}, action: block}]"}, "grades[0].when: no bound is given"),
    (
        {"grades": "[{when: {kind: age, above: 3}, action: warn, message: {zh: ' '}}]"},
        "grades[0].message.zh: the message is empty",
    ),
    (
        {"fund_only": "true", "grades": "[{when: {kind: age, above: 3}, action: warn, message: {zh: 禁止使用}}]"},
        "grades[0].message.zh: `禁止` sounds like a ban",
    ),
    (
        {
            "violation": "{kind: not, of: {kind: diagnosis, terms: [糖尿病]}}",
            "result": "suspicious",
            "grades": "[{when: {kind: age, above: 3}, action: block}]",
        },
        "action: terms alone prove no absence",
    ),
    ({"amount_share": "0"}, "amount_share: `0` is no share; write more than 0 and at most 1"),
    ({"amount_share": "1.5"}, "amount_share: `1.5` is no share"),
    ({"amount_share": ".nan"}, "amount_share: `NaN` is no share"),
    ({"overrides": "[s]"}, "overrides[0]: no rule `s` in the list"),
    ({"overrides": "[r]"}, "overrides[0]: `r` and `r` stand in for each other; take one of the overrides out"),
    ({"trigger": "{codes: [A], except_names: [片]}"}, "trigger.except_names[0]: term `片` is shorter"),
    ({"cases": "[{kind: violating, change: request.at}]"}, "cases[0].request: the first case is made from no other"),
    (
        {"cases": "[{kind: violating, request: {}}, {kind: conforming}]"},
        "cases[1].change: the case asks nothing; give it a `request`, or a `change` of the case before it",
    ),
    (
        {"cases": "[{kind: violating, request: {}, change: request.at}]"},
        "cases[0].change: a case has a `request` of its own or changes the one before it; take one out",
    ),
    ({"cases": "[{kind: violating, request: {}, to: 3}]"}, "cases[0].to: a case has a `request` of its own"),
    (
        {"cases": "[{kind: violating, request: {}}, {kind: unknown, change: patient.sex}]"},
        "cases[1].change: `patient.sex` is no field of a case; write a path like `request.patient.sex`",
    ),
    (
        {"cases": "[{kind: violating, request: {}}, {kind: unknown, change: request.at, history: {complete: true}}]"},
        "cases[1].history: a derived case takes over what it is made from",
    ),
    ({"cases": "[{kind: near_miss, request: {}}]"}, "cases[0].expect: a near miss says what is expected"),
    (
        {"cases": "[{kind: violating, request: {}, expect: found}]"},
        "cases[0].expect: `violating` says what is expected; take it out, or make it a `near_miss`",
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
    {"violation": "{kind: age, above: {fact: line.days}, at_most: 3}"},
    {"violation": "{kind: evidence, fact: line.approval, states: [absent, too_old], max_age_days: 0}"},
    {"violation": f"{{kind: supply_left, {LINES}, window: {{unit: in_use}}}}, above: 3}}"},
    {"violation": f"{{kind: count, {LINES}}}, by: line.tooth, above: {{fact: encounter.stay_days, plus: 1}}}}"},
    {"violation": "{kind: visits, visits: {where: {kind: age, above: 3}, same: [encounter.ward]}, above: 1}"},
    {"violation": "{kind: since_visit, visits: {window: {unit: days, length: 9, whose: patient}}, at_most: 9}"},
    {"trigger": "{encounter: true}", "violation": f"{{kind: supply_left, {LINES}}}, above: 3}}"},
    {"amount_share": "0.5", "grades": "[{when: {kind: age, above: 3}, action: block}]", "origin": "province"},
    {
        "cases": "[{kind: violating, request: {}, history: {complete: true}}, {kind: unknown, change: "
        "'request.encounter.lines[0].facts.line.days', to: null}, {kind: near_miss, change: "
        "'facts[0].value', to: 3, "
        "expect: silent}]"
    },
]


@pytest.mark.parametrize("given", GOOD, ids=range(len(GOOD)))
def test_what_can_be_meant_passes(given: dict[str, str]) -> None:
    """The checks refuse only what they are about: the neighbours of each refused rule are fine."""
    assert told(rule_yaml(**given)) == []


def test_sets_are_used_for_what_they_hold() -> None:
    """A set of diagnoses serves diagnoses and no items, and a set of operations no diagnoses."""
    sets = (
        "sets: [{set: d, codes: [C00-C97, I63]}, {set: o, codes: ['35-37']}, {set: i, codes: [T001700688]}]\nrules:\n"
    )
    coded, items = "{{kind: diagnosis, sets: [{}]}}, {{kind: operation, sets: [{}]}}", "{{items: {{sets: [{}]}}}}"
    whole = f"{{{{kind: all, of: [{coded}, {{{{kind: some, lines: {items}}}}}]}}}}"
    good, bad = whole.format(*"doi"), whole.format(*"oid")
    assert told(sets + rule_yaml(good)) == []
    assert [row.partition(";")[0] for row in told(sets + rule_yaml(bad))] == [
        "7: violation.of[0].sets[0]: set `o` is used for diagnoses, but `35-37` is a code of operations",
        "7: violation.of[1].sets[0]: set `i` is used for operations, but `T001700688` is a code of items",
        "7: violation.of[2].lines.items.sets[0]: set `d` is used for items, but `C00-C97` is a code of diagnoses",
    ]


def test_overrides_run_in_no_circle() -> None:
    """A rule may stand in for one that stands in for another, and the last may not stand in for the first."""
    line, circle = (
        rule_yaml(id="a", overrides="[b]") + rule_yaml(id="b", overrides="[c]") + rule_yaml(id="c", overrides=last)
        for last in ("[]", "[a]")
    )
    assert told(line) == []
    assert [row.partition(": ")[2] for row in told(circle)] == [
        f"overrides[0]: `{one}` and `{other}` stand in for each other; take one of the overrides out"
        for one, other in (("a", "b"), ("b", "c"), ("c", "a"))
    ]


def test_limits_that_are_no_numbers_are_told_at_reading(tmp_path: Path) -> None:
    """A limit is a number or says how it is worked out; both are told with their own keys."""
    texts = ("above: three", "above: {fakt: line.days}", "above: {fact: line.days, times: much}", "above: [3]")
    text = "".join(rule_yaml(f"{{kind: age, {limit}}}", id=f"r{k}") for k, limit in enumerate(texts))
    problems = read_parsed(written(tmp_path, text)).problems
    assert [(p.path, p.message) for p in problems] == [
        ("violation.above", "invalid decimal string, got `three`"),
        ("violation.above.fakt", "unknown key `fakt`; did you mean `fact`?"),
        ("violation.above.times", "invalid decimal string, got `much`"),
        ("violation.above", "expected `decimal`, got `array`, got `[3]`"),
    ]


def test_fractions_are_read_exactly(tmp_path: Path) -> None:
    """Numbers with a point become exact decimals, in limits that are worked out and in weights too."""
    text = rule_yaml(
        "{kind: sum, lines: {}, above: {fact: line.days, times: 1.1, plus: 0.30}, weights: [{items: {}, weight: 0.7}]}",
        amount_share="0.5",
    )
    made = read_parsed(written(tmp_path, text)).rules.rules[0]
    assert made.amount_share == Decimal("0.5")
    assert made.violation == c.Sum(
        lines=c.Lines(),
        above=c.Formula(fact="line.days", times=Decimal("1.1"), plus=Decimal("0.3")),
        weights=(c.Weight(items=c.Items(), weight=Decimal("0.7")),),
    )


def test_requests_of_cases_are_read_as_a_caller_sends_them(tmp_path: Path) -> None:
    """Days and times YAML would make of texts stay texts, so that a list says the same in YAML and in JSON."""
    text = rule_yaml(cases="[{kind: violating, request: {at: 2026-03-15, lines: [2026-03-15 10:30:00]}}]")
    parsed = read_parsed(written(tmp_path, text))
    assert parsed.rules.rules[0].cases[0].request == {"at": "2026-03-15", "lines": ["2026-03-15 10:30:00"]}
    again = read_parsed(written(tmp_path, b"".join(canonical_lines(parsed.rules)), "again.jsonl"))
    assert again.rules == parsed.rules


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
