"""What people read of a finding: the head, why, the amount and the way out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from negative_list import conditions as c
from negative_list.decision import Decision, FactSeen, Suggestion
from negative_list.dictionary import load
from negative_list.messages import HEAD_LENGTH, WORDS, Language, message_of, suggestion_text, yuan
from negative_list.policy import Policy, Setting
from negative_list.rules import ACTIONS, Action, OnUnknown, Rule, Text, Trigger
from tests.negative_list.builders import ADULT, DRUG, MALE, day_limit, decided, fact, finding, line, prescription, rule

MARKS = {"block": "【拦截】", "warn": "【警告】", "remind": "【提醒】"}
LONG = "盐酸" * 40 + "片"
QUANTITY = Suggestion(kind="quantity", lines=("a",), text="改", value=Decimal(24))
DAYS = Suggestion(kind="days", lines=("a",), text="改", value=Decimal("1E+1"))


def said(language: Language = "zh", item: str = "阿帕他胺片", others: tuple[Rule, ...] = (), **fields: Any) -> str:
    """The text of a finding of the rule of :func:`tests.negative_list.builders.rule`."""
    return message_of(finding(**fields), rule(), {"a": item}, others, language)


def head_of(text: str, language: Language = "zh") -> str:
    """The first sentence."""
    return text.partition(WORDS[language].stop.strip())[0]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("action", ["block", "warn", "remind"])
@pytest.mark.parametrize("item", ["", "阿帕他胺片", LONG])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"fund_only": True},
        {"unknown": True, "needs": ("encounter.diagnoses",)},
        {"unknown": True, "needs": ("line.payment_condition_met",)},
        {"suggestions": (QUANTITY,)},
        {"suggestions": (DAYS,), "fund_only": True},
        {"lines": ()},
    ],
    ids=range(7),
)
def test_the_head_fits_one_line(language: Language, action: Action, item: str, more: dict[str, Any]) -> None:
    """A text begins with the mark, and its head of at most 40 characters names the item and what to do."""
    text = said(language, item, action=action, **more)
    head = head_of(text, language)
    assert len(head) <= HEAD_LENGTH
    assert text.startswith(MARKS[action] if language == "zh" else f"[{action.upper()}] ")
    named = ("本次就诊", "this visit")[language == "en"] if more.get("lines") == () else item[:1]
    assert named in head


def test_a_long_item_name_is_shortened_and_the_cure_is_not() -> None:
    """Where the head would grow too long the item gives way."""
    text = said(item=LONG)
    assert len(head_of(text)) == HEAD_LENGTH
    assert head_of(text).endswith("…：不符合规定，请删除或修改")


HEADS = [
    ({"action": "block"}, "不符合规定，请删除或修改"),
    ({"action": "warn"}, "请核对后修改或说明理由"),
    ({"action": "remind"}, "请留意"),
    ({"action": "block", "fund_only": True}, "医保不支付，请改自费或删除"),
    ({"action": "warn", "fund_only": True}, "医保不支付，请改自费或删除"),
    ({"action": "remind", "fund_only": True}, "医保不支付，请留意"),
    ({"suggestions": (QUANTITY,)}, "数量超限，请改为24"),
    ({"suggestions": (DAYS,)}, "天数超限，请改为10天"),
    ({"suggestions": (QUANTITY,), "fund_only": True}, "超出部分医保不支付，请改为24"),
    ({"suggestions": (DAYS,), "fund_only": True}, "超出天数医保不支付，请改为10天"),
    ({"unknown": True, "needs": ("patient.sex",), "action": "warn"}, "请补充性别"),
]


@pytest.mark.parametrize(("fields", "to_do"), HEADS, ids=range(len(HEADS)))
def test_the_head_says_what_to_do(fields: dict[str, Any], to_do: str) -> None:
    """What to do follows from the action, from who refuses, and from the first way out that was proved."""
    assert head_of(said(**fields)).endswith(f"阿帕他胺片：{to_do}")


@pytest.mark.parametrize("action", ["block", "warn", "remind"])
@pytest.mark.parametrize("suggestions", [(), ("drop",), ("quantity", "drop"), ("self_pay",)])
def test_what_only_the_fund_refuses_never_sounds_like_a_ban(action: str, suggestions: tuple[str, ...]) -> None:
    """A fund-only finding says 医保不支付, never 禁止 and nothing about rules of the art."""
    limit = rule(day_limit(2), fund_only=True, action=action, suggestions=suggestions, message=Text(zh="每日限2盒"))
    decision = decided(limit, on=prescription(line(facts={"quantity": Decimal(3)})))
    assert "医保不支付" in decision.findings[0].message
    assert "禁止" not in decision.findings[0].message
    assert "不符合规定" not in decision.findings[0].message


def test_the_whole_text_reads_in_one_order() -> None:
    """Head, why with the facts, the other rules of the line, the amount, the ways out."""
    facts = (FactSeen(fact="patient.sex", subject="patient", value="男"),)
    ways = (Suggestion(kind="drop", lines=("a",), text="删除阿帕他胺片"),)
    other = rule(id="s", message=Text(zh="限住院患者支付。", en="inpatients only"))
    text = said(facts=facts, suggestions=ways, amount_fen=123456, others=(other, other))
    assert text == (
        "【拦截】阿帕他胺片：不符合规定，请删除或修改。限女性使用（性别：男）。另有：限住院患者支付。"
        "涉及金额1234.56元。可选：删除阿帕他胺片。"
    )


def test_english_is_english() -> None:
    """By switch every fixed word is English; a rule without an English message says its own."""
    facts = (FactSeen(fact="line.days", subject="a", value=20, unit="day"),)
    text = said("en", item="aspirin", facts=facts, amount_fen=100, suggestions=(DAYS,), fund_only=True)
    assert text == (
        "[BLOCK] aspirin: the fund pays 10 days. for women only (days: 20 days). "
        "amount at risk 1.00 yuan. ways out: 改."
    )
    silent = rule(message=Text(zh="限女性使用"))
    assert "限女性使用" in message_of(finding(), silent, {"a": "x"}, (), "en")


@pytest.mark.parametrize(
    ("suggestion", "zh", "en"),
    [
        (QUANTITY, "甲数量改为24", "set the quantity of 甲 to 24"),
        (DAYS, "甲天数改为10天", "set 甲 to 10 days"),
        (Suggestion(kind="drop", lines=("a", "b", "a2"), text=""), "删除甲、乙", "drop 甲、乙"),
        (
            Suggestion(kind="self_pay", lines=("a",), text=""),
            "甲改为自费（须患者签字同意）",
            "let the patient pay for 甲 (with written consent)",
        ),
    ],
)
def test_suggestions_are_worded(suggestion: Suggestion, zh: str, en: str) -> None:
    """A suggestion names its items, each once, and its number without an exponent."""
    items = {"a": "甲", "b": "乙", "a2": "甲"}
    assert suggestion_text(suggestion, items) == zh
    assert suggestion_text(suggestion, items, "en") == en


@pytest.mark.parametrize(("fen", "text"), [(0, "0.00"), (1, "0.01"), (123456789, "1234567.89"), (-5, "-0.05")])
def test_money_is_told_in_yuan(fen: int, text: str) -> None:
    """Fen are told as yuan with two decimals, exactly."""
    assert yuan(fen) == text


def messages(decision: Decision) -> list[str]:
    """The texts of a decision's findings."""
    return [each.message for each in decision.findings]


