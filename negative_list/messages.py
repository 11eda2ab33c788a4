"""Texts for people: what a doctor or a cashier reads of a finding. Chinese first, English by switch.

A text begins 【拦截】, 【警告】 or 【提醒】 with the item and what to do, within :data:`HEAD_LENGTH` characters; then
why, the amount, and the way out. Where only the fund refuses it says 医保不支付 and never sounds like a ban.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from negative_list.dictionary import load
from negative_list.rules import Action

if TYPE_CHECKING:
    from negative_list.decision import FactSeen, Finding, Suggestion
    from negative_list.rules import Rule

__all__ = ["HEAD_LENGTH", "Language", "Words", "message_of", "suggestion_text", "yuan"]

HEAD_LENGTH = 40
"""Characters of the head: what fits one line of an old HIS's message box (design section 5)."""

SHOWN_FACTS = 3
"""Facts named in a text; more are in the finding itself."""

_PART_OF: Mapping[str, str] = {"encounter.days_of_use": "line.days", "encounter.total": "line.quantity"}
# What is told of all lines together stands for what is told of the one.

_PSEUDO_LABELS: Mapping[str, tuple[str, str]] = {
    "history": ("既往用药与就诊记录", "history"),
    "patient.age": ("年龄", "age"),
}

Language: TypeAlias = Literal["zh", "en"]
"""The language of a text."""
"""A language texts are written in."""


class Words(Struct, frozen=True, kw_only=True):
    """The fixed words of one language."""

    marks: Mapping[Action, str]
    to_do: Mapping[str, str]
    colon: str
    comma: str
    stop: str
    others: str
    undecided: str
    amount: str
    seen: str
    between: str
    ways: str
    suggestions: Mapping[str, str]
    units: Mapping[str, str]
    encounter: str


WORDS: Mapping[Language, Words] = {
    "zh": Words(
        marks={"block": "【拦截】", "warn": "【警告】", "remind": "【提醒】", "pass": ""},
        to_do={
            "ask": "请补充{needs}",
            "fund": "医保不支付，请改自费或删除",
            "exited": "已紧急放行，请补充理由或改方",
            "block": "不符合规定，请删除或修改",
            "warn": "请核对后修改或说明理由",
            "remind": "请留意",
            "quantity": "数量超限，请改为{value:f}",
            "days": "天数超限，请改为{value:f}天",
            "fund_remind": "医保不支付，请留意",
            "fund_quantity": "超出部分医保不支付，请改为{value:f}",
            "fund_days": "超出天数医保不支付，请改为{value:f}天",
        },
        colon="：",
        comma="，",
        stop="。",
        others="另有",
        undecided="尚不能判定是否违反：",
        amount="涉及金额{yuan}元",
        seen="（{}）",
        between="；",
        ways="可选：",
        suggestions={
            "drop": "删除{item}",
            "quantity": "{item}数量改为{value:f}",
            "days": "{item}天数改为{value:f}天",
            "self_pay": "{item}改为自费（须患者签字同意）",
        },
        units={
            "year": "岁",
            "month": "个月",
            "day": "天",
            "days": "天",
            "hours": "小时",
            "minutes": "分钟",
            "months": "个月",
            "weeks": "周",
            "times": "次",
            "visits": "次",
            "times/day": "次/日",
            "h": "小时",
            "g/24h": "克/24小时",
            "score": "分",
            "points": "分",
            "cards": "张",
            "fields": "项",
            "reminders": "条",
            "slides": "张",
            "films": "张",
            "lesions": "处",
            "doses": "剂",
            "units": "单位",
            "trimester": "期",
            "ratio": "",
            "decimal": "",
            "line": "",
            "cells/uL": "个/μL",
            "Cel": "℃",
            "% body surface": "%体表面积",
        },
        encounter="本次就诊",
    ),
    "en": Words(
        marks={"block": "[BLOCK] ", "warn": "[WARN] ", "remind": "[REMIND] ", "pass": ""},
        to_do={
            "ask": "please give {needs}",
            "fund": "not paid: self-pay/drop",
            "exited": "exit taken, say why",
            "block": "drop or change it",
            "warn": "change it or say why",
            "remind": "please note",
            "quantity": "set it to {value:f}",
            "days": "set it to {value:f} days",
            "fund_remind": "the fund won't pay",
            "fund_quantity": "the fund pays {value:f}",
            "fund_days": "the fund pays {value:f} days",
        },
        colon=": ",
        comma=", ",
        stop=". ",
        others="also",
        undecided="not known yet whether this applies: ",
        amount="amount at risk {yuan} yuan",
        seen=" ({})",
        between="; ",
        ways="ways out: ",
        suggestions={
            "drop": "drop {item}",
            "quantity": "set the quantity of {item} to {value:f}",
            "days": "set {item} to {value:f} days",
            "self_pay": "let the patient pay for {item} (with written consent)",
        },
        units={"year": "years", "month": "months", "day": "days"},
        encounter="this visit",
    ),
}


