"""A decision's rules and conditions judged again from its entry, so that each part can be shown with its answer.

Everything comes from the entry and from the list kept under its digest; nothing is looked up elsewhere. Where the list
is not kept any more, or another version of the program decided, it says so, and the stored evidence stands alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from negative_list.check import Check
from negative_list.compile import CompiledList
from negative_list.compile import compile as compile_list
from negative_list.errors import ListError
from negative_list.history import without_copies
from negative_list.parse import parse_jsonl
from negative_list.rules import NamedSet, Rule, RuleList
from reminder.journal.again import fuller_again, prescription_of

if TYPE_CHECKING:
    from negative_list.prescription import Line
    from reminder.journal.base import Artifact
    from reminder.journal.entries import Decided

__all__ = ["Again", "judged_again", "rules_of"]


class Again(Struct, frozen=True, kw_only=True, eq=False):
    """What conditions are asked with: the rules by id, compiled, and the check of the entry."""

    compiled: CompiledList
    check: Check

    def rule(self, rule_id: str) -> Rule | None:
        """A rule of the list that decided."""
        return next((bound.rule for bound in self.compiled.rules if bound.rule.id == rule_id), None)

    def line(self, line_id: str) -> Line | None:
        """A line of the current encounter."""
        return next((line for line in self.check.encounter.lines if line.id == line_id), None)


def rules_of(artifact: Artifact, rule_ids: Iterable[str]) -> RuleList:
    """The rules asked for, and every set, out of a list that was kept.

    Raises:
        ListError: The list cannot be read.
    """
    names = set(rule_ids)
    wanted = [b'"id":"' + name.encode() + b'"' for name in sorted(names)]
    lines = (
        line
        for line in artifact.content.splitlines()
        if any(name in line for name in wanted) or line.find(b'"set":') >= 0
    )
    rows = list(parse_jsonl(b"\n".join(lines), "list"))
    if problems := [problem for row in rows for problem in row.problems]:
        raise ListError(problems)
    records = [row.record for row in rows]
    return RuleList(
        rules=tuple(record for record in records if isinstance(record, Rule) and record.id in names),
        sets=tuple(record for record in records if isinstance(record, NamedSet)),
    )


def judged_again(entry: Decided, rules: RuleList) -> Again:
    """What the conditions of rules are asked with, as when the decision was made."""
    compiled = compile_list(_alone(rules), digest=entry.list)
    asked = prescription_of(entry)
    fuller = fuller_again(entry, asked)
    history = without_copies(fuller.history, fuller.prescription) if fuller is not None and fuller.history else None
    prescription = fuller.prescription if fuller is not None else asked
    return Again(compiled=compiled, check=Check(prescription, entry.decided_at, compiled.terms, history))


def _alone(rules: RuleList) -> RuleList:
    """Rules without what they stand in for, which may not be among them."""
    bare = tuple(msgspec.structs.replace(rule, overrides=(), cases=()) for rule in rules.rules)
    return msgspec.structs.replace(rules, rules=bare)
