"""Which lines are one of some items: bound :class:`negative_list.conditions.Items`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from negative_list.codes import normal
from negative_list.prescription import Line
from negative_list.text import normalise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from negative_list.check import Check
    from negative_list.conditions import Items

__all__ = ["Members", "Pool"]

Pool: TypeAlias = tuple[tuple[Line, bool], ...]
"""Members in the order of the lines they are of, the certain ones marked."""


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

    def of_pool(self, check: Check, *, whole_patient: bool) -> tuple[tuple[Line, bool], ...]:
        """All certain (true) and possible (false) members in the pool, worked out once for each check."""
        key = (self, whole_patient)
        found: tuple[tuple[Line, bool], ...] | None = check.memo.get(key)
        if found is None:
            found = check.memo[key] = tuple(self._of_pool(check, whole_patient))
        return found

    def by_day(self, check: Check, *, whole_patient: bool) -> dict[object, list[int]]:
        """Places in :meth:`of_pool` by day, those without a time under ``None``."""
        key = (self, whole_patient, "by day")
        found: dict[object, list[int]] | None = check.memo.get(key)
        if found is None:
            found = check.memo[key] = {}
            for place, (line, _) in enumerate(self.of_pool(check, whole_patient=whole_patient)):
                found.setdefault(check.day_of(line) if line.begins is not None else None, []).append(place)
        return found

    def by_use(self, check: Check, *, whole_patient: bool) -> dict[object, list[int]]:
        """Places in :meth:`of_pool` by the days of use, those without a time under ``None``."""
        key = (self, whole_patient, "by use")
        found: dict[object, list[int]] | None = check.memo.get(key)
        if found is None:
            found = check.memo[key] = {}
            for place, (line, _) in enumerate(self.of_pool(check, whole_patient=whole_patient)):
                found.setdefault(check.use_of(line) if line.begins is not None else None, []).append(place)
        return found

    def _of_pool(self, check: Check, whole_patient: bool) -> list[tuple[Line, bool]]:
        pool = check.pool(whole_patient=whole_patient)
        if self._single is not None:
            by_code, unusable = check.index(whole_patient=whole_patient)
            if not unusable:
                return [(pool[place], True) for place in by_code.get(self._single, ())]
        lines = pool if self._names_only else [pool[place] for place in self._candidates(check, whole_patient)]
        judged = ((line, self.means(check, line)) for line in lines)
        return [(line, meant is True) for line, meant in judged if meant is not False]

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
