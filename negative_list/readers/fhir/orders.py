"""One order resource becomes one line of our own JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

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
    kind_of,
    objects,
    text,
)
from negative_list.readers.fhir.tables import COURSES, DAYS, DISCHARGE, ENDED, ORDERS, PER, ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from negative_list.readers.fhir.elements import Row
    from negative_list.readers.fhir.found import Found
    from negative_list.readers.fhir.tables import Order

__all__ = ["fill_line", "is_order", "item_path", "lacks_item", "why_none"]

_AS_NEEDED = "必要时"
_LONGEST_DAYS = 10_000


def is_order(resource: Row) -> bool:
    """Whether a resource orders something a list may have rules about."""
    return kind_of(resource) in ORDERS


def why_none(resource: Row) -> str:
    """Why an order is none: it says that something is not to be done, or it was ended; "" where it stands."""
    if resource.get("doNotPerform") is True:
        return "标明不执行 (doNotPerform)"
    status = text(resource.get("status"))
    return f"状态为 {status}" if status in ENDED else ""


def lacks_item(resource: Row, found: Found) -> bool:
    """Whether nothing that was sent names what an order is of."""
    told, _ = _item(resource, ORDERS[kind_of(resource)], found)
    return not (told.code or told.name)


def item_path(resource: Row) -> str:
    """The element by which an order refers to its item; "" where it has no such reference."""
    for path in ORDERS[kind_of(resource)].reference:
        if text(inside(resource, *path, "reference")) or isinstance(inside(resource, *path), str):
            return ".".join(path)
    return ""


def fill_line(told: Told, resource: Row, found: Found) -> None:
    """Tell what an order says, in the fields of a line."""
    order = ORDERS[kind_of(resource)]
    told.put("id", text(resource.get("id")), "id")
    item, path = _item(resource, order, found)
    told.put("code", item.code, path)
    told.put("local_code", item.other, path)
    told.put("name", item.name, path)
    told.put("group_no", text(inside(resource, *order.group)) if order.group else "", ".".join(order.group))
    _put_amount(told, resource, order.quantity)
    _put_times(told, resource)
    _put_doctor(told, resource, found)
    _put_dose(told, resource)
    _put_kind(told, resource, found)
    for name, value in extended(resource):
        told.fact(name, value, "extension")


# -- what


def _item(resource: Row, order: Order, found: Found) -> tuple[Concept, str]:
    """The item, and the element that names it: the order itself, else the resource it refers to."""
    for path in order.item:
        value = inside(resource, *path)
        item = concept(value)
        if item.code or item.name:
            return item, ".".join(path)
    for path in order.reference:
        referred = inside(resource, *path)
        item = concept(found.refers(referred, resource, order.refers_to).get("code"))
        if item.code or item.name:
            return item, ".".join(path)
        if shown := text(first(referred).get("display")):
            return Concept(name=shown), ".".join(path)
    return Concept(), ".".join(order.item[0])


def _put_kind(told: Told, resource: Row, found: Found) -> None:
    """What else is told of the item and of the order's kind."""
    referred = found.refers(resource.get("medicationReference"), resource, "Medication")
    told.fact("line.dosage_form", concept(referred.get("form")).name, "medicationReference")
    told.fact("line.site", concept(resource.get("bodySite")).name, "bodySite")
    course = concept(resource.get("courseOfTherapyType")).code
    told.put("long_order", COURSES.get(course), "courseOfTherapyType")
    kinds = {text(row.get("code")) for row in codings(resource.get("category"))}
    told.fact("line.take_home", next((DISCHARGE[kind] for kind in DISCHARGE if kind in kinds), None), "category")


# -- how much


def _put_amount(told: Told, resource: Row, paths: Iterable[tuple[str, ...]]) -> None:
    """The quantity and its unit; and for how many days it is."""
    for path in paths:
        quantity = first(inside(resource, *path))
        told.put("quantity", quantity.get("value"), ".".join((*path, "value")))
        told.put("unit", _unit(quantity), ".".join((*path, "unit")))
    days = _days(first(inside(resource, "dispenseRequest", "expectedSupplyDuration")))
    told.put("days", days, "dispenseRequest.expectedSupplyDuration")
    if days is None:
        within = first(inside(resource, "dosageInstruction", "timing", "repeat", "boundsDuration"))
        told.put("days", _days(within), "dosageInstruction.timing.repeat.boundsDuration")


