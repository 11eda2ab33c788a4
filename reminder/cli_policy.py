"""The commands ``reminder policy ...``: what the office makes of findings, while the sidecar runs."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from reminder.v1 import reminder_pb2 as pb

__all__ = ["ending", "policy_app", "who_asks"]

policy_app = typer.Typer(
    help="The policy in force (策略): what blocks, warns, reminds, or is only written down.", no_args_is_help=True
)
"""The commands of the policy."""

_SERVICE = "/reminder.v1.PolicyService/"
_TIMEOUT_S = 120.0
_PROBLEMS, _USAGE, _NOT_REACHED = 1, 2, 3

Target = Annotated[str, typer.Option(help="The sidecar's administration, gRPC.", metavar="HOST:PORT")]
Rule = Annotated[str, typer.Option(help="A rule of the active list.", metavar="ID")]
Class = Annotated[str, typer.Option("--class", help="A class, R01-R88 or E01-E31.", metavar="CLASS")]
All = Annotated[bool, typer.Option("--all", help="Everything.")]
Department = Annotated[str, typer.Option(help="Only in this department.", metavar="CODE")]
Who = Annotated[str, typer.Option(help="Who decides it (default: the account's name).")]
Why = Annotated[str, typer.Option(help="Why; it is journaled.")]
English = Annotated[bool, typer.Option("--english", help="Print in English.")]

_DEFAULT = "127.0.0.1:50052"
_WORDS = {
    "pass": ("不显示", "shadow"),
    "remind": ("提醒", "remind"),
    "warn": ("警告", "warn"),
    "block": ("拦截", "block"),
}


@policy_app.command("show")
def show(
    *,
    rule: Rule = "",
    class_: Class = "",
    toml: Annotated[
        bool, typer.Option("--toml", help="Print it as a file for `negative-list match --policy`.")
    ] = False,
    target: Target = _DEFAULT,
    english: English = False,
) -> None:
    """Show what is in force: the office's rows, rules not confirmed yet with their forecast, and the workers."""
    from reminder.v1 import reminder_pb2 as pb

    request = pb.ShowPolicyRequest(rule_id=rule, class_id=class_)
    shown = _asked(target, "ShowPolicy", request, pb.ShowPolicyResponse)
    if toml:
        typer.echo(shown.toml, nl=False)
        return
    for line in _shown(shown, english=english):
        typer.echo(line)


@policy_app.command("set")
def set_(
    *,
    action: Annotated[Literal["pass", "remind", "warn", "block"], typer.Option(help="pass: only written down.")],
    why: Why,
    rule: Rule = "",
    class_: Class = "",
    all_: All = False,
    department: Department = "",
    exactly: Annotated[
        bool, typer.Option("--exactly", help="Also where the finding is weaker; without, it is a ceiling.")
    ] = False,
    who: Who = "",
    target: Target = _DEFAULT,
    english: English = False,
) -> None:
    """Set the action of a rule, a class or everything, on every worker; the last word about the same stands."""
    from reminder.policy_rpc import ACTIONS
    from reminder.v1 import reminder_pb2 as pb

    number = next(number for number, word in ACTIONS.items() if word == action)
    request = pb.SetPolicyRequest(
        rule_id=rule,
        class_id=class_,
        all=all_,
        department=department,
        action=number,
        exactly=exactly,
        who=who_asks(who),
        why=why,
    )
    _tell(_asked(target, "SetPolicy", request, pb.SetPolicyResponse).changed, english=english)


@policy_app.command("clear")
def clear(
    *,
    why: Why,
    rule: Rule = "",
    class_: Class = "",
    all_: All = False,
    department: Department = "",
    who: Who = "",
    target: Target = _DEFAULT,
    english: English = False,
) -> None:
    """Take back what `set` said about the same."""
    from reminder.v1 import reminder_pb2 as pb

    request = pb.ClearPolicyRequest(
        rule_id=rule, class_id=class_, all=all_, department=department, who=who_asks(who), why=why
    )
    _tell(_asked(target, "ClearPolicy", request, pb.ClearPolicyResponse).changed, english=english)


@policy_app.command("confirm")
def confirm(
    *,
    why: Why,
    rule: Annotated[
        list[str] | None, typer.Option(help="A rule of the active list; may be repeated.", metavar="ID")
    ] = None,
    class_: Class = "",
    all_: All = False,
    who: Who = "",
    target: Target = _DEFAULT,
    english: English = False,
) -> None:
    """Confirm new and changed rules: from now on they act as they are written."""
    from reminder.v1 import reminder_pb2 as pb

    request = pb.ConfirmRulesRequest(rule_ids=rule or [], class_id=class_, all=all_, who=who_asks(who), why=why)
    _tell(_asked(target, "ConfirmRules", request, pb.ConfirmRulesResponse).changed, english=english)


