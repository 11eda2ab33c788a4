"""What both clients are made of, and what they tell of themselves; how they wait is their own."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, cast

from reminder.callers import NAMED_BY
from reminder.client.channels import DEADLINE_MS, DEFAULT_TARGET
from reminder.client.delivery import Delivery
from reminder.client.refusals import failure_of
from reminder.client.spool import MOST_WAITING, open_spool
from reminder.client.watch import Watch

if TYPE_CHECKING:
    from pathlib import Path

    import grpc

    from reminder.client.refusals import Failure

__all__ = ["LOOK_S", "BaseClient", "ms_since"]

LOOK_S = 0.02
"""How often a spool is looked at by who waits until it is empty: a file has no event."""


class BaseClient(ABC):
    """A client before it has a channel.

    Args:
        target: HOST:PORT of the sidecar's gRPC.
        deadline_ms: What a call waits at most.
        folder: Where words wait on disk while the sidecar is away; ``None``, or one that cannot be
            used (``folder_problem``): in memory, and gone with the process.
        most_waiting: How many of them at most.
        caller: The name of the caller's entry in the sidecar's settings ``[[callers]]``.
        zone: Whose civil time times without another are.
    """

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        deadline_ms: float = DEADLINE_MS,
        folder: Path | str | None = None,
        most_waiting: int = MOST_WAITING,
        caller: str = "",
        zone: str = "Asia/Shanghai",
    ) -> None:
        self._deadline_s = deadline_ms / 1000
        self._zone = zone
        self._named = ((NAMED_BY, caller),) if caller else ()
        self._watch = Watch()
        self._spool = open_spool(folder, most_waiting)
        self._delivery = Delivery(self._watch, self._spool)
        self._open(target)

    @property
    def resting(self) -> str:
        """Why nobody is asked now; "" where everybody is."""
        return self._watch.why

    @property
    def waiting(self) -> int:
        """How many words wait to be delivered. Raises ``StoreError``."""
        return self._spool.count()

    @property
    def put_aside(self) -> int:
        """How many words waited and were refused in the end. Raises ``StoreError``."""
        return self._spool.refused()

    @property
    def folder_problem(self) -> str:
        """Why words wait in memory although a folder was given; "" where they wait in it."""
        return self._spool.problem

    @abstractmethod
    def _open(self, target: str) -> None:
        """Make the channel, and what works beside the callers."""

    @abstractmethod
    def _wake(self) -> None:
        """There is something to do beside the callers."""

    def _noted(self, error: grpc.RpcError) -> Failure:
        """What a check that failed means, for it and for the next."""
        failure = failure_of(cast("grpc.Call", error))  # what a call raises is, or has what is asked of, the call
        self._watch.failed(failure, time.monotonic())
        if self._watch.resting:
            self._wake()
        return failure


def ms_since(begun: float) -> float:
    """Milliseconds since a moment of ``time.monotonic``."""
    return (time.monotonic() - begun) * 1000
