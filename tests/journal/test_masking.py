"""What names a person is taken out of texts, and what only looks a little like it stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.journal.masking import MASK, Masker, is_clean, mask, names_nobody
from tests.builders import DRUG, HERB, MATERIAL, SERVICE

# Invented numbers: their places and days exist, their persons do not.
NUMBERS = (
    "430101199001011234",
    "43010119900101123X",
    "４３０１０１１９９００１０１１２３４",
    "430101 19900101 1234",
    "430101900101123",
    "13812345678",
    "138-1234-5678",
    "138 1234 5678",
    "+86 13812345678",
    "１３８１２３４５６７８",
    "0731-8888888",
    "(010)88888888",
    "02088888888",
    "E12345678",
    "EA1234567",
    "H12345678",
    "someone.else+1@example.org",
)
HARMLESS = (
    DRUG, HERB, MATERIAL, SERVICE, "10mg*100片/瓶", "2型糖尿病", "T2N0M1", "I63.900x007", "国药准字H20051234",
    "国械注准20153461234", "2026-01-08 09:00:00", "20260108090000", "CD4 350 cells/uL", "88888888", "Ki67 80%",
)  # fmt: skip
TEXTS = st.sampled_from(("肺炎", "电话", "，请联系", "患者", "见附件。", "a", " "))


@given(before=TEXTS, number=st.sampled_from(NUMBERS), after=TEXTS.filter(lambda text: text != "a"))
def test_numbers_of_persons_are_taken_out_wherever_they_stand(before: str, number: str, after: str) -> None:
    """In any spelling; what stands around them stays."""
    text = before + number + after
    if before == "a" and number[0] in "EHs":
        return  # a letter before it makes another word of it
    assert mask(text) == before + MASK + after
    assert not is_clean(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_codes_doses_and_days_stay(text: str) -> None:
    """A text that names nobody is as it was."""
    assert mask(text) == text
    assert is_clean(text)
    assert Masker().code(text) == text


def test_the_request_s_own_names_and_ids_are_taken_out() -> None:
    """Spaced names, too; the shortest ids tell nobody anything."""
    text = "张三丰家属 张 三 丰 来电，就诊号MZ20260108，T2"
    told = mask(text, names=("张三丰", "李"), ids=("MZ20260108", "T2"))
    assert told == f"{MASK}家属 {MASK} 来电，就诊号{MASK}，T2"
    body = text.encode()
    assert not names_nobody(body, ("张三丰",), ())
    assert not names_nobody("张 三 丰".encode(), ("张三丰",), ())
    assert not is_clean("张\u3000三\n丰", ("张三丰",))
    assert not names_nobody(body, (), ("MZ20260108",))
    assert names_nobody(body, ("王五",), ("T2",))


def test_a_national_code_is_one_whatever_its_digits_look_like() -> None:
    """Its last fifteen digits may be those of a number of a telephone, or of a person; in a sentence they are."""
    for code in ("XH68KFP008A071867077581", "XA34FSN463A064600481525"):
        assert is_clean(code)
        assert Masker().text(code) == code
        assert not is_clean(f"见{code[11:]}。")


def test_ids_in_the_form_of_a_number_stay_apart() -> None:
    """A line whose id is somebody's number is called the same throughout, and as no other."""
    masker = Masker()
    first, second = masker.code("13812345678"), masker.code("13912345678")
    assert first != second
    assert masker.code("13812345678") == first
    assert "138" not in first


def test_an_address_of_mail_is_taken_out_of_a_text_of_any_length() -> None:
    """Sixteen thousand letters before the mark are looked through once, not once for each of them."""
    assert mask("见" + "x" * 16_000 + "@example.org") == "见" + "x" * (16_000 - 64) + MASK
    assert mask("x1" * 500_000) == "x1" * 500_000
