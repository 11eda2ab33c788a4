"""JSON for everyone: each unary call over HTTP, in both encodings, says what gRPC says, and refuses in kind."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.output import FINDING_KEYS, NOT_EVALUATED_KEYS
from reminder import json_rpc
from reminder.encodings import in_kind, told_encoding
from reminder.service import Service
from reminder.v1 import reminder_pb2 as pb
from reminder.wire_client import decision_of, request_of
from tests.reminder.bodies import WOMEN, encoded, national_body, national_order, own_body, own_line
from tests.reminder.sidecar import Running, ask, post, running
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from negative_list.prescription import Prescription

CHECK, SAVED, FEEDBACK = (f"/reminder.v1.ReminderService/{name}" for name in ("Check", "RecordSaved", "RecordFeedback"))


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar with the list of the tests."""
    with running(tmp_path_factory.mktemp("json")) as sidecar:
        yield sidecar


def call(address: str, path: str, body: bytes, **headers: str) -> tuple[int, str, bytes]:
    """One POST: status, content type, bytes."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=LONG_S)
    connection.request(
        "POST", path, body=body, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )
    response = connection.getresponse()
    try:
        return response.status, response.getheader("content-type") or "", response.read()
    finally:
        connection.close()


def told(here: Running, path: str, body: Any) -> tuple[int, dict[str, Any]]:
    """One POST of plain values to the callers' address."""
    return post(here, json.dumps(body, ensure_ascii=False).encode(), path)


# --- every method -----------------------------------------------------------------------------------------------------


def test_every_unary_method_has_a_route_on_the_address_of_its_service(here: Running) -> None:
    """And nothing that streams has one; callers reach none of administration."""
    wanted = {
        (name, f"/reminder.v1.{name}/{method.name}")
        for name, service in pb.DESCRIPTOR.services_by_name.items()
        for method in service.methods
        if not (method.client_streaming or method.server_streaming)
    }
    callers = {route.path for route in json_rpc.routes(here.service)}
    office = {route.path for route in json_rpc.admin_routes(here.service)}
    assert callers == {path for name, path in wanted if name == "ReminderService"}
    assert office == {path for name, path in wanted if name != "ReminderService"}
    assert len(callers) + len(office) == 10


# --- Check ------------------------------------------------------------------------------------------------------------

BODIES = {
    "block": own_body(),
    "block and two others": own_body(own_line(), own_line("R2", code=WOMEN, quantity=5), level=1),
    "unknown": own_body(own_line(code=WOMEN, quantity=1), level=None),
    "nothing": own_body(own_line(code="XA01")),
}


@pytest.mark.parametrize("name", BODIES)
def test_json_says_what_grpc_says(here: Running, name: str) -> None:
    """All of it: the message, read back, is the same decision but for its own id."""
    body = BODIES[name] | {"request_id": ""}
    status, answer = told(here, CHECK, body)
    other = json.loads(json_rpc.decided_json(decision_of(ask(here, request_of(body)))))
    assert status == 200
    for one in (answer, other):
        del one["decision_id"], one["receipt"], one["elapsed_us"]
        for finding in one["findings"]:
            del finding["finding_id"]
    assert answer == other


def test_an_answer_has_every_key_that_check_prints(here: Running) -> None:
    """Whoever reads one can read the other."""
    _, answer = told(here, CHECK, BODIES["block and two others"])
    assert [finding["action"] for finding in answer["findings"]] == ["block", "warn", "remind", "remind"]
    for finding in answer["findings"]:
        assert set(FINDING_KEYS) <= finding.keys()
    _, unknown = told(here, CHECK, BODIES["unknown"])
    assert set(NOT_EVALUATED_KEYS) <= unknown["not_evaluated"][0].keys()
    assert (unknown["not_evaluated"][0]["reason"], unknown["journaled"]) == ("missing_facts", True)


def test_a_national_body_is_a_body_too(here: Running) -> None:
    """And has the findings of its 3101."""
    body = national_body(national_order(), sex="2")
    _, answer = post(here, encoded(body), CHECK)
    _, reply = post(here, encoded(body), "/3101")
    assert [one["rule_id"] for one in answer["findings"]] == [one["rule_id"] for one in reply["output"]["result"]]
    assert answer["decision"] == "block"


def test_a_body_in_gbk_is_answered_in_gbk(here: Running) -> None:
    """Told by the header, or found out; the same words either way."""
    text = json.dumps(own_body(request_id=""), ensure_ascii=False)
    status, kind, raw = call(here.at("http"), CHECK, text.encode("gbk"))
    assert (status, kind) == (200, "application/json; charset=gbk")
    assert json.loads(raw.decode("gbk"))["findings"][0]["message"].startswith("【拦截】阿帕他胺片")
    _, kind, raw = call(here.at("http"), CHECK, b"{}", content_type="text/plain; charset=GB2312")
    assert (kind, "error" in json.loads(raw.decode("gbk"))) == ("application/json; charset=gbk", True)
    _, kind, raw = call(here.at("http"), CHECK, text.encode(), content_type="application/json; charset=utf-8")
    assert (kind, json.loads(raw)["decision"]) == ("application/json; charset=utf-8", "block")


