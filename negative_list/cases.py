"""Cases beside rules: what each rule must say to a request, run by ``negative-list test`` and ``stats --coverage``.

A case is judged against its own rule alone, with history and facts as far as the case tells them. It *bites* when it
fails once the rule's condition is taken away: a violating case must fail when the rule never holds, a conforming one
when it holds for every line it is triggered by, an unknown one both ways. A near miss may also be silent for its scope,
for an exception of the trigger or for its payer: these are taken away with the condition. A case that passes either way
proves nothing and does not count.

For coverage a conforming or unknown case counts only when it is a violating case with one field changed, and the line
that triggers it holds the same item there: what is compared is then that one fact.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Struct

from negative_list import conditions as c
from negative_list.classes import CLASS_IDS, class_name
from negative_list.compile import compile as compiled
from negative_list.decide import Fuller, decide
from negative_list.errors import DataError, RequestError
from negative_list.policy import shipped
from negative_list.readers.own import read_check_request
from negative_list.readers.past import read_history_object
from negative_list.readers.stored import facts_of_rows, supplement
from negative_list.rules import Case, NamedSet, Rule, RuleList
from negative_list.site import Sites

if TYPE_CHECKING:
    from datetime import datetime

    from negative_list.decide import Reader
    from negative_list.prescription import Prescription

__all__ = ["CaseBody", "CaseError", "CaseResult", "Coverage", "answer_of", "bodies_of", "coverage_of", "run_cases"]

Answer: TypeAlias = Literal["found", "silent", "undecided"]
"""What a rule says to a request: it holds, it does not, or it cannot be decided."""

_WANTED: Mapping[str, frozenset[Answer]] = {
    "violating": frozenset({"found"}),
    "conforming": frozenset({"silent"}),
    "unknown": frozenset({"undecided"}),
}
_EXPECTED: Mapping[str, frozenset[Answer]] = {
    "found": frozenset({"found"}),
    "silent": frozenset({"silent", "undecided"}),
}
_ALWAYS, _NEVER = c.All(of=()), c.Any(of=())
_STEP = re.compile(r"facts\.(?P<fact>[a-z_]+\.[a-z0-9_]+)|(?P<name>[a-z_]+)|\[(?P<place>\d+)\]")


class CaseError(ValueError):
    """A case that cannot be run: the message says why."""


class CaseBody(Struct, frozen=True, kw_only=True):
    """What one case asks: a request in our own JSON, and what is known besides it."""

    request: dict[str, Any]
    history: dict[str, Any] | None = None
    facts: tuple[dict[str, Any], ...] = ()


class CaseResult(Struct, frozen=True, kw_only=True):
    """What came of one case. ``place`` counts the rule's cases from 1; ``answer`` is ``None`` when it could not run.

    ``passed``: the rule says what the case wants; ``bites``: it would not without its condition; ``paired``: it is a
    violating case but for one field, and the same item triggers it; ``problem`` tells what is wrong ("" for nothing).
    """

    rule_id: str
    class_id: str
    place: int
    kind: str
    answer: Answer | None
    passed: bool
    bites: bool
    paired: bool = False
    problem: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is counted for its class: a violating case that proves something, or its counterpart."""
        return self.passed and self.bites and (self.kind == "violating" or self.paired)


class Coverage(Struct, frozen=True, kw_only=True):
    """The rules and the cases of one class. Only cases that pass, bite and are paired count; ``bites`` is their sum."""

    class_id: str
    class_name: str = msgspec.field(name="class")
    rules: int
    violating: int
    conforming: int
    unknown: int
    bites: int

    @property
    def complete(self) -> bool:
        """Whether the class has a rule and a case of each of the three kinds."""
        return min(self.rules, self.violating, self.conforming, self.unknown) > 0


def coverage_of(rules: RuleList, sites: Sites | None = None) -> tuple[Coverage, ...]:
    """One row for every class, in the order of the classes, those without rules too."""
    results = [result for result in run_cases(rules, sites) if result.counts]
    return tuple(_coverage(class_id, rules, results) for class_id in CLASS_IDS)


