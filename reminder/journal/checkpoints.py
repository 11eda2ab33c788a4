"""Checkpoints: every minute, or every thousand entries, how far all chains have come, signed and in a second place.

The chains show that nothing inside them was changed. Whoever can write the store could still cut off their ends, or
write a chain anew from some place on; a checkpoint on another disk, signed, tells how far they had come. A place that
cannot be written is told under ``degraded`` and stops nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from reminder.journal.lines import Checkpoint, LineFile, Place, SealedSpan, read_line, signed_line
from reminder.journal.signing import SigningError, SigningKey, open_signing_key
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from reminder.journal.base import JournalStore, Sealed
    from reminder.journal.journal import Journal
    from reminder.journal.lines import Line

__all__ = [
    "CHECKPOINTS_FILE",
    "EVERY_ENTRIES",
    "EVERY_S",
    "HANGS_S",
    "Checkpointer",
    "CheckpointsError",
    "in_daemon",
    "keep_checkpoints",
]

CHECKPOINTS_FILE = "checkpoints.jsonl"
"""The file in the data folder, unless the settings name another place."""

EVERY_S = 60.0
"""A checkpoint at least this often, where anything was written."""

EVERY_ENTRIES = 1000
"""And when so many entries were written since the last."""

HANGS_S = 10.0
"""A place that takes longer than this hangs; a write to a disk or a share takes some milliseconds."""

T = TypeVar("T")

_RUN_BYTES = 6
_LOOK_S = 1.0


class CheckpointsError(Exception):
    """A line cannot be written; the message says what to do."""


class Checkpointer:
    """Writes checkpoints and the records of sealed spans. Every method may block; for any thread.

    Args:
        path: The file.
        keys: The folder of keys; the signing key is made there when it is first needed.
        now: What time it is, UTC.
    """

    def __init__(self, path: Path, keys: Path, now: Callable[[], datetime]) -> None:
        self.path = path
        self._file = LineFile(path)
        self._keys = keys
        self._now = now
        self._key: SigningKey | None = None
        self._run = secrets.token_hex(_RUN_BYTES)
        self._number = 0
        self._heads: tuple[Place, ...] = ()
        self._lock = threading.Lock()

    def make(self, store: JournalStore) -> bool:
        """Write a checkpoint of every chain, unless nothing was written since the last; returns whether one was.

        Raises:
            StoreError: When the store cannot be read.
            CheckpointsError: When the file or the key cannot be used.
        """
        with self._alone():
            heads = tuple(Place(chain=head.chain, seq=head.seq, hash=head.hash.hex()) for head in store.heads())
            if heads == self._heads:
                return False
            count = sum(head.seq for head in heads)
            self._write(lambda common: Checkpoint(**common, count=count, heads=heads))
            self._heads = heads
            return True

    def behind(self, store: JournalStore) -> str:
        """Which chain of the store ends before its last checkpoint says, "" where none does.

        Raises:
            StoreError: When the store cannot be read.
            CheckpointsError: When the file cannot be read.
        """
        try:
            signed = read_line(self._file.last())
        except OSError as error:
            raise CheckpointsError(f"`{self.path}` cannot be read ({error.strerror}); give the rights") from error
        if signed is None or not isinstance(signed.line, Checkpoint):
            return ""
        ends = {head.chain: head.seq for head in store.heads()}
        for place in signed.line.heads:
            if ends.get(place.chain, 0) < place.seq:
                return f"chain `{place.chain}` ends at {ends.get(place.chain, 0)}, its checkpoint says {place.seq}"
        return ""

    def seal(self, span: Sealed) -> None:
        """Write that a span is to be taken out. Raises ``CheckpointsError``."""
        with self._alone():
            self._write(
                lambda common: SealedSpan(
                    **common,
                    chain=span.chain,
                    first=span.first,
                    last=span.last,
                    hash=span.hash.hex(),
                    begin=span.begin,
                    end=span.end,
                    kinds=span.kinds,
                )
            )

    def _write(self, made: Callable[[dict[str, Any]], Line]) -> None:
        try:
            self._key = self._key or open_signing_key(self._keys)
            previous = self._file.last_digest()
            if not previous:
                self._begin()
            common = {
                "at": self._now(),
                "run": self._run,
                "number": self._number + 1,
                "previous": previous,
                "key": self._key.id,
            }
            self._file.append(signed_line(made(common), self._key))
            self._number += 1
        except OSError as error:
            self._begin()  # whether the line is there is not known
            raise CheckpointsError(
                f"`{self.path}` cannot be written ({error.strerror}); give the rights, or make the place come back"
            ) from error
        except SigningError as error:
            raise CheckpointsError(str(error)) from error
        except ImportError as error:
            raise CheckpointsError(f"nothing can be signed ({error}); install the extra `serve`") from error

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One line at a time; nobody queues behind a place that hangs."""
        if not self._lock.acquire(timeout=HANGS_S / 2):
            raise CheckpointsError(f"`{self.path}` does not answer; make the place come back")
        try:
            yield
        finally:
            self._lock.release()

    def _begin(self) -> None:
        self._run, self._number = secrets.token_hex(_RUN_BYTES), 0


