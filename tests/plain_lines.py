"""The plain matcher, part 3 of 8: which lines a condition gathers."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

from tests.plain_scene import (
    FALSE,
    TRUE,
    Told,
    both,
    compared_facts,
    in_place,
    item_key,
    named,
)
from tests.plain_windows import begin_day, first_moment, in_window, missing, use_of

if TYPE_CHECKING:
    from negative_list.conditions import Lines
    from negative_list.prescription import Line
    from negative_list.selection import Window
    from tests.plain_scene import Scene, Trigger

__all__ = ["Gathered", "gather", "is_among"]


REFUNDED: Told = (None, frozenset({"line.quantity"}))
"""Unknown for want of the charge a refund is of."""


class Gathered(NamedTuple):
    """Lines a condition gathers: those that are members for certain, those that may be, and why not all is exact.

    ``missing``: what the window wants to be covered. ``reasons``: what keeps each line's membership from being exact.
    """

    certain: list[Line]
    possible: list[Line]
    missing: frozenset[str]
    reasons: list[tuple[Line, frozenset[str]]]

    @property
    def covered(self) -> bool:
        """Whether no further lines may exist."""
        return not self.missing

    @property
    def needs(self) -> frozenset[str]:
        """Every name that keeps the members from being exact."""
        return self.missing.union(*(names for _, names in self.reasons))

    def without(self, line: Line | None) -> Gathered:
        """The same without one line."""
        return Gathered(
            [one for one in self.certain if one is not line],
            [one for one in self.possible if one is not line],
            self.missing,
            [reason for reason in self.reasons if reason[0] is not line],
        )


def is_among(line: Line, lines: list[Line]) -> bool:
    """Whether the line itself is one of the lines, not one that is equal."""
    return any(line is one for one in lines)


def gather(lines: Lines, scene: Scene, trigger: Trigger) -> Gathered:
    """The lines a condition looks at: those all of whose tests hold, and those where none fails but some is unknown."""
    certain: list[Line] = []
    possible: list[Line] = []
    reasons: list[tuple[Line, frozenset[str]]] = []
    for line in scene.own if lines.window.whose == "encounter" else scene.every:
        value, needs = _gathered(lines, line, scene, trigger)
        if value is not False:
            (certain if value else possible).append(line)
            reasons.append((line, needs))
    window = lines.window
    first = first_moment(window, scene, trigger)
    if window.unit == "course":
        certain, first = _string(certain, window, scene, trigger)
    found = Gathered(certain, possible, missing(window, first, scene), reasons)
    return _first_use(found, window, trigger) if window.unit == "first_use" else found


def _gathered(lines: Lines, line: Line, scene: Scene, trigger: Trigger) -> Told:
    if lines.state != "any" and scene.in_force(line) != (lines.state == "in_force"):
        return FALSE
    if lines.other_item and trigger.line is not None and item_key(line) == item_key(trigger.line):
        return FALSE
    seen = in_window(lines.window, line, scene, trigger)
    if seen[0] is False:
        return FALSE
    seen = both(seen, named(lines.items, line, scene))
    for fact in lines.same:
        seen = both(seen, _same(fact, line, trigger))
    for fact in lines.different:
        seen = both(seen, _differs(fact, line, trigger))
    if id(line) in scene.doubted:
        seen = both(seen, REFUNDED)
    if seen[0] is False or lines.where is None:
        return seen
    given = scene.judge(lines.where, scene, in_place(line, scene))
    return both(seen, (given.value, given.needs))


def _same(fact: str, line: Line, trigger: Trigger) -> Told:
    if line is trigger.line:
        return TRUE
    ours = trigger.line.facts.get(fact) if trigger.line is not None else None
    return compared_facts(ours, line.facts.get(fact), fact)


def _differs(fact: str, line: Line, trigger: Trigger) -> Told:
    """Whether a fact that must differ does; the trigger line never differs from itself."""
    if line is trigger.line:
        return FALSE
    ours = trigger.line.facts.get(fact) if trigger.line is not None else None
    return compared_facts(ours, line.facts.get(fact), fact, equal=False)


def _string(certain: list[Line], window: Window, scene: Scene, trigger: Trigger) -> tuple[list[Line], datetime]:
    """The lines of the course that holds the trigger's day, and the course's first moment."""
    pause = timedelta(days=window.length or 0)
    uses = [(line, use) for line in certain if (use := use_of(line, scene, trigger))]
    strings: list[tuple[list[Line], date, date]] = []
    for line, use in sorted(uses, key=lambda pair: pair[1].first):
        if strings and use.first <= strings[-1][2] + pause:
            members, first, last = strings[-1]
            strings[-1] = ([*members, line], first, max(last, use.last))
        else:
            strings.append(([line], use.first, use.last))
    for members, first, last in strings:
        if first <= trigger.day <= last + pause:
            return [line for line in certain if is_among(line, members)], datetime.combine(first - pause, time())
    return [], datetime.combine(trigger.day - pause, time())


def _first_use(found: Gathered, window: Window, trigger: Trigger) -> Gathered:
    """The lines that begin less than ``length`` days after the first use; none where the trigger begins later."""
    first = min([trigger.day, *(day for line in found.certain if (day := begin_day(line, trigger)))])
    end = first + timedelta(days=window.length or 0)
    if trigger.day >= end:
        return Gathered([], [], found.missing, [])
    certain = [line for line in found.certain if (begin_day(line, trigger) or first) < end]
    sure = [line for line in certain if found.covered or line is trigger.line]
    maybe = [line for line in certain if not is_among(line, sure)]
    return Gathered(sure, [*found.possible, *maybe], found.missing, found.reasons)
