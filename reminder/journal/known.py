"""Which requests came lately: so that a new one need not be looked for in the journal."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

__all__ = ["MOST_KNOWN", "NAME", "WINDOW", "Came", "Known", "OwnKnown"]

WINDOW = timedelta(hours=24)
"""How long a request id is remembered: callers send again within minutes, and after an outage within the day; many
number their requests anew each day."""

MOST_KNOWN = 100_000
"""Requests of the window known by their digests, some 20 MB; beyond them the journal is asked for each request."""

NAME = 16
"""Hex digits of a request's digest that are those of its id."""

Came: TypeAlias = "tuple[str, datetime]"
"""A request, and when it came (UTC)."""


class Known(Protocol):
    """Requests, and the ids of requests, each with the latest request it stands for and when that came.

    A *name* is the digest of a request, or its first :data:`NAME` digits: that of its id.
    """

    def latest(self, name: str, now: datetime) -> str:
        """The latest request of a name within the window; "" where there was none."""

    def comes(self, asked: str, at: datetime) -> None:
        """A request came: its id stands for it from now on."""

    def answered(self, asked: str, at: datetime) -> None:
        """A request that came at an instant was answered."""

    def journaled(self, came: Iterable[Came], now: datetime) -> None:
        """These are in the journal, which had no others in the window before ``now``."""

    def sure(self, now: datetime) -> bool:
        """Whether a request that is not known is new."""

    def take(self, asked: str) -> bool:
        """Have the turn to answer a request; whether nobody else has it."""

    def leave(self, asked: str) -> None:
        """Let others have it."""


class OwnKnown:
    """What one process knows that asks the journal alone; see :class:`Known`.

    Args:
        shared: Others write the journal too, and tell nobody: then nothing is ever sure.
    """

    def __init__(self, *, shared: bool) -> None:
        self._known: dict[str, Came] = {}
        self._before: dict[str, Came] = {}
        self._begun: datetime | None = None
        self._sure_from: datetime | None = None
        self._shared = shared

    def latest(self, name: str, now: datetime) -> str:
        """The latest request of a name within the window; "" where there was none."""
        asked, at = self._known.get(name) or self._before.get(name) or ("", now)
        return asked if now - at < WINDOW else ""

    def comes(self, asked: str, at: datetime) -> None:
        """A request came."""
        self._known[asked[:NAME]] = (asked, at)

    def answered(self, asked: str, at: datetime) -> None:
        """A request was answered."""
        self._forget(at)
        self._known[asked] = self._known[asked[:NAME]] = (asked, at)

    def journaled(self, came: Iterable[Came], now: datetime) -> None:
        """These stand in the journal."""
        told = {name: one for one in came for name in (one[0], one[0][:NAME])}
        self._known = told | self._known
        self._begun = now
        self._sure_from = None if self._shared else now

    def sure(self, now: datetime) -> bool:
        """Whether a request that is not known is new."""
        return self._sure_from is not None and now >= self._sure_from

    def take(self, _asked: str) -> bool:
        """Have the turn to answer a request; whether nobody else has it."""
        return True

    def leave(self, asked: str) -> None:
        """Nobody else could have had it."""

    def _forget(self, now: datetime) -> None:
        """Let go of what is older than the window, by halves; of more than fits, with a window of doubt."""
        begun = self._begun = self._begun or now
        full = len(self._known) >= 2 * MOST_KNOWN
        if full or now - begun >= WINDOW:
            self._before, self._known, self._begun = self._known, {}, now
        if full:
            self.doubt(now + WINDOW)

    def doubt(self, until: datetime) -> None:
        """Until an instant, what is not known may have come all the same."""
        if self._sure_from is not None:
            self._sure_from = max(self._sure_from, until)
