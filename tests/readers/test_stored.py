"""Facts of a store: what they are about, which of several counts, and until when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.errors import RequestError
from negative_list.readers import read_check_request
from negative_list.readers.stored import facts_of_rows, supplement
from negative_list.site import Sites
from tests.builders import own_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from negative_list.prescription import FactValue, Line

AT = datetime(2026, 11, 20, 10, 0)
STATE, POINTS, UNTIL = "line.doctor_state", "line.doctor_points", "line.doctor_state_until"


def row(subject: str, fact: str, value: object, valid_from: str = "", **more: str) -> dict[str, object]:
    """One row of a file of facts."""
    told = {"subject": subject, "fact": fact, "value": value, "valid_from": valid_from, **more}
    return {key: field for key, field in told.items() if field != ""}


def lines_of(*rows: Mapping[str, object], lines: list[dict[str, Any]] | None = None) -> tuple[Line, ...]:
    """The lines of a body of doctor T001 in encounter M1, with what the rows tell."""
    sent = own_body()
    first = sent["encounter"]["lines"][0]
    sent["encounter"]["lines"] = [first | changes for changes in lines or [{}]]
    read = read_check_request(sent, Sites())
    return supplement(read, facts_of_rows(rows), AT).encounter.lines


def told(fact: str, *rows: Mapping[str, object]) -> FactValue | None:
    """What a fact of the only line comes to."""
    return lines_of(*rows)[0].facts.get(fact)


def refused(*rows: Mapping[str, object]) -> list[str]:
    """The fields for which rows are refused."""
    with pytest.raises(RequestError) as caught:
        facts_of_rows(rows, UTC)
    return [problem.field for problem in caught.value.fields]


def test_a_doctor_whose_id_is_a_lines_is_not_the_line() -> None:
    """A plain number names a doctor, an item and a line; each kind of fact is looked for under its own kind only."""
    rows = (row("1001", STATE, "suspended"), row("1001", "line.stock", "0"))
    (line,) = lines_of(*rows, lines=[{"id": "1001"}])
    assert {STATE, "line.stock"}.isdisjoint(line.facts)


def test_a_fact_of_a_line_is_of_one_encounters_line() -> None:
    """Line ids may be unique in a prescription only; of one told of both the narrower counts."""
    site = "line.site"
    assert told(site, row("R1", site, "左膝", encounter_id="M1")) == "左膝"
    assert told(site, row("R1", site, "左膝", encounter_id="M2")) is None
    assert told(site, row("R1", site, "左膝", encounter_id="M1"), row("R1", site, "右膝", "2026-11-19")) == "左膝"


def test_a_line_without_an_id_of_its_own_is_told_nothing() -> None:
    """Its place in the body is another line's in the next body."""
    rows = [row("R1", "line.site", "左膝", encounter_id="M1")]
    assert [line.facts.get("line.site") for line in lines_of(*rows, lines=[{}, {}])] == [None, None]
    assert refused(*(row(name, "line.site", "左膝") for name in ("#1", "R1#2", "#history-1"))) == [
        f"[{place}].subject" for place in range(3)
    ]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (row("P1", "patient.weight_kg", 60, encounter_id="M1"), "encounter_id"),
        (row("x" * 70_000, "patient.weight_kg", 60), "subject"),
        (row("M1\tR1", "line.site", "左膝"), "subject"),
        (row("P1", "patient.weight_kg", 60, "2026-02-01", expires="2026-01-01"), "expires"),
        (row("P1", "patient.weight_kg", 60, "2026-02-01", expires="2026-02-01"), "expires"),
    ],
)
def test_what_could_never_be_found_is_refused(wrong: Mapping[str, object], field: str) -> None:
    """Each with the field to mend."""
    assert refused(wrong) == [f"[0].{field}"]


def test_the_word_told_last_counts() -> None:
    """Without a time a fact counts as told now; of two of one time the later row."""
    stock = "line.stock"
    ((code,),) = [line.codes for line in lines_of()]
    assert told(stock, row(code, stock, 10), row(code, stock, 0, "2020-01-01")) == 10
    assert told(stock, row(code, stock, 1), row(code, stock, 2)) == 2


@pytest.mark.parametrize(
    ("rows", "state"),
    [
        ((("suspended", "2025-01-10"), ("2025-07-10", "2025-01-10"), None), "active"),
        ((("suspended", "2026-06-01"), ("2026-11-20", "2026-06-01"), None), "suspended"),
        ((("suspended", "2026-10-01"), ("2025-07-10", "2025-01-10"), None), "suspended"),
        ((("suspended", "2026-01-10"), ("2026-07-10", "2026-01-10"), (9, "2026-01-09")), "active"),
        ((("suspended", "2026-01-10"), ("2026-07-10", "2026-01-10"), (9, "2026-11-01")), "suspended"),
        ((("suspended", ""), ("2025-07-10", ""), None), "active"),
        ((("active", "2020-01-10"), None, (9, "2026-01-10")), "suspended"),
        ((("active", "2026-01-10"), None, (9, "2026-01-10")), "active"),
        ((("active", "2026-07-10"), None, (9, "2026-01-10")), "active"),
        ((("suspended", "2026-01-10"), None, (12, "2026-02-10")), "ended"),
        ((("ended", "2025-01-10"), None, (0, "2026-02-10")), "ended"),
    ],
)
def test_a_doctors_state_is_what_was_told_or_followed_last(rows: tuple[Any, Any, Any], state: str) -> None:
    """A suspension ends with its last day, and points of a later day make an older state worse, never better."""
    named = zip((STATE, UNTIL, POINTS), rows, strict=True)
    assert told(STATE, *(row("T001", fact, *one) for fact, one in named if one is not None)) == state
