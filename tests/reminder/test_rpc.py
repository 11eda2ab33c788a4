"""The gRPC face over real sockets."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status

from negative_list import errors
from negative_list.readers import wording
from reminder import feed_rpc, list_rpc, policy_rpc, report_rpc, wire_client
from reminder.journal.health import HEALTH_NAME
from reminder.releases.health import HEALTH_NAME as RELEASES
from reminder.rpc import SERVICE
from reminder.service import Service
from reminder.v1 import reminder_pb2 as pb
from tests.reminder.bodies import encoded, national_body, own_body, own_line
from tests.reminder.sidecar import METHOD, Running, ask, get, running, stub
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from negative_list.decide import Begun


MOST_HINTS = 1000
"""Hints that may be looked for before an answer is cut."""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar for the tests that only ask it."""
    with running(tmp_path_factory.mktemp("sidecar")) as sidecar:
        yield sidecar


def refused(here: Running, request: pb.CheckRequest | bytes) -> tuple[grpc.StatusCode, dict[str, str]]:
    """The status of a refusal and its fields."""
    with pytest.raises(grpc.RpcError) as caught:
        ask(here, request)
    status = rpc_status.from_call(cast("grpc.Call", caught.value))  # what a call raises is the call itself
    fields: dict[str, str] = {}
    for detail in status.details if status else ():
        bad = error_details_pb2.BadRequest()
        assert detail.Unpack(bad)
        fields.update({violation.field: violation.description for violation in bad.field_violations})
        assert all(
            v.localized_message.locale == "zh-CN" and v.field in v.localized_message.message
            for v in bad.field_violations
        )
    return caught.value.code(), fields


def message(**changes: Any) -> pb.CheckRequest:
    """The message of our own body."""
    return wire_client.request_of(own_body(**changes))


def test_a_violation_is_answered_with_rule_line_and_way_out(here: Running) -> None:
    """A drug for men, ordered for a woman, is blocked."""
    response = ask(here, message())
    assert response.decision == pb.ACTION_BLOCK
    assert [(f.rule_id, list(f.lines), f.amount_fen) for f in response.findings] == [("R67-men", ["R1"], 1250)]
    assert [s.kind for s in response.findings[0].suggestions] == [pb.SUGGESTION_KIND_DROP]
    assert len(response.decision_id) == 26
    assert response.elapsed_us > 0


def test_its_twin_for_a_man_passes(here: Running) -> None:
    """Only the sex differs."""
    response = ask(here, message(sex="男"))
    assert response.decision == pb.ACTION_PASS
    assert list(response.findings) == []


def test_a_national_body_goes_over_the_same_call(here: Running) -> None:
    """As the bytes the hospital sends."""
    response = ask(here, pb.CheckRequest(national_body=encoded(national_body())))
    assert response.decision == pb.ACTION_BLOCK
    assert [f.rule_id for f in response.findings] == ["R67-men"]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        pytest.param(b"\xff\xff\xff\xff", "request", id="no message"),
        pytest.param(pb.CheckRequest(), "encounter", id="empty"),
        pytest.param(pb.CheckRequest(national_body=b"{"), "body", id="no JSON"),
        pytest.param(pb.CheckRequest(national_body=b"[]"), "body", id="no object"),
        pytest.param(pb.CheckRequest(national_body="{名}".encode("gb18030")), "body", id="no UTF-8"),
        pytest.param(pb.CheckRequest(national_body=b"{" * 100_000), "body", id="deep"),
        pytest.param(pb.CheckRequest(national_body=b"{}", request_id="H1"), "national_body", id="two bodies"),
        pytest.param(
            pb.CheckRequest(scene=["2"], patient=pb.Patient(id="P1"), encounter=pb.Encounter(id="M1")),
            "encounter.lines",
            id="no lines",
        ),
    ],
)
def test_what_is_no_prescription_is_refused_naming_the_field(
    here: Running, request_: pb.CheckRequest | bytes, field: str
) -> None:
    """INVALID_ARGUMENT with google.rpc.BadRequest."""
    code, fields = refused(here, request_)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert list(fields) == [field]
    assert fields[field]


def test_20001_lines_are_refused_naming_the_lines(here: Running) -> None:
    """RESOURCE_EXHAUSTED: the same request will never be answered."""
    request = pb.CheckRequest(encounter=pb.Encounter(lines=[pb.Line(id="R1")] * 20_001))
    code, fields = refused(here, request)
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert list(fields) == ["encounter.lines"]


def test_20000_lines_are_answered(here: Running) -> None:
    """At the limit is not over it."""
    lines = [own_line(str(n), current=n == 0) for n in range(20_000)]
    response = ask(here, wire_client.request_of(own_body(*lines)))
    assert [list(f.lines) for f in response.findings] == [["0"]]


@pytest.mark.parametrize(
    ("size", "fields"), [(16 * 2**20 + 1, ["request"]), (33 * 2**20, [])], ids=["over", "far over"]
)
def test_a_message_over_the_limit_is_refused(here: Running, size: int, fields: list[str]) -> None:
    """16 MiB is the most; far above, it is not even read."""
    code, named = refused(here, b"x" * size)
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert list(named) == fields


