"""What a survey says, as records: sources, fields, codes, and the rules that stay silent."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

__all__ = ["LEAST", "FieldSaid", "Lacking", "Silent", "Source", "Survey", "Unmapped"]

LEAST = 100
"""Patients, encounters or lines from which on what never came is taken for never sent."""


class Source(Struct, frozen=True, kw_only=True):
    """One system in one dialect: how many bodies, how they deviate (``points``), and in which encodings."""

    system: str
    dialect: str
    bodies: int
    points: Mapping[str, int]
    encodings: Mapping[str, int]


class FieldSaid(Struct, frozen=True, kw_only=True):
    """How a field came from one source; ``key`` is the national name (or ours), ``sent_as`` what the source calls it.

    ``rules``: how many rules look at it. ``constant``: every value was the same; ``value`` is it, where it is a code.
    ``codes`` and ``odd`` are the values of a code table met, and those that are in none.
    """

    system: str
    dialect: str
    table: str
    key: str
    sent_as: str
    zh: str
    rows: int
    absent: int
    empty: int
    placeholder: int
    impossible: int
    usable: int
    distinct: int
    constant: bool
    rules: int
    value: str = ""
    codes: Mapping[str, int] = {}
    odd: Mapping[str, int] = {}

    @property
    def unusable(self) -> float:
        """The share of rows without a usable value."""
        return 1 - self.usable / self.rows if self.rows else 0.0


class Unmapped(Struct, frozen=True, kw_only=True):
    """A code without a national one; ``kind``: item, diagnosis or operation."""

    kind: str
    code: str
    name: str
    count: int


class Lacking(Struct, frozen=True, kw_only=True):
    """A fact that never came and keeps rules silent.

    ``fields``: where it would be sent, in the source's words (none: the interface has no field for it). ``values``: the
    codes it is written in. ``rules``: how many it keeps silent. ``came``: the field came, never with a usable value.
    """

    fact: str
    zh: str
    fields: tuple[str, ...]
    rules: int
    feed: str = ""
    values: tuple[str, ...] = ()
    came: bool = False


class Silent(Struct, frozen=True, kw_only=True):
    """A rule this institution can never be told anything by, and the facts it needs.

    ``undecided``: how often it was asked about and could not be decided, in what was counted.
    """

    rule_id: str
    class_id: str
    class_name: str
    title: str
    action: str
    needs: tuple[str, ...]
    undecided: int = 0


class Survey(Struct, frozen=True, kw_only=True):
    """What an institution's systems send.

    ``enough``: there were enough bodies to say what is never sent. ``listed``: how many rules were looked at, 0 where
    no list was given; ``unseen`` of them are about visits or items that did not come. ``undecided`` are the rules that
    could not be decided most often although nothing keeps them silent for good: rule, needs, times. ``never_sent``:
    what the site file may name, since it never came and rules would ask for it.
    """

    institution_id: str
    days: tuple[str, ...] = ()
    bodies: int = 0
    passed: int = 0
    enough: bool = False
    least: int = LEAST
    sources: tuple[Source, ...] = ()
    fields: tuple[FieldSaid, ...] = ()
    kinds: Mapping[str, tuple[int, int]] = {}
    unmapped: tuple[Unmapped, ...] = ()
    lacking: tuple[Lacking, ...] = ()
    silent: tuple[Silent, ...] = ()
    listed: int = 0
    unseen: int = 0
    undecided: tuple[tuple[str, str, int], ...] = ()
    strays: Mapping[str, int] = {}
    refused: Mapping[str, int] = {}
    never_sent: tuple[str, ...] = ()
