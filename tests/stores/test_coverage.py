"""What is promised of a patient's past to the institution that asks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from reminder.stores.base import Coverage
from tests.stores.builders import AT, HERE, NOW, THERE, later, wanted

if TYPE_CHECKING:
    from reminder.stores.sqlstore import SqlStore

OLD, MIDDLE, NEW = datetime(2020, 1, 1), datetime(2022, 1, 1), datetime(2024, 1, 1)
DAYS = timedelta(days=1)
EVER = datetime.min  # noqa: DTZ901 - a civil time

WORDS: dict[str, tuple[list[Coverage], tuple[datetime | None, datetime | None, bool]]] = {
    "nothing told": ([], (None, None, False)),
    "everywhere": ([Coverage(since=OLD)], (OLD, OLD, False)),
    "here only": ([Coverage(institution_id=HERE, since=OLD)], (None, OLD, False)),
    "elsewhere only": ([Coverage(institution_id=THERE, since=OLD)], (None, None, False)),
    "here before everywhere": ([Coverage(since=NEW), Coverage(institution_id=HERE, since=OLD)], (NEW, OLD, False)),
    "everywhere before here": ([Coverage(since=OLD), Coverage(institution_id=HERE, since=NEW)], (OLD, OLD, False)),
    "whole life": ([Coverage(complete=True)], (None, EVER, True)),
    "whole life here": ([Coverage(institution_id=HERE, complete=True)], (None, EVER, False)),
    "the patient before all": ([Coverage(patient_key="p1", since=NEW), Coverage(since=OLD)], (NEW, NEW, False)),
    "another patient": ([Coverage(patient_key="p2", since=OLD)], (None, None, False)),
    "the patient's other key": ([Coverage(patient_key="p1b", since=OLD)], (OLD, OLD, False)),
}


@pytest.mark.parametrize("case", WORDS)
def test_words_of_coverage_are_resolved_for_who_asks(store: SqlStore, case: str) -> None:
    """A word about the patient counts before one about all, and one about everywhere holds here, too."""
    words, expected = WORDS[case]
    store.put_aliases([("p1", "p1b")])
    store.put_history((), words, at=NOW)
    told = store.read(wanted()).history
    assert told is not None
    assert (told.since, told.own_since, told.complete) == expected


def test_the_latest_word_counts_in_whatever_order_they_come(store: SqlStore) -> None:
    """A feed that lost what it had says so, and an older word that comes late does not undo it."""
    store.put_history((), [Coverage(since=NEW)], at=later(1))
    store.put_history((), [Coverage(since=OLD, complete=True)], at=NOW)
    told = store.read(wanted()).history
    assert told is not None
    assert (told.since, told.complete) == (NEW, False)


def test_a_promise_reaches_up_to_its_end(store: SqlStore) -> None:
    """Of each word its own end is told."""
    ends = AT - DAYS, AT
    store.put_history((), [Coverage(since=NEW, until=ends[0]), Coverage(institution_id=HERE, since=OLD)], at=NOW)
    told = store.read(wanted()).history
    assert told is not None
    assert (told.until, told.own_until) == (ends[0], None)
    store.put_history((), [Coverage(institution_id=HERE, since=MIDDLE, until=ends[1])], at=later(1))
    store.put_history((), [Coverage(since=OLD, until=ends[0])], at=later(1))
    told = store.read(wanted()).history
    assert told is not None
    assert (told.since, told.own_since, told.own_until) == (OLD, MIDDLE, ends[1])


def test_a_word_that_is_over_counts_only_where_none_holds(store: SqlStore) -> None:
    """What a file once told of a patient does not hide what a feed tells of all."""
    over, holds = AT - 2 * DAYS - timedelta(seconds=1), AT - 2 * DAYS
    store.put_history((), [Coverage(patient_key="p1", since=OLD, until=over), Coverage(since=NEW, until=holds)], at=NOW)
    told = store.read(wanted()).history
    assert told is not None
    assert (told.since, told.until) == (NEW, holds)
    store.put_history((), [Coverage(since=NEW, until=over)], at=later(1))
    told = store.read(wanted()).history
    assert told is not None
    assert (told.since, told.until) == (OLD, over)


def test_the_latest_word_under_any_key_of_the_patient_counts(store: SqlStore) -> None:
    """Several keys are one patient, so that a word about one of them is about all."""
    store.put_aliases([("p1", "p2")])
    store.put_history((), [Coverage(patient_key="p1", since=MIDDLE)], at=later(1))
    store.put_history((), [Coverage(patient_key="p2", since=OLD)], at=NOW)
    told = store.read(wanted()).history
    assert told is not None
    assert told.since == MIDDLE
