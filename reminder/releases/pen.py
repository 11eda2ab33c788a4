"""The one who writes what stands, and waits until every live worker follows it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from reminder.releases.standing import Standing, Working

if TYPE_CHECKING:
    from reminder.releases.folder import Folder

__all__ = ["LATE_S", "LOAD_S", "SWAP_S", "Lag", "Pen", "Settled", "is_alive"]

LOAD_S = 60.0
"""How long workers may take to load a list beside the one they serve."""

SWAP_S = 2.0
"""How long they may take to put in force what they have."""

LATE_S = 10.0
"""How long a worker that serves may take to follow before something is wrong: it looks twenty times a second."""

_LOOK_S = 0.02


class Settled(Struct, frozen=True, kw_only=True):
    """A change that is on disk.

    ``workers``: what the live ones say; ``late``: numbers of those that had not followed when the time was over.
    """

    before: Standing
    standing: Standing
    workers: tuple[Working, ...] = ()
    late: tuple[int, ...] = ()


class Pen:
    """Holds what stands, as it is on disk. Used inside one event loop.

    Args:
        folder: where it stands.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._lock = asyncio.Lock()
        self.standing = folder.read_standing()

    async def change(self, make_next: Callable[[Standing], Standing]) -> Settled:
        """Write down the next standing; where it is the same nothing is written.

        Raises:
            OSError: it could not be written; what stood still stands.
        """
        async with self._lock:
            before = self.standing
            after = make_next(before)
            if after == before:
                return Settled(before=before, standing=before)
            after = msgspec.structs.replace(after, serial=before.serial + 1)
            # Not given up half way: what is on disk and what is held here are the same.
            await asyncio.shield(asyncio.ensure_future(self._write(after)))
        return Settled(before=before, standing=after)

    async def _write(self, after: Standing) -> None:
        await asyncio.to_thread(self._folder.write_standing, after)
        self.standing = after

    async def followed(
        self, settled: Settled, within_s: float = SWAP_S, ready: Callable[[Working], bool] = lambda _: True
    ) -> Settled:
        """Wait until every live worker follows a standing and is ``ready``, or ``within_s`` is over."""
        loop = asyncio.get_running_loop()
        due = loop.time() + within_s
        serial = settled.standing.serial
        while True:
            workers = self.live()
            late = tuple(one.number for one in workers if one.serial < serial or not ready(one))
            if (workers and not late) or loop.time() >= due:
                return msgspec.structs.replace(settled, workers=workers, late=late)
            await asyncio.sleep(_LOOK_S)

    def live(self) -> tuple[Working, ...]:
        """What the workers say whose process is alive."""
        return tuple(one for one in self._folder.working() if is_alive(one.pid))


class Lag:
    """Which workers do not follow what stands, though they had time to."""

    def __init__(self) -> None:
        self._serial = -1
        self._since_s = 0.0

    def late(self, serial: int, workers: tuple[Working, ...], tick_s: float) -> tuple[int, ...]:
        """Their numbers.

        Args:
            serial: of what stands.
            workers: what the live ones say.
            tick_s: a clock that only goes forward.
        """
        if serial != self._serial:
            self._serial, self._since_s = serial, tick_s
        if tick_s - self._since_s < LATE_S:
            return ()
        return tuple(one.number for one in workers if one.serial < serial)


def is_alive(pid: int) -> bool:
    """Whether a process is; on Windows, which has one worker, whether it is this one."""
    if pid == os.getpid():
        return True
    if os.name == "nt":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
