"""The HTTP face: 3101 of the national interface, health and metrics. Everything else is told that it is not here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from negative_list.errors import FieldProblem, RequestError
from negative_list.readers.body import MAX_BYTES, parse_body
from reminder import national
from reminder.bodies import FAILED

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

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
    return _app([Route("/3101", face.check, methods=["POST"]), *face.health()])


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
        content = msgspec.json.encode({"status": status, "degraded": self._service.degraded})
        return _json(200 if serving else 503, content)

    async def metrics(self, _request: Request) -> Response:
        """Prometheus text."""
        return Response(self._service.metrics.text(), headers={"content-type": _METRICS})

    async def check(self, request: Request) -> Response:
        """3101. Always a well-formed reply with status 200: callers take anything else for a broken line (3.3, 8)."""
        arrived = self._service.now()
        try:
            raw = await _bytes_of(request)
        except ClientDisconnect:
            return Response(status_code=400)
        return _json(200, await self._service.run(len(raw), partial(self._answer, raw, arrived)))

    def _answer(self, raw: bytes, arrived: datetime) -> bytes:
        body: dict[str, Any] = {}
        try:
            body = parse_body(raw)
            prescription = self._service.read_national(body)
            reply = national.reply_of(self._service.check(prescription), prescription)
        except RequestError as error:
            self._service.refused("http", error)
            reply = national.failure_reply(error.fields)
        except Exception as error:  # noqa: BLE001 - a caller that gets no reply may refuse to save, or hang
            self._service.failed("http", error)
            reply = national.failure_reply([_OUR_FAULT])
        return national.encode(reply, self._envelope(body, arrived))

    def _envelope(self, body: dict[str, Any], arrived: datetime) -> dict[str, str]:
        service = self._service
        area, institution = (str(body.get(name) or "") for name in ("mdtrtarea_admvs", "fixmedins_code"))
        arrived, answered = (service.civil(moment, institution) for moment in (arrived, service.now()))
        return national.envelope_of(area, arrived, answered, service.draw(_SERIAL_BITS))


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
