"""The face of the national interface: a call in, a well-formed reply out, always."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from negative_list.errors import FieldProblem, RequestError
from negative_list.readers.body import parse_body
from reminder.bodies import FAILED
from reminder.national import replies
from reminder.over_http import bytes_of, caller_of, json_response, left_s_of
from reminder.recording import Came, digest_of

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from reminder.callers import Caller
    from reminder.service import Service

__all__ = ["routes"]

_SERIAL_BITS = 32
_OUR_FAULT = FieldProblem(field="sidecar", message=FAILED)


def routes(service: Service) -> list[Route]:
    """Every path the national interface is called on."""
    face = _Face(service)
    return [Route("/3101", face.call, methods=["POST"])]


class _Face:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def call(self, request: Request) -> Response:
        """Always a well-formed reply with status 200: callers take anything else for a broken line (3.3, 8)."""
        arrived = self._service.now()
        try:
            raw = await bytes_of(request)
        except ClientDisconnect:
            return Response(status_code=400)
        caller = caller_of(request, self._service.callers)
        return json_response(200, await self._answer(raw, arrived, caller, left_s_of(request.headers, caller.left_s)))

    async def _answer(self, raw: bytes, arrived: datetime, caller: Caller, left_s: float | None) -> bytes:
        service, size = self._service, len(raw)
        body: dict[str, Any] = {}
        came = Came(face="3101", digest=digest_of(raw), caller=caller.name, lowest_action=caller.lowest_action)
        try:
            body = await service.run(size, partial(parse_body, raw))
            prescription = await service.run(size, partial(service.read_national, body))
            decision = await service.check(prescription, size, left_s, came)
            reply = await service.run(size, partial(replies.reply_of, decision, prescription))
        except RequestError as error:
            service.refused("http", error)
            reply = replies.failure_reply(error.fields)
        except Exception as error:  # noqa: BLE001 - a caller that gets no reply may refuse to save, or hang
            service.failed("http", error)
            reply = replies.failure_reply([_OUR_FAULT])
        return await service.run(size, lambda: replies.encode(reply, self._envelope(body, arrived)))

    def _envelope(self, body: dict[str, Any], arrived: datetime) -> dict[str, str]:
        service = self._service
        area, institution = (str(body.get(name) or "") for name in ("mdtrtarea_admvs", "fixmedins_code"))
        arrived, answered = (service.civil(moment, institution) for moment in (arrived, service.now()))
        return replies.envelope_of(area, arrived, answered, service.draw(_SERIAL_BITS))