def test_several_rules_on_one_line_read_as_one_message() -> None:
    """The strongest finding of a line also says what the line's other rules say; those keep their own texts."""
    second = rule(ADULT, id="s", class_id="R65", message=Text(zh="限儿童使用"), action="warn")
    third = rule(ADULT, id="t", class_id="R65", message=Text(zh="限新生儿使用"), action="remind")
    first_text, second_text, third_text = messages(decided(third, second, rule()))
    assert "另有：限儿童使用；限新生儿使用" in first_text
    assert first_text.startswith("【拦截】阿帕他胺片：不符合规定")
    assert "另有" not in second_text + third_text


def test_findings_of_other_lines_and_open_questions_are_not_told_as_broken_rules() -> None:
    """What another line breaks, and what is not known to be broken, does not stand under 另有."""
    asking = rule(
        fact("encounter.ward", "W1"), id="s", message=Text(zh="限病区"), on_unknown=OnUnknown(action="remind")
    )
    decision = decided(rule(), asking, on=prescription(line("a"), line("b", name="另一盒")))
    assert [each.unknown for each in decision.findings] == [False, False, True]
    assert "另有" not in "".join(messages(decision))


def test_a_finding_of_the_encounter_names_the_encounter() -> None:
    """A finding without a line is about this encounter."""
    decision = decided(rule(trigger=Trigger(encounter=True)))
    assert messages(decision)[0].startswith("【拦截】本次就诊：不符合规定，请删除或修改。")
    assert decision.findings[0].lines == ()


