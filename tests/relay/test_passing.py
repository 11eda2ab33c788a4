"""What is not ours passes to the bureau and back, byte for byte."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from reminder.relay.headers import to_bureau, to_caller
from reminder.relay.records import Call, Passed
from tests.relay.bureau import bureau, http
from tests.relay.relays import call, relay

GBK = '{"infno":"2207","msgid":"H1","input":{"data":{"psn_name":"测试","memo":"中药饮片"}}}'.encode("gbk")
REPLY = '{"infcode":"0","err_msg":"成功","output":{"setlinfo":{"psn_name":"测试"}}}'.encode("gbk")
GATEWAY = (
    (b"host", b"sidecar:8080"),
    (b"content-type", b"text/plain; charset=GBK"),
    (b"_api_name", b"2207"),
    (b"_api_signature", b"bm90IGEgc2VjcmV0"),
    (b"x-tif-nonce", b"1234"),
    (b"accept", b"*/*"),
    (b"x-many", b"1"),
    (b"x-many", b"2"),
)


def test_a_settlement_in_gbk_passes_and_returns_byte_for_byte_with_its_headers(tmp_path: Path) -> None:
    """Neither the bytes nor the headers of 2207 and its reply change on the way, nor where they are sent."""
    given = ((b"Content-Type", b"text/plain; charset=GBK"), (b"X-Tif-Trace", b"T 1"), (b"Set-Cookie", b"a=1"))
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = lambda _call: http(REPLY, headers=given)
        sent = call("2207", GBK, path="/fsi/api/x%20y", query="a=%E4&b", headers=GATEWAY)
        passed = here.do(here.relay.pass_on(sent, "2207"))
    (arrived,) = ours.arrived
    assert arrived.line == b"POST /fsi/api/x%20y?a=%E4&b HTTP/1.1"
    assert arrived.body == GBK
    assert [pair for pair in arrived.headers if pair[0] not in {b"Host", b"Content-Length"}] == list(GATEWAY[1:])
    assert arrived.header("host") == ours.url.removeprefix("http://").encode()
    assert (passed.status, passed.body, passed.why) == (200, REPLY, "")
    assert passed.headers == (*given, (b"content-length", b"%d" % len(REPLY)))


def test_an_error_of_the_bureau_passes_as_it_is(tmp_path: Path) -> None:
    """What a gateway refuses in its own words (1.4) is the caller's to read."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = lambda _call: http(b'{"code":401,"message":"x"}', "401 Unauthorized")
        passed = here.do(here.relay.pass_on(call("9001"), "9001"))
    assert (passed.status, passed.body) == (401, b'{"code":401,"message":"x"}')


def test_the_path_of_the_bureau_stands_before_the_callers(tmp_path: Path) -> None:
    """A caller that sends everything to `/` is served too."""
    with bureau() as ours, relay(tmp_path, f"{ours.url}/fsi/api") as here:
        for path in ("/", "/2204"):
            here.do(here.relay.pass_on(call("2204", path=path), "2204"))
    assert [one.line for one in ours.arrived] == [b"POST /fsi/api HTTP/1.1", b"POST /fsi/api/2204 HTTP/1.1"]


def test_headers_of_the_settings_replace_those_of_the_caller(tmp_path: Path) -> None:
    """A site whose caller knows no gateway says what the gateway wants."""
    with bureau() as ours, relay(tmp_path, ours.url, headers={"apikey": "k", "_API_NAME": "x"}) as here:
        here.do(here.relay.pass_on(call("2204"), "2204"))
    assert ours.arrived[0].header("apikey") == b"k"
    assert [value for key, value in ours.arrived[0].headers if key.lower() == b"_api_name"] == [b"x"]


def test_headers_of_one_stretch_end_with_it() -> None:
    """RFC 9110, 7.6.1: what concerns a connection, and what `Connection` names, goes no further."""
    told = [(b"Connection", b"close, X-Own"), (b"x-own", b"1"), (b"Transfer-Encoding", b"chunked"), (b"a", b"1")]
    assert to_bureau(told, {}, "h", 0) == [(b"Host", b"h"), (b"a", b"1"), (b"Content-Length", b"0")]
    assert to_caller(told, 2) == ((b"a", b"1"), (b"content-length", b"2"))


