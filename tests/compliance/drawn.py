"""Encounters drawn at random: checks, words and saved prescriptions that meet each other in every way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from msgspec import Struct

from reminder.ids import reminder_id
from reminder.journal.brief import DecisionBrief, FeedbackBrief, FoundBrief, LineBrief, SavedBrief, decode_brief
from reminder.journal.entries import DONE
from tests.compliance.stories import row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reminder.journal.base import Row

__all__ = ["BEGIN", "DAYS", "hospitals", "ordered"]

BEGIN = datetime(2025, 12, 1, tzinfo=UTC)
DAYS = 90
"""Long enough for an order that is silent for over a month."""

_ITEMS, _RULES, _DATES = "ABC", ("r1", "r2"), ("2025-12-20", "2026-01-05")
_HOURS = st.integers(0, DAYS * 24) | st.integers(35 * 24, 36 * 24)  # far apart, and on one day


class _Found(Struct, frozen=True, kw_only=True):
    rule: str
    places: tuple[int, ...]
    shown: bool
    unknown: bool
    amount: int | None


@st.composite
def _lines(draw: st.DrawFn) -> tuple[LineBrief, ...]:
    count = draw(st.integers(0, 4))
    return tuple(
        LineBrief(
            id=draw(st.sampled_from([f"#{place}", f"R{place}"])),
            item=draw(st.sampled_from(_ITEMS)),
            order_date=draw(st.sampled_from(_DATES)),
            current=draw(st.booleans()),
            quantity=draw(st.sampled_from(["1", "1.0", "2", ""])),
            amount_fen=draw(st.sampled_from([None, 100, 200])),
            paid_by=draw(st.sampled_from(["", "fund", "self"])),
            is_drug=draw(st.booleans()),
        )
        for place in range(1, count + 1)
    )


@st.composite
def _found(draw: st.DrawFn, lines: Sequence[LineBrief]) -> tuple[_Found, ...]:
    current = [place for place, line in enumerate(lines) if line.current]
    places = st.lists(st.sampled_from(current), max_size=2, unique=True) if current else st.just([])
    one = st.builds(
        _Found,
        rule=st.sampled_from(_RULES),
        places=places.map(tuple),
        shown=st.integers(0, 3).map(bool),
        unknown=st.booleans(),
        amount=st.sampled_from([None, 100, 101, 250]),
    )
    return tuple(draw(st.lists(one, max_size=2)))


@st.composite
def _decision(draw: st.DrawFn, key: str, number: int) -> Row:
    at = BEGIN + timedelta(hours=draw(_HOURS))
    decision_id, lines = f"D{draw(st.integers(0, 9))}{number:03}{key}", draw(_lines())
    told = [
        FoundBrief(
            finding_id=f"{decision_id}/{place}",
            rule_id=one.rule,
            class_id=f"R0{one.rule[-1]}",
            own_action="block",
            action="warn" if one.shown else "pass",
            shown=one.shown,
            unknown=one.unknown,
            exited=False,
            fund_only=False,
            addressee="doctor",
            lines=one.places,
            amount_fen=one.amount,
            reminders=_ids(key or decision_id, one, lines, at),
        )
        for place, one in enumerate(draw(_found(lines)))
    ]
    brief = DecisionBrief(
        zone_minutes=480,
        decision="warn",
        department=draw(st.sampled_from(["", "内科"])),
        doctor=draw(st.sampled_from(["", "D1", "D2"])),
        scene=(draw(st.sampled_from(["2", "6"])),),
        visit_mode="outpatient",
        release=draw(st.sampled_from(["1", "2"])),
        complete=draw(st.booleans()),
        unread=draw(st.booleans()),
        diagnoses=tuple(draw(st.sampled_from([(), ("J18",), ("J18", "E11")]))),
        lines=lines,
        found=tuple(told),
        undecided=draw(st.sampled_from([(), ("r1",)])),
    )
    return row("decision", at, brief, number, decision_id=decision_id, encounter_key=key)


def _ids(encounter: str, one: _Found, lines: Sequence[LineBrief], at: datetime) -> tuple[str, ...]:
    about = [(lines[place].item, lines[place].order_date) for place in one.places]
    day = (at + timedelta(hours=8)).date().isoformat()
    return tuple(reminder_id(encounter, one.rule, *each) for each in about or [("", day)])


@st.composite
def _word(draw: st.DrawFn, key: str, number: int, finding_id: str, after: datetime) -> Row:
    done_at = after + timedelta(milliseconds=draw(st.sampled_from([500, 1000, 60_000, 120_000])))
    brief = FeedbackBrief(
        finding_id=finding_id,
        known=True,
        rule_id="",
        class_id="",
        reminders=(),
        done=draw(st.sampled_from(DONE)),
        done_at=done_at,
        reason_code=draw(st.sampled_from(["", "other"])),
        has_text=draw(st.booleans()),
        automatic=draw(st.booleans()),
        answer_ms=draw(st.sampled_from([None, 700])),
    )
    at = done_at + timedelta(seconds=draw(st.sampled_from([0, 60])))
    return row("feedback", at, brief, number, encounter_key=key)


@st.composite
def _saved(draw: st.DrawFn, key: str, number: int) -> Row:
    at = BEGIN + timedelta(hours=draw(_HOURS), seconds=number)  # no two of one instant: which stands would be chance
    brief = SavedBrief(
        zone_minutes=480,
        prescription_id=draw(st.sampled_from(["P1", "P2"])),
        revision=draw(st.integers(1, 2)),
        saved_at=at,
        lines=draw(_lines()),
    )
    return row("saved", at, brief, number, encounter_key=key)


@st.composite
def hospitals(draw: st.DrawFn) -> tuple[Row, ...]:
    """The entries of some encounters, and of decisions without one."""
    rows: list[Row] = []
    for key in draw(st.sampled_from([("E1",), ("", "E1"), ("E1", "E2")])):
        checks = [draw(_decision(key, number)) for number in range(1, draw(st.integers(1, 5)) + 1)]
        rows += checks
        rows += [draw(_saved(key, number)) for number in range(1, draw(st.integers(0, 2)) + 1) if key]
        told = [(found, check.at) for check in checks for found in _findings(check)]
        for number in range(draw(st.integers(0, 3)) if told else 0):
            found, at = draw(st.sampled_from(told))
            rows.append(draw(_word(key, number, found, at)))
    return ordered(rows)


def _findings(check: Row) -> list[str]:
    brief = decode_brief(check.brief)
    return [found.finding_id for found in brief.found] if isinstance(brief, DecisionBrief) else []


def ordered(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows as a store gives them: by institution, encounter and instant."""
    return tuple(sorted(rows, key=lambda one: (one.institution_id, one.encounter_key, one.at)))
