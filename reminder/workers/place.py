"""Which of several workers this is; the only one where there are not several."""

from __future__ import annotations

from msgspec import Struct

from reminder.workers.common import Common

__all__ = ["ALONE", "Place"]


class Place(Struct, frozen=True, kw_only=True):
    """``number`` from 0 among ``count``. Worker 0 does what one does for all: administration and the office's work.

    ``common``: what all have in common; ``None`` where there is but one.
    """

    number: int = 0
    count: int = 1
    common: Common | None = None

    @property
    def first(self) -> bool:
        """Whether this is the worker that does what one does for all."""
        return self.number == 0


ALONE = Place()
"""The only worker."""
