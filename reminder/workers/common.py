"""The memory that workers have in common: mapped by the supervisor before it forks, and there until it ends.

Each worker writes its own part alone and reads those of all; who takes a dead worker's place goes on in its part. So
nothing here is ever locked, and nothing is lost with a worker but what it had not written yet.
"""

from __future__ import annotations

import mmap
import zlib
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from reminder.workers.records import Records
from reminder.workers.streams import Stream
from reminder.workers.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["HOURS_KEPT", "SAID_BYTES", "Common", "Part"]

SAID_BYTES = 512 * 1024
"""The most a worker may say of itself at once (:meth:`Part.say`): some thousand metrics are 100 KB."""

HOURS_KEPT = 2
"""Hours of which a part knows what was seen: the one that runs, and the one before."""

_CELL_BYTES = 8
_STATE, _PID, _SERVING, _STARTS, _WRITTEN = 4, 0, 1, 2, 3
_BOARD = 1 + 24 * 8
_MARKS = 1 << 17  # what is seen in an hour: some 10,000 prescriptions
_ANSWERED = 3 * (1 << 15)  # requests, three numbers each: a worker hears of them within a second, if anybody asks it
_HEARD = 1 << 15  # exits and ends of what was left, some 25 cells each: a large hospital has some tens a day
_ANSWERS = 1 << 18  # blocks while the journal cannot be written, some 1,000 cells each: the last hundred
_SAID = 2 + 2 * SAID_BYTES // _CELL_BYTES
_LENGTH_BYTES, _SUM_BYTES = 4, 4
_TRIES = 10

_SIZES = (_STATE, _BOARD, HOURS_KEPT * (2 + _MARKS), 1 + _ANSWERED, 1 + _HEARD, 1 + _ANSWERS, _SAID)
_BEGINS = tuple(accumulate(_SIZES, initial=0))


class Part:
    """The part of one worker.

    ``board`` and ``marks`` are cells of the board; ``answered`` tells of requests, ``heard`` of blocks that were left,
    ``answers`` has blocks whose entries are not written yet.
    """

    def __init__(self, cells: memoryview) -> None:
        pieces = [cells[begin:end] for begin, end in pairwise(_BEGINS)]
        self._state, self.board, self._marks, answered, heard, answers, said = pieces
        self.answered = Stream(answered[:1], answered[1:])
        self.heard = Records(Stream(heard[:1], heard[1:]))
        self.answers = Records(Stream(answers[:1], answers[1:]))
        self._said_head, self._said = said[:2], said[2:].cast("B")

    def marks(self, which: int) -> tuple[memoryview, memoryview, memoryview]:
        """Epoch, count and cells of what was seen: of one hour, and of the one before or after it."""
        begin = which * (2 + _MARKS)
        piece = self._marks[begin : begin + 2 + _MARKS]
        return piece[:1], piece[1:2], piece[2:]

    @property
    def pid(self) -> int:
        """The worker's process, 0 while there is none."""
        return int(self._state[_PID])

    @property
    def serving(self) -> bool:
        """Whether it serves."""
        return bool(self._state[_SERVING])

    @property
    def starts(self) -> int:
        """How often a worker was started in this place."""
        return int(self._state[_STARTS])

    @property
    def written(self) -> int:
        """Journal entries ever written in this place."""
        return int(self._state[_WRITTEN])

    def serves(self) -> None:
        """It serves (by the worker)."""
        self._state[_SERVING] = 1

    def has_written(self, count: int) -> None:
        """So many journal entries were ever written in this place (by the worker)."""
        self._state[_WRITTEN] = count

    def began(self, pid: int) -> None:
        """A worker was started (by the supervisor)."""
        self._state[_PID] = pid
        self._state[_STARTS] += 1

    def ended(self) -> None:
        """It has ended (by the supervisor)."""
        self._state[_PID] = self._state[_SERVING] = 0

    def say(self, content: bytes) -> bool:
        """Say something of this worker to all, in place of what it said before; whether there was room.

        Two halves take turns, so that whoever reads, or comes after a worker killed in the middle, finds one whole.
        """
        if len(content) + _LENGTH_BYTES + _SUM_BYTES > SAID_BYTES:
            return False
        turn = int(self._said_head[0]) + 1
        whole = len(content).to_bytes(_LENGTH_BYTES) + zlib.crc32(content).to_bytes(_SUM_BYTES) + content
        begin = turn % 2 * SAID_BYTES
        self._said[begin : begin + len(whole)] = whole
        self._said_head[0] = turn
        return True

    def said(self) -> bytes:
        """What the worker last said of itself; nothing where it has not, or where it just says too much at once."""
        for _ in range(_TRIES):
            turn = int(self._said_head[0])
            begin = turn % 2 * SAID_BYTES
            body = begin + _LENGTH_BYTES + _SUM_BYTES
            length = int.from_bytes(self._said[begin : begin + _LENGTH_BYTES])
            sum_ = int.from_bytes(self._said[begin + _LENGTH_BYTES : body])
            content = bytes(self._said[body : body + length])
            if turn and zlib.crc32(content) == sum_:
                return content
        return b""


class Common:
    """What ``count`` workers have in common; made before the fork."""

    def __init__(self, count: int) -> None:
        size = _BEGINS[-1]
        cells = memoryview(mmap.mmap(-1, count * size * _CELL_BYTES)).cast("q")
        self.parts: Sequence[Part] = [Part(cells[place * size : (place + 1) * size]) for place in range(count)]
        self.turns = Turns()

    @property
    def written(self) -> int:
        """Journal entries written by all."""
        return sum(part.written for part in self.parts)
