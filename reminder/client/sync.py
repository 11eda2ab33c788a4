"""The client for programs with threads."""

from __future__ import annotations

import threading
import time
from concurrent.futures import wait
from typing import TYPE_CHECKING, Any, Self, cast

import grpc

from reminder.client import calls
from reminder.client.base import LOOK_S, BaseClient, ms_since
from reminder.client.channels import TRY_PART, WATCHING
from reminder.client.delivery import DELIVERY_S, Delivery
from reminder.client.messages import CHECK, check_message
from reminder.client.refusals import Failure, failure_of
from reminder.client.watch import PROBE_S
from reminder.v1 import reminder_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from google.protobuf.message import Message

    from reminder.client.calls import Call
    from reminder.client.delivery import Asked, Said
    from reminder.client.messages import Body
    from reminder.client.results import Checked, Told

__all__ = ["Client"]


class Client(BaseClient):
    """Asks a sidecar, and never stands in the way: no call waits past its deadline, none raises for want of an answer.

    For any thread; one a process, made after the process was forked.
    """

    def _open(self, target: str) -> None:
        self._channel = grpc.insecure_channel(target, options=WATCHING)
        self._check = self._channel.unary_unary(
            CHECK,
            request_serializer=pb.CheckRequest.SerializeToString,
            response_deserializer=pb.CheckResponse.FromString,
        )
        self._beside = _Beside(self._delivery, self._ask)
        if self._spool.count():
            self._beside.wake()

    def __enter__(self) -> Self:
        """Be closed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.close()

    def check(self, body: Body, *, deadline_ms: float | None = None) -> Checked:
        """Have a prescription judged. Whatever happens a result comes back, in time.

        Args:
            body: A body of ours or of the national interface, as JSON or plain values, or the message.
            deadline_ms: What this call waits at most; ``None``: the client's.
        """
        begun = time.monotonic()
        deadline_s = self._deadline_s if deadline_ms is None else deadline_ms / 1000
        failure = calls.NOT_LOOKED
        try:
            if not self._watch.resting:
                request = check_message(body)
                left_s = deadline_s - (time.monotonic() - begun)
                if left_s > 0:
                    response = self._check(request, timeout=left_s, metadata=self._named)
                    self._watch.answered()
                    return calls.checked_of(response, ms_since(begun))
                failure = calls.TOO_LATE
        except grpc.RpcError as error:
            failure = self._noted(error)
        except Exception as error:  # noqa: BLE001 - a prescription is saved whatever is wrong here
            failure = calls.ours(error)
        return calls.not_checked(failure, ms_since(begun))

    def record_saved(self, prescription: Body, *, prescription_id: str, revision: int = 0, saved_at: str = "") -> Told:
        """Tell that a prescription was saved, whole; what cannot be told now is delivered later, once.

        Args:
            prescription: As it was saved, a body as for :meth:`check`.
            prescription_id: Unique in its encounter.
            revision: Grows with every change of it; the highest stands.
            saved_at: Civil time; "" for now.
        """
        return self._tell(lambda: calls.saved_call(prescription, prescription_id, revision, saved_at, self._zone))

    def record_feedback(
        self,
        items: Iterable[Mapping[str, Any]],
        *,
        request_id: str = "",
        institution_id: str = "",
        doctor_id: str = "",
    ) -> Told:
        """Tell what was done about findings; what cannot be told now is delivered later, once.

        Args:
            items: One a finding, with the fields of ``docs/feedback.md``.
            request_id: Yours, or one is made up.
            institution_id: Whose civil times they are.
            doctor_id: Who answered.
        """
        told = {"request_id": request_id, "institution_id": institution_id, "doctor_id": doctor_id}
        return self._tell(lambda: calls.feedback_call(items, self._zone, **told))

    def deliver(self, within_s: float) -> bool:
        """Wait until nothing waits; whether that is so. Raises ``StoreError``."""
        ends = time.monotonic() + within_s
        self._beside.hurry()
        self._wake()
        while self._spool.count() and time.monotonic() < ends:
            time.sleep(LOOK_S)
        return not self._spool.count()

    def close(self) -> None:
        """End. What waits in a folder is delivered by the next client of it."""
        self._beside.end()
        self._channel.close()
        self._beside.wait()
        self._spool.close(self._beside.name)

    def _tell(self, make: Callable[[], Call]) -> Told:
        """Tell it now where that goes, else later."""
        ends = time.monotonic() + self._deadline_s
        try:
            call = make()
        except Exception as error:  # noqa: BLE001 - as in check
            return calls.untold(calls.ours(error))
        tried = calls.tried(None if self._watch.resting else self._called(call, self._deadline_s * TRY_PART))
        if tried.over is not None:
            return tried.over
        adding = self._spool.add(call.method, call.request)
        adding.add_done_callback(lambda _: self._wake())
        written = wait((adding,), max(0.0, ends - time.monotonic())).done
        return calls.spooled(tried.failure, tried.told, adding.exception() if written else None, written=bool(written))

    def _called(self, call: Call, timeout_s: float) -> Message | Failure:
        method: grpc.UnaryUnaryMultiCallable[bytes, Message] = self._channel.unary_unary(
            call.method, response_deserializer=calls.answer_of(call.method)
        )
        try:
            return method(call.request, timeout=timeout_s, metadata=self._named)
        except grpc.RpcError as error:
            return failure_of(cast("grpc.Call", error))
        except ValueError as error:  # the channel was closed meanwhile
            return Failure(why="away", text=str(error))

    def _ask(self, asked: Asked) -> Said:
        """What comes of a call that is delivered, or whether the sidecar serves."""
        if asked is not None:
            return self._called(asked, DELIVERY_S)
        health: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(calls.HEALTH)
        try:
            return health(b"", timeout=PROBE_S[1]) == calls.SERVING
        except (grpc.RpcError, ValueError):
            return False

    def _wake(self) -> None:
        self._beside.wake()


class _Beside:
    """The thread that delivers; it begins with the first thing it has to do, and keeps no program from ending."""

    def __init__(self, delivery: Delivery, ask: Callable[[Asked], Said]) -> None:
        self.name = delivery.name
        self.hurry = delivery.hurry
        self._delivery = delivery
        self._ask = ask
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._over = False

    def wake(self) -> None:
        """There is something to do."""
        self._event.set()
        with self._lock:
            if self._thread is None and not self._over:
                self._thread = threading.Thread(target=self._run, name="reminder-client", daemon=True)
                self._thread.start()

    def end(self) -> None:
        """Begin nothing more."""
        self._over = True
        self._event.set()

    def wait(self) -> None:
        """Until what was under way has ended."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(DELIVERY_S)

    def _run(self) -> None:
        while not self._over:
            self._event.clear()
            self._event.wait(self._turn())

    def _turn(self) -> float:
        turn = self._delivery.turn()
        try:
            asked = next(turn)
            while not self._over:
                asked = turn.send(self._ask(asked))
        except StopIteration as end:
            return float(end.value)
        return 0.0
