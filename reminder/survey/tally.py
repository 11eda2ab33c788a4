"""What is counted, as records that add up: over bodies, workers and days, in any order.

No value of a patient is among it. A field's values are told apart by a keyed hash of which 6 bits are kept for how many
there are and 48 while there is but one; only short codes of fields with a code table, and hospitals' own codes of
items, diagnoses and operations, stand there as they were sent.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import TypeVar

from msgspec import Struct, field

__all__ = [
    "MOST_CODES",
    "MOST_UNMAPPED",
    "CodeTally",
    "FieldTally",
    "Kind",
    "SourceTally",
    "Tally",
    "add",
    "count_in",
    "distinct",
]

T = TypeVar("T")

MOST_CODES = 40
"""Values of one field that are told one by one."""

MOST_UNMAPPED = 500
"""Codes of one kind without a national one that are told one by one."""

_SLOTS = 64
_SEVERAL = -1


class FieldTally(Struct, kw_only=True, omit_defaults=True):
    """How one field came: in how many ``rows`` it could stand, and what stood there.

    That is nothing (``absent``), null or a blank (``empty``), what means unknown (``placeholder``), what it cannot be
    (``impossible``), or something ``usable``. ``one`` is the hash of its only value (0: none yet, -1: there are
    several), ``slots`` the bits of the hashes met, ``codes`` the values of a field with a code table, ``odd`` those
    of them that are in no table.
    """

    rows: int = 0
    absent: int = 0
    empty: int = 0
    placeholder: int = 0
    impossible: int = 0
    usable: int = 0
    one: int = 0
    slots: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    odd: dict[str, int] = field(default_factory=dict)

    def met(self, hashed: int) -> None:
        """A value came, by 54 bits of its hash."""
        self.slots |= 1 << (hashed % _SLOTS)
        value = hashed // _SLOTS + 1
        if self.one != value:
            self.one = value if self.one == 0 else _SEVERAL

    @property
    def constant(self) -> bool:
        """Whether every usable value was the same."""
        return self.usable > 1 and self.one > 0


class CodeTally(Struct, kw_only=True, omit_defaults=True):
    """How often a code came, and what the hospital calls it ("" where that is not told)."""

    count: int = 0
    name: str = ""


class Kind(Struct, kw_only=True, omit_defaults=True):
    """Codes of items, diagnoses or operations: how many came, how many without a national code, and which those are."""

    sent: int = 0
    unmapped: int = 0
    codes: dict[str, CodeTally] = field(default_factory=dict)


class SourceTally(Struct, kw_only=True, omit_defaults=True):
    """What one system sent in one dialect: bodies, how they deviate, their fields, and keys nobody reads."""

    system: str = ""
    dialect: str = ""
    bodies: int = 0
    points: dict[str, int] = field(default_factory=dict)
    encodings: dict[str, int] = field(default_factory=dict)
    fields: dict[str, FieldTally] = field(default_factory=dict)
    strays: dict[str, int] = field(default_factory=dict)


class Tally(Struct, kw_only=True, omit_defaults=True):
    """What one institution sent.

    ``bodies`` were counted, ``passed`` were sent and not looked at. ``facts``: of how many holders a fact was known.
    ``holders``: how many patients, encounters and lines there were; ``mode:`` and ``type:`` of each kind.
    ``undecided``: by rule, how often it could not be decided for want of what (names joined by blanks).
    """

    bodies: int = 0
    passed: int = 0
    decided: int = 0
    sources: dict[str, SourceTally] = field(default_factory=dict)
    facts: dict[str, int] = field(default_factory=dict)
    holders: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)
    undecided: dict[str, dict[str, int]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)


def distinct(tally: FieldTally) -> int:
    """About how many different values there were (linear counting); 64 slots tell up to some 250 apart."""
    if tally.one >= 0:
        return min(1, tally.one)
    if len(tally.codes) > 1:
        return len(tally.codes)
    empty = _SLOTS - tally.slots.bit_count()
    return max(2, round(-_SLOTS * math.log(max(empty, 1) / _SLOTS)))


def count_in(counts: dict[str, int], name: str, most: int, times: int = 1) -> None:
    """Count a name; one more than so many different ones is not told."""
    if name in counts or len(counts) < most:
        counts[name] = counts.get(name, 0) + times


def add(to: Struct, other: Struct) -> None:
    """Add one record of counts to another of its kind."""
    for name in to.__struct_fields__:
        mine, more = getattr(to, name), getattr(other, name)
        if isinstance(mine, dict):
            _add_all(mine, more)
        elif isinstance(mine, int) and name not in {"one", "slots"}:
            setattr(to, name, mine + more)
        elif isinstance(mine, str):
            setattr(to, name, mine or more)
    if isinstance(to, FieldTally) and isinstance(other, FieldTally):
        to.slots |= other.slots
        to.one = to.one or other.one if to.one == 0 or other.one in {0, to.one} else _SEVERAL


def _add_all(to: dict[str, T], other: Mapping[str, T]) -> None:
    for name, more in other.items():
        mine = to.get(name)
        if isinstance(more, int):
            to[name] = (mine or 0) + more  # type: ignore[operator, assignment]
        elif isinstance(more, dict):
            to[name] = dict(Counter(mine or {}) + Counter(more))  # type: ignore[assignment, arg-type]
        elif isinstance(more, Struct):
            if mine is None:
                mine = to[name] = type(more)()
            add(mine, more)  # type: ignore[arg-type]
