"""Suggestions: each was tried; here it is tried again, by hand, on what the caller would send next."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from negative_list import conditions as c
from negative_list.decide import decide
from negative_list.decision import Decision, Suggestion
from negative_list.rules import ACTIONS, OnUnknown, Rule, Trigger
from negative_list.suggest import MAX_EDITS, MAX_LINES
from tests.negative_list.builders import (
    ADULT,
    ALL_KINDS,
    AT,
    DRUG,
    OTHER,
    SERVICE,
    day_limit,
    decided,
    edited,
    fact,
    line,
    listed,
    prescription,
    rule,
)

if TYPE_CHECKING:
    from negative_list.prescription import Prescription

COURSE = c.DaysOfUse(lines=c.Lines(window=c.Window(unit="course", length=30)), above=Decimal(14))


def places(decision: Decision) -> dict[tuple[str, str], int]:
    """How strong each rule is on each line."""
    return {
        (each.rule_id, name): ACTIONS.index(each.action) for each in decision.findings for name in each.lines or ("",)
    }


def check_helps(rules: tuple[Rule, ...], body: Prescription) -> Decision:
    """The decision, once every suggestion in it was made by hand and found to help."""
    compiled = listed(*rules)
    before = decide(compiled, body, AT)
    for found in before.findings:
        for suggestion in found.suggestions:
            after = places(decide(compiled, edited(body, suggestion), AT))
            assert not any((found.rule_id, name) in after for name in found.lines)
            known = places(before)
            fresh = [level for place, level in after.items() if level > known.get(place, 0)]
            assert all(level < ACTIONS.index(found.action) for level in fresh)
    return before


def kinds(decision: Decision, place: int = 0) -> list[str]:
    """The kinds of suggestions of a finding."""
    return [suggestion.kind for suggestion in decision.findings[place].suggestions]


def test_dropping_the_line_helps_wherever_the_line_offends() -> None:
    """A line that is not there offends nothing; what the rule does not name is not suggested."""
    decision = check_helps((rule(suggestions=ALL_KINDS),), prescription())
    assert kinds(decision) == ["drop"]
    assert kinds(check_helps((rule(),), prescription())) == []


def test_paying_for_it_helps_only_where_the_fund_refuses() -> None:
    """Self-pay is a way out of fund-only rules alone; its text asks for consent."""
    fund = check_helps((rule(fund_only=True, suggestions=("self_pay", "drop")),), prescription())
    assert kinds(fund) == ["self_pay", "drop"]
    assert "须患者签字同意" in fund.findings[0].suggestions[0].text
    assert kinds(check_helps((rule(suggestions=("self_pay",)),), prescription())) == []


def test_the_quantity_is_lowered_to_the_limit() -> None:
    """Of thirty hours twenty-four are left; beside another line only the rest of the day."""
    limit = rule(day_limit(24), suggestions=ALL_KINDS, action="warn")
    thirty = line(facts={"quantity": Decimal(30)})
    (first,) = check_helps((limit,), prescription(thirty)).findings
    assert [(s.kind, s.value) for s in first.suggestions] == [("drop", None), ("quantity", Decimal(24))]
    there = line("b", current=False, facts={"quantity": Decimal("4.5")})
    (second,) = check_helps((limit,), prescription(thirty, there)).findings
    assert [(s.kind, s.value, s.lines) for s in second.suggestions if s.kind == "quantity"] == [
        ("quantity", Decimal("19.5"), ("a",)),
    ]


def test_a_quantity_of_nothing_is_not_suggested() -> None:
    """Where nothing of the line is left under the limit, only dropping helps."""
    limit = rule(day_limit(1), suggestions=("quantity", "drop"), action="warn")
    used_up = line("b", current=False)
    assert kinds(check_helps((limit,), prescription(line(), used_up))) == ["drop"]


def test_the_days_are_lowered_to_the_limit() -> None:
    """Of twenty days fourteen are left; seven before it leave seven."""
    course = rule(COURSE, suggestions=ALL_KINDS, action="warn", fund_only=True)
    (found,) = check_helps((course,), prescription(line(facts={"days": 20}))).findings
    assert [(s.kind, s.value) for s in found.suggestions] == [
        ("drop", None),
        ("days", Decimal(14)),
        ("self_pay", None),
    ]
    before = line("b", current=False, begins=AT - timedelta(days=7), facts={"days": 7})
    (found,) = check_helps((course,), prescription(line(facts={"days": 20}), before)).findings
    assert [s.value for s in found.suggestions if s.kind == "days"] == [Decimal(7)]


def test_an_edit_that_breaks_another_rule_as_strongly_is_not_suggested() -> None:
    """Dropping a line that another line needs is no way out, unless the new finding is weaker."""
    needed = rule(c.Not(of=c.Some(lines=c.Lines())), id="alone", trigger=Trigger(codes=(OTHER,)), class_id="R67")
    body = prescription(line(), line("b", OTHER))
    strict = check_helps((rule(suggestions=("drop",)), needed), body)
    assert kinds(strict) == []
    mild = msgspec.structs.replace(needed, action="warn")
    assert kinds(check_helps((rule(suggestions=("drop",)), mild), body)) == ["drop"]


def test_an_edit_that_turns_a_question_into_a_block_is_not_suggested() -> None:
    """A rule that only asked before and blocks after the edit counts as new."""
    others = c.Lines(items=c.Items(codes=(DRUG,)))
    open_before = c.All(of=(ADULT, c.Any(of=(c.Not(of=c.Some(lines=others)), fact("encounter.ward", "W1")))))
    second = rule(open_before, id="s", trigger=Trigger(codes=(OTHER,)), on_unknown=OnUnknown(action="warn"))
    body = prescription(line(), line("b", OTHER))
    decision = check_helps((rule(suggestions=("drop",)), second), body)
    assert [(each.rule_id, each.unknown) for each in decision.findings] == [("r", False), ("s", True)]
    assert kinds(decision) == []


def test_questions_get_no_suggestions() -> None:
    """An unknown finding asks; nothing is proved wrong, so nothing is to be edited."""
    asking = rule(suggestions=("drop",), on_unknown=OnUnknown(action="warn"))
    (found,) = decided(asking, on=prescription(sex=None)).findings
    assert (found.unknown, found.suggestions) == (True, ())


def test_findings_without_a_line_get_no_suggestions() -> None:
    """Nothing of an encounter is edited: no diagnosis, no patient fact."""
    (found,) = decided(rule(trigger=Trigger(encounter=True), suggestions=ALL_KINDS)).findings
    assert (found.lines, found.suggestions) == ((), ())


def test_one_finding_of_the_encounter_edits_all_its_lines() -> None:
    """A rule that finds once for an encounter is helped by dropping all its lines together."""
    per = rule(per="encounter", suggestions=("drop",))
    (found,) = check_helps((per,), prescription(line(), line("b"))).findings
    assert [suggestion.lines for suggestion in found.suggestions] == [("a", "b")]


def test_only_the_first_findings_get_suggestions() -> None:
    """More than a doctor reads is not worked out."""
    body = prescription(*(line(str(n)) for n in range(MAX_EDITS + 2)))
    told = [len(each.suggestions) for each in decided(rule(suggestions=("drop",)), on=body).findings]
    assert told == [1] * MAX_EDITS + [0, 0]


@pytest.mark.parametrize(("lines", "told"), [(MAX_LINES, ["drop"]), (MAX_LINES + 1, [])])
def test_a_settlement_is_not_edited(lines: int, told: list[str]) -> None:
    """Above so many lines nothing is tried: charges already made are not edited at settlement."""
    rest = (line(str(n), SERVICE) for n in range(lines - 1))
    assert kinds(decided(rule(suggestions=("drop",)), on=prescription(line(), *rest))) == told


def test_only_lines_are_edited() -> None:
    """The kinds of suggestions are four; none touches a code, a diagnosis or a patient fact."""
    assert set(msgspec.inspect.type_info(Suggestion).fields[0].type.values) == set(ALL_KINDS)  # type: ignore[attr-defined]
