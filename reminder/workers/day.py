"""The board's day as all workers have seen it: each counts what none of them has counted yet.

Two workers that see the same at the same instant count it twice; that is some microseconds of an hour.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

from reminder.workers.common import HOURS_KEPT

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from reminder.workers.common import Common, Part

__all__ = ["SharedDay", "SharedHour"]

_HOURS = 24


class SharedHour:
    """An hour: ``counts`` are this worker's, ``seen`` is everybody's."""

    __slots__ = ("counts", "seen")

    def __init__(self, counts: _Counts, seen: _Seen) -> None:
        self.counts = counts
        self.seen = seen

    def once(self, figure: str, about: object) -> None:
        """Count something, the first time it is seen."""
        mark = hash((figure, about))
        if mark not in self.seen:
            self.seen.update((mark,))
            self.counts[figure] += 1


class SharedDay:
    """Today's hours. ``figures`` are what each counts, eight at most.

    Args:
        common: What workers have in common.
        number: Whose part is written.
        figures: What is counted.
    """

    def __init__(self, common: Common, number: int, figures: Sequence[str]) -> None:
        self._parts = common.parts
        self._own = common.parts[number]
        self._places = {name: place for place, name in enumerate(figures)}
        self._stride = (len(self._own.board) - 1) // _HOURS
        self._seen = [_Seen(common.parts, number, which) for which in range(HOURS_KEPT)]

    def hour(self, at: datetime) -> SharedHour | None:
        """The hour of a civil instant, the day before being forgotten; ``None``: its own day is over."""
        day, board = at.toordinal(), self._own.board
        if day < board[0]:
            return None
        if board[0] != day:
            raw = board.cast("B")
            raw[:] = bytes(len(raw))
            board[0] = day
        epoch = day * _HOURS + at.hour
        seen = self._seen[epoch % HOURS_KEPT]
        seen.begin(epoch)
        return SharedHour(_Counts(board, 1 + at.hour * self._stride, self._places), seen)

    def hours(self) -> dict[int, dict[str, int]]:
        """What all workers counted on the last day any of them saw, by hour."""
        day = max(int(part.board[0]) for part in self._parts)
        told = ((hour, {name: self._sum(day, hour, at) for name, at in self._places.items()}) for hour in range(_HOURS))
        return {hour: counts for hour, counts in told if any(counts.values())}

    def _sum(self, day: int, hour: int, place: int) -> int:
        at = 1 + hour * self._stride + place
        return sum(int(part.board[at]) for part in self._parts if part.board[0] == day)


class _Counts:
    """What one worker counted in an hour, by figure."""

    __slots__ = ("_begin", "_cells", "_places")

    def __init__(self, cells: memoryview, begin: int, places: dict[str, int]) -> None:
        self._cells = cells
        self._begin = begin
        self._places = places

    def __getitem__(self, figure: str) -> int:
        return int(self._cells[self._begin + self._places[figure]])

    def __setitem__(self, figure: str, count: int) -> None:
        self._cells[self._begin + self._places[figure]] = count


class _Seen:
    """What was seen in one hour, by hash: workers forked by one supervisor hash alike.

    What is more than an hour's cells hold is not told to others, who count it again.
    """

    def __init__(self, parts: Sequence[Part], number: int, which: int) -> None:
        self._marks = [part.marks(which) for part in parts]
        self._epoch, self._count, self._cells = self._marks[number]
        self._began = 0
        self._known: set[int] = set()
        self._heard = [0] * len(parts)

    def begin(self, epoch: int) -> None:
        """The hour begins, unless it has already; see what others have seen since."""
        if self._epoch[0] != epoch:
            self._count[0] = 0
            self._epoch[0] = epoch
        if self._began != epoch:
            self._began, self._known, self._heard = epoch, set(), [0] * len(self._marks)
        for place, (there, count, cells) in enumerate(self._marks):
            if (now := count[0]) != self._heard[place] and there[0] == epoch:
                self._known.update(cells[self._heard[place] : now])
                self._heard[place] = now

    def __contains__(self, mark: int) -> bool:
        return mark in self._known

    def update(self, marks: Collection[int]) -> None:
        """These were seen."""
        self._known.update(marks)
        begin = self._count[0]
        end = begin + len(marks)
        if end <= len(self._cells):
            self._cells[begin:end] = array("q", marks)
            self._count[0] = end
