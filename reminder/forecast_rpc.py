"""The streaming half of ListService over gRPC: forecast, comparison and the list of tomorrow.

Each is made by a process of its own (:mod:`reminder.forecast.child`), one at a time: who comes meanwhile is told that
nothing was done yet, and waits. A caller that goes takes the work along. A forecast that was made is a step of its
release.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
import msgspec

from negative_list.dictionary import ImpossibleValueError, parse_time
from negative_list.errors import FieldProblem, RequestError, nearest
from reminder import wire
from reminder.config import SQLITE
from reminder.list_rpc import SERVICE
from reminder.office_rpc import NO_OFFICE, ROAD_CODES
from reminder.releases.trust import RoadError
from reminder.reports import frames
from reminder.reports.beside import answers, had
from reminder.rpc import Context, answered
from reminder.stores.base import StoreError
from reminder.v1 import reminder_pb2 as pb

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from reminder.config import Config
    from reminder.releases.ledger import Step
    from reminder.releases.office import Office
    from reminder.releases.standing import Chosen
    from reminder.service import Service

__all__ = ["DAYS_BACK", "WITHIN_S", "add_forecasts"]

DAYS_BACK = 28
"""Days a forecast replays unless others are named: four weeks, each weekday as often."""

WITHIN_S = 600
"""Seconds a forecast may take unless told otherwise."""

WAITING_S = 5.0
"""How often somebody who waits for another's forecast is told so."""

_FORMATS = ("text", "html", "csv", "xlsx", "json")
_MOST_S = 24 * 3600

_Json: TypeAlias = dict[str, Any]
_Part: TypeAlias = "type[pb.ForecastResponse | pb.CompareResponse | pb.TomorrowResponse]"


def add_forecasts(server: grpc.aio.Server, service: Service, config: Config) -> None:
    """Forecast, Compare and Tomorrow of ListService, on the administration server of worker 0."""
    face = _Forecasts(service, config)
    methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        name: grpc.unary_stream_rpc_method_handler(
            method, request_deserializer=None, response_serializer=lambda message: message.SerializeToString()
        )
        for name, method in (("Forecast", face.forecast), ("Compare", face.compare), ("Tomorrow", face.tomorrow))
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))


