"""Codes of FHIR and what they are called here. FHIR pages are those of R4 (4.0.1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

__all__ = [
    "COURSES",
    "DAYS",
    "DISCHARGE",
    "ENDED",
    "GENDERS",
    "MODES",
    "ORDERS",
    "PER",
    "ROUTES",
    "STAGES",
    "UNCONFIRMED",
    "UNITS",
    "UNTRUE",
    "Order",
]


class Order(Struct, frozen=True, kw_only=True):
    """Where an order resource says what is ordered; each a path of elements, tried in turn.

    ``item`` is a concept, ``reference`` refers to a resource of type ``refers_to`` with a ``code``.
    """

    item: tuple[tuple[str, ...], ...]
    reference: tuple[tuple[str, ...], ...] = ()
    refers_to: str = ""
    quantity: tuple[tuple[str, ...], ...] = ()
    group: tuple[str, ...] = ()


ORDERS: Mapping[str, Order] = MappingProxyType(
    {
        "MedicationRequest": Order(
            item=(("medicationCodeableConcept",), ("medication",)),  # `medication` is R5's, with `concept` in it
            reference=(("medicationReference",), ("medication", "reference")),
            refers_to="Medication",
            quantity=(("dispenseRequest", "quantity"),),
            group=("groupIdentifier", "value"),
        ),
        "ServiceRequest": Order(
            item=(("code",),),
            quantity=(("quantityQuantity",),),
            group=("requisition", "value"),
        ),
        "DeviceRequest": Order(
            item=(("codeCodeableConcept",), ("code",)),
            reference=(("codeReference",), ("code", "reference")),
            refers_to="Device",
            quantity=(("quantity",),),  # R5's
            group=("groupIdentifier", "value"),
        ),
        "SupplyRequest": Order(
            item=(("itemCodeableConcept",), ("item",)),
            reference=(("itemReference",), ("item", "reference")),
            refers_to="Medication",
            quantity=(("quantity",),),
        ),
    }
)
"""Resources that order something a list has rules about; others (diets, glasses, messages) are counted and left."""

GENDERS = MappingProxyType({"male": "男", "female": "女"})
"""administrative-gender; ``other`` and ``unknown`` are unknown."""

MODES = MappingProxyType(
    {
        "AMB": "outpatient",
        "EMER": "emergency",
        "IMP": "inpatient",
        "ACUTE": "inpatient",
        "NONAC": "inpatient",
        "VR": "internet",
    }
)
"""v3-ActCode, ActEncounterCode; the others say nothing about how an insurer sees the visit."""

STAGES = MappingProxyType({"AD": "admission", "DD": "discharge"})
"""diagnosis-role."""

UNTRUE = frozenset({"refuted", "entered-in-error", "inactive", "remission", "resolved", "not-done"})
"""States (condition-ver-status, condition-clinical, event-status) in which there is no such thing, or no more."""

UNCONFIRMED = frozenset({"unconfirmed", "provisional", "differential"})
"""condition-ver-status of what may be: 待排."""

ENDED = frozenset({"cancelled", "entered-in-error", "stopped", "revoked"})
"""medicationrequest-status and request-status of orders that are none any more."""

COURSES = MappingProxyType({"continuous": True, "acute": False})
"""medicationrequest-course-of-therapy: whether an order is a long-term one."""

DISCHARGE = MappingProxyType({"discharge": True, "inpatient": False})
"""medicationrequest-category: whether a drug is taken home at discharge."""

ROUTES = MappingProxyType(
    {
        "26643006": "oral",
        "47625008": "intravenous",
        "78421000": "intramuscular",
        "34206005": "subcutaneous",
        "447694001": "inhaled",
        "6064005": "topical",
        "37161004": "rectal",
        "16857009": "vaginal",
        "54485002": "ophthalmic",
        "418401004": "intravitreal",
        "46713006": "nasal",
        "72607000": "intrathecal",
    }
)
"""SNOMED CT routes, as route-codes lists them."""

DAYS = MappingProxyType(
    {"d": 1, "day": 1, "days": 1, "天": 1, "日": 1, "wk": 7, "week": 7, "weeks": 7, "周": 7, "星期": 7}
)
"""Days of a unit of time (UCUM, units-of-time, and as written); months have no fixed length."""

PER = MappingProxyType({"h": "小时", "d": "日", "wk": "周"})
"""units-of-time in which a frequency can be told in words our reader of frequencies knows."""

UNITS = MappingProxyType(
    {
        "10*9/l": "10^9/l",
        "mm[hg]": "mmhg",
        "[iu]/ml": "iu/ml",
        "ml/min/{1.73_m2}": "ml/min/1.73m2",
        "ml/min/1.73m^2": "ml/min/1.73m2",
        "{cells}/ul": "cells/ul",
        "/ul": "cells/ul",
        "1": "ratio",
        "{ratio}": "ratio",
        "{inr}": "ratio",
        "{score}": "score",
        "°c": "cel",
        "℃": "cel",
        "g/(24.h)": "g/24h",
        "{t-score}": "sd",
        "[sd]": "sd",
        "kg/m^2": "kg/m2",
    }
)
"""UCUM spellings, in lower case, of units the dictionary writes otherwise. The same unit, never a conversion."""
