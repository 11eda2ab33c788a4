"""Requests of CDS Hooks that say only what a test is about. Nobody in them is real."""

from __future__ import annotations

from itertools import count
from typing import Any
from uuid import UUID

from negative_list.readers.fhir.elements import FACT_URL
from tests.reminder.bodies import MEN, WOMEN

__all__ = ["HOOK", "MEN", "SELECT", "SIGN", "WOMEN", "bundle", "carried", "hook_body", "of_own", "order", "prefetched"]

SIGN, SELECT = "/cds-services/reminder-order-sign", "/cds-services/reminder-order-select"
HOOK = "order-sign"

_SERIAL = count(1)
_CLASSES = {"outpatient": "AMB", "emergency": "EMER", "inpatient": "IMP", "internet": "VR"}
_GENDERS = {"男": "male", "女": "female"}


def carried(**facts: Any) -> list[dict[str, Any]]:
    """Extensions that carry facts of a line: ``amount_fen=1250``."""
    return [extension(f"line.{name}", value) for name, value in facts.items()]


def extension(name: str, value: Any) -> dict[str, Any]:
    """An extension that carries a fact."""
    kind = {bool: "Boolean", int: "Integer", str: "String"}.get(type(value), "Decimal")
    return {"url": FACT_URL + name, f"value{kind}": value}


def order(name: str = "R1", **changes: Any) -> dict[str, Any]:
    """A strict draft: one box of the drug for men."""
    return {
        "resourceType": "MedicationRequest",
        "id": name,
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/P1"},
        "encounter": {"reference": "Encounter/M1"},
        "authoredOn": "2026-01-01T09:00:00+08:00",
        "medicationCodeableConcept": {"coding": [{"code": MEN, "display": "阿帕他胺片"}]},
        "dispenseRequest": {"quantity": {"value": 1, "unit": "盒"}},
        "extension": carried(unit_price_fen=1250, amount_fen=1250),
        **changes,
    }


def bundle(*resources: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A Bundle of resources."""
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": each} for each in resources],
    } | changes


def prefetched(sex: str = "女", level: int = 3, **changes: Any) -> dict[str, Any]:
    """Everything asked for: an outpatient at a hospital of level 3."""
    visit = {
        "resourceType": "Encounter",
        "id": "M1",
        "status": "in-progress",
        "class": {"code": "AMB"},
        "period": {"start": "2026-01-01T08:50:00+08:00"},
        "extension": [extension("encounter.institution_level", level)],
    }
    pressure = {
        "resourceType": "Condition",
        "id": "C1",
        "subject": {"reference": "Patient/P1"},
        "encounter": {"reference": "Encounter/M1"},
        "code": {"coding": [{"code": "I10.x00", "display": "高血压"}]},
    }
    visit["diagnosis"] = [{"condition": {"reference": "Condition/C1"}, "rank": 1}]
    patient = {"resourceType": "Patient", "id": "P1", "gender": _GENDERS[sex], "birthDate": "1960-01-01"}
    return {
        "patient": patient | {"name": [{"text": "测试"}]},
        "encounter": visit,
        "conditions": bundle(pressure),
        "medications": None,
        "services": None,
        **changes,
    }


def hook_body(*orders: dict[str, Any], hook: str = HOOK, sex: str = "女", **changes: Any) -> dict[str, Any]:
    """A request: by default the drug for men, signed for a woman."""
    context = {
        "userId": "Practitioner/D1",
        "patientId": "P1",
        "encounterId": "M1",
        "draftOrders": bundle(*(orders or (order(),))),
        **changes.pop("context", {}),
    }
    told = {
        "hook": hook,
        "hookInstance": str(UUID(int=next(_SERIAL), version=4)),
        "fhirServer": "https://fhir.example/r4",
        "context": context,
        "prefetch": prefetched(sex),
    }
    return told | changes


# -- from our own JSON


def of_own(body: dict[str, Any]) -> dict[str, Any]:
    """The same request as our own JSON says it, in words of FHIR and extensions for the rest."""
    visit, patient = body["encounter"], body["patient"]
    orders = [_of_line(line) for line in visit["lines"]]
    encounter = {
        "resourceType": "Encounter",
        "id": visit["id"],
        "period": {"start": visit["admitted_at"].replace(" ", "T") + "+08:00"},
        "diagnosis": [
            {"condition": {"reference": f"Condition/C{n}"}, **({"rank": 1} if each.get("main") else {})}
            for n, each in enumerate(visit.get("diagnoses", ()))
        ],
        "extension": [extension("encounter.institution_level", visit["institution_level"])]
        if visit.get("institution_level") is not None
        else [],
    }
    if visit["visit_mode"] in _CLASSES:
        encounter["class"] = {"code": _CLASSES[visit["visit_mode"]]}
    conditions = [
        {
            "resourceType": "Condition",
            "id": f"C{n}",
            "encounter": {"reference": f"Encounter/{visit['id']}"},
            "code": {"coding": [{"code": each.get("code", "")}], "text": each.get("name", "")},
        }
        for n, each in enumerate(visit.get("diagnoses", ()))
    ]
    person = {"resourceType": "Patient", "id": patient["id"], "birthDate": patient["birth_date"]}
    if patient.get("sex"):
        person["gender"] = _GENDERS[patient["sex"]]
    return {
        "hook": HOOK,
        "hookInstance": body["request_id"],
        "context": {
            "userId": "Practitioner/D1",
            "patientId": patient["id"],
            "encounterId": visit["id"],
            "draftOrders": bundle(*orders),
        },
        "prefetch": {
            "patient": person,
            "encounter": encounter,
            "conditions": bundle(*conditions),
            "medications": None,
            "services": None,
        },
    }


def _of_line(line: dict[str, Any]) -> dict[str, Any]:
    told = {
        "resourceType": "MedicationRequest",
        "id": line["id"],
        "status": "draft",
        "authoredOn": line["begins"].replace(" ", "T") + "+08:00",
        "medicationCodeableConcept": {"coding": [{"code": line["code"]}], "text": line["name"]},
        "dispenseRequest": {"quantity": {"value": line["quantity"], "unit": line["unit"]}},
    }
    rest = {name: line[name] for name in ("unit_price_fen", "amount_fen", "paid_by") if name in line}
    return told | {"extension": carried(**rest)}
