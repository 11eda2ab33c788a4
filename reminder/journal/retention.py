"""Taking out what is old: whole months of a chain, sealed with a signed record first, so that ``verify`` still holds.

A span is a run of entries from the chain's first one on. Its record names the hash it ended with, which is where the
rest of the chain hangs; it stands in the checkpoints file before the first entry goes, and an entry of the journal says
so too. A removal that was interrupted is ended by the next one. Only chains of the own data folder are touched: who
shares the database signs for itself. The office's chain stays whole: points and appeals hold longer than any month.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from reminder.journal.base import NO_HASH, Head, Sealed
from reminder.journal.chain import follows
from reminder.journal.checkpoints import Checkpointer, CheckpointsError
from reminder.journal.lines import LineFile, SealedSpan, read_line
from reminder.journal.naming import folder_id, is_office
from reminder.journal.signing import SigningError, TrustedKeys, public_files
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from reminder.journal.base import Draft, JournalStore, Row
    from reminder.journal.journal import Journal
    from reminder.journal.own import OwnEntries

__all__ = ["ChainBrokenError", "Removal", "Remover", "due_spans", "keep_days", "keep_on", "month_of", "remove_old"]

_LOOK_S = 30.0
_SEALED = b'"what":"sealed"'


class ChainBrokenError(Exception):
    """A span is not what was written, so that it is not sealed; the message says what to do."""


class Removal(Struct, frozen=True, kw_only=True):
    """What was taken out: spans, and entries in them."""

    spans: tuple[Sealed, ...] = ()
    entries: int = 0


def month_of(at: datetime) -> datetime:
    """The beginning of an instant's calendar month, UTC."""
    utc = at.astimezone(UTC)
    return datetime(utc.year, utc.month, 1, tzinfo=UTC)


def due_spans(rows: Iterator[Row], before: Head | None, limit: datetime) -> Iterator[Sealed]:
    """The months at the beginning of a chain all of whose entries are older than ``limit``.

    Args:
        rows: The chain's entries in their order.
        before: What stands before the first of them; ``None`` where that is not known.
        limit: The first instant (UTC) that is kept, which begins a month.

    Raises:
        ChainBrokenError: When an entry is not what was written.
    """
    span: _Span | None = None
    for row in rows:
        if row.at >= limit:
            break
        if before is not None and follows(row, before) is not None:
            raise ChainBrokenError(
                f"chain `{row.chain}` entry {row.seq} is not what was written; nothing of it is removed, run `reminder "
                "journal verify`"
            )
        before = Head(chain=row.chain, seq=row.seq, hash=row.hash)
        if span is not None and month_of(row.at) > span.month:
            yield span.sealed()
            span = None
        span = span or _Span(row)
        span.add(row)
    if span is not None:
        yield span.sealed()


class _Span:
    """Entries of a month; an entry that was written late may be of an earlier one."""

    def __init__(self, row: Row) -> None:
        self.month = month_of(row.at)
        self._first = row
        self._last = row
        self._begin = self._end = row.at
        self._kinds: Counter[str] = Counter()

    def add(self, row: Row) -> None:
        self._last = row
        self._begin, self._end = min(self._begin, row.at), max(self._end, row.at)
        self._kinds[row.kind] += 1

    def sealed(self) -> Sealed:
        return Sealed(
            chain=self._first.chain,
            first=self._first.seq,
            last=self._last.seq,
            hash=self._last.hash,
            begin=self._begin,
            end=self._end,
            kinds=dict(sorted(self._kinds.items())),
        )


