"""What stands: which release is active, which is to become so, what the office decided of findings.

One immutable record. Worker 0 makes the next one and writes it; all workers follow it. Whatever is not in it did not
happen.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from negative_list.policy import Setting

__all__ = ["MOST_BEFORE", "Chosen", "Row", "Scheduled", "Seen", "Standing", "Working"]

MOST_BEFORE = 10
"""Releases one can go back to, step by step: a list comes every few weeks, so that is half a year."""


class Chosen(Struct, frozen=True, kw_only=True):
    """A list made active. ``version`` "": the list ``--list`` gave, which has none. ``at`` is UTC.

    ``forecast``: one had been made. ``unconfirmed``: ids of its rules the office had not confirmed by then or since;
    ``shadow``: until it does they are not shown, else they warn at most.
    """

    version: str
    digest: str
    name: str = ""
    at: datetime
    who: str = ""
    why: str = ""
    forecast: bool = False
    unconfirmed: tuple[str, ...] = ()
    shadow: bool = False


class Scheduled(Struct, frozen=True, kw_only=True):
    """A release to be made active at an instant (UTC)."""

    version: str
    digest: str
    at: datetime
    allow_older: bool = False
    shadow: bool = False
    who: str = ""
    why: str = ""


class Seen(Struct, frozen=True, kw_only=True):
    """The release that was brought last; ``problem``: why it cannot become active, "" where it can.

    ``version`` and ``digest`` are "" where they could not be read.
    """

    version: str = ""
    digest: str = ""
    name: str = ""
    at: datetime
    source: str = ""
    problem: str = ""


class Row(Struct, frozen=True, kw_only=True):
    """A row of the office: the setting, who set it and when (UTC); why stands in the setting."""

    setting: Setting
    who: str = ""
    at: datetime


class Standing(Struct, frozen=True, kw_only=True):
    """What stands. ``serial`` grows by one with each change.

    ``coming``: to be loaded by every worker beside what is active. ``before``: what was active, newest first, at most
    :data:`MOST_BEFORE`. ``rows``: the office's, newest first; they stand before those of the policy file.
    """

    serial: int = 0
    active: Chosen | None = None
    coming: Chosen | None = None
    before: tuple[Chosen, ...] = ()
    scheduled: Scheduled | None = None
    seen: Seen | None = None
    rows: tuple[Row, ...] = ()


class Working(Struct, frozen=True, kw_only=True):
    """What a worker answers with: the standing it follows, its list and policy; written whenever that changes.

    ``loaded``: digest of the list that is ready beside, "": none. ``problem``: what it could not do, "": nothing.
    ``at`` is UTC.
    """

    number: int
    pid: int
    serial: int
    version: str
    digest: str
    policy: str
    loaded: str = ""
    problem: str = ""
    at: datetime
