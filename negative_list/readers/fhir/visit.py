"""Who the patient is and what the visit is: resources of the prefetch become ``patient`` and ``encounter``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from negative_list.codes import icd9_codes, icd10_codes
from negative_list.dictionary import load
from negative_list.readers.fhir.elements import (
    Concept,
    Told,
    codings,
    concept,
    extended,
    first,
    id_of,
    identified,
    inside,
    objects,
    text,
)
from negative_list.readers.fhir.tables import GENDERS, MODES, STAGES, UNCONFIRMED, UNTRUE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from negative_list.readers.fhir.elements import Row
    from negative_list.readers.fhir.found import Found
    from negative_list.readers.fhir.hooks import Naming

__all__ = ["MORE_DIAGNOSES", "Context", "fill_encounter", "fill_patient", "insurance_of"]

MORE_DIAGNOSES = "（其余诊断未随请求送达）"
"""Stands among the diagnoses where more may exist than were delivered: a diagnosis without a code, by which nothing can
be excluded; without it an exemption that was not delivered would count as absent, and block."""

_MAY_BE = "待排"
_ATTENDS = ("ATND", "PPRF", "ADM", "CON")
_CONDITIONS = "conditions"


class Context(Struct, frozen=True, kw_only=True):
    """What a hook's context says besides the orders."""

    user: str = ""
    patient: str = ""
    encounter: str = ""

    @classmethod
    def of(cls, row: Row) -> Context:
        """The context of a request; ids may come with their type before them."""
        return cls(
            user=text(row.get("userId")),
            patient=_bare(text(row.get("patientId"))),
            encounter=_bare(text(row.get("encounterId"))),
        )


def _bare(told: str) -> str:
    return id_of(told) if "/" in told else told


def fill_patient(told: Told, context: Context, found: Found, naming: Naming) -> None:
    """Tell who the patient is."""
    patient, path = found.of("Patient", context.patient)
    told.at(path)
    by = identified(patient.get("identifier"), naming.patient) if naming.patient else ""
    told.put("id", by or context.patient or text(patient.get("id")), "id")
    told.put("sex", GENDERS.get(text(patient.get("gender")).lower()), "gender")
    told.put("birth_date", text(patient.get("birthDate")), "birthDate")
    told.fact("patient.name", _name(first(patient.get("name"))), "name")
    told.fact("patient.allergies", _allergies(found), "allergies")
    for name, value in extended(patient):
        told.fact(name, value, "extension")


def _name(name: Row) -> str:
    given = name.get("given")
    parts = given if isinstance(given, list) else [given]
    return text(name.get("text")) or text(name.get("family")) + "".join(map(text, parts))


def _allergies(found: Found) -> list[str]:
    rows = (row for row, _ in found.kinds.get("AllergyIntolerance", []) if _is_true(row))
    told = (concept(row.get("code")) for row in rows)
    return list(dict.fromkeys(filter(None, (each.name or each.code for each in told))))


def fill_encounter(told: Told, context: Context, found: Found, naming: Naming, reasons: Iterable[Row]) -> None:
    """Tell what the visit is; ``reasons`` are the orders, which name diagnoses too."""
    visit, path = found.of("Encounter", context.encounter)
    told.at(path)
    by = identified(visit.get("identifier"), naming.encounter) if naming.encounter else ""
    told.put("id", by or context.encounter or text(visit.get("id")), "id")
    told.put("visit_mode", next(filter(None, map(MODES.get, _classes(visit))), None), "class")
    period = first(visit.get("period")) or first(visit.get("actualPeriod"))  # R5 calls it so
    told.put("admitted_at", text(period.get("start")), "period.start")
    told.put("discharged_at", text(period.get("end")), "period.end")
    told.put("institution_id", _institution(visit, found, naming), "serviceProvider")
    service = concept(visit.get("serviceType"))
    told.put("department_code", service.code, "serviceType")
    told.put("department_name", service.name, "serviceType")
    told.put("doctor_id", _doctor(visit, found) or id_of(context.user, "Practitioner"), "participant")
    wards = [id_of(each.get("location"), "Location") for each in objects(visit.get("location"))]
    told.fact("encounter.ward", next(filter(None, reversed(wards)), ""), "location")
    told.put("diagnoses", list(_diagnoses(visit, context, found, reasons)), "diagnosis")
    told.put("operations", list(_operations(visit, context, found)))
    for name, value in extended(visit):
        told.fact(name, value, "extension")


def _classes(visit: Row) -> Iterator[str]:
    """Codes of the class: a Coding in R4, concepts in R5."""
    return (text(row.get("code")) for row in codings(visit.get("class")))


def _institution(visit: Row, found: Found, naming: Naming) -> str:
    """Whose encounter it is, by the reference's own identifier, the organization's, or its id."""
    provider = first(visit.get("serviceProvider"))
    known = found.refers(provider, visit, "Organization")
    by = (
        identified(row.get("identifier"), system)
        for system in dict.fromkeys((naming.institution, ""))
        for row in (provider, known)
    )
    return next(filter(None, by), "") or id_of(provider, "Organization")


