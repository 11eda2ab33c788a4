"""The face of the national interface: a call in, a well-formed reply out, always and in time.

Several callers block their window without a timeout, and some refuse to save when the line breaks (reference 3.3, 8):
whatever happens to a call of ours, it gets a reply with status 200 that says what was not checked. What is somebody
else's passes to the bureau and back byte for byte, where one stands behind us.
"""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match, Route

from negative_list.readers.body import MAX_BYTES
from reminder.callers import ANYBODY
from reminder.encodings import in_kind
from reminder.national import replies
from reminder.national.calls import AT_ONCE, NOTHING_SAID, hear, unheard
from reminder.national.transactions import CHECKS, PASSED, kind_of, paths_of
from reminder.national.turn import OUR_FAULT, Turn
from reminder.over_http import AsItIs, bytes_of, in_time, json_response, left_s_of
from reminder.relay.records import Call

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request
    from starlette.types import Scope

    from reminder.callers import Caller
    from reminder.national.calls import Envelope, Heard
    from reminder.relay.relay import Relay
    from reminder.service import Service

__all__ = ["routes"]

_SERIAL_BITS = 32
_MAX_PASSED = 4 * MAX_BYTES
_FEW = 1_000


def routes(service: Service) -> list[Route]:
    """Every path the national interface is called on; with a bureau behind us, every method that is left, too."""
    face = _Face(service)
    taken = [Route(path, face.call, methods=["POST"]) for path in paths_of(service.callers.paths)]
    anywhere = _Elsewhere("/{path:path}", face.call, methods=["POST"])
    if service.relay is None:
        return [*taken, anywhere]
    return [*taken, anywhere, Route("/{path:path}", face.pass_on, methods=PASSED)]


class _Elsewhere(Route):
    """Paths no client is known to call: another method there is not wrong, it is asked of nobody."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        found = super().matches(scope)
        return found if found[0] is Match.FULL else (Match.NONE, {})


class _Face:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def call(self, request: Request) -> Response:
        """A transaction, whichever it is."""
        service, arrived, clock = self._service, self._service.now(), asyncio.get_running_loop().time
        began_s = clock()
        try:
            raw = await bytes_of(request, MAX_BYTES if service.relay is None else _MAX_PASSED)
        except ClientDisconnect:
            return Response(status_code=400)
        try:
            heard = await self._heard(raw, request)
            kind = kind_of(heard.number)
            if _passes(heard, kind, request, service.relay):
                return await self._pass(raw, request, heard.number)
            left_s = left_s_of(request.headers, heard.caller, service.callers)
            turn = Turn(service, heard, request.scope, arrived, left_s and left_s - (clock() - began_s))
            reply = await turn.reply(kind)
            size = len(raw) if len(reply.output["result"]) > _FEW else 0  # a short reply waits for nobody's long body
            return await service.run(size, lambda: self._written(reply, heard, arrived))
        except HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 - a caller that gets no reply may refuse to save, or hang
            service.failed("http", error)
            return self._said(replies.failure_reply([OUR_FAULT]), NOTHING_SAID, ANYBODY, "", arrived)

    async def pass_on(self, request: Request) -> Response:
        """What is no transaction at all."""
        try:
            raw = await bytes_of(request, _MAX_PASSED)
        except ClientDisconnect:
            return Response(status_code=400)
        return await self._pass(raw, request, "")

    async def _pass(self, raw: bytes, request: Request, number: str) -> Response:
        """The bureau's reply as it is, or ours where there is none."""
        relay = self._service.relay
        if relay is None or len(raw) > _MAX_PASSED:
            raise HTTPException(404 if relay is None else 413)
        passed = await relay.pass_on(Call.of(request.scope, raw), number)
        if passed.why:
            return json_response(passed.status, passed.body)
        return AsItIs(passed.status, passed.headers, passed.body)

    async def _heard(self, raw: bytes, request: Request) -> Heard:
        """The call, read; a long one in its turn beside, which may take longer than its caller waits.

        What is long and somebody else's never waits: its number stands near its beginning.
        """
        service = self._service
        if len(raw) <= AT_ONCE:
            return hear(raw, request, service.callers)
        unread = unheard(raw, request, service.callers)
        if service.relay is not None and unread.number and not kind_of(unread.number):
            return unread
        left_s = left_s_of(request.headers, unread.caller, service.callers)
        try:
            async with asyncio.timeout(in_time(left_s, len(raw))):
                return await service.run(len(raw), partial(hear, raw, request, service.callers))
        except TimeoutError:
            return unread

    def _written(self, reply: replies.Reply, heard: Heard, arrived: datetime) -> Response:
        return self._said(reply, heard.envelope, heard.caller, heard.encoding, arrived)

    def _said(
        self, reply: replies.Reply, envelope: Envelope, caller: Caller, encoding: str, arrived: datetime
    ) -> Response:
        """The reply in its envelope, in the encoding it was asked in."""
        service = self._service
        arrived, answered = (service.civil(moment, envelope.institution) for moment in (arrived, service.now()))
        about = replies.envelope_of(envelope.area, arrived, answered, service.draw(_SERIAL_BITS))
        content = replies.encode(reply, about, caller)
        return json_response(200, in_kind(content, encoding) if encoding else _in_any(content), encoding or "utf-8")


def _passes(heard: Heard, kind: str, request: Request, relay: Relay | None) -> bool:
    """Whether a call is the bureau's: another transaction, one the settings leave to it, or nothing of the interface.

    Without a bureau only what is nothing of the interface, neither by its path nor by its body, is not ours to answer.
    """
    if not heard.number:
        return "path" in request.path_params
    return relay is not None and (not kind or (kind in CHECKS and relay.mode(kind) == "bureau"))


def _in_any(content: bytes) -> bytes:
    """JSON in ASCII alone, which is the same in every encoding its reader may take it to be in."""
    return json.dumps(json.loads(content)).encode()
