"""The disease table: names doctors and payers write, with their ICD-10 categories, and finding them in a text.

``diseases.tsv`` is our own compilation over every chapter of ICD-10 (its header names the sources). A row's codes
are the categories, codes and ranges under which hospitals file that disease; they are drawn wide on purpose, because
a rule made from them says who is *outside* an indication.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import ahocorasick
from msgspec import Struct

from negative_list.text import bounded, normalise

__all__ = ["Disease", "Mention", "disease", "diseases", "mentions"]


class Disease(Struct, frozen=True, kw_only=True):
    """One row: a name, other names, ICD-10 categories (``E11``), codes (``M80.0``), ranges (``J09-J11``), chapter."""

    name: str
    synonyms: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    chapter: int = 0

    @property
    def terms(self) -> tuple[str, ...]:
        """Name and synonyms, the name first."""
        return (self.name, *self.synonyms)


class Mention(Struct, frozen=True, kw_only=True):
    """A disease named in a normalised text, from ``start`` up to ``end``."""

    start: int
    end: int
    disease: Disease


@cache
def diseases() -> tuple[Disease, ...]:
    """Every row of the table, in its order."""
    text = files("negative_list").joinpath("diseases.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return tuple(_row(row) for row in rows if row[0] != "name")


def _row(row: list[str]) -> Disease:
    name, synonyms, codes, chapter = row
    return Disease(
        name=name,
        synonyms=tuple(s for s in synonyms.split("|") if s),
        codes=tuple(codes.split()),
        chapter=int(chapter),
    )


@cache
def _by_term() -> dict[str, Disease]:
    return {normalise(term): row for row in reversed(diseases()) for term in reversed(row.terms)}


def disease(term: str) -> Disease | None:
    """The row that holds ``term`` as its name or a synonym, or ``None``."""
    return _by_term().get(normalise(term))


@cache
def _automaton() -> ahocorasick.Automaton:
    automaton = ahocorasick.Automaton()
    for term, row in _by_term().items():
        automaton.add_word(term, (len(term), row))
    automaton.make_automaton()
    return automaton


def mentions(text: str) -> tuple[Mention, ...]:
    """The diseases a *normalised* text names, leftmost and longest first, none overlapping another."""
    return tuple(_leftmost(sorted(_hits(text), key=lambda m: (m.start, -m.end))))


def _hits(text: str) -> Iterator[Mention]:
    for last, (length, row) in _automaton().iter(text):
        start, end = last + 1 - length, last + 1
        if bounded(text, start, end):
            yield Mention(start=start, end=end, disease=row)


def _leftmost(found: list[Mention]) -> Iterator[Mention]:
    end = 0
    for mention in found:
        if mention.start >= end:
            yield mention
            end = mention.end
