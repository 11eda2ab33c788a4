"""A feedback is read whole or refused whole, with every wrong field named and what to do."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from negative_list.errors import FieldProblem, LimitError, RequestError
from reminder.feedback.items import MAX_ITEMS, MAX_TEXT, Item, Words, read_words
from reminder.journal.entries import DONE

FOUND = "01KDZZZZZZZZZZZZZZZZZZZZZZ0123456789"


KEYS = Item.__struct_fields__


def item(**fields: Any) -> dict[str, Any]:
    """An item; what a test does not say is the same everywhere."""
    return {"finding_id": FOUND, "done": "changed"} | fields


def zone_of(institution_id: str) -> tzinfo:
    """Clocks of the west, but for one institution of the test."""
    return ZoneInfo("Asia/Urumqi" if institution_id == "H65" else "Asia/Shanghai")


def read(*items: object, **body: Any) -> Words:
    """The words of a body."""
    return read_words({"items": list(items)} | body, zone_of, "json")


def only(**fields: Any) -> Item:
    """The one item of a body."""
    (read_item,) = read(item(**fields)).items
    return read_item


def wrong(*items: object, **body: Any) -> dict[str, str]:
    """The fields a body is refused for."""
    with pytest.raises(RequestError) as caught:
        read(*items, **body)
    return {problem.field: problem.message for problem in caught.value.fields}


def test_a_body_says_who_and_what() -> None:
    """Everything told is read."""
    words = read(
        item(
            done="overridden",
            reason_code="low",
            reason_text=" 白蛋白22 ",
            answer_ms=900,
            automatic=True,
            refusable=True,
        ),
        request_id="M1",
        institution_id="H43",
        doctor_id=7,
    )
    assert (words.request_id, words.institution_id, words.doctor_id, words.face) == ("M1", "H43", "7", "json")
    assert words.items == (
        Item(
            finding_id=FOUND,
            done="overridden",
            reason_code="low",
            reason_text="白蛋白22",
            answer_ms=900,
            automatic=True,
            refusable=True,
        ),
    )


@pytest.mark.parametrize("done", DONE)
def test_every_word_for_what_was_done_is_read(done: str) -> None:
    """Also as protobuf's own JSON writes it."""
    assert only(done=done, reason_code="emergency").done == done
    assert only(done=f"DONE_{done.upper()}", reason_code="emergency").done == done


@pytest.mark.parametrize(
    ("fact", "raw", "value"),
    [
        ("encounter.albumin_g_l", "22.50", Decimal("22.5")),
        ("encounter.prior_approval", True, True),
        ("line.performed", "是", True),
        ("encounter.diagnoses", "I21.0", "I21.0"),
        ("patient.special_diseases_until", "2026-12-31", date(2026, 12, 31)),
        ("encounter.prior_approval", "", None),
    ],
)
def test_a_value_is_of_its_facts_type(fact: str, raw: object, value: object) -> None:
    """As the dictionary says."""
    assert only(fact=fact, value=raw).value == value


def test_a_value_may_say_since_when() -> None:
    """In civil time, as facts of a request do."""
    told = only(fact="encounter.albumin_g_l", value={"value": 22, "at": "2026-01-01 08:00:00"})
    assert (told.value, told.found_at) == (Decimal(22), datetime(2026, 1, 1, 8))


def test_times_are_those_of_the_institution() -> None:
    """The same clock time is another instant further west."""
    at = "2026-01-01 09:00:00"
    assert only(done_at=at).done_at == datetime(2026, 1, 1, 1, tzinfo=UTC)
    assert read(item(done_at=at), institution_id="H65").items[0].done_at == datetime(2026, 1, 1, 3, tzinfo=UTC)


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"finding_id": ""}, "finding_id", "缺少 (missing); 请给出提示中的编号 (give that of the finding)"),
    ({"finding_id": "x" * 65}, "finding_id", "超过 64 个字符 (longer than 64 characters); 请缩短 (shorten it)"),
    ({"done": ""}, "done", "缺少 (missing); 请用 changed, withdrawn"),
    ({"done": "overriden"}, "done", "没有处理方式 `overriden` (nothing is done so); 是否为 `overridden`"),
    ({"done": "9"}, "done", "没有处理方式 `9` (nothing is done so); 请用 changed"),
    ({"done": "overridden"}, "reason_code", "缺少理由代码 (missing); 请选择理由"),
    ({"done": "exited", "reason_text": "抢救"}, "reason_code", "缺少理由代码 (missing)"),
    ({"done": "overridden", "reason_code": "other"}, "reason_text", "理由 `other` 需要写明 (`other` needs words)"),
    ({"reason_text": "长" * (MAX_TEXT + 1)}, "reason_text", "超过 500 个字符 (longer than 500 characters)"),
    ({"reason_text": "a\x00b"}, "reason_text", "文本含有控制字符 (no text); 请改正 (mend it)"),
    ({"reason_text": ["a"]}, "reason_text", "应为单个文本、数字或是否值 (no text)"),
    ({"fact": "encounter.albumin"}, "fact", "没有事实 `encounter.albumin` (no fact is called so); 是否为"),
    ({"fact": "patient.name"}, "fact", "`patient.name` 是隐私，从不保存或查询 (private, never kept or looked up)"),
    ({"fact": "patient.name", "value": "张三"}, "fact", "`patient.name` 是隐私"),
    ({"fact": "line.code"}, "fact", "`line.code` 是请求自身的内容 (belongs to the body)"),
    ({"fact": "encounter.albumin_g_l", "value": "高"}, "value", "不是 `encounter.albumin_g_l` 的值：`高` 不是数字"),
    ({"fact": "encounter.albumin_g_l", "value": Decimal("sNaN")}, "value", "不是 `encounter.albumin_g_l` 的值：应为"),
    ({"value": "22"}, "value", "没有说明是哪个事实 (of no fact); 请给出 `fact` (name the fact)"),
    ({"fact": "encounter.albumin_g_l", "value": {"value": 2, "at": "x"}}, "value.at", "`x` 不是日期或时间 (no time)"),
    ({"done_at": "gestern"}, "done_at", "`gestern` 不是日期或时间 (no time); 请写成 2026-01-31 09:00:00"),
    ({"answer_ms": -1}, "answer_ms", "应为毫秒数 (expected whole milliseconds)"),
    ({"answer_ms": 1.5}, "answer_ms", "应为毫秒数 (expected whole milliseconds)"),
    ({"answer_ms": 2**31}, "answer_ms", "应为毫秒数 (expected whole milliseconds)"),
    ({"automatic": "maybe"}, "automatic", "应为 true 或 false (expected true or false)"),
    ({"refusable": 1.0}, "refusable", "应为 true 或 false (expected true or false)"),
    ({"reson_text": "x"}, "reson_text", "没有这个字段 (no such field); 是否为 `reason_text`"),
]