def test_a_reply_without_a_body_by_its_nature_keeps_its_headers(tmp_path: Path) -> None:
    """The length of HEAD's reply is that of what GET would get."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = lambda _call: http(b"", headers=[(b"Content-Length", b"7")]).replace(b"Content-Length: 0\r\n", b"")
        passed = here.do(here.relay.pass_on(call("file", b"", method="HEAD")))
    assert (passed.status, passed.headers, passed.body) == (200, ((b"Content-Length", b"7"),), b"")


def words(passed: Passed) -> str:
    """What a reply of ours says; it must be JSON in UTF-8 and in GBK, and an envelope."""
    told = json.loads(passed.body.decode("gbk"))
    assert told == msgspec.json.decode(passed.body)
    assert told["infcode"] == -1
    assert dict(passed.headers)[b"content-length"] == b"%d" % len(passed.body)
    return str(told["err_msg"])


def test_a_bureau_that_is_not_there_is_named_and_the_call_may_be_sent_again(tmp_path: Path) -> None:
    """A caller hears a broken line, as without us, and that nothing was done."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.die()
        passed = here.do(here.relay.pass_on(call("2207", GBK), "2207"))
    assert passed.status == 502
    assert "未送达" in words(passed)


def test_a_settlement_without_a_reply_is_never_called_undone(tmp_path: Path) -> None:
    """Where the line broke after the call was read nobody knows, and it was sent but once."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.cut = True
        passed = here.do(here.relay.pass_on(call("2207", GBK), "2207"))
    assert passed.status == 504
    assert "可能已被受理" in words(passed)
    assert len(ours.arrived) == 1


def test_a_bureau_that_never_replies_is_given_up(tmp_path: Path) -> None:
    """After the time of the settings."""
    with bureau() as ours, relay(tmp_path, ours.url, read_ms=100) as here:
        ours.slow_s = 60
        passed = here.do(here.relay.pass_on(call("2204"), "2204"))
        ours.die()
    assert passed.status == 504
    assert "未在时限内答复" in words(passed)


def test_a_reply_without_end_is_not_held(tmp_path: Path) -> None:
    """What is longer than the settings allow is refused in words."""
    with bureau() as ours, relay(tmp_path, ours.url, most_mb=1) as here:
        ours.reply = lambda _call: http(b"x" * (1024 * 1024 + 1))
        passed = here.do(here.relay.pass_on(call("9102"), "9102"))
    assert passed.status == 504
    assert "超过 1 MB" in words(passed)


def test_what_is_no_http_is_told_so(tmp_path: Path) -> None:
    """A bureau that answers with something else."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = lambda _call: b"\x00\x01 hello\r\n\r\n"
        assert here.do(here.relay.pass_on(call("2204"), "2204")).status == 504
        assert here.counted("passed") == {"broken": 1}


def test_many_pass_at_once_and_each_gets_its_own_reply(tmp_path: Path) -> None:
    """No reply is ever another call's."""
    with bureau() as ours, relay(tmp_path, ours.url) as here, ThreadPoolExecutor(20) as pool:
        ours.reply = lambda arrived: http(arrived.body)
        bodies = [b'{"n":%d}' % n for n in range(60)]
        passed = list(pool.map(lambda body: here.do(here.relay.pass_on(call("2204", body), "2204")), bodies))
        assert here.counted("passed") == {"passed": 60}
    assert [one.body for one in passed] == bodies


@pytest.mark.parametrize("scope", [{"raw_path": b"/a%2Fb"}, {"path": "/a%2Fb"}])
def test_a_call_is_what_stood_on_the_wire(scope: dict[str, object]) -> None:
    """Path and query are not decoded and written anew."""
    told = {"method": "POST", "path": "/a/b", "query_string": b"x=%20", "headers": [(b"a", b"1")], **scope}
    assert Call.of(told, b"!") == Call(path="/a%2Fb", query="x=%20", headers=((b"a", b"1"),), body=b"!")
