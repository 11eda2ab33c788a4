"""A report over some entries: periods, groups, what was not counted, progress."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from reminder.compliance import report as report_module
from reminder.compliance.period import period_of, reads_from
from reminder.compliance.records import Asked, Notes, Spread
from reminder.compliance.report import reminders, reports
from reminder.journal.brief import FeedbackBrief, decode_brief, encode_brief
from tests.compliance.stories import JANUARY, ZONE, row, story

STORY = """
2025-12-31 23:59 check d0 doctor=D1 scene=2: Z 1 ¥1.00 -> r9 Z
01-01 00:00 check d1 doctor=D1 scene=2: A 30 ¥48.00 / B 1 ¥5.00 -> r1 A ¥25.60, r2 B unknown
01-01 00:01 feedback d1 r1 A: overridden reason=other junk=repeats verdict=present ms=2500
01-01 00:10 check d2 doctor=D2 scene=2: A 30 ¥48.00 / C 1 ¥2.00 -> r1 A ¥25.60
01-01 01:00 check d3 doctor=D1 scene=6: A 30 ¥48.00 / B 1 ¥5.00
02-01 00:00 check d4 doctor=D1 scene=2: D 1 ¥1.00 -> r9 D
""".strip()


def test_the_groups_of_a_report_have_the_figures_of_the_page() -> None:
    """Reminders stand where they began, findings and checks where they were asked."""
    told = reports(story(STORY).rows, JANUARY, by=("doctor", "rule", "hour", "week"))
    one, two = told["doctor"].groups
    assert (one.key, two.key) == ("D1", "D2")
    assert (one.figures.reminders, one.figures.findings, one.figures.repeats) == (2, 2, 0)
    assert (two.figures.reminders, two.figures.findings, two.figures.repeats) == (0, 1, 1)
    assert one.figures.asked == Asked(
        checks=2, prescriptions=1, interruptions=1, visits=1, doctors=1, fees_fen=5300, drugs_fen=0
    )
    assert [group.key for group in told["hour"].groups] == ["2026-01-01 00", "2026-01-01 01"]
    assert [group.key for group in told["week"].groups] == ["2026-W01"]
    assert told["rule"].groups[0].figures.asked is None
    total = told["rule"].total
    assert (total.reasons, total.texts, total.junk, total.unknown) == ({"other": 1}, 1, 1, 1)
    assert total.verified == 1
    assert total.answered == Spread(count=1, median=2500, p90=2500)
    assert total.asked is not None
    assert total.asked.doctors == 2


def test_what_is_not_counted_is_told() -> None:
    """Words about findings nobody read, gaps, decisions without encounter key, reminders that began before."""
    lost = FeedbackBrief(
        finding_id="?", known=False, rule_id="", class_id="", reminders=(), done="changed", done_at=JANUARY.begin
    )
    rows = [
        row("gap", JANUARY.begin, None, 1, encounter_key=""),
        row("feedback", JANUARY.begin, lost, 2, encounter_key=""),
        row("feedback", JANUARY.begin, replace(lost, known=True), 3, encounter_key=""),
        *story("2025-12-31 09:00 check d1: A 1 @01-01 -> r1 A\n01-01 09:00 check d2: A 1 -> r1 A").rows,
    ]
    assert reports(rows, JANUARY)[""].notes == Notes(
        rows=5, decisions=2, feedback=2, unknown=1, unjoined=1, gaps=1, before=1
    )


def test_feedback_without_encounter_key_is_joined_by_its_finding() -> None:
    """The journal was away when it was told."""
    told = story("09:00 check d1: A 1 -> r1 A\n09:01 feedback d1 r1 A: withdrawn")
    rows = sorted(
        (replace(one, encounter_key="") if one.kind == "feedback" else one for one in told.rows),
        key=lambda one: one.encounter_key,
    )
    assert [one.outcome for one in reminders(rows, JANUARY)] == ["withdrawn"]
    assert reports(rows, JANUARY)[""].notes.unjoined == 0


def test_decisions_without_encounter_key_have_nothing_in_common() -> None:
    """Each is an encounter of its own, told about by feedback only."""
    told = story(
        "09:00 check d1: A 1 -> r1 A\n09:05 check d2 scene=6: A 1\n09:06 feedback d1 r1 A: overridden reason=other"
    )
    rows = [replace(one, encounter_key="") for one in told.rows]
    rows = [replace(one, brief=_late(one.brief)) if one.decision_id == "d2" else one for one in rows]
    assert [(one.outcome, one.source) for one in reminders(rows, JANUARY)] == [("overridden", "feedback")]
    made = reports(rows, JANUARY)[""]
    assert (made.notes.keyless, made.notes.late) == (2, 1)
    assert made.total.asked is not None
    assert made.total.asked.visits == 2


def _late(brief: bytes) -> bytes:
    return encode_brief(replace(decode_brief(brief), late=True))


def test_a_long_report_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Now and then, with the number of rows read; and every reminder passes by."""
    monkeypatch.setattr(report_module, "PROGRESS_ROWS", 2)
    said: list[int] = []
    seen: list[str] = []
    reports(story(STORY).rows, JANUARY, each=lambda one: seen.append(one.rule_id), progress=said.append)
    assert said == [6]
    assert sorted(seen) == ["r1", "r2"]


def test_a_period_is_civil_days_of_the_site() -> None:
    """Half-open; entries are read from 31 days before it, evidence for 31 days after it."""
    zone = ZoneInfo("Asia/Shanghai")
    told = period_of(date(2026, 1, 1), date(2026, 2, 1), zone)
    assert told.begin == datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert told.end == datetime(2026, 1, 31, 16, tzinfo=UTC)
    assert told.until - told.end == timedelta(days=31)
    assert reads_from(told) == told.begin - timedelta(days=31)
    assert period_of(date(2026, 1, 1), date(2026, 2, 1), ZONE, date(2026, 2, 1)).until == told.end


@pytest.mark.parametrize(
    "days", [(date(2026, 2, 1), date(2026, 1, 1), None), (date(2026, 1, 1), date(2026, 2, 1), date(2026, 1, 9))]
)
def test_a_period_that_ends_before_it_begins_is_none(days: tuple[date, date, date | None]) -> None:
    """Nor does evidence end before it does."""
    with pytest.raises(ValueError, match="is no period"):
        period_of(days[0], days[1], ZONE, days[2])


def test_a_check_by_nobody_counts_no_doctor() -> None:
    """Whoever asked before it in the same encounter counts once."""
    told = reports(
        story("09:00 check d1 doctor=D1: A 1\n09:05 check d2: A 1\n09:06 check d3 doctor=D2: A 1").rows, JANUARY
    )
    assert told[""].total.asked is not None
    assert told[""].total.asked.doctors == 2
