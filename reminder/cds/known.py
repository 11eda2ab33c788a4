"""Which finding a card was about: remembered for the latest, found in the journal for all."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reminder.cds.ids import card_uuid, moment_of, suggestion_uuid
from reminder.journal.coding import decode
from reminder.journal.entries import Decided
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from negative_list.decision import Decision
    from reminder.journal.base import JournalStore
    from reminder.journal.journal import Journal

__all__ = ["Card", "Cards"]

_MOST = 20_000
_MILLISECOND = timedelta(milliseconds=1)


class Card(Struct, frozen=True, kw_only=True):
    """What a card showed: its finding and action, and the kind of each suggestion by id."""

    finding_id: str
    action: str = ""
    suggestions: Mapping[str, str] = msgspec.field(default_factory=dict)


class Cards:
    """The cards of the latest answers by their ids; the oldest are forgotten first."""

    def __init__(self) -> None:
        self._cards: OrderedDict[str, Card] = OrderedDict()

    def shown(self, decision: Decision) -> None:
        """An answer left; its entry may not be in the journal yet."""
        self._cards |= _cards(decision)
        while len(self._cards) > _MOST:
            self._cards.popitem(last=False)

    async def of(self, ids: Iterable[str], journal: Journal | None, left_s: Callable[[], float]) -> dict[str, Card]:
        """The cards of some ids; those nobody knows are missing.

        Args:
            ids: of cards.
            journal: asked for what is not remembered.
            left_s: tells how many seconds are left for it.
        """
        found = {name: self._cards[name] for name in ids if name in self._cards}
        for moment in dict.fromkeys(filter(None, (moment_of(name) for name in ids if name not in found))):
            if journal is None or left_s() <= 0:
                break
            try:
                found |= await journal.ask(partial(_at, moment), left_s())
            except StoreError:
                break
        return found


def _at(moment: datetime, store: JournalStore) -> dict[str, Card]:
    """The cards of decisions of a millisecond, in a thread of the journal. Ids round down by way of a float."""
    rows = store.period(moment - _MILLISECOND, moment + 2 * _MILLISECOND, ("decision",), _ignore)
    cards: dict[str, Card] = {}
    for row in rows:
        try:
            decided = decode(row.body)
        except msgspec.DecodeError:
            continue
        if isinstance(decided, Decided):
            cards |= _cards(decided.answer)
    return cards


def _cards(decision: Decision) -> dict[str, Card]:
    return {
        card_uuid(finding.finding_id): Card(
            finding_id=finding.finding_id,
            action=finding.action,
            suggestions={
                suggestion_uuid(finding.finding_id, place): each.kind for place, each in enumerate(finding.suggestions)
            },
        )
        for finding in decision.findings
    }


def _ignore(_damaged: Any) -> None:
    """A damaged entry tells of no card."""
