"""What a call that was not answered means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from msgspec import Struct

from negative_list.errors import FieldProblem

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Failure", "NotReachedError", "Why", "failure_of", "fields_of"]

Why: TypeAlias = Literal["", "deadline", "away", "resting", "busy", "refused", "failed"]
"""Why nothing was checked.

``deadline``: no answer in time. ``away``: nobody answers there. ``resting``: not tried, for it did not work lately.
``busy``: too many calls at once. ``refused``: the fields named cannot be used. ``failed``: the fault is the sidecar's,
or this program's. "": it was checked.
"""

_CODES: dict[grpc.StatusCode, Why] = {
    grpc.StatusCode.DEADLINE_EXCEEDED: "deadline",
    grpc.StatusCode.UNAVAILABLE: "away",
    grpc.StatusCode.CANCELLED: "away",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "busy",
}
_FINAL = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION})


class NotReachedError(Exception):
    """No sidecar answered in time."""


class Failure(Struct, frozen=True, kw_only=True):
    """A call that was not answered. ``final``: the same call will never be answered otherwise."""

    why: Why
    text: str = ""
    fields: tuple[FieldProblem, ...] = ()
    final: bool = False


def failure_of(error: grpc.Call) -> Failure:
    """What the status of a call means."""
    code, fields = error.code(), tuple(fields_of(error))
    if fields:
        return Failure(why="refused", text=error.details() or "", fields=fields, final=True)
    return Failure(why=_CODES.get(code, "failed"), text=error.details() or code.name, final=code in _FINAL)


def fields_of(error: grpc.Call) -> Iterable[FieldProblem]:
    """The fields a refused call names; none where it was not about fields."""
    status = rpc_status.from_call(error)
    for detail in status.details if status else ():
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            yield from (FieldProblem(field=v.field, message=v.description) for v in bad.field_violations)
