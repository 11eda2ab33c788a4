"""What the office decides of findings while the sidecar runs: rows set and taken back, rules confirmed, what stands.

A change is on disk before anybody hears of it, and in force on every worker when the call returns
(:meth:`reminder.releases.office.Office.change`). Its entry in the journal follows at once; what it names is kept first.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from negative_list.classes import CLASS_IDS
from negative_list.decision import Outcome
from negative_list.errors import FieldProblem, RequestError, nearest
from negative_list.policy import Policy, Setting
from reminder.journal.artifacts import policy_artifact
from reminder.journal.engine import engine
from reminder.journal.entries import Changed
from reminder.releases.children import answers
from reminder.releases.describing import RuleTold
from reminder.releases.orders import Describe, Described
from reminder.releases.pen import Settled
from reminder.releases.policies import confirmed_in, policy_of, row_of, with_row, without_row
from reminder.releases.standing import Standing, Working
from reminder.releases.trust import RoadError

if TYPE_CHECKING:
    from reminder.releases.office import Office
    from reminder.service import Service

__all__ = ["MOST_TOLD", "Foreseen", "PolicyChange", "PolicyDesk", "Shown"]

MOST_TOLD = 1_000
"""Rules that are told one by one, 0.3 MB of them; more are only counted, and asked for by class."""

_WHO = 64


class Foreseen(Struct, frozen=True, kw_only=True):
    """What a forecast says of one rule: how often it fires newly, and decisions that show it."""

    rule_id: str = ""
    newly: int = 0
    examples: tuple[Any, ...] = ()


class _Forecast(Struct, frozen=True, kw_only=True):
    rules: tuple[Foreseen, ...] = ()


class Shown(Struct, frozen=True, kw_only=True):
    """The policy in force. ``unconfirmed``: the first :data:`MOST_TOLD` of ``count`` rules that are asked for.

    Their ``action`` is what the policy will give them once they are confirmed.
    """

    policy: Policy
    standing: Standing
    unconfirmed: tuple[RuleTold, ...]
    count: int
    foreseen: Mapping[str, Foreseen]


class PolicyChange(Struct, frozen=True, kw_only=True):
    """What a call changed: the policies' digests, rules confirmed, and whether it stands in the journal."""

    digest: str
    before: str
    confirmed: int
    journaled: bool
    settled: Settled


