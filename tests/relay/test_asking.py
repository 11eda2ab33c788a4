"""A bureau asked beside us: its findings come with their origin, and it is never waited for past the deadline."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reminder.relay.relay import FAIR_S
from reminder.relay.trying import FIRST_PAUSE_S, MOST_PAUSE_S, Trying
from tests.relay.bureau import bureau, finding, http, taken
from tests.relay.relays import call, relay
from tests.stores.builders import NOW
from tests.stores.desks import LONG_S

ROOT = Path(__file__).parents[2]
ASKED = call("3101", b'{"infno":"3101"}')
LATE_S = 5.0
"""No answer may be later than its deadline; a machine may stand still this long before we notice."""


def reply(**envelope: Any) -> bytes:
    """A reply of the bureau in the words of the test."""
    return json.dumps({"infcode": 0, "err_msg": ""} | envelope, ensure_ascii=False).encode()


ONE, TWO = finding("B-1"), finding("B-2")
READABLE = {
    "a list": (reply(output={"result": [ONE, TWO]}), ["B-1", "B-2"]),
    "one object": (reply(output={"result": ONE}), ["B-1"]),
    "a text": (reply(output=json.dumps({"result": [ONE]})), ["B-1"]),
    "infcode as a text": (reply(infcode="0", output={"result": [ONE]}), ["B-1"]),
    "err_msg on success": (reply(err_msg="成功", output={"result": [ONE]}), ["B-1"]),
    "GBK": (reply(output={"result": [ONE]}).decode().encode("gbk"), ["B-1"]),
    "an empty list": (reply(output={"result": []}), []),
    "null": (reply(output={"result": None}), []),
    "no output": (reply(), []),
    "an empty text": (reply(output=""), []),
    "empty objects": (reply(output={"result": [{}]}), []),
}


@pytest.mark.parametrize("told", READABLE)
def test_findings_are_read_in_every_form_bureaus_write(told: str, tmp_path: Path) -> None:
    """Reference 3.3 and 1.4: replies differ by province; each finding keeps its fields, and names its origin."""
    body, ids = READABLE[told]
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = lambda _call: http(body)
        said = here.do(here.relay.ask(ASKED, LONG_S))
        assert said.why == ""
        assert [row["jr_id"] for row in said.rows] == ids
        assert all(row["origin"] == "bureau" and row["vola_cont"] == "疑似超量" for row in said.rows)
        assert all(here.relay.theirs(id_) for id_ in ids)
        assert not here.relay.theirs("ours")


@pytest.mark.parametrize(
    ("amount", "told"), [("12.50", Decimal("12.50")), (" 3 ", 3), (1.5, Decimal("1.5")), ("", ""), ("NaN", "NaN")]
)
def test_an_amount_written_as_a_text_is_a_number(amount: object, told: object, tmp_path: Path) -> None:
    """Clients that read nothing else (3.3) see what the bureau meant; what is no number stays as it was."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = lambda _call: taken(result=[ONE | {"vola_amt": amount}])
        (row,) = here.do(here.relay.ask(ASKED, LONG_S)).rows
    assert row["vola_amt"] == told


UNREADABLE = {
    "refused": (reply(infcode=-1, err_msg="参数错误"), "参数错误"),
    "no JSON": (b"<html>", "不是 JSON"),
    "enciphered": (reply(output=base64.b64encode(b"0123").decode()), "无法读出"),
    "not findings": (reply(output={"result": ["x"]}), "无法读出"),
}


@pytest.mark.parametrize("told", UNREADABLE)
def test_a_reply_without_findings_to_read_is_named(told: str, tmp_path: Path) -> None:
    """It is never taken for "no violation"."""
    body, why = UNREADABLE[told]
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = lambda _call: http(body)
        said = here.do(here.relay.ask(ASKED, LONG_S))
    assert not said.rows
    assert why in said.why


def test_an_error_of_a_gateway_is_named(tmp_path: Path) -> None:
    """By its status."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = lambda _call: http(b"{}", "401 Unauthorized")
        assert "401" in here.do(here.relay.ask(ASKED, LONG_S)).why


def test_a_slow_bureau_is_named_at_the_deadline_and_left_alone_after_three(tmp_path: Path) -> None:
    """Nobody's answer waits longer than its deadline; after three in a row nobody waits at all."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.slow_s = LONG_S
        for _ in range(3):
            began = time.monotonic()
            assert "未在 200 毫秒内答复" in here.do(here.relay.ask(ASKED, FAIR_S)).why
            assert time.monotonic() - began < LATE_S
        assert any("left alone" in text for text in here.relay.degraded)
        assert "暂停询问" in here.do(here.relay.ask(ASKED, LONG_S)).why
        assert here.counted("asked") == {"late": 3, "open": 1}
        ours.die()


