"""What checks are told of a doctor on any day is what the ledger says of that day, whatever events there were."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from negative_list.prescription import Encounter, Line, Prescription
from negative_list.readers.stored import supplement
from reminder.office.points import SOURCE, Event, facts_of, read_rules, standing

if TYPE_CHECKING:
    from negative_list.readers.stored import StoreFact

RULES = read_rules()
FIRST = date(2026, 1, 1)
SEEN_AS = {"ok": "active", "talk": "active", "suspended": "suspended", "ended": "ended"}


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    """Up to six events of two years, some voided, some with a last day of suspension, now and then an admission."""
    told = []
    for number in range(draw(st.integers(1, 6))):
        day = FIRST + timedelta(days=draw(st.integers(0, 700)))
        until = draw(st.none() | st.integers(0, 200).map(lambda days, day=day: day + timedelta(days=days)))  # type: ignore[misc]
        points = draw(st.sampled_from((0, 1, 2, 3, 5, 6, 9, 11, 12)))
        told.append(
            Event(
                decided_on=day,
                event_id=f"E{number}",
                doctor_id="D1",
                points=points,
                until=until if points else None,
                voided=draw(st.booleans()) and draw(st.booleans()),
            )
        )
    return sorted(told)


def told_on(facts: tuple[StoreFact, ...], day: date) -> tuple[object, object]:
    """State and points of a line of the doctor, at noon of a day."""
    at = datetime.combine(day, time(12))
    line = Line(id="L1", encounter_id="V1", begins=at, facts={"line.doctor_id": "D1"})
    asked = Prescription(encounter=Encounter(id="V1", lines=(line,)))
    (told,) = supplement(asked, {"D1": facts}, at).encounter.lines
    return told.facts.get("line.doctor_state"), told.facts.get("line.doctor_points")


@given(events(), st.integers(0, 1200))
def test_a_check_is_told_what_the_ledger_says(told: list[Event], days: int) -> None:
    """State and points agree on every day; where points have lapsed nothing is told, and never a worse state."""
    day = FIRST + timedelta(days=days)
    now = standing(told, "D1", day, RULES)
    state, points = told_on(facts_of(told, RULES), day)
    known = any(event.decided_on <= day < date(event.decided_on.year + 2, 1, 1) for event in told)
    if known:
        assert points == now.points
    assert points in {now.points, None}
    assert state == SEEN_AS[now.state] if known else state in {SEEN_AS[now.state], None}


@given(events(), st.data())
def test_voiding_leaves_nothing_of_what_was_told(told: list[Event], data: st.DataObject) -> None:
    """The facts of a ledger in which an event is voided, written over those from before, tell what they alone tell."""
    number = data.draw(st.integers(0, len(told) - 1))
    void = msgspec.structs.replace(told[number], voided=True)
    after = [*told[:number], void, *told[number + 1 :]]
    written = {(fact.fact, fact.valid_from): fact for fact in (*facts_of(told, RULES), *facts_of(after, RULES))}
    day = FIRST + timedelta(days=data.draw(st.integers(0, 1000)))
    assert told_on(tuple(written.values()), day) == told_on(facts_of(after, RULES), day)
    assert {fact.source for fact in written.values()} == {SOURCE}


def test_an_end_that_was_taken_back_does_not_return() -> None:
    """Who was admitted again is active, and years later nobody is told of the end before."""
    ended = Event(decided_on=date(2026, 3, 1), event_id="E1", doctor_id="D1", points=12)
    again = Event(decided_on=date(2026, 9, 1), event_id="E2", doctor_id="D1", points=0)
    facts = facts_of([ended, again], RULES)
    days = (date(2026, 5, 1), date(2026, 10, 1), date(2027, 6, 1), date(2028, 6, 1))
    assert [told_on(facts, day)[0] for day in days] == ["ended", "active", "active", None]
