"""One prescription in FHIR, in our own JSON and in national words is the same prescription, and gets one answer."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negative_list.readers.fhir.hooks import Naming
from negative_list.readers.fhir.request import hook_form
from negative_list.readers.own import read_check_request
from negative_list.site import Sites
from tests.cds.asking import cards_of, finding_of, send, sign
from tests.cds.bodies import MEN, WOMEN, of_own
from tests.reminder.bodies import national_body, national_order, own_body, own_line
from tests.reminder.sidecar import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator

AT = datetime(2026, 1, 1, 9, 0)
CODES = (WOMEN, MEN, "Z123", "XJ01CAA040B001010100001")


@st.composite
def lines(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Some lines, each with an id of its own."""
    told = []
    for place in range(draw(st.integers(1, 5))):
        fen, quantity = draw(st.integers(1, 90_000)), draw(st.integers(1, 9))
        line = own_line(
            f"R{place}",
            code=draw(st.sampled_from(CODES)),
            begins=f"2026-01-01 {draw(st.integers(0, 9)):02}:15:00",
            quantity=quantity,
            unit_price_fen=fen,
            amount_fen=fen * quantity,
        )
        payer = draw(st.sampled_from([None, "fund", "self"]))
        told.append(line | ({"paid_by": payer} if payer else {}))
    return told


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Our own JSON of a visit, with what FHIR can tell of it."""
    body = own_body(
        *draw(lines()), sex=draw(st.sampled_from(["男", "女", ""])), level=draw(st.sampled_from([None, 1, 3]))
    )
    del body["scene"], body["time"]
    body["encounter"] |= {
        "visit_mode": draw(st.sampled_from(["outpatient", "emergency", "inpatient", "internet"])),
        "doctor_id": "D1",
        "diagnoses": draw(
            st.lists(
                st.sampled_from(
                    [{"code": "I10.x00", "name": "高血压"}, {"name": "待查"}, {"code": "M80", "name": "骨质疏松"}]
                ),
                max_size=2,
                unique_by=str,
            )
        ),
    }
    return body


@given(bodies())
@settings(max_examples=60, deadline=None)
def test_a_request_in_fhir_is_the_prescription_of_our_own_json(body: dict[str, Any]) -> None:
    """Record for record, fact for fact."""
    form = hook_form(of_own(body), Naming())
    told = form.finished(read_check_request(form.body, Sites(), AT))
    own = read_check_request(body, Sites(), AT)
    assert (told.patient, told.encounter, told.others) == (own.patient, own.encounter, own.others)
    assert told.request_id == own.request_id
    assert len(told.notes) == len(own.notes)


# -- one answer


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar."""
    with running(tmp_path_factory.mktemp("sidecar")) as sidecar:
        yield sidecar


CASES: dict[str, tuple[list[dict[str, Any]], str, int]] = {
    "a block": ([{}], "女", 3),
    "nothing": ([{}], "男", 3),
    "a block and two reminders": ([{}, {"code": WOMEN}], "女", 1),
    "a warning": ([{"code": WOMEN, "quantity": 9, "amount_fen": 11250}], "女", 3),
    "two lines together": ([{"code": WOMEN, "quantity": 2}, {"code": WOMEN, "quantity": 2}], "男", 2),
}
LEVELS = {1: "8", 2: "5", 3: "3"}
WORDS = {"code": "hilist_code", "quantity": "cnt"}


def gist(findings: list[dict[str, Any]]) -> list[tuple[object, ...]]:
    """What every face tells of findings."""
    return [(each["rule_id"], each["action"], each["lines"], each.get("involved", [])) for each in findings]


@pytest.mark.parametrize("case", CASES)
def test_every_face_gives_the_same_findings(here: Running, case: str) -> None:
    """JSON, the national interface and CDS Hooks, in the same order."""
    changes, sex, level = CASES[case]
    body = own_body(*(own_line(f"R{n}", **change) for n, change in enumerate(changes)), sex=sex, level=level)
    orders = [_order(f"R{n}", change) for n, change in enumerate(changes)]
    national = national_body(*orders, gend="1" if sex == "男" else "2", level=LEVELS[level])
    by_json = gist(send(here, "POST", "/reminder.v1.ReminderService/Check", body)["findings"])
    by_3101 = gist(send(here, "POST", "/3101", national)["output"]["result"])
    by_hook = gist([finding_of(card) for card in cards_of(sign(here, of_own(body | {"request_id": case})))])
    assert by_json == by_3101 == by_hook
    assert bool(by_hook) == (case != "nothing")


def _order(name: str, change: dict[str, Any]) -> dict[str, Any]:
    """The line in national words."""
    told = {WORDS[key]: value for key, value in change.items() if key in WORDS}
    fen = change.get("amount_fen")
    return national_order(name, **told, **({"sumamt": fen / 100} if fen else {}))
