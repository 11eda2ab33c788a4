"""The HTTP face over real sockets."""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from reminder.service import Service
from tests.reminder.bodies import encoded, national_body, national_order
from tests.reminder.sidecar import Running, get, post, running
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from negative_list.decide import Begun

ORDERS = "input.data.patient_dtos[0].fsi_encounter_dtos[0].fsi_order_dtos"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar for the tests that only ask it."""
    with running(tmp_path_factory.mktemp("sidecar")) as sidecar:
        yield sidecar


def refused(here: Running, body: bytes) -> list[str]:
    """The fields a refusal names; the reply is well-formed."""
    status, reply = post(here, body)
    fields = [problem["field"] for problem in reply["output"]["error"]]
    assert (status, reply["infcode"], reply["output"]["result"]) == (200, -1, [])
    assert fields[0] in reply["err_msg"]
    assert len(reply["err_msg"]) <= 200
    return fields


def test_a_violation_is_one_result_of_degree_one(here: Running) -> None:
    """A drug for men, ordered for a woman: the line, the money, the rule."""
    status, reply = post(here, encoded(national_body()))
    (result,) = reply["output"]["result"]
    assert (status, reply["infcode"], reply["err_msg"]) == (200, 0, "")
    assert (result["rule_id"], result["sev_deg"], result["vola_amt"]) == ("R67-men", "1", 12.5)
    assert [detail["rx_id"] for detail in result["judge_result_detail_dtos"]] == ["R1"]
    assert reply["inf_refmsgid"].startswith("43010020260101090000")
    assert reply["refmsg_time"] == "20260101090000000"


def test_its_twin_for_a_man_has_no_result(here: Running) -> None:
    """Only the sex differs."""
    _, reply = post(here, encoded(national_body(gend="1")))
    assert (reply["infcode"], reply["output"]["result"], reply["output"]["decision"]) == (0, [], "pass")


@pytest.mark.parametrize("kind", ["application/json;charset=utf-8", "text/plain", "text/plain; charset=UTF-8"])
def test_the_content_type_does_not_matter(here: Running, kind: str) -> None:
    """Clients of the national interface send both; some begin with a byte order mark."""
    _, reply = post(here, b"\xef\xbb\xbf" + encoded(national_body()), kind=kind)
    assert reply["output"]["decision"] == "block"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", "{名}".encode("gb18030"), b'{\x00"a":1}', b"[" * 100_000, b'{"a":NaN}', b"\xff" * 9],
    ids=["empty", "cut", "list", "null", "GBK", "control", "deep", "NaN", "bytes"],
)
def test_what_is_no_json_object_is_refused_naming_the_body(here: Running, body: bytes) -> None:
    """With status 200 and infcode -1: callers take anything else for a broken line."""
    assert refused(here, body) == ["body"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "input"),
        ({"input": {}}, "input.data"),
        ({"input": {"data": {}}}, "input.data.patient_dtos"),
        ({"input": {"data": {"patient_dtos": [{}]}}}, "input.data.patient_dtos[0].fsi_encounter_dtos"),
    ],
    ids=["no input", "no data", "no patient", "no encounter"],
)
def test_what_is_no_prescription_is_refused_naming_the_field(here: Running, body: dict[str, Any], field: str) -> None:
    """So that the integrator finds it."""
    assert refused(here, encoded(body)) == [field]


def test_an_order_scene_without_lines_is_refused_naming_them(here: Running) -> None:
    """There would be nothing to check."""
    body = national_body()
    body["input"]["data"]["patient_dtos"][0]["fsi_encounter_dtos"][0]["fsi_order_dtos"] = []
    assert refused(here, encoded(body)) == [ORDERS]


def test_20001_lines_are_refused_naming_them(here: Running) -> None:
    """At most 20,000 are checked at once."""
    assert refused(here, encoded(national_body(*[{"rx_id": "R"}] * 20_001))) == [ORDERS]


def test_eight_megabytes_of_text_are_refused_naming_the_field(here: Running) -> None:
    """No text of a prescription is that long."""
    body = national_body(national_order(hilist_name="药" * (8 * 2**20 // 3)))
    assert refused(here, encoded(body)) == [f"{ORDERS}[0].hilist_name"]


def test_a_body_over_the_limit_is_refused_and_the_next_one_answered(here: Running) -> None:
    """Reading ends at 16 MiB."""
    assert refused(here, b" " * (16 * 2**20 + 1)) == ["body"]
    assert post(here, encoded(national_body()))[1]["infcode"] == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cnt": "many"}, "cnt"),
        ({"hilist_name": "阿帕\u0007他胺"}, "hilist_name"),
        ({"drord_begn_date": "2026-13-41 00:00:00"}, "drord_begn_date"),
    ],
    ids=["no quantity", "control characters", "no date"],
)
def test_an_impossible_value_is_noted_and_the_check_goes_on(here: Running, change: dict[str, Any], field: str) -> None:
    """The fact is unknown; what does not need it is still decided."""
    _, reply = post(here, encoded(national_body(national_order(**change))))
    assert reply["output"]["decision"] == "block"
    assert [note["field"] for note in reply["output"]["notes"] if note["line"] == "R1"] == [f"{ORDERS}[0].{field}"]


def test_a_birth_date_in_the_future_is_noted_and_the_check_goes_on(here: Running) -> None:
    """The age is unknown then."""
    body = national_body()
    body["input"]["data"]["patient_dtos"][0]["brdy"] = "2030-01-01"
    _, reply = post(here, encoded(body))
    assert reply["output"]["decision"] == "block"
    assert [note["field"] for note in reply["output"]["notes"]] == ["input.data.patient_dtos[0].brdy"]


def test_64_callers_at_once_each_get_their_own_answer(here: Running) -> None:
    """Every answer names the line of its own request."""

    def check(number: int) -> str:
        _, reply = post(here, encoded(national_body(national_order(f"R{number}"))))
        return str(reply["output"]["result"][0]["judge_result_detail_dtos"][0]["rx_id"])

    with ThreadPoolExecutor(64) as pool:
        assert list(pool.map(check, range(64))) == [f"R{number}" for number in range(64)]


@pytest.mark.parametrize("face", ["http", "admin_http"])
def test_health_answers_on_both_addresses(here: Running, face: str) -> None:
    """Alive, ready, and what is degraded."""
    assert get(here.at(face), "/healthz") == (200, {"status": "ok"})
    status, told = get(here.at(face), "/readyz")
    assert (status, told["status"], told["degraded"]) == (200, "serving", [])


def test_rows_of_a_code_table_that_are_not_used_are_degraded(tmp_path: Path) -> None:
    """A sidecar with a bad row in its code table serves, and says so."""
    (tmp_path / "codes.csv").write_text("local,national\nA1,XL02BBA326A001010102180\nA2,ABC\n", encoding="utf-8")
    site = tmp_path / "site.toml"
    site.write_text('default.code_files = ["codes.csv"]\n', encoding="utf-8")
    with running(tmp_path, site=site) as here:
        status, told = get(here.at("http"), "/readyz")
    assert (status, told["status"]) == (200, "serving")
    assert told["degraded"] == ["code table codes.csv: rows not used: 1"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/x", 404),
        ("POST", "/x/3104", 404),
        ("GET", "/3101", 405),
        ("GET", "/console/", 404),
        ("PUT", "/x", 404),
    ],
)
def test_everything_else_says_that_it_is_not_here(here: Running, method: str, path: str, status: int) -> None:
    """Never an empty answer, which a caller would take for "no violation"."""
    host, _, port = here.at("http").rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=LONG_S)
    connection.request(method, path, body=b"{}" if method != "GET" else None)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    assert response.status == status
    assert response.getheader("Content-Type") == "application/json; charset=utf-8"
    assert f"{method} `{path}`" in text


def test_checks_are_not_answered_on_the_address_of_administration(here: Running) -> None:
    """Callers and operations are apart."""
    assert post(here, encoded(national_body()))[0] == 200
    request = urllib.request.Request(f"http://{here.at('admin_http')}/3101", data=b"{}")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=LONG_S)  # noqa: S310 - our own http address
    with caught.value as error:
        assert error.code == 404


def test_metrics_count_checks_and_findings_and_name_nobody(tmp_path: Path) -> None:
    """By decision, class and reason; no id of a patient, request or line."""
    with running(tmp_path) as here:
        post(here, encoded(national_body()))
        post(here, encoded(national_body(gend="1")))
        post(here, encoded(national_body(level="0")))
        post(here, b"{")
        with urllib.request.urlopen(f"http://{here.at('http')}/metrics", timeout=LONG_S) as response:
            text = response.read().decode()
            kind = response.headers["Content-Type"]
    assert kind.startswith("text/plain")
    for line in (
        'reminder_checks_total{decision="block"} 2.0',
        'reminder_checks_total{decision="pass"} 1.0',
        'reminder_findings_total{action="block",class_id="R67"} 2.0',
        'reminder_refused_total{face="http",reason="request"} 1.0',
        "reminder_check_seconds_count 3.0",
        "reminder_rules 3.0",
        "reminder_details 4.0",
    ):
        assert line in text.splitlines()
    assert all(word not in text for word in ("P1", "M1", "R1", "H1", "测试"))


class Held(Service):
    """Holds checks up until they are let go, as a long one would."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.began, self.let_go = threading.Event(), threading.Event()

    def begin(self, case: Any) -> Begun:
        """Decide, once it may."""
        self.began.set()
        assert self.let_go.wait(LONG_S)
        return super().begin(case)


