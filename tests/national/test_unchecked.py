"""What could not be checked is said, written down and counted, in the way its caller chose."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from reminder.callers import Caller
from reminder.cli import app
from reminder.service import Service
from tests.national.asking import call, feedback, here_with, patient_of, raw_call, three, warn
from tests.reminder.bodies import national_body
from tests.reminder.unchecked import entry_of
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from negative_list.decision import Decision
    from negative_list.prescription import Prescription
    from tests.reminder.sidecar import Running

CALLERS = (
    Caller(name="error"),
    Caller(name="row", on_failure="row"),
    Caller(name="open", on_failure="open"),
    Caller(name="hurried", on_failure="row", deadline_ms=300),
)


class Slow(Service):
    """One that takes a long time for the prescriptions of an institution, and cannot do those of another."""

    async def check(self, prescription: Prescription, *args: Any, **more: Any) -> Decision:
        """As told."""
        if prescription.institution_id == "SLOW":
            await asyncio.sleep(LONG_S)
        if prescription.institution_id == "BROKEN":
            raise RuntimeError(prescription.patient.id)
        return await super().check(prescription, *args, **more)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar with a caller for each way."""
    with here_with(tmp_path_factory.mktemp("unchecked"), *CALLERS, make=Slow) as sidecar:
        yield sidecar


def unreadable() -> dict[str, Any]:
    """A body without an encounter."""
    body = three(msgid="H00000000001202601010900000001")
    del patient_of(body)["fsi_encounter_dtos"]
    return body


FIELD = "input.data.patient_dtos[0].fsi_encounter_dtos"


def by(here: Running, name: str, body: Any) -> dict[str, Any]:
    """The reply to a caller that names its entry."""
    return call(here, body, path="/3101", headers={"reminder-caller": name})


def test_by_default_it_is_an_error_that_names_the_field(here: Running) -> None:
    """Infcode -1, an empty list, the field in Chinese words."""
    for reply in (call(here, unreadable(), path="/3101"), by(here, "error", unreadable())):
        assert (reply["infcode"], reply["output"]["result"]) == (-1, [])
        assert FIELD in reply["err_msg"]
        assert reply["output"]["not_checked"]["reason"] == "request"


def test_it_may_be_a_finding_that_says_so(here: Running) -> None:
    """For a client that shows rows and takes an error for a pass: 未检查, of the least degree, with whose it is."""
    reply = by(here, "row", unreadable())
    (row,) = reply["output"]["result"]
    assert (reply["infcode"], reply["err_msg"]) == (0, "")
    assert (row["rule_name"], row["sev_deg"], row["vola_amt"], row["vola_amt_stas"]) == ("未检查", "3", 0, "0")
    assert row["vola_cont"].startswith("【提醒】本处方未检查")
    assert FIELD in row["vola_cont"]
    assert (row["patn_id"], row["mdtrt_id"]) == ("P1", "M1")
    assert row["judge_result_detail_dtos"][0]["jrd_id"]
    assert len(row["jr_id"]) <= 36


def test_it_may_be_success_that_says_so_in_a_field_of_ours(here: Running) -> None:
    """Fail-open, where the site chose it: never without ``not_checked``, and without a decision."""
    reply = by(here, "open", unreadable())
    assert (reply["infcode"], reply["err_msg"], reply["output"]["result"]) == (0, "", [])
    assert reply["output"]["not_checked"]["id"]
    assert reply["output"]["error"][0]["field"] == FIELD
    assert "decision" not in reply["output"]


@pytest.mark.parametrize("name", ["error", "row", "open"])
def test_each_is_in_the_journal_and_counted(here: Running, name: str) -> None:
    """With who asked, why, and the fields, and nothing of the patient."""
    reply = by(here, name, unreadable())
    entry = entry_of(here, reply["output"]["not_checked"]["id"])
    assert (entry.why, entry.told, entry.caller, entry.face) == ("request", name, name, "3101")
    assert entry.fields == (FIELD,)
    assert entry.request_id.startswith("H0000000000")
    assert len(entry.body_digest) == 32
    _, _, text = raw_call(here, b"", "/metrics", "GET")
    assert f'reminder_unchecked_total{{face="3101",reason="request",told="{name}"}}' in text.decode()


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b'{"infno":"3101","input":"{"}'], ids=repr)
def test_what_cannot_be_read_at_all_is_written_down_too(here: Running, body: bytes) -> None:
    """By its path it was a 3101."""
    _, _, content = raw_call(here, body, "/3101", headers={"reminder-caller": "row"})
    reply = json.loads(content)
    assert (reply["infcode"], len(reply["output"]["result"])) == (0, 1)
    assert entry_of(here, reply["output"]["not_checked"]["id"]).why == "request"


