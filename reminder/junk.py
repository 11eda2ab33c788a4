"""Texts that say nothing: recognised by form and by a table, never by what they mean.

In one hospital 88 % of typed reasons were meaningless characters (reference `cds_hooks.md`, f). A text that may be a
reason is none of them: whole texts only are looked up, and every doubt speaks for the doctor.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec
from msgspec import Struct

from negative_list.text import normalise
from reminder.once import made_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["WHYS", "Junk", "junk"]

Junk: TypeAlias = Literal[
    "",
    "no_words",
    "one_character",
    "repeated",
    "keyboard",
    "copied",
    "code",
    "default",
    "test",
    "mashed",
    "says_nothing",
]
"""Why a text says nothing; "" where it may say something."""

WHYS: dict[Junk, tuple[str, str]] = {
    "no_words": ("只有标点或数字", "only marks or digits"),
    "one_character": ("只有一个字", "a single character"),
    "repeated": ("同样的字重复", "the same again and again"),
    "keyboard": ("键盘上的连续按键", "keys side by side"),
    "copied": ("照抄了理由或提示的文字", "copied from the reason or the reminder"),
    "code": ("只写了理由代码", "the code of the reason"),
    "default": ("表单的默认文字", "what the form proposed"),
    "test": ("测试文字", "somebody trying the form"),
    "mashed": ("随意按键", "keys struck at random"),
    "says_nothing": ("没有说明原因", "says no reason"),
}
"""Each word of :data:`Junk`, in Chinese and English."""

_SHORTEST_RUN = 3
_MOST_OF = 0.7
_LONG_ENOUGH = 4
_SHORT_UNIT = 4
_TIMES = 3
_ALONG_HOME_ROW = 6
_HOME_ROW = frozenset("asdfghjkl")
_ROWS = (frozenset("qwrtyp"), frozenset("sdfghjkl"), frozenset("zxcvbnm"))
"""The letters of each row that are no vowels: four of one row together are no word of any language."""
_VALUE_DIGITS = 4
_SHORTEST_COPY = 6  # a shorter stretch of a reminder may be the name of a disease
_BEGINS = re.compile(r"】|\] |(?:(?<=】)|(?<=\] ))[^：:]*[：:] ?|。|\. |是否违反：|applies: ")
_ENDS = re.compile(r"。|（|\. | \(|$")
"""Where what one sentence of a reminder says begins and ends: the mark, what to do, the rule's words without the facts
behind them (`negative_list.messages`). Stretches between commas and in brackets are no sentences: a doctor may name
one of the diseases listed there."""


class _Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file ``junk.toml``."""

    says_nothing: frozenset[str]
    defaults: frozenset[str]
    tests: frozenset[str]
    mashed: frozenset[str]
    runs: tuple[str, ...]
    short: frozenset[str]


class _Text(Struct, frozen=True, kw_only=True):
    """A text to be judged: its letters and digits, normalised, and what it may have been copied from."""

    plain: str
    code: str
    labels: frozenset[str]
    message: str
    number: bool


def junk(text: str, *, code: str = "", labels: Iterable[str] = (), message: str = "", number: bool = False) -> Junk:
    """Why a text says nothing; "" where it may say something, and for no text at all.

    Args:
        text: as typed.
        code: of the reason it was given with.
        labels: texts it may be a copy of: those of the reason itself.
        message: of the reminder, of which the beginning or whole sentences may have been copied.
        number: whether a number alone is an answer (of an approval).
    """
    if not text.strip():
        return ""
    told = _Text(
        plain=_plain(text),
        code=_plain(code),
        labels=frozenset(map(_plain, labels)),
        message=message,
        number=number,
    )
    return next((why for why, holds in _CHECKS if holds(told)), "")


def _plain(text: str) -> str:
    """Letters and digits alone, in the form in which texts are compared."""
    return "".join(each for each in normalise(text) if unicodedata.category(each)[0] in "LN")


@made_once
def _table() -> _Table:
    raw = tomllib.loads((resources.files("reminder") / "junk.toml").read_text("utf-8"))
    return msgspec.convert(raw, _Table)


