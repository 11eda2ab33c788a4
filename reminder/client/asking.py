"""``reminder check``: one body to a running sidecar, one decision back, or why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import grpc

from negative_list.errors import RequestError
from reminder import wire_client
from reminder.client.channels import OPTIONS
from reminder.client.messages import CHECK, check_message
from reminder.client.refusals import NotReachedError, fields_of
from reminder.v1 import reminder_pb2 as pb

if TYPE_CHECKING:
    from negative_list.decision import Decision

__all__ = ["check"]

_THEIR_FAULT = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED)


def check(raw: bytes, target: str, timeout_s: float) -> Decision:
    """Have the sidecar at ``target`` (HOST:PORT, gRPC) decide a 3101 body or the JSON of CheckRequest.

    A 3101 body goes over as it is, so that one reader reads it however it arrives.

    Raises:
        RequestError: When the body cannot be read, here or there.
        NotReachedError: When nothing answers within ``timeout_s`` seconds.
    """
    request = check_message(raw)
    with grpc.insecure_channel(target, options=OPTIONS) as channel:
        call = channel.unary_unary(
            CHECK,
            request_serializer=pb.CheckRequest.SerializeToString,
            response_deserializer=pb.CheckResponse.FromString,
        )
        try:
            return wire_client.decision_of(call(request, timeout=timeout_s))
        except grpc.RpcError as error:
            # What a call raises is the call itself.
            raise _explained(cast("grpc.Call", error), target) from error


def _explained(error: grpc.Call, target: str) -> Exception:
    """The caller's fault where the sidecar names fields, else not reached."""
    fields = tuple(fields_of(error))
    if error.code() in _THEIR_FAULT and fields:
        return RequestError(fields)
    reason = error.details() or error.code().name
    return NotReachedError(f"no answer from `{target}`: {reason.lower()}; is `reminder serve` running there?")
