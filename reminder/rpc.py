"""The gRPC face: translates messages and failures, decides nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NoReturn, cast

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from negative_list.errors import LimitError, RequestError
from negative_list.readers.body import MAX_BYTES, parse_body
from reminder import wire
from reminder.bodies import FAILED, chinese
from reminder.v1 import reminder_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from negative_list.errors import FieldProblem
    from negative_list.prescription import Prescription
    from reminder.service import Service

__all__ = ["SERVICE", "add_health", "add_reminder", "make_server", "set_serving"]

SERVICE = pb.DESCRIPTOR.services_by_name["ReminderService"].full_name
"""The name of the callers' service, for health too."""

# Trailers over 8 KiB are dropped by peers' default (grpc.max_metadata_size), and the answer with them.
_MAX_DETAILS_BYTES = 4096
_MAX_MESSAGE = 200

_PING_MS = 10_000


def make_server(max_calls: int) -> grpc.aio.Server:
    """An empty server. More than ``max_calls`` calls at once are answered RESOURCE_EXHAUSTED without being started."""
    return grpc.aio.server(
        maximum_concurrent_rpcs=max_calls,
        options=[
            # Otherwise a second sidecar on the same port starts silently and takes half of the connections.
            ("grpc.so_reuseport", 0),
            # Twice the limit, so that what is over it is still answered by us, naming it; more is refused unread.
            ("grpc.max_receive_message_length", 2 * MAX_BYTES),
            # Firewalls drop idle connections: clients may ping every ten seconds instead of every five minutes.
            ("grpc.http2.min_ping_interval_without_data_ms", _PING_MS),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", _PING_MS),
            ("grpc.keepalive_permit_without_calls", 1),
        ],
    )


def add_health(server: grpc.aio.Server, servicer: health.aio.HealthServicer, services: Sequence[str]) -> None:
    """Health and reflection of ``services``."""
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    reflection.enable_server_reflection((*services, health.SERVICE_NAME, reflection.SERVICE_NAME), server)


async def set_serving(servicer: health.aio.HealthServicer) -> None:
    """Every name answers SERVING."""
    for name in ("", SERVICE):
        await servicer.set(name, health_pb2.HealthCheckResponse.SERVING)


def add_reminder(server: grpc.aio.Server, service: Service) -> None:
    """ReminderService. Messages are parsed by us, so that an unreadable one is the caller's fault, not ours."""
    face = _Reminder(service)
    check: grpc.RpcMethodHandler[bytes, pb.CheckResponse] = grpc.unary_unary_rpc_method_handler(
        face.check, request_deserializer=None, response_serializer=pb.CheckResponse.SerializeToString
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {"Check": check}),))


class _Reminder:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def check(self, data: bytes, context: grpc.aio.ServicerContext[bytes, pb.CheckResponse]) -> pb.CheckResponse:
        remaining_s = cast("float | None", context.time_remaining())  # None without deadline, whatever the stub says
        if remaining_s is not None and remaining_s <= 0:
            self._service.late("grpc")
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline had passed before the check began")
        try:
            return await self._service.run(len(data), partial(self._answer, data))
        except RequestError as error:
            self._service.refused("grpc", error)
            await _refuse(context, error)
        except Exception as error:  # noqa: BLE001 - whatever happens, the caller gets an answer without texts of patients
            self._service.failed("grpc", error)
            await context.abort(grpc.StatusCode.INTERNAL, FAILED)

    def _answer(self, data: bytes) -> pb.CheckResponse:
        return wire.response_of(self._service.check(_read(data, self._service)))


def _read(data: bytes, service: Service) -> Prescription:
    """The prescription of a message, whichever of its two forms it has."""
    request = wire.parse(data)
    if request.national_body:
        return service.read_national(parse_body(request.national_body))
    return service.read_own(wire.body_of(request))


async def _refuse(context: grpc.aio.ServicerContext[bytes, pb.CheckResponse], error: RequestError) -> NoReturn:
    """INVALID_ARGUMENT, or RESOURCE_EXHAUSTED over a limit, with google.rpc.BadRequest naming the fields."""
    code = code_pb2.RESOURCE_EXHAUSTED if isinstance(error, LimitError) else code_pb2.INVALID_ARGUMENT
    details = AnyMessage()
    details.Pack(_bad_request(error.fields))
    message = str(error)[:_MAX_MESSAGE]
    status = rpc_status.to_status(status_pb2.Status(code=code, message=message, details=[details]))
    await context.abort(status.code, status.details, status.trailing_metadata)


def _bad_request(fields: Iterable[FieldProblem]) -> error_details_pb2.BadRequest:
    """As many violations as the trailers of an answer hold; at least one."""
    bad = error_details_pb2.BadRequest()
    size = 0
    for problem in fields:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=problem.field[:_MAX_MESSAGE], description=problem.message[:_MAX_MESSAGE]
        )
        violation.localized_message.locale = "zh-CN"
        violation.localized_message.message = chinese(problem)[:_MAX_MESSAGE]
        size += violation.ByteSize()
        if bad.field_violations and size > _MAX_DETAILS_BYTES:
            break
        bad.field_violations.append(violation)
    return bad
