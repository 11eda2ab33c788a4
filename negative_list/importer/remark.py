"""The payer's remark as text to read: folded for matching, with what was read taken out, and cut into its parts.

A remark is read by taking pieces out of it. What is left when everybody has read is what nobody understood; it is
reported in the author's own characters, so folding keeps the way back to them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from negative_list.text import normalise

__all__ = ["TAKEN", "Alternatives", "Reader", "numbered_items", "split"]

TAKEN = "\x00"
"""Stands in a reader's text for every character already read; no remark holds it."""

_CIRCLED = {ord(c): f"{n}." for n, c in enumerate("①②③④⑤⑥⑦⑧⑨⑩", 1)}
_QUOTES = str.maketrans(dict.fromkeys("“”‘’\"'`", ""))


class Reader:
    """A stretch of a remark that is being read.

    ``text`` is folded (:func:`negative_list.text.normalise`, circled numbers opened, quotation marks dropped) with
    :data:`TAKEN` where something was read already; ``origin`` is the place in ``source`` of each of its characters.
    """

    def __init__(self, source: str, *, origin: list[int] | None = None, text: str | None = None) -> None:
        pieces = [] if text is not None else [_folded(char) for char in source]
        self.source = source
        self.text = "".join(pieces) if text is None else text
        self.origin = origin or [place for place, piece in enumerate(pieces) for _ in piece]

    def part(self, start: int, end: int) -> Reader:
        """A reader of ``text[start:end]`` alone, with what was taken so far."""
        return Reader(self.source, origin=self.origin[start:end], text=self.text[start:end])

    def original(self, start: int, end: int) -> str:
        """``text[start:end]`` in the characters of the remark."""
        if start >= end:
            return ""
        return self.source[self.origin[start] : self.origin[end - 1] + 1].strip()

    def take(self, start: int, end: int) -> None:
        """Mark ``text[start:end]`` as read."""
        self.text = f"{self.text[:start]}{TAKEN * (end - start)}{self.text[end:]}"

    def took(self, pattern: re.Pattern[str]) -> bool:
        """Take every match of ``pattern``, and say whether there was one."""
        return sum(1 for _ in self.takes(pattern)) > 0

    def takes(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Every match of ``pattern`` in what is not read yet, taken as it is given."""
        place = 0
        while match := pattern.search(self.text, place):
            place = max(match.end(), place + 1)
            if match.group():
                self.take(*match.span())
                yield match


def _folded(char: str) -> str:
    return "。" if char == "\n" else normalise(char.translate(_CIRCLED).translate(_QUOTES))


class Alternatives(Struct, frozen=True, kw_only=True):
    """A remark cut up: ``branches`` of which one must hold, and ``common`` parts that must hold in every case."""

    branches: tuple[Reader, ...]
    common: tuple[Reader, ...] = ()
    numbered: bool = False


_TOGETHER = re.compile(r"同时(?:符合|满足|具备)|(?:均|都)需?(?:符合|满足)|以下(?:全部|所有)条件")
_SENTENCE = re.compile(r"[^。]+")
_CLAUSE = re.compile(r"[^;。]+")
_HEADING = re.compile(r"[^:;]{4,}:(?=[^;]+;)")
_OPENING = re.compile(r"^(?:限|仅限|仅)")


def split(remark: Reader) -> Alternatives:
    """Cut a remark at its own numbering, else at its semicolons and full stops.

    Numbered parts ("1.…；2.…") are alternatives unless their heading says all must be met together. Without numbers,
    the parts of the first sentence (after its heading and colon, where it has one) are alternatives, and so is every
    later sentence that begins with 限 and restricts anew; what else follows is common to all.
    """
    lists = _lists(remark.text)
    if not lists:
        return _unnumbered(remark)
    branches: list[Reader] = []
    common: list[Reader] = []
    done = 0
    for items in lists:
        heading = remark.part(done, items[0][0])
        done = items[-1][2]
        parts = [remark.part(begin, end) for _, begin, end in items]
        (common if _TOGETHER.search(heading.text) else branches).extend(parts)
        common.append(heading)
    common.append(remark.part(done, len(remark.text)))
    return Alternatives(branches=tuple(branches), common=tuple(c for c in common if c.text), numbered=True)


def numbered_items(part: Reader) -> list[Reader]:
    """The heading and the items of the list inside a part; empty where there is none."""
    lists = _lists(part.text)
    if not lists:
        return []
    heading = part.part(0, lists[0][0][0])
    return [heading, *(part.part(begin, end) for _, begin, end in lists[0])]


def _lists(text: str) -> list[list[tuple[int, int, int]]]:
    """The numbered lists of a text: for each item where its number begins, where the number ends, and where the item.

    An item runs to the next number; the last one to the full stop. "1.1月龄" is number 1 and an age, "1.5" none.
    """
    found: list[list[tuple[int, int, int]]] = []
    place = 0
    while (starts := _numbers(text, place)) and len(starts) > 1:
        stop = text.find("。", starts[-1][1])
        ends = [start for start, _ in starts[1:]] + [stop if stop >= 0 else len(text)]
        found.append([(mark, begin, end) for (mark, begin), end in zip(starts, ends, strict=True)])
        place = ends[-1]
    return found


def _numbers(text: str, place: int) -> list[tuple[int, int]]:
    """Where the numbers 1, 2, 3... of the first list after ``place`` stand, from their digit to after their mark.

    All are marked alike, so the "(3)" of a list inside an item does not continue the list around it.
    """
    starts: list[tuple[int, int]] = []
    style: tuple[str, ...] = _STYLES
    while match := _number(len(starts) + 1, style).search(text, place):
        restart = _number(1, style).search(text, place) if starts else None
        if restart and restart.start() < match.start():
            break
        style = _style(match["mark"])
        starts.append(match.span("mark"))
        place = match.end()
    return starts


_STYLES = (r"\({}\)", r"{}\.", r"{}\)", r"{}、")


def _style(mark: str) -> tuple[str, ...]:
    return next((s,) for s in _STYLES if re.fullmatch(s.format(r"\d+"), mark))


def _number(n: int, styles: tuple[str, ...]) -> re.Pattern[str]:
    marks = "|".join(style.format(n) for style in styles)
    return re.compile(rf"(?:^|(?<=[:;。,限的]))(?P<mark>{marks})")


def _unnumbered(remark: Reader) -> Alternatives:
    branches: list[Reader] = []
    common: list[Reader] = []
    for sentence in _SENTENCE.finditer(remark.text):
        opens = not branches or _OPENING.search(sentence.group())
        heading = _HEADING.match(sentence.group())
        begin = sentence.start() + (heading.end() if heading else 0)
        if heading:
            common.append(remark.part(sentence.start(), begin))
        for clause in _CLAUSE.finditer(remark.text, begin, sentence.end()):
            (branches if opens else common).append(remark.part(*clause.span()))
    return Alternatives(branches=tuple(branches), common=tuple(common))
