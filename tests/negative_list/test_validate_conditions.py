"""Validation of conditions: what cannot be meant, one row for each check."""

from __future__ import annotations

import pytest

from negative_list.schema import KINDS
from negative_list.validate import CHECKS
from tests.negative_list.builders import rule_yaml, told
from tests.negative_list.test_validate import GOOD, LINES, RULES

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
    ("{kind: fact, fact: line.days}", "violation: give one of `any_of`, `terms` or bounds"),
    ("{kind: fact, fact: line.days, any_of: [1], above: 3}", "violation: give one of `any_of`, `terms` or bounds"),
    ("{kind: fact, fact: line.remark, any_of: [a], terms: [住院]}", "violation: give one of `any_of`, `terms` or"),
    ("{kind: fact, fact: line.days, terms: [住院]}", "violation.terms: `line.days` is a integer, no text to look for"),
    ("{kind: fact, fact: line.remark, terms: [住]}", "violation.terms[0]: term `住` is shorter than 2 characters"),
    ("{kind: fact, fact: line.code, any_of: [X1]}", "violation.fact: `line.code` is a record, no fact to compare; use"),
    (
        "{kind: some, lines: {same: [line.code]}}",
        "violation.lines.same[0]: `line.code` is a record, no fact to compare; use `line.generic`",
    ),
    ("{kind: some, lines: {different: [line.name]}}", "violation.lines.different[0]: `line.name` is a record"),
    ("{kind: count, lines: {}, by: line.begins, above: 1}", "violation.by: `line.begins` is a record, no fact"),
    ("{kind: evidence, fact: line.name}", "violation.fact: `line.name` is a record, no fact to compare"),
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
    ("{kind: diagnosis}", "violation: give codes, sets or terms"),
    ("{kind: operation, main: true}", "violation: give codes, sets or terms"),
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
    ("{kind: at_least, of: [], count: 1}", "violation.of: `of` is empty; give it at least one condition"),
    (
        "{kind: at_least, count: 3, of: [{kind: age, above: 3}, {kind: age, above: 9}]}",
        "violation.count: `3` of 2 conditions; write 1 to 2",
    ),
    ("{kind: at_least, count: 0, of: [{kind: age, above: 3}]}", "violation.count: `0` of 1 conditions; write 1 to 1"),
    ("{kind: at_least, count: 1, of: [{kind: age}]}", "violation.of[0]: no bound is given"),
    ("{kind: evidence, fact: line.aproval}", "violation.fact: no fact is called `line.aproval`"),
    ("{kind: evidence, fact: line.approval, states: []}", "violation.states: no state is named"),
    (
        "{kind: evidence, fact: line.approval, states: [too_old]}",
        "violation.states: nothing is too old without an age; give `max_age_hours` or `max_age_days`",
    ),
    (
        "{kind: evidence, fact: line.approval, states: [absent], max_age_days: 3}",
        "violation.max_age_days: what is absent has no age",
    ),
    (
        "{kind: evidence, fact: line.approval, max_age_hours: -1}",
        "violation.max_age_hours: `-1` is no age; write 0 or more",
    ),
    (
        "{kind: age, above: {fact: line.days, lines: {}}}",
        "violation.above: a limit is worked out from one thing; give either `fact` or `lines`",
    ),
    ("{kind: age, above: {times: 2}}", "violation.above: a limit is worked out from one thing"),
    ("{kind: age, above: {fact: line.dais}}", "violation.above.fact: no fact is called `line.dais`"),
    ("{kind: age, above: {fact: patient.sex}}", "violation.above.fact: `patient.sex` is a word, no number"),
    (
        "{kind: age, at_most: {fact: line.days, times: 0}}",
        "violation.at_most.times: `0` turns the limit round or makes it nothing; write more than 0",
    ),
    ("{kind: age, at_most: {fact: line.days, times: .inf}}", "violation.at_most.times: `Infinity` is no limit"),
    ("{kind: age, at_most: {fact: line.days, plus: .nan}}", "violation.at_most.plus: `NaN` is no limit"),
    (
        "{kind: age, above: {lines: {items: {sets: [x]}}, of: line.unit}}",
        "violation.above.of: `line.unit` is no number of a line",
    ),
    (
        "{kind: age, above: {lines: {items: {sets: [x]}}}}",
        "violation.above.lines.items.sets[0]: no set `x` in the list",
    ),
    (
        "{kind: age, above: {lines: {where: {kind: age}}}}",
        "violation.above.lines.where: no bound is given",
    ),
    (f"{{kind: some, {LINES}, different: [patient.sex]}}}}", "different[0]: `patient.sex` is no fact of a line"),
    (
        f"{{kind: some, {LINES}, same: [line.rx_no], different: [line.rx_no]}}}}",
        "violation.lines.different[0]: `line.rx_no` cannot be the same and different; take one out",
    ),
    (
        f"{{kind: some, {LINES}, window: {{unit: first_use}}}}}}",
        "violation.lines.window.length: a window of `first_use` needs a `length` of at least 1",
    ),
    (
        f"{{kind: some, {LINES}, window: {{unit: in_use, length: -1}}}}}}",
        "violation.lines.window.length: a window of `in_use` has a `length` of at least 0",
    ),
    (f"{{kind: some, {LINES}, window: {{unit: in_use, ends: open}}}}}}", "of at least 1 with `ends: open`"),
    (
        f"{{kind: some, {LINES}, window: {{unit: insurance_year, length: 1}}}}}}",
        "a window of `insurance_year` has no length",
    ),
    (
        f"{{kind: some, {LINES}, window: {{unit: encounter, whose: institution}}}}}}",
        "the window is one encounter; take `whose: institution` out",
    ),
    ("{kind: some, lines: {items: {except_names: [片]}}}", "violation.lines.items.except_names[0]: term `片`"),
    (f"{{kind: count, {LINES}}}, by: lines, above: 1}}", "violation.by: no fact is called `lines`"),
    (
        f"{{kind: count, {LINES}}}, by: encounter.ward, above: 1}}",
        "violation.by: `encounter.ward` is no fact of a line; only line facts can be counted, or `line`, `item` and",
    ),
    (
        f"{{kind: sum, {LINES}}}, above: 1, weights: [{{items: {{codes: [A]}}, weight: -0.5}}]}}",
        "violation.weights[0].weight: `-0.5` takes away from the sum; write 0 or more",
    ),
    (
        f"{{kind: sum, {LINES}}}, above: 1, weights: [{{items: {{codes: ['']}}, weight: .nan}}]}}",
        "violation.weights[0].weight: `NaN` is no limit",
    ),
    (
        f"{{kind: sum, {LINES}}}, above: 1, weights: [{{items: {{codes: ['']}}, weight: 1}}]}}",
        "violation.weights[0].items.codes[0]: `` is no code",
    ),
    (f"{{kind: supply_left, {LINES}}}}}", "violation: no bound is given"),
    (f"{{kind: rank, {LINES}}}, of: line.unit, above: 1}}", "violation.of: `line.unit` is no number of a line"),
    ("{kind: visits, visits: {}}", "violation: no bound is given"),
    (
        "{kind: visits, visits: {modes: [inpatients]}, above: 1}",
        "violation.visits.modes[0]: `inpatients` is no visit mode; did you mean `inpatient`?; use ",
    ),
    (
        "{kind: since_visit, visits: {window: {unit: in_use, whose: patient}}, below: 1}",
        "violation.visits.window.unit: encounters lie in no window of `in_use`; use `days`, a calendar unit or",
    ),
    (
        "{kind: since_visit, visits: {window: {unit: days, length: 15}}, below: 1}",
        "violation.visits.window.whose: other encounters are not the current one's; write `whose: patient` or",
    ),
    (
        "{kind: since_visit, visits: {window: {unit: days, whose: patient}}, below: 1}",
        "violation.visits.window.length: a window of `days` needs a `length` of at least 1",
    ),
    (
        "{kind: since_visit, visits: {same: [encounter.wart]}, below: 1}",
        "violation.visits.same[0]: no fact is called `encounter.wart`",
    ),
    (
        "{kind: since_visit, visits: {different: [line.days]}, below: 1}",
        "violation.visits.different[0]: `line.days` is no fact of an encounter",
    ),
    (
        "{kind: since_visit, visits: {where: {kind: not, of: {kind: fact, fact: line.days, above: 1}}}, below: 1}",
        "violation.visits.where: of another encounter only facts, ages, diagnoses and operations are known",
    ),
    (
        "{kind: since_visit, visits: {where: {kind: some, lines: {}}}, below: 1}",
        "violation.visits.where: of another encounter only facts",
    ),
    ("{kind: since_visit, visits: {where: {kind: age}}, below: 1}", "violation.visits.where: no bound is given"),
    (
        "{kind: diagnosis, sets: [herbs]}",
        "violation.sets[0]: set `herbs` is used for diagnoses, but `T001700688` is a code of items; make it a set of",
    ),
    ("{kind: operation, sets: [gone]}", "violation.sets[0]: no set `gone` in the list"),
]


@pytest.mark.parametrize(("violation", "problem"), CONDITIONS, ids=range(len(CONDITIONS)))
def test_conditions_that_cannot_be_meant_are_told(violation: str, problem: str) -> None:
    """A condition that contradicts itself, limits nothing or names something unknown is told at its place."""
    found = told("sets: [{set: herbs, codes: [T001700688]}]\nrules:\n" + rule_yaml(violation))
    assert found != []
    assert [row for row in found if problem in row] != [], found
    assert {row.partition(":")[0] for row in found} == {"7"}


def test_every_kind_is_checked_and_every_check_named() -> None:
    """Each condition kind stands in a row above or among the good ones, so that no kind goes unlooked at."""
    rows = "".join(row[0] for row in CONDITIONS) + "".join(str(row) for row in (*RULES, *GOOD))
    unseen = [kind for kind in KINDS if f"kind: {kind}" not in rows]
    assert unseen == []
    assert len({rule_check.__doc__ for rule_check in CHECKS}) == len(CHECKS)
