"""What can go wrong, split by whose fault it is, with the facts as attributes.

A message says what is wrong and what to do next: lower case, no full stop, the user's own text in backticks.
Problems are collected and reported together, each with its place.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from msgspec import Struct

__all__ = [
    "DataError",
    "FieldProblem",
    "LimitError",
    "ListError",
    "NegativeListError",
    "Problem",
    "RequestError",
    "SiteError",
    "UnknownNameError",
    "nearest",
]


class Problem(Struct, frozen=True, kw_only=True, order=True):
    """One thing wrong in a file, and where. ``row`` and ``column`` count from 1, 0 means not known.

    ``path`` names the place inside the row's record (``violation.of[1].fact``); problems sort by their place.
    """

    file: str
    row: int = 0
    column: int = 0
    path: str = ""
    message: str

    def __str__(self) -> str:
        """``file:row:column: path: message``, leaving out what is not known."""
        place = ":".join([self.file, *(str(n) for n in (self.row, self.column) if n)])
        return ": ".join(part for part in (place, self.path, self.message) if part)


class FieldProblem(Struct, frozen=True, kw_only=True, order=True):
    """One thing wrong in a request: the path of the field in the body as the caller wrote it, and what to do."""

    field: str
    message: str

    def __str__(self) -> str:
        """``field: message``."""
        return f"{self.field}: {self.message}"


class NegativeListError(Exception):
    """Base of every error this package raises on purpose."""


class UnknownNameError(NegativeListError):
    """A name that is not in a closed table. ``kind`` is what it should name (``fact``), ``hint`` the nearest names."""

    def __init__(self, kind: str, name: str, known: Iterable[str] = ()) -> None:
        self.kind = kind
        self.name = name
        self.hint = nearest(name, known)
        super().__init__(f"no {kind} is called `{name}`{self.hint}")


class _ProblemsError(NegativeListError):
    """Problems of files, all at once, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class ListError(_ProblemsError):
    """The list cannot be used as written; its author has to change it."""


class SiteError(_ProblemsError):
    """The site's configuration cannot be used as written; who runs the service has to change it."""


class DataError(_ProblemsError):
    """A file of history or facts cannot be read; whoever feeds it has to change it."""


class RequestError(NegativeListError):
    """The body cannot be read as a prescription, or is over a limit; the caller has to change it."""

    def __init__(self, fields: Iterable[FieldProblem]) -> None:
        self.fields: tuple[FieldProblem, ...] = tuple(fields)
        super().__init__("\n".join(map(str, self.fields)))


class LimitError(RequestError):
    """The request is over a limit; the same request will never be answered."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean `x`?"`` for the known name most like ``name``, or ``""`` when none is near."""
    by_lower = {k.lower(): k for k in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean `{by_lower[close[0]]}`?" if close else ""
