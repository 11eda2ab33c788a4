"""What an entry of the journal says, kind by kind.

An entry stands for itself: facts under their dictionary names, the digests of list, policy and code table it was made
with, the answer that left. Written as canonical JSON (:mod:`reminder.journal.coding`), so that a stranger can read an
export without anything of ours. Nothing here names a person: ids of patients and encounters are keys, the birth date is
an age, texts are masked (:mod:`reminder.journal.masking`). Instants are UTC; the times inside prescriptions are civil
times of ``zone``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

from negative_list.decision import Decision
from negative_list.hurry import Stopped
from negative_list.prescription import Encounter, History, Line, Prescription
from negative_list.readers.stored import StoreFact
from negative_list.rules import Action

__all__ = [
    "DONE",
    "SCHEMA",
    "Age",
    "Appeal",
    "Changed",
    "Checked",
    "Decided",
    "Done",
    "Entry",
    "Exit",
    "Feedback",
    "Found",
    "Gap",
    "PointsEvent",
    "Removed",
    "Saved",
    "Started",
    "Unchecked",
    "Verdict",
]

SCHEMA = 1
"""The form of entries. A reader knows every form up to its own; a new one is told by the next number."""


class _Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every entry has. ``engine``: version of the program and digest of its deciding code, which decided."""

    schema: int = SCHEMA
    engine: str
    at: datetime
    zone: str = "Asia/Shanghai"
    institution_id: str = ""


