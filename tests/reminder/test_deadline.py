"""A caller whose time is up gets what is known, by every face, and the entry is derived again equal."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import pytest

from reminder import wire_client
from reminder.callers import Caller
from reminder.deciding import SHARES, Clock
from reminder.journal.rederive import rederive
from reminder.recording import NOT_TOLD, Came
from reminder.service import Service
from reminder.v1 import reminder_pb2 as pb
from tests.national.asking import call
from tests.reminder.bodies import encoded, national_body, own_body
from tests.reminder.sidecar import NOW, Running, ask, post, running, stub
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from negative_list.decision import Decision
    from negative_list.hurry import Part
    from negative_list.prescription import Prescription


class Hurried(Service):
    """Its callers wait for a microsecond, which is what each look at the clock of the tests takes."""

    async def check(
        self, prescription: Prescription, size_bytes: int = 0, left_s: float | None = None, came: Came = NOT_TOLD
    ) -> Decision:
        """Decided as ever."""
        assert left_s is None or left_s > 0
        return await super().check(prescription, size_bytes, 1e-6, came)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar of such callers."""
    with running(tmp_path_factory.mktemp("sidecar"), Hurried) as sidecar:
        yield sidecar


def test_the_answer_leaves_and_names_what_was_not_evaluated(here: Running) -> None:
    """By gRPC: each rule with its lines and the reason, a note, a metric; nobody is told of a pass that was none."""
    answer = ask(here, wire_client.request_of(own_body()))
    assert answer.decision == pb.ACTION_PASS
    assert [(one.rule_id, one.reason, list(one.lines)) for one in answer.not_evaluated] == [
        ("R12-level", pb.NOT_EVALUATED_REASON_DEADLINE, ["R1"]),
        ("R67-men", pb.NOT_EVALUATED_REASON_DEADLINE, ["R1"]),
    ]
    assert [note.code for note in answer.notes] == ["deadline"]
    metrics = here.service.metrics.text().decode().splitlines()
    counted = next(line for line in metrics if line.startswith('reminder_not_evaluated_total{reason="deadline"}'))
    assert float(counted.split()[-1]) >= 2


class Waited(Service):
    """Remembers how long its callers were said to wait."""

    waited: float | None = None

    async def check(
        self, prescription: Prescription, size_bytes: int = 0, left_s: float | None = None, came: Came = NOT_TOLD
    ) -> Decision:
        """Decided as ever, without haste."""
        self.waited = left_s
        return await super().check(prescription, size_bytes, None, came)


def test_by_http_nobody_is_thought_to_wait_for_ever(tmp_path: Path) -> None:
    """Clients that say nothing give up after ten seconds; what is said counts, be it longer; gRPC says all."""
    with running(tmp_path, Waited, http_deadline_ms=9000.0) as sidecar:
        service = sidecar.service
        assert isinstance(service, Waited)
        call(sidecar, national_body())
        assert service.waited is not None
        assert 0 < service.waited <= 9
        call(sidecar, national_body(), headers={"reminder-deadline-ms": "90000"})
        assert 9 < service.waited <= 90
        with stub(sidecar.at("grpc")) as check:
            check(wire_client.request_of(own_body()))
        assert service.waited is None


def test_the_national_face_says_so_too(here: Running) -> None:
    """In the fields beside those of the interface."""
    _, reply = post(here, encoded(national_body()))
    assert [(one["rule_id"], one["reason"]) for one in reply["output"]["not_evaluated"]] == [
        ("R12-level", "deadline"),
        ("R67-men", "deadline"),
    ]


@pytest.mark.parametrize(
    ("on_failure", "infcode", "names"), [("error", -1, []), ("row", 0, ["未全部检查"]), ("open", 0, [])]
)
def test_an_old_client_never_takes_it_for_a_pass(
    on_failure: Literal["error", "row", "open"], infcode: int, names: list[str], tmp_path: Path
) -> None:
    """It reads the number and the list alone, so that what was left out is told as its caller wants it, and counted."""
    with running(tmp_path, Hurried, callers=(Caller(name="his", on_failure=on_failure),)) as sidecar:
        reply = call(sidecar, national_body(), headers={"reminder-caller": "his"})
        text = sidecar.service.metrics.text().decode()
    assert reply["infcode"] == infcode
    assert ("2 条规则未能在时限内检查" in reply["err_msg"]) == (infcode == -1)
    assert [row["rule_name"] for row in reply["output"]["result"]] == names
    assert reply["output"]["not_checked"]["reason"] == "deadline"
    assert f'reminder_unchecked_total{{face="3101",reason="deadline",told="{on_failure}"}} 1.0' in text


def test_what_was_left_out_is_journaled_and_derived_again(here: Running) -> None:
    """The entries, written when they could be, say where the time was up."""
    journal = here.service.journal
    assert journal is not None
    ask(here, wire_client.request_of(own_body()))
    end = time.monotonic() + LONG_S
    while journal.waiting and time.monotonic() < end:
        time.sleep(0.01)
    day = timedelta(days=1)
    told = here.await_(journal.ask(lambda store: rederive(store, NOW - day, NOW + day), LONG_S))
    assert told.counts["derived"] >= 1
    assert [outcome for outcome, times in told.counts.items() if times] == ["derived"]


# -- the clock


def ticks(*at_us: int) -> Clock:
    """A clock of a caller who waits for 1,000 us, begun at 0 and looked at at those instants."""
    looks = iter([0, *at_us])
    return Clock(lambda: next(looks) * 1000, 0.001)


@pytest.mark.parametrize("part", SHARES)
def test_each_part_has_its_share_of_what_is_left_to_decide(part: Part) -> None:
    """Of 1,000 us 100 were gone at the first look, and as much is kept for writing and sending: 800 are to decide."""
    until = 100 + round(800 * SHARES[part])
    halt = ticks(100, until - 1, until).halt()
    assert halt is not None
    assert [halt.over("judged", 0), halt.over(part, 32), halt.over(part, 64)] == [False, False, True]


def test_who_waits_is_never_late_and_who_is_gone_always() -> None:
    """No deadline, no halt; one that has passed when the lines were gone through leaves no time to judge."""
    assert Clock(lambda: 0, None).halt() is None
    halt = ticks(600).halt()
    assert halt is not None
    assert halt.over("judged", 0)
