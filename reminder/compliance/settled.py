"""The outcome of a reminder: by feedback, else by what was saved, else by the next call of the encounter.

The whole definition is docs/compliance.md, section "Outcomes"; each function here is one of its sentences.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import Struct

from reminder.compliance.bodies import Body, Lines, differs, fell_by, match, no_more, other_items, self_paid
from reminder.compliance.joined import Sighting, Thread, after, sightings
from reminder.compliance.records import GONE, Outcome, Source
from reminder.journal.brief import LineBrief

if TYPE_CHECKING:
    from reminder.compliance.words import Said

__all__ = ["Case", "Records", "Saved", "Settled", "Standing", "Told", "case_of", "settle"]


class Standing(Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """The revision of a saved prescription that stands, told ``at`` (UTC). Its lines tell their order date."""

    at: datetime
    lines: tuple[LineBrief, ...]


class Told(Struct, frozen=True, kw_only=True, gc=False):
    """What one source says.

    ``at_most_fen``: what of the money is kept from the fund at most; ``None``: all that was at risk.
    """

    outcome: Outcome
    at: datetime
    at_most_fen: int | None = None


class Settled(Struct, frozen=True, kw_only=True, gc=False):
    """The outcome, where it is known from, and since when.

    ``disagrees``: what another source says to the contrary; ``gone``: it did not reach the fund, of the money
    ``at_most_fen`` (``None``: all).
    """

    outcome: Outcome
    source: Source
    at: datetime | None = None
    disagrees: Outcome | None = None
    gone: bool = False
    at_most_fen: int | None = None


_UNOBSERVED = Settled(outcome="unobserved", source="none")


class Records:
    """The prescriptions of an encounter as they stand, by when they were told; their lines are indexed once."""

    __slots__ = ("_lines", "_standing")

    def __init__(self, standing: Iterable[Standing]) -> None:
        self._standing = sorted(standing, key=attrgetter("at"))
        self._lines: dict[tuple[int, int], Lines] = {}

    def told(self, begin: datetime, ends: datetime | None) -> Saved | None:
        """Those told in [begin, ends); ``None`` without any."""
        if not self._standing:
            return None
        places = [one.at for one in self._standing]
        first, last = bisect_left(places, begin), len(places) if ends is None else bisect_left(places, ends)
        if first >= last:
            return None
        mine = self._standing[first:last]
        if (first, last) not in self._lines:
            self._lines[first, last] = Lines((line for one in mine for line in one.lines), "")
        return Saved(standing=mine, lines=self._lines[first, last])


class Saved(Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """Prescriptions and all their lines."""

    standing: Sequence[Standing]
    lines: Lines

    def told_at(self, lines: Iterable[LineBrief]) -> datetime:
        """When the first of the prescriptions was told that some lines stand in."""
        wanted = {id(line) for line in lines}
        return min(one.at for one in self.standing if any(id(line) in wanted for line in one.lines))


class Case(Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """A reminder with all that may tell of its outcome. ``bodies`` begin with the first showing's."""

    thread: Thread
    sightings: Sequence[Sighting]
    places: Sequence[tuple[datetime, str]]
    bodies: Sequence[Body]
    saved: Saved | None


def case_of(thread: Thread, bodies: Sequence[Body], records: Records) -> Case:
    """Gather what concerns a reminder."""
    mine = after(thread, bodies)
    seen = sightings(thread, mine)
    places = [sighting.body.place for sighting in seen]
    saved = records.told(thread.first.body.at, thread.ends)
    return Case(thread=thread, sightings=seen, places=places, bodies=mine, saved=saved)


def settle(case: Case, said: Said | None) -> Settled:
    """The outcome of a reminder by the strongest source that tells anything."""
    begun = case.thread.first.body.at
    saved, called, word = _saved_says(case), _next_says(case), _said(said, begun)
    if word is not None:
        return _settled("feedback", word, (saved, called))
    if saved is not None:
        return _settled("saved", saved, (saved, called))
    if called is not None:
        return _settled("next_call", called, (called,))
    if said is not None:
        return Settled(outcome="ignored", source="feedback", at=max(said.last.brief.done_at, begun))
    return _UNOBSERVED


def _settled(source: Source, first: Told, records: Sequence[Told | None]) -> Settled:
    """An outcome beside what the records say: the first that says the contrary, and where the money went."""
    side = first.outcome in GONE
    told = [one for one in records if one is not None]
    contrary = next((one.outcome for one in told if (one.outcome in GONE) != side), None)
    money = told[0] if told else first
    return Settled(
        outcome=first.outcome,
        source=source,
        at=first.at,
        disagrees=contrary,
        gone=money.outcome in GONE,
        at_most_fen=money.at_most_fen,
    )


def _said(said: Said | None, begun: datetime) -> Told | None:
    """What feedback says, not before the reminder began; a word nobody spoke says nothing."""
    if said is None or said.automatic:
        return None
    word = said.last.brief
    return Told(outcome="overridden" if word.done == "wrong_rule" else word.done, at=max(word.done_at, begun))


# -- saved


def _saved_says(case: Case) -> Told | None:
    """What the standing prescriptions say."""
    first, saved = case.sightings[0], case.saved
    if saved is None or not first.lines:
        return None
    found = match(first.lines, first.body.lines, saved.lines)
    if found:
        at = saved.told_at(found)
        return _as_saved(case, at, found)
    others = _others(first)
    rest = match(others, first.body.lines, saved.lines)
    at = saved.told_at(rest) if rest else saved.standing[0].at
    return Told(outcome="withdrawn" if rest or not others else "abandoned", at=at)


