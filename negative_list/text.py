"""One normalisation for terms and texts, and what a diagnosis name states.

Terms and texts are compared only after :func:`normalise`. A diagnosis name is read clause by clause
(:func:`clauses`), because a doctor writes "高血压，糖尿病待排" in one field. A term occurs in a clause
(:func:`occurs`) as a piece of text that is not part of another word: :func:`bounded` says what that means.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal, TypeAlias

__all__ = ["REMEMBERED_LENGTH", "Statement", "bounded", "clauses", "normalise", "occurs", "of_term", "statement"]

Statement: TypeAlias = Literal["present", "doubtful", "past", "family", "denied"]
"""What a clause says of the disease it names; ``family``: somebody else of the family has or had it."""

REMEMBERED_LENGTH = 200
"""Longest text whose reading is kept, in characters, so that memory stays a few megabytes whatever is sent."""

_SEPARATORS = re.compile(r"[,;、。/\n\r]+")
_DROPPED = re.compile(r"\s+")
_BRACKETS = str.maketrans("[]{}【】〔〕〈〉「」﹙﹚", "()()()()()()()")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−－~～〜", "-"))
# Invisible ones come with text copied from pages: zero-width blanks and joiners, byte order marks, soft hyphens.
_INVISIBLE = (0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
_CONTROLS = dict.fromkeys((*(n for n in range(0x20) if chr(n) not in "\t\n\r"), *range(0x7F, 0xA0), *_INVISIBLE))

# The words that change what a name states, strongest doubt first: "待排除" is doubt, bare "排除" a denial.
_STATEMENTS: tuple[tuple[Statement, re.Pattern[str]], ...] = (
    (
        "doubtful",
        re.compile(
            r"\?|待排|待查|待除外|待鉴别|疑似|可疑|疑诊|疑为|^疑(?!病|难)|可能|不除外|不能除外|不排除|不能排除|未排除|未除外"
        ),
    ),
    ("denied", re.compile(r"否认|排除|除外")),
    ("family", re.compile(r"家族史")),
    # "史" counts only where the word ends: 史蒂文斯-约翰逊综合征 is a disease, not a history.
    ("past", re.compile(r"病史|既往|史(?=$|[()])")),
)


@cache
def _to_simplified() -> dict[int, str]:
    """Traditional to simplified, character by character, from OpenCC's table (first form where it gives several)."""
    rows = files("opencc").joinpath("dictionary", "TSCharacters.txt").read_text("utf-8").splitlines()
    pairs = (row.split("\t") for row in rows if "\t" in row)
    return {ord(old): new.split(" ")[0] for old, new in pairs if len(old) == 1}


def _fold(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).lower().translate(_CONTROLS)
    if not folded.isascii():
        folded = folded.translate(_to_simplified()).translate(_BRACKETS)
    return folded.translate(_DASHES)


def normalise(text: str) -> str:
    """The form in which terms and texts are compared.

    NFKC (full width, Roman numerals, compatibility forms), lower case, traditional to simplified character by
    character, one kind of bracket and dash, no white space, no control or invisible characters.
    """
    return _normalised(text) if len(text) <= REMEMBERED_LENGTH else _normalised.__wrapped__(text)


@lru_cache(maxsize=8192)
def _normalised(text: str) -> str:
    return _DROPPED.sub("", _fold(text))


def statement(clause: str) -> Statement:
    """What a normalised clause says of the disease it names."""
    for stated, pattern in _STATEMENTS:
        if pattern.search(clause):
            return stated
    return "present"


def clauses(name: str) -> tuple[tuple[str, Statement], ...]:
    """The clauses of a diagnosis or item name, each normalised and with what it states.

    An empty name has no clauses.
    """
    return _clauses(name) if len(name) <= REMEMBERED_LENGTH else _clauses.__wrapped__(name)


@lru_cache(maxsize=8192)
def _clauses(name: str) -> tuple[tuple[str, Statement], ...]:
    parts = (_DROPPED.sub("", part) for part in _SEPARATORS.split(_fold(name)))
    return tuple((part, statement(part)) for part in parts if part)


def of_term(stated: Statement, term: str) -> Statement:
    """What a clause states of one term in it: one that names the history itself ("青霉素过敏史") is simply stated."""
    return "present" if stated in {"past", "family"} and term.endswith("史") else stated


def bounded(clause: str, start: int, end: int) -> bool:
    """Whether ``clause[start:end]`` stands for itself: no Latin letter or digit runs on, and no "非" negates it.

    "非小细胞肺癌" does not hold "小细胞肺癌", "MDS" does not hold "MD". Chinese has no word borders to look at.
    """
    before, after = clause[start - 1 : start], clause[end : end + 1]
    if before == "非":
        return False
    return not (_runs_on(before, clause[start]) or _runs_on(clause[end - 1], after))


def _runs_on(left: str, right: str) -> bool:
    """Whether two neighbours belong to one Latin word or number."""
    return left.isascii() and left.isalnum() and right.isascii() and right.isalnum()


def occurs(term: str, clause: str) -> bool:
    """Whether a normalised term occurs in a normalised clause: the plain way, for reading and for checking."""
    start = clause.find(term)
    while start >= 0:
        if bounded(clause, start, start + len(term)):
            return True
        start = clause.find(term, start + 1)
    return False
