"""A hospital's system has one address for everything: this sidecar's, with the bureau behind it."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reminder.callers import Caller
from reminder.feedback.items import MAX_ITEMS
from reminder.upstream import Upstream
from tests.national.asking import CALL, call, feedback, raw_call, three, warn
from tests.relay.bureau import Arrived, Bureau, bureau, finding, http, taken
from tests.relay.relays import BOTH
from tests.reminder.bodies import encoded
from tests.reminder.sidecar import Running, get, running
from tests.stores.desks import LONG_S

PATIENT: dict[str, Any] = {"wait_ms": LONG_S * 1000, "connect_ms": LONG_S * 1000, "read_ms": LONG_S * 1000}
OURS = ["R67-men", "E01-quantity", "R12-level", "R12-level"]
HIS = Caller(path="/his", deadline_ms=10_000)


def behind(ours: Bureau, **settings: Any) -> Upstream:
    """The settings of a bureau asked beside us."""
    return Upstream(**({"url": ours.url, "modes": BOTH} | PATIENT | settings))


def until(true: Callable[[], bool]) -> None:
    """Wait for something."""
    end = time.monotonic() + LONG_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("path", ["/", CALL, "/2207", "/api/anything?x=%20y"])
def test_another_transaction_passes_on_any_path_in_gbk(path: str, tmp_path: Path) -> None:
    """2207 as a GBK client sends it: the bureau gets those bytes and headers, and the client the bureau's."""
    body = '{"infno":"2207","input":{"data":{"psn_name":"测试"}}}'.encode("gbk")
    reply = '{"infcode":"0","err_msg":"成功"}'.encode("gbk")
    kind = "text/plain; charset=GBK"
    with bureau() as ours, running(tmp_path, upstream=behind(ours)) as here:
        ours.reply = lambda _call: http(reply, headers=[(b"Content-Type", kind.encode()), (b"X-Trace", b"T1")])
        status, headers, content = raw_call(here, body, path, headers={"Content-Type": kind, "_api_name": "2207"})
    (arrived,) = ours.arrived
    assert (arrived.body, arrived.line) == (body, f"POST {path} HTTP/1.1".encode())
    assert (arrived.header("content-type"), arrived.header("_api_name")) == (kind.encode(), b"2207")
    assert (status, content) == (200, reply)
    assert (headers["content-type"], headers["x-trace"]) == (kind, "T1")


@pytest.mark.parametrize("path", ["/soap", "/some/rest?x=1", "/healthz", "/cds"])
@pytest.mark.parametrize("body", [b"<soap/>", b"--x\r\n\r\n1\r\n--x--", b'{"a": 1}', b"", "文".encode("gbk")], ids=repr)
def test_what_is_no_transaction_passes_on_a_path_of_nobodys(path: str, body: bytes, tmp_path: Path) -> None:
    """A web service or a gateway's own call, by POST, as by every other method."""
    with bureau() as ours, running(tmp_path, upstream=behind(ours)) as here:
        ours.reply = lambda _call: http(b"done", headers=[(b"Content-Type", b"text/xml")])
        status, headers, content = raw_call(here, body, path, headers={"SOAPAction": "x"})
    (arrived,) = ours.arrived
    assert (arrived.body, arrived.line) == (body, f"POST {path} HTTP/1.1".encode())
    assert (status, headers["content-type"], content) == (200, "text/xml", b"done")


def test_both_answer_one_check_and_every_finding_names_its_origin(tmp_path: Path) -> None:
    """Ours first, the bureau's behind them with its own ids and texts; the bureau got the body as it came."""
    with bureau() as ours, running(tmp_path, upstream=behind(ours)) as here:
        ours.reply = lambda _call: taken(result=[finding("B-1"), finding("B-2")])
        sent = encoded(three())
        output = call(here, sent)["output"]
    rows = output["result"]
    assert [row["rule_id"] for row in rows] == [*OURS, "B01", "B01"]
    assert [row["origin"] for row in rows] == ["reminder"] * 4 + ["bureau"] * 2
    assert [row["jr_id"] for row in rows[4:]] == ["B-1", "B-2"]
    assert output["bureau"] == {"asked": True, "findings": 2, "why": ""}
    assert ours.arrived[0].body == sent


