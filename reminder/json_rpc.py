"""JSON for everyone: every unary RPC of ``reminder.v1`` answers ``POST /reminder.v1.Service/Method``.

JSON is ours: that of ``reminder check`` for Check, with what its message tells besides; elsewhere the field names of
the messages, numbers as numbers, words for enums. It is read in UTF-8 or GBK and answered in the encoding it came in.
The status says whose turn it is: 200 done; 400 fields named, 413 over a limit, 404 nobody has it, 409 not as things
stand; 503 not kept or not here, 504 too late, 500 our fault.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from google.protobuf import message_factory
from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from negative_list.errors import FieldProblem, LimitError, RequestError
from negative_list.output import error_json
from negative_list.readers.body import encoding_of, parse_body
from negative_list.readers.wording import EXPECTED_OBJECT, no_field
from reminder import feedback_rpc, list_rpc, policy_rpc
from reminder.bodies import FAILED, inside, is_national
from reminder.encodings import in_kind, told_encoding
from reminder.office_rpc import NoOfficeError
from reminder.over_http import bytes_of, caller_of, json_response, left_s_of, timed, to_decide_s
from reminder.recording import Came, digest_of
from reminder.releases.trust import RoadError
from reminder.stores.base import StoreError
from reminder.v1 import reminder_pb2 as pb
from reminder.wire_json import body_of, message_of

if TYPE_CHECKING:
    from google.protobuf.descriptor import MethodDescriptor
    from google.protobuf.message import Message

    from negative_list.decision import Decision
    from negative_list.prescription import Prescription
    from reminder.service import Service

__all__ = ["admin_routes", "decided_json", "routes"]

_ROAD_STATUS = {"unknown": 404, "refused": 409, "wrong": 400}
_SAVED = ("prescription_id", "revision", "saved_at")
_REVISION = re.compile(r"-?[0-9]{1,18}")
_WHOLE = "应为整数 (expected a whole number); 请改正 (mend it)"
_TOO_LATE = FieldProblem(
    field="deadline",
    message="请求到达时已超过时限 (the deadline had passed before the work began); 请放宽时限 (allow more time)",
)
_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=str)


class _Call(Struct, frozen=True, kw_only=True):
    """A call as it arrived; ``left_s``: until its caller gives up, ``None``: it waits."""

    request: Request
    raw: bytes
    encoding: str
    left_s: float | None

    @property
    def size(self) -> int:
        return len(self.raw)

    def body(self) -> dict[str, Any]:
        return parse_body(self.raw, self.encoding)


_Work: TypeAlias = "Callable[[_Call], Awaitable[bytes]]"


def routes(service: Service) -> list[Route]:
    """The methods of ReminderService, for callers."""
    face = _Reminder(service)
    works = {"Check": face.check, "RecordSaved": face.record_saved, "RecordFeedback": face.record_feedback}
    return [_route(service, method, works[method.name]) for method in _unary("ReminderService")]


def admin_routes(service: Service) -> list[Route]:
    """The unary methods of the services of administration."""
    works = {"ListService": list_rpc.methods(service), "PolicyService": policy_rpc.methods(service)}
    return [
        _route(service, method, _office(service, method, methods[method.name]))
        for name, methods in works.items()
        for method in _unary(name)
    ]


def decided_json(decision: Decision) -> bytes:
    """A decision as JSON: all that ``reminder check`` prints, and what the message of Check tells besides."""
    return _ENCODER.encode(decision)


def _unary(service: str) -> list[MethodDescriptor]:
    methods = pb.DESCRIPTOR.services_by_name[service].methods
    return [method for method in methods if not (method.client_streaming or method.server_streaming)]


def _route(service: Service, method: MethodDescriptor, work: _Work) -> Route:
    assert method.containing_service is not None  # noqa: S101 - every method has one, whatever the stub says
    path = f"/{method.containing_service.full_name}/{method.name}"
    return Route(path, partial(_answer, service, work), methods=["POST"], name=method.full_name)


# --- what a call is answered ------------------------------------------------------------------------------------------


async def _answer(service: Service, work: _Work, request: Request) -> Response:
    """The answer of a call, whatever becomes of it, in the encoding it came in."""
    begun = time.monotonic()
    try:
        raw = await bytes_of(request)
    except ClientDisconnect:
        return Response(status_code=400)
    encoding = told_encoding(request.headers.get("content-type", "")) or encoding_of(raw)
    left_s = left_s_of(request.headers, caller_of(request, service.callers), service.callers)
    if left_s is not None:
        left_s -= time.monotonic() - begun  # the time its bytes took to come is the caller's
    status, content = await _told(service, work, _Call(request=request, raw=raw, encoding=encoding, left_s=left_s))
    return json_response(status, in_kind(content, encoding), encoding)


async def _told(service: Service, work: _Work, call: _Call) -> tuple[int, bytes]:
    """The status and the JSON of what came of a call; no text of a patient leaves here."""
    try:
        if call.left_s is not None and call.left_s <= 0:
            service.late("http")
            return 504, error_json([_TOO_LATE])
        return 200, await work(call)
    except RequestError as error:
        service.refused("http", error)
        return 413 if isinstance(error, LimitError) else 400, error_json(error.fields)
    except RoadError as error:
        return _ROAD_STATUS[error.kind], _sidecar_says(str(error))
    except NoOfficeError as error:
        return 503, _sidecar_says(str(error))
    except StoreError as error:
        service.not_kept("http", error)
        return 503, _sidecar_says(feedback_rpc.why_not_kept(error))
    except Exception as error:  # noqa: BLE001 - the caller gets an answer without texts of patients
        service.failed("http", error)
        return 500, _sidecar_says(FAILED)


def _sidecar_says(message: str) -> bytes:
    return error_json([FieldProblem(field="sidecar", message=message)])


# --- callers ----------------------------------------------------------------------------------------------------------


class _Reminder:
    """ReminderService in JSON: only translates."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def check(self, call: _Call) -> bytes:
        """A body of ours or of the national interface, in any of its dialects."""
        service = self._service
        begun = time.monotonic()
        read = partial(timed, lambda: _read(call.body(), service, saved=False))
        prescription, took_s = await service.run(call.size, read)
        left_s = None if call.left_s is None else call.left_s - (time.monotonic() - begun)
        caller = caller_of(call.request, service.callers, institution=prescription.institution_id)
        digest = digest_of(call.raw)
        came = Came(face="json", digest=digest, caller=caller.name, lowest_action=caller.lowest_action)
        decision = await service.check(prescription, call.size, to_decide_s(left_s, call.size, took_s), came)
        return await service.run(call.size, partial(decided_json, decision))

    async def record_saved(self, call: _Call) -> bytes:
        """A saved prescription, of either kind, inside ``prescription``."""
        service = self._service
        told, prescription = await service.run(call.size, lambda: _read_saved(call.body(), service))
        written = await service.record_saved(prescription, **told)
        changed = bool(written.changed) and not written.waits
        answer = {"stored": not written.waits, "spooled": written.waits, "changed": changed}
        return _ENCODER.encode(answer | {"journaled": written.journaled, "notes": prescription.notes})

    async def record_feedback(self, call: _Call) -> bytes:
        """Words about findings."""
        service = self._service
        words = await service.run(call.size, lambda: feedback_rpc.words_of(call.body(), service.feedback.zone_of))
        return feedback_rpc.json_of(await service.feedback.record(words, call.left_s))