@pytest.mark.parametrize(("fields", "field", "message"), WRONG)
def test_a_wrong_field_is_named_with_what_to_do(fields: dict[str, Any], field: str, message: str) -> None:
    """One field, one message, at its place."""
    problems = wrong(item(), item(**fields))
    assert list(problems) == [f"items[1].{field}"]
    assert problems[f"items[1].{field}"].startswith(message)


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("finding_id", {"finding_id": "x" * 5000}),
        ("finding_id", {"finding_id": "a\x00"}),
        ("done", {"done": "a\x00"}),
        ("reason_code", {"done": "overridden", "reason_code": "x" * 65}),
        ("reason_text", {"done": "overridden", "reason_code": "other", "reason_text": "长" * (MAX_TEXT + 1)}),
    ],
)
def test_a_needed_field_that_cannot_be_used_is_not_called_missing_too(field: str, fields: dict[str, Any]) -> None:
    """One mistake, one message."""
    with pytest.raises(RequestError) as caught:
        read(item(**fields))
    (problem,) = caught.value.fields
    assert problem.field == f"items[0].{field}"
    assert "missing" not in problem.message


def test_every_wrong_field_is_named_at_once() -> None:
    """So that nothing has to be sent twice to hear of the next one."""
    problems = wrong(item(done="x", answer_ms="y"), 5, item(finding_id=""), request_id="r" * 201, hospital="H")
    assert sorted(problems) == [
        "hospital",
        "items[0].answer_ms",
        "items[0].done",
        "items[1]",
        "items[2].finding_id",
        "request_id",
    ]


@pytest.mark.parametrize("items", [None, [], {}, "x"])
def test_nothing_told_is_no_feedback(items: object) -> None:
    """A request without items is the caller's mistake."""
    with pytest.raises(RequestError) as caught:
        read_words({"items": items}, zone_of, "json")
    assert [problem.field for problem in caught.value.fields] == ["items"]


def test_a_request_has_a_thousand_items_at_most() -> None:
    """More are refused with the number."""
    assert len(read(*[item()] * MAX_ITEMS).items) == MAX_ITEMS
    with pytest.raises(LimitError) as caught:
        read(*[item()] * (MAX_ITEMS + 1))
    assert "more than 1,000 items" in str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KEYS, "at", "x"]), inner, max_size=4),
    max_leaves=4,
)
BODIES = st.dictionaries(st.sampled_from(["request_id", "institution_id", "doctor_id", "items", "x"]), JSON)


@settings(max_examples=50)
@given(BODIES, st.lists(st.dictionaries(st.sampled_from(KEYS), JSON), max_size=3))
def test_whatever_is_sent_is_read_or_refused(body: dict[str, Any], items: list[dict[str, Any]]) -> None:
    """With fields named, never with anything else."""
    for whole in (body, body | {"items": items}):
        problems = refused(whole)
        assert all(problem.field and problem.message for problem in problems)
        assert problems or all(one.done in DONE for one in read_words(whole, zone_of, "json").items)


def refused(body: dict[str, Any]) -> tuple[FieldProblem, ...]:
    """What a body is refused for; nothing where it is read."""
    try:
        read_words(body, zone_of, "json")
    except RequestError as error:
        return error.fields
    return ()


@pytest.mark.parametrize(
    ("dspo_way", "fields"),
    [
        ("1", {"done": "overridden", "reason_code": "other", "reason_text": "已与家属沟通"}),
        ("2", {"done": "changed"}),
    ],
)
def test_both_answers_of_3103_can_be_told(dspo_way: str, fields: dict[str, Any]) -> None:
    """1 继续执行医嘱 with its reason in words, 2 返回修改医嘱 without one, as the page on feedback maps them."""
    told = only(**fields)
    assert {"1": "overridden", "2": "changed"}[dspo_way] == told.done
    assert told.reason_text == fields.get("reason_text", "")
