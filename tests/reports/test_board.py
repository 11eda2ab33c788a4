"""The board as metrics: today by hour, everything once, nothing but numbers, and no more memory than an hour needs."""

from __future__ import annotations

import urllib.request
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from negative_list.decision import Decision, Finding
from negative_list.prescription import Encounter, Line, Patient, Prescription
from reminder.board import DRUGS, FIGURES, Board
from reminder.journal import briefs
from tests.reminder.bodies import encoded, national_body, national_order
from tests.reminder.sidecar import post, running

if TYPE_CHECKING:
    from pathlib import Path

NINE = datetime(2026, 1, 5, 9, 30)


def check(
    board: Board, at: datetime = NINE, visit: str = "e1", doctor: str = "D1", item: str = "A", **more: Any
) -> None:
    """A check of one line of 25.60 yuan, on which one rule is found unless said otherwise."""
    facts: dict[str, Any] = {
        "line.amount_fen": 2560,
        "line.item_type": more.get("kind", "drug"),
        "line.quantity": Decimal(1),
    }
    line = Line(id="1", encounter_id=visit, codes=(item,), begins=NINE, facts=facts)
    told: dict[str, Any] = {"encounter.doctor_id": doctor} if doctor else {}
    body = Prescription(encounter=Encounter(id=visit, lines=(line,), facts=told), patient=Patient(id="p"))
    finding = Finding(
        finding_id="f",
        rule_id=more.get("rule", "r"),
        rule_version=1,
        class_id="R67",
        class_name="c",
        action="warn",
        lines=("1",),
    )
    found = (finding,) if more.get("found", True) else ()
    board.decided(at, body, Decision(decision="warn", decision_id=f"d{at}", findings=found))


def told(board: Board) -> dict[str, dict[str, float]]:
    """Figure, hour, value."""
    return {
        family.name.removeprefix("reminder_board_"): {s.labels["hour"]: s.value for s in family.samples}
        for family in board.collect()
    }


def test_everything_counts_once_in_its_hour() -> None:
    """However often a system asks about the same."""
    board = Board()
    for _ in range(3):
        check(board)
    check(board, visit="e2", item="B", kind="service", found=False)
    assert {name: hours["09"] for name, hours in told(board).items()} == {
        "visits": 2,
        "doctors": 1,
        "prescriptions": 2,
        "fees_yuan": 51.2,
        "drugs_yuan": 25.6,
        "reminders": 1,
    }


def test_the_next_hour_is_its_own_and_the_next_day_begins_anew() -> None:
    """Hours of today; what came from yesterday's queue counts no more."""
    board = Board()
    check(board)
    check(board, at=NINE + timedelta(hours=1))
    assert told(board)["visits"] == {"09": 1, "10": 1}
    check(board, at=NINE + timedelta(days=1))
    check(board)
    assert told(board)["visits"] == {"09": 1}


def test_marks_of_an_hour_that_is_over_are_forgotten() -> None:
    """Memory does not grow with the day."""
    board = Board()
    for visit in range(100):
        check(board, visit=str(visit))
    check(board, at=NINE + timedelta(hours=1))
    assert sum(len(hour.seen) for hour in board._hours.values()) < 10  # noqa: SLF001 - what is held is the point


def test_a_check_that_names_nobody_is_counted() -> None:
    """Without encounter it is a visit of its own, without doctor nobody's."""
    board = Board()
    check(board, visit="", doctor="")
    check(board, visit="", doctor="", at=NINE + timedelta(minutes=1))
    counts = {name: hours["09"] for name, hours in told(board).items()}
    assert (counts["visits"], counts["doctors"]) == (2, 0)


def test_drugs_are_those_of_the_journal() -> None:
    """The board as metrics and as report mean the same by a drug."""
    assert DRUGS == briefs.DRUGS


def test_a_sidecar_shows_its_board(tmp_path: Path) -> None:
    """A check over HTTP is on /metrics, with an hour and a number and nothing else."""
    with running(tmp_path) as here:
        post(here, encoded(national_body(national_order())))
        with urllib.request.urlopen(f"http://{here.at('admin_http')}/metrics", timeout=60) as answer:
            lines = [one for one in answer.read().decode().splitlines() if one.startswith("reminder_board_")]
    assert 'reminder_board_visits{hour="09"} 1.0' in lines
    assert len(lines) == len(FIGURES)
