"""Whether a journal is what was written: every entry, every chain, every checkpoint, every list and policy.

Nothing here is trusted but the public key. The chain of hashes shows an entry edited, removed, inserted or moved; the
signed checkpoints show an end cut off, a chain written anew or taken away whole; the entry itself shows columns and
briefs that say something else. What no checkpoint covers yet is told: there absence cannot be proved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from reminder.journal.base import DamagedError, Head, Row
from reminder.journal.chain import follows
from reminder.journal.made_with import MadeWith
from reminder.journal.problems import Problem, ProblemKind, Proof, Report

if TYPE_CHECKING:
    from reminder.journal.attested import Attested, Chain
    from reminder.journal.base import JournalStore
    from reminder.journal.lines import SealedSpan

__all__ = ["UNATTESTED", "verify"]

UNATTESTED = timedelta(minutes=10)
"""What may lie between the first and the last entry no checkpoint covers: ten checkpoints that should be there."""

Agrees: TypeAlias = Callable[[Row], str]
"""What is wrong with an entry in itself, "" where nothing is (:func:`reminder.journal.agreeing.disagreement`)."""


def verify(
    store: JournalStore, attested: Attested, agrees: Agrees, progress: Callable[[int], None] = lambda _: None
) -> Report:
    """Everything that is wrong, and what is proved of each chain.

    Memory grows with the number of checkpoints (40 bytes each) and of lists, not with that of entries.

    Args:
        store: The journal; may be read while it is written.
        attested: What the signed lines say (:func:`reminder.journal.attested.read_attested`), read before.
        agrees: What is wrong with an entry in itself.
        progress: Called with the number of entries read since the last call.

    Raises:
        StoreError: When the store cannot be read.
    """
    heads = {head.chain: head for head in store.heads()}
    problems, proofs, notes, made_with = list(attested.problems), [], list(attested.notes), MadeWith()
    for name in sorted(heads.keys() | attested.chains.keys()):
        head = heads.get(name, Head(chain=name))
        walk = _Walk(head, attested.chain(name), agrees, made_with)
        for count, row in enumerate(_rows(store, name), 1):
            walk.step(row)
            if not count % _STEP:
                progress(_STEP)
        progress(walk.entries % _STEP)
        proofs.append(walk.end(store.head(name)))
        problems += walk.problems
        notes += walk.notes
    problems += made_with.problems(store)
    notes += made_with.notes(store)
    return Report(problems=tuple(problems), proofs=tuple(proofs), lines=attested.lines, notes=tuple(notes))


_STEP = 1000


class _Damaged(Struct, frozen=True):
    """An entry that is there and cannot be read."""

    seq: int
    text: str


def _rows(store: JournalStore, chain: str) -> Iterator[Row | _Damaged]:
    """The entries of a chain; one that cannot be read does not keep the others from being read."""
    first = 1
    while True:
        try:
            yield from store.chain(chain, first)
        except DamagedError as error:
            yield _Damaged(error.seq, str(error))
            first = error.seq + 1
        else:
            return


class _Walk:
    """A walk along one chain, entry by entry. ``entries`` counts them.

    Args:
        head: What the store says of the chain's end, read before its entries.
        chain: What signed lines say of it.
        agrees: What is wrong with an entry in itself.
        made_with: Gathers what entries name.
    """

    def __init__(self, head: Head, chain: Chain, agrees: Agrees, made_with: MadeWith) -> None:
        self.entries = 0
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self._name = head.chain
        self._head = head
        self._chain = chain
        self._agrees = agrees
        self._made_with = made_with
        self._places = chain.places()
        self._next_place = 0
        self._first = 0
        self._last_at: datetime | None = None
        self._before: Head | None = None
        self._last = 0
        self._sealed = _sealed_up_to(chain.spans)
        self._unattested_from: datetime | None = None

    def step(self, row: Row | _Damaged) -> None:
        """The next entry."""
        self.entries += 1
        if not self._first:
            self._begin(row.seq)
        if row.seq > self._last + 1:
            self._miss(self._last + 1, row.seq - 1)
            self._before = None
        if isinstance(row, _Damaged):
            self._add("entry", row.seq, row.text)
            self._before = None
        else:
            self._look_at(row)
        self._last = row.seq

    def end(self, head: Head) -> Proof:
        """What is known, once all entries were seen; ``head`` is what the store says of the end after that."""
        attested = self._chain.end
        expected = max(self._head.seq, attested.seq if attested else 0)
        gone = self._sealed.last if self._sealed is not None and not self.entries else 0
        if expected > max(self._last, gone):
            self._miss(max(self._last, gone) + 1, expected)
        elif self._last > head.seq:
            self._add("order", self._last, f"it stands behind the chain's end, which is {head.seq}")
        self._look_at_end()
        return Proof(
            chain=self._name,
            entries=self.entries,
            first=self._first,
            last=self._last,
            last_at=self._last_at,
            sealed=max(self._first - 1, gone),
            proved=attested.seq if attested else 0,
            proved_at=attested.at if attested else None,
        )

    def _begin(self, seq: int) -> None:
        """The first entry there is: number 1, or the one after spans that were sealed."""
        self._first, self._before = seq, Head(chain=self._name)
        if seq == 1:
            return
        self._before, span = None, self._sealed
        self._last = min(seq - 1, span.last) if span is not None else 0
        if span is not None and seq == span.last + 1:
            self._before = Head(chain=self._name, seq=span.last, hash=bytes.fromhex(span.hash))
        elif span is not None and seq <= span.last:
            self.notes.append(f"chain `{self._name}`: a span is sealed up to {span.last} and not yet taken out whole")

    def _miss(self, first: int, last: int) -> None:
        text = f"entry {first} is missing" if first == last else f"entries {first} to {last} are missing"
        end = self._chain.end
        if end is not None and end.seq >= last:
            text += f", as the checkpoint of {end.at:%Y-%m-%dT%H:%M:%SZ} (line {end.line}) shows"
        self._add("missing", 0, text)

    def _look_at(self, row: Row) -> None:
        wrong = follows(row, self._before) if self._before is not None else None
        if wrong == "hash":
            self._add("entry", row.seq, "it, or the one before, is not what was written")
        elif wrong is not None:
            self._add("order", row.seq, "it does not follow the one before")
        self._look_at_places(row)
        if not wrong and (text := self._agrees(row)):
            self._add("disagrees", row.seq, text)
        if row.seq == self._head.seq and row.hash != self._head.hash:
            self._add("order", row.seq, "it is not the entry the store says the chain ended with")
        self._before = Head(chain=row.chain, seq=row.seq, hash=row.hash)
        self._made_with.add(row, proved=self._chain.end is not None and row.seq <= self._chain.end.seq)
        self._look_at_time(row)

    def _look_at_places(self, row: Row) -> None:
        """Checkpoints and seals that name this entry name its hash."""
        while self._next_place < len(self._places) and self._places[self._next_place][0] <= row.seq:
            seq, hash_ = self._places[self._next_place]
            self._next_place += 1
            if seq == row.seq and hash_ != row.hash:
                self._add("attested", seq, "a signed checkpoint names another entry in its place")
        for span in self._chain.spans:
            if span.last == row.seq and span.hash != row.hash.hex():
                self._add("sealed", row.seq, "the signed record of a removal names another entry in its place")

    def _look_at_time(self, row: Row) -> None:
        self._last_at = row.at
        if self._chain.end is None or row.seq > self._chain.end.seq:
            self._unattested_from = min(self._unattested_from or row.at, row.at)

    def _look_at_end(self) -> None:
        """Checkpoints are made every minute: where many are missing they were taken away, or could not be written."""
        if self._unattested_from is not None and self._last_at is not None:
            apart = self._last_at - self._unattested_from
            if apart > UNATTESTED:
                minutes = apart.total_seconds() / 60
                text = f"its last {minutes:.0f} minutes have no checkpoint: checkpoints were taken away, or not written"
                self._add("unattested", 0, text)

    def _add(self, kind: ProblemKind, seq: int, text: str) -> None:
        self.problems.append(Problem(kind=kind, chain=self._name, seq=seq, text=text))


def _sealed_up_to(spans: list[SealedSpan]) -> SealedSpan | None:
    """The last of the spans that follow each other from the first entry on; ``None`` where nothing is sealed."""
    found: SealedSpan | None = None
    for span in sorted(spans, key=lambda span: span.first):
        if span.first == (found.last + 1 if found is not None else 1):
            found = span
    return found
