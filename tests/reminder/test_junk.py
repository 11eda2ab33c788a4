"""Texts that say nothing are recognised, and no reason is taken for one."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from negative_list.text import normalise
from reminder.junk import WHYS, junk

HERE = Path(__file__).parent


def lines(name: str) -> list[str]:
    """The texts of a file beside this one."""
    return (HERE / name).read_text("utf-8").splitlines()


def test_no_honest_text_is_taken_for_junk() -> None:
    """Of reasons doctors give in a word or two none is misjudged."""
    honest = lines("reasons_honest.txt")
    assert len(honest) >= 150
    assert {text: junk(text) for text in honest if junk(text)} == {}


def test_junk_is_recognised() -> None:
    """Of texts that say nothing at least 95 of a hundred are recognised."""
    told = lines("reasons_junk.txt")
    assert len(told) >= 150
    assert sum(bool(junk(text)) for text in told) >= 0.95 * len(told)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("急", "one_character"),
        ("啊啊啊", "repeated"),
        ("......", "no_words"),
        ("asdf", "keyboard"),
        ("1qaz2wsx", "keyboard"),
        ("12345", "no_words"),
        ("无", "says_nothing"),
        ("同意同意", "says_nothing"),
        ("ＯＫ！", "says_nothing"),
        ("請輸入理由", "default"),
        ("测试123", "test"),
        ("阿斯顿发", "mashed"),
    ],
)
def test_the_word_says_why(text: str, why: str) -> None:
    """Each kind of junk has its word, however wide or old the writing."""
    assert junk(text) == why


def test_no_text_is_no_junk() -> None:
    """Where nothing was typed there is nothing to judge."""
    assert junk("") == junk("  ") == ""


def test_what_was_copied_says_nothing_of_its_own() -> None:
    """The reason's own label and the code are no reason in words."""
    assert junk("急诊抢救", labels=["急诊抢救。"]) == "copied"
    assert junk("急诊抢救，已电话沟通", labels=["急诊抢救"]) == ""
    assert junk("emergency-rescue", code="emergency_rescue") == "code"


MESSAGES = (
    "【警告】二甲双胍片：医保不支付，请改自费或删除。限糖尿病患者（年龄：30岁）。涉及金额10.00元。可选：删除二甲双胍片。",
    "[WARN] metformin: the fund won't pay. Diabetics only (patient age: 30 years). amount at risk 10.00 yuan. ",
    "【警告】二甲双胍片：请补充诊断。尚不能判定是否违反：限糖尿病患者。",
    "【拦截】氯吡格雷片：不符合规定，请删除或修改。限以下情况：急性心肌梗死后；缺血性卒中患者。",
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("限糖尿病患者。", MESSAGES[0]),
        (MESSAGES[0][:20], MESSAGES[0]),
        ("医保不支付，请改自费或删除", MESSAGES[0]),
        ("二甲双胍片：医保不支付，请改自费或删除。限糖尿病患者", MESSAGES[0]),
        ("限糖尿病患者（年龄：30岁）。涉及金额10.00元", MESSAGES[0]),
        ("涉及金额10.00元", MESSAGES[0]),
        ("diabetics only", MESSAGES[1]),
        ("[WARN] metformin", MESSAGES[1]),
        ("限糖尿病患者", MESSAGES[2]),
        ("限以下情况：急性心肌梗死后；缺血性卒中患者", MESSAGES[3]),
        ("性别不符", "性别不符。"),
    ],
)
def test_sentences_of_the_reminder_and_its_beginning_are_copied(text: str, message: str) -> None:
    """Who pastes a part of what was shown says no more than who pastes all of it."""
    assert junk(text, message=message) == "copied"


@pytest.mark.parametrize("message", MESSAGES)
def test_a_reason_in_words_of_the_reminder_is_a_reason(message: str) -> None:
    """That the condition the reminder names is met is what a doctor has to say."""
    honest = [
        "糖尿病患者",
        "患者糖尿病，已补诊断",
        "年龄：30岁",
        "急性心肌梗死后",
        "缺血性卒中患者",
        "metformin",
        "the patient pays",
    ]
    honest += ["限糖尿病患者，该患者外院已确诊", *lines("reasons_honest.txt")]
    assert {text: why for text in honest if (why := junk(text, message=message))} == {}


def test_a_number_is_an_answer_where_one_is_asked_for() -> None:
    """The number of an approval is a text; keys side by side are none even there."""
    assert junk("20260113", number=True) == ""
    assert junk("20260113") == "no_words"
    assert junk("12345678", number=True) == "no_words"
    assert junk("0000", number=True) == "no_words"


def test_a_long_text_is_judged_at_once() -> None:
    """The longest text a feedback holds costs no more than any other, whatever it repeats."""
    assert junk("qwer" * 125) == "repeated"
    assert junk("患者" + "病情危重需立即用药" * 50) == ""


@given(st.text(max_size=500), st.text(max_size=20), st.booleans(), st.text(max_size=100) | st.sampled_from(MESSAGES))
def test_any_text_is_judged(text: str, code: str, number: bool, message: str) -> None:
    """Whatever is typed, the answer is one of the words; the same text is judged the same when it is typed wider."""
    why = junk(text, code=code, message=message, number=number)
    assert why == "" or why in WHYS
    assert junk(f"  {text}  ", code=code, message=message, number=number) == why


@given(st.text(alphabet="啊哈呵", min_size=1, max_size=1), st.integers(2, 200))
def test_one_character_again_and_again_is_junk(character: str, times: int) -> None:
    """However often."""
    assert junk(character * times) != ""


def test_every_word_has_its_texts() -> None:
    """What a caller is told is there in Chinese and English."""
    words = {junk(text) for text in lines("reasons_junk.txt")} - {""}
    assert words <= WHYS.keys()
    assert all(zh and en for zh, en in WHYS.values())


def test_the_table_is_written_as_texts_are_compared() -> None:
    """A text of the table that is not in the compared form could never be found."""
    table = tomllib.loads((resources.files("reminder") / "junk.toml").read_text("utf-8"))
    texts = [text for group in table.values() for text in group]
    assert [text for text in texts if text != normalise(text)] == []
