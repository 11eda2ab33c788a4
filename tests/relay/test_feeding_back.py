"""An answer about a finding of the bureau reaches it once: after its outage, our restart, and a kill of ours."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negative_list.errors import RequestError
from negative_list.readers.body import parse_body
from reminder.relay import courier
from reminder.relay.outbox import Outbox, Standing
from reminder.relay.records import Call
from reminder.relay.relay import OUTBOX_FILE
from reminder.relay.texts import only, words_of
from tests.relay.bureau import Arrived, Bureau, bureau, http, taken
from tests.relay.relays import answer, call, relay, settled
from tests.relay.test_history import until
from tests.stores.builders import NOW
from tests.stores.desks import LONG_S

ROOT = Path(__file__).parents[2]


def warned(calls: Sequence[Arrived]) -> Iterator[tuple[str, str]]:
    """The findings answered and how, in the order of arrival."""
    for one in calls:
        told = one.json["input"]
        told = json.loads(told) if isinstance(told, str) else told
        yield from ((warn["warn_rslt_id"], warn["dspo_way"]) for warn in told["data"]["warns"])


def all_there(ours: Bureau, count: int) -> list[tuple[str, str]]:
    """What arrived, once so many calls did."""
    return list(warned(ours.wait(lambda calls: len(calls) >= count)))


def test_an_answer_is_delivered_with_the_callers_own_words(tmp_path: Path) -> None:
    """A 3103 about nothing but findings of the bureau goes as it came: bytes, headers and path."""
    body = answer(("B-1", "1", "病情需要"))
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        assert here.do(here.relay.feed_back(["B-1"], call("3103", body))) == ""
        (arrived,) = ours.wait(lambda calls: len(calls) == 1)
    assert (arrived.body, arrived.line) == (body, b"POST /3103 HTTP/1.1")
    assert arrived.header("_api_name") == b"3103"
    assert settled(tmp_path) == (0, 0)


def test_the_bureau_hears_of_its_own_findings_only(tmp_path: Path) -> None:
    """A 3103 about findings of both is shared out; the envelope and its msgid stay."""
    body = answer(("B-1", "1", "病情需要"), ("ours", "2"), ("B-2", "2"), msgid="M7")
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        here.do(here.relay.feed_back(["B-1", "B-2"], call("3103", body)))
        (arrived,) = ours.wait(lambda calls: len(calls) == 1)
    assert list(warned([arrived])) == [("B-1", "1"), ("B-2", "2")]
    assert (arrived.json["msgid"], arrived.json["infno"]) == ("M7", "3103")
    assert int(arrived.header("content-length")) == len(arrived.body)


def test_the_same_answer_again_is_not_delivered_again(tmp_path: Path) -> None:
    """A caller that repeats itself, also with another msgid, is thanked; one that changes its mind is heard in turn."""
    said = [("B-1", "2"), ("B-1", "2"), ("B-1", "1", "病情需要"), ("B-1", "1", "病情需要"), ("B-1", "2")]
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        for number, warn in enumerate(said):
            assert here.do(here.relay.feed_back(["B-1"], call("3103", answer(warn, msgid=str(number))))) == ""
        assert all_there(ours, 3) == [("B-1", "2"), ("B-1", "1"), ("B-1", "2")]
        counted = here.counted("feedback")
        assert (counted["kept"], counted["repeated"]) == (3, 2)
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        here.do(here.relay.feed_back(["B-1"], call("3103", answer(("B-1", "2")))))
    assert ours.arrived == []


SAME = [
    {"warn_rslt_id": "B-1", "dspo_way": "2", "dspo_way_rea": ""},
    {"warn_rslt_id": "B-1", "dspo_way": 2},
    {"warn_rslt_id": " B-1 ", "dspo_way": "2", "dspo_way_rea": None},
    {"warnRsltId": "B-1", "dspoWay": " 2", "dspoWayRea": "-"},
]
OTHER = [
    {"warn_rslt_id": "B-1", "dspo_way": "1"},
    {"warn_rslt_id": "B-1", "dspo_way": "2", "dspo_way_rea": "病情需要"},
    {"warn_rslt_id": "B-1", "dspo_way": "2", "more": {"a": 1}},
]


def test_the_same_word_in_other_letters_is_the_same_word() -> None:
    """A number for a text, a placeholder for nothing, a blank: none of it is news for the bureau."""
    words = [words_of(json.dumps({"input": {"data": {"warns": [row]}}}).encode(), ["B-1"]) for row in (*SAME, *OTHER)]
    assert [word == words[0] for word in words] == [True] * len(SAME) + [False] * len(OTHER)


def test_of_a_repeated_answer_only_what_is_new_goes(tmp_path: Path) -> None:
    """An automatic feedback that lists every finding of the day each time."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        here.do(here.relay.feed_back(["B-1"], call("3103", answer(("B-1", "2")))))
        here.do(here.relay.feed_back(["B-1", "B-2"], call("3103", answer(("B-1", "2"), ("B-2", "2")))))
        assert all_there(ours, 2) == [("B-1", "2"), ("B-2", "2")]