def _as_saved(case: Case, at: datetime, found: Sequence[LineBrief]) -> Told:
    """What is told by lines that were saved at an instant."""
    before = [sighting for sighting in case.sightings if sighting.body.at <= at][-1]
    checks = [body for body in case.bodies if body.place > before.body.place and body.at <= at]
    return _stands(case, before, found, checks, at, again=case.sightings[-1].body.at > at)


def _stands(
    case: Case, before: Sighting, found: Sequence[LineBrief], checks: Sequence[Body], at: datetime, *, again: bool
) -> Told:
    """What lines that stand as saved tell; ``checks`` are the decisions between, ``again``: it is seen later."""
    if self_paid(before.lines, found):
        return Told(outcome="self_paid", at=at)
    if not differs(before.lines, found):
        cover = _covering(case, before, found, checks)
        outcome = (cover is not None and _why_cleared(before, cover)) or "ignored"
        return Told(outcome=outcome, at=at)
    if again:
        return Told(outcome="ignored", at=at)
    judged = other_items(before.lines, found) or _covering(case, before, found, checks) is not None
    return Told(outcome="changed", at=at, at_most_fen=None if judged else fell_by(before.lines, found))


# -- next call


def _next_says(case: Case) -> Told | None:
    """What later bodies say: the first saved one since the last sighting, else what was written, else saved before."""
    first, seen = case.thread.first.body.at, case.places[-1]
    if case.bodies[-1].at <= first:
        return None
    written = None
    for body in case.bodies:
        if body.place < seen or body.at <= first:
            continue
        told, saved = _tells(case, body)
        if told is not None and saved:
            return told
        if told is not None and body.place > seen:
            written = told
    if written is not None or len(case.places) == 1:
        return written
    return next(_saved_before(case, [body for body in case.bodies if body.place < seen and body.at > first]), None)


def _saved_before(case: Case, bodies: Sequence[Body]) -> Iterator[Told]:
    """What bodies before the last sighting say where the lines were saved, the latest first."""
    for body in reversed(bodies):
        told, saved = _tells(case, body)
        if told is not None and saved:
            yield told


def _tells(case: Case, body: Body) -> tuple[Told | None, bool]:
    """What one later body says, and whether it shows the lines as saved."""
    before = case.sightings[bisect_left(case.places, body.place) - 1]
    found = match(before.lines, before.body.lines, body.lines)
    if before.lines and not found:
        return _told(_absent(before, body), body), False
    if _is_saved(body, found) if before.lines else body.some_line:
        checks = [one for one in case.bodies if before.body.place < one.place <= body.place]
        return _stands(case, before, found, checks, body.at, again=case.places[-1] >= body.place), True
    return _as_written(case, before, body, found), False


def _told(outcome: Outcome | None, body: Body) -> Told | None:
    return None if outcome is None else Told(outcome=outcome, at=body.at)


def _is_saved(body: Body, found: Iterable[LineBrief]) -> bool:
    return body.settles or not any(line.current for line in found)


def _as_written(case: Case, before: Sighting, body: Body, found: Sequence[LineBrief]) -> Told | None:
    """What lines that are being written tell: something only where they were judged anew."""
    if not _clears(case, before, body, found):
        return None
    if self_paid(before.lines, found):
        return _told("self_paid", body)
    if differs(before.lines, found):
        return _told("changed", body)
    return _told(_why_cleared(before, body), body)


def _absent(before: Sighting, body: Body) -> Outcome | None:
    """What a body says that does not list the lines: nothing, unless it surely lists more than new ones."""
    others = _others(before)
    rest = match(others, before.body.lines, body.lines)
    if not body.brief.complete or not (body.settles or body.some_in_force or rest):
        return None
    return "withdrawn" if rest or not others else "abandoned"


# -- judged anew


def _others(sighting: Sighting) -> tuple[LineBrief, ...]:
    """The current lines of a sighting's body that are not its own."""
    own = {id(line) for line in sighting.lines}
    return tuple(line for line in sighting.body.current() if id(line) not in own)


def _clears(case: Case, before: Sighting, body: Body, found: Iterable[LineBrief]) -> bool:
    """Whether a later decision judged the lines anew, which it lists as found, and finds the reminder no more."""
    first = case.thread.first.found
    if body.brief.unread or first.rule_id in body.brief.undecided or body.settles != before.body.settles:
        return False
    if body.place in case.places:
        return False
    return not first.lines or any(line.current for line in found)


def _covering(case: Case, before: Sighting, now: Sequence[LineBrief], checks: Sequence[Body]) -> Body | None:
    """The last of some decisions that clears the reminder and judged what stands now, or more of it."""
    for body in reversed(checks):
        found = match(before.lines, before.body.lines, body.lines)
        if _clears(case, before, body, found) and no_more(found, now):
            return body
    return None


def _why_cleared(before: Sighting, body: Body) -> Outcome | None:
    """Why lines that are not fewer are found no more; ``None`` where the list may have changed."""
    added = before.unknown or not set(body.brief.diagnoses) <= set(before.body.brief.diagnoses)
    return "justified" if added or body.brief.release == before.body.brief.release else None
