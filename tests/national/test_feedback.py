"""Transaction 3103: what was done about findings, in one word and a text (reference 4, 8)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reminder.callers import Caller
from reminder.journal.coding import decode
from reminder.journal.entries import Feedback
from tests.national.asking import CALL, ask, call, feedback, here_with, three, warn
from tests.stores.desks import LONG_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.reminder.sidecar import Running

REASON = "抢救用药，家属知情"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A sidecar, and a caller whose system answers by itself."""
    with here_with(tmp_path_factory.mktemp("feedback"), Caller(name="by itself", automatic=True)) as sidecar:
        yield sidecar


def findings(here: Running, encounter: str = "M1") -> dict[str, dict[str, Any]]:
    """The findings of a new check of an encounter, by rule."""
    body = three()
    person = body["input"]["data"]["patient_dtos"][0]
    person["curr_mdtrt_id"] = person["fsi_encounter_dtos"][0]["mdtrt_id"] = encounter
    return {row["rule_id"]: row for row in ask(here, body)}


def told(here: Running, *warns: dict[str, Any], **how: Any) -> list[Feedback]:
    """The entries of a 3103 that was answered as kept."""
    changes = {name: how.pop(name) for name in ("inf_time", "opter", "msgid") if name in how}
    reply = call(here, feedback(*warns, **changes), **how)
    assert (reply["infcode"], reply["err_msg"], reply["output"]["result"]) == (0, "", [])
    return [last_word(here, each["warn_rslt_id"]) for each in warns]


def last_word(here: Running, finding_id: str) -> Feedback:
    """The last entry about a finding."""

    async def read() -> list[Any]:
        journal = here.service.journal
        assert journal is not None
        return await journal.ask(lambda store: store.about(finding_id[:26]), LONG_S)

    words = [decode(row.body) for row in here.await_(read()) if row.kind == "feedback"]
    return [word for word in words if isinstance(word, Feedback) and word.finding_id == finding_id][-1]


def test_going_on_with_a_reason_leaves_a_block_by_its_emergency_exit(here: Running) -> None:
    """Later checks of the encounter warn, and say that they would have blocked."""
    block = findings(here, "M-exit")["R67-men"]
    (word,) = told(here, warn(block["jr_id"], "1", REASON))
    assert (word.done, word.reason_code, word.reason_text) == ("exited", "other", REASON)
    again = findings(here, "M-exit")["R67-men"]
    assert (again["sev_deg"], again["action"], again["exited"]) == ("2", "warn", True)


def test_going_on_without_a_reason_leaves_no_block(here: Running) -> None:
    """The next check blocks as before; what was said is kept all the same."""
    block = findings(here, "M-silent")["R67-men"]
    (word,) = told(here, warn(block["jr_id"], "1"))
    assert (word.done, word.reason_code, word.exits) == ("overridden", "", ())
    assert findings(here, "M-silent")["R67-men"]["action"] == "block"


@pytest.mark.parametrize(
    "reason", ["-", "--", " - ", "。", "/", "null", "NULL", "undefined", None, [], "\u3000"], ids=repr
)
def test_what_stands_for_no_reason_lifts_no_block(here: Running, reason: object) -> None:
    """2.8: one client writes a dash into every field that is empty."""
    block = findings(here, "M-dash")["R67-men"]
    (word,) = told(here, warn(block["jr_id"], "1", reason))
    assert (word.done, word.reason_code, word.reason_text, word.exits) == ("overridden", "", "", ())
    assert findings(here, "M-dash")["R67-men"]["action"] == "block"


def test_going_on_overrides_what_is_no_block(here: Running) -> None:
    """A warning is overridden, with the words."""
    (word,) = told(here, warn(findings(here)["E01-quantity"]["jr_id"], 1, REASON))
    assert (word.done, word.reason_code, word.reason_text, word.face) == ("overridden", "other", REASON, "3103")


def test_going_back_is_a_change(here: Running) -> None:
    """2 返回修改."""
    (word,) = told(here, warn(findings(here)["R67-men"]["jr_id"], "2"))
    assert (word.done, word.reason_code) == ("changed", "")


@pytest.mark.parametrize(
    ("text", "code", "rest"),
    [
        ("急诊或抢救，来不及处理", "emergency", ""),
        ("emergency", "emergency", ""),
        ("诊断待补录：明日病理", "diagnosis_to_add", "明日病理"),
        ("急诊或抢救", "other", "急诊或抢救"),
    ],
)
def test_the_text_of_a_coded_reason_is_that_reason(here: Running, text: str, code: str, rest: str) -> None:
    """A client may offer what our reply tells under ``reasons``."""
    (word,) = told(here, warn(findings(here)["E01-quantity"]["jr_id"], "1", text))
    assert (word.reason_code, word.reason_text) == (code, rest)


