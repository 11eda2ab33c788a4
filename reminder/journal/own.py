"""Entries the journal makes of itself: a chain begun, answers missing or late, spans taken out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from reminder.journal.base import Draft
from reminder.journal.entries import Entry, Gap, Removed, Started

if TYPE_CHECKING:
    from reminder.journal.base import Sealed

__all__ = ["OwnEntries"]


class OwnEntries(Struct, frozen=True, kw_only=True):
    """Makes them. ``encode`` writes canonical JSON; the digests are of what decides when the worker starts."""

    engine: str
    encode: Callable[[Entry], bytes]
    zone: str = "Asia/Shanghai"
    list: str = ""
    policy: str = ""
    codes: str = ""

    def started(self, at: datetime) -> Draft:
        """A worker begins to write."""
        entry = Started(engine=self.engine, at=at, zone=self.zone, list=self.list, policy=self.policy, codes=self.codes)
        return Draft(kind="started", at=at, body=self.encode(entry))

    def gap(self, at: datetime, gap: tuple[datetime, datetime], lost: int, late: tuple[str, ...], why: str) -> Draft:
        """Between two instants (UTC) entries were lost, or written later than answered."""
        begin, end = gap
        entry = Gap(engine=self.engine, at=at, zone=self.zone, lost=lost, late=late, begin=begin, end=end, why=why)
        return Draft(kind="gap", at=at, body=self.encode(entry))

    def removed(self, at: datetime, sealed: Sealed) -> Draft:
        """A sealed span is taken out."""
        entry = Removed(
            engine=self.engine,
            at=at,
            zone=self.zone,
            chain=sealed.chain,
            first=sealed.first,
            last=sealed.last,
            hash=sealed.hash.hex(),
            begin=sealed.begin,
            end=sealed.end,
            kinds=dict(sorted(sealed.kinds.items())),
        )
        return Draft(kind="removed", at=at, body=self.encode(entry))
