"""The words of a list for people who read no code: fields, kinds of conditions, keys, values. Chinese and English.

A key that stands here only by itself means the same wherever it stands; ``window.unit`` is the key ``unit`` of a
``window``. English is the key itself, without underlines, where nothing else is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from negative_list.conditions import Age, All, AtLeast, Fact, Not, Window
from negative_list.conditions import Any as AnyOf
from negative_list.dictionary import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["ACTION_MARKS", "WORDS", "phrase", "word"]

ACTION_MARKS: Mapping[str, tuple[str, str]] = {
    "block": ("拦截", "block"),
    "warn": ("警告", "warn"),
    "remind": ("提醒", "remind"),
    "pass": ("不提示", "pass"),
}
"""Actions, in Chinese and in English."""

WORDS: Mapping[str, tuple[str, str]] = {
    # fields of a rule
    "class": ("类别", "class"),
    "title": ("标题", "title"),
    "trigger": ("触发", "trigger"),
    "violation": ("违规条件", "violation"),
    "scope": ("适用范围", "scope"),
    "message": ("提示文字", "message"),
    "basis": ("依据", "basis"),
    "version": ("规则版本", "version"),
    "result": ("结论", "result"),
    "action": ("处理方式", "action"),
    "fund_only": ("仅医保不支付", "only the fund refuses"),
    "addressee": ("提示对象", "addressee"),
    "per": ("提示单位", "one finding per"),
    "valid_from": ("生效日", "first day"),
    "valid_to": ("最后有效日", "last day"),
    "on_unknown": ("信息不足时", "when undecided"),
    "amount": ("涉及金额", "amount at risk"),
    "amount_share": ("涉及金额比例", "share of the amount"),
    "reasons": ("可选理由", "reasons"),
    "suggestions": ("修改建议", "suggestions"),
    "points": ("知识点", "knowledge points"),
    "grades": ("分级", "grades"),
    "overrides": ("替代的规则", "stands in for"),
    "origin": ("来源", "origin"),
    "cases": ("案例数", "number of cases"),
    # kinds of conditions
    "all": ("同时满足", "all of"),
    "any": ("任一满足", "any of"),
    "not": ("不满足", "not"),
    "at_least.": ("至少几项满足", "at least some of"),
    "fact": ("信息", "fact"),
    "evidence": ("证据", "evidence"),
    "age": ("年龄", "age"),
    "age.year": ("年龄（周岁）", "age in years"),
    "age.month": ("年龄（月龄）", "age in months"),
    "age.day": ("年龄（日龄）", "age in days"),
    "diagnosis": ("诊断", "diagnosis"),
    "operation": ("手术", "operation"),
    "some": ("另有", "some other line"),
    "every": ("全部属于", "every line"),
    "count": ("个数", "count"),
    "sum": ("合计", "sum"),
    "days_of_use": ("使用天数", "days of use"),
    "supply_left": ("剩余可用天数", "supply left"),
    "rank": ("次序", "rank"),
    "since": ("距上次或首次使用", "time since use"),
    "elapsed": ("经过时间", "time elapsed"),
    "overlap": ("时间重叠", "overlap"),
    "pair": ("同时收费", "pair"),
    "visits": ("就诊", "visits"),
    "since_visit": ("距上次出院", "time since a visit"),
    # keys
    "above": ("大于", "above"),
    "at_least": ("不小于", "at least"),
    "below": ("小于", "below"),
    "at_most": ("不大于", "at most"),
    "items": ("项目", "items"),
    "main": ("主项", "main item"),
    "diagnosis.main": ("仅主诊断", "main diagnosis only"),
    "operation.main": ("仅主手术", "main operation only"),
    "contained": ("被包含项", "contained item"),
    "among": ("应属于", "among"),
    "codes": ("代码", "codes"),
    "prefixes": ("代码前缀", "prefixes"),
    "sets": ("代码集", "sets"),
    "names": ("名称词", "names"),
    "types": ("项目类型", "types"),
    "except_codes": ("除外代码", "excepted codes"),
    "except_names": ("除外名称", "excepted names"),
    "terms": ("词", "terms"),
    "any_of": ("取值", "values"),
    "diagnoses": ("诊断代码", "diagnoses"),
    "operations": ("手术代码", "operations"),
    "encounter": ("每次就诊", "the encounter"),
    "lines": ("明细行", "lines"),
    "window": ("时间范围", "window"),
    "unit": ("单位", "unit"),
    "length": ("长度", "length"),
    "ends": ("端点", "ends"),
    "side": ("方向", "side"),
    "whose": ("范围", "whose"),
    "state": ("状态", "state"),
    "same": ("相同", "same"),
    "different": ("不同", "different"),
    "where": ("且", "where"),
    "other_item": ("仅其他项目", "other items only"),
    "of": ("按", "of"),
    "times": ("倍数", "times"),
    "plus": ("加", "plus"),
    "by": ("按", "by"),
    "weights": ("系数", "weights"),
    "weight": ("系数", "weight"),
    "event": ("起点", "event"),
    "states": ("状态", "states"),
    "max_age_hours": ("最多几小时前", "at most hours ago"),
    "max_age_days": ("最多几天前", "at most days ago"),
    "past": ("含既往史", "past counts"),
    "stage": ("阶段", "stage"),
    "symmetric": ("互相", "symmetric"),
    "modes": ("就诊方式", "modes"),
    "ask": ("询问", "ask"),
    "zh": ("中文", "Chinese"),
    "en": ("英文", "English"),
    "text": ("文字", "text"),
    "code": ("编码", "code"),
    "when": ("当", "when"),
    "document": ("文件", "document"),
    "article": ("条款", "article"),
    # values
    "=definite": ("明确违规", "definite"),
    "=suspicious": ("可疑", "suspicious"),
    "=doctor": ("医生", "doctor"),
    "=charge_entry": ("收费录入", "charge entry"),
    "=pharmacy": ("药房", "pharmacy"),
    "=registration": ("挂号", "registration"),
    "=office": ("医保办", "office"),
    "=national": ("国家", "national"),
    "=province": ("省", "province"),
    "=city": ("市", "city"),
    "=hospital": ("本院", "hospital"),
    "=line": ("整行", "line"),
    "=excess": ("仅超出部分", "excess"),
    "=none": ("不计", "none"),
    "per=line": ("每行", "line"),
    "per=encounter": ("每次就诊", "encounter"),
    "=encounter": ("本次就诊", "encounter"),
    "=institution": ("本机构", "institution"),
    "=patient": ("该病人", "patient"),
    "=instant": ("同一时刻", "instant"),
    "=hour": ("小时", "hour"),
    "=day": ("天", "day"),
    "=month": ("月", "month"),
    "=quarter": ("季度", "quarter"),
    "=year": ("年", "year"),
    "age=year": ("周岁", "year"),
    "=insurance_year": ("医保年度", "insurance year"),
    "=hours": ("若干小时内", "hours"),
    "=days": ("若干天内", "days"),
    "=lifetime": ("终身", "lifetime"),
    "=course": ("疗程", "course"),
    "=in_use": ("使用期间", "in use"),
    "=first_use": ("自首次使用起", "first use"),
    "=last_use": ("上次使用", "last use"),
    "=closed": ("含端点", "closed"),
    "=open": ("不含端点", "open"),
    "=around": ("前后", "around"),
    "=before": ("之前", "before"),
    "=current": ("本次开立", "current"),
    "=in_force": ("已生效", "in force"),
    "=present": ("有", "present"),
    "=absent": ("没有", "absent"),
    "=too_old": ("过期", "too old"),
    "=admission": ("入院", "admission"),
    "=discharge": ("出院", "discharge"),
    "=drop": ("删除该行", "drop"),
    "=quantity": ("改数量", "quantity"),
    "=self_pay": ("改自费", "self-pay"),
    "=True": ("是", "yes"),
    "=False": ("否", "no"),
    "=None": ("未设", "none"),
    "=": ("未设", "none"),
}
"""A word of a list, in Chinese and in English; a value has ``=`` before it."""

_JOINTS: tuple[tuple[type[Struct], str, str], ...] = ((All, "且", "and"), (AnyOf, "或", "or"))
_SHOWN = 3
"""Codes, terms or parts a phrase repeats; of more it tells how many there are."""
_LONGEST = 60
"""Characters of a text a phrase repeats."""


def word(key: str, before: str = "", *, english: bool) -> str:
    """A word on the way to a change; ``before`` is the one before it. A fact is called as the dictionary calls it."""
    told = WORDS.get(f"{before}.{key}") or WORDS.get(key) or WORDS.get(f"{key}.")
    if told is not None:
        return told[english]
    if key in _facts():
        return key if english else load()[key].zh
    return key.replace("_", " ")


def phrase(value: Any, key: str = "", *, english: bool) -> str:
    """A value, a condition or a part of a rule as a text; ``key`` is where it stands."""
    if isinstance(value, Struct):
        return _record(value, english=english)
    if isinstance(value, tuple):
        return _several(value, key, english=english)
    if isinstance(value, str) and value in ACTION_MARKS and key in {"action", "on_unknown"}:
        return ACTION_MARKS[value][english]
    told = WORDS.get(f"{key}={value}") or WORDS.get(f"={value}")
    if told is not None:
        return told[english]
    if isinstance(value, str) and "." in value and value in _facts():
        return word(value, english=english)
    return _short(str(value))


def _facts() -> frozenset[str]:
    return frozenset(load())


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _several(values: tuple[Any, ...], key: str, *, english: bool) -> str:
    mark = ", " if english else "、"
    shown = mark.join(phrase(value, key, english=english) for value in values[:_SHOWN])
    if len(values) <= _SHOWN:
        return shown
    return f"{shown}{mark}… ({len(values)})" if english else f"{shown}等{len(values)}个"


def _record(record: Struct, *, english: bool) -> str:
    for kind, chinese, own in _JOINTS:
        if isinstance(record, kind):
            joint = f" {own} " if english else f" {chinese} "
            parts = getattr(record, "of", ())
            return "(" + joint.join(phrase(part, english=english) for part in parts) + ")"
    if isinstance(record, Not):
        return f"{'not' if english else '非'} {phrase(record.of, english=english)}"
    tag = record.__struct_config__.tag
    name = record.fact if isinstance(record, Fact) else str(tag or "")
    inside = (", " if english else "，").join(_told(record, name, english=english))
    if not name:
        return inside
    called = word("at_least." if isinstance(record, AtLeast) else name, english=english)
    return f"{called} ({inside})" if english else f"{called}（{inside}）"


def _told(record: Struct, name: str, *, english: bool) -> Iterator[str]:
    """What a record says beyond its defaults; what its numbers are counted in comes first, always."""
    if isinstance(record, (Age, Window)):
        yield phrase(record.unit, name, english=english)
    for field in msgspec.structs.fields(record):
        value = getattr(record, field.name)
        told = isinstance(record, Fact) and field.name == "fact"
        if told or value == field.default or (isinstance(record, (Age, Window)) and field.name == "unit"):
            continue
        text = phrase(value, field.name, english=english)
        yield f"{word(field.encode_name, name, english=english)} {text}"
