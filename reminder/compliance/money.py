"""Money: what each reminder of a finding has of its amount, and which reminder carries the money of a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from reminder.compliance.joined import places_of

if TYPE_CHECKING:
    from reminder.compliance.joined import Showing
    from reminder.compliance.records import Reminder

__all__ = ["carried", "largest"]


def largest(reminder_id: str, showings: Iterable[Showing]) -> int | None:
    """The largest amount at risk any showing names for a reminder, fen; ``None`` where none does."""
    return max((amount for showing in showings if (amount := _amount(reminder_id, showing)) is not None), default=None)


def _amount(reminder_id: str, showing: Showing) -> int | None:
    """A reminder's part of a finding's amount: by the amounts of its lines, the parts adding up to the whole."""
    whole = showing.found.amount_fen
    if whole is None or len(showing.found.reminders) == 1:
        return whole
    placed = places_of(showing.found)
    weights = {name: _weight(showing, places) for name, places in placed.items()}
    if not any(weights.values()):
        weights = dict.fromkeys(placed, 1)
    before = sum(weights[name] for name in list(placed)[: list(placed).index(reminder_id)])
    total = sum(weights.values())
    return whole * (before + weights[reminder_id]) // total - whole * before // total


def _weight(showing: Showing, places: Sequence[int]) -> int:
    lines = (showing.body.placed.get(place) for place in places)
    return sum(max(line.amount_fen or 0, 0) for line in lines if line is not None)


def carried(reminders: Iterable[Reminder]) -> list[Reminder]:
    """The same reminders of one encounter, with the money of each line on the one that has most of it."""
    told = list(reminders)
    carriers: dict[tuple[str, str], Reminder] = {}
    for one in told:
        line = one.item, one.order_date
        if one.amount_fen is not None and (line not in carriers or _rank(one) < _rank(carriers[line])):
            carriers[line] = one
    return [_with_money(one, carriers) for one in told]


def _rank(one: Reminder) -> tuple[object, ...]:
    return -(one.amount_fen or 0), one.first_at, one.rule_id, one.reminder_id


def _with_money(one: Reminder, carriers: Mapping[tuple[str, str], Reminder]) -> Reminder:
    if carriers.get((one.item, one.order_date)) is not one or not one.amount_fen:
        return one
    return replace(one, warned_fen=one.amount_fen)
