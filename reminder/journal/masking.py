"""What names a person is taken out of texts before they are written: names, ids, id numbers, phone and mail addresses.

The request's own names and ids are known and looked for as they are; whatever else names a person is known by its form.
A text is any that people write: names of diagnoses, operations and items, texts of facts, notes, messages, reasons, the
caller's message id. A code or an id is no text, and masked only where the whole of it is an id number, by its check
digit and a birth date some time ago (many systems number their lines by region and day), or a mobile number. The forms
are those of GB 11643 (18 digits, and 15 before 1999), of mobile numbers (11 digits from 13 on) and land lines (area
code and 7 or 8 digits), passports and passes to Hong Kong and Macau.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec import Struct

from negative_list.codes import structure
from negative_list.dictionary import load

if TYPE_CHECKING:
    from negative_list.prescription import Encounter, Line

__all__ = [
    "MASK",
    "Masker",
    "dates_of",
    "every_text",
    "has_form",
    "is_clean",
    "mask",
    "names_nobody",
    "names_of",
    "unknown_in",
    "unknown_texts",
]

T = TypeVar("T")

MASK = "〔已隐去〕"
"""What stands in the place of what was taken out."""

_SHORTEST_NAME = 2
_LONGEST_NAME = 200  # the interface prints 50; a pattern of 60,000 characters takes a second to make
_SHORTEST_ID = 4  # shorter ones tell nobody anything, and stand in "T2N0M1" and "2型糖尿病"
_REMEMBERED_LENGTH = 64
_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0[1-9]|1[0-2])"
_GAP = r"[ \-]?"
_PROVINCE = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
_LONG = rf"[1-8]\d{{5}}{_GAP}(?:18|19|20)\d\d{_GAP}{_MONTH}{_GAP}{_DAY}{_GAP}\d{{3}}[\dXx]"
_SHORT = rf"{_PROVINCE}\d{{4}}\d\d{_MONTH}{_DAY}\d{{3}}"
_MOBILE = rf"(?:\+?86{_GAP})?1[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}}"
_LANDLINE = rf"(?:[(（]0\d{{2,3}}[)）]|0(?:10|2\d|[3-9]\d\d){_GAP})\d{{7,8}}"
_PASSPORT = r"(?<![0-9A-Za-z字])(?:[EGDSP]\d{8}|E[A-Z]\d{7}|[HM]\d{8}(?:\d\d)?)(?![0-9A-Za-z])"
# RFC 5321, 4.5.3.1.1: at most 64 before the mark. Without an end, a text of 60,000 letters would take half a minute.
_MAIL = r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+"
_FORMS = re.compile(rf"(?<!\d)(?:{_LONG}|{_SHORT}|{_MOBILE}|{_LANDLINE})(?!\d)|{_PASSPORT}|{_MAIL}")
_WHOLE = re.compile(rf"[1-8]\d{{5}}(?P<born>(?:18|19|20)\d\d{_MONTH}{_DAY})\d{{3}}[\dXx]|1[3-9]\d{{9}}")
# One character for one, so that what is found stands at the same place in the text as it was written.
_WIDE = {0xFF01 + n: 0x21 + n for n in range(94)} | {ord("－"): "-", ord("—"): "-", 0x3000: " "}

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_SPACE = re.compile(r"[^\S ]")
_LONGEST_PLAIN = 4
_WORD = re.compile(r"[\u3400-\u9fff·•]{2,}")
_NO_KEYS: Mapping[str, str] = {}
_NOTHING: AbstractSet[str] = frozenset()
_TEXTS = frozenset({"name", "message", "text", "request_id", "value", "source", "unit", "stage"})
_A_CODE = re.compile(r"[!-~]{1,40}")
_CODES = frozenset({"id", "lines", "involved", "line", "subject", "codes"})


def mask(text: str, names: Iterable[str] = (), ids: Iterable[str] = ()) -> str:
    """A text without what names a person.

    Args:
        text: as written.
        names: of the persons of the request; a name of one character is not looked for.
        ids: the caller's ids of patient and encounters; the shortest are not looked for.
    """
    found = [each.span() for each in _FORMS.finditer(text.translate(_WIDE))]
    for begin, end in reversed(found):
        text = text[:begin] + MASK + text[end:]
    for pattern in _own(tuple(names), tuple(ids)):  # after the numbers, which a birth date stands in
        text = pattern.sub(MASK, text)
    return text


@lru_cache(maxsize=64)
def _own(names: tuple[str, ...], ids: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """What is looked for as it is: a name may be spaced, and a longer name goes before one that stands in it."""
    spaced = [_spaced(name) for name in sorted(set(names), key=len, reverse=True)]
    own = sorted({one for one in ids if len(one) >= _SHORTEST_ID}, key=len, reverse=True)
    wanted = [name for name in spaced if len(name) >= _SHORTEST_NAME] + [re.escape(one) for one in own]
    return (re.compile("|".join(wanted)),) if wanted else ()


def _spaced(name: str) -> str:
    if len(name) > _LONGEST_NAME:
        return re.escape(name)
    return r"\s*".join(map(re.escape, "".join(name.split())))


def has_form(text: str, names: tuple[str, ...]) -> bool:
    """Whether a text may name somebody although :func:`names_nobody` found no name: by a number, or oddly spaced."""
    return not is_clean(text, names if _SPACE.search(text) else ())


def names_of(told: object) -> tuple[str, ...]:
    """The names a name field holds: the whole of it, and each word of Chinese characters where it holds more."""
    text = str(told or "").strip()
    if len(text) <= _LONGEST_PLAIN:
        return (text,) if text else ()
    return (text, *_WORD.findall(text))


_known: dict[str, None] = {}
_MOST_KNOWN = 20_000
_SHORTEST_FORM = 7


def unknown_in(values: Iterable[Any]) -> list[str]:
    """The texts among some values that have to be looked at more closely.

    Most texts come again and again and are known to name nobody by their form, and one of fewer than seven characters
    holds no number and no address.
    """
    found = []
    for value in values:
        kind = type(value)
        if kind is str:
            if len(value) >= _SHORTEST_FORM and value not in _known:
                found.append(value)
        elif kind is tuple:
            found += unknown_in(value)
    return found


def every_text(encounters: Iterable[Encounter], left_out: AbstractSet[str] = _NOTHING) -> Iterator[str]:
    """All that is told of some encounters and their lines, but facts of some names."""
    for encounter in encounters:
        yield from _values(encounter.facts, left_out)
        yield from [each.name for each in encounter.diagnoses]
        yield from [each.name for each in encounter.operations]
        for line in encounter.lines:
            yield from (line.id, line.name, *line.codes)
            yield from _values(line.facts, left_out)


def _values(facts: Mapping[str, object], left_out: AbstractSet[str]) -> Iterator[str]:
    told = facts.values() if facts.keys().isdisjoint(left_out) else _without(facts, left_out).values()
    return map(str, told)


def _without(facts: Mapping[str, T], left_out: AbstractSet[str]) -> Mapping[str, T]:
    return {name: value for name, value in facts.items() if name not in left_out}


def unknown_texts(encounters: Iterable[Encounter], left_out: AbstractSet[str] = _NOTHING) -> list[str]:
    """Those of the same that have to be looked at more closely, codes too."""
    texts = []
    for encounter in encounters:
        texts += unknown_in([each.name for each in encounter.diagnoses])
        texts += unknown_in([each.name for each in encounter.operations])
        holders: tuple[Encounter | Line, ...] = (encounter, *encounter.lines)
        for holder in holders:
            facts = holder.facts if holder.facts.keys().isdisjoint(left_out) else _without(holder.facts, left_out)
            texts += unknown_in(facts.values())
        for line in encounter.lines:
            texts += unknown_in((line.id, line.name, line.codes))
    return texts


def is_clean(text: str, names: tuple[str, ...] = (), ids: tuple[str, ...] = ()) -> bool:
    """Whether a text names nobody, by its form and by the names and ids that are known."""
    if names:
        compact = "".join(text.split())
        if any(len(one := "".join(name.split())) >= _SHORTEST_NAME and one in compact for name in names):
            return False
    if ids and any(len(one) >= _SHORTEST_ID and one in text for one in ids):
        return False
    if len(text) < _SHORTEST_FORM or text in _known:
        return True
    if _FORMS.search(text.translate(_WIDE)) and not _is_item(text):
        return False
    if len(text) <= _REMEMBERED_LENGTH and not _SPACE.search(text):
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[text] = None
    return True


def _is_item(text: str) -> bool:
    """Whether a text is the national code of a drug, a herb or a material, in which numbers of any form stand."""
    return text[:1].isalpha() and structure(text) is not None


@lru_cache(maxsize=4096)
def dates_of(day: date) -> tuple[str, ...]:
    """How people write a day: a birth date is looked for in texts in each of these ways.

    Remembered for some thousand days of birth: a patient comes again and again, and it takes as long as to look (5 us).
    """
    year, month, of_month = day.year, day.month, day.day
    spelt = [f"{year}{month:02}{of_month:02}", f"{year}年{month:02}月{of_month:02}日", f"{year}年{month}月{of_month}日"]
    for mark in "-/.":
        spelt += [f"{year}{mark}{month:02}{mark}{of_month:02}", f"{year}{mark}{month}{mark}{of_month}"]
    return tuple(dict.fromkeys(spelt))


def names_nobody(body: bytes, names: Iterable[str], ids: Iterable[str], born: date | None = None) -> bool:
    """Whether no name, no id and not the birth date stands in what was written: quick, and sure where it says so.

    A name spaced with anything but blanks is found by :func:`is_clean`: texts with such spaces are looked at each time.
    """
    wanted = [one for one in ids if len(one) >= _SHORTEST_ID]
    if born is not None and str(born.year).encode() in body:
        wanted += dates_of(born)
    if any(one.encode("utf-8", "replace") in body for one in wanted):
        return False
    called = [name for spaced in names if len(name := "".join(spaced.split())) >= _SHORTEST_NAME]
    compact = body.translate(None, b" ") if called else b""
    return not any(one.encode("utf-8", "replace") in compact for one in called)


class Masker:
    """Masks one entry: what is taken out once is called the same throughout.

    Args:
        names: of the persons of the request.
        ids: the caller's own ids of patient and encounters, and the ways to write the birth date.
        keys: the keys of the ids: a code or an id of a line that is made of one is made of its key instead.
        on: the day, from which a birth date in an id number lies some time ago.
        codes: codes and ids that have the form of a number are masked, too; not where ids become keys later.
    """

    def __init__(
        self,
        names: Iterable[str] = (),
        ids: Iterable[str] = (),
        on: date = date.max,
        *,
        keys: Mapping[str, str] = _NO_KEYS,
        codes: bool = True,
    ) -> None:
        self._keys = keys
        self._with_codes = codes
        self._on = on
        self._names, self._ids = tuple(names), tuple(ids)
        self._codes: dict[str, str] = {}

    def text(self, text: str) -> str:
        """A text."""
        return text if is_clean(text, self._names, self._ids) else mask(text, self._names, self._ids)

    def code(self, code: str) -> str:
        """A code or an id: lines stay apart, whatever they are called."""
        code = self._without_own(code)
        found = _WHOLE.fullmatch(code.translate(_WIDE).partition("#")[0])
        if found is None or (found["born"] and not self._is_person(found[0], found["born"])):
            return code
        return self._codes.setdefault(code, f"{MASK[:-1]}{len(self._codes) + 1}{MASK[-1]}")

    def _is_person(self, number: str, born: str) -> bool:
        """Whether it is an id number by GB 11643, and not a place and a day of now."""
        digits = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False))
        return _CHECK[digits % 11] == number[-1].upper() and int(born[:4]) < self._on.year - 1

    def record(self, record: T) -> T:
        """A record of the journal's forms, with all it holds."""
        masked: T = self._struct(record)
        return masked

    def _struct(self, record: Any) -> Any:
        fields = {name: self._field(name, getattr(record, name)) for name in record.__struct_fields__}
        if "fact" in fields and "value" in fields:
            fields["value"] = self.fact(record.fact, record.value)
        return msgspec.structs.replace(record, **fields)

    def _field(self, name: str, value: Any) -> Any:
        if type(value) is str:
            return self._word(name, value)
        if type(value) is tuple:
            return tuple([self._field(name, part) for part in value])
        if isinstance(value, Struct):
            return self._struct(value)
        if name == "facts" and isinstance(value, Mapping):
            return {fact: self.fact(fact, told) for fact, told in value.items()}
        return value

    def _word(self, field: str, value: str) -> str:
        if field in _TEXTS:
            return self.text(value)
        return self.code(value) if field in _CODES and self._with_codes else value

    def fact(self, name: str, value: Any) -> Any:
        """The value of a fact, by its dictionary name."""
        if type(value) is tuple:
            return tuple([self.fact(name, part) for part in value])
        if type(value) is not str:
            return value
        if name not in load() or load()[name].type != "code" or not _A_CODE.fullmatch(value):
            return self.text(value)
        return self.code(value)

    def _without_own(self, code: str) -> str:
        """A code that holds a name, an id or a birth date of the request, with the id's key in its place."""
        if is_clean(code, self._names, self._ids):
            return code
        for pattern in _own(self._names, self._ids):
            code = pattern.sub(lambda found: self._keys.get(found[0], MASK), code)
        return code
