"""A block that was left at one worker, or of which another knows, while the journal cannot be written."""

from __future__ import annotations

import http.client
import json
import sqlite3
from contextlib import ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from reminder.workers.system import CAN_SHARE
from tests.reminder.bodies import encoded, own_body
from tests.stores.desks import LONG_S
from tests.workers.supervised import Supervised, supervised, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not CAN_SHARE, reason="processes share ports on Linux only")

DEADLINE = {"reminder-deadline-ms": "4000"}
"""Half of it is how long an answer waits for its entry before the journal is known to hang."""


class Worker:
    """One worker, over a connection that stays."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection

    def told(self, method: str, body: dict[str, Any]) -> Any:
        """The answer to a call of ReminderService."""
        self._connection.request("POST", f"/reminder.v1.ReminderService/{method}", encoded(body), DEADLINE)
        return json.loads(self._connection.getresponse().read())

    def check(self, **changes: Any) -> Any:
        """The answer about a drug for men for a woman."""
        return self.told("Check", own_body(**changes))

    def leave(self, answer: Any) -> Any:
        """What is said to an emergency exit of the answer's block."""
        (block,) = answer["findings"]
        word = {"finding_id": block["finding_id"], "done": "exited", "reason_code": "emergency", "reason_text": "抢救"}
        return self.told("RecordFeedback", {"request_id": "F1", "doctor_id": "D1", "items": [word]})


def both(here: Supervised, stack: ExitStack) -> tuple[Worker, Worker]:
    """The two workers."""
    host, _, port = here.serving["http"].rpartition(":")
    found: dict[int, Worker] = {}
    while len(found) < 2:
        connection = stack.enter_context(closing(http.client.HTTPConnection(host, int(port), timeout=LONG_S)))
        worker = Worker(connection)
        ident = worker.check()["decision_id"]
        found.setdefault(until(partial(here.who, ident)) - 1, worker)
    return found[0], found[1]


def test_a_block_can_be_left_at_any_worker_while_the_journal_cannot_be_written(tmp_path: Path) -> None:
    """The one that did not answer knows the block, both know the exit; and the end of the encounter ends it at both."""
    with supervised(tmp_path) as here, ExitStack() as stack:
        first, other = both(here, stack)
        store = stack.enter_context(closing(sqlite3.connect(tmp_path / "var" / "journal.sqlite", isolation_level=None)))
        store.execute("BEGIN IMMEDIATE")
        blocked = first.check()
        assert (blocked["decision"], blocked["journaled"]) == ("block", False)
        left = other.leave(blocked)
        assert (left["items"][0]["status"], left["journaled"]) == ("kept", False)
        assert left["items"][0]["exit_until"]
        assert [worker.check()["decision"] for worker in (first, other)] == ["warn", "warn"]
        ending = own_body()
        ending["encounter"]["discharged_at"] = "2026-01-01 10:00:00"
        other.told("Check", ending)
        assert [worker.check()["decision"] for worker in (first, other)] == ["block", "block"]
        store.execute("ROLLBACK")
        until(lambda: first.check()["journaled"] and other.check()["journaled"])
        assert [worker.check()["decision"] for worker in (first, other)] == ["block", "block"]
