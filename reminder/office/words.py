"""A rule's conditions as sentences people read, Chinese or English: what each kind asks, without what it answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from negative_list import conditions as c
from negative_list.dictionary import load
from negative_list.messages import WORDS

if TYPE_CHECKING:
    from negative_list.decision import FactSeen
    from negative_list.rules import Trigger
    from negative_list.selection import Items, Window

__all__ = ["Language", "fact_text", "label", "sentence", "trigger_text", "value_text"]

Language: TypeAlias = Literal["zh", "en"]
"""Which language a text is in."""

_Pair: TypeAlias = "tuple[str, str]"
_MOST = 6
"""Codes or terms written out; a rule may have thousands."""

_NAMES: Mapping[str, _Pair] = {
    "history": ("既往用药与就诊记录", "history"),
    "patient.age": ("年龄", "age"),
    "encounter.evidence_age": ("距检查的时间", "age of the evidence"),
    "encounter.total": ("合计", "total"),
    "encounter.days_of_use": ("使用天数", "days of use"),
    "encounter.visits": ("就诊次数", "visits"),
    "encounter.days_since_visit": ("距上次出院天数", "days since the last discharge"),
}
_UNITS: Mapping[str, _Pair] = {
    "instant": ("同一时刻", "the same instant"),
    "hour": ("同一小时", "the same hour"),
    "day": ("同一天", "the same day"),
    "month": ("同一月", "the same month"),
    "quarter": ("同一季度", "the same quarter"),
    "year": ("同一年", "the same year"),
    "insurance_year": ("同一医保年度", "the same insurance year"),
    "hours": ("{}小时内", "within {} hours"),
    "days": ("{}天内", "within {} days"),
    "encounter": ("本次就诊", "this encounter"),
    "lifetime": ("终身", "the whole life"),
    "course": ("本疗程（间断不超过{}天）", "this course (pauses of at most {} days)"),
    "in_use": ("同时在用", "in use together"),
    "first_use": ("首次使用起{}天", "the first {} days of use"),
}
_WHOSE: Mapping[str, _Pair] = {
    "encounter": ("", ""),
    "institution": ("（该患者在本院的全部记录）", " (the patient's in this institution)"),
    "patient": ("（该患者在各院的全部记录）", " (the patient's anywhere)"),
}
_BOUNDS: tuple[tuple[str, str], ...] = (("above", ">"), ("at_least", "≥"), ("below", "<"), ("at_most", "≤"))
_STATES: Mapping[str, _Pair] = {
    "present": ("有效", "present"),
    "absent": ("无", "absent"),
    "too_old": ("已过期", "too old"),
}
_AGES: Mapping[str, _Pair] = {"year": ("岁", "years"), "month": ("月龄", "months"), "day": ("日龄", "days")}
_LENGTHS: Mapping[str, _Pair] = {"day": ("天", "days"), "hour": ("小时", "hours")}
_COUNTED: Mapping[str, _Pair] = {"line": ("行数", "lines"), "item": ("项目数", "items"), "day": ("天数", "days")}


def _in(pair: _Pair, language: Language) -> str:
    return pair[language == "en"]


def _joined(words: Iterable[object], language: Language, most: int = _MOST) -> str:
    """Words in a row, the first few of many, and how many there are."""
    told = [str(word) for word in words]
    shown = ("、" if language == "zh" else ", ").join(told[:most])
    if len(told) <= most:
        return shown
    return shown + (f" 等{len(told)}个" if language == "zh" else f" and others, {len(told)} in all")


def label(name: str, language: Language) -> str:
    """What people call a fact: the dictionary's Chinese name with the name itself, or the name alone in English."""
    if name in _NAMES:
        return _in(_NAMES[name], language)
    return f"{load()[name].zh}（{name}）" if language == "zh" and name in load() else name


def value_text(name: str, value: object, language: Language) -> str:
    """A fact's value, by the dictionary's word where it has one."""
    if value is None:
        return "未知" if language == "zh" else "unknown"
    if isinstance(value, bool):
        return ("是" if value else "否") if language == "zh" else ("yes" if value else "no")
    if isinstance(value, (tuple, list)):
        return _joined((value_text(name, one, language) for one in value), language, most=20)
    if isinstance(value, (date, datetime, Decimal)):
        return str(value)
    words = load()[name].words if name in load() else {}
    return words.get(str(value), str(value)) if language == "zh" else str(value)


def fact_text(seen: FactSeen, language: Language) -> str:
    """A fact that was seen: what, of what, and its value with unit."""
    unit = WORDS[language].units.get(seen.unit, seen.unit)
    told = f"{value_text(seen.fact, seen.value, language)}{' ' if unit and language == 'en' else ''}{unit}"
    return f"{label(seen.fact, language)} = {told}"


def sentence(condition: c.Condition, language: Language) -> str:
    """What a condition asks; of one that holds others only how they are joined."""
    return _SAID[type(condition)](condition, language)


