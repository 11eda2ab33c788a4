"""Strict FHIR R4 out of what came in: an updated order goes back whole, and every parser has to read it.

Clients send objects where lists belong, leave out what is required, and put a dose where STU3 had it (reference
`cds_hooks.md` c.1). What can be put right without a guess is; an order that cannot be is not sent back at all.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from importlib import resources
from typing import Any

from negative_list.readers.fhir.elements import Row, first, inside, objects
from reminder.once import made_once

__all__ = ["UnmendableError", "mended"]

_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "MedicationRequest": {"status": "draft", "intent": "order"},
    "ServiceRequest": {"status": "draft", "intent": "order"},
    "DeviceRequest": {"status": "draft", "intent": "order"},
    "SupplyRequest": {"status": "draft"},
}
_NEEDED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "MedicationRequest": (("medicationCodeableConcept", "medicationReference"), ("subject",)),
    "ServiceRequest": (("subject",),),
    "DeviceRequest": (("codeCodeableConcept", "codeReference"), ("subject",)),
    "SupplyRequest": (("itemCodeableConcept", "itemReference"), ("quantity",)),
}
_OLD_DOSES = ("doseQuantity", "doseRange", "rateQuantity", "rateRange", "rateRatio")
_LEVELS = 12


class UnmendableError(ValueError):
    """A resource cannot be made strict R4 without a guess."""


def mended(resource: Row, patient_id: str, offset: str) -> dict[str, Any]:
    """An order resource as strict R4.

    Args:
        resource: as it came.
        patient_id: whose order it is, where it does not say.
        offset: of civil times written without one, as in ``+08:00``.

    Raises:
        UnmendableError: It holds what R4 has no place for.
    """
    kind = str(resource.get("resourceType"))
    if kind not in _DEFAULTS:
        raise UnmendableError(kind)
    filled = {**_DEFAULTS[kind], **_of_r4(resource)}
    if "subject" in _schema()[kind] and patient_id:
        filled.setdefault("subject", {"reference": f"Patient/{patient_id}"})
    order = _Mending(offset).resource(filled, 0)
    if any(order.keys().isdisjoint(either) for either in _NEEDED[kind]):
        raise UnmendableError(kind)
    return order


def _of_r4(resource: Row) -> dict[str, Any]:
    """Elements of R5 and STU3 in the places R4 has for them; nothing empty."""
    told = {key: value for key, value in resource.items() if value not in (None, "", [], {})}
    referred = first(told.get("medication"))
    if told.get("resourceType") == "MedicationRequest" and referred:
        del told["medication"]
        inner = first(referred.get("concept")), first(referred.get("reference"))
        names = ("medicationCodeableConcept", "medicationReference")
        told |= {name: value for name, value in zip(names, inner, strict=True) if value}
    if isinstance(dosages := told.get("dosageInstruction"), list | dict):
        told["dosageInstruction"] = [_dosage(each) for each in objects(dosages)]
    return told


def _dosage(dosage: Row) -> Row:
    old = {key: dosage[key] for key in _OLD_DOSES if key in dosage}
    if not old or inside(dosage, "doseAndRate"):
        return dosage
    return {key: value for key, value in dosage.items() if key not in old} | {"doseAndRate": [old]}


class _Mending:
    """One resource on its way; ``offset`` is that of civil times."""

    def __init__(self, offset: str) -> None:
        self._offset = offset

    def resource(self, row: Row, level: int) -> dict[str, Any]:
        kind = row.get("resourceType")
        if not isinstance(kind, str) or not kind[:1].isupper() or kind not in _schema():
            raise UnmendableError("resourceType")
        rest = {key: value for key, value in row.items() if key != "resourceType"}
        return {"resourceType": kind, **self._elements(rest, _schema()["resource"] | _schema()[kind], level)}

    def _elements(self, row: Row, schema: Mapping[str, str], level: int) -> dict[str, Any]:
        if level > _LEVELS:
            raise UnmendableError("too deep")
        told = {key: value for key, value in row.items() if value not in (None, "", [], {})}
        chosen = [stem for key in told if (stem := _choice(key, schema.get(key, "")))]
        if len(set(chosen)) < len(chosen):
            raise UnmendableError("two of a choice")
        return {key: self._element(key, value, schema, level) for key, value in told.items()}

    def _element(self, key: str, value: object, schema: Mapping[str, str], level: int) -> object:
        kind = schema.get(key)
        if kind is None:
            raise UnmendableError(key)
        if kind.endswith("*"):
            told = value if isinstance(value, list) else [value]
            return [self._value(kind[:-1], each, level) for each in told]
        if isinstance(value, list) and len(value) == 1:
            (value,) = value
        return self._value(kind, value, level)

    def _value(self, kind: str, value: object, level: int) -> object:
        if kind == "Resource" and isinstance(value, dict):
            return self.resource(value, level + 1)
        if kind == "Extension" and isinstance(value, dict):
            return self._extension(value, level + 1)
        if kind in _PRIMITIVES:
            return self._primitive(kind, value)
        if not isinstance(value, dict):
            raise UnmendableError(kind)
        told = self._elements(value, _schema()["element"] | _schema()[kind], level + 1)
        if not told:
            raise UnmendableError(kind)
        return told

    def _extension(self, row: Row, level: int) -> dict[str, Any]:
        values = [key for key in row if key.startswith("value")]
        known = {each.lower(): each for each in (*_PRIMITIVES, *_schema())}
        types = {key: known.get(key.removeprefix("value").lower(), "") for key in values}
        if len(values) > 1 or not all(types.values()) or "url" not in row:
            raise UnmendableError("extension")
        return self._elements(row, _schema()["element"] | {"url": "uri"} | types, level)

    def _primitive(self, kind: str, value: object) -> object:
        if kind == "dateTime" and isinstance(value, str):
            value = self._moment(value.strip())
        if kind == "decimal" and isinstance(value, str):
            value = _number(value)
        if not _PRIMITIVES[kind](value):
            raise UnmendableError(kind)
        return value

    def _moment(self, text: str) -> str:
        """A time as R4 writes it, with seconds and offset."""
        found = _CIVIL.fullmatch(text)
        return f"{found[1]}T{found[2]}{found[3] or ':00'}{self._offset}" if found else text


def _choice(key: str, kind: str) -> str:
    """What an element of a choice of types is called without its type, as ``value`` of ``valueString``; else ""."""
    return key[: -len(kind)] if kind and key.lower().endswith(kind.lower()) else ""


def _number(text: str) -> object:
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


@made_once
def _schema() -> dict[str, dict[str, str]]:
    """Types and their elements, read once."""
    return tomllib.loads((resources.files("reminder.cds") / "r4.toml").read_text("utf-8"))


# -- primitive types, as R4's page of data types has them

_CIVIL = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d(?:\.\d+)?)?", re.ASCII)
_DATE = r"\d{4}(?:-\d\d(?:-\d\d)?)?"
_CLOCK = r"T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
_LARGEST_INTEGER = 2**31 - 1


def _matches(pattern: str) -> Callable[[object], bool]:
    compiled = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _integer(least: int) -> Callable[[object], bool]:
    return lambda value: type(value) is int and least <= value <= _LARGEST_INTEGER


def _decimal(value: object) -> bool:
    """A number; what no decimal of eighteen digits holds is none to send back."""
    limit = 10**18
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    return -limit < value < limit and (isinstance(value, int) or value.is_finite())


_PRIMITIVES: Mapping[str, Callable[[object], bool]] = {
    "boolean": lambda value: isinstance(value, bool),
    "canonical": _matches(r"\S+"),
    "code": _matches(r"[^\s]+(?: [^\s]+)*"),
    "date": _matches(_DATE),
    "dateTime": _matches(rf"\d{{4}}-\d\d-\d\d{_CLOCK}|{_DATE}"),
    "decimal": _decimal,
    "id": _matches(r"[A-Za-z0-9.-]{1,64}"),
    "instant": _matches(rf"\d{{4}}-\d\d-\d\d{_CLOCK}"),
    "integer": _integer(-_LARGEST_INTEGER),
    "markdown": _matches(r"(?s).*\S.*"),
    "positiveInt": _integer(1),
    "string": _matches(r"(?s).*\S.*"),
    "time": _matches(r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?"),
    "unsignedInt": _integer(0),
    "uri": _matches(r"\S+"),
    "url": _matches(r"\S+"),
    "xhtml": _matches(r"(?s)<div .*</div>"),
}
