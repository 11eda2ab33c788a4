"""What a release says of itself, and the order of versions."""

from __future__ import annotations

import re
from datetime import date, datetime

from msgspec import Struct

__all__ = ["FORMAT", "Layer", "Manifest", "version_key"]

FORMAT = "reminder-release 1"
"""First line of the file of a release. The second is the manifest as canonical JSON, the third one signature or more of
the two lines before as JSON, everything after them the flat list as canonical JSON Lines."""

_VERSION = re.compile(r"\d{1,9}(?:[.-]\d{1,9}){0,7}", re.ASCII)


class Layer(Struct, frozen=True, kw_only=True):
    """One of the lists a release was made from, in rising precedence.

    ``origin`` is whose it is (national, province, city, hospital), ``name`` its file, ``digest`` that of the list
    alone, ``rules`` how many of its rules stand in the release, ``overridden`` ids of its rules a later layer replaced.
    """

    origin: str
    name: str
    digest: str
    rules: int
    overridden: tuple[str, ...] = ()


class Manifest(Struct, frozen=True, kw_only=True):
    """What a release is.

    ``digest`` is the SHA-256 of the list's canonical JSON Lines (hexadecimal), ``size_bytes`` their length. The order
    of versions is that of :func:`version_key`. ``built_at`` is UTC. ``valid_from`` and ``valid_to`` are the first and
    the last civil day it is meant for, ``None``: without limit; after the last day it stays active, and the sidecar
    says that it is overdue. ``classes`` counts rules and details by class id. ``replaces``: the version it was made to
    follow, "": none; where that was never seen here, one was withheld or lost.
    """

    name: str
    version: str
    issuer: str
    built_at: datetime
    digest: str
    size_bytes: int
    rules: int
    details: int
    classes: dict[str, tuple[int, int]]
    layers: tuple[Layer, ...]
    valid_from: date | None = None
    valid_to: date | None = None
    replaces: str = ""


def version_key(version: str) -> tuple[int, ...]:
    """What versions are ordered by: up to eight numbers, with points or hyphens between them (``2026.11.2``).

    Raises:
        ValueError: it is none; the message says what one looks like.
    """
    if not _VERSION.fullmatch(version):
        raise ValueError(
            f"`{version}` is no version; write numbers with points or hyphens between them, as in 2026.11.2"
        )
    return tuple(map(int, re.split(r"[.-]", version)))