class PolicyDesk:
    """Takes what the office decides.

    Args:
        service: what decides here.
        office: writes what stands.
    """

    def __init__(self, service: Service, office: Office) -> None:
        self._service = service
        self._office = office

    async def show(self, rule_id: str = "", class_id: str = "") -> Shown:
        """The policy in force, and what of the active list is not confirmed. Raises ``RoadError``."""
        standing = self._office.standing()
        wanted = {rule_id} if rule_id else None
        told = await self._described(standing, class_id, wanted)
        policy = policy_of(self._service.base_policy, standing)
        return Shown(
            policy=policy,
            standing=standing,
            unconfirmed=_once_confirmed(told[:MOST_TOLD], policy),
            count=len(told),
            foreseen=self._foreseen(standing),
        )

    def workers(self) -> tuple[Working, ...]:
        """What each live worker answers with."""
        return self._office.status(0).workers

    async def set_row(self, setting: Setting, who: str) -> PolicyChange:
        """Set the action of a rule, a class or everything.

        Raises:
            RequestError: naming the field that cannot be used.
            RoadError: there are too many rows.
        """
        self._check(setting, known=True)
        row = row_of(setting, who, self._service.now())
        try:
            return await self._change(lambda now: with_row(now, row), "set", setting, who)
        except ValueError as error:
            raise RoadError("refused", "too-many-rows", str(error)) from error

    async def clear_row(self, setting: Setting, who: str) -> PolicyChange:
        """Take back what was set about the same selectors. Raises as :meth:`set_row`."""
        self._check(setting, known=False)
        if without_row(self._office.standing(), setting) is self._office.standing():
            raise RoadError(
                "refused", "no-row", "没有这样的设置 (nothing is set about exactly this); 见 policy show (see it)"
            )
        return await self._change(lambda now: without_row(now, setting), "clear", setting, who)

    async def confirm(self, rule_ids: tuple[str, ...], class_id: str, who: str, why: str) -> PolicyChange:
        """Confirm new and changed rules of the active list: these, those of a class, or (neither given) all.

        Raises:
            RequestError: naming the field that cannot be used.
            RoadError: the list cannot be read.
        """
        _check_why(why)
        _check_class(class_id)
        # Not while a list becomes active: what is confirmed meanwhile would be worked out without it.
        async with self._office.turn:
            return await self._confirm(rule_ids, Setting(action="block", why=why, class_id=class_id), who)

    async def _confirm(self, rule_ids: tuple[str, ...], setting: Setting, who: str) -> PolicyChange:
        standing = self._office.standing()
        waiting = frozenset(standing.active.unconfirmed) if standing.active is not None else frozenset()
        for place, rule_id in enumerate(rule_ids):
            if rule_id not in waiting and not self._is_rule(rule_id):
                hint = nearest(rule_id, waiting)
                raise _wrong(f"rule_ids[{place}]", f"清单中没有规则 (no rule of the list) `{rule_id}`{hint}")
        told = await self._described(standing, setting.class_id, set(rule_ids) or None)
        # On disk first: what is in force as confirmed was confirmed.
        marked = [(rule.rule_id, rule.mark) for rule in told]
        await asyncio.to_thread(self._office.confirmed.add, marked)
        rules = frozenset(rule.rule_id for rule in told)
        return await self._change(lambda now: confirmed_in(now, rules), "confirm", setting, who, tuple(sorted(rules)))

    # -- how

    async def _change(
        self,
        make_next: Callable[[Standing], Standing],
        what: str,
        setting: Setting,
        who: str,
        rules: tuple[str, ...] = (),
    ) -> PolicyChange:
        service, now = self._service, self._service.now()
        if service.journal is not None:
            planned = policy_of(service.base_policy, make_next(self._office.standing()))
            service.journal.keep(policy_artifact(planned, now))
        settled = await self._office.change(make_next)
        after, before = (policy_of(service.base_policy, each) for each in (settled.standing, settled.before))
        journaled = False
        if settled.standing is not settled.before:
            changed = Changed(
                engine=engine(),
                at=now,
                zone=service.active.sites.default.zone.key,
                what="policy",
                digest=after.digest,
                before=before.digest,
                who=who[:_WHO],
                why=setting.why,
                detail={"what": what, "rules": rules, **msgspec.to_builtins(setting)},
            )
            journaled = await self._office.journal(changed)
        return PolicyChange(
            digest=after.digest, before=before.digest, confirmed=len(rules), journaled=journaled, settled=settled
        )

    def _check(self, setting: Setting, *, known: bool) -> None:
        """Whether the selectors name something that is there."""
        _check_why(setting.why)
        _check_class(setting.class_id)
        if known and setting.rule and not self._is_rule(setting.rule):
            raise _wrong("rule_id", f"清单中没有规则 (no rule of the active list) `{setting.rule}`")

    def _is_rule(self, rule_id: str) -> bool:
        """Whether the active list has a rule; its rules stand by id, and are read when they are looked at."""
        rules = self._service.active.compiled.rules
        place = bisect_left(rules, rule_id, key=lambda bound: bound.rule.id)
        return place < len(rules) and rules[place].rule.id == rule_id

    async def _described(self, standing: Standing, class_id: str, wanted: set[str] | None) -> tuple[RuleTold, ...]:
        """What is not confirmed, as far as it is wanted; read beside, for it may be the whole list."""
        active = standing.active
        ids = [name for name in (active.unconfirmed if active else ()) if wanted is None or name in wanted]
        if active is None or not ids:
            return ()
        order = Describe(
            data=str(self._office.folder.root.parent), digest=active.digest, ids=tuple(ids), class_id=class_id
        )
        told = [answer async for answer in answers(order)]
        if isinstance(told[-1], Described):
            return told[-1].rules
        raise RoadError("refused", "unreadable", getattr(told[-1], "detail", ""))

    def _foreseen(self, standing: Standing) -> Mapping[str, Foreseen]:
        """What the forecast of the active list says of its rules, where one was made."""
        if standing.active is None:
            return {}
        path = self._office.folder.forecast_file(standing.active.digest)
        try:
            forecast = msgspec.json.decode(path.read_bytes(), type=_Forecast)
        except (OSError, msgspec.MsgspecError):
            return {}
        return {rule.rule_id: rule for rule in forecast.rules}


def _once_confirmed(rules: Sequence[RuleTold], policy: Policy) -> tuple[RuleTold, ...]:
    """Rules with the action the policy will give their findings, where no department has a word of its own."""
    confirmed = msgspec.structs.replace(policy, unconfirmed=())
    return tuple(msgspec.structs.replace(rule, action=confirmed.action_for(_outcome(rule))) for rule in rules)


def _outcome(rule: RuleTold) -> Outcome:
    return Outcome(
        rule_id=rule.rule_id, class_id=rule.class_id, action=rule.action, addressee=rule.addressee, result=rule.result
    )


def _check_why(why: str) -> None:
    if not why.strip():
        raise _wrong("why", "请写明原因 (say why): 它写入日志 (it is journaled)")


def _check_class(class_id: str) -> None:
    if class_id and class_id not in CLASS_IDS:
        hint = nearest(class_id, CLASS_IDS)
        raise _wrong("class_id", f"没有类别 (no class) `{class_id}`{hint}; 应为 R01-R88 或 E01-E31 (use one of those)")


def _wrong(field: str, message: str) -> RequestError:
    return RequestError([FieldProblem(field=field, message=message)])
