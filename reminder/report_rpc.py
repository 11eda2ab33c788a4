"""ReportService over gRPC: progress, then the report in pieces; the same bytes as ``reminder report``.

A report is made by a process of its own (:mod:`reminder.reports.child`), one at a time: who comes meanwhile is told
that nothing was read yet, and waits. A caller that goes takes its report along.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

import grpc
import msgspec

from reminder import wire
from reminder.config import SQLITE
from reminder.reports import frames
from reminder.reports.beside import answers, had
from reminder.rpc import Context, answered
from reminder.stores.base import StoreError
from reminder.v1 import reminder_pb2 as pb

if TYPE_CHECKING:
    from reminder.config import Config
    from reminder.service import Service

__all__ = ["NOT_READ", "SERVICE", "WAITING_S", "add_reports"]

SERVICE = pb.DESCRIPTOR.services_by_name["ReportService"].full_name
"""The name of the service."""

NOT_READ = "日志无法读取 (the journal cannot be read); 请稍后重试，或联系信息科 (try again later, or see its log)"
"""What a caller is told where there is no journal, or it cannot be read."""

WAITING_S = 5.0
"""How often somebody who waits for another's report is told so."""


def add_reports(server: grpc.aio.Server, service: Service, config: Config) -> None:
    """ReportService."""
    face = _Reports(service, config)
    report: grpc.RpcMethodHandler[bytes, pb.ReportResponse] = grpc.unary_stream_rpc_method_handler(
        face.report, request_deserializer=None, response_serializer=pb.ReportResponse.SerializeToString
    )
    methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {"Report": report}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))


class _Reports:
    def __init__(self, service: Service, config: Config) -> None:
        self._service = service
        self._config = config
        self._turn = asyncio.Lock()

    async def report(self, data: bytes, context: Context) -> AsyncGenerator[pb.ReportResponse, None]:
        """What a call is answered, part by part."""
        parts = self._parts(data)
        async with contextlib.aclosing(parts):
            while (part := await answered(self._service, context, _next(parts))) is not None:
                if isinstance(part, StoreError):
                    self._service.not_kept("grpc", part)
                    await context.abort(grpc.StatusCode.UNAVAILABLE, NOT_READ)
                yield part

    async def _parts(self, data: bytes) -> AsyncGenerator[pb.ReportResponse, None]:
        request = wire.message_in(data, pb.ReportRequest)
        # Beside the loop: the first report loads what it takes to understand one.
        order = await asyncio.to_thread(_order, request, self._config)
        while not await had(self._turn, WAITING_S):
            yield _progress(0, 0)
        try:
            async with contextlib.aclosing(_made(order)) as made:
                async for part in made:
                    yield part
        finally:
            self._turn.release()


async def _next(parts: AsyncGenerator[pb.ReportResponse, None]) -> pb.ReportResponse | StoreError | None:
    """The next part, or that the journal cannot be read: a caller is told so, not that something was not kept."""
    try:
        return await anext(parts, None)
    except StoreError as error:
        return error


def _order(request: pb.ReportRequest, config: Config) -> bytes:
    """What the process is told, one line of JSON."""
    # Loaded with the first report: a sidecar that only checks does without.
    from reminder.reports.asking import asked_of  # noqa: PLC0415

    asked = asked_of(
        by=request.by,
        begin=getattr(request, "from"),
        end=request.to,
        until=request.until,
        as_format=request.format,
        english=request.english,
        formula=request.formula,
        institution=request.institution_id,
    )
    sources = {
        "data": str(config.data.absolute()),
        "database": "" if config.store == SQLITE else config.store,
        "site": None if config.site is None else str(config.site.absolute()),
        "formulas": None if config.formulas is None else str(config.formulas.absolute()),
    }
    return msgspec.json.encode({"asked": asked, "sources": sources}) + b"\n"


async def _made(order: bytes) -> AsyncGenerator[pb.ReportResponse, None]:
    """What a process makes of an order; it ends with this, done or not."""
    async with contextlib.aclosing(answers("reminder.reports.child", order)) as made:
        async for kind, content in made:
            if kind == frames.PIECE:
                yield pb.ReportResponse(report=content)
            elif kind == frames.PROGRESS:
                yield _progress(*msgspec.json.decode(content, type=tuple[int, int]))


def _progress(done: int, total: int) -> pb.ReportResponse:
    return pb.ReportResponse(progress=pb.ReportProgress(done=done, total=total))
