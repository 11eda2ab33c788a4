"""A rule's conditions as sentences, and what each part answered."""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from negative_list import conditions as c
from negative_list.compile import CompiledList
from negative_list.compile import compile as compiled
from negative_list.engine import match
from negative_list.prescription import Encounter, Line, Patient, Prescription
from negative_list.rules import RuleList
from negative_list.walk import children_of
from reminder.office.tree import Part, parts_of, walked
from reminder.office.words import fact_text, label, sentence, trigger_text, value_text
from tests.cases.stories import shipped_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reminder.office.words import Language

AT = datetime(2026, 11, 20, 10)


def conditions() -> Iterator[c.Condition]:
    """Every condition of the shipped rules, inside others too."""
    waiting = [one for rule in shipped_rules().rules for one in (rule.scope, rule.violation) if one is not None]
    while waiting:
        condition = waiting.pop()
        yield condition
        waiting.extend(children_of(condition))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_condition_of_the_shipped_list_reads_as_a_sentence(language: Language) -> None:
    """All kinds are there, none leaves a blank to fill in or a word of the program."""
    told = {type(condition): sentence(condition, language) for condition in conditions()}
    assert [text for text in told.values() if not text or re.search(r"None|\{|\bself\b|Decimal", text)] == []
    if language == "en":
        assert [text for text in told.values() if text.startswith(("以下", "距", "年龄"))] == []


def test_every_kind_of_condition_has_its_words() -> None:
    """A kind that is new in the vocabulary has to be given a sentence."""
    shipped = {type(condition) for condition in conditions()}
    others = (c.Overlap(lines=c.Lines()),)
    assert set(c.Condition.__args__) == shipped | {type(condition) for condition in others}
    assert [sentence(condition, "zh") for condition in others] == ["时段与另一行重叠 [本次就诊，任何项目]"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_what_triggers_a_rule_is_said(language: Language) -> None:
    """Codes, names, types, diagnoses or the encounter: never nothing."""
    assert [rule.id for rule in shipped_rules().rules if not trigger_text(rule.trigger, language)] == []


@cache
def qualification() -> CompiledList:
    """The rule about suspended doctors alone."""
    rule = next(rule for rule in shipped_rules().rules if rule.id == "class-E30-doctor")
    return compiled(RuleList(rules=(msgspec.structs.replace(rule, cases=()),)))


def parts(facts: dict[str, Any] | None = None, language: Language = "zh") -> list[Part]:
    """The parts of that rule for a line of a suspended doctor."""
    line = Line(
        id="L1",
        encounter_id="V1",
        begins=AT,
        facts={"line.doctor_state": "suspended", "line.item_type": "drug"},
        sources={"line.doctor_state": "points ledger"},
    )
    encounter = Encounter(id="V1", lines=(line,), facts=facts or {})
    matched = match(qualification(), Prescription(encounter=encounter, patient=Patient(id="P1")), AT)
    rule = qualification().rules[0].rule
    top = walked(rule, matched.check, qualification().binder, matched.check.encounter.lines[0], language)
    return [part for one in top for part in parts_of(one)]


def test_each_part_says_what_it_answered_and_on_what() -> None:
    """A true leaf names the fact with its value and source, a false one too."""
    by_text = {part.text: part for part in parts({"encounter.rescue": False, "encounter.visit_mode": "inpatient"})}
    state = next(part for text, part in by_text.items() if "line.doctor_state" in text)
    assert (state.holds, state.facts[0].value, state.facts[0].source) == (True, "suspended", "points ledger")
    rescue = next(part for text, part in by_text.items() if "encounter.rescue" in text)
    assert (rescue.holds, rescue.facts[0].value) == (False, False)


def test_an_unknown_part_says_what_it_needs() -> None:
    """Nobody told whether it is a rescue: the part is unknown, and so is what holds it."""
    told = parts({"encounter.visit_mode": "inpatient"})
    unknown = [part for part in told if part.holds is None]
    assert [part.kind for part in unknown] == ["all", "not", "fact"]
    assert unknown[-1].needs == ("encounter.rescue",)


def test_a_value_reads_as_the_dictionary_says() -> None:
    """Chinese by the dictionary's words, English by the canonical ones."""
    seen = next(part.facts[0] for part in parts() if part.facts)
    assert fact_text(seen, "zh") == "医保支付资格状态（line.doctor_state） = 暂停"
    assert fact_text(seen, "en") == "line.doctor_state = suspended"
    assert value_text("encounter.rescue", value=True, language="zh") == "是"
    assert label("history", "en") == "history"
