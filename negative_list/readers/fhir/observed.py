"""Observations become facts: by LOINC code as the dictionary names it, in its unit, the latest of each."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from negative_list.dictionary import load
from negative_list.readers.fhir.elements import codings, first, objects, text
from negative_list.readers.fhir.tables import UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from negative_list.dictionary import Fact
    from negative_list.readers.fhir.elements import Row
    from negative_list.readers.fhir.found import Found

__all__ = ["Odd", "observed"]

Odd = list[tuple[str, str, str]]
"""Observations that could not be used: path, unit as sent, unit of the fact."""

_LOINC = "Observation "
_FINAL = frozenset({"final", "amended", "corrected", ""})


@cache
def _facts() -> Mapping[str, Fact]:
    """Facts by their LOINC code."""
    return {f.fhir.removeprefix(_LOINC): f for f in load().values() if f.fhir.startswith(_LOINC)}


def observed(found: Found, odd: Odd) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The facts that observations tell: name, value with the time it was found at, path."""
    latest: dict[str, tuple[str, dict[str, Any], str]] = {}
    for row, path in found.kinds.get("Observation", []):
        if text(row.get("status")) not in _FINAL:
            continue
        at = text(row.get("effectiveDateTime")) or text(first(row.get("effectivePeriod")).get("end"))
        parts = ((part, f"{path}.component[{n}]") for n, part in enumerate(objects(row.get("component"))))
        for part, where in ((row, path), *parts):
            name, value = _value(part, where, odd)
            if value is not None and (name not in latest or at >= latest[name][0]):
                latest[name] = at, {"value": value, "at": at} if at else {"value": value}, where
    return ((name, value, path) for name, (_, value, path) in latest.items())


def _value(row: Row, path: str, odd: Odd) -> tuple[str, object]:
    """The fact an observation is of, and its value in the fact's unit; ``None``: it cannot be used."""
    known = (_facts().get(text(coding.get("code"))) for coding in codings(row.get("code")))
    fact = next(filter(None, known), None)
    told = first(row.get("valueQuantity"))
    if fact is None or "value" not in told:
        return "", None
    units = {_unit(text(told.get(key))) for key in ("code", "unit")} - {""}
    if _unit(fact.unit) not in units and (units or fact.unit not in {"score", "ratio"}):
        odd.append((f"{path}.valueQuantity.unit", text(told.get("unit")) or text(told.get("code")), fact.unit))
        return "", None
    # "< 5" is no number
    return (fact.name, told["value"]) if not text(told.get("comparator")) else ("", None)


def _unit(written: str) -> str:
    plain = written.strip().lower().replace("μ", "u").replace("µ", "u").replace(" ", "")
    return UNITS.get(plain, plain)
