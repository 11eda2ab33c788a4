"""Validation of conditions: what a well-formed condition says that cannot be meant.

Each check is a function from a condition, its path and what is known of the list to problems (path and message).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from negative_list import conditions as c
from negative_list.errors import nearest
from negative_list.validate_bounds import bounds_problems, formulas_in, impossible_numbers, is_bounded
from negative_list.validate_gathered import (
    count_problems,
    every_problems,
    lines_problems,
    pair_problems,
    rank_problems,
    sum_problems,
    visits_problems,
)
from negative_list.validate_names import NUMERIC, bad_ranges, bad_sets, bad_terms, incomparable_fact, unknown_fact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from negative_list.dictionary import Fact
    from negative_list.validate_names import Found, Kind, Known

__all__ = ["condition_children", "condition_problems", "impossible_bounds"]


def condition_children(condition: c.Condition, path: str) -> Iterator[tuple[str, c.Condition]]:
    """The conditions directly inside a condition, each with its path."""
    if isinstance(condition, (c.All, c.Any, c.AtLeast)):
        yield from ((f"{path}.of[{k}]", child) for k, child in enumerate(condition.of))
        return
    if isinstance(condition, c.Not):
        yield f"{path}.of", condition.of
        return
    selections: list[tuple[str, Any]] = [(name, getattr(condition, name, None)) for name in ("lines", "visits")]
    selections += [(f"{name}.lines", formula.lines) for name, formula in formulas_in(condition)]
    for name, selection in selections:
        if selection is not None and selection.where is not None:
            yield f"{path}.{name}.where", selection.where


def condition_problems(condition: c.Condition, path: str, known: Known) -> Found:
    """What is wrong with one condition, its children aside."""
    for kinds, condition_check in _CONDITION_CHECKS:
        if isinstance(condition, kinds):
            yield from condition_check(condition, path, known)


def impossible_bounds(condition: c.Condition, path: str) -> Found:
    """Numbers that no measured number comes near, in the condition and everything inside it."""
    yield from impossible_numbers(condition, path)
    for child_path, child in condition_children(condition, path):
        yield from impossible_bounds(child, child_path)


def _has_children(condition: c.All | c.Any | c.AtLeast, path: str, _known: Known) -> Found:
    if not condition.of:
        yield f"{path}.of", "`of` is empty; give it at least one condition"


def _at_least_problems(condition: c.AtLeast, path: str, _known: Known) -> Found:
    if condition.of and not 1 <= condition.count <= len(condition.of):
        yield f"{path}.count", f"`{condition.count}` of {len(condition.of)} conditions; write 1 to {len(condition.of)}"


# -- facts


def _fact_problems(condition: c.Fact, path: str, known: Known) -> Found:
    bad_name = list(incomparable_fact(condition.fact, f"{path}.fact", known))
    if bad_name:
        yield from bad_name
        return
    fact = known.facts[condition.fact]
    bounded = is_bounded(condition)
    if bool(condition.any_of) + bool(condition.terms) + bounded != 1:
        yield path, "give one of `any_of`, `terms` or bounds (`above`, `at_least`, `below`, `at_most`)"
    if bounded and fact.type not in NUMERIC:
        yield path, f"`{condition.fact}` is a {fact.type}, it has no bounds; use `any_of`"
    if condition.terms and fact.type not in _WORDED:
        yield f"{path}.terms", f"`{condition.fact}` is a {fact.type}, no text to look for terms in; use `any_of`"
    yield from bad_terms(condition.terms, f"{path}.terms")
    for place, value in enumerate(condition.any_of):
        yield from _value_problems(fact, value, f"{path}.any_of[{place}]")


_WORDED = frozenset({"text", "code"})
"""The types of facts terms can be looked for in."""


def _value_problems(fact: Fact, value: c.Scalar, path: str) -> Found:
    if fact.type == "flag":
        if not isinstance(value, bool):
            yield path, f"`{fact.name}` is a flag; write true or false"
    elif fact.type in NUMERIC:
        if isinstance(value, (bool, str)):
            yield path, f"`{fact.name}` is a number, `{value}` is none"
    elif not isinstance(value, str):
        yield path, f"`{fact.name}` is a {fact.type}; write `{value}` in quotes"
    elif fact.words and not fact.open and value not in fact.words:
        yield path, f"`{value}` is no value of `{fact.name}`{nearest(value, fact.words)}; use {', '.join(fact.words)}"


def _evidence_problems(condition: c.Evidence, path: str, known: Known) -> Found:
    """States that can be told apart: an age settles whether evidence is present or too old, and nothing else."""
    yield from incomparable_fact(condition.fact, f"{path}.fact", known)
    if not condition.states:
        yield f"{path}.states", "no state is named; use present, absent or too_old"
    ages = {name: getattr(condition, name) for name in ("max_age_hours", "max_age_days")}
    given = [name for name, age in ages.items() if age is not None]
    for name in given:
        if ages[name] < 0:
            yield f"{path}.{name}", f"`{ages[name]}` is no age; write 0 or more"
    if given and set(condition.states) == {"absent"}:
        yield f"{path}.{given[0]}", "what is absent has no age; take it out, or name `present` or `too_old`"
    if not given and "too_old" in condition.states:
        yield f"{path}.states", "nothing is too old without an age; give `max_age_hours` or `max_age_days`"


def _elapsed_problems(condition: c.Elapsed, path: str, known: Known) -> Found:
    bad_name = list(unknown_fact(condition.fact, f"{path}.fact", known))
    yield from bad_name
    if not bad_name and known.facts[condition.fact].type not in {"date", "time"}:
        yield f"{path}.fact", f"`{condition.fact}` is no time; name a date or time fact"


def _coded_problems(condition: c.Diagnosis | c.Operation, path: str, known: Known) -> Found:
    if not (condition.codes or condition.sets or condition.terms):
        yield path, "give codes, sets or terms"
    kind: Kind = "diagnoses" if isinstance(condition, c.Diagnosis) else "operations"
    yield from bad_ranges(condition.codes, f"{path}.codes")
    yield from bad_sets(condition.sets, f"{path}.sets", kind, known)
    yield from bad_terms(condition.terms, f"{path}.terms")


_CONDITION_CHECKS: tuple[tuple[Any, Callable[[Any, str, Known], Found]], ...] = (
    ((c.All, c.Any, c.AtLeast), _has_children),
    (c.AtLeast, _at_least_problems),
    (c.Fact, _fact_problems),
    (c.Evidence, _evidence_problems),
    (c.Bounds, bounds_problems),
    ((c.Diagnosis, c.Operation), _coded_problems),
    ((c.Some, c.Every, c.Overlap, c.Bounds), lines_problems),
    (c.Count, count_problems),
    (c.Sum, sum_problems),
    (c.Rank, rank_problems),
    (c.Every, every_problems),
    (c.Pair, pair_problems),
    (c.Elapsed, _elapsed_problems),
    ((c.VisitCount, c.SinceVisit), visits_problems),
)
