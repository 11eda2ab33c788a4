"""Dose, frequency and specification as hospitals write them, read only where one reading is possible.

The national order carries them as free text (``extend_order_map`` o_sinDosDscr and o_used_frqu_dscr, and ``spec``; fact
sheet of the interface, 2.5). What can be read in two ways (a range, two strengths, a percentage) is ``None``: unknown.
Numbers are fractions, so that a third of a day stays one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

from msgspec import Struct

__all__ = [
    "CONTAINERS",
    "MEASURES",
    "PACKS",
    "PORTIONS",
    "SOLIDS",
    "Dose",
    "Frequency",
    "Spec",
    "parse_dose",
    "parse_frequency",
    "parse_spec",
    "unit_name",
]

MEASURES: Mapping[str, tuple[str, Fraction]] = MappingProxyType(
    {
        "kg": ("mass", Fraction(1_000_000)),
        "g": ("mass", Fraction(1000)),
        "克": ("mass", Fraction(1000)),
        "mg": ("mass", Fraction(1)),
        "毫克": ("mass", Fraction(1)),
        "ug": ("mass", Fraction(1, 1000)),
        "μg": ("mass", Fraction(1, 1000)),
        "mcg": ("mass", Fraction(1, 1000)),
        "微克": ("mass", Fraction(1, 1000)),
        "ng": ("mass", Fraction(1, 1_000_000)),
        "l": ("volume", Fraction(1000)),
        "升": ("volume", Fraction(1000)),
        "ml": ("volume", Fraction(1)),
        "毫升": ("volume", Fraction(1)),
        "iu": ("activity", Fraction(1)),
        "u": ("activity", Fraction(1)),
        "单位": ("activity", Fraction(1)),
        "国际单位": ("activity", Fraction(1)),
        "万iu": ("activity", Fraction(10_000)),
        "万u": ("activity", Fraction(10_000)),
        "万单位": ("activity", Fraction(10_000)),
        "亿u": ("activity", Fraction(100_000_000)),
    }
)
"""Units of measure: what they measure, and how many mg, ml or IU one is. Factors are exact by definition."""

SOLIDS = frozenset({"片", "粒", "丸", "枚", "锭", "颗", "s"})
"""Pieces that are counted and may be parted (half a tablet); ``s`` is how some catalogues write any of them."""

CONTAINERS = frozenset({"支", "瓶", "袋", "包", "安瓿", "管", "贴", "个"})
"""Pieces that hold one measured content and are opened for a dose."""

PACKS = frozenset({"盒", "瓶", "袋", "包", "罐", "筒", "听", "桶", "条", "套"})
"""Units a pack of several pieces is sold in."""

PORTIONS = frozenset({"剂", "付", "副", "帖"})
"""Units of whole herbal prescriptions."""

_DIGITS = {digit: Fraction(n) for n, digit in enumerate("零一二三四五六七八九十")}
_DIGITS |= {"两": Fraction(2), "半": Fraction(1, 2)}
_NUMBER = r"\d+(?:\.\d+)?(?:/\d+(?:\.\d+)?)?|[一二两三四五六七八九十半]"
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^】]*】")
_UNIT = "|".join(
    sorted((*MEASURES, *SOLIDS, *CONTAINERS, *PACKS, *PORTIONS, "板", "滴", "揿", "喷", "吸"), key=len)[::-1]
)
_DOSE = re.compile(rf"(?:每次|一次|1次|次)?({_NUMBER})({_UNIT})(?:/次|每次)?")


class Dose(Struct, frozen=True):
    """An amount in one unit, as written."""

    amount: Fraction
    unit: str


class Frequency(Struct, frozen=True, kw_only=True):
    """How often: ``times`` a day (``None``: not told or not fixed), herbal ``portions`` a day, or only as needed."""

    times: Fraction | None = None
    portions: Fraction | None = None
    as_needed: bool = False


class Spec(Struct, frozen=True, kw_only=True):
    """A specification: what one piece holds by measure (mg, ml, IU), how many pieces of which name a pack holds.

    ``pieces`` is ``None`` where only one content is told; ``piece`` and ``pack`` are "" where no name is.
    """

    measures: Mapping[str, Fraction]
    pieces: Fraction | None = None
    piece: str = ""
    pack: str = ""


def unit_name(text: str) -> str:
    """Return a unit as it is compared: half-width, lower case, no blanks."""
    return unicodedata.normalize("NFKC", text).lower().replace(" ", "")


def _plain(text: str) -> str:
    return _BRACKETS.sub("", unit_name(text)).rstrip("。.,;、")


def _number(text: str) -> Fraction:
    return _DIGITS[text] if text in _DIGITS else _ratio(text)


def _ratio(text: str) -> Fraction:
    over, _, under = text.partition("/")
    return Fraction(over) / Fraction(under) if under and Fraction(under) else Fraction(over)


@lru_cache(maxsize=8192)
def parse_dose(text: str) -> Dose | None:
    """Read one dose: ``0.5g``, ``2片``, ``每次半片``, ``1/2片``; ``None`` for a range or a number without unit."""
    found = _DOSE.fullmatch(_plain(text))
    if found is None or _number(found[1]) <= 0:
        return None
    return Dose(_number(found[1]), found[2])


# -- frequency

_LATIN: Mapping[str, Fraction] = MappingProxyType(
    {
        "qd": Fraction(1),
        "qn": Fraction(1),
        "qm": Fraction(1),
        "qam": Fraction(1),
        "qpm": Fraction(1),
        "hs": Fraction(1),
        "oncedaily": Fraction(1),
        "bid": Fraction(2),
        "twicedaily": Fraction(2),
        "tid": Fraction(3),
        "qid": Fraction(4),
        "qod": Fraction(1, 2),
        "qow": Fraction(1, 14),
        "qw": Fraction(1, 7),
        "biw": Fraction(2, 7),
        "tiw": Fraction(3, 7),
    }
)
_SPOKEN: Mapping[str, int] = MappingProxyType(
    {"每晚": 1, "每早": 1, "每晨": 1, "睡": 1, "每晚睡": 1, "早晚": 2, "早中晚": 3, "三餐": 3, "每餐": 3}
)
_DAYS = {"日": 1, "天": 1, "d": 1, "周": 7, "星期": 7, "w": 7}
_AS_NEEDED = re.compile(r"prn|sos|必要时|需要时|按需")
_EVERY = re.compile(rf"q({_NUMBER})(h|d|w)")
_WHEN = re.compile(
    r"(?:于|在)?(?:[三早晚午]?[饭餐][前后中时]|空腹|睡前|ac|pc|hs|po|iv|im|ih|sc|ivgtt|口服|静滴|静脉滴注)+(?:服用?)?$"
)
_PER = re.compile(rf"(?:每|一|1)?({_NUMBER})?(日|天|周|星期|小时|h)(?:服用?)?({_NUMBER})次")
_RATE = re.compile(rf"({_NUMBER})次/(?:每)?({_NUMBER})?(日|天|d|周|星期|w|小时|h)")
_PORTION = re.compile(rf"(?:(?:每|一|1)?(?:日|天)({_NUMBER})[剂付副帖]|({_NUMBER})[剂付副帖]/(?:日|天|d))(.*)")
_SPLIT = re.compile(rf",?(?:水煎)?,?(?:早晚)?(?:分)?(?:({_NUMBER})次)?(?:温服|服用?|口服)?")
_ONCE = re.compile(rf"(.+?)({_NUMBER})次")


@lru_cache(maxsize=8192)
def parse_frequency(text: str) -> Frequency | None:
    """Read a frequency: ``qd``, ``q8h``, ``qod``, ``每日3次``, ``1次/日``, ``每周2次``, ``每日1剂``; ``None`` else.

    As needed (必要时, prn, sos) has no number of times a day. Months have no fixed length and are not read.
    """
    plain = _plain(text).replace(".", "") if not re.search(r"\d\.\d", text) else _plain(text)
    if _AS_NEEDED.search(plain):
        return Frequency(as_needed=True)
    if portion := _PORTION.fullmatch(plain):
        return _portions(portion)
    times = _times(plain) or _times(_WHEN.sub("", plain).rstrip(","))
    return Frequency(times=times) if times else None


def _portions(found: re.Match[str]) -> Frequency | None:
    split = _SPLIT.fullmatch(_WHEN.sub("", found[3]))
    if split is None:
        return None
    return Frequency(portions=_number(found[1] or found[2]), times=_number(split[1]) if split[1] else None)


def _times(plain: str) -> Fraction | None:
    if plain in _LATIN:
        return _LATIN[plain]
    if found := _EVERY.fullmatch(plain):
        return _rate(Fraction(1), found[1], found[2])
    if found := _PER.fullmatch(plain):
        return _rate(_number(found[3]), found[1], found[2])
    if found := _RATE.fullmatch(plain):
        return _rate(_number(found[1]), found[2], found[3])
    return _spoken(plain)


def _rate(count: Fraction, every: str | None, unit: str) -> Fraction | None:
    length = _number(every) if every else Fraction(1)
    if not length:
        return None
    return count * 24 / length if unit in {"h", "小时"} else count / (length * _DAYS[unit])


def _spoken(plain: str) -> Fraction | None:
    """Read a time of day, once each unless it says how often: 每晚, 早晚各一次, 隔日一次."""
    found = _ONCE.fullmatch(plain)
    when, count = (found[1], _number(found[2])) if found else (plain, Fraction(1))
    if when in {"隔日", "隔天"}:
        return count / 2
    when = when.rstrip("各前后中时")
    return count * _SPOKEN[when] if when in _SPOKEN else None


# -- specification

_PART = re.compile(rf"({_NUMBER})({_UNIT})?(?:/({_UNIT}))?")


@lru_cache(maxsize=8192)
def parse_spec(text: str) -> Spec | None:
    """Read a specification: ``0.25g*24片/盒``, ``10mg×7粒``, ``100ml:5g``, ``0.5g×12片×2板``; ``None`` else.

    A measure told twice (compound preparations) is left out: nobody knows which of the two a dose counts.
    """
    plain = re.sub(r"[×x✕＊∗,、;]", "*", _plain(text))
    content, _, rest = plain.partition("*")
    ratio = content.split(":")
    parts = [_PART.fullmatch(part) for part in [*ratio, *(rest.split("*") if rest else [])]]
    if not plain or any(part is None for part in parts):
        return None
    return _assembled([part for part in parts if part is not None])


def _assembled(parts: list[re.Match[str]]) -> Spec | None:
    measured = [(MEASURES[part[2]], _number(part[1])) for part in parts if part[2] in MEASURES]
    counted = [(part[2] or "s", _number(part[1])) for part in parts if part[2] not in MEASURES]
    kinds = [kind for (kind, _), _ in measured]
    measures = {kind: factor * n for (kind, factor), n in measured if kinds.count(kind) == 1}
    pieces = Fraction(1)
    for _, n in counted:
        pieces *= n
    if not pieces or not all(measures.values()):
        return None
    pack = parts[-1][3] or ""
    piece = counted[0][0] if counted else ""
    if not counted and pack:  # `100ml/瓶`: the container is named behind the stroke
        piece, pack = pack, ""
        return Spec(measures=measures, pieces=Fraction(1), piece=piece)
    return Spec(measures=measures, pieces=pieces if counted else None, piece=piece, pack="" if pack == piece else pack)
