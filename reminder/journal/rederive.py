"""Deriving decisions again from their entries: under the same engine the same bits come out, or an entry is named.

What decided is read from the journal itself, list and policy too; each list is compiled once. Entries of another engine
version, of a list that is no longer kept, and those masking took something from are counted and passed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from cachetools import LRUCache
from msgspec import Struct, field

from negative_list.compile import CompiledList, compile
from negative_list.decide import matched_of as matched_in
from negative_list.hurry import Halt
from reminder.journal.again import answer_of, decided_again, fuller_again, prescription_of
from reminder.journal.artifacts import intact, policy_of, rules_of
from reminder.journal.coding import decode
from reminder.journal.engine import engine

if TYPE_CHECKING:
    from negative_list.engine import Matched
    from negative_list.policy import Policy
    from reminder.journal.base import Artifact, JournalStore
    from reminder.journal.entries import Decided

__all__ = [
    "MOST_DIFFERENCES",
    "OUTCOMES",
    "Difference",
    "Rederived",
    "list_of",
    "matched_of",
    "prescription_of",
    "rederive",
]

MOST_DIFFERENCES = 1_000
"""Differences told one by one; more are only counted."""

MOST_LISTS = 4
"""Lists held compiled at once: releases follow each other, and entries come by instant."""

EVERY = 500
"""Entries after which progress is told."""

OUTCOMES: Mapping[str, str] = {
    "derived": "derived again, the same",
    "differing": "derived again, another answer",
    "other_engine": "decided by another version of the program",
    "missing": "the list or the policy is not kept, or is not what was kept",
    "not_derivable": "what was taken out of its texts had a part in it",
    "damaged": "cannot be read",
}
"""What may come of an entry, with what it means."""


class Difference(Struct, frozen=True, kw_only=True):
    """An entry whose answer is another one when it is derived again: both as canonical JSON, from where they differ."""

    decision_id: str
    at: datetime
    was: str
    now: str


class Rederived(Struct, kw_only=True):
    """What came of it: how many entries by each of :data:`OUTCOMES`, and the first of those that differ."""

    counts: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing differs and everything could be read."""
        return not (self.counts["differing"] or self.counts["damaged"])


def rederive(
    store: JournalStore,
    begin: datetime,
    end: datetime,
    *,
    progress: Callable[[int], None] | None = None,
    replaced: Mapping[str, CompiledList] | None = None,
) -> Rederived:
    """Derive every decision of a period again.

    Args:
        store: the journal; may block.
        begin: first instant, UTC.
        end: the instant before which the last one was.
        progress: told how many were looked at.
        replaced: lists to take in place of those kept, by digest: what would have been decided with them.

    Raises:
        StoreError: When the journal cannot be read.
    """
    told, kept = Rederived(), _Kept(store, replaced or {})
    unread = partial(told.counts.update, ("damaged",))
    for number, row in enumerate(store.period(begin, end, ("decision",), lambda _: unread()), start=1):
        try:
            outcome = _one(decode(row.body), kept, told)  # type: ignore[arg-type]  # rows of decisions hold no other
        except (msgspec.MsgspecError, ValueError, LookupError, ArithmeticError, AttributeError, TypeError):
            outcome = "damaged"
        told.counts[outcome] += 1
        if progress is not None and number % EVERY == 0:
            progress(number)
    return told


def _one(entry: Decided, kept: _Kept, told: Rederived) -> str:
    """What came of one entry."""
    if entry.engine != engine():
        return "other_engine"
    if entry.derivable:
        return "not_derivable"
    compiled, policy = kept.compiled(entry.list), kept.policy(entry.policy)
    if compiled is None or policy is None:
        return "missing"
    was, now = answer_of(entry.answer), answer_of(decided_again(entry, compiled, policy))
    if was == now:
        return "derived"
    if len(told.differences) < MOST_DIFFERENCES:
        told.differences.append(_difference(entry, was, now))
    return "differing"


_SHOWN = 200
_BEFORE = 40


def _difference(entry: Decided, was: bytes, now: bytes) -> Difference:
    """From a little before the first place where they differ."""
    place = next((n for n, pair in enumerate(zip(was, now, strict=False)) if pair[0] != pair[1]), len(was))
    begin = max(0, place - _BEFORE)
    shown = [each[begin : begin + _SHOWN].decode("utf-8", "replace") for each in (was, now)]
    return Difference(decision_id=entry.decision_id, at=entry.at, was=shown[0], now=shown[1])


class _Kept:
    """Lists and policies of the journal, each made once while it is needed."""

    def __init__(self, store: JournalStore, replaced: Mapping[str, CompiledList]) -> None:
        self._store = store
        self._replaced = replaced
        self._lists: LRUCache[str, CompiledList | None] = LRUCache(MOST_LISTS)
        self._policies: LRUCache[str, Policy | None] = LRUCache(64)

    def compiled(self, digest: str) -> CompiledList | None:
        if digest in self._replaced:
            return self._replaced[digest]
        if digest not in self._lists:
            artifact = intact(self._store, digest)
            self._lists[digest] = list_of(artifact) if artifact is not None else None
        return self._lists[digest]

    def policy(self, digest: str) -> Policy | None:
        if digest not in self._policies:
            artifact = intact(self._store, digest)
            self._policies[digest] = policy_of(artifact) if artifact is not None else None
        return self._policies[digest]


def list_of(artifact: Artifact) -> CompiledList:
    """A list that was kept, ready to match."""
    return compile(rules_of(artifact), digest=artifact.digest)


def matched_of(entry: Decided, compiled: CompiledList) -> Matched:
    """What the engine found when an entry was decided, with all that was read, to be explained."""
    prescription = prescription_of(entry)
    fuller, halt = fuller_again(entry, prescription), Halt(stopped=entry.stopped)
    return matched_in(compiled, prescription, entry.decided_at, fuller, halt=halt)
