"""What the process that prepares lists is told, and what it answers: lines of JSON.

Apart from :mod:`reminder.releases.preparing`, so that the sidecar needs nothing of what validates and compiles.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from negative_list.release.manifest import Manifest
from reminder.releases.describing import RuleTold
from reminder.releases.ledger import Result, StepName

__all__ = ["Again", "Answer", "Describe", "Described", "Failed", "Named", "Order", "Readied", "Ready", "Take", "Told"]


class Take(Struct, frozen=True, kw_only=True, tag="take"):
    """Take a file through every step up to compiling.

    ``path``: the file; ``data``: the data folder; ``trust``: files of public keys; ``known``: versions and digests that
    passed every step before; ``test_s``: seconds the self-test may take.
    """

    path: str
    data: str
    trust: tuple[str, ...]
    known: tuple[tuple[str, str], ...]
    test_s: float


class Ready(Struct, frozen=True, kw_only=True, tag="ready"):
    """Make sure that the compiled form of a list and the marks of its rules are there.

    ``digest``: the list, whose staged file is tried first and then its canonical form. ``first``: the digest of the
    list whose rules begin what is confirmed where nothing is yet, ``but``: ids of those that are not.
    """

    data: str
    digest: str
    first: str = ""
    but: tuple[str, ...] = ()


class Describe(Struct, frozen=True, kw_only=True, tag="describe"):
    """Tell what rules of a list are: those of ``ids`` that are of a class ("": any)."""

    data: str
    digest: str
    ids: tuple[str, ...]
    class_id: str = ""


Order: TypeAlias = Take | Ready | Describe
"""What the process can be told."""


class Named(Struct, frozen=True, kw_only=True, tag="named"):
    """What the file says it is; ``held``: a trusted signature says so, too."""

    manifest: Manifest
    held: bool


class Told(Struct, frozen=True, kw_only=True, tag="told"):
    """A step ended."""

    step: StepName
    result: Result
    reason: str = ""
    detail: str = ""
    took_ms: int = 0


class Again(Struct, frozen=True, kw_only=True, tag="again"):
    """The release was taken in before; nothing is left to do."""


class Readied(Struct, frozen=True, kw_only=True, tag="readied"):
    """The compiled form and the marks are there; ``made``: the form was made again."""

    made: bool


class Described(Struct, frozen=True, kw_only=True, tag="described"):
    """What the rules are, by class and id."""

    rules: tuple[RuleTold, ...]


class Failed(Struct, frozen=True, kw_only=True, tag="failed"):
    """A list cannot be made ready, and why."""

    reason: str
    detail: str


Answer: TypeAlias = Named | Told | Again | Readied | Described | Failed
"""What it answers."""
