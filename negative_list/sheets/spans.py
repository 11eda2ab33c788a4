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
from msgspec.structs import replace

from negative_list.conditions import Window
from negative_list.importer.ages import Ages, Bound, read_ages
from negative_list.importer.numbers import NUMBER, number
from negative_list.importer.remark import TAKEN, Reader
from negative_list.sheets.cells import CellError, folded, refusal

__all__ = [
    "AgeEnd",
    "ToldAges",
    "Unit",
    "age_form",
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
    if (window.unit, window.length) == ("hours", 1):
        base = "任意{}小时"  # 1小时 alone is the hour of the clock
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
    if not found["side"] or _is_bare(found[0]):
        return None
    # 以上 counts the number in (Civil Code, article 1259)
    return found["side"] == "以下"


_BARE = re.compile(r"(?<!及)以下")
_MINORS = re.compile(r"18周?岁\s*以下")


def _is_bare(text: str) -> bool:
    """Whether a text has a 以下 that does not say if its number is meant.

    The law counts the number in (Civil Code, article 1259), remarks of payers leave it out ("5至12岁以下"); only
    18岁以下 is in use for one thing alone, minors.
    """
    return "含" not in text and bool(_BARE.search(_MINORS.sub("", text)))


def resolved(end: AgeEnd, *, unit: Unit | None, included: bool | None, low: bool) -> Bound:
    """An end with what other columns say of it. Raises ``CellError`` where unit or end stay unsaid."""
    column = "age_low" if low else "age_high"
    unit = end.unit or unit
    if unit is None:
        raise refusal(f"年龄 `{end.value}` 没有单位 (no unit); 请写明岁、个月或天 (write 岁, 个月 or 天)", column)
    if end.open is not None and included is not None and end.open is included:
        raise _said_both_ways(column)
    opened = end.open if end.open is not None else None if included is None else not included
    if opened is None and not low:
        raise _end_unsaid(f"{end.value}{_UNIT_WORDS[unit]}", column)
    return _likely(Bound(value=end.value, unit=unit, open=bool(opened)), column)


def _end_unsaid(age: str, column: str) -> CellError:
    message = f"没有说明含不含 `{age}` (is the end included); 请写成 <{age} 或 ≤{age}，或填 含上限 (write < or ≤)"
    return refusal(message, column)


def _said_both_ways(column: str) -> CellError:
    other = "含下限" if column == "age_low" else "含上限"
    return refusal(f"与“{other}”所填相反 (the columns disagree on the end); 请改正其一 (mend one of them)", column)


_OLDEST: Mapping[str, int] = {"year": 130, "month": 130 * 12, "day": 130 * 366}


def _likely(bound: Bound, column: str) -> Bound:
    if bound.value > _OLDEST[bound.unit]:
        age = f"{bound.value}{_UNIT_WORDS[bound.unit]}"
        raise refusal(f"没有 `{age}` 的患者 (nobody is so old); 请核对数字和单位 (check number and unit)", column)
    return bound


_UNIT_WORDS: Mapping[str, str] = {"year": "岁", "month": "个月", "day": "天"}


def written_bound(bound: Bound, *, low: bool) -> str:
    """An end as a cell that says everything."""
    sign = (">" if bound.open else "≥") if low else ("<" if bound.open else "≤")
    return f"{sign}{bound.value}{_UNIT_WORDS[bound.unit]}"


_PARTICLES = re.compile(f"[{TAKEN}\\s,;。、()]|仅?限|患者|病人|使用|人群|的|年龄|者|专用|禁用|慎用|参保人")


class ToldAges(Struct, frozen=True, kw_only=True):
    """A range of ages in words.

    ``bare``: its upper end does not say whether it includes its number. ``told``: the words say of an end whether it
    does. ``form`` is whether the words speak of those who may (``only``) or may not (``not``), where they do.
    """

    text: str
    ages: Ages
    bare: bool
    told: bool
    form: str | None

    def resolved(self, low_included: bool | None, high_included: bool | None) -> Ages:
        """The range, with what other columns say of its ends. Raises ``CellError`` where that stays unsaid."""
        if self.bare and high_included is None:
            raise _end_unsaid(written_bound(self.ages.high, low=False)[1:] if self.ages.high else "", "age_text")
        ends = [(self.ages.low, low_included), (self.ages.high, high_included)]
        low, high = (self._end(end, included) for end, included in ends)
        return Ages(low=low, high=high)

    def _end(self, end: Bound | None, included: bool | None) -> Bound | None:
        if end is None or included is None:
            return end and _likely(end, "age_text")
        if self.told and end.open is included:
            raise _said_both_ways("age_high")
        return _likely(replace(end, open=not included), "age_text")


_TOLD_END = re.compile(r"含|[≤≥<>]|及以|未满|不满|小于|大于|超过|以内")
_ELDERLY = re.compile("老[年人]|高龄")


def read_age_text(text: str, unit: str = "") -> ToldAges:
    """Ages in words: ``3岁以上``, ``3-12岁``, ``儿童``; every word of the cell has to be understood.

    ``unit`` is the word of the heading (年龄（岁）) for numbers that have none.
    """
    told = folded(text)
    if unit and not re.search("[岁月天日周]", told):
        told = re.sub(r"(\d+)", rf"\1{unit}", told)
    if _ELDERLY.search(told):
        raise refusal(f"`{text}` 没有统一的年龄 (no age is set for it); 请写明，如 ≥60岁 (write the age)")
    reader = Reader(f"{told}患者")  # months and days are an age only where somebody follows
    ages = read_ages(reader)
    rest = _PARTICLES.sub("", reader.text)
    if ages is None or rest:
        raise refusal(f"`{text}` 不是年龄范围 (no range of ages); 请写成 3岁以上、<18岁、3-12岁 (write it like these)")
    return ToldAges(text=text, ages=ages, bare=_is_bare(told), told=bool(_TOLD_END.search(told)), form=age_form(told))


_FORMS: tuple[tuple[str, str], ...] = (("not", "禁|忌|慎用|不得|不宜|不适用"), ("only", "限(?!制)|专用|适用|可用"))


def age_form(text: str) -> str | None:
    """Whether words speak of those who may (``only``) or those who may not (``not``); ``None`` for neither."""
    return next((form for form, words in _FORMS if re.search(words, text)), None)
