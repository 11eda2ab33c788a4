"""The face of CDS Hooks: a hook's request in, cards out. It decides nothing."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from negative_list.errors import FieldProblem, LimitError, RequestError
from negative_list.readers.body import parse_body
from negative_list.readers.fhir.request import NothingKnownError, hook_form
from reminder import feedback_rpc
from reminder.bodies import FAILED
from reminder.cds.actions import Orders
from reminder.cds.cards import Answering, not_checked
from reminder.cds.feedback import read_feedback, words_about
from reminder.cds.known import Cards
from reminder.cds.prefetch import SERVICES, discovery
from reminder.feedback.desk import LOOK_UP_S
from reminder.over_http import bytes_of, caller_of, json_response, left_s_of
from reminder.recording import Came, digest_of
from reminder.stores.base import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.requests import Request

    from negative_list.prescription import Prescription
    from negative_list.readers.fhir.request import HookForm
    from reminder.callers import Caller
    from reminder.cds.settings import Cds
    from reminder.service import Service

__all__ = ["Face"]

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_FEEDBACK = "reminder.v1.feedback"
_OUR_FAULT = FieldProblem(field="sidecar", message=FAILED)
_CODES: Mapping[int, str] = {400: "invalid", 401: "login", 404: "not-found", 412: "not-found", 413: "too-long"}
_FALLBACK = "exception"


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
            return await work(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except _UntrustedError:
            return _outcome(401, [])
        except RequestError as error:
            service.refused("cds", error)
            return self._refused(request, _status(error), error.fields)
        except StoreError as error:
            service.not_kept("cds", error)
            why = FieldProblem(field="sidecar", message=feedback_rpc.why_not_kept(error))
            return _outcome(503, [why])
        except Exception as error:  # noqa: BLE001 - the caller gets an answer without texts of patients
            service.failed("cds", error)
            return self._refused(request, 500, [_OUR_FAULT])

    def _refused(self, request: Request, status: int, fields: Sequence[FieldProblem]) -> Response:
        """A hook that was not checked is told as its caller wants it; anything else is an OperationOutcome."""
        is_hook = request.method == "POST" and not request.url.path.rstrip("/").endswith("/feedback")
        told = caller_of(request, self._service.callers).on_failure if is_hook else "error"
        if told == "error":
            return _outcome(status, fields)
        why = "; ".join(f"{each.field}: {each.message}" for each in fields)
        return _json(200, not_checked(self._cds, why, card=told == "row"))

    async def _discover(self, _request: Request) -> Response:
        return _json(200, discovery(self._cds.prefetch))

    # -- hooks

    async def _hook(self, request: Request) -> Response:
        service, raw = self._service, await bytes_of(request)
        hook = SERVICES.get(request.path_params["service"])
        if hook is None:
            return _outcome(404, [FieldProblem(field="id", message=_NO_SERVICE)])
        form = await service.run(len(raw), partial(_form_of, raw, hook, self._cds))
        prescription = await service.run(len(raw), partial(self._read, form))
        caller = caller_of(request, service.callers, institution=prescription.institution_id)
        left_s = left_s_of(request.headers, caller.left_s)
        decision = await service.check(prescription, len(raw), left_s, _came(raw, caller))
        self._cards.shown(decision)
        answering = self._answering(form, prescription)
        return _json(200, await service.run(len(raw), partial(answering.answer, decision)))

    def _read(self, form: HookForm) -> Prescription:
        """The prescription of a request; what is wrong is told in the request's own words."""
        try:
            return form.finished(self._service.read_own(dict(form.body), saved=form.saved))
        except RequestError as error:
            raise form.refused(error) from error

    def _answering(self, form: HookForm, prescription: Prescription) -> Answering:
        moment = self._service.now().astimezone(self._service.active.sites.of(prescription.institution_id).zone)
        offset = moment.strftime("%z")
        orders = Orders(
            by_line=form.references(prescription),
            patient_id=form.patient_id,
            offset=f"{offset[:3]}:{offset[3:5]}",
        )
        return Answering(cds=self._cds, prescription=prescription, orders=orders)

    # -- feedback

    async def _feedback(self, request: Request) -> Response:
        service, raw = self._service, await bytes_of(request)
        if request.path_params["service"] not in SERVICES:
            return _outcome(404, [FieldProblem(field="id", message=_NO_SERVICE)])
        heard = await service.run(len(raw), lambda: read_feedback(parse_body(raw)))
        until = time.monotonic() + LOOK_UP_S
        ids = [each.card for each in heard.told]
        cards = await self._cards.of(ids, service.journal, lambda: until - time.monotonic())
        recorded = await service.feedback.record(words_about(heard.told, cards, self._cds.institution))
        items = [
            {"card": told.card, "status": answer.status, **({"message": answer.message} if answer.message else {})}
            for told, answer in zip(heard.told, recorded.items, strict=True)
        ]
        said = {"items": items, "journaled": recorded.journaled}
        problems = [{"field": each.field, "message": each.message} for each in heard.problems]
        return _json(200, {"extension": {_FEEDBACK: said | ({"problems": problems} if problems else {})}})


class _Trust:
    """Who may call. The library that reads tokens is loaded with the first of them."""

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


def _form_of(raw: bytes, hook: str, cds: Cds) -> HookForm:
    body = parse_body(raw)
    if body.get("hook", hook) != hook:
        raise RequestError([FieldProblem(field="hook", message=f"此服务只用于 {hook} (this service is for `{hook}`)")])
    return hook_form(body, cds.naming, cds.institution)


def _came(raw: bytes, caller: Caller) -> Came:
    return Came(face="cds", digest=digest_of(raw), caller=caller.name, lowest_action=caller.lowest_action)


def _status(error: RequestError) -> int:
    if isinstance(error, NothingKnownError):
        return 412
    return 413 if isinstance(error, LimitError) else 400


def _outcome(status: int, fields: Sequence[FieldProblem]) -> Response:
    """A refusal in FHIR's own form; a caller that is not trusted is not told why."""
    code = _CODES.get(status, _FALLBACK)
    issues: list[dict[str, Any]] = [
        {"severity": "error", "code": code, "diagnostics": each.message, "expression": [each.field]} for each in fields
    ]
    return _json(status, {"resourceType": "OperationOutcome", "issue": issues or [{"severity": "error", "code": code}]})


def _json(status: int, told: Mapping[str, Any]) -> Response:
    return json_response(status, _ENCODER.encode(told))


_NO_SERVICE = "没有此服务 (no such service); 请见 /cds-services (see /cds-services)"
