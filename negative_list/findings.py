"""From judgements to findings: grouped, with their evidence and the money at risk.

Texts and suggestions are added later (:mod:`negative_list.messages`, :mod:`negative_list.suggest`).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from negative_list.classes import class_name
from negative_list.decision import Finding, NotEvaluated, Outcome, Why
from negative_list.excess import share_over
from negative_list.explain import Evidence, explain
from negative_list.hurry import Halt, in_haste, until
from negative_list.rules import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from negative_list.bind import Binder
    from negative_list.check import Check
    from negative_list.engine import Judgement, Matched
    from negative_list.prescription import Line
    from negative_list.rules import Action, Rule

__all__ = [
    "COVERAGE_ONLY",
    "DECISION_ID",
    "as_graded",
    "finding_id",
    "findings_of",
    "not_evaluated_of",
    "outcomes_of",
    "rules_of",
    "skipped_of",
    "told_of",
]

COVERAGE_ONLY = ("history",)
"""The needs of a rule that lacks nothing but coverage by history: it never makes a finding."""

_Lacking: TypeAlias = dict[tuple[int, int], tuple[str, ...]]
"""What undecided judgements need, by the identities of their rule and line."""

MANY_UNDECIDED = 1_000
"""Undecided judgements from which on not each is explained: a stay of thousands of lines has tens of thousands."""

DECISION_ID = re.compile("[0-7][0-9A-HJKMNP-TV-Z]{25}")
"""What a decision's id looks like (a ULID)."""

EXPLAINED = 3
"""Lines of one kind that are explained for one rule, where there are many."""


def findings_of(matched: Matched, binder: Binder, key: str) -> tuple[Finding, ...]:
    """The findings of all judgements that hold, and of the undecided ones whose rule asks.

    Args:
        matched: what the match found.
        binder: of the list that was matched.
        key: what makes finding ids differ between checks (the decision id, else the request's).
    """
    return told_of(matched, binder, key)[0]


def told_of(
    matched: Matched, binder: Binder, key: str, halt: Halt | None = None
) -> tuple[tuple[Finding, ...], tuple[Judgement, ...]]:
    """The same as :func:`findings_of` for as long as there is time, and the judgements that hold and were not told."""
    true = _groups(matched.true)
    groups = [*true, *_groups(j for j in _undecided(matched) if j.rule.rule.on_unknown.action != "pass")]
    places: Iterable[int] = range(len(groups))
    if halt is not None:
        places = until(in_haste([ACTIONS.index(group[0].rule.rule.action) for group in groups], "told"), "told", halt)
    told: dict[int, Finding | None] = {}
    for place in places:
        make = _finding if place < len(true) else _unknown_finding
        told[place] = make(groups[place], matched, binder, key)
    untold = (judgement for place, group in enumerate(true) if place not in told for judgement in group)
    return tuple(found for _, found in sorted(told.items()) if found is not None), tuple(untold)


def outcomes_of(matched: Matched, binder: Binder) -> tuple[Outcome, ...]:
    """The same as :func:`findings_of` with nothing told of it: enough to see whether an edit helps."""
    true = [_outcome(group, as_graded(group, matched.check).action) for group in _groups(matched.true)]
    asking = [j for j in _undecided(matched) if j.rule.rule.on_unknown.action != "pass"]
    groups = (group for group in _groups(asking) if not _is_silent(_needs(group, matched, binder), matched.check))
    return (*true, *(_outcome(group, group[0].rule.rule.on_unknown.action, unknown=True) for group in groups))


def _outcome(group: list[Judgement], action: Action, *, unknown: bool = False) -> Outcome:
    rule = group[0].rule.rule
    return Outcome(
        rule_id=rule.id,
        class_id=rule.class_id,
        action=action,
        unknown=unknown,
        lines=tuple(judgement.line.id for judgement in group if judgement.line is not None),
        addressee=rule.addressee,
        result=rule.result,
    )


def not_evaluated_of(matched: Matched, binder: Binder) -> tuple[NotEvaluated, ...]:
    """Every rule that could not be decided, once for all lines for which it needs the same."""
    undecided, lacking = _undecided(matched), _lacking_in(matched, binder)
    at_once = [judgement for judgement in undecided if judgement.rule.rule.per == "encounter"]
    whole = {id(group[0].rule): _needs(group, matched, binder) for group in _groups(at_once)}
    alike: dict[tuple[int, bool, tuple[str, ...]], list[Judgement]] = {}
    for judgement in undecided:
        rule, line = id(judgement.rule), judgement.line
        needs = whole.get(rule)
        key = (rule, line is None, lacking[rule, id(line)]) if needs is None else (rule, False, needs)
        alike.setdefault(key, []).append(judgement)
    return tuple(_not_evaluated(group, needs, matched.check) for (_, _, needs), group in alike.items())


