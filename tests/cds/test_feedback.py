"""What doctors do with cards becomes feedback on findings, also long after and in another process."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from reminder.cds.cards import REASONS
from reminder.cds.ids import card_uuid, moment_of, suggestion_uuid
from reminder.ids import decision_id
from reminder.journal.coding import decode
from reminder.journal.entries import Feedback
from tests.cds.asking import Answer, ask, cards_of, finding_of, send, sign
from tests.cds.bodies import SIGN, WOMEN, carried, hook_body, order
from tests.reminder.sidecar import NOW, Running, running
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BEGIN, END = NOW - timedelta(days=1), NOW + timedelta(days=1)
AT = {"outcomeTimestamp": "2026-01-01T01:00:00Z"}
WOMENS = {"medicationCodeableConcept": {"coding": [{"code": WOMEN}]}}
NINE: dict[str, Any] = WOMENS | {
    "dispenseRequest": {"quantity": {"value": 9}},
    "extension": carried(unit_price_fen=1000),
}


_VISIT = count(1)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar for the tests that only ask it, each about a visit of its own."""
    with running(tmp_path_factory.mktemp("sidecar")) as sidecar:
        yield sidecar


@pytest.fixture
def visit() -> str:
    """A visit of the test's own."""
    return f"V{next(_VISIT)}"


def body_of(visit: str, *orders: dict[str, Any]) -> dict[str, Any]:
    """A request of that visit."""
    return hook_body(*orders, context={"encounterId": visit})


def tell(here: Running, *items: dict[str, Any]) -> Answer:
    """Feedback on cards."""
    return send(here, "POST", f"{SIGN}/feedback", {"feedback": [AT | item for item in items]})


def statuses(answer: Answer) -> list[str]:
    """What became of each item."""
    assert answer.status == 200, answer
    return [item["status"] for item in answer["extension"]["reminder.v1.feedback"]["items"]]


def words(here: Running, card: dict[str, Any]) -> list[Feedback]:
    """What the journal has of a card's finding."""
    journal = here.service.journal
    assert journal is not None
    rows = here.await_(journal.ask(lambda store: list(store.period(BEGIN, END, ("feedback",))), LONG_S))
    told = [decode(row.body) for row in rows]
    known = [word for word in told if isinstance(word, Feedback)]
    return [word for word in known if word.finding_id == finding_of(card)["finding_id"]]


def overridden(card: dict[str, Any], code: str = "", comment: str = "") -> dict[str, Any]:
    """A card that was overridden for a reason."""
    reason = {"reason": {"code": code, "system": REASONS}} if code else {}
    told = reason | ({"userComment": comment} if comment else {})
    return {"card": card["uuid"], "outcome": "overridden"} | ({"overrideReason": told} if told else {})


def accepted(card: dict[str, Any], place: int = 0) -> dict[str, Any]:
    """A card of which a suggestion was accepted."""
    return {
        "card": card["uuid"],
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": card["suggestions"][place]["uuid"]}],
    }


@pytest.mark.parametrize(("place", "done"), [(0, "changed"), (1, "self_paid")])
def test_accepting_is_what_the_suggestion_does(here: Running, visit: str, place: int, done: str) -> None:
    """Known by its id."""
    (card,) = cards_of(sign(here, body_of(visit, order(**NINE))))
    assert statuses(tell(here, accepted(card, place))) == ["kept"]
    assert [(word.done, word.face, word.known) for word in words(here, card)] == [(done, "cds", True)]


def test_dropping_a_draft_is_withdrawing_it(here: Running, visit: str) -> None:
    """The block's suggestion."""
    (card,) = cards_of(sign(here, body_of(visit)))
    tell(here, accepted(card))
    assert [word.done for word in words(here, card)] == ["withdrawn"]


@pytest.mark.parametrize(
    ("code", "comment", "done", "kept"),
    [
        ("emergency", "", "exited", "emergency"),
        ("", "患者正在抢救", "exited", "other"),
        ("", "", "overridden", ""),
        ("patient_pays", "", "self_paid", "patient_pays"),
        ("wrong_rule", "", "exited", "wrong_rule"),
    ],
)
def test_going_on_in_spite_of_a_block_takes_a_reason(
    here: Running, visit: str, code: str, comment: str, done: str, kept: str
) -> None:
    """With one it is the emergency exit; without, the block stands."""
    (card,) = cards_of(sign(here, body_of(visit)))
    tell(here, overridden(card, code, comment))
    ((word),) = words(here, card)
    assert (word.done, word.reason_code) == (done, kept)
    (again,) = cards_of(sign(here, body_of(visit)))
    assert again["indicator"] == ("warning" if done == "exited" else "critical")


@pytest.mark.parametrize(
    ("code", "done"), [("emergency", "overridden"), ("wrong_rule", "wrong_rule"), ("", "overridden")]
)
def test_going_on_in_spite_of_a_warning(here: Running, visit: str, code: str, done: str) -> None:
    """“This rule is wrong” is a word of its own."""
    (card,) = cards_of(sign(here, body_of(visit, order(**NINE))))
    tell(here, overridden(card, code))
    assert [word.done for word in words(here, card)] == [done]


def test_a_batch_of_several_calls_is_told_in_one(here: Running, visit: str) -> None:
    """Each about its own card."""
    (block,) = cards_of(sign(here, body_of(visit)))
    (warning,) = cards_of(sign(here, body_of(visit, order(**NINE))))
    assert statuses(tell(here, overridden(block, "emergency"), accepted(warning))) == ["kept", "kept"]


