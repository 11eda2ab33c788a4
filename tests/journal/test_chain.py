"""The chain of hashes: what each covers, and that nothing fits in another place."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reminder.journal.base import NO_HASH, Head, Row
from reminder.journal.chain import follows, hash_of, instant_of, instant_text, rows_of
from tests.journal.records import EMPTY, T0, after, draft, drafts

OTHERS = {
    "kind": "feedback",
    "at": after(0.000001),
    "decision_id": "x",
    "institution_id": "x",
    "patient_key": "x",
    "encounter_key": "x",
    "asked": "x",
    "brief": b"x",
    "body": b"x",
    "chain": "b",
    "seq": 3,
    "hash": NO_HASH,
}


def by_a_stranger(previous: bytes, row: Row) -> bytes:
    """The hash as the module's docstring tells it, by nothing but the standard library."""
    place = json.dumps([row.chain, row.seq], ensure_ascii=False, separators=(",", ":"))
    at = row.at.strftime("%Y-%m-%dT%H:%M:%S.%f")
    texts = [row.kind, at, row.decision_id, row.institution_id, row.patient_key, row.encounter_key, row.asked]
    array = json.dumps([*texts, len(row.brief)], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(previous + place.encode() + array.encode() + row.brief + row.body).digest()


def test_entries_are_numbered_from_one_and_each_hash_covers_the_one_before() -> None:
    """The first stands behind nothing; the head is where the last one ended."""
    rows, head = rows_of(EMPTY, drafts(3))
    assert [row.seq for row in rows] == [1, 2, 3]
    previous = NO_HASH
    for row in rows:
        assert row.hash == hash_of(previous, "a", row.seq, row) == by_a_stranger(previous, row)
        previous = row.hash
    assert head == Head(chain="a", seq=3, hash=previous)
    assert rows_of(EMPTY, []) == ([], EMPTY)


def test_a_chain_goes_on_where_it_ended() -> None:
    """In groups or at once, the same entries become the same chain."""
    at_once, end = rows_of(EMPTY, drafts(5))
    first, middle = rows_of(EMPTY, drafts(5)[:2])
    second, last = rows_of(middle, drafts(5)[2:])
    assert (first + second, last) == (at_once, end)


@pytest.mark.parametrize("name", list(OTHERS))
def test_no_field_can_be_changed(name: str) -> None:
    """Whatever is another, the entry does not follow."""
    (first, second), _ = rows_of(EMPTY, [draft(1), draft(2)])
    before = Head(chain="a", seq=1, hash=first.hash)
    assert follows(second, before) is None
    expected = {"chain": "chain", "seq": "number"}.get(name, "hash")
    assert follows(replace(second, **{name: OTHERS[name]}), before) == expected


def test_an_entry_follows_only_the_one_before() -> None:
    """Neither itself nor the one after the next, nor the same number after another hash."""
    rows, head = rows_of(EMPTY, drafts(3))
    assert follows(rows[2], head) == "number"
    assert follows(rows[2], Head(chain="a", seq=1, hash=rows[0].hash)) == "number"
    assert follows(rows[2], Head(chain="a", seq=2, hash=rows[0].hash)) == "hash"


def test_what_stands_in_one_field_cannot_be_moved_to_another() -> None:
    """The border between two fields is part of what is covered."""
    moved = [
        draft(patient_key="ab", encounter_key="c"),
        draft(patient_key="a", encounter_key="bc"),
        draft(patient_key='ab","', encounter_key="c"),
        draft(brief=b"ab", body=b"c"),
        draft(brief=b"a", body=b"bc"),
    ]
    assert len({rows_of(EMPTY, [one])[0][0].hash for one in moved}) == len(moved)


def test_what_no_database_takes_is_replaced_in_short_texts() -> None:
    """A caller's institution number of half a letter stops nobody's chain."""
    given = draft(institution_id="H\0\ud8001", asked="\ud83d")
    (row,), head = rows_of(EMPTY, [given])
    assert (row.institution_id, row.asked) == ("H\ufffd?1", "?")
    assert (row.body, row.hash) == (given.body, head.hash)
    assert follows(row, EMPTY) is None


@pytest.mark.parametrize("wrong", [{"institution_id": "\ud800"}, {"brief": "text"}, {"body": None}])
def test_a_field_that_holds_what_it_cannot_is_no_crash(wrong: dict[str, object]) -> None:
    """Somebody edited the file with other tools: the hash does not fit, and that is all."""
    (row,), _ = rows_of(EMPTY, [draft()])
    assert follows(replace(row, **wrong), EMPTY) == "hash"


@given(st.lists(st.text(), min_size=5, max_size=5), st.binary(max_size=20), st.binary(max_size=20))
def test_a_stranger_comes_to_the_same_hash(texts: list[str], brief: bytes, body: bytes) -> None:
    """Whatever an entry says, its hash can be worked out without anything of ours."""
    names = ("decision_id", "institution_id", "patient_key", "encounter_key", "asked")
    said: dict[str, Any] = dict(zip(names, texts, strict=True))
    (row,), _ = rows_of(EMPTY, [draft(brief=brief, body=body, **said)])
    assert by_a_stranger(NO_HASH, row) == row.hash


def test_instants_are_written_so_that_they_sort() -> None:
    """In UTC, always with microseconds, and read back as they were."""
    moments = [T0.replace(microsecond=0), T0, after(1)]
    assert [instant_text(at) for at in moments] == sorted(instant_text(at) for at in moments)
    assert instant_text(moments[0]) == "2026-01-05T01:00:00.000000"
    assert instant_text(T0.astimezone(timezone(timedelta(hours=8)))) == instant_text(T0)
    assert [instant_of(instant_text(at)) for at in moments] == moments
