"""The plain matcher, part 1 of 4: the scene, which items a line is, which lines a condition gathers.

The specification as code: every test is a loop anyone can check. Shares with the engine only the records, the
normalisation of texts and the expansion of code ranges. A told value is ``(value, needs)``: ``True``, ``False`` or
``None`` (unknown), and the names of the facts that would settle an unknown one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple, TypeAlias

from msgspec import Struct

from negative_list.conditions import Condition, Items, Lines, Window
from negative_list.prescription import History, Line, Prescription
from negative_list.rules import RuleList
from negative_list.text import normalise, occurs

__all__ = [
    "FALSE",
    "NOTHING",
    "TRUE",
    "Answer",
    "Gathered",
    "Kleene",
    "Scene",
    "Told",
    "Trigger",
    "both",
    "extent",
    "gather",
    "in_place",
    "is_bare",
    "item_key",
    "last_certain_day",
    "named",
    "reaches",
    "span",
]

Kleene: TypeAlias = bool | None
Told: TypeAlias = tuple[Kleene, frozenset[str]]
"""A three-valued answer and the names that would settle it where it is unknown."""

NOTHING: frozenset[str] = frozenset()
"""No names."""
TRUE: Told = (True, NOTHING)
"""True, needing nothing."""
FALSE: Told = (False, NOTHING)
"""False, needing nothing."""

BEGINS: Told = (None, frozenset({"line.begins"}))
DAY = timedelta(days=1)
LAST_MOMENT = DAY - timedelta(seconds=1)
"""From the first to the last moment of a day: bodies send whole seconds."""
BY_MOMENT = frozenset({"instant", "hour", "hours"})


class Scene(Struct, kw_only=True):
    """Everything a decision sees, how conditions are judged, and a tally of what each condition kind answered.

    ``own`` are the lines of the current encounter, ``every`` all the patient's, ``writing`` the identities of the
    current ones. ``judge`` is :func:`tests.plain_kinds.answer`, for lines are gathered by conditions too.
    """

    rules: RuleList
    prescription: Prescription
    at: datetime
    history: History
    sets: dict[str, frozenset[str]]
    writing: frozenset[int]
    own: tuple[Line, ...]
    every: tuple[Line, ...]
    seen: Counter[tuple[str, Kleene]]
    judge: Callable[[Condition, Scene, Trigger], Answer]

    def in_force(self, line: Line) -> bool:
        """Whether the line was there before: not a current line of the current encounter."""
        return id(line) not in self.writing

    def covers(self, first: datetime | None) -> bool:
        """Whether history knows every line of the patient from this moment on (``None``: from the very first)."""
        since = self.history.since
        return self.history.complete or (since is not None and first is not None and since <= first)


class Trigger(NamedTuple):
    """What a condition is judged for: a line (none for diagnoses, operations, the encounter) and when it stands."""

    line: Line | None
    moment: datetime
    has_clock: bool

    @property
    def day(self) -> date:
        """The calendar day it stands on."""
        return self.moment.date()


class Answer(NamedTuple):
    """What a condition answers: the value, the lines a decided one rests on, the names an unknown one needs."""

    value: Kleene
    involved: Sequence[Line] = ()
    needs: frozenset[str] = NOTHING


class Gathered(NamedTuple):
    """Lines a condition gathers: those that are members for certain, those that may be, and why not all is exact."""

    certain: list[Line]
    possible: list[Line]
    covered: bool
    reasons: list[tuple[Line, frozenset[str]]]

    @property
    def needs(self) -> frozenset[str]:
        """Every name that keeps a line's membership from being exact."""
        return NOTHING.union(*(names for _, names in self.reasons))

    def without(self, line: Line | None) -> Gathered:
        """The same without one line."""
        return Gathered(
            [one for one in self.certain if one is not line],
            [one for one in self.possible if one is not line],
            self.covered,
            [reason for reason in self.reasons if reason[0] is not line],
        )


def both(left: Told, right: Told) -> Told:
    """Kleene's and of two told values; what a false one needs is of no interest."""
    if left[0] is False or right[0] is False:
        return FALSE
    if left[0] is None or right[0] is None:
        return None, left[1] | right[1]
    return TRUE


# --- items ----------------------------------------------------------------------------------------------------------


def named(items: Items, line: Line, scene: Scene) -> Told:
    """Whether the line is one of the items (see :class:`negative_list.conditions.Items`)."""
    return both(_of_types(items, line), _of_codes(items, line, scene))


def _of_types(items: Items, line: Line) -> Told:
    known = line.facts.get("line.item_type")
    if not items.types or known in items.types:
        return TRUE
    return FALSE if known is not None else (None, frozenset({"line.item_type"}))


