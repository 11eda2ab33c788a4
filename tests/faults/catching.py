"""Catching faults: an engine with one is told from the plain matcher, where the sound engine is not."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from negative_list import conditions as c
from negative_list.compile import compile
from tests.agreement import match_engine
from tests.generators import Case, draw_case
from tests.generators_lists import draw_list
from tests.plain import Outcome, match_plainly

if TYPE_CHECKING:
    from negative_list.rules import RuleList

__all__ = ["Change", "Patch", "changed", "every", "is_caught", "patched", "windows"]

LISTS, PRESCRIPTIONS = 120, 10

Change = Callable[[Any], Any]
"""A fault in reading: what is made of a record."""


def changed(value: Any, change: Change) -> Any:
    """The value with the change made to every record in it, the innermost first."""
    if isinstance(value, tuple):
        return tuple(changed(one, change) for one in value)
    if isinstance(value, c.Record):
        record: Any = value
        fields = {name: changed(getattr(record, name), change) for name in record.__struct_fields__}
        return change(type(record)(**fields))
    return value


def is_caught(faulty: Callable[[RuleList, Case], Outcome]) -> bool:
    """Whether some pair tells a faulty engine from the plain matcher, and there the sound engine agrees."""
    for seed in range(LISTS):
        rules = draw_list(seed)
        for number in range(PRESCRIPTIONS):
            case = draw_case(Random(seed * 1000 + number))
            plain = match_plainly(rules, case.prescription, case.at, case.history)
            if faulty(rules, case) != plain:
                return match_engine(compile(rules), case) == plain
    return False


def windows(**fields: Callable[[c.Window], Any]) -> Change:
    """A change of windows, each field by a function of the window."""

    def change(record: Any) -> Any:
        if not isinstance(record, c.Window):
            return record
        return replace(record, **{name: value(record) for name, value in fields.items()})

    return change


def every(kind: type[c.Record], **fields: Any) -> Change:
    """A change that gives every record of a type these values."""
    return lambda record: replace(record, **fields) if isinstance(record, kind) else record


Patch = tuple[Any, str, Callable[..., Any]]
"""A fault in the engine: the module or class, the name in it, and what stands there instead."""


def patched(patch: Patch) -> Callable[[RuleList, Case], Outcome]:
    """The engine with the fault."""

    def faulty(rules: RuleList, case: Case) -> Outcome:
        with pytest.MonkeyPatch.context() as inside:
            inside.setattr(*patch)
            return match_engine(compile(rules), case)

    return faulty
