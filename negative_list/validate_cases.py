"""Validation of the cases beside a rule: that each can be made, and says what it wants."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import UNSET

if TYPE_CHECKING:
    from negative_list.rules import Case, Rule
    from negative_list.validate_names import Found, Known

__all__ = ["has_good_cases"]

_CHANGE = re.compile(r"(?:request|history|facts)(?:\.[a-z0-9_]+|\[\d+\])+")


def has_good_cases(rule: Rule, _known: Known) -> Found:
    """Each case is whole or made from one before it, and a near miss says what is expected."""
    for place, case in enumerate(rule.cases):
        path = f"cases[{place}]"
        if place == 0 and case.request is None:
            yield f"{path}.request", "the first case is made from no other; give it a whole `request`"
        elif case.request is None:
            yield from _derived_problems(case, path)
        else:
            yield from _whole_problems(case, path)
        if case.kind == "near_miss" and case.expect is None:
            yield f"{path}.expect", "a near miss says what is expected; write `found` or `silent`"
        if case.kind != "near_miss" and case.expect is not None:
            yield f"{path}.expect", f"`{case.kind}` says what is expected; take it out, or make it a `near_miss`"


def _whole_problems(case: Case, path: str) -> Found:
    if case.change or case.to is not UNSET:
        name = "change" if case.change else "to"
        yield f"{path}.{name}", "a case has a `request` of its own or changes the one before it; take one out"


def _derived_problems(case: Case, path: str) -> Found:
    if not case.change:
        yield f"{path}.change", "the case asks nothing; give it a `request`, or a `change` of the case before it"
    elif not _CHANGE.fullmatch(case.change):
        yield (
            f"{path}.change",
            f"`{case.change}` is no field of a case; write a path like `request.patient.sex` or `facts[0].value`",
        )
    for name in ("history", "facts"):
        if getattr(case, name):
            yield (
                f"{path}.{name}",
                "a derived case takes over what it is made from; change one field, or write it whole",
            )
