"""A forecast from beginning to end: two lists as of the day, every decision of the period by both, the counts added.

The newest days come first, in short stretches of time that two processes take in turn, each reading only its own; so
what is out of time is the oldest, and nothing is read twice. What a process holds is one list, what the lists do not
share, and the counts of a stretch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from datetime import UTC, datetime
from datetime import time as clock
from multiprocessing import get_context
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from msgspec import Struct

from reminder.forecast.folding import forecast_of, known_rules, lists_of
from reminder.forecast.inforce import Apart, apart, as_of, later_than
from reminder.forecast.ordered import journal_of, open_lists, unconfirmed_of
from reminder.forecast.record import About, Forecast
from reminder.forecast.replay import Pair, Policies, case_of, pair_of, replay
from reminder.forecast.samples import cases_of_samples, shipped_samples
from reminder.forecast.tally import Tally, add, join
from reminder.journal.coding import decode
from reminder.journal.entries import Decided

if TYPE_CHECKING:
    from reminder.forecast.ordered import Order
    from reminder.forecast.replay import Case
    from reminder.journal.base import JournalStore, Row

__all__ = ["FEW", "Told", "forecast", "policies_of"]

Told: TypeAlias = Callable[[int, int], None]
"""Hears how many decisions were replayed, and how many there are."""

FEW = 3_000
"""Decisions up to which further processes are not worth their start."""

_PER_STRETCH = 500
_MOST_STRETCHES = 5_000
_PROCESSES = 2
_LOOK_EVERY = 20
_NICE = 10


class _Prepared(Struct, frozen=True, kw_only=True):
    """What every process judges by: the lists taken apart, the policies, and when the time is over (monotonic, s)."""

    parts: Apart
    policies: Policies
    until_s: float


class _Stretch(Struct, frozen=True, kw_only=True):
    """A stretch of time, UTC, the end excluded."""

    begin: datetime
    end: datetime


def policies_of(order: Order, held: Iterable[str]) -> Policies:
    """The three policies; ``held``: ids of the rules that are unconfirmed once the coming list is active."""
    replace, policy = msgspec.structs.replace, order.policy
    return Policies(
        before=policy,
        after=replace(policy, unconfirmed=tuple(sorted(held)), unconfirmed_at_most="warn"),
        confirmed=replace(policy, unconfirmed=()),
    )


def forecast(order: Order, told: Told) -> Forecast:
    """Make the forecast an order asks for.

    Raises:
        NegativeListError: a list or the site's settings cannot be read.
        RequestError: a sample is no body.
        StoreError: the journal cannot be read, or does not keep the active list.
    """
    begun_s = time.monotonic()
    active, coming = open_lists(order)
    day = order.at.date()
    old, new = as_of(active, day), as_of(coming, day)
    parts = apart(old, new)
    held = frozenset(unconfirmed_of(order, active, coming))
    known = known_rules(old.rules, new.rules, (rule.id for rule in parts.after.rules), held)
    prepared = _Prepared(parts=parts, policies=policies_of(order, held), until_s=begun_s + order.within_s)
    lists = lists_of(known, len(later_than(coming, day)))
    del active, coming, old, new
    tally, source, total = _tallied(order, prepared, told)
    about = _about(order, tally, source, total, time.monotonic() - begun_s)
    return forecast_of(about, lists, tally, known)


def _about(order: Order, tally: Tally, source: str, total: int, took_s: float) -> About:
    zone, journaled = order.zone(), source == "journal"
    looked_at = tally.decisions + tally.unreadable + tally.masked
    reached = tally.first.astimezone(zone).strftime("%Y-%m-%d %H:%M") if tally.first else ""
    return About(
        version=order.coming.version,
        digest=order.coming.digest,
        name=order.coming.name,
        against_version=order.active.version,
        against_digest=order.active.digest,
        at=order.at,
        source=source,
        begin=str(order.begin) if journaled else "",
        end=str(order.end) if journaled else "",
        made_at=order.now,
        took_s=round(took_s, 1),
        total=max(total, looked_at),
        replayed=tally.decisions,
        unreadable=tally.unreadable,
        masked=tally.masked,
        out_of_time=max(0, total - looked_at),
        reached=reached,
    )


def _tallied(order: Order, prepared: _Prepared, told: Told) -> tuple[Tally, str, int]:
    """The counts, where they come from, and how many decisions there are."""
    if order.samples:
        return _of_samples(order.samples, order, prepared, "samples", told)
    begin, end = _instants(order)
    journal = journal_of(order)
    total = 0
    if journal is not None:
        try:
            total = journal.count(begin, end, ("decision",))
            if 0 < total <= FEW:
                whole = _Worker(prepared, journal).tallied(_Stretch(begin=begin, end=end), lambda n: told(n, total))
                return whole, "journal", total
        finally:
            journal.close()
    if not total:
        return _of_samples(shipped_samples(), order, prepared, "shipped samples", told)
    return (
        _by_processes(order, prepared, _stretches(begin, end, total), lambda done: told(done, total)),
        "journal",
        total,
    )


def _instants(order: Order) -> tuple[datetime, datetime]:
    zone = order.zone()
    begin, end = (datetime.combine(day, clock(), zone).astimezone(UTC) for day in (order.begin, order.end))
    return begin, min(end, order.until)


def _of_samples(samples: bytes, order: Order, prepared: _Prepared, source: str, told: Told) -> tuple[Tally, str, int]:
    """Bodies in place of decisions."""
    now = order.now.astimezone(order.zone()).replace(tzinfo=None)
    cases = list(cases_of_samples(samples, order.sites(), now))
    pair, tally = pair_of(prepared.parts), Tally()
    for number, case in enumerate(cases, 1):
        if time.monotonic() > prepared.until_s:
            break
        add(tally, case, replay(pair, prepared.policies, case))
        told(number, len(cases))
    return tally, source, len(cases)


# -- stretches of the journal


def _stretches(begin: datetime, end: datetime, total: int) -> list[_Stretch]:
    """The period in pieces of some hundred decisions, the newest first."""
    count = min(_MOST_STRETCHES, max(1, total // _PER_STRETCH))
    length = (end - begin) / count
    edges = [begin + length * place for place in range(count)] + [end]
    return [_Stretch(begin=edges[place], end=edges[place + 1]) for place in reversed(range(count))]


def _by_processes(order: Order, prepared: _Prepared, stretches: list[_Stretch], told: Callable[[int], None]) -> Tally:
    """Two processes take one stretch after the other, until all are done or the time is over."""
    count = min(_PROCESSES, os.cpu_count() or 1)
    # Spawned, not forked: connections stay where they are, as on Windows.
    pool = ProcessPoolExecutor(count, get_context("spawn"), _begin, (order, prepared))
    whole, waiting = Tally(), iter(stretches)
    under_way: set[Future[Tally]] = set()
    try:
        while True:
            while len(under_way) < 2 * count and (stretch := next(waiting, None)) is not None:
                under_way.add(pool.submit(_tally_stretch, stretch))
            if not under_way:
                return whole
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                join(whole, future.result())
            told(whole.decisions)
            if time.monotonic() > prepared.until_s:
                waiting = iter(())
    finally:
        pool.shutdown(cancel_futures=True)


_WORKER: list[_Worker] = []


def _begin(order: Order, prepared: _Prepared) -> None:
    """Make a process of the pool ready: the lists compiled, the journal open, others served first."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    journal = journal_of(order)
    if journal is not None:
        _WORKER.append(_Worker(prepared, journal))


