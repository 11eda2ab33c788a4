"""Facts that follow from facts of several records: the patient's entitlement and the visit, the doctor and the place.

They are worked out once a prescription is read and again when the fact store has filled it in, since half of what they
follow from comes from there. What is told always wins; what follows carries the source ``derived``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

import msgspec

from negative_list.dictionary import canonical
from negative_list.prescription import Encounter, FactValue, Line, Patient, Prescription
from negative_list.readers.derived import DERIVED
from negative_list.readers.past_visits import visits_of

if TYPE_CHECKING:
    from negative_list.readers.reading import Facts

__all__ = ["ENDED_AT", "FOLLOWED", "STATES", "SUSPENDED_AT", "joined", "joined_body", "state_of"]

SUSPENDED_AT = 9
"""Points of a natural year that suspend a doctor's payment qualification (national guide on payment qualification)."""

ENDED_AT = 12
"""Points that end it."""

STATES = ("active", "suspended", "ended")
"""States of a doctor's payment qualification, the worst last."""

FOLLOWED = frozenset(
    {
        "encounter.dialysis_weight_after_kg",
        "encounter.dialysis_weight_before_kg",
        "encounter.gestational_week",
        "encounter.incision_healing",
        "encounter.past_visits",
        "encounter.settlement_missing",
        "line.doctor_points",
        "line.doctor_signed_in",
        "line.doctor_state_until",
        "line.special_disease_lists",
        "line.uploaded_at",
        "patient.height_cm",
        "patient.special_diseases",
        "patient.weight_kg",
    }
)
"""Facts something here follows from; where none is told nothing is looked for."""

_STATE, _POINTS = "line.doctor_state", "line.doctor_points"
_LINE_FACTS = (_POINTS, "line.doctor_signed_in", "line.doctor_state_until", "line.special_disease_lists")
_BODY_FIELDS = ("encounter.incision_healing", "encounter.past_visits")
_SECOND_TRIMESTER, _THIRD_TRIMESTER = 14, 28
_TENTH, _HUNDREDTH = Decimal("0.1"), Decimal("0.01")
_HEALING = {"0": "0", **dict.fromkeys(("1", "2", "3", "10"), "I"), **dict.fromkeys(("4", "5", "6", "11"), "II")}
_HEALING |= dict.fromkeys(("7", "8", "9", "12"), "III")
"""Codes of sinc_heal_lv_code (interface fact sheet, 5.4) by the class of the incision; 99 is none."""
_CLASSES = ("0", "I", "II", "III")
_HOUR = timedelta(hours=1)

_Record = TypeVar("_Record", Patient, Encounter, Line)


def joined_body(prescription: Prescription, told: AbstractSet[str], at: datetime | None) -> Prescription:
    """Return a body's prescription with what follows; ``told`` names the further facts the body gave.

    Most bodies give nothing to follow from, and should not pay for those that do.
    """
    current = prescription.encounter.facts
    if FOLLOWED.isdisjoint(told) and not any(name in current for name in _BODY_FIELDS):
        return prescription
    return joined(prescription, at)


def joined(prescription: Prescription, at: datetime | None) -> Prescription:
    """Return the prescription with what follows at an instant; the same one where nothing does."""
    return msgspec.structs.replace(
        prescription,
        patient=_with(prescription.patient, _patient(prescription)),
        encounter=_encounter(prescription, prescription.encounter, at),
        others=tuple(_encounter(prescription, other, at) for other in prescription.others),
    )


def _encounter(prescription: Prescription, encounter: Encounter, at: datetime | None) -> Encounter:
    follows = {
        name: value for name, why in _ENCOUNTER.items() if (value := why(prescription, encounter, at)) is not None
    }
    told = _with(encounter, follows)
    lines = tuple(_line(line, told, at) for line in encounter.lines)
    return msgspec.structs.replace(told, lines=lines)


def _with(record: _Record, follows: Mapping[str, FactValue]) -> _Record:
    news = {name: value for name, value in follows.items() if name not in record.facts}
    if not news:
        return record
    return msgspec.structs.replace(
        record, facts={**record.facts, **news}, sources={**record.sources, **dict.fromkeys(news, DERIVED)}
    )


# -- the patient


def _patient(prescription: Prescription) -> Facts:
    facts: Facts = dict(visits_of(str(prescription.encounter.facts.get("encounter.past_visits", ""))))
    weight, height = (prescription.patient.facts.get(f"patient.{name}") for name in ("weight_kg", "height_cm"))
    if isinstance(weight, Decimal) and isinstance(height, Decimal):
        facts["patient.bmi"] = canonical((weight * 10_000 / (height * height)).quantize(_TENTH))
        facts["patient.body_surface_m2"] = canonical((weight * height / 3600).sqrt().quantize(_HUNDREDTH))
    return facts


# -- the encounter


def _trimester(_whole: Prescription, encounter: Encounter, _at: datetime | None) -> int | None:
    week = encounter.facts.get("encounter.gestational_week")
    return None if not isinstance(week, int) else 1 + (week >= _SECOND_TRIMESTER) + (week >= _THIRD_TRIMESTER)


