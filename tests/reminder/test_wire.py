"""Messages and records say the same, both ways."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negative_list.decision import Decision, Finding, NotEvaluated, Suggestion
from negative_list.errors import LimitError, RequestError
from negative_list.rules import Rule
from reminder import wire, wire_client
from reminder.v1 import reminder_pb2 as pb
from tests.reminder.decisions import BARE, FULL


@pytest.mark.parametrize("decision", [BARE, FULL])
def test_a_decision_goes_over_the_wire_unchanged(decision: Decision) -> None:
    """Zero, false, unknown and none stay what they are."""
    data = wire.response_of(decision).SerializeToString()
    assert wire_client.decision_of(pb.CheckResponse.FromString(data)) == decision


@pytest.mark.parametrize(
    ("table", "record", "field"),
    [
        (wire.ACTIONS, Finding, "action"),
        (wire.ADDRESSEES, Rule, "addressee"),
        (wire.RESULTS, Finding, "result"),
        (wire.KINDS, Suggestion, "kind"),
        (wire.WHYS, NotEvaluated, "reason"),
    ],
)
def test_every_word_of_a_closed_field_has_its_number(table: dict[str, int], record: type, field: str) -> None:
    """No word is missing, none is left over, and no number stands for two."""
    assert set(table) == set(get_args(get_type_hints(record)[field]))
    assert len(set(table.values())) == len(table)
    assert 0 not in table.values()


def test_the_messages_have_the_fields_of_the_records() -> None:
    """A field added to a record and forgotten on the wire is noticed here."""
    renamed = {"class": "class_name"}
    for record, message in ((Decision, pb.CheckResponse), (Finding, pb.Finding), (NotEvaluated, pb.NotEvaluated)):
        names = {renamed.get(field.encode_name, field.encode_name) for field in msgspec.structs.fields(record)}
        assert names == set(message.DESCRIPTOR.fields_by_name)


def test_numbers_and_flags_that_were_not_sent_are_not_zero() -> None:
    """Absent is unknown, zero is zero."""
    absent = wire.body_of(pb.CheckRequest(encounter=pb.Encounter(lines=[pb.Line(id="R1")])))
    zero = wire.body_of(
        pb.CheckRequest(encounter=pb.Encounter(institution_level=0, lines=[pb.Line(days=0, current=False)]))
    )
    assert "institution_level" not in absent["encounter"]
    assert zero["encounter"]["institution_level"] == 0
    assert not {"days", "current"} & absent["encounter"]["lines"][0].keys()
    assert [zero["encounter"]["lines"][0][name] for name in ("days", "current")] == [0, False]


FACTS = st.dictionaries(
    st.text("abc_.", min_size=1, max_size=8),
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.decimals(allow_nan=False, allow_infinity=False, places=3),
        st.text(max_size=8).filter(lambda text: text.isprintable()),
        st.lists(st.text("abc", max_size=3), max_size=3),
    ),
    max_size=4,
)


@given(FACTS)
def test_facts_keep_their_kind(facts: dict[str, Any]) -> None:
    """Flags, whole and exact numbers, words and unknown arrive as what they were."""
    request = wire_client.request_of({"patient": {"facts": facts}})
    read = wire.body_of(pb.CheckRequest.FromString(request.SerializeToString()))["patient"].get("facts", {})
    assert read == facts
    assert {name: type(value) for name, value in read.items()} == {name: type(value) for name, value in facts.items()}


BODY = {
    "request_id": "H1",
    "scene": ["2"],
    "time": "2026-01-01 09:00:00",
    "patient": {"id": "P1", "sex": "男", "facts": {"patient.weight_kg": Decimal("60.5")}},
    "encounter": {
        "id": "M1",
        "insurance": ["employee", "maternity"],
        "institution_level": 0,
        "diagnoses": [{"code": "I10", "main": True}],
        "operations": [{"code": "36.07"}],
        "lines": [{"id": "R1", "quantity": Decimal("0.10"), "amount_fen": 0, "days": 7, "long_order": False}],
    },
    "other_encounters": [{"id": "M0", "lines": [{"id": "R0"}]}],
}


def sent(given: object, read: object) -> bool:
    """Whether everything of one body is in another."""
    if isinstance(given, dict):
        return isinstance(read, dict) and all(sent(value, read.get(name)) for name, value in given.items())
    if isinstance(given, list):
        return isinstance(read, list | tuple) and len(given) == len(read) and all(map(sent, given, read))
    return str(given) == str(read)


def test_a_body_goes_over_the_wire_unchanged() -> None:
    """Quantities keep their digits."""
    read = wire.body_of(pb.CheckRequest.FromString(wire_client.request_of(BODY).SerializeToString()))
    assert sent(BODY, read)
    assert read["encounter"]["lines"][0]["quantity"] == "0.10"


def test_a_number_its_field_cannot_carry_goes_along_as_a_fact() -> None:
    """So that the sidecar can say what is wrong with it."""
    body = {"encounter": {"institution_level": "三级", "lines": [{"days": "7", "amount_fen": "12.5"}]}}
    read = wire.body_of(wire_client.request_of(body))
    assert read["encounter"]["facts"] == {"encounter.institution_level": "三级"}
    assert read["encounter"]["lines"][0]["days"] == 7
    assert read["encounter"]["lines"][0]["facts"] == {"line.amount_fen": "12.5"}


def test_everything_wrong_with_a_body_is_told_at_once() -> None:
    """Each with its path, an unknown name with the nearest known one."""
    body = {
        "encuonter": {},
        "patient": [],
        "national_body": "x",
        "encounter": {"lines": 1, "diagnoses": ["I10"], "id": {}, "facts": 1},
        "other_encounters": [{"lines": [{"qantity": 1, "current": "maybe"}]}],
    }
    with pytest.raises(RequestError) as caught:
        wire_client.request_of(body)
    found = {problem.field: problem.message for problem in caught.value.fields}
    assert set(found) == {
        "encuonter",
        "patient",
        "national_body",
        "encounter.lines",
        "encounter.diagnoses[0]",
        "encounter.id",
        "encounter.facts",
        "other_encounters[0].lines[0].qantity",
        "other_encounters[0].lines[0].current",
    }
    assert "did you mean `encounter`" in found["encuonter"]


def test_of_very_many_problems_the_first_hundred_are_told() -> None:
    """A misspelt name in every line is one mistake."""
    with pytest.raises(RequestError) as caught:
        wire_client.request_of({"encounter": {"lines": [{"nmae": "x"}] * 20_000}})
    assert len(caught.value.fields) == 100


def test_bytes_that_are_no_message_are_the_callers_fault() -> None:
    """They are refused, naming the request."""
    with pytest.raises(RequestError) as caught:
        wire.parse(b"\xff\xff\xff")
    assert [problem.field for problem in caught.value.fields] == ["request"]


def test_lines_of_all_encounters_count_against_the_limit() -> None:
    """20,000 pass, one more is refused, naming the lines."""
    encounter = pb.Encounter(lines=[pb.Line()] * 10_000)
    request = pb.CheckRequest(encounter=encounter, other_encounters=[encounter])
    assert len(wire.parse(request.SerializeToString()).encounter.lines) == 10_000
    request.encounter.lines.add()
    with pytest.raises(LimitError) as caught:
        wire.parse(request.SerializeToString())
    assert [problem.field for problem in caught.value.fields] == ["encounter.lines"]
