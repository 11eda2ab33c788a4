"""What one client forces and another cannot stand is a switch of its caller (reference 3.3)."""

from __future__ import annotations

import ipaddress
import json
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from reminder.callers import Caller
from reminder.journal.coding import decode
from reminder.journal.rederive import rederive
from reminder.national.replies import encode, reply_of
from tests.national.asking import ask, call, feedback, here_with, own_three, patient_of, raw_call, warn
from tests.reminder.bodies import encoded, national_body
from tests.reminder.decisions import FULL, PRESCRIPTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.reminder.sidecar import Running

CALLERS = (
    Caller(name="object", result="object"),
    Caller(name="null", no_rows="null"),
    Caller(name="absent", result="object", no_rows="absent"),
    Caller(name="text", infcode="text"),
    Caller(name="blocks", lowest_action="block"),
    Caller(name="warnings", lowest_action="warn"),
    Caller(name="gbk", encoding="gbk"),
    Caller(institution=("H00000000009",), encoding="gbk", infcode="text"),
    Caller(system=("OLDHIS",), result="object"),
    Caller(address=(ipaddress.ip_network("127.0.0.2/32"),), lowest_action="block"),
)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar with a caller for each switch."""
    with here_with(tmp_path_factory.mktemp("switches"), *CALLERS) as sidecar:
        yield sidecar


def asked_by(here: Running, name: str, body: dict[str, Any], **how: Any) -> dict[str, Any]:
    """The reply to a caller that names its entry."""
    return call(here, body, headers={"Reminder-Caller": name}, **how)


def nothing() -> dict[str, Any]:
    """A body without a finding."""
    return national_body(gend="1")


def test_infcode_is_the_number_zero_and_the_message_is_empty(here: Running) -> None:
    """A client compares it with the integer 0 (S3); one takes any text in err_msg for a failure (S5, S7)."""
    reply = call(here, own_three())
    assert type(reply["infcode"]) is int
    assert (reply["infcode"], reply["err_msg"]) == (0, "")


def test_infcode_may_be_a_text(here: Running) -> None:
    """For a client that parses it so; failures too."""
    assert asked_by(here, "text", own_three())["infcode"] == "0"
    assert asked_by(here, "text", {"infno": "3101"})["infcode"] == "-1"


def test_the_result_is_a_list_though_nothing_was_found(here: Running) -> None:
    """A client reads its length unseen (S4)."""
    assert call(here, nothing())["output"]["result"] == []


def test_every_amount_is_a_number(here: Running) -> None:
    """A null makes a client's whole parse fail (S6)."""
    _, _, content = raw_call(here, encoded(own_three()))
    rows = json.loads(content, parse_float=Decimal)["output"]["result"]
    amounts = [row["vola_amt"] for row in rows]
    amounts += [detail["vola_amt"] for row in rows for detail in row["judge_result_detail_dtos"]]
    assert all(isinstance(amount, int | Decimal) and not isinstance(amount, bool) for amount in amounts)


def test_every_finding_has_an_id_and_a_detail(here: Running) -> None:
    """A client skips a finding without them (S5); ids come back in 40 characters (table 144)."""
    for row in ask(here, own_three()):
        assert 0 < len(row["jr_id"]) <= 36
        assert row["judge_result_detail_dtos"]


def test_both_times_are_digits_that_are_a_time(here: Running) -> None:
    """A client types them as a time (S11): seventeen digits, 1.2."""
    reply = call(here, own_three())
    assert all(len(reply[name]) == 17 and reply[name].isdigit() for name in ("refmsg_time", "respond_time"))


def test_the_largest_reply_fits_a_mebibyte_and_says_what_is_left_out() -> None:
    """The buffer of a DLL client (S7): a stay of a thousand findings does not; the gravest stay."""
    long = msgspec.structs.replace(FULL.findings[1], lines=tuple(f"L{n}" for n in range(60)))
    many = msgspec.structs.replace(FULL, findings=(FULL.findings[0], *[long] * 900))
    content = encode(reply_of(many, PRESCRIPTION), {})
    assert len(content) <= 2**20
    output = json.loads(content)["output"]
    assert output["result"][0]["rule_id"] == FULL.findings[0].rule_id
    assert output["left_out"] + len(output["result"]) == 901
    assert "left_out" in [note["code"] for note in output["notes"]]


def test_a_caller_with_a_larger_buffer_is_told_everything() -> None:
    """The limit is a switch."""
    many = msgspec.structs.replace(FULL, findings=FULL.findings[:1] * 2_000)
    content = encode(reply_of(many, PRESCRIPTION), {}, Caller(most_bytes=2**24))
    assert len(json.loads(content)["output"]["result"]) == 2_000