def _weights(_whole: Prescription, encounter: Encounter, _at: datetime | None) -> bool | None:
    """Both weights known: recorded. A missing one may only not have been told yet."""
    told = [f"encounter.dialysis_weight_{when}_kg" in encounter.facts for when in ("before", "after")]
    return True if all(told) else None


def _entitled(whole: Prescription, encounter: Encounter, at: datetime | None) -> bool | None:
    disease, entitled = encounter.facts.get("encounter.special_disease"), whole.patient.facts
    held, until = entitled.get("patient.special_diseases"), entitled.get("patient.special_diseases_until")
    if disease is None or not isinstance(held, tuple):
        return None
    if disease not in held or not isinstance(until, date):
        return disease in held
    return at.date() <= until if at else None


def _incision(_whole: Prescription, encounter: Encounter, _at: datetime | None) -> tuple[str, ...] | None:
    codes = encounter.facts.get("encounter.incision_healing")
    told = {_HEALING.get(code.lstrip("0") or "0") for code in codes} if isinstance(codes, tuple) else set()
    return tuple(name for name in _CLASSES if name in told) or None


def _upload_delay(_whole: Prescription, encounter: Encounter, _at: datetime | None) -> Decimal | None:
    """The longest of the delays that are known; a line without a clock was at the end of its day."""
    delays = [delay for line in encounter.lines if (delay := _delay(line)) is not None]
    return max(delays, default=None)


def _delay(line: Line) -> Decimal | None:
    uploaded = line.facts.get("line.uploaded_at")
    if not isinstance(uploaded, datetime) or line.begins is None:
        return None
    begins = line.begins if line.has_clock else line.begins + timedelta(days=1)
    return max(Decimal((uploaded - begins) // _HOUR), Decimal(0))


def _missing(_whole: Prescription, encounter: Encounter, _at: datetime | None) -> int | None:
    named = encounter.facts.get("encounter.settlement_missing")
    return len([name for name in named if name != "none"]) if isinstance(named, tuple) else None


_ENCOUNTER: Mapping[str, Callable[[Prescription, Encounter, datetime | None], FactValue | None]] = {
    "encounter.dialysis_weights_recorded": _weights,
    "encounter.incision_class": _incision,
    "encounter.missing_fields": _missing,
    "encounter.special_disease_entitled": _entitled,
    "encounter.trimester": _trimester,
    "encounter.upload_delay_hours": _upload_delay,
}


# -- the line


def _line(line: Line, encounter: Encounter, at: datetime | None) -> Line:
    if not any(name in line.facts for name in _LINE_FACTS):  # a stay has thousands of lines
        return line
    if at is not None and _is_over(line, at):
        line = _with(_without_state(line), {_STATE: _after(line)})
    follows = {name: value for name, value in _of_line(line.facts, encounter.facts) if value is not None}
    return _with(line, follows)


def _is_over(line: Line, at: datetime) -> bool:
    """Whether a suspension that was told has ended: its last day is past, and it did not begin after that day."""
    until, begun = line.facts.get("line.doctor_state_until"), line.times.get(_STATE)
    told = line.facts.get(_STATE) == "suspended" and line.sources.get(_STATE) != DERIVED
    return told and isinstance(until, date) and until < at.date() and (begun is None or begun.date() <= until)


def _after(line: Line) -> str:
    """The state after a suspension: active, unless points were given since, or as many as end the qualification."""
    points, given, until = line.facts.get(_POINTS), line.times.get(_POINTS), line.facts["line.doctor_state_until"]
    state = state_of(points) if isinstance(points, int) else "active"
    newer = given is not None and isinstance(until, date) and given.date() > until
    return state if newer or state == "ended" else "active"


def _without_state(line: Line) -> Line:
    facts = {name: value for name, value in line.facts.items() if name != _STATE}
    sources, times = (
        {name: told for name, told in kept.items() if name != _STATE} for kept in (line.sources, line.times)
    )
    return msgspec.structs.replace(line, facts=facts, sources=sources, times=times)


def _of_line(line: Mapping[str, FactValue], visit: Mapping[str, FactValue]) -> Iterator[tuple[str, FactValue | None]]:
    points = line.get(_POINTS)
    if isinstance(points, int):
        yield _STATE, state_of(points)
    if "line.doctor_signed_in" in line:
        yield "line.doctor_signed_in_here", _signed_in_here(line, visit)
    lists, disease = line.get("line.special_disease_lists"), visit.get("encounter.special_disease")
    if isinstance(lists, tuple) and disease is not None:
        yield "line.special_disease_listed", disease in lists


def state_of(points: int) -> str:
    """Return the state that so many points of a natural year lead to."""
    if points >= ENDED_AT:
        return "ended"
    return "suspended" if points >= SUSPENDED_AT else "active"


def _signed_in_here(line: Mapping[str, FactValue], visit: Mapping[str, FactValue]) -> bool | None:
    if line["line.doctor_signed_in"] is False:
        return False
    signed, own = line.get("line.doctor_signed_in_institution"), visit.get("encounter.institution_id")
    if signed is None or own is None:
        return None
    campuses = line.get("line.doctor_signed_in_campus"), visit.get("encounter.campus")
    return signed == own and (None in campuses or campuses[0] == campuses[1])
