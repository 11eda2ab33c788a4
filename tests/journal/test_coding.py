"""Entries are canonical JSON, and are read back exactly: every fact of the dictionary in its own type."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from negative_list.compile import compile
from negative_list.decide import Fuller, decide
from negative_list.decision import Decision
from negative_list.dictionary import Fact, load
from negative_list.prescription import Encounter, Line, Patient, Prescription
from negative_list.readers.stored import StoreFact
from reminder.journal.coding import decode, encode
from reminder.journal.entries import Age, Decided, Entry, Exit, Feedback, Found, Gap, Saved
from reminder.journal.forms import as_form
from tests.generators import draw_case, seeds
from tests.generators_lists import draw_list

AT = datetime(2026, 1, 8, 1, tzinfo=UTC)
SETTABLE = [fact for fact in load().values() if fact.settable]
_DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9)
_WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_OF_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "flag": st.booleans(),
    "integer": st.integers(),
    "money": st.integers(),
    "number": _DECIMALS,
    "word": _WORDS,
    "text": _WORDS,
    "code": _WORDS,
    "words": st.lists(_WORDS, max_size=3).map(tuple),
    "date": st.dates(),
    "time": st.datetimes(),
}
INTEGRAL = frozenset({"integer", "money"})


def decided(**given_: Any) -> Decided:
    """An entry of a decision that says only what a test is about."""
    told: dict[str, Any] = {
        "engine": "1",
        "at": AT,
        "decision_id": "D",
        "decided_at": datetime(2026, 1, 8, 9),
        "prescription": as_form(Prescription(encounter=Encounter(id="E"))),
        "answer": as_form(Decision(decision="pass")),
    }
    return Decided(**told | given_)


def read_back(entry: Entry) -> Any:
    """The entry as it is read again; the same bytes come of it."""
    body = encode(entry)
    told = decode(body)
    assert encode(told) == body
    return told


def with_fact(fact: Fact, value: object) -> Prescription:
    """A prescription with one fact, where its holder is."""
    facts: dict[str, Any] = {fact.name: value}
    line = Line(id="a", encounter_id="E", facts=facts if fact.holder == "line" else {})
    encounter = Encounter(id="E", lines=(line,), facts=facts if fact.holder == "encounter" else {})
    return Prescription(encounter=encounter, patient=Patient(facts=facts if fact.holder == "patient" else {}))


@pytest.mark.parametrize("fact", SETTABLE, ids=lambda fact: fact.name)
@given(data=st.data())
def test_every_fact_is_read_back_as_it_was(fact: Fact, data: st.DataObject) -> None:
    """Value and type, in a prescription and among the facts that were read."""
    value = data.draw(_OF_TYPE[fact.type])
    prescription = as_form(with_fact(fact, value))
    told = as_form(StoreFact(subject="s", fact=fact.name, value=value))
    again = read_back(decided(prescription=prescription, facts=(told,)))
    assert again.prescription == prescription
    assert again.facts == (told,)
    assert type(again.facts[0].value) is type(value)


@given(seed=seeds)
def test_whole_decisions_are_read_back_as_they_were(seed: int) -> None:
    """Prescription, history and answer of drawn lists and bodies."""
    case = draw_case(Random(seed))
    fuller = Fuller(prescription=case.prescription, history=case.history)
    answer = decide(compile(draw_list(seed)), case.prescription, case.at, read=lambda *_: fuller)
    entry = decided(
        prescription=as_form(case.prescription),
        history=as_form(case.history) if case.history is not None else None,
        answer=as_form(answer),
        age=Age(months=3),
        exits=(Exit(rule_id="r", item="i", order_date="2026-01-01", until=AT),),
        found=(Found(finding_id="f", rule_id="r", rule_version=1, class_id="R01", own_action="block", action="pass"),),
    )
    again = read_back(entry)
    assert again.prescription == entry.prescription
    assert again.history == entry.history
    assert again.answer == entry.answer
    assert (again.age, again.exits, again.found) == (entry.age, entry.exits, entry.found)


def test_other_kinds_are_read_back_as_they_were() -> None:
    """Feedback, saved prescriptions, gaps."""
    line = as_form(Line(id="a", encounter_id="k", facts={"line.quantity": Decimal("1.50"), "line.days": 3}))
    given_: dict[str, Any] = {"engine": "1", "at": AT}
    entries: tuple[Entry, ...] = (
        Feedback(finding_id="f", done="overridden", done_at=AT, reason_text="已核对", **given_),
        Gap(lost=3, begin=AT, end=AT, **given_),
        Saved(
            patient_key="p",
            encounter_key="k",
            prescription_id="RX",
            revision=2,
            saved_at=AT,
            encounter=as_form(Encounter(id="k", facts={"encounter.insurance_year_from": date(2026, 1, 1)})),
            lines=(line,),
            **given_,
        ),
    )
    for entry in entries:
        told = read_back(entry)
        assert msgspec.structs.asdict(told) == msgspec.structs.asdict(entry)


def test_what_a_newer_form_adds_is_passed_over_and_what_an_older_one_lacks_is_the_default() -> None:
    """Unknown fields and facts do no harm."""
    raw = json.loads(encode(decided(request_id="M")))
    del raw["request_id"]
    raw |= {"schema": 9, "later": {"a": [1]}}
    raw["prescription"]["encounter"]["facts"] = {"encounter.of_later": "2026-01-01"}
    told = decode(json.dumps(raw).encode())
    assert isinstance(told, Decided)
    assert (told.schema, told.request_id) == (9, "")
    assert told.prescription.encounter.facts == {"encounter.of_later": "2026-01-01"}


def test_keys_are_sorted_and_defaults_left_out() -> None:
    """Whoever reads an export can make the same bytes of it."""
    body = encode(decided())
    again = json.dumps(json.loads(body), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    assert body == again
    assert b"null" not in body