def _coverage(class_id: str, rules: RuleList, results: Sequence[CaseResult]) -> Coverage:
    own = [result for result in results if result.class_id == class_id]
    return Coverage(
        class_id=class_id,
        class_name=class_name(class_id),
        rules=sum(rule.class_id == class_id for rule in rules.rules),
        violating=sum(result.kind == "violating" for result in own),
        conforming=sum(result.kind == "conforming" for result in own),
        unknown=sum(result.kind == "unknown" for result in own),
        bites=sum(result.kind in _WANTED for result in own),
    )


def run_cases(rules: RuleList, sites: Sites | None = None) -> Iterator[CaseResult]:
    """Run every case of every rule, in the order of the list."""
    for rule in rules.rules:
        if rule.cases:
            yield from _RuleCases(rule, rules.sets, sites or Sites()).results()


class _RuleCases:
    """One rule, with its condition and without, and its cases."""

    def __init__(self, rule: Rule, sets: tuple[NamedSet, ...], sites: Sites) -> None:
        self._rule = msgspec.structs.replace(rule, overrides=(), cases=())
        self._cases = rule.cases
        self._sets = sets
        self._sites = sites

    def results(self) -> Iterator[CaseResult]:
        """Every case run as written, and with the condition taken away."""
        whole: tuple[Case, CaseBody | CaseError] | None = None
        for place, (case, body) in enumerate(bodies_of(self._cases), 1):
            if case.request is not None:
                whole = case, body
            result = self._result(place, case, body)
            paired = result.bites and case.request is None and whole is not None and self._is_paired(*whole, body)
            yield msgspec.structs.replace(result, paired=paired)

    def _is_paired(self, whole: Case, base: CaseBody | CaseError, body: CaseBody | CaseError) -> bool:
        """Whether a case is made from a violating one, and a line triggers it that holds the same item there."""
        if whole.kind != "violating" or isinstance(base, CaseError) or isinstance(body, CaseError):
            return False
        always = msgspec.structs.replace(self._rule, violation=_ALWAYS)
        triggered = [set(_said(self._alone(always), always.id, each, self._sites)[1]) for each in (base, body)]
        items = [
            {_item(line) for line in _lines(each) if line.get("id") in lines}
            for each, lines in zip((base, body), triggered, strict=True)
        ]
        return not items[0] or bool(items[0] & items[1])

    def _result(self, place: int, case: Case, body: CaseBody | CaseError) -> CaseResult:
        told = CaseResult(
            rule_id=self._rule.id,
            class_id=self._rule.class_id,
            place=place,
            kind=case.kind,
            answer=None,
            passed=False,
            bites=False,
        )
        if isinstance(body, CaseError):
            return msgspec.structs.replace(told, problem=str(body))
        wanted = _EXPECTED[case.expect or "silent"] if case.kind == "near_miss" else _WANTED[case.kind]
        try:
            answer = self._answer(self._rule, body)
            without = [self._answer(rule, body) for rule in _without(self._rule, case, wanted)]
        except (CaseError, RequestError, DataError) as error:
            return msgspec.structs.replace(told, problem=_one_line(error))
        passed, bites = answer in wanted, not wanted & set(without)
        problem = _problem(wanted, answer, bites=bites)
        return msgspec.structs.replace(told, answer=answer, passed=passed, bites=bites, problem=problem)

    def _answer(self, rule: Rule, body: CaseBody) -> Answer:
        return answer_of(self._alone(rule), rule.id, body, self._sites)

    def _alone(self, rule: Rule) -> RuleList:
        return RuleList(rules=(rule,), sets=self._sets)


def answer_of(rules: RuleList, rule_id: str, body: CaseBody, sites: Sites) -> Answer:
    """What a rule of a list says to a request.

    Raises:
        RequestError: When the request cannot be read.
        DataError: When the history or a fact cannot be read.
        CaseError: When the request has no time.
    """
    return _said(rules, rule_id, body, sites)[0]


def _said(rules: RuleList, rule_id: str, body: CaseBody, sites: Sites) -> tuple[Answer, tuple[str, ...]]:
    """The answer, and the lines that offend."""
    prescription = read_check_request(copy.deepcopy(body.request), sites)
    if prescription.at is None:
        raise CaseError("the request has no `time`; give the instant it is decided for")
    decision = decide(compiled(rules), prescription, prescription.at, shipped(), read=_reader(body, sites))
    found = [finding for finding in decision.findings if finding.rule_id == rule_id and not finding.unknown]
    if found:
        return "found", tuple(line for finding in found for line in finding.lines)
    return "undecided" if any(entry.rule_id == rule_id for entry in decision.not_evaluated) else "silent", ()