@cache
def _runs() -> tuple[str, ...]:
    """Every run of keys, read both ways."""
    return tuple(run for line in _table().runs for run in (line, line[::-1]))


def _no_words(text: _Text) -> bool:
    """Nothing but marks, or nothing but digits where a number is no answer."""
    if text.plain and not text.plain.isnumeric():
        return False
    return not (text.number and len(text.plain) >= _VALUE_DIGITS and not _repeated(text) and not _keyboard(text))


def _one_character(text: _Text) -> bool:
    """A single character, or two letters that are no word of the trade."""
    plain = text.plain
    return len(plain) == 1 or (len(plain) == len("ok") and plain.isascii() and plain not in _table().short)


def _repeated(text: _Text) -> bool:
    """One character again and again, or a few three times and more."""
    plain = text.plain
    if not plain:
        return False
    most = Counter(plain).most_common(1)[0][1]
    if most == len(plain) or (len(plain) >= _LONG_ENOUGH and most / len(plain) >= _MOST_OF):
        return True
    unit = _unit(plain)
    return len(unit) <= _SHORT_UNIT and len(plain) // len(unit) >= _TIMES


def _unit(plain: str) -> str:
    """What a text repeats; itself where it repeats nothing."""
    return plain[: (plain + plain).find(plain, 1)] if plain else ""


def _keyboard(text: _Text) -> bool:
    """Keys side by side from the first character to the last, or letters of one row that make no word."""
    plain = text.plain
    if not plain.isascii() or len(plain) < _SHORTEST_RUN:
        return False
    letters = frozenset(plain)
    if len(plain) >= _ALONG_HOME_ROW and letters <= _HOME_ROW:
        return True
    return (len(plain) >= _LONG_ENOUGH and any(letters <= row for row in _ROWS)) or _all_runs(plain)


def _all_runs(plain: str) -> bool:
    """Whether a text is made of runs of three keys and more; the last one may be cut short."""
    rest, found = plain, False
    while rest:
        length = _longest_run(rest)
        if length < _SHORTEST_RUN:
            return found and length == len(rest)
        found, rest = True, rest[length:]
    return True


def _longest_run(text: str) -> int:
    """How many of the first characters are keys side by side, or the same key."""
    same = len(text) - len(text.lstrip(text[0]))
    lengths = range(len(text), 1, -1)
    side_by_side = next((n for n in lengths if any(text[:n] in run for run in _runs())), 1)
    return max(same, side_by_side)


def _listed(name: str) -> Callable[[_Text], bool]:
    """Whether a text, or what it says twice, stands in a list of the table."""

    def holds(text: _Text) -> bool:
        known: frozenset[str] = getattr(_table(), name)
        once = _unit(text.plain)
        return text.plain in known or (text.plain == once + once and once in known)

    return holds


def _copied(text: _Text) -> bool:
    """The very text of the reason or the reminder, the beginning of the reminder, or whole sentences of it."""
    plain, whole = text.plain, _plain(text.message)
    if plain in text.labels or (plain and plain == whole):
        return True
    if len(plain) < _SHORTEST_COPY or plain not in whole:
        return False
    ends = {len(_plain(text.message[: end.start()])) for end in _ENDS.finditer(text.message)}
    begins = {len(_plain(text.message[: begin.end()])) for begin in _BEGINS.finditer(text.message)}
    sentence = any(whole.startswith(plain, begin) and begin + len(plain) in ends for begin in begins)
    return sentence or whole.startswith(plain)


def _is_code(text: _Text) -> bool:
    """The code of the reason."""
    return bool(text.code) and text.plain == text.code


_CHECKS: tuple[tuple[Junk, Callable[[_Text], bool]], ...] = (
    ("code", _is_code),
    ("copied", _copied),
    ("says_nothing", _listed("says_nothing")),
    ("default", _listed("defaults")),
    ("test", _listed("tests")),
    ("mashed", _listed("mashed")),
    ("no_words", _no_words),
    ("one_character", _one_character),
    ("repeated", _repeated),
    ("keyboard", _keyboard),
)
"""The checks in order; the first that holds says why."""
