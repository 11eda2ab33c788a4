"""The terms of a list, found in texts through Aho-Corasick automata.

Terms are distinct normalised texts. They are kept in shards so that no load step takes long; a text is searched in
each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ahocorasick

from negative_list.text import REMEMBERED_LENGTH, Statement, bounded, clauses, normalise, of_term

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping
    from typing import Any

__all__ = ["SHARD_TERMS", "Terms", "automaton", "shards_of"]

SHARD_TERMS = 2_000
"""Terms in one automaton: the longest step of building it holds the interpreter for some 2 ms, letting it go for half
of one. A text is searched in each, which takes some microseconds more for each."""

REMEMBERED_NAMES = 4_096
"""Names whose terms are kept; a hospital's daily diagnosis and item names are far fewer."""


class Terms:
    """An immutable set of terms with a search.

    Args:
        terms: normalised terms; empty ones are refused by validation and ignored here.
    """

    __slots__ = ("_remembered", "_shards")

    def __init__(self, terms: Iterable[str] = ()) -> None:
        self._shards = tuple(_at_once(shard) for shard in shards_of(terms))
        self._remembered: dict[str, Mapping[Statement, frozenset[str]]] = {}

    @classmethod
    def of_automata(cls, shards: Iterable[Any]) -> Terms:
        """The terms of automata (:func:`automaton`), no term in two."""
        terms = cls()
        terms._shards = tuple(shards)
        return terms

    def __len__(self) -> int:
        """Number of distinct terms."""
        return sum(map(len, self._shards))

    def in_text(self, text: str) -> Iterator[str]:
        """Every term that occurs in a normalised text, longest and shortest alike, some perhaps more than once."""
        for shard in self._shards:
            for end, term in shard.iter(text):
                if bounded(text, end - len(term) + 1, end + 1):
                    yield term

    def in_name(self, name: str) -> Mapping[Statement, frozenset[str]]:
        """The terms in a diagnosis name, by what their clauses state."""
        found = self._remembered.get(name)
        if found is None:
            found = self._read(name)
            self._remember(name, found)
        return found

    def remembered(self) -> tuple[str, ...]:
        """The diagnosis names whose terms are kept just now."""
        return tuple(self._remembered)

    def in_item(self, name: str) -> frozenset[str]:
        """Every term in an item name."""
        return frozenset(self.in_text(normalise(name)))

    def _read(self, name: str) -> Mapping[Statement, frozenset[str]]:
        found: dict[Statement, set[str]] = {}
        for clause, stated in clauses(name):
            for term in self.in_text(clause):
                found.setdefault(of_term(stated, term), set()).add(term)
        return {stated: frozenset(terms) for stated, terms in found.items()}

    def _remember(self, name: str, found: Mapping[Statement, frozenset[str]]) -> None:
        if len(name) > REMEMBERED_LENGTH:
            return
        if len(self._remembered) >= REMEMBERED_NAMES:
            self._remembered.clear()
        self._remembered[name] = found


def shards_of(terms: Iterable[str]) -> Iterator[list[str]]:
    """The distinct terms, sorted, as many at a time as go into one automaton."""
    distinct = sorted(set(terms) - {""})
    for start in range(0, len(distinct), SHARD_TERMS):
        yield distinct[start : start + SHARD_TERMS]


def automaton(terms: list[str]) -> Generator[None, None, Any]:
    """An automaton of distinct terms, built in two steps that hold the interpreter for about as long."""
    built = ahocorasick.Automaton()
    for term in terms:
        built.add_word(term, term)
    yield
    built.make_automaton()
    return built


def _at_once(terms: list[str]) -> Any:
    steps = automaton(terms)
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            return ended.value
