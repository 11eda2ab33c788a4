"""The client for programs with an event loop."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Self, cast

import grpc
import grpc.aio

from reminder.client import calls
from reminder.client.base import LOOK_S, BaseClient, ms_since
from reminder.client.channels import TRY_PART, WATCHING
from reminder.client.delivery import DELIVERY_S
from reminder.client.messages import CHECK, check_message
from reminder.client.refusals import Failure, failure_of
from reminder.client.watch import PROBE_S
from reminder.v1 import reminder_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from google.protobuf.message import Message

    from reminder.client.calls import Call
    from reminder.client.delivery import Asked, Said
    from reminder.client.messages import Body
    from reminder.client.results import Checked, Told

__all__ = ["AsyncClient"]


class AsyncClient(BaseClient):
    """As :class:`reminder.client.Client`, for one event loop: made, used and closed in it."""

    def _open(self, target: str) -> None:
        self._channel = grpc.aio.insecure_channel(target, options=WATCHING)
        self._check: grpc.aio.UnaryUnaryMultiCallable[pb.CheckRequest, pb.CheckResponse] = self._channel.unary_unary(
            CHECK,
            request_serializer=pb.CheckRequest.SerializeToString,
            response_deserializer=pb.CheckResponse.FromString,
        )
        self._awake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._over = False

    async def __aenter__(self) -> Self:
        """Deliver what waits in the folder, and be closed at the end."""
        if await asyncio.to_thread(self._spool.count):
            self._wake()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End."""
        await self.close()

    async def check(self, body: Body, *, deadline_ms: float | None = None) -> Checked:
        """Have a prescription judged. Whatever happens a result comes back, in time."""
        begun = time.monotonic()
        deadline_s = self._deadline_s if deadline_ms is None else deadline_ms / 1000
        failure = calls.NOT_LOOKED
        try:
            if not self._watch.resting:
                request = check_message(body)
                left_s = deadline_s - (time.monotonic() - begun)
                if left_s > 0:
                    response = await self._check(request, timeout=left_s, metadata=self._named)
                    self._watch.answered()
                    return calls.checked_of(response, ms_since(begun))
                failure = calls.TOO_LATE
        except grpc.aio.AioRpcError as error:
            failure = self._noted(error)
        except Exception as error:  # noqa: BLE001 - a prescription is saved whatever is wrong here
            failure = calls.ours(error)
        return calls.not_checked(failure, ms_since(begun))

    async def record_saved(
        self, prescription: Body, *, prescription_id: str, revision: int = 0, saved_at: str = ""
    ) -> Told:
        """Tell that a prescription was saved, whole; what cannot be told now is delivered later, once."""
        return await self._tell(lambda: calls.saved_call(prescription, prescription_id, revision, saved_at, self._zone))

    async def record_feedback(
        self,
        items: Iterable[Mapping[str, Any]],
        *,
        request_id: str = "",
        institution_id: str = "",
        doctor_id: str = "",
    ) -> Told:
        """Tell what was done about findings; what cannot be told now is delivered later, once."""
        told = {"request_id": request_id, "institution_id": institution_id, "doctor_id": doctor_id}
        return await self._tell(lambda: calls.feedback_call(items, self._zone, **told))

    async def deliver(self, within_s: float) -> bool:
        """Wait until nothing waits; whether that is so. Raises ``StoreError``."""
        ends = time.monotonic() + within_s
        self._delivery.hurry()
        self._wake()
        while self._spool.count() and time.monotonic() < ends:  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(LOOK_S)
        return not self._spool.count()

    async def close(self) -> None:
        """End. What waits in a folder is delivered by the next client of it."""
        self._over = True
        self._awake.set()
        await self._channel.close()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=DELIVERY_S)
        await asyncio.to_thread(self._spool.close, self._delivery.name)

    async def _tell(self, make: Callable[[], Call]) -> Told:
        """Tell it now where that goes, else later."""
        ends = time.monotonic() + self._deadline_s
        try:
            call = make()
        except Exception as error:  # noqa: BLE001 - as in check
            return calls.untold(calls.ours(error))
        tried = calls.tried(None if self._watch.resting else await self._called(call, self._deadline_s * TRY_PART))
        if tried.over is not None:
            return tried.over
        adding = asyncio.wrap_future(self._spool.add(call.method, call.request))
        adding.add_done_callback(self._added)
        written, _ = await asyncio.wait((adding,), timeout=max(0.0, ends - time.monotonic()))
        return calls.spooled(tried.failure, tried.told, adding.exception() if written else None, written=bool(written))

    async def _called(self, call: Call, timeout_s: float) -> Message | Failure:
        method: grpc.aio.UnaryUnaryMultiCallable[bytes, Message] = self._channel.unary_unary(
            call.method, response_deserializer=calls.answer_of(call.method)
        )
        try:
            return await method(call.request, timeout=timeout_s, metadata=self._named)
        except grpc.aio.AioRpcError as error:
            return failure_of(cast("grpc.Call", error))  # it has what is asked of one
        except (asyncio.CancelledError, grpc.aio.UsageError) as error:  # the channel was closed meanwhile
            if not self._over:
                raise
            return Failure(why="away", text=type(error).__name__)

    async def _ask(self, asked: Asked) -> Said:
        """What comes of a call that is delivered, or whether the sidecar serves."""
        if asked is not None:
            return await self._called(asked, DELIVERY_S)
        health: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(calls.HEALTH)
        try:
            return await health(b"", timeout=PROBE_S[1]) == calls.SERVING
        except (grpc.aio.AioRpcError, grpc.aio.UsageError):
            return False

    # --- beside the callers -------------------------------------------------------------------------------------------

    def _added(self, adding: asyncio.Future[None]) -> None:
        if not adding.cancelled() and adding.exception() is None:
            self._wake()

    def _wake(self) -> None:
        """There is something to do."""
        self._awake.set()
        if self._task is None and not self._over:
            self._task = asyncio.create_task(self._beside())

    async def _beside(self) -> None:
        while not self._over:
            self._awake.clear()
            seconds = await self._turn()
            try:
                async with asyncio.timeout(seconds):
                    await self._awake.wait()
            except TimeoutError:
                continue

    async def _turn(self) -> float:
        """One turn; its steps use the spool, so they are taken beside the loop."""
        turn, said = self._delivery.turn(), None
        while not self._over:
            step = await asyncio.to_thread(_step, turn, said)
            if isinstance(step, _Ended):
                return step.seconds
            said = await self._ask(step)
        return 0.0


class _Ended:
    """A turn is over; the next is due in so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds


def _step(turn: Generator[Asked, Said, float], said: Said | None) -> Asked | _Ended:
    try:
        return next(turn) if said is None else turn.send(said)
    except StopIteration as end:
        return _Ended(float(end.value))
