"""Validation of conditions: what a well-formed condition says that cannot be meant.

Each check is a function from a condition, its path and what is known of the list to problems (path and message).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from negative_list import conditions as c
from negative_list.codes import expand_ranges
from negative_list.dictionary import Dictionary, Fact
from negative_list.errors import UnknownNameError, nearest
from negative_list.text import normalise
from negative_list.walk import children_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = [
    "LARGEST_DIGITS",
    "LONGEST_DAYS",
    "SHORTEST_TERM",
    "Found",
    "Known",
    "bad_codes",
    "bad_ranges",
    "condition_children",
    "condition_problems",
    "impossible_bounds",
    "items_problems",
    "unknown_fact",
]

SHORTEST_TERM = 2
"""Characters of the shortest term: a single Chinese character occurs inside too many other words."""

LARGEST_DIGITS = 15
"""Digits before the point of the largest bound, as of the largest value a fact may have."""

LONGEST_DAYS = 36_525
"""Days of the longest window, a hundred years: longer ones are meant to be ``lifetime``."""

Found: TypeAlias = "Iterator[tuple[str, str]]"
"""Problems: pairs of path and message."""

_NUMERIC = frozenset({"integer", "number", "money"})


class Known(Struct, frozen=True, kw_only=True):
    """What the checks of one rule may look up: the list's sets and the fact dictionary."""

    sets: frozenset[str]
    facts: Dictionary


def condition_children(condition: c.Condition, path: str) -> Iterator[tuple[str, c.Condition]]:
    """The conditions directly inside a condition, each with its path."""
    if isinstance(condition, (c.All, c.Any)):
        yield from ((f"{path}.of[{k}]", child) for k, child in enumerate(condition.of))
    else:
        name = "of" if isinstance(condition, c.Not) else "lines.where"
        yield from ((f"{path}.{name}", child) for child in children_of(condition))


def condition_problems(condition: c.Condition, path: str, known: Known) -> Found:
    """What is wrong with one condition, its children aside."""
    for kinds, condition_check in _CONDITION_CHECKS:
        if isinstance(condition, kinds):
            yield from condition_check(condition, path, known)


def _has_children(condition: c.All | c.Any, path: str, _known: Known) -> Found:
    if not condition.of:
        yield f"{path}.of", "`of` is empty; give it at least one condition"


def _fact_problems(condition: c.Fact, path: str, known: Known) -> Found:
    bad_name = list(unknown_fact(condition.fact, f"{path}.fact", known))
    if bad_name:
        yield from bad_name
        return
    fact = known.facts[condition.fact]
    bounded = _is_bounded(condition)
    if bool(condition.any_of) is bounded:
        yield path, "give either `any_of` or bounds (`above`, `at_least`, `below`, `at_most`)"
    if bounded and fact.type not in _NUMERIC:
        yield path, f"`{condition.fact}` is a {fact.type}, it has no bounds; use `any_of`"
    for place, value in enumerate(condition.any_of):
        yield from _value_problems(fact, value, f"{path}.any_of[{place}]")


def _value_problems(fact: Fact, value: c.Scalar, path: str) -> Found:
    if fact.type == "flag":
        if not isinstance(value, bool):
            yield path, f"`{fact.name}` is a flag; write true or false"
    elif fact.type in _NUMERIC:
        if isinstance(value, (bool, str)):
            yield path, f"`{fact.name}` is a number, `{value}` is none"
    elif not isinstance(value, str):
        yield path, f"`{fact.name}` is a {fact.type}; write `{value}` in quotes"
    elif fact.words and not fact.open and value not in fact.words:
        yield path, f"`{value}` is no value of `{fact.name}`{nearest(value, fact.words)}; use {', '.join(fact.words)}"


def _bounds_problems(condition: Any, path: str, _known: Known) -> Found:
    """Numbers are limited, and the limits leave something between them."""
    if not isinstance(condition, c.Fact) and not _is_bounded(condition):
        yield path, "no bound is given; use `above`, `at_least`, `below` or `at_most`"
    lows = [bound for bound in (condition.above, condition.at_least) if bound is not None]
    highs = [bound for bound in (condition.below, condition.at_most) if bound is not None]
    if lows and highs:
        low, high = max(lows), min(highs)
        touching = low == high and (condition.above == low or condition.below == high)
        if low > high or touching:
            yield path, f"contradictory bounds: nothing lies between {low} and {high}"


def impossible_bounds(condition: c.Condition, path: str) -> Found:
    """Bounds that no measured number comes near, ``NaN`` and infinity among them."""
    if isinstance(condition, c.Bounds):
        for name in c.Bounds.__struct_fields__:
            bound = getattr(condition, name)
            if bound is not None and not (bound.is_finite() and bound.adjusted() < LARGEST_DIGITS):
                yield f"{path}.{name}", f"`{bound}` is no limit; write a number of at most {LARGEST_DIGITS} digits"
    for child_path, child in condition_children(condition, path):
        yield from impossible_bounds(child, child_path)


