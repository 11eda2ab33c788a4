"""Gathering lines: which lines a condition looks at, for certain and possibly.

A :class:`Gatherer` is a bound :class:`negative_list.conditions.Lines`. It answers with :class:`Gathered`: certain
lines, possible lines, and whether the window is covered, as the docstring of
:class:`negative_list.conditions.Window` defines them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

import msgspec
from msgspec import Struct

from negative_list.check import Check, item_of
from negative_list.codes import normal
from negative_list.prescription import Line
from negative_list.text import normalise
from negative_list.uses import Uses
from negative_list.windows import Courses, FirstUse, Strings, covers, days_reached, stretch_of, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from negative_list.conditions import Items, Lines

__all__ = ["MANY_LINES", "Gathered", "Gatherer", "Members", "Test", "institution_of", "shared"]

Test: TypeAlias = "Callable[[Check, Line | None], bool | None]"
"""A bound condition: true, false or unknown for a check and its trigger line."""

Answer = TypeVar("Answer")

MANY_LINES = 32
"""Members from which on a window is looked up by its days: below, looking at each is as quick."""


class Gathered(Struct, frozen=True, kw_only=True):
    """Lines in body order, those of history last. ``covered``: no further line can exist."""

    certain: tuple[Line, ...]
    possible: tuple[Line, ...]
    covered: bool


class Members:
    """Bound :class:`negative_list.conditions.Items`: is a line meant?"""

    __slots__ = (
        "_codes",
        "_excepted",
        "_excepted_names",
        "_lengths",
        "_names",
        "_names_only",
        "_prefixes",
        "_single",
        "_types",
    )

    def __init__(self, items: Items, sets: Mapping[str, tuple[str, ...]]) -> None:
        self._codes = frozenset(map(normal, items.codes)).union(*(sets[name] for name in items.sets))
        self._prefixes = frozenset(map(normal, items.prefixes))
        self._lengths = tuple(sorted({len(prefix) for prefix in self._prefixes}))
        self._names = frozenset(normalise(name) for name in items.names)
        self._types = frozenset(items.types)
        self._excepted = tuple(map(normal, items.except_codes))
        self._excepted_names = frozenset(normalise(name) for name in items.except_names)
        self._names_only = not (self._codes or self._prefixes)
        excepts = items.except_codes or items.except_names
        by_code_alone = not (items.prefixes or items.names or items.types or excepts)
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

    def in_use(self, check: Check, *, whole_patient: bool) -> Uses:
        """Places in :meth:`of_pool` by the days on which the members are in use."""
        key = (self, whole_patient, "in use")
        found: Uses | None = check.memo.get(key)
        if found is None:
            lines = [line for line, _ in self.of_pool(check, whole_patient=whole_patient)]
            found = check.memo[key] = Uses(check, lines)
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
        if (self._excepted or self._excepted_names) and self._is_excepted(check, line):
            return False
        if self._codes and not self._codes.isdisjoint(line.codes):
            return True
        if self._prefixes and any(code[:n] in self._prefixes for code in line.codes for n in self._lengths):
            return True
        usable = line.usable and bool(line.codes)
        if self._names_only and not self._names and (usable or not (self._excepted or self._excepted_names)):
            return True
        if usable:
            return False
        if self._names and not self._names.isdisjoint(check.terms.in_item(line.name)):
            return True
        return None

    def _is_excepted(self, check: Check, line: Line) -> bool:
        """Whether a code is excepted, or, of a line without a usable code, the name."""
        if self._excepted and any(code.startswith(self._excepted) for code in line.codes):
            return True
        if line.usable and line.codes:
            return False
        return not self._excepted_names.isdisjoint(check.terms.in_item(line.name))


class Gatherer:
    """Bound :class:`negative_list.conditions.Lines`."""

    __slots__ = ("_agreeing", "_courses", "_ever", "_institution", "_lines", "_members", "_where", "whole_patient")

    def __init__(self, lines: Lines, members: Members, where: Test | None) -> None:
        self._lines = lines
        self._members = members
        self._where = where
        self._institution = lines.window.whose == "institution"
        self._agreeing = bool(self._institution or lines.same or lines.different)
        self.whole_patient = lines.window.whose != "encounter" and lines.window.unit != "encounter"
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
            gathered = self._gathered(check, trigger)
            check.memo[self, key] = gathered
        return _without(trigger, gathered) if others_only else gathered

    def key(self, check: Check, trigger: Line | None) -> object | None:
        """The same for trigger lines that gather the same lines; ``None`` where a trigger line may gather its own.

        A settlement of thousands of lines of one item is gathered once for each of its days, not once for each line.
        """
        if trigger is None:
            return "no trigger"
        alike = self._alike(check, trigger)
        if trigger.begins is None or alike is None:
            return None
        if self._lines.window.unit == "first_use" and not covers(self._lines.window, check, trigger):
            return None
        stretch = stretch_of(self._lines.window, check, trigger)
        return None if stretch is None else (stretch, alike)

    def _alike(self, check: Check, trigger: Line) -> object | None:
        """What of the trigger besides its time the gathered lines depend on; ``None`` where a fact of it is unknown."""
        lines = self._lines
        facts = tuple([trigger.facts.get(name) for name in (*lines.same, *lines.different)])
        if None in facts:
            return None
        where = institution_of(check, trigger) if self._institution else None
        return (facts, item_of(trigger) if lines.other_item else "", where)

    def _gathered(self, check: Check, trigger: Line | None) -> Gathered:
        if self._courses:
            return self._in_course(self._courses, check, trigger)
        if self._lines.window.unit == "first_use":
            return self._from_first_use(check, trigger)
        if self._ever is not None and check.insurance_year_from is None:
            return self._in_some_year(self._ever, check, trigger)
        return self._gather(check, trigger)

    def _gather(self, check: Check, trigger: Line | None) -> Gathered:
        certain: list[Line] = []
        possible: list[Line] = []
        for line, sure in self._nearby(check, trigger):
            held = self._holds(check, trigger, line)
            if held is not False:
                (certain if sure and held else possible).append(line)
        covered = covers(self._lines.window, check, trigger)
        return Gathered(certain=tuple(certain), possible=tuple(possible), covered=covered)

    def _nearby(self, check: Check, trigger: Line | None) -> Iterable[tuple[Line, bool]]:
        """The members that can lie in the window, in the order of the pool: of many, only those of days near by."""
        members = self._members.of_pool(check, whole_patient=self.whole_patient)
        window = self._lines.window
        reach = days_reached(window)
        if len(members) < MANY_LINES or (reach is None and window.unit != "in_use"):
            return members
        if reach is None:
            uses = self._members.in_use(check, whole_patient=self.whole_patient)
            return [members[place] for place in uses.near(check.use_of(trigger), window.length or 0)]
        by_day = self._members.by_day(check, whole_patient=self.whole_patient)
        day = check.day_of(trigger)
        places = [place for near in range(day - reach, day + reach + 1) for place in by_day.get(near, ())]
        return [members[place] for place in sorted((*places, *by_day.get(None, ())))]

    def _around(self, check: Check, trigger: Line | None, name: str, make: Callable[[], object]) -> object:
        """What is made once for all trigger lines that gather alike but for their time."""
        key = None if trigger is None or trigger.begins is None else self._alike(check, trigger)
        if self._lines.window.side == "before" or key is None:
            return make()
        return check.remember((self, name, key), make)

    def _in_course(self, courses: Courses, check: Check, trigger: Line | None) -> Gathered:
        """Keeps the certain lines of the trigger line's own course; all courses are strung once for lines alike."""

        def string() -> tuple[Gathered, Strings]:
            gathered = self._gather(check, trigger)
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
            gathered = self._gather(check, trigger)
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

    def _holds(self, check: Check, trigger: Line | None, line: Line) -> bool | None:
        """Whether everything but the items holds of a line, cheapest test first."""
        lines = self._lines
        if lines.state != "any" and check.is_current(line) is not (lines.state == "current"):
            return False
        if lines.other_item and trigger is not None and item_of(line) == item_of(trigger):
            return False
        held = within(lines.window, check, trigger, line)
        if held is not False and self._agreeing:
            held = _and(held, self._agrees(check, trigger, line))
        if held is False or self._where is None:
            return held
        return _and(held, self._where(check, line))

    def _agrees(self, check: Check, trigger: Line | None, line: Line) -> bool | None:
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
                elif (ours == theirs) is not wanted:
                    return False
        return held

    def _in_institution(self, check: Check, trigger: Line | None, line: Line) -> bool | None:
        """Whether the line is of the current encounter, or was given where the trigger line is."""
        if line.encounter_id == check.encounter.id:
            return True
        ours, theirs = institution_of(check, trigger), line.facts.get("line.institution_id")
        return None if ours is None or theirs is None else ours == theirs


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
