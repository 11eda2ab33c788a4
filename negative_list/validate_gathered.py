"""Validation of what conditions gather: lines, windows, other encounters, and what is counted of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from negative_list import conditions as c
from negative_list.errors import nearest
from negative_list.validate_bounds import formulas_in
from negative_list.validate_names import incomparable_fact, items_problems, line_fact, line_number
from negative_list.walk import children_of

if TYPE_CHECKING:
    from negative_list.validate_names import Found, Known

__all__ = [
    "LONGEST_DAYS",
    "count_problems",
    "every_problems",
    "lines_problems",
    "pair_problems",
    "rank_problems",
    "sum_problems",
    "visits_problems",
]

LONGEST_DAYS = 36_525
"""Days of the longest window, a hundred years: longer ones are meant to be ``lifetime``."""

_NEEDS_LENGTH = frozenset({"hours", "days", "course", "first_use"})
_HAS_LENGTH = _NEEDS_LENGTH | {"in_use"}
_OF_LINES_ONLY = frozenset({"encounter", "course", "in_use", "first_use"})
_OF_A_VISIT = (c.Fact, c.Age, c.Diagnosis, c.Operation, c.All, c.Any, c.Not, c.AtLeast)


def lines_problems(condition: Any, path: str, known: Known) -> Found:
    """What is gathered can be: the condition's own lines, and those its limits are worked out from."""
    if getattr(condition, "lines", None) is not None:
        yield from _lines_problems(condition.lines, f"{path}.lines", known)
    for name, formula in formulas_in(condition):
        if formula.lines is not None:
            yield from _lines_problems(formula.lines, f"{path}.{name}.lines", known)


def _lines_problems(lines: c.Lines, path: str, known: Known) -> Found:
    yield from items_problems(lines.items, f"{path}.items", known)
    yield from _window_problems(lines.window, f"{path}.window")
    for place, name in enumerate(lines.same):
        yield from line_fact(name, f"{path}.same[{place}]", known, "the same")
    for place, name in enumerate(lines.different):
        where = f"{path}.different[{place}]"
        yield from line_fact(name, where, known, "different")
        if name in lines.same:
            yield where, f"`{name}` cannot be the same and different; take one out"


def _window_problems(window: c.Window, path: str) -> Found:
    length = window.length
    if window.unit in _NEEDS_LENGTH and (length is None or length < 1):
        yield f"{path}.length", f"a window of `{window.unit}` needs a `length` of at least 1"
    if window.unit == "in_use" and (length or 0) < (1 if window.ends == "open" else 0):
        yield f"{path}.length", "a window of `in_use` has a `length` of at least 0, of at least 1 with `ends: open`"
    longest = LONGEST_DAYS * (24 if window.unit == "hours" else 1)
    if window.unit in _HAS_LENGTH and length is not None and length > longest:
        yield f"{path}.length", f"longer than a hundred years; at most {longest}, or use `lifetime`"
    if window.unit not in _HAS_LENGTH and length is not None:
        yield f"{path}.length", f"a window of `{window.unit}` has no length; take it out"
    if window.unit == "encounter" and window.whose != "encounter":
        yield f"{path}.whose", f"the window is one encounter; take `whose: {window.whose}` out or use `lifetime`"


def count_problems(condition: c.Count, path: str, known: Known) -> Found:
    """What is counted is a line, an item, a day, or the values of a line fact."""
    if condition.by not in {"line", "item", "day"}:
        yield from line_fact(condition.by, f"{path}.by", known, "counted, or `line`, `item` and `day`")


def sum_problems(condition: c.Sum, path: str, known: Known) -> Found:
    """What is summed is a number of a line, and no weight takes away from it."""
    yield from line_number(condition.of, f"{path}.of", known)
    for place, weight in enumerate(condition.weights):
        where = f"{path}.weights[{place}]"
        yield from items_problems(weight.items, f"{where}.items", known)
        if weight.weight < 0:
            yield f"{where}.weight", f"`{weight.weight}` takes away from the sum; write 0 or more"


def rank_problems(condition: c.Rank, path: str, known: Known) -> Found:
    """Places are counted by lines or in a number of a line."""
    if condition.of:
        yield from line_number(condition.of, f"{path}.of", known)


def every_problems(condition: c.Every, path: str, known: Known) -> Found:
    """The items every line is one of can be meant."""
    yield from items_problems(condition.among, f"{path}.among", known)


def pair_problems(condition: c.Pair, path: str, known: Known) -> Found:
    """Both sides name items."""
    for name in ("main", "contained"):
        items = getattr(condition, name)
        if items == c.Items():
            yield f"{path}.{name}", "names no items; a pair needs both sides"
        yield from items_problems(items, f"{path}.{name}", known)
    yield from _window_problems(condition.window, f"{path}.window")


# -- other encounters


def visits_problems(condition: Any, path: str, known: Known) -> Found:
    """Encounters are told apart by what encounters have, in windows that encounters lie in."""
    visits: c.Visits = condition.visits
    path = f"{path}.visits"
    words = known.facts["encounter.visit_mode"].words
    for place, mode in enumerate(visits.modes):
        if mode not in words:
            yield f"{path}.modes[{place}]", f"`{mode}` is no visit mode{nearest(mode, words)}; use {', '.join(words)}"
    yield from _visit_window_problems(visits.window, f"{path}.window")
    for field in ("same", "different"):
        for place, name in enumerate(getattr(visits, field)):
            yield from _encounter_fact(name, f"{path}.{field}[{place}]", known)
    if visits.where is not None:
        yield from _of_a_visit(visits.where, f"{path}.where")


def _visit_window_problems(window: c.Window, path: str) -> Found:
    if window.unit in _OF_LINES_ONLY:
        yield (
            f"{path}.unit",
            f"encounters lie in no window of `{window.unit}`; use `days`, a calendar unit or `lifetime`",
        )
    else:
        yield from _window_problems(window, path)
    if window.whose == "encounter":
        yield f"{path}.whose", "other encounters are not the current one's; write `whose: patient` or `institution`"


def _encounter_fact(name: str, path: str, known: Known) -> Found:
    yield from incomparable_fact(name, path, known)
    if not name.startswith("encounter."):
        yield path, f"`{name}` is no fact of an encounter; encounters are told apart by their own facts"


def _of_a_visit(condition: c.Condition, path: str) -> Found:
    """What is asked of another encounter is what is known of it: no lines, no trigger line, no further encounters."""
    lines = any(formula.lines is not None or formula.fact.startswith("line.") for _, formula in formulas_in(condition))
    of_line = isinstance(condition, c.Fact) and condition.fact.startswith("line.")
    if lines or of_line or not isinstance(condition, _OF_A_VISIT):
        yield path, "of another encounter only facts, ages, diagnoses and operations are known; ask for those"
        return
    for child in children_of(condition):
        yield from _of_a_visit(child, path)
