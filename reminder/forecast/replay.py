"""One prescription judged by two lists: what either finds, and what the coming one could not decide.

Pure: everything that was known when it was asked comes with the case, nothing is read. Emergency exits are left out,
for nobody has left a rule that is not active yet, and so are ways out and texts, which change no action.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from negative_list.compile import CompiledList, compile
from negative_list.decide import Begun, Fuller, begin, matched_of
from negative_list.decision import Finding, strongest
from negative_list.findings import findings_of, not_evaluated_of
from negative_list.items import item_of, order_day_of
from negative_list.policy import Policy, apply
from negative_list.prescription import Encounter, Line, Prescription
from negative_list.rules import ACTIONS, Action
from negative_list.telling import one_question
from reminder.ids import reminder_id
from reminder.journal.again import fuller_again, prescription_of

if TYPE_CHECKING:
    from negative_list.engine import Matched
    from reminder.forecast.inforce import Apart
    from reminder.journal.entries import Decided

__all__ = ["Case", "Fired", "Pair", "Policies", "Replayed", "Said", "case_of", "needs_of", "pair_of", "replay", "shown"]

_DOCTORS = (("line.doctor_id",), ("encounter.doctor_id",))
_DEPARTMENTS = (
    ("line.department_code", "line.department_name"),
    ("encounter.department_code", "encounter.department_name"),
)
_PARTS = ("shared", "before", "after")
_LEAST_SHOWN = ACTIONS.index("remind")


class Case(Struct, frozen=True, kw_only=True):
    """A prescription as it was asked about.

    ``ident`` is the decision's id, or names the sample. ``encounter`` is the key its reminders are told apart by,
    ``at`` the decision's own civil instant, ``fuller`` what had been read then (``None``: nothing was known).
    """

    ident: str
    encounter: str
    at: datetime
    prescription: Prescription
    fuller: Fuller | None = None


def case_of(entry: Decided) -> Case:
    """What a journaled decision was made on, nothing from outside."""
    prescription = prescription_of(entry)
    return Case(
        ident=entry.decision_id,
        encounter=prescription.encounter.id or entry.decision_id,
        at=entry.decided_at,
        prescription=prescription,
        fuller=fuller_again(entry, prescription),
    )


class Policies(Struct, frozen=True, kw_only=True):
    """What is made of findings: now, at activation (unconfirmed rules warn at most), and once all is confirmed."""

    before: Policy
    after: Policy
    confirmed: Policy


class Pair(Struct, frozen=True, kw_only=True):
    """Two lists ready to match, taken apart (:func:`reminder.forecast.inforce.apart`). ``alike``: as there."""

    shared: CompiledList
    before: CompiledList
    after: CompiledList
    alike: frozenset[str] = frozenset()


def pair_of(parts: Apart) -> Pair:
    """The lists compiled; of the rules they share once."""
    compiled = {name: compile(getattr(parts, name), digest=name) for name in _PARTS}
    return Pair(alike=parts.alike, **compiled)


class Fired(Struct, frozen=True, kw_only=True):
    """A rule that is found for one reminder: the action it is given and its part of the money, in fen."""

    action: Action
    amount_fen: int | None = None


Said: TypeAlias = Mapping[tuple[str, str], Fired]
"""What is found for certain, by rule id and reminder id."""


class Replayed(Struct, frozen=True, kw_only=True):
    """What one prescription came to.

    ``before``, ``after`` and ``confirmed`` are what is found by the active list, by the coming one when it is made
    active, and by it once its rules are confirmed; ``actions`` the answer's action in the same order. ``asked``: rules
    that could not be decided and would ask the caller, by either list. ``open_``: of the rules the coming list judges
    otherwise than the active one, those that cannot be decided here, with what they lack. ``places``: the line each
    reminder is about ("" where none), to count its money once, ``lines`` its id. ``classes``: class of each rule found.
    """

    before: Said
    after: Said
    confirmed: Said
    actions: tuple[Action, Action, Action]
    asked: tuple[frozenset[str], frozenset[str]]
    open_: Mapping[str, tuple[str, ...]]
    places: Mapping[str, str]
    lines: Mapping[str, str]
    classes: Mapping[str, str]
    department: str = ""
    doctor: str = ""


def replay(pair: Pair, policies: Policies, case: Case) -> Replayed:
    """Judge a prescription by both lists, at its own instant and with what was known then."""
    begun = {name: begin(getattr(pair, name), case.prescription, case.at) for name in _PARTS}
    # Something is read for a list where any of its rules lacks it, and then all of its rules know it.
    reads = tuple(bool(begun["shared"].needs or begun[side].needs) for side in ("before", "after"))
    shared = {
        read: _findings(pair.shared, _matched(pair.shared, begun["shared"], case, read), case) for read in {*reads}
    }
    old, new = (_matched(getattr(pair, s), begun[s], case, r) for s, r in zip(("before", "after"), reads, strict=True))
    before = (*shared[reads[0]], *_findings(pair.before, old, case))
    after = (*shared[reads[1]], *_findings(pair.after, new, case))
    encounter = case.prescription.encounter
    department = str(encounter.facts.get("encounter.department_code") or "")
    told = tuple(
        apply(found, policy, department)
        for found, policy in ((before, policies.before), (after, policies.after), (after, policies.confirmed))
    )
    places: dict[str, str] = {}
    lines: dict[str, str] = {}
    said = [_said(found, case, places, lines) for found in told]
    return Replayed(
        before=said[0],
        after=said[1],
        confirmed=said[2],
        actions=(_action(told[0]), _action(told[1]), _action(told[2])),
        asked=(_asked(before), _asked(after)),
        open_={rule_id: needs for rule_id, needs in _open(pair.after, new).items() if rule_id not in pair.alike},
        places=places,
        lines=lines,
        classes={found.rule_id: found.class_id for found in (*before, *after)},
        department=_ordered_by(encounter, _DEPARTMENTS),
        doctor=_ordered_by(encounter, _DOCTORS),
    )


def needs_of(pair: Pair, prescription: Prescription, at: datetime) -> frozenset[str]:
    """What the undecided rules of either list lack, and reading may supply."""
    return frozenset().union(*(begin(getattr(pair, s), prescription, at).needs for s in _PARTS))


def shown(action: Action) -> bool:
    """Whether a finding of that action is shown."""
    return ACTIONS.index(action) >= _LEAST_SHOWN


def _matched(compiled: CompiledList, begun: Begun, case: Case, reads: bool) -> Matched:
    """What one part of a list says, with what had been read where something is read for the list."""
    if not reads or case.fuller is None or not begun.first.judgements:
        return begun.first
    return matched_of(compiled, case.prescription, case.at, case.fuller, first=begun.first)


def _findings(compiled: CompiledList, matched: Matched, case: Case) -> tuple[Finding, ...]:
    """The findings of one part of a list, with the actions of their rules."""
    return findings_of(matched, compiled.binder, case.ident) if matched.judgements else ()


def _open(compiled: CompiledList, matched: Matched) -> dict[str, tuple[str, ...]]:
    """The rules of a part that cannot be decided, and what they lack; one that is found for a line is decided."""
    needs: dict[str, set[str]] = {}
    if matched.unknown:
        found = {judgement.rule.rule.id for judgement in matched.true}
        for one in not_evaluated_of(matched, compiled.binder):
            if one.rule_id not in found:
                needs.setdefault(one.rule_id, set()).update(one.needs)
    return {rule_id: tuple(sorted(names)) for rule_id, names in needs.items()}


def _asked(findings: Iterable[Finding]) -> frozenset[str]:
    return frozenset(found.rule_id for found in findings if found.unknown)


def _action(findings: Iterable[Finding]) -> Action:
    """The answer's action: of what is shown, and of several questions only one is."""
    return strongest(one_question([found for found in findings if shown(found.action)]))


