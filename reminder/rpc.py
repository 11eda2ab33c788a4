"""The gRPC face: translates messages and failures, decides nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, TypeVar, cast
from urllib.parse import unquote

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status

from negative_list.errors import LimitError, RequestError
from negative_list.readers.body import MAX_BYTES, parse_body
from reminder import feedback_rpc, wire
from reminder.bodies import FAILED, chinese, inside
from reminder.callers import ANYBODY, NAMED_BY
from reminder.feedback.words import NoJournalError
from reminder.recording import Came, digest_of
from reminder.stores.base import StoreError
from reminder.v1 import reminder_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

    from negative_list.errors import FieldProblem
    from negative_list.prescription import Prescription
    from reminder.callers import Caller, Callers
    from reminder.service import Service

__all__ = [
    "SERVICE",
    "Context",
    "add_health",
    "add_reminder",
    "answered",
    "caller_of",
    "make_server",
    "set_health",
    "set_serving",
]

T = TypeVar("T")
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
"""What gRPC tells of one call."""

SERVICE = pb.DESCRIPTOR.services_by_name["ReminderService"].full_name
"""The name of the callers' service, for health too."""

# Trailers over 8 KiB are dropped by peers' default (grpc.max_metadata_size), and the answer with them.
_MAX_DETAILS_BYTES = 4096
_MAX_MESSAGE = 200

_PING_MS = 10_000
# Where no journal is kept, sending it again changes nothing: clients that try again must not.
_NOT_KEPT = {False: grpc.StatusCode.UNAVAILABLE, True: grpc.StatusCode.FAILED_PRECONDITION}


def make_server(max_calls: int, *, shared: bool = False) -> grpc.aio.Server:
    """An empty server. More than ``max_calls`` calls at once are answered RESOURCE_EXHAUSTED without being started.

    ``shared``: other processes listen where it does.
    """
    return grpc.aio.server(
        maximum_concurrent_rpcs=max_calls,
        options=[
            # Unless it is another worker, a second sidecar on the port would silently take half of the connections.
            ("grpc.so_reuseport", int(shared)),
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


async def set_health(servicer: health.aio.HealthServicer, name: str, *, serving: bool) -> None:
    """One name answers whether it serves."""
    status = health_pb2.HealthCheckResponse
    await servicer.set(name, status.SERVING if serving else status.NOT_SERVING)


def add_reminder(server: grpc.aio.Server, service: Service) -> None:
    """ReminderService. Messages are parsed by us, so that an unreadable one is the caller's fault, not ours."""
    face = _Reminder(service)
    check: grpc.RpcMethodHandler[bytes, pb.CheckResponse] = grpc.unary_unary_rpc_method_handler(
        face.check, request_deserializer=None, response_serializer=pb.CheckResponse.SerializeToString
    )
    saved: grpc.RpcMethodHandler[bytes, pb.RecordSavedResponse] = grpc.unary_unary_rpc_method_handler(
        face.record_saved, request_deserializer=None, response_serializer=pb.RecordSavedResponse.SerializeToString
    )
    told: grpc.RpcMethodHandler[bytes, pb.RecordFeedbackResponse] = grpc.unary_unary_rpc_method_handler(
        face.record_feedback,
        request_deserializer=None,
        response_serializer=pb.RecordFeedbackResponse.SerializeToString,
    )
    methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Check": check,
        "RecordSaved": saved,
        "RecordFeedback": told,
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))


class _Reminder:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def check(self, data: bytes, context: Context) -> pb.CheckResponse:
        remaining_s = _left_s(context)
        if remaining_s is not None and remaining_s <= 0:
            self._service.late("grpc")
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline had passed before the check began")
        return await answered(self._service, context, self._check(data, context))

    async def record_saved(self, data: bytes, context: Context) -> pb.RecordSavedResponse:
        return await answered(self._service, context, self._record_saved(data))

    async def record_feedback(self, data: bytes, context: Context) -> pb.RecordFeedbackResponse:
        return await answered(self._service, context, self._record_feedback(data, context))

    async def _check(self, data: bytes, context: Context) -> pb.CheckResponse:
        service, size = self._service, len(data)
        prescription = await service.run(size, partial(_read, data, service))
        caller = caller_of(context, service.callers, prescription.institution_id)
        came = Came(face="grpc", digest=digest_of(data), caller=caller.name, lowest_action=caller.lowest_action)
        decision = await service.check(prescription, size, _left_s(context, caller), came)
        return await service.run(size, partial(wire.response_of, decision))

    async def _record_saved(self, data: bytes) -> pb.RecordSavedResponse:
        service = self._service
        request, prescription = await service.run(len(data), partial(_read_saved, data, service))
        written = await service.record_saved(prescription, request.prescription_id, request.revision, request.saved_at)
        return wire.saved_response_of(
            written.changed, prescription.notes, waits=written.waits, journaled=written.journaled
        )

    async def _record_feedback(self, data: bytes, context: Context) -> pb.RecordFeedbackResponse:
        service = self._service
        words = await service.run(len(data), partial(feedback_rpc.words_in, data, service.feedback.zone_of))
        return feedback_rpc.response_of(await service.feedback.record(words, _left_s(context)))


def _left_s(context: Context, caller: Caller = ANYBODY) -> float | None:
    told = cast("float | None", context.time_remaining())  # None without deadline, whatever the stub says
    return caller.left_s if told is None else told


def caller_of(context: Context, callers: Callers, institution_id: str) -> Caller:
    """Whose call it is, by its metadata, where it comes from and whom it is for."""
    if not callers:
        return ANYBODY
    told = {key: value for key, value in context.invocation_metadata() or () if key == NAMED_BY}
    kind, _, place = unquote(context.peer()).partition(":")
    address = place.rpartition(":")[0].strip("[]") if kind in {"ipv4", "ipv6"} else ""
    return callers.of(address=address, institution=institution_id, named=str(told.get(NAMED_BY, "")))


async def answered(service: Service, context: Context, work: Awaitable[T]) -> T:
    """The answer of ``work``, or the status of what it raised; no text of a patient leaves here."""
    try:
        return await work
    except RequestError as error:
        service.refused("grpc", error)
        await _refuse(context, error)
    except StoreError as error:
        service.not_kept("grpc", error)
        await context.abort(_NOT_KEPT[isinstance(error, NoJournalError)], feedback_rpc.why_not_kept(error))
    except Exception as error:  # noqa: BLE001 - whatever happens, the caller gets an answer without texts of patients
        service.failed("grpc", error)
        await context.abort(grpc.StatusCode.INTERNAL, FAILED)


def _read(data: bytes, service: Service) -> Prescription:
    """The prescription of a message, whichever of its two forms it has."""
    return _prescription(wire.parse(data), service, saved=False)


def _read_saved(data: bytes, service: Service) -> tuple[pb.RecordSavedRequest, Prescription]:
    """A saved prescription, and what is told of it."""
    request = wire.message_in(data, pb.RecordSavedRequest)
    wire.check_request(request.prescription)
    try:
        return request, _prescription(request.prescription, service, saved=True)
    except RequestError as error:
        raise type(error)(inside("prescription", error.fields)) from error


def _prescription(request: pb.CheckRequest, service: Service, *, saved: bool) -> Prescription:
    if request.national_body:
        return service.read_national(parse_body(request.national_body), saved=saved)
    return service.read_own(wire.body_of(request), saved=saved)


async def _refuse(context: Context, error: RequestError) -> NoReturn:
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