def keep_checkpoints(journal: Journal, checkpointer: Checkpointer, written: Callable[[], int] | None = None) -> None:
    """Make checkpoints of a started journal when they are due, and a last one when it stops.

    The first one is made soon after the start, beside it: starting waits for no key and no second place. ``written``:
    how many entries all who write the journal have written, where this process is not the only one.
    """
    journal.beside(_keep_on(journal, checkpointer, written or (lambda: journal.written)))
    journal.at_end(lambda: _make_one(journal, checkpointer))


async def _keep_on(journal: Journal, checkpointer: Checkpointer, count: Callable[[], int]) -> None:
    covered, made_at, tried_at = 0, time.monotonic(), -EVERY_S
    await _look_behind(journal, checkpointer)
    # Who was killed before its first look left entries unsigned; killed so again and again, hours of them.
    await _make_one(journal, checkpointer)
    while True:
        await asyncio.sleep(_LOOK_S)
        now, written = time.monotonic(), count()
        journal.metrics.checkpoint_age_s = now - made_at
        if written - covered >= EVERY_ENTRIES or (written > covered and now - tried_at >= EVERY_S):
            tried_at = now
            if await _make_one(journal, checkpointer):
                covered, made_at = written, now


async def _look_behind(journal: Journal, checkpointer: Checkpointer) -> None:
    """An older copy of the journal was put back, or its end cut off: that is told from the first second on."""
    looking = in_daemon(lambda: checkpointer.behind(journal.store()))
    await asyncio.wait((looking,), timeout=HANGS_S)
    if looking.done() and looking.exception() is None and looking.result():
        text = f"journal: entries are gone: {looking.result()}; run `reminder journal verify`"
        journal.degrade("behind", text)


async def _make_one(journal: Journal, checkpointer: Checkpointer) -> bool:
    """Make one now; where it cannot be made, or the place does not answer, the journal says why."""
    making = in_daemon(lambda: checkpointer.make(journal.store()))
    await asyncio.wait((making,), timeout=HANGS_S)
    error = making.exception() or "" if making.done() else "the place does not answer"
    making.cancel()
    if error and not isinstance(error, str | StoreError | CheckpointsError):
        raise error
    journal.degrade("checkpoints", f"journal: checkpoints are not written: {error}" if error else "")
    return not error


def in_daemon(work: Callable[[], T]) -> asyncio.Future[T]:
    """What ``work`` returns, done in a thread that keeps no process from ending: a share may hang for hours."""
    found: Future[T] = Future()

    def run() -> None:
        with contextlib.suppress(InvalidStateError):  # nobody waits any more
            try:
                found.set_result(work())
            except Exception as error:  # noqa: BLE001 - whoever waits hears of it
                found.set_exception(error)

    threading.Thread(target=run, name="checkpoint", daemon=True).start()
    return asyncio.wrap_future(found)