def test_eight_megabytes_of_text_are_refused_naming_the_field(here: Running) -> None:
    """No text of a prescription is that long."""
    code, fields = refused(here, wire_client.request_of(own_body(own_line(name="药" * (8 * 2**20 // 3)))))
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert list(fields) == ["encounter.lines[0].name"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": "9e15"}, "quantity"),
        ({"quantity": "many"}, "quantity"),
        ({"name": "阿帕\x07他胺"}, "name"),
        ({"begins": "2026-13-41"}, "begins"),
        ({"amount_fen": "12.5"}, "amount_fen"),
    ],
)
def test_an_impossible_value_of_a_line_is_noted_and_the_check_goes_on(
    here: Running, change: dict[str, Any], field: str
) -> None:
    """The fact is unknown; what does not need it is still decided."""
    response = ask(here, wire_client.request_of(own_body(own_line(**change))))
    assert response.decision == pb.ACTION_BLOCK
    assert any(field in note.field and note.line == "R1" for note in response.notes)


def test_a_birth_date_in_the_future_is_noted_and_the_check_goes_on(here: Running) -> None:
    """The age is unknown then."""
    request = message()
    request.patient.birth_date = "2030-01-01"
    response = ask(here, request)
    assert response.decision == pb.ACTION_BLOCK
    assert [note.field for note in response.notes] == ["patient.birth_date"]


def test_more_wrong_fields_than_an_answer_holds_are_cut(here: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trailers of an answer stay below what clients accept, and nobody else waits for twenty thousand hints."""
    hints, nearest = count(), errors.nearest
    monkeypatch.setattr(wording, "nearest", lambda *told: (next(hints), nearest(*told))[1])
    request = wire_client.request_of(own_body())
    for number in range(19_000):
        request.encounter.lines.add(id=str(number)).facts[f"line.nothing{number}"].whole = 1
    code, fields = refused(here, request)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert 1 < len(fields) < 100
    assert 0 < next(hints) < MOST_HINTS


def test_a_body_without_time_is_judged_at_the_time_of_arrival(here: Running) -> None:
    """A birth date after that is impossible."""
    request = message()
    request.time = ""
    request.encounter.admitted_at = request.encounter.lines[0].begins = ""
    request.patient.birth_date = "2026-01-02"
    assert [note.field for note in ask(here, request).notes] == ["patient.birth_date"]


def test_64_callers_at_once_each_get_their_own_answer(here: Running) -> None:
    """Every answer names the line of its own request."""

    def check(number: int) -> list[str]:
        request = wire_client.request_of(own_body(own_line(f"L{number}")))
        with stub(here.at("grpc")) as call:
            return [line for _ in range(5) for f in call(request, timeout=LONG_S).findings for line in f.lines]

    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(check, range(64)))
    assert answers == [[f"L{number}"] * 5 for number in range(64)]


def test_health_and_reflection_answer_on_both_addresses(here: Running) -> None:
    """The service is SERVING by name and as a whole; its methods can be listed."""
    operations = {module.SERVICE for module in (feed_rpc, report_rpc, list_rpc, policy_rpc)}
    for face, names in (("grpc", {SERVICE}), ("admin", operations)):
        with grpc.insecure_channel(here.at(face)) as channel:
            health: Any = health_pb2_grpc.HealthStub(channel)
            reflection: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
            known = ("", SERVICE, HEALTH_NAME, RELEASES)
            states = [health.Check(health_pb2.HealthCheckRequest(service=name)).status for name in known]
            request = reflection_pb2.ServerReflectionRequest(list_services="")
            (answer,) = reflection.ServerReflectionInfo(iter([request]))
        listed = {service.name for service in answer.list_services_response.service}
        assert states == [health_pb2.HealthCheckResponse.SERVING] * 4
        assert {name for name in listed if not name.startswith("grpc.")} == names


def test_checks_are_not_answered_on_the_address_of_administration(here: Running) -> None:
    """Callers and operations are apart."""
    with pytest.raises(grpc.RpcError) as caught, stub(here.at("admin")) as call:
        call(message(), timeout=LONG_S)
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


class Held(Service):
    """Tells when a check begins, and holds the first one up until it is let go, as a long one would."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.began, self.let_go = threading.Event(), threading.Event()
        self.checks = 0

    def begin(self, case: Any) -> Begun:
        """Decide, the first time once it may."""
        self.checks += 1
        if self.checks == 1:
            self.hold()
        return super().begin(case)

    def hold(self) -> None:
        """Until it is let go."""
        self.began.set()
        assert self.let_go.wait(LONG_S)


@contextlib.contextmanager
def holding(folder: Path, make: type[Held] = Held, **settings: Any) -> Iterator[tuple[Running, Held, Any]]:
    """A sidecar that holds a check up, its service, and a call of Check; let go at the end."""
    with running(folder, make, **settings) as here, stub(here.at("grpc")) as call:
        service = here.service
        assert isinstance(service, Held)
        try:
            yield here, service, call
        finally:
            service.let_go.set()


def test_a_call_whose_deadline_has_passed_is_not_computed(tmp_path: Path) -> None:
    """It waits behind a long one until its time is up; nothing is decided for it."""
    with holding(tmp_path) as (_, service, call):
        first = call.future(message(), timeout=2 * LONG_S)
        assert service.began.wait(LONG_S)
        late = [call.future(message(), timeout=0.1) for _ in range(5)]
        codes = [answer.code() for answer in late]
        service.let_go.set()
        assert first.result().decision == pb.ACTION_BLOCK
        assert call(message(), timeout=LONG_S).decision == pb.ACTION_BLOCK
        assert codes == [grpc.StatusCode.DEADLINE_EXCEEDED] * 5
        assert service.checks == 2


class Long(Held):
    """Takes as long over many lines as the largest stays do."""

    def begin(self, case: Any) -> Begun:
        """Decide, many lines once it may."""
        if len(case.prescription.encounter.lines) > 1:
            self.hold()
        return Service.begin(self, case)


def test_a_large_request_holds_no_small_one_up(tmp_path: Path) -> None:
    """Small checks and health are answered while a stay of two thousand lines is being decided."""
    large = wire_client.request_of(own_body(*[own_line(str(n)) for n in range(2_000)]))
    with holding(tmp_path, Long) as (here, service, call):
        stay = call.future(large, timeout=2 * LONG_S)
        assert service.began.wait(LONG_S)
        assert [call(message(), timeout=LONG_S).decision for _ in range(20)] == [pb.ACTION_BLOCK] * 20
        assert get(here.at("http"), "/healthz")[0] == 200
        assert not stay.done()
        service.let_go.set()
        assert len(stay.result().findings) == 2_000


def test_a_stop_answers_what_is_in_flight(tmp_path: Path) -> None:
    """Health turns, the call that had begun is answered, then nothing listens any more."""
    with holding(tmp_path, grace_s=LONG_S) as (here, service, call):
        answer = call.future(message(), timeout=2 * LONG_S)
        assert service.began.wait(LONG_S)
        stopping = here.stop()
        service.let_go.set()
        stopping.join(LONG_S)
        assert answer.result().decision == pb.ACTION_BLOCK
        assert not service.serving
        with pytest.raises(grpc.RpcError) as caught:
            call(message(), timeout=LONG_S)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


def test_more_calls_than_allowed_are_refused_at_once(tmp_path: Path) -> None:
    """RESOURCE_EXHAUSTED instead of waiting for a deadline."""
    with holding(tmp_path, max_calls=1) as (_, service, call):
        futures = [call.future(message(), timeout=2 * LONG_S) for _ in range(200)]
        assert service.began.wait(LONG_S)
        service.let_go.set()
        codes = [future.code() for future in futures]
    assert set(codes) == {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}


class Broken(Service):
    """Fails at every check."""

    def begin(self, case: Any) -> Begun:
        """Fail with a text of the patient in the message."""
        raise RuntimeError(case.prescription.patient.id)


def test_our_own_failure_is_answered_and_tells_nothing_of_the_patient(tmp_path: Path) -> None:
    """INTERNAL without the message of the failure, in the answer and in the log."""
    with running(tmp_path, Broken) as here:
        request = message()
        request.patient.id = "SECRET"
        with pytest.raises(grpc.RpcError) as caught:
            ask(here, request)
        metrics = here.service.metrics.text().decode()
    assert caught.value.code() == grpc.StatusCode.INTERNAL
    assert "SECRET" not in str(caught.value.details())
    assert 'reminder_refused_total{face="grpc",reason="failed"} 1.0' in metrics
    failures = [line for line in here.logged() if line["event"] == "check failed"]
    assert [line["error"] for line in failures] == ["RuntimeError"]
    assert "SECRET" not in str(here.logged())


def test_the_log_of_a_check_has_ids_and_counts_only(tmp_path: Path) -> None:
    """No id, name or text of the patient, no item."""
    with running(tmp_path) as here:
        sent = message()
        decision = ask(here, sent)
        assert get(here.at("admin_http"), "/readyz")[0] == 200
    (line,) = [line for line in here.logged() if line["event"] == "checked"]
    assert line["decision_id"] == decision.decision_id
    assert line["request_id"] == sent.request_id
    assert set(line) == {
        "event",
        "level",
        "timestamp",
        "decision_id",
        "request_id",
        "institution_id",
        "decision",
        "lines",
        "findings",
        "not_evaluated",
        "elapsed_us",
        "journaled",
    }


def test_the_method_is_the_one_of_the_contract() -> None:
    """The path written out in the client is that of the proto file."""
    method = pb.DESCRIPTOR.services_by_name["ReminderService"].methods_by_name["Check"]
    assert f"/{SERVICE}/{method.name}" == METHOD