def test_what_gbk_cannot_write_is_escaped() -> None:
    """JSON in GBK stays JSON, whatever name a patient's drug has."""
    text = '{"a":"药€𠮷é\\n"}'
    assert json.loads(in_kind(text.encode(), "gbk").decode("gbk")) == json.loads(text)
    assert in_kind(text.encode(), "") == text.encode()


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        ("", ""),
        ("application/json", ""),
        ("application/json; charset=utf-8", ""),
        ("text/plain;charset=GBK", "gbk"),
        ('text/plain; charset="gb18030"', "gbk"),
        ("charset", ""),
        ("application/json; charset=", ""),
    ],
)
def test_the_header_is_believed_only_where_it_says_gbk(header: str, encoding: str) -> None:
    """Libraries write utf-8 beside whatever they send."""
    assert told_encoding(header) == encoding


# --- refusals ---------------------------------------------------------------------------------------------------------


WRONG: dict[str, tuple[str, bytes, int, str]] = {
    "half": (CHECK, b"{", 400, "body"),
    "a list": (CHECK, b"[]", 400, "body"),
    "misspelt": (CHECK, encoded(own_body(patiant={})), 400, "patiant"),
    "deep": (CHECK, b"[" * 100_000, 400, "body"),
    "long": (CHECK, b" " * (16 * 1024 * 1024 + 1), 413, "body"),
    "nothing saved": (SAVED, b"{}", 400, "prescription"),
    "no revision": (SAVED, b'{"prescription": {}, "revision": "x"}', 400, "revision"),
    "a huge revision": (SAVED, b'{"prescription": {}, "revision": 1e999999999}', 400, "revision"),
    "misspelt inside": (SAVED, encoded({"prescription": own_body(patiant=1)}), 400, "prescription.patiant"),
    "no finding": (FEEDBACK, b'{"items": [{"done": "changed"}]}', 400, "items[0].finding_id"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_used_is_named(here: Running, name: str) -> None:
    """By its field, with what to do."""
    path, body, status, field = WRONG[name]
    answered, answer = post(here, body, path)
    assert answered == status
    assert field in {problem["field"] for problem in answer["error"]}


@pytest.mark.parametrize("header", [{"grpc_timeout": "0m"}, {"reminder_deadline_ms": "0"}])
def test_a_call_whose_deadline_has_passed_is_not_begun(here: Running, header: dict[str, str]) -> None:
    """504: nobody waits for it."""
    status, _, raw = call(here.at("http"), CHECK, encoded(own_body()), **header)
    assert (status, json.loads(raw)["error"][0]["field"]) == (504, "deadline")


class Told(Service):
    """Remembers how long its callers wait."""

    waits: list[float | None]

    async def check(self, prescription: Prescription, *args: Any, **named: Any) -> Any:
        """As the service does."""
        self.waits = [*getattr(self, "waits", []), named.get("left_s", args[1] if len(args) > 1 else None)]
        return await super().check(prescription, *args, **named)


def test_the_deadline_of_a_header_is_the_checks(tmp_path: Path) -> None:
    """Less what the body took to arrive; without one it waits."""
    with running(tmp_path, make=Told) as here:
        call(here.at("http"), CHECK, encoded(own_body()), grpc_timeout="40S")
        call(here.at("http"), CHECK, encoded(own_body()), reminder_deadline_ms="50000")
        call(here.at("http"), CHECK, encoded(own_body()))
        first, second, third = here.service.waits  # type: ignore[attr-defined]  # of the class above
    assert 30 < first <= 40 < second <= 50
    assert third is None


def test_a_fault_of_ours_tells_nothing_of_the_patient(tmp_path: Path) -> None:
    """500, and the log has the place."""
    with running(tmp_path) as here:
        here.service.check = None  # type: ignore[method-assign,assignment]
        status, answer = told(here, CHECK, own_body())
        assert (status, answer["error"][0]["field"], "P1" in json.dumps(answer)) == (500, "sidecar", False)


# --- what is told -----------------------------------------------------------------------------------------------------


def test_a_saved_prescription_of_either_kind_is_kept(here: Running) -> None:
    """Once; in GBK too, and with numbers as old systems write them."""
    saved = {"prescription": own_body(request_id=""), "prescription_id": "J1", "revision": "1"}
    raw = json.dumps(saved, ensure_ascii=False).encode("gbk")
    (status, _, first), (_, _, again) = (call(here.at("http"), SAVED, raw) for _ in range(2))
    told_first, told_again = json.loads(first.decode("gbk")), json.loads(again.decode("gbk"))
    assert (status, told_first["stored"], told_first["changed"], told_again["changed"]) == (200, True, True, False)
    national = {"prescription": national_body(national_order()), "prescription_id": "J2", "revision": 1}
    status, answer = told(here, SAVED, national)
    assert (status, answer["stored"]) == (200, True)


def test_feedback_in_gbk_is_kept(here: Running) -> None:
    """And its reason read."""
    _, answer = told(here, CHECK, own_body(request_id="") | {"encounter": own_body()["encounter"] | {"id": "G"}})
    word = {"finding_id": answer["findings"][0]["finding_id"], "done": "overridden", "reason_code": "other"}
    raw = json.dumps({"items": [word | {"reason_text": "患者家属坚持用药"}]}, ensure_ascii=False).encode("gbk")
    status, _, said = call(here.at("http"), FEEDBACK, raw)
    assert (status, json.loads(said.decode("gbk"))["items"][0]["status"]) == (200, "kept")


# --- administration ---------------------------------------------------------------------------------------------------


def office(here: Running, method: str, **body: Any) -> tuple[int, dict[str, Any]]:
    """One call of administration."""
    raw = json.dumps(body, ensure_ascii=False).encode()
    status, _, answer = call(here.at("admin_http"), f"/reminder.v1.{method}", raw)
    return status, json.loads(answer)


def test_a_block_is_turned_down_over_json(tmp_path: Path) -> None:
    """Words for enums, null for what is absent; callers' address has none of it."""
    with running(tmp_path) as here:
        before = told(here, CHECK, own_body())[1]["decision"]
        status, done = office(here, "PolicyService/SetPolicy", rule_id="R67-men", action="warn", who="李", why="试行")
        assert (status, done["changed"]["journaled"], before) == (200, True, "block")
        assert told(here, CHECK, own_body())[1]["decision"] == "warn"
        _, shown = office(here, "PolicyService/ShowPolicy")
        (row,) = shown["rows"]
        assert (row["rule_id"], row["action"], row["at_most"], row["who"]) == ("R67-men", "warn", True, "李")
        office(here, "PolicyService/ClearPolicy", rule_id="R67-men", who="李", why="结束")
        assert told(here, CHECK, own_body())[1]["decision"] == "block"
        assert post(here, b"{}", "/reminder.v1.PolicyService/ShowPolicy")[0] != 200


@pytest.mark.parametrize(
    ("method", "body", "status", "field"),
    [
        ("PolicyService/SetPolicy", {"rule_id": "R67-men", "action": "wran"}, 400, "action"),
        ("PolicyService/SetPolicy", {"rule": "R67-men"}, 400, "rule"),
        ("PolicyService/SetPolicy", {"rule_id": "R67-men", "action": "warn", "exactly": "maybe"}, 400, "exactly"),
        ("PolicyService/SetPolicy", {"rule_id": {"x": 1}, "action": "warn"}, 400, "rule_id"),
        ("PolicyService/ConfirmRules", {"rule_ids": ["a", {}]}, 400, "rule_ids[1]"),
        ("ListService/Status", {"steps": "many"}, 400, "steps"),
        ("ListService/Status", {"steps": 1.5}, 400, "steps"),
        ("ListService/Activate", {"version": "2999.1"}, 404, "sidecar"),
        ("ListService/Rollback", {}, 409, "sidecar"),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value),
)
def test_administration_names_what_is_wrong(here: Running, method: str, body: Any, status: int, field: str) -> None:
    """The caller's fields, or what the road says."""
    answered, answer = office(here, method, **body)
    assert (answered, answer["error"][0]["field"]) == (status, field)


def test_huge_numbers_cost_nothing(here: Running) -> None:
    """1e999999999 is refused without being written out."""
    raw = b'{"steps": 1e999999999}'
    status, _, answer = call(here.at("admin_http"), "/reminder.v1.ListService/Status", raw)
    assert (status, json.loads(answer)["error"][0]["field"]) == (400, "steps")


def test_status_is_told_with_names_and_numbers(here: Running) -> None:
    """What is absent is null."""
    status, answer = office(here, "ListService/Status")
    assert (status, answer["active"]["version"], answer["scheduled"], answer["unconfirmed"]) == (200, "", None, 0)
    assert answer["active"]["digest"]


def test_without_an_office_administration_says_so(tmp_path: Path) -> None:
    """503: call the process that has one."""
    with running(tmp_path) as here:
        one, here.service.office = here.service.office, None
        assert office(here, "PolicyService/ShowPolicy")[0] == 503
        here.service.office = one
