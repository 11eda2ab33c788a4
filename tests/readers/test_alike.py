"""A line like one that was read before is read as if nothing were remembered."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.readers import alike, read_check_request
from negative_list.site import LocalCode, Site, Sites
from tests.builders import DRUG, HERB, own_body, own_line

if TYPE_CHECKING:
    from negative_list.prescription import Prescription

LINES: tuple[dict[str, Any], ...] = (
    {},
    {"days": 7, "quantity": 1},
    {"days": 7, "quantity": "1.50", "unit": "盒", "unit_price_fen": 1234, "list_price_fen": 1000},
    {"code": HERB, "quantity": 7},
    {"code": "0815", "name": "没有国家编码"},
    {"current": False},
    {"begins": "2026-01-02"},
    {"begins": "2026-01-02", "stops": "2026-01-01"},
    {"begins": "not a day"},
    {"stops": "2026-01-09 08:00:00"},
    {"id": "a\x00b"},
    {"id": ""},
    {"rx_no": "RX1", "group_no": "G1"},
    {"rx_no": ["RX1"]},
    {"unit": {"no": "text"}},
    {"unit_price_fen": -1},
    {"name": "很长的名称" * 20},
    {"facts": {"line.site": "左膝"}},
    {"paid_by": "self", "quantity": True},
)


def body_of(told: dict[str, Any], mark: str) -> dict[str, Any]:
    """A body with one line that stands alone and one that tells so much; both ids end with ``mark``."""
    fields = {"id": f"R2{mark}", **told}
    plain = own_line(id=f"R1{mark}", begins=f"2026-01-0{len(mark) + 1} 08:00:00")
    return own_body([plain, own_line(**fields)], encounter={"id": f"E{mark}"})


def read(sent: dict[str, Any], sites: Sites) -> Prescription:
    """The prescription of a body."""
    return read_check_request(sent, sites)


@pytest.mark.parametrize("told", LINES)
def test_a_line_like_another_is_read_as_if_it_were_the_first(told: dict[str, Any]) -> None:
    """Ids, times, encounter and notes are its own; the rest was worked out before."""
    warm = Sites(default=Site())
    for mark in ("", "-", "--"):
        sent = body_of(told, mark)
        assert read(sent, warm) == read(sent, Sites(default=Site()))


def test_facts_are_a_lines_own() -> None:
    """What is done to those of one line nobody else sees."""
    sites = Sites(default=Site())
    first, second = (read(own_body([own_line(id=id_)]), sites).encounter.lines[0] for id_ in ("R1", "R2"))
    assert first.facts == second.facts
    assert first.facts is not second.facts


def test_a_site_with_codes_of_its_own_is_looked_up_for_each_line() -> None:
    """Its rows have their days."""
    row = LocalCode(local="L1", national=HERB, valid_from=date(2026, 1, 2), valid_to=date(2026, 1, 3))
    sites = Sites(default=Site(codes={("item", "L1"): (row,)}))
    codes = [
        read(own_body([own_line(code="L1", begins=f"2026-01-0{day} 08:00:00")]), sites).encounter.lines[0].codes
        for day in (1, 2, 4)
    ]
    assert [HERB in found for found in codes] == [False, True, False]


def test_no_more_lines_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """All are forgotten then, and read again."""
    monkeypatch.setattr(alike, "_REMEMBERED", 2)
    sites = Sites(default=Site())
    for price in (1, 2, 3, 1, 2, 3):
        line = read(own_body([own_line(unit_price_fen=price)]), sites).encounter.lines[0]
        assert (line.facts["line.unit_price_fen"], line.codes) == (price, (DRUG,))
