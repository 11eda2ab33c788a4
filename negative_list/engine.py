"""Match: which rules hold against a prescription, and which could not be decided.

``match`` is pure: the same compiled list, prescription, instant and history give the same answer, in the same order.
It works in two passes of one function: a rule that is unknown in the first pass only for want of history or store
facts is *pending*; the caller reads what those need in one batch and judges the pending ones again, and only those.
Where somebody waits, each pass ends when its time is up, and tells what it left out.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from negative_list.check import Check
from negative_list.compile import BoundRule, CompiledList
from negative_list.hurry import EVERY, Halt, in_haste, until
from negative_list.prescription import Line
from negative_list.rules import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from negative_list.prescription import History, Prescription

__all__ = ["Judgement", "Matched", "again", "judge", "judged_on", "match", "match_edited", "triggered"]

_STRENGTHS = {action: strength for strength, action in enumerate(ACTIONS)}


class Judgement(Struct, frozen=True, kw_only=True):
    """A rule that holds (``holds`` true) or is undecided (``None``) for one trigger line (``None``: without a line)."""

    rule: BoundRule
    line: Line | None
    holds: bool | None


class Matched(Struct, frozen=True, kw_only=True):
    """What a match found, in body order, then by rule id. ``check`` is kept to explain it from.

    ``skipped``: what was not judged, or not again with what was read, when the time was up.
    """

    check: Check
    judgements: tuple[Judgement, ...]
    skipped: tuple[Judgement, ...] = ()

    @property
    def true(self) -> tuple[Judgement, ...]:
        """The judgements that hold."""
        return tuple(j for j in self.judgements if j.holds)

    @property
    def unknown(self) -> tuple[Judgement, ...]:
        """The judgements that could not be decided."""
        return tuple(j for j in self.judgements if j.holds is None)


def match(
    compiled: CompiledList,
    prescription: Prescription,
    at: datetime,
    history: History | None = None,
    halt: Halt | None = None,
) -> Matched:
    """Judge every rule that concerns the prescription.

    Args:
        compiled: the list.
        prescription: what is asked.
        at: the decision's instant, civil time of the site.
        history: what the patient was given besides the body, with its coverage; ``None`` when there is none.
        halt: says when the time is up; it never is when left out.
    """
    check = Check(prescription, at, compiled.terms, history)
    if halt is None:
        return Matched(check=check, judgements=judge(check, triggered(compiled, check)))
    return _hurried(check, list(triggered(compiled, check)), halt)


def _hurried(check: Check, pairs: Sequence[tuple[BoundRule, Line | None]], halt: Halt) -> Matched:
    """The rules judged until the time is up; what is found stands in the order it has without haste."""
    if len(pairs) <= EVERY["judged"] and not halt.over("judged", 0):
        return Matched(check=check, judgements=judge(check, pairs))
    places = in_haste([_STRENGTHS[rule.rule.action] for rule, _ in pairs], "judged")
    found: list[tuple[int, Judgement]] = []
    judged = 0
    for place in until(places, "judged", halt):
        judged += 1
        rule, line = pairs[place]
        holds = rule.judge(check, line)
        if holds is not False:
            found.append((place, Judgement(rule=rule, line=line, holds=holds)))
    found.sort(key=itemgetter(0))
    left = (pairs[place] for place in sorted(places[judged:]))
    return Matched(
        check=check,
        judgements=tuple([judgement for _, judgement in found]),
        skipped=tuple([Judgement(rule=rule, line=line, holds=None) for rule, line in left]),
    )


def match_edited(compiled: CompiledList, edited: Prescription, at: datetime, changed: frozenset[str]) -> Matched:
    """The judgements an edit of some lines can change: those of the lines, and of every rule that gathers lines.

    Args:
        compiled: the list.
        edited: the prescription with the edit made.
        at: the decision's instant.
        changed: ids of the lines that were edited or dropped.
    """
    check = Check(edited, at, compiled.terms)
    pairs = triggered(compiled, check)
    touched = ((rule, line) for rule, line in pairs if not rule.local or (line is not None and line.id in changed))
    return Matched(check=check, judgements=judge(check, touched))


def judge(check: Check, pairs: Iterable[tuple[BoundRule, Line | None]]) -> tuple[Judgement, ...]:
    """Judge rules for their trigger lines; those that do not hold are left out."""
    found: list[Judgement] = []
    for rule, line in pairs:
        holds = rule.judge(check, line)
        if holds is not False:
            found.append(Judgement(rule=rule, line=line, holds=holds))
    return tuple(found)


def again(first: Matched, pending: Iterable[Judgement], check: Check, halt: Halt | None = None) -> Matched:
    """The second pass: the pending judgements made again over a fuller check, all others kept.

    Args:
        first: the first pass.
        pending: those of its unknown judgements that history or store facts may decide.
        check: the same prescription with what was read.
        halt: says when the time is up; it never is when left out.
    """
    pending = list(pending)
    places: Iterable[int] = range(len(pending))
    if halt is not None:
        places = until(in_haste([_STRENGTHS[old.rule.rule.action] for old in pending], "again"), "again", halt)
    settled = {id(old): judge(check, [(old.rule, old.line)]) for old in map(pending.__getitem__, places)}
    late = tuple(old for old in pending if id(old) not in settled)
    settled.update((id(old), ()) for old in late)
    kept = (new for old in first.judgements for new in settled.get(id(old), (old,)))
    return Matched(check=check, judgements=tuple(kept), skipped=(*first.skipped, *late))


def judged_on(
    first: Matched,
    compiled: CompiledList,
    prescription: Prescription,
    history: History | None,
    halt: Halt | None = None,
) -> Matched:
    """The undecided judgements of a pass made again with a history that holds no copies."""
    check = Check(prescription, first.check.at, compiled.terms, history)
    renewed = Matched(check=check, judgements=_on(first, check.prescription), skipped=first.skipped)
    return again(renewed, renewed.unknown, check, halt)


def _on(first: Matched, prescription: Prescription) -> tuple[Judgement, ...]:
    """The first pass's judgements, their lines exchanged for those of the fuller prescription."""
    lines = {line.id: line for line in prescription.encounter.lines}
    return tuple(
        judgement if judgement.line is None else msgspec.structs.replace(judgement, line=lines[judgement.line.id])
        for judgement in first.judgements
        if judgement.line is None or judgement.line.id in lines
    )


