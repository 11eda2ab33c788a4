"""The face of CDS Hooks: discovery, hooks, feedback. It decides nothing."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from negative_list.errors import FieldProblem, RequestError
from negative_list.readers.body import parse_body
from reminder import feedback_rpc
from reminder.cds.feedback import read_feedback, words_about
from reminder.cds.hook import HookCall
from reminder.cds.known import Cards
from reminder.cds.outcome import NO_SERVICE, OUR_FAULT, answer, outcome, status_of
from reminder.cds.prefetch import SERVICES, discovery
from reminder.feedback.desk import LOOK_UP_S
from reminder.over_http import bytes_of
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from reminder.cds.feedback import Heard
    from reminder.cds.settings import Cds
    from reminder.feedback.words import Recorded
    from reminder.service import Service

__all__ = ["Face"]

_FEEDBACK = "reminder.v1.feedback"


class _UntrustedError(Exception):
    """The caller is not known by its token."""


class Face:
    """CDS Hooks over a service."""

    def __init__(self, service: Service, cds: Cds) -> None:
        self._service = service
        self._cds = cds
        self._cards = Cards()
        self._trust = _Trust(service, cds) if cds.issuers else None

    async def discover(self, request: Request) -> Response:
        """Which services there are."""
        return await self._answered(request, self._discover)

    async def hook(self, request: Request) -> Response:
        """One hook call."""
        return await self._answered(request, self._hook)

    async def feedback(self, request: Request) -> Response:
        """What was done about cards."""
        return await self._answered(request, self._feedback)

    async def _answered(self, request: Request, work: Callable[[Request], Awaitable[Response]]) -> Response:
        """The answer of ``work``; a refusal is an OperationOutcome, without texts of patients."""
        service = self._service
        try:
            if self._trust is not None:
                await self._trust.check(request)
            if request.path_params.get("service", next(iter(SERVICES))) not in SERVICES:
                return outcome(404, [NO_SERVICE])
            return await work(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except _UntrustedError:
            return outcome(401, [])
        except RequestError as error:
            service.refused("cds", error)
            return outcome(status_of(error), error.fields)
        except StoreError as error:
            service.not_kept("cds", error)
            return outcome(503, [FieldProblem(field="sidecar", message=feedback_rpc.why_not_kept(error))])
        except Exception as error:  # noqa: BLE001 - the caller gets an answer without texts of patients
            service.failed("cds", error)
            return outcome(500, [OUR_FAULT])

    async def _discover(self, _request: Request) -> Response:
        return answer(200, discovery(self._cds.prefetch))

    async def _hook(self, request: Request) -> Response:
        raw, hook = await bytes_of(request), SERVICES[request.path_params["service"]]
        return await HookCall(self._service, self._cds, request, raw, hook, self._cards.shown).answer()

    async def _feedback(self, request: Request) -> Response:
        service, raw = self._service, await bytes_of(request)
        heard = await service.run(len(raw), lambda: read_feedback(parse_body(raw)))
        until = time.monotonic() + LOOK_UP_S
        ids = [each.card for each in heard.told]
        cards = await self._cards.of(ids, service.journal, lambda: until - time.monotonic())
        recorded = await service.feedback.record(words_about(heard.told, cards, self._cds.institution))
        return answer(200, {"extension": {_FEEDBACK: _said(heard, recorded)}})


def _said(heard: Heard, recorded: Recorded) -> dict[str, Any]:
    """What became of each item; CDS Hooks itself says nothing about the answer (b.6)."""
    items = [
        {"card": told.card, "status": each.status} | ({"message": each.message} if each.message else {})
        for told, each in zip(heard.told, recorded.items, strict=True)
    ]
    problems = [{"field": each.field, "message": each.message} for each in heard.problems]
    return {"items": items, "journaled": recorded.journaled} | ({"problems": problems} if problems else {})


class _Trust:
    """Who may call. The library that reads tokens is loaded with the first call."""

    def __init__(self, service: Service, cds: Cds) -> None:
        from reminder.cds.tokens import Seen, Tokens  # noqa: PLC0415 - only where tokens are asked for

        self._service = service
        self._base = cds.base_url
        self._tokens = Tokens(cds.issuers)
        self._seen = Seen()

    async def check(self, request: Request) -> None:
        """Raise where the caller is not known; why is logged, and not told (b.7)."""
        from reminder.cds.tokens import UntrustedError  # noqa: PLC0415 - the same

        now, header = self._service.now(), request.headers.get("authorization", "")
        try:
            token = await asyncio.to_thread(self._tokens.verified, header, self._base + request.url.path, now)
            self._seen.take(token, now)
        except UntrustedError as error:
            self._service.metrics.refused("cds", "token")
            self._service.log.warning("refused", face="cds", reason="token", why=str(error))
            raise _UntrustedError from None
