"""Stocks over several files: what comes and goes after a count that a store knows already.

Purchases and sales are told day by day, the count before them in another file. A change later than all that is known
carries the stock on. One told already changes nothing. One that comes late, before others that were counted without
it, leaves the stock unknown until the next count: nobody can say what was counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from negative_list.readers.exchange_stock import STOCK, StockChange, by_subject, stock_after
from reminder.stores.base import Wanted

if TYPE_CHECKING:
    from negative_list.readers.stored import StoreFact
    from reminder.stores.base import Store

__all__ = ["carried_on"]

_KnownAt: TypeAlias = "Callable[[datetime], StoreFact | None]"
_MOMENT = timedelta(microseconds=1)
_ALWAYS = datetime(9999, 12, 30)


def carried_on(changes: Iterable[StockChange], store: Store) -> list[StoreFact]:
    """The stocks that changes come to, of items that are not counted among them; raises ``StoreError``."""
    found: list[StoreFact] = []
    for subject, told in by_subject(changes).items():
        if not any(change.counted for change in told):
            found += _carried(told, _known(store, subject))
    return found


def _known(store: Store, subject: str) -> _KnownAt:
    def known_at(at: datetime) -> StoreFact | None:
        wanted = Wanted(patient_key="", encounter_key="", institution_id="", at=at, subjects=(subject,), history=False)
        return next((fact for fact in store.read(wanted).facts if fact.fact == STOCK), None)

    return known_at


def _carried(changes: Sequence[StockChange], known_at: _KnownAt) -> Iterator[StoreFact]:
    fresh = [change for change in changes if _is_fresh(change, known_at)]
    base = known_at(fresh[0].at) if fresh else None
    if base is None or not isinstance(base.value, (Decimal, int)):
        return
    newest = known_at(_ALWAYS if base.expires is None else base.expires - _MOMENT) or base
    if newest.valid_from is None or newest.valid_from < fresh[0].at:
        yield from stock_after(Decimal(base.value), fresh, base.expires)
    elif _is_carried(newest, known_at):
        yield from _ended(newest, fresh[0].at, known_at)


def _is_fresh(change: StockChange, known_at: _KnownAt) -> bool:
    """Whether a stock is known at a change that does not hold it already."""
    known = known_at(change.at)
    return known is not None and known.valid_from != change.at


def _is_carried(newest: StoreFact, known_at: _KnownAt) -> bool:
    """Whether a stock was worked out from an earlier one, and is no count of its own: it ends with the earlier one."""
    if newest.valid_from is None:
        return False
    before = known_at(newest.valid_from - _MOMENT)
    return before is not None and before.expires == newest.expires


def _ended(newest: StoreFact, since: datetime, known_at: _KnownAt) -> Iterator[StoreFact]:
    """All that was known of a stock, known until then only."""
    known: StoreFact | None = newest
    while known is not None and (known.expires is None or known.expires > since):
        begins = known.valid_from
        yield msgspec.structs.replace(known, expires=since if begins is None else max(since, begins))
        known = None if begins is None else known_at(begins - _MOMENT)