def triggered(compiled: CompiledList, check: Check) -> Iterator[tuple[BoundRule, Line | None]]:
    """Every rule with each of its trigger lines, each pair once."""
    by_code = compiled.by_code
    plain = not (compiled.by_prefix or compiled.by_type)
    alike: dict[object, Iterable[BoundRule]] = {}
    for line in check.encounter.lines:
        if not line.current:
            continue
        if plain and len(line.codes) == 1 and line.usable:
            rules: Iterable[BoundRule] = by_code.get(line.codes[0], ())
        else:
            # A stay of thousands of lines has some hundred items.
            kind = line.facts.get("line.item_type")
            key = (line.codes, line.usable, line.name, kind if isinstance(kind, str) else "")
            rules = alike.get(key) or alike.setdefault(key, _rules_of(compiled, line))
        for rule in rules:
            if rule.guard is None or rule.guard.means(check, line):
                yield rule, line
    for rule in _without_line(compiled, check):
        yield rule, None


def _rules_of(compiled: CompiledList, line: Line) -> Iterable[BoundRule]:
    """The rules one line triggers by code, prefix, type or name, each once, by id: terms are found in no order."""
    found: dict[int, BoundRule] = {}
    for rules in _ways(compiled, line):
        for rule in rules:
            found[id(rule)] = rule
    return sorted(found.values(), key=_by_id) if len(found) > 1 else tuple(found.values())


def _by_id(rule: BoundRule) -> str:
    return rule.rule.id


def _ways(compiled: CompiledList, line: Line) -> Iterator[tuple[BoundRule, ...]]:
    for code in line.codes:
        yield compiled.by_code.get(code, ())
        for length, prefixes in compiled.by_prefix.items():
            yield prefixes.get(code[:length], ())
    kind = line.facts.get("line.item_type")
    if isinstance(kind, str):
        yield compiled.by_type.get(kind, ())
    if compiled.by_name and not (line.usable and line.codes):
        for term in compiled.terms.in_item(line.name):
            yield compiled.by_name.get(term, ())


def _without_line(compiled: CompiledList, check: Check) -> Iterable[BoundRule]:
    """The rules the encounter, its diagnoses and its operations trigger, each once."""
    if not (compiled.of_encounter or compiled.by_diagnosis or compiled.by_operation):
        return ()
    found = {id(rule): rule for rule in compiled.of_encounter}
    for subject, index in (("diagnoses", compiled.by_diagnosis), ("operations", compiled.by_operation)):
        if index:
            stated = check.stated_codes(subject, main=False).get("present", ())
            found.update((id(rule), rule) for code in stated for rule in index.get(code, ()))
    return sorted(found.values(), key=_by_id)
