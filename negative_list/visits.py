"""Other encounters of the patient: which are meant, how many they are, and how long the last one is over.

Bound :class:`negative_list.conditions.Visits`, whose docstring is the specification. An encounter stands in the time of
its admission, so that the windows of lines serve for encounters too.
"""

from __future__ import annotations

import math
from datetime import datetime
from datetime import time as clock
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from negative_list.check import Check
from negative_list.members import equal
from negative_list.prescription import Encounter, Line
from negative_list.windows import covers, within

if TYPE_CHECKING:
    from negative_list.conditions import Visits
    from negative_list.gather import Test
    from negative_list.limits import Interval

__all__ = ["Met", "Visitor", "check_of", "since_visit", "visit_count"]


_MIDNIGHT = clock()
"""The time of day of a bare date."""


class Met(Struct, frozen=True, kw_only=True):
    """Other encounters, those of the body first. ``covered``: no further one can exist."""

    certain: tuple[Encounter, ...]
    possible: tuple[Encounter, ...]
    covered: bool


class Visitor:
    """Bound :class:`negative_list.conditions.Visits`."""

    __slots__ = ("_modes", "_visits", "_where", "_window")

    def __init__(self, visits: Visits, where: Test | None) -> None:
        self._visits = visits
        self._where = where
        self._modes = frozenset(visits.modes)
        self._window = msgspec.structs.replace(visits.window, side="before")

    @property
    def visits(self) -> Visits:
        """What was bound."""
        return self._visits

    def meet(self, check: Check) -> Met:
        """The encounters meant, looked for once in a check."""
        return check.remember(self, lambda: self._meet(check))  # type: ignore[no-any-return]

    def _meet(self, check: Check) -> Met:
        answers = [(encounter, self._means(check, encounter)) for encounter in check.others.values()]
        return Met(
            certain=tuple(encounter for encounter, meant in answers if meant),
            possible=tuple(encounter for encounter, meant in answers if meant is None),
            covered=covers(self._window, check, _admission(check.encounter)),
        )

    def fits(self, check: Check) -> bool | None:
        """Whether mode and ``where`` hold of the encounter the check is of."""
        mode = check.encounter_facts.get("encounter.visit_mode")
        held = True if not self._modes else None if mode is None else mode in self._modes
        if held is False or self._where is None:
            return held
        return _and(held, self._where(check, None))

    def _means(self, check: Check, encounter: Encounter) -> bool | None:
        held = _and(self.timely(check, encounter), self._agrees(check, encounter))
        if held is False:
            return False
        return _and(held, self.fits(check_of(check, encounter)))

    def timely(self, check: Check, encounter: Encounter) -> bool | None:
        """Whether another encounter's admission lies in the window around the current one's."""
        return within(self._window, check, _admission(check.encounter), _admission(encounter))

    def _agrees(self, check: Check, encounter: Encounter) -> bool | None:
        """Whether its facts are equal to the current encounter's, or different from them, and so its institution."""
        held: bool | None = True
        here = ("encounter.institution_id",) if self._window.whose == "institution" else ()
        for names, wanted in (((*self._visits.same, *here), True), (self._visits.different, False)):
            for name in names:
                ours, theirs = check.encounter_facts.get(name), encounter.facts.get(name)
                if ours is None or theirs is None:
                    held = None
                elif equal(ours, theirs) is not wanted:
                    return False
        return held


def _and(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right is False:
        return False
    return True if left and right else None


def check_of(check: Check, encounter: Encounter) -> Check:
    """The check with another encounter in the place of the current one, made once."""

    def make() -> Check:
        placed = msgspec.structs.replace(check.prescription, encounter=encounter)
        return Check(placed, check.at, check.terms)

    return check.remember(("visit", encounter.id), make)  # type: ignore[no-any-return]


def _admission(encounter: Encounter) -> Line:
    """The moment of an encounter's admission, in the form windows look at; one at midnight tells the day alone."""
    time = _time(encounter, "encounter.admitted_at")
    has_clock = time is None or time.time() != _MIDNIGHT
    return Line(id=encounter.id, encounter_id=encounter.id, begins=time, has_clock=has_clock)


def _time(encounter: Encounter, name: str) -> datetime | None:
    time = encounter.facts.get(name)
    return time if isinstance(time, datetime) else None


# -- what is measured


def visit_count(visitor: Visitor, check: Check) -> Interval:
    """How many encounters are meant, the current one included where it fits."""
    met, own = visitor.meet(check), visitor.fits(check)
    low = len(met.certain) + (own is True)
    return low, low + len(met.possible) + (own is None) if met.covered else math.inf


def since_visit(visitor: Visitor, check: Check) -> Interval:
    """Whole days from the last discharge to the current admission; without limit where there is none."""
    met = visitor.meet(check)
    sure = [_days_since(check, encounter) for encounter in met.certain]
    unsure = [_days_since(check, encounter) for encounter in met.possible]
    most = min((high for _, high in sure), default=math.inf)
    least = min((low for low, _ in (*sure, *unsure)), default=math.inf)
    return least if met.covered else 0, most


def _days_since(check: Check, encounter: Encounter) -> Interval:
    """How long before the current admission an encounter ended: between its own admission and now where not known."""
    here = check.day_of(_admission(check.encounter))
    discharged, admitted = (_time(encounter, f"encounter.{name}") for name in ("discharged_at", "admitted_at"))
    if discharged is not None:
        days = max(0, here - discharged.toordinal())
        return days, days
    return 0, math.inf if admitted is None else max(0, here - admitted.toordinal())
