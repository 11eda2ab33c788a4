"""The unit of compliance: the reminder, however many checks repeat it, and what became of it.

Worked examples and the whole definition stand in docs/compliance.md; the functions of this package follow it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from reminder.journal.entries import Done

__all__ = [
    "AUTOMATIC_MS",
    "LOOK_BACK_DAYS",
    "OUTCOMES",
    "SOURCES",
    "Outcome",
    "Reminder",
    "Source",
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

Source: TypeAlias = Literal["feedback", "saved", "next_call", "none"]
SOURCES: tuple[Source, ...] = ("feedback", "saved", "next_call", "none")
"""Where an outcome is known from, strongest first: the doctor's word, RecordSaved, a later body of the encounter."""

AUTOMATIC_MS = 1000
"""Going on with every finding of an answer within this time was not done by a person who read them."""

LOOK_BACK_DAYS = 31
"""How far before a period earlier findings of a reminder are looked for, so that a repetition is not counted as new."""


class Reminder(Struct, frozen=True, kw_only=True):
    """One reminder and its outcome.

    ``first_at`` and ``last_at``: when it was first and last shown, UTC; ``shown``: in how many answers, ``shadow``:
    found but never shown. The fields from ``institution`` to ``ward`` are those of the first showing, ``action`` is the
    strongest shown. ``amount_fen``: the largest amount at risk any showing named, of this reminder's line alone.
    ``settled_at``: when the outcome was known. ``disagrees``: the outcome another source tells, where it is another.
    ``intercepted``: shown, and in the end not saved to the fund.
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
    reason_code: str = ""
    has_text: bool = False
    junk: str = ""
    automatic: bool = False
    intercepted: bool = False
    answer_ms: int | None = None
    finding_ids: tuple[str, ...] = ()