def unreadable_here() -> dict[str, Any]:
    """A body that only the bureau can use."""
    body = three()
    body["input"]["data"]["patient_dtos"][0]["fsi_encounter_dtos"] = []
    return body


@pytest.mark.parametrize(("on_failure", "names"), [("error", ["医保局规则", "未全部检查"]), ("open", ["医保局规则"])])
def test_what_we_cannot_check_the_bureau_may(on_failure: Any, names: list[str], tmp_path: Path) -> None:
    """Its findings are shown, with that ours are missing, and its ids are known."""
    his = Caller(name="his", on_failure=on_failure)
    with bureau() as ours, running(tmp_path, upstream=behind(ours), callers=(his,)) as here:
        ours.reply = lambda _call: taken(result=[finding("B-1")])
        reply = call(here, unreadable_here(), headers={"reminder-caller": "his"})
    assert reply["infcode"] == 0
    assert [row["rule_name"] for row in reply["output"]["result"]] == names
    assert reply["output"]["result"][0]["origin"] == "bureau"
    assert reply["output"]["not_checked"]["reason"] == "request"


@pytest.mark.parametrize("result", [[], None])
def test_what_neither_can_check_is_an_error(result: list[Any] | None, tmp_path: Path) -> None:
    """The bureau found nothing, or is not there: ours is missing all the same."""
    with bureau() as ours, running(tmp_path, upstream=behind(ours)) as here:
        ours.reply = lambda _call: taken(result=result)
        if result is None:
            ours.die()
        assert call(here, unreadable_here())["infcode"] == -1


def test_feedback_goes_to_whoever_issued_the_finding(tmp_path: Path) -> None:
    """One 3103 about both: ours becomes feedback here, the bureau's reaches the bureau, and no other's does."""
    with bureau() as ours, running(tmp_path, upstream=behind(ours)) as here:
        ours.reply = lambda _call: taken(result=[finding("B-1")])
        rows = call(here, three())["output"]["result"]
        ours.reply = lambda _call: taken()
        words = [warn(row["jr_id"], "1", "病情需要，已告知患者") for row in rows]
        reply = call(here, feedback(*words), path="/3103")
        assert reply["infcode"] == 0
        calls = ours.wait(lambda calls: len(calls) == 2)
        told = calls[1].json["input"]["data"]["warns"]
        assert [one["warn_rslt_id"] for one in told] == ["B-1"]
        assert reply["output"]["bureau"] == ["B-1"]
        assert [item["finding_id"] for item in reply["output"]["items"]] == [row["jr_id"] for row in rows[:4]]
        assert reply["output"]["unknown"] == []


def test_the_bureau_has_words_of_its_own(tmp_path: Path) -> None:
    """A way some province has, none at all, and more answers than we take: what is its goes as it is."""
    ids = [f"B-{number}" for number in range(MAX_ITEMS + 5)]
    rows = [{"warn_rslt_id": "B-0"}, warn("B-1", "3"), warn("B-2", []), *(warn(id_, "2") for id_ in ids[3:])]
    with bureau() as ours, running(tmp_path, upstream=behind(ours)) as here:
        ours.reply = lambda _call: taken(result=[finding(id_) for id_ in ids])
        jr_id = call(here, three())["output"]["result"][0]["jr_id"]
        ours.reply = lambda _call: taken()
        reply = call(here, feedback(*rows, warn(jr_id, "2")))
        calls = ours.wait(lambda calls: len(calls) == 2)
        assert call(here, feedback(warn("B-0", "4")))["infcode"] == 0
    assert (reply["infcode"], reply["output"]["bureau"], reply["output"]["error"]) == (0, ids, [])
    assert [item["finding_id"] for item in reply["output"]["items"]] == [jr_id]
    assert calls[1].json["input"]["data"]["warns"] == rows


