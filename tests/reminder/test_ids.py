"""Ids of decisions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reminder.ids import RANDOM_BITS, decision_id

MOMENTS = st.integers(0, 2**48 - 1)
DRAWS = st.integers(0, 2**RANDOM_BITS - 1)


@given(MOMENTS, DRAWS)
def test_an_id_has_26_characters_that_can_be_read_aloud(at_ms: int, random: int) -> None:
    """None of I, L, O and U is among them."""
    made = decision_id(at_ms, random)
    assert len(made) == 26
    assert set(made) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


@given(MOMENTS, DRAWS, MOMENTS, DRAWS)
def test_ids_sort_as_their_moments_do(first_ms: int, first: int, second_ms: int, second: int) -> None:
    """And different draws of one moment differ."""
    pair = (first_ms, first), (second_ms, second)
    ids = [decision_id(*each) for each in pair]
    assert sorted(pair) == [each for _, each in sorted(zip(ids, pair, strict=True))]
    assert (ids[0] == ids[1]) == (pair[0] == pair[1])


def test_an_id_is_the_one_of_the_ulid_specification() -> None:
    """Its example: 1469918176385 ms begins with 01ARYZ6S41."""
    assert decision_id(1469918176385, 0) == "01ARYZ6S41" + "0" * 16
