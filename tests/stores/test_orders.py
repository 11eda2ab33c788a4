"""What the nightly job asks: the last body of each encounter, and the findings that are open."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from negative_list.prescription import Note, Patient, Prescription
from reminder.stores.base import Kept
from tests.stores.builders import HERE, NOW, THERE, encounter, finding, later, line

if TYPE_CHECKING:
    from typing import Any

    from reminder.stores.sqlstore import SqlStore


def body(at: datetime = NOW, institution_id: str = HERE, **fields: Any) -> Kept:
    """The last body of encounter ``e1``."""
    told = msgspec.structs.replace(encounter("e1", ward="W1"), lines=(line(),), **fields)
    patient = Patient(id="p1", facts={"patient.name": "测试", "patient.birth_date": date(2000, 1, 1)})
    notes = (Note(code="x", message="quotes"),)
    return Kept(
        received_at=at,
        prescription=Prescription(encounter=told, patient=patient, institution_id=institution_id, notes=notes),
    )


def test_a_kept_body_comes_back_without_names_and_notes(store: SqlStore) -> None:
    """What judges is there, the birth date too; what only names is not."""
    kept = body()
    store.keep([kept])
    expected = msgspec.structs.replace(
        kept.prescription, patient=Patient(id="p1", facts={"patient.birth_date": date(2000, 1, 1)}), notes=()
    )
    assert list(store.kept()) == [Kept(prescription=expected, received_at=NOW)]


def test_the_last_body_stands_in_whatever_order_they_come(store: SqlStore) -> None:
    """An older body never replaces a newer one."""
    store.keep([body(later(1)), body(NOW)])
    assert [kept.received_at for kept in store.kept()] == [later(1)]


def test_a_discharge_ends_what_is_kept(store: SqlStore) -> None:
    """After the discharge nothing of the encounter is left, and an older body does not bring it back."""
    facts = {"encounter.discharged_at": datetime(2026, 2, 1)}
    store.keep([body(NOW), body(later(1), facts=facts), body(NOW)])
    assert list(store.kept()) == []


def test_bodies_are_told_of_one_institution_or_of_all(store: SqlStore) -> None:
    """A job for one institution reads no other's."""
    store.keep([body(), body(institution_id=THERE, id="e2")])
    assert [kept.prescription.encounter.id for kept in store.kept(THERE)] == ["e2"]
    assert [kept.prescription.encounter.id for kept in store.kept()] == ["e1", "e2"]


def test_a_finding_found_again_stays_open_since_it_was_first_found(store: SqlStore) -> None:
    """The second night changes what is said, not since when."""
    store.put_findings("e1", [finding()], NOW)
    store.put_findings("e1", [finding(message="【提醒】", found_at=later(60))], later(60))
    assert list(store.findings()) == [finding(message="【提醒】")]


def test_a_finding_found_no_more_is_closed(store: SqlStore) -> None:
    """It is not open any longer, and is told among all with the time it was closed."""
    store.put_findings("e1", [finding("a"), finding("b")], NOW)
    store.put_findings("e1", [finding("b")], later(60))
    assert list(store.findings()) == [finding("b")]
    assert list(store.findings(only_open=False)) == [finding("a", closed_at=later(60)), finding("b")]


def test_a_finding_that_comes_back_is_a_new_one(store: SqlStore) -> None:
    """What was closed and is found again is open since it came back."""
    for minutes, found in enumerate([[finding()], [], [finding(found_at=later(2))]]):
        store.put_findings("e1", found, later(minutes))
    assert list(store.findings()) == [finding(found_at=later(2))]
    assert len(list(store.findings(only_open=False))) == 2


def test_an_older_round_that_comes_late_changes_nothing(store: SqlStore) -> None:
    """Neither does it open what was closed, nor close what was opened since."""
    store.put_findings("e1", [finding("a")], NOW)
    store.put_findings("e1", [finding("b", found_at=later(2))], later(2))
    store.put_findings("e1", [finding("a")], later(1))
    assert [one.rule_id for one in store.findings()] == ["b"]


def test_findings_are_told_by_ward_bed_and_encounter_since_a_time(store: SqlStore) -> None:
    """The ward list is in the order of the beds; others' encounters are left alone."""
    store.put_findings("e1", [finding(ward="W2")], NOW)
    store.put_findings("e2", [finding(encounter_key="e2", bed="2"), finding("z", encounter_key="e2")], later(5))
    assert [(one.ward, one.bed, one.encounter_key) for one in store.findings()] == [
        ("W1", "1", "e2"), ("W1", "2", "e2"), ("W2", "1", "e1"),
    ]  # fmt: skip
    assert len(list(store.findings(since=later(5)))) == 0
    assert len(list(store.findings(since=NOW))) == 3


def test_old_bodies_and_closed_findings_are_forgotten(store: SqlStore) -> None:
    """What is open stays, however old."""
    store.keep([body()])
    store.put_findings("e1", [finding("a"), finding("b")], NOW)
    store.put_findings("e1", [finding("b")], later(60))
    assert store.forget(later(0).replace(tzinfo=None) + timedelta(days=1)) == 2
    assert list(store.kept()) == []
    assert list(store.findings(only_open=False)) == [finding("b")]
