"""Of which encounters any worker heard that a block was left: about those alone the journal is asked."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING

from reminder.exits import EXIT_PERIOD

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from reminder.workers.common import Common

__all__ = ["MOST_LEFT", "SharedExits"]

MOST_LEFT = 10_000
"""Encounters that are remembered; where that does not reach 24 hours back the journal is asked about all of them."""

_MARK_BYTES = 8


class SharedExits:
    """What every worker knows; see :class:`reminder.exits.Others`.

    Args:
        common: what workers have in common.
        number: which worker this is.
    """

    def __init__(self, common: Common, number: int) -> None:
        self._own = common.parts[number].left
        # All parts: in the own one stands what the worker told whose place this one takes.
        self._streams = [part.left for part in common.parts]
        self._heard: list[int | None] = [None] * len(self._streams)
        self._left: OrderedDict[int, datetime] = OrderedDict()
        self._unsure_until: datetime | None = None

    def tell(self, encounter_key: str) -> None:
        """A block of an encounter was left."""
        self._own.tell((_mark(encounter_key),))

    def may_have_left(self, encounter_keys: Sequence[str], now: datetime) -> bool:
        """Whether one may have been left in an encounter, as far as the last 24 hours go."""
        for place, stream in enumerate(self._streams):
            if stream.count[0] != self._heard[place]:
                self._hear(place, now)
        if self._unsure_until is not None and now < self._unsure_until:
            return True
        return any(_mark(key) in self._left for key in encounter_keys)

    def _hear(self, place: int, now: datetime) -> None:
        """What was told since; what was gone before this worker looked first it has read in the journal."""
        before = self._heard[place]
        marks, self._heard[place], whole = self._streams[place].since(before or 0)
        for mark in marks:
            self._left[mark] = now
            self._left.move_to_end(mark)
        gone = [self._left.popitem(last=False)[1] for _ in range(len(self._left) - MOST_LEFT)]
        if before is not None and not whole:
            self._unsure_until = now + EXIT_PERIOD
        if gone and gone[-1] + EXIT_PERIOD > now:
            self._unsure_until = max(self._unsure_until or now, gone[-1] + EXIT_PERIOD)


def _mark(encounter_key: str) -> int:
    """An encounter as a number that fits a cell; two that share one cost a question, no more."""
    digest = hashlib.blake2b(encounter_key.encode(), digest_size=_MARK_BYTES).digest()
    return int.from_bytes(digest, signed=True)
