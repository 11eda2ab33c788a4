"""What taking feedback needs of the service."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from negative_list.compile import CompiledList
    from negative_list.site import Sites
    from reminder.exits import Exits
    from reminder.journal.journal import Journal
    from reminder.memory import Memory
    from reminder.metrics import Metrics

__all__ = ["Active", "Around", "LeftSeconds"]

LeftSeconds: TypeAlias = "Callable[[], float]"
"""Tells how many seconds are left."""


class Active(Protocol):
    """What decisions are made with."""

    @property
    def compiled(self) -> CompiledList:
        """The list."""

    @property
    def sites(self) -> Sites:
        """The institutions."""


class Around(Protocol):
    """The service, as far as feedback is concerned."""

    metrics: Metrics
    memory: Memory | None
    journal: Journal | None
    exits: Exits

    @property
    def active(self) -> Active:
        """What decisions are made with now."""

    def now(self) -> datetime:
        """The instant, UTC."""

    def civil(self, moment: datetime, institution_id: str) -> datetime:
        """An instant as civil time of an institution."""
