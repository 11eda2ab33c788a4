"""Everything a request carries besides its orders: prefetched resources, one by one and by what was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from negative_list.readers.fhir.elements import first, id_of, kind_of, objects, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from negative_list.readers.fhir.elements import Row

__all__ = ["Found", "entries"]

_OUTCOME = "OperationOutcome"
_BUNDLE = "Bundle"
_LEVELS = 3


def entries(bundle: object, path: str, levels: int = _LEVELS) -> Iterator[tuple[Row, str, str]]:
    """The resources of a Bundle with their paths and full URLs; a list of resources, or one, stands for a Bundle.

    A Bundle in place of a resource is opened, ``levels`` deep.
    """
    if isinstance(bundle, dict) and "entry" not in bundle and kind_of(bundle) not in {_BUNDLE, ""}:
        yield bundle, path, ""
        return
    inner = bundle.get("entry") if isinstance(bundle, dict) else bundle
    alone = isinstance(inner, dict)
    for place, entry in enumerate([inner] if alone else inner if isinstance(inner, list) else []):
        if isinstance(entry, dict):
            at = f"{path}.entry" + ("" if alone else f"[{place}]")
            resource = entry.get("resource")
            if levels and isinstance(resource, dict) and kind_of(resource) == _BUNDLE:
                yield from entries(resource, f"{at}.resource", levels - 1)
            elif isinstance(resource, dict):
                yield resource, f"{at}.resource", text(entry.get("fullUrl"))
            elif kind_of(entry):
                yield entry, at, ""


class Found:
    """The prefetched resources of a request.

    A key that is missing was not delivered, ``null`` was delivered and is empty, and an OperationOutcome says that it
    could not be (reference `cds_hooks.md` b.5).
    """

    def __init__(self, prefetch: object, drafts: object) -> None:
        told = prefetch if isinstance(prefetch, dict) else {}
        self._by_name: dict[str, Row] = {}
        self.kinds: dict[str, list[tuple[Row, str]]] = {}
        self.whole = {str(key) for key, value in told.items() if value is None or _is_whole(value)}
        self.refused = sorted(str(key) for key, value in told.items() if _failed(value))
        for key, value in told.items():
            self._take(value, f"prefetch.{key}")
        for resource, _, url in entries(drafts, ""):
            self._name(resource, url)

    def _take(self, value: object, path: str) -> None:
        for resource, at, url in entries(value, path):
            if self._name(resource, url):
                self.kinds.setdefault(kind_of(resource), []).append((resource, at))

    def _name(self, resource: Row, url: str) -> bool:
        """Remember a resource under its names; ``False``: it came before."""
        name = f"{kind_of(resource)}/{text(resource.get('id'))}"
        if name in self._by_name and not name.endswith("/"):
            return False
        self._by_name[name] = resource
        if url:
            self._by_name[url] = resource
        return True

    def of(self, kind: str, name: str = "") -> tuple[Row, str]:
        """The resource of a type, that of an id where it is told; an empty one where there is none."""
        known = self.kinds.get(kind, [])
        named = [each for each in known if name and text(each[0].get("id")) == name]
        # A client that sends one resource of the type, under whatever id, means that one.
        return named[0] if named else known[0] if len(known) == 1 else ({}, f"prefetch.{kind.lower()}")

    def refers(self, reference: object, owner: Row, kind: str) -> Row:
        """The resource a reference leads to: contained in its owner, among the orders, or prefetched."""
        if not reference:
            return {}
        inner = first(reference).get("reference")  # R5 has a Reference inside
        told = reference if isinstance(reference, str) else text(first(inner).get("reference")) or text(inner)
        if told.startswith("#"):
            held = objects(owner.get("contained"))
            return next((row for row in held if text(row.get("id")) == told[1:]), {})
        return self._by_name.get(told) or self._by_name.get(f"{kind}/{id_of(told, kind)}") or {}


def _failed(value: object) -> bool:
    return any(kind_of(resource) == _OUTCOME for resource, _, _ in entries(value, ""))


def _is_whole(value: object) -> bool:
    """Whether that is all there is: no further page, no failure, and no Bundle inside, whose pages nobody asks for."""
    told = value if isinstance(value, dict) else {}
    more = any(text(link.get("relation")) == "next" for link in objects(told.get("link")))
    inner = any(kind_of(first(entry.get("resource"))) == _BUNDLE for entry in objects(told.get("entry")))
    return not (more or inner or _failed(value))