def trigger_text(trigger: Trigger, language: Language) -> str:
    """What makes a rule look at a prescription."""
    zh = language == "zh"
    if trigger.encounter:
        return "本次就诊" if zh else "the encounter"
    told = _items(trigger, language)
    ways = (("诊断 ", "diagnosis ", trigger.diagnoses), ("手术操作 ", "operation ", trigger.operations))
    coded = [f"{name_zh if zh else name_en}{_joined(codes, language)}" for name_zh, name_en, codes in ways if codes]
    return ("；" if zh else "; ").join([*([] if coded else [told]), *coded])


# -- parts of sentences


def _items(items: Items, language: Language) -> str:
    zh = language == "zh"
    ways = (
        ("编码 ", "code ", items.codes),
        ("编码前缀 ", "code prefix ", items.prefixes),
        ("集合 ", "set ", items.sets),
        ("名称含 ", "name with ", items.names),
        ("类别 ", "type ", [value_text("line.item_type", kind, language) for kind in items.types]),
        ("不含 ", "but not ", (*items.except_codes, *items.except_names)),
    )
    told = [f"{word_zh if zh else word_en}{_joined(words, language)}" for word_zh, word_en, words in ways if words]
    return ("；" if zh else "; ").join(told) or ("任何项目" if zh else "any item")


def _window(window: Window, language: Language) -> str:
    length = "" if window.length is None else str(window.length)
    before = {"zh": "（仅此前）", "en": ", before only"}[language] if window.side == "before" else ""
    opened = {"zh": "（不含端点）", "en": ", ends left out"}[language] if window.ends == "open" else ""
    return _in(_UNITS[window.unit], language).format(length) + opened + before + _in(_WHOSE[window.whose], language)


def _lines(lines: c.Lines, language: Language) -> str:
    zh = language == "zh"
    told = [_window(lines.window, language), _items(lines.items, language)]
    if lines.state != "any":
        told.append({"current": ("本次开立", "written now"), "in_force": ("已在执行", "in force")}[lines.state][not zh])
    for word, names in (("相同", lines.same), ("不同", lines.different)):
        if names:
            shown = _joined((label(name, language) for name in names), language)
            told.append(f"{shown}{word}" if zh else f"{'same' if word == '相同' else 'different'} {shown}")
    if lines.where is not None:
        told.append(("且" if zh else "where ") + _whole(lines.where, language))
    return ("，" if zh else ", ").join(told)


def _limit(limit: c.Limit, language: Language) -> str:
    if not isinstance(limit, c.Formula):
        return f"{limit:f}"
    base = label(limit.fact, language) if limit.lines is None else f"Σ {label(limit.of, language)}"
    inner = f"({base} + {limit.plus:f})" if limit.plus else base
    return inner if limit.times == 1 else f"{limit.times:f} × {inner}"


def _bounds(condition: c.Bounds, language: Language) -> str:
    told = ((sign, getattr(condition, name)) for name, sign in _BOUNDS)
    return " ".join(f"{sign} {_limit(limit, language)}" for sign, limit in told if limit is not None)


def _visits(visits: c.Visits, language: Language) -> str:
    modes = _joined((value_text("encounter.visit_mode", mode, language) for mode in visits.modes), language)
    where = f"，且{_whole(visits.where, language)}" if visits.where is not None else ""
    if language == "zh":
        return f"{_window(visits.window, language)}的{modes or '其他'}就诊{where}"
    return f"{modes or 'other'} encounters, {_window(visits.window, language)}{where.replace('，且', ', where ')}"


def _whole(condition: c.Condition, language: Language) -> str:
    """A condition with all that is inside it, on one line: for conditions inside a selection."""
    zh = language == "zh"
    if isinstance(condition, c.Not):
        return f"{'非' if zh else 'not '}({_whole(condition.of, language)})"
    if isinstance(condition, (c.All, c.Any, c.AtLeast)):
        joint = (" 且 " if zh else " and ") if isinstance(condition, c.All) else (" 或 " if zh else " or ")
        inside = joint.join(_whole(part, language) for part in condition.of)
        return f"{sentence(condition, language)} ({inside})" if isinstance(condition, c.AtLeast) else f"({inside})"
    return sentence(condition, language)


# -- sentences, one for each kind


def _fact(condition: c.Fact, language: Language) -> str:
    zh, told = language == "zh", []
    if condition.any_of:
        values = (value_text(condition.fact, value, language) for value in condition.any_of)
        told.append((" 为 " if zh else " is ") + (" / ").join(values))
    if condition.terms:
        told.append((" 含 " if zh else " holds ") + _joined(condition.terms, language))
    if bounds := _bounds(condition, language):
        told.append(" " + bounds)
    return label(condition.fact, language) + "".join(told)


