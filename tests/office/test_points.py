"""What a doctor's points come to, day by day."""

from __future__ import annotations

import ast
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reminder.office.points
from negative_list.errors import DataError
from reminder.office.points import OWN_RULES, Standing, band_of, event_id, events_of, facts_of, read_rules, standing
from tests.office.ledger import entry

if TYPE_CHECKING:
    from reminder.journal.entries import PointsEvent

RULES = read_rules()


def on(day: str, *entries: PointsEvent) -> Standing:
    """Where doctor D1 stands on a day."""
    events = [event for event in events_of(entries) if event.doctor_id == "D1"]
    return standing(events, "D1", date.fromisoformat(day), RULES)


def test_points_of_a_year_add_up() -> None:
    """What was decided by a day counts on it, later decisions do not yet."""
    events = (entry("2026-02-01", 3), entry("2026-05-01", 2))
    assert [on(day, *events).points for day in ("2026-01-31", "2026-02-01", "2026-05-01")] == [0, 3, 5]


def test_points_are_cleared_with_the_year() -> None:
    """On the first of January a doctor has none."""
    given_ = entry("2026-11-01", 8)
    assert (on("2026-12-31", given_).points, on("2027-01-01", given_).points) == (8, 0)
    assert on("2027-02-01", given_, entry("2027-01-05", 5)).state == "ok"


@pytest.mark.parametrize(
    ("points", "state"),
    [(1, "ok"), (5, "ok"), (6, "talk"), (8, "talk"), (9, "suspended"), (11, "suspended"), (12, "ended")],
)
def test_so_many_points_are_this_state(points: int, state: str) -> None:
    """Six call for a talk, nine suspend, twelve end."""
    assert on("2026-03-01", entry("2026-03-01", points)).state == state


def test_a_suspension_lasts_as_decided() -> None:
    """To the last day the decision names, and no day longer."""
    given_ = entry("2026-03-01", 9, until="2026-04-30")
    assert (on("2026-04-30", given_).state, on("2026-05-01", given_).state) == ("suspended", "talk")


@pytest.mark.parametrize(
    ("day", "last"), [("2026-03-01", "2026-08-31"), ("2026-09-15", "2026-12-31"), ("2026-12-20", "2027-01-19")]
)
def test_a_suspension_decided_without_an_end(day: str, last: str) -> None:
    """It ends with the year, but lasts a month at least and six at most."""
    assert on(day, entry(day, 9)).until == date.fromisoformat(last)


def test_more_points_make_a_suspension_longer_and_never_shorter() -> None:
    """Of two ends the later one holds, and it began with the first."""
    events = (entry("2026-02-01", 9, until="2026-06-30"), entry("2026-03-01", 1, until="2026-04-30"))
    now = on("2026-05-01", *events)
    assert (now.state, now.since, now.until) == ("suspended", date(2026, 2, 1), date(2026, 6, 30))


def test_a_suspension_goes_on_past_the_year_that_clears_the_points() -> None:
    """What was decided in December holds in January."""
    now = on("2027-01-10", entry("2026-12-01", 9, until="2027-01-31"))
    assert (now.state, now.points) == ("suspended", 0)


def test_who_has_ended_stays_so_until_admitted_again() -> None:
    """After a year, three for a single event of twelve, the doctor may apply; nothing happens by itself."""
    gathered = (entry("2026-02-01", 7), entry("2026-08-01", 5))
    assert on("2028-01-01", *gathered).state == "ended"
    assert on("2026-09-01", *gathered).may_apply_from == date(2027, 8, 1)
    assert on("2026-09-01", entry("2026-08-01", 12)).may_apply_from == date(2029, 8, 1)
    again = (*gathered, entry("2027-09-01", 0))
    assert on("2027-09-01", *again).state == "ok"


def test_a_voided_event_counts_no_more() -> None:
    """The latest word about an event is the one that counts, and is an entry like any other."""
    given_ = entry("2026-03-01", 9, event_id="E1")
    void = msgspec.structs.replace(given_, voided=True)
    assert (on("2026-04-01", given_).state, on("2026-04-01", given_, void).points) == ("suspended", 0)


def test_points_are_taken_back_only_where_that_is_the_custom() -> None:
    """Activities take points back up to the number the place allows, which is none where nothing is said."""
    events = events_of([entry("2026-03-01", 8), *(entry(f"2026-04-0{day}", -1) for day in range(1, 6))])
    tianjin = msgspec.structs.replace(RULES, repair_most=4)
    day = date(2026, 5, 1)
    assert [standing(events, "D1", day, rules).points for rules in (RULES, tianjin)] == [8, 4]


def test_every_number_of_points_of_an_event_has_a_name() -> None:
    """The four bands leave no gap."""
    names = [band.zh for points in range(1, 13) if (band := band_of(points))]
    assert (len(names), len(set(names)), band_of(0)) == (12, 4, None)


def test_an_event_told_twice_is_one() -> None:
    """What comes without an id is known by what it says."""
    assert event_id("D1", "2026-03-01", 3, "why") == event_id("D1", "2026-03-01", 3, "why")
    assert event_id("D1", "2026-03-01", 3, "why") != event_id("D1", "2026-03-01", 3, "another")


def test_a_hospital_says_its_own_rules(tmp_path: Path) -> None:
    """What its file says holds, what it leaves out is as shipped; a word nobody knows is refused."""
    own = tmp_path / OWN_RULES
    own.write_text("[rules]\ntalk_at = 5\n", "utf-8")
    assert (read_rules(own).talk_at, read_rules(own).ended_at) == (5, 12)
    own.write_text("[rules]\ntalks_at = 5\n", "utf-8")
    with pytest.raises(DataError, match="talks_at"):
        read_rules(own)


def test_facts_hold_from_the_decision_to_the_end_of_the_year() -> None:
    """Points lapse with the year, and the next one begins with none."""
    facts = {(f.fact, f.valid_from): f for f in facts_of(events_of([entry("2026-03-01", 3)]), RULES)}
    points = facts["line.doctor_points", datetime(2026, 3, 1)]
    assert (points.value, points.expires, points.source) == (3, datetime(2027, 1, 1), "points ledger")
    assert facts["line.doctor_points", datetime(2027, 1, 1)].value == 0


def test_facts_of_a_voided_event_take_its_place() -> None:
    """A fact is known by doctor, name and day: what a voided event once said is told anew."""
    given_ = entry("2026-03-01", 9, event_id="E1")
    void = msgspec.structs.replace(given_, voided=True)
    before, after = (
        {(f.fact, f.valid_from): f.value for f in facts_of(events_of(told), RULES)}
        for told in ([given_], [given_, void])
    )
    assert {name for name, _ in before.keys() - after.keys()} == {"line.doctor_state_until"}
    assert before["line.doctor_state", datetime(2026, 3, 1)] == "suspended"
    assert after["line.doctor_state", datetime(2026, 3, 1)] == "active"


@given(st.permutations([entry(f"2026-0{month}-01", points) for month, points in ((1, 2), (3, 4), (5, 1), (7, 3))]))
def test_the_ledger_does_not_depend_on_the_order_events_came_in(entries: list[PointsEvent]) -> None:
    """Events count by the day they were decided on."""
    assert on("2026-08-01", *entries).points == 10


def test_reminders_are_no_points() -> None:
    """The ledger reads events of its own kind only: nothing of decisions, feedback or compliance."""
    names = {
        name
        for node in ast.walk(ast.parse(Path(reminder.office.points.__file__).read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("reminder")
        for name in [f"{node.module}.{alias.name}" for alias in node.names]
    }
    assert names == {"reminder.journal.entries.PointsEvent"}
