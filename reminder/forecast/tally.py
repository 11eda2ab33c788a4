"""Counting what was replayed: parts that processes count apart are added up, and what they hold stays small.

A reminder is held once, however many checks repeat it (some 300 bytes); everything else are counts by rule, department
and doctor. Parts are added in any order.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from negative_list.rules import ACTIONS, Action

if TYPE_CHECKING:
    from reminder.forecast.replay import Case, Fired, Replayed, Said

__all__ = ["CHANGES", "EXAMPLES", "Place", "Reminder", "RuleCount", "Tally", "add", "join"]

EXAMPLES = 5
"""Decisions named for each change of a rule, the newest."""

CHANGES = ("newly", "gone", "changed")
"""What may become of a rule in a decision: found by the coming list alone, by the active one alone, by both with
another action."""

_SIDES = ("before", "after", "confirmed")


class RuleCount(Struct, kw_only=True):
    """A rule, in decisions: how many it is found in by action (``before``, ``after``, ``confirmed``), and the changes.

    ``newly``, ``gone``, ``changed`` count decisions, ``newest`` names some; ``changed_confirmed`` those in which the
    action is another one once it is confirmed. ``open_``: it cannot be decided there, for want of ``lacks``. ``asks``:
    it would ask, by either list.
    """

    class_id: str = ""
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    confirmed: Counter[str] = field(default_factory=Counter)
    newly: int = 0
    gone: int = 0
    changed: int = 0
    changed_confirmed: int = 0
    open_: int = 0
    lacks: Counter[str] = field(default_factory=Counter)
    asks_before: int = 0
    asks_after: int = 0
    newest: dict[str, list[str]] = field(default_factory=dict)


class Reminder(Struct, kw_only=True):
    """A reminder, by the first check it was found in: strongest action and largest amount of each side."""

    rule_id: str
    place: str = ""
    department: str = ""
    doctor: str = ""
    before: Action | None = None
    after: Action | None = None
    confirmed: Action | None = None
    before_fen: int | None = None
    after_fen: int | None = None


class Place(Struct, kw_only=True):
    """A department or a doctor: checks, and how many of them were answered with each action, by side."""

    checks: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    confirmed: Counter[str] = field(default_factory=Counter)


class Tally(Struct, kw_only=True):
    """A part of the period, counted.

    ``unreadable`` entries were damaged; of ``masked`` ones what was taken out of their texts had a part in the answer.
    ``open_``: decisions in which a rule cannot be decided; ``first`` and ``last``: their instants (UTC).
    """

    decisions: int = 0
    unreadable: int = 0
    masked: int = 0
    open_: int = 0
    lacks: Counter[str] = field(default_factory=Counter)
    whole: Place = field(default_factory=Place)
    rules: dict[str, RuleCount] = field(default_factory=dict)
    departments: dict[str, Place] = field(default_factory=dict)
    doctors: dict[str, Place] = field(default_factory=dict)
    reminders: dict[str, Reminder] = field(default_factory=dict)
    first: datetime | None = None
    last: datetime | None = None


def add(tally: Tally, case: Case, told: Replayed) -> None:
    """Count one decision."""
    tally.decisions += 1
    named = (tally.departments.setdefault(told.department, Place()), tally.doctors.setdefault(told.doctor, Place()))
    for place in (tally.whole, *named):
        place.checks += 1
        for side, action in zip(_SIDES, told.actions, strict=True):
            getattr(place, side)[action] += 1
    actions = {side: _by_rule(getattr(told, side)) for side in _SIDES}
    for rule_id in {*actions["before"], *actions["after"]}:
        rule = tally.rules.setdefault(rule_id, RuleCount())
        rule.class_id = told.classes[rule_id]
        _count(rule, case.ident, *(actions[side].get(rule_id) for side in _SIDES), opened=rule_id in told.open_)
    for before, rule_ids in zip((True, False), told.asked, strict=True):
        for rule_id in rule_ids:
            rule = tally.rules.setdefault(rule_id, RuleCount(class_id=told.classes[rule_id]))
            rule.asks_before, rule.asks_after = rule.asks_before + before, rule.asks_after + (not before)
    _count_open(tally, told.open_)
    for side in _SIDES:
        _remember(tally, told, side)


def _by_rule(said: Said) -> dict[str, Action]:
    """The strongest action of each rule."""
    found: dict[str, Action] = {}
    for (rule_id, _), fired in said.items():
        found[rule_id] = max(found.get(rule_id, fired.action), fired.action, key=ACTIONS.index)
    return found


def _count(
    rule: RuleCount, ident: str, before: Action | None, after: Action | None, confirmed: Action | None, *, opened: bool
) -> None:
    for side, action in zip(_SIDES, (before, after, confirmed), strict=True):
        if action is not None:
            getattr(rule, side)[action] += 1
    if before is not None and after is not None:
        rule.changed_confirmed += confirmed != before
    change = _change(before, after, opened=opened)
    if change:
        setattr(rule, change, getattr(rule, change) + 1)
        newest = rule.newest.setdefault(change, [])
        newest[:] = heapq.nlargest(EXAMPLES, (*newest, ident))


def _change(before: Action | None, after: Action | None, *, opened: bool) -> str:
    """What became of a rule; one that cannot be decided any more is not said to be gone."""
    if before is None:
        return "newly"
    if after is None:
        return "" if opened else "gone"
    return "changed" if before != after else ""


def _count_open(tally: Tally, open_: Mapping[str, tuple[str, ...]]) -> None:
    tally.open_ += bool(open_)
    tally.lacks.update({name for names in open_.values() for name in names})
    for rule_id, names in open_.items():
        rule = tally.rules.setdefault(rule_id, RuleCount())
        rule.open_ += 1
        rule.lacks.update(names)


def _remember(tally: Tally, told: Replayed, side: str) -> None:
    said: Mapping[tuple[str, str], Fired] = getattr(told, side)
    for (rule_id, ident), fired in said.items():
        known = tally.reminders.get(ident)
        if known is None:
            place = told.places[ident]
            known = tally.reminders[ident] = Reminder(
                rule_id=rule_id, place=place, department=told.department, doctor=told.doctor
            )
        _strengthen(known, side, fired.action, fired.amount_fen)


def _strengthen(reminder: Reminder, side: str, action: Action | None, amount: int | None) -> None:
    if action is not None:
        was: Action | None = getattr(reminder, side)
        setattr(reminder, side, action if was is None else max(was, action, key=ACTIONS.index))
    if side != "confirmed" and amount is not None:
        name = f"{side}_fen"
        setattr(reminder, name, max(amount, getattr(reminder, name) or 0))


# -- parts together


def join(whole: Tally, part: Tally) -> None:
    """Add the counts of a part to those of a whole; the part is used up."""
    _add_counts(whole, part)
    _add_place(whole.whole, part.whole)
    for name in ("departments", "doctors"):
        for key, place in getattr(part, name).items():
            _add_place(getattr(whole, name).setdefault(key, Place()), place)
    for rule_id, rule in part.rules.items():
        _add_rule(whole.rules.setdefault(rule_id, RuleCount()), rule)
    for ident, reminder in part.reminders.items():
        _add_reminder(whole.reminders, ident, reminder)


def _add_counts(whole: Tally, part: Tally) -> None:
    for name in ("decisions", "unreadable", "masked", "open_"):
        setattr(whole, name, getattr(whole, name) + getattr(part, name))
    whole.lacks.update(part.lacks)
    whole.first = min(filter(None, (whole.first, part.first)), default=None)
    whole.last = max(filter(None, (whole.last, part.last)), default=None)


def _add_place(whole: Place, part: Place) -> None:
    whole.checks += part.checks
    for side in _SIDES:
        getattr(whole, side).update(getattr(part, side))


def _add_rule(whole: RuleCount, part: RuleCount) -> None:
    whole.class_id = whole.class_id or part.class_id
    for name in ("newly", "gone", "changed", "changed_confirmed", "open_", "asks_before", "asks_after"):
        setattr(whole, name, getattr(whole, name) + getattr(part, name))
    for name in (*_SIDES, "lacks"):
        getattr(whole, name).update(getattr(part, name))
    for change, idents in part.newest.items():
        whole.newest[change] = heapq.nlargest(EXAMPLES, (*whole.newest.get(change, ()), *idents))


def _add_reminder(known: dict[str, Any], ident: str, part: Reminder) -> None:
    there = known.setdefault(ident, part)
    if there is not part:
        for side in _SIDES:
            _strengthen(there, side, getattr(part, side), getattr(part, f"{side}_fen", None))
