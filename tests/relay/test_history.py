"""What passes is history: what was told the bureau, and what it told, is known to the next check."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from negative_list.site import Sites
from reminder.keyed import PATIENT_IDS
from reminder.logs import LineWriter, make_logger
from reminder.relay import feeding
from reminder.relay.feeding import Feeding
from reminder.relay.metrics import RelayMetrics
from reminder.relay.queries import KEPT, MOST_OF_ONE, MOST_PATIENTS, Queries
from reminder.relay.records import Call, Passed
from reminder.stores.base import StoreError, Wanted
from reminder.upstream import Upstream
from tests.relay.bureau import Arrived, bureau, http
from tests.reminder.remembered import TEST, asked, body, found, write_rules
from tests.reminder.sidecar import Running, running
from tests.stores.builders import NOW
from tests.stores.desks import LONG_S

INSTITUTION = "H2"


def request(infno: str, **input_: Any) -> dict[str, Any]:
    """A call of an institution, of the day before the bodies."""
    return {"infno": infno, "fixmedins_code": INSTITUTION, "inf_time": "2026-01-07 08:00:00", "input": input_}


def fee(**fields: Any) -> dict[str, Any]:
    """A fee of the week before."""
    told = {
        "psn_no": "P1",
        "mdtrt_id": "V7",
        "feedetl_sn": "1",
        "fee_ocur_time": "2026-01-06 10:00:00",
        "med_list_codg": TEST,
        "medins_list_name": "测定",
        "cnt": 1,
    }
    return told | fields


def visit(**fields: Any) -> dict[str, Any]:
    """A visit of the week before."""
    told = {
        "mdtrt_id": "V7",
        "psn_no": "P1",
        "begntime": "2026-01-06 08:00:00",
        "endtime": "2026-01-06 12:00:00",
        "med_type": "11",
    }
    return told | fields


def pass_on(here: Running, told: dict[str, Any], encoding: str = "utf-8") -> Passed:
    """One call through the relay of a sidecar."""
    relay = here.service.relay
    assert relay is not None
    raw = json.dumps(told, ensure_ascii=False).encode(encoding)
    return here.await_(relay.pass_on(Call(path=f"/{told['infno']}", body=raw), str(told["infno"])))


def until(true: Callable[[], bool]) -> None:
    """Wait for something."""
    end = time.monotonic() + LONG_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def counted(here: Running, result: str) -> float:
    """How many calls were read, or not."""
    value = here.service.metrics.registry.get_sample_value("reminder_relay_fed_total", {"result": result})
    return value or 0.0


def reply(output: Any, infcode: int = 0) -> bytes:
    """The bureau's reply."""
    return json.dumps({"infcode": infcode, "err_msg": "", "output": output}, ensure_ascii=False).encode()


WEEKLY = {
    "fees uploaded": (request("2204", feedetail=[fee()]), None),
    "fees of a stay": (request("2301", feedetail=[fee()]), None),
    "fees asked for": (request("5204", data={"psn_no": "P1", "mdtrt_id": "V7"}), [fee()]),
    "drugs of chronic patients": (
        request("5205", data={"psn_no": "P1"}),
        {"feedetail": [fee(fixmedins_code="H9", mdtrt_id="V9")]},
    ),
}


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
@pytest.mark.parametrize("what", WEEKLY)
def test_fees_that_pass_are_known_to_the_next_check(what: str, encoding: str, tmp_path: Path) -> None:
    """A test done last week, in another system's books: the second one within seven days is seen."""
    told, output = WEEKLY[what]
    with bureau() as ours, running(tmp_path, list=write_rules(tmp_path), upstream=Upstream(url=ours.url)) as here:
        ours.reply = lambda _call: http(reply(output).decode().encode(encoding))
        assert found(asked(here, body())) == ["?R31-weekly"]
        pass_on(here, told, encoding)
        until(lambda: counted(here, "read") == 1)
        assert found(asked(here, body())) == ["R31-weekly"]


def test_what_the_bureau_refused_did_not_happen(tmp_path: Path) -> None:
    """Fees it did not take are no history."""
    told, _ = WEEKLY["fees uploaded"]
    with bureau() as ours, running(tmp_path, list=write_rules(tmp_path), upstream=Upstream(url=ours.url)) as here:
        ours.reply = lambda _call: http(reply(None, infcode=-1))
        pass_on(here, told)
        until(lambda: counted(here, "read") == 1)
        assert found(asked(here, body())) == ["?R31-weekly"]


def test_visits_and_their_fees_asked_for_one_after_another_say_that_nothing_is_missing(tmp_path: Path) -> None:
    """5201 for all visits, 5204 for each: together they cover the institution, and the rule can say no."""
    ask = request("5201", data={"psn_no": "P1", "begntime": "2025-01-01", "endtime": "2026-01-09"})
    fees = request("5204", data={"psn_no": "P1", "mdtrt_id": "V7"})
    answers = {
        "5201": reply({"mdtrtinfo": [visit()]}),
        "5204": reply([fee(med_list_codg="003")]),
    }

    def of(arrived: Arrived) -> bytes:
        return http(answers[arrived.json["infno"]])

    with bureau() as ours, running(tmp_path, list=write_rules(tmp_path), upstream=Upstream(url=ours.url)) as here:
        ours.reply = of
        for count, told in enumerate((ask, fees), 1):
            pass_on(here, told)
            until(lambda count=count: counted(here, "read") == count)  # type: ignore[misc]
        assert covered(here) == datetime(2025, 1, 1)


def covered(here: Running) -> datetime | None:
    """Since when all is known of what the institution did for the patient."""
    memory = here.service.memory
    assert memory is not None
    key = memory.keys.patient(PATIENT_IDS, "P1")
    wanted = Wanted(patient_key=key, encounter_key="", institution_id=INSTITUTION, at=datetime(2026, 1, 8))
    history = here.await_(memory.read(wanted, None)).history
    return history.own_since if history is not None else None