def test_callers_in_a_hurry_do_not_make_the_bureau_one_that_failed(tmp_path: Path) -> None:
    """Whoever leaves it no time hears that it was late, and the next caller asks it all the same."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = lambda _call: taken(result=[ONE])
        for within_s in (0.0, -1.0, 0.000_001, 0.0):
            assert not here.do(here.relay.ask(ASKED, within_s)).rows
        assert here.do(here.relay.ask(ASKED, LONG_S)).rows


def test_the_settings_bound_the_wait_too(tmp_path: Path) -> None:
    """A caller that waits for ever does not make us wait for the bureau for ever."""
    with bureau() as ours, relay(tmp_path, ours.url, wait_ms=30) as here:
        ours.slow_s = LONG_S
        assert "未在 30 毫秒内答复" in here.do(here.relay.ask(ASKED, LONG_S)).why
        ours.die()


def test_a_bureau_that_dies_in_the_middle_is_named_and_asked_again_when_it_is_back(tmp_path: Path) -> None:
    """Its end costs one answer its findings, and its return is noticed."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = lambda _call: taken(result=[ONE])
        assert here.do(here.relay.ask(ASKED, LONG_S)).rows
        ours.die()
        assert "医保接口" in here.do(here.relay.ask(ASKED, LONG_S)).why
        assert "暂停询问" in here.do(here.relay.ask(ASKED, LONG_S)).why
        ours.rise()
        until = time.monotonic() + LONG_S
        while not here.do(here.relay.ask(ASKED, LONG_S)).rows:
            assert time.monotonic() < until
            time.sleep(0.05)
        assert here.relay.degraded == ()


def test_a_line_that_broke_while_it_was_idle_costs_nothing(tmp_path: Path) -> None:
    """A bureau that closes lines it kept open is asked on a new one."""
    with bureau() as ours, relay(tmp_path, ours.url) as here:
        ours.reply = lambda _call: taken(result=[ONE])
        for _ in range(3):
            assert here.do(here.relay.ask(ASKED, LONG_S)).rows
            ours.die()
            ours.rise()
        assert here.counted("asked") == {"answered": 3}


def test_what_the_bureau_issued_is_known_after_a_restart_and_to_other_workers(tmp_path: Path) -> None:
    """Whoever is told of a finding knows whose it is."""
    with bureau() as ours, relay(tmp_path, ours.url, owner=False) as other:
        ours.reply = lambda _call: taken(result=[ONE])
        with relay(tmp_path, ours.url) as here:
            here.do(here.relay.ask(ASKED, LONG_S))
            assert other.relay.theirs("B-1")
        with relay(tmp_path, ours.url) as again:
            assert again.relay.theirs("B-1")


def test_a_check_that_is_the_bureaus_alone_passes_and_its_findings_are_known_as_its_own(tmp_path: Path) -> None:
    """Mode `bureau`: byte for byte, and 3103 finds its way."""
    body = reply(output={"result": [ONE]})
    with bureau() as ours, relay(tmp_path, ours.url, modes={"3101": "bureau"}) as here:
        ours.reply = lambda _call: http(body)
        assert here.do(here.relay.pass_on(ASKED, "3660")).body == body
        assert here.relay.theirs("B-1")


def test_modes_are_those_of_the_settings_in_every_dialect(tmp_path: Path) -> None:
    """3660 is 3101 and 3661 is 3102 (2.7); where the bureau checks it hears feedback too."""
    with bureau() as ours, relay(tmp_path, ours.url, modes={"3101": "both", "3102": "bureau"}) as here:
        modes = {infno: here.relay.mode(infno) for infno in ("3101", "3660", "3102", "3661", "3103", "2207")}
    assert modes == {
        "3101": "both",
        "3660": "both",
        "3102": "bureau",
        "3661": "bureau",
        "3103": "both",
        "2207": "bureau",
    }


_FIRST_CALL = """
import sys
from pathlib import Path
from tests.relay.bureau import bureau
from tests.relay.relays import call, relay
with bureau() as ours, relay(Path(sys.argv[1]), ours.url) as here:
    before = set(sys.modules)
    here.do(here.relay.ask(call("3101"), 60))
    print(sorted(set(sys.modules) - before - {"encodings.idna", "stringprep"}))
"""


def test_the_first_call_loads_nothing(tmp_path: Path) -> None:
    """What it would load, everybody would wait for."""
    done = subprocess.run(
        [sys.executable, "-c", _FIRST_CALL, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.s = 0.0


def test_after_a_failure_one_call_a_pause_tries_and_the_pauses_grow() -> None:
    """1, 2, 4 ... 10 seconds; what works closes it at once."""
    hand = Hand()
    trying = Trying(lambda: NOW, lambda: hand.s)
    assert trying.may()
    trying.failed("gone")
    waited = []
    for _ in range(8):
        began = hand.s
        while not trying.may():
            hand.s += 0.5
        waited.append(hand.s - began)
        assert not trying.may()
        trying.failed("gone")
    assert waited[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert waited[-1] == MOST_PAUSE_S
    trying.worked()
    assert trying.may()
    assert trying.why == ""