def message_of(
    finding: Finding, rule: Rule, items: Mapping[str, str], others: Sequence[Rule] = (), language: Language = "zh"
) -> str:
    """The text of a finding.

    Args:
        finding: with its action, evidence and suggestions.
        rule: the rule it is a finding of.
        items: item names by line id.
        others: rules of weaker or later findings on the same line, so that one line reads as one message.
        language: of the text.
    """
    words = WORDS[language]
    parts = [_head(finding, items, words, language), _why(finding, rule, words, language)]
    told = dict.fromkeys(_said(other, language) for other in others)
    told.pop(_said(rule, language), None)
    if told:
        parts.append(words.others + words.colon + words.between.join(told))
    if finding.amount_fen:
        parts.append(words.amount.format(yuan=yuan(finding.amount_fen)))
    if finding.suggestions:
        parts.append(words.ways + words.between.join(suggestion.text for suggestion in finding.suggestions))
    return (words.stop.join(part.rstrip("。") for part in parts) + words.stop).strip()


def _head(finding: Finding, items: Mapping[str, str], words: Words, language: Language) -> str:
    """Mark, item and what to do; the item is shortened where the head would grow too long."""
    mark, to_do = words.marks[finding.action], words.to_do[_to_do(finding)]
    value = finding.suggestions[0].value if finding.suggestions else None
    to_do = to_do.format(needs=words.comma.join(_labels(finding.needs[:1], language)), value=value)
    item = items.get(finding.lines[0], "") if finding.lines else words.encounter
    room = HEAD_LENGTH - len(mark) - len(words.colon) - len(to_do)
    shown = item if len(item) <= room else item[: max(room - 1, 1)] + "…"
    return (mark + shown + words.colon + to_do)[:HEAD_LENGTH]


def _to_do(finding: Finding) -> str:
    if finding.unknown:
        return "ask"
    if finding.exited:
        return "exited"
    fund = "fund_" if finding.fund_only else ""
    if finding.suggestions and finding.suggestions[0].kind in {"quantity", "days"}:
        return fund + finding.suggestions[0].kind
    if finding.action == "remind":
        return f"{fund}remind"
    return "fund" if finding.fund_only else finding.action


def _why(finding: Finding, rule: Rule, words: Words, language: Language) -> str:
    """The rule's own words, with the facts they were held against."""
    parts = {_PART_OF[fact.fact] for fact in finding.facts if fact.fact in _PART_OF}
    whole = (fact for fact in finding.facts if _tellable(fact) and fact.fact not in parts)
    own = (fact for fact in whole if fact.subject not in finding.involved)
    seen = list(dict.fromkeys(_shown(fact, words, language) for fact in own))[:SHOWN_FACTS]
    told = words.seen.format(words.comma.join(seen)) if seen else ""
    # What is not decided is never told as if it were so.
    return (words.undecided if finding.unknown else "") + _said(rule, language) + told


def _said(rule: Rule, language: Language) -> str:
    return rule.message.en if language == "en" and rule.message.en else rule.message.zh


def _tellable(fact: FactSeen) -> bool:
    """Facts that say something in one word; lists of diagnoses and prices are left to the finding."""
    return fact.value is not None and not isinstance(fact.value, tuple) and not fact.fact.endswith("_fen")


def _shown(fact: FactSeen, words: Words, language: Language) -> str:
    label = _labels((fact.fact,), language)[0]
    value = fact.value
    entry = load().get(fact.fact) if fact.fact in load() else None
    if isinstance(value, str) and entry is not None and language == "zh":
        value = entry.words.get(value, value)
    if isinstance(value, bool):
        value = ("是" if value else "否") if language == "zh" else ("yes" if value else "no")
    unit = words.units.get(fact.unit, fact.unit)
    return f"{label}{words.colon}{value}{' ' if unit and language == 'en' else ''}{unit}"


def _labels(names: Iterable[str], language: Language) -> list[str]:
    """What people call the facts: the dictionary's Chinese label, or the name itself in English."""
    return [_label(name, language) for name in names]


def _label(name: str, language: Language) -> str:
    if name in _PSEUDO_LABELS:
        return _PSEUDO_LABELS[name][language == "en"]
    if language == "zh" and name in load():
        return load()[name].zh
    return name.partition(".")[2].replace("_", " ") or name


def suggestion_text(suggestion: Suggestion, items: Mapping[str, str], language: Language = "zh") -> str:
    """The text of a suggestion."""
    item = "、".join(dict.fromkeys(items.get(line, line) for line in suggestion.lines))
    return WORDS[language].suggestions[suggestion.kind].format(item=item, value=suggestion.value)


def yuan(fen: int) -> str:
    """Fen as yuan with two decimals."""
    return f"{Decimal(fen) / 100:.2f}"