def _lines(body: CaseBody) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = (body.request.get("encounter") or {}).get("lines") or []
    return lines


def _item(line: Mapping[str, Any]) -> tuple[object, ...]:
    return line.get("code"), line.get("local_code"), line.get("name")


def _reader(body: CaseBody, sites: Sites) -> Reader:
    facts = facts_of_rows(copy.deepcopy(list(body.facts)), sites.default.zone)
    history = read_history_object(copy.deepcopy(body.history), sites) if body.history is not None else None

    def read(prescription: Prescription, _needs: frozenset[str], at: datetime) -> Fuller:
        return Fuller(prescription=supplement(prescription, facts, at), history=history)

    return read


def _without(rule: Rule, case: Case, wanted: frozenset[Answer]) -> tuple[Rule, ...]:
    """The rule with what decides the case taken away."""
    always = msgspec.structs.replace(rule, violation=_ALWAYS)
    never = msgspec.structs.replace(rule, violation=_NEVER)
    if case.kind == "unknown":
        return always, never
    if "found" in wanted:
        return (never,)
    return (_for_everybody(always) if case.kind == "near_miss" else always,)


def _for_everybody(rule: Rule) -> Rule:
    trigger = msgspec.structs.replace(rule.trigger, except_codes=(), except_names=())
    return msgspec.structs.replace(rule, trigger=trigger, scope=None, fund_only=False)


def _problem(wanted: frozenset[Answer], answer: Answer, *, bites: bool) -> str:
    if answer not in wanted:
        return f"the rule is `{answer}`, the case wants `{min(wanted)}`"
    return "" if bites else "the case passes without the rule's condition too; it proves nothing"


def _one_line(error: Exception) -> str:
    return "; ".join(str(error).splitlines())


# -- derived cases


def bodies_of(cases: Sequence[Case]) -> Iterator[tuple[Case, CaseBody | CaseError]]:
    """Each case with what it asks; a derived one is made from the last whole one before it."""
    whole: CaseBody | None = None
    for case in cases:
        if case.request is not None:
            whole = CaseBody(request=case.request, history=case.history, facts=case.facts)
            yield case, whole
        elif whole is None:
            yield case, CaseError("no whole case stands before it; give the first case of a rule a `request`")
        else:
            yield case, _changed(whole, case)


def _changed(whole: CaseBody, case: Case) -> CaseBody | CaseError:
    document: dict[str, Any] = copy.deepcopy(
        {"request": whole.request, "history": whole.history or {}, "facts": list(whole.facts)}
    )
    try:
        _set(document, _steps(case.change), case.to)
    except (CaseError, KeyError, IndexError, TypeError) as error:
        why = str(error) if isinstance(error, CaseError) else "no such field in the case it is made from"
        return CaseError(f"`{case.change}` cannot be changed: {why}")
    history = document["history"] if whole.history is not None or document["history"] else None
    return CaseBody(request=document["request"], history=history, facts=tuple(document["facts"]))


def _steps(path: str) -> list[str | int]:
    """The steps of ``request.encounter.lines[0].facts.line.days``; a fact's name is one step."""
    steps: list[str | int] = []
    rest = path
    while rest:
        found = _STEP.match(rest)
        if found is None:
            raise CaseError(f"`{rest}` is no step of a path")
        if found["fact"]:
            steps += ["facts", found["fact"]]
        else:
            steps.append(int(found["place"]) if found["place"] else found["name"])
        rest = rest[found.end() :].removeprefix(".")
    return steps


def _set(document: Any, steps: list[str | int], value: Any) -> None:
    """Put a value at the end of the steps, or take away what is there."""
    holder = document
    for step in steps[:-1]:
        if step == "facts" and isinstance(holder, dict):
            holder.setdefault("facts", {})
        holder = holder[step]
    last = steps[-1]
    if value is not UNSET:
        holder[last] = value
    else:
        del holder[last]