def _read(body: dict[str, Any], service: Service, *, saved: bool) -> Prescription:
    read = service.read_national if is_national(body) else service.read_own
    return read(body, saved=saved)


def _read_saved(body: dict[str, Any], service: Service) -> tuple[dict[str, Any], Prescription]:
    """What is told of a saved prescription, and the prescription."""
    inner = body.pop("prescription", None)
    if not isinstance(inner, dict):
        raise RequestError([FieldProblem(field="prescription", message=EXPECTED_OBJECT)])
    told = _told_of(body)
    try:
        return told, _read(inner, service, saved=True)
    except RequestError as error:
        raise type(error)(inside("prescription", error.fields)) from error


def _told_of(body: dict[str, Any]) -> dict[str, Any]:
    """The prescription's id, revision and time."""
    wrong = [FieldProblem(field=key, message=no_field(key, _SAVED)) for key in body.keys() - set(_SAVED)]
    told = {name: body.get(name) or "" for name in _SAVED}
    revision = str(told["revision"] or 0).strip()
    if not _REVISION.fullmatch(revision):
        wrong.append(FieldProblem(field="revision", message=_WHOLE))
    if wrong:
        raise RequestError(sorted(wrong))
    return {**{name: str(value) for name, value in told.items()}, "revision": int(revision)}


# --- administration ---------------------------------------------------------------------------------------------------


def _office(service: Service, method: MethodDescriptor, work: Callable[[bytes], Awaitable[Message]]) -> _Work:
    """A method of administration, by its messages."""
    kind = message_factory.GetMessageClass(method.input_type)

    async def call(asked: _Call) -> bytes:
        request = await service.run(asked.size, lambda: message_of(asked.body(), kind))
        return _ENCODER.encode(body_of(await work(request.SerializeToString())))

    return call
