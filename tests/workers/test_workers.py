"""Two workers answer as one: the same request, what was saved, metrics, the journal, a death, a stop."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from reminder import supervisor, wire_client
from reminder.journal.opening import open_journal
from reminder.run import StartError
from reminder.workers.system import CAN_SHARE
from tests.reminder import remembered
from tests.reminder.bodies import encoded, own_body, own_line, write_list
from tests.stores.desks import LONG_S
from tests.workers.supervised import ANYWHERE, RETRIES, ROOT, Supervised, command, supervised, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reminder.v1 import reminder_pb2 as pb

pytestmark = pytest.mark.skipif(not CAN_SHARE, reason="processes share ports on Linux only")
CHECKS = "reminder_check_seconds_count"
NEVER_BACK = ("reminder_check", "reminder_findings", "reminder_journal_entries")


def request(name: str, quantity: int = 1) -> pb.CheckRequest:
    """A body with an id of its own."""
    return wire_client.request_of(own_body(own_line(quantity=quantity), request_id=name))


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervised]:
    """Two workers for the tests that kill none."""
    folder = tmp_path_factory.mktemp("workers")
    with supervised(folder, "--list", remembered.write_rules(folder)) as both:
        both.folder = folder
        yield both


def test_one_line_says_that_all_serve_and_where(here: Supervised) -> None:
    """Ports that were left to the system are the same for both; the first has administration."""
    until(lambda: len(here.said("worker serves")) == 2)
    each = {line["worker"]: line for line in here.said("worker serves")}
    assert here.serving["workers"] == 2
    assert {each[number]["grpc"] for number in (0, 1)} == {here.serving["grpc"]}
    assert ("admin" in each[0], "admin" in each[1]) == (True, False)
    assert '"serving"' in here.get("/readyz", "admin_http")


def test_the_same_request_to_the_other_worker_is_one_decision(here: Supervised) -> None:
    """Sent after it, sent at once on many connections; another body under the id is noted by either."""
    with contextlib.ExitStack() as stack:
        calls = here.asked(request(""), stack)
        first, second = (calls[number](request("A"), timeout=LONG_S) for number in (0, 1))
        assert second == first
        for name in ("B", "C", "D"):
            sent = [calls[number % 2].future(request(name), timeout=LONG_S) for number in range(6)]
            assert len({answer.result().decision_id for answer in sent}) == 1
        other = calls[1](request("A", quantity=2), timeout=LONG_S)
        assert [note.code for note in other.notes] == ["request_id_reused"]


def test_what_one_worker_was_told_the_other_knows(here: Supervised) -> None:
    """A prescription saved by either counts in a check of both."""
    told = {"prescription": remembered.body(encounter="M0"), "prescription_id": "RX1", "revision": 1}
    saved = f"http://{here.serving['http']}/reminder.v1.ReminderService/RecordSaved"
    with urllib.request.urlopen(saved, data=encoded(told), timeout=LONG_S) as response:
        assert b'"stored":true' in response.read()
    with contextlib.ExitStack() as stack:
        calls = here.asked(request(""), stack)
        sent = wire_client.request_of(remembered.body())
        answers = [calls[number](sent, timeout=LONG_S) for number in (0, 1)]
    assert [[found.rule_id for found in answer.findings] for answer in answers] == [["R31-weekly"]] * 2


def of_each(metrics: Mapping[str, float]) -> list[float]:
    """The checks of each worker."""
    return [metrics[f'{CHECKS}{{worker="{number}"}}'] for number in (0, 1)]


def test_metrics_are_those_of_all_and_of_each(here: Supervised) -> None:
    """Whichever worker is asked; the board counts a visit once."""
    with contextlib.ExitStack() as stack:
        calls = here.asked(request(""), stack)
        for call in calls.values():
            call(request(""), timeout=LONG_S)
    decided = len(here.said("checked"))
    until(lambda: here.metrics()[CHECKS] >= decided)
    # The log may be behind, and what a worker counted be published between the two looks.
    until(lambda: sum(of_each(here.metrics("?by=worker"))) == here.metrics()[CHECKS])
    each, whole = here.metrics("?by=worker"), here.metrics()
    assert all(of_each(each))
    assert whole["reminder_workers"] == 2
    patients = sum(value for name, value in whole.items() if name.startswith("reminder_board_visits"))
    assert 0 < patients <= 3


def test_a_second_sidecar_is_refused(here: Supervised, tmp_path: Path) -> None:
    """On the same data folder, and on the same ports, with one worker or two."""
    listed = ("--list", write_list(tmp_path))
    folder = subprocess.run(
        command(*ANYWHERE, *listed, "--data", here.folder / "var", "--workers", 2),
        cwd=ROOT, capture_output=True, check=False, timeout=LONG_S, text=True,
    )  # fmt: skip
    assert (folder.returncode, f"is served by process {here.process.pid} already" in folder.stderr) == (1, True)
    for count in (1, 2):
        options = {
            "list": Path(listed[1]), "data": tmp_path / f"var{count}", "grpc": here.serving["grpc"],
            "http": "127.0.0.1:0", "admin": "127.0.0.1:0", "workers": count,
        }  # fmt: skip
        with pytest.raises(StartError, match=r"grpc: cannot listen on .* in use"):
            supervisor.run(None, options)


def test_more_than_one_is_refused_where_ports_cannot_be_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to do instead."""
    monkeypatch.setattr(supervisor, "CAN_SHARE", False)
    with pytest.raises(StartError, match=r"needs Linux; serve with --workers 1"):
        supervisor.run(None, {"list": tmp_path, "data": tmp_path, "workers": 2})


