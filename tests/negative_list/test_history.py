"""A line known from several places counts once."""

from __future__ import annotations

from datetime import datetime

import pytest
from msgspec.structs import replace

from negative_list.history import without_copies
from negative_list.prescription import Encounter, History, Line, Prescription

MORNING = datetime(2026, 5, 6, 9, 0)
CODE = "002503020030000"


def line(name: str, *, code: str = CODE, begins: datetime | None = MORNING, clock: bool = True, at: str = "M1") -> Line:
    """A line in force of an encounter."""
    return Line(id=name, encounter_id=at, codes=(code,), begins=begins, has_clock=clock, current=False)


def now(name: str, begins: datetime = MORNING) -> Line:
    """A line that is being written."""
    return replace(line(name, begins=begins), current=True)


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


@pytest.mark.parametrize("fed", COPIES.values(), ids=COPIES)
def test_a_current_line_replaces_what_was_saved_of_it(fed: Line) -> None:
    """Opened again and stamped anew, the order is still the one that was saved that day."""
    assert kept([fed], now("R1", MORNING.replace(minute=30))) == []


def test_a_current_line_replaces_nothing_else() -> None:
    """An order of another day, item, encounter or id stays what it is."""
    others = [other for name, other in OTHERS.items() if name != "another time"]
    assert kept([*others, line("R1", begins=datetime(2026, 5, 5, 9, 0))], now("R1")) == ["R1", "R1", "R2", "R1", "R1"]


def test_what_is_a_copy_itself_makes_no_copies() -> None:
    """Telling a dispensing twice never hides another one of that item and day."""
    evening = MORNING.replace(hour=17)
    assert kept([line("R1"), line("#history-2"), line("F7", begins=evening)]) == ["R1", "F7"]
    assert kept([line("R1"), line("R1", clock=False), line("R1", begins=evening)]) == ["R1", "R1"]


def test_lines_that_are_known_to_be_different_are_compared_with_the_body_only() -> None:
    """Two prescriptions of one number and day stay two, and each is the body's line where that has the number."""
    two = History(lines=(line("1"), line("1"), line("2")), unique=True)
    for own, left in (((), ["1", "1", "2"]), ((line("1"),), ["2"])):
        told = without_copies(two, Prescription(encounter=Encounter(id="M1", lines=own)))
        assert [each.id for each in told.lines] == left


@pytest.mark.parametrize("codes", [("A", "B"), ("B", "A"), ("B",), ("B", "C")])
def test_items_that_share_a_code_are_the_same(codes: tuple[str, ...]) -> None:
    """A hospital's own code may stand for several national ones, in any order; the fed line has one of them."""
    body = replace(line("R1"), codes=("A", "B"))
    assert kept([replace(line("R1"), codes=codes), replace(line("R1"), codes=("C",))], body) == ["R1"]
    assert kept([body, replace(line("R1"), codes=codes)]) == ["R1"]
