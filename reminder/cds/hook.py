"""One hook call: checked before its caller gives up, or said that it was not."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from negative_list.errors import FieldProblem, LimitError, RequestError
from negative_list.readers.body import parse_body
from negative_list.readers.fhir.elements import text
from negative_list.readers.fhir.request import hook_form
from reminder.bodies import OURS
from reminder.cds.actions import Orders
from reminder.cds.cards import DECISION, PARTLY, Answering, not_checked
from reminder.cds.outcome import OUR_FAULT, answer, outcome, status_of
from reminder.over_http import caller_of, in_time, left_s_of, timed, to_decide_s
from reminder.recording import Came, digest_of
from reminder.unchecked import NotChecked, left_out_of, write_unchecked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from negative_list.decision import Decision
    from negative_list.prescription import Prescription
    from negative_list.readers.fhir.request import HookForm
    from reminder.callers import Caller
    from reminder.cds.settings import Cds
    from reminder.service import Service
    from reminder.unchecked import LeftOut, Why

__all__ = ["HookCall"]

_NOT_SAID = (None, "")
_TOO_LATE = FieldProblem(field="sidecar", message="未能在时限内完成 (not done in time); 请稍后重试 (try it again)")


class HookCall:
    """A call being answered.

    Args:
        service: the core.
        cds: the settings.
        request: what came; ``raw`` its body.
        hook: of the service that was called.
        shown: told the decision that is answered.
    """

    def __init__(
        self, service: Service, cds: Cds, request: Request, raw: bytes, hook: str, shown: Callable[[Decision], None]
    ) -> None:
        self._service = service
        self._cds = cds
        self._request = request
        self._raw = raw
        self._hook = hook
        self._shown = shown
        self._caller = caller_of(request, service.callers)
        self._clock = asyncio.get_running_loop().time
        self._begun = self._clock()
        self._body: dict[str, Any] = {}
        self._form: HookForm | None = None

    async def answer(self) -> Response:
        """The cards; whatever comes in between, an answer that says that nothing was checked."""
        service = self._service
        try:
            async with asyncio.timeout(in_time(self._left_s(), len(self._raw))):
                told, left_out = await self._decided()
            return answer(200, told) if left_out is None else await self._partly(told, left_out)
        except RequestError as error:
            service.refused("cds", error)
            why: Why = "limit" if isinstance(error, LimitError) else "request"
            return await self._unchecked(why, status_of(error), error.fields)
        except TimeoutError:
            service.late("cds")
            return await self._unchecked("deadline", 504, [_TOO_LATE])
        except Exception as error:  # noqa: BLE001 - the caller gets an answer without texts of patients
            service.failed("cds", error)
            return await self._unchecked("failed", 500, [OUR_FAULT])

    def _left_s(self) -> float | None:
        told = left_s_of(self._request.headers, self._caller, self._service.callers)
        return None if told is None else told - (self._clock() - self._begun)

    async def _decided(self) -> tuple[dict[str, Any], LeftOut | None]:
        service, size = self._service, len(self._raw)
        (form, prescription), took_s = await service.run(size, partial(timed, self._read))
        self._caller = caller_of(self._request, service.callers, institution=prescription.institution_id)
        left_s = to_decide_s(self._left_s(), size, took_s)
        decision = await service.check(prescription, size, left_s, self._came(self._caller))
        self._shown(decision)
        answering = self._answering(form, prescription)
        left_out = left_out_of(decision)
        late = left_out if left_out is not None and left_out.why == "deadline" else None
        return await service.run(size, partial(answering.answer, decision)), late

    async def _partly(self, told: dict[str, Any], left_out: LeftOut) -> Response:
        """Cards of what was judged in time, and as the caller wants it that this is not all; none would be a pass."""
        if self._caller.on_failure == "error" and not told["cards"]:
            return await self._unchecked(left_out.why, 504, left_out.fields)
        ident = await self._written(left_out.why, left_out.fields)
        why, card = _said(left_out.fields), self._caller.on_failure != "open"
        more = not_checked(self._cds, ident, why, card=card, summary=PARTLY)
        extension = told["extension"]
        extension |= {DECISION: extension[DECISION] | more["extension"][DECISION]}
        return answer(200, told | {"cards": [*told["cards"], *more["cards"]], "extension": extension})

    def _read_form(self) -> HookForm:
        body = self._body = parse_body(self._raw)
        if body.get("hook") in _NOT_SAID:
            body["hook"] = self._hook
        if body["hook"] != self._hook:
            message = f"此服务只用于 {self._hook} (this service is for `{self._hook}`); 请改用该 hook (send that hook)"
            raise RequestError([FieldProblem(field="hook", message=message)])
        return hook_form(body, self._cds.naming, self._cds.institution)

    def _read(self) -> tuple[HookForm, Prescription]:
        """The request and its prescription; what is wrong is told in its own words."""
        form = self._form = self._read_form()
        try:
            return form, form.finished(self._service.read_own(dict(form.body), saved=form.saved))
        except RequestError as error:
            raise form.refused(error) from error

    def _answering(self, form: HookForm, prescription: Prescription) -> Answering:
        zone = self._service.active.sites.of(prescription.institution_id).zone
        offset = self._service.now().astimezone(zone).strftime("%z")
        orders = Orders(
            by_line=form.references(prescription),
            patient_id=form.patient_id,
            offset=f"{offset[:3]}:{offset[3:5]}",
        )
        return Answering(cds=self._cds, prescription=prescription, orders=orders)

    def _came(self, caller: Caller) -> Came:
        return Came(face="cds", digest=digest_of(self._raw), caller=caller.name, lowest_action=caller.lowest_action)

    async def _unchecked(self, why: Why, status: int, fields: Sequence[FieldProblem]) -> Response:
        """Written down and counted, and told as the caller wants it."""
        ident, told = await self._written(why, fields), self._caller.on_failure
        if told == "error":
            return outcome(status, fields)
        return answer(200, not_checked(self._cds, ident, _said(fields), card=told == "row"))

    async def _written(self, why: Why, fields: Sequence[FieldProblem]) -> str:
        """The id under which the journal has what was not checked."""
        told, form = self._caller.on_failure, self._form.body if self._form is not None else {}
        what = NotChecked(
            why=why,
            told=told,
            fields=fields,
            institution_id=str(form.get("institution_id", self._cds.institution)),
            request_id=text(self._body.get("hookInstance")),
        )
        return await write_unchecked(self._service, self._came(self._caller), what, self._left_s())


def _said(fields: Sequence[FieldProblem]) -> str:
    return "; ".join(each.message if each.field == OURS else f"{each.field}: {each.message}" for each in fields)
