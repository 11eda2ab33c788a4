"""What a caller is shown of what was found: policy applied, in order, one question, with ways out and texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct

from negative_list.decision import Finding, Outcome, Suggestion
from negative_list.engine import Matched, judged_on, match_edited
from negative_list.findings import COVERAGE_ONLY, outcomes_of, rules_of
from negative_list.hurry import Halt
from negative_list.messages import Language, message_of, suggestion_text
from negative_list.policy import ExitKey, Policy, apply, exited
from negative_list.rules import ACTIONS, Action
from negative_list.suggest import MAX_EDITS, MAX_LINES, edited, suggestions_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from negative_list.bind import Binder
    from negative_list.check import Check
    from negative_list.compile import CompiledList

__all__ = ["Ruling", "one_question", "shown_of"]

Told = TypeVar("Told", bound=Outcome)


class Ruling(Struct, frozen=True, kw_only=True):
    """What is made of findings after the match: the policy's actions, and what emergency exits leave of them.

    Those weaker than ``lowest_action`` are not shown.
    """

    policy: Policy
    exits: AbstractSet[ExitKey]
    lowest_action: Action = "remind"

    def of(self, findings: Iterable[Told], check: Check) -> tuple[Told, ...]:
        """The findings with the actions they are given."""
        return exited(apply(findings, self.policy, _department(check)), self.exits, check.encounter.lines)


def _department(check: Check) -> str:
    return str(check.encounter_facts.get("encounter.department_code") or "")


def shown_of(
    found: tuple[Finding, ...],
    matched: Matched,
    compiled: CompiledList,
    ruling: Ruling,
    language: Language,
    halt: Halt | None = None,
) -> tuple[Finding, ...]:
    """The findings this caller is shown: in order, with ways out (those tried in time) and texts."""
    if not found:
        return ()
    shown = [f for f in found if ACTIONS.index(f.action) >= max(1, ACTIONS.index(ruling.lowest_action))]
    findings = _ordered(one_question(shown), matched.check)
    if len(matched.check.encounter.lines) <= MAX_LINES:
        retry = _Trials(matched, compiled, ruling, halt)
        findings = _with_suggestions(findings, found, matched, compiled.binder, retry, language)
    return _with_messages(findings, matched, language)


def one_question(findings: Iterable[Finding]) -> list[Finding]:
    """All findings that are certain, and of those that ask only one: the fact that decides most, asked once."""
    findings = list(findings)
    asking = [f for f in findings if f.unknown]
    if not asking:
        return findings
    wanted = Counter(name for f in asking for name in _answerable(f))
    best = max(asking, key=lambda f: (max(wanted[name] for name in _answerable(f)), ACTIONS.index(f.action)))
    question = max(_answerable(best), key=lambda name: wanted[name])
    return [*(f for f in findings if not f.unknown), msgspec.structs.replace(best, needs=(question,))]


def _answerable(finding: Finding) -> list[str]:
    """What somebody can be asked for: facts, not what other institutions did."""
    return [name for name in finding.needs if name not in COVERAGE_ONLY] or list(finding.needs)


def _ordered(findings: Iterable[Finding], check: Check) -> tuple[Finding, ...]:
    """By action, strongest first; then by first offending line in body order; then by rule id."""
    places = {line.id: place for place, line in enumerate(check.encounter.lines)}

    def key(finding: Finding) -> tuple[int, int, str]:
        first = min((places[line] for line in finding.lines), default=-1)
        return -ACTIONS.index(finding.action), first, finding.rule_id

    return tuple(sorted(findings, key=key))


def _with_suggestions(
    findings: tuple[Finding, ...],
    before: tuple[Finding, ...],
    matched: Matched,
    binder: Binder,
    retry: _Trials,
    language: Language,
) -> tuple[Finding, ...]:
    items = _items(matched.check)
    helped = []
    for finding in findings:
        proved = suggestions_for(finding, before, matched, binder, retry)
        worded = tuple(msgspec.structs.replace(s, text=suggestion_text(s, items, language)) for s in proved)
        helped.append(msgspec.structs.replace(finding, suggestions=worded))
    return tuple(helped)


class _Trials:
    """Edits of one prescription and what came of each, up to ``MAX_EDITS`` different ones, while there is time."""

    def __init__(self, matched: Matched, compiled: CompiledList, ruling: Ruling, halt: Halt | None) -> None:
        self._check = matched.check
        self._compiled = compiled
        self._ruling = ruling
        self._halt = halt or Halt()
        self._known: dict[Suggestion, tuple[Outcome, ...]] = {}

    def __call__(self, edit: Suggestion) -> tuple[Outcome, ...] | None:
        if edit not in self._known:
            if len(self._known) >= MAX_EDITS or self._halt.over("tried", len(self._known)):
                return None
            self._known[edit] = self._tried(edit)
        return self._known[edit]

    def _tried(self, edit: Suggestion) -> tuple[Outcome, ...]:
        """As the caller's next request would be decided: history counts only for what is open without it."""
        check, changed = self._check, edited(self._check.prescription, edit)
        tried = match_edited(self._compiled, changed, check.at, frozenset(edit.lines))
        if check.history is not None and tried.unknown:
            first, tried = tried, judged_on(tried, self._compiled, changed, check.history)
            first.check.forget()
        outcomes = self._ruling.of(outcomes_of(tried, self._compiled.binder), tried.check)
        tried.check.forget()
        return outcomes


def _items(check: Check) -> dict[str, str]:
    """What people call each line: its name on one line, else its code or its id."""
    return {line.id: " ".join(line.name.split()) or next(iter(line.codes), line.id) for line in check.encounter.lines}


def _with_messages(findings: tuple[Finding, ...], matched: Matched, language: Language) -> tuple[Finding, ...]:
    """Texts for all; the first finding of a line also tells the other rules of that line."""
    if not findings:
        return findings
    items = _items(matched.check)
    rules = rules_of(findings, matched)
    on_line = _by_line(findings)
    worded = []
    for finding in findings:
        line = finding.lines[0] if finding.lines else ""
        # The first finding of a line takes what the others say; they keep their own texts.
        others = [rules[other.finding_id] for other in on_line.pop(line, ()) if other is not finding]
        text = message_of(finding, rules[finding.finding_id], items, others, language)
        worded.append(msgspec.structs.replace(finding, message=text))
    return tuple(worded)


def _by_line(findings: tuple[Finding, ...]) -> dict[str, list[Finding]]:
    """The findings that are certain, by each line they offend on."""
    on_line: dict[str, list[Finding]] = {}
    for finding in findings:
        for line in finding.lines if not finding.unknown else ():
            on_line.setdefault(line, []).append(finding)
    return on_line
