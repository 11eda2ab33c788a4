"""Ages as remarks write them: bounds with their ends, and words for people of an age.

Chinese usage of the ends: 以上 includes the number (Civil Code, article 1259); payers and labels write 12岁及以下 or
12岁(含)以下 where they mean to include it and bare 以下 where they do not ("5至12岁以下" is 5 up to, not with, the
twelfth birthday), so a bare 以下 leaves it out. Bare ranges ("3-12岁") include both ends, in completed years.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import reduce
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from negative_list.conditions import Age, All, Condition
from negative_list.importer.numbers import NUMBER, number

if TYPE_CHECKING:
    from negative_list.importer.remark import Reader

__all__ = ["ADULT_FROM_YEARS", "CHILD_BELOW_YEARS", "Ages", "Bound", "child", "hull", "newborn", "read_ages"]

CHILD_BELOW_YEARS = 18
"""A child has not completed this many years: the Law on the Protection of Minors, article 2.

The classes say only "the local child limit" and payers set 14, 16 or 18; the highest one is ours, because with a
lower one a rule would refuse a patient whom some payer still accepts.
"""

ADULT_FROM_YEARS = 18
"""An adult has completed this many years: Civil Code, article 17."""

Unit: TypeAlias = Literal["year", "month", "day"]

_DAYS = {"year": 365.25, "month": 30.4375, "day": 1.0}


class Bound(Struct, frozen=True, kw_only=True):
    """One end of a range of ages; ``open`` leaves the value itself out."""

    value: int
    unit: Unit = "year"
    open: bool = False


class Ages(Struct, frozen=True, kw_only=True):
    """Ages from ``low`` to ``high``; ``None`` is without limit."""

    low: Bound | None = None
    high: Bound | None = None

    def meet(self, other: Ages) -> Ages:
        """The ages that are in both."""
        lows = [b for b in (self.low, other.low) if b]
        highs = [b for b in (self.high, other.high) if b]
        return Ages(low=max(lows, key=_floor, default=None), high=min(highs, key=_ceiling, default=None))

    def narrowed(self, other: Ages | None) -> Ages:
        """The ages in both; where there are none, the words did not mean to narrow, and the ages stay as they are."""
        both = self.meet(other) if other else self
        return self if both.empty else both

    def join(self, other: Ages) -> Ages:
        """The smallest range that holds both."""
        low = min(self.low, other.low, key=_floor) if self.low and other.low else None
        high = max(self.high, other.high, key=_ceiling) if self.high and other.high else None
        return Ages(low=low, high=high)

    @property
    def empty(self) -> bool:
        """Whether no age is in the range."""
        return bool(self.low and self.high) and _floor(self.low) >= _ceiling(self.high)  # type: ignore[arg-type]

    def condition(self) -> Condition:
        """The condition that the patient's age is in the range."""
        low, high = self.low, self.high
        if low and high and low.unit == high.unit:
            return Age(unit=low.unit, **_at(low, "above", "at_least"), **_at(high, "below", "at_most"))
        ends: list[Condition] = []
        if low:
            ends.append(Age(unit=low.unit, **_at(low, "above", "at_least")))
        if high:
            ends.append(Age(unit=high.unit, **_at(high, "below", "at_most")))
        return ends[0] if len(ends) == 1 else All(of=tuple(ends))

    def parameters(self) -> dict[str, object]:
        """The range in one unit, the finer one where the ends have different units."""
        unit = min((b.unit for b in (self.low, self.high) if b), key=lambda u: _DAYS[u])
        low = _in_unit(self.low, unit, last=False) if self.low else None
        high = _in_unit(self.high, unit, last=True) if self.high else None
        return {
            "min": low.value if low else None,
            "max": high.value if high else None,
            "unit": unit,
            "min_open": bool(low and low.open),
            "max_open": bool(high and high.open),
        }


def _at(bound: Bound, opened: str, closed: str) -> dict[str, Decimal]:
    return {opened if bound.open else closed: Decimal(bound.value)}


def _floor(bound: Bound) -> float:
    """First age, in days, that a lower bound lets in: completed units, so an open one starts a unit later."""
    return (bound.value + bound.open) * _DAYS[bound.unit]


def _ceiling(bound: Bound) -> float:
    """First age, in days, that an upper bound no longer lets in."""
    return (bound.value + (not bound.open)) * _DAYS[bound.unit]


def _in_unit(bound: Bound, unit: Unit, *, last: bool) -> Bound:
    """The same end in a finer unit: twelve years are still complete in the 155th month."""
    if bound.unit == unit:
        return bound
    step = 12 if (bound.unit, unit) == ("year", "month") else round(_DAYS[bound.unit] / _DAYS[unit])
    if last:
        return Bound(value=(bound.value + (not bound.open)) * step, unit=unit, open=True)
    return Bound(value=(bound.value + bound.open) * step, unit=unit)


def _years(low: int | None, high: int | None) -> Ages:
    return Ages(
        low=None if low is None else Bound(value=low), high=None if high is None else Bound(value=high, open=True)
    )


