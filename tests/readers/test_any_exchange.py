"""Whatever stands in an exchanged call, it is read, noted or refused with the field named; nothing else happens."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negative_list.errors import FieldProblem, RequestError
from negative_list.readers.derived import dosage
from negative_list.readers.dosage import parse_dose, parse_frequency, parse_spec
from negative_list.readers.exchange import Exchange, read_exchange, read_exchanges
from negative_list.readers.exchange_table import TRANSACTIONS
from negative_list.readers.past_visits import visits_of
from negative_list.site import Sites

SITES = Sites()

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["", "-", "1", "0", "-1", "2026-11-20", "2026-11-20 09:00:00", "9999-12-31", "12.5", "NMLC999"])
)
KEYS = sorted(
    {key for row in TRANSACTIONS.values() for key in row.fields} | {"psn_no", "fixmedins_code", "drugtracinfo"}
)
ROWS = st.dictionaries(
    st.sampled_from(KEYS),
    SCALARS | st.lists(SCALARS, max_size=2) | st.lists(st.dictionaries(st.text(max_size=3), SCALARS), max_size=2),
    max_size=12,
)
NODES = sorted({node for row in TRANSACTIONS.values() for node in row.nodes if node} | {"data", "diseinfo", "icuinfo"})
SIDES = st.dictionaries(st.sampled_from(NODES), ROWS | st.lists(ROWS, max_size=3) | SCALARS, max_size=4) | SCALARS


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    """A call of some transaction with anything in it."""
    return {
        "infno": draw(st.sampled_from(sorted(TRANSACTIONS))),
        "inf_time": draw(SCALARS),
        "fixmedins_code": draw(SCALARS),
        "input": draw(SIDES),
        "output": draw(SIDES | st.lists(ROWS, max_size=2)),
        "infcode": draw(st.sampled_from([0, "0", -1, None])),
    }


@given(calls())
def test_any_call_is_read_or_refused(told: dict[str, Any]) -> None:
    """A refusal names fields; what was read stands under somebody's name or nobody's, with notes that name places."""
    read, problems = Exchange(), tuple[FieldProblem, ...]()
    try:
        read = read_exchange(told, SITES)
    except RequestError as error:
        problems = error.fields
    assert all(problem.field and problem.message for problem in problems)
    assert all(note.field and note.message for note in read.notes)
    assert all(fact.subject for fact in read.facts)
    assert all(record.record_id for record in read.records)


@given(st.lists(calls(), max_size=4))
def test_calls_tell_the_same_in_any_order(several: list[dict[str, Any]]) -> None:
    """Facts do not depend on the order of the file."""
    try:
        told = read_exchanges(several, SITES)
    except RequestError:
        with pytest.raises(RequestError):
            read_exchanges(several[::-1], SITES)
    else:
        turned = read_exchanges(several[::-1], SITES)
        assert sorted(map(repr, told.facts)) == sorted(map(repr, turned.facts))
        assert {record.record_id for record in told.records if not record.encounter} == {
            record.record_id for record in turned.records if not record.encounter
        }


@given(SCALARS | st.dictionaries(st.text(), SCALARS) | st.lists(SCALARS))
def test_what_is_no_call_is_refused(told: object) -> None:
    """Without a transaction there is nothing to read."""
    with pytest.raises(RequestError):
        read_exchange(told, SITES)


@given(st.text(max_size=64))
def test_any_text_of_a_dose_is_read_or_not(text: str) -> None:
    """No text breaks a reader, and what is read is more than nothing."""
    dose, often, spec = parse_dose(text), parse_frequency(text), parse_spec(text)
    assert dose is None or dose.amount > 0
    assert often is None or often.times is None or often.times > 0
    assert spec is None or spec.pieces is None or spec.pieces > 0
    assert all(count >= 0 for count in visits_of(text).values())


@given(
    quantity=st.integers(1, 40),
    pieces=st.integers(1, 100),
    dose=st.integers(1, 6),
    times=st.integers(1, 4),
    strength=st.sampled_from(["10mg", "0.25g", "5ug", "100万U"]),
)
def test_the_days_of_a_pack_last_as_long_as_its_pieces(
    quantity: int, pieces: int, dose: int, times: int, strength: str
) -> None:
    """Days are the whole days all pieces last, at least one, whether the dose is counted in pieces or measured."""
    facts: dict[str, Any] = {
        "line.quantity": Decimal(quantity),
        "line.unit": "盒",
        "line.spec": f"{strength}*{pieces}片/盒",
        "line.dose_text": f"{dose}片",
        "line.frequency_text": f"每日{times}次",
    }
    counted = dict(facts)
    dosage(counted)
    days = quantity * pieces // (dose * times)
    assert counted.get("line.days") == (max(days, 1) if days <= 3660 else None)
    single = parse_dose(strength)
    assert single is not None
    measured = {**facts, "line.dose_text": f"{float(single.amount * dose):g}{single.unit}"}
    dosage(measured)
    assert measured.get("line.days") == counted.get("line.days")