def _of_codes(items: Items, line: Line, scene: Scene) -> Told:
    inclusive = bool(items.codes or items.prefixes or items.sets or items.names)
    if not inclusive and not items.except_codes:
        return TRUE
    for code in line.codes:
        if code.startswith(items.except_codes):
            return FALSE
    for code in line.codes:
        if _meant(items, code, scene):
            return TRUE
    if line.usable and line.codes:
        return FALSE if inclusive else TRUE
    if any(occurs(normalise(term), normalise(line.name)) for term in items.names):
        return TRUE
    return None, frozenset({"line.code"})


def _meant(items: Items, code: str, scene: Scene) -> bool:
    if code in items.codes or code.startswith(items.prefixes):
        return True
    return any(code in scene.sets[name] for name in items.sets)


def item_key(line: Line) -> str:
    """The item a line is: its first code, or its normalised name where it has none."""
    return line.codes[0] if line.codes else normalise(line.name)


# --- times ----------------------------------------------------------------------------------------------------------


def extent(line: Line, trigger: Trigger) -> tuple[datetime, datetime] | None:
    """The first and the last moment a line may begin at; the same where it has a clock, ``None`` without any time."""
    if line is trigger.line:
        return span(trigger.moment, has_clock=trigger.has_clock)
    return None if line.begins is None else span(line.begins, has_clock=line.has_clock)


def span(moment: datetime, *, has_clock: bool) -> tuple[datetime, datetime]:
    """The first and the last moment a time may stand for: a bare date is any moment of its day."""
    if has_clock:
        return moment, moment
    midnight = datetime.combine(moment, time())
    return midnight, midnight + LAST_MOMENT


def is_bare(line: Line, trigger: Trigger) -> bool:
    """Whether only the day is known of the line's or of the trigger's time."""
    return not (trigger.has_clock and (line is trigger.line or line.has_clock))


def _in_window(window: Window, line: Line, trigger: Trigger) -> Told:
    """Whether the line lies in the window; a course is strung later, from lines this lets through."""
    if line is trigger.line:
        return TRUE
    if line.begins is None:
        timeless = window.unit in ("encounter", "lifetime") and window.side == "around"
        return TRUE if timeless else BEGINS
    return both(_inside(window, line.begins, line, trigger), _before(window, line.begins, line, trigger))


def _inside(window: Window, begins: datetime, line: Line, trigger: Trigger) -> Told:
    match window.unit:
        case "encounter" | "lifetime" | "course":
            return TRUE
        case "days":
            return _told(reaches(window, abs((begins.date() - trigger.day).days)))
        case "hours":
            return _within_hours(window, line, trigger)
        case "instant" | "hour" if is_bare(line, trigger):
            return BEGINS if begins.date() == trigger.day else FALSE
        case unit:
            return _told(_start(begins, unit) == _start(trigger.moment, unit))


def _told(value: bool) -> Told:
    return TRUE if value else FALSE


def reaches(window: Window, distance: int | timedelta) -> bool:
    """Whether a distance, in days or as a stretch of time for hours, is within the window's length."""
    length = window.length or 0
    limit = timedelta(hours=length) if isinstance(distance, timedelta) else length
    return distance <= limit if window.ends == "closed" else distance < limit  # type: ignore[operator]


def _within_hours(window: Window, line: Line, trigger: Trigger) -> Told:
    first, last = extent(line, trigger) or (trigger.moment, trigger.moment)
    early, late = span(trigger.moment, has_clock=trigger.has_clock)
    farthest = max(last - early, late - first)
    nearest = max(first - late, early - last, timedelta(0))
    if reaches(window, farthest):
        return TRUE
    return BEGINS if reaches(window, nearest) else FALSE


