"""Classes judged by what else is on the bill: pairs, quantities, periods, groups of operations, herbs, internet."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from negative_list.conditions import All, Count, Every, Items, Lines, Pair, Rank, Sum, Window
from negative_list.importer.limits import MODES, Cap, read_cap
from negative_list.importer.made import Made, Part, items_of, refused
from negative_list.importer.numbers import NUMBER, number
from negative_list.importer.parts import flagged, words
from negative_list.importer.remark import Reader
from negative_list.importer.singles import period_part
from negative_list.rules import OnUnknown, Text
from negative_list.text import normalise

if TYPE_CHECKING:
    from negative_list.importer.points import Point

__all__ = [
    "alone_part",
    "discount_part",
    "make_frequency",
    "make_internet",
    "make_never",
    "make_pair",
    "make_period",
]

_WINDOWS: tuple[tuple[str, Window, str], ...] = (
    # the published column, the window, how a message says it
    (r"单日|同一?日|当[日天]|同一?天|一日|每日", Window(unit="day"), "同一日"),
    (
        r"单次(?:就诊|住院)|同次(?:就诊|住院)|(?:一|本|同一)次(?:就诊|住院)|单次住院期间",
        Window(unit="encounter"),
        "同次就诊",
    ),
    (r"同一?(?:个)?小时(?:内)?", Window(unit="hour"), "同一小时"),
    (r"同一?时[间刻]|同时", Window(unit="instant"), "同一时间"),
    (r"单月|同月|自然月|同一?个?月", Window(unit="month"), "同一月"),
    (r"单年|自然年|同一?年", Window(unit="year"), "同一年"),
)
_LENGTH = re.compile(rf"(?P<n>{NUMBER})个?(?P<unit>小时|天|日)(?:以?内)?")

_PER_DAY = ("日", "天", "床日", "次", "小时", "h", "人次", "次/日", "次/天", "小时/日")
_PERIODS = {"周": 7, "星期": 7}
_PERIOD_UNITS = {"月": Window(unit="month"), "年": Window(unit="year"), "季度": Window(unit="quarter")}


def make_never(point: Point, class_id: str) -> Made:
    """The item is never payable, whatever stands beside it."""
    violation = Count(lines=Lines(items=items_of(point)), by="line", above=Decimal(0))
    message = Text(zh="单方、复方均不予支付的饮片", en="never payable, alone or in a formula")
    return Made(parts=(Part(class_id=class_id, violation=violation, message=message),))


def make_internet(_point: Point, class_id: str) -> Made:
    """Narcotic and psychotropic drugs must not be prescribed online."""
    message = Text(zh="互联网诊疗不得开具麻醉药品、精神药品", en="not to be prescribed online")
    allowed = [mode for mode in MODES if mode != "internet"]
    own = Part(class_id=class_id, violation=words("encounter.visit_mode", "internet"), message=message)
    return Made(parts=(own,), parameters={"visit_modes": allowed})


def make_pair(point: Point, class_id: str) -> Made:
    """Two items of which the first contains the others: they are not billed together inside the window.

    Without a window the point needs review: taken for the whole stay, a pair of one hour would refuse lawful charges.
    """
    if len(point.med_codes) <= 1:
        return refused("a pair needs the code of the main item and of the contained one")
    if "×" in point.item_name and point.item_name.count("×") != 1:
        return refused("which of more than two items contains which is not said")
    found = _window(point.window or "")
    if found is None:
        return refused(f"the window `{point.window or ''}` is not known")
    window, said = found
    main, contained = Items(codes=point.med_codes[:1]), Items(codes=point.med_codes[1:])
    names = point.item_name.split("×")
    zh = f"{said}已收{names[0]}，其内含的{'、'.join(names[1:]) or '项目'}不得另收"
    own = Part(
        class_id=class_id,
        violation=Pair(main=main, contained=contained, window=window),
        message=Text(zh=zh, en="already contained in another charged item"),
    )
    return Made(parts=(own,), parameters={"window": point.window})


def _window(text: str) -> tuple[Window, str] | None:
    folded = normalise(text)
    for pattern, window, said in _WINDOWS:
        if re.fullmatch(pattern, folded):
            return window, said
    match = _LENGTH.fullmatch(folded)
    if not match:
        return None
    length = int(number(match["n"]))
    if match["unit"] == "小时":
        return (
            (Window(unit="hour"), "同一小时")
            if folded.startswith("同")
            else (Window(unit="hours", length=length), f"{length}小时内")
        )
    return (
        (Window(unit="day"), "同一日")
        if length == 1
        else (Window(unit="days", length=length, ends="open"), f"{length}天内")
    )


def make_frequency(point: Point, class_id: str) -> Made:
    """The quantity of one day (or of another period the unit names) is at most the limit."""
    limit, unit = point.limit, normalise(point.unit or "")
    if limit is None:
        said = _said_limit(point.constraint)
        if said is None:
            return refused("neither the columns nor the remark say a limit")
        limit, unit = said[0], unit or said[1]
    if not limit:
        return refused("a limit of none allows nothing")
    found = _counted(unit)
    if found is None:
        return refused(f"the unit `{point.unit or ''}` is not known")
    window, period = found
    own = Part(
        class_id=class_id,
        violation=Sum(lines=Lines(items=items_of(point), window=window), of="line.quantity", above=limit),
        message=Text(zh=f"{period}数量不超过{limit}", en=f"more than {limit} in the period"),
    )
    return Made(parts=(own,), parameters={"limit": _plain(limit), "unit": point.unit or unit})


_DAILY = re.compile(
    rf"(?:每|(?<![\d一二两三四五六七八九十百])一)(?:日|天)(?:[^,;。]{{0,6}}?)(?:不(?:得|能|应)?超过|最多|最长|限|≤)(?:计费|收费|支付)?(?P<n>{NUMBER})个?(?P<unit>小时|次)"
)
_UNITS = {1: "日", 7: "周", 30: "月", 365: "年"}


def _said_limit(remark: str) -> tuple[Decimal, str] | None:
    """A limit and its unit in words: "每日不超过24小时", "每天最多3次", "每周限2次"."""
    match = _DAILY.search(normalise(remark))
    if match:
        return Decimal(int(number(match["n"]))), match["unit"]
    cap = read_cap(Reader(remark))
    return (cap.limit, _UNITS.get(cap.days, "")) if cap else None


def _counted(unit: str) -> tuple[Window, str] | None:
    if unit in _PER_DAY:
        return Window(unit="day"), "当日"
    if unit in _PERIODS:
        return Window(unit="days", length=_PERIODS[unit], ends="open", whose="patient"), f"{_PERIODS[unit]}天内"
    if unit in _PERIOD_UNITS:
        return _PERIOD_UNITS[unit], f"当{unit}"
    return None


def make_period(point: Point, class_id: str) -> Made:
    """At most the limit in any stretch of so many days, across visits."""
    cap = read_cap(Reader(point.constraint))
    if point.limit is not None and point.period_days:
        cap = Cap(limit=point.limit, days=point.period_days)
    if cap is None or cap.days < 1:
        return refused("neither the columns nor the remark say a limit and a period")
    own = period_part(cap, items_of(point), class_id)
    return Made(parts=(own,), parameters={"limit": _plain(cap.limit), "period_days": cap.days})


def _plain(limit: Decimal) -> int | float:
    return int(limit) if limit == int(limit) else float(limit)


def discount_part(group: str, codes: Iterable[str], class_id: str) -> Part:
    """Of operations of one group through one incision, all but the first are charged at the discount."""
    full = flagged("line.full_price")
    lines = Lines(
        items=Items(codes=tuple(codes)), window=Window(unit="day"), same=("line.incision",), where=full, other_item=True
    )
    return Part(
        class_id=class_id,
        violation=All(of=(full, Rank(lines=lines, above=Decimal(1)))),
        message=Text(
            zh=f"同一切口的{group}第二项及以后手术应折价收费", en="second operation through one incision at full price"
        ),
        on_unknown=OnUnknown(action="remind", ask=("line.incision",)),
    )


def alone_part(codes: Iterable[str], class_id: str) -> Part:
    """Every herb of the prescription is one of those not payable alone, be it one or all."""
    lines = Lines(items=Items(types=("herb", "granule")), window=Window(unit="encounter"), same=("line.rx_no",))
    return Part(
        class_id=class_id,
        violation=Every(lines=lines, among=Items(codes=tuple(codes))),
        message=Text(zh="处方全部由单独使用不予支付的饮片组成", en="every herb is one not payable alone"),
    )
