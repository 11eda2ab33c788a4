"""The list a release holds, with the places of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from negative_list.compile import canonical_lines
from negative_list.errors import ListError, Problem
from negative_list.parse import Parsed, gathered, parse_jsonl

if TYPE_CHECKING:
    from negative_list.release.container import Release
    from negative_list.rules import RuleList

__all__ = ["parsed_of", "rules_of"]


def parsed_of(release: Release, name: str = "release") -> Parsed:
    """The list of a release; rows count from 1 in the list, ``name`` stands for its file. Problems are returned.

    A list that is not written in the canonical way is a problem: its digest would not be the list's.
    """
    parsed = gathered([parse_jsonl(release.content, name)])
    if parsed.problems:
        return parsed
    return _not_canonical(parsed, release.content, name)


def _not_canonical(parsed: Parsed, content: bytes, name: str) -> Parsed:
    at = 0
    for row, line in enumerate(canonical_lines(parsed.rules), start=1):
        if not content.startswith(line, at):
            return _with(parsed, Problem(file=name, row=row, message=_OTHERWISE))
        at += len(line)
    return parsed if at == len(content) else _with(parsed, Problem(file=name, message=_OTHERWISE))


_OTHERWISE = "not written in the canonical way; make the release with negative-list build"


def _with(parsed: Parsed, problem: Problem) -> Parsed:
    return Parsed(rules=parsed.rules, rule_places=parsed.rule_places, set_places=parsed.set_places, problems=(problem,))


def rules_of(release: Release, name: str = "release") -> RuleList:
    """The list of a release, not validated.

    Raises:
        ListError: a row cannot be read, or is not written in the canonical way.
    """
    parsed = parsed_of(release, name)
    if parsed.problems:
        raise ListError(parsed.problems)
    return parsed.rules