def _start(moment: datetime, unit: Literal["instant", "hour", "day", "month", "quarter", "year"]) -> datetime:
    """The first moment of the calendar unit the moment lies in."""
    midnight = datetime.combine(moment, time())
    match unit:
        case "instant":
            return moment
        case "hour":
            return midnight.replace(hour=moment.hour)
        case "day":
            return midnight
        case "month":
            return midnight.replace(day=1)
        case "quarter":
            return midnight.replace(month=(moment.month - 1) // 3 * 3 + 1, day=1)
        case "year":
            return midnight.replace(month=1, day=1)


def _before(window: Window, begins: datetime, line: Line, trigger: Trigger) -> Told:
    """Whether the line is not later than the trigger, where the window asks: by days for ``days`` and bare dates."""
    if window.side == "around":
        return TRUE
    if window.unit != "days" and not is_bare(line, trigger):
        return _told(begins <= trigger.moment)
    if window.unit not in BY_MOMENT:
        return _told(begins.date() <= trigger.day)
    first, last = span(begins, has_clock=line.has_clock)
    early, late = span(trigger.moment, has_clock=trigger.has_clock)
    if last <= early:
        return TRUE
    return BEGINS if first <= late else FALSE


# --- coverage -------------------------------------------------------------------------------------------------------


def _covered(window: Window, first: datetime | None, scene: Scene) -> bool:
    if window.unit == "lifetime":
        return scene.history.complete
    by_body = window.whose == "encounter" and scene.prescription.encounter.complete
    return by_body or scene.covers(first)


def _first_moment(window: Window, scene: Scene, trigger: Trigger) -> datetime | None:
    """The window's first moment; ``None`` where no promise of history reaches it (a course is handled apart)."""
    length = window.length or 0
    start, _ = span(trigger.moment, has_clock=trigger.has_clock)
    match window.unit:
        case "lifetime" | "course":
            return None
        case "encounter":
            admitted = scene.prescription.encounter.facts.get("encounter.admitted_at")
            return admitted if isinstance(admitted, datetime) else None
        case "hours":
            return start - timedelta(hours=length)
        case "days":
            return _start(start, "day") - timedelta(days=length if window.ends == "closed" else length - 1)
        case unit:
            return _start(start, unit)


# --- lines ----------------------------------------------------------------------------------------------------------


def gather(lines: Lines, scene: Scene, trigger: Trigger) -> Gathered:
    """The lines a condition looks at: those all of whose tests hold, and those where none fails but some is unknown."""
    certain: list[Line] = []
    possible: list[Line] = []
    reasons: list[tuple[Line, frozenset[str]]] = []
    for line in scene.own if lines.window.whose == "encounter" else scene.every:
        told = _gathered(lines, line, scene, trigger)
        if told[0] is not False:
            (certain if told[0] else possible).append(line)
            reasons.append((line, told[1]))
    first = _first_moment(lines.window, scene, trigger)
    if lines.window.unit == "course":
        certain, first = _string(certain, lines.window, scene, trigger)
    return Gathered(certain, possible, _covered(lines.window, first, scene), reasons)


def _gathered(lines: Lines, line: Line, scene: Scene, trigger: Trigger) -> Told:
    if lines.state != "any" and scene.in_force(line) != (lines.state == "in_force"):
        return FALSE
    if lines.other_item and trigger.line is not None and item_key(line) == item_key(trigger.line):
        return FALSE
    told = _in_window(lines.window, line, trigger)
    if told[0] is False:
        return FALSE
    told = both(told, named(lines.items, line, scene))
    for fact in lines.same:
        told = both(told, _same(fact, line, trigger))
    if told[0] is False or lines.where is None:
        return told
    given = scene.judge(lines.where, scene, in_place(line, scene))
    return both(told, (given.value, given.needs))


def _same(fact: str, line: Line, trigger: Trigger) -> Told:
    if line is trigger.line:
        return TRUE
    ours = trigger.line.facts.get(fact) if trigger.line is not None else None
    theirs = line.facts.get(fact)
    return (None, frozenset({fact})) if ours is None or theirs is None else _told(ours == theirs)


def in_place(line: Line, scene: Scene) -> Trigger:
    """The trigger a line makes: without a time of its own it stands at the decision's instant."""
    return Trigger(line, line.begins or scene.at, line.has_clock if line.begins else True)


def _string(certain: list[Line], window: Window, scene: Scene, trigger: Trigger) -> tuple[list[Line], datetime]:
    """The lines of the course that holds the trigger's day, and the course's first moment."""
    pause = timedelta(days=window.length or 0)
    strings: list[tuple[list[Line], date]] = []
    for line in sorted(certain, key=lambda line: _begin_day(line, trigger)):
        begin, last = _begin_day(line, trigger), last_certain_day(line, scene, trigger)
        if strings and begin <= strings[-1][1] + pause:
            strings[-1] = ([*strings[-1][0], line], max(strings[-1][1], last))
        else:
            strings.append(([line], last))
    for members, last in strings:
        if _begin_day(members[0], trigger) <= trigger.day <= last + pause:
            ours = [line for line in certain if any(line is member for member in members)]
            return ours, datetime.combine(_begin_day(members[0], trigger) - pause, time())
    return [], datetime.combine(trigger.day - pause, time())


def _begin_day(line: Line, trigger: Trigger) -> date:
    known = extent(line, trigger)
    return known[0].date() if known else trigger.day


def last_certain_day(line: Line, scene: Scene, trigger: Trigger) -> date:
    """The last day a line that begins is in use for certain (see :class:`negative_list.conditions.DaysOfUse`)."""
    begin, days = _begin_day(line, trigger), line.facts.get("line.days")
    if isinstance(days, int):
        return begin + timedelta(days=days - 1)
    if line.stops is not None:
        return max(begin, line.stops.date())
    return max(begin, scene.at.date()) if line.facts.get("line.long_order") is True else begin
