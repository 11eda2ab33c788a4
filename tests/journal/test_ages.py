"""A birth date is written as an age; the stand-in worked out from it is as old at every moment a rule may look at."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from negative_list.values import age_in
from reminder.journal.ages import DAYS_BELOW_MONTHS, age_of, birth_of
from reminder.journal.entries import Age

AT = datetime(2026, 1, 8, 9)
_INSTANTS = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2032, 12, 31))
_BEFORE = st.lists(st.integers(min_value=-40, max_value=10).map(lambda days: timedelta(days=days)), max_size=6)
_DAYS_OLD = st.integers(min_value=-3, max_value=55_000)


@given(at=_INSTANTS, old=_DAYS_OLD, offsets=_BEFORE, days=st.booleans())
def test_a_stand_in_is_as_old_at_every_line(at: datetime, old: int, offsets: list[timedelta], *, days: bool) -> None:
    """The same completed years and months, and days where they are written, at the instant and at each line."""
    birth = at.date() - timedelta(days=old)
    times = [at + offset for offset in offsets]
    age = age_of(birth, at, times, days=days)
    stand_in = birth_of(age, at, times)
    for moment in (at, *times):
        for unit in ("year", "month", *(("day",) if age.days is not None else ())):
            assert age_in(unit, stand_in, moment) == age_in(unit, birth, moment)
    assert (age.days is not None) or not days


@given(at=_INSTANTS, old=_DAYS_OLD)
def test_an_ordinary_visit_of_a_grown_person_tells_no_days(at: datetime, old: int) -> None:
    """Where all lines are of the day, completed months are enough from three years on."""
    birth = at.date() - timedelta(days=old)
    age = age_of(birth, at, [at, at])
    assert (age.days is None) == (age.months >= DAYS_BELOW_MONTHS)  # type: ignore[operator]


def test_lines_of_some_days_seldom_tell_days() -> None:
    """Of births over a year only those are told to the day whose month is completed between the first and last line."""
    times = [AT - timedelta(days=3), AT + timedelta(days=2)]
    ages = [age_of(date(1980, 1, 1) + timedelta(days=n), AT, times) for n in range(365)]
    assert 0 < sum(age.days is not None for age in ages) <= 12 * 5


def test_months_alone_never_tell_the_day() -> None:
    """Two births of one completed month are written alike."""
    assert age_of(date(1980, 1, 20), AT, []) == age_of(date(1980, 1, 30), AT, []) == Age(months=551)
