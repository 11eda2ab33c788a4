"""The fact dictionary: every fact by name, and what a value of it may be.

``facts.toml`` holds the facts and states their sources. Conditions, requests, the fact store, the journal and the
manual use only these names.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeGuard
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from negative_list.errors import UnknownNameError

if TYPE_CHECKING:
    from negative_list.prescription import FactValue

__all__ = [
    "CIVIL_ZONE",
    "HELD",
    "Dictionary",
    "Fact",
    "FactType",
    "ImpossibleValueError",
    "canonical",
    "load",
    "parse_time",
    "parse_value",
    "plain_text",
]

FactType: TypeAlias = Literal[
    "flag", "integer", "number", "money", "word", "words", "date", "time", "text", "code", "record"
]
HELD = ("patient", "encounter", "line")
"""The records whose ``facts`` a fact may stand in; facts of other holders have fields of their own."""

CIVIL_ZONE = ZoneInfo("Asia/Shanghai")
"""The zone of civil time where a site names none."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII)
_CLOCK = re.compile(
    r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?"
    r"(?:[T ]*(\d{1,2}):?(\d{2})(?::?(\d{2}))?(?:[.,]\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_FLAGS = {"1": True, "true": True, "是": True, "y": True, "0": False, "false": False, "否": False, "n": False}
_USUAL_TIME = len("2026-01-01 09:00:00")
_USUAL_LENGTHS = (_USUAL_TIME, len("2026-01-01"))
_LARGEST = Decimal(10) ** 15


class ImpossibleValueError(ValueError):
    """A value the fact cannot have; the message, in Chinese, says why."""


class Fact(Struct, frozen=True, kw_only=True):
    """One fact of the dictionary; ``facts.toml`` explains the fields.

    ``values`` and ``variants`` map national codes (without leading zeros) to values of the fact.
    """

    name: str
    type: FactType
    zh: str
    subject: str = ""
    unit: str = ""
    words: Mapping[str, str] = _NOTHING
    open: bool = False
    national: tuple[str, ...] = ()
    values: Mapping[str, bool | int | str] = msgspec.field(default_factory=dict)
    variants: Mapping[str, Mapping[str, bool | int | str]] = msgspec.field(default_factory=dict)
    fhir: str = ""
    feed: str = ""
    derivation: str = ""
    note: str = ""
    unknown: tuple[str, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    lapses: Literal["", "day", "month", "quarter", "year"] = ""
    private: bool = False

    @property
    def holder(self) -> str:
        """The record the fact is held by: the part of the name before the dot."""
        return self.name.partition(".")[0]

    @property
    def settable(self) -> bool:
        """Whether a request, a site or the fact store may give it: it stands among the facts of its holder."""
        return self.type != "record" and self.holder in HELD


class Dictionary(Mapping[str, Fact]):
    """Facts by name, in the order of the file.

    A name that is not in it raises ``UnknownNameError`` with the nearest one that is, from ``get`` too: facts are
    never guessed.
    """

    def __init__(self, facts: Mapping[str, Fact], placeholders: frozenset[str], dates: frozenset[date]) -> None:
        self._facts = dict(facts)
        self.placeholders = placeholders
        """Texts that mean unknown for every fact."""
        self.unknown_dates = dates
        """Days that mean unknown for every date and time."""

    def __getitem__(self, name: str) -> Fact:
        """Return the fact of that name; raises ``UnknownNameError`` offering the nearest."""
        if name not in self._facts:
            raise UnknownNameError("fact", name, self._facts)
        return self._facts[name]

    def __contains__(self, name: object) -> bool:
        """Whether a fact has that name."""
        return name in self._facts

    def __iter__(self) -> Iterator[str]:
        """Names in the order of the file."""
        return iter(self._facts)

    def __len__(self) -> int:
        """How many facts there are."""
        return len(self._facts)


@cache
def load() -> Dictionary:
    """Return the dictionary of ``facts.toml``, read once."""
    raw = tomllib.loads((resources.files("negative_list") / "facts.toml").read_text(encoding="utf-8"))
    placeholders = raw.pop("placeholders")
    rows = {name: {"subject": name.partition(".")[0], **row, "name": name} for name, row in raw.items()}
    facts = msgspec.convert(rows, dict[str, Fact], strict=False)
    return Dictionary(facts, frozenset(placeholders["text"]), frozenset(placeholders["dates"]))


def parse_value(fact: Fact, raw: object, zone: tzinfo = CIVIL_ZONE) -> FactValue | None:
    """Read a value written in the dictionary's own words; ``None`` when it means unknown.

    Numbers may come as texts, money is whole fen, words may be given by their Chinese label, several words as a list
    or with commas, times as civil times of ``zone`` or with an offset. Raises :class:`ImpossibleValueError`.
    """
    if raw is None or (isinstance(raw, str) and raw.strip() in load().placeholders):
        return None
    value = _READERS[fact.type](fact, raw, zone)
    return None if value is None or _means_unknown(fact, value) else value


def parse_time(raw: object, zone: tzinfo = CIVIL_ZONE) -> tuple[datetime, bool] | None:
    """Read a civil time and whether it has a clock; ``None`` when it means unknown.

    Takes what clients send: ``2026-01-01 09:00:00``, ``2026-01-01``, ``2026/1/1 9:00``, ``20260101090000``, ISO 8601
    with an offset (turned into ``zone``); fractions of a second are dropped. Raises :class:`ImpossibleValueError`.
    """
    if isinstance(raw, str) and len(raw) in _USUAL_LENGTHS and raw[4] == raw[7] == "-":
        try:  # nearly every client writes it so, and this is ten times as fast
            moment = datetime.fromisoformat(raw)
        except ValueError:
            pass
        else:
            return None if moment.date() in load().unknown_dates else (moment, len(raw) == _USUAL_TIME)
    return _odd_time(plain_text(raw), zone)


def _odd_time(text: str, zone: tzinfo) -> tuple[datetime, bool] | None:
    if text in load().placeholders:
        return None
    found = _CLOCK.fullmatch(text)
    if not found:
        raise ImpossibleValueError(f"`{text[:40]}` 不是日期或时间")
    try:
        moment = datetime(*(int(part or 0) for part in found.group(1, 2, 3, 4, 5, 6)))  # type: ignore[arg-type]
    except ValueError:
        raise ImpossibleValueError(f"`{text[:40]}` 不是存在的日期或时间") from None
    if moment.date() in load().unknown_dates:
        return None
    return _civil(moment, found[7], zone), found[4] is not None


def plain_text(raw: object) -> str:
    """Return a scalar as text without surrounding blanks: flags as 1 and 0, whole numbers without a fraction.

    Raises :class:`ImpossibleValueError` for lists, objects and huge numbers, and for texts with control characters.
    """
    if isinstance(raw, str):
        if not raw.isprintable() and _CONTROL.search(raw):
            raise ImpossibleValueError("文本含有控制字符")
        return raw.strip()
    if _is_finite(raw) and -_LARGEST <= raw <= _LARGEST:
        return str(int(raw)) if raw == int(raw) else str(raw)
    if isinstance(raw, date):
        return str(raw)
    raise ImpossibleValueError("应为单个文本、数字或是否值")


def _is_finite(raw: object) -> TypeGuard[int | float | Decimal]:
    if isinstance(raw, Decimal):  # math.isfinite raises for a signaling NaN, which a message may hold as text
        return raw.is_finite()
    return isinstance(raw, int) or (isinstance(raw, float) and math.isfinite(raw))


def _civil(moment: datetime, offset: str | None, zone: tzinfo) -> datetime:
    if not offset:
        return moment
    told = datetime.strptime(offset.replace("Z", "+0000").replace(":", ""), "%z").tzinfo or UTC
    try:
        return moment.replace(tzinfo=told).astimezone(zone).replace(tzinfo=None)
    except OverflowError:
        raise ImpossibleValueError(f"`{moment}` 超出可用的时间范围") from None


def _means_unknown(fact: Fact, value: FactValue) -> bool:
    return bool(fact.unknown) and str(value) in fact.unknown


def _read_flag(_fact: Fact, raw: object, _zone: tzinfo) -> bool:
    text = plain_text(raw)
    if text.lower() not in _FLAGS:
        raise ImpossibleValueError(f"`{text[:40]}` 不是“是/否”值")
    return _FLAGS[text.lower()]


def _read_number(fact: Fact, raw: object, _zone: tzinfo) -> Decimal:
    text = plain_text(raw)
    if not _NUMBER.fullmatch(text):
        raise ImpossibleValueError(f"`{text[:40]}` 不是数字")
    value = Decimal(text)
    if fact.minimum is not None and value < fact.minimum:
        raise ImpossibleValueError(f"`{text[:40]}` 小于可能的最小值 {fact.minimum}")
    if value > (fact.maximum if fact.maximum is not None else _LARGEST):
        raise ImpossibleValueError(f"`{text[:40]}` 大于可能的最大值")
    return canonical(value)


def canonical(value: Decimal) -> Decimal:
    """Return the number written in one way only: no trailing zeros, no exponent."""
    return Decimal(int(value)) if value == value.to_integral_value() else value.normalize()


def _read_integer(fact: Fact, raw: object, zone: tzinfo) -> int:
    # Amounts differ from line to line, so that columns seldom remember them; a whole number is read at once.
    least = -_LARGEST if fact.minimum is None else fact.minimum
    if type(raw) is int and least <= raw <= (_LARGEST if fact.maximum is None else fact.maximum):
        return raw
    value = _read_number(fact, raw, zone)
    if value != value.to_integral_value():
        raise ImpossibleValueError(f"`{value}` 不是整数")
    return int(value)


def _read_word(fact: Fact, raw: object, _zone: tzinfo) -> str | None:
    text = plain_text(raw)
    if text in fact.words or text in fact.unknown:
        return text
    by_label = {label: word for word, label in fact.words.items()}
    if text in by_label:
        return by_label[text]
    if fact.open:
        return text
    # Our own JSON takes the code of the national table too: what else would a HIS that knows only those send?
    code = text.lstrip("0") or "0"
    if text.isdigit() and code in fact.values:
        return str(fact.values[code]) or None
    raise ImpossibleValueError(f"`{text[:40]}` 不是“{fact.zh}”的取值")


def _read_words(fact: Fact, raw: object, zone: tzinfo) -> tuple[str, ...] | None:
    parts = raw if isinstance(raw, (list, tuple)) else re.split(r"[,，;；、]", plain_text(raw))
    words = {_read_word(fact, part, zone) for part in parts} - {None, ""}
    order = list(fact.words)
    return tuple(sorted(filter(None, words), key=lambda w: (order.index(w) if w in order else len(order), w))) or None


def _read_time(_fact: Fact, raw: object, zone: tzinfo) -> datetime | None:
    told = parse_time(raw, zone)
    return told[0] if told else None


def _read_date(_fact: Fact, raw: object, zone: tzinfo) -> date | None:
    told = parse_time(raw, zone)
    return told[0].date() if told else None


def _read_text(_fact: Fact, raw: object, _zone: tzinfo) -> str:
    return plain_text(raw)


def _read_record(fact: Fact, _raw: object, _zone: tzinfo) -> None:
    raise ImpossibleValueError(f"“{fact.zh}”有自己的字段，不能写在 facts 里")


_READERS: Mapping[FactType, Callable[[Fact, object, tzinfo], FactValue | None]] = {
    "flag": _read_flag,
    "integer": _read_integer,
    "number": _read_number,
    "money": _read_integer,
    "word": _read_word,
    "words": _read_words,
    "date": _read_date,
    "time": _read_time,
    "text": _read_text,
    "code": _read_text,
    "record": _read_record,
}
