"""Money: what each reminder of a finding has of its amount, and which reminder carries the money of a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from reminder.compliance.bodies import places_of

if TYPE_CHECKING:
    from reminder.compliance.joined import Showing, Thread

__all__ = ["Money", "carried"]


class Money(Struct, frozen=True, kw_only=True, gc=False):
    """The line a reminder is about, and its money: the amount at risk, and what it carries of the line's."""

    item: str
    item_name: str
    order_date: str
    amount_fen: int | None
    warned_fen: int = 0


def _largest(reminder_id: str, showings: Sequence[Showing]) -> int | None:
    """The largest amount at risk any showing names for a reminder, fen; ``None`` where none does."""
    if len(showings) == 1:
        return _amount(reminder_id, showings[0])
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


def carried(threads: Sequence[Thread]) -> list[Money]:
    """The line and the money of each of the reminders of one encounter: on each line the one with most carries it."""
    told = [_money(thread) for thread in threads]
    if len(told) == 1:
        return [replace(told[0], warned_fen=told[0].amount_fen or 0)]
    carriers: dict[tuple[str, str], int] = {}
    for place in sorted(range(len(told)), key=lambda place: _rank(threads[place], told[place])):
        if told[place].amount_fen is not None:
            carriers.setdefault((told[place].item, told[place].order_date), place)
    return [
        replace(one, warned_fen=one.amount_fen)
        if one.amount_fen and carriers[one.item, one.order_date] == place
        else one
        for place, one in enumerate(told)
    ]


def _money(thread: Thread) -> Money:
    first = thread.first
    line = next((first.body.placed[place] for place in first.places if place in first.body.placed), None)
    return Money(
        item=line.item if line else "",
        item_name=line.name if line else "",
        order_date=(line.order_date if line else "") or first.body.day,
        amount_fen=_largest(thread.reminder_id, thread.showings),
    )


def _rank(thread: Thread, money: Money) -> tuple[object, ...]:
    return -(money.amount_fen or 0), thread.first.body.at, thread.first.found.rule_id, thread.reminder_id
