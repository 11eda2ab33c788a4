"""What the office needs of the service it works for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from reminder.active import Active
    from reminder.journal.journal import Journal
    from reminder.metrics import Metrics

__all__ = ["Serves"]


class Serves(Protocol):
    """What decides now, its journal, its metrics and its clock (:class:`reminder.service.Service`)."""

    active: Active
    journal: Journal | None
    metrics: Metrics

    def now(self) -> datetime:
        """The instant, UTC."""
        ...

    def civil(self, moment: datetime, institution_id: str) -> datetime:
        """An instant as civil time of an institution, without offset."""
        ...
