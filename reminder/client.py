"""``reminder check``: one body to a running sidecar, one JSON object back."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from negative_list.errors import FieldProblem, RequestError
from negative_list.readers.body import MAX_BYTES, parse_body
from reminder import wire_client
from reminder.bodies import is_national
from reminder.v1 import reminder_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable

    from negative_list.decision import Decision

__all__ = ["NotReachedError", "check", "fields_of"]

_METHOD = "/reminder.v1.ReminderService/Check"
_THEIR_FAULT = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED)
_OPTIONS = [
    # A proxy set for the internet does not know the hospital's machines.
    ("grpc.enable_http_proxy", 0),
    # 20,000 lines with a finding each answer with more than the 4 MiB of the default.
    ("grpc.max_receive_message_length", 8 * MAX_BYTES),
]


class NotReachedError(Exception):
    """No sidecar answered in time."""


def check(raw: bytes, target: str, timeout_s: float) -> Decision:
    """Have the sidecar at ``target`` (HOST:PORT, gRPC) decide a 3101 body or the JSON of CheckRequest.

    A 3101 body goes over as it is, so that one reader reads it however it arrives.

    Raises:
        RequestError: When the body cannot be read, here or there.
        NotReachedError: When nothing answers within ``timeout_s`` seconds.
    """
    body = parse_body(raw)
    request = pb.CheckRequest(national_body=raw) if is_national(body) else wire_client.request_of(body)
    with grpc.insecure_channel(target, options=_OPTIONS) as channel:
        call = channel.unary_unary(
            _METHOD,
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


def fields_of(error: grpc.Call) -> Iterable[FieldProblem]:
    """The fields a refused call names; none where it was not about fields."""
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            yield from (FieldProblem(field=v.field, message=v.description) for v in bad.field_violations)