def test_the_bureau_hears_of_its_own_although_we_keep_no_journal(tmp_path: Path) -> None:
    """What cannot be kept of ours is told as such, and holds up nothing of the bureau's."""
    with bureau() as ours, running(tmp_path, upstream=behind(ours), journal="off") as here:
        ours.reply = lambda _call: taken(result=[finding("B-1")])
        rows = call(here, three())["output"]["result"]
        ours.reply = lambda _call: taken()
        assert call(here, feedback(*(warn(row["jr_id"], "2") for row in rows)))["infcode"] == -1
        calls = ours.wait(lambda calls: len(calls) == 2)
        assert list(answered(calls)) == ["B-1"]
        assert call(here, feedback(warn("B-1", "1", "病情需要")))["infcode"] == 0


def test_a_bureau_that_is_gone_is_named_and_ours_are_there(tmp_path: Path) -> None:
    """Its end costs no finding of ours, and health says so."""
    with bureau() as ours, running(tmp_path, upstream=behind(ours)) as here:
        ours.die()
        reply = call(here, three())
        assert (reply["infcode"], reply["err_msg"]) == (0, "")
        assert [row["rule_id"] for row in reply["output"]["result"]] == OURS
        assert "医保接口" in reply["output"]["bureau"]["why"]
        assert any("bureau" in text for text in get(here.at("http"), "/readyz")[1]["degraded"])


def test_a_bureau_killed_in_mid_run_makes_no_answer_late(tmp_path: Path) -> None:
    """Slow, killed, back: every answer holds our findings, within its deadline, and says where the bureau is."""
    whys: list[str] = []
    took: list[float] = []
    with bureau() as ours, running(tmp_path, upstream=behind(ours, wait_ms=100), callers=(HIS,)) as here:
        ours.reply = lambda _call: taken(result=[finding("B-1")])
        for step in range(24):
            if step == 6:
                ours.slow_s = LONG_S
            if step == 12:
                ours.die()
            if step == 18:
                ours.slow_s = 0.0
                ours.rise()
            began = time.monotonic()
            output = call(here, three(), path="/his")["output"]
            took.append(time.monotonic() - began)
            assert [row["rule_id"] for row in output["result"]][:4] == OURS
            whys.append(output["bureau"]["why"])
        ours.die()
    assert max(took) < HIS.deadline_ms / 1000
    assert all(whys[6:18])


def test_what_a_check_means_is_the_same_whoever_is_asked_beside(tmp_path: Path) -> None:
    """With and without a bureau our findings are equal."""
    with running(tmp_path) as here:
        alone = call(here, three())["output"]["result"]
    with bureau() as ours, running(tmp_path, upstream=behind(ours), data=tmp_path / "other") as here:
        beside = call(here, three())["output"]["result"]

    def told(rows: list[dict[str, Any]]) -> list[Any]:
        return [{key: row[key] for key in ("rule_id", "sev_deg", "vola_cont", "vola_amt")} for row in rows]

    assert told(alone) == told(beside)


def test_the_bureau_alone_may_check(tmp_path: Path) -> None:
    """Mode `bureau`: its reply comes back as it is, and feedback about it finds its way."""
    reply = json.dumps({"infcode": 0, "err_msg": "", "output": {"result": [finding("B-1")]}}).encode()
    upstream = {"modes": {"3101": "bureau"}}
    with bureau() as ours, running(tmp_path, upstream=behind(ours, **upstream)) as here:
        ours.reply = lambda _call: http(reply)
        assert raw_call(here, encoded(three()))[2] == reply
        ours.reply = lambda _call: taken()
        call(here, feedback(warn("B-1", "2")))
        calls = ours.wait(lambda calls: len(calls) == 2)
    assert calls[1].json["input"]["data"]["warns"][0]["warn_rslt_id"] == "B-1"


