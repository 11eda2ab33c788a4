"""Suggestions as actions on orders: delete the draft, or update it whole. Sources: reference b.4, b.9."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from negative_list.readers.fhir.elements import FACT_URL, kind_of, objects, text
from negative_list.readers.fhir.request import Ordered
from reminder.cds.r4 import UnmendableError, mended

if TYPE_CHECKING:
    from negative_list.decision import Suggestion

__all__ = ["Orders", "actions_of"]

_UCUM = "http://unitsofmeasure.org"
_PAID_BY, _AMOUNT, _DAYS = (FACT_URL + name for name in ("line.paid_by", "line.amount_fen", "line.days"))
_QUANTITY = FACT_URL + "line.quantity"
_WITHDRAWN = {"MedicationRequest": "cancelled", "ServiceRequest": "revoked", "DeviceRequest": "revoked"}
_WITHDRAWN |= {"SupplyRequest": "cancelled"}

_AMOUNTS: Mapping[str, tuple[str, ...]] = {
    "MedicationRequest": ("dispenseRequest", "quantity"),
    "ServiceRequest": ("quantityQuantity",),
    "SupplyRequest": ("quantity",),
}
"""Where R4 has the quantity of an order."""


class Orders(Struct, frozen=True, kw_only=True):
    """The orders of a request by line, whose they are, and the offset of its civil times."""

    by_line: Mapping[str, Ordered]
    patient_id: str = ""
    offset: str = "+08:00"


def actions_of(suggestion: Suggestion, orders: Orders, *, crd: bool = False) -> list[dict[str, Any]]:
    """What applies a suggestion: all of it, or nothing.

    An order without id, or one that cannot be sent back as strict R4, has no actions: the label says what to do.
    ``crd``: a draft is dropped by a new status, since a conformance kit takes a delete only with a create (b.9).
    """
    named = [orders.by_line.get(line) for line in suggestion.lines]
    if not named or any(order is None or not order.reference for order in named):
        return []
    try:
        return [_action(suggestion, order, orders, crd=crd) for order in named if order is not None]
    except UnmendableError:
        return []


def _action(suggestion: Suggestion, order: Ordered, orders: Orders, *, crd: bool) -> dict[str, Any]:
    if suggestion.kind == "drop" and not crd:
        return {"type": "delete", "description": suggestion.text, "resourceId": order.reference}
    resource = copy.deepcopy(mended(order.resource, orders.patient_id, orders.offset))
    _EDITS[suggestion.kind](resource, suggestion)
    return {"type": "update", "description": suggestion.text, "resource": resource}


def _drop(resource: dict[str, Any], _suggestion: Suggestion) -> None:
    resource["status"] = _WITHDRAWN[kind_of(resource)]


def _quantity(resource: dict[str, Any], suggestion: Suggestion) -> None:
    """Less of it; what was told of the amount of money holds no more."""
    path = _AMOUNTS.get(kind_of(resource))
    if path is None:
        raise UnmendableError("quantity")
    *above, last = path
    holder = resource
    for name in above:
        holder = holder.setdefault(name, {})
    holder[last] = holder.get(last, {}) | {"value": _number(suggestion.value)}
    _take_out(resource, _QUANTITY, _AMOUNT)


def _fewer_days(resource: dict[str, Any], suggestion: Suggestion) -> None:
    if kind_of(resource) == "MedicationRequest":
        days = {"value": _number(suggestion.value), "unit": "天", "system": _UCUM, "code": "d"}
        resource.setdefault("dispenseRequest", {})["expectedSupplyDuration"] = days
        _take_out(resource, _DAYS)
    else:
        _take_out(resource, _DAYS)
        _carry(resource, {"url": _DAYS, "valueInteger": int(suggestion.value or 0)})


def _self_pay(resource: dict[str, Any], suggestion: Suggestion) -> None:
    """The patient pays, which FHIR has no element for; the note says what consent it takes."""
    _take_out(resource, _PAID_BY)
    _carry(resource, {"url": _PAID_BY, "valueCode": "self"})
    if kind_of(resource) != "SupplyRequest":  # the only one without notes
        resource["note"] = [*resource.get("note", []), {"text": suggestion.text}]


def _take_out(resource: dict[str, Any], *urls: str) -> None:
    """Leave out extensions; an empty list of them is not sent."""
    kept = [each for each in objects(resource.get("extension")) if text(each.get("url")) not in urls]
    resource.pop("extension", None)
    if kept:
        resource["extension"] = kept


def _carry(resource: dict[str, Any], extension: dict[str, Any]) -> None:
    resource["extension"] = [*resource.get("extension", []), extension]


def _number(value: Decimal | None) -> int | Decimal:
    whole = value or Decimal(0)
    return int(whole) if whole == whole.to_integral_value() else whole


_EDITS: Mapping[str, Callable[[dict[str, Any], Suggestion], None]] = {
    "drop": _drop,
    "quantity": _quantity,
    "days": _fewer_days,
    "self_pay": _self_pay,
}
