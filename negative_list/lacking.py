"""What a rule can never do at a site where some facts are never told.

A condition is true, false or unknown (:mod:`negative_list.conditions`). Where a fact is never told, what compares it is
always unknown; from the leaves up this says which conditions can never become true. A rule that cannot is silent for
good: it finds nothing, however wrong the prescription is. The answer errs on one side only: what is told here never
holds, and what is not told here may or may not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any, TypeAlias

from msgspec import Struct

from negative_list import conditions as c
from negative_list.rules import DIAGNOSES, Rule, Trigger
from negative_list.walk import children_of, lines_of

__all__ = ["RECORDS", "kept_from", "reads_of"]

RECORDS = (DIAGNOSES, "encounter.operations", "diagnosis.code", "operation.code", "line.code", "line.begins")
"""Names that stand for records where no fact does: codes are those that can be used."""

_Names: TypeAlias = frozenset[str]
_NOTHING: _Names = frozenset()
_CODED = {c.Diagnosis: (DIAGNOSES, "diagnosis.code"), c.Operation: ("encounter.operations", "operation.code")}


class _Kept(Struct, frozen=True):
    """What keeps a condition from ever being true, and from ever being false; nothing: it may be."""

    true: _Names = _NOTHING
    false: _Names = _NOTHING


_FREE = _Kept()


def kept_from(rule: Rule, never: AbstractSet[str]) -> _Names:
    """What of the facts ``never`` told keeps a rule from ever holding; nothing where it may hold.

    Each name returned is one without which the rule, or the branch of an ``any`` it belongs to, stays silent.
    """
    parts = (rule.violation,) if rule.scope is None else (rule.scope, rule.violation)
    return _untriggered(rule.trigger, never) | _all([_kept(part, never) for part in parts]).true


def reads_of(rule: Rule) -> _Names:
    """Every fact and record a rule looks at, wherever it does."""
    found = {name for part in (rule.scope, rule.violation) if part is not None for name in _reads(part)}
    return frozenset(found | set(_triggers(rule.trigger)))


# -- triggers


def _untriggered(trigger: Trigger, never: AbstractSet[str]) -> _Names:
    """What keeps a rule from being looked at: every way that could trigger it needs something never told."""
    ways = [frozenset(way & never) for way in _ways(trigger)]
    return _NOTHING if not all(ways) else _NOTHING.union(*ways)


def _ways(trigger: Trigger) -> Iterator[AbstractSet[str]]:
    if trigger.encounter or trigger.names:
        yield set()
    if trigger.codes or trigger.prefixes or trigger.sets:
        yield {"line.code"}
    elif trigger.types and not trigger.names:
        yield {"line.item_type"}
    if trigger.diagnoses:
        yield {*_CODED[c.Diagnosis]}
    if trigger.operations:
        yield {*_CODED[c.Operation]}


def _triggers(trigger: Trigger) -> Iterator[str]:
    for way in _ways(trigger):
        yield from way


# -- conditions


def _kept(condition: c.Condition, never: AbstractSet[str]) -> _Kept:
    """What keeps one condition from each of its two certain answers."""
    make = _OF.get(type(condition))
    return _FREE if make is None else make(condition, never)


def _all(parts: Iterable[_Kept]) -> _Kept:
    """True needs all of them, false any one."""
    parts = list(parts)
    some_false = any(not part.false for part in parts)
    return _Kept(
        true=_NOTHING.union(*(part.true for part in parts)),
        false=_NOTHING if some_false else _NOTHING.union(*(part.false for part in parts)),
    )


def _inner(condition: Any, never: AbstractSet[str]) -> list[_Kept]:
    return [_kept(child, never) for child in condition.of]


def _any_of(condition: c.Any, never: AbstractSet[str]) -> _Kept:
    return _not(_all(_not(part) for part in _inner(condition, never)))


def _not(part: _Kept) -> _Kept:
    return _Kept(true=part.false, false=part.true)


def _at_least(condition: c.AtLeast, never: AbstractSet[str]) -> _Kept:
    parts = _inner(condition, never)
    able = sum(not part.true for part in parts)
    kept = _NOTHING if able >= condition.count else _NOTHING.union(*(part.true for part in parts))
    return _Kept(true=kept)


def _of_fact(name: Callable[[Any], str]) -> _Make:
    """A condition that compares one fact, with limits that may be worked out from others."""

    def kept(condition: Any, never: AbstractSet[str]) -> _Kept:
        own = frozenset({name(condition)} & never)
        return _Kept(true=own | _limits(condition, never), false=own)

    return kept


def _limits(condition: Any, never: AbstractSet[str]) -> _Names:
    """Facts that limits are worked out from: all limits have to hold."""
    if not isinstance(condition, c.Bounds):
        return _NOTHING
    limits = (getattr(condition, name) for name in c.Bounds.__struct_fields__)
    return frozenset(limit.fact for limit in limits if isinstance(limit, c.Formula) and limit.fact in never)


def _coded(condition: c.Diagnosis | c.Operation, never: AbstractSet[str]) -> _Kept:
    """A diagnosis or an operation: terms can prove it without a code; only codes can disprove it."""
    record, code = _CODED[type(condition)]
    if record in never:
        return _Kept(true=frozenset({record}), false=frozenset({record}))
    kept = frozenset({code} & never)
    return _Kept(true=_NOTHING if condition.terms else kept, false=kept)


# -- what is gathered over lines and encounters


def _others(selection: c.Lines | c.Visits, never: AbstractSet[str]) -> _Names:
    """What keeps any other line, or encounter, from being meant for certain."""
    return frozenset({*selection.same, *selection.different} & never) | _where(selection, never)


def _where(selection: c.Lines | c.Visits, never: AbstractSet[str]) -> _Names:
    """The same for the trigger line itself, too."""
    return _NOTHING if selection.where is None else _kept(selection.where, never).true


def _some(condition: c.Some, never: AbstractSet[str]) -> _Kept:
    return _Kept(true=_others(condition.lines, never))


def _overlap(condition: c.Overlap, never: AbstractSet[str]) -> _Kept:
    return _Kept(true=_others(condition.lines, never) | frozenset({"line.begins"} & never))


def _number(most: int, of: Callable[[Any], str] = lambda _: "") -> _Make:
    """A number gathered from what is certain: nothing of it is where no member or no value is.

    ``most``: what the trigger alone may make it, -1 where that has no limit. ``of``: the fact counted or summed.
    """

    def kept(condition: Any, never: AbstractSet[str]) -> _Kept:
        selection = getattr(condition, "lines", None) or condition.visits
        none_certain = _where(selection, never) | frozenset({of(condition)} & never)
        only_trigger = _others(selection, never) if most >= 0 else _NOTHING
        held = _NOTHING
        if none_certain and _is_over(condition, 0):
            held = none_certain
        elif only_trigger and _is_over(condition, most):
            held = only_trigger
        return _Kept(true=held | _limits(condition, never))

    return kept


def _is_over(condition: c.Bounds, number: int) -> bool:
    """Whether a bound asks for more than a number."""
    above, at_least = condition.above, condition.at_least
    return (isinstance(above, Decimal) and above >= number) or (isinstance(at_least, Decimal) and at_least > number)


def _count(condition: c.Count, never: AbstractSet[str]) -> _Kept:
    words = condition.by.startswith("line.")  # one line may have several words of a fact
    return _number(-1 if words else 1, lambda each: each.by)(condition, never)


_Make: TypeAlias = "Callable[[Any, AbstractSet[str]], _Kept]"
_OF: Mapping[type, _Make] = {
    c.All: lambda condition, never: _all(_inner(condition, never)),
    c.Any: _any_of,
    c.Not: lambda condition, never: _not(_kept(condition.of, never)),
    c.AtLeast: _at_least,
    c.Fact: _of_fact(lambda condition: condition.fact),
    c.Evidence: _of_fact(lambda condition: condition.fact),
    c.Elapsed: _of_fact(lambda condition: condition.fact),
    c.Age: _of_fact(lambda _: "patient.birth_date"),
    c.Diagnosis: _coded,
    c.Operation: _coded,
    c.Some: _some,
    c.Overlap: _overlap,
    c.Count: _count,
    c.Sum: _number(-1, lambda condition: condition.of),
    c.DaysOfUse: _number(-1),
    c.SupplyLeft: _number(0),
    c.VisitCount: _number(1),
}
"""How each kind that is looked into is; any other may always be true or false."""


# -- what is read


def _reads(condition: c.Condition) -> Iterator[str]:
    yield from _reads_itself(condition)
    for child in children_of(condition):
        yield from _reads(child)


def _reads_itself(condition: Any) -> Iterator[str]:
    if isinstance(condition, (c.Fact, c.Evidence, c.Elapsed)):
        yield condition.fact
    if isinstance(condition, c.Age):
        yield "patient.birth_date"
    if isinstance(condition, (c.Diagnosis, c.Operation)):
        yield from _CODED[type(condition)]
    visits = getattr(condition, "visits", None)
    for selection in (*lines_of(condition), *((visits,) if visits is not None else ())):
        yield from (*selection.same, *selection.different)
    yield from _worked_out(condition)
    if (summed := _summed(condition)).startswith("line."):
        yield summed


def _summed(condition: Any) -> str:
    return str(getattr(condition, "by", "") or (condition.of if isinstance(condition, (c.Sum, c.Rank)) else ""))


def _worked_out(condition: Any) -> Iterator[str]:
    if isinstance(condition, c.Bounds):
        limits = (getattr(condition, name) for name in c.Bounds.__struct_fields__)
        yield from (limit.fact for limit in limits if isinstance(limit, c.Formula) and limit.fact)