_PEOPLE: tuple[tuple[str, Ages], ...] = (
    ("新生儿|新生婴儿", Ages(high=Bound(value=28, unit="day"))),
    # born early or small: said of infants
    ("早产婴?儿|低(?:出生)?体重儿|足月儿", _years(None, 1)),
    ("婴幼儿", _years(None, 3)),
    ("婴儿|乳儿|乳婴儿?", _years(None, 1)),
    ("幼儿", _years(1, 3)),
    ("学龄前(?:儿童|期?小儿)", _years(None, 7)),
    # adolescence begins at 10 (WHO) and ends with childhood
    ("青少年", _years(10, CHILD_BELOW_YEARS)),
    ("儿童|小儿|患儿|少儿|未成年人?|儿科", _years(None, CHILD_BELOW_YEARS)),
    ("成年人?|成人", _years(ADULT_FROM_YEARS, None)),
    # old: Law on the Protection of the Rights and Interests of the Elderly, article 2
    ("老年人?(?![性痴斑])", _years(60, None)),
)
_PERSON = re.compile("|".join(f"(?P<p{n}>{words})" for n, (words, _) in enumerate(_PEOPLE)))
_YOUNG = re.compile("[婴幼]|新生|早产|小儿|儿童|患儿")

_UNIT = r"周?岁半|周?岁龄?|个?月龄|个月|月|周龄|日龄|天龄|天|日"
_N = rf"(?:{NUMBER})"
_RANGE = re.compile(
    rf"(?P<ge>≥|>|大于|年满|满)?(?P<low>{_N})(?P<lu>{_UNIT})?(?:\((?P<lin>不?含)\))?(?:-|至|到|~)"
    rf"(?P<lt>≤|<|小于|不满|未满)?(?P<high>{_N})(?P<hu>{_UNIT})(?:\((?P<hin>不?含)[^()]*\))?"
    rf"(?P<below>(?:\(?[及含或](?:{_N}(?:{_UNIT}))?\)?)?(?:以下|以内|之内))?"
)
_INCLUDED = rf"(?P<excl>\(不含(?:本数)?\))?(?P<incl>\(?(?:及|或|含|包含|包括)(?:其|{_N}(?:{_UNIT}))?\)?)?"
_AFTER = r"(?:\((?P<post>不含|含|包含|包括)[^()]*\))?"
_ABOVE = re.compile(
    rf"(?P<low>{_N})(?P<lu>{_UNIT}){_INCLUDED}(?:以上|以后|起){_AFTER}"
    rf"|(?P<sign>≥|>|大于等于|(?<![不未])大于|(?<![不未])超过|不小于|不低于|年满|(?<![未不])满)(?P<low2>{_N})(?P<lu2>{_UNIT})(?:以上)?"
)
_BELOW = re.compile(
    rf"(?P<high>{_N})(?P<hu>{_UNIT}){_INCLUDED}(?P<word>以下|以内|之内|以前){_AFTER}"
    rf"|(?P<sign>≤|<|小于等于|(?<!不)小于|不超过|不大于|(?<!不)低于|未满|不满)(?P<high2>{_N})(?P<hu2>{_UNIT})(?:以下)?"
    rf"|(?:出生|生)后?(?P<high3>{_N})(?P<hu3>{_UNIT})(?:以|之)?内"
)
_LASTING = re.compile(
    r"(?:治疗|放疗|接受|病程|持续|用药|使用|发病|连续|化疗|疗程|随访|期间|之?后|间隔|累计|支付|住院|至少|最[多长])[^,;。]{0,4}$"
)
_SOMEBODY = re.compile(r"^[^,;。]{0,14}?(?:儿|婴|患者|人群|者|人)")
_JOINED = re.compile(r"(?:的|患者|病人|人群|且?体重[^,;。]{0,10}的?|年龄|阶段|期|\(|\)|,)*")
_LISTING = re.compile(r"[,;。]|(?:和|及|、|或|与|以及)$")
_LISTED = re.compile(r"[^,;。]{0,4}(?:(?:和|、|或|与)[^,;。]{0,2}|以?及[^,;。]{0,6})")


class _Found(Struct, frozen=True, kw_only=True):
    """An age read at ``start`` up to ``end``: a bound, or a ``word`` for people."""

    start: int
    end: int
    ages: Ages
    word: str = ""


def child() -> Ages:
    """The ages of a child."""
    return _years(None, CHILD_BELOW_YEARS)


def newborn() -> Ages:
    """The ages of a newborn: up to and with the 28th day of life (WHO; national health statistics)."""
    return Ages(high=Bound(value=28, unit="day"))


def read_ages(reader: Reader) -> Ages | None:
    """Take every age out of a text: the range that holds them all, ``None`` where there is no limit.

    A bound beside a word narrows it ("3岁及以上儿童", "成人(≥18周岁)"); what is listed is joined ("成人和6岁以上儿童").
    """
    found = sorted(_find(reader), key=lambda f: f.start)
    groups = list(_grouped(reader, found))
    for item in found:
        reader.take(item.start, item.end)
    joined = reduce(Ages.join, groups) if groups else Ages()
    return joined if joined.low or joined.high else None