def test_answers_wait_while_the_bureau_is_gone_and_arrive_in_order_when_it_is_back(tmp_path: Path) -> None:
    """Each once; meanwhile the caller is told that they are kept, and operations that they wait."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.die()
        for number in range(5):
            body = answer((f"B-{number}", "2"))
            assert here.do(here.relay.feed_back([f"B-{number}"], call("3103", body))) == ""
        ours.rise()
        assert all_there(ours, 5) == [(f"B-{number}", "2") for number in range(5)]
    assert settled(tmp_path) == (0, 0)


def test_what_waits_outlives_us_and_is_named_while_it_waits(tmp_path: Path) -> None:
    """Kept by one process, delivered by the next."""
    with bureau() as ours:
        ours.die()
        with relay(tmp_path, ours.url) as here:
            here.do(here.relay.feed_back(["B-1"], call("3103", answer(("B-1", "2")))))
        assert settled(tmp_path) == (1, 0)
        ours.rise()
        with relay(tmp_path, ours.url):
            assert all_there(ours, 1) == [("B-1", "2")]
    assert settled(tmp_path) == (0, 0)


def test_a_stop_waits_for_the_reply_to_what_is_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left in doubt by a restart: on the wire, too, each arrives once."""
    monkeypatch.setattr("reminder.relay.relay.GRACE_S", LONG_S)
    with bureau() as ours:
        ours.slow_s = 0.3
        for number in range(4):
            with relay(tmp_path, ours.url) as here:
                here.do(here.relay.feed_back([f"B-{number}"], call("3103", answer((f"B-{number}", "2")))))
                ours.wait(lambda calls, least=number: len(calls) > least)  # type: ignore[misc]
        assert Counter(warned(ours.arrived)) == {(f"B-{number}", "2"): 1 for number in range(4)}


