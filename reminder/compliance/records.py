"""The unit of compliance: the reminder, however many checks repeat it, and what became of it.

Worked examples and the whole definition stand in docs/compliance.md; the functions of this package follow it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct, field

from reminder.journal.entries import Done, Verdict

__all__ = [
    "AUTOMATIC_MS",
    "GONE",
    "LOOK_BACK_DAYS",
    "OUTCOMES",
    "SOURCES",
    "WAYS",
    "Asked",
    "Figures",
    "Group",
    "Notes",
    "Outcome",
    "Period",
    "Reminder",
    "Report",
    "Share",
    "Source",
    "Spread",
]

Outcome: TypeAlias = Literal[
    "changed",
    "withdrawn",
    "self_paid",
    "justified",
    "overridden",
    "exited",
    "ignored",
    "abandoned",
    "unobserved",
]
OUTCOMES: tuple[Outcome, ...] = (
    "changed", "withdrawn", "self_paid", "justified", "overridden", "exited", "ignored", "abandoned", "unobserved",
)  # fmt: skip
"""What became of a reminder: the line was changed so that it is found no more; it was left out; the patient pays; a
diagnosis (or the fact the rule lacked) was added after it; gone on with a reason; left by the emergency exit; saved
unchanged without an answer (an automatic "go on" is none); the whole prescription was never saved; nobody knows."""

GONE: frozenset[Outcome] = frozenset({"changed", "withdrawn", "self_paid", "abandoned"})
"""Outcomes with which what was reminded of did not reach the fund; with the others it was kept, or nobody knows."""

WAYS: tuple[str, ...] = ("changed", "withdrawn", "self_paid", "overridden", "exited", "wrong_rule", "none")
"""The last word about one finding; ``none``: nobody said anything."""

Source: TypeAlias = Literal["feedback", "saved", "next_call", "none"]
SOURCES: tuple[Source, ...] = ("feedback", "saved", "next_call", "none")
"""Where an outcome is known from, strongest first: the doctor's word, RecordSaved, a later body of the encounter."""

AUTOMATIC_MS = 1000
"""Going on with every finding of an answer within this time was not done by a person who read them."""

LOOK_BACK_DAYS = 31
"""How far before a period earlier findings of a reminder are looked for, so that a repetition is not counted as new."""


class Reminder(Struct, frozen=True, kw_only=True, gc=False):
    """One reminder and its outcome.

    ``first_at`` and ``last_at``: when it was first and last shown, UTC; ``shown``: in how many answers, ``shadow``:
    found but never shown. The fields from ``institution`` to ``ward`` are those of the first showing, ``action`` is the
    strongest shown. ``amount_fen``: the largest amount at risk any showing named, of this reminder's line alone.
    ``settled_at``: when the outcome was known. ``disagrees``: the outcome another source tells, where it is another.
    ``intercepted``: shown, and in the end not saved to the fund as it was. ``warned_fen`` is what this reminder carries
    of its line's money: its amount, or 0 where another reminder of the line carries it; ``intercepted_fen``: what of
    that was kept from the fund, less than all where less of the line was saved. ``civil_hour`` is like "2026-01-05 09".
    ``answer_ms``: how long the first answer of a person took; ``automatic``: it has feedback, and no person's.
    ``said_by`` and ``said_day``: doctor ("": not told) and civil day of the word in ``done``.
    """

    reminder_id: str
    encounter_key: str
    rule_id: str
    class_id: str
    item: str
    item_name: str
    order_date: str
    first_at: datetime
    last_at: datetime
    civil_day: str
    shown: int
    shadow: bool
    action: str
    unknown: bool
    fund_only: bool
    institution: str
    department: str
    doctor: str
    addressee: str
    scene: str
    visit_mode: str
    ward: str
    amount_fen: int | None
    outcome: Outcome
    source: Source
    settled_at: datetime | None = None
    disagrees: Outcome | None = None
    done: Done | None = None
    said_by: str = ""
    said_day: str = ""
    reason_code: str = ""
    has_text: bool = False
    junk: str = ""
    verdict: Verdict = ""
    automatic: bool = False
    intercepted: bool = False
    intercepted_fen: int = 0
    answer_ms: int | None = None
    finding_ids: tuple[str, ...] = ()
    warned_fen: int = 0
    civil_hour: str = ""


class Period(Struct, frozen=True, kw_only=True):
    """The instants a report is about, UTC: reminders and answers in [begin, end), evidence before ``until``."""

    begin: datetime
    end: datetime
    until: datetime


class Share(Struct, frozen=True, kw_only=True):
    """A part of a whole; a percentage only where it is printed."""

    part: int
    whole: int


class Spread(Struct, frozen=True, kw_only=True):
    """Of ``count`` values in ascending order the ceil(n/2)-th and the ceil(9n/10)-th; ``None`` without any."""

    count: int = 0
    median: int | None = None
    p90: int | None = None


class Asked(Struct, frozen=True, kw_only=True):
    """What was asked, found or not: see "Figures" in docs/compliance.md. ``visits`` and ``doctors`` do not add up."""

    checks: int = 0
    prescriptions: int = 0
    interruptions: int = 0
    visits: int = 0
    doctors: int = 0
    fees_fen: int = 0
    drugs_fen: int = 0


class Figures(Struct, frozen=True, kw_only=True, gc=False):
    """The figures of a group, all of them counts: see "Figures" in docs/compliance.md.

    The mappings hold only what occurs. ``reasons`` has "" for words without a code; ``asked`` is ``None`` by rule,
    class and addressee. ``answered`` and ``acted`` are milliseconds.
    """

    reminders: int = 0
    shadow: int = 0
    unknown: int = 0
    disagrees: int = 0
    automatic: int = 0
    findings: int = 0
    showings: int = 0
    repeats: int = 0
    texts: int = 0
    junk: int = 0
    verified: int = 0
    at_risk_fen: int = 0
    warned_fen: int = 0
    intercepted_fen: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[str, int] = field(default_factory=dict)
    actions: Mapping[str, int] = field(default_factory=dict)
    ways: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    amounts: Mapping[str, int] = field(default_factory=dict)
    answered: Spread = Spread()
    acted: Spread = Spread()
    asked: Asked | None = None


class Group(Struct, frozen=True, kw_only=True):
    """One row of a report: what it is about ("" where that was not told), and its figures."""

    key: str
    figures: Figures


class Notes(Struct, frozen=True, kw_only=True):
    """What was read, and what of it could not be counted.

    ``repeated``: words told again as they were. ``before``: reminders shown in the period that began before it.
    ``unjoined``: feedback about findings that are not among what was read; ``unknown``: about findings nobody knows.
    ``gaps``: entries that tell of lost answers. ``late``: decisions that were answered before they were written;
    ``keyless``: those without encounter key.
    """

    rows: int = 0
    decisions: int = 0
    feedback: int = 0
    repeated: int = 0
    saved: int = 0
    before: int = 0
    unjoined: int = 0
    unknown: int = 0
    gaps: int = 0
    late: int = 0
    keyless: int = 0


class Report(Struct, frozen=True, kw_only=True):
    """Figures over a period, by one grouping, the groups by key."""

    by: str
    period: Period
    groups: tuple[Group, ...]
    total: Figures
    notes: Notes
