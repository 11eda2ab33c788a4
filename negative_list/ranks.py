"""The trigger line's place among gathered lines, as an interval.

Lines that were in force come first, current ones follow by price and by their place in the body; a current line whose
price is missing may stand anywhere among the current ones. They are put in order once for all trigger lines.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from decimal import Decimal
from itertools import accumulate
from operator import itemgetter
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from negative_list.check import Check
    from negative_list.gather import Gatherer
    from negative_list.limits import Interval
    from negative_list.prescription import Line

__all__ = ["before", "rank"]


def rank(of: str, gatherer: Gatherer, check: Check, trigger: Line | None) -> Interval | None:
    """The trigger line's place, from 1, or with ``of`` the place of its last unit; ``None`` without a trigger line."""
    if trigger is None:
        return None
    gathered = gatherer.gather(check, trigger)
    if len(gathered.certain) == 1 and gathered.certain[0] is trigger and not (gathered.possible or of):
        # By far the most often no other line is there.
        return 1, 1 if gathered.covered else math.inf
    sure, unsure = _order(of, check, gathered.certain).before(check, trigger)
    own = _tally(of, trigger)
    low = sure.units + own.units
    if not gathered.covered:
        return low, math.inf
    further = (unsure, *_order(of, check, gathered.whole or gathered.possible).before(check, trigger))
    if any(tally.missing for tally in (own, sure, *further)):
        return low, math.inf
    return low, low + sum(tally.units for tally in further)


def before(check: Check, line: Line, trigger: Line) -> bool | None:
    """Whether a line comes before the trigger line."""
    if not check.is_current(line):
        return True
    ours, theirs = _price(trigger), _price(line)
    if ours is None or theirs is None:
        return None
    if theirs != ours:
        return theirs > ours
    return check.place_of(line) < check.place_of(trigger)


def _price(line: Line) -> int | None:
    price = line.facts.get("line.unit_price_fen")
    return price if isinstance(price, int) else None


class _Tally(Struct, frozen=True):
    """Places taken by lines, and how many lines do not tell theirs."""

    units: int | Decimal = 0
    missing: int = 0

    def __add__(self, other: _Tally) -> _Tally:
        return _Tally(self.units + other.units, self.missing + other.missing)

    def __sub__(self, other: _Tally) -> _Tally:
        return _Tally(self.units - other.units, self.missing - other.missing)


def _tally(of: str, line: Line) -> _Tally:
    """How many places a line takes: one, or its units."""
    if not of:
        return _Tally(1)
    value = line.facts.get(of)
    return _Tally(value) if isinstance(value, (int, Decimal)) else _Tally(0, 1)


def _order(of: str, check: Check, lines: tuple[Line, ...]) -> _Order:
    """The lines in order; gathered lines are kept by the check, so that their place in memory names them."""
    key = ("order", of, id(lines))
    found: _Order | None = check.memo.get(key) if lines else _NO_ORDER
    if found is None:
        found = check.memo[key] = _Order(of, check, lines)
    return found


class _Order:
    """Lines in force, current lines by price and place with what those before each make, and those without a price."""

    __slots__ = ("_in_force", "_keys", "_own", "_priceless", "_sums")

    def __init__(self, of: str, check: Check | None, lines: tuple[Line, ...]) -> None:
        priced: list[tuple[tuple[int, int], _Tally]] = []
        self._own = {id(line): _tally(of, line) for line in lines}
        self._in_force = self._priceless = _Tally()
        for line in lines:
            price, own = _price(line), self._own[id(line)]
            if check is None or not check.is_current(line):
                self._in_force += own
            elif price is None:
                self._priceless += own
            else:
                priced.append(((-price, check.place_of(line)), own))
        priced.sort(key=itemgetter(0))
        self._keys = [key for key, _ in priced]
        self._sums = list(accumulate((own for _, own in priced), initial=_Tally()))

    def before(self, check: Check, trigger: Line) -> tuple[_Tally, _Tally]:
        """What the lines make that come before the trigger line, and those that may; it is never one of them."""
        own, price = self._own.get(id(trigger), _Tally()), _price(trigger)
        is_current = check.is_current(trigger)
        sure = self._in_force if is_current else self._in_force - own
        if price is not None:
            return sure + self._sums[bisect_left(self._keys, (-price, check.place_of(trigger)))], self._priceless
        unsure = self._sums[-1] + self._priceless
        return sure, unsure - own if is_current else unsure


_NO_ORDER = _Order("", None, ())