def skipped_of(judgements: Iterable[Judgement]) -> tuple[NotEvaluated, ...]:
    """Every rule that was not judged in time, once for all such lines, and once where it hangs on none."""
    skipped: dict[tuple[int, bool], list[Judgement]] = {}
    for judgement in judgements:
        skipped.setdefault((id(judgement.rule), judgement.line is None), []).append(judgement)
    return tuple(
        NotEvaluated(
            rule_id=group[0].rule.rule.id,
            class_name=class_name(group[0].rule.rule.class_id),
            needs=(),
            reason="deadline",
            lines=tuple(line.id for line in _lines(group)),
        )
        for group in skipped.values()
    )


def _undecided(matched: Matched) -> list[Judgement]:
    """The undecided judgements; a rule that finds once for an encounter is decided by one line that is true."""
    found = {id(j.rule) for j in matched.true if j.rule.rule.per == "encounter"}
    return [judgement for judgement in matched.unknown if id(judgement.rule) not in found]


def _groups(judgements: Iterable[Judgement]) -> list[list[Judgement]]:
    """Judgements that make one finding: one by one, or all of a rule that finds once for an encounter."""
    groups: dict[object, list[Judgement]] = {}
    for judgement in judgements:
        key = judgement.rule if judgement.rule.rule.per == "encounter" else judgement
        groups.setdefault(id(key), []).append(judgement)
    return list(groups.values())


def as_graded(group: Iterable[Judgement], check: Check) -> Rule:
    """The rule of judgements that hold, with the strongest action over their lines and the text that goes with it."""
    graded = [_graded(judgement, check) for judgement in group]
    if len(graded) == 1:
        return graded[0]
    return max(graded, key=lambda rule: ACTIONS.index(rule.action))


def _graded(judgement: Judgement, check: Check) -> Rule:
    """The rule with the action and the text of the first grade that is certain for the trigger line."""
    rule = judgement.rule.rule
    grade = judgement.rule.grade(check, judgement.line) if rule.grades else None
    if grade is None:
        return rule
    return msgspec.structs.replace(rule, action=grade.action, message=grade.message or rule.message)


def rules_of(findings: Iterable[Finding], matched: Matched) -> dict[str, Rule]:
    """The rule of each finding, by the finding's id, as it is graded for the finding's lines."""
    judged: dict[str, list[Judgement]] = {}
    for judgement in matched.judgements:
        judged.setdefault(judgement.rule.rule.id, []).append(judgement)
    return {finding.finding_id: _rule_of(finding, judged[finding.rule_id], matched.check) for finding in findings}


def _rule_of(finding: Finding, judgements: list[Judgement], check: Check) -> Rule:
    if finding.unknown or not judgements[0].rule.grades:
        return judgements[0].rule.rule
    lines = set(finding.lines)
    return as_graded((j for j in judgements if j.holds and (j.line is None or j.line.id in lines)), check)


def _finding(group: list[Judgement], matched: Matched, binder: Binder, key: str) -> Finding:
    evidence = [explain(judgement, matched.check, binder) for judgement in group]
    return msgspec.structs.replace(
        _told(group, key, matched.check),
        action=as_graded(group, matched.check).action,
        involved=_involved(evidence, _lines(group)),
        facts=tuple(dict.fromkeys(fact for each in evidence for fact in each.facts)),
        amount_fen=_amount(group, matched, binder),
    )


def _unknown_finding(group: list[Judgement], matched: Matched, binder: Binder, key: str) -> Finding | None:
    """The finding of a rule that asks; none where only coverage is lacking, or what nobody tells at the site."""
    needs = _needs(group, matched, binder)
    if _is_silent(needs, matched.check):
        return None
    ask, never = group[0].rule.rule.on_unknown, matched.check.prescription.never_sent
    told = tuple(name for name in needs if name not in never) if never else needs
    wanted = tuple(name for name in told if name in ask.ask) or told
    return msgspec.structs.replace(_told(group, key, matched.check), action=ask.action, unknown=True, needs=wanted)


def _is_silent(needs: tuple[str, ...], check: Check) -> bool:
    """Whether nobody is asked: only coverage is lacking, or nothing else but what nobody tells at the site."""
    return needs == COVERAGE_ONLY or _is_never_told(needs, check)


def _is_never_told(needs: tuple[str, ...], check: Check) -> bool:
    never = check.prescription.never_sent
    return bool(never) and not set(needs).isdisjoint(never) and set(needs) <= {*never, *COVERAGE_ONLY}


def _lines(group: list[Judgement]) -> list[Line]:
    return [judgement.line for judgement in group if judgement.line is not None]


