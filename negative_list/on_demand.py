"""The rules of a list whose compiled form was read: bound when they first concern a line, then kept.

A list of 400,000 details is ready in a fraction of a second this way, and what nobody asks about stays text. What is
kept is what :func:`negative_list.compile.compile` would have made; two threads that bind one rule at once get the same.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

import msgspec

from negative_list.compile import BoundRule, bound_rule
from negative_list.rules import Rule

if TYPE_CHECKING:
    from negative_list.bind import Binder

__all__ = ["GROUP_CODE", "PIECE_ROWS", "Index", "Rules"]

PIECE_ROWS = 512
"""Rules, or groups of rules, in a piece of a compiled form: few enough that none is long in the making."""

GROUP_CODE = "I"
"""How :mod:`array` writes the numbers of a group's rules."""

_DECODE = msgspec.json.Decoder(Rule).decode


class Rules(Sequence[BoundRule]):
    """The rules of a list by number, each bound when it is first asked for.

    Args:
        pieces: the rules as canonical JSON, by id, :data:`PIECE_ROWS` in a piece but for the last.
        overridden: by number, the days on which others stand in for a rule.
        binder: binds them, and shares equal conditions.
    """

    __slots__ = ("_binder", "_bound", "_overridden", "_pieces", "_size")

    def __init__(
        self,
        pieces: Sequence[Sequence[bytes]],
        overridden: Mapping[int, tuple[tuple[int, int], ...]],
        binder: Binder,
    ) -> None:
        self._pieces = tuple(pieces)
        self._size = sum(map(len, pieces))
        self._overridden = overridden
        self._binder = binder
        self._bound: dict[int, tuple[BoundRule]] = {}

    def __len__(self) -> int:
        """Number of rules."""
        return self._size

    @overload
    def __getitem__(self, number: int) -> BoundRule: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[BoundRule]: ...
    def __getitem__(self, number: int | slice) -> BoundRule | Sequence[BoundRule]:
        """A rule by number, or some."""
        if isinstance(number, slice):
            return tuple(self[each] for each in range(self._size)[number])
        return self.alone(range(self._size)[number])[0]

    def alone(self, number: int) -> tuple[BoundRule]:
        """A rule by its number from 0 on, in a tuple that all keys share under which it stands alone."""
        found = self._bound.get(number)
        return self._bind(number) if found is None else found

    def _bind(self, number: int) -> tuple[BoundRule]:
        rule = _DECODE(self._pieces[number // PIECE_ROWS][number % PIECE_ROWS])
        bound = bound_rule(rule, self._binder, self._overridden.get(number, ()))
        return self._bound.setdefault(number, (bound,))

    @property
    def bound(self) -> dict[int, tuple[BoundRule]]:
        """The rules bound so far, by number."""
        return self._bound

    def lines(self) -> Iterator[bytes]:
        """The rules as they were written."""
        for piece in self._pieces:
            for line in piece:
                yield line + b"\n"


class Index(Mapping[str, tuple[BoundRule, ...]]):
    """Rules by key, as :func:`negative_list.compile.indexed` has them.

    Args:
        shards: rule numbers by key, every key of a shard before those of the next; from the number of rules on, a
            number means a group.
        groups: the numbers of the rules of each group, as :mod:`array` writes them, in pieces of :data:`PIECE_ROWS`.
        rules: the rules.
    """

    __slots__ = ("_first", "_found", "_groups", "_rules", "_shards", "_size")

    def __init__(self, shards: Sequence[dict[str, int]], groups: Sequence[Sequence[bytes]], rules: Rules) -> None:
        self._shards = tuple(shards)
        self._first = [next(iter(shard)) for shard in shards]
        self._groups = tuple(groups)
        self._rules = rules
        self._size = sum(map(len, shards))
        self._found: dict[str, tuple[BoundRule, ...]] = {}

    def __len__(self) -> int:
        """Number of keys."""
        return self._size

    def __iter__(self) -> Iterator[str]:
        """The keys, sorted."""
        for shard in self._shards:
            yield from shard

    def __getitem__(self, key: str) -> tuple[BoundRule, ...]:
        """The rules under a key; raises KeyError where there are none."""
        found: tuple[BoundRule, ...] | None = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def get(self, key: str, default: Any = None, /) -> Any:
        """The rules under a key."""
        found = self._found.get(key)
        return self._find(key, default) if found is None else found

    def _find(self, key: str, default: Any) -> Any:
        place = bisect_right(self._first, key) - 1
        number = self._shards[place].get(key) if place >= 0 else None
        if number is None:
            return default
        found = self._found[key] = self._rules_of(number)
        return found

    def _rules_of(self, number: int) -> tuple[BoundRule, ...]:
        rules, place = self._rules, number - len(self._rules)
        if place < 0:
            return rules.alone(number)
        numbers = array(GROUP_CODE, self._groups[place // PIECE_ROWS][place % PIECE_ROWS])
        return tuple(rules.alone(each)[0] for each in numbers)

    @property
    def found(self) -> dict[str, tuple[BoundRule, ...]]:
        """What was asked for so far."""
        return self._found
