"""The bureau's findings stand behind ours in one reply, which keeps what clients force (reference 3.3)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from reminder.callers import Caller
from reminder.national.replies import encode, reply_of, with_bureau
from tests.reminder.decisions import BARE, FULL, PRESCRIPTION

if TYPE_CHECKING:
    from negative_list.decision import Decision
    from negative_list.rules import Action


def row(jr_id: str, degree: object = "2", amount: object = 1.5) -> dict[str, Any]:
    """A finding of the bureau's."""
    return {"jr_id": jr_id, "sev_deg": degree, "vola_cont": "疑似超量", "vola_amt": amount, "origin": "bureau"}


def output(
    decision: Decision, *rows: dict[str, Any], why: str = "", lowest: Action = "remind", caller: Caller | None = None
) -> dict[str, Any]:
    """What a caller reads."""
    reply = with_bureau(reply_of(decision, PRESCRIPTION), rows, why, lowest)
    told: dict[str, Any] = json.loads(encode(reply, {}, caller or Caller()))["output"]
    return told


def test_both_stand_in_one_list_each_with_its_origin() -> None:
    """Ours first; the decision is ours."""
    told = output(FULL, row("B-1"), row("B-2"))
    assert [each["origin"] for each in told["result"]] == ["reminder"] * 3 + ["bureau"] * 2
    assert told["decision"] == FULL.decision
    assert told["bureau"] == {"asked": True, "findings": 2, "why": ""}


def test_a_bureau_that_did_not_answer_is_named() -> None:
    """In its own field and among the notes; the message stays empty, for a client takes it for a failure."""
    told = output(FULL, why="医保接口未在 800 毫秒内答复")
    assert told["bureau"]["why"] == "医保接口未在 800 毫秒内答复"
    assert told["notes"][-1] == {"code": "bureau", "message": "医保接口未在 800 毫秒内答复"}


BEYOND = [Decimal("1e999999"), Decimal("-1e999999"), Decimal("1e-999999"), Decimal("NaN"), Decimal("Infinity"), 10**40]


@pytest.mark.parametrize("amount", [None, "1.5", "", True, *BEYOND])
def test_an_amount_of_the_bureaus_that_is_no_number_becomes_one(amount: object) -> None:
    """A null makes a client's whole parse fail (S6), a number no float holds another's."""
    (told,) = output(BARE, row("B-1", amount=amount))["result"]
    assert told["vola_amt"] == 0
    assert not isinstance(told["vola_amt"], bool)


@pytest.mark.parametrize(
    ("lowest", "ids"), [("block", ["B-1"]), ("warn", ["B-1", "B-2"]), ("remind", ["B-1", "B-2", "B-3"])]
)
def test_the_bureaus_degrees_are_held_to_what_the_caller_may_stop_at(lowest: Action, ids: list[str]) -> None:
    """As ours are; how many it found is told all the same."""
    told = output(BARE, row("B-1", 1), row("B-2", "高度可疑"), row("B-3", "3"), lowest=lowest)
    assert [each["jr_id"] for each in told["result"]] == ids
    assert told["bureau"]["findings"] == 3


def test_a_client_of_one_object_gets_the_gravest_of_both() -> None:
    """A clear violation of the bureau's before a reminder of ours."""
    told = output(BARE, row("B-2", "2"), row("B-1", "1"), caller=Caller(result="object"))
    assert told["result"]["jr_id"] == "B-1"
    assert told["result"]["vola_cont"] == "疑似超量（另有 1 条提示）"
