"""A sidecar killed while a client goes on, as ``benchmarks/client.py`` proves it at length."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from benchmarks.client import Course, place_of, run

if TYPE_CHECKING:
    from pathlib import Path

_LONG_MS = 60_000.0


def test_a_killed_sidecar_costs_no_word_and_every_unchecked_prescription_is_said_to_be(tmp_path: Path) -> None:
    """Each word is in the journal once, whichever life of the sidecar it reached."""
    course = Course(prescriptions=40, per_s=20.0, kills=1, deadline_ms=_LONG_MS)
    figures = asyncio.run(run(place_of(tmp_path, commit_budget_ms=10_000.0, store_deadline_ms=10_000.0), course))
    assert (figures["prescriptions"], figures["kills"]) == (40, 1)
    assert figures["checked"] + sum(figures["not_checked"].values()) == 40
    assert [figures[fault] for fault in ("unreported", "put_aside", "still_waiting")] == [0, 0, 0]
    assert (figures["lost"], figures["doubled"], figures["not_in_journal"]) == ([], [], [])
    assert figures["not_checked"].keys() <= {"away", "resting", "deadline"}
