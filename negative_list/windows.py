"""Windows: does a line lie in the stretch of time around the trigger line?

Pure functions over the words of :class:`negative_list.conditions.Window`, whose docstring is their specification.
"""

from __future__ import annotations

import calendar
import math
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from negative_list.selection import LONGEST_SUPPLY_DAYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from negative_list.check import Check
    from negative_list.conditions import Window
    from negative_list.prescription import Line

__all__ = ["Courses", "FirstUse", "Strings", "covers", "days_reached", "stretch_by", "within"]


def within(window: Window, check: Check, trigger: Line | None, line: Line) -> bool | None:
    """Whether ``line`` lies in the window around ``trigger``.

    ``course`` and ``first_use`` are settled afterwards, over all lines; whose lines are meant, by who gathers them.
    """
    if window.unit == "encounter" and line.encounter_id != check.encounter.id:
        return False
    if line is trigger or (window.side == "around" and window.unit in {"encounter", "lifetime"}):
        return True
    if line.begins is None:
        return None
    if window.side == "before" and window.unit not in {"hours", "days"} and _later(check, trigger, line):
        return False
    return _WITHIN[window.unit](window, check, trigger, line)


def _later(check: Check, trigger: Line | None, line: Line) -> bool:
    """Whether a line lies after the trigger; by the day alone where either has no clock."""
    if line.has_clock and (trigger is None or trigger.begins is None or trigger.has_clock):
        return check.time_of(line) > check.time_of(trigger)
    return check.day_of(line) > check.day_of(trigger)


def stretch_by(window: Window) -> Callable[[Check, Line], object | None]:
    """What is the same for trigger lines around which the window holds the same stretch of time.

    ``None`` where each trigger line may have a stretch of its own.
    """
    if window.unit in _CLOCKS or (window.unit in _EVER and window.side == "before"):
        return lambda _check, trigger: _moment(trigger)
    if window.unit in _EVER:
        return lambda _check, _trigger: ""
    of_days = _OF_DAYS.get(window.unit, _day_of)
    if window.side == "around" or window.unit == "days":
        return of_days

    def to_the_moment(check: Check, trigger: Line) -> object | None:
        stretch, moment = of_days(check, trigger), _moment(trigger)
        return None if stretch is None or moment is None else (stretch, moment)

    return to_the_moment


def _day_of(check: Check, trigger: Line) -> int:
    return check.day_of(trigger)


def _year_of_insurance(check: Check, trigger: Line) -> int | None:
    """The insurance year; where its beginning is not known the trigger line alone is certain, each of its own."""
    begins = check.insurance_year_from
    return None if begins is None else _year_from(begins, check.time_of(trigger))


def _moment(trigger: Line) -> datetime | None:
    return trigger.begins if trigger.has_clock else None


