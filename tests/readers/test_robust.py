"""Bodies that are huge, deep or broken: each is a prescription, or refused with the field it failed in."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from negative_list.errors import LimitError, RequestError
from negative_list.prescription import Prescription
from negative_list.readers import read_body
from negative_list.readers.body import parse_body
from negative_list.readers.limits import MAX_LINES, MAX_VISITS, longer_than_limit
from negative_list.site import Sites
from tests.readers.dialect_list import body, decided, encoded, spoken
from tests.readers.dialect_points import camel, current, flat, hainan, people

DEEP = 200_000


def refusal(raw: bytes) -> RequestError:
    """Why a body is refused."""
    with pytest.raises(RequestError) as caught:
        read_body(parse_body(raw), Sites())
    return caught.value


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b"[" * DEEP, "body"),
        (b'{"a":' * DEEP, "body"),
        (b'{"infno": "3101", "input": ' + b"[" * DEEP + b"]" * DEEP + b"}", "body"),
        (json.dumps({"infno": "3101", "input": "[" * DEEP}).encode(), "input"),
        (json.dumps({"infno": "3101", "input": {"data": '{"a":' * DEEP}}).encode(), "input.data"),
        (b"", "body"),
        (b"\x00" * DEEP, "body"),
        (b"\xff" * DEEP, "body"),
        (b'"' + b'\\"' * DEEP + b'"', "body"),
        (b'{"infno": "\\ud800", "input": {}}', "body"),
        (b'{"\\udc00": "3101"}', "body"),
        (b'{"infno": NaN}', "body"),
        (b'{"infno": "3101\n", "input": "\\ud800"}', "body"),
        (b'{"infno": "3101\n", "input": NaN}', "body"),
        (b'{"infno": "3101\n", "input": ' + b"[" * DEEP + b"]" * DEEP + b"}", "body"),
        (b'{"infno": 1e99999999999999999999, "input": }', "body"),
    ],
    ids=lambda told: repr(told)[:48],
)
def test_what_is_no_body_is_refused(raw: bytes, field: str) -> None:
    """Too deep, empty, in no encoding, with half a character: named, and nothing else happens."""
    assert [problem.field for problem in refusal(raw).fields] == [field]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("behind", [b"\x00", b"\x00" * 4096, b"\n\x00"], ids=len)
def test_nul_behind_the_end_is_no_part_of_a_body(behind: bytes, encoding: str) -> None:
    """Programs that count their buffer, or its end, send it."""
    raw = json.dumps(body(), ensure_ascii=False).encode(encoding)
    assert spoken(decided(raw + behind)) == spoken(decided(raw))


@pytest.mark.parametrize("sign", ["\n", "\r\n", "\t", "\x01", "\x1f"], ids=repr)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_sign_of_control_in_a_text_is_read_as_it_was_escaped(sign: str, encoding: str) -> None:
    """Text from a database comes with its line breaks; JSON wants them escaped, and many a program does not."""
    sent = body()
    current(sent)["fsi_order_dtos"][0]["hosplist_name"] = f"一{sign}二"
    escaped = json.dumps(sent, ensure_ascii=False)
    raw = escaped.replace(json.dumps(sign)[1:-1], sign)
    assert raw != escaped
    assert spoken(decided(raw.encode(encoding))) == spoken(decided(escaped.encode(encoding)))
    assert parse_body(raw.encode(encoding)) == parse_body(escaped.encode(encoding))


ENDLESS = ["9" * 100_000, "-" + "9" * 5_000, "1e99999999999999999999", "-1.5E-99999999999999999999", f"[{'9' * 5_000}]"]


@pytest.mark.parametrize("number", ENDLESS, ids=lambda number: number[:4])
def test_a_number_nothing_can_have_is_passed_over_with_its_key(number: str) -> None:
    """A serial number, a key as digits: nobody looks at them."""
    raw = encoded(body())
    more = f'{{"serial": {number}, '.encode()
    assert spoken(decided(more + raw.lstrip()[1:])) == spoken(decided(raw))


def _many(**rows: Any) -> dict[str, Any]:
    sent = body()
    person, visit = people(sent)[0], current(sent)
    for key, value in rows.items():
        (person if key == "fsi_encounter_dtos" else visit)[key] = value
    return sent


@pytest.mark.parametrize(
    "rows",
    [
        {"fsi_encounter_dtos": [{"fsi_diagnose_dtos": [], "fsi_order_dtos": []}] * (MAX_VISITS + 1)},
        {"fsi_diagnose_dtos": [{"dise_codg": "I10"}] * (MAX_LINES + 1)},
        {"fsi_operation_dtos": [{"oprn_code": "66.2"}] * (MAX_LINES + 1)},
        {"fsi_order_dtos": [{"hilist_code": "X"}] * (MAX_LINES + 1)},
    ],
    ids=lambda rows: next(iter(rows)),
)
@pytest.mark.parametrize("made", [lambda sent: sent, hainan, camel, flat], ids=["plain", "hainan", "camel", "flat"])
def test_too_many_rows_are_refused_in_every_dialect(rows: dict[str, Any], made: Any) -> None:
    """Sets have limits, whatever they are called and wherever they stand."""
    assert isinstance(refusal(encoded(made(_many(**rows)))), LimitError)


def test_a_text_that_grows_when_it_is_normalised_counts_as_it_is_searched() -> None:
    """One sign of Arabic is eighteen letters: 4,000 of them are over the limit, 3,000 are not."""
    for count, refused in ((4_000, True), (3_000, False)):
        sent = body()
        current(sent)["fsi_diagnose_dtos"][1]["dise_name"] = "\ufdfa" * count
        assert longer_than_limit("\ufdfa" * count) is refused
        assert not refused or isinstance(refusal(encoded(sent)), LimitError)


HUGE = [
    "1e999999999",
    "-1e999999999",
    "1e-999999999",
    "9" * 5_000,
    "0." + "1" * 5_000,
    "1E400",
    "123456789012345678901",
]
FIELDS = ["cnt", "pric", "medfee_sumamt", "curr_drord_flag", "rx_id", "medins_lv", "trig_scen", "gend", "mdtrt_id",
          "drord_begn_date", "o_prdDays", "dise_codg", "msgid", "fixmedins_code", "patn_id", "inf_time"]  # fmt: skip


@pytest.mark.parametrize("number", HUGE, ids=lambda number: number[:12])
@pytest.mark.parametrize("quoted", ["%s", '"%s"'])
def test_a_huge_number_is_read_or_refused(number: str, quoted: str) -> None:
    """In any field, as a number or in a text, it takes no time and no memory."""
    for field in FIELDS:
        raw, times = re.subn(rf'"{field}": ("[^"]*"|[0-9.]+)', f'"{field}": {quoted % number}', json.dumps(body()))
        assert times
        try:
            told: object = read_body(parse_body(raw.encode()), Sites())
        except RequestError as error:
            told = error
        assert isinstance(told, (Prescription, RequestError))
