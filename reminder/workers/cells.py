"""Tables in memory that several processes see and one of them writes: whole numbers of 64 bits, found by their key.

Open addressing over a mapped region. A row is written value first and key last, so that whoever reads meanwhile, and
whoever comes after a writer that was killed, sees it whole or not at all.
"""

from __future__ import annotations

__all__ = ["Table", "signed"]

_FULL = 0.75
_WORD = 1 << 64
_HALF = 1 << 63


def signed(number: int) -> int:
    """Any whole number as one that fits a cell and is not 0, which stands for nothing."""
    cut = number % _WORD
    return (cut - _WORD if cut >= _HALF else cut) or 1


class Table:
    """Rows of ``width`` cells, the first of which is the key.

    Args:
        count: One cell that counts rows.
        cells: A power of two of rows.
        width: Cells a row.
    """

    def __init__(self, count: memoryview, cells: memoryview, width: int = 1) -> None:
        self._count = count
        self._cells = cells
        self._width = width
        self._mask = len(cells) // width - 1

    @property
    def full(self) -> bool:
        """Whether looking for a row begins to take long; nothing new is written then."""
        return bool(self._count[0] >= _FULL * (self._mask + 1))

    def find(self, key: int) -> int:
        """Where the row of a key begins, or -1."""
        place, found = self._place(key)
        return place if found else -1

    def put(self, key: int, *values: int) -> bool:
        """Write a row; whether there was room."""
        place, found = self._place(key)
        if not found and self.full:
            return False
        for offset, value in enumerate(values, 1):
            self._cells[place + offset] = value
        if not found:
            self._cells[place] = key
            self._count[0] += 1
        return True

    def __getitem__(self, place: int) -> int:
        """The number at a place: where :meth:`find` says the key stands, the values after it."""
        number: int = self._cells[place]
        return number

    def clear(self) -> None:
        """Forget every row."""
        raw = self._cells.cast("B")
        raw[:] = bytes(len(raw))
        self._count[0] = 0

    def _place(self, key: int) -> tuple[int, bool]:
        """Where a key stands, or would stand."""
        cells, width, mask = self._cells, self._width, self._mask
        place = key & mask
        while (there := cells[place * width]) and there != key:
            place = (place + 1) & mask
        return place * width, there == key
