"""The plain matcher, before the loop: what is left when refunds are taken away.

A refund is a line with a quantity or an amount below zero. It belongs to charges of its encounter and item begun by its
day. One of its own day with exactly its quantity is gone; else, where all charges stand on one day and differ in
numbers only, the last units are gone; else each of them may be, and is no longer certain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from tests.plain_scene import item_key

if TYPE_CHECKING:
    from datetime import date

    from negative_list.prescription import History, Line, Prescription

__all__ = ["without_refunds"]


class _Left(NamedTuple):
    """The charges that are left, those of them that may be refunded too, and the refunds of nothing here."""

    lines: list[Line]
    doubted: list[Line]
    unmatched: list[Line]


def without_refunds(prescription: Prescription, history: History) -> tuple[Prescription, History, frozenset[int]]:
    """The same with refunds taken away, and the identities of the lines that are no longer certain."""
    own = _left(prescription.encounter.lines, [])
    others = [_left(one.lines, []) for one in prescription.others]
    past = _left(history.lines, own.unmatched)
    less = replace(
        prescription,
        encounter=replace(prescription.encounter, lines=tuple(own.lines)),
        others=tuple(
            replace(one, lines=tuple(left.lines)) for one, left in zip(prescription.others, others, strict=True)
        ),
    )
    doubted = [line for left in (own, past, *others) for line in left.doubted]
    return less, replace(history, lines=tuple(past.lines)), frozenset(id(line) for line in doubted)


def _left(lines: Sequence[Line], further: list[Line]) -> _Left:
    kept = [line for line in lines if not _is_refund(line)]
    doubted: list[int] = []
    unmatched: list[Line] = []
    # Lines are known by where they stand in ``kept``; one that is gone leaves None.
    standing: list[Any] = list(kept)
    for refund in (*further, *(line for line in lines if _is_refund(line))):
        about = [n for n, line in enumerate(standing) if line is not None and _concerns(refund, line)]
        gone = _gone(refund, [(n, standing[n]) for n in about])
        if not about:
            unmatched.append(refund)
        elif gone is None:
            doubted += about
        else:
            _take(refund, gone, standing)
    sure = [line for line in standing if line is not None]
    return _Left(sure, [standing[n] for n in doubted if standing[n] is not None], unmatched)


def _is_refund(line: Line) -> bool:
    return any(_number(line, name) < 0 for name in ("line.quantity", "line.amount_fen"))


def _number(line: Line, name: str) -> Decimal:
    value = line.facts.get(name)
    return Decimal(value) if isinstance(value, int | Decimal) else Decimal(0)


def _concerns(refund: Line, line: Line) -> bool:
    if (refund.encounter_id, item_key(refund)) != (line.encounter_id, item_key(line)):
        return False
    days = _day(line), _day(refund)
    return None in days or days[0] <= days[1]  # type: ignore[operator]


def _day(line: Line) -> date | None:
    return line.begins.date() if line.begins is not None else None


def _gone(refund: Line, charges: list[tuple[int, Line]]) -> list[int] | None:
    """Which charges the refund is of, the last first; ``None`` where that is open."""
    if "line.quantity" not in refund.facts:
        return None
    back = -_number(refund, "line.quantity")
    same = [n for n, line in charges if _day(line) == _day(refund) and line.facts.get("line.quantity") == back]
    if same:
        return [same[-1]]
    kinds = [(_day(line), _said(line)) for _, line in charges]
    open_ = any("line.quantity" not in line.facts for _, line in charges) or any(kind != kinds[0] for kind in kinds)
    return None if open_ else [n for n, _ in reversed(charges)]


def _said(line: Line) -> dict[str, object]:
    """All a line tells but for numbers."""
    return {k: v for k, v in line.facts.items() if isinstance(v, bool) or not isinstance(v, int | Decimal)}


def _take(refund: Line, places: list[int], standing: list[Any]) -> None:
    back = -_number(refund, "line.quantity")
    for n in places:
        own = _number(standing[n], "line.quantity")
        if back <= 0:
            return
        if own <= back:
            standing[n] = None
        else:
            standing[n] = _lessened(standing[n], own, own - back)
        back -= own


def _lessened(line: Line, own: Decimal, rest: Decimal) -> Line:
    facts = {**line.facts, "line.quantity": rest}
    if "line.amount_fen" in facts:
        share = Fraction(rest) / Fraction(own)
        facts["line.amount_fen"] = math.floor(Fraction(_number(line, "line.amount_fen")) * share + Fraction(1, 2))
    return replace(line, facts=facts)
