"""The releases' own word on health: whoever watches learns that what is active is not so by anybody's choice.

NOT_SERVING while the release seen last was refused or could not be made active, while a list of before serves for the
active one is damaged, and while a worker cannot follow what stands. A release nobody has activated yet, one that is
scheduled, held back or taken back is somebody's decision, and no fault. Decisions are made all the same.

The first worker has the office, and knows; the others read what it says from a file.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from reminder.releases.folder import write_whole
from reminder.releases.pen import Lag

if TYPE_CHECKING:
    from reminder.releases.folder import Folder
    from reminder.releases.office import Office

__all__ = ["HEALTH_NAME", "keep_health"]

HEALTH_NAME = "reminder.v1.Releases"
"""What gRPC health knows releases by; ``reminder.v1.ReminderService`` stays SERVING without it."""

_LOOK_S = 0.5


async def keep_health(office: Office | None, folder: Folder, say: Callable[[bool], Awaitable[None]]) -> None:
    """Say whether releases are as they should be: now, and whenever that changes; cancel it to stop.

    Args:
        office: in the first worker.
        folder: of releases.
        say: told ``True`` while they are.
    """
    lag, told = Lag(), None
    while True:
        if office is not None:
            # Not kept from saying it by a disk that is full: the others go on with what was said before.
            well = not await asyncio.to_thread(office.trouble, lag, time.monotonic())
            if well != told:
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(write_whole, folder.health, b"" if well else b"trouble", sync=False)
        else:
            well = await asyncio.to_thread(_said, folder)
        if well != told:
            told = well
            await say(well)
        await asyncio.sleep(_LOOK_S)


def _said(folder: Folder) -> bool:
    """What the first worker says; while it says nothing, nothing is wrong."""
    try:
        return not folder.health.read_bytes()
    except OSError:
        return True
