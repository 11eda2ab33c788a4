"""Which requests came lately to any worker: each tells the others, so that none asks the journal for a new one.

Two workers that are sent the same request at once take turns: the second finds the first one's answer in the journal.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reminder.journal.known import NAME, WINDOW, OwnKnown

if TYPE_CHECKING:
    from reminder.workers.common import Common

__all__ = ["SharedKnown"]

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WORD, _HALF = 1 << 64, 1 << 63


class SharedKnown(OwnKnown):
    """What every worker knows; see :class:`reminder.journal.known.Known`.

    Args:
        common: What workers have in common.
        number: Which worker this is.
        shared: Others than these workers write the journal too: then nothing is ever sure.
    """

    def __init__(self, common: Common, number: int, *, shared: bool) -> None:
        super().__init__(shared=shared)
        self._turns = common.turns
        self._own = common.parts[number].answered
        self._others = [part.answered for place, part in enumerate(common.parts) if place != number]
        # What was told before this worker was there is in the journal, which it reads first.
        self._heard = [int(stream.count[0]) for stream in self._others]

    def latest(self, name: str, now: datetime) -> str:
        """The latest request of a name within the window; "" where there was none."""
        for place, stream in enumerate(self._others):
            if stream.count[0] != self._heard[place]:
                self._hear(place, now)
        return super().latest(name, now)

    def answered(self, asked: str, at: datetime) -> None:
        """A request was answered: everybody is told."""
        super().answered(asked, at)
        self._own.tell((_signed(asked[:NAME]), _signed(asked[NAME:]), (at - _EVER) // _MICROSECOND))

    def take(self, asked: str) -> bool:
        """Have the turn to answer a request; whether nobody else has it."""
        return self._turns.take(asked)

    def leave(self, asked: str) -> None:
        """Let others have it."""
        self._turns.leave(asked)

    def _hear(self, place: int, now: datetime) -> None:
        """What another worker answered since; where some of it is gone, nothing is sure for a window."""
        numbers, self._heard[place], whole = self._others[place].since(self._heard[place])
        for at in range(0, len(numbers), 3):
            asked = f"{numbers[at] % _WORD:016x}{numbers[at + 1] % _WORD:016x}"
            super().answered(asked, _EVER + numbers[at + 2] * _MICROSECOND)
        if not whole:
            self.doubt(now + WINDOW)


def _signed(digits: str) -> int:
    """Sixteen hex digits as a number that fits a cell."""
    number = int(digits, 16)
    return number - _WORD if number >= _HALF else number
