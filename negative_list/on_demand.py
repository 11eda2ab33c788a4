"""The rules of a list whose compiled form was read: found and bound when they first concern a line, then kept.

A list of 400,000 details is ready in some milliseconds this way, and what nobody asks about stays the bytes that were
read. What is kept is what :func:`negative_list.compile.compile` would have made; two threads that bind one rule at once
get the same.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import msgspec

from negative_list.compile import BoundRule, bound_rule
from negative_list.rules import Rule

if TYPE_CHECKING:
    from negative_list.bind import Binder

__all__ = ["NUMBER_CODE", "PIECE_ROWS", "Index", "Rows", "Rules", "Shard"]

PIECE_ROWS = 512
"""Rules, or groups of rules, in a piece of a compiled form: few enough that none is long in the making."""

NUMBER_CODE = "I"
"""How :mod:`array` writes numbers: of a group's rules, and of the places where rows begin."""

Shard: TypeAlias = "dict[str, int] | memoryview"
"""Some keys of an index, beside each other in their order, with their numbers: as they were read until one is asked
for."""

_DECODE = msgspec.json.Decoder(Rule).decode
_READ_SHARD = msgspec.msgpack.Decoder(dict[str, int]).decode


class Rows(Sequence[memoryview]):
    """Texts that stand one after another in what was read, each cut out when it is asked for.

    Args:
        starts: where each begins, and last where the last one ends, as :mod:`array` writes :data:`NUMBER_CODE`.
        text: all of them.
    """

    __slots__ = ("_starts", "_text")

    def __init__(self, starts: bytes, text: memoryview) -> None:
        self._starts = array(NUMBER_CODE, starts)
        self._text = text

    def __len__(self) -> int:
        """How many there are."""
        return len(self._starts) - 1

    @overload
    def __getitem__(self, number: int) -> memoryview: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[memoryview]: ...
    def __getitem__(self, number: int | slice) -> memoryview | Sequence[memoryview]:
        """One of them, counted from 0, or some; raises IndexError behind the last."""
        if isinstance(number, slice):
            return [self[each] for each in range(len(self))[number]]
        if number < 0:
            number = range(len(self))[number]
        return self._text[self._starts[number] : self._starts[number + 1]]


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
        pieces: Sequence[Rows],
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
                yield bytes(line) + b"\n"


class Index(Mapping[str, tuple[BoundRule, ...]]):
    """Rules by key, as :func:`negative_list.compile.indexed` has them.

    Args:
        first: the first key of each shard.
        shards: rule numbers by key, every key of a shard before those of the next; from the number of rules on, a
            number means a group. Shards that were looked into are put in their places.
        size: number of keys.
        groups: the numbers of the rules of each group, as :mod:`array` writes them, in pieces of :data:`PIECE_ROWS`.
        rules: the rules.
    """

    __slots__ = ("_first", "_found", "_groups", "_rules", "_shards", "_size")

    def __init__(
        self, first: Sequence[str], shards: list[Shard], size: int, groups: Sequence[Rows], rules: Rules
    ) -> None:
        self._first = first
        self._shards = shards
        self._size = size
        self._groups = tuple(groups)
        self._rules = rules
        self._found: dict[str, tuple[BoundRule, ...]] = {}

    def __len__(self) -> int:
        """Number of keys."""
        return self._size

    def __iter__(self) -> Iterator[str]:
        """The keys, sorted."""
        for place in range(len(self._shards)):
            yield from self._shard(place)

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
        number = self._shard(place).get(key) if place >= 0 else None
        if number is None:
            return default
        found = self._found[key] = self._rules_of(number)
        return found

    def _shard(self, place: int) -> dict[str, int]:
        shard = self._shards[place]
        if not isinstance(shard, dict):
            shard = self._shards[place] = _READ_SHARD(shard)
        return shard

    def _rules_of(self, number: int) -> tuple[BoundRule, ...]:
        rules, place = self._rules, number - len(self._rules)
        if place < 0:
            return rules.alone(number)
        numbers = array(NUMBER_CODE, bytes(self._groups[place // PIECE_ROWS][place % PIECE_ROWS]))
        return tuple(rules.alone(each)[0] for each in numbers)

    @property
    def found(self) -> dict[str, tuple[BoundRule, ...]]:
        """What was asked for so far."""
        return self._found
