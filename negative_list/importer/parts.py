"""From what was read to conditions: the parts a remark demands, each as the condition that it holds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from negative_list.conditions import (
    All,
    Any,
    Condition,
    Diagnosis,
    Elapsed,
    Fact,
    Items,
    Lines,
    Not,
    Some,
    Window,
)

if TYPE_CHECKING:
    from negative_list.diseases import Disease
    from negative_list.importer.indications import Branch, Remark
    from negative_list.importer.limits import Level

__all__ = [
    "EVIDENCE",
    "MET",
    "Demand",
    "all_of",
    "demand",
    "denied",
    "diagnosed",
    "flagged",
    "level_met",
    "no",
    "one_of",
    "words",
]

EVIDENCE = "line.first_line_used"
"""The fact that carries an earlier treatment: the national interface's 半年内用过一线用药."""

MET = "line.payment_condition_met"
"""The fact a doctor answers where no other fact carries a side condition."""


class Demand(Struct, frozen=True, kw_only=True):
    """What a remark demands together: the condition that it is met, and the facts worth asking for."""

    met: Condition
    ask: tuple[str, ...] = ()


def words(fact: str, *values: int | str) -> Fact:
    """The fact has one of the values."""
    return Fact(fact=fact, any_of=values)


def flagged(fact: str) -> Fact:
    """The flag is set."""
    return Fact(fact=fact, any_of=(True,))


def denied(fact: str) -> Fact:
    """The flag is known not to be set."""
    return Fact(fact=fact, any_of=(False,))


def one_of(children: Iterable[Condition]) -> Condition:
    """Any of the children; a single child stands for itself."""
    of = tuple(dict.fromkeys(children))
    return of[0] if len(of) == 1 else Any(of=of)


def all_of(children: Iterable[Condition]) -> Condition:
    """All of the children; a single child stands for itself."""
    of = tuple(dict.fromkeys(children))
    return of[0] if len(of) == 1 else All(of=of)


def no(child: Condition) -> Condition:
    """The child does not hold."""
    return child.of if isinstance(child, Not) else Not(of=child)


@cache
def diagnosed(rows: tuple[Disease, ...]) -> Diagnosis:
    """One of the diseases is diagnosed, by its codes or by any of its names. Shared by all rules that ask the same."""
    return Diagnosis(
        codes=tuple(dict.fromkeys(code for row in rows for code in row.codes)),
        terms=tuple(dict.fromkeys(term for row in rows for term in row.terms)),
    )


def level_met(level: Level) -> Condition:
    """The institution has the level, or this is not the first prescription where only that one asks for it."""
    enough = Fact(fact="encounter.institution_level", at_least=Decimal(level.at_least))
    return Any(of=(enough, denied("line.first_prescription"))) if level.first else enough


def demand(remark: Remark, items: Items, lifted: frozenset[str]) -> Demand | None:
    """The indication of a remark: one branch holds, and the common part. ``None`` where it demands nothing.

    ``lifted`` names the parts (fields of :class:`Branch`) that rules of their own judge.
    """
    branches = [_branch(branch, items, lifted) for branch in remark.branches]
    common = _branch(remark.common, items, lifted)
    met = list(common)
    if all(branches):
        met.insert(0, one_of(all_of(branch) for branch in branches))
    return Demand(met=all_of(met), ask=tuple(_asked(remark, lifted))) if met else None


def _branch(branch: Branch, items: Items, lifted: frozenset[str]) -> list[Condition]:
    """Every condition of one branch, those that a rule of its own judges left out."""
    met: list[Condition] = []
    if branch.diseases or branch.states:
        states = [flagged(state) for state in branch.states]
        ask = [flagged(MET)] if branch.unlisted else []
        met.append(one_of([*([diagnosed(branch.diseases)] if branch.diseases else []), *states, *ask]))
    if branch.excluded:
        met.extend(Not(of=shut_out) for shut_out in _shut_out(branch.excluded))
    if branch.insurance and "insurance" not in lifted:
        met.append(words("encounter.insurance", *branch.insurance))
    if branch.ages and "ages" not in lifted:
        met.append(branch.ages.condition())
    if branch.sex and "sex" not in lifted:
        met.append(words("patient.sex", branch.sex))
    if branch.level and "level" not in lifted:
        met.append(level_met(branch.level))
    if branch.modes and "modes" not in lifted:
        met.append(words("encounter.visit_mode", *branch.modes))
    met.extend(branch.measures)
    met.extend(_evidence(branch, items, lifted))
    return met


_SEVERE = re.compile("(?:严重|重度)(?P<organ>肝|肾)脏?功能(?:不全|损害|损伤|障碍)")
_ORGANS = {"肝": "encounter.liver_insufficiency", "肾": "encounter.kidney_insufficiency"}


def _shut_out(rows: tuple[Disease, ...]) -> Iterable[Condition]:
    """What shuts a patient out: diseases; the degree of a liver or kidney insufficiency by the fact that tells it."""
    found = [(row, _SEVERE.fullmatch(row.name)) for row in rows]
    yield from (words(_ORGANS[severe["organ"]], "severe") for _, severe in found if severe)
    others = tuple(row for row, severe in found if not severe)
    if others:
        yield diagnosed(others)


def _evidence(branch: Branch, items: Items, lifted: frozenset[str]) -> Iterable[Condition]:
    if branch.onset_hours is not None:
        yield _begun_in_time(branch.onset_hours, items)
    if branch.nutrition:
        yield flagged("encounter.nutrition_risk")
        yield flagged("encounter.enteral_impossible")
    if branch.prior_treatment and "prior_treatment" not in lifted:
        # the flag looks half a year back; an older treatment, or one elsewhere, is for the doctor to state
        yield flagged(EVIDENCE) if branch.second_line else one_of((flagged(EVIDENCE), flagged(MET)))
    if branch.rest:
        yield flagged(MET)


def _begun_in_time(hours: Decimal, items: Items) -> Condition:
    """The first use fell within ``hours`` of the onset; a later line of a use that is in force is not asked again."""
    before = Lines(items=items, window=Window(unit="encounter", side="before"), state="in_force")
    return Any(of=(Elapsed(fact="encounter.onset_at", unit="hour", at_most=hours), Some(lines=before)))


def _asked(remark: Remark, lifted: frozenset[str]) -> Iterable[str]:
    parts = (*remark.branches, remark.common)
    prior_treatment = "prior_treatment" not in lifted and any(part.prior_treatment for part in parts)
    if prior_treatment or any(part.rest or part.unlisted for part in parts):
        yield MET
    if prior_treatment:
        yield EVIDENCE
    if any(part.onset_hours is not None for part in parts):
        yield "encounter.onset_at"
    if any(part.nutrition for part in parts):
        yield from ("encounter.nutrition_risk", "encounter.enteral_impossible")
    yield from (c.fact for part in parts for c in _shut_out(part.excluded) if isinstance(c, Fact))
    yield from dict.fromkeys(c.fact for part in parts for c in part.measures if isinstance(c, Fact))
