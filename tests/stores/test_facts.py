"""Facts told by other systems: which of them a check is told, and that their values come back as they were."""

from __future__ import annotations

import string
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from negative_list.dictionary import load
from reminder.stores.coding import decode, decode_value, encode, encode_value
from tests.stores.builders import AT, NOW, encounter, fact, fed, later, line, saved, wanted

if TYPE_CHECKING:
    from negative_list.prescription import FactValue
    from negative_list.readers.stored import StoreFact
    from reminder.stores.sqlstore import SqlStore

HOUR = timedelta(hours=1)


def told(store: SqlStore, *subjects: str, at: datetime = AT) -> tuple[StoreFact, ...]:
    """The facts a check is told."""
    return store.read(wanted(*subjects, at=at)).facts


def test_a_fact_is_told_of_its_subject_only(store: SqlStore) -> None:
    """What is asked of a patient and a doctor is told of them and nobody else."""
    facts = [fact(), fact("1", subject="T001", fact="encounter.doctor_signed_in"), fact(subject="p2")]
    assert store.put_facts(facts, at=NOW) == 3
    assert sorted(told(store, "p1", "T001", ""), key=lambda one: one.subject) == sorted(
        facts[:2], key=lambda one: one.subject
    )


def test_a_fact_holds_from_its_beginning_until_before_its_end(store: SqlStore) -> None:
    """The moment it begins it holds, the moment it ends it does not."""
    store.put_facts([fact(valid_from=AT, expires=AT + HOUR)], at=NOW)
    moments = (AT - HOUR, AT, AT + HOUR / 2, AT + HOUR)
    assert [bool(told(store, "p1", at=moment)) for moment in moments] == [False, True, True, False]


def test_of_several_that_hold_the_one_valid_last_is_told(store: SqlStore) -> None:
    """A later value hides an earlier one while it holds, whoever told it."""
    first = fact(Decimal(1))
    second = fact(Decimal(2), valid_from=AT - HOUR, expires=AT + HOUR, source="laboratory")
    store.put_facts([second, first], at=NOW)
    assert told(store, "p1") == (second,)
    assert told(store, "p1", at=AT + HOUR) == (first,)


def test_a_fact_told_again_replaces(store: SqlStore) -> None:
    """Of one subject, name, source and beginning the later word stands, in whatever order they come."""
    assert store.put_facts([fact(Decimal(2))], at=later(1)) == 1
    assert store.put_facts([fact(Decimal(1))], at=NOW) == 0
    assert store.put_facts([fact(Decimal(2))], at=later(2)) == 0
    assert store.put_facts([fact(Decimal(3), expires=AT + HOUR)], at=later(3)) == 1
    assert told(store, "p1") == (fact(Decimal(3), expires=AT + HOUR),)


def test_a_fact_without_a_time_counts_as_of_when_it_was_told(store: SqlStore) -> None:
    """The stock told today is today's, whatever was counted years ago; told again it is the newest once more."""
    counted = fact(Decimal(0), valid_from=datetime(2020, 1, 1), source="count")
    store.put_facts([counted, fact(Decimal(10))], at=NOW)
    assert told(store, "p1") == (fact(Decimal(10)),)
    store.put_facts([fact(Decimal(3), valid_from=AT - HOUR, source="count")], at=later(1))
    assert [one.value for one in told(store, "p1")] == [3]
    again = fact(Decimal(10), told_at=AT)
    assert store.put_facts([again], at=later(2)) == 0
    assert told(store, "p1") == (again,)
    assert store.put_facts([fact(Decimal(10))], at=later(1)) == 0
    assert told(store, "p1") == (again,)


def test_nothing_private_is_kept(store: SqlStore) -> None:
    """Whoever tells a name tells it in vain."""
    private = [name for name, one in load().items() if one.private]
    assert "patient.name" in private
    assert "line.doctor_name" in private
    assert store.put_facts([fact("张三", fact=name) for name in private], at=NOW) == 0
    assert told(store, "p1") == ()


