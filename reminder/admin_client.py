"""Calls of the administration address, for commands: what was asked comes back, or why it was not done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar, cast

import grpc

from negative_list.errors import RequestError
from reminder.client import NotReachedError, fields_of
from reminder.releases.trust import RoadError

if TYPE_CHECKING:
    from google.protobuf.message import Message

__all__ = ["DEFAULT_TARGET", "calling", "unary"]

DEFAULT_TARGET = "127.0.0.1:50052"
"""Where a sidecar's administration listens unless told otherwise."""

R = TypeVar("R", bound="Message")

_OPTIONS = [
    # A proxy set for the internet does not know the hospital's machines.
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
]
_KINDS = {
    grpc.StatusCode.NOT_FOUND: "unknown",
    grpc.StatusCode.FAILED_PRECONDITION: "refused",
    grpc.StatusCode.INVALID_ARGUMENT: "wrong",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "wrong",
    grpc.StatusCode.INTERNAL: "refused",
}


@contextmanager
def calling(target: str) -> Iterator[grpc.Channel]:
    """A channel to ``target`` (HOST:PORT); what its calls raise is told in our words.

    Raises:
        RequestError: fields of the request cannot be used; they are named.
        RoadError: it was understood and refused; the message says why.
        NotReachedError: nothing answered.
    """
    with grpc.insecure_channel(target, options=_OPTIONS) as channel:
        try:
            yield channel
        except grpc.RpcError as error:
            # What a call raises is the call itself.
            raise _explained(cast("grpc.Call", error), target) from error


def unary(target: str, method: str, request: Message, response: type[R], timeout_s: float) -> R:
    """What one call answers. ``method``: ``/reminder.v1.PolicyService/ShowPolicy``. Raises as :func:`calling`."""
    with calling(target) as channel:
        call: grpc.UnaryUnaryMultiCallable[Message, R] = channel.unary_unary(
            method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=response.FromString,
        )
        return call(request, timeout=timeout_s)


def _explained(error: grpc.Call, target: str) -> Exception:
    fields = tuple(fields_of(error))
    if fields:
        return RequestError(fields)
    reason, kind = error.details() or error.code().name, _KINDS.get(error.code())
    if kind is not None:
        return RoadError(kind, "refused", reason)  # type: ignore[arg-type]  # a word of the table
    return NotReachedError(f"no answer from `{target}`: {reason.lower()}; is `reminder serve` running there?")
