"""What one process tells others, in the order it does: whole numbers of 64 bits in memory they share.

One writes, any number read, each from where it came to. The count is moved on after the numbers stand there: whoever
reads meanwhile, or comes after a writer that was killed, sees none but whole ones.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Stream"]


class Stream:
    """Numbers in cells that begin anew where they end: what is older than they hold is gone.

    Args:
        count: One cell: how many numbers were ever told.
        cells: Where the latest stand.
    """

    def __init__(self, count: memoryview, cells: memoryview) -> None:
        self.count = count
        self._cells = cells
        self._size = len(cells)

    @property
    def reach(self) -> int:
        """How many of the latest numbers can be read for certain: the rest may be written meanwhile."""
        return self._size // 2

    def tell(self, numbers: Sequence[int]) -> None:
        """Tell numbers; no more at once than there are cells."""
        begin = self.count[0] % self._size
        fit = self._size - begin
        self._cells[begin : begin + min(fit, len(numbers))] = array("q", numbers[:fit])
        if len(numbers) > fit:
            self._cells[: len(numbers) - fit] = array("q", numbers[fit:])
        self.count[0] += len(numbers)

    def since(self, place: int) -> tuple[Sequence[int], int, bool]:
        """What was told since a place: the numbers, the place now, and whether all of them were still there."""
        now = int(self.count[0])
        first = max(place, now - self.reach)
        begin, end = first % self._size, now % self._size
        found = self._cells[begin:end] if begin <= end else array("q", [*self._cells[begin:], *self._cells[:end]])
        return array("q", found), now, first == place
