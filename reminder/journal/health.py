"""The journal's own word on health: whoever watches learns that answers go on and are not written down in time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reminder.journal.journal import Journal

__all__ = ["HEALTH_NAME", "keep_health"]

HEALTH_NAME = "reminder.v1.Journal"
"""What gRPC health knows the journal by; ``reminder.v1.ReminderService`` stays SERVING without it."""


def keep_health(journal: Journal, say: Callable[[bool], Awaitable[None]]) -> None:
    """Say whether a started journal serves: now, and whenever that changes, until it stops."""
    journal.beside(_say_on(journal, say))


async def _say_on(journal: Journal, say: Callable[[bool], Awaitable[None]]) -> None:
    while True:
        journal.changed.clear()
        await say(journal.serving)
        await journal.changed.wait()
