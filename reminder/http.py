"""The HTTP faces put together: what callers reach, and what operations reach. Everything else is told it is not here.

A face gives its ``routes``; this module only puts them into their order. Those of the national interface come last, for
they take every path that nobody else took.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from negative_list.errors import FieldProblem, LimitError, RequestError
from negative_list.output import error_json
from negative_list.readers.body import parse_body
from negative_list.readers.wording import EXPECTED_OBJECT, no_field
from reminder import feedback_rpc, health_http
from reminder.bodies import FAILED, inside, is_national
from reminder.national import face as national
from reminder.over_http import bytes_of, json_response
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request

    from negative_list.prescription import Prescription
    from reminder.config import Config
    from reminder.service import Service

__all__ = ["admin_app", "callers_app"]

_MAX_PATH = 200
_PREFLIGHT_S = 600
_OUR_FAULT = FieldProblem(field="sidecar", message=FAILED)


def callers_app(service: Service, config: Config) -> Starlette:
    """What callers reach."""
    told = _Told(service)
    routes = [
        *health_http.routes(service),
        Route("/reminder.v1.ReminderService/RecordSaved", told.record_saved, methods=["POST"]),
        Route("/reminder.v1.ReminderService/RecordFeedback", told.record_feedback, methods=["POST"]),
        *national.routes(service),
    ]
    return _app(routes, config.cors)


def admin_app(service: Service, _config: Config) -> Starlette:
    """What operations reach. No page of another origin ever does."""
    return _app(health_http.routes(service))


class _Told:
    """What is told in JSON: prescriptions saved, and feedback."""

    def __init__(self, service: Service) -> None:
        self._service = service

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
            return json_response(200, await take(await bytes_of(request)))
        except ClientDisconnect:
            return Response(status_code=400)
        except RequestError as error:
            service.refused("http", error)
            return json_response(413 if isinstance(error, LimitError) else 400, error_json(error.fields))
        except StoreError as error:
            service.not_kept("http", error)
            problem = FieldProblem(field="sidecar", message=feedback_rpc.why_not_kept(error))
            return json_response(503, error_json([problem]))
        except Exception as error:  # noqa: BLE001 - the caller gets an answer without texts of patients
            service.failed("http", error)
            return json_response(500, error_json([_OUR_FAULT]))

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


def _app(routes: Sequence[Route], cors: Sequence[str] = ()) -> Starlette:
    """The routes; pages of the origins ``cors`` (``*``: of any) may call them, never with credentials."""
    middleware = [Middleware(CORSMiddleware, allow_origins=cors, **_CORS)] if cors else []
    return Starlette(routes=routes, exception_handlers={HTTPException: _not_here}, middleware=middleware)


_CORS: dict[str, Any] = {"allow_methods": ["*"], "allow_headers": ["*"], "max_age": _PREFLIGHT_S}


async def _not_here(request: Request, error: Exception) -> Response:
    """404 and 405 that say so, where a silent empty answer would be taken for "no violation"."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    asked = f"{request.method} `{request.url.path[:_MAX_PATH]}`"
    message = f"没有此服务 (nothing answers {asked} here); 请用 POST /3101 (use POST /3101)"
    return json_response(status, msgspec.json.encode({"error": [FieldProblem(field="path", message=message)]}))