@pytest.mark.parametrize(
    ("name", "code", "called"),
    [("甲\r\n 乙", DRUG, "甲 乙"), ("", DRUG, DRUG), (" \n", DRUG, DRUG), ("", "", "a")],
)
def test_a_line_is_always_called_something(name: str, code: str, called: str) -> None:
    """An item's name is told on one line; without one its code stands for it, or the line's id."""
    trigger = Trigger(codes=(DRUG,), types=("drug",)) if code else Trigger(types=("drug",))
    nameless = line(code=code, name=name, facts={"item_type": "drug"})
    (found,) = decided(rule(trigger=trigger, suggestions=("drop",)), on=prescription(nameless)).findings
    assert found.message.startswith(f"【拦截】{called[:21]}")
    assert "\n" not in found.message
    assert found.suggestions[0].text == f"删除{called}"


def test_facts_of_other_lines_are_not_told_twice() -> None:
    """The text tells what they come to; what each line adds to it is in the finding."""
    limit = rule(day_limit(2), action="warn")
    twice = prescription(line(facts={"quantity": Decimal(3)}), line("b", current=False))
    (found,) = decided(limit, on=twice).findings
    assert "（累计：4）" in found.message
    assert [(seen.subject, seen.value) for seen in found.facts] == [("E", 4), ("a", Decimal(3)), ("b", Decimal(1))]


AMOUNTS = [
    ({}, {}, 1000, "涉及金额10.00元"),
    ({"amount": "none"}, {}, None, ""),
    ({}, {"amount_fen": None}, None, ""),
    ({}, {"amount_fen": 0}, 0, ""),
    ({"amount": "excess"}, {"quantity": Decimal(5)}, 600, "涉及金额6.00元"),
    ({"amount": "excess"}, {"quantity": Decimal(5), "amount_fen": None}, None, ""),
    ({"amount": "excess"}, {"quantity": Decimal(3), "amount_fen": 1001}, 334, "涉及金额3.34元"),
]


@pytest.mark.parametrize(("given", "facts", "fen", "text"), AMOUNTS, ids=range(len(AMOUNTS)))
def test_the_money_at_risk(given: dict[str, Any], facts: dict[str, Any], fen: int | None, text: str) -> None:
    """The whole line's, only what is over the limit, or none; unknown amounts are not told and never guessed."""
    limit = rule(day_limit(2), **given) if given.get("amount") == "excess" else rule(**given)
    (found,) = decided(limit, on=prescription(line(facts=facts))).findings
    assert found.amount_fen == fen
    assert ("涉及金额" in found.message) is bool(text)
    assert text in found.message


