"""A key that stands twice in an object: the last one counts, and where they differ the answer says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from negative_list.readers import read_body
from negative_list.readers.body import parse_body
from negative_list.readers.twice import LONGEST, SaidTwice
from negative_list.site import Sites
from tests.readers.dialect_list import body, decided, encoded, spoken
from tests.readers.dialect_points import camel
from tests.reminder.bodies import own_body

if TYPE_CHECKING:
    from negative_list.prescription import Prescription


def read(raw: bytes) -> Prescription:
    """As a face reads it."""
    return read_body(parse_body(raw), Sites())


def conflicts(raw: bytes) -> list[str]:
    """The keys notes say came twice."""
    return [note.field for note in read(raw).notes if note.code == "conflict"]


def twice(told: Any, *keys: tuple[str, object]) -> bytes:
    """A body as JSON, with each key of ``keys`` wherever it stands told before, too, as something else."""
    raw = json.dumps(told, ensure_ascii=False)
    for key, value in keys:
        raw = raw.replace(f'"{key}":', f'"{key}": {json.dumps(value, ensure_ascii=False)}, "{key}":')
    return raw.encode()


def test_of_two_keys_the_last_counts() -> None:
    """A key that is sent twice is what it was said to be last, as parsers of JSON have it."""
    inner = json.dumps(body()["input"])
    raw = b'{"infno": "3102", "input": {}, "infno": "3101", "inf_time": "2026-01-01 09:00:00", "input": %b}'
    told = raw % inner.encode()
    assert spoken(decided(told)) == spoken(decided(encoded(body())))
    assert conflicts(told) == ["infno", "input"]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("behind", ["", "\x00"], ids=repr)
def test_each_key_is_named_where_it_stands(encoding: str, behind: str) -> None:
    """By its path in the body that was sent, in every encoding."""
    raw = twice(body(), ("gend", "9"), ("drord_dept_name", "内科"), ("patn_id", "另"))
    fields = conflicts((raw.decode() + behind).encode(encoding))
    assert "input.data.patient_dtos[0].gend" in fields
    assert all(field.rpartition(".")[2] in {"gend", "drord_dept_name", "patn_id"} for field in fields)


def test_in_another_dialect_it_is_named_as_its_caller_names_it() -> None:
    """The path is that of the body that came."""
    raw = twice(camel(body()), ("gend", "9"))
    assert [field for field in conflicts(raw) if field.endswith(".gend")]


def test_our_own_json_is_looked_at_too() -> None:
    """Also a line within its list."""
    assert conflicts(twice(own_body(), ("quantity", 77))) == ["encounter.lines[0].quantity"]


def test_what_says_the_same_is_no_conflict() -> None:
    """Twice the same value, with all that is in it."""
    told = own_body()
    same = twice(told, ("encounter", told["encounter"]))
    assert type(parse_body(same)) is SaidTwice
    assert conflicts(same) == []


@pytest.mark.parametrize("text", ["a:b", '":"', "：", "\\:", "\u003a", '{"a":1,"a":2}'])
def test_a_colon_within_a_text_is_no_key(text: str) -> None:
    """However it is escaped."""
    for raw in (json.dumps({"a": text, text: 1}), json.dumps({"a": text}, indent=1).replace(":", " : ", 1)):
        assert type(parse_body(raw.encode())) is dict
    escaped = json.dumps({"a": text}).replace(":", "\\u003a").replace("\\u003a", ":", 1)
    assert type(parse_body(escaped.encode())) is dict


@pytest.mark.parametrize(
    "value", ["1" * 5_000, "1e999999", "0.1", "null", "-0", "[]", "{}", '"\n"'], ids=lambda value: value[:9]
)
def test_what_stands_beside_changes_nothing(value: str) -> None:
    """Numbers of any length and signs of control are read a second time; the key is found all the same."""
    told = parse_body(f'{{"a": {value}, "b": {{"c": 1, "c": 2}}}}'.encode())
    assert told["b"] == {"c": 2}
    assert not isinstance(told, SaidTwice) or told.fields == ("b.c",)
    assert isinstance(told, SaidTwice) or len(value) > 4_000  # which nothing writes again


def test_no_more_are_named_than_anybody_reads() -> None:
    """Ten."""
    raw = ",".join(f'"k{n}":1,"k{n}":2' for n in range(100))
    told = parse_body(b"{" + raw.encode() + b"}")
    assert isinstance(told, SaidTwice)
    assert told.fields == tuple(f"k{n}" for n in range(10))


@pytest.mark.parametrize("key", ["张三", "430102196001011234", "x" * 1000, "a b"])
def test_what_is_no_name_of_a_field_is_not_repeated(key: str) -> None:
    """Notes are journaled, and a key may be anything."""
    told = parse_body(f'{{"a": {{"{key}": 1, "{key}": 2}}}}'.encode())
    assert isinstance(told, SaidTwice)
    assert told.fields == ("a.?",)


def test_a_path_is_no_longer_than_anybody_reads() -> None:
    """However deep it is."""
    deep = '{"abcdefghij": ' * 50 + '{"k": 1, "k": 2}' + "}" * 50
    told = parse_body(deep.encode())
    assert isinstance(told, SaidTwice)
    assert [len(field) for field in told.fields] == [200]


def test_a_long_body_is_not_looked_through() -> None:
    """It would keep others waiting; the last one counts."""
    raw = b'{"a": 1, "a": 2, "b": "%s"}' % (b"x" * LONGEST)
    assert type(parse_body(raw)) is dict
    assert parse_body(raw)["a"] == 2
