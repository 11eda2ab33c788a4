"""One flat list of several: in rising precedence, national, province, city, hospital.

A rule of a later layer replaces the one of the same id of an earlier layer wholly, a set likewise; a rule of another id
stands in for it by its ``overrides``, on the days it is in force. Each rule keeps whose it is. Where layers contradict
each other nothing is made, and every place is named.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import msgspec
from msgspec import Struct

from negative_list.errors import Problem
from negative_list.parse import Parsed, Place, read_parsed
from negative_list.rules import NamedSet, Rule, RuleList
from negative_list.validate import repeated_ids

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["ORIGINS", "Flat", "Origin", "Source", "flattened", "read_source"]

Origin: TypeAlias = Literal["", "national", "province", "city", "hospital"]
ORIGINS: tuple[Origin, ...] = get_args(Origin)
"""Whose a list is, in rising precedence; "" is not told, and stands wherever it is given."""


class Source(Struct, frozen=True, kw_only=True):
    """A list to be one of the layers: whose it is ("": what its rules say), its name, and what was read."""

    origin: Origin = ""
    name: str
    parsed: Parsed

    @property
    def whose(self) -> Origin:
        """Whose list it is: as given, else as all its rules say."""
        told = {rule.origin for rule in self.parsed.rules.rules}
        return self.origin or (told.pop() if len(told) == 1 else "")


class Flat(Struct, frozen=True, kw_only=True):
    """The flat list with the places its records came from.

    For each layer in order: ``kept``, how many of its rules stand in the list, ``replaced`` the ids of those that do
    not.
    """

    parsed: Parsed
    kept: tuple[int, ...]
    replaced: tuple[tuple[str, ...], ...]


class _Placed(Struct, frozen=True):
    """A rule, where it stands, and in which layer (from 0)."""

    rule: Rule
    place: Place
    layer: int


def read_source(path: Path, origin: Origin = "") -> Source:
    """A layer from a file or a folder; what cannot be read is among its problems.

    Raises:
        ListError: there is no list of that name.
    """
    return Source(origin=origin, name=path.name, parsed=read_parsed(path))


def flattened(sources: Sequence[Source]) -> Flat:
    """One list of all; its problems are rows that cannot be read, and layers that contradict each other."""
    problems = [problem for source in sources for problem in source.parsed.problems]
    problems += _falling(sources)
    rules = [list(_rules(source, number)) for number, source in enumerate(sources)]
    problems += [problem for layer, source in zip(rules, sources, strict=True) for problem in _alone(layer, source)]
    last = {placed.rule.id: placed for layer in rules for placed in layer}
    problems += [problem for layer in rules for placed in layer for problem in _clashing(placed, last)]
    return _flat(sources, rules, problems)


def _rules(source: Source, layer: int) -> Iterator[_Placed]:
    """The rules of a layer, each saying whose it is."""
    for rule, place in zip(source.parsed.rules.rules, source.parsed.rule_places, strict=True):
        own = rule.origin or source.origin
        yield _Placed(rule if own == rule.origin else msgspec.structs.replace(rule, origin=own), place, layer)


def _flat(sources: Sequence[Source], rules: list[list[_Placed]], problems: list[Problem]) -> Flat:
    last = {placed.rule.id: placed for layer in rules for placed in layer}
    sets: dict[str, tuple[NamedSet, Place]] = {}
    for source in sources:
        named = zip(source.parsed.rules.sets, source.parsed.set_places, strict=True)
        sets.update({record.id: (record, place) for record, place in named})
    standing = [[placed for placed in layer if last[placed.rule.id] is placed] for layer in rules]
    parsed = Parsed(
        rules=RuleList(
            rules=tuple(placed.rule for placed in last.values()), sets=tuple(record for record, _ in sets.values())
        ),
        rule_places=tuple(placed.place for placed in last.values()),
        set_places=tuple(place for _, place in sets.values()),
        problems=tuple(sorted(problems)),
    )
    gone = (sorted({p.rule.id for p in layer if last[p.rule.id].layer != p.layer}) for layer in rules)
    return Flat(parsed=parsed, kept=tuple(map(len, standing)), replaced=tuple(map(tuple, gone)))


# -- contradictions


def _falling(sources: Sequence[Source]) -> Iterator[Problem]:
    """Layers are given in rising precedence."""
    told = [(source.whose, source.name) for source in sources if source.whose]
    for (earlier, before), (later, name) in pairwise(told):
        if ORIGINS.index(later) < ORIGINS.index(earlier):
            message = (
                f"a list of `{later}` comes after `{before}` of `{earlier}`; "
                f"give lists in the order {', '.join(ORIGINS[1:])}"
            )
            yield Problem(file=name, message=message)


def _alone(layer: list[_Placed], source: Source) -> Iterator[Problem]:
    """Inside a layer an id stands once, and each rule is of the layer it stands in."""
    yield from repeated_ids([p.rule.id for p in layer], tuple(p.place for p in layer), "rule", "id")
    yield from repeated_ids([s.id for s in source.parsed.rules.sets], source.parsed.set_places, "set", "set")
    for placed in layer:
        if source.origin and placed.rule.origin != source.origin:
            message = f"`{placed.rule.origin}` in a list of `{source.origin}`; take it out, or name another origin"
            yield placed.place.problem("origin", message)


def _clashing(placed: _Placed, last: dict[str, _Placed]) -> Iterator[Problem]:
    """What replaces a rule is of its class, and no rule stands in for one of a later layer."""
    rule, standing = placed.rule, last[placed.rule.id]
    if standing.rule.class_id != rule.class_id:
        message = (
            f"`{standing.rule.id}` of class {standing.rule.class_id} would replace the rule of class {rule.class_id} "
            f"at {_at(placed.place)}; give it another id, and name the other in its `overrides`"
        )
        yield standing.place.problem("id", message)
    for step, name in enumerate(rule.overrides if standing is placed else ()):
        other = last.get(name)
        if other is not None and other.layer > placed.layer:
            message = (
                f"stands in for `{name}` of a later layer, at {_at(other.place)}; "
                f"give both the same id in their layers, or take the override out"
            )
            yield placed.place.problem(f"overrides[{step}]", message)


def _at(place: Place) -> str:
    row, _ = place.locate("")
    return f"{place.file}:{row}"
