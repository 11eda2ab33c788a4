"""Deciding again from an entry: the prescription, what was read and the exits come from it, nothing from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from negative_list.decide import Fuller, decide
from negative_list.hurry import Halt
from negative_list.readers.stored import supplement
from reminder.journal.ages import birth_of, times_of
from reminder.journal.coding import canonical_json
from reminder.journal.forms import as_form

if TYPE_CHECKING:
    from negative_list.compile import CompiledList
    from negative_list.decision import Decision
    from negative_list.policy import Policy
    from negative_list.prescription import Prescription
    from negative_list.readers.stored import StoreFact
    from reminder.journal.entries import Decided

__all__ = ["answer_of", "decided_again", "fuller_again", "prescription_of"]

_BIRTH = "patient.birth_date"


def prescription_of(entry: Decided) -> Prescription:
    """The prescription an entry was decided on: keys for ids, and a stand-in for the birth date."""
    prescription, age = entry.prescription, entry.age
    if age is None:
        return prescription
    birth = birth_of(age, entry.decided_at, times_of(prescription, entry.history))
    patient = prescription.patient
    facts = {**patient.facts, _BIRTH: birth}
    return msgspec.structs.replace(prescription, patient=msgspec.structs.replace(patient, facts=facts))


def fuller_again(entry: Decided, prescription: Prescription) -> Fuller | None:
    """What had been read when it was decided; ``None`` where nothing was known."""
    if not entry.facts and entry.history is None:
        return None
    told: dict[str, tuple[StoreFact, ...]] = {}
    for fact in entry.facts:
        told[fact.subject] = (*told.get(fact.subject, ()), fact)
    return Fuller(prescription=supplement(prescription, told, entry.decided_at), history=entry.history)


def decided_again(entry: Decided, compiled: CompiledList, policy: Policy) -> Decision:
    """The decision, made again with the list and the policy the entry names."""
    prescription = prescription_of(entry)
    return decide(
        compiled,
        prescription,
        entry.decided_at,
        policy,
        fuller=fuller_again(entry, prescription),
        unread=entry.unread,
        exits=frozenset((each.rule_id, each.item, each.order_date) for each in entry.exits),
        decision_id=entry.decision_id,
        release=entry.release,
        lowest_action=entry.lowest_action,
        halt=Halt(stopped=entry.stopped),
    )


def answer_of(decision: Decision) -> bytes:
    """What must be equal bit for bit: decision, findings and what was not evaluated, as canonical JSON."""
    findings = [as_form(finding) for finding in decision.findings]
    return canonical_json([decision.decision, findings, decision.not_evaluated])