def test_the_excess_of_a_rule_broken_otherwise_is_the_whole_line() -> None:
    """Where the sum is within its limit and another branch is true, no negative amount comes out."""
    either = rule(c.Any(of=(MALE, day_limit(20))), amount="excess", suggestions=("quantity",))
    (found,) = decided(either).findings
    assert found.amount_fen == 1000
    assert found.suggestions == ()


def test_the_excess_of_a_sum_of_money_is_money() -> None:
    """A limit on the amount of a day puts at risk what is over it."""
    lines = c.Lines(window=c.Window(unit="day"))
    limit = rule(c.Sum(lines=lines, of="line.amount_fen", above=Decimal(700)), amount="excess")
    assert decided(limit).findings[0].amount_fen == 300


def test_excess_days_put_their_share_at_risk() -> None:
    """Twenty days of a drug paid for fourteen put six days of the line's amount at risk."""
    course = c.Lines(window=c.Window(unit="course", length=30))
    limit = rule(c.DaysOfUse(lines=course, above=Decimal(14)), amount="excess", class_id="R10", fund_only=True)
    (found,) = decided(limit, on=prescription(line(facts={"days": 20, "amount_fen": 2000}))).findings
    assert found.amount_fen == 600


def test_nothing_private_is_told() -> None:
    """No name, id or birth date of the patient stands in a decision, whatever the rules look at."""
    born = c.Elapsed(fact="patient.birth_date", unit="day", above=Decimal(0))
    named = c.Fact(fact="patient.name", any_of=("张三丰",))
    whole = c.All(of=(born, named, ADULT, MALE))
    body = prescription(birth=date(1979, 7, 31))
    facts = {**body.patient.facts, "patient.name": "张三丰"}
    body = msgspec.structs.replace(body, patient=msgspec.structs.replace(body.patient, id="ID7", facts=facts))
    decision = decided(rule(whole), on=body)
    raw = msgspec.json.encode(decision).decode()
    assert decision.decision == "block"
    assert [word for word in ("张三丰", "1979", "ID7") if word in raw] == []
    assert [seen.fact for seen in decision.findings[0].facts] == ["patient.age", "patient.sex"]


def test_shadowed_findings_have_no_text() -> None:
    """Every action that is shown has a mark, the others none."""
    assert [bool(WORDS["zh"].marks[action]) for action in ACTIONS] == [False, True, True, True]
    shadow = Policy(set_=(Setting(action="pass", why="w"),))
    assert decided(rule(), policy=shadow).findings == ()


def test_every_unit_that_is_a_word_is_said_in_chinese() -> None:
    """Doctors read 3张, never 3cards; symbols (mg, mmol/L, %) stay as they are."""
    units = {fact.unit for fact in load().values() if fact.unit and not fact.unit.startswith("line.")}
    symbols = {
        "%", "fen", "g", "mg", "kg", "kg/m2", "m2", "cm", "cm2", "kJ", "IU", "SD", "mmHg", "10^9/L", "mL/min/1.73m2",
        *(f"{part}/{whole}" for part in ("g", "mg", "ug", "ng", "pg", "mmol", "umol", "nmol", "U", "IU")
          for whole in ("L", "mL")),
    }  # fmt: skip
    assert units - symbols - WORDS["zh"].units.keys() == set()


@pytest.mark.parametrize(("language", "words"), [("zh", "尚不能判定是否违反："), ("en", "not known yet")])
def test_what_is_not_decided_is_not_told_as_if_it_were_so(language: Language, words: str) -> None:
    """A question carries the rule's words as what is to be judged, a finding as what is so."""
    asking = message_of(
        finding(unknown=True, action="remind", needs=("patient.sex",)), rule(MALE), {"a": "片"}, (), language
    )
    certain = message_of(finding(), rule(MALE), {"a": "片"}, (), language)
    assert (words in asking, words in certain) == (True, False)