def test_the_rule_is_wrong_is_said_so(here: Running) -> None:
    """The standard reason counts for the rule where nothing was blocked."""
    (word,) = told(here, warn(findings(here)["E01-quantity"]["jr_id"], "1", "规则有误"))
    assert word.done == "wrong_rule"


def test_who_said_it_is_the_envelopes_operator(here: Running) -> None:
    """3103 names no doctor."""
    (word,) = told(here, warn(findings(here)["E01-quantity"]["jr_id"], "2"), opter="T009", msgid="H1X")
    assert (word.doctor_id, word.request_id) == ("T009", "H1X")


def test_what_is_told_again_counts_once(here: Running) -> None:
    """A client sends it again when it got no reply."""
    row = findings(here, "M-again")["R67-men"]
    first, second = told(here, warn(row["jr_id"], "1", REASON)), told(here, warn(row["jr_id"], "1", REASON))
    assert (first[0].times, second[0].times) == (0, 1)
    assert second[0].exits == first[0].exits
    reply = call(here, feedback(warn(row["jr_id"], "1", REASON)))
    assert reply["output"]["items"][0]["status"] == "repeated"


def test_what_comes_late_was_done_when_it_says(here: Running) -> None:
    """A word of two hours ago; one of a second ago is of now, for two clocks differ."""
    rows = findings(here)
    (late,) = told(here, warn(rows["R67-men"]["jr_id"], "2"), inf_time="2026-01-01 07:00:00")
    assert late.done_at.isoformat() == "2025-12-31T23:00:00+00:00"
    (now,) = told(here, warn(rows["E01-quantity"]["jr_id"], "2"), inf_time="2026-01-01 08:59:59")
    assert now.done_at.isoformat() == "2026-01-01T01:00:00+00:00"


@pytest.mark.parametrize(
    ("day", "said"), [("2026-01-01", "2026-01-01T01:00:00+00:00"), ("2025-12-31", "2025-12-31T15:59:59+00:00")]
)
def test_what_was_said_on_a_day_was_said_after_what_it_answers(here: Running, day: str, said: str) -> None:
    """A day alone (2.8) is no midnight, which would be before the finding."""
    (word,) = told(here, warn(findings(here)["R67-men"]["jr_id"], "2"), inf_time=day)
    assert word.done_at.isoformat() == said


def test_an_exit_of_yesterday_no_longer_holds(here: Running) -> None:
    """It is kept, and later checks block."""
    row = findings(here, "M-late")["R67-men"]
    told(here, warn(row["jr_id"], "1", REASON), inf_time="2025-12-30 09:00:00")
    assert findings(here, "M-late")["R67-men"]["action"] == "block"


def test_unknown_ids_are_kept_and_named(here: Running) -> None:
    """The others of the call count."""
    row = findings(here)["E01-quantity"]
    reply = call(here, feedback(warn("a1", "2"), warn(row["jr_id"], "2")))
    assert (reply["infcode"], reply["output"]["unknown"]) == (0, ["a1"])
    assert [item["status"] for item in reply["output"]["items"]] == ["unknown_finding", "kept"]


def test_a_caller_that_answers_by_itself_says_nobodys_word(here: Running) -> None:
    """S2 reports way 1 with an empty reason for every finding of chosen modes."""
    rows = findings(here)
    words = told(here, *(warn(row["jr_id"]) for row in rows.values()), headers={"reminder-caller": "by itself"})
    assert all(word.automatic for word in words)
    assert not told(here, warn(findings(here)["R67-men"]["jr_id"], "2"))[0].automatic


def hainan(body: dict[str, Any]) -> dict[str, Any]:
    """The node's name of Hainan."""
    return body | {"input": {"trigScen": body["input"]["data"]}}


def camel(body: dict[str, Any]) -> dict[str, Any]:
    """CamelCase throughout."""
    rows = [
        {"warnRsltId": w["warn_rslt_id"], "dspoWay": w["dspo_way"], "dspoWayRea": w["dspo_way_rea"]} for w in _of(body)
    ]
    return body | {"input": {"data": {"warnType": "1", "warns": rows}}}


def text(body: dict[str, Any]) -> dict[str, Any]:
    """The input as JSON in a text."""
    return body | {"input": json.dumps(body["input"], ensure_ascii=False)}


def single(body: dict[str, Any]) -> dict[str, Any]:
    """One object where a list belongs."""
    return body | {"input": {"data": {"warn_type": "1", "warns": _of(body)[0]}}}


