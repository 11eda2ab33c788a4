"""RecordFeedback over real sockets: gRPC and JSON say the same, errors name fields, and checks know what was told."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from reminder.v1 import reminder_pb2 as pb
from reminder.wire_client import request_of
from tests.reminder.around import until
from tests.reminder.bodies import own_body, own_line
from tests.reminder.deciding import ALBUMIN, RULES
from tests.reminder.sidecar import Running, ask, post, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stores.server import Server

METHOD = "/reminder.v1.ReminderService/RecordFeedback"
NOBODYS = "01KDZZZZZZ00000000000000090123456789"
_REQUESTS = count()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar with the list of the tests; its clock stands at 2026-01-01 09:00 in China."""
    with running(tmp_path_factory.mktemp("feedback")) as sidecar:
        yield sidecar


def over_json(here: Running, *items: dict[str, Any], **body: Any) -> tuple[int, dict[str, Any]]:
    """A feedback as JSON: status and answer."""
    return post(here, json.dumps({"items": list(items)} | body, ensure_ascii=False).encode(), METHOD)


def over_grpc(here: Running, request: pb.RecordFeedbackRequest) -> pb.RecordFeedbackResponse:
    """A feedback as a message."""
    with grpc.insecure_channel(here.at("grpc")) as channel:
        call = channel.unary_unary(
            METHOD,
            request_serializer=pb.RecordFeedbackRequest.SerializeToString,
            response_deserializer=pb.RecordFeedbackResponse.FromString,
        )
        response: pb.RecordFeedbackResponse = call(request, timeout=60)
        return response


def check(here: Running, **changes: Any) -> pb.CheckResponse:
    """One check of the usual body: a block on sex. The same request again would be answered as before."""
    return ask(here, request_of(own_body(**({"request_id": f"M{next(_REQUESTS)}"} | changes))))


def visit(name: str, **encounter: Any) -> dict[str, Any]:
    """The encounter of the usual body under another id."""
    return {"encounter": own_body()["encounter"] | {"id": name} | encounter}


def exited(finding_id: str, **fields: Any) -> dict[str, Any]:
    """A block that is left."""
    return {"finding_id": finding_id, "done": "exited", "reason_code": "system_fault"} | fields


def test_both_faces_say_the_same(here: Running) -> None:
    """Each field of one is a field of the other."""
    (first,), (second,) = (check(here, **visit(name)).findings for name in ("J1", "G1"))
    fields = {
        "reason_text": "啊啊啊",
        "fact": "encounter.albumin_g_l",
        "value": {"value": "22", "at": "2026-01-01 08:00:00"},
    }
    status, told = over_json(here, exited(first.finding_id, **fields), doctor_id="D1", institution_id="")
    request = pb.RecordFeedbackRequest(doctor_id="D1")
    item = request.items.add(finding_id=second.finding_id, done=pb.DONE_EXITED, reason_code="system_fault")
    item.reason_text, item.fact = "啊啊啊", "encounter.albumin_g_l"
    item.value.decimal, item.value.found_at = "22", "2026-01-01 08:00:00"
    answered = over_grpc(here, request)
    assert (status, told["journaled"], answered.journaled) == (200, True, True)
    (one,), (other,) = told["items"], answered.items
    assert other.status == pb.FEEDBACK_STATUS_KEPT
    assert (one["status"], one["verdict"], one["exit_until"]) == ("kept", "unknown", "2026-01-02 09:00:00")
    assert (other.verdict, other.exit_until, other.message) == (
        pb.VERDICT_UNKNOWN,
        one["exit_until"],
        one["message"],
    )
    assert one["found"] == {
        "fact": "encounter.albumin_g_l",
        "subject": "encounter",
        "value": "22",
        "unit": "g/L",
        "source": "doctor",
    }
    assert (other.found.value.text, other.found.source, other.found.value.found_at) == ("22", "doctor", one["found_at"])


def test_json_names_every_wrong_field(here: Running) -> None:
    """Status 400, nothing kept."""
    status, answer = over_json(here, {"finding_id": NOBODYS, "done": "overriden"}, {"done": "exited"})
    assert status == 400
    assert [problem["field"] for problem in answer["error"]] == [
        "items[0].done",
        "items[1].finding_id",
        "items[1].reason_code",
    ]


def test_grpc_names_every_wrong_field(here: Running) -> None:
    """INVALID_ARGUMENT with google.rpc.BadRequest."""
    request = pb.RecordFeedbackRequest()
    request.items.add(finding_id=NOBODYS, done=pb.DONE_OVERRIDDEN)
    request.items.add(finding_id=NOBODYS)
    with pytest.raises(grpc.RpcError) as caught:
        over_grpc(here, request)
    status = rpc_status.from_call(cast("grpc.Call", caught.value))  # what a call raises is the call itself
    details = error_details_pb2.BadRequest()
    assert status is not None
    assert status.details[0].Unpack(details)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert [problem.field for problem in details.field_violations] == ["items[0].reason_code", "items[1].done"]


def test_more_than_a_thousand_items_are_refused(here: Running) -> None:
    """As over a limit: the same request will never be answered."""
    items = [{"finding_id": NOBODYS, "done": "changed"}] * 1001
    assert over_json(here, *items)[0] == 413
    request = pb.RecordFeedbackRequest()
    for _ in items:
        request.items.add(finding_id=NOBODYS, done=pb.DONE_CHANGED)
    with pytest.raises(grpc.RpcError) as caught:
        over_grpc(here, request)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_an_id_nobody_knows_is_named(here: Running) -> None:
    """And kept."""
    _, told = over_json(here, {"finding_id": NOBODYS, "done": "changed"})
    assert (told["items"][0]["status"], told["journaled"]) == ("unknown_finding", True)
    assert f"`{NOBODYS}`" in told["items"][0]["message"]