def test_signing_in_and_sales_are_facts(tmp_path: Path) -> None:
    """9001: who signed in where; 3505A: what was sold, with its trace codes."""
    sale = {
        "med_list_codg": TEST,
        "fixmedins_hilist_name": "药",
        "psn_no": "P1",
        "mdtrt_sn": "V7",
        "sel_retn_cnt": 1,
        "sel_retn_time": "2026-01-06 10:00:00",
        "drugtracinfo": [{"drug_trac_codg": "81234567890123456789"}],
    }
    with bureau() as ours, running(tmp_path, list=write_rules(tmp_path), upstream=Upstream(url=ours.url)) as here:
        ours.reply = lambda _call: http(reply({"signinoutb": {"sign_no": "S1", "sign_time": "2026-01-07 08:00:00"}}))
        pass_on(here, request("9001", signIn={"opter_no": "D1"}))
        until(lambda: counted(here, "read") == 1)
        ours.reply = lambda _call: http(reply({"result": [{"retRslt": "1"}]}))
        pass_on(here, request("3505A", selinfo=[sale]))
        until(lambda: counted(here, "read") == 2)
        assert found(asked(here, body())) == ["R31-weekly"]
        assert here.service.metrics.registry.get_sample_value(
            "reminder_told_total", {"kind": "facts", "result": "stored"}
        )


def test_what_is_no_call_that_is_read_costs_nothing(tmp_path: Path) -> None:
    """Other transactions, pages of a gateway, bytes that are no JSON: passed, not read, nobody hurt."""
    with bureau() as ours, running(tmp_path, list=write_rules(tmp_path), upstream=Upstream(url=ours.url)) as here:
        ours.reply = lambda _call: http(b"\xff\xfe")
        pass_on(here, request("2207", data={}))
        pass_on(here, request("5204", data={"psn_no": "P1"}))
        ours.reply = lambda _call: http(reply({"feedetail": "?"}))
        pass_on(here, request("5204", data={"psn_no": "P1"}))
        told, output = WEEKLY["fees asked for"]
        ours.reply = lambda _call: http(reply(output))
        pass_on(here, told)
        until(lambda: counted(here, "read") >= 1)
        assert found(asked(here, body())) == ["R31-weekly"]
        assert not here.service.degraded


def test_a_site_may_choose_not_to_be_read(tmp_path: Path) -> None:
    """`feed = false`: calls pass and nothing is kept of them."""
    told, _ = WEEKLY["fees uploaded"]
    silent: dict[str, Any] = {"list": write_rules(tmp_path)}
    with bureau() as ours, running(tmp_path, upstream=Upstream(url=ours.url, feed=False), **silent) as here:
        pass_on(here, told)
        assert found(asked(here, body())) == ["?R31-weekly"]
        assert counted(here, "read") == 0


class Forgetful:
    """A memory that keeps nothing, and waits until it may."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.fault = False

    async def put_history(self, _records: object, _coverage: object) -> None:
        """Nothing is kept."""
        await self.may.wait()
        if self.fault:
            raise StoreError("gone", "the store is gone")


def test_a_full_queue_lets_calls_pass_unread_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded by calls and by bytes; what does not fit is counted."""
    monkeypatch.setattr(feeding, "MOST_CALLS", 3)
    metrics = RelayMetrics()
    metrics.watch(lambda: (0, 0, False))
    made = Feeding(Forgetful(), Sites, lambda: NOW, metrics, make_logger(LineWriter(None), "error"))  # type: ignore[arg-type]
    for _ in range(5):
        made.heed("2204", b"{}", Passed(status=200, body=b"{}"))
    made.heed("2207", b"{}", Passed(status=200))
    made.heed("2204", b"{}", Passed(status=500))
    assert len(made._heard) == 3  # noqa: SLF001 - what waits
    monkeypatch.setattr(feeding, "MOST_BYTES", 10)
    made._heard.clear()  # noqa: SLF001 - the same
    made.heed("2204", b"x" * 11, Passed(status=200))
    assert not made._heard  # noqa: SLF001 - the same
    dropped = [
        one.value for family in metrics.collect() for one in family.samples if one.labels == {"result": "dropped"}
    ]
    assert dropped == [3.0]


# -- queries


def query(infno: str, patient: str = "P1", **more: Any) -> dict[str, Any]:
    """A query about a patient."""
    return {"request": request(infno, data={"psn_no": patient, **more}), "reply": {}}


def test_queries_of_a_patient_are_read_together_for_a_while() -> None:
    """Later ones join earlier ones of the same patient and institution, and of no other; each is told once."""
    kept = Queries()
    one, two, other = query("5201"), query("5204", mdtrt_id="V1"), query("5204", "P2")
    assert kept.joined([one], NOW) == [one]
    fees = {"request": request("2204")}
    assert kept.joined([two, other, fees], NOW) == [one, two, other, fees]
    assert kept.joined([one, two], NOW + KEPT) == [one, two]
    assert kept.joined([two], NOW + 2 * KEPT + timedelta(seconds=1)) == [two]


def test_queries_kept_are_bounded() -> None:
    """By patients, and by queries of one."""
    kept = Queries()
    for number in range(MOST_PATIENTS + 5):
        kept.joined([query("5201", f"P{number}")], NOW)
    assert len(kept.joined([query("5204", "P0")], NOW)) == 1
    told = [kept.joined([query("5204", mdtrt_id=str(number))], NOW) for number in range(MOST_OF_ONE + 5)]
    assert len(told[-1]) == MOST_OF_ONE
