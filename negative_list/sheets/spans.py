"""Windows of time and ages as cells write them, and written so that they read back as the same.

A window is a base word and, in brackets, what else is told: ``14天（不含端、跨就诊）``. Told nothing, hours and the
calendar hour and day stay in the visit and everything longer goes across visits; N days leave the end out (the 1st
and the 15th are 14 days apart), N hours count it in. An age is a number with its unit and, for an upper end, whether
the number itself is meant: "12岁" as an upper end says neither, so it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from negative_list.conditions import Window
from negative_list.importer.ages import Ages, Bound, read_ages
from negative_list.importer.numbers import NUMBER, number
from negative_list.importer.remark import TAKEN, Reader
from negative_list.sheets.cells import folded, refusal

__all__ = [
    "AgeEnd",
    "Unit",
    "high_bound",
    "low_bound",
    "read_age_text",
    "read_window",
    "resolved",
    "written_bound",
    "written_window",
]

Unit: TypeAlias = Literal["year", "month", "day"]
"""The units a sheet writes an age in."""

# -- windows

_CALENDAR: tuple[tuple[str, str, str], ...] = (
    # the word written, the unit, further words read
    ("同时", "instant", "同一时间|同一时刻|同一时间点"),
    ("同一小时", "hour", "同小时|一小时内?|1小时内?"),
    ("单日", "day", "同一?日|当[日天]|同一?天|一日|每[日天]|日|天|自然日|日历日|次/[日天]"),
    ("单月", "month", "自然月|同一?个?月|每个?月|月|次/月"),
    ("单季度", "quarter", "自然季度?|同一?季度?|每季度?|季度?"),
    ("单年", "year", "自然年|自然年度|同一?年|每年|年度?|次/年"),
    (
        "单次就诊",
        "encounter",
        "单次(?:门诊|住院)|同次就诊|同次住院|[一本同]次(?:就诊|住院)|本次就诊|住院期间|次均?|一次住院",
    ),
    ("医保年度", "insurance_year", "参保年度|保险年度"),
    ("用药期间", "in_use", "同时在用|在用期间|供药期间"),
    ("终身", "lifetime", "一生|终生|生命周期|累计"),
)
_COUNTED = re.compile(rf"(?:任意|连续|每)?(?P<n>{NUMBER})个?(?P<unit>小时|天|日|周|h)(?:以?内)?")
_COURSE = re.compile(rf"(?:同?一?个?)?疗程(?:间隔)?(?P<n>{NUMBER})[天日]")
_BRACKETS = re.compile(r"^(?P<base>[^()]*)(?:\((?P<told>[^()]*)\))?$")
_TOLD: Mapping[str, tuple[str, str]] = {
    "含端": ("ends", "closed"),
    "不含端": ("ends", "open"),
    "仅此前": ("side", "before"),
    "跨就诊": ("whose", "patient"),
    "本次就诊": ("whose", "encounter"),
    "本机构": ("whose", "institution"),
}
_WITHIN_VISIT = ("instant", "hour", "day", "hours", "encounter")


def read_window(text: str) -> Window:
    """The window a cell names; raises ``CellError`` for one that is not known."""
    found = _BRACKETS.match(folded(text))
    base = _base(found["base"].strip()) if found else None
    told = re.split("[、,;]", found["told"]) if found and found["told"] else []
    if base is None or any(word.strip() not in _TOLD for word in told):
        raise refusal(
            f"时间窗 `{text}` 无法识别 (window not known)"
            "; 可用 (use): 单日、单次就诊、同一小时、6小时、14天、单月、单年、疗程30天、终身"
        )
    whose = "encounter" if base["unit"] in _WITHIN_VISIT else "patient"
    return Window(**{"whose": whose, **base, **dict(_TOLD[word.strip()] for word in told)})  # type: ignore[arg-type]


def _base(text: str) -> dict[str, object] | None:
    for word, unit, also in _CALENDAR:
        if re.fullmatch(f"{word}内?|{also}", text):
            return {"unit": unit}
    if course := _COURSE.fullmatch(text):
        return {"unit": "course", "length": int(number(course["n"]))}
    counted = _COUNTED.fullmatch(text)
    return _counted(int(number(counted["n"])), counted["unit"]) if counted else None


def _counted(length: int, unit: str) -> dict[str, object]:
    if unit in ("小时", "h"):
        return {"unit": "hours", "length": length}
    return {"unit": "days", "length": length * (7 if unit == "周" else 1), "ends": "open"}


def written_window(window: Window) -> str:
    """A window as a cell, with everything told that a reader might take otherwise."""
    words = {unit: word for word, unit, _ in _CALENDAR}
    base = words.get(window.unit) or {"hours": "{}小时", "days": "{}天", "course": "疗程{}天"}.get(window.unit, "?")
    told = []
    if window.unit in ("hours", "days"):
        told.append("含端" if window.ends == "closed" else "不含端")
    if window.side == "before":
        told.append("仅此前")
    if window.unit != "encounter":
        told.append(next(word for word, meant in _TOLD.items() if meant == ("whose", window.whose)))
    return base.format(window.length) + (f"（{'、'.join(told)}）" if told else "")


# -- ages


class AgeEnd(Struct, frozen=True, kw_only=True):
    """One end of an age as a cell tells it; ``unit`` and ``open`` are ``None`` where it does not say."""

    value: int
    unit: Unit | None = None
    open: bool | None = None


_END = re.compile(
    r"(?P<sign>≥|>=|>|≤|<=|<|大于等于|大于|小于等于|小于|不小于|不大于|超过|不超过|未满|不满|年?满)?\s*"
    r"(?P<n>\d+)\s*(?P<unit>周?岁龄?|个?月龄?|个月|[天日]龄?|周)?\s*"
    r"(?P<told>\(?不?含\)?)?(?P<side>以上|以下|及以上|及以下|以内)?(?P<told2>\(?不?含(?:本数)?\)?)?"
)
_OPEN_SIGNS = (">", "<", "大于", "小于", "超过", "未满", "不满")


def low_bound(text: str) -> AgeEnd:
    """A lower end."""
    return _end(text, ("≥", ">=", ">", "大于等于", "大于", "不小于", "超过", "年满", "满"), ("以上", "及以上"))


def high_bound(text: str) -> AgeEnd:
    """An upper end."""
    signs = ("≤", "<=", "<", "小于等于", "小于", "不大于", "不超过", "未满", "不满")
    return _end(text, signs, ("以下", "及以下", "以内"))


def _end(text: str, signs: tuple[str, ...], sides: tuple[str, ...]) -> AgeEnd:
    found = _END.fullmatch(folded(text))
    if not found or (found["sign"] or signs[0]) not in signs or (found["side"] or sides[0]) not in sides:
        raise refusal(f"`{text}` 不是年龄 (no age); 请写成 ≥3岁、<18岁、>6个月 (write it like these)")
    unit, step = _unit(found["unit"] or "")
    return AgeEnd(value=int(found["n"]) * step, unit=unit, open=_is_open(found))


def _unit(word: str) -> tuple[Unit | None, int]:
    if "岁" in word:
        return "year", 1
    if "月" in word:
        return "month", 1
    return ("day", 7 if word == "周" else 1) if word else (None, 1)


def _is_open(found: re.Match[str]) -> bool | None:
    told = (found["told"] or found["told2"] or "").strip("()")
    if told:
        return told.startswith("不")
    if found["sign"]:
        return found["sign"] in _OPEN_SIGNS
    if found["side"]:
        # 以上 counts the number in (Civil Code, article 1259); a bare 以下 of payers does not, as in their remarks
        return found["side"] == "以下"
    return None


def resolved(end: AgeEnd, *, unit: Unit | None, included: bool | None, low: bool) -> Bound:
    """An end with what other columns say of it. Raises ``CellError`` where unit or end stay unsaid."""
    unit = end.unit or unit
    if unit is None:
        raise refusal(f"年龄 `{end.value}` 没有单位 (no unit); 请写明岁、个月或天 (write 岁, 个月 or 天)")
    opened = end.open if end.open is not None else None if included is None else not included
    if opened is None and not low:
        message = (
            f"没有说明含不含 `{end.value}` (is the end included)"
            f"; 请写成 <{end.value}岁 或 ≤{end.value}岁 (write < or ≤)"
        )
        raise refusal(message)
    return Bound(value=end.value, unit=unit, open=bool(opened))


_UNIT_WORDS = {"year": "岁", "month": "个月", "day": "天"}


def written_bound(bound: Bound, *, low: bool) -> str:
    """An end as a cell that says everything."""
    sign = (">" if bound.open else "≥") if low else ("<" if bound.open else "≤")
    return f"{sign}{bound.value}{_UNIT_WORDS[bound.unit]}"


_PARTICLES = re.compile(f"[{TAKEN}\\s,;。、()]|仅?限|患者|病人|使用|人群|的|年龄|者|专用|禁用|慎用|参保人")


def read_age_text(text: str) -> Ages:
    """Ages in words: ``3岁以上``, ``3-12岁``, ``儿童``; every word of the cell has to be understood."""
    reader = Reader(f"{text}患者")  # months and days are an age only where somebody follows
    ages = read_ages(reader)
    rest = _PARTICLES.sub("", reader.text)
    if ages is None or rest:
        raise refusal(f"`{text}` 不是年龄范围 (no range of ages); 请写成 3岁以上、<18岁、3-12岁 (write it like these)")
    return ages
