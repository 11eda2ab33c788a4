"""Keeping what decisions are made with: beside the callers, in a thread, tried until the store has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from reminder.journal.base import Artifact
from reminder.journal.writer import MEND_S
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from reminder.journal.writer import Opened

__all__ = ["keep_on_trying"]

_PART = "artifact"


async def keep_on_trying(
    opened: Opened, artifact: Artifact | Callable[[], Artifact], degrade: Callable[[str, str], None]
) -> None:
    """Keep an artifact, or what a callable makes; ``degrade`` hears why it is not kept yet, and "" when it is."""
    while True:
        try:
            await asyncio.to_thread(_keep, opened, artifact)
        except StoreError as error:
            degrade(_PART, f"journal: what decisions are made with is not kept yet: {error}")
            await asyncio.sleep(MEND_S)
        else:
            degrade(_PART, "")
            return


def _keep(opened: Opened, artifact: Artifact | Callable[[], Artifact]) -> None:
    opened.get().keep(artifact if isinstance(artifact, Artifact) else artifact())