def _find(reader: Reader) -> Iterator[_Found]:
    seen = reader.part(0, len(reader.text))
    for pattern, read in ((_RANGE, _range), (_ABOVE, _above), (_BELOW, _below)):
        for match in pattern.finditer(seen.text):
            ages = read(match)
            if _is_age(seen.text, match, ages):
                seen.take(*match.span())
                yield _Found(start=match.start(), end=match.end(), ages=ages)
    for match in _PERSON.finditer(seen.text):
        n = int((match.lastgroup or "p0")[1:])
        yield _Found(start=match.start(), end=match.end(), ages=_PEOPLE[n][1], word=match.group())


def _is_age(text: str, match: re.Match[str], ages: Ages) -> bool:
    """Years and words with 龄 are ages; months and days only where somebody of that age follows, or a stay of years."""
    if re.search("[岁龄生]", match.group()):
        return True
    before, after = text[: match.start()], text[match.end() :]
    return not _LASTING.search(before) and bool(_SOMEBODY.match(after)) and not ages.empty


def _unit(text: str) -> tuple[Unit, int]:
    if "岁" in text:
        return "year", 1
    if "周" in text:
        return "day", 7
    return ("month", 1) if "月" in text else ("day", 1)


def _bound(value: str, unit: str, *, opened: bool) -> Bound:
    """A bound; a half year becomes six months, 1岁半 eighteen."""
    name, step = _unit(unit)
    amount = number(value) * step + (0.5 if unit.endswith("半") else 0)
    if amount != int(amount) and name == "year":
        return Bound(value=round(amount * 12), unit="month", open=opened)
    return Bound(value=int(amount), unit=name, open=opened)


def _range(match: re.Match[str]) -> Ages:
    low_open = match["ge"] in (">", "大于") or match["lin"] == "不含"
    included = bool(match["below"] and re.match(r"\(?[及含或]", match["below"]))
    high_open = (
        match["lt"] in ("<", "小于", "不满", "未满")
        or match["hin"] == "不含"
        or bool(match["below"] and not included and "下" in match["below"])
    )
    return Ages(
        low=_bound(match["low"], match["lu"] or match["hu"], opened=low_open),
        high=_bound(match["high"], match["hu"], opened=high_open),
    )


def _above(match: re.Match[str]) -> Ages:
    if match["sign"]:
        opened = match["sign"] in (">", "大于", "超过")
        return Ages(low=_bound(match["low2"], match["lu2"], opened=opened))
    return Ages(low=_bound(match["low"], match["lu"], opened=bool(match["excl"]) or match["post"] == "不含"))


def _below(match: re.Match[str]) -> Ages:
    if match["sign"]:
        opened = match["sign"] not in ("≤", "小于等于", "不超过", "不大于")
        return Ages(high=_bound(match["high2"], match["hu2"], opened=opened))
    if match["high3"]:
        return Ages(high=_bound(match["high3"], match["hu3"], opened=False))
    included = match["incl"] or match["post"] in ("含", "包含", "包括")
    opened = not included and match["word"] in ("以下", "以前")
    return Ages(high=_bound(match["high"], match["hu"], opened=opened))


def _grouped(reader: Reader, found: list[_Found]) -> Iterator[Ages]:
    """Ages of one group of people as one range each.

    A bound and the word beside it are one group, and so is what stands in one phrase without being listed
    ("3岁及以上伴有症状的…儿童患者"); what is listed, or stands in another clause, begins a new one.
    """
    group: Ages | None = None
    previous: _Found | None = None
    for item in found:
        between = reader.text[previous.end : item.start] if previous else ""
        if group is not None and previous and _one_group(group, previous, item, between):
            group = group.meet(item.ages)
        else:
            if group is not None:
                yield group
            group = _inherited(group, previous, item, between)
        previous = item
    if group is not None:
        yield group


def _one_group(group: Ages, previous: _Found, item: _Found, between: str) -> bool:
    if group.meet(item.ages).empty:
        return False
    if not (group.high or item.ages.low or item.word or previous.word):
        return True  # "2岁以上、12岁以下": two ends of one range
    if previous.word and item.word:
        return False  # "儿童青少年": two groups of people
    beside = bool(previous.word) != bool(item.word) and _JOINED.fullmatch(between)
    phrase = not _LISTED.fullmatch(between) and not _LISTING.search(between)
    return bool(beside) or phrase


def _inherited(group: Ages | None, previous: _Found | None, item: _Found, between: str) -> Ages:
    """Children too are meant from one month on in "1月以上婴儿和儿童"."""
    young = previous is not None and _YOUNG.search(previous.word) and _YOUNG.search(item.word)
    if young and group and group.low and not item.ages.low and _LISTED.fullmatch(between):
        return Ages(low=group.low, high=item.ages.high)
    return item.ages


def hull(ranges: Iterable[Ages | None]) -> Ages | None:
    """The smallest range that holds every one, ``None`` where one of them is without limit."""
    listed = list(ranges)
    if not listed or any(r is None for r in listed):
        return None
    joined = reduce(Ages.join, (r for r in listed if r))
    return joined if joined.low or joined.high else None