def _unit(quantity: Row) -> str:
    return text(quantity.get("unit")) or text(quantity.get("code"))


def _days(duration: Row) -> object:
    """A duration in days; one without unit is in days, for nothing else is so short written."""
    value, unit = duration.get("value"), text(duration.get("code")) or text(duration.get("unit")) or "d"
    if not isinstance(value, int | Decimal) or not 0 < value < _LONGEST_DAYS or unit.lower() not in DAYS:
        return None
    days = value * DAYS[unit.lower()]
    return int(days) if days == int(days) else days


# -- when and who


def _put_times(told: Told, resource: Row) -> None:
    """When it begins and stops: as its timing says, else when it was written."""
    bounds = first(inside(resource, "dosageInstruction", "timing", "repeat", "boundsPeriod"))
    period = first(resource.get("occurrencePeriod"))
    begins = (
        (bounds.get("start"), "dosageInstruction.timing.repeat.boundsPeriod.start"),
        (resource.get("occurrenceDateTime"), "occurrenceDateTime"),
        (period.get("start"), "occurrencePeriod.start"),
        (resource.get("authoredOn"), "authoredOn"),
    )
    value, path = next((each for each in begins if text(each[0])), ("", ""))
    told.put("begins", text(value), path)
    told.put(
        "stops", text(bounds.get("end")) or text(period.get("end")), "dosageInstruction.timing.repeat.boundsPeriod"
    )


def _put_doctor(told: Told, resource: Row, found: Found) -> None:
    """Who ordered it: a practitioner, by the reference's own identifier, the resource's, or its id."""
    requester = first(resource.get("requester")) or {"reference": text(resource.get("requester"))}
    role = found.refers(requester, resource, "PractitionerRole") if id_of(requester, "PractitionerRole") else {}
    who = first(role.get("practitioner")) or requester
    known = found.refers(who, resource, "Practitioner")
    by = identified(who.get("identifier")) or identified(known.get("identifier")) or id_of(who, "Practitioner")
    told.fact("line.doctor_id", by, "requester")


# -- dosage


def _put_dose(told: Told, resource: Row) -> None:
    """Dose, route and frequency, of an order with one dosage: which of several counts nobody knows."""
    dosages = objects(resource.get("dosageInstruction"))
    if len(dosages) != 1:
        return
    dosage, at = dosages[0], "dosageInstruction"
    # R4 has the dose under doseAndRate; STU3, and the hook's own published sample, have it under the dosage (c.1).
    dose = first(inside(dosage, "doseAndRate", "doseQuantity")) or first(dosage.get("doseQuantity"))
    told.fact("line.dose", dose.get("value"), f"{at}.doseAndRate.doseQuantity.value")
    told.fact("line.dose_unit", _unit(dose), f"{at}.doseAndRate.doseQuantity.unit")
    told.fact("line.route", _route(dosage.get("route")), f"{at}.route")
    told.fact("line.frequency_text", _often(dosage), f"{at}.timing")


def _route(value: object) -> str:
    """A route by its SNOMED code, or by the dictionary's own words and labels."""
    words = load()["line.route"].words
    labels: Mapping[str, str] = {label: word for word, label in words.items()} | {word: word for word in words}
    told = concept(value)
    known = (ROUTES.get(told.code), labels.get(told.code), labels.get(told.name))
    return next(filter(None, known), "")


def _often(dosage: Row) -> str:
    """How often, in words our reader of frequencies knows."""
    if dosage.get("asNeededBoolean") is True or objects(dosage.get("asNeededCodeableConcept")):
        return _AS_NEEDED
    repeat, code = first(inside(dosage, "timing", "repeat")), concept(inside(dosage, "timing", "code"))
    times, period, unit = repeat.get("frequency"), repeat.get("period"), PER.get(text(repeat.get("periodUnit")))
    if unit and isinstance(times, int) and isinstance(period, int | Decimal) and not repeat.get("frequencyMax"):
        return f"每{period}{unit}{times}次"
    return code.code or code.name
