"""A prescription under keys: what is decided on and kept knows neither the patient's id nor an encounter's.

The answer gets the caller's own ids back. Private facts are left behind here, all but the birth date, which rules need;
the names among them are kept aside, to be looked for in texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from reminder.journal.forms import EncounterForm, LineForm, PatientForm, PrescriptionForm
from reminder.journal.masking import dates_of, names_of
from reminder.keyed import KEYED_VALUES, PATIENT_IDS, where_of

if TYPE_CHECKING:
    from negative_list.decision import Decision, FactSeen, Finding, NotEvaluated
    from negative_list.prescription import Encounter, Line, Prescription
    from reminder.stores.keys import Keys

__all__ = ["Keyed", "own_ids", "under_keys"]

_PATIENT_NAME, _DOCTOR_NAME = "patient.name", "line.doctor_name"


class Keyed(Struct, frozen=True, kw_only=True):
    """A prescription under keys.

    ``ids``: the caller's own id of each key, and of each line id that holds one. ``names``: of persons, as the body has
    them. ``own``: the caller's ids of patient and encounters. ``born``: the birth date.
    """

    prescription: PrescriptionForm
    ids: Mapping[str, str]
    names: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    born: date | None = None

    @property
    def private(self) -> tuple[str, ...]:
        """What is looked for in texts besides names: ids, and the birth date as people write it."""
        return self.own if self.born is None else (*self.own, *dates_of(self.born))


def under_keys(keys: Keys, prescription: Prescription) -> Keyed:
    """The prescription with keys in place of ids."""
    work = _Work(keys, prescription)
    patient = prescription.patient
    facts = dict(patient.facts)
    work.name(facts.pop(_PATIENT_NAME, ""))
    patient_key = work.key(keys.patient(PATIENT_IDS, patient.id), patient.id) if patient.id else ""
    keyed = PrescriptionForm(
        encounter=work.encounter(prescription.encounter),
        patient=PatientForm(id=patient_key, facts=facts, sources=patient.sources, times=patient.times),
        others=tuple([work.encounter(one) for one in prescription.others]),
        request_id=prescription.request_id,
        institution_id=prescription.institution_id,
        at=prescription.at,
        notes=prescription.notes,
        never_sent=prescription.never_sent,
    )
    for name in prescription.names:
        work.name(name)
    born = facts.get("patient.birth_date")
    return Keyed(
        prescription=keyed,
        ids=work.ids,
        names=tuple(work.names),
        own=tuple(work.own),
        born=born if isinstance(born, date) else None,
    )


class _Work:
    """One prescription on its way under keys."""

    def __init__(self, keys: Keys, prescription: Prescription) -> None:
        self._keys = keys
        self._whole = prescription
        self.ids: dict[str, str] = {}
        self.names: dict[str, None] = {}
        self.own: dict[str, None] = {}

    def key(self, key: str, own: str) -> str:
        self.ids[key] = own
        self.own[own] = None
        return key

    def name(self, name: object) -> None:
        for one in names_of(name):
            self.names[one] = None

    def encounter(self, encounter: Encounter) -> EncounterForm:
        id_ = encounter.id
        key = self.key(self._keys.encounter(where_of(self._whole, encounter), id_), id_) if id_ else ""
        return EncounterForm(
            id=key,
            lines=tuple([self._line(line, id_, key) for line in encounter.lines]),
            diagnoses=encounter.diagnoses,
            operations=encounter.operations,
            facts=encounter.facts,  # type: ignore[arg-type]  # readers make dicts
            sources=encounter.sources,
            times=encounter.times,
            complete=encounter.complete,
        )

    def _line(self, line: Line, own: str, key: str) -> LineForm:
        facts: Any = line.facts
        if _DOCTOR_NAME in facts:
            facts = dict(facts)
            self.name(facts.pop(_DOCTOR_NAME))
        for name in KEYED_VALUES:
            if name in facts:
                facts = facts | {name: self._value(str(facts[name]))}
        called = line.id
        if own and called.startswith(own + "/"):  # so readers tell lines of one id in two encounters apart
            called = called.replace(own + "/", key + "/")
            self.ids[called] = line.id
        return LineForm(
            id=called,
            encounter_id=key if line.encounter_id == own else line.encounter_id,
            codes=line.codes,
            usable=line.usable,
            name=line.name,
            current=line.current,
            begins=line.begins,
            has_clock=line.has_clock,
            stops=line.stops,
            facts=facts,
            sources=line.sources,
            times=line.times,
        )

    def _value(self, encounter_id: str) -> str:
        """An encounter of the asking institution that a fact names."""
        return self.key(self._keys.encounter(self._whole.institution_id, encounter_id), encounter_id)


def own_ids(decision: Decision, ids: Mapping[str, str]) -> Decision:
    """A decision about a prescription under keys, with the caller's own ids; texts hold none.

    In an entry the ids of lines may be made of keys, too, where the caller makes them of the patient's or encounter's.
    """
    lines = decision.journaled or any("/" in key for key in ids)
    if not (decision.findings or lines):
        return decision
    told = msgspec.structs.replace(decision, findings=tuple([_finding(one, ids) for one in decision.findings]))
    if not lines:
        return told
    return msgspec.structs.replace(told, not_evaluated=tuple([_lines(one, ids) for one in told.not_evaluated]))


def _finding(finding: Finding, ids: Mapping[str, str]) -> Finding:
    return msgspec.structs.replace(
        finding,
        lines=_named(finding.lines, ids),
        involved=_named(finding.involved, ids),
        facts=tuple([_seen(fact, ids) for fact in finding.facts]),
    )


def _lines(rule: NotEvaluated, ids: Mapping[str, str]) -> NotEvaluated:
    return msgspec.structs.replace(rule, lines=_named(rule.lines, ids))


def _named(names: tuple[str, ...], ids: Mapping[str, str]) -> tuple[str, ...]:
    return tuple([_back(name, ids) for name in names])


def _back(name: str, ids: Mapping[str, str]) -> str:
    if name in ids:
        return ids[name]
    for key, own in ids.items():
        if key in name:
            name = name.replace(key, own)
    return name


def _seen(fact: FactSeen, ids: Mapping[str, str]) -> FactSeen:
    value = ids.get(str(fact.value), fact.value) if fact.fact in KEYED_VALUES else fact.value
    subject = _back(fact.subject, ids)
    if subject == fact.subject and value is fact.value:
        return fact
    return msgspec.structs.replace(fact, subject=subject, value=value)
