"""Refunds: lines with a quantity or an amount below zero take back what other lines charged.

A refund takes away from charges of its encounter and its item: from one of its day with just its quantity, else from
the last ones where all of them stand on one day and tell the same but for numbers. Where it may be of several, none of
these is certain any more: what a limit is held against never rests on what may have been refunded.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from negative_list.items import item_of
from negative_list.prescription import Line

if TYPE_CHECKING:
    from datetime import date

    from negative_list.prescription import FactValue

__all__ = ["Settled", "holds_refund", "is_refund", "settle"]

_QUANTITY, _AMOUNT = "line.quantity", "line.amount_fen"


class Settled(Struct, frozen=True):
    """The lines that stand, of these the ones (by identity) that may be refunded, and the refunds of none of them."""

    lines: tuple[Line, ...]
    doubtful: frozenset[int] = frozenset()
    unmatched: tuple[Line, ...] = ()


def is_refund(line: Line) -> bool:
    """Whether a line gives something back."""
    quantity, amount = line.facts.get(_QUANTITY), line.facts.get(_AMOUNT)
    return (quantity is not None and quantity < 0) or (amount is not None and amount < 0)  # type: ignore[operator]


def holds_refund(lines: Iterable[Line]) -> bool:
    """Whether any of the lines gives something back: asked by every check, and nearly always false."""
    return any(map(is_refund, lines))


def settle(lines: tuple[Line, ...], further: Iterable[Line] = ()) -> Settled:
    """Take refunds away, those among the lines and ``further`` ones, from the charges they are of."""
    refunds = [*further, *filter(is_refund, lines)] if further or holds_refund(lines) else []
    if not refunds:
        return Settled(lines)
    charges: dict[int, Line] = {place: line for place, line in enumerate(lines) if not is_refund(line)}
    doubtful: set[int] = set()
    unmatched = []
    for refund in refunds:
        places = [place for place, line in charges.items() if _may_be_of(refund, line)]
        if not places:
            unmatched.append(refund)
        elif taken := _taken_from(refund, places, charges):
            _take(refund, taken, charges)
        else:
            doubtful.update(places)
    may_be = frozenset(id(line) for place, line in charges.items() if place in doubtful)
    return Settled(tuple(charges.values()), may_be, tuple(unmatched))


def _may_be_of(refund: Line, line: Line) -> bool:
    """Whether a refund may be of a line: of its encounter and item, and begun by then."""
    if line.encounter_id != refund.encounter_id or item_of(line) != item_of(refund):
        return False
    ours, theirs = _day(refund), _day(line)
    return ours is None or theirs is None or theirs <= ours


def _taken_from(refund: Line, places: list[int], charges: dict[int, Line]) -> list[int]:
    """The places of the charges a refund is of for certain, the last first; none where nobody can tell."""
    quantity = refund.facts.get(_QUANTITY)
    if quantity is None:
        return []
    exact = [
        place
        for place in places
        if _day(charges[place]) == _day(refund) and charges[place].facts.get(_QUANTITY) == -quantity  # type: ignore[operator]
    ]
    if exact:
        return exact[-1:]
    told = [(_day(charges[place]), _words(charges[place])) for place in places]
    known = all(isinstance(charges[place].facts.get(_QUANTITY), Decimal) for place in places)
    return places[::-1] if known and all(each == told[0] for each in told) else []


def _take(refund: Line, places: list[int], charges: dict[int, Line]) -> None:
    """Take a refund's units away; a line that has none left is none."""
    left = -Decimal(refund.facts[_QUANTITY])  # type: ignore[arg-type]
    for place in places:
        own = Decimal(charges[place].facts[_QUANTITY])  # type: ignore[arg-type]
        if own <= left:
            del charges[place]
            left -= own
        elif left > 0:
            charges[place] = _lessened(charges[place], own, own - left)
            left = Decimal(0)


def _lessened(line: Line, own: Decimal, rest: Decimal) -> Line:
    """A line with what is left of its quantity, and as much of its amount."""
    facts: dict[str, FactValue] = {**line.facts, _QUANTITY: rest}
    amount = facts.get(_AMOUNT)
    if isinstance(amount, int):
        facts[_AMOUNT] = int((amount * rest / own).quantize(Decimal(1), ROUND_HALF_UP))
    return msgspec.structs.replace(line, facts=facts)


def _day(line: Line) -> date | None:
    return line.begins.date() if line.begins else None


def _words(line: Line) -> dict[str, FactValue]:
    """What a line tells besides numbers."""
    facts = line.facts.items()
    return {name: value for name, value in facts if isinstance(value, bool) or not isinstance(value, (int, Decimal))}
