"""What the services of the office have in common, whatever the face: who answers, and what a refusal means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import grpc

from reminder.releases.trust import RoadError
from reminder.rpc import Context, answered

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from reminder.releases.office import Office
    from reminder.service import Service

__all__ = ["NO_OFFICE", "ROAD_CODES", "Methods", "NoOfficeError", "bytes_of", "office_answered", "office_of", "unary"]

Methods: TypeAlias = "Mapping[str, Callable[[bytes], Awaitable[Message]]]"
"""What the unary methods of a service make of the bytes of a request, by name."""

ROAD_CODES = {
    "unknown": grpc.StatusCode.NOT_FOUND,
    "refused": grpc.StatusCode.FAILED_PRECONDITION,
    "wrong": grpc.StatusCode.INVALID_ARGUMENT,
}
"""What a caller is answered where the road of releases refuses."""

T = TypeVar("T")

NO_OFFICE = "此进程不受理 (no office works here); 请联系管理地址 (call the administration address)"
"""What a caller is told where the office works in another process."""


class NoOfficeError(Exception):
    """The office does not work in this process."""

    def __init__(self) -> None:
        super().__init__(NO_OFFICE)


def office_of(service: Service) -> Office:
    """The office of a service.

    Raises:
        NoOfficeError: It has none.
    """
    if service.office is None:
        raise NoOfficeError
    return service.office


def unary(service: Service, work: Callable[[bytes], Awaitable[Message]]) -> grpc.RpcMethodHandler[bytes, Any]:
    """A method of gRPC that answers what ``work`` makes of the request."""

    async def call(data: bytes, context: Context) -> Message:
        return await office_answered(service, context, work(data))

    return grpc.unary_unary_rpc_method_handler(call, request_deserializer=None, response_serializer=bytes_of)


def bytes_of(message: Message) -> bytes:
    """A message as it goes over the wire."""
    return message.SerializeToString()


async def office_answered(service: Service, context: Context, work: Awaitable[T]) -> T:
    """The answer of ``work``, or the status of what it raised."""
    told = await answered(service, context, _refusable(work))
    if isinstance(told, NoOfficeError):
        await context.abort(grpc.StatusCode.UNAVAILABLE, str(told))
    if isinstance(told, RoadError):
        await context.abort(ROAD_CODES[told.kind], str(told))
    return told


async def _refusable(work: Awaitable[T]) -> T | RoadError | NoOfficeError:
    """What came of it, or why it was refused: a caller is told so, not that we failed."""
    try:
        return await work
    except (RoadError, NoOfficeError) as error:
        return error