def _is_bounded(condition: Any) -> bool:
    bounds = (condition.above, condition.at_least, condition.below, condition.at_most)
    return any(bound is not None for bound in bounds)


def _coded_problems(condition: c.Diagnosis | c.Operation, path: str, _known: Known) -> Found:
    if not (condition.codes or condition.terms):
        yield path, "give codes, terms or both"
    yield from bad_ranges(condition.codes, f"{path}.codes")
    yield from _bad_terms(condition.terms, f"{path}.terms")


def _lines_problems(condition: Any, path: str, known: Known) -> Found:
    lines: c.Lines = condition.lines
    yield from items_problems(lines.items, f"{path}.lines.items", known)
    yield from _window_problems(lines.window, f"{path}.lines.window")
    for place, name in enumerate(lines.same):
        where = f"{path}.lines.same[{place}]"
        yield from unknown_fact(name, where, known)
        if not name.startswith("line."):
            yield where, f"`{name}` is no fact of a line; only line facts can be the same"


def _sum_problems(condition: c.Sum, path: str, known: Known) -> Found:
    bad_name = list(unknown_fact(condition.of, f"{path}.of", known))
    yield from bad_name
    if not bad_name and (known.facts[condition.of].type not in _NUMERIC or not condition.of.startswith("line.")):
        yield f"{path}.of", f"`{condition.of}` is no number of a line; use `line.quantity` or `line.amount_fen`"


def _every_problems(condition: c.Every, path: str, known: Known) -> Found:
    yield from items_problems(condition.among, f"{path}.among", known)


def _pair_problems(condition: c.Pair, path: str, known: Known) -> Found:
    for name in ("main", "contained"):
        items = getattr(condition, name)
        if items == c.Items():
            yield f"{path}.{name}", "names no items; a pair needs both sides"
        yield from items_problems(items, f"{path}.{name}", known)
    yield from _window_problems(condition.window, f"{path}.window")


def _elapsed_problems(condition: c.Elapsed, path: str, known: Known) -> Found:
    bad_name = list(unknown_fact(condition.fact, f"{path}.fact", known))
    yield from bad_name
    if not bad_name and known.facts[condition.fact].type not in {"date", "time"}:
        yield f"{path}.fact", f"`{condition.fact}` is no time; name a date or time fact"


def _window_problems(window: c.Window, path: str) -> Found:
    counted = window.unit in {"hours", "days", "course"}
    if counted and (window.length is None or window.length < 1):
        yield f"{path}.length", f"a window of `{window.unit}` needs a `length` of at least 1"
    longest = LONGEST_DAYS * (24 if window.unit == "hours" else 1)
    if counted and window.length is not None and window.length > longest:
        yield f"{path}.length", f"longer than a hundred years; at most {longest}, or use `lifetime`"
    if not counted and window.length is not None:
        yield f"{path}.length", f"a window of `{window.unit}` has no length; take it out"
    if window.unit == "encounter" and window.whose == "patient":
        yield f"{path}.whose", "the window is one encounter; take `whose: patient` out or use `lifetime`"


def items_problems(items: c.Items, path: str, known: Known) -> Found:
    """Codes that are none, terms that find too much or nothing, unknown sets and item types."""
    for name in ("codes", "prefixes", "except_codes"):
        yield from bad_codes(getattr(items, name), f"{path}.{name}")
    yield from _bad_terms(items.names, f"{path}.names")
    for place, name in enumerate(items.sets):
        if name not in known.sets:
            yield f"{path}.sets[{place}]", f"no set `{name}` in the list{nearest(name, known.sets)}"
    words = known.facts["line.item_type"].words
    for place, word in enumerate(items.types):
        if word not in words:
            yield f"{path}.types[{place}]", f"`{word}` is no item type{nearest(word, words)}; use {', '.join(words)}"


def bad_codes(codes: Iterable[str], path: str) -> Found:
    """Codes with blanks or with characters no code has."""
    for place, code in enumerate(codes):
        if not code or not code.isascii() or not code.isprintable() or " " in code:
            yield f"{path}[{place}]", f"`{_shown(code)}` is no code; codes are letters and digits without blanks"


def _bad_terms(terms: Iterable[str], path: str) -> Found:
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


def unknown_fact(name: str, path: str, known: Known) -> Found:
    """A name the fact dictionary does not know."""
    try:
        known.facts[name]
    except UnknownNameError as error:
        yield path, str(error)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode() if not _encodable(text) else text


_GATHERING = (c.Some, c.Every, c.Count, c.Sum, c.DaysOfUse, c.Rank, c.Since, c.Overlap)
_CONDITION_CHECKS: tuple[tuple[Any, Callable[[Any, str, Known], Found]], ...] = (
    ((c.All, c.Any), _has_children),
    (c.Fact, _fact_problems),
    (c.Bounds, _bounds_problems),
    ((c.Diagnosis, c.Operation), _coded_problems),
    (_GATHERING, _lines_problems),
    (c.Sum, _sum_problems),
    (c.Every, _every_problems),
    (c.Pair, _pair_problems),
    (c.Elapsed, _elapsed_problems),
)
