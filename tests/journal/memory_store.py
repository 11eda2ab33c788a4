"""A journal store in memory, which counts what it is asked and fails, hangs or loses an answer when it is told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zlib import crc32

import msgspec

from reminder.journal.base import Artifact, Head, Kind, Row, Sealed
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from reminder.stores.base import Fault

__all__ = ["MemoryJournalStore", "part_of"]


def part_of(rows: Iterable[Row], part: int, parts: int) -> Iterator[Row]:
    """The rows of one of several parts, as :meth:`reminder.journal.base.JournalStore.briefs` says."""
    for row in rows:
        key = row.encounter_key
        if crc32(key.encode()) * parts >> 32 == part if key else part == 0 or row.kind == "feedback":
            yield row


class MemoryJournalStore:
    """See :class:`reminder.journal.base.JournalStore`.

    ``fault`` makes it fail, ``stuck`` (cleared) makes it hang, ``forgetful`` makes one commit work and its answer get
    lost; ``takes_s``: how long a commit takes; ``groups`` are the sizes of the commits that worked. ``refuses`` says
    which entries it can never hold.
    """

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self.stuck = threading.Event()
        self.stuck.set()
        self.forgetful = False
        self.takes_s = 0.0
        self.refuses: Callable[[Row], bool] = lambda _row: False
        self.groups: list[int] = []
        self.tries = 0
        self.rows: dict[tuple[str, int], Row] = {}
        self.artifacts: dict[str, Artifact] = {}
        self.closed = False
        self._ends: dict[str, Head] = {}
        self._lock = threading.RLock()

    def head(self, chain: str) -> Head:
        """The last place."""
        self._try()
        return self._ends.get(chain, Head(chain=chain))

    def heads(self) -> list[Head]:
        """Of every chain."""
        self._try()
        return sorted(self._ends.values())

    def append(self, rows: Sequence[Row]) -> None:
        """All or none; the same again changes nothing."""
        self.tries += 1
        self._try()
        time.sleep(self.takes_s)
        with self._lock:
            if any(self.rows.get((row.chain, row.seq), row) != row or self.refuses(row) for row in rows):
                raise StoreError("refused", "told to refuse, or a place is taken")
            new = [row for row in rows if (row.chain, row.seq) not in self.rows]
            self.rows.update({(row.chain, row.seq): row for row in new})
            self._ends.update({row.chain: Head(chain=row.chain, seq=row.seq, hash=row.hash) for row in new})
            if new:
                self.groups.append(len(new))
        if self.forgetful:
            self.forgetful = False
            raise StoreError("gone", "the answer was lost")

    def chain(self, chain: str, first: int = 1, last: int | None = None) -> Iterator[Row]:
        """In order."""
        self._try()
        for row in self._sorted():
            if row.chain == chain and row.seq >= first and (last is None or row.seq <= last):
                yield row

    def decision(self, decision_id: str) -> Row | None:
        """The entry of a decision."""
        return next((row for row in self.about(decision_id) if row.kind == "decision"), None)

    def about(self, decision_id: str) -> list[Row]:
        """Every entry that names a decision."""
        self._try()
        return sorted((row for row in self._sorted() if row.decision_id == decision_id), key=lambda row: row.at)

    def asked(self, asked: str) -> Row | None:
        """The latest of that ``asked``."""
        self._try()
        return max((row for row in self._sorted() if row.asked == asked), key=lambda row: row.at, default=None)

    def of_encounter(self, encounter_keys: Sequence[str], kinds: Sequence[Kind] = (), limit: int = 100) -> list[Row]:
        """The latest first."""
        found = [row for row in self._latest() if row.encounter_key in encounter_keys]
        return [row for row in found if not kinds or row.kind in kinds][:limit]

    def of_patient(self, patient_keys: Sequence[str], limit: int = 1000) -> list[Row]:
        """The latest first."""
        return [row for row in self._latest() if row.patient_key in patient_keys][:limit]

    def period(
        self,
        begin: datetime,
        end: datetime,
        kinds: Sequence[Kind] = (),
        damaged: object = None,  # noqa: ARG002
    ) -> Iterator[Row]:
        """By instant."""
        found = [row for row in reversed(self._latest()) if begin <= row.at < end]
        yield from (row for row in found if not kinds or row.kind in kinds)

    def briefs(
        self, begin: datetime, end: datetime, *, by_encounter: bool, part: int = 0, parts: int = 1
    ) -> Iterator[Row]:
        """Without bodies."""
        rows = [msgspec.structs.replace(row, body=b"") for row in part_of(self.period(begin, end), part, parts)]
        yield from sorted(rows, key=lambda row: (row.institution_id, row.encounter_key)) if by_encounter else rows

    def count(self, begin: datetime, end: datetime, kinds: Sequence[Kind] = ()) -> int:
        """Of a period."""
        return len(list(self.period(begin, end, kinds)))

    def keep(self, artifact: Artifact) -> None:
        """Once."""
        self._try()
        self.artifacts.setdefault(artifact.digest, artifact)

    def artifact(self, digest: str) -> Artifact | None:
        """By its digest."""
        self._try()
        return self.artifacts.get(digest)

    def remove(self, spans: Sequence[Sealed]) -> int:
        """Whole spans."""
        self._try()
        gone = [
            place
            for place in self.rows
            for span in spans
            if place[0] == span.chain and span.first <= place[1] <= span.last
        ]
        for place in gone:
            del self.rows[place]
        return len(gone)

    def close(self) -> None:
        """Nothing to let go of."""
        self.closed = True

    def _try(self) -> None:
        self.stuck.wait(60)
        if self.fault:
            raise StoreError(self.fault, "told to fail")

    def _sorted(self) -> list[Row]:
        return [row for _, row in sorted(self.rows.items())]

    def _latest(self) -> list[Row]:
        self._try()
        return sorted(self._sorted(), key=lambda row: (row.at, row.chain, row.seq), reverse=True)
