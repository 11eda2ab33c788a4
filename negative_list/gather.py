"""Gathering lines: which lines a condition looks at, for certain and possibly.

A :class:`Gatherer` is a bound :class:`negative_list.conditions.Lines`. It answers with :class:`Gathered`: certain
lines, possible lines, and whether the window is covered, as the docstring of
:class:`negative_list.conditions.Window` defines them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

import msgspec
from msgspec import Struct

from negative_list.items import item_of
from negative_list.members import equal, moment_of
from negative_list.prescription import Line
from negative_list.windows import Courses, FirstUse, Strings, covers, days_reached, stretch_by, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from negative_list.check import Check
    from negative_list.conditions import Lines
    from negative_list.members import Members, Pool

__all__ = ["MANY_LINES", "Gathered", "Gatherer", "Test", "institution_of", "shared"]

Test: TypeAlias = "Callable[[Check, Line | None], bool | None]"
"""A bound condition: true, false or unknown for a check and its trigger line."""

Answer = TypeVar("Answer")

MANY_LINES = 32
"""Members from which on a window is looked up by its days: below, looking at each is as quick."""


class Gathered(Struct, frozen=True, kw_only=True):
    """Lines in body order, those of history last. ``covered``: no further line can exist.

    ``whole``: where the trigger line alone is certain, for want of a fact that lines must share, all lines with it; one
    tuple for all trigger lines that lack the same, so that it is measured once.
    """

    certain: tuple[Line, ...]
    possible: tuple[Line, ...]
    covered: bool
    whole: tuple[Line, ...] | None = None


class Gatherer:
    """Bound :class:`negative_list.conditions.Lines`."""

    __slots__ = (
        "_agreeing",
        "_compared",
        "_courses",
        "_daily",
        "_ever",
        "_first_use",
        "_institution",
        "_lines",
        "_members",
        "_reach",
        "_simple",
        "_stretch",
        "_where",
        "whole_patient",
    )

    def __init__(self, lines: Lines, members: Members, where: Test | None) -> None:
        self._lines = lines
        self._members = members
        self._where = where
        self._institution = lines.window.whose == "institution"
        self._agreeing = bool(self._institution or lines.same or lines.different)
        self.whole_patient = lines.window.whose != "encounter" and lines.window.unit != "encounter"
        self._compared = (*lines.same, *lines.different)
        self._simple = not (self._agreeing or where or lines.other_item or lines.state != "any")
        self._daily = lines.window.unit == "days" or (lines.window.side == "around" and lines.window.unit in _DAILY)
        self._stretch = stretch_by(lines.window)
        self._reach = days_reached(lines.window)
        self._first_use = lines.window.unit == "first_use"
        self._courses = Courses(lines.window) if lines.window.unit == "course" else None
        self._ever: Gatherer | None = None
        if lines.window.unit == "insurance_year" and lines.window.side == "around":
            window = msgspec.structs.replace(lines.window, unit="lifetime")
            self._ever = Gatherer(msgspec.structs.replace(lines, window=window), members, where)

    @property
    def lines(self) -> Lines:
        """What was bound."""
        return self._lines

    def gather(self, check: Check, trigger: Line | None, *, others_only: bool = False) -> Gathered:
        """The lines gathered for a trigger line; ``others_only`` leaves the trigger line out."""
        key = self.key(check, trigger) or id(trigger)
        gathered: Gathered | None = check.memo.get((self, key))
        if gathered is None:
            place = self._place(check, trigger) if trigger is not None and self._lacks(trigger) else None
            if trigger is None or place is None:
                gathered = self._gathered(check, trigger)
            else:
                gathered = self._lacking(check, trigger, place)
            check.memo[self, key] = gathered
        return _without(trigger, gathered) if others_only else gathered

    def key(self, check: Check, trigger: Line | None) -> object | None:
        """The same for trigger lines that gather the same lines; ``None`` where a trigger line may gather its own.

        A settlement of thousands of lines of one item is gathered once for each of its days, not once for each line.
        """
        if trigger is None:
            return "no trigger"
        return None if self._lacks(trigger) else self._place(check, trigger)

    def _place(self, check: Check, trigger: Line) -> object | None:
        """What of the trigger line the others gathered depend on; ``None`` where each may have its own."""
        if trigger.begins is None or (self._first_use and not covers(self._lines.window, check, trigger)):
            return None
        stretch = self._stretch(check, trigger)
        return None if stretch is None else (stretch, self._alike(check, trigger))

    def _lacks(self, trigger: Line) -> bool:
        """Whether a fact is unknown that other lines are compared by."""
        return bool(self._compared) and None in [trigger.facts.get(name) for name in self._compared]

    def _alike(self, check: Check, trigger: Line) -> object:
        """What of the trigger besides its time the gathered lines depend on."""
        facts = tuple([trigger.facts.get(name) for name in self._compared])
        where = institution_of(check, trigger) if self._institution else None
        return (facts, item_of(trigger) if self._lines.other_item else "", where)

    def _gathered(self, check: Check, trigger: Line | None) -> Gathered:
        if self._courses:
            return self._in_course(self._courses, check, trigger)
        if self._first_use:
            return self._from_first_use(check, trigger)
        if self._ever is not None and check.insurance_year_from is None:
            return self._in_some_year(self._ever, check, trigger)
        return self.gather_by(check, trigger)

    def _lacking(self, check: Check, trigger: Line, place: object) -> Gathered:
        """Of a trigger line that lacks a fact the others are compared by: it alone, and all others possibly."""
        if self._courses or self._first_use or self._ever is not None:
            return self._gathered(check, trigger)
        found = check.remember((self, "lacking", place), lambda: _Lacking(self, check, trigger))
        whole, at = found.whole, found.places.get(id(trigger))
        if at is None:
            return Gathered(certain=(), possible=whole, covered=found.covered)
        others = (*whole[:at], *whole[at + 1 :])
        if self._lines.different:
            return Gathered(certain=(), possible=others, covered=found.covered)
        sure = self._members.means(check, trigger) and id(trigger) not in check.doubtful
        if sure and (self._where is None or self._where(check, trigger)):
            return Gathered(certain=(trigger,), possible=others, covered=found.covered, whole=whole)
        return Gathered(certain=(), possible=whole, covered=found.covered)

    def gather_by(self, check: Check, trigger: Line | None) -> Gathered:
        """The lines gathered as the window has them, before courses and first uses are told apart."""
        certain: list[Line] = []
        possible: list[Line] = []
        pool = self._members.of_pool(check, whole_patient=self.whole_patient)
        if len(pool.members) < MANY_LINES:
            judged: Iterable[tuple[Line, bool]] = self._one_by_one(check, trigger, pool.members)
        else:
            judged = self._of_many(check, trigger, self._alike_in(pool, trigger))
        for line, sure in judged:
            (certain if sure else possible).append(line)
        covered = covers(self._lines.window, check, trigger)
        return Gathered(certain=tuple(certain), possible=tuple(possible), covered=covered)

    def _alike_in(self, pool: Pool, trigger: Line | None) -> Pool:
        """Of many members those that share the trigger line's facts, where they must."""
        values = tuple([trigger.facts.get(name) for name in self._lines.same]) if trigger is not None else (None,)
        return pool if None in values or not values else pool.alike(self._lines.same, values)

    def _of_many(self, check: Check, trigger: Line | None, pool: Pool) -> Iterable[tuple[Line, bool]]:
        """The lines gathered of many members, looked up as the window allows."""
        if self._daily:
            return self._by_days(check, trigger, pool)
        unit = self._lines.window.unit
        if unit in _MOMENTS and (trigger is None or trigger.begins is None or trigger.has_clock):
            groups, time = pool.by(unit), check.time_of(trigger)
            near = [groups.get(key, ()) for key in (moment_of(time, unit), time.toordinal(), None)]
        elif self._reach is not None:
            groups = pool.by("day")
            near = [*self._near(check, trigger, groups), groups.get(None, ())]
        else:
            return self._one_by_one(check, trigger, pool.members)
        places = sorted(place for group in near for place in group)
        return self._one_by_one(check, trigger, (pool.members[place] for place in places))

    def _one_by_one(
        self, check: Check, trigger: Line | None, members: Iterable[tuple[Line, bool]]
    ) -> list[tuple[Line, bool]]:
        """The lines gathered for certain (true) and possibly (false)."""
        found = []
        for line, sure in members:
            if not self._stands(check, trigger, line):
                continue
            held = within(self._lines.window, check, trigger, line)
            if held is not False and not self._simple:
                held = _and(held, self._agrees(check, trigger, line))
            if held is not False:
                found.append((line, sure and held is True))
        return found

    def _near(self, check: Check, trigger: Line | None, groups: dict[object, list[int]]) -> Iterable[list[int]]:
        """The groups of days, or of uses, that the window can reach, those without a time left out."""
        day, reach = check.day_of(trigger), self._reach
        if reach is None or 2 * reach >= len(groups):
            return (places for key, places in groups.items() if key is not None)
        return (groups[near] for near in range(day - reach, day + reach + 1) if near in groups)

    def _by_days(self, check: Check, trigger: Line | None, pool: Pool) -> Iterator[tuple[Line, bool]]:
        """The same for windows that days settle: of many lines, those of one day, or one use, are judged at once."""
        window, members = self._lines.window, pool.members
        groups = pool.by("use" if window.unit == "in_use" else "day")
        alone = ([place] for place in groups.get(None, ()))
        found: list[tuple[int, bool | None]] = []
        for places in (*self._near(check, trigger, groups), *alone):
            held = within(window, check, trigger, members[places[0]][0])
            if held is not False:
                found += [(place, held) for place in places]
        for place, held in sorted(found):
            line, sure = members[place]
            stands = self._simple or self._stands(check, trigger, line)
            agrees = stands and (self._simple or self._agrees(check, trigger, line))
            if agrees is not False:
                yield line, sure and held is True and agrees is True

    def _around(self, check: Check, trigger: Line | None, name: str, make: Callable[[], object]) -> object:
        """What is made once for all trigger lines that gather alike but for their time."""
        timed = trigger is not None and trigger.begins is not None and not self._lacks(trigger)
        key = self._alike(check, trigger) if timed and trigger is not None else None
        if self._lines.window.side == "before" or key is None:
            return make()
        return check.remember((self, name, key), make)

    def _in_course(self, courses: Courses, check: Check, trigger: Line | None) -> Gathered:
        """Keeps the certain lines of the trigger line's own course; all courses are strung once for lines alike."""

        def string() -> tuple[Gathered, Strings]:
            gathered = self.gather_by(check, trigger)
            timed = [line for line in gathered.certain if line.begins is not None or line is trigger]
            return gathered, courses.strings(check, timed)

        gathered, strings = cast("tuple[Gathered, Strings]", self._around(check, trigger, "strung", string))
        own, first = courses.own(check, trigger, strings)
        return Gathered(certain=own, possible=gathered.possible, covered=check.covered(first, self._lines.window.whose))

    def _in_some_year(self, ever: Gatherer, check: Check, trigger: Line | None) -> Gathered:
        """The trigger line for certain and all others possibly, of a year nobody knows the beginning of."""
        whole = ever.gather(check, trigger)
        ids = check.remember(("ids", id(whole.certain)), lambda: frozenset(map(id, whole.certain)))
        own = (trigger,) if trigger is not None and id(trigger) in ids else ()
        # As of a first use that is not covered, the trigger line stays among the possible ones.
        possible = check.remember(("all", id(whole)), lambda: (*whole.certain, *whole.possible))
        return Gathered(certain=own, possible=possible, covered=False)

    def _from_first_use(self, check: Check, trigger: Line | None) -> Gathered:
        """Keeps the lines of the first days of use, where the trigger lies in them."""

        def begin() -> FirstUse:
            gathered = self.gather_by(check, trigger)
            return FirstUse(check, gathered.certain, gathered.possible, self._lines.window.length or 0)

        use = cast("FirstUse", self._around(check, trigger, "first use", begin))
        members = use.members(check.day_of(trigger))
        covered = covers(self._lines.window, check, trigger)
        if covered or not members:
            possible = use.possible if members is not None else ()
            return Gathered(certain=members or (), possible=possible, covered=covered)
        # The first use may have been earlier, so that the trigger alone is certain. It stays among the possible ones,
        # which all trigger lines share: of a window that is not covered they are only told, never counted.
        own = (trigger,) if trigger is not None and id(trigger) in use.ids else ()
        return Gathered(certain=own, possible=(*members, *use.possible) if use.possible else members, covered=False)

    def _stands(self, check: Check, trigger: Line | None, line: Line) -> bool:
        """Whether the line is in the state, and of another item, where that is asked for."""
        lines = self._lines
        if lines.state != "any" and check.is_current(line) is not (lines.state == "current"):
            return False
        return not (lines.other_item and trigger is not None and item_of(line) == item_of(trigger))

    def _agrees(self, check: Check, trigger: Line | None, line: Line) -> bool | None:
        """Whether institution and facts agree with the trigger line's, and ``where`` holds."""
        held = self._is_alike(check, trigger, line) if self._agreeing else True
        if held is False or self._where is None:
            return held
        return _and(held, self._where(check, line))

    def _is_alike(self, check: Check, trigger: Line | None, line: Line) -> bool | None:
        """Whether the line is of the institution, and its facts equal to the trigger line's or different from them."""
        if line is trigger:
            return not self._lines.different
        held = self._in_institution(check, trigger, line) if self._institution else True
        for names, wanted in ((self._lines.same, True), (self._lines.different, False)):
            for name in names:
                ours = trigger.facts.get(name) if trigger is not None else None
                theirs = line.facts.get(name)
                if ours is None or theirs is None:
                    held = _and(held, None)
                elif equal(ours, theirs) is not wanted:
                    return False
        return held

    def _in_institution(self, check: Check, trigger: Line | None, line: Line) -> bool | None:
        """Whether the line is of the current encounter, or was given where the trigger line is."""
        if line.encounter_id == check.encounter.id:
            return True
        ours, theirs = institution_of(check, trigger), line.facts.get("line.institution_id")
        return None if ours is None or theirs is None else ours == theirs


