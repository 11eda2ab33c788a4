"""Records as entries hold them: the same fields, defaults left out, a fact's value whatever its dictionary name says.

They *are* the library's records, so that what was decided on is written without being copied, and what is read back
can be decided on again.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from msgspec import Struct, field

from negative_list.decision import Decision, FactSeen, Finding
from negative_list.prescription import Encounter, History, Line, Patient, Prescription
from negative_list.readers.stored import StoreFact

__all__ = [
    "DecisionForm",
    "EncounterForm",
    "FactSeenForm",
    "FindingForm",
    "HistoryForm",
    "LineForm",
    "PatientForm",
    "PrescriptionForm",
    "StoreFactForm",
    "as_form",
]

_Facts: TypeAlias = dict[str, Any]


class LineForm(Line, frozen=True, kw_only=True, omit_defaults=True):
    """A line."""

    facts: _Facts = field(default_factory=dict)


class EncounterForm(Encounter, frozen=True, kw_only=True, omit_defaults=True):
    """An encounter."""

    lines: tuple[LineForm, ...] = ()
    facts: _Facts = field(default_factory=dict)


class PatientForm(Patient, frozen=True, kw_only=True, omit_defaults=True):
    """A patient."""

    facts: _Facts = field(default_factory=dict)


class PrescriptionForm(Prescription, frozen=True, kw_only=True, omit_defaults=True):
    """A prescription."""

    encounter: EncounterForm
    patient: PatientForm = PatientForm()
    others: tuple[EncounterForm, ...] = ()


class HistoryForm(History, frozen=True, kw_only=True, omit_defaults=True):
    """What was read of the patient's history."""

    lines: tuple[LineForm, ...] = ()
    encounters: tuple[EncounterForm, ...] = ()


class StoreFactForm(StoreFact, frozen=True, kw_only=True, omit_defaults=True):
    """A fact that was read."""

    value: Any


class FactSeenForm(FactSeen, frozen=True, kw_only=True, omit_defaults=True):
    """A fact a finding rests on."""

    value: Any


class FindingForm(Finding, frozen=True, kw_only=True, omit_defaults=True):
    """A finding of an answer."""

    facts: tuple[FactSeenForm, ...] = ()


class DecisionForm(Decision, frozen=True, kw_only=True, omit_defaults=True):
    """An answer."""

    findings: tuple[FindingForm, ...] = ()


_FORMS: dict[type[Struct], type[Struct]] = {
    Line: LineForm,
    Encounter: EncounterForm,
    Patient: PatientForm,
    Prescription: PrescriptionForm,
    History: HistoryForm,
    StoreFact: StoreFactForm,
    FactSeen: FactSeenForm,
    Finding: FindingForm,
    Decision: DecisionForm,
}


def as_form(record: Struct) -> Any:
    """A record, and what it holds, in the journal's form; the facts of a form are a dict of their own."""
    kind = _FORMS.get(type(record))
    if kind is None:
        return record
    fields = {name: _deep(name, getattr(record, name)) for name in record.__struct_fields__}
    return kind(**fields)


def _deep(name: str, value: Any) -> Any:
    if isinstance(value, Struct):
        return as_form(value)
    if type(value) is tuple and value and isinstance(value[0], Struct):
        return tuple([as_form(part) for part in value])
    return dict(value) if name == "facts" and type(value) is not tuple else value
