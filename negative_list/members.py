"""Which lines are one of some items: bound :class:`negative_list.conditions.Items`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import TYPE_CHECKING

from negative_list.codes import normal
from negative_list.text import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from negative_list.check import Check
    from negative_list.conditions import Items
    from negative_list.prescription import FactValue, Line

__all__ = ["KEYS", "Members", "Pool", "equal", "moment_of"]


class Pool:
    """The members among the lines that may be gathered, in their order, the certain ones marked.

    Of many members those a window may hold are looked up: by day, by use, by moment, and by facts they must share.
    """

    __slots__ = ("_alike", "_check", "_groups", "members")

    def __init__(self, check: Check, members: tuple[tuple[Line, bool], ...]) -> None:
        self.members = members
        self._check = check
        self._groups: dict[str, dict[object, list[int]]] = {}
        self._alike: dict[tuple[str, ...], dict[object, Pool]] = {}

    def by(self, key: str) -> dict[object, list[int]]:
        """Places of the members by a key of :data:`KEYS`, those without a time under ``None``."""
        groups = self._groups.get(key)
        if groups is None:
            groups = self._groups[key] = {}
            for place, (line, _) in enumerate(self.members):
                groups.setdefault(KEYS[key](self._check, line) if line.begins is not None else None, []).append(place)
        return groups

    def alike(self, facts: tuple[str, ...], values: tuple[object, ...]) -> Pool:
        """The members whose facts have these values, or may have them."""
        pools = self._alike.setdefault(facts, {})
        pool = pools.get(values)
        if pool is None:
            groups = self._by_facts(facts)
            alike = {place for each in _each(values) for place in groups.get(each, ())}
            places = sorted(alike.union(groups.get(None, ())))
            pool = pools[values] = Pool(self._check, tuple(self.members[place] for place in places))
        return pool

    def _by_facts(self, facts: tuple[str, ...]) -> dict[object, list[int]]:
        """Places by the values of facts, those of members that lack one under ``None``; found once."""
        key = "facts " + " ".join(facts)
        groups = self._groups.get(key)
        if groups is None:
            groups = self._groups[key] = {}
            for place, (line, _) in enumerate(self.members):
                values = tuple([line.facts.get(name) for name in facts])
                for group in (None,) if None in values else _each(values):
                    groups.setdefault(group, []).append(place)
        return groups


def _each(values: tuple[object, ...]) -> Iterator[tuple[object, ...]]:
    """The values of facts, each word of those that hold several apart: lines that share one share what this gives."""
    return product(*(value if isinstance(value, tuple) else (value,) for value in values))


def equal(ours: FactValue, theirs: FactValue) -> bool:
    """Whether two known values of a fact are equal: of several words each, whether they share one."""
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        return not set(ours).isdisjoint(theirs)
    return ours == theirs


def moment_of(time: datetime, unit: str) -> datetime:
    """The second, or the hour, a time lies in."""
    return time.replace(microsecond=0) if unit == "instant" else time.replace(minute=0, second=0, microsecond=0)


KEYS: dict[str, Callable[[Check, Line], object]] = {
    "day": lambda check, line: check.day_of(line),
    "use": lambda check, line: check.use_of(line),
    "instant": lambda check, line: moment_of(check.time_of(line), "instant") if line.has_clock else check.day_of(line),
    "hour": lambda check, line: moment_of(check.time_of(line), "hour") if line.has_clock else check.day_of(line),
}
"""What members with a time are grouped by; one with a bare date stands under its day among moments, too."""


class Members:
    """Bound :class:`negative_list.conditions.Items`: is a line meant?"""

    __slots__ = (
        "_codes",
        "_excepted",
        "_excepted_names",
        "_lengths",
        "_names",
        "_names_only",
        "_prefixes",
        "_single",
        "_types",
    )

    def __init__(self, items: Items, sets: Mapping[str, tuple[str, ...]]) -> None:
        self._codes = frozenset(map(normal, items.codes)).union(*(sets[name] for name in items.sets))
        self._prefixes = frozenset(map(normal, items.prefixes))
        self._lengths = tuple(sorted({len(prefix) for prefix in self._prefixes}))
        self._names = frozenset(normalise(name) for name in items.names)
        self._types = frozenset(items.types)
        self._excepted = tuple(map(normal, items.except_codes))
        self._excepted_names = frozenset(normalise(name) for name in items.except_names)
        self._names_only = not (self._codes or self._prefixes)
        excepts = items.except_codes or items.except_names
        by_code_alone = not (items.prefixes or items.names or items.types or excepts)
        # The commonest case by far, one service item, is looked up instead of judged.
        self._single = next(iter(self._codes)) if by_code_alone and len(self._codes) == 1 else None

    def of_pool(self, check: Check, *, whole_patient: bool) -> Pool:
        """All certain (true) and possible (false) members in the pool, worked out once for each check."""
        key = (self, whole_patient)
        found: Pool | None = check.memo.get(key)
        if found is None:
            found = check.memo[key] = Pool(check, tuple(self._of_pool(check, whole_patient)))
        return found

    def _of_pool(self, check: Check, whole_patient: bool) -> list[tuple[Line, bool]]:
        pool = check.pool(whole_patient=whole_patient)
        if self._single is not None:
            by_code, unusable = check.index(whole_patient=whole_patient)
            if not unusable:
                doubtful = check.doubtful
                return [(line := pool[place], id(line) not in doubtful) for place in by_code.get(self._single, ())]
        lines = pool if self._names_only else [pool[place] for place in self._candidates(check, whole_patient)]
        judged = ((line, self.means(check, line)) for line in lines)
        doubtful = check.doubtful
        return [(line, meant is True and id(line) not in doubtful) for line, meant in judged if meant is not False]

    def _candidates(self, check: Check, whole_patient: bool) -> list[int]:
        """Places in the pool of the lines that can be meant, so that a stay of thousands of lines stays cheap."""
        by_code, unusable = check.index(whole_patient=whole_patient)
        found = set(unusable)
        for code in self._codes & by_code.keys():
            found.update(by_code[code])
        if self._prefixes:
            for code, places in by_code.items():
                if any(code[:n] in self._prefixes for n in self._lengths):
                    found.update(places)
        return sorted(found)

    def means(self, check: Check, line: Line) -> bool | None:
        """Whether the line is one of the items."""
        kind = line.facts.get("line.item_type") if self._types else None
        if kind is not None and kind not in self._types:
            return False
        named = self.named(check, line)
        if named is True and self._types and kind is None:
            return None
        return named

    def named(self, check: Check, line: Line) -> bool | None:
        """Whether code, set or name mean the line, its type aside."""
        if (self._excepted or self._excepted_names) and self._is_excepted(check, line):
            return False
        if self._codes and not self._codes.isdisjoint(line.codes):
            return True
        if self._prefixes and any(code[:n] in self._prefixes for code in line.codes for n in self._lengths):
            return True
        usable = line.usable and bool(line.codes)
        if self._names_only and not self._names and (usable or not (self._excepted or self._excepted_names)):
            return True
        if usable:
            return False
        if self._names and not self._names.isdisjoint(check.terms.in_item(line.name)):
            return True
        return None

    def _is_excepted(self, check: Check, line: Line) -> bool:
        """Whether a code is excepted, or, of a line without a usable code, the name."""
        if self._excepted and any(code.startswith(self._excepted) for code in line.codes):
            return True
        if line.usable and line.codes:
            return False
        return not self._excepted_names.isdisjoint(check.terms.in_item(line.name))