class _Lacking:
    """What all trigger lines gather that lack the same fact: every line possibly, as if none were the trigger."""

    __slots__ = ("_stand_in", "covered", "places", "whole")

    def __init__(self, gatherer: Gatherer, check: Check, trigger: Line) -> None:
        # The check remembers lines by their place in memory, so the stand-in lives as long as it does.
        self._stand_in = msgspec.structs.replace(trigger)
        gathered = gatherer.gather_by(check, self._stand_in)
        self.whole = gathered.possible
        self.places = {id(line): place for place, line in enumerate(self.whole)}
        self.covered = gathered.covered


def shared(judge: Callable[[Check, Line | None], Answer], gatherer: Gatherer) -> Callable[[Check, Line | None], Answer]:
    """What hangs on the trigger line only through what it gathers: judged once for trigger lines that gather alike."""

    def test(check: Check, line: Line | None) -> Answer:
        key = gatherer.key(check, line)
        if key is None:
            return judge(check, line)
        try:
            return check.memo[judge, key]  # type: ignore[no-any-return]
        except KeyError:
            answer = check.memo[judge, key] = judge(check, line)
            return answer

    return test


def institution_of(check: Check, trigger: Line | None) -> object | None:
    """Where the trigger line is given: where its encounter is, unless it says otherwise."""
    ours = trigger.facts.get("line.institution_id") if trigger is not None else None
    return check.encounter_facts.get("encounter.institution_id") if ours is None else ours


_MOMENTS = frozenset({"instant", "hour"})
"""Units of windows that hold one moment, or one hour, of the clock."""

_DAILY = frozenset({"day", "month", "quarter", "year", "insurance_year", "in_use"})
"""Units of windows that hold all lines of a day, or of one stretch of use, or none."""


def _without(trigger: Line | None, gathered: Gathered) -> Gathered:
    """The gathered lines but the trigger line, which took part in the stringing of courses."""
    if gathered.whole is not None:
        return Gathered(certain=(), possible=gathered.possible, covered=gathered.covered)
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
