"""A call of the national interface is answered wherever and however its client sends it (reference 1.4, 10)."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from reminder.callers import Caller
from tests.national.asking import CALL, ask, call, feedback, here_with, raw_call, three, warn
from tests.reminder.bodies import encoded
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.reminder.sidecar import Running

OWN = "/api/rest/hosAudit"
RULES = ["R67-men", "E01-quantity", "R12-level", "R12-level"]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar with a caller that has a path of its own."""
    with here_with(tmp_path_factory.mktemp("calls"), Caller(path=OWN, name="browser")) as sidecar:
        yield sidecar


def rules(here: Running, body: dict[str, object], **how: object) -> list[str]:
    """The rules of the findings of one call."""
    return [row["rule_id"] for row in ask(here, body, **how)]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        CALL,
        f"{CALL}/",
        "/3101",
        "/3102",
        "/3101/",
        "//3101",
        f"{CALL}/3101",
        OWN,
        f"{OWN}/3101",
    ],
)
def test_every_path_a_client_calls_gives_the_same_findings(here: Running, path: str) -> None:
    """One address for all transactions, one for each, and the beginning a caller's settings name."""
    assert rules(here, three(), path=path) == RULES


@pytest.mark.parametrize("number", ["3101", "3102", "3660", "3661", "3301", 3101, "", None], ids=repr)
def test_the_number_may_be_hainans_or_a_slip_or_missing(here: Running, number: object) -> None:
    """2.7, 2.8: what a body without a number or with 3301 asks for is what it looks like."""
    assert rules(here, three(infno=number)) == RULES


@pytest.mark.parametrize("kind", ["application/json;charset=utf-8", "text/plain", "text/plain;charset=GBK", ""])
def test_json_and_plain_text_are_read_alike(here: Running, kind: str) -> None:
    """1.4: the sample client sends text/plain; a library may name an encoding nobody uses."""
    encoding = "gbk" if "GBK" in kind else "utf-8"
    assert rules(here, three(), headers={"Content-Type": kind}, encoding=encoding) == RULES


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"_api_name": "3101", "_api_timestamp": "1767229200000", "_api_access_key": "k", "_api_signature": "s"},
        {"_api_name": "hssServives", "_api_signature": ""},
        {"x-tif-paasid": "p", "x-tif-signature": "0" * 64, "x-tif-timestamp": "1767229200", "x-tif-nonce": "n" * 32},
        {"apikey": "k"},
    ],
    ids=["none", "gateway", "jiangsu", "x-tif", "apikey"],
)
def test_a_gateways_headers_may_be_there_or_not(here: Running, headers: dict[str, str]) -> None:
    """1.4: they are the bureau's to check."""
    assert rules(here, three(), headers=headers) == RULES


def test_the_path_and_then_the_gateways_header_name_the_transaction_where_the_body_does_not(here: Running) -> None:
    """A 3103 that came without its number in a body that does not look like one is refused as a 3103."""
    empty: dict[str, object] = {"input": {"data": {}}}
    assert "input.data.warns" in call(here, empty, path="/3103")["err_msg"]
    assert "input.data.warns" in call(here, empty, headers={"_api_name": "3103"})["err_msg"]


def test_the_body_is_believed_before_the_path(here: Running) -> None:
    """A client with one address for all sends a 3103 to the address of 3101."""
    (row, *_) = ask(here, three())
    told = call(here, feedback(warn(row["jr_id"], "2")), path="/3101")
    assert [item["status"] for item in told["output"]["items"]] == ["kept"]


def test_what_is_in_gbk_is_answered_in_gbk(here: Running) -> None:
    """Nobody told; it is not UTF-8, and can be read as GBK."""
    reply = call(here, three(), encoding="gbk")
    assert "阿帕他胺片" in reply["output"]["result"][0]["vola_cont"]


def test_what_gbk_has_no_character_for_is_escaped(here: Running) -> None:
    """The reply stays JSON whatever an item is called."""
    body = three()
    order = body["input"]["data"]["patient_dtos"][0]["fsi_encounter_dtos"][0]["fsi_order_dtos"][0]
    order["hilist_name"] = "阿帕他胺片\U0001f48a"
    content = encoded(body).decode().encode("gb18030")
    _, told, reply = raw_call(here, content)
    assert told["content-type"].endswith("charset=gbk")
    assert "\U0001f48a" in json.loads(reply.decode("gbk"))["output"]["result"][0]["vola_cont"]


def test_what_nobody_can_read_is_answered_in_letters_every_encoding_has(here: Running) -> None:
    """A cut body in GBK: its client reads GBK, another one's UTF-8."""
    _, _, reply = raw_call(here, '{"infno":"3101","名'.encode("gbk"))
    assert reply.isascii()
    assert json.loads(reply)["infcode"] == -1


@pytest.mark.parametrize("number", ["2207", "9001", "1101", "3505A", "5204"])
def test_another_transaction_says_that_nobody_does_it_here(here: Running, number: str) -> None:
    """Without a bureau behind us: never a silent success."""
    for reply in (call(here, {"infno": number, "input": {}}), call(here, {"input": {}}, path=f"/{number}")):
        assert reply["infcode"] == -1
        assert number in reply["err_msg"]
        assert "upstream" in reply["err_msg"]


