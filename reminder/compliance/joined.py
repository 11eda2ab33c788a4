"""Findings of many checks of one encounter joined into reminders."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from msgspec import Struct

from reminder.compliance.bodies import Body, own_id
from reminder.compliance.period import LOOK_BACK
from reminder.journal.brief import FoundBrief, LineBrief

__all__ = ["Showing", "Sighting", "Thread", "after", "joined", "shadows", "sightings"]


class Showing(Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """One answer in which one reminder was shown: by which finding, for which lines (none: about the encounter)."""

    body: Body
    found: FoundBrief
    places: tuple[int, ...]


class Thread(Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """The showings of one reminder, in their order; never empty.

    ``ends``: when the next reminder of the same id begins, ``None`` without one.
    """

    reminder_id: str
    showings: tuple[Showing, ...]
    ends: datetime | None = None

    @property
    def first(self) -> Showing:
        """The showing it began with."""
        return self.showings[0]


class Sighting(Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """A decision that finds a reminder, shown or not, the lines it is found on, and whether it could be decided."""

    body: Body
    lines: tuple[LineBrief, ...]
    unknown: bool


def joined(bodies: Iterable[Body]) -> list[Thread]:
    """The reminders of an encounter, from its decisions in their order."""
    showings: dict[str, list[Showing]] = {}
    for body in bodies:
        for found, placed in body.found:
            if found.shown:
                for reminder_id, places in placed.items():
                    showing = Showing(body=body, found=found, places=places)
                    showings.setdefault(reminder_id, []).append(showing)
    return [thread for reminder_id, shown in showings.items() for thread in _threads(reminder_id, shown)]


def _threads(reminder_id: str, shown: Sequence[Showing]) -> Iterable[Thread]:
    """The showings of one id, apart where nothing was shown for longer than we look back."""
    if len(shown) == 1:
        return (Thread(reminder_id=reminder_id, showings=(shown[0],)),)
    breaks = [k for k, (one, two) in enumerate(pairwise(shown), start=1) if two.body.at - one.body.at > LOOK_BACK]
    return [
        Thread(
            reminder_id=reminder_id,
            showings=tuple(shown[begin:end]),
            ends=shown[end].body.at if end < len(shown) else None,
        )
        for begin, end in pairwise((0, *breaks, len(shown)))
    ]


def shadows(bodies: Iterable[Body], threads: Iterable[Thread]) -> Mapping[str, Showing]:
    """Reminders that were found and never shown, by id, as they were first found."""
    shown = {thread.reminder_id for thread in threads}
    found_first: dict[str, Showing] = {}
    for body in bodies:
        for found, placed in body.found:
            if not found.shown:
                for reminder_id, places in placed.items():
                    if reminder_id not in shown:
                        found_first.setdefault(reminder_id, Showing(body=body, found=found, places=places))
    return found_first


def sightings(thread: Thread, bodies: Sequence[Body]) -> list[Sighting]:
    """Every decision that finds a reminder; ``bodies`` are those from its first showing to the next one of its id."""
    first = thread.first
    own = {own_id(first.body.placed.get(place)) for place in first.places} - {""}
    rule_id, told = first.found.rule_id, []
    for body in bodies:
        if body.found:
            findings = [
                (found, places)
                for found, placed in body.found
                if found.rule_id == rule_id
                and (places := _places_seen(thread.reminder_id, own, found, placed, body)) is not None
            ]
            if findings:
                told.append(_sighting(body, findings))
    return told


def after(thread: Thread, bodies: Sequence[Body]) -> Sequence[Body]:
    """The decisions from a reminder's first showing to the next one of its id."""
    mine = bodies[thread.first.body.index :]
    return mine if thread.ends is None else [body for body in mine if body.at < thread.ends]


def _sighting(body: Body, findings: Sequence[tuple[FoundBrief, tuple[int, ...]]]) -> Sighting:
    """What some findings of a decision say of one reminder."""
    if len(findings) == 1:
        every: Iterable[int] = findings[0][1]
    else:
        every = dict.fromkeys(place for _, places in findings for place in places)
    lines = tuple(body.placed[place] for place in every if place in body.placed) if every else body.current()
    return Sighting(body=body, lines=lines, unknown=any(found.unknown for found, _ in findings))


def _places_seen(
    reminder_id: str, own: Collection[str], found: FoundBrief, placed: Mapping[str, tuple[int, ...]], body: Body
) -> tuple[int, ...] | None:
    """The lines of a finding that are a reminder's: under its id, else under own ids of lines; ``None``: it is not."""
    mine = placed.get(reminder_id)
    if mine is None and own and any(own_id(body.placed.get(place)) in own for place in found.lines):
        return found.lines
    return mine