class _Forecasts:
    def __init__(self, service: Service, config: Config) -> None:
        self._service, self._config = service, config
        self._turn = asyncio.Lock()

    async def forecast(self, data: bytes, context: Context) -> AsyncGenerator[Any, None]:
        """What a call is answered, part by part."""
        request = _message(data, pb.ForecastRequest)
        async with contextlib.aclosing(
            self._answered(context, lambda office: self._forecast(request(), office), pb.ForecastResponse)
        ) as parts:
            async for part in parts:
                yield part

    async def compare(self, data: bytes, context: Context) -> AsyncGenerator[Any, None]:
        """The same of a comparison."""
        request = _message(data, pb.CompareRequest)
        async with contextlib.aclosing(
            self._answered(context, lambda office: self._compare(request(), office), pb.CompareResponse)
        ) as parts:
            async for part in parts:
                yield part

    async def tomorrow(self, data: bytes, context: Context) -> AsyncGenerator[Any, None]:
        """The same of the list of tomorrow."""
        request = _message(data, pb.TomorrowRequest)
        async with contextlib.aclosing(
            self._answered(context, lambda office: self._tomorrow(request(), office), pb.TomorrowResponse)
        ) as parts:
            async for part in parts:
                yield part

    # -- what is asked

    def _forecast(self, request: pb.ForecastRequest, office: Office) -> _Json:
        today = self._now().date()
        begin = _day("from", getattr(request, "from"), today - timedelta(days=DAYS_BACK))
        end = _day("to", request.to, today + timedelta(days=1))
        if begin >= end:
            raise _refused(
                "to", "期间为空 (the period ends before it begins); 请写期间之后的第一天 (the first day after it)"
            )
        if not 0 <= request.within_s <= _MOST_S:
            raise _refused("within_s", f"`{request.within_s}` 不在 0 至 {_MOST_S} 之间 (is not between them)")
        staged = office.staged(request.version)
        order = self._order("forecast", request, office, staged.version, staged.digest)
        return order | {
            "at": self._planned(request.at, staged.version, office) or self._now(),
            "begin": begin,
            "end": end,
            "within_s": float(request.within_s or WITHIN_S),
            "samples": request.samples,
            "keep": "" if request.samples else str(office.folder.forecast_file(staged.digest)),
        }

    def _tomorrow(self, request: pb.TomorrowRequest, office: Office) -> _Json:
        staged = office.staged(request.version)
        order = self._order("tomorrow", request, office, staged.version, staged.digest)
        midnight = datetime.combine(self._now().date() + timedelta(days=1), clock())
        return order | {"at": self._planned(request.at, staged.version, office) or midnight}

    def _compare(self, request: pb.CompareRequest, office: Office) -> _Json:
        chain = _was_active(office)
        place = next((n for n, one in enumerate(chain) if not request.version or one.version == request.version), None)
        if place is None or not chain[place].version:
            known = [one.version for one in chain if one.version]
            raise _refused(
                "version",
                f"`{request.version}` 没有启用过 (was never active){nearest(request.version, known)}; "
                "可用的见 reminder lists status (see there for those that were)",
            )
        about = chain[place]
        order = self._order("compare", request, office, about.version, about.digest)
        ended = chain[place - 1].at if place else self._service.now()
        return order | {
            # Whenever it was active: the fact is counted from the decisions that name it.
            "at": self._civil(min(_utc(one) for one in chain if one.version == about.version)),
            "now": ended,
            "keep": str(office.folder.forecast_file(about.digest)),
        }

    def _order(self, form: str, request: Any, office: Office, version: str, digest: str) -> _Json:
        """What the process is told, as far as all three are told alike."""
        if request.format and request.format not in _FORMATS:
            known = ", ".join(_FORMATS)
            raise _refused("format", f"没有 `{request.format}` (there is no such form); 可用的有 (known are): {known}")
        active, config, today = self._service.active, self._config, self._now().date()
        return {
            "wanted": {"form": form, "format": request.format or "json", "english": request.english},
            "active": _listed(office, active.compiled.digest, active.release or ""),
            "coming": _listed(office, digest, version),
            "policy": active.policy,
            "confirmed": str(office.folder.confirmed) if office.folder.confirmed.exists() else "",
            "data": str(config.data.absolute()),
            "database": "" if config.store == SQLITE else config.store,
            "site": None if config.site is None else str(config.site.absolute()),
            "begin": today,
            "end": today,
            "now": self._service.now(),
        }

    def _now(self) -> datetime:
        """Now, civil time of the default site."""
        return self._civil(self._service.now())

    def _civil(self, moment: datetime) -> datetime:
        return self._service.civil(moment, "").replace(microsecond=0)

    def _planned(self, text: str, version: str, office: Office) -> datetime | None:
        """When the release is to be active: as told, else as it is scheduled."""
        if not text:
            due = office.standing().scheduled
            return self._civil(due.at) if due is not None and due.version == version else None
        try:
            found = parse_time(text, self._service.active.sites.default.zone)
        except ImpossibleValueError:
            found = None
        if found is None:
            raise _refused("at", f"`{text}` 不是时间 (is no time); 请写成 2026-12-01 00:00:00 (write it like that)")
        return found[0]

    # -- what is answered

    async def _answered(
        self, context: Context, order_of: Callable[[Office], _Json], part: _Part
    ) -> AsyncGenerator[Any, None]:
        office = self._service.office
        if office is None:
            await context.abort(grpc.StatusCode.UNAVAILABLE, NO_OFFICE)
        parts = self._parts(order_of, office, part)
        async with contextlib.aclosing(parts):
            while (told := await answered(self._service, context, _next(parts))) is not None:
                if isinstance(told, RoadError):
                    await context.abort(ROAD_CODES[told.kind], str(told))
                if isinstance(told, StoreError):
                    await context.abort(grpc.StatusCode.UNAVAILABLE, str(told))
                yield told

    async def _parts(
        self, order_of: Callable[[Office], _Json], office: Office, part: _Part
    ) -> AsyncGenerator[Any, None]:
        order = order_of(office)
        line = msgspec.json.encode(order) + b"\n"
        while not await had(self._turn, WAITING_S):
            yield part(progress=pb.ForecastProgress())
        begun = time.monotonic()
        try:
            async with contextlib.aclosing(answers("reminder.forecast.child", line)) as made:
                async for kind, content in made:
                    if kind == frames.PIECE:
                        yield part(content=content)
                    elif kind == frames.PROGRESS:
                        done, total = msgspec.json.decode(content, type=tuple[int, int])
                        yield part(progress=pb.ForecastProgress(done=done, total=total))
                    elif content and order["keep"]:
                        await _noted(office, order, content.decode(), time.monotonic() - begun)
        finally:
            self._turn.release()


def _was_active(office: Office) -> Sequence[Chosen | Step]:
    """What was active, newest first: as the steps say, which know those taken back; else as what stands does."""
    standing = office.standing()
    stood = [one for one in (standing.active, *standing.before) if one is not None]
    done = (step for step in reversed(office.book.all()) if step.result == "done")
    moves = [step for step in done if step.step in {"activate", "rollback"}]
    return moves if moves and stood and moves[0].version == stood[0].version else stood


def _utc(chosen: Chosen | Step) -> datetime:
    return chosen.at if chosen.at.tzinfo is not None else chosen.at.replace(tzinfo=UTC)


def _listed(office: Office, digest: str, version: str) -> _Json:
    """Where a list stands: among the releases, as a list that one followed, or in the journal."""
    folder = office.folder
    for kind, path in (("release", folder.staged_file(digest)), ("canonical", folder.list_file(digest))):
        if path.exists():
            return {"kind": kind, "place": str(path), "digest": digest, "version": version}
    return {"kind": "journal", "place": digest, "digest": digest, "version": version}


async def _noted(office: Office, order: _Json, summary: str, took_s: float) -> None:
    """The forecast is a step of its release."""
    digest = order["coming"]["digest"]
    await office.noted(digest, step="forecast", result="done", detail=summary, took_ms=round(took_s * 1000))


def _message(data: bytes, kind: type[Message]) -> Callable[[], Any]:
    """Reads a request when it is asked for, so that what is wrong with it is answered like everything else."""
    return lambda: wire.message_in(data, kind)


def _refused(field: str, message: str) -> RequestError:
    return RequestError([FieldProblem(field=field, message=message)])


def _day(field: str, text: str, other: date) -> date:
    try:
        return date.fromisoformat(text) if text else other
    except ValueError:
        raise _refused(
            field, f"`{text}` 不是日期 (is no day); 请写成 2026-01-31 的样子 (write it like 2026-01-31)"
        ) from None


async def _next(parts: AsyncGenerator[Any, None]) -> Any:
    """The next part, or why there is none: a caller is told so, not that we failed."""
    try:
        return await anext(parts, None)
    except (RoadError, StoreError) as error:
        return error