def _told(group: list[Judgement], key: str, check: Check) -> Finding:
    """What a finding tells of its rule."""
    rule, lines = group[0].rule.rule, _lines(group)
    return Finding(
        finding_id=finding_id(key, rule, map(check.place_of, lines)),
        rule_id=rule.id,
        rule_version=rule.version,
        class_name=class_name(rule.class_id),
        class_id=rule.class_id,
        action=rule.action,
        lines=tuple(line.id for line in lines),
        basis=" ".join(part for part in (rule.basis.document, rule.basis.article) if part),
        fund_only=rule.fund_only,
        addressee=rule.addressee,
        result=rule.result,
        reasons=rule.reasons,
    )


def _not_evaluated(judgements: list[Judgement], needs: tuple[str, ...], check: Check) -> NotEvaluated:
    rule = judgements[0].rule.rule
    return NotEvaluated(
        rule_id=rule.id,
        class_name=class_name(rule.class_id),
        needs=needs,
        reason=_why(needs, check),
        lines=tuple(judgement.line.id for judgement in judgements if judgement.line is not None),
    )


def _why(needs: tuple[str, ...], check: Check) -> Why:
    if needs == COVERAGE_ONLY:
        return "coverage"
    return "never_sent" if _is_never_told(needs, check) else "missing_facts"


def _needs(group: list[Judgement], matched: Matched, binder: Binder) -> tuple[str, ...]:
    lacking = _lacking_in(matched, binder)
    if len(group) == 1:
        return lacking[_of(group[0])]
    return tuple(sorted(set().union(*(lacking[_of(judgement)] for judgement in group))))


def _lacking_in(matched: Matched, binder: Binder) -> _Lacking:
    """What the undecided judgements need, found once for a match."""
    found: _Lacking = matched.check.remember(("lacking", id(matched.judgements)), lambda: _lacking(matched, binder))
    return found


def _of(judgement: Judgement) -> tuple[int, int]:
    return id(judgement.rule), id(judgement.line)


def _lacking(matched: Matched, binder: Binder) -> _Lacking:
    """What each undecided judgement needs.

    Where they are many, those of a rule for lines that tell the same facts are taken to need what the first ones do.
    """
    undecided = _undecided(matched)
    most = EXPLAINED if len(undecided) > MANY_UNDECIDED else len(undecided)
    kinds: dict[int, object] = {}
    alike: dict[object, dict[tuple[str, ...], None]] = {}
    looked_at: Counter[object] = Counter()
    found = {}
    for judgement in undecided:
        kind = kinds.get(id(judgement.line)) or _kind(judgement.line, kinds)
        key = id(judgement.rule), kind
        told = alike.setdefault(key, {})
        if looked_at[key] < most:
            looked_at[key] += 1
            needs = explain(judgement, matched.check, binder).needs
            told[needs] = None
        else:
            needs = next(iter(told)) if len(told) == 1 else tuple(sorted({name for each in told for name in each}))
        found[_of(judgement)] = needs
    return found


def _kind(line: Line | None, kinds: dict[int, object]) -> object:
    """What a line tells, whatever it says."""
    told: object = "none"
    if line is not None:
        told = (frozenset(line.facts), line.usable, line.begins is None, line.stops is None)
    kinds[id(line)] = told
    return told


def finding_id(key: str, rule: Rule, places: Iterable[int]) -> str:
    """An id of at most 36 characters, the same for the same check, rule and places of lines in the body.

    A decision's id stands before ten hexadecimal digits, so that whoever names the finding names the decision; without
    one the id is 32 digits. The national interface keeps at most 36 to 40 characters of it (reference 3.1 ``jr_id``, 4
    ``warn_rslt_id``).
    """
    text = "|".join((key, rule.id, str(rule.version), *map(str, places)))
    digits = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
    return key + digits[:10] if DECISION_ID.fullmatch(key) else digits[:32]


def _involved(evidence: Iterable[Evidence], offending: list[Line]) -> tuple[str, ...]:
    own = {id(line) for line in offending}
    lines = (line for each in evidence for line in each.lines if id(line) not in own)
    return tuple(dict.fromkeys(line.id for line in lines))


# -- money


def _amount(group: list[Judgement], matched: Matched, binder: Binder) -> int | None:
    """The money at risk in fen over all offending lines, each once; ``None`` where any of it is unknown."""
    rule = group[0].rule.rule
    if rule.amount == "none" or any(judgement.line is None for judgement in group):
        return None
    amounts = [_line_amount(judgement, matched, binder) for judgement in group]
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None


def _line_amount(judgement: Judgement, matched: Matched, binder: Binder) -> int | None:
    line, rule = judgement.line, judgement.rule.rule
    over = share_over(judgement, matched.check, binder) if rule.amount == "excess" else None
    if over == 0:
        return 0
    whole = line.facts.get("line.amount_fen") if line is not None else None
    if not isinstance(whole, int):
        return None
    share = Fraction(1) if over is None else over
    return floor(whole * share * Fraction(rule.amount_share) + Fraction(1, 2))
