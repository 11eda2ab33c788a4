"""A period's reports as a pure function of journal entries: join, settle, count.

Rows come from ``JournalStore.briefs(reads_from(period), period.until, by_encounter=True)``. One encounter is in memory
at a time, with what its reminders need of its bodies; beside it the figures of the groups. Without encounter keys
nothing can be told apart before the end, so every finding of such decisions is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import asdict

from negative_list.rules import ACTIONS
from reminder.compliance.bodies import civil_of
from reminder.compliance.groupings import GROUPINGS
from reminder.compliance.joined import joined, shadows
from reminder.compliance.money import carried
from reminder.compliance.records import Notes, Reminder, Report
from reminder.compliance.settled import Records, case_of, settle
from reminder.compliance.tally import Cell, Tally
from reminder.compliance.visits import Counts, visits
from reminder.compliance.words import last, said_about
from reminder.journal.brief import FeedbackBrief

if TYPE_CHECKING:
    from reminder.compliance.bodies import Body
    from reminder.compliance.joined import Thread
    from reminder.compliance.money import Money
    from reminder.compliance.records import Period
    from reminder.compliance.settled import Settled
    from reminder.compliance.visits import Check, Visit
    from reminder.journal.base import Row
    from reminder.journal.brief import FoundBrief

__all__ = ["PROGRESS_ROWS", "Part", "counted", "reminders", "reports", "together"]

_STRENGTH: Sequence[str] = ACTIONS
_NO_WORD = FeedbackBrief(
    finding_id="",
    known=True,
    rule_id="",
    class_id="",
    reminders=(),
    done="overridden",
    done_at=datetime.min.replace(tzinfo=UTC),
)

PROGRESS_ROWS = 10_000
"""How many rows go by between two words of progress."""


def reminders(rows: Iterable[Row], period: Period) -> Iterator[Reminder]:
    """The reminders that began in a period, with their outcomes, encounter by encounter."""
    for visit in visits(rows, Counts(), _nothing, _nothing):
        yield from _reminders(visit, joined(visit.bodies), period)


def reports(
    rows: Iterable[Row],
    period: Period,
    by: Sequence[str] = (),
    each: Callable[[Reminder], object] | None = None,
    progress: Callable[[int], object] | None = None,
) -> dict[str, Report]:
    """Reports over a period, any number of groupings in one pass.

    Args:
        rows: decisions, feedback and what was saved, by institution, encounter and instant.
        period: what it is about.
        by: words of :data:`GROUPINGS`; without any, one report by "" that has only the total.
        each: called with every reminder that began in the period.
        progress: called now and then with the number of rows read.

    Raises:
        KeyError: A grouping of another name.
    """
    return together([counted(rows, period, by, each, progress)], period, by)


def counted(
    rows: Iterable[Row],
    period: Period,
    by: Sequence[str],
    each: Callable[[Reminder], object] | None = None,
    progress: Callable[[int], object] | None = None,
    *,
    first: bool = True,
) -> Part:
    """Count some encounters; arguments as of :func:`reports`. ``first``: what has no encounter key is counted here."""
    counting = _Counting(period, by)
    counts, keyless, told = counting.counts, None if first else Counts(), 0
    for visit in visits(rows, counts, counting.begun, counting.check, keyless):
        for one in counting.visit(visit):
            if each is not None:
                each(one)
        if progress is not None and counts.rows >= told + PROGRESS_ROWS:
            told = counts.rows
            progress(told)
    return counting.part()


def together(parts: Sequence[Part], period: Period, by: Sequence[str]) -> dict[str, Report]:
    """The reports of all parts, which are used up: the figures of the first grow to those of all."""
    tallies = {name: Tally(GROUPINGS.get(name)) for name in ("", *by)}
    doctors = {name: number for number, name in enumerate(parts[0].doctors)}
    for name, tally in tallies.items():
        tally.adopt(parts[0].cells[name])
    for part in parts[1:]:
        numbers = [doctors.setdefault(name, len(doctors)) for name in part.doctors]
        for name, tally in tallies.items():
            tally.add(part.cells[name], numbers)
    total, notes = tallies[""].total(tallies[by[0]] if by else None), _notes(parts)
    return {
        name: Report(by=name, period=period, groups=tallies[name].groups() if name else (), total=total, notes=notes)
        for name in by or ("",)
    }


def _notes(parts: Iterable[Part]) -> Notes:
    counts = [asdict(part.counts) for part in parts]
    read = {name: sum(one[name] for one in counts) for name in Counts.__struct_fields__}
    joined = sum(part.joined for part in parts)
    unjoined = read["feedback"] - read["repeated"] - read["unknown"] - joined
    return Notes(**read, before=sum(part.before for part in parts), unjoined=unjoined)


def _nothing(*_: object) -> None:
    """Counts nothing."""


class Part(Struct, frozen=True, kw_only=True):
    """What was counted of some encounters: figures by grouping ("": of all) and group, with the doctors they number.

    ``joined``: how many words were about findings that were read; ``before`` as in the notes of a report.
    """

    counts: Counts
    before: int
    joined: int
    doctors: tuple[str, ...]
    cells: Mapping[str, Mapping[str, Cell]]


class _Counting:
    """What is counted while encounters go by."""

    __slots__ = ("before", "checked", "counts", "doctors", "found", "joined", "named", "period", "tallies")

    def __init__(self, period: Period, by: Sequence[str]) -> None:
        self.period = period
        self.counts = Counts()
        self.named = {name: Tally(GROUPINGS[name] if name else None) for name in ("", *by)}
        self.tallies = tuple(self.named.values())
        self.found = self.tallies[1:] or self.tallies  # each is in one group: the total is the sum of any grouping
        self.checked = [tally for tally in self.tallies if tally.counts_checks]
        self.doctors: dict[str, int] = {"": -1}
        self.before = self.joined = 0

    def begun(self) -> None:
        for tally in self.checked:
            tally.begun()

    def check(self, check: Check) -> None:
        """Count a decision, if it is of the period."""
        if self.period.begin <= check.at < self.period.end:
            doctor = self.doctors.setdefault(check.brief.doctor, len(self.doctors) - 1)
            for tally in self.checked:
                tally.check(check, doctor)

    def visit(self, visit: Visit) -> list[Reminder]:
        """Count what was found in an encounter; returns the reminders that began in the period."""
        if not visit.bodies:
            return []
        threads = joined(visit.bodies)
        self._findings(visit, threads)
        if any(not found.shown for body in visit.bodies for found in body.brief.found):
            self._shadows(visit.bodies, threads)
        told = _reminders(visit, threads, self.period)
        for one in told:
            for tally in self.found:
                tally.reminder(one)
        return told

    def _findings(self, visit: Visit, threads: Sequence[Thread]) -> None:
        """Count the findings that were shown in the period."""
        showings = _showings(threads)
        self.before += sum(self._went_on(thread) for thread in threads)
        for body in visit.bodies:
            for found in body.brief.found:
                if found.shown:
                    words = visit.words.get(found.finding_id)
                    if words:
                        self.joined += sum(word.brief.known for word in words)
                    if self._within(body):
                        way = last(words).brief.done if words else "none"
                        self._finding(body, found, way, showings.get(id(found), ()))

    def _finding(self, body: Body, found: FoundBrief, way: str, repeats: Sequence[bool]) -> None:
        showings, repeated = len(repeats), sum(repeats)
        for tally in self.found:
            tally.finding(body, found, way, showings, repeated)

    def _shadows(self, bodies: Sequence[Body], threads: Sequence[Thread]) -> None:
        for showing in shadows(bodies, threads).values():
            if self._within(showing.body):
                for tally in self.found:
                    tally.shadow(showing.body, showing.found)

    def _went_on(self, thread: Thread) -> bool:
        """Whether a reminder began before the period and was shown in it."""
        return thread.first.body.at < self.period.begin and any(self._within(one.body) for one in thread.showings)

    def _within(self, body: Body) -> bool:
        return self.period.begin <= body.at < self.period.end

    def part(self) -> Part:
        """What was counted."""
        return Part(
            counts=self.counts,
            before=self.before,
            joined=self.joined,
            doctors=tuple(self.doctors)[1:],
            cells={name: tally.cells() for name, tally in self.named.items()},
        )


def _showings(threads: Iterable[Thread]) -> dict[int, list[bool]]:
    """Which showings each finding makes, by its identity, and whether they repeat; an answer shows a reminder once."""
    told: dict[int, list[bool]] = {}
    for thread in threads:
        before = None
        for showing in thread.showings:
            if showing.body is not before:
                told.setdefault(id(showing.found), []).append(before is not None)
            before = showing.body
    return told


# -- one encounter


def _reminders(visit: Visit, threads: Iterable[Thread], period: Period) -> list[Reminder]:
    """The reminders of an encounter that began in a period."""
    mine = [thread for thread in threads if period.begin <= thread.first.body.at < period.end]
    if not mine:
        return []
    records = Records(visit.standing())
    return [_reminder(visit, thread, records, money) for thread, money in zip(mine, carried(mine), strict=True)]


def _reminder(visit: Visit, thread: Thread, records: Records, money: Money) -> Reminder:
    """One reminder, settled: what it is about is as its first showing says."""
    said = said_about(thread, visit.words)
    settled = settle(case_of(thread, visit.bodies, records), said)
    word = said.last.brief if said is not None else _NO_WORD
    showings, body, found = thread.showings, thread.first.body, thread.first.found
    return Reminder(
        reminder_id=thread.reminder_id,
        encounter_key=visit.key,
        rule_id=found.rule_id,
        class_id=found.class_id,
        item=money.item,
        item_name=money.item_name,
        order_date=money.order_date,
        first_at=body.at,
        last_at=showings[-1].body.at,
        civil_day=body.day,
        civil_hour=body.civil,
        shown=len(showings) if len(showings) == 1 else len({showing.body.place for showing in showings}),
        shadow=False,
        action=max((showing.found.action for showing in showings), key=_STRENGTH.index),
        unknown=found.unknown,
        fund_only=found.fund_only,
        institution=visit.institution,
        department=body.brief.department,
        doctor=body.brief.doctor,
        addressee=found.addressee,
        scene=",".join(body.brief.scene),
        visit_mode=body.brief.visit_mode,
        ward=body.brief.ward,
        amount_fen=money.amount_fen,
        warned_fen=money.warned_fen,
        outcome=settled.outcome,
        source=settled.source,
        settled_at=settled.at,
        disagrees=settled.disagrees,
        intercepted=settled.gone,
        intercepted_fen=_intercepted_fen(settled, money),
        done=word.done if said is not None else None,
        said_by=word.doctor,
        said_day=civil_of(word.done_at, body.brief.zone_minutes)[:10] if said is not None else "",
        reason_code=word.reason_code,
        has_text=word.has_text,
        junk=word.junk,
        verdict=word.verdict,
        automatic=said is not None and said.automatic,
        answer_ms=said.answer_ms if said is not None else None,
        finding_ids=tuple(dict.fromkeys(showing.found.finding_id for showing in showings)),
    )


def _intercepted_fen(settled: Settled, money: Money) -> int:
    """What of the money a reminder carries did not reach the fund."""
    if not settled.gone:
        return 0
    return money.warned_fen if settled.at_most_fen is None else min(money.warned_fen, settled.at_most_fen)