def test_feedback_reaches_the_bureau_once_across_a_restart_of_ours(tmp_path: Path) -> None:
    """The bureau is away, we are stopped and started, callers repeat themselves: each id arrives exactly once."""
    ids = [f"B-{number}" for number in range(20)]
    settings: dict[str, Any] = {"data": tmp_path / "var"}
    with bureau() as ours:
        with running(tmp_path, upstream=behind(ours), **settings) as here:
            ours.reply = lambda _call: taken(result=[finding(id_) for id_ in ids])
            call(here, three())
            ours.reply = lambda _call: taken()
            for id_ in ids[:8]:
                call(here, feedback(warn(id_, "2")))
            ours.die()
            for id_ in ids[4:14]:
                assert call(here, feedback(warn(id_, "2")))["infcode"] == 0
        with running(tmp_path, upstream=behind(ours), **settings) as here:
            ours.rise()
            for id_ in ids[10:]:
                assert call(here, feedback(warn(id_, "2")))["infcode"] == 0
            ours.wait(lambda calls: answered(calls).keys() >= set(ids))
    counts = answered(ours.arrived)
    assert {id_: len(bodies) for id_, bodies in counts.items()} == dict.fromkeys(ids, 1)


def answered(calls: list[Arrived]) -> dict[str, set[bytes]]:
    """The ids that were answered, each with the different bodies that said so: one that came twice is known by them."""
    found: dict[str, set[bytes]] = {}
    for one in calls:
        if one.json.get("infno") == "3103":
            for told in one.json["input"]["data"]["warns"]:
                found.setdefault(told["warn_rslt_id"], set()).add(one.body)
    return found


def test_what_cannot_be_delivered_is_told_by_health_and_metrics(tmp_path: Path) -> None:
    """Operations see that answers wait, and why."""
    with bureau() as ours, running(tmp_path, upstream=behind(ours)) as here:
        ours.reply = lambda _call: taken(result=[finding("B-1")])
        call(here, three())
        ours.die()
        call(here, feedback(warn("B-1", "2")))
        until(lambda: any("wait to be delivered" in text for text in here.service.degraded))
        text = here.service.metrics.text().decode()
    samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("reminder_relay_"))
    assert float(samples["reminder_relay_waiting"]) == 1
    assert float(samples['reminder_relay_asked_total{result="answered"}']) == 1
    assert float(samples['reminder_relay_feedback_total{result="kept"}']) == 1


def test_nothing_of_what_passes_is_logged(tmp_path: Path) -> None:
    """Neither bodies nor headers nor what the bureau says, whatever becomes of the call."""
    planted = "PLANTED"
    body = encoded({"infno": "5204", "input": {"data": {"psn_no": planted}}, "opter_name": planted})
    with bureau() as ours, running(tmp_path, upstream=behind(ours)) as here:
        ours.reply = lambda _call: http(encoded({"infcode": -1, "err_msg": planted}))
        raw_call(here, body, headers={"apikey": planted})
        call(here, three())
        call(here, feedback(warn("B-1", "2", planted)))
        ours.wait(lambda calls: len(calls) == 3)
        ours.die()
        raw_call(here, body)
        assert planted not in json.dumps(here.logged())
        assert planted not in " ".join(here.service.degraded)
        assert planted.encode() not in here.service.metrics.text()


def test_without_a_bureau_nothing_of_it_is_there(tmp_path: Path) -> None:
    """Another transaction gets -1 and a text; no file, no metric, no task."""
    with running(tmp_path) as here:
        reply = call(here, {"infno": "2207", "input": {"data": {}}})
        assert (reply["infcode"], "2207" in reply["err_msg"]) == (-1, True)
        assert here.service.relay is None
        assert b"reminder_relay" not in here.service.metrics.text()
    assert not (tmp_path / "var" / "relay.sqlite").exists()


def test_many_callers_at_once_get_what_is_theirs(tmp_path: Path) -> None:
    """Checks, passing calls and feedback side by side."""
    with bureau() as ours, running(tmp_path, upstream=behind(ours)) as here:
        ours.reply = lambda arrived: http(arrived.body)
        seen = Counter(passed(here, number) for number in range(30))
    assert set(seen.values()) == {1}


def passed(here: Running, number: int) -> bytes:
    """What comes back for one passing call."""
    body = encoded({"infno": "2204", "msgid": str(number), "input": {}})
    content = raw_call(here, body)[2]
    assert content == body
    return content