def test_a_block_that_was_left_warns_at_the_next_check(here: Running) -> None:
    """Of that encounter alone, and until it ends."""
    (found,) = check(here, **visit("E1")).findings
    assert (found.action, found.exited) == (pb.ACTION_BLOCK, False)
    over_json(here, exited(found.finding_id))
    (later,), (elsewhere,) = (check(here, **visit(name)).findings for name in ("E1", "E2"))
    assert (later.action, later.exited) == (pb.ACTION_WARN, True)
    assert (elsewhere.action, elsewhere.exited) == (pb.ACTION_BLOCK, False)
    (other_day,) = check(here, **visit("E1", lines=[own_line(begins="2026-01-02 09:00:00")])).findings
    assert other_day.action == pb.ACTION_BLOCK
    (last,) = check(here, **visit("E1", discharged_at="2026-01-01 09:00:00")).findings
    (after,) = check(here, **visit("E1")).findings
    assert (last.action, after.action) == (pb.ACTION_BLOCK, pb.ACTION_BLOCK)


def test_a_saved_discharge_ends_an_exit(here: Running) -> None:
    """As soon as it is in the journal, which is beside the reply."""
    (found,) = check(here, **visit("S1")).findings
    over_json(here, exited(found.finding_id))
    assert check(here, **visit("S1")).decision == pb.ACTION_WARN
    discharged = own_body(request_id="") | visit("S1", discharged_at="2026-01-01 09:00:00")
    saved = {"prescription": discharged, "prescription_id": "RX1", "revision": 1}
    status, _ = post(here, json.dumps(saved, ensure_ascii=False).encode(), METHOD.replace("Feedback", "Saved"))
    assert status == 200
    journal = here.service.journal
    assert journal is not None
    here.await_(until(lambda: not journal.waiting))
    assert check(here, **visit("S1")).decision == pb.ACTION_BLOCK


def test_another_sidecar_of_a_database_and_a_restarted_one_know_of_the_exit(tmp_path: Path, server: Server) -> None:
    """What they share is the journal; a data folder without a database is one sidecar's alone."""
    for dsn in server.database():
        with running(tmp_path, store=dsn) as first, running(tmp_path, store=dsn) as second:
            (found,) = check(first).findings
            over_json(first, exited(found.finding_id))
            assert check(second).decision == pb.ACTION_WARN
        with running(tmp_path, store=dsn) as again:
            assert check(again).decision == pb.ACTION_WARN


def test_a_restarted_sidecar_knows_of_the_exit(tmp_path: Path) -> None:
    """It reads at its start which exits hold."""
    with running(tmp_path) as first:
        (found,) = check(first).findings
        over_json(first, exited(found.finding_id))
    with running(tmp_path) as again:
        assert check(again).decision == pb.ACTION_WARN


def test_without_a_journal_nothing_is_promised(tmp_path: Path) -> None:
    """The caller hears that none is kept, on either face, and is not asked to send it again."""
    request = pb.RecordFeedbackRequest()
    request.items.add(finding_id=NOBODYS, done=pb.DONE_CHANGED)
    with running(tmp_path, journal="off") as here:
        status, answer = over_json(here, {"finding_id": NOBODYS, "done": "changed"})
        (told,) = answer["error"]
        assert (status, told["field"], "keeps no journal" in told["message"]) == (503, "sidecar", True)
        assert "do not send it again" in told["message"]
        with pytest.raises(grpc.RpcError) as caught:
            over_grpc(here, request)
        assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.FAILED_PRECONDITION, told["message"])


def test_a_value_told_with_a_feedback_is_known_to_the_next_check(tmp_path: Path) -> None:
    """The rule that asked for it asks no more, and does not hold."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES, encoding="utf-8")
    body = own_body(own_line(code=ALBUMIN), institution_id="H1", request_id="")
    with running(tmp_path, list=rules) as here:
        (asking,) = ask(here, request_of(body)).findings
        assert (asking.unknown, list(asking.needs)) == (True, ["encounter.albumin_g_l"])
        assert asking.reasons[0].fact == "encounter.albumin_g_l"
        low = {"finding_id": asking.finding_id, "done": "overridden", "reason_code": "low"}
        _, told = over_json(here, low | {"fact": "encounter.albumin_g_l", "value": 22})
        assert told["items"][0]["verdict"] == "present"
        assert list(ask(here, request_of(body)).findings) == []


def test_the_log_and_the_metrics_tell_counts_and_no_person(here: Running) -> None:
    """No doctor, no text, no id of the caller's."""
    over_json(
        here,
        {"finding_id": NOBODYS, "done": "overridden", "reason_code": "other", "reason_text": "张三的电话13812345678"},
        doctor_id="D999",
        request_id="M-张三",
    )
    here.await_(until(lambda: any(line["event"] == "feedback" for line in here.logged())))
    lines = [line for line in here.logged() if line["event"] == "feedback"]
    assert {"words", "unknown", "junk", "journaled"} <= lines[-1].keys()
    everything = json.dumps(here.logged(), ensure_ascii=False) + here.service.metrics.text().decode()
    assert [private for private in ("张三", "13812345678", "D999") if private in everything] == []