def _doctor(visit: Row, found: Found) -> str:
    """Who attends, by code of the part taken; the first practitioner where no code says."""
    parts = objects(visit.get("participant"))
    coded = {text(row.get("code")): part for part in reversed(parts) for row in codings(part.get("type"))}
    for part in (*(coded[code] for code in _ATTENDS if code in coded), *parts):
        who = first(part.get("individual")) or first(part.get("actor"))
        known = found.refers(who, visit, "Practitioner")
        by = identified(who.get("identifier")) or identified(known.get("identifier")) or id_of(who, "Practitioner")
        if by:
            return by
    return ""


def insurance_of(found: Found) -> list[str]:
    """The kinds of insurance of the coverages, in the dictionary's words, labels or national codes; others are left."""
    fact = load()["encounter.insurance"]
    known = {
        **fact.values,
        **{label: word for word, label in fact.words.items()},
        **{word: word for word in fact.words},
    }
    rows = (row for row, _ in found.kinds.get("Coverage", []) if _status(row) in {"", "active"})
    told = [text(coding.get(key)) for row in rows for coding in codings(row.get("type")) for key in ("code", "display")]
    return list(dict.fromkeys(str(known[each]) for each in told if each in known))


# -- diagnoses and operations


def _diagnoses(visit: Row, context: Context, found: Found, reasons: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """Diagnoses of this visit: its conditions, as it ranks them, and what the orders give as reasons."""
    ranked = {id_of(each.get("condition"), "Condition"): each for each in objects(visit.get("diagnosis"))}
    rows = [row for row, _ in found.kinds.get("Condition", []) if _is_true(row) and _is_of(row, context)]
    told = [_diagnosis(row, ranked.get(text(row.get("id")), {})) for row in rows]
    for order in reasons:
        told += [_named(each, icd10_codes) for each in map(concept, _reasons(order, found))]
    told = [each for each in told if each]
    yield from (dict(each) for each in dict.fromkeys(tuple(each.items()) for each in told))
    if told and _CONDITIONS not in found.whole:
        yield {"name": MORE_DIAGNOSES}


def _diagnosis(row: Row, ranked: Row) -> dict[str, Any]:
    """A condition; what is only suspected has no code here, and says so in its name."""
    read = concept(row.get("code"))
    if _status(row, "verificationStatus") in UNCONFIRMED:
        return {"name": (read.name or read.code) + _MAY_BE} if read.name or read.code else {}
    named = _named(_best(row.get("code"), read), icd10_codes)
    stage = next(filter(None, (STAGES.get(text(use.get("code"))) for use in codings(ranked.get("use")))), "")
    main = {"main": True} if ranked.get("rank") == 1 else {}
    return named | main | ({"stage": stage} if stage else {}) if named else {}


def _best(value: object, read: Concept) -> Concept:
    """The concept with the code that can be used, where one of its codes can."""
    usable = (text(row.get("code")) for row in codings(value) if icd10_codes(text(row.get("code"))))
    return Concept(code=next(usable, read.code), name=read.name)


def _named(read: Concept, usable: Callable[[str], tuple[str, ...]]) -> dict[str, Any]:
    """A diagnosis or an operation; a code that is none of ours is kept where there is no name."""
    code = read.code if usable(read.code) or not read.name else read.other if usable(read.other) else read.code
    return {key: value for key, value in (("code", code), ("name", read.name)) if value}


def _reasons(order: Row, found: Found) -> Iterator[object]:
    yield from objects(order.get("reasonCode"))
    for each in (*objects(order.get("reason")), *objects(order.get("reasonReference"))):
        yield from objects(each.get("concept"))
        condition = found.refers(each, order, "Condition")
        if _is_true(condition):
            yield condition.get("code")


def _operations(visit: Row, context: Context, found: Found) -> Iterator[dict[str, Any]]:
    for row, _ in found.kinds.get("Procedure", []):
        if _is_true(row) and (_is_of(row, context) or id_of(row.get("encounter")) == text(visit.get("id"))):
            named = _named(concept(row.get("code")), icd9_codes)
            if named:
                yield named


def _is_of(row: Row, context: Context) -> bool:
    """Whether something belongs to this visit: it names it, or none."""
    told = id_of(row.get("encounter"), "Encounter")
    return not told or not context.encounter or told == context.encounter


def _is_true(row: Row) -> bool:
    states = (_status(row, key) for key in ("status", "clinicalStatus", "verificationStatus"))
    return UNTRUE.isdisjoint(states)


def _status(row: Row, key: str = "status") -> str:
    value = row.get(key)
    return value if isinstance(value, str) else text(inside(first(value), "coding", "code"))