# -- reminders


def _said(
    findings: Iterable[Finding], case: Case, places: dict[str, str], names: dict[str, str]
) -> dict[tuple[str, str], Fired]:
    """What is certain, by rule and reminder: the strongest action, the money together."""
    lines = {line.id: line for line in case.prescription.encounter.lines}
    said: dict[tuple[str, str], Fired] = {}
    for finding in findings:
        if finding.unknown:
            continue
        for name, line, amount in _reminders(finding, case, lines):
            places[name] = _place(line, case)
            names.setdefault(name, line.id if line is not None else "")
            key, fired = (finding.rule_id, name), Fired(action=finding.action, amount_fen=amount)
            said[key] = fired if key not in said else _joined(said[key], fired)
    return said


def _place(line: Line | None, case: Case) -> str:
    return "" if line is None else f"{case.encounter} {item_of(line)} {order_day_of(line, case.at)}"


def _joined(one: Fired, other: Fired) -> Fired:
    """Two findings of one rule about one item and day: the stronger action, their money together."""
    known = [amount for amount in (one.amount_fen, other.amount_fen) if amount is not None]
    action = max(one.action, other.action, key=ACTIONS.index)
    return Fired(action=action, amount_fen=sum(known) if known else None)


def _reminders(
    finding: Finding, case: Case, lines: Mapping[str, Line]
) -> Iterator[tuple[str, Line | None, int | None]]:
    """The reminders of a finding: id, the line (``None``: the encounter), and the part of the amount."""
    offending = [lines[name] for name in finding.lines if name in lines]
    if not offending:
        yield reminder_id(case.encounter, finding.rule_id, "", case.at.date().isoformat()), None, finding.amount_fen
        return
    parts = _parts(finding.amount_fen, [_weight(line) for line in offending])
    for line, part in zip(offending, parts, strict=True):
        yield reminder_id(case.encounter, finding.rule_id, item_of(line), order_day_of(line, case.at)), line, part


def _weight(line: Line) -> int:
    amount = line.facts.get("line.amount_fen")
    return max(amount, 0) if isinstance(amount, int) else 0


def _parts(whole: int | None, weights: list[int]) -> list[int | None]:
    """An amount by weights, the parts adding up to it; alike where nothing weighs."""
    if whole is None:
        return [None] * len(weights)
    if not any(weights):
        weights = [1] * len(weights)
    total, parts, before = sum(weights), [], 0
    for weight in weights:
        parts.append(whole * (before + weight) // total - whole * before // total)
        before += weight
    return [*parts]


def _ordered_by(encounter: Encounter, names: tuple[tuple[str, ...], tuple[str, ...]]) -> str:
    """Who orders, as reports count it: what the first current line that tells it does, else the encounter."""
    of_lines, of_encounter = names
    for line in encounter.lines:
        if line.current:
            for name in of_lines:
                if name in line.facts:
                    return str(line.facts[name])
    return next((str(encounter.facts[name]) for name in of_encounter if name in encounter.facts), "")