def test_too_much_is_a_limit(here: Running) -> None:
    """Over 16 MiB: told at once, without being read to the end."""
    body = b'{"infno":"3101","input":"' + b"x" * (16 * 1024 * 1024) + b'"}'
    reply = by(here, "error", body)
    assert reply["infcode"] == -1
    assert entry_of(here, reply["output"]["not_checked"]["id"]).why == "limit"


def test_our_own_failure_says_whom_to_ask_and_nothing_of_the_patient(here: Running) -> None:
    """The text of what went wrong may quote the body."""
    reply = by(here, "row", three(fixmedins_code="BROKEN"))
    (row,) = reply["output"]["result"]
    assert "请联系信息科" in row["vola_cont"]
    entry = entry_of(here, reply["output"]["not_checked"]["id"])
    assert (entry.why, entry.institution_id) == ("failed", "BROKEN")
    assert "P1" not in json.dumps(here.logged(), ensure_ascii=False)


@pytest.mark.parametrize("how", ["setting", "header"])
def test_past_the_callers_deadline_it_is_told_that_nothing_was_checked(here: Running, how: str) -> None:
    """Whether its entry or its header says when it gives up."""
    headers = {"reminder-caller": "hurried"}
    if how == "header":
        headers = {"reminder-caller": "row", "reminder-deadline-ms": "300"}
    body = three(fixmedins_code="SLOW")
    reply = call(here, body, path="/3101", headers=headers)
    entry = entry_of(here, reply["output"]["not_checked"]["id"])
    assert (reply["infcode"], entry.why) == (0, "deadline")


def two_patients(**first: Any) -> dict[str, Any]:
    """A body of two patients; the second one's lines are those with findings."""
    body = three()
    (second,) = body["input"]["data"]["patient_dtos"]
    body["input"]["data"]["patient_dtos"] = [patient_of(national_body(**first)), second | {"patn_id": "P2"}]
    return body


def test_a_second_patient_is_never_passed_unseen(here: Running) -> None:
    """One body is about one patient; where the first has no findings, an empty list would pass the second."""
    error, row, fail_open = (by(here, name, two_patients(gend="1"))["output"] for name in ("error", "row", "open"))
    assert by(here, "error", two_patients(gend="1"))["infcode"] == -1
    assert [each["field"] for each in error["error"]] == ["input.data.patient_dtos[1]"]
    assert [each["rule_name"] for each in row["result"]] == ["未全部检查"]
    assert "其余 1 位未检查" in row["result"][0]["vola_cont"]
    assert (fail_open["result"], fail_open["not_checked"]["reason"]) == ([], "request")
    entry = entry_of(here, row["not_checked"]["id"])
    assert (entry.why, entry.fields) == ("request", ("input.data.patient_dtos[1]",))


def test_findings_of_the_first_patient_are_shown_with_that_there_are_others(here: Running) -> None:
    """An error would hide them."""
    reply = by(here, "error", two_patients(gend="2"))
    names = [each["rule_name"] for each in reply["output"]["result"]]
    assert reply["infcode"] == 0
    assert len(names) > 1
    assert names[-1] == "未全部检查"


@pytest.mark.parametrize(("institution", "hint"), [("SLOW", "未能在时限内完成"), ("BROKEN", "审核失败")])
def test_where_nothing_of_the_body_is_wrong_nobody_is_told_to_mend_it(
    here: Running, institution: str, hint: str
) -> None:
    """Neither a time that is over nor a fault of ours is a field of the request."""
    headers = {"reminder-caller": "error", "reminder-deadline-ms": "300"}
    told = call(here, three(fixmedins_code=institution), path="/3101", headers=headers)["err_msg"]
    assert told.startswith(hint)
    assert "字段" not in told


def test_no_name_in_an_id_reaches_the_journal(here: Running) -> None:
    """A request id is the caller's to choose; one that is no plain code is hidden."""
    body = unreadable() | {"msgid": "张三丰的处方"}
    entry = entry_of(here, by(here, "row", body)["output"]["not_checked"]["id"])
    assert "张" not in entry.request_id


def test_feedback_about_a_row_that_says_not_checked_is_no_unknown_id(here: Running) -> None:
    """A client answers it like any other finding."""
    (row,) = by(here, "row", unreadable())["output"]["result"]
    told = call(here, feedback(warn(row["jr_id"], "1", "急诊")))
    assert (told["infcode"], told["output"]["unchecked"], told["output"]["unknown"]) == (0, [row["jr_id"]], [])


def test_a_reply_that_failed_is_one_of_the_journal_that_can_be_verified(tmp_path: Path) -> None:
    """Entries of this kind stand in the chain like any other."""
    with here_with(tmp_path, *CALLERS) as sidecar:
        by(sidecar, "row", unreadable())
        call(sidecar, three())
    done = CliRunner().invoke(app, ["journal", "verify", "--data", str(tmp_path / "var")])
    assert (done.exit_code, done.stderr) == (0, "")
    done = CliRunner().invoke(app, ["journal", "export", "--data", str(tmp_path / "var")])
    assert '"kind":"unchecked"' in done.stdout
