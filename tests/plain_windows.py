"""The plain matcher, part 2 of 8: days of use, windows, and what of them is covered."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, NamedTuple

from negative_list.selection import LONGEST_SUPPLY_DAYS, Window
from tests.plain_scene import BEGINS, FALSE, NOTHING, TRUE, Told, both, compared_facts, extent, is_bare, span, told

if TYPE_CHECKING:
    from negative_list.prescription import Line
    from tests.plain_scene import Scene, Trigger

__all__ = ["Use", "begin_day", "first_moment", "in_window", "missing", "reaches", "use_of"]

YEAR_FROM = frozenset({"encounter.insurance_year_from"})
HISTORY = frozenset({"history"})
BY_MOMENT = frozenset({"instant", "hour", "hours"})


# --- days of use ----------------------------------------------------------------------------------------------------


class Use(NamedTuple):
    """The days a line is in use (see :class:`negative_list.conditions.DaysOfUse`): the first and the last certain one.

    ``open_ended``: it may be in use longer, without limit.
    """

    first: date
    last: date
    open_ended: bool

    @property
    def days(self) -> list[date]:
        """The certain days of use."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


def begin_day(line: Line, trigger: Trigger) -> date | None:
    """The day a line begins; the trigger's without a time is that of the instant."""
    stands = extent(line, trigger)
    return stands[0].date() if stands else None


def use_of(line: Line, scene: Scene, trigger: Trigger) -> Use | None:
    """The days a line is in use; ``None`` where it has no begin."""
    begin = begin_day(line, trigger)
    if begin is None:
        return None
    days = line.facts.get("line.days")
    if isinstance(days, int):
        return Use(begin, begin + timedelta(days=days - 1), open_ended=False)
    if line.stops is not None:
        return Use(begin, max(begin, line.stops.date()), open_ended=False)
    if line.facts.get("line.long_order") is True:
        return Use(begin, max(begin, scene.at.date()), open_ended=True)
    one_day = _is_inpatient(line, scene) or line.facts.get("line.item_type") in ("service", "material")
    return Use(begin, begin, open_ended=not one_day)


def _is_inpatient(line: Line, scene: Scene) -> bool:
    modes = [one.facts.get("encounter.visit_mode") for one in scene.encounters() if one.id == line.encounter_id]
    return "inpatient" in modes


# --- windows --------------------------------------------------------------------------------------------------------


def in_window(window: Window, line: Line, scene: Scene, trigger: Trigger) -> Told:
    """Whether the line lies in the window and is one of those looked at.

    A course is strung, and a first use found, later: from the lines this lets through.
    """
    if line is trigger.line:
        return TRUE
    if line.begins is None:
        timeless = window.unit in ("encounter", "lifetime") and window.side == "around"
        inside = TRUE if timeless else BEGINS
    else:
        inside = _inside(window, line.begins, line, scene, trigger)
        inside = both(inside, _before(window, line.begins, line, trigger))
    return both(inside, _in_institution(window, line, scene, trigger))


def _inside(window: Window, begins: datetime, line: Line, scene: Scene, trigger: Trigger) -> Told:
    match window.unit:
        case "encounter" | "lifetime" | "course" | "first_use":
            return TRUE
        case "days":
            return told(reaches(window, abs((begins.date() - trigger.day).days)))
        case "hours":
            return _within_hours(window, line, trigger)
        case "in_use":
            return _in_use(window, line, scene, trigger)
        case "instant" | "hour" if is_bare(line, trigger):
            return BEGINS if begins.date() == trigger.day else FALSE
        case _:
            start = _start(begins, window, scene)
            return (None, YEAR_FROM) if start is None else told(start == _start(trigger.moment, window, scene))


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


def _in_use(window: Window, line: Line, scene: Scene, trigger: Trigger) -> Told:
    """Whether the line's days of use and the trigger's are near enough: the certain ones, or at least the possible."""
    theirs = use_of(line, scene, trigger)
    ours = use_of(trigger.line, scene, trigger) if trigger.line is not None else None
    ours = ours or Use(trigger.day, trigger.day, open_ended=False)
    if theirs is None:
        return BEGINS
    earlier, later = sorted((ours, theirs), key=lambda use: use.first)
    if reaches(window, max(0, (later.first - earlier.last).days)):
        return TRUE
    may_reach = earlier.open_ended and reaches(window, 0)
    return (None, frozenset({"line.days"})) if may_reach else FALSE


