"""PolicyService over real sockets: what the office decides is in force when the call returns, journaled, and stays."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import pytest
from typer.testing import CliRunner

from negative_list.policy import parse_policy
from reminder import cli_policy
from reminder.cli import app
from reminder.journal.artifacts import intact
from reminder.journal.coding import decode
from reminder.journal.entries import Changed, Decided
from reminder.journal.opening import open_journal
from reminder.v1 import reminder_pb2 as pb
from tests.releases.roads import answer, listed, rules_with, some_release, trusted
from tests.reminder.bodies import encoded, national_body
from tests.reminder.sidecar import ask, running
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from pathlib import Path

    from google.protobuf.message import Message

    from tests.reminder.sidecar import Running

R = TypeVar("R", bound="Message")
TO_WARN: dict[str, Any] = {"action": pb.ACTION_WARN, "who": "王办", "why": "误拦核查"}
BARS_MEN = "R67-men"
EVER, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def call(here: Running, method: str, request: Message, response: type[R]) -> R:
    """What PolicyService answers."""
    with grpc.insecure_channel(here.at("admin")) as channel:
        asked: grpc.UnaryUnaryMultiCallable[Message, R] = channel.unary_unary(
            f"/reminder.v1.PolicyService/{method}",
            request_serializer=lambda sent: sent.SerializeToString(),
            response_deserializer=response.FromString,
        )
        told: R = asked(request, timeout=LONG_S)
        return told


def set_(here: Running, **asked: Any) -> pb.PolicyChanged:
    """Set a row."""
    return call(here, "SetPolicy", pb.SetPolicyRequest(**(TO_WARN | asked)), pb.SetPolicyResponse).changed


def shown(here: Running, **asked: str) -> pb.ShowPolicyResponse:
    """What is in force."""
    return call(here, "ShowPolicy", pb.ShowPolicyRequest(**asked), pb.ShowPolicyResponse)


def changes(folder: Path) -> list[Changed]:
    """The changes of policy in the journal, each naming a policy that was kept."""
    with closing(open_journal(folder / "var", "")) as store:
        found = [decode(row.body) for row in store.period(EVER, LAST, ("policy",), none_damaged)]
        told = [entry for entry in found if isinstance(entry, Changed)]
        assert all(intact(store, entry.digest) is not None for entry in told)
        return told


def none_damaged(_row: object) -> None:
    """No row is damaged."""
    raise AssertionError("a row of the journal is damaged")


@pytest.mark.parametrize("selector", [{"rule_id": BARS_MEN}, {"class_id": "R67"}, {"all": True}])
def test_blocks_are_turned_down_before_the_call_returns(tmp_path: Path, selector: dict[str, Any]) -> None:
    """By rule, class and for all; taken back, the block is there again. A restart changes neither."""
    with running(tmp_path) as here:
        assert answer(here)[1] == "block"
        changed = set_(here, **selector)
        assert answer(here)[1] == "warn"
        assert changed.journaled
        assert [(worker.number, worker.policy, worker.problem) for worker in changed.workers] == [
            (0, changed.digest, "")
        ]
        assert set_(here, **selector).digest == changed.digest
    with running(tmp_path) as here:
        assert answer(here)[1] == "warn"
        back = call(
            here, "ClearPolicy", pb.ClearPolicyRequest(**selector, who="王办", why="无误"), pb.ClearPolicyResponse
        ).changed
        assert (back.before, answer(here)[1]) == (changed.digest, "block")
    told = changes(tmp_path)
    assert [(one.who, one.why, one.detail["what"]) for one in told[:1]] == [("王办", "误拦核查", "set")]
    assert (told[-1].detail["what"], told[-1].digest, told[-1].before) == ("clear", back.digest, changed.digest)


def test_a_block_is_not_repeated_once_the_office_said_otherwise(tmp_path: Path) -> None:
    """Decided anew it is a decision of its own, which is repeated then; after a restart too."""

    def again(running_here: Running) -> tuple[str, str]:
        told = ask(running_here, pb.CheckRequest(national_body=encoded(national_body(msgid="M-9"))))
        return pb.Action.Name(told.decision), told.decision_id

    with running(tmp_path) as here:
        blocked = again(here)
        assert (blocked[0], again(here)) == ("ACTION_BLOCK", blocked)
        set_(here, all=True)
        warned = again(here)
        assert (warned[0], warned[1] != blocked[1], again(here)) == ("ACTION_WARN", True, warned)
    with running(tmp_path) as here:
        assert again(here) == warned
        call(here, "ClearPolicy", pb.ClearPolicyRequest(all=True, who="王办", why="无误"), pb.ClearPolicyResponse)
        assert again(here) == warned  # what was no block stays as it was answered
    with closing(open_journal(tmp_path / "var", "")) as store:
        rows = list(store.period(EVER, LAST, ("decision",), none_damaged))
    assert sorted(row.decision_id for row in rows) == sorted((blocked[1], warned[1]))


def test_a_block_of_before_a_restart_is_not_repeated_either(tmp_path: Path) -> None:
    """The journal says which policy it was made with."""

    def again(running_here: Running) -> str:
        told = ask(running_here, pb.CheckRequest(national_body=encoded(national_body(msgid="M-9"))))
        return pb.Action.Name(told.decision)

    with running(tmp_path) as here:
        assert again(here) == "ACTION_BLOCK"
    with running(tmp_path) as here:
        assert again(here) == "ACTION_BLOCK"
        set_(here, all=True)
        assert again(here) == "ACTION_WARN"


def test_in_shadow_a_finding_is_journaled_and_not_shown(tmp_path: Path) -> None:
    """The caller is answered as if the rule were not there."""
    with running(tmp_path) as here:
        set_(here, rule_id=BARS_MEN, action=pb.ACTION_PASS)
        assert answer(here)[1:] == ("pass", [])
    with closing(open_journal(tmp_path / "var", "")) as store:
        entries = [decode(row.body) for row in store.period(EVER, LAST, ("decision",), none_damaged)]
    found = [one for entry in entries if isinstance(entry, Decided) for one in entry.found]
    assert [(one.rule_id, one.action, one.shown) for one in found] == [(BARS_MEN, "pass", False)]


def test_new_rules_are_confirmed_one_by_one_or_by_class(tmp_path: Path) -> None:
    """They warn at most until then; what was confirmed stays so when the list is taken back and made active again."""
    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        lists = listed(here)
        lists.stage(some_release("2026.1", rules_with(rule_id="R67-new")))
        lists.activate("2026.1")
        assert answer(here)[1] == "warn"
        waiting = shown(here)
        assert [(one.rule_id, one.changed, one.action) for one in waiting.unconfirmed] == [
            ("R67-new", False, pb.ACTION_BLOCK)
        ]
        set_(here, class_id="R67", action=pb.ACTION_REMIND)
        assert [one.action for one in shown(here).unconfirmed] == [pb.ACTION_REMIND]
        call(here, "ClearPolicy", pb.ClearPolicyRequest(class_id="R67", why="w"), pb.ClearPolicyResponse)
        assert (waiting.unconfirmed_count, waiting.unconfirmed_at_most) == (1, pb.ACTION_WARN)
        assert shown(here, class_id="R65").unconfirmed_count == 0
        request = pb.ConfirmRulesRequest(rule_ids=["R67-new"], who="王办", why="已核对")
        done = call(here, "ConfirmRules", request, pb.ConfirmRulesResponse).changed
        assert (done.confirmed, done.journaled, answer(here)[1]) == (1, True, "block")
        lists.rollback()
        lists.activate("2026.1")
        assert (answer(here)[1], shown(here).unconfirmed_count) == ("block", 0)
        lists.stage(some_release("2026.2", rules_with(rule_id="R67-new", 限男性使用="仅限男性使用")))
        lists.activate("2026.2")
        assert [(one.rule_id, one.changed) for one in shown(here).unconfirmed] == [("R67-new", True)]
        assert answer(here)[1] == "warn"
        call(here, "ConfirmRules", pb.ConfirmRulesRequest(class_id="R67", why="已核对"), pb.ConfirmRulesResponse)
        assert answer(here)[1] == "block"
    assert [one.detail["what"] for one in changes(tmp_path) if one.what == "policy"].count("confirm") == 2


def test_a_release_in_shadow_shows_nothing_new_until_it_is_confirmed(tmp_path: Path) -> None:
    """Its new rules are only written down."""
    with running(tmp_path, trust=(trusted(tmp_path),)) as here:
        lists = listed(here)
        lists.stage(some_release("2026.1", rules_with(rule_id="R67-new")))
        lists.activate("2026.1", shadow=True)
        assert answer(here) == ("2026.1", "pass", [])
        assert shown(here).unconfirmed_at_most == pb.ACTION_PASS
        call(here, "ConfirmRules", pb.ConfirmRulesRequest(all=True, why="已核对"), pb.ConfirmRulesResponse)
        assert answer(here)[1] == "block"


def test_what_is_shown_as_toml_is_the_policy_that_decides(tmp_path: Path) -> None:
    """Read back it has the digest that answers name."""
    with running(tmp_path) as here:
        changed = set_(here, class_id="R67", department="A01")
        told = shown(here)
        assert told.digest == changed.digest == here.service.active.policy.digest
        assert parse_policy(told.toml, "shown").digest == told.digest
        assert [(row.class_id, row.department, row.at_most, row.who) for row in told.rows] == [
            ("R67", "A01", True, "王办")
        ]


REFUSED = [
    (pb.SetPolicyRequest(**TO_WARN), "rule_id / class_id / all"),
    (pb.SetPolicyRequest(**TO_WARN, all=True, class_id="R67"), "rule_id / class_id / all"),
    (pb.SetPolicyRequest(**TO_WARN, class_id="R99"), "R01-R88"),
    (pb.SetPolicyRequest(**TO_WARN, rule_id="nobody"), "nobody"),
    (pb.SetPolicyRequest(action=pb.ACTION_WARN, all=True), "say why"),
    (pb.SetPolicyRequest(all=True, why="w"), "give an action"),
]


@pytest.mark.parametrize(("request_", "words"), REFUSED, ids=[f"{n} {words}" for n, (_, words) in enumerate(REFUSED)])
def test_what_cannot_be_meant_is_refused_by_its_field(tmp_path: Path, request_: Message, words: str) -> None:
    """And nothing changes."""
    with running(tmp_path) as here:
        before = here.service.active.policy.digest
        with pytest.raises(grpc.RpcError) as refused:
            call(here, "SetPolicy", request_, pb.SetPolicyResponse)
        error: Any = refused.value
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert words in error.details()
        assert here.service.active.policy.digest == before


def test_clearing_what_was_never_set_is_refused(tmp_path: Path) -> None:
    """With where to see what is."""
    with running(tmp_path) as here, pytest.raises(grpc.RpcError) as refused:
        call(here, "ClearPolicy", pb.ClearPolicyRequest(all=True, why="w"), pb.ClearPolicyResponse)
    error: Any = refused.value
    assert (error.code(), "policy show" in error.details()) == (grpc.StatusCode.FAILED_PRECONDITION, True)


def test_a_command_ends_with_1_where_a_worker_has_not_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A script must not believe that nothing blocks any more."""
    late = pb.WorkerStatus(number=1, policy="old", problem="尚未生效 (has not followed yet)")
    changed = pb.PolicyChanged(digest="new", before="old", workers=[pb.WorkerStatus(policy="new"), late])
    response = pb.SetPolicyResponse(changed=changed)
    monkeypatch.setattr(cli_policy, "_asked", lambda *_asked: response)
    told = CliRunner().invoke(app, ["policy", "set", "--all", "--action", "warn", "--why", "w", "--english"])
    assert (told.exit_code, told.output.splitlines()[0]) == (
        1,
        "written down, but NOT in force everywhere yet (worker 1): policy new",
    )


def test_the_commands_say_what_happened(tmp_path: Path) -> None:
    """Set, shown, refused with 1; 3 where no sidecar answers."""
    run = CliRunner()
    with running(tmp_path) as here:
        at = ["--target", here.at("admin")]
        told = run.invoke(app, ["policy", "set", "--all", "--action", "warn", "--why", "误拦", "--who", "王办", *at])
        assert (told.exit_code, "已生效" in told.output, "进程 0" in told.output) == (0, True, True)
        told = run.invoke(app, ["policy", "show", "--english", *at])
        assert "everything → at most warn" in told.output
        assert "王办) 误拦" in told.output
        told = run.invoke(app, ["policy", "show", "--toml", *at])
        assert parse_policy(told.output, "shown").digest == here.service.active.policy.digest
        told = run.invoke(app, ["policy", "set", "--rule", "nobody", "--action", "warn", "--why", "w", *at])
        assert (told.exit_code, "nobody" in told.output) == (1, True)
        assert run.invoke(app, ["policy", "clear", "--all", "--why", "无误", *at]).exit_code == 0
    assert run.invoke(app, ["policy", "show", *at]).exit_code == 3