def test_a_body_that_says_nothing_at_all_is_told_what_is_missing(here: Running) -> None:
    """On the one address for all."""
    reply = call(here, {"a": 1})
    assert reply["infcode"] == -1
    assert "3101" in reply["err_msg"]


@pytest.mark.parametrize(
    "head",
    [
        "POST /3101 HTTP/1.0\r\n",
        "POST /3101?a=1 HTTP/1.1\r\nHost: x\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n",
    ],
    ids=["HTTP 1.0", "query", "continue"],
)
def test_old_clients_of_http_are_answered(here: Running, head: str) -> None:
    """PowerBuilder speaks 1.0, .NET waits to be told to go on."""
    body = encoded(three())
    host, _, port = here.at("http").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=LONG_S) as line, line.makefile("rb") as stream:
        line.sendall(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        told = stream.read().partition(b"{")
    assert told[0].count(b"200 OK") == 1
    assert json.loads(told[1] + told[2])["output"]["decision"] == "block"


@pytest.mark.parametrize("path", ["/somewhere/else", "/FSI/api/3101", "/fsi/api/fsiWarnService/3101/", "/api/v1//x"])
def test_a_body_of_the_interface_is_answered_on_any_path(here: Running, path: str) -> None:
    """10.10: addresses differ from gateway to gateway, and a client may refuse to save on anything but status 200."""
    assert rules(here, three(), path=path) == RULES
    (known,) = {row["jr_id"] for row in ask(here, three()) if row["rule_id"] == RULES[0]}
    assert call(here, feedback(warn(known)), path)["output"]["unknown"] == []
    assert call(here, {"infno": "2207", "input": {}}, path)["infcode"] == -1


def test_what_cannot_be_read_is_told_so_where_the_path_names_the_transaction(here: Running) -> None:
    """The same words as on the address for all."""
    reply = call(here, b"{", "/gate/way/3101")
    assert (reply["infcode"], reply["output"]["not_checked"]["reason"]) == (-1, "request")


@pytest.mark.parametrize("body", [b"{}", b"", b"<soap/>", b'{"orders": []}'], ids=repr)
def test_what_is_nothing_of_the_interface_is_not_answered_as_a_transaction(here: Running, body: bytes) -> None:
    """Status 404 and where to go."""
    status, _, content = raw_call(here, body, "/somewhere/else")
    assert status == 404
    assert b"/3101" in content


@pytest.mark.parametrize("path", ["/", CALL, "/3101", "/reminder.v1.ReminderService/Check", OWN])
def test_a_browser_may_ask_first(here: Running, path: str) -> None:
    """1.4: a page calls across origins, so that the server must answer the preflight."""
    asked = {
        "Origin": "http://10.1.2.3:8000",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,_api_name",
    }
    status, told, _ = raw_call(here, b"", path, "OPTIONS", asked)
    assert status == 200
    assert told["access-control-allow-origin"] == "*"
    assert "POST" in told["access-control-allow-methods"]
    assert "content-type" in told["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in told


def test_a_key_that_came_twice_is_named(here: Running) -> None:
    """Which of the two counted is nothing to find out from a wrong answer."""
    raw = encoded(three()).replace(b'"gend":', b'"gend": "9", "gend":')
    output = json.loads(raw_call(here, raw)[2])["output"]
    assert [note["code"] for note in output["notes"] if note["field"].endswith(".gend")] == ["conflict"]
    assert json.loads(raw_call(here, encoded(three()))[2])["output"]["result"] != []


def test_a_browser_reads_the_reply(here: Running) -> None:
    """The reply itself names who may read it, too."""
    _, told, _ = raw_call(here, encoded(three()), headers={"Origin": "http://10.1.2.3:8000"})
    assert told["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("target", ["http://reminder.example:8080", "https://reminder.example", "HTTP://x"])
def test_a_target_may_have_scheme_and_host(here: Running, target: str) -> None:
    """As a client sends it that was given a proxy (RFC 9112, 3.2.2); every path is what it is without them."""
    for path in ("/3101", "/", "/fsi/api/anything?x=1"):
        status, _, content = raw_call(here, encoded(three()), target + path)
        assert (status, json.loads(content)["infcode"]) == (200, 0)
    assert raw_call(here, b"", target + "/healthz", "GET")[0] == 200
    assert raw_call(here, b"", target + "/nothing", "GET")[0] == 404
    assert json.loads(raw_call(here, encoded(three()), target)[2])["infcode"] == 0


def test_a_site_may_let_no_page_call(tmp_path: Path) -> None:
    """Or only those it names."""
    with here_with(tmp_path, cors=()) as closed:
        _, told, _ = raw_call(closed, encoded(three()), headers={"Origin": "http://10.1.2.3:8000"})
        assert "access-control-allow-origin" not in told


def test_administration_is_no_page_of_anybody_else(here: Running) -> None:
    """The same on the address of operations is refused."""
    admin = type("Admin", (), {"at": lambda _self, _face: here.at("admin_http")})()
    asked = {"Origin": "http://10.1.2.3:8000", "Access-Control-Request-Method": "POST"}
    status, told, _ = raw_call(admin, b"", "/readyz", "OPTIONS", asked)
    assert status == 405
    assert "access-control-allow-origin" not in told