def _tally_stretch(stretch: _Stretch) -> Tally:
    return _WORKER[0].tallied(stretch, lambda _done: None)


class _Worker:
    """Who replays stretches: the lists compiled once, the journal open."""

    def __init__(self, prepared: _Prepared, journal: JournalStore) -> None:
        self._pair: Pair = pair_of(prepared.parts)
        self._policies, self._until_s = prepared.policies, prepared.until_s
        self._journal = journal

    def tallied(self, stretch: _Stretch, told: Callable[[int], None]) -> Tally:
        """The decisions of a stretch, counted until the time is over."""
        tally = Tally()

        def unreadable(_: object) -> None:
            tally.unreadable += 1

        rows = self._journal.period(stretch.begin, stretch.end, ("decision",), unreadable)
        for number, row in enumerate(rows, 1):
            if number % _LOOK_EVERY == 0:
                if time.monotonic() > self._until_s:
                    break
                told(number)
            self._add(tally, row)
        return tally

    def _add(self, tally: Tally, row: Row) -> None:
        case = _case(tally, row)
        if case is None:
            return
        tally.first, tally.last = tally.first or row.at, row.at
        add(tally, case, replay(self._pair, self._policies, case))


def _case(tally: Tally, row: Row) -> Case | None:
    """The case of an entry; one that cannot be replayed is counted."""
    try:
        entry = decode(row.body)
    except (msgspec.MsgspecError, ValueError, LookupError, TypeError):
        tally.unreadable += 1
        return None
    if not isinstance(entry, Decided) or entry.derivable:
        tally.masked += 1
        return None
    return case_of(entry)
