"""What each worker tells the others of exits: so all know them at once, also while the journal cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from reminder.exits import Heard
from reminder.journal.base import Draft

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reminder.workers.common import Common
    from reminder.workers.records import Records

__all__ = ["SharedExits"]

_WRITE = msgspec.msgpack.Encoder().encode
_READ_HEARD = msgspec.msgpack.Decoder(Heard).decode
_READ_DRAFT = msgspec.msgpack.Decoder(Draft).decode

T = TypeVar("T")


class SharedExits:
    """What every worker tells; see :class:`reminder.exits.Others`.

    Args:
        common: what workers have in common.
        number: which worker this is.
    """

    def __init__(self, common: Common, number: int) -> None:
        own, parts = common.parts[number], common.parts
        self._own_heard, self._own_answers = own.heard, own.answers
        # Of all parts: in the own one stands what the worker told whose place this one takes.
        self._heard = _Hearing([part.heard for part in parts], _READ_HEARD)
        self._answers = _Hearing([part.answers for part in parts], _READ_DRAFT)

    def tell(self, heard: Heard) -> None:
        """An exit, or the end of an encounter; no text of a request is as long as what fits."""
        self._own_heard.tell(_WRITE(heard))

    def tell_answer(self, draft: Draft) -> None:
        """An answer with a block whose entry is not written yet; one of thousands of lines is told to nobody."""
        self._own_answers.tell(_WRITE(draft))

    def news(self) -> tuple[Sequence[Heard], bool]:
        """What was told since the last time, and whether that is all."""
        return self._heard.news()

    def answers(self) -> Sequence[Draft]:
        """The answers told since the last time, as far as they are still there."""
        return self._answers.news()[0]


class _Hearing(Generic[T]):
    """Records of several workers, each heard once: what is there already, and all that comes."""

    def __init__(self, records: Sequence[Records], read: Callable[[bytes], T]) -> None:
        self._records = records
        self._read = read
        self._places: list[int] = []
        self._found: list[T] = []
        for one in records:
            told, place, _ = one.since(0)  # what is gone by now is in the journal
            self._places.append(place)
            self._found += map(read, told)

    def news(self) -> tuple[Sequence[T], bool]:
        """What was told since the last time, and whether that is all."""
        found, self._found, whole = self._found, [], True
        for number, records in enumerate(self._records):
            if records.count != self._places[number]:
                told, self._places[number], all_there = records.since(self._places[number])
                found += map(self._read, told)
                whole = whole and all_there
        return found, whole
