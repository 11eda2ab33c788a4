"""Faults put into the engine, or into the list it is given, are each caught by the plain matcher."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from negative_list import bind, limits, measure, values
from negative_list import conditions as c
from negative_list.compile import compile
from negative_list.gather import Gathered, Gatherer
from negative_list.members import Members
from negative_list.prescription import History, Line
from negative_list.rules import Rule, Trigger
from tests.agreement import match_engine
from tests.examples import AT
from tests.faults.catching import Change, Patch, changed, every, is_caught, patched, windows

if TYPE_CHECKING:
    from tests.generators import Case


def _swap_logic(record: Any) -> Any:
    if isinstance(record, c.All):
        return c.Any(of=record.of)
    return c.All(of=record.of) if isinstance(record, c.Any) else record


def _drop_branch(record: Any) -> Any:
    return replace(record, of=record.of[:-1]) if isinstance(record, (c.All, c.Any)) else record


def _harden(record: Any) -> Any:
    """At most and at least read as below and above."""
    if not isinstance(record, c.Bounds):
        return record
    below, above = record.at_most or record.below, record.at_least or record.above
    return replace(record, at_most=None, below=below, at_least=None, above=above)


def _end_early(record: Any) -> Any:
    if not isinstance(record, Rule) or record.valid_to is None:
        return record
    return replace(record, valid_to=record.valid_to - timedelta(days=1))


def _trigger_all(record: Any) -> Any:
    """Exceptions of a trigger are forgotten."""
    return replace(record, except_codes=()) if isinstance(record, Trigger) else record


LIST_FAULTS: dict[str, Change] = {
    "an open end closed": windows(ends=lambda _: "closed"),
    "a closed end open": windows(ends=lambda window: "open" if window.unit in ("hours", "days") else window.ends),
    "a window one longer": windows(length=lambda window: window.length and window.length + 1),
    "a window one shorter": windows(length=lambda window: window.length and max(1, window.length - 1)),
    "before read as around": windows(side=lambda _: "around"),
    "the patient read as the encounter": windows(whose=lambda _: "encounter"),
    "hours read as days": windows(unit=lambda window: "days" if window.unit == "hours" else window.unit),
    "all read as any and any as all": _swap_logic,
    "a dropped branch": _drop_branch,
    "at most read as below": _harden,
    "past counted as present": every(c.Diagnosis, past=True),
    "any diagnosis taken for the main one": every(c.Diagnosis, main=False),
    "fund_only ignored": every(Rule, fund_only=False),
    "the last day left out": _end_early,
    "a scope ignored": every(Rule, scope=None),
    "other_item ignored": every(c.Lines, other_item=False),
    "same ignored": every(c.Lines, same=()),
    "where ignored": every(c.Lines, where=None),
    "the state ignored": every(c.Lines, state="any"),
    "in_force not required in pairs": every(c.Pair, symmetric=True),
    "types ignored": every(c.Items, types=()),
    "exceptions ignored": _trigger_all,
    "items counted as lines": every(c.Count, by="line"),
    "days read as hours since": every(c.Since, unit="hour"),
}


@pytest.mark.parametrize("change", LIST_FAULTS.values(), ids=LIST_FAULTS)
def test_a_fault_in_reading_the_listis_caught(change: Change) -> None:
    """An engine that read the list so would be told from the specification."""
    assert is_caught(lambda rules, case: match_engine(compile(changed(rules, change)), case))


def _within_decided(*given: Any) -> Callable[..., bool]:
    within = WITHIN(*given)
    return lambda *numbers: bool(within(*numbers))


def _all_certain(self: Gatherer, *given: Any, **named: Any) -> Gathered:
    found = GATHER(self, *given, **named)
    return replace(found, certain=(*found.certain, *found.possible), possible=())


def _no_possible(self: Gatherer, *given: Any, **named: Any) -> Gathered:
    return replace(GATHER(self, *given, **named), possible=())


def _named_or_not(self: Members, *given: Any) -> bool:
    return bool(NAMED(self, *given))


def _age_by_length(unit: str, birth: Any, day: Any) -> int:
    days = day.toordinal() - birth.toordinal()
    return int(days // {"year": 365, "month": 30, "day": 1}[unit])


WITHIN, GATHER, NAMED = limits.within_bounds, Gatherer.gather, Members.named

ENGINE_FAULTS: dict[str, Patch] = {
    "unknown numbers taken for false": (bind, "within_bounds", _within_decided),
    "possible lines taken for certain": (Gatherer, "gather", _all_certain),
    "possible lines forgotten": (Gatherer, "gather", _no_possible),
    "a missing code taken for another item": (Members, "named", _named_or_not),
    "ages by length of years and months": (values, "age_in", _age_by_length),
    "sliding windows that stand still": (
        measure,
        "_stretches",
        lambda _window, places, *_: [tuple(line for _, line in places)],
    ),
}


@pytest.mark.parametrize("patch", ENGINE_FAULTS.values(), ids=ENGINE_FAULTS)
def test_a_fault_in_the_engineis_caught(patch: Patch) -> None:
    """With the fault some pair differs from the specification; without it that pair agrees."""
    assert is_caught(patched(patch))


def _each_line(change: Callable[[Line], Line]) -> Callable[[Case], Case]:
    """A change of every line of the current encounter."""

    def changed(case: Case) -> Case:
        lines = tuple(map(change, case.prescription.encounter.lines))
        return _with_encounter(case, lines=lines)

    return changed


def _with_encounter(case: Case, **fields: Any) -> Case:
    encounter = replace(case.prescription.encounter, **fields)
    return replace(case, prescription=replace(case.prescription, encounter=encounter))


def _renamed(rename: Callable[[str], str]) -> Callable[[Case], Case]:
    """A change of what every diagnosis says."""

    def changed(case: Case) -> Case:
        given = case.prescription.encounter.diagnoses
        return _with_encounter(case, diagnoses=tuple(replace(one, name=rename(one.name)) for one in given))

    return changed


def _sure(name: str) -> str:
    return name.replace("待排", "").replace("?", "").replace("可疑", "")


def _covered(case: Case) -> Case:
    history = replace(case.history or History(), complete=True)
    return _with_encounter(replace(case, history=history), complete=True)


BODY_FAULTS: dict[str, Callable[[Case], Case]] = {
    "a lost line": lambda case: _with_encounter(case, lines=case.prescription.encounter.lines[:-1]),
    "other encounters forgotten": lambda case: replace(case, prescription=replace(case.prescription, others=())),
    "history forgotten": lambda case: replace(case, history=None),
    "coverage taken for granted": _covered,
    "a bare date taken for midnight": _each_line(lambda line: replace(line, has_clock=True)),
    "a line without time put at the instant": _each_line(lambda line: replace(line, begins=line.begins or AT)),
    "doubt taken for presence": _renamed(_sure),
    "doubt taken for absence": _renamed(lambda name: f"否认{_sure(name)}" if _sure(name) != name else name),
    "denial overheard": _renamed(lambda name: name.replace("否认", "").replace("排除", "")),
    "self-paid lines taken for the fund's": _each_line(
        lambda line: replace(line, facts={name: value for name, value in line.facts.items() if value != "self"})
    ),
}


@pytest.mark.parametrize("change", BODY_FAULTS.values(), ids=BODY_FAULTS)
def test_a_fault_in_reading_the_bodyis_caught(change: Callable[[Case], Case]) -> None:
    """An engine that took the body so would be told from the specification."""
    assert is_caught(lambda rules, case: match_engine(compile(rules), change(case)))
