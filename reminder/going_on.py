"""Work that goes on for as long as a worker serves: what ends by a fault is said, and begun again."""

from __future__ import annotations

import asyncio
import traceback
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from structlog.typing import FilteringBoundLogger

__all__ = ["FIRST_PAUSE_S", "MOST_PAUSE_S", "STEADY_S", "GoingOn"]

FIRST_PAUSE_S = 1.0
"""How long a fault is waited for the first time; twice as long each time it comes again."""

MOST_PAUSE_S = 60.0
"""How long at most."""

STEADY_S = 60.0
"""What went on for so long since its last fault is well again."""


class GoingOn:
    """The work beside the answers of one worker, and what of it does not go on.

    Args:
        log: told of every fault by its kind and place: what it says may quote what was read.
    """

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._said: dict[str, str] = {}

    @property
    def degraded(self) -> tuple[str, ...]:
        """What does not go on although decisions are made."""
        return tuple(self._said.values())

    def say(self, part: str, text: str) -> None:
        """Say that a part does not work; "" takes it back."""
        if text:
            self._said[part] = text
        else:
            self._said.pop(part, None)

    async def keep(self, part: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do work that does not end by itself, and begin it again whenever it fails; cancel this to stop.

        Args:
            part: what it is called in ``degraded`` and the log.
            work: begins it.
        """
        pause_s, fault = FIRST_PAUSE_S, f"{part} fault"
        while True:
            task = asyncio.create_task(work())
            try:
                if not (await asyncio.wait((task,), timeout=STEADY_S))[0]:
                    self.say(fault, "")
                    pause_s = FIRST_PAUSE_S
                await task
            except asyncio.CancelledError:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the next one may go on
                self._failed(part, fault, error)
            else:
                self.say(fault, "")
                return
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, MOST_PAUSE_S)

    def _failed(self, part: str, fault: str, error: Exception) -> None:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{PurePath(last.filename).name}:{last.lineno}"
        self._log.error("failed beside", part=part, error=type(error).__name__, where=where)
        self.say(
            fault, f"{part}: ended by a fault of ours ({type(error).__name__} in {where}) and begun again; tell us"
        )
