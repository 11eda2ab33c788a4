"""The two pipes between a supervisor and a worker.

The worker says that it serves, or why it cannot, and learns of the supervisor's end, however that came.
"""

from __future__ import annotations

import asyncio
import os

__all__ = ["FAILED", "SERVES", "Lead"]

SERVES, FAILED = b"s", b"f"
"""What a worker says: that it serves, or, before the reason, that it cannot."""


class Lead:
    """A worker's ends.

    Args:
        alive: Read from; it ends with the supervisor.
        tell: Written to.
    """

    def __init__(self, alive: int, tell: int) -> None:
        self._alive = alive
        self._tell = tell

    def serves(self) -> None:
        """Say that it serves."""
        self._say(SERVES)

    def failed(self, why: str) -> None:
        """Say that it cannot, and why."""
        self._say(FAILED + why.encode("utf-8", "replace"))

    async def over(self) -> None:
        """Comes back when the supervisor is no more."""
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        loop.add_reader(self._alive, ended.cancel)
        try:
            await asyncio.wait((ended,))
        finally:
            loop.remove_reader(self._alive)

    def _say(self, word: bytes) -> None:
        try:
            os.write(self._tell, word)
        except OSError:
            return  # the supervisor is no more, which `over` tells
