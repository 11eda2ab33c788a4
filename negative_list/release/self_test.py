"""Does a list do what it says? Tried before it is signed, and in the hospital, on the form that will serve.

Three questions, in order: does every rule find each of its own terms in that term's own text; is every rule reached by
its own trigger; do the cases beside the rules come out as they are written. Time is limited, for a city's list has
400,000 details: what was not tried by then is told, never taken for good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from negative_list.cases import run_cases
from negative_list.check import Check
from negative_list.codes import expand_ranges, normal
from negative_list.engine import triggered
from negative_list.prescription import Diagnosed, Encounter, Line, Operated, Prescription
from negative_list.text import normalise

if TYPE_CHECKING:
    from negative_list.compile import CompiledList
    from negative_list.rules import Rule, RuleList
    from negative_list.terms import Terms

__all__ = ["Tested", "Wrong", "self_test"]

_MOST_WAYS = 100
"""Ways of a trigger that are tried: a rule with a thousand codes finds them all in one index."""

_ANY_CODE = "~"  # that no trigger excepts

_AT = datetime(2026, 1, 1)
"""Any instant: whether a rule is reached does not depend on when."""


class Wrong(Struct, frozen=True):
    """What is wrong with a rule; ``path``: where in it, as in :class:`negative_list.errors.Problem`."""

    rule_id: str
    path: str
    message: str

    def __str__(self) -> str:
        """``rule id: message``."""
        return f"{self.rule_id}: {self.message}"


class Tested(Struct, frozen=True, kw_only=True):
    """What came of it: how much was tried, what is wrong, and whether time ended it."""

    terms: int
    rules: int
    cases: int
    problems: tuple[Wrong, ...]
    cut: bool


class _Tally:
    """Counts and problems, as they come."""

    def __init__(self, in_time: Callable[[], bool]) -> None:
        self._in_time = in_time
        self.problems: list[Wrong] = []
        self.cut = False

    def over(self, found: Iterable[Iterable[Wrong]]) -> int:
        """Go through tries while there is time, each of which gives its problems; returns how many were made."""
        tries = 0
        for tries, problems in enumerate(found, 1):  # noqa: B007 - counted
            self.problems.extend(problems)
            if not self._in_time():
                self.cut = True
                break
        return tries


def self_test(rules: RuleList, compiled: CompiledList, in_time: Callable[[], bool]) -> Tested:
    """Try a validated list.

    Args:
        rules: the list, with its cases.
        compiled: its compiled form.
        in_time: whether there is time for more.
    """
    tally = _Tally(in_time)
    terms = tally.over(_lost(rules, compiled.terms))
    reached = tally.over(_unreached(rule, rules, compiled) for rule in rules.rules)
    cases = tally.over(_failing(rules))
    return Tested(terms=terms, rules=reached, cases=cases, problems=tuple(tally.problems), cut=tally.cut)


# -- terms


def _lost(rules: RuleList, terms: Terms) -> Iterator[Iterable[Wrong]]:
    """Each distinct term of the list, and what is wrong where it is not found in its own text."""
    seen: set[tuple[str, str]] = set()
    for rule in rules.rules:
        for path, said in msgspec.to_builtins(msgspec.structs.replace(rule, cases=())).items():
            for key, term in _terms_in({path: said}):
                if (key, term) not in seen:
                    seen.add((key, term))
                    yield () if _finds(terms, key, term) else (Wrong(rule.id, path, _not_found(term)),)


def _not_found(term: str) -> str:
    return f"词语 `{term}` 在自身文字中找不到 (the term is not found in its own text; write it without separators)"


_UNREACHED = "自身的触发条件触发不了它 (its own trigger does not reach it; see to what the trigger excepts)"
_TERM_KEYS = frozenset({"names", "except_names", "terms"})


def _terms_in(said: Any) -> Iterator[tuple[str, str]]:
    """Every term in a rule as plain data, with its key: ``terms`` of diagnoses and operations, names of items."""
    if isinstance(said, dict):
        for key, inner in said.items():
            if key in _TERM_KEYS and isinstance(inner, (list, tuple)):
                yield from ((key, term) for term in inner)
            else:
                yield from _terms_in(inner)
    elif isinstance(said, (list, tuple)):
        for inner in said:
            yield from _terms_in(inner)


def _finds(terms: Terms, key: str, term: str) -> bool:
    wanted = normalise(term)
    if key == "terms":
        return any(wanted in found for found in terms.in_name(term).values())
    return wanted in terms.in_item(term)


# -- triggers


def _unreached(rule: Rule, rules: RuleList, compiled: CompiledList) -> Iterable[Wrong]:
    """What is wrong where nothing that triggers a rule reaches it."""
    asked = Prescription(encounter=_encounter_of(rule, rules))
    check = Check(asked, _AT, compiled.terms)
    if any(bound.rule.id == rule.id for bound, _ in triggered(compiled, check)):
        return ()
    return (Wrong(rule.id, "trigger", _UNREACHED),)


def _encounter_of(rule: Rule, rules: RuleList) -> Encounter:
    """An encounter with what a rule's trigger names."""
    trigger = rule.trigger
    return Encounter(
        id="1",
        lines=tuple(_lines_of(rule, rules)),
        diagnoses=tuple(Diagnosed(codes=(code,)) for code in islice(expand_ranges(trigger.diagnoses), _MOST_WAYS)),
        operations=tuple(Operated(codes=(code,)) for code in islice(expand_ranges(trigger.operations), _MOST_WAYS)),
    )


def _lines_of(rule: Rule, rules: RuleList) -> Iterator[Line]:
    trigger = rule.trigger
    facts = {"line.item_type": trigger.types[0]} if trigger.types else {}
    sets = {named.id: named.codes for named in rules.sets} if trigger.sets else {}
    codes = (*trigger.codes, *trigger.prefixes, *(code for name in trigger.sets for code in sets[name]))
    for place, code in enumerate(codes[:_MOST_WAYS]):
        yield Line(id=f"c{place}", encounter_id="1", codes=(normal(code),), facts=facts)
    for place, name in enumerate(trigger.names[:_MOST_WAYS]):
        yield Line(id=f"n{place}", encounter_id="1", usable=False, name=name, facts=facts)
    if trigger.types and not (codes or trigger.names):
        yield Line(id="t", encounter_id="1", codes=(_ANY_CODE,), facts=facts)


# -- cases


def _failing(rules: RuleList) -> Iterator[Iterable[Wrong]]:
    """Each case, and what is wrong where it does not come out."""
    for result in run_cases(rules):
        text = f"案例 {result.place} 不符 (case {result.place}, {result.kind}): {result.problem}"
        yield () if result.passed else (Wrong(result.rule_id, f"cases[{result.place - 1}]", text),)
