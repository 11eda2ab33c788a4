"""ListService over gRPC: uploads become files the office takes in, what came of them becomes messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Any

import grpc

from negative_list.dictionary import ImpossibleValueError, parse_time
from negative_list.errors import FieldProblem, RequestError
from negative_list.release.container import MOST_BYTES
from reminder import wire
from reminder.office_rpc import Methods, bytes_of, office_answered, office_of, unary
from reminder.policy_rpc import workers_of
from reminder.releases.intake import Brought
from reminder.releases.standing import Scheduled
from reminder.releases.trust import is_older
from reminder.v1 import reminder_pb2 as pb

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from negative_list.release.manifest import Manifest
    from reminder.releases.intake import Staging
    from reminder.releases.ledger import Step
    from reminder.releases.office import Done, Office, Stands
    from reminder.releases.staged import Staged
    from reminder.releases.standing import Chosen, Seen
    from reminder.rpc import Context
    from reminder.service import Service

__all__ = ["NEVER", "SERVICE", "add_lists", "methods"]

SERVICE = pb.DESCRIPTOR.services_by_name["ListService"].full_name
"""The name of the service."""

NEVER = "never"
"""In place of a time: what was scheduled is taken back."""

_STEPS = 100
_NAME_BITS = 64
_UPLOAD = "upload"
_NO_RELEASE = frozenset({"not-a-release", "too-large"})
_TOO_LARGE = f"超过 {MOST_BYTES} 字节 (over {MOST_BYTES} bytes); 请拆分清单 (split the list)"


def add_lists(server: grpc.aio.Server, service: Service) -> None:
    """ListService, on the administration server of worker 0."""
    stage: grpc.RpcMethodHandler[bytes, Any] = grpc.stream_unary_rpc_method_handler(
        _Lists(service).stage, request_deserializer=None, response_serializer=bytes_of
    )
    handlers = {name: unary(service, work) for name, work in methods(service).items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers | {"Stage": stage}),))


def methods(service: Service) -> Methods:
    """What each unary method makes of the bytes of its request, by name, whatever the face.

    They raise ``RequestError``, ``StoreError``, ``RoadError`` and ``NoOfficeError``.
    """
    face = _Lists(service)
    return {"Status": face.status, "Activate": face.activate, "Rollback": face.rollback}


class _Lists:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def status(self, data: bytes) -> pb.StatusResponse:
        office = office_of(self._service)
        asked = wire.message_in(data, pb.StatusRequest)
        return _status(await asyncio.to_thread(office.status, asked.steps or _STEPS), office.said())

    async def stage(self, requests: AsyncIterator[bytes], context: Context) -> pb.StageResponse:
        return await office_answered(self._service, context, self._stage(requests))

    async def activate(self, data: bytes) -> pb.ActivateResponse:
        office = office_of(self._service)
        asked = wire.message_in(data, pb.ActivateRequest)
        done = await office.to_the_end(self._activated(asked, office))
        return pb.ActivateResponse(activated=_done(done))

    async def rollback(self, data: bytes) -> pb.RollbackResponse:
        office = office_of(self._service)
        asked = wire.message_in(data, pb.RollbackRequest)
        done = await office.to_the_end(office.rollback(who=asked.who, why=asked.why))
        return pb.RollbackResponse(activated=_done(done))

    async def _stage(self, requests: AsyncIterator[bytes]) -> pb.StageResponse:
        office = office_of(self._service)
        brought = await self._received(requests, office)
        if not isinstance(brought, Brought):
            return pb.StageResponse(steps=[_step(brought)])
        staging = await office.to_the_end(office.stage(brought))
        if staging.steps[-1].reason in _NO_RELEASE:
            raise RequestError([FieldProblem(field="piece", message=staging.steps[-1].detail)])
        active = office.standing().active
        return _staging(staging, active.version if active is not None else "")

    async def _activated(self, asked: pb.ActivateRequest, office: Office) -> Done:
        """What is asked, at once or for later."""
        if not asked.at:
            return await office.activate(
                asked.version, allow_older=asked.allow_older, shadow=asked.shadow, who=asked.who, why=asked.why
            )
        if asked.at == NEVER:
            return await office.unschedule(asked.version, asked.who, asked.why)
        wanted = Scheduled(
            version=asked.version,
            digest="",
            at=self._moment(asked.at),
            allow_older=asked.allow_older,
            shadow=asked.shadow,
            who=asked.who,
            why=asked.why,
        )
        return await office.schedule(wanted)

    def _moment(self, text: str) -> datetime:
        """A civil time of the default site to come, as an instant.

        Raises:
            RequestError: it is none, or has passed.
        """
        zone = self._service.active.sites.default.zone
        try:
            found = parse_time(text, zone)
        except ImpossibleValueError:
            found = None
        if found is None:
            told = f"`{text}` 不是时间 (is no time); 请写成 2026-12-01 00:00:00 (write it like that)"
            raise RequestError([FieldProblem(field="at", message=told)])
        moment = found[0].replace(tzinfo=zone)
        if moment <= self._service.now():
            told = f"`{text}` 已经过去 (has passed); 立即启用请不要给出时间 (leave it out to activate at once)"
            raise RequestError([FieldProblem(field="at", message=told)])
        return moment.astimezone(self._service.now().tzinfo)

    async def _received(self, requests: AsyncIterator[bytes], office: Office) -> Brought | Step:
        """The upload as a file; where it is half of one, the step that says so."""
        path = office.folder.incoming / f"{self._service.draw(_NAME_BITS):016x}.release"
        upload = _Upload(path)
        try:
            async for data in requests:
                await upload.take(wire.message_in(data, pb.StageRequest))
        except BaseException as error:
            path.unlink(missing_ok=True)
            if not isinstance(error, RequestError):
                office.beside(office.half(upload.brought, upload.half()))
            raise
        if upload.size and upload.wanted in {0, upload.size}:
            return upload.brought
        path.unlink(missing_ok=True)
        return await office.to_the_end(office.half(upload.brought, upload.half()))


class _Upload:
    """A file as it comes, piece by piece."""

    def __init__(self, path: Path) -> None:
        self.size = self.wanted = 0
        self.brought = Brought(path=path, source=_UPLOAD)
        self._first = True

    async def take(self, piece: pb.StageRequest) -> None:
        """The next piece.

        Raises:
            RequestError: it is more than a release may be.
        """
        if self._first:
            self._first, self.wanted = False, piece.size_bytes
            self.brought = Brought(path=self.brought.path, source=_UPLOAD, who=piece.who, why=piece.why)
        self.size += len(piece.piece)
        if max(self.size, self.wanted) > MOST_BYTES:
            raise RequestError([FieldProblem(field="piece", message=_TOO_LARGE)])
        await asyncio.to_thread(_append, self.brought.path, piece.piece)

    def half(self) -> str:
        """That it did not come whole."""
        told = f"{self.size}/{self.wanted}" if self.wanted else f"{self.size}"
        return f"上传不完整，收到 {told} 字节 (the upload ended early, {told} bytes came); 请重新上传 (upload it again)"


def _append(path: Path, piece: bytes) -> None:
    with path.open("ab") as file:
        file.write(piece)


# -- answers


def _name(one: Manifest | Chosen | Seen | Scheduled | Step | Staged | None) -> pb.ReleaseName | None:
    if one is None:
        return None
    return pb.ReleaseName(version=one.version, digest=one.digest, name=getattr(one, "name", ""))


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _step(step: Step) -> pb.Step:
    return pb.Step(
        at=_utc(step.at),
        release=_name(step),
        step=step.step,
        result=step.result,
        detail=step.detail,
        who=step.who,
        why=step.why,
        took_ms=step.took_ms,
    )


def _steps(steps: Iterable[Step]) -> list[pb.Step]:
    return [_step(step) for step in steps]


def _staging(staging: Staging, active: str) -> pb.StageResponse:
    manifest = staging.manifest
    return pb.StageResponse(
        release=_name(manifest),
        staged=staging.staged,
        known=staging.known,
        older=manifest is not None and staging.staged and is_older(manifest.version, active),
        steps=_steps(staging.steps),
    )


def _scheduled(scheduled: Scheduled | None) -> pb.Scheduled | None:
    if scheduled is None:
        return None
    return pb.Scheduled(release=_name(scheduled), at=_utc(scheduled.at), who=scheduled.who, why=scheduled.why)


def _done(done: Done) -> pb.Activated:
    active = done.active
    return pb.Activated(
        active=_name(active),
        before=_name(done.before),
        scheduled=_scheduled(done.scheduled),
        forecast=active is not None and active.forecast,
        unconfirmed=len(active.unconfirmed) if active is not None else 0,
        workers=workers_of(done.workers),
    )


def _status(stands: Stands, said: dict[str, Any]) -> pb.StatusResponse:
    standing, active = stands.standing, stands.standing.active
    return pb.StatusResponse(
        active=pb.ReleaseName(
            version=said["active"]["version"],
            digest=said["active"]["digest"],
            name=active.name if active is not None else "",
        ),
        active_since=_utc(active.at) if active is not None else "",
        latest_seen=_name(standing.seen),
        latest_seen_at=_utc(standing.seen.at) if standing.seen is not None else "",
        why_not_active=stands.why,
        staged=[_staged(one, forecast=forecast) for one, forecast in stands.staged],
        scheduled=_scheduled(standing.scheduled),
        before=_name(standing.before[0]) if standing.before else None,
        workers=workers_of(stands.workers),
        steps=_steps(stands.steps),
        unconfirmed=len(active.unconfirmed) if active is not None else 0,
    )


def _staged(one: Staged, *, forecast: bool) -> pb.StagedRelease:
    manifest = one.manifest
    return pb.StagedRelease(
        release=_name(one),
        built_at=_utc(manifest.built_at),
        rules=manifest.rules,
        details=manifest.details,
        valid_from=str(manifest.valid_from or ""),
        valid_to=str(manifest.valid_to or ""),
        forecast=forecast,
    )
