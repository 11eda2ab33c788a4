"""The entries of one encounter read: what was asked, found, said and saved in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import cast

from msgspec import Struct, field
from msgspec.structs import replace

from reminder.compliance.bodies import SETTLEMENT, Body, Key, Wanted, body_of, civil_of
from reminder.compliance.settled import Standing
from reminder.compliance.words import Word
from reminder.journal.base import Row
from reminder.journal.brief import DecisionBrief, FeedbackBrief, LineBrief, SavedBrief, decode_brief

__all__ = ["Check", "Counts", "Visit", "visits"]

_ENCOUNTER = attrgetter("institution_id", "encounter_key")
_PLACE = attrgetter("at", "decision_id")


class Check(Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """A decision as it is counted, whatever it found.

    ``civil`` is its civil hour, ``prescribes``: it asks about a prescription that no earlier check asked about.
    ``fees_fen`` and ``drugs_fen`` are those of lines no earlier check had, ``interrupts``: something was shown.
    """

    at: datetime
    institution: str
    civil: str
    brief: DecisionBrief
    prescribes: bool
    interrupts: bool
    fees_fen: int
    drugs_fen: int


class Counts(Struct, kw_only=True):
    """How many entries were read, and what of them tells nothing."""

    rows: int = 0
    decisions: int = 0
    feedback: int = 0
    repeated: int = 0
    saved: int = 0
    unknown: int = 0
    gaps: int = 0
    late: int = 0
    keyless: int = 0


class Visit(Struct, kw_only=True, eq=False, gc=False):
    """What is known of one encounter; ``key`` is "" for decisions without one, which have nothing in common.

    ``bodies`` begin with the first decision that found something.
    """

    institution: str
    key: str
    bodies: list[Body] = field(default_factory=list)
    words: dict[str, list[Word]] = field(default_factory=dict)
    saved: list[Row] = field(default_factory=list)

    def apart(self) -> Iterator[Visit]:
        """Each decision as an encounter of its own."""
        return (replace(self, bodies=[body]) for body in self.bodies)

    def standing(self) -> list[Standing]:
        """The prescriptions as they stand: of each the highest revision, as it was told first."""
        highest: dict[str, tuple[datetime, SavedBrief]] = {}
        for row in self.saved:
            at, brief = row.at, cast("SavedBrief", decode_brief(row.brief))
            known = highest.get(brief.prescription_id)
            if known is None or (-brief.revision, at) < (-known[1].revision, known[0]):
                highest[brief.prescription_id] = at, brief
        return [Standing(at=at, lines=tuple(_dated(brief))) for at, brief in highest.values()]


def _dated(brief: SavedBrief) -> Iterator[LineBrief]:
    """Saved lines; those that do not tell when they begin began when they were saved."""
    day = civil_of(brief.saved_at, brief.zone_minutes)[:10]
    return (line if line.order_date else replace(line, order_date=day) for line in brief.lines)


def visits(
    rows: Iterable[Row],
    counts: Counts,
    begun: Callable[[], None],
    check: Callable[[Check], None],
    keyless: Counts | None = None,
) -> Iterator[Visit]:
    """The encounters of rows that stand in the order of institution, encounter and instant.

    Args:
        rows: entries with their briefs.
        counts: where what was read is counted.
        begun: called before the checks of an encounter, and of each decision without encounter key.
        check: called with every decision, found anything or not.
        keyless: where what has no encounter key is counted instead.

    Feedback without encounter key (the journal was away when it was told) stands before every encounter and is joined
    to any finding it names.
    """
    loose: dict[str, list[Word]] = {}
    for (institution, key), its_rows in groupby(rows, key=_ENCOUNTER):
        reader = _Reader(Visit(institution=institution, key=key), counts if key else keyless or counts, begun, check)
        for row in sorted(its_rows, key=_PLACE) if key else its_rows:
            reader.take(row)
        if not key:
            loose.update(reader.visit.words)
        yield from (_with(reader.visit, loose),) if key else reader.visit.apart()


def _with(visit: Visit, loose: Mapping[str, list[Word]]) -> Visit:
    """An encounter with the words about its findings that name no encounter."""
    for found in (found for body in visit.bodies for found in body.brief.found if found.finding_id in loose):
        visit.words[found.finding_id] = [*visit.words.get(found.finding_id, ()), *loose[found.finding_id]]
    return visit


class _Reader:
    """Reads one encounter: knows which lines were asked about before, and which may matter later."""

    __slots__ = ("begun", "check", "counts", "seen", "visit", "wanted")

    def __init__(self, visit: Visit, counts: Counts, begun: Callable[[], None], check: Callable[[Check], None]) -> None:
        self.visit, self.counts, self.begun, self.check = visit, counts, begun, check
        self.seen: set[Key] = set()
        self.wanted: Wanted | None = None
        begun()

    def take(self, row: Row) -> None:
        """Read one entry."""
        counts, kind = self.counts, row.kind
        counts.rows += 1
        if kind == "saved" and row.brief:
            counts.saved += 1
            self.visit.saved.append(row)  # read where something was found: most encounters are clean
        elif kind == "gap":
            counts.gaps += 1
        elif row.brief:
            brief = decode_brief(row.brief)
            if isinstance(brief, DecisionBrief):
                self._decision(row, brief)
            elif isinstance(brief, FeedbackBrief):
                self._feedback(Word(at=row.at, brief=brief))

    def _feedback(self, word: Word) -> None:
        self.counts.feedback += 1
        self.counts.unknown += not word.brief.known
        told = self.visit.words.setdefault(word.brief.finding_id, [])
        if any(word.brief == known.brief for known in told):
            self.counts.repeated += 1
        else:
            told.append(word)

    def _decision(self, row: Row, brief: DecisionBrief) -> None:
        self.counts.decisions += 1
        self.counts.late += brief.late
        if not self.visit.key:
            self._forget()
        found = bool(brief.found)
        civil = civil_of(row.at, brief.zone_minutes)
        self.check(_check(row, civil, brief, self.seen))
        if found and self.wanted is None:
            self.wanted = Wanted()
        if self.wanted is not None:
            bodies = self.visit.bodies
            bodies.append(body_of(row, civil, brief, self.wanted, len(bodies) if self.visit.key else 0))

    def _forget(self) -> None:
        """A decision without encounter key has nothing to do with those before it."""
        self.counts.keyless += 1
        self.begun()
        self.seen, self.wanted = set(), None


def _check(row: Row, civil: str, brief: DecisionBrief, seen: set[Key]) -> Check:
    """Count a decision; ``seen`` are the lines earlier ones of the encounter had."""
    day = civil[:10]
    keys: set[Key] = set()
    fees = drugs = 0
    for line in brief.lines:
        if line.current:
            key = line.item, line.order_date or day
            keys.add(key)
            if line.amount_fen and key not in seen:
                fees += line.amount_fen
                drugs += line.amount_fen if line.is_drug else 0
    prescribes = bool(keys) and seen.isdisjoint(keys) and SETTLEMENT.isdisjoint(brief.scene)
    seen |= keys
    return Check(
        at=row.at,
        institution=row.institution_id,
        civil=civil,
        brief=brief,
        prescribes=prescribes,
        interrupts=bool(brief.found) and any(found.shown for found in brief.found),
        fees_fen=fees,
        drugs_fen=drugs,
    )
