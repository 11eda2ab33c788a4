"""Which requests came lately to any worker: in memory they share, so that none asks the journal for a new one.

Each worker writes down what came to it, in two tables that stand for a window each; looking goes through those of all.
Two workers that are sent the same request at once take turns: the second finds the first one's answer in the journal.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reminder.journal.known import NAME, WINDOW
from reminder.workers.cells import Table, signed
from reminder.workers.common import KNOWN_HEAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reminder.journal.known import Came
    from reminder.workers.common import Common, Part

__all__ = ["SharedKnown"]

_BEGUN, _SURE, _YOUNGER = range(KNOWN_HEAD)
_WIDTH = 3  # key, what the id stands for (of a request: its id), when it came
_ID_PART = 0x9E3779B97F4A7C15  # any odd number: keys of ids and of requests are not to be alike
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WINDOW_US = WINDOW // _MICROSECOND


class _Own:
    """The two tables of a worker's part: the one it writes into, and the one from before."""

    def __init__(self, part: Part) -> None:
        self.head, rest = part.known[:KNOWN_HEAD], part.known[KNOWN_HEAD:]
        half = len(rest) // 2
        self.tables = [Table(rest[begin : begin + 1], rest[begin + 1 : begin + half], _WIDTH) for begin in (0, half)]

    def find(self, key: int) -> Iterator[tuple[int, int]]:
        """When, and what a key stands for."""
        for table in self.tables:
            if (place := table.find(key)) >= 0:
                yield table[place + 2], table[place + 1]

    def put(self, key: int, value: int, at_us: int) -> None:
        """Write a row; where there is no room, nothing is sure for a window."""
        head = self.head
        if at_us - head[_BEGUN] >= _WINDOW_US:
            self._turn(at_us)
        if not self.tables[head[_YOUNGER]].put(key, value, at_us):
            head[_SURE] = at_us + _WINDOW_US
            self._turn(at_us)
            self.tables[head[_YOUNGER]].put(key, value, at_us)

    def _turn(self, at_us: int) -> None:
        """The table from before is let go of and written anew."""
        head = self.head
        if head[_BEGUN]:
            head[_YOUNGER] = 1 - head[_YOUNGER]
            self.tables[head[_YOUNGER]].clear()
        head[_BEGUN] = at_us


class SharedKnown:
    """What every worker knows; see :class:`reminder.journal.known.Known`.

    Args:
        common: What workers have in common.
        number: Whose part is written.
        shared: Others than these workers write the journal too: then nothing is ever sure.
    """

    def __init__(self, common: Common, number: int, *, shared: bool) -> None:
        self._turns = common.turns
        self._all = [_Own(part) for part in common.parts]
        self._own = self._all[number]
        self._never = shared
        self.learns = number == 0 and not self._own.head[_SURE]

    def latest(self, name: str, now: datetime) -> str:
        """The latest request of a name within the window; "" where there was none."""
        key = _key(name)
        at_us, value = max((found for own in self._all for found in own.find(key)), default=(0, 0))
        if not at_us or _us(now) - at_us >= _WINDOW_US:
            return ""
        if len(name) > NAME:
            return name if value == signed(int(name[:NAME], 16)) else ""
        return f"{name}{value % (1 << 64):016x}"

    def comes(self, asked: str, at: datetime) -> None:
        """A request came."""
        self._own.put(_key(asked[:NAME]), signed(int(asked[NAME:], 16)), _us(at))

    def answered(self, asked: str, at: datetime) -> None:
        """A request was answered."""
        self.comes(asked, at)
        self._own.put(_key(asked), signed(int(asked[:NAME], 16)), _us(at))

    def journaled(self, came: Iterable[Came], now: datetime) -> None:
        """These stand in the journal."""
        for asked, at in came:
            if not self.latest(asked, now):
                self.answered(asked, at)
        if not self._own.head[_SURE]:
            self._own.head[_SURE] = _us(now)

    def sure(self, now: datetime) -> bool:
        """Whether a request that is not known is new."""
        if self._never:
            return False
        now_us = _us(now)
        return all(0 < own.head[_SURE] <= now_us for own in self._all)

    def take(self, asked: str) -> bool:
        """Have the turn to answer a request; whether nobody else has it."""
        return self._turns.take(asked)

    def leave(self, asked: str) -> None:
        """Let others have it."""
        self._turns.leave(asked)


def _key(name: str) -> int:
    id_ = int(name[:NAME], 16)
    return signed(id_ if len(name) == NAME else id_ * _ID_PART + int(name[NAME:], 16))


def _us(at: datetime) -> int:
    return (at - _EVER) // _MICROSECOND
