"""Which codes of a hospital and of a list do not meet, both ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from negative_list.sheets.codetable import CodeRow

if TYPE_CHECKING:
    from negative_list.rules import RuleList

__all__ = ["Unmapped", "national_codes", "unmapped"]

Kind: TypeAlias = Literal["item", "diagnosis", "operation"]


class Unmapped(Struct, frozen=True, kw_only=True):
    """``local``: rows of local codes without any national code; ``national``: codes of the list no local code maps to.

    ``used``: how many codes of the list some local code maps to.
    """

    local: tuple[CodeRow, ...]
    national: tuple[str, ...]
    used: int


def national_codes(rules: RuleList) -> frozenset[str]:
    """Every national item code that the rules of a list look for."""
    sets = {named.id: named.codes for named in rules.sets}
    return frozenset(code for rule in rules.rules for code in (*rule.trigger.codes, *_of_sets(rule.trigger.sets, sets)))


def _of_sets(names: Iterable[str], sets: dict[str, tuple[str, ...]]) -> Iterator[str]:
    for name in names:
        yield from sets.get(name, ())


def unmapped(rows: Iterable[CodeRow], rules: RuleList) -> Unmapped:
    """What does not meet: a local code counts as mapped when any of its rows has a national code."""
    listed = list(rows)
    mapped = {(row.kind, row.local) for row in listed if row.national}
    wanted = national_codes(rules)
    there = {row.national for row in listed if row.kind == "item" and row.national}
    return Unmapped(
        local=tuple(sorted({row for row in listed if (row.kind, row.local) not in mapped})),
        national=tuple(sorted(wanted - there)),
        used=len(wanted & there),
    )
