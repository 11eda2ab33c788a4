"""What holds for any entries, in whatever order and however often they came."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reminder.compliance.groupings import GROUPINGS
from reminder.compliance.period import reads_from
from reminder.compliance.records import GONE, Figures, Period, Reminder
from reminder.compliance.report import counted, reminders, reports, together
from tests.compliance.drawn import BEGIN, DAYS, hospitals, ordered
from tests.journal.memory_store import part_of

if TYPE_CHECKING:
    from reminder.journal.base import Row

END = BEGIN + timedelta(days=DAYS + 2)
WHOLE = Period(begin=BEGIN - timedelta(days=1), end=END, until=END)
COUNTS = (
    "reminders",
    "shadow",
    "unknown",
    "disagrees",
    "automatic",
    "findings",
    "showings",
    "repeats",
    "texts",
    "junk",
    "verified",
)
MONEY = ("at_risk_fen", "warned_fen", "intercepted_fen")
SPLIT = ("outcomes", "sources", "actions", "ways", "reasons", "amounts")
FEW = settings(max_examples=50)  # an encounter is many draws
ASKED = ("checks", "prescriptions", "interruptions", "fees_fen", "drugs_fen")


@FEW
@given(rows=hospitals(), shuffled=st.randoms(use_true_random=False))
def test_the_order_in_which_entries_of_an_instant_came_changes_nothing(rows: tuple[Row, ...], shuffled: object) -> None:
    """Reminders, outcomes and figures are the same."""
    mixed = list(rows)
    shuffled.shuffle(mixed)  # type: ignore[attr-defined] # hypothesis gives a random.Random
    again = ordered(mixed)
    assert _told(reminders(rows, WHOLE)) == _told(reminders(again, WHOLE))
    assert reports(rows, WHOLE)[""] == reports(again, WHOLE)[""]


@FEW
@given(rows=hospitals(), late=st.sampled_from([0, 1, 3600]))
def test_feedback_that_is_told_again_changes_nothing(rows: tuple[Row, ...], late: int) -> None:
    """A word that comes twice is one word."""
    again = [
        replace(one, at=one.at + timedelta(seconds=late), seq=one.seq + 900) for one in rows if one.kind == "feedback"
    ]
    twice = ordered((*rows, *again))
    assert _told(reminders(rows, WHOLE)) == _told(reminders(twice, WHOLE))
    assert reports(rows, WHOLE)[""].total == reports(twice, WHOLE)[""].total
    assert reports(twice, WHOLE)[""].notes.repeated >= len(again)


@FEW
@given(rows=hospitals())
def test_every_grouping_adds_up_to_the_total(rows: tuple[Row, ...]) -> None:
    """What is counted stands in exactly one group of each grouping; money too."""
    for name, report in reports(rows, WHOLE, by=tuple(GROUPINGS)).items():
        groups = [group.figures for group in report.groups]
        for count in (*COUNTS, *MONEY):
            assert sum(getattr(one, count) for one in groups) == getattr(report.total, count), (name, count)
        for split in SPLIT:
            assert _summed(groups, split) == {k: v for k, v in getattr(report.total, split).items() if v}, (name, split)
        if GROUPINGS[name].of_check is not None:
            for count in ASKED:
                asked = [one.asked for one in groups if one.asked is not None]
                assert sum(getattr(one, count) for one in asked) == getattr(report.total.asked, count), (name, count)


@FEW
@given(rows=hospitals(), day=st.integers(1, DAYS))
def test_periods_side_by_side_lose_and_double_no_reminder(rows: tuple[Row, ...], day: int) -> None:
    """A period cut in two has the reminders of the whole, each once and with the same outcome."""
    cut = BEGIN + timedelta(days=day)
    parts = (replace(WHOLE, end=cut), replace(WHOLE, begin=cut))
    told = [one for part in parts for one in reminders(_read(rows, part), part)]
    assert _told(replace(one, warned_fen=0) for one in told) == _told(
        replace(one, warned_fen=0) for one in reminders(rows, WHOLE)
    )


@FEW
@given(rows=hospitals(), day=st.integers(1, DAYS))
def test_findings_and_checks_are_those_of_the_parts(rows: tuple[Row, ...], day: int) -> None:
    """What is counted by its own answer adds up over periods."""
    cut = BEGIN + timedelta(days=day)
    parts = (replace(WHOLE, end=cut), replace(WHOLE, begin=cut))
    figures = [reports(_read(rows, part), part)[""].total for part in parts]
    whole = reports(rows, WHOLE)[""].total
    for count in ("findings", "showings", "repeats", "reminders"):
        assert sum(getattr(one, count) for one in figures) == getattr(whole, count), count
    assert whole.asked is not None
    assert sum(one.asked.checks for one in figures if one.asked) == whole.asked.checks


@FEW
@given(rows=hospitals(), parts=st.integers(1, 3))
def test_parts_counted_apart_are_the_whole(rows: tuple[Row, ...], parts: int) -> None:
    """Encounters may be counted in several processes."""
    by = ("rule", "doctor", "hour")
    told = [counted(part_of(rows, part, parts), WHOLE, by, first=part == 0) for part in range(parts)]
    assert together(told, WHOLE, by) == reports(rows, WHOLE, by)


@FEW
@given(rows=hospitals())
def test_what_a_reminder_says_fits_together(rows: tuple[Row, ...]) -> None:
    """An outcome has its source, a disagreement is one, and money is carried once for each line."""
    told = list(reminders(rows, WHOLE))
    assert all((one.outcome == "unobserved") == (one.source == "none") for one in told)
    assert all((one.settled_at is None) == (one.source == "none") for one in told)
    assert all((one.disagrees in GONE) != (one.outcome in GONE) for one in told if one.disagrees is not None)
    carriers = [(one.encounter_key or one.finding_ids[0], one.item, one.order_date) for one in told if one.warned_fen]
    assert len(set(carriers)) == len(carriers)
    assert len(told) == reports(rows, WHOLE)[""].total.reminders


def _read(rows: tuple[Row, ...], period: Period) -> tuple[Row, ...]:
    """What a report over a period reads."""
    return tuple(one for one in rows if reads_from(period) <= one.at < period.until)


def _told(told: object) -> list[Reminder]:
    return sorted(told, key=lambda one: (one.reminder_id, one.first_at))  # type: ignore[call-overload,no-any-return]


def _summed(groups: list[Figures], name: str) -> dict[str, int]:
    summed: dict[str, int] = {}
    for group in groups:
        for word, count in getattr(group, name).items():
            summed[word] = summed.get(word, 0) + count
    return {word: count for word, count in summed.items() if count}
