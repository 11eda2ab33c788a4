"""The office's commands beside a sidecar that runs: points reach its checks, and a backup disturbs nobody."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from reminder.cli import app
from reminder.cli_keeping import verified
from reminder.journal.opening import open_journal
from reminder.office.backup import Place, back_up
from reminder.office.restore import restore
from reminder.v1 import reminder_pb2 as pb
from reminder.wire_client import decision_of, request_of
from tests.cases.stories import stories, write_list
from tests.office.decided import DECIDED
from tests.reminder.bodies import own_body
from tests.reminder.remembered import put_facts
from tests.reminder.sidecar import Running, ask, running, stub

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from negative_list.decision import Decision

STORY = stories()["13-suspended-doctor"]
RESCUED = stories()["14-rescue-by-a-suspended-doctor"]


def office(folder: Path, *words: str) -> str:
    """What a command on the sidecar's data folder prints."""
    result = CliRunner().invoke(app, [*words, "--data", str(folder / "var")])
    assert result.exit_code == 0, result.output
    return result.stdout


def decided(here: Running, body: dict[str, object]) -> Decision:
    """What the sidecar decides about the story's body, now."""
    if "infno" not in body:
        return decision_of(ask(here, request_of(body)))
    return decision_of(ask(here, pb.CheckRequest(national_body=json.dumps(body).encode())))


def named(number: int) -> dict[str, object]:
    """The story's body under another id: the same one again would be given the same answer."""
    return STORY.request | {"msgid": f"H430102000012026112010100000{number:02d}"}


def test_the_ledger_suspends_a_doctor_and_a_rescue_is_exempt(tmp_path: Path) -> None:
    """Nine points block what is ordered, voiding them does not; the journal tells why, and neither is a point."""
    policy = tmp_path / "policy.toml"
    policy.write_text(STORY.policy, "utf-8")
    with running(tmp_path, list=write_list(STORY, tmp_path), policy=policy) as here:
        put_facts(here, dict(STORY.told[1].rows[0]) | {"institution_id": "H43010200001"})
        before = decided(here, named(1))
        added = ("points", "add", "D0313", "--points", "9", "--on", "2026-06-30", "--until", "2026-12-31")
        event = office(tmp_path, *added).split()[0]
        suspended = decided(here, named(2))
        told = office(tmp_path, "explain", str(suspended.decision_id))
        put_facts(
            here,
            dict(STORY.told[1].rows[0]) | {"institution_id": "H43010200001", "value": True, "valid_from": "2026-11-20"},
        )
        rescue = decided(here, named(3))
        office(tmp_path, "points", "void", event)
        put_facts(
            here, dict(STORY.told[1].rows[0]) | {"institution_id": "H43010200001", "valid_from": "2026-11-20 01:00:00"}
        )
        after = decided(here, named(4))
    assert (before.findings, [entry.rule_id for entry in before.not_evaluated]) == ((), ["class-E30-doctor"])
    assert [(one.rule_id, one.action) for one in suspended.findings] == [("class-E30-doctor", "block")]
    assert "医保支付资格状态（line.doctor_state） = 暂停  (来源 记分台账)" in told
    assert (rescue.findings, after.findings) == ((), ())
    listed = json.loads(office(tmp_path, "points", "list", "--events", "--format", "json"))
    assert [row["event_id"] for row in listed] == [event]
    office(tmp_path, "journal", "verify")


def test_a_backup_under_load_holds_every_receipt_from_before(tmp_path: Path, databases: Callable[[], str]) -> None:
    """Callers go on throughout; the copy is restored elsewhere, verifies, and has each answer given before it began."""
    database, other = databases(), databases()
    settings: dict[str, Any] = {"store": database} if database else {}
    answers: list[tuple[str, str]] = []
    stop, enough = threading.Event(), threading.Event()

    def call(here: Running, caller: int) -> None:
        with stub(here.at("grpc")) as check:
            number = 0
            while not stop.is_set():
                number += 1
                body = own_body() | {"request_id": f"L{caller}-{number}"}
                response = check(request_of(body), timeout=60)
                if response.journaled:
                    answers.append((response.decision_id, response.receipt))
                if len(answers) >= 40:
                    enough.set()

    with running(tmp_path, **settings) as here:
        callers = [threading.Thread(target=call, args=(here, caller)) for caller in range(3)]
        for thread in callers:
            thread.start()
        try:
            assert enough.wait(60)
            place = Place(data=tmp_path / "var", database=database, checkpoints=tmp_path / "var" / "checkpoints.jsonl")
            before = list(answers)
            back_up(place, tmp_path / "backup.tar", with_keys=True, engine="1.0", now=DECIDED)
        finally:
            stop.set()
            for thread in callers:
                thread.join(60)
    copy = Place(data=tmp_path / "new", database=other, checkpoints=tmp_path / "new" / "checkpoints.jsonl")
    restore(tmp_path / "backup.tar", copy, verified)
    journal = open_journal(copy.data, other)
    rows = {decision_id: journal.decision(decision_id) for decision_id, _ in before}
    journal.close()
    assert len(before) >= 40
    assert [ident for ident, receipt in before if (row := rows[ident]) is None or row.receipt != receipt] == []
    assert len(answers) >= len(before)
