"""A prescription that was not checked: written down and counted, so that nobody takes silence for "no violation"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from negative_list.errors import FieldProblem
from reminder.bodies import OURS
from reminder.feedback.masked import name_of_nobody
from reminder.ids import RANDOM_BITS, decision_id
from reminder.journal.drafts import draft_of
from reminder.journal.entries import Unchecked

if TYPE_CHECKING:
    from datetime import datetime

    from negative_list.decision import Decision
    from reminder.recording import Came
    from reminder.service import Service

__all__ = ["PREFIX", "LeftOut", "NotChecked", "Told", "Why", "left_out_of", "write_unchecked"]

PREFIX = "nc-"
"""What the ids of prescriptions that were not checked begin with; no finding's does."""

Why: TypeAlias = Literal["request", "limit", "failed", "deadline"]
"""Why it was not checked, as :class:`reminder.journal.entries.Unchecked` says it."""

Told: TypeAlias = Literal["error", "row", "open"]
"""What the caller was told."""

_NOTE = "not_checked"
_MAX_FIELDS = 10
_MAX_TEXT = 200


class NotChecked(Struct, frozen=True, kw_only=True):
    """What is known of a prescription that was not checked.

    ``fields`` could not be used; ``institution_id`` and ``request_id`` (the caller's) as far as the body told them.
    """

    why: Why
    told: Told
    fields: Sequence[FieldProblem] = ()
    institution_id: str = ""
    request_id: str = ""


class LeftOut(Struct, frozen=True, kw_only=True):
    """What a decision left out of what it was asked, and why: a pass of the rest is none."""

    why: Why
    fields: Sequence[FieldProblem]


def left_out_of(decision: Decision) -> LeftOut | None:
    """What a decision did not look at: rules for want of time, or what of the body is not judged (other patients).

    A rule that lacks facts is no such: its class is undecided whatever the caller does, and the answer says so.
    """
    notes = [FieldProblem(field=note.field, message=note.message) for note in decision.notes if note.code == _NOTE]
    if notes:
        return LeftOut(why="request", fields=notes)
    rules = {one.rule_id for one in decision.not_evaluated if one.reason == "deadline"}
    if not rules:
        return None
    message = f"{len(rules)} 条规则未能在时限内检查 ({len(rules)} rules not checked in time); 请稍后重试 (try it again)"
    return LeftOut(why="deadline", fields=[FieldProblem(field=OURS, message=message)])


async def write_unchecked(service: Service, came: Came, what: NotChecked, left_s: float | None = None) -> str:
    """Count it and have it written; on disk, or its time is over, when this returns.

    Args:
        service: that did not check it.
        came: how it came.
        what: what is known of it.
        left_s: seconds until the caller gives up; ``None``: it waits.

    Returns:
        The id it is written under.
    """
    now = service.now()
    ident = PREFIX + decision_id(int(now.timestamp() * 1000), service.draw(RANDOM_BITS))
    service.metrics.unchecked(came.face, what.why, what.told)
    recorder = service.recorder
    if recorder is not None:
        active = service.active
        zone = active.sites.of(what.institution_id).zone.key
        draft = draft_of(_entry(what, came, ident, now, active.digests.engine, zone), "unchecked")
        await recorder.journal.append(draft, recorder.within_s(left_s))
    return ident


def _entry(what: NotChecked, came: Came, ident: str, now: datetime, engine: str, zone: str) -> Unchecked:
    """Nothing of the body but what can be no name."""
    return Unchecked(
        engine=engine,
        at=now,
        zone=zone,
        institution_id=name_of_nobody(what.institution_id[:_MAX_TEXT]),
        unchecked_id=ident,
        face=came.face,
        caller=came.caller,
        request_id=name_of_nobody(what.request_id[:_MAX_TEXT]),
        body_digest=came.digest,
        why=what.why,
        fields=tuple(problem.field[:_MAX_TEXT] for problem in what.fields[:_MAX_FIELDS]),
        told=what.told,
    )