def test_a_stop_answers_what_is_in_flight(tmp_path: Path) -> None:
    """The reply arrives, then nothing listens any more."""
    with running(tmp_path, Held, grace_s=LONG_S) as here, ThreadPoolExecutor(1) as pool:
        reply = pool.submit(post, here, encoded(national_body()))
        service = here.service
        assert isinstance(service, Held)
        assert service.began.wait(LONG_S)
        stopping = here.stop()
        service.let_go.set()
        stopping.join(LONG_S)
        assert reply.result()[1]["output"]["decision"] == "block"
        with pytest.raises(urllib.error.URLError):
            post(here, encoded(national_body()))


class Broken(Service):
    """Fails at every check."""

    def begin(self, case: Any) -> Begun:
        """Fail with a text of the patient in the message."""
        raise RuntimeError(case.prescription.patient.id)


def test_our_own_failure_is_a_well_formed_reply(tmp_path: Path) -> None:
    """Infcode -1 at once, saying whom to ask; nothing of the patient."""
    with running(tmp_path, Broken) as here:
        status, reply = post(here, encoded(national_body()))
    assert (status, reply["infcode"], reply["output"]["result"]) == (200, -1, [])
    assert "请联系信息科" in reply["err_msg"]
    assert "P1" not in str(reply)


def test_a_caller_that_leaves_in_the_middle_of_a_body_disturbs_nobody(here: Running) -> None:
    """The next one is answered."""
    host, _, port = here.at("http").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=LONG_S) as connection:
        connection.sendall(b"POST /3101 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    assert post(here, encoded(national_body()))[1]["infcode"] == 0
