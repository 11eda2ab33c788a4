"""Gathering lines: which lines a condition looks at, for certain and possibly.

A :class:`Gatherer` is a bound :class:`negative_list.conditions.Lines`. It answers with :class:`Gathered`: certain
lines, possible lines, and whether the window is covered, as the docstring of
:class:`negative_list.conditions.Window` defines them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from negative_list.check import Check, item_of
from negative_list.codes import normal
from negative_list.prescription import Line
from negative_list.text import normalise
from negative_list.windows import Courses, Strings, days_reached, first_moment, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from negative_list.conditions import Items, Lines

__all__ = ["MANY_LINES", "Gathered", "Gatherer", "Members", "Test"]

Test: TypeAlias = "Callable[[Check, Line | None], bool | None]"
"""A bound condition: true, false or unknown for a check and its trigger line."""


MANY_LINES = 32
"""Members from which on a window is looked up by its days: below, looking at each is as quick."""


class Gathered(Struct, frozen=True, kw_only=True):
    """Lines in body order, those of history last. ``covered``: no further line can exist."""

    certain: tuple[Line, ...]
    possible: tuple[Line, ...]
    covered: bool


class Members:
    """Bound :class:`negative_list.conditions.Items`: is a line meant?"""

    __slots__ = ("_codes", "_excepted", "_lengths", "_names", "_names_only", "_prefixes", "_single", "_types")

    def __init__(self, items: Items, sets: Mapping[str, tuple[str, ...]]) -> None:
        self._codes = frozenset(map(normal, items.codes)).union(*(sets[name] for name in items.sets))
        self._prefixes = frozenset(map(normal, items.prefixes))
        self._lengths = tuple(sorted({len(prefix) for prefix in self._prefixes}))
        self._names = frozenset(normalise(name) for name in items.names)
        self._types = frozenset(items.types)
        self._excepted = tuple(map(normal, items.except_codes))
        self._names_only = not (self._codes or self._prefixes)
        by_code_alone = not (items.prefixes or items.names or items.types or items.except_codes)
        # The commonest case by far, one service item, is looked up instead of judged.
        self._single = next(iter(self._codes)) if by_code_alone and len(self._codes) == 1 else None

    def of_pool(self, check: Check, *, whole_patient: bool) -> tuple[tuple[Line, bool], ...]:
        """All certain (true) and possible (false) members in the pool, worked out once for each check."""
        key = (self, whole_patient)
        found: tuple[tuple[Line, bool], ...] | None = check.memo.get(key)
        if found is None:
            found = check.memo[key] = tuple(self._of_pool(check, whole_patient))
        return found

    def by_day(self, check: Check, *, whole_patient: bool) -> dict[int | None, list[int]]:
        """Places in :meth:`of_pool` by day, those without a time under ``None``."""
        key = (self, whole_patient, "by day")
        found: dict[int | None, list[int]] | None = check.memo.get(key)
        if found is None:
            found = check.memo[key] = {}
            for place, (line, _) in enumerate(self.of_pool(check, whole_patient=whole_patient)):
                found.setdefault(check.day_of(line) if line.begins is not None else None, []).append(place)
        return found

    def _of_pool(self, check: Check, whole_patient: bool) -> list[tuple[Line, bool]]:
        pool = check.pool(whole_patient=whole_patient)
        if self._single is not None:
            by_code, unusable = check.index(whole_patient=whole_patient)
            if not unusable:
                return [(pool[place], True) for place in by_code.get(self._single, ())]
        lines = pool if self._names_only else [pool[place] for place in self._candidates(check, whole_patient)]
        judged = ((line, self.means(check, line)) for line in lines)
        return [(line, meant is True) for line, meant in judged if meant is not False]

    def _candidates(self, check: Check, whole_patient: bool) -> list[int]:
        """Places in the pool of the lines that can be meant, so that a stay of thousands of lines stays cheap."""
        by_code, unusable = check.index(whole_patient=whole_patient)
        found = set(unusable)
        for code in self._codes & by_code.keys():
            found.update(by_code[code])
        if self._prefixes:
            for code, places in by_code.items():
                if any(code[:n] in self._prefixes for n in self._lengths):
                    found.update(places)
        return sorted(found)

    def means(self, check: Check, line: Line) -> bool | None:
        """Whether the line is one of the items."""
        kind = line.facts.get("line.item_type") if self._types else None
        if kind is not None and kind not in self._types:
            return False
        named = self.named(check, line)
        if named is True and self._types and kind is None:
            return None
        return named

    def named(self, check: Check, line: Line) -> bool | None:
        """Whether code, set or name mean the line, its type aside."""
        if self._excepted and any(code.startswith(self._excepted) for code in line.codes):
            return False
        if self._codes and not self._codes.isdisjoint(line.codes):
            return True
        if self._prefixes and any(code[:n] in self._prefixes for code in line.codes for n in self._lengths):
            return True
        usable = line.usable and bool(line.codes)
        if self._names_only and not self._names and (usable or not self._excepted):
            return True
        if usable:
            return False
        if self._names and not self._names.isdisjoint(check.terms.in_item(line.name)):
            return True
        return None


class Gatherer:
    """Bound :class:`negative_list.conditions.Lines`."""

    __slots__ = ("_courses", "_lines", "_members", "_where", "whole_patient")

    def __init__(self, lines: Lines, members: Members, where: Test | None) -> None:
        self._lines = lines
        self._members = members
        self._where = where
        self.whole_patient = lines.window.whose == "patient" and lines.window.unit != "encounter"
        self._courses = Courses(lines.window) if lines.window.unit == "course" else None

    @property
    def lines(self) -> Lines:
        """What was bound."""
        return self._lines

    def gather(self, check: Check, trigger: Line | None, *, others_only: bool = False) -> Gathered:
        """The lines gathered for a trigger line; ``others_only`` leaves the trigger line out."""
        key = self.key(check, trigger) or id(trigger)
        gathered: Gathered | None = check.memo.get((self, key))
        if gathered is None:
            gathered = self._in_course(check, trigger) if self._courses else self._gather(check, trigger)
            check.memo[self, key] = gathered
        return _without(trigger, gathered) if others_only else gathered

    def key(self, check: Check, trigger: Line | None) -> object | None:
        """The same for trigger lines that gather the same lines; ``None`` where a trigger line may gather its own.

        A settlement of thousands of lines of one item is gathered once for each of its days, not once for each line.
        """
        if trigger is None:
            return "no trigger"
        alike = self._alike(trigger)
        if trigger.begins is None or alike is None:
            return None
        stretch = self._stretch(check, trigger)
        return None if stretch is None else (stretch, alike)

    def _alike(self, trigger: Line) -> object | None:
        """What of the trigger besides its time the gathered lines depend on; ``None`` where a fact of it is unknown."""
        same = tuple(trigger.facts.get(name) for name in self._lines.same)
        return None if None in same else (same, item_of(trigger) if self._lines.other_item else "")

    def _stretch(self, check: Check, trigger: Line) -> object | None:
        """What of the trigger's time its window depends on."""
        window = self._lines.window
        if window.unit in _WHOLE_UNITS and window.side == "around":
            return ""
        if window.unit in _CLOCK_UNITS or (window.side == "before" and window.unit != "days"):
            return trigger.begins if trigger.has_clock else None
        return check.day_of(trigger)

    def _gather(self, check: Check, trigger: Line | None) -> Gathered:
        certain: list[Line] = []
        possible: list[Line] = []
        for line, sure in self._nearby(check, trigger):
            held = self._holds(check, trigger, line)
            if held is not False:
                (certain if sure and held else possible).append(line)
        covered = self._covered(check, trigger)
        return Gathered(certain=tuple(certain), possible=tuple(possible), covered=covered)

    def _nearby(self, check: Check, trigger: Line | None) -> Iterable[tuple[Line, bool]]:
        """The members that can lie in the window, in the order of the pool: of many, only those of days near by."""
        members = self._members.of_pool(check, whole_patient=self.whole_patient)
        reach = days_reached(self._lines.window)
        if reach is None or len(members) < MANY_LINES:
            return members
        by_day = self._members.by_day(check, whole_patient=self.whole_patient)
        day = check.day_of(trigger)
        places = [place for near in range(day - reach, day + reach + 1) for place in by_day.get(near, ())]
        return [members[place] for place in sorted((*places, *by_day.get(None, ())))]

    def _covered(self, check: Check, trigger: Line | None) -> bool:
        unit = self._lines.window.unit
        if unit == "lifetime":
            return check.history is not None and check.history.complete
        if check.history is None:
            return check.covered(None, whole_patient=self.whole_patient)
        first = check.admitted_at if unit == "encounter" else first_moment(self._lines.window, check.time_of(trigger))
        return check.covered(first, whole_patient=self.whole_patient)

    def _in_course(self, check: Check, trigger: Line | None) -> Gathered:
        """Keeps the certain lines of the trigger line's own course; all courses are strung once for lines alike."""
        assert self._courses is not None  # noqa: S101 (set for course windows, the only callers)
        key = None if trigger is None or trigger.begins is None else self._alike(trigger)
        around = self._lines.window.side == "around" and key is not None
        strung: tuple[Gathered, Strings] | None = check.memo.get((self, "strung", key)) if around else None
        if strung is None:
            gathered = self._gather(check, trigger)
            timed = [line for line in gathered.certain if line.begins is not None or line is trigger]
            strung = (gathered, self._courses.strings(check, timed))
            check.memo[self, "strung", key] = strung
        own, first = self._courses.own(check, trigger, strung[1])
        covered = check.covered(first, whole_patient=self.whole_patient)
        return Gathered(certain=own, possible=strung[0].possible, covered=covered)

    def _holds(self, check: Check, trigger: Line | None, line: Line) -> bool | None:
        """Whether everything but the items holds of a line, cheapest test first."""
        lines = self._lines
        if lines.state != "any" and check.is_current(line) is not (lines.state == "current"):
            return False
        if lines.other_item and trigger is not None and item_of(line) == item_of(trigger):
            return False
        held = within(lines.window, check, trigger, line)
        if held is False or not (lines.same or self._where):
            return held
        return _and(held, _and(self._same(trigger, line), self._where(check, line) if self._where else True))

    def _same(self, trigger: Line | None, line: Line) -> bool | None:
        """Whether the line agrees with the trigger line in every fact that must be equal."""
        if line is trigger:
            return True
        held: bool | None = True
        for name in self._lines.same:
            ours = trigger.facts.get(name) if trigger is not None else None
            theirs = line.facts.get(name)
            if ours is None or theirs is None:
                held = None
            elif ours != theirs:
                return False
        return held


_WHOLE_UNITS = frozenset({"encounter", "lifetime"})
_CLOCK_UNITS = frozenset({"instant", "hour", "hours"})


def _without(trigger: Line | None, gathered: Gathered) -> Gathered:
    """The gathered lines but the trigger line, which took part in the stringing of courses."""
    return Gathered(
        certain=_others(trigger, gathered.certain),
        possible=_others(trigger, gathered.possible),
        covered=gathered.covered,
    )


def _others(trigger: Line | None, lines: tuple[Line, ...]) -> tuple[Line, ...]:
    return tuple([line for line in lines if line is not trigger])


def _and(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right is False:
        return False
    return True if left and right else None
