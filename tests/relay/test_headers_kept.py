"""What passes has the headers the bureau gave it, over HTTP and all; what we say ourselves a page may read."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING

from tests.national.asking import raw_call
from tests.relay.bureau import bureau
from tests.relay.bureau import http as reply_of
from tests.relay.test_one_address import behind
from tests.reminder.sidecar import running
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reminder.sidecar import Running

BODY = b'{"infno":"2207","input":{"data":{}}}'
PAGE = {"Origin": "https://his.example"}
GIVEN = (
    (b"Content-Type", b"text/plain; charset=GBK"),
    (b"Vary", b"Accept-Encoding"),
    (b"Access-Control-Allow-Origin", b"https://his.example"),
    (b"Access-Control-Allow-Credentials", b"true"),
    (b"Set-Cookie", b"a=1"),
    (b"Set-Cookie", b"b=2"),
)


def headers_of(here: Running, body: bytes, path: str, method: str, headers: dict[str, str]) -> list[tuple[str, str]]:
    """Names and values of a reply's headers in their order."""
    host, _, port = here.at("http").rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=LONG_S)
    connection.request(method, path, body=body, headers=headers)
    told = connection.getresponse().getheaders()
    connection.close()
    return told


def test_a_reply_that_passes_has_no_header_of_ours(tmp_path: Path) -> None:
    """Names, values and order are the bureau's, whether a page asked or not; the date is the server's."""
    expected = [(name.decode().lower(), value.decode()) for name, value in GIVEN] + [("content-length", "2")]
    with bureau() as ours, running(tmp_path, upstream=behind(ours)) as here:
        ours.reply = lambda _call: reply_of(b"ok", headers=GIVEN)
        for method, headers in (("POST", PAGE), ("POST", {}), ("PUT", PAGE), ("GET", {})):
            told = headers_of(here, BODY, "/2207", method, headers)
            assert [(name.lower(), value) for name, value in told if name.lower() != "date"] == expected


def test_where_there_is_no_bureau_a_page_may_read_why(tmp_path: Path) -> None:
    """These words are ours."""
    with bureau() as ours, running(tmp_path, upstream=behind(ours)) as here:
        ours.die()
        status, told, content = raw_call(here, BODY, "/2207", headers=PAGE)
    assert (status, told["access-control-allow-origin"], json.loads(content)["infcode"]) == (502, "*", -1)


def test_a_target_with_scheme_and_host_passes_as_its_path(tmp_path: Path) -> None:
    """As a caller sends it that takes this sidecar for a proxy; the bureau is always the one of the settings."""
    with bureau() as ours, running(tmp_path, upstream=behind(ours)) as here:
        ours.reply = lambda _call: reply_of(b"ok")
        for target in ("http://elsewhere.example:8080/fsi/api/x%20y?a=%E4", "HTTP://elsewhere.example"):
            assert raw_call(here, BODY, target)[0] == 200
    assert [one.line for one in ours.arrived] == [b"POST /fsi/api/x%20y?a=%E4 HTTP/1.1", b"POST / HTTP/1.1"]
    assert {one.header("host") for one in ours.arrived} == {ours.url.removeprefix("http://").encode()}