_EVER = frozenset({"encounter", "lifetime"})
_CLOCKS = frozenset({"instant", "hour", "hours"})
_UNITS: dict[str, Callable[[datetime], object]] = {
    "day": datetime.toordinal,
    "month": lambda time: (time.year, time.month),
    "quarter": lambda time: (time.year, (time.month - 1) // 3),
    "year": lambda time: time.year,
}
"""Calendar units that a bare date settles, and what names one of each."""


def _named_by(key: Callable[[datetime], object]) -> Callable[[Check, Line], object]:
    return lambda check, trigger: key(check.time_of(trigger))


_OF_DAYS: dict[str, Callable[[Check, Line], object | None]] = {
    **{unit: _named_by(key) for unit, key in _UNITS.items()},
    "insurance_year": _year_of_insurance,
    "in_use": lambda check, trigger: check.use_of(trigger),
}
"""What of the trigger's days a window around it depends on, where that is not the day alone."""


def _same_unit(key: Callable[[datetime], object]) -> Callable[[Window, Check, Line | None, Line], bool | None]:
    """The test of a calendar unit named by ``key`` that a bare date settles."""

    def test(_window: Window, check: Check, trigger: Line | None, line: Line) -> bool | None:
        return key(check.time_of(trigger)) == key(check.time_of(line))

    return test


def _instant(_window: Window, check: Check, trigger: Line | None, line: Line) -> bool | None:
    return _same_moment(check, trigger, line, timedelta(seconds=1))


def _hour(_window: Window, check: Check, trigger: Line | None, line: Line) -> bool | None:
    return _same_moment(check, trigger, line, timedelta(hours=1))


def _same_moment(check: Check, trigger: Line | None, line: Line, step: timedelta) -> bool | None:
    """Whether both stand in the same step of the clock; a bare date may stand in any step of its day."""
    ours, theirs = check.moments(trigger), check.moments(line)
    if ours[0].date() != theirs[0].date():
        return False
    if ours[0] != ours[1] or theirs[0] != theirs[1]:
        return None
    midnight = ours[0].replace(hour=0, minute=0, second=0, microsecond=0)
    return (ours[0] - midnight) // step == (theirs[0] - midnight) // step


def _hours(window: Window, check: Check, trigger: Line | None, line: Line) -> bool | None:
    ours, theirs = check.moments(trigger), check.moments(line)
    low = (ours[0] - theirs[1]).total_seconds()
    high = (ours[1] - theirs[0]).total_seconds()
    return _distance(window, low, high, (window.length or 0) * 3600)


def _days(window: Window, check: Check, trigger: Line | None, line: Line) -> bool | None:
    apart = check.day_of(trigger) - check.day_of(line)
    return _distance(window, apart, apart, window.length or 0)


def _insurance_year(_window: Window, check: Check, trigger: Line | None, line: Line) -> bool | None:
    begins = check.insurance_year_from
    if begins is None:
        return None
    return _year_from(begins, check.time_of(trigger)) == _year_from(begins, check.time_of(line))


def _year_from(begins: date, time: date) -> int:
    """The year in which the insurance year of a time began."""
    return time.year - ((time.month, time.day) < (begins.month, begins.day))


def _in_use(window: Window, check: Check, trigger: Line | None, line: Line) -> bool | None:
    ours, theirs = check.use_of(trigger), check.use_of(line)
    length = window.length or 0
    if _inside(window, _days_apart(ours[0], ours[1], theirs[0], theirs[1]), length):
        return True
    apart = _days_apart(ours[0], _or_ever(ours[2]), theirs[0], _or_ever(theirs[2]))
    return None if _inside(window, apart, length) else False


def _or_ever(last: int | None) -> float:
    return math.inf if last is None else last


def _days_apart(first: int, last: float, others_first: int, others_last: float) -> float:
    """Days between two stretches, 0 where they share a day."""
    return max(0, others_first - last, first - others_last)


def _distance(window: Window, low: float, high: float, length: float) -> bool | None:
    """Whether a distance known to lie between ``low`` and ``high`` is inside; positive ones lie before the trigger."""
    inside = [_inside(window, value, length) for value in (low, high)]
    if all(inside):
        return True
    if any(inside):
        return None
    # Both ends are outside: on the same side of the window, or on either side of it.
    return None if low < 0 < high else False


def _inside(window: Window, value: float, length: float) -> bool:
    """Whether a distance is inside; one in days of use is never negative."""
    if window.side == "before" and value < 0:
        return False
    return abs(value) <= length if window.ends == "closed" else abs(value) < length


_WITHIN: dict[str, Callable[[Window, Check, Line | None, Line], bool | None]] = {
    "instant": _instant,
    "hour": _hour,
    "hours": _hours,
    **{unit: _same_unit(key) for unit, key in _UNITS.items()},
    "insurance_year": _insurance_year,
    "days": _days,
    "in_use": _in_use,
    "course": lambda *_: True,
    "first_use": lambda *_: True,
    "encounter": lambda *_: True,
    "lifetime": lambda *_: True,
}


def covers(window: Window, check: Check, trigger: Line | None) -> bool:
    """Whether all lines (or encounters) of the window around the trigger are known; courses are told apart first."""
    if window.unit in {"lifetime", "first_use"}:
        return check.covered(None, "patient")
    begins = check.insurance_year_from if window.unit == "insurance_year" else None
    if window.unit == "insurance_year" and begins is None:
        return False
    if check.history is None:
        return check.covered(None, window.whose)
    first = check.admitted_at if window.unit == "encounter" else _first_moment(window, check.time_of(trigger), begins)
    return check.covered(first, window.whose)


def _first_moment(window: Window, time: datetime, begins: date | None) -> datetime | None:
    """The first moment of the window around ``time``; ``None``: since ever."""
    midnight = time.replace(hour=0, minute=0, second=0, microsecond=0)
    length = window.length or 0
    match window.unit:
        case "instant":
            return time
        case "hour":
            return time.replace(minute=0, second=0, microsecond=0)
        case "hours":
            return _earlier(time, timedelta(hours=length))
        case "days":
            return _earlier(midnight, timedelta(days=length if window.ends == "closed" else length - 1))
        case "in_use":
            return _earlier(midnight, timedelta(days=LONGEST_SUPPLY_DAYS + length))
        case _:
            return _first_day(window.unit, midnight, begins)


def _first_day(unit: str, midnight: datetime, begins: date | None) -> datetime | None:
    """The first moment of the calendar unit around a day; ``None``: the unit is none."""
    if unit == "insurance_year" and begins is not None:
        return _beginning(begins, midnight)
    return {
        "day": midnight,
        "month": midnight.replace(day=1),
        "quarter": midnight.replace(month=(midnight.month - 1) // 3 * 3 + 1, day=1),
        "year": midnight.replace(month=1, day=1),
    }.get(unit)


def _beginning(begins: date, time: datetime) -> datetime:
    """The first moment of the insurance year; one from 29 February begins on 1 March of other years."""
    year = _year_from(begins, time)
    if year < 1:
        return _FIRST
    leap_day = (begins.month, begins.day) == (2, 29) and not calendar.isleap(year)
    return datetime(year, 3, 1) if leap_day else datetime(year, begins.month, begins.day)


def _earlier(time: datetime, by: timedelta) -> datetime:
    """So much earlier, but not before the calendar begins: bodies carry years like 0001 too."""
    return time - by if time - _FIRST >= by else _FIRST


_FIRST = datetime(1, 1, 1)
"""The beginning of the calendar."""


def days_reached(window: Window) -> int | None:
    """How many days before and after the trigger's day the window can reach; ``None``: any number."""
    length = window.length or 0
    return {
        "instant": 0,
        "hour": 0,
        "day": 0,
        "hours": length // 24 + 2,
        "days": length,
        "month": 31,
        "quarter": 92,
        "year": 366,
    }.get(window.unit)


Strings: TypeAlias = "list[tuple[tuple[Line, ...], int, int]]"
"""Courses, each with its lines by day, its first day and its last certain day of use."""


class Courses:
    """Strings of lines with pauses of at most so many days."""

    __slots__ = ("_pause_days",)

    def __init__(self, window: Window) -> None:
        self._pause_days = window.length or 0

    def own(self, check: Check, trigger: Line | None, strings: Strings) -> tuple[tuple[Line, ...], datetime | None]:
        """The lines of the trigger's own course, and the first moment they ask coverage from."""
        day = check.day_of(trigger)
        first_day = day
        own: tuple[Line, ...] = ()
        for string, first, reach in strings:
            if first <= day <= reach + self._pause_days:
                first_day, own = min(first, day), string
        return own, datetime.fromordinal(max(first_day - self._pause_days, 1))

    def strings(self, check: Check, lines: list[Line]) -> Strings:
        """All courses of certain lines; of these only the trigger may lack a begin, it stands at the instant."""
        strings: list[tuple[list[Line], int, int]] = []
        for line in sorted(lines, key=check.day_of):
            first, last, _ = check.days_of_use(line)
            if strings and first <= strings[-1][2] + self._pause_days:
                string, begun, reach = strings[-1]
                string.append(line)
                strings[-1] = (string, begun, max(reach, last))
            else:
                strings.append(([line], first, last))
        return [(tuple(string), first, reach) for string, first, reach in strings]


class FirstUse:
    """The lines of the first days of use.

    Args:
        check: tells the days of lines.
        certain: lines that begin on a certain day, or at the instant.
        possible: lines that stay possible whatever the first day is.
        days: how many days are meant.
    """

    __slots__ = ("_by_first", "_certain", "_days", "_first", "ids", "possible")

    def __init__(self, check: Check, certain: tuple[Line, ...], possible: tuple[Line, ...], days: int) -> None:
        self._certain = [(check.day_of(line), line) for line in certain]
        self._first = min((day for day, _ in self._certain), default=None)
        self._days = days
        self._by_first: dict[int, tuple[Line, ...]] = {}
        self.ids = frozenset(map(id, certain))
        self.possible = possible

    def members(self, day: int) -> tuple[Line, ...] | None:
        """The certain lines of the first days, the trigger's day being one of use; ``None`` where it lies behind."""
        first = day if self._first is None else min(self._first, day)
        if day - first >= self._days:
            return None
        if first not in self._by_first:
            self._by_first[first] = tuple(line for begun, line in self._certain if begun - first < self._days)
        return self._by_first[first]
