"""The eight indicator classes, R56 to R63: an institution's figures over a period, worked out from what is known of it.

They say nothing of a single order. Each is a share in percent, with what it was made of and what could not be counted,
so that a reader sees how far to trust it. The figures are kept as facts of the institution, and the rules of these
classes compare them at settlement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeAlias

from msgspec import Struct

from negative_list.classes import class_name
from negative_list.prescription import Encounter, Line

__all__ = ["FACTS", "READMITTED_DAYS", "Indicator", "Visit", "indicators_of"]

READMITTED_DAYS = 31
"""Days after a discharge in which another admission counts (settlement list, ``days_rinp_flag_31``)."""

FACTS: Mapping[str, str] = {
    "R56": "encounter.institution_drug_share_percent",
    "R57": "encounter.institution_test_share_percent",
    "R58": "encounter.institution_material_share_percent",
    "R59": "encounter.institution_treatment_share_percent",
    "R60": "encounter.institution_ct_share_percent",
    "R61": "encounter.institution_mri_share_percent",
    "R62": "encounter.institution_infection_rate_percent",
    "R63": "encounter.institution_unplanned_readmission_percent",
}
"""The fact each indicator is kept under."""

_DRUGS = frozenset({"drug", "preparation", "ethnic-drug"})
_CT = ("002103",)
_MRI = ("002102",)


class Visit(Struct, frozen=True, kw_only=True):
    """One known encounter with its lines; ``patient`` tells encounters of one patient from others."""

    patient: str
    institution_id: str
    encounter: Encounter
    lines: tuple[Line, ...] = ()


class Indicator(Struct, frozen=True, kw_only=True):
    """One figure of one institution over a period: ``part`` of ``whole``, fen or encounters.

    ``percent`` has two decimals, ``None`` where there is nothing to divide by. ``uncounted`` is what could not be told
    apart and is in neither: lines without an amount or a kind, stays whose discharge, infection or the days after it
    are not known.
    """

    class_id: str
    name: str
    institution_id: str
    part: int
    whole: int
    unit: str
    percent: Decimal | None
    uncounted: int


def indicators_of(visits: Iterable[Visit], begin: datetime, end: datetime, known_until: datetime) -> list[Indicator]:
    """The eight indicators of every institution over [begin, end), by institution, then by class.

    Args:
        visits: encounters with a line or an admission in the period, and admissions in the month after it.
        begin: first moment of the period, civil time.
        end: first moment after it.
        known_until: up to when admissions are known: a discharge less than 31 days before it is not yet countable.
    """
    by_institution: dict[str, list[Visit]] = {}
    for visit in visits:
        by_institution.setdefault(visit.institution_id, []).append(visit)
    patients = _admissions(visit for own in by_institution.values() for visit in own)
    found = []
    for institution, own in sorted(by_institution.items()):
        found += _shares(institution, [line for visit in own for line in visit.lines if _within(line, begin, end)])
        stays = [visit for visit in own if _discharged(visit, begin, end)]
        found += [_infections(institution, stays), _readmissions(institution, stays, patients, known_until)]
    return found


# -- shares of money


def _is_drug(line: Line) -> bool | None:
    kind = line.facts.get("line.item_type")
    return None if kind is None else kind in _DRUGS


def _is_material(line: Line) -> bool | None:
    kind = line.facts.get("line.item_type")
    return None if kind is None else kind == "material"


def _charged_as(*words: str) -> _Test:
    def test(line: Line) -> bool | None:
        charged = line.facts.get("line.charge_type")
        if charged is not None:
            return charged in words
        return False if line.facts.get("line.item_type") not in {None, "service"} else None

    return test


def _coded(prefixes: tuple[str, ...]) -> _Test:
    """By the national code of a service (2012 edition): 2103 is computed tomography, 2102 magnetic resonance."""

    def test(line: Line) -> bool | None:
        if line.usable and line.codes:
            return any(code.startswith(prefixes) for code in line.codes)
        return None

    return test


_Test: TypeAlias = Callable[["Line"], "bool | None"]

_SHARES: Mapping[str, _Test] = {
    "R56": _is_drug,
    "R57": _charged_as("examination", "laboratory"),
    "R58": _is_material,
    "R59": _charged_as("treatment", "operation", "nursing"),
    "R60": _coded(_CT),
    "R61": _coded(_MRI),
}
"""What each share is of. Herbs are no drugs here: hospitals' assessment leaves them out of the drug share."""


def _shares(institution: str, lines: list[Line]) -> list[Indicator]:
    priced = [(line, amount) for line in lines if isinstance(amount := line.facts.get("line.amount_fen"), int)]
    whole = sum(amount for _, amount in priced)
    found = []
    for class_id, test in _SHARES.items():
        told = [(test(line), amount) for line, amount in priced]
        part = sum(amount for holds, amount in told if holds)
        uncounted = len(lines) - len(priced) + sum(holds is None for holds, _ in told)
        found.append(_indicator(class_id, institution, part, whole, uncounted, unit="fen"))
    return found


def _within(line: Line, begin: datetime, end: datetime) -> bool:
    return line.begins is not None and begin <= line.begins < end


# -- rates of stays


def _infections(institution: str, stays: list[Visit]) -> Indicator:
    told = [visit.encounter.facts.get("encounter.hospital_infection") for visit in stays]
    return _indicator("R62", institution, told.count(True), len(told) - told.count(None), told.count(None))


def _readmissions(
    institution: str, stays: list[Visit], patients: Mapping[str, list[date]], known_until: datetime
) -> Indicator:
    """Stays after which the patient was admitted again within 31 days, anywhere, though that was not planned."""
    again = [_admitted_again(visit, patients[visit.patient], known_until) for visit in stays]
    return _indicator("R63", institution, again.count(True), len(again) - again.count(None), again.count(None))


def _admitted_again(visit: Visit, admissions: list[date], known_until: datetime) -> bool | None:
    left = _left(visit)
    if left is None:
        return None
    last = left + timedelta(days=READMITTED_DAYS)
    if any(left <= day <= last and day != _came(visit) for day in admissions):
        return visit.encounter.facts.get("encounter.readmission_planned") is not True
    return False if known_until.date() > last else None


def _discharged(visit: Visit, begin: datetime, end: datetime) -> bool:
    left = visit.encounter.facts.get("encounter.discharged_at")
    inpatient = visit.encounter.facts.get("encounter.visit_mode") == "inpatient"
    return inpatient and isinstance(left, datetime) and begin <= left < end


def _admissions(visits: Iterable[Visit]) -> dict[str, list[date]]:
    """The days of admission of each patient."""
    found: dict[str, list[date]] = {}
    for visit in visits:
        days = found.setdefault(visit.patient, [])
        came = _came(visit)
        if came is not None and visit.encounter.facts.get("encounter.visit_mode") == "inpatient":
            days.append(came)
    return found


def _came(visit: Visit) -> date | None:
    came = visit.encounter.facts.get("encounter.admitted_at")
    return came.date() if isinstance(came, datetime) else None


def _left(visit: Visit) -> date | None:
    left = visit.encounter.facts.get("encounter.discharged_at")
    return left.date() if isinstance(left, datetime) else None


def _indicator(
    class_id: str, institution: str, part: int, whole: int, uncounted: int, *, unit: str = "encounters"
) -> Indicator:
    percent = (Decimal(part * 100) / whole).quantize(Decimal("0.01"), ROUND_HALF_UP) if whole else None
    return Indicator(
        class_id=class_id,
        name=class_name(class_id),
        institution_id=institution,
        part=part,
        whole=whole,
        unit=unit,
        percent=percent,
        uncounted=uncounted,
    )