def labels(body: dict[str, Any]) -> dict[str, Any]:
    """The labels in place of the codes (S13)."""
    rows = [each | {"dspo_way": "继续执行医嘱"} for each in _of(body)]
    return body | {"input": {"data": {"warns": rows}}}


def no_number(body: dict[str, Any]) -> dict[str, Any]:
    """Without the transaction's number."""
    return {key: value for key, value in body.items() if key != "infno"}


def numbers(body: dict[str, Any]) -> dict[str, Any]:
    """Numbers for texts."""
    rows = [each | {"dspo_way": 1} for each in _of(body)]
    return body | {"infno": 3103, "input": {"data": {"warn_type": 1, "warns": rows}}}


def _of(body: dict[str, Any]) -> list[dict[str, Any]]:
    warns: list[dict[str, Any]] = body["input"]["data"]["warns"]
    return warns


@pytest.mark.parametrize("made", [hainan, camel, text, single, labels, no_number, numbers])
@pytest.mark.parametrize("path", ["/3103", CALL])
def test_every_dialect_says_the_same(
    here: Running, made: Callable[[dict[str, Any]], dict[str, Any]], path: str
) -> None:
    """The emergency exit of a block, whatever the client calls it."""
    row = findings(here, f"M-{made.__name__}-{len(path)}")["R67-men"]
    reply = call(here, made(feedback(warn(row["jr_id"], "1", REASON))), path=path)
    assert reply["infcode"] == 0
    assert last_word(here, row["jr_id"]).done == "exited"


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"warn_rslt_id": "", "dspo_way": "1"}, "warn_rslt_id"),
        ({"dspo_way": "1"}, "warn_rslt_id"),
        ({"warn_rslt_id": "x" * 65, "dspo_way": "1"}, "warn_rslt_id"),
        ({"warn_rslt_id": "a"}, "dspo_way"),
        ({"warn_rslt_id": "a", "dspo_way": "3"}, "dspo_way"),
        ({"warn_rslt_id": "a", "dspo_way": []}, "dspo_way"),
        ("a", "warn_rslt_id"),
    ],
)
def test_what_cannot_be_used_is_named(here: Running, row: object, field: str) -> None:
    """Alone: infcode -1. Beside what can be used: that is kept, and this told in a field of ours."""
    alone = call(here, {"infno": "3103", "input": {"data": {"warns": [row]}}})
    assert alone["infcode"] == -1
    assert f"input.data.warns[0].{field}" in alone["err_msg"] or "input.data.warns" in alone["err_msg"]
    good = findings(here)["E01-quantity"]["jr_id"]
    if isinstance(row, dict):
        beside = call(here, feedback(warn(good, "2"), row))
        assert beside["infcode"] == 0
        assert [item["finding_id"] for item in beside["output"]["items"]] == [good]
        assert beside["output"]["error"][0]["field"] == f"input.data.warns[1].{field}"


@pytest.mark.parametrize("warns", [[], None, "", {}, "x"])
def test_a_3103_without_words_says_so(here: Running, warns: object) -> None:
    """Infcode -1, naming the set."""
    reply = call(here, {"infno": "3103", "input": {"data": {"warns": warns}}})
    assert reply["infcode"] == -1
    assert "warns" in reply["err_msg"]


def test_a_reason_of_any_length_and_form_is_kept(here: Running) -> None:
    """Cut to 500 characters; a line break is a blank."""
    (word,) = told(here, warn(findings(here)["E01-quantity"]["jr_id"], "1", "患者\n病情\t特殊" + "，需继续用药" * 200))
    assert word.reason_text.startswith("患者 病情 特殊")
    assert len(word.reason_text) == 500


@pytest.mark.parametrize("field", ["msgid", "opter", "fixmedins_code"])
def test_an_envelope_of_any_length_is_kept_short(here: Running, field: str) -> None:
    """What it says of itself is looked through for names, which takes long in a long text."""
    row = findings(here)["E01-quantity"]
    reply = call(here, feedback(warn(row["jr_id"], "2"), **{field: "x" * 70_000}))
    assert reply["infcode"] == 0
    word = last_word(here, row["jr_id"])
    assert max(len(word.request_id), len(word.doctor_id), len(word.institution_id)) <= 200


def test_without_a_journal_it_cannot_be_kept(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Infcode -1, saying that sending it again changes nothing."""
    with here_with(tmp_path_factory.mktemp("none"), journal="off") as sidecar:
        reply = call(sidecar, feedback(warn("a", "2")))
    assert reply["infcode"] == -1
    assert "没有开启日志" in reply["err_msg"]
