"""The HTTP face: 3101 of the national interface, what was saved, health and metrics.

Everything else is told that it is not here.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from negative_list.errors import FieldProblem, LimitError, RequestError
from negative_list.output import error_json
from negative_list.readers.body import MAX_BYTES, parse_body
from negative_list.readers.wording import EXPECTED_OBJECT, no_field
from reminder import feedback_rpc, national
from reminder.bodies import FAILED, inside, is_national
from reminder.recording import Came, digest_of
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from starlette.requests import Request

    from negative_list.prescription import Prescription
    from reminder.service import Service

__all__ = ["admin_app", "callers_app"]

_SERIAL_BITS = 32
_JSON = "application/json; charset=utf-8"
_METRICS = "text/plain; version=0.0.4; charset=utf-8"
_MAX_PATH = 200
_OUR_FAULT = FieldProblem(field="sidecar", message=FAILED)


def callers_app(service: Service) -> Starlette:
    """What callers reach."""
    face = _Http(service)
    calls = [
        Route("/3101", face.check, methods=["POST"]),
        Route("/reminder.v1.ReminderService/RecordSaved", face.record_saved, methods=["POST"]),
        Route("/reminder.v1.ReminderService/RecordFeedback", face.record_feedback, methods=["POST"]),
    ]
    return _app([*calls, *face.health()])


def admin_app(service: Service) -> Starlette:
    """What operations reach."""
    return _app(_Http(service).health())


class _Http:
    def __init__(self, service: Service) -> None:
        self._service = service

    def health(self) -> list[Route]:
        return [
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
            Route("/metrics", self.metrics),
        ]

    async def healthz(self, _request: Request) -> Response:
        """The process answers."""
        return _json(200, b'{"status":"ok"}')

    async def readyz(self, _request: Request) -> Response:
        """Whether decisions are made, and what does not work although they are."""
        serving = self._service.serving
        status = "serving" if serving else "not serving"
        together = self._service.metrics.together
        degraded = self._service.degraded if together is None else together.degraded()
        told = {"status": status, "degraded": degraded, "release": self._service.releases()}
        content = msgspec.json.encode(told)
        return _json(200 if serving else 503, content)

    async def metrics(self, request: Request) -> Response:
        """Prometheus text, of all workers together; ``?by=worker``: of each."""
        together = self._service.metrics.together
        by_worker = request.query_params.get("by") == "worker"
        text = self._service.metrics.text() if together is None else together.text(by_worker=by_worker)
        return Response(text, headers={"content-type": _METRICS})

    async def check(self, request: Request) -> Response:
        """3101. Always a well-formed reply with status 200: callers take anything else for a broken line (3.3, 8)."""
        arrived = self._service.now()
        try:
            raw = await _bytes_of(request)
        except ClientDisconnect:
            return Response(status_code=400)
        return _json(200, await self._answer(raw, arrived))

    async def _answer(self, raw: bytes, arrived: datetime) -> bytes:
        service, size = self._service, len(raw)
        body: dict[str, Any] = {}
        try:
            body = await service.run(size, partial(parse_body, raw))
            prescription = await service.run(size, partial(service.read_national, body))
            decision = await service.check(prescription, size, came=Came(face="3101", digest=digest_of(raw)))
            reply = await service.run(size, partial(national.reply_of, decision, prescription))
        except RequestError as error:
            self._service.refused("http", error)
            reply = national.failure_reply(error.fields)
        except Exception as error:  # noqa: BLE001 - a caller that gets no reply may refuse to save, or hang
            self._service.failed("http", error)
            reply = national.failure_reply([_OUR_FAULT])
        return await service.run(size, lambda: national.encode(reply, self._envelope(body, arrived)))

    async def record_saved(self, request: Request) -> Response:
        """RecordSaved in JSON."""
        return await self._told(request, self._saved)

    async def record_feedback(self, request: Request) -> Response:
        """RecordFeedback in JSON."""
        return await self._told(request, self._feedback)

    async def _told(self, request: Request, take: Callable[[bytes], Awaitable[bytes]]) -> Response:
        """What is told in JSON: 200 kept, 400 naming the fields, 413 over a limit, 503 when nothing could take it."""
        service = self._service
        try:
            return _json(200, await take(await _bytes_of(request)))
        except ClientDisconnect:
            return Response(status_code=400)
        except RequestError as error:
            service.refused("http", error)
            return _json(413 if isinstance(error, LimitError) else 400, error_json(error.fields))
        except StoreError as error:
            service.not_kept("http", error)
            return _json(503, error_json([FieldProblem(field="sidecar", message=feedback_rpc.why_not_kept(error))]))
        except Exception as error:  # noqa: BLE001 - the caller gets an answer without texts of patients
            service.failed("http", error)
            return _json(500, error_json([_OUR_FAULT]))

    async def _saved(self, raw: bytes) -> bytes:
        service = self._service
        told, prescription = await service.run(len(raw), partial(_read_saved, raw, service))
        written = await service.record_saved(prescription, **told)
        answer = {"stored": not written.waits, "spooled": written.waits, "changed": bool(written.changed)}
        return msgspec.json.encode(answer | {"notes": prescription.notes})

    async def _feedback(self, raw: bytes) -> bytes:
        service = self._service
        words = await service.run(len(raw), partial(feedback_rpc.words_of, raw, service.feedback.zone_of))
        return feedback_rpc.json_of(await service.feedback.record(words))

    def _envelope(self, body: dict[str, Any], arrived: datetime) -> dict[str, str]:
        service = self._service
        area, institution = (str(body.get(name) or "") for name in ("mdtrtarea_admvs", "fixmedins_code"))
        arrived, answered = (service.civil(moment, institution) for moment in (arrived, service.now()))
        return national.envelope_of(area, arrived, answered, service.draw(_SERIAL_BITS))


def _read_saved(raw: bytes, service: Service) -> tuple[dict[str, Any], Prescription]:
    """What is told of a saved prescription, and the prescription: our own JSON or a national body."""
    body = parse_body(raw)
    inner = body.pop("prescription", None)
    if not isinstance(inner, dict):
        raise RequestError([FieldProblem(field="prescription", message=EXPECTED_OBJECT)])
    told = _told_of(body)
    read = service.read_national if is_national(inner) else service.read_own
    try:
        return told, read(inner, saved=True)
    except RequestError as error:
        raise type(error)(inside("prescription", error.fields)) from error


def _told_of(body: dict[str, Any]) -> dict[str, Any]:
    """The prescription's id, revision and time."""
    wrong = [FieldProblem(field=key, message=no_field(key, _SAVED)) for key in body.keys() - set(_SAVED)]
    told = {name: body.get(name) or "" for name in _SAVED}
    if not isinstance(told["revision"] or 0, int):
        wrong.append(FieldProblem(field="revision", message=_WHOLE))
    if wrong:
        raise RequestError(sorted(wrong))
    return {**{name: str(value) for name, value in told.items()}, "revision": int(told["revision"] or 0)}


_SAVED = ("prescription_id", "revision", "saved_at")
_WHOLE = "应为整数 (expected a whole number); 请改正 (mend it)"


async def _bytes_of(request: Request) -> bytes:
    """The body; reading ends with the chunk that passes the limit, so that no more than the limit is held."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BYTES:
            break
    return bytes(data)


def _app(routes: list[Route]) -> Starlette:
    return Starlette(routes=routes, exception_handlers={HTTPException: _not_here})


async def _not_here(request: Request, error: Exception) -> Response:
    """404 and 405 that say so, where a silent empty answer would be taken for "no violation"."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    asked = f"{request.method} `{request.url.path[:_MAX_PATH]}`"
    message = f"没有此服务 (nothing answers {asked} here); 请用 POST /3101 (use POST /3101)"
    return _json(status, msgspec.json.encode({"error": [FieldProblem(field="path", message=message)]}))


def _json(status: int, content: bytes) -> Response:
    return Response(content, status_code=status, headers={"content-type": _JSON})
