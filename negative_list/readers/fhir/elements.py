"""Lenient looks at FHIR elements: an object for a list, a list for an object, R5's shapes, nothing at all.

Real clients send FHIR that strict parsers reject (reference `cds_hooks.md` c.1), so nothing here ever complains: what
is not as expected is as if it were not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from negative_list.codes import structure

__all__ = [
    "FACT_URL",
    "Concept",
    "Row",
    "Told",
    "codings",
    "concept",
    "extended",
    "first",
    "id_of",
    "identified",
    "inside",
    "kind_of",
    "objects",
    "text",
]

Row: TypeAlias = Mapping[str, Any]
"""A JSON object."""

FACT_URL = "urn:x-prescription-reminder:fact:"
"""What the url of an extension begins with that carries a fact of the dictionary, by its name (of the order, the
encounter or the patient it stands on); and FHIR has no element for it."""

_NOTHING: Row = {}
_QUANTITY = "value"


class Concept(Struct, frozen=True, kw_only=True):
    """A thing called by codes and by a name. ``code`` is the one to decide by, ``other`` a further one."""

    code: str = ""
    other: str = ""
    name: str = ""


_NO_CONCEPT = Concept()


class Told:
    """An object of our own JSON being filled, and where in the request each of its fields was found."""

    def __init__(self, own: str, path: str, paths: dict[str, str]) -> None:
        self.row: dict[str, Any] = {}
        self._own = own
        self._paths = paths
        self.at(path)

    def at(self, path: str) -> None:
        """Where the resource is that is told now."""
        self.path = path
        self._paths[self._own] = path

    def put(self, key: str, value: object, path: str = "") -> None:
        """A field, where there is something to tell; ``path`` below the resource's own."""
        if value is None or value in ("", [], {}):
            return
        self.row[key] = value
        self._paths[f"{self._own}.{key}"] = f"{self.path}.{path}" if path else self.path

    def fact(self, name: str, value: object, path: str = "") -> None:
        """A further fact, by its dictionary name."""
        if value is None or value in ("", [], {}):
            return
        self.row.setdefault("facts", {})[name] = value
        self._paths[f"{self._own}.facts.{name}"] = f"{self.path}.{path}" if path else self.path


def objects(value: object) -> list[Row]:
    """The objects of a list; an object alone stands for a list of one."""
    if value is None:
        return []
    if isinstance(value, dict):
        return [value]
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def first(value: object) -> Row:
    """The first object, or an empty one."""
    if value is None:  # nearly always: most elements of most resources are not there
        return _NOTHING
    if isinstance(value, dict):
        return value
    return next((each for each in value if isinstance(each, dict)), _NOTHING) if isinstance(value, list) else _NOTHING


def inside(row: Row, *names: str) -> object:
    """What stands at the end of a path of elements, through the first of every list."""
    value: object = row
    for name in names:
        value = first(value).get(name)
        if value is None:
            return None
    return value


def text(value: object) -> str:
    """A text or a number as text, else ""."""
    if isinstance(value, str):
        return value.strip()
    return "" if value is None or isinstance(value, bool | dict | list) else str(value)


def codings(value: object) -> list[Row]:
    """The codings of a concept: of a CodeableConcept, of R5's CodeableReference, or of a Coding alone."""
    found = []
    for each in objects(value):
        whole = first(each.get("concept")) or each
        found += objects(whole.get("coding")) or ([whole] if "code" in whole else [])
    return found


def concept(value: object) -> Concept:
    """A concept: the code with a national structure before any other; its text before a coding's display."""
    if value is None:
        return _NO_CONCEPT
    rows = codings(value)
    codes = list(dict.fromkeys(filter(None, (text(row.get("code")) for row in rows))))
    if len(codes) > 1:
        codes.sort(key=lambda code: structure(code) is None)  # stable: else as sent
    whole = first(inside(first(value), "concept")) or first(value)
    said = text(whole.get("text")) or next(filter(None, (text(row.get("display")) for row in rows)), "")
    return Concept(code=codes[0] if codes else "", other=codes[1] if len(codes) > 1 else "", name=said)


def kind_of(row: Row) -> str:
    """Of which type a resource is."""
    return text(row.get("resourceType"))


def id_of(reference: object, *kinds: str) -> str:
    """The id in a reference (``Type/id``, a URL that ends so); "" where it refers to another type than ``kinds``."""
    told = reference if isinstance(reference, str) else text(first(reference).get("reference"))
    *_, kind, name = ("", "", *told.partition("/_history/")[0].split("/"))
    return name if name and (not kinds or kind in kinds) and "?" not in name and not name.startswith("#") else ""


def identified(rows: object, system: str = "") -> str:
    """The value of the identifier of that system; of the first one where none is asked for."""
    told = (row for row in objects(rows) if not system or text(row.get("system")) == system)
    return next(filter(None, (text(row.get("value")) for row in told)), "")


def extended(resource: Row) -> Iterator[tuple[str, Any]]:
    """The facts a resource carries in extensions, by dictionary name; of a name that comes twice every value."""
    told: dict[str, list[Any]] = {}
    for each in objects(resource.get("extension")):
        url = text(each.get("url"))
        if url.startswith(FACT_URL):
            told.setdefault(url.removeprefix(FACT_URL), []).extend(_values(each))
    return ((name, values[0] if len(values) == 1 else values) for name, values in told.items() if values)


def _values(extension: Row) -> Iterable[Any]:
    for key, value in extension.items():
        if key.startswith("value"):
            yield (concept(value).code if "Cod" in key else first(value).get(_QUANTITY)) if _is_row(value) else value


def _is_row(value: object) -> bool:
    return isinstance(value, dict | list)
