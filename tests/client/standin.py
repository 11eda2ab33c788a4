"""A stand-in for a sidecar: answers as it is told, on a port it keeps, and remembers what it was told."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc

from reminder.client.messages import CHECK, FEEDBACK, SAVED
from reminder.v1 import reminder_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["StandIn", "standing_in"]

_HEALTH = "/grpc.health.v1.Health/Check"
_SERVING, _NOT_SERVING = b"\x08\x01", b"\x08\x02"
_KINDS: dict[str, Any] = {CHECK: pb.CheckRequest, SAVED: pb.RecordSavedRequest, FEEDBACK: pb.RecordFeedbackRequest}


class StandIn(grpc.GenericRpcHandler):
    """What it was told, and how it answers: a message, or a status to abort with."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []
        self.metadata: list[dict[str, Any]] = []
        self.serves = True
        self.answers: dict[str, Callable[[Any], Any]] = {
            CHECK: lambda _request: pb.CheckResponse(decision=pb.ACTION_PASS),
            SAVED: lambda _request: pb.RecordSavedResponse(stored=True, changed=True),
            FEEDBACK: _kept,
        }
        self.held = threading.Event()
        self.port = 0
        self._server: grpc.Server | None = None

    def start(self) -> None:
        """Listen, where it listened before."""
        self.held.clear()
        self._server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((self,))
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        self._server.start()

    def stop(self) -> None:
        """Nobody listens there any more."""
        self.held.set()
        if self._server is not None:
            self._server.stop(None).wait()

    @property
    def target(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    def of(self, method: str) -> list[Any]:
        """What it was told by one method."""
        return [request for name, request in self.told if name == method]

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        """The one handler of gRPC's."""
        method = details.method
        self.metadata.append(dict(details.invocation_metadata))

        def answer(data: bytes, context: grpc.ServicerContext) -> bytes:
            if method == _HEALTH:
                return _SERVING if self.serves else _NOT_SERVING
            request = _KINDS[method].FromString(data)
            self.told.append((method, request))
            said = self.answers[method](request)
            if isinstance(said, grpc.StatusCode):
                context.abort(said, "as the test says")
            result: bytes = said.SerializeToString()
            return result

        return grpc.unary_unary_rpc_method_handler(answer)

    def hold(self, _request: Any) -> Any:
        """Answer nobody until it stops."""
        self.held.wait(60)
        return pb.CheckResponse(decision=pb.ACTION_PASS)


def _kept(request: pb.RecordFeedbackRequest) -> pb.RecordFeedbackResponse:
    items = [pb.FeedbackOutcome(finding_id=i.finding_id, status=pb.FEEDBACK_STATUS_KEPT) for i in request.items]
    return pb.RecordFeedbackResponse(items=items, journaled=True)


@contextlib.contextmanager
def standing_in() -> Iterator[StandIn]:
    """One that listens; stopped at the end."""
    here = StandIn()
    here.start()
    try:
        yield here
    finally:
        here.stop()
