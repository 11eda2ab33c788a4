"""One call of a transaction that is ours: checked, or kept as feedback, or told why not, before its caller gives up."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from negative_list.errors import FieldProblem, LimitError, RequestError
from negative_list.readers.dialects import national_form
from reminder.bodies import FAILED, OURS
from reminder.feedback_rpc import why_not_kept
from reminder.ids import decision_of
from reminder.national import feedback, replies
from reminder.national.calls import AT_ONCE, whose
from reminder.national.transactions import CHECKS, FEEDBACK
from reminder.over_http import in_time, timed, to_decide_s
from reminder.recording import Came, digest_of
from reminder.relay.records import Call
from reminder.stores.base import StoreError
from reminder.unchecked import NotChecked, left_out_of, write_unchecked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from reminder.national.calls import Heard
    from reminder.relay.records import BureauSaid
    from reminder.service import Service
    from reminder.unchecked import LeftOut, Why

__all__ = ["OUR_FAULT", "Turn"]

OUR_FAULT = FieldProblem(field=OURS, message=FAILED)
"""What is told where the fault is ours."""

_TOO_LATE = FieldProblem(field=OURS, message="未能在时限内完成 (not done in time); 请稍后重试 (try it again)")
_NO_NUMBER = "缺少交易编号，也看不出是哪个交易 (no transaction number); 请给出 3101、3102 或 3103 (give one of these)"
_PART_FOR_THE_BUREAU = 0.8
"""How much of the time that is left the bureau may take: the merged reply needs the rest."""
_MAX_NUMBER = 10


_Asking: TypeAlias = "asyncio.Future[BureauSaid]"


class Turn:
    """A call being answered.

    Args:
        service: the core.
        heard: the call.
        scope: of the same, as ASGI has it: what the bureau is sent.
        arrived: when it came, UTC.
        left_s: seconds until the caller gives up; ``None``: it waits.
    """

    def __init__(
        self, service: Service, heard: Heard, scope: Mapping[str, Any], arrived: datetime, left_s: float | None
    ) -> None:
        self._service = service
        self._heard = heard
        self._scope = scope
        self._arrived = arrived
        self._clock = asyncio.get_running_loop().time
        self._until = None if left_s is None else self._clock() + left_s

    async def reply(self, kind: str) -> replies.Reply:
        """The reply to a transaction of ``kind``; "" is one of nobody here."""
        heard = self._heard
        if heard.late and kind == FEEDBACK:
            return replies.failure_reply([_TOO_LATE])
        if kind == FEEDBACK:
            return await self._fed_back()
        if kind in CHECKS or heard.body is None:
            return await self._checked(kind or CHECKS[0])
        if heard.number:
            return _nobodys(heard.number)
        return replies.failure_reply([FieldProblem(field="infno", message=_NO_NUMBER)])

    def _left_s(self) -> float | None:
        return None if self._until is None else self._until - self._clock()

    def _call(self) -> Call:
        return Call.of(self._scope, self._heard.raw)

    # -- checks

    async def _checked(self, kind: str) -> replies.Reply:
        """A decision as a reply; whatever comes in between, one that says that nothing was checked."""
        service, heard, caller = self._service, self._heard, self._heard.caller
        came = Came(face=kind, digest=digest_of(heard.raw), caller=caller.name, lowest_action=caller.lowest_action)
        asking = None if heard.late else self._ask(kind)
        try:
            if heard.late:
                raise TimeoutError  # noqa: TRY301 - as if it had waited here
            async with asyncio.timeout(in_time(self._left_s(), len(heard.raw))):
                reply, left_out = await self._decided(came, asking)
            if left_out is None:
                return reply
            unchecked = await self._written(came, left_out.why, left_out.fields)
            return replies.partial_reply(reply, left_out.fields, unchecked, caller)
        except RequestError as error:
            service.refused("http", error)
            why: Why = "limit" if isinstance(error, LimitError) else "request"
            return await self._unchecked(came, why, error.fields, asking)
        except TimeoutError:
            service.late("http")
            return await self._unchecked(came, "deadline", [_TOO_LATE], asking)
        except Exception as error:  # noqa: BLE001 - a caller that gets no reply may refuse to save, or hang
            service.failed("http", error)
            return await self._unchecked(came, "failed", [OUR_FAULT], asking)
        finally:
            if asking is not None:
                asking.cancel()

    async def _decided(self, came: Came, asking: _Asking | None) -> tuple[replies.Reply, LeftOut | None]:
        service, heard, size = self._service, self._heard, len(self._heard.raw)
        prescription, took_s = await service.run(size, lambda: timed(lambda: service.read_national(heard.readable())))
        decision = await service.check(prescription, size, to_decide_s(self._left_s(), size, took_s), came)
        reply = await service.run(size, partial(replies.reply_of, decision, prescription))
        if asking is not None:
            said = await asyncio.shield(asking)
            reply = replies.with_bureau(reply, said.rows, said.why, came.lowest_action)
        return reply, left_out_of(decision)

    def _ask(self, kind: str) -> _Asking | None:
        """The bureau, asked beside us where the settings say so."""
        relay, left_s = self._service.relay, self._left_s()
        if relay is None or relay.mode(kind) != "both":
            return None
        within_s = float("inf") if left_s is None else left_s * _PART_FOR_THE_BUREAU
        return asyncio.ensure_future(relay.ask(self._call(), within_s))

    async def _unchecked(
        self, came: Came, why: Why, fields: Sequence[FieldProblem], asking: _Asking | None
    ) -> replies.Reply:
        """Told as the caller wants it; what the bureau found of it meanwhile is as good as ever."""
        caller, unchecked = self._heard.caller, await self._written(came, why, fields)
        said = await asking if asking is not None and (asking.done() or why != "deadline") else None
        if said is None or said.why:
            return replies.failure_reply(fields, unchecked, caller)
        nothing = replies.Reply(output={"result": [], "notes": []})
        found = replies.with_bureau(nothing, said.rows, "", came.lowest_action)
        return replies.partial_reply(found, fields, unchecked, caller)

    async def _written(self, came: Came, why: Why, fields: Sequence[FieldProblem]) -> replies.Unchecked:
        """What was not checked, once that is written down and counted."""
        heard, told = self._heard, self._heard.caller.on_failure
        what = NotChecked(
            why=why,
            told=told,
            fields=fields,
            institution_id=heard.envelope.institution,
            request_id=heard.envelope.msgid,
        )
        ident = await write_unchecked(self._service, came, what, self._left_s())
        return replies.Unchecked(id=ident, reason=why, **whose(heard.body))

    # -- feedback

    async def _fed_back(self) -> replies.Reply:
        """3103: kept and said what became of it, or why it could not be kept, so that it is sent again."""
        service = self._service
        try:
            return await self._kept()
        except RequestError as error:
            service.refused("http", error)
            return replies.failure_reply(error.fields)
        except StoreError as error:
            service.not_kept("http", error)
            return replies.failure_reply([FieldProblem(field=OURS, message=why_not_kept(error))])
        except Exception as error:  # noqa: BLE001 - as above
            service.failed("http", error)
            return replies.failure_reply([OUR_FAULT])

    async def _kept(self) -> replies.Reply:
        service, heard = self._service, self._heard
        size = len(heard.raw) if len(heard.raw) > AT_ONCE else 0
        form = await service.run(size, partial(national_form, heard.readable()))
        arrived = self._arrived.astimezone(service.feedback.zone_of(heard.envelope.institution))
        told = feedback.read_told(form, arrived, automatic=heard.caller.automatic, is_theirs=self._is_theirs())
        ours, theirs = told.words, told.theirs
        # The bureau's first: it hears of its own whether we keep a journal or not.
        if theirs and service.relay is not None and (why := await service.relay.feed_back(theirs, self._call())):
            raise RequestError([FieldProblem(field="input.data.warns", message=why)])
        recorded = await service.feedback.record(ours, self._left_s()) if ours.items else None
        return replies.kept_reply(feedback.output_of(told, recorded))

    def _is_theirs(self) -> Callable[[str], bool] | None:
        """Whether a finding is the bureau's: one it issued, or one that cannot be ours."""
        relay = self._service.relay
        if relay is None:
            return None
        others = relay.mode(FEEDBACK) != "local"
        return lambda one: (others and not decision_of(one)) or relay.theirs(one)


def _nobodys(number: str) -> replies.Reply:
    """A transaction that is somebody else's, where nobody stands behind us."""
    message = (
        f"本机只答复 3101、3102、3103，交易 {number[:_MAX_NUMBER]} 未处理：未配置上级接口 "
        "(nothing here does it, and no [upstream] is set); 请发往医保接口 (send it to the bureau)"
    )
    return replies.Reply(infcode=-1, err_msg=message, output={"result": []})
