"""Reading the journal for a report, and counting it: by two processes where there is much to count.

Python counts on one core at a time. Of a large period another process reads and counts every second encounter.
"""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from reminder.compliance.period import reads_from
from reminder.compliance.report import counted, reports, together
from reminder.journal.opening import open_journal

if TYPE_CHECKING:
    from reminder.compliance.records import Period, Report
    from reminder.compliance.report import Part
    from reminder.journal.base import JournalStore
    from reminder.journal.base import Row as Entry

__all__ = ["MANY", "Told", "entries", "figures"]

Told: TypeAlias = Callable[[int, int], None]
"""Hears how many entries were read, and how many there are."""

MANY = 200_000
"""Entries from which on a second process is worth its start of a second or two."""

_PARTS = 2
_TOLD_EVERY = 2000
_COLLECTED_AFTER = 100_000  # objects: nothing here goes in circles, and twelve thousand doctors are walked each time


def entries(
    journal: JournalStore, period: Period, only: str, told: Told, part: int = 0, parts: int = 1
) -> Iterator[Entry]:
    """Every brief a period needs (or one of several parts of them), by encounter.

    Of one institution where ``only`` that is asked for. Of parts, the others are taken to have come as far.
    """
    begin, until = reads_from(period), period.until
    whole = journal.count(begin, until)
    for number, row in enumerate(journal.briefs(begin, until, by_encounter=True, part=part, parts=parts), 1):
        if number % _TOLD_EVERY == 0:
            told(min(number * parts, whole), whole)
        if not only or row.institution_id == only:
            yield row
    told(whole, whole)


def figures(
    journal: JournalStore, place: tuple[str, str], period: Period, only: str, by: Sequence[str], told: Told
) -> dict[str, Report]:
    """Figures by groups, any number of them at once.

    Args:
        journal: open.
        place: its data folder and the URL of its database, for another process to open it too.
        period: what is counted.
        only: an institution, or "" for all.
        by: groupings.
        told: hears how far it has come.
    """
    if journal.count(reads_from(period), period.until) < MANY or (os.cpu_count() or 1) < _PARTS:
        return reports(entries(journal, period, only, told), period, by)
    # Spawned, not forked: threads and connections stay where they are, as on Windows.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside, _seldom_collecting():
        other = beside.submit(_other_part, place, period, only, by)
        mine = counted(entries(journal, period, only, told, 0, _PARTS), period, by)
        return together([mine, other.result()], period, by)


def _other_part(place: tuple[str, str], period: Period, only: str, by: Sequence[str]) -> Part:
    """What the other process counts."""
    journal = open_journal(Path(place[0]), place[1])
    try:
        rows = entries(journal, period, only, lambda _done, _whole: None, 1, _PARTS)
        with _seldom_collecting():
            return counted(rows, period, by, first=False)
    finally:
        journal.close()


@contextlib.contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Let Python look for garbage in circles less often than after every 700 objects."""
    before = gc.get_threshold()
    gc.set_threshold(_COLLECTED_AFTER, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
