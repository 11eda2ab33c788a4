"""The commands ``reminder lists ...``: releases brought, made active and taken back, while the sidecar runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from reminder.cli_policy import ending, who_asks

if TYPE_CHECKING:
    from typing import BinaryIO

    from reminder.v1 import reminder_pb2 as pb

__all__ = ["lists_app"]

lists_app = typer.Typer(
    help="Releases of the list (清单版本): what is active, what was brought, the steps between.", no_args_is_help=True
)
"""The commands of lists."""

_SERVICE = "/reminder.v1.ListService/"
_STATUS_S, _MOVE_S, _STAGE_S = 30.0, 600.0, 3600.0
_PIECE = 1 << 20
_PROBLEMS = 1

Target = Annotated[str, typer.Option(help="The sidecar's administration, gRPC.", metavar="HOST:PORT")]
Version = Annotated[str, typer.Argument(help="Version of a staged release.", metavar="VERSION")]
Who = Annotated[str, typer.Option(help="Who asks for it (default: the account's name).")]
Why = Annotated[str, typer.Option(help="Why; it is kept with the step, and journaled.")]
English = Annotated[bool, typer.Option("--english", help="Print in English.")]

_DEFAULT = "127.0.0.1:50052"
_STEPS = {
    "receive": "接收",
    "verify": "验签",
    "validate": "校验",
    "self_test": "自测",
    "compile": "编译",
    "forecast": "预测",
    "schedule": "定时",
    "activate": "启用",
    "rollback": "回退",
    "prune": "清理",
}
_RESULTS = {"done": "完成", "failed": "失败", "skipped": "略过"}


@lists_app.command("status")
def status(
    steps: Annotated[int, typer.Option(help="Steps to tell, newest first.", min=1)] = 20,
    as_format: Annotated[Literal["text", "json"], typer.Option("--format", help="text or json.")] = "text",
    target: Target = _DEFAULT,
    english: English = False,
) -> None:
    """Show what is active beside what was seen last, why they differ, what waits, and the steps that were taken."""
    from reminder.v1 import reminder_pb2 as pb

    told = _asked(target, "Status", pb.StatusRequest(steps=steps), pb.StatusResponse, _STATUS_S)
    if as_format == "json":
        _put_json(told)
        return
    for line in _status_lines(told, english=english):
        typer.echo(line)


@lists_app.command("stage")
def stage(
    release: Annotated[Path, typer.Argument(help="The file negative-list build wrote.", metavar="RELEASE")],
    who: Who = "",
    why: Why = "",
    target: Target = _DEFAULT,
    english: English = False,
) -> None:
    """Bring a release: it is verified, validated, self-tested and compiled; nothing becomes active.

    Exit 1 when it failed a step.
    """
    from reminder.admin_client import calling
    from reminder.v1 import reminder_pb2 as pb

    try:
        file = release.open("rb")
    except OSError as error:
        typer.echo(f"`{release}` cannot be read ({error.strerror}); check the name and its rights", err=True)
        raise typer.Exit(_PROBLEMS) from error
    with file, ending(), calling(target) as channel:
        call = channel.stream_unary(
            f"{_SERVICE}Stage",
            request_serializer=pb.StageRequest.SerializeToString,
            response_deserializer=pb.StageResponse.FromString,
        )
        told = call(_pieces(file, release.stat().st_size, who_asks(who), why), timeout=_STAGE_S)
    for line in _staged_lines(told, english=english):
        typer.echo(line)
    if not told.staged:
        raise typer.Exit(_PROBLEMS)


@lists_app.command("activate")
def activate(
    version: Version,
    *,
    allow_older: Annotated[
        bool, typer.Option("--allow-older", help="Also when it is older than what is active.")
    ] = False,
    at: Annotated[
        str, typer.Option(help="Civil time from when on (2026-12-01 00:00:00); never: not at a time any more.")
    ] = "",
    shadow: Annotated[
        bool, typer.Option("--shadow", help="Its new and changed rules are only written down until confirmed.")
    ] = False,
    who: Who = "",
    why: Why = "",
    target: Target = _DEFAULT,
    english: English = False,
) -> None:
    """Make a staged release active on every worker, now or at a time; its new rules warn at most until confirmed."""
    from reminder.v1 import reminder_pb2 as pb

    request = pb.ActivateRequest(
        version=version, allow_older=allow_older, at=at, shadow=shadow, who=who_asks(who), why=why
    )
    told = _asked(target, "Activate", request, pb.ActivateResponse, _MOVE_S).activated
    _tell_activated(told, english=english, later=bool(at))


@lists_app.command("rollback")
def rollback(
    who: Who = "",
    why: Why = "",
    target: Target = _DEFAULT,
    english: English = False,
) -> None:
    """Make the release active again that was before."""
    from reminder.v1 import reminder_pb2 as pb

    request = pb.RollbackRequest(who=who_asks(who), why=why)
    told = _asked(target, "Rollback", request, pb.RollbackResponse, _MOVE_S).activated
    _tell_activated(told, english=english, later=False)


# -- how


def _asked(target: str, method: str, request: Any, response: type[Any], timeout_s: float) -> Any:
    from reminder.admin_client import unary

    with ending():
        return unary(target, _SERVICE + method, request, response, timeout_s)


def _pieces(file: BinaryIO, size: int, who: str, why: str) -> Iterator[pb.StageRequest]:
    """The file in pieces; the first says who brings it and how large it is."""
    from reminder.v1 import reminder_pb2 as pb

    yield pb.StageRequest(who=who, why=why, size_bytes=size, piece=file.read(_PIECE))
    while piece := file.read(_PIECE):
        yield pb.StageRequest(piece=piece)


def _put_json(message: Any) -> None:
    import sys

    import msgspec
    from google.protobuf.json_format import MessageToDict

    told = MessageToDict(message, preserving_proto_field_name=True)
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")


def _named(release: pb.ReleaseName, *, english: bool) -> str:
    """A release in a word, or the list of ``--list``, which has no version."""
    if not release.digest and not release.version:
        return "none" if english else "无"
    version = release.version or ("list of --list" if english else "--list 指定的清单")
    return f"{version} ({release.digest[:16]})" if release.digest else version


def _status_lines(told: pb.StatusResponse, *, english: bool) -> Iterator[str]:
    def say(zh: str, en: str) -> str:
        return en if english else zh

    since = say(f"，自 {told.active_since} UTC", f" since {told.active_since} UTC") if told.active_since else ""
    yield say("正在使用", "active") + f": {_named(told.active, english=english)}{since}"
    at = f", {told.latest_seen_at} UTC" if told.latest_seen_at else ""
    yield say("最近收到", "seen last") + f": {_named(told.latest_seen, english=english)}{at}"
    if told.why_not_active:
        yield say("未启用原因", "why not active") + f": {told.why_not_active}"
    if told.unconfirmed:
        yield say(f"未确认规则 {told.unconfirmed} 条", f"{told.unconfirmed} rules not confirmed")
    if told.HasField("scheduled"):
        named = _named(told.scheduled.release, english=english)
        yield say("定时启用", "scheduled") + f": {named}, {told.scheduled.at} UTC, {told.scheduled.who}"
    if told.HasField("before"):
        yield say("可回退到", "rollback leads to") + f": {_named(told.before, english=english)}"
    for one in told.staged:
        forecast = say("有预测", "forecast made") if one.forecast else say("无预测", "no forecast")
        yield say("已暂存", "staged") + f": {_named(one.release, english=english)}, {one.details}, {forecast}"
    yield from _worker_lines(told.workers, english=english)
    yield from (_step_line(step, english=english) for step in told.steps)


def _worker_lines(workers: Any, *, english: bool) -> Iterator[str]:
    for one in workers:
        named = _named(one.release, english=english)
        text = ("worker" if english else "进程") + f" {one.number} (pid {one.pid}): {named}"
        yield f"{text} {one.problem}" if one.problem else text


def _step_line(step: pb.Step, *, english: bool) -> str:
    name, result = (step.step, step.result) if english else (_STEPS[step.step], _RESULTS[step.result])
    parts = (step.at, step.release.version, name, result, step.detail, step.who, step.why)
    return "  ".join(part for part in parts if part)


def _staged_lines(told: pb.StageResponse, *, english: bool) -> Iterator[str]:
    yield from (_step_line(step, english=english) for step in told.steps)
    version = told.release.version
    if not told.staged:
        yield "not staged; what is active is unchanged" if english else "未通过，正在使用的清单不变"
    elif told.known:
        yield f"{version} was staged before" if english else f"{version} 此前已暂存"
    else:
        yield f"{version} is staged" if english else f"{version} 已暂存，可用 reminder lists activate {version} 启用"
    if told.older:
        yield "older than what is active" if english else "早于正在使用的版本"


def _tell_activated(told: pb.Activated, *, english: bool, later: bool) -> None:
    """Say what changed; the command ends with 1 where a worker answers with another list still."""
    for line in _activated_lines(told, english=english, later=later):
        typer.echo(line)
    late = [str(one.number) for one in told.workers if one.release.digest != told.active.digest]
    if late and not later:
        numbers = ", ".join(late)
        zh, en = f"尚未在全部进程启用（进程 {numbers}）", f"NOT active everywhere yet (worker {numbers})"
        typer.echo(en if english else zh, err=True)
        raise typer.Exit(_PROBLEMS)


def _activated_lines(told: pb.Activated, *, english: bool, later: bool) -> Iterator[str]:
    if later:
        scheduled = told.scheduled
        at = f"{_named(scheduled.release, english=english)}, {scheduled.at} UTC" if scheduled.at else ""
        yield ("scheduled" if english else "定时启用") + f": {at or ('nothing' if english else '无')}"
    yield ("active" if english else "正在使用") + f": {_named(told.active, english=english)}"
    if told.HasField("before"):
        yield ("before" if english else "此前") + f": {_named(told.before, english=english)}"
    if told.unconfirmed:
        zh = f"新增或变更且未确认的规则 {told.unconfirmed} 条，确认前至多警告 (reminder policy confirm)"
        en = f"{told.unconfirmed} new or changed rules warn at most until confirmed (reminder policy confirm)"
        yield en if english else zh
    if not later and told.HasField("before") and not told.forecast:
        yield "no forecast was made of it" if english else "启用前未做预测"
    yield from _worker_lines(told.workers, english=english)