class Remover:
    """Takes old months out of the chains of one data folder. Every method blocks.

    Args:
        folder: The id of the data folder, with which its chains begin.
        keys: The folder of keys.
        checkpointer: Signs.
        own: Makes the entries that say what was taken out.
    """

    def __init__(self, folder: str, keys: Path, checkpointer: Checkpointer, own: OwnEntries) -> None:
        self._folder = folder
        self._keys = keys
        self._checkpointer = checkpointer
        self._own = own

    def remove(
        self, store: JournalStore, limit: datetime, now: datetime, write: Callable[[Sequence[Draft]], object]
    ) -> Removal:
        """Take out every month that ended before the month of ``limit`` began.

        Args:
            store: The journal.
            limit: An instant whose month, and all that came after it, is kept.
            now: The instant, UTC.
            write: Writes entries to the journal.

        Raises:
            StoreError: When the journal cannot be read or written.
            CheckpointsError: When a span cannot be sealed; it stays then.
            ChainBrokenError: When an entry is not what was written.
        """
        sealed = self._sealed_before()
        spans: list[Sealed] = []
        gone = 0
        for head in store.heads():
            if head.chain.startswith(f"{self._folder}-") and not is_office(head.chain):
                done = sealed.get(head.chain, [])
                gone += store.remove(done)
                fresh = self._fresh(store, head.chain, done, month_of(limit))
                spans += fresh
                gone += self._take_out(store, fresh, now, write)
        return Removal(spans=tuple(spans), entries=gone)

    def _fresh(self, store: JournalStore, chain: str, done: Sequence[Sealed], limit: datetime) -> list[Sealed]:
        last = max(done, key=lambda span: span.last, default=None)
        before = Head(chain=chain, seq=last.last, hash=last.hash) if last else Head(chain=chain, hash=NO_HASH)
        return list(due_spans(store.chain(chain), before, limit))

    def _take_out(
        self, store: JournalStore, spans: Sequence[Sealed], now: datetime, write: Callable[[Sequence[Draft]], object]
    ) -> int:
        for span in spans:
            self._checkpointer.seal(span)
        if spans:
            write([self._own.removed(now, span) for span in spans])
        return store.remove(spans)

    def _sealed_before(self) -> dict[str, list[Sealed]]:
        """Spans that were sealed already, by chain; a record that was not signed here takes nothing out."""
        found: dict[str, list[Sealed]] = {}
        try:
            trusted = TrustedKeys(public_files(self._keys))
            for _, raw in LineFile(self._checkpointer.path).lines():
                span = _signed_span(raw, trusted) if _SEALED in raw else None
                if span is not None:
                    found.setdefault(span.chain, []).append(_sealed_of(span))
        except (OSError, SigningError) as error:
            raise CheckpointsError(
                f"the records in `{self._checkpointer.path}` cannot be read ({error}); give the rights"
            ) from error
        return found


def _signed_span(raw: bytes, trusted: TrustedKeys) -> SealedSpan | None:
    signed = read_line(raw)
    if signed is None or not isinstance(signed.line, SealedSpan):
        return None
    return signed.line if trusted.signed(signed.line.key, signed.signature, signed.content) else None


def _sealed_of(span: SealedSpan) -> Sealed:
    return Sealed(
        chain=span.chain,
        first=span.first,
        last=span.last,
        hash=bytes.fromhex(span.hash),
        begin=span.begin,
        end=span.end,
        kinds=span.kinds,
    )


def keep_days(
    journal: Journal, checkpointer: Checkpointer, data: Path, days: int, civil: Callable[[], datetime], nightly: time
) -> None:
    """Take old months out of a started journal each night, until it stops; see :func:`keep_on`.

    Args:
        journal: The journal.
        checkpointer: Signs.
        data: The data folder, with its id and its keys.
        days: How many days entries are kept at least; 0: everything is kept.
        civil: The civil time now, of the default site.
        nightly: When.

    Raises:
        StoreError: When the id of the data folder cannot be read.
    """
    if days:
        remover = Remover(folder_id(data), data / "keys", checkpointer, journal.own)
        journal.beside(keep_on(journal, remover, days, civil, nightly))


async def keep_on(journal: Journal, remover: Remover, days: int, civil: Callable[[], datetime], nightly: time) -> None:
    """Each night at a civil time, take out what is older than ``days``; cancel it to stop.

    Args:
        journal: A started journal.
        remover: Takes out.
        days: How many days entries are kept at least.
        civil: The civil time now, of the default site.
        nightly: When: some time after the rounds.
    """
    due = _next(civil(), nightly)
    while True:
        await asyncio.sleep(_LOOK_S)
        if civil() >= due:
            due = _next(civil(), nightly)
            await remove_old(journal, remover, days)


async def remove_old(journal: Journal, remover: Remover, days: int) -> Removal | None:
    """Take out what is older than ``days``, beside the callers; ``None`` where that failed, which the journal tells."""
    loop, now = asyncio.get_running_loop(), journal.now()

    def write(drafts: Sequence[Draft]) -> None:
        for draft in drafts:
            loop.call_soon_threadsafe(journal.note, draft)

    try:
        with journal.writing_long():
            done = await asyncio.to_thread(
                lambda: remover.remove(journal.store(), now - timedelta(days=days), now, write)
            )
    except (StoreError, CheckpointsError, ChainBrokenError) as error:
        journal.degrade("retention", f"journal: old entries are not removed: {error}")
        return None
    journal.degrade("retention", "")
    return done


def _next(civil: datetime, nightly: time) -> datetime:
    today = datetime.combine(civil.date(), nightly)
    return today if today > civil else today + timedelta(days=1)