def test_an_answer_without_a_reply_goes_again_with_the_same_bytes(tmp_path: Path) -> None:
    """By its msgid the bureau knows that it has it."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.cut = True
        here.do(here.relay.feed_back(["B-1"], call("3103", answer(("B-1", "2"), msgid="M7"))))
        ours.wait(lambda calls: len(calls) >= 1)
        ours.cut = False
        calls = ours.wait(lambda calls: len(calls) >= 2)
    assert {one.body for one in calls} == {answer(("B-1", "2"), msgid="M7")}
    assert settled(tmp_path) == (0, 0)


def test_killed_again_and_again_every_answer_arrives_and_is_known_by_its_msgid(tmp_path: Path) -> None:
    """SIGKILL in mid-run, at any point: of what was kept nothing is lost, and no two calls about a finding differ."""
    kept: set[int] = set()
    draw = random.Random(6)
    with bureau() as ours:
        for first in range(0, 30, 10):
            command = [sys.executable, "-m", "tests.relay.answering", ours.url, str(tmp_path), str(first), "10"]
            with subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
            ) as process:
                assert process.stdout is not None
                kept |= {int(process.stdout.readline()) for _ in range(draw.randrange(1, 10))}
                process.kill()
        with relay(tmp_path, ours.url):
            wanted = {f"B-{number}" for number in kept}
            ours.wait(lambda calls: wanted <= {id_ for id_, _ in warned(calls)})
        by_finding: dict[str, set[bytes]] = {}
        for one in ours.arrived:
            for id_, _ in warned([one]):
                by_finding.setdefault(id_, set()).add(one.body)
    assert wanted <= by_finding.keys()
    assert all(len(bodies) == 1 for bodies in by_finding.values())


def test_only_the_first_worker_delivers_what_any_of_them_kept(tmp_path: Path) -> None:
    """Several workers, one courier: nothing is sent twice."""
    with bureau() as ours, relay(tmp_path, ours.url, owner=False) as other, relay(tmp_path, ours.url) as first:
        for number, worker in enumerate([other, first] * 5):
            body = answer((f"B-{number}", "2"))
            worker.do(worker.relay.feed_back([f"B-{number}"], call("3103", body)))
        assert Counter(all_there(ours, 10)) == {(f"B-{number}", "2"): 1 for number in range(10)}
        assert "delivered" not in other.counted("feedback")


def test_what_the_bureau_refuses_is_tried_again_and_holds_up_no_other(tmp_path: Path) -> None:
    """A bureau that is busy says -1, too."""
    refusing = {"B-1"}

    def reply(arrived: Arrived) -> bytes:
        ids = {id_ for id_, _ in warned([arrived])}
        return http(b'{"infcode":-1,"err_msg":"busy"}') if ids & refusing else taken()

    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = reply
        here.do(here.relay.feed_back(["B-1"], call("3103", answer(("B-1", "2")))))
        here.do(here.relay.feed_back(["B-1"], call("3103", answer(("B-1", "1", "病情需要")))))
        here.do(here.relay.feed_back(["B-2"], call("3103", answer(("B-2", "2")))))
        ours.wait(lambda calls: ("B-2", "2") in warned(calls))
        refusing.clear()
        calls = ours.wait(lambda calls: ("B-1", "1") in warned(calls))
    assert [way for id_, way in warned(calls) if id_ == "B-1"][-2:] == ["2", "1"]


def test_an_answer_the_line_always_breaks_on_holds_up_no_other(tmp_path: Path) -> None:
    """A firewall before the bureau that dislikes a word: others arrive, it is named, and tried again with pauses."""

    def reply(arrived: Arrived) -> bytes:
        return b"no HTTP\r\n\r\n" if ("B-1", "1") in warned([arrived]) else taken()

    others = {(f"B-{number}", "2") for number in range(2, 6)}
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = reply
        here.do(here.relay.feed_back(["B-1"], call("3103", answer(("B-1", "1", "WAF")))))
        here.do(here.relay.feed_back(["B-1"], call("3103", answer(("B-1", "2")))))
        for id_, way in sorted(others):
            here.do(here.relay.feed_back([id_], call("3103", answer((id_, way)))))
        ours.wait(lambda calls: others <= set(warned(calls)))
        until(lambda: here.counted("feedback").get("delivered") == len(others))
        assert ("B-1", "2") not in warned(ours.arrived)
        assert any("2 answers wait" in text and "连接中断" in text for text in here.relay.degraded)
        ours.reply = lambda _call: taken()
        calls = ours.wait(lambda calls: ("B-1", "2") in warned(calls))
    assert [way for id_, way in warned(calls) if id_ == "B-1"][-2:] == ["1", "2"]
    assert len({one.body for one in calls if ("B-1", "1") in warned([one])}) == 1
    assert settled(tmp_path) == (0, 0)


def test_what_the_bureau_never_takes_is_put_aside_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many tries."""
    monkeypatch.setattr(courier, "MOST_TRIES", 1)
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = lambda _call: http(b'{"infcode":-1}')
        here.do(here.relay.feed_back(["B-1"], call("3103", answer(("B-1", "2")))))
        here.do(here.relay.feed_back(["B-2"], call("3103", answer(("B-2", "2")))))
        ours.wait(lambda calls: len(calls) == 2)
    assert settled(tmp_path) == (0, 2)


