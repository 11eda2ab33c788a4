"""A forecast as it is kept and shown: figures for three sides, and what changes by rule, class, department and doctor.

The sides: ``before`` is the active list, ``after`` the coming one on the day it is made active (rules the office has
not confirmed warn at most), ``confirmed`` the coming one once they are. Money is whole fen. Doctors are codes, patients
stand nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from negative_list.rules import ACTIONS

__all__ = ["SIDES", "About", "Changed", "Forecast", "Known", "Lack", "Lists", "Row", "Side", "interruptions"]

SIDES = ("before", "after", "confirmed")
"""The sides a forecast has figures for."""

_LEAST_SHOWN = ACTIONS.index("remind")


class About(Struct, frozen=True, kw_only=True):
    """What was replayed.

    ``version``, ``digest``, ``name`` of the coming list, ``against_version``, ``against_digest`` of the active one.
    ``at``: civil time of the planned activation. ``source``: journal or samples. ``begin``, ``end``: civil days, the
    last one excluded ("" for samples). ``made_at`` is UTC, ``took_s`` seconds.

    ``total`` decisions there are, ``replayed`` of them; ``unreadable``: damaged; ``masked``: what was taken out of
    their texts had a part in the answer; ``out_of_time`` were left when the time was over (they are the oldest: the
    newest days are replayed first, back to ``reached``, civil).
    """

    version: str
    digest: str
    name: str = ""
    against_version: str = ""
    against_digest: str = ""
    at: datetime
    source: str = "journal"
    begin: str = ""
    end: str = ""
    made_at: datetime
    took_s: float = 0.0
    total: int = 0
    replayed: int = 0
    unreadable: int = 0
    masked: int = 0
    out_of_time: int = 0
    reached: str = ""


class Lists(Struct, frozen=True, kw_only=True):
    """How the lists differ, in rules.

    ``new``, ``gone``; ``judging``: changed in what they find; ``worded``: only said otherwise; ``later``: begin after
    the activation, of which the forecast says nothing; ``unconfirmed`` ones of the coming list warn at most.
    """

    new: int = 0
    gone: int = 0
    judging: int = 0
    worded: int = 0
    later: int = 0
    unconfirmed: int = 0


class Side(Struct, frozen=True, kw_only=True):
    """What a list shows: decisions by action, reminders (shown), doctors shown one, money warned of (fen, once a line).

    ``interruptions`` are decisions that show something.
    """

    actions: dict[str, int] = {}
    interruptions: int = 0
    reminders: int = 0
    doctors: int = 0
    amount_fen: int = 0

    def per_100(self, decisions: int) -> float:
        """Interruptions per 100 prescriptions checked."""
        return round(100 * self.interruptions / decisions, 1) if decisions else 0.0


class Lack(Struct, frozen=True, kw_only=True):
    """A fact that was lacking (its dictionary name, or ``history``), and in how many decisions."""

    fact: str
    decisions: int


class Changed(Struct, frozen=True, kw_only=True):
    """What changes among shown reminders: new ones, those no more, those with another action; their money in fen.

    ``doctors``: shown such a new reminder who were shown none of the same rule (or class, or at all) before.
    """

    new: int = 0
    gone: int = 0
    action: int = 0
    new_fen: int = 0
    gone_fen: int = 0
    doctors: int = 0


class Row(Struct, frozen=True, kw_only=True):
    """A rule, a class, a department or a doctor.

    ``state`` of a rule: new, gone, changed, worded or same. ``newly``, ``gone``, ``changed``: decisions in which a rule
    is found by the coming list alone, by the active one alone, by both with another action (``changed_confirmed``: once
    confirmed); ``open_``: cannot be replayed there, for want of ``lacks``. ``before``, ``after``, ``confirmed``:
    decisions by action; of a rule those it is found in, of a department or doctor all. ``examples``: up to five
    decision ids, those in which it is newly found first; ``newest``: the same by change, the newest first. ``rule_id``
    is ``key`` where the row is about a rule.
    """

    key: str
    rule_id: str = ""
    title: str = ""
    class_id: str = ""
    state: str = ""
    unconfirmed: bool = False
    checks: int = 0
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    confirmed: dict[str, int] = {}
    newly: int = 0
    gone: int = 0
    changed: int = 0
    changed_confirmed: int = 0
    open_: int = 0
    asks_before: int = 0
    asks_after: int = 0
    lacks: tuple[Lack, ...] = ()
    reminders: Changed = Changed()
    examples: tuple[str, ...] = ()
    newest: dict[str, list[str]] = {}

    def interruptions(self, side: str) -> int:
        """Decisions of one side that show something."""
        return interruptions(getattr(self, side))


class Forecast(Struct, frozen=True, kw_only=True):
    """A forecast. ``open_`` decisions have a rule that cannot be replayed there, for want of ``lacks``.

    ``doctors_new``: doctors who will be shown a reminder and were shown none; ``doctors_rid``: the other way round.
    ``rules`` are those with a change or that could not be replayed, classes, departments and doctors all. ``found``: in
    how many decisions each rule of the coming list is found.
    """

    about: About
    lists: Lists = Lists()
    before: Side = Side()
    after: Side = Side()
    confirmed: Side = Side()
    open_: int = 0
    lacks: tuple[Lack, ...] = ()
    reminders: Changed = Changed()
    doctors_new: int = 0
    doctors_rid: int = 0
    rules: tuple[Row, ...] = ()
    classes: tuple[Row, ...] = ()
    departments: tuple[Row, ...] = ()
    doctors: tuple[Row, ...] = ()
    found: dict[str, int] = {}


class Known(Struct, frozen=True, kw_only=True):
    """What is known of a rule of either list: its texts, and how it stands between them."""

    title: str = ""
    class_id: str = ""
    state: str = "same"
    unconfirmed: bool = False


def interruptions(actions: Mapping[str, int]) -> int:
    """Of decisions by action, those that show something."""
    return sum(actions.get(action, 0) for action in ACTIONS[_LEAST_SHOWN:])
