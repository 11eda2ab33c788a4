"""The client against a stand-in: results for everything that goes wrong, and every word delivered once."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING, Any, Protocol

import grpc
import pytest

from reminder.client import AsyncClient, Client
from reminder.client.messages import CHECK, FEEDBACK, SAVED
from reminder.v1 import reminder_pb2 as pb
from tests.client.standin import StandIn, standing_in
from tests.reminder.bodies import own_body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reminder.client import Checked, Told

    class Made(Protocol):
        """Makes a client of one kind."""

        def __call__(self, target: str, **settings: Any) -> contextlib.AbstractContextManager[Any]:
            """One that asks a target."""


LONG_MS = 60_000.0
FINDING = "01KDZZZZZZ00000000000000090123456789"
WORD = {"finding_id": FINDING, "done": "changed"}


class _Driven:
    """An asynchronous client, driven from a test as the other one is."""

    def __init__(self, client: AsyncClient, runner: asyncio.Runner) -> None:
        self._client = client
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        if name in {"waiting", "resting", "put_aside"}:
            self._runner.run(asyncio.sleep(0.01))  # its task lives while the loop runs
            return getattr(self._client, name)
        return lambda *args, **named: self._runner.run(getattr(self._client, name)(*args, **named))


@contextlib.contextmanager
def _driven(target: str, **settings: Any) -> Iterator[_Driven]:
    async def made() -> AsyncClient:
        return await AsyncClient(target, **settings).__aenter__()

    with asyncio.Runner() as runner:
        client = runner.run(made())
        try:
            yield _Driven(client, runner)
        finally:
            runner.run(client.close())


@pytest.fixture(params=["sync", "async"])
def make(request: pytest.FixtureRequest) -> Made:
    """Makes clients of one kind; they wait a minute unless told otherwise."""
    kind: Any = Client if request.param == "sync" else _driven
    return lambda target, **settings: kind(target, **({"deadline_ms": LONG_MS} | settings))


@pytest.fixture
def here() -> Iterator[StandIn]:
    """A stand-in that listens."""
    with standing_in() as one:
        yield one


def until(true: Callable[[], object]) -> None:
    """Wait for something to be so."""
    ends = time.monotonic() + 60
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_an_answer_is_the_decision(make: Made, here: StandIn) -> None:
    """With all the sidecar tells of it; and the sidecar hears who asks."""
    with make(here.target, caller="ward") as client:
        told: Checked = client.check(own_body())
    assert (told.decision, told.checked, told.blocked, told.why) == ("pass", True, False, "")
    assert told.decided is not None
    assert here.metadata[0]["reminder-caller"] == "ward"


def test_an_answer_cut_short_by_the_deadline_says_so(make: Made, here: StandIn) -> None:
    """It is a decision, about what was looked at."""
    cut = pb.NotEvaluated(rule_id="R1", reason=pb.NOT_EVALUATED_REASON_DEADLINE)
    with make(here.target) as client:
        assert client.check(own_body()).whole
        here.answers[CHECK] = lambda _request: pb.CheckResponse(decision=pb.ACTION_PASS, not_evaluated=[cut])
        told = client.check(own_body())
        assert (told.checked, told.whole, told.decision) == (True, False, "pass")
        here.stop()
        assert not client.check(own_body()).whole


@pytest.mark.parametrize(
    ("body", "field"),
    [(b"{", "body"), ("[]", "body"), ({"patiant": {}}, "patiant"), ({"patient": 1}, "patient")],
    ids=["half", "list", "misspelt", "number"],
)
def test_a_body_that_cannot_be_read_is_not_checked_and_named(make: Made, here: StandIn, body: Any, field: str) -> None:
    """Without asking anybody, and without an exception."""
    with make(here.target) as client:
        told = client.check(body)
        assert (told.decision, told.why, told.checked, told.problems[0].field) == (
            "not_checked",
            "refused",
            False,
            field,
        )
        assert client.check(own_body()).decision == "pass"
    assert len(here.of(CHECK)) == 1


def test_a_mistake_of_the_program_is_not_checked_either(make: Made, here: StandIn) -> None:
    """Nothing that is handed in raises."""
    with make(here.target) as client:
        assert (client.check(None).why, client.record_feedback(None).state) == ("failed", "lost")


def test_nobody_there_is_said_and_later_callers_are_not_held_up(make: Made, here: StandIn) -> None:
    """The breaker opens at the first, and closes when the sidecar is back."""
    with make(here.target) as client:
        here.stop()
        first, second = client.check(own_body()), client.check(own_body())
        assert (first.decision, first.why, second.why) == ("not_checked", "away", "resting")
        assert client.resting
        here.start()
        until(lambda: not client.resting)
        assert client.check(own_body()).decision == "pass"


def test_a_sidecar_that_does_not_say_it_serves_is_left_alone(make: Made, here: StandIn) -> None:
    """Listening is not serving."""
    with make(here.target) as client:
        here.stop()
        client.check(own_body())
        here.serves = False
        here.start()
        until(lambda: client.resting and len(here.metadata) > 1)
        assert client.check(own_body()).why == "resting"
        here.serves = True
        until(lambda: not client.resting)


def test_no_call_waits_past_its_deadline(make: Made, here: StandIn) -> None:
    """What is not answered in time is not checked; three times, and the breaker opens."""
    here.answers[CHECK] = here.hold
    with make(here.target, deadline_ms=50) as client:
        told = [client.check(own_body()) for _ in range(4)]
        assert [one.why for one in told] == ["deadline"] * 3 + ["resting"]
        assert (client.check(own_body(), deadline_ms=0).why) in {"deadline", "resting"}


@pytest.mark.parametrize(
    ("code", "why"),
    [(grpc.StatusCode.INTERNAL, "failed"), (grpc.StatusCode.RESOURCE_EXHAUSTED, "busy")],
)
def test_a_sidecar_that_fails_or_is_busy_is_asked_again(make: Made, here: StandIn, code: Any, why: str) -> None:
    """Each caller hears why his own was not checked."""
    here.answers[CHECK] = lambda _request: code
    with make(here.target) as client:
        assert [client.check(own_body()).why for _ in range(5)] == [why] * 5


def test_what_is_told_is_kept_and_its_answer_comes_back(make: Made, here: StandIn) -> None:
    """Nothing waits then."""
    with make(here.target) as client:
        saved: Told = client.record_saved(own_body(), prescription_id="RX1", revision=2)
        heard: Told = client.record_feedback([WORD], doctor_id="D1")
        assert (saved.state, heard.state, client.waiting, heard.items[0].status) == ("kept", "kept", 0, "kept")
    (request,), (words,) = here.of(SAVED), here.of(FEEDBACK)
    assert (request.prescription_id, request.revision, len(request.saved_at)) == ("RX1", 2, 19)
    assert (words.doctor_id, words.items[0].done, len(words.items[0].done_at)) == ("D1", pb.DONE_CHANGED, 19)
    assert words.request_id


def test_a_word_that_cannot_be_used_is_refused_and_does_not_wait(make: Made, here: StandIn) -> None:
    """Every wrong field named."""
    with make(here.target) as client:
        told = client.record_feedback([WORD, WORD | {"done": "chnged"}, {"finding": "x"}])
        assert (told.state, told.safe) == ("refused", False)
        assert [problem.field for problem in told.problems] == ["items[1].done", "items[2].finding"]
        assert client.record_saved({"a": 1}, prescription_id="RX1").problems[0].field == "prescription.a"
        assert client.waiting == 0


def test_what_waits_is_delivered_once_and_in_order_when_the_sidecar_is_back(make: Made, here: StandIn) -> None:
    """With the time it was said at, not that of its delivery."""
    with make(here.target) as client:
        here.stop()
        told = [client.record_saved(own_body(), prescription_id=f"RX{number}") for number in range(5)]
        told.append(client.record_feedback([WORD]))
        assert {(one.state, one.safe) for one in told} == {("waiting", True)}
        here.start()
        assert client.deliver(60)
        assert [one.prescription_id for one in here.of(SAVED)] == [f"RX{number}" for number in range(5)]
        assert len(here.of(FEEDBACK)) == 1


def test_what_waits_in_a_folder_is_delivered_by_the_next_process(make: Made, here: StandIn, tmp_path: Path) -> None:
    """Without being asked to."""
    with make(here.target, folder=tmp_path) as client:
        here.stop()
        assert client.record_saved(own_body(), prescription_id="RX1").state == "waiting"
    here.start()
    with make(here.target, folder=tmp_path) as client:
        until(lambda: not client.waiting)
    assert len(here.of(SAVED)) == 1


def test_a_damaged_folder_stands_in_nobodys_way(make: Made, here: StandIn, tmp_path: Path) -> None:
    """The client begins, checks, tells, and says that nothing outlives it."""
    (tmp_path / "waiting.sqlite").write_bytes(b"no database at all" * 999)
    with make(here.target, folder=tmp_path) as client:
        assert client.folder_problem
        assert client.check(own_body()).decided is not None
        assert client.record_saved(own_body(), prescription_id="RX1").state == "kept"


def test_feedback_the_sidecar_has_not_on_disk_yet_is_sent_again(make: Made, here: StandIn) -> None:
    """The very same words under the same request id, which it knows again."""
    answers = iter([False, True])

    def journaled(_request: Any) -> pb.RecordFeedbackResponse:
        return pb.RecordFeedbackResponse(journaled=next(answers))

    here.answers[FEEDBACK] = journaled
    with make(here.target) as client:
        assert client.record_feedback([WORD]).state == "waiting"
        assert client.deliver(60)
    first, second = here.of(FEEDBACK)
    assert first == second


def test_what_the_sidecar_will_never_take_holds_up_nobody(make: Made, here: StandIn) -> None:
    """It is put aside: at once where that is certain, after some tries where the sidecar fails at it."""
    codes = {"RX1": grpc.StatusCode.FAILED_PRECONDITION, "RX2": grpc.StatusCode.INTERNAL}

    def saved(request: pb.RecordSavedRequest) -> Any:
        return codes.get(request.prescription_id, pb.RecordSavedResponse(stored=True))

    here.answers[SAVED] = saved
    with make(here.target) as client:
        here.stop()
        for number in range(1, 4):
            client.record_saved(own_body(), prescription_id=f"RX{number}")
        here.start()
        ends = time.monotonic() + 60
        while client.waiting and time.monotonic() < ends:
            client.deliver(0.2)
        assert (client.waiting, client.put_aside) == (0, 2)


def test_a_full_spool_says_that_a_word_is_lost(make: Made, here: StandIn) -> None:
    """Whoever told it has to know."""
    with make(here.target, most_waiting=1) as client:
        here.stop()
        told = [client.record_saved(own_body(), prescription_id=f"RX{number}") for number in range(2)]
        assert [(one.state, one.safe) for one in told] == [("waiting", True), ("lost", False)]


def test_a_disk_that_is_busy_keeps_no_caller_past_the_deadline(make: Made, here: StandIn, tmp_path: Path) -> None:
    """The word is written down behind the caller, who is told that it was not yet."""
    with make(here.target, folder=tmp_path, deadline_ms=100) as client:
        here.stop()
        client.check(own_body())
        with contextlib.closing(sqlite3.connect(tmp_path / "waiting.sqlite", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            told = client.record_saved(own_body(), prescription_id="RX1")
            other.execute("COMMIT")
        assert (told.state, told.text.endswith("(not written down yet)")) == ("waiting", True)
        here.start()
        assert client.deliver(60)
        until(lambda: here.of(SAVED))


def test_a_closed_client_raises_nothing(here: StandIn) -> None:
    """A program that ends still saves prescriptions."""
    client = Client(here.target)
    client.close()
    assert client.check(own_body()).why in {"failed", "away"}
    client.close()