def _start(moment: datetime, window: Window, scene: Scene) -> datetime | None:
    """The first moment of the calendar unit the moment lies in; ``None`` where nobody knows when the year begins."""
    midnight = datetime.combine(moment, time())
    match window.unit:
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
        case _:
            return _insurance_year(midnight, scene)


def _insurance_year(midnight: datetime, scene: Scene) -> datetime | None:
    begin = scene.prescription.encounter.facts.get("encounter.insurance_year_from")
    if not isinstance(begin, date):
        return None
    year = midnight.year if (midnight.month, midnight.day) >= (begin.month, begin.day) else midnight.year - 1
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if (begin.month, begin.day) == (2, 29) and not leap:
        return datetime(year, 3, 1)
    return datetime(year, begin.month, begin.day)


def _before(window: Window, begins: datetime, line: Line, trigger: Trigger) -> Told:
    """Whether the line is not later than the trigger, where the window asks: by days for ``days`` and bare dates."""
    if window.side == "around":
        return TRUE
    if window.unit != "days" and not is_bare(line, trigger):
        return told(begins <= trigger.moment)
    if window.unit not in BY_MOMENT:
        return told(begins.date() <= trigger.day)
    first, last = span(begins, has_clock=line.has_clock)
    early, late = span(trigger.moment, has_clock=trigger.has_clock)
    if last <= early:
        return TRUE
    return BEGINS if first <= late else FALSE


def _in_institution(window: Window, line: Line, scene: Scene, trigger: Trigger) -> Told:
    """Whether the line is of the trigger's institution, where the window asks."""
    encounter = scene.prescription.encounter
    if window.whose != "institution" or line.encounter_id == encounter.id:
        return TRUE
    ours = trigger.line.facts.get("line.institution_id") if trigger.line is not None else None
    ours = encounter.facts.get("encounter.institution_id") if ours is None else ours
    return compared_facts(ours, line.facts.get("line.institution_id"), "line.institution_id")


# --- coverage -------------------------------------------------------------------------------------------------------


def missing(window: Window, first: datetime | None, scene: Scene) -> frozenset[str]:
    """What is missing for the window to be covered from its first moment: nothing where it is."""
    if window.unit == "insurance_year" and first is None:
        return YEAR_FROM | HISTORY
    history = scene.history
    everywhere, here = (_reaches(until, scene) for until in (history.until, history.own_until))
    if history.complete and everywhere:
        return NOTHING
    if window.unit in ("lifetime", "first_use"):
        return HISTORY
    if window.whose == "encounter" and scene.prescription.encounter.complete:
        return NOTHING
    promised = [history.since] if everywhere else []
    promised += [history.own_since] if here and window.whose != "patient" else []
    covered = first is not None and any(since is not None and since <= first for since in promised)
    return NOTHING if covered else HISTORY


def _reaches(until: datetime | None, scene: Scene) -> bool:
    """A promise that ended over two days before the decision promises nothing."""
    return until is None or scene.at - until <= timedelta(days=2)


def first_moment(window: Window, scene: Scene, trigger: Trigger) -> datetime | None:
    """The window's first moment; ``None`` where no promise of history reaches it (a course is handled apart)."""
    length = window.length or 0
    start, _ = span(trigger.moment, has_clock=trigger.has_clock)
    midnight = datetime.combine(start, time())
    match window.unit:
        case "lifetime" | "course" | "first_use":
            return None
        case "encounter":
            admitted = scene.prescription.encounter.facts.get("encounter.admitted_at")
            return admitted if isinstance(admitted, datetime) else None
        case "hours":
            return start - timedelta(hours=length)
        case "days":
            return midnight - timedelta(days=length if window.ends == "closed" else length - 1)
        case "in_use":
            return midnight - timedelta(days=LONGEST_SUPPLY_DAYS + length)
        case _:
            return _start(start, window, scene)