# -- how


def who_asks(who: str) -> str:
    """Who decides: as told, else the name of the account."""
    if who:
        return who
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        return ""


@contextmanager
def ending() -> Iterator[None]:
    """End a command with what was refused (1), or that no sidecar answered (3)."""
    from negative_list.errors import RequestError
    from reminder.client import NotReachedError
    from reminder.releases.trust import RoadError

    try:
        yield
    except (RequestError, RoadError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(_PROBLEMS) from error
    except NotReachedError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(_NOT_REACHED) from error


def _asked(target: str, method: str, request: Any, response: type[Any]) -> Any:
    from reminder.admin_client import unary

    with ending():
        return unary(target, _SERVICE + method, request, response, _TIMEOUT_S)


def _shown(shown: pb.ShowPolicyResponse, *, english: bool) -> Iterator[str]:
    """The policy in lines people read."""
    say = _saying(english=english)
    yield say(f"策略摘要 {shown.digest}", f"policy {shown.digest}")
    yield say(f"医保办设置 {len(shown.rows)} 条：", f"{len(shown.rows)} rows of the office:")
    for row in shown.rows:
        most = "" if not row.at_most else say("至多", "at most ")
        yield f"  {_about(row, say)} → {most}{_word(row.action, english=english)}  ({row.at} UTC, {row.who}) {row.why}"
    most = _word(shown.unconfirmed_at_most, english=english)
    yield say(
        f"未确认的新增或变更规则 {shown.unconfirmed_count} 条，至多{most}：",
        f"{shown.unconfirmed_count} new or changed rules not confirmed, at most {most}:",
    )
    for rule in shown.unconfirmed:
        kind = say("变更", "changed") if rule.changed else say("新增", "new")
        then = _word(rule.action, english=english)
        yield f"  {rule.class_id} {rule.rule_id} {rule.title} [{kind}] → {then}{_foreseen(rule, say)}"
    for worker in shown.workers:
        yield f"  {_worker(worker, say)}"


def _saying(*, english: bool) -> Callable[[str, str], str]:
    return lambda zh, en: en if english else zh


def _word(action: pb.Action.ValueType, *, english: bool) -> str:
    from reminder.policy_rpc import ACTIONS

    return _WORDS[ACTIONS[action]][english]


def _about(row: pb.PolicyRow, say: Callable[[str, str], str]) -> str:
    parts = [name for name in (row.rule_id, row.class_id) if name] or [say("全部", "everything")]
    return " ".join(
        [*parts, *([say(f"科室 {row.department}", f"department {row.department}")] if row.department else [])]
    )


def _foreseen(rule: pb.Unconfirmed, say: Callable[[str, str], str]) -> str:
    if not rule.firings:
        return ""
    examples = " ".join(rule.examples)
    return say(
        f"；预测新触发 {rule.firings} 次，如 {examples}", f"; forecast: {rule.firings} new firings, as {examples}"
    )


def _worker(worker: pb.WorkerStatus, say: Callable[[str, str], str]) -> str:
    text = say(f"进程 {worker.number}", f"worker {worker.number}") + f" (pid {worker.pid}): {worker.policy[:16]}"
    return f"{text} {worker.problem}" if worker.problem else text


def _tell(changed: pb.PolicyChanged, *, english: bool) -> None:
    """Say what changed; the command ends with 1 where a worker answers with another policy still."""
    say = _saying(english=english)
    short = changed.digest[:16]
    late = [str(worker.number) for worker in changed.workers if worker.policy != changed.digest]
    if late:
        numbers = ", ".join(late)
        zh = f"已保存，但尚未在全部进程生效（进程 {numbers}）：策略 {short}"
        typer.echo(say(zh, f"written down, but NOT in force everywhere yet (worker {numbers}): policy {short}"))
    elif changed.digest == changed.before:
        typer.echo(say("没有变化", "nothing changed"))
    else:
        typer.echo(say(f"已生效：策略 {short}", f"in force: policy {short}"))
    if changed.confirmed:
        typer.echo(say(f"已确认规则 {changed.confirmed} 条", f"{changed.confirmed} rules confirmed"))
    if changed.digest != changed.before and not changed.journaled:
        typer.echo(say("尚未写入日志，恢复后补写", "not journaled yet; written once the journal is back"), err=True)
    for worker in changed.workers:
        typer.echo(f"  {_worker(worker, say)}")
    if late:
        raise typer.Exit(_PROBLEMS)
