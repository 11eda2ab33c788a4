"""A call on its way to the bureau, and what came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

__all__ = ["BureauSaid", "Call", "Header", "Passed"]

Header: TypeAlias = "tuple[bytes, bytes]"
"""Name and value, as they stand on the wire."""


class Call(Struct, frozen=True, kw_only=True):
    """A call as a caller made it: ``path`` and ``query`` as they stand in its first line, headers in their order."""

    method: str = "POST"
    path: str = "/"
    query: str = ""
    headers: tuple[Header, ...] = ()
    body: bytes = b""

    @classmethod
    def of(cls, scope: Mapping[str, Any], body: bytes) -> Call:
        """The call of an ASGI request; names of headers come in lower case from there."""
        raw = scope.get("raw_path") or str(scope["path"]).encode()
        return cls(
            method=scope["method"],
            path=raw.decode("latin-1"),
            query=scope.get("query_string", b"").decode("latin-1"),
            headers=tuple((bytes(name), bytes(value)) for name, value in scope["headers"]),
            body=body,
        )


class Passed(Struct, frozen=True, kw_only=True):
    """What the caller gets back: the bureau's reply, or, where ``why`` is not "", one of ours that says why not."""

    status: int
    headers: tuple[Header, ...] = ()
    body: bytes = b""
    why: str = ""


class BureauSaid(Struct, frozen=True, kw_only=True):
    """The bureau's findings on one body, as it wrote them with ``origin`` added; ``why`` not "": why there are none."""

    rows: Sequence[Mapping[str, Any]] = ()
    why: str = ""
