"""Messages as our own JSON: there and back, and whatever is sent, either a message or every wrong field named."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negative_list.errors import RequestError
from reminder.v1 import reminder_pb2 as pb
from reminder.wire_json import body_of, message_of

KINDS = (pb.SetPolicyRequest, pb.ConfirmRulesRequest, pb.StatusRequest, pb.ActivateRequest, pb.FindingFeedback)
NAMES = sorted({field.name for kind in KINDS for field in kind.DESCRIPTOR.fields})
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.decimals(),
        st.text(st.characters(), max_size=5),
        st.sampled_from(["warn", "true", "1e9999999999", "9" * 30, ""]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)),
    max_leaves=6,
)


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from([*NAMES, "nothing"]), VALUES, max_size=4))
def test_every_object_is_a_message_or_names_its_fields(kind: type[Any], body: dict[str, Any]) -> None:
    """And what was read says the same again when it is written and read."""
    message, named = _read(body, kind)
    if message is None:
        assert named
    else:
        assert message_of(body_of(message), kind) == message


def _read(body: dict[str, Any], kind: type[Any]) -> tuple[Any, list[str]]:
    """The message, or the fields that were named."""
    try:
        return message_of(body, kind), []
    except RequestError as error:
        return None, [problem.field for problem in error.fields]


def test_a_message_is_written_with_words_numbers_and_nulls() -> None:
    """Names as in the proto, 64 bits as a number, nothing left out."""
    step = pb.Step(step="verify", took_ms=2**53 + 1, release=pb.ReleaseName(version="2026.1"))
    assert body_of(pb.StageResponse(steps=[step], staged=True)) == {
        "release": None,
        "staged": True,
        "known": False,
        "older": False,
        "steps": [
            {
                "at": "",
                "release": {"version": "2026.1", "digest": "", "name": ""},
                "step": "verify",
                "result": "",
                "detail": "",
                "who": "",
                "why": "",
                "took_ms": 2**53 + 1,
            }
        ],
    }
    assert body_of(pb.PolicyRow(action=pb.ACTION_WARN))["action"] == "warn"
    assert body_of(pb.PolicyRow())["action"] == ""


@pytest.mark.parametrize(
    ("value", "steps"), [(5, 5), ("7", 7), (Decimal("5.0"), 5), (Decimal("5e1"), 50), (None, 0), ("-1", -1)]
)
def test_a_whole_number_is_read_however_it_is_written(value: object, steps: int) -> None:
    """Old systems write numbers as texts."""
    assert message_of({"steps": value}, pb.StatusRequest).steps == steps


@pytest.mark.parametrize("value", ["x", True, Decimal("1.5"), Decimal("1e999999999"), Decimal("NaN"), 2**40, [1], {}])
def test_what_is_no_whole_number_is_named(value: object) -> None:
    """Also one that a field of 32 bits cannot hold."""
    with pytest.raises(RequestError) as caught:
        message_of({"steps": value}, pb.StatusRequest)
    assert [problem.field for problem in caught.value.fields] == ["steps"]


@pytest.mark.parametrize(("value", "flag"), [(True, True), (1, True), (" True ", True), ("0", False), ("", False)])
def test_a_flag_is_read_however_it_is_written(value: object, flag: bool) -> None:
    """By its word or its digit."""
    assert message_of({"all": value}, pb.SetPolicyRequest).all is flag


def test_one_value_stands_for_a_list_of_one() -> None:
    """As everywhere."""
    assert list(message_of({"rule_ids": "R1"}, pb.ConfirmRulesRequest).rule_ids) == ["R1"]
