"""Records one process tells others, each a run of bytes of its own length: over numbers in memory they share."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reminder.workers.streams import Stream

__all__ = ["Records"]

_CELL_BYTES = 8


class Records:
    """Records in a stream; before each stands how many bytes it has."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    @property
    def count(self) -> int:
        """Where the stream has come to: another number when there is news."""
        return int(self._stream.count[0])

    def tell(self, record: bytes) -> bool:
        """Tell a record; whether it was short enough for others to find it."""
        padded = record + bytes(-len(record) % _CELL_BYTES)
        cells = array("q", padded)
        if len(cells) >= self._stream.reach:
            return False
        self._stream.tell((len(record), *cells))
        return True

    def since(self, place: int) -> tuple[list[bytes], int, bool]:
        """What was told since a place: the records, the place now, and whether none is gone; where one is, all are."""
        numbers, now, whole = self._stream.since(place)
        found, at = [], 0
        while whole and at < len(numbers):
            size, begin = numbers[at], at + 1
            at = begin + -(-size // _CELL_BYTES)
            found.append(array("q", numbers[begin:at]).tobytes()[:size])
        return found, now, whole
