"""A bureau, or the gateway before it, that compresses: what passes stays as it is, what is read here is read."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from reminder.relay.codings import MOST_BYTES, plain_body
from reminder.relay.records import Passed
from reminder.upstream import Upstream
from tests.relay.bureau import Arrived, bureau, finding, http
from tests.relay.relays import answer, call, relay, settled
from tests.relay.test_history import WEEKLY, counted, pass_on, reply, until
from tests.reminder.remembered import asked, body, found, write_rules
from tests.reminder.sidecar import running
from tests.stores.desks import LONG_S

ASKED = call("3101", headers=((b"accept-encoding", b"gzip, deflate, br"), (b"_api_name", b"3101")))
FOUND = json.dumps({"infcode": 0, "output": {"result": [finding("B-1")]}}, ensure_ascii=False).encode()


def raw_deflate(told: bytes) -> bytes:
    """Deflate without the header of zlib."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(told) + packer.flush()


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "GZip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    " deflate": raw_deflate,
    "deflate, gzip": lambda told: gzip.compress(zlib.compress(told)),
    "identity": bytes,
}


def coded(told: bytes, coding: str = "gzip") -> bytes:
    """A reply that comes compressed, whatever was asked for."""
    kind = (b"Content-Type", b"application/json")
    return http(CODINGS[coding](told), headers=(kind, (b"Content-Encoding", coding.encode())))


def if_accepted(arrived: Arrived) -> bytes:
    """A reply that is compressed where the call says that this may be."""
    return coded(FOUND) if b"gzip" in arrived.header("accept-encoding") else http(FOUND)


@pytest.mark.parametrize("coding", CODINGS)
def test_findings_in_a_compressed_reply_are_read(coding: str, tmp_path: Path) -> None:
    """In any coding that browsers and frameworks have had for twenty years."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = lambda _call: coded(FOUND, coding)
        said = here.do(here.relay.ask(ASKED, LONG_S))
    assert (said.why, [row["jr_id"] for row in said.rows]) == ("", ["B-1"])


def test_what_is_read_here_is_asked_for_uncompressed(tmp_path: Path) -> None:
    """What the caller's client could read is no matter where the reply is not for it; its other headers pass."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = if_accepted
        assert here.do(here.relay.ask(ASKED, LONG_S)).why == ""
        here.do(here.relay.feed_back(["B-1"], call("3103", answer(("B-1", "1")), headers=ASKED.headers)))
        arrived = ours.wait(lambda calls: len(calls) == 2)
    assert [one.header("accept-encoding") for one in arrived] == [b"identity", b"identity"]
    assert [one.header("_api_name") for one in arrived] == [b"3101", b"3101"]


def test_a_compressed_reply_that_passes_stays_compressed_and_its_findings_are_the_bureaus(tmp_path: Path) -> None:
    """Mode `bureau`: byte for byte, with the coding named; the ids are known all the same."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = if_accepted
        passed = here.do(here.relay.pass_on(ASKED, "3101"))
        assert gzip.decompress(passed.body) == FOUND
        assert (b"Content-Encoding", b"gzip") in passed.headers
        assert here.relay.theirs("B-1")


def test_an_answer_taken_with_a_compressed_reply_is_delivered_once(tmp_path: Path) -> None:
    """A gateway that compresses all it says has taken it."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = lambda _call: coded(b'{"infcode":0,"err_msg":"","output":{}}')
        here.do(here.relay.feed_back(["B-1"], call("3103", answer(("B-1", "1")))))
        until(lambda: here.counted("feedback").get("delivered") == 1)
        assert len(ours.arrived) == 1
    assert settled(tmp_path) == (0, 0)


def test_a_compressed_reply_that_passes_is_history(tmp_path: Path) -> None:
    """Fees asked for through a client that reads gzip."""
    told, output = WEEKLY["fees asked for"]
    with bureau() as ours, running(tmp_path, list=write_rules(tmp_path), upstream=Upstream(url=ours.url)) as here:
        ours.reply = lambda _call: coded(reply(output))
        pass_on(here, told)
        until(lambda: counted(here, "read") == 1)
        assert found(asked(here, body())) == ["R31-weekly"]


@pytest.mark.parametrize(
    ("coding", "told"),
    [
        ("br", b"\x0b\x02\x80{}\x03"),
        ("gzip", gzip.compress(FOUND)[:-9]),
        ("gzip", b"no gzip"),
        ("gzip", gzip.compress(b" " * (MOST_BYTES + 1))),
    ],
    ids=["unknown", "cut off", "none", "too long"],
)
def test_what_cannot_be_taken_out_stays_as_it_came(coding: str, told: bytes) -> None:
    """A coding nobody was asked for, one cut off, none at all, and more than may be held."""
    assert plain_body(Passed(status=200, headers=((b"Content-Encoding", coding.encode()),), body=told)) == told
