"""The list a release holds, with the places of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from negative_list.compile import canonical_lines
from negative_list.errors import ListError, Problem
from negative_list.parse import Parsed, gathered, parse_jsonl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from negative_list.release.container import Release
    from negative_list.rules import RuleList

__all__ = ["parsed_of", "rules_of"]


def parsed_of(release: Release, name: str = "release") -> Parsed:
    """The list of a release; rows count from 1 in the list, ``name`` stands for its file. Problems are returned.

    A list that is not written in the canonical way is a problem: its digest would not be the list's. So is one that the
    manifest counts wrongly.
    """
    parsed = gathered([parse_jsonl(release.content, name)])
    if parsed.problems:
        return parsed
    problems = (*_not_canonical(parsed.rules, release.content, name), *_miscounted(parsed.rules, release, name))
    return Parsed(rules=parsed.rules, rule_places=parsed.rule_places, set_places=parsed.set_places, problems=problems)


def _not_canonical(rules: RuleList, content: bytes, name: str) -> Iterator[Problem]:
    """The first row that is not written as it would be here, or what stands behind the last."""
    at = row = 0
    for row, line in enumerate(canonical_lines(rules), start=1):
        if not content.startswith(line, at):
            yield Problem(file=name, row=row, message=_OTHERWISE)
            return
        at += len(line)
    if at != len(content):
        yield Problem(file=name, row=row + 1, message=_OTHERWISE)


_OTHERWISE = "not written in the canonical way; make the release with negative-list build"


def _miscounted(rules: RuleList, release: Release, name: str) -> Iterator[Problem]:
    """What the manifest says of the list that the list does not."""
    told, rules_there, details_there = release.manifest, len(rules.rules), rules.details
    if (told.rules, told.details) != (rules_there, details_there):
        message = (
            f"the manifest counts {told.rules} rules and {told.details} details, "
            f"the list has {rules_there} and {details_there}; make the release with negative-list build"
        )
        yield Problem(file=name, message=message)


def rules_of(release: Release, name: str = "release") -> RuleList:
    """The list of a release, not validated.

    Raises:
        ListError: a row cannot be read or is not written in the canonical way, or the manifest counts otherwise.
    """
    parsed = parsed_of(release, name)
    if parsed.problems:
        raise ListError(parsed.problems)
    return parsed.rules
