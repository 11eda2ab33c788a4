"""Bodies as they are kept, and which digests they name."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminder.journal.chain import rows_of
from reminder.journal.names import AHEAD, Names, digests
from reminder.journal.packing import BURST, packed, text_of, unpacked
from tests.journal.records import EMPTY, draft, drafts

if TYPE_CHECKING:
    from collections.abc import Callable

    from reminder.journal.base import Row

LONG = b'{"kind":"decision","text":"' + b"x" * 2000 + b'"}'


@given(st.lists(st.one_of(st.binary(max_size=50), st.binary(max_size=50).map(lambda end: b"{" + end)), max_size=8))
def test_any_body_comes_back(bodies: list[bytes]) -> None:
    """Whatever it is, in a group of any size."""
    assert [unpacked(content) for content in packed(bodies)] == bodies


def test_a_long_body_is_compressed_unless_many_wait() -> None:
    """Alone, in a small group, and where a backlog is written; not in a burst, and not where it would save nothing."""
    for many in (1, BURST[0] - 1, BURST[-1] + 1):
        assert all(len(content) < 100 for content in packed([LONG] * many))
    assert packed([LONG] * BURST[0]) == [LONG] * BURST[0]
    assert packed([b"{}"]) == [b"{}"]


@given(st.binary(max_size=50).map(lambda end: b"{" + end), st.booleans())
def test_what_was_kept_packed_or_not_is_its_text(text: bytes, long: bool) -> None:
    """Lists were kept as they are before; a journal holds both."""
    text += b" " * (1000 if long else 0)
    (content,) = packed([text])
    assert (len(content) < len(text)) == long
    assert text_of(content) == text_of(text) == text


@pytest.mark.parametrize(
    "edit", [lambda it: it + it, lambda it: it[:-1], lambda it: b"?" + it[1:]], ids=["twice", "cut", "begun"]
)
def test_an_edited_one_is_not_taken_for_its_text(edit: Callable[[bytes], bytes]) -> None:
    """Twice the same stream is no text either."""
    assert text_of(edit(packed([LONG])[0])) != LONG


@pytest.mark.parametrize("content", [b"", b"x\x01broken", b"[]"], ids=["nothing", "cut off", "a list"])
def test_what_is_neither_is_an_error(content: bytes) -> None:
    """Which whoever reads an entry names with its place."""
    with pytest.raises(zlib.error):
        unpacked(content)


def row_of(kind: str, body: bytes) -> Row:
    """An entry in its place."""
    return rows_of(EMPTY, [draft(kind=kind, body=body)])[0][0]


def test_digests_are_found_by_their_names() -> None:
    """In front of the prescription where there is one, else anywhere; texts that look like it are escaped."""
    body = b'{"codes":"c","list":"l","policy":"p","prescription":{"list":"no"},"x":"\\"list\\":\\"no\\""}'
    assert sorted(digests(row_of("decision", body))) == ["c", "l", "p"]
    assert digests(row_of("decision", b'{"answer":{},"prescription":{},"policy":"p"}')) == ["p"]
    assert sorted(digests(row_of("policy", b'{"before":"b","digest":"d","x":{"digest":"e"}}'))) == ["b", "d", "e"]
    assert digests(row_of("feedback", body)) == digests(row_of("decision", b'{"list":"","codes":["no"]}')) == []
    assert digests(row_of("decision", b'{"list":"' + b"x" * 500 + b'"}')) == []


def test_a_name_is_written_down_ahead() -> None:
    """Once for thousands of entries, and again before it no longer holds."""
    rows, head = rows_of(EMPTY, drafts(2, body=b'{"list":"l"}'))
    names = Names()
    assert names.news(rows) == [("l", AHEAD)]
    more, head = rows_of(head, drafts(AHEAD - 2, body=b'{"list":"l"}'))
    assert names.news(more[:-1]) == []
    later, _ = rows_of(head, drafts(1, body=b'{"list":"l"}'))
    assert names.news(later) == [("l", 2 * AHEAD)]