def _evidence(condition: c.Evidence, language: Language) -> str:
    states = " / ".join(_in(_STATES[state], language) for state in condition.states)
    ages = ((condition.max_age_hours, "hour"), (condition.max_age_days, "day"))
    within = " ".join(f"≤ {most} {_in(_LENGTHS[unit], language)}" for most, unit in ages if most is not None)
    told = f"{label(condition.fact, language)}: {states}"
    return f"{told} ({within})" if within else told


def _age(condition: c.Age, language: Language) -> str:
    bounds = _bounds(condition, language)
    return f"{_in(('年龄', 'age'), language)} {bounds} {_in(_AGES[condition.unit], language)}"


def _coded(name: _Pair) -> Callable[[Any, Language], str]:
    def said(condition: c.Diagnosis | c.Operation, language: Language) -> str:
        zh = language == "zh"
        codes = (*condition.codes, *condition.sets)
        ways = [_joined(codes, language)] if codes else []
        if condition.terms:
            ways.append(("名称含 " if zh else "named ") + _joined(condition.terms, language))
        main = ("主要" if zh else "main ") if condition.main else ""
        return f"{main}{_in(name, language)}{'为 ' if zh else ' is '}{(' 或' if zh else ' or ').join(ways)}"

    return said


def _number(zh: str, en: str) -> Callable[[Any, Language], str]:
    """A number of gathered lines within bounds."""

    def said(condition: Any, language: Language) -> str:
        words = (zh if language == "zh" else en).format(**_told_of(condition, language))
        unit = _in(_LENGTHS[condition.unit], language) if hasattr(condition, "unit") else ""
        return f"{words} {_bounds(condition, language)}{unit and ' ' + unit} [{_lines(condition.lines, language)}]"

    return said


def _told_of(condition: Any, language: Language) -> dict[str, str]:
    """What a number is made of: the fact that is summed, what is counted, which use."""
    of, by = getattr(condition, "of", "") or "line.quantity", getattr(condition, "by", "line")
    event = ("首次", "first") if getattr(condition, "event", "") == "first_use" else ("上次", "last")
    counted = _in(_COUNTED[by], language) if by in _COUNTED else label(by, language)
    return {"of": label(of, language), "by": counted, "event": _in(event, language)}


def _every(condition: c.Every, language: Language) -> str:
    among, lines = _items(condition.among, language), _lines(condition.lines, language)
    return f"所有行均为 {among} [{lines}]" if language == "zh" else f"every line is {among} [{lines}]"


def _elapsed(condition: c.Elapsed, language: Language) -> str:
    words = _in(("距 {}", "time since {}"), language).format(label(condition.fact, language))
    return f"{words} {_bounds(condition, language)} {_in(_LENGTHS[condition.unit], language)}"


def _pair(condition: c.Pair, language: Language) -> str:
    main, contained = _items(condition.main, language), _items(condition.contained, language)
    window = _window(condition.window, language)
    if language == "zh":
        return f"{window}内 {contained} 与 {main} 同时收取"
    return f"{contained} billed with {main}, {window}"


def _since_visit(condition: c.SinceVisit, language: Language) -> str:
    words = _in(("距上次出院天数", "days since the last discharge"), language)
    return f"{words} {_bounds(condition, language)} [{_visits(condition.visits, language)}]"


def _visit_count(condition: c.VisitCount, language: Language) -> str:
    words = _in(("就诊次数", "visits"), language)
    return f"{words} {_bounds(condition, language)} [{_visits(condition.visits, language)}]"


def _plain(zh: str, en: str) -> Callable[[Any, Language], str]:
    return lambda condition, language: _in((zh, en), language).format(n=getattr(condition, "count", ""))


def _of_lines(zh: str, en: str) -> Callable[[Any, Language], str]:
    return lambda condition, language: f"{_in((zh, en), language)} [{_lines(condition.lines, language)}]"


_SAID: Mapping[type, Callable[[Any, Language], str]] = {
    c.All: _plain("以下各项均成立", "all of these"),
    c.Any: _plain("以下任一项成立", "any of these"),
    c.Not: _plain("以下不成立", "not this"),
    c.AtLeast: _plain("以下至少{n}项成立", "at least {n} of these"),
    c.Fact: _fact,
    c.Evidence: _evidence,
    c.Age: _age,
    c.Diagnosis: _coded(("诊断", "diagnosis")),
    c.Operation: _coded(("手术操作", "operation")),
    c.Some: _of_lines("另有记录", "there is another line"),
    c.Every: _every,
    c.Count: _number("{by}", "number of {by}"),
    c.Sum: _number("{of}合计", "sum of {of}"),
    c.DaysOfUse: _number("使用天数", "days of use"),
    c.SupplyLeft: _number("剩余供药天数", "days of supply left"),
    c.Rank: _number("次序", "place"),
    c.Since: _number("距{event}使用", "time since the {event} use"),
    c.Elapsed: _elapsed,
    c.Overlap: _of_lines("时段与另一行重叠", "overlaps another line"),
    c.Pair: _pair,
    c.VisitCount: _visit_count,
    c.SinceVisit: _since_visit,
}
