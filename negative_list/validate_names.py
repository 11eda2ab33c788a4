"""Names in a list that mean nothing: facts, codes, terms and sets that no line or diagnosis can have.

Each check is a function from names, their path and what is known of the list to problems (path and message).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from negative_list.codes import expand_ranges
from negative_list.dictionary import Dictionary
from negative_list.errors import UnknownNameError, nearest
from negative_list.text import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from negative_list import conditions as c

__all__ = [
    "NUMERIC",
    "SHORTEST_TERM",
    "Found",
    "Kind",
    "Known",
    "bad_codes",
    "bad_ranges",
    "bad_sets",
    "bad_terms",
    "incomparable_fact",
    "items_problems",
    "kinds_of",
    "line_fact",
    "line_number",
    "unknown_fact",
]

SHORTEST_TERM = 2
"""Characters of the shortest term: a single Chinese character occurs inside too many other words."""

NUMERIC = frozenset({"integer", "number", "money"})
"""The types of facts that have bounds and can be summed."""

Found: TypeAlias = "Iterator[tuple[str, str]]"
"""Problems: pairs of path and message."""

Kind: TypeAlias = Literal["items", "diagnoses", "operations"]
"""What codes are codes of."""


class Known(Struct, frozen=True, kw_only=True):
    """What the checks of one rule may look up: the list's sets, the fact dictionary, and every rule's overrides.

    ``sets`` gives for each set an example of each kind of code it holds.
    """

    sets: Mapping[str, Mapping[Kind, str]]
    facts: Dictionary
    overrides: Mapping[str, tuple[str, ...]]


def kinds_of(codes: Iterable[str]) -> dict[Kind, str]:
    """The first of the codes of each kind: what ICD accepts is a diagnosis or an operation, all else an item."""
    found: dict[Kind, str] = {}
    for code in codes:
        found.setdefault(_kind_of(code), code)
    return found


_LONGEST_ICD = 15
"""Characters of the longest code or range of ICD; most item codes are longer, and a city's sets hold 400,000."""


def _kind_of(code: str) -> Kind:
    if len(code) > _LONGEST_ICD:
        return "items"
    try:
        expand_ranges((code,))
    except ValueError:
        return "items"
    return "operations" if code.strip()[:1].isdigit() else "diagnoses"


def unknown_fact(name: str, path: str, known: Known) -> Found:
    """A name the fact dictionary does not know."""
    try:
        known.facts[name]
    except UnknownNameError as error:
        yield path, str(error)


def incomparable_fact(name: str, path: str, known: Known) -> Found:
    """A name the dictionary does not know, or one of a record's own parts, which are never among the facts."""
    bad_name = list(unknown_fact(name, path, known))
    yield from bad_name
    if not bad_name and not known.facts[name].settable:
        way = _WAYS.get(name, "name a fact of the patient, the encounter or the line")
        yield path, f"`{name}` is a record, no fact to compare; {way}"


_WAYS = {
    "line.code": "use `line.generic`, or say which `items`",
    "line.name": "use `line.generic`, or say which `items` by their `names`",
    "line.begins": "say it with a `window`",
    "line.stops": "say it with `line.days`, `overlap` or a `window` of `in_use`",
    "line.current": "say it with `state`",
}
"""How to say what records of lines are wanted for."""


def line_fact(name: str, path: str, known: Known, use: str) -> Found:
    """A name that is no fact of a line; ``use`` says what only line facts can be."""
    yield from incomparable_fact(name, path, known)
    if not name.startswith("line."):
        yield path, f"`{name}` is no fact of a line; only line facts can be {use}"


def line_number(name: str, path: str, known: Known) -> Found:
    """A name that is no number of a line."""
    bad_name = list(unknown_fact(name, path, known))
    yield from bad_name
    if not bad_name and (known.facts[name].type not in NUMERIC or not name.startswith("line.")):
        yield path, f"`{name}` is no number of a line; use `line.quantity` or `line.amount_fen`"


def items_problems(items: c.Items, path: str, known: Known) -> Found:
    """Codes that are none, terms that find too much or nothing, unknown sets and item types."""
    for name in ("codes", "prefixes", "except_codes"):
        yield from bad_codes(getattr(items, name), f"{path}.{name}")
    for name in ("names", "except_names"):
        yield from bad_terms(getattr(items, name), f"{path}.{name}")
    yield from bad_sets(items.sets, f"{path}.sets", "items", known)
    words = known.facts["line.item_type"].words
    for place, word in enumerate(items.types):
        if word not in words:
            yield f"{path}.types[{place}]", f"`{word}` is no item type{nearest(word, words)}; use {', '.join(words)}"


def bad_sets(names: Iterable[str], path: str, kind: Kind, known: Known) -> Found:
    """Sets nobody defined, and sets with codes of another kind than they are used for."""
    for place, name in enumerate(names):
        if name not in known.sets:
            yield f"{path}[{place}]", f"no set `{name}` in the list{nearest(name, known.sets)}"
            continue
        others = {other: code for other, code in known.sets[name].items() if other != kind}
        for other, code in others.items():
            message = f"set `{name}` is used for {kind}, but `{code}` is a code of {other}; make it a set of its own"
            yield f"{path}[{place}]", message


def bad_codes(codes: Iterable[str], path: str) -> Found:
    """Codes with blanks or with characters no code has."""
    for place, code in enumerate(codes):
        if not code or not code.isascii() or not code.isprintable() or " " in code:
            yield f"{path}[{place}]", f"`{_shown(code)}` is no code; codes are letters and digits without blanks"


def bad_terms(terms: Iterable[str], path: str) -> Found:
    """Terms that find too much, or that no text can hold."""
    for place, term in enumerate(terms):
        where = f"{path}[{place}]"
        if not _encodable(term):
            yield where, f"term `{_shown(term)}` cannot be written in UTF-8; write it again"
        elif len(normalise(term)) < SHORTEST_TERM:
            yield (
                where,
                f"term `{term}` is shorter than {SHORTEST_TERM} characters; it would be found inside other words",
            )


def bad_ranges(codes: Iterable[str], path: str) -> Found:
    """Codes and ranges of diagnoses or operations that are none."""
    for place, code in enumerate(codes):
        try:
            expand_ranges((code,))
        except ValueError as error:
            yield f"{path}[{place}]", str(error)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode() if not _encodable(text) else text