def test_a_single_object_is_the_gravest_finding_and_says_how_many_more_there_are(here: Running) -> None:
    """A client parses one object (S5); all of them stand beside."""
    output = asked_by(here, "object", own_three())["output"]
    assert output["result"]["rule_id"] == "R67-men"
    assert output["result"]["vola_cont"].endswith("（另有 3 条提示）")
    assert [row["rule_id"] for row in output["results"]] == ["R67-men", "E01-quantity", "R12-level", "R12-level"]
    assert asked_by(here, "object", nothing())["output"]["result"] == {}


def test_no_finding_may_be_null_or_no_key_at_all(here: Running) -> None:
    """3.2: empty or missing."""
    assert asked_by(here, "null", nothing())["output"]["result"] is None
    assert "result" not in asked_by(here, "absent", nothing())["output"]
    assert len(asked_by(here, "null", own_three())["output"]["result"]) == 4


def test_a_client_that_stops_at_any_row_sees_only_what_it_may_stop_at(here: Running) -> None:
    """What is weaker is kept back, and the decision is that of what is shown."""
    block, warning = asked_by(here, "blocks", own_three()), asked_by(here, "warnings", own_three())
    assert [row["sev_deg"] for row in block["output"]["result"]] == ["1"]
    assert [row["sev_deg"] for row in warning["output"]["result"]] == ["1", "2"]
    assert [row["sev_deg"] for row in ask(here, own_three())] == ["1", "2", "3", "3"]


def test_the_same_message_from_two_callers_is_answered_to_each(here: Running) -> None:
    """The answer to one is not the answer to another that is told less."""
    body = own_three()
    assert len(asked_by(here, "blocks", body)["output"]["result"]) == 1
    assert len(asked_by(here, "object", body)["output"]["results"]) == 4
    assert len(asked_by(here, "blocks", body)["output"]["result"]) == 1


def test_a_caller_is_known_by_its_institution_and_read_in_its_encoding(here: Running) -> None:
    """Though that stands in the body that has to be read."""
    reply = call(here, own_three(fixmedins_code="H00000000009"), encoding="gbk")
    assert reply["infcode"] == "0"


@pytest.mark.parametrize("where", ["recer_sys_code", "syscode"])
def test_a_caller_is_known_by_its_system(here: Running, where: str) -> None:
    """1.1 names it in the envelope, older editions among the data."""
    body = own_three()
    (body if where == "recer_sys_code" else body["input"]["data"])[where] = "OLDHIS"
    assert isinstance(call(here, body)["output"]["result"], dict)


def test_a_caller_that_is_told_to_write_gbk_is_not_guessed_at(here: Running) -> None:
    """Some GBK is UTF-8 too, by chance."""
    body = own_three()
    patient_of(body)["patn_name"] = "聪"
    _, told, content = raw_call(here, encoded(body).decode().encode("gbk"), headers={"Reminder-Caller": "gbk"})
    assert told["content-type"].endswith("gbk")
    assert "阿帕他胺片" in content.decode("gbk")


def test_what_a_caller_was_not_shown_is_in_the_journal_and_derived_again(here: Running) -> None:
    """The entry names the caller and the weakest action it is told of."""
    reply = asked_by(here, "blocks", own_three())
    entry = here.await_(_entry(here, reply["output"]["decision_id"]))
    assert (entry.caller, entry.lowest_action, entry.face) == ("blocks", "block", "3101")
    assert [found.shown for found in entry.found].count(True) == 1
    told = here.await_(_again(here, entry.at))
    assert (told.counts["differing"], told.counts["damaged"]) == (0, 0)
    assert told.counts["derived"] >= 1


def test_feedback_in_gbk_is_kept_with_its_words(here: Running) -> None:
    """3103 in every encoding, as 3101."""
    (row, *_) = ask(here, own_three())
    told = call(here, feedback(warn(row["jr_id"], "1", "病情危重，延误有风险")), encoding="gbk")
    assert told["output"]["items"][0]["status"] == "kept"


async def _entry(here: Running, decision_id: str) -> Any:
    journal = here.service.journal
    assert journal is not None
    row = await journal.ask(lambda store: store.decision(decision_id), 60.0)
    assert row is not None
    return decode(row.body)


async def _again(here: Running, at: Any) -> Any:
    journal = here.service.journal
    assert journal is not None
    day = timedelta(days=1)
    return await journal.ask(lambda store: rederive(store, at - day, at + day), 60.0)