class Age(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a birth date is written down: as completed ``months`` at the decision's instant.

    ``days`` stands there only where a rule, or the time of a line, could tell days apart (always below three years).
    """

    months: int | None = None
    days: int | None = None


class Found(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A finding before and after policy.

    ``own_action`` is the rule's (as graded), ``action`` what the policy gave it (``pass``: shadow) and an exit left of
    it (``exited``); ``shown``: it was in the answer. ``reminders``: ids of the reminders it belongs to, in the order of
    ``lines`` (one id where it has no line), see :func:`reminder.ids.reminder_id`.
    """

    finding_id: str
    rule_id: str
    rule_version: int
    class_id: str
    own_action: Action
    action: Action
    shown: bool = False
    unknown: bool = False
    exited: bool = False
    fund_only: bool = False
    addressee: str = "doctor"
    result: str = "definite"
    lines: tuple[str, ...] = ()
    involved: tuple[str, ...] = ()
    amount_fen: int | None = None
    reminders: tuple[str, ...] = ()


class Exit(Struct, frozen=True, kw_only=True, order=True):
    """A block that was left by its emergency exit: what is found again for the item and order day warns.

    ``until`` (UTC) is 24 hours after it was left. ``item`` and ``order_date`` as in ``LineBrief``, both "" where the
    finding is about the encounter.
    """

    rule_id: str
    item: str
    order_date: str
    until: datetime


class Decided(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="decision", tag_field="kind"):
    """A decision that was answered (kind ``decision``).

    ``decided_at`` is the decision's instant (civil), ``late``: it was answered ``journaled: false`` and written later.
    ``stopped``: after how many steps the caller's time was up; the rules left out are in ``answer.not_evaluated``.
    ``face`` it came by (grpc, 3101, json, cds), ``caller`` the name of its entry in the settings; findings with an
    action weaker than ``lowest_action`` were kept back from it. ``request_id`` is the caller's; ``reused``: the same id
    came before with another body. ``body_digest`` is that of the request as it came. ``prescription`` has keys for ids
    and no private fact; ``age`` stands for the birth date.

    What was read: ``facts`` of the store, with source and time, and ``history``; ``unread``: they did not come in time.
    ``read`` is false where nothing was asked. ``own_since``: what the site declares of its own records.

    ``list``, ``policy``, ``codes`` are digests, ``release`` the version; ``exits`` those in force for the encounter.
    ``names``: keys of the request's own names (``Keys.patient("name", ...)``), by which a reason told later is masked.
    ``found`` are all findings; ``answer`` is what left, with keys for ids, masked, and without receipt, ``journaled``
    and ``elapsed_us``. ``derivable``: deciding again from this entry gives the same; "" or why it does not.
    """

    decision_id: str
    decided_at: datetime
    late: bool = False
    stopped: Stopped = Stopped()
    face: str = ""
    caller: str = ""
    lowest_action: Action = "remind"
    request_id: str = ""
    reused: bool = False
    body_digest: str = ""
    prescription: Prescription
    age: Age | None = None
    read: bool = False
    unread: bool = False
    facts: tuple[StoreFact, ...] = ()
    history: History | None = None
    list: str = ""
    policy: str = ""
    codes: str = ""
    release: str | None = None
    exits: tuple[Exit, ...] = ()
    names: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()
    answer: Decision
    elapsed_us: int = 0
    derivable: str = ""


Done: TypeAlias = Literal["changed", "withdrawn", "self_paid", "overridden", "exited", "wrong_rule"]
"""What a doctor says was done about a finding. ``wrong_rule``: went on because the rule is wrong."""

DONE: tuple[Done, ...] = ("changed", "withdrawn", "self_paid", "overridden", "exited", "wrong_rule")
"""Every word of :data:`Done`."""

Verdict: TypeAlias = Literal["", "present", "absent", "unknown"]
"""What came of checking the fact a reason names; "" where none was named."""


class Checked(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The fact a reason rests on, as it was found at once: its value, source and time."""

    fact: str = ""
    verdict: Verdict = ""
    value: Any = None
    source: str = ""
    found_at: str = ""


class Feedback(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="feedback", tag_field="kind"):
    """What was done about one finding (kind ``feedback``), as one word of one person.

    ``finding_id`` and ``decision_id`` as told; ``known`` is false where the journal was asked and has no such finding.
    ``reminders`` and ``rule_id`` are the finding's, empty where nobody could look it up. ``done_at``: when it was done,
    UTC. ``answer_ms``: how long the dialog was open, if told. ``automatic``: the caller's system answered, nobody did.
    ``exits``: what it leaves by the emergency exit (only a block that was). ``junk`` says why the text says nothing
    (:mod:`reminder.junk`), "" where it does. ``times``: how often the very same was told before; ``done_at`` is then
    that of the first time.
    """

    finding_id: str
    decision_id: str = ""
    known: bool = True
    patient_key: str = ""
    encounter_key: str = ""
    rule_id: str = ""
    class_id: str = ""
    reminders: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    done: Done
    reason_code: str = ""
    reason_text: str = ""
    checked: Checked = Checked()
    exits: tuple[Exit, ...] = ()
    junk: str = ""
    doctor_id: str = ""
    done_at: datetime
    answer_ms: int | None = None
    automatic: bool = False
    face: str = ""
    request_id: str = ""
    times: int = 0


class Saved(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="saved", tag_field="kind"):
    """A prescription as it was saved (kind ``saved``): its lines (none where it is void) and the diagnoses."""

    patient_key: str
    encounter_key: str
    prescription_id: str
    revision: int
    saved_at: datetime
    encounter: Encounter
    lines: tuple[Line, ...] = ()


class Appeal(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="appeal", tag_field="kind"):
    """A stage of the hospital's answer to the payer about a finding (kind ``appeal``)."""

    decision_id: str
    finding_id: str
    stage: Literal["raised", "answered", "result"]
    who: str = ""
    text: str = ""
    upheld: bool | None = None
    amount_fen: int | None = None


class PointsEvent(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="points", tag_field="kind"):
    """An event of the doctors' points ledger (kind ``points``), see :mod:`reminder.office.points`.

    ``decided_on`` and ``until`` are civil days; ``until``: the last day of a suspension, where the decision names one.
    ``points`` 0: the doctor was admitted again. The latest entry of an ``event_id`` counts.
    """

    event_id: str
    doctor_id: str
    points: int
    decided_on: str
    until: str = ""
    why: str = ""
    by: str = ""
    voided: bool = False


class Changed(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="policy", tag_field="kind"):
    """What decisions are made with became another (kinds ``policy``; ``list`` says which list by ``what``)."""

    what: Literal["policy", "list", "site"]
    digest: str
    before: str = ""
    who: str = ""
    why: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


class Gap(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="gap", tag_field="kind"):
    """What is missing, or late, between two instants (kind ``gap``).

    ``lost``: entries that never came to be written, for more waited than may. ``late``: ids of decisions answered
    ``journaled: false`` that were written after all, and do not say so themselves.
    """

    lost: int = 0
    late: tuple[str, ...] = ()
    begin: datetime
    end: datetime
    why: str = ""


class Removed(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="removed", tag_field="kind"):
    """A span taken out by retention (kind ``removed``); the fields of :class:`reminder.journal.base.Sealed`."""

    chain: str
    first: int
    last: int
    hash: str
    begin: datetime
    end: datetime
    kinds: Mapping[str, int] = field(default_factory=dict)


class Unchecked(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="unchecked", tag_field="kind"):
    """A prescription that was asked about and not checked (kind ``unchecked``).

    ``unchecked_id`` is what the caller was told, ``face`` and ``caller`` as in a decision. ``why``: request (it
    cannot be read), limit (it is over one), failed (through our fault) or deadline; ``fields`` names what was wrong,
    never its text. ``told``: error (the caller was told that it failed), row (by a finding that says so) or open
    (success, said in a field of ours). ``request_id`` as far as it can be no name.
    """

    unchecked_id: str
    face: str = ""
    caller: str = ""
    request_id: str = ""
    body_digest: str = ""
    why: Literal["request", "limit", "failed", "deadline"]
    fields: tuple[str, ...] = ()
    told: Literal["error", "row", "open"]


class Started(_Entry, frozen=True, kw_only=True, omit_defaults=True, tag="started", tag_field="kind"):
    """A worker began to write a chain (kind ``started``)."""

    list: str = ""
    policy: str = ""
    codes: str = ""


Entry: TypeAlias = Decided | Feedback | Saved | Appeal | PointsEvent | Changed | Gap | Removed | Started | Unchecked
"""Any entry; its kind stands in the field ``kind``."""
