"""The reply of 3101, read as its clients read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest

from negative_list.decision import Decision
from negative_list.errors import FieldProblem
from reminder.national.replies import encode, envelope_of, failure_reply, reply_of
from tests.reminder.decisions import BARE, FULL, PRESCRIPTION

ARRIVED = datetime(2026, 1, 1, 9, 0, 0, 1_999)
ANSWERED = datetime(2026, 1, 1, 9, 0, 0, 4_000)
ENVELOPE = envelope_of("430100", ARRIVED, ANSWERED, 12345)


def reply(decision: Decision) -> dict[str, Any]:
    """What a client reads."""
    read: dict[str, Any] = msgspec.json.decode(encode(reply_of(decision, PRESCRIPTION), ENVELOPE))
    return read


def test_success_is_the_number_zero_with_an_empty_message_and_a_list() -> None:
    """Clients compare infcode as a number, take any err_msg for a failure and read result.length unseen."""
    read = reply(BARE)
    assert read["infcode"] == 0
    assert type(read["infcode"]) is int
    assert read["err_msg"] == ""
    assert read["output"]["result"] == []
    assert read["output"]["decision"] == "pass"


def test_the_envelope_has_our_message_id_and_both_times() -> None:
    """Area, time and serial make 30 characters; times have milliseconds."""
    assert ENVELOPE == {
        "inf_refmsgid": "430100202601010900000000012345",
        "refmsg_time": "20260101090000001",
        "respond_time": "20260101090000004",
    }
    assert len(ENVELOPE["inf_refmsgid"]) == 30


@pytest.mark.parametrize("area", ["", "43", "长沙市芙蓉区", "4301001"])
def test_an_area_that_is_none_becomes_zeros(area: str) -> None:
    """The message id keeps its form."""
    assert envelope_of(area, ARRIVED, ANSWERED, 2**40)["inf_refmsgid"].startswith("00000020260101090000")
    assert len(envelope_of(area, ARRIVED, ANSWERED, 2**40)["inf_refmsgid"]) == 30


def test_each_finding_is_one_result_in_national_words() -> None:
    """Block, warn and remind are degrees 1, 2 and 3; a finding without lines is about the visit."""
    results = reply(FULL)["output"]["result"]
    assert [row["sev_deg"] for row in results] == ["1", "2", "3"]
    assert [row["vola_bhvr_type"] for row in results] == ["2", "2", "1"]
    assert [(row["vola_amt"], row["vola_amt_stas"]) for row in results] == [(12.5, "1"), (0, "1"), (0, "0")]
    assert [row["jr_id"] for row in results] == [finding.finding_id for finding in FULL.findings]
    assert {(row["patn_id"], row["mdtrt_id"]) for row in results} == {("P1", "M1")}


def test_details_point_back_to_the_callers_own_line_ids() -> None:
    """Offending lines have type 1, involved ones type 2; our unique id stands beside."""
    first, second, third = (row["judge_result_detail_dtos"] for row in reply(FULL)["output"]["result"])
    assert [(d["rx_id"], d["line"], d["vola_item_type"]) for d in first] == [
        ("R1", "R1", "1"),
        ("", "#4", "2"),
        ("M0/R9", "M0/R9", "2"),
    ]
    assert [d["mdtrt_id"] for d in first] == ["M1", "M1", "M0"]
    assert [(d["rx_id"], d["vola_amt"]) for d in second] == [("R2", 3), ("R2", 0)]
    assert [(d["rx_id"], d["vola_item_type"]) for d in third] == [("", "1")]


def test_ids_and_texts_keep_the_lengths_of_the_tables() -> None:
    """Longer ids stay different from each other; longer texts are cut."""
    finding = msgspec.structs.replace(
        FULL.findings[0],
        finding_id="f" * 60,
        rule_id="r" * 60,
        class_name="类" * 300,
        message="文" * 600,
        basis="据" * 600,
        lines=tuple(f"L{n}" for n in range(20_000)),
    )
    other = msgspec.structs.replace(finding, rule_id="r" * 59 + "s")
    rows = reply(Decision(decision="block", findings=(finding, other)))["output"]["result"]
    row = rows[0]
    assert all(len(row[name]) <= 40 for name in ("jr_id", "rule_id"))
    assert rows[0]["rule_id"] != rows[1]["rule_id"]
    assert [len(row[name]) for name in ("rule_name", "vola_cont", "vola_evid")] == [200, 500, 500]
    ids = [detail["jrd_id"] for detail in row["judge_result_detail_dtos"]]
    assert max(map(len, ids)) <= 40
    assert len(set(ids)) == len(ids)


def test_a_failure_names_the_fields_and_keeps_the_form() -> None:
    """Infcode -1, a message of at most 200 characters, an empty result."""
    problems = [FieldProblem(field="input.data", message="缺少 " + "长" * 300)]
    read = msgspec.json.decode(encode(failure_reply(problems), ENVELOPE))
    assert read["infcode"] == -1
    assert read["err_msg"].startswith("请求中的字段 input.data 无法使用")
    assert len(read["err_msg"]) == 200
    assert read["output"]["result"] == []
    assert read["output"]["error"][0]["field"] == "input.data"


def test_the_largest_reply_fits_the_buffer_of_a_client() -> None:
    """A DLL client reads at most 1 MiB of GBK; a hundred findings of ordinary length are well below."""
    many = msgspec.structs.replace(FULL, findings=FULL.findings[:1] * 100)
    data = encode(reply_of(many, PRESCRIPTION), ENVELOPE)
    assert len(data.decode().encode("gbk")) < 2**20
