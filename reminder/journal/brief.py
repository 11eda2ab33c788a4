"""What reports read of an entry: a small record beside the whole one, so that a month is read in seconds.

A brief says nothing the entry does not say; ``reminder journal verify`` makes it again and compares, and the entry's
hash covers it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

import msgspec
from msgspec import Struct

from reminder.journal.entries import Done, Verdict

__all__ = [
    "Brief",
    "DecisionBrief",
    "FeedbackBrief",
    "FoundBrief",
    "LineBrief",
    "SavedBrief",
    "decode_brief",
    "encode_brief",
]


class LineBrief(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """A line.

    ``item`` is its first national code, else its local code, else its name; ``order_date`` the civil day it begins
    ("yyyy-mm-dd", "" where not told); ``quantity`` and ``days`` are decimal texts; ``paid_by`` is fund, self or "".
    """

    id: str
    item: str
    name: str = ""
    order_date: str = ""
    current: bool = True
    quantity: str = ""
    days: str = ""
    amount_fen: int | None = None
    paid_by: str = ""
    is_drug: bool = False


class FoundBrief(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """A finding as :class:`reminder.journal.entries.Found` has it; ``lines`` are places from 0 in the brief's lines."""

    finding_id: str
    rule_id: str
    class_id: str
    own_action: str
    action: str
    shown: bool
    unknown: bool
    exited: bool
    fund_only: bool
    addressee: str
    lines: tuple[int, ...]
    amount_fen: int | None
    reminders: tuple[str, ...]


class DecisionBrief(Struct, frozen=True, kw_only=True, array_like=True, tag="d", gc=False):
    """A decision. ``zone_minutes``: what to add to the instant for civil time. ``not_evaluated``: how many rules.

    ``lines`` are those of the current encounter, current ones and those in force, in the order of the body;
    ``complete``: the body lists every line of the encounter. ``diagnoses``: codes, else names. ``undecided``: the rules
    of ``not_evaluated``, by id, each once: of them nothing says that they are found no more.
    """

    zone_minutes: int
    decision: str
    department: str = ""
    doctor: str = ""
    ward: str = ""
    scene: tuple[str, ...] = ()
    visit_mode: str = ""
    face: str = ""
    release: str = ""
    late: bool = False
    elapsed_us: int = 0
    unread: bool = False
    not_evaluated: int = 0
    fee_fen: int | None = None
    discharged: bool = False
    complete: bool = True
    diagnoses: tuple[str, ...] = ()
    lines: tuple[LineBrief, ...] = ()
    found: tuple[FoundBrief, ...] = ()
    undecided: tuple[str, ...] = ()


class FeedbackBrief(Struct, frozen=True, kw_only=True, array_like=True, tag="f", gc=False):
    """A feedback; ``done_at`` is UTC."""

    finding_id: str
    known: bool
    rule_id: str
    class_id: str
    reminders: tuple[str, ...]
    done: Done
    done_at: datetime
    reason_code: str = ""
    has_text: bool = False
    junk: str = ""
    verdict: Verdict = ""
    doctor: str = ""
    answer_ms: int | None = None
    automatic: bool = False


class SavedBrief(Struct, frozen=True, kw_only=True, array_like=True, tag="s", gc=False):
    """A saved prescription; without lines it is void. ``saved_at`` is UTC."""

    zone_minutes: int
    prescription_id: str
    revision: int
    saved_at: datetime
    diagnoses: tuple[str, ...] = ()
    lines: tuple[LineBrief, ...] = ()


Brief: TypeAlias = DecisionBrief | FeedbackBrief | SavedBrief
"""Any brief; the other kinds of entries have none."""

encode_brief: Callable[[Brief], bytes] = msgspec.msgpack.Encoder().encode
"""A brief as it stands in ``Draft.brief``: MessagePack."""

decode_brief: Callable[[bytes], Brief] = msgspec.msgpack.Decoder(Brief).decode
"""The brief of an entry of kind decision, feedback or saved."""