def test_the_same_word_again_is_no_second_one(here: Running, visit: str) -> None:
    """By card, outcome and time; the last outcome stands, and all are kept."""
    (card,) = cards_of(sign(here, body_of(visit)))
    assert statuses(tell(here, overridden(card, "emergency"))) == ["kept"]
    assert statuses(tell(here, overridden(card, "emergency"))) == ["repeated"]
    later = accepted(card) | {"outcomeTimestamp": "2026-01-01T00:59:00Z"}
    assert statuses(tell(here, later)) == ["kept"]
    assert len(words(here, card)) == 3


def test_a_card_is_known_after_a_restart(tmp_path: Path, visit: str) -> None:
    """Found in the journal by the moment in its id."""
    with running(tmp_path) as before:
        (card,) = cards_of(sign(before, body_of(visit)))
    with running(tmp_path) as after:
        assert statuses(tell(after, accepted(card))) == ["kept"]
        assert [(word.known, word.done, word.rule_id) for word in words(after, card)] == [
            (True, "withdrawn", "R67-men")
        ]


@pytest.mark.parametrize("card", [str(UUID(int=7, version=4)), "not a uuid", "f" * 32, card_uuid("nobody's")])
def test_a_card_nobody_knows_is_kept_as_told(here: Running, visit: str, card: str) -> None:
    """And the client hears that it is unknown."""
    answer = tell(here, {"card": card, "outcome": "accepted"})
    assert statuses(answer) == ["unknown_finding"]


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"outcome": "accepted"}, "card"),
        ({"card": "x" * 65, "outcome": "accepted"}, "card"),
        ({"card": "x"}, "outcome"),
        ({"card": "x", "outcome": "ignored"}, "outcome"),
        ({"card": {"a": 1}, "outcome": "accepted"}, "card"),
    ],
)
def test_an_item_that_cannot_be_read_costs_no_other(
    here: Running, visit: str, item: dict[str, Any], field: str
) -> None:
    """Alone it is refused; among others it is named."""
    (card,) = cards_of(sign(here, body_of(visit)))
    alone = send(here, "POST", f"{SIGN}/feedback", {"feedback": [item]})
    assert (alone.status, alone["issue"][0]["expression"]) == (400, [f"feedback[0].{field}"])
    both = tell(here, overridden(card, "emergency"), item)
    assert statuses(both) == ["kept"]
    assert both["extension"]["reminder.v1.feedback"]["problems"][0]["field"] == f"feedback[1].{field}"


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"{}", b'{"feedback":[]}', b'{"feedback":7}', b'{"feedback":[7]}'], ids=repr
)
def test_what_is_no_feedback_is_refused(here: Running, visit: str, body: bytes) -> None:
    """With an OperationOutcome."""
    answer = send(here, "POST", f"{SIGN}/feedback", body)
    assert (answer.status, answer["resourceType"]) == (400, "OperationOutcome")


def test_too_much_is_too_much(here: Running, visit: str) -> None:
    """A thousand items are one request."""
    item = {"card": "x", "outcome": "accepted"}
    assert send(here, "POST", f"{SIGN}/feedback", {"feedback": [item] * 1001}).status == 413


def test_one_item_alone_stands_for_a_list(here: Running, visit: str) -> None:
    """As everywhere; a time that cannot be read is now, and said."""
    (card,) = cards_of(sign(here, body_of(visit)))
    item = accepted(card) | {"outcomeTimestamp": "soon"}
    answer = send(here, "POST", f"{SIGN}/feedback", {"feedback": item})
    assert statuses(answer) == ["kept"]
    assert answer["extension"]["reminder.v1.feedback"]["problems"][0]["field"] == "feedback[0].outcomeTimestamp"


def test_without_a_journal_nothing_is_kept_and_that_is_said(tmp_path: Path, visit: str) -> None:
    """503, and why."""
    with running(tmp_path, journal="off") as here:
        (card,) = cards_of(sign(here, body_of(visit)))
        answer = send(here, "POST", f"{SIGN}/feedback", {"feedback": [accepted(card) | AT]})
        assert (answer.status, "没有开启日志" in answer["issue"][0]["diagnostics"]) == (503, True)


# -- ids


def test_ids_are_uuids_that_tell_their_moment() -> None:
    """Version 8; another finding of the decision has another, and so has each suggestion."""
    finding = decision_id(1_767_229_200_123, 2**79 + 5) + "0123456789"
    ids = [card_uuid(finding), card_uuid(finding[:-1] + "0"), *(suggestion_uuid(finding, n) for n in range(3))]
    assert len(set(ids)) == 5
    assert {(UUID(each).version, UUID(each).variant) for each in ids} == {(8, "specified in RFC 4122")}
    assert {moment.timestamp() for each in ids if (moment := moment_of(each))} == {1_767_229_200.123}


@pytest.mark.parametrize("told", ["", "x", str(UUID(int=2**128 - 1)), str(UUID(int=5, version=4))])
def test_an_id_of_somebody_elses_tells_no_moment(told: str) -> None:
    """Or one so far off that there is no such day."""
    assert moment_of(told) is None


def test_an_answer_given_again_has_the_same_ids(here: Running, visit: str) -> None:
    """A client that sends the same call twice shows the same card."""
    body = body_of(visit)
    assert cards_of(ask(here, body))[0]["uuid"] == cards_of(ask(here, body))[0]["uuid"]
