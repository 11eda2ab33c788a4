"""PolicyService over gRPC: messages become what the office decides, what came of it becomes messages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import grpc
import msgspec

from negative_list.errors import FieldProblem, RequestError
from negative_list.policy import Setting
from reminder import wire
from reminder.office_rpc import Methods, office_of, unary
from reminder.releases.policies import toml_of
from reminder.releases.policy_desk import MOST_TOLD, PolicyDesk
from reminder.v1 import reminder_pb2 as pb

if TYPE_CHECKING:
    from negative_list.rules import Action
    from reminder.releases.policy_desk import PolicyChange, Shown
    from reminder.releases.standing import Working
    from reminder.service import Service

__all__ = ["ACTIONS", "SERVICE", "add_policy", "methods", "workers_of"]

SERVICE = pb.DESCRIPTOR.services_by_name["PolicyService"].full_name
"""The name of the service."""

ACTIONS: dict[pb.Action.ValueType, Action] = {
    pb.ACTION_PASS: "pass",
    pb.ACTION_REMIND: "remind",
    pb.ACTION_WARN: "warn",
    pb.ACTION_BLOCK: "block",
}
"""The numbers of actions and their words."""

_NUMBERS: dict[str, pb.Action.ValueType] = {word: number for number, word in ACTIONS.items()}


def add_policy(server: grpc.aio.Server, service: Service) -> None:
    """PolicyService, on the administration server of worker 0."""
    handlers = {name: unary(service, work) for name, work in methods(service).items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))


def methods(service: Service) -> Methods:
    """What each method makes of the bytes of its request, by name, whatever the face.

    They raise ``RequestError``, ``StoreError``, ``RoadError`` and ``NoOfficeError``.
    """
    face = _Face(service)
    return {
        "ShowPolicy": face.show,
        "SetPolicy": face.set_policy,
        "ClearPolicy": face.clear,
        "ConfirmRules": face.confirm,
    }


class _Face:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def show(self, data: bytes) -> pb.ShowPolicyResponse:
        desk = self._desk()
        asked = wire.message_in(data, pb.ShowPolicyRequest)
        shown = await desk.show(asked.rule_id, asked.class_id)
        return _shown(shown, desk.workers())

    async def set_policy(self, data: bytes) -> pb.SetPolicyResponse:
        desk = self._desk()
        asked = wire.message_in(data, pb.SetPolicyRequest)
        setting = _setting(asked, _action(asked.action), at_most=not asked.exactly)
        return pb.SetPolicyResponse(changed=_changed(await desk.set_row(setting, asked.who)))

    async def clear(self, data: bytes) -> pb.ClearPolicyResponse:
        desk = self._desk()
        asked = wire.message_in(data, pb.ClearPolicyRequest)
        done = await desk.clear_row(_setting(asked, "warn", at_most=True), asked.who)
        return pb.ClearPolicyResponse(changed=_changed(done))

    async def confirm(self, data: bytes) -> pb.ConfirmRulesResponse:
        desk = self._desk()
        asked = wire.message_in(data, pb.ConfirmRulesRequest)
        _one_of(rule_ids=bool(asked.rule_ids), class_id=bool(asked.class_id), all=asked.all)
        done = await desk.confirm(tuple(asked.rule_ids), asked.class_id, asked.who, asked.why)
        return pb.ConfirmRulesResponse(changed=_changed(done))

    def _desk(self) -> PolicyDesk:
        return PolicyDesk(self._service, office_of(self._service))


def _one_of(**given: bool) -> None:
    """Exactly one of the selectors is given."""
    if sum(given.values()) != 1:
        names = " / ".join(given)
        message = f"应恰好给出其中一个 (give exactly one of): {names}"
        raise RequestError([FieldProblem(field=next(iter(given)), message=message)])


def _action(number: pb.Action.ValueType) -> Action:
    if number not in ACTIONS:
        raise RequestError(
            [FieldProblem(field="action", message="请给出动作 (give an action): pass, remind, warn, block")]
        )
    return ACTIONS[number]


def _setting(asked: pb.SetPolicyRequest | pb.ClearPolicyRequest, action: Action, *, at_most: bool) -> Setting:
    _one_of(rule_id=bool(asked.rule_id), class_id=bool(asked.class_id), all=asked.all)
    return Setting(
        action=action,
        why=asked.why,
        at_most=at_most,
        rule=asked.rule_id,
        class_id=asked.class_id,
        department=asked.department,
    )


# -- answers


def _shown(shown: Shown, workers: Iterable[Working]) -> pb.ShowPolicyResponse:
    policy, active = shown.policy, shown.standing.active
    # Thousands of ids make no file anybody reads; they are counted above it.
    bare = msgspec.structs.replace(policy, unconfirmed=policy.unconfirmed[:MOST_TOLD])
    notes = [f"digest {policy.digest}", f"{len(policy.unconfirmed)} rules not confirmed"]
    return pb.ShowPolicyResponse(
        digest=policy.digest,
        rows=[_row(row.setting, row.who, row.at) for row in shown.standing.rows],
        unconfirmed=[
            pb.Unconfirmed(
                rule_id=rule.rule_id,
                class_id=rule.class_id,
                title=rule.title,
                changed=rule.changed,
                action=_NUMBERS[rule.action],
                **_foreseen(shown, rule.rule_id),
            )
            for rule in shown.unconfirmed
        ],
        unconfirmed_at_most=pb.ACTION_PASS if active is not None and active.shadow else pb.ACTION_WARN,
        toml=toml_of(bare, notes),
        workers=workers_of(workers),
        unconfirmed_count=shown.count,
    )


def _foreseen(shown: Shown, rule_id: str) -> dict[str, Any]:
    seen = shown.foreseen.get(rule_id)
    return {} if seen is None else {"firings": seen.newly, "examples": [str(each) for each in seen.examples]}


def _row(setting: Setting, who: str, at: datetime) -> pb.PolicyRow:
    return pb.PolicyRow(
        rule_id=setting.rule,
        class_id=setting.class_id,
        department=setting.department,
        action=_NUMBERS[setting.action],
        at_most=setting.at_most,
        who=who,
        why=setting.why,
        at=f"{at:%Y-%m-%d %H:%M:%S}",
    )


def _changed(done: PolicyChange) -> pb.PolicyChanged:
    return pb.PolicyChanged(
        digest=done.digest,
        before=done.before,
        confirmed=done.confirmed,
        journaled=done.journaled,
        workers=workers_of(done.settled.workers, done.settled.late),
    )


def workers_of(workers: Iterable[Working], late: Iterable[int] = ()) -> list[pb.WorkerStatus]:
    """What each worker answers with; ``late``: numbers of those that had not followed in time."""
    waiting = set(late)
    return [
        pb.WorkerStatus(
            number=one.number,
            pid=one.pid,
            release=pb.ReleaseName(version=one.version, digest=one.digest),
            policy=one.policy,
            problem="尚未生效 (has not followed yet)" if one.number in waiting and not one.problem else one.problem,
        )
        for one in workers
    ]
