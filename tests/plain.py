"""The plain matcher, the loop: the specification of match, as anyone can check it.

The parts it stands on, in the order they build on each other: ``plain_scene``, ``plain_refunds``, ``plain_windows``,
``plain_lines``, ``plain_totals``, ``plain_order``, ``plain_gathered``, ``plain_visits``, ``plain_kinds`` and
``plain_amounts``.

For every rule and every current line of the current encounter (in body order; once without a line for diagnoses,
operations and the encounter), once refunds are taken away: is it triggered, is the rule in force on that day with no
rule in force that stands in for it, is the line one the fund is asked to pay, and is ``all(scope, violation)`` true,
false or unknown? A rule that finds once for an encounter makes one finding of all lines where it is true; only without
any it is undecided, over all lines where it is unknown. A finding's action is the strongest of its lines': the first
grade that holds, or the rule's.

It is clear before it is fast: no index, no cache. Where the docstrings of the records leave something open, it is
decided here; the examples in ``tests/property`` state most of it.

*Involved* are the certain gathered lines, other than offending ones, of every decided condition the evidence comes to:
of ``overlap`` those that overlap, of ``rank`` those that come before, of ``since`` those not later, of ``supply_left``
those begun by then, of ``pair`` those of the other side (the contained side first); then those limits are worked out
from. Evidence does not descend into ``where``, and visits involve no lines.

*Needs* of an undecided rule are those of its unknown conditions: a ``fact``, ``elapsed`` or ``evidence`` needs its
fact, ``age`` ``patient.birth_date``, ``diagnosis`` and ``operation`` the whole list of the encounter; limits need their
fact. A condition over lines or visits needs ``history`` where its window is not covered, and of every line that is
gathered, or may be, all that is not exact:

* ``line.code`` where a code is asked for and there is none, ``line.item_type`` where types are; also of ``among``;
* ``line.begins`` where it keeps the line from being in the window, or out of it, for certain; for ``count`` by day,
  ``days_of_use`` and ``supply_left`` where there is none, for ``since`` in hours and sliding windows of hours where a
  clock is lacking; ``encounter.admitted_at`` for a visit;
* ``encounter.insurance_year_from`` where nobody knows when that year begins;
* the facts named by ``same`` and ``different``, institutions, and what an unknown ``where`` needs;
* the fact summed or counted, and what unknown weights need; ``line.days`` for a use without end;
  ``line.unit_price_fen`` for a rank; ``line.begins`` (with a clock) and ``line.stops`` for an overlap;
  ``encounter.visit_mode`` and ``encounter.discharged_at`` for visits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from negative_list.conditions import All
from negative_list.prescription import Diagnosed, History, Operated, Prescription
from negative_list.rules import ACTIONS, Action
from tests.plain_amounts import amount_fen
from tests.plain_kinds import answer, expanded, stated
from tests.plain_refunds import without_refunds
from tests.plain_scene import NOTHING, Answer, Kleene, Scene, Trigger, in_place, named

if TYPE_CHECKING:
    from negative_list.rules import Rule, RuleList
    from negative_list.rules import Trigger as TriggerItems

__all__ = ["Found", "Key", "Outcome", "Seen", "match_plainly"]

Key = tuple[str, tuple[str, ...]]
"""A rule's id and the ids of its offending (or undecided) lines, in body order."""

Seen = Counter[tuple[str, Kleene]]
"""How often each condition kind was true, false and unknown, and each unit and owner of a window, and formulas."""


class Found(Struct, frozen=True, kw_only=True):
    """What is told of a finding: the ids of the involved lines, the action, and the money at risk."""

    involved: frozenset[str]
    action: Action
    amount_fen: int | None


class Outcome(Struct, frozen=True, kw_only=True):
    """What a list says of a prescription.

    ``undecided`` gives for each the names it needs. ``asking`` are the undecided ones that are findings too: their rule
    asks, and not only history is lacking.
    """

    findings: dict[Key, Found]
    undecided: dict[Key, frozenset[str]]
    asking: set[Key]


def match_plainly(
    rules: RuleList, prescription: Prescription, at: datetime, history: History | None = None, seen: Seen | None = None
) -> Outcome:
    """Hold the prescription against every rule, one after the other."""
    scene = _scene(rules, prescription, at, history or History(), Counter() if seen is None else seen)
    outcome = Outcome(findings={}, undecided={}, asking=set())
    for rule in rules.rules:
        judged = [(trigger, _judge(rule, scene, trigger)) for trigger in _triggers(rule, scene)]
        for group in [judged] if rule.per == "encounter" else [[one] for one in judged]:
            _settle(rule, group, scene, outcome)
    return outcome


