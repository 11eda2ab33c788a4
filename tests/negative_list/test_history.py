"""A line known from several places counts once."""

from __future__ import annotations

from datetime import datetime

import pytest

from negative_list.history import without_copies
from negative_list.prescription import Encounter, History, Line, Prescription

MORNING = datetime(2026, 5, 6, 9, 0)
CODE = "002503020030000"


def line(name: str, *, code: str = CODE, begins: datetime | None = MORNING, clock: bool = True, at: str = "M1") -> Line:
    """A line of an encounter."""
    return Line(id=name, encounter_id=at, codes=(code,), begins=begins, has_clock=clock)


def kept(history: list[Line], *body: Line) -> list[str]:
    """Ids of the history lines that are no copies."""
    prescription = Prescription(encounter=Encounter(id="M1", lines=body))
    return [each.id for each in without_copies(History(lines=tuple(history)), prescription).lines]


COPIES = {
    "the very line": line("R1"),
    "without an id, the same item on the same day": line("", begins=datetime(2026, 5, 6, 17, 0)),
    "with a bare date": line("R1", begins=datetime(2026, 5, 6), clock=False),
    "under the place its body gave it": line("R1#1"),
}
OTHERS = {
    "another item": line("R1", code="002503020010000"),
    "another encounter": line("R1", at="M2"),
    "another id": line("R2"),
    "another time": line("R1", begins=datetime(2026, 5, 6, 17, 0)),
    "without a time": line("R1", begins=None),
}


@pytest.mark.parametrize("fed", COPIES.values(), ids=COPIES)
def test_a_copy_of_a_line_of_the_body_is_left_out(fed: Line) -> None:
    """What another system feeds again is the same line."""
    assert kept([fed], line("R1")) == []


@pytest.mark.parametrize("fed", OTHERS.values(), ids=OTHERS)
def test_another_line_is_kept(fed: Line) -> None:
    """A line that differs in its key is a line of its own."""
    assert kept([fed], line("R1")) == [fed.id]


def test_history_fed_twice_counts_once() -> None:
    """Of equal lines from two feeds the first is kept."""
    assert kept([line("R7"), line("R7"), line("R8")]) == ["R7", "R8"]


def test_a_body_line_without_an_id_is_told_by_item_and_day() -> None:
    """Where the body has no id, the fed line of that item and day is its copy."""
    assert kept([line("R9")], line("#1")) == []