@pytest.mark.parametrize("status", ["401 Unauthorized", "200 OK"])
def test_what_a_gateway_keeps_out_goes_again_with_headers_that_are_let_in(
    status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signatures grow old while the bureau is away: the same bytes go with those of a later 3103, whenever it comes."""
    monkeypatch.setattr(courier, "MOST_TRIES", 1)

    def signed(mark: bytes) -> tuple[tuple[bytes, bytes], ...]:
        return ((b"_api_name", b"3103"), (b"_api_signature", mark))

    def gate(arrived: Arrived) -> bytes:
        fresh = arrived.header("_api_signature") == b"fresh"
        return taken() if fresh else http(b'{"code":401,"message":"x"}', status)

    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = gate
        old = answer(("B-1", "2"), msgid="M1")
        here.do(here.relay.feed_back(["B-1"], call("3103", old, headers=signed(b"old"))))
        ours.wait(lambda calls: len(calls) >= 2)
        here.do(here.relay.feed_back(["B-2"], call("3103", answer(("B-2", "2")), headers=signed(b"fresh"))))
        calls = ours.wait(lambda calls: any(c.body == old and c.header("_api_signature") == b"fresh" for c in calls))
        assert {one.body for one in calls if b"B-1" in one.body} == {old}
    assert settled(tmp_path) == (0, 0)


def test_what_cannot_be_kept_is_said(tmp_path: Path) -> None:
    """A full disk, and a body without an answer: the caller hears it and says it again."""
    with bureau() as ours, relay(tmp_path, ours.url, most_bytes=80 * 1024) as here:
        assert here.do(here.relay.feed_back(["B-1"], call("3103", b"{}"))) != ""
        assert here.do(here.relay.feed_back(["B-1"], call("3103", b"\xff\xff"))) != ""
        deep = b'{"a":' + b"[" * 400 + b"]" * 400 + b"}"
        assert here.do(here.relay.feed_back(["B-1"], call("3103", deep))) != ""
        assert "未能保存" in here.do(here.relay.feed_back(["B-1"], call("3103", answer(("B-1", "2" * 100_000)))))


# -- the file


def test_words_and_ids_of_long_ago_are_forgotten(tmp_path: Path) -> None:
    """They would fill the disk."""
    outbox = Outbox(tmp_path / OUTBOX_FILE)
    outbox.issued(["B-1"], NOW)
    outbox.issued(["B-2"], NOW + timedelta(days=2))
    outbox.add({"B-1": b"w"}, lambda _ids: Call(), NOW)
    outbox.forget(NOW + timedelta(days=1))
    assert [outbox.is_issued(id_) for id_ in ("B-1", "B-2")] == [False, True]
    assert outbox.add({"B-1": b"w"}, lambda _ids: Call(), NOW) == 1
    assert outbox.count() == Standing(waiting=2)
    outbox.close()


def test_a_row_that_is_damaged_holds_up_no_other(tmp_path: Path) -> None:
    """It is put aside and counted."""
    outbox = Outbox(tmp_path / OUTBOX_FILE)
    for number in range(3):
        outbox.add({f"B-{number}": b"w"}, lambda _ids: Call(path=f"/{number}"), NOW)  # noqa: B023 - called at once
    with closing(sqlite3.connect(tmp_path / OUTBOX_FILE)) as file:
        file.execute("UPDATE waiting SET call = x'00' WHERE place < 3")
        file.commit()
    first = outbox.first(NOW)
    assert first is not None
    assert first.call.path == "/2"
    assert outbox.count() == Standing(waiting=1, put_aside=2)
    outbox.close()


def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    """It holds headers, which may be credentials."""
    if sys.platform == "win32":
        pytest.skip("rights are those of the folder on Windows")
    outbox = Outbox(tmp_path / OUTBOX_FILE)
    outbox.issued(["B-1"], NOW)
    files = [path for path in tmp_path.iterdir() if path.name.startswith(OUTBOX_FILE)]
    assert [path.name for path in files if path.stat().st_mode & 0o077] == []
    outbox.close()


# -- the bodies

WARNS = [{"warn_rslt_id": "B-1", "dspo_way": "2"}, {"warn_rslt_id": "ours", "dspo_way": "1", "dspo_way_rea": "{需要"}]
DIALECTS: dict[str, dict[str, Any]] = {
    "national": {"infno": "3103", "input": {"data": {"warns": WARNS}}},
    "input as a text": {"infno": "3103", "input": json.dumps({"data": {"warns": WARNS}}, ensure_ascii=False)},
    "camelCase": {
        "infno": "3103",
        "input": {"data": {"warns": [{"warnRsltId": warn["warn_rslt_id"], "dspoWay": "2"} for warn in WARNS]}},
    },
    "flat": {"infno": "3103", "warns": WARNS, "data": ""},
}


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_part_of_the_bureau_keeps_dialect_and_encoding(dialect: str, encoding: str) -> None:
    """Other answers are gone, and everything else stays as it was."""
    body = json.dumps({**DIALECTS[dialect], "opter_name": "测试"}, ensure_ascii=False).encode(encoding)
    assert words_of(body, ["B-1"]).keys() == {"B-1"}
    part = only(body, ["B-1"])
    part.decode(encoding)
    told = parse_body(part)
    assert told["opter_name"] == "测试"
    assert told.keys() == parse_body(body).keys()
    assert "ours" not in part.decode(encoding)
    assert "B-1" in part.decode(encoding)


def test_one_answer_as_an_object_is_an_answer() -> None:
    """2.8: an object where others send a list."""
    body = b'{"infno":"3103","input":{"data":{"warns":{"warn_rslt_id":"B-1","dspo_way":"2"}}}}'
    assert words_of(body, ["B-1"]).keys() == {"B-1"}
    assert only(body, ["B-1"]) == body


def test_an_id_may_be_a_number_or_stand_among_blanks() -> None:
    """2.8: ids as integers; and some systems fill fields up."""
    body = b'{"warns":[{"warn_rslt_id":17,"dspo_way":2},{"warn_rslt_id":" B-1 ","dspo_way":"2"},{"warn_rslt_id":"o"}]}'
    assert words_of(body, ["17", "B-1"]).keys() == {"17", "B-1"}
    assert b'"o"' not in only(body, ["17", "B-1"])


_IDS = st.lists(st.sampled_from(["B-1", "B-2", "B-3", "o-1", "o-2"]), max_size=6)


@given(ids=_IDS, wanted=st.sets(st.sampled_from(["B-1", "B-2", "B-3"])))
def test_no_answer_is_lost_or_told_to_the_wrong_side(ids: list[str], wanted: set[str]) -> None:
    """Of any body the part holds the answers wanted, in their order, and no other."""
    body = answer(*((id_, "2") for id_ in ids))
    part = parse_body(only(body, wanted))
    assert [warn["warn_rslt_id"] for warn in part["input"]["data"]["warns"]] == [id_ for id_ in ids if id_ in wanted]


@given(st.binary(max_size=40).filter(lambda raw: raw[:1] != b"{"))
def test_bytes_that_are_no_body_are_refused(raw: bytes) -> None:
    """In words, never by a fault."""
    with pytest.raises(RequestError) as caught:
        words_of(raw, ["B-1"])
    assert caught.value.fields[0].field == "body"
