"""What is active beside what was seen last, and why they differ, in words; pure, from what stands and was done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from reminder.releases.trust import is_older

if TYPE_CHECKING:
    from datetime import date, datetime

    from reminder.releases.due import Again
    from reminder.releases.ledger import Step
    from reminder.releases.staged import Staged
    from reminder.releases.standing import Chosen, Seen, Standing, Working

__all__ = [
    "START",
    "fell_back",
    "given_up",
    "overdue",
    "told_of",
    "tried_again",
    "trouble",
    "waits_on",
    "why_not_active",
]

START = "start"
"""Who makes a list active when the sidecar starts: nobody was asked."""


def why_not_active(standing: Standing, steps: Iterable[Step], waiting: Again | None = None) -> str:
    """Why the release that was seen last is not the active one; "" where it is, or none was seen.

    Args:
        standing: what stands.
        steps: the steps that were taken, newest first.
        waiting: when a scheduled activation that failed is tried again.
    """
    seen, active = standing.seen, standing.active
    if seen is None:
        return ""
    if seen.problem:
        return seen.problem
    if active is not None and (seen.version, seen.digest) == (active.version, active.digest):
        return ""
    if standing.scheduled is not None and standing.scheduled.version == seen.version:
        if waiting is not None:
            return f"启用失败 (could not be made active): {waiting.why}; {tried_again(waiting)}"
        return f"定于 {_utc(standing.scheduled.at)} 启用 (to become active at {_utc(standing.scheduled.at)})"
    return _after(seen, standing, steps)


def _after(seen: Seen, standing: Standing, steps: Iterable[Step]) -> str:
    """What became of a release that passed every step."""
    moves = (step for step in steps if step.step in {"activate", "rollback"} and step.version == seen.version)
    last = next(moves, None)
    if last is not None and last.result == "failed":
        return f"启用失败 (could not be made active): {last.detail}"
    if last is not None:
        return "曾启用，后被取代或回退 (was active before)"
    if standing.active is not None and is_older(seen.version, standing.active.version):
        return f"早于正在使用的 {standing.active.version} (older than the active {standing.active.version})"
    return f"已通过全部检查，尚未启用 (passed every step; reminder lists activate {seen.version} makes it active)"


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def tried_again(waiting: Again) -> str:
    """When a scheduled activation that failed is tried next, and until when."""
    at, until = _utc(waiting.at), _utc(waiting.until)
    return f"{at} 再试，至 {until} 为止 (tried again at {at}, then with growing pauses until {until})"


def given_up(waiting: Again) -> str:
    """That it is tried no more."""
    return (
        f"试了 {waiting.tries} 次，不再重试 (tried {waiting.tries} times and given up); 排除原因后请重新启用 "
        "(see to the reason and activate it)"
    )


def waits_on(standing: Standing, waiting: Again | None) -> str:
    """That a scheduled activation failed and is going to be tried again; "" where not.

    Args:
        standing: what stands.
        waiting: when it is.
    """
    if standing.scheduled is None or waiting is None:
        return ""
    version, at = standing.scheduled.version, _utc(waiting.at)
    return f"releases: {version} could not be made active when it was due ({waiting.why}); tried again at {at}"


def overdue(standing: Standing, staged: Sequence[Staged], day: date) -> str:
    """That the active release was not meant for so long; it stays active. "" where it was.

    Args:
        standing: what stands.
        staged: the releases that lie here.
        day: today, civil.
    """
    active = standing.active
    lying = next((one for one in staged if active is not None and one.digest == active.digest), None)
    last = lying.manifest.valid_to if lying is not None else None
    if active is None or last is None or day <= last:
        return ""
    return f"releases: {active.version} was meant until {last}; it stays active, bring the one after it"


def fell_back(steps: Iterable[Step]) -> str:
    """That the sidecar began with another list, for the active one was damaged; "" where not, or where it was mended.

    Args:
        steps: the steps that were taken, newest first.
    """
    moves = (step for step in steps if step.step in {"activate", "rollback"} and step.result == "done")
    last = next(moves, None)
    if last is None or last.step != "rollback" or last.who != START:
        return ""
    return f"releases: started with {last.version or last.digest[:16]}, for what was active is damaged: {last.why}"


def trouble(
    standing: Standing, steps: Sequence[Step], waiting: Again | None, workers: Iterable[Working], late: Sequence[int]
) -> str:
    """What is wrong with releases, and nobody's decision; "" where nothing is.

    Args:
        standing: what stands.
        steps: the steps that were taken, newest first.
        waiting: when a scheduled activation that failed is tried again.
        workers: what the live ones say.
        late: numbers of those that do not follow.
    """
    seen = standing.seen.problem if standing.seen is not None else ""
    problems = "; ".join(f"{one.number}: {one.problem}" for one in workers if one.problem)
    behind = f"workers {list(late)} do not follow" if late else ""
    found = (seen, waits_on(standing, waiting), _not_moved(standing, steps), fell_back(steps), problems, behind)
    return next(filter(None, found), "")


def _not_moved(standing: Standing, steps: Iterable[Step]) -> str:
    """That the release seen last could not be made active, for another reason than that it is older."""
    seen, active = standing.seen, standing.active
    if seen is None or (active is not None and (seen.version, seen.digest) == (active.version, active.digest)):
        return ""
    moves = (step for step in steps if step.step in {"activate", "rollback"} and step.version == seen.version)
    last = next(moves, None)
    return last.detail if last is not None and last.result == "failed" and last.reason != "older" else ""


def told_of(active: Chosen, standing: Standing, why: str) -> dict[str, Any]:
    """What is active beside what was seen last, for health."""
    return {
        "active": _named(active),
        "latest_seen": _named(standing.seen) if standing.seen is not None else None,
        "why_not_active": why,
        "unconfirmed": len(active.unconfirmed),
    }


def _named(one: Chosen | Seen) -> dict[str, Any]:
    return {"version": one.version, "digest": one.digest, "at": f"{one.at:%Y-%m-%dT%H:%M:%SZ}"}