def test_a_killed_worker_is_replaced_and_who_asks_again_sees_nothing(tmp_path: Path) -> None:
    """Either of them, under load; no counter goes backward, its chain goes on, every answer is in the journal."""
    with supervised(tmp_path) as here, ThreadPoolExecutor(4) as threads:
        over: list[bool] = []
        loads = [threads.submit(_ask_on, here, over, client) for client in range(4)]
        for number in (1, 0):
            _kill(here, number)
        until(lambda: here.metrics()["reminder_workers"] == 2)
        assert '"serving"' in here.get("/readyz", "admin_http")
        over.append(True)
        answered = {ident for load in loads for ident in load.result(LONG_S)}
        assert here.stop(signal.SIGTERM) == 0
    journal = open_journal(tmp_path / "var")
    try:
        chains = [head.chain.rpartition("-")[2] for head in journal.heads()]
        assert chains == ["0", "1"]
        assert all(journal.decision(ident) is not None for ident in answered)
    finally:
        journal.close()


def _kill(here: Supervised, number: int) -> None:
    """Kill a worker while it is asked, and wait until there is another."""
    asked = here.metrics()[CHECKS]
    until(lambda: here.metrics()[CHECKS] >= asked + 20)
    before = here.metrics()
    os.kill(here.worker(number), signal.SIGKILL)
    until(lambda: [line["worker"] for line in here.said("worker ended")][-1:] == [number])
    assert _backward(before, here.metrics()) == []
    until(lambda: sum(line["worker"] == number for line in here.said("worker serves")) == 2)


def _backward(before: dict[str, float], after: dict[str, float]) -> list[str]:
    counters = [name for name in before if name.startswith(NEVER_BACK)]
    return [name for name in counters if after[name] < before[name]]


def _ask_on(here: Supervised, over: list[bool], client: int) -> list[str]:
    """Ask without an end, and again what failed; the ids of the answers, none of which may be an error."""
    answered: list[str] = []
    options: tuple[tuple[str, Any], ...] = (("grpc.service_config", RETRIES), ("grpc.initial_reconnect_backoff_ms", 50))
    with here.channel(*options) as call:
        while not over:
            answered.append(call(request(f"L{client}-{len(answered)}"), timeout=LONG_S).decision_id)
    return answered


def test_a_stop_answers_what_is_in_flight(tmp_path: Path) -> None:
    """Whatever was decided was answered; each worker says that it ended, and every line stands whole."""
    with supervised(tmp_path) as here, contextlib.ExitStack() as stack:
        calls = here.asked(request(""), stack)
        sent = [calls[number % 2].future(request(f"S{number}"), timeout=LONG_S) for number in range(16)]
        until(lambda: len(here.said("checked")) >= 4)
        assert here.stop(signal.SIGTERM) == 0
        answered = [answer.result().decision_id for answer in sent if answer.code() is grpc.StatusCode.OK]
        decided = [line["decision_id"] for line in here.said("checked") if line["request_id"]]
        assert sorted(answered) == sorted(decided)
        assert sorted(line["worker"] for line in here.said("stopped")) == [0, 1]


def test_workers_end_with_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    """They answer what is in flight and end; the next start waits for them."""
    with supervised(tmp_path) as here:
        pids = [here.worker(number) for number in (0, 1)]
        here.process.kill()
        here.process.wait(LONG_S)
        with supervised(tmp_path) as again:
            assert again.serving["workers"] == 2
            assert again.stop(signal.SIGINT) == 0
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
        until(lambda: len(here.said("stopped")) == 2)


def test_a_sidecar_of_which_no_worker_can_start_ends_and_says_why(tmp_path: Path) -> None:
    """The first reason is the answer of the command."""
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "chain").write_text("not an id\n", "ascii")
    words = command(*ANYWHERE, "--data", tmp_path / "var", "--workers", 2, "--list", write_list(tmp_path))
    done = subprocess.run(words, cwd=ROOT, capture_output=True, check=False, timeout=LONG_S, text=True)
    assert (done.returncode, "does not hold the id of the data folder" in done.stderr) == (1, True)