def test_facts_of_an_alias_are_told_under_the_key_that_was_asked(store: SqlStore) -> None:
    """The laboratory knows the patient under another key; the latest value is told once."""
    store.put_facts([fact(Decimal(1), subject="p2", valid_from=AT), fact(Decimal(2), valid_from=AT - HOUR)], at=NOW)
    store.put_aliases([("p1", "p2")])
    assert told(store, "p1") == (fact(Decimal(1), valid_from=AT),)


def test_all_keys_of_a_patient_are_known_from_any(store: SqlStore) -> None:
    """Also by way of a third; one nobody has said anything of stands for itself."""
    store.put_aliases([("p1", "p2"), ("p2", "p3"), ("q1", "q2")])
    assert [store.known_as([key]) for key in ("p1", "p3", "x")] == [["p1", "p2", "p3"]] * 2 + [["x"]]
    assert store.known_as(["q1", "x"]) == ["q1", "q2", "x"]


def test_facts_of_thousands_of_subjects_are_told_at_once(store: SqlStore) -> None:
    """A stay of thousands of fee lines asks for the facts of each."""
    subjects = [f"L{number}" for number in range(10_000)]
    store.put_facts([fact(number, subject=subject) for number, subject in enumerate(subjects[::100])], at=NOW)
    assert len(told(store, *subjects)) == 100


def test_expired_facts_are_forgotten(store: SqlStore) -> None:
    """Facts without an end stay."""
    store.put_facts([fact(expires=AT - HOUR), fact(source="other")], at=NOW)
    assert store.forget(AT) == 1
    assert told(store, "p1", at=AT - 2 * HOUR) == (fact(source="other"),)


def value_of(type_name: str) -> st.SearchStrategy[FactValue]:
    """Values a fact of that type may have."""
    texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    numbers = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9)
    by_type: dict[str, st.SearchStrategy[FactValue]] = {
        "flag": st.booleans(),
        "integer": st.integers(-(10**15), 10**15),
        "money": st.integers(0, 10**15),
        "number": numbers,
        "words": st.lists(texts).map(tuple),
        "date": st.dates(),
        "time": st.datetimes(),
    }
    return by_type.get(type_name, texts)


VALUES = st.sampled_from(sorted({fact.type for fact in load().values()} - {"record"})).flatmap(value_of)
NAMES = st.text(string.ascii_lowercase + "._", min_size=1, max_size=12).map("line.".__add__)
FACTS = st.dictionaries(NAMES, VALUES, max_size=6)


@given(VALUES)
def test_every_value_comes_back_as_it_was(value: FactValue) -> None:
    """A value has the same type and, if it is a number, the same digits."""
    back = decode_value(encode_value(value))
    assert (type(back), str(back)) == (type(value), str(value))


@given(FACTS, st.none() | st.datetimes())
def test_every_record_comes_back_as_it_was(facts: dict[str, FactValue], stops: datetime | None) -> None:
    """What holds facts survives being written, in the store and in the spool."""
    ordered = line(facts=facts, stops=stops, times={"line.x": AT})
    for record in (saved(ordered), fed(ordered, encounter=encounter("e1", ward="W1"))):
        assert decode(type(record), encode(record)) == record


def test_one_value_of_every_type_survives_the_database(store: SqlStore) -> None:
    """The database changes no byte of a value."""
    values = (True, 7, Decimal("1.50"), "字", date(2026, 1, 1), datetime(2026, 1, 1, 1, 2, 3, 4), ("甲", "b\x00"), "")
    facts = [fact(value, fact=f"encounter.f{place}") for place, value in enumerate(values)]
    store.put_facts(facts, at=NOW)
    back = {one.fact: one.value for one in told(store, "p1")}
    assert [(type(value), value) for _, value in sorted(back.items())] == [(type(value), value) for value in values]
