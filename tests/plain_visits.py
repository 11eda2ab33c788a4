"""The plain matcher, part 7 of 8: the patient's other encounters."""

from __future__ import annotations

import math
from datetime import date, datetime, time
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from negative_list.prescription import Encounter, Line
from tests.plain_scene import NOTHING, TRUE, Answer, Told, Trigger, both, compared_facts, told
from tests.plain_totals import limits
from tests.plain_windows import first_moment, in_window, missing

if TYPE_CHECKING:
    from negative_list import conditions as c
    from tests.plain_scene import Scene
    from tests.plain_totals import Interval, Number

__all__ = ["since_visit", "visit_count"]

ADMITTED, DISCHARGED, MODE = "encounter.admitted_at", "encounter.discharged_at", "encounter.visit_mode"
INSTITUTION = "encounter.institution_id"


class _Meant(NamedTuple):
    """The other encounters that are meant for certain, those that may be, and why not all is exact."""

    certain: list[Encounter]
    possible: list[Encounter]
    covered: bool
    needs: frozenset[str]
    since: datetime
    """The current encounter's admission, as far as the decision knows."""


def visit_count(condition: c.VisitCount, scene: Scene, trigger: Trigger) -> Answer:
    """How many encounters are meant, and 1 for the current one where it fits."""
    meant = _meant(condition.visits, scene)
    ours, needs = _fits(condition.visits, scene.prescription.encounter, scene)
    low = len(meant.certain) + (ours is True)
    high = low + len(meant.possible) + (ours is None) if meant.covered else math.inf
    kept = limits(condition, (low, high), scene, trigger)
    return Answer(kept.value, kept.involved, meant.needs | needs | kept.needs)


def since_visit(condition: c.SinceVisit, scene: Scene, trigger: Trigger) -> Answer:
    """Whole days from the last discharge to the current admission."""
    meant = _meant(condition.visits, scene)
    sure = [_ago(one, meant.since) for one in meant.certain]
    maybe = [_ago(one, meant.since) for one in meant.possible]
    low: Number = min((ago[0] for ago in sure + maybe), default=math.inf) if meant.covered else 0
    high: Number = min((ago[1] for ago in sure), default=math.inf)
    kept = limits(condition, (low, high), scene, trigger)
    lacking = any(_day(one, DISCHARGED) is None for one in meant.certain + meant.possible)
    needs = meant.needs | (frozenset({DISCHARGED}) if lacking else NOTHING)
    return Answer(kept.value, kept.involved, needs | kept.needs)


def _ago(one: Encounter, since: datetime) -> Interval:
    """The least and the most days from the discharge; without one it is later than the admission."""
    discharged, admitted = _day(one, DISCHARGED), _day(one, ADMITTED)
    if discharged is not None:
        days = max(0, (since.date() - discharged).days)
        return days, days
    return 0, (math.inf if admitted is None else max(0, (since.date() - admitted).days))


def _day(one: Encounter, fact: str) -> date | None:
    value = one.facts.get(fact)
    return value.date() if isinstance(value, datetime) else (value if isinstance(value, date) else None)


# --- which encounters are meant -------------------------------------------------------------------------------------


def _meant(visits: c.Visits, scene: Scene) -> _Meant:
    """Every other encounter is tried; its admission stands in the window as a line's begin would."""
    admitted = _admission(scene.prescription.encounter)
    anchor = Trigger(None, admitted.begins or scene.at, admitted.has_clock)
    window = replace(visits.window, side="before")
    lacking = missing(window, first_moment(window, scene, anchor), scene)
    told = [(one, _is_meant(visits, one, scene, anchor)) for one in scene.encounters()[1:]]
    return _Meant(
        [one for one, (meant, _) in told if meant],
        [one for one, (meant, _) in told if meant is None],
        not lacking,
        lacking.union(*(needs for _, (meant, needs) in told)),
        anchor.moment,
    )


def _admission(one: Encounter) -> Line:
    """The encounter's admission as the begin of a line of no institution; at midnight only the day is known."""
    value = one.facts.get(ADMITTED)
    if isinstance(value, datetime):
        return Line(id=one.id, encounter_id=one.id, begins=value, has_clock=value.time() != time())
    begins = datetime.combine(value, time()) if isinstance(value, date) else None
    return Line(id=one.id, encounter_id=one.id, begins=begins, has_clock=begins is None)


def _is_meant(visits: c.Visits, one: Encounter, scene: Scene, anchor: Trigger) -> Told:
    ours = scene.prescription.encounter
    window = replace(visits.window, side="before", whose="patient")
    value, needs = in_window(window, _admission(one), scene, anchor)
    meant: Told = value, frozenset({ADMITTED}) if "line.begins" in needs else needs
    for fact in (*visits.same, *((INSTITUTION,) if visits.window.whose == "institution" else ())):
        meant = both(meant, compared_facts(ours.facts.get(fact), one.facts.get(fact), fact))
    for fact in visits.different:
        meant = both(meant, compared_facts(ours.facts.get(fact), one.facts.get(fact), fact, equal=False))
    return meant if meant[0] is False else both(meant, _fits(visits, one, scene))


def _fits(visits: c.Visits, one: Encounter, scene: Scene) -> Told:
    """Whether the mode fits and ``where`` holds with the encounter in the place of the current one."""
    mode = one.facts.get(MODE)
    fits = told(mode in visits.modes) if mode is not None else (None, frozenset({MODE}))
    fits = fits if visits.modes else TRUE
    if visits.where is None or fits[0] is False:
        return fits
    inside = replace(scene, prescription=replace(scene.prescription, encounter=one))
    given = scene.judge(visits.where, inside, Trigger(None, scene.at, has_clock=True))
    return both(fits, (given.value, given.needs))
