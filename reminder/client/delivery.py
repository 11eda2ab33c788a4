"""What goes on beside the callers: it is tried whether the sidecar is back, and what waits is delivered.

One turn of it is a generator that says what to ask and is told the answer, so that a thread and an event loop can
drive the same one. A call that was answered is taken out of the spool only then; one that is sent again because the
answer was lost is known to the sidecar (request id, prescription and revision), so it counts once.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Generator
from typing import TYPE_CHECKING, TypeAlias

from google.protobuf.message import Message

from reminder.client.calls import Call, told_of
from reminder.client.refusals import Failure
from reminder.client.spool import LEASE_S
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from reminder.client.spool import Spool, Waiting
    from reminder.client.watch import Watch

__all__ = ["AT_ONCE", "DELIVERY_S", "IDLE_S", "Asked", "Delivery", "Said", "Turn"]

AT_ONCE = 50
"""Calls taken from the spool together."""

DELIVERY_S = 10.0
"""How long a call that is delivered late may take: nobody waits for it."""

IDLE_S = 60.0
"""How often a spool that nobody writes to is looked at: another process may have left something."""

_AGAIN_S = (0.5, 30.0)
_TRIES = 5

Asked: TypeAlias = "Call | None"
"""What is to be asked: a call, or whether the sidecar serves."""

Said: TypeAlias = "Message | Failure | bool"
"""What came of it."""

Turn: TypeAlias = Generator[Asked, Said, float]
"""One turn; it comes to the seconds until the next."""

_log = logging.getLogger("reminder.client")


class Delivery:
    """The turns of one client."""

    def __init__(self, watch: Watch, spool: Spool) -> None:
        self.name = uuid.uuid4().hex
        self._watch = watch
        self._spool = spool
        self._failed: dict[int, int] = {}
        self._waits = 0
        self._not_before_s = 0.0

    def hurry(self) -> None:
        """Somebody waits for what waits: the next turn tries at once."""
        self._not_before_s = 0.0

    def turn(self) -> Turn:
        """See whether the sidecar serves where it did not, then deliver what waits."""
        if self._watch.resting:
            due_s = self._watch.due_in_s(time.monotonic())
            if due_s > 0:
                return due_s
            serves = yield None
            self._watch.tried(time.monotonic(), serves=serves is True)
            if self._watch.why:
                return self._watch.due_in_s(time.monotonic())
            _log.info("the sidecar serves again")
            self.hurry()
        if (early_s := self._not_before_s - time.monotonic()) > 0:
            return early_s
        try:
            return (yield from self._deliver())
        except StoreError as error:
            _log.warning("the spool cannot be used: %s", error)
            return self._later()

    def _deliver(self) -> Turn:
        waits = self._spool.first(AT_ONCE)
        if not waits:
            return IDLE_S
        if not self._spool.lease(self.name, time.time()):
            return LEASE_S / 2
        for waiting in waits:
            said = yield Call(method=waiting.method, request=waiting.request)
            if not self._settled(waiting, said):
                return self._later()
        self._waits = 0
        return 0.0

    def _settled(self, waiting: Waiting, said: Said) -> bool:
        """Whether the next one may be delivered."""
        if isinstance(said, Message):
            if told_of(said).state != "kept":
                return False
            self._spool.done(waiting)
            self._failed.pop(waiting.place, None)
            return True
        return isinstance(said, Failure) and self._refused(waiting, said)

    def _refused(self, waiting: Waiting, failure: Failure) -> bool:
        """Put aside what can never be delivered, and what the sidecar failed at again and again: it holds up others."""
        tries = self._failed[waiting.place] = self._failed.get(waiting.place, 0) + (failure.why == "failed")
        if not (failure.final or tries >= _TRIES):
            return False
        self._spool.refuse(waiting, failure.text)
        del self._failed[waiting.place]
        _log.error("a word that waited was refused: %s", ", ".join(field.field for field in failure.fields) or "failed")
        return True

    def _later(self) -> float:
        """Seconds until it is tried again, however much comes to wait meanwhile."""
        self._waits = min(self._waits + 1, 10)
        again_s = float(min(_AGAIN_S[0] * 2 ** (self._waits - 1), _AGAIN_S[1]))
        self._not_before_s = time.monotonic() + again_s
        return again_s
