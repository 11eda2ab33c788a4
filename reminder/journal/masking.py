"""What names a person is taken out of texts before they are written: names, ids, id numbers, phone and mail addresses.

The request's own names and ids are known and looked for as they are; whatever else names a person is known by its form.
A text is any that people write: names of diagnoses, operations and items, texts of facts, notes, messages, reasons, the
caller's message id. A code or an id is no text, and masked only where the whole of it has the form of an id number or a
mobile number. The forms are those of GB 11643 (18 digits, and 15 before 1999), of mobile numbers (11 digits from 13 on)
and land lines (area code and 7 or 8 digits), passports and passes to Hong Kong and Macau.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from negative_list.dictionary import load

__all__ = ["MASK", "Masker", "clean", "mask"]

T = TypeVar("T")

MASK = "〔已隐去〕"
"""What stands in the place of what was taken out."""

_SHORTEST_NAME = 2
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
_MAIL = r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+"
_FORMS = re.compile(rf"(?<!\d)(?:{_LONG}|{_SHORT}|{_MOBILE}|{_LANDLINE})(?!\d)|{_PASSPORT}|{_MAIL}")
_WHOLE = re.compile(rf"{_LONG}|{_SHORT}|{_MOBILE}")
# One character for one, so that what is found stands at the same place in the text as it was written.
_WIDE = {0xFF01 + n: 0x21 + n for n in range(94)} | {ord("－"): "-", ord("—"): "-", 0x3000: " "}

_TEXTS = frozenset({"name", "message", "text", "request_id", "value", "source"})
_CODES = frozenset({"id", "lines", "involved", "line", "subject", "codes"})


def mask(text: str, names: Iterable[str] = (), ids: Iterable[str] = ()) -> str:
    """A text without what names a person.

    Args:
        text: as written.
        names: of the persons of the request; a name of one character is not looked for.
        ids: the caller's ids of patient and encounters; the shortest are not looked for.
    """
    for pattern in _own(tuple(names), tuple(ids)):
        text = pattern.sub(MASK, text)
    found = [each.span() for each in _FORMS.finditer(text.translate(_WIDE))]
    for begin, end in reversed(found):
        text = text[:begin] + MASK + text[end:]
    return text


@lru_cache(maxsize=64)
def _own(names: tuple[str, ...], ids: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """What is looked for as it is: a name may be spaced, and a longer name goes before one that stands in it."""
    spaced = [r"\s*".join(map(re.escape, "".join(name.split()))) for name in sorted(set(names), key=len, reverse=True)]
    own = sorted({one for one in ids if len(one) >= _SHORTEST_ID}, key=len, reverse=True)
    wanted = [name for name in spaced if len(name) >= _SHORTEST_NAME] + [re.escape(one) for one in own]
    return (re.compile("|".join(wanted)),) if wanted else ()


_known_clean: dict[str, None] = {}
_MOST_KNOWN = 20_000


def clean(texts: list[str], names: Iterable[str], ids: Iterable[str]) -> bool:
    """Whether none of the texts names a person: looked at for every check, and nearly always true.

    Most texts come again and again: those whose form is known to name nobody are not looked at twice.
    """
    joined = "\x1f".join(texts)
    if any(len(name) >= _SHORTEST_NAME and name in joined for name in names):
        return False
    if any(len(one) >= _SHORTEST_ID and one in joined for one in ids):
        return False
    if " " in joined or "\u3000" in joined:
        compact = "".join(joined.split())
        if any(len(name) >= _SHORTEST_NAME and "".join(name.split()) in compact for name in names):
            return False
    fresh = [text for text in texts if text not in _known_clean]
    return not fresh or all(map(_is_clean, fresh))


def _is_clean(text: str) -> bool:
    if _FORMS.search(text.translate(_WIDE)):
        return False
    if len(text) <= _REMEMBERED_LENGTH:
        if len(_known_clean) >= _MOST_KNOWN:
            _known_clean.clear()
        _known_clean[text] = None
    return True


class Masker:
    """Masks one entry: what is taken out once is called the same throughout."""

    def __init__(self, names: Iterable[str] = (), ids: Iterable[str] = ()) -> None:
        self._names, self._ids = tuple(names), tuple(ids)
        self._codes: dict[str, str] = {}

    def text(self, text: str) -> str:
        """A text."""
        return mask(text, self._names, self._ids)

    def code(self, code: str) -> str:
        """A code or an id: lines stay apart, whatever they are called."""
        if not _WHOLE.fullmatch(code.translate(_WIDE).partition("#")[0]):
            return code
        return self._codes.setdefault(code, f"{MASK[:-1]}{len(self._codes) + 1}{MASK[-1]}")

    def record(self, record: T) -> T:
        """A record of the journal's forms, with all it holds."""
        masked: T = self._struct(record)
        return masked

    def _struct(self, record: Any) -> Any:
        fields = {name: self._field(name, getattr(record, name)) for name in record.__struct_fields__}
        if "fact" in fields and "value" in fields:
            fields["value"] = self._fact(record.fact, record.value)
        return msgspec.structs.replace(record, **fields)

    def _field(self, name: str, value: Any) -> Any:
        if type(value) is str:
            return self._word(name, value)
        if type(value) is tuple:
            return tuple([self._field(name, part) for part in value])
        if isinstance(value, Struct):
            return self._struct(value)
        if name == "facts" and isinstance(value, Mapping):
            return {fact: self._fact(fact, told) for fact, told in value.items()}
        return value

    def _word(self, field: str, value: str) -> str:
        if field in _TEXTS:
            return self.text(value)
        return self.code(value) if field in _CODES else value

    def _fact(self, name: str, value: Any) -> Any:
        if type(value) is tuple:
            return tuple([self._fact(name, part) for part in value])
        if type(value) is not str:
            return value
        return self.code(value) if name in load() and load()[name].type == "code" else self.text(value)
