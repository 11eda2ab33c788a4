"""A prescription that was not checked: written down and counted, so that nobody takes silence for "no violation"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from negative_list.errors import FieldProblem
from reminder.feedback.masked import name_of_nobody
from reminder.ids import RANDOM_BITS, decision_id
from reminder.journal.drafts import draft_of
from reminder.journal.entries import Unchecked

if TYPE_CHECKING:
    from datetime import datetime

    from reminder.recording import Came
    from reminder.service import Service

__all__ = ["PREFIX", "NotChecked", "Told", "Why", "write_unchecked"]

PREFIX = "nc-"
"""What the ids of prescriptions that were not checked begin with; no finding's does."""

Why: TypeAlias = Literal["request", "limit", "failed", "deadline"]
"""Why it was not checked, as :class:`reminder.journal.entries.Unchecked` says it."""

Told: TypeAlias = Literal["error", "row", "open"]
"""What the caller was told."""

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