def _scene(rules: RuleList, prescription: Prescription, at: datetime, history: History, seen: Seen) -> Scene:
    prescription, history, doubted = without_refunds(prescription, history)
    encounter = prescription.encounter
    own = encounter.lines + tuple(line for line in history.lines if line.encounter_id == encounter.id)
    elsewhere = tuple(line for other in prescription.others for line in other.lines)
    return Scene(
        rules=rules,
        prescription=prescription,
        at=at,
        history=history,
        sets={named_set.id: frozenset(named_set.codes) for named_set in rules.sets},
        writing=frozenset(id(line) for line in encounter.lines if line.current),
        own=own,
        every=encounter.lines + elsewhere + history.lines,
        doubted=doubted,
        seen=seen,
        judge=answer,
    )


def _triggers(rule: Rule, scene: Scene) -> Iterator[Trigger]:
    """What the rule looks at: current lines in body order, or the encounter at the decision's instant."""
    for trigger in _named_by(rule.trigger, scene):
        by_self = trigger.line is not None and trigger.line.facts.get("line.paid_by") == "self"
        if _stands(rule, trigger.day, scene) and not (rule.fund_only and by_self):
            yield trigger


def _stands(rule: Rule, day: date, scene: Scene) -> bool:
    """Whether the rule is in force on that day, and none in force stands in for it."""
    others = [one for one in scene.rules.rules if rule.id in one.overrides]
    return _in_force(rule, day) and not any(_in_force(one, day) for one in others)


def _in_force(rule: Rule, day: date) -> bool:
    early = rule.valid_from is not None and day < rule.valid_from
    late = rule.valid_to is not None and day > rule.valid_to
    return not early and not late


def _named_by(items: TriggerItems, scene: Scene) -> Iterator[Trigger]:
    encounter = scene.prescription.encounter
    diagnosed = _has_one(encounter.diagnoses, items.diagnoses)
    if items.encounter or diagnosed or _has_one(encounter.operations, items.operations):
        yield Trigger(None, scene.at, has_clock=True)
    if items.codes or items.prefixes or items.sets or items.names or items.types:
        for line in encounter.lines:
            if line.current and named(items, line, scene)[0]:
                yield in_place(line, scene)


def _has_one(given: tuple[Diagnosed | Operated, ...], codes: tuple[str, ...]) -> bool:
    """Whether one that is stated as present has one of the codes; what is only possible does not trigger."""
    beginnings = expanded(codes)
    return any(code.startswith(beginnings) for one in given for code in one.codes if stated(one, code) == "present")


def _judge(rule: Rule, scene: Scene, trigger: Trigger) -> Answer:
    parts = (rule.violation,) if rule.scope is None else (rule.scope, rule.violation)
    return answer(All(of=parts), scene, trigger)


def _settle(rule: Rule, judged: list[tuple[Trigger, Answer]], scene: Scene, outcome: Outcome) -> None:
    """One finding over the lines where it is true; without any, one undecided over those where it is unknown."""
    true = [(trigger, given) for trigger, given in judged if given.value]
    unknown = [(trigger, given) for trigger, given in judged if given.value is None]
    if true:
        outcome.findings[rule.id, _ids(true)] = _found(rule, true, scene)
    elif unknown:
        key, needs = (rule.id, _ids(unknown)), NOTHING.union(*(given.needs for _, given in unknown))
        outcome.undecided[key] = needs
        never = frozenset(scene.prescription.never_sent)
        if (
            rule.on_unknown.action != "pass"
            and needs != {"history"}
            and not (needs & never and needs <= never | {"history"})
        ):
            outcome.asking.add(key)


def _found(rule: Rule, true: list[tuple[Trigger, Answer]], scene: Scene) -> Found:
    lines = [trigger.line for trigger, _ in true if trigger.line is not None]
    involved = {line.id for _, given in true for line in given.involved}
    return Found(
        involved=frozenset(involved - {line.id for line in lines}),
        action=max((_graded(rule, scene, trigger) for trigger, _ in true), key=ACTIONS.index),
        amount_fen=amount_fen(rule, lines, scene) if len(lines) == len(true) else None,
    )


def _graded(rule: Rule, scene: Scene, trigger: Trigger) -> Action:
    """The action of the first grade that is true; one that is unknown raises nothing."""
    for grade in rule.grades:
        if answer(grade.when, scene, trigger).value:
            return grade.action
    return rule.action


def _ids(judged: list[tuple[Trigger, Answer]]) -> tuple[str, ...]:
    return tuple(trigger.line.id for trigger, _ in judged if trigger.line is not None)
