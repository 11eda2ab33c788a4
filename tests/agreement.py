"""The engine held against the plain matcher: the same findings, the same undecided rules, on the same evidence.

A disagreement is cut down before it is told: rules, branches, lines, encounters and diagnoses are taken away for as
long as the two still disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec.structs import replace

from negative_list import conditions as c
from negative_list.compile import CompiledList, compile
from negative_list.engine import match
from negative_list.findings import findings_of, not_evaluated_of
from tests.plain import Found, Outcome, Seen, match_plainly

if TYPE_CHECKING:
    from negative_list.decision import NotEvaluated
    from negative_list.prescription import Encounter, History, Prescription
    from negative_list.rules import Rule, RuleList
    from tests.generators import Case

T = TypeVar("T")

__all__ = ["agreed", "disagreement", "match_engine"]


def match_engine(compiled: CompiledList, case: Case) -> Outcome:
    """The engine's answer in the plain matcher's words."""
    matched = match(compiled, case.prescription, case.at, case.history)
    per = {bound.rule.id: bound.rule.per for bound in compiled.rules}
    found = findings_of(matched, compiled.binder, "")
    missed = not_evaluated_of(matched, compiled.binder)
    return Outcome(
        findings={
            (one.rule_id, one.lines): Found(
                involved=frozenset(one.involved), action=one.action, amount_fen=one.amount_fen
            )
            for one in found
            if not one.unknown
        },
        undecided={(one.rule_id, told): frozenset(one.needs) for one in missed for told in _told(one, per)},
        asking={(one.rule_id, one.lines) for one in found if one.unknown},
    )


def _told(missed: NotEvaluated, per: Mapping[str, str]) -> list[tuple[str, ...]]:
    """The lines of an undecided rule one by one, as it would find them, or all that it finds at once."""
    return (
        [missed.lines] if per[missed.rule_id] == "encounter" or not missed.lines else [(line,) for line in missed.lines]
    )


def agreed(rules: RuleList, compiled: CompiledList, case: Case, seen: Seen | None = None) -> tuple[bool, Outcome]:
    """Whether both give the same answer, and the plain one."""
    plain = match_plainly(rules, case.prescription, case.at, case.history, seen)
    return match_engine(compiled, case) == plain, plain


def disagreement(rules: RuleList, case: Case) -> str:
    """A disagreement cut down and written out: the rule, the prescription, and what each says of it."""
    rules, case = _smallest(rules, case)
    plain = match_plainly(rules, case.prescription, case.at, case.history)
    engine = match_engine(compile(rules), case)
    told = [f"{msgspec.json.encode(rule).decode()}" for rule in rules.rules]
    told += [f"at {case.at:%Y-%m-%d %H:%M:%S}", *_written(case.prescription), *_history(case.history)]
    return "\n".join([*told, f"plain:  {_answer(plain)}", f"engine: {_answer(engine)}"])


def _answer(outcome: Outcome) -> str:
    found = [f"{key} on {sorted(one.involved)} {one.action} {one.amount_fen}" for key, one in outcome.findings.items()]
    return (
        f"findings {found}; asking {sorted(outcome.asking)}; "
        f"undecided {[f'{key} needs {sorted(n)}' for key, n in outcome.undecided.items()]}"
    )


def _written(prescription: Prescription) -> Iterator[str]:
    yield f"patient {_plain(prescription.patient.facts)}"
    for encounter in (prescription.encounter, *prescription.others):
        yield f"encounter {encounter.id} complete={encounter.complete} {_plain(encounter.facts)}"
        yield from (f"  {one}" for one in (*encounter.diagnoses, *encounter.operations))
        yield from (f"  {_plain(msgspec.structs.asdict(line))}" for line in encounter.lines)


def _history(history: History | None) -> Iterator[str]:
    if history is not None:
        yield f"history since={history.since} own_since={history.own_since} complete={history.complete}"
        yield f"  until={history.until} own_until={history.own_until}"
        yield from (f"  {_plain(msgspec.structs.asdict(one))}" for one in history.encounters)
        yield from (f"  {_plain(msgspec.structs.asdict(line))}" for line in history.lines)


def _plain(value: object) -> str:
    return str(msgspec.to_builtins(value, builtin_types=(datetime,)))


# --- cutting down ---------------------------------------------------------------------------------------------------


def _smallest(rules: RuleList, case: Case) -> tuple[RuleList, Case]:
    smaller: tuple[RuleList, Case] | None = rules, case
    while smaller is not None:
        rules, case = smaller
        smaller = next((pair for pair in _smaller(rules, case) if _disagree(*pair)), None)
    return rules, case


def _disagree(rules: RuleList, case: Case) -> bool:
    return not agreed(rules, compile(rules), case)[0]


def _smaller(rules: RuleList, case: Case) -> Iterator[tuple[RuleList, Case]]:
    if len(rules.rules) > 1:
        yield from ((replace(rules, rules=(rule,)), case) for rule in rules.rules)
        return
    yield from ((replace(rules, rules=(rule,)), case) for rule in _simpler(rules.rules[0]))
    if case.history is not None:
        yield rules, replace(case, history=None)
        for lines in _shorter(case.history.lines):
            yield rules, replace(case, history=replace(case.history, lines=lines))
        for encounters in _shorter(case.history.encounters):
            yield rules, replace(case, history=replace(case.history, encounters=encounters))
    for prescription in _fewer(case.prescription):
        yield rules, replace(case, prescription=prescription)


def _simpler(rule: Rule) -> Iterator[Rule]:
    yield from (replace(rule, grades=grades) for grades in _shorter(rule.grades))
    if rule.scope is not None:
        yield replace(rule, scope=None)
        yield replace(rule, scope=None, violation=rule.scope)
    match rule.violation:
        case c.Not(of=child):
            yield replace(rule, violation=child)
        case c.All(of=children) | c.Any(of=children) | c.AtLeast(of=children):
            yield from (replace(rule, violation=child) for child in children)
        case _:
            lines = getattr(rule.violation, "lines", None)
            if lines is not None and lines.where is not None:
                yield replace(rule, violation=replace(rule.violation, lines=replace(lines, where=None)))


def _fewer(prescription: Prescription) -> Iterator[Prescription]:
    for others in _shorter(prescription.others):
        yield replace(prescription, others=others)
    for encounter in _lighter(prescription.encounter):
        yield replace(prescription, encounter=encounter)
    if prescription.patient.facts:
        yield replace(prescription, patient=replace(prescription.patient, facts={}))


def _lighter(encounter: Encounter) -> Iterator[Encounter]:
    for lines in _shorter(encounter.lines):
        yield replace(encounter, lines=lines)
    for diagnoses in _shorter(encounter.diagnoses):
        yield replace(encounter, diagnoses=diagnoses)
    for operations in _shorter(encounter.operations):
        yield replace(encounter, operations=operations)
    for name in encounter.facts:
        yield replace(encounter, facts={key: value for key, value in encounter.facts.items() if key != name})
    for number, line in enumerate(encounter.lines):
        for name in line.facts:
            bare = replace(line, facts={key: value for key, value in line.facts.items() if key != name})
            yield replace(encounter, lines=(*encounter.lines[:number], bare, *encounter.lines[number + 1 :]))


def _shorter(values: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    return (values[:n] + values[n + 1 :] for n in range(len(values)))
