"""Binding: each condition becomes a function of a check and its trigger line.

Equal conditions are bound once and shared by all rules of a list, so that twenty thousand details cost what their few
thousand distinct conditions cost. A bound condition answers true, false or ``None`` (unknown).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from negative_list import conditions as c
from negative_list.evidence import bind_evidence
from negative_list.formula import bind_formula
from negative_list.gather import Gathered, Gatherer, Test, shared
from negative_list.limits import Interval, Within, Worked, formulas_of, within_bounds
from negative_list.measure import Weights, count, since, total
from negative_list.members import Members
from negative_list.ranks import rank
from negative_list.supply import days_of_use, supply_left
from negative_list.values import HOUR_S, bind_age, bind_coded, bind_elapsed, bind_fact
from negative_list.visits import Visitor, since_visit, visit_count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from negative_list.check import Check
    from negative_list.prescription import Line

__all__ = ["Binder", "Measure", "measure_of", "overlaps", "pair_sides"]


class Binder:
    """Binds the conditions of one list.

    Args:
        sets: the list's named sets, codes by name.
    """

    def __init__(self, sets: Mapping[str, tuple[str, ...]]) -> None:
        self.sets = sets
        self._tests: dict[c.Condition, Test] = {}
        self._members: dict[c.Items, Members] = {}
        self._gatherers: dict[c.Lines, Gatherer] = {}
        self._visitors: dict[c.Visits, Visitor] = {}
        self._formulas: dict[c.Formula, Worked] = {}

    @property
    def held(self) -> tuple[dict[Any, Any], ...]:
        """What it keeps; emptied by whoever lets the list go."""
        return (self._tests, self._members, self._gatherers, self._visitors, self._formulas)

    def bind(self, condition: c.Condition) -> Test:
        """The test of a condition; the same object for equal conditions."""
        test = self._tests.get(condition)
        if test is None:
            test = self._tests[condition] = _BIND[type(condition)](self, condition)
        return test

    def members(self, items: c.Items) -> Members:
        """The bound items; the same object for equal items."""
        bound = self._members.get(items)
        if bound is None:
            bound = self._members[items] = Members(items, self.sets)
        return bound

    def gatherer(self, lines: c.Lines) -> Gatherer:
        """The bound lines; the same object for equal lines."""
        bound = self._gatherers.get(lines)
        if bound is None:
            where = self.bind(lines.where) if lines.where is not None else None
            bound = self._gatherers[lines] = Gatherer(lines, self.members(lines.items), where)
        return bound

    def visitor(self, visits: c.Visits) -> Visitor:
        """The bound visits; the same object for equal visits."""
        bound = self._visitors.get(visits)
        if bound is None:
            where = self.bind(visits.where) if visits.where is not None else None
            bound = self._visitors[visits] = Visitor(visits, where)
        return bound

    def weights(self, weights: tuple[c.Weight, ...]) -> Weights:
        """Bound weights of a sum."""
        return tuple((self.members(weight.items), weight.weight) for weight in weights)

    def formula(self, formula: c.Formula) -> Worked:
        """What works a limit out; the same object for equal formulas."""
        bound = self._formulas.get(formula)
        if bound is None:
            bound = self._formulas[formula] = bind_formula(formula, self.gatherer)
        return bound

    def within(self, bounds: c.Bounds) -> Within:
        """The test of a number against bounds; hours are compared in seconds, exactly."""
        hours = getattr(bounds, "unit", "") == "hour"
        return within_bounds(bounds, self.formula, HOUR_S if hours else 1)


def _all(binder: Binder, condition: c.All) -> Test:
    tests = tuple(binder.bind(child) for child in condition.of)

    def test(check: Check, line: Line | None) -> bool | None:
        held: bool | None = True
        for child in tests:
            answer = child(check, line)
            if answer is False:
                return False
            if answer is None:
                held = None
        return held

    return test


def _any(binder: Binder, condition: c.Any) -> Test:
    tests = tuple(binder.bind(child) for child in condition.of)

    def test(check: Check, line: Line | None) -> bool | None:
        held: bool | None = False
        for child in tests:
            answer = child(check, line)
            if answer:
                return True
            if answer is None:
                held = None
        return held

    return test


def _at_least(binder: Binder, condition: c.AtLeast) -> Test:
    tests = tuple(binder.bind(child) for child in condition.of)
    wanted = condition.count

    def test(check: Check, line: Line | None) -> bool | None:
        answers = [child(check, line) for child in tests]
        held = answers.count(True)
        if held >= wanted:
            return True
        return None if held + answers.count(None) >= wanted else False

    return test


def _not(binder: Binder, condition: c.Not) -> Test:
    inner = binder.bind(condition.of)

    def test(check: Check, line: Line | None) -> bool | None:
        answer = inner(check, line)
        return None if answer is None else not answer

    return test


# -- lines


def _some(binder: Binder, condition: c.Some) -> Test:
    return partial(_present, binder.gatherer(condition.lines))


def _present(gatherer: Gatherer, check: Check, line: Line | None) -> bool | None:
    """Whether another line is gathered."""
    gathered = gatherer.gather(check, line)
    if _holds_other(gathered.certain, line):
        return True
    return False if gathered.covered and not _holds_other(gathered.possible, line) else None


def _holds_other(lines: tuple[Line, ...], line: Line | None) -> bool:
    return any(other is not line for other in lines)


def _every(binder: Binder, condition: c.Every) -> Test:
    gatherer = binder.gatherer(condition.lines)
    among = binder.members(condition.among)

    here = object()  # what the check remembers it by: a test that names itself would die by the collector alone

    def judge(check: Check, line: Line | None) -> bool | None:
        gathered = gatherer.gather(check, line)
        sure = [among.means(check, each) for each in gathered.certain]
        if False in sure:
            return False
        unsure = None in sure or not gathered.covered or not all_among(check, gathered)
        return None if unsure else True

    def all_among(check: Check, gathered: Gathered) -> bool:
        lines = gathered.whole or gathered.possible
        return check.remember((here, id(lines)), lambda: all(among.means(check, each) for each in lines))  # type: ignore[no-any-return]

    return shared(judge, gatherer)


Measure: TypeAlias = "Callable[[Check, Line | None], Interval | None]"
"""A bound number: an interval for a check and its trigger line, ``None`` where it cannot be told."""


def measure_of(binder: Binder, condition: Any) -> Measure:
    """What a condition over lines or visits measures."""
    measure: Measure = _MEASURES[type(condition)](binder, condition)
    return measure


def _measured(binder: Binder, condition: Any) -> Test:
    """The test of a number that hangs on the trigger line itself."""
    return _compared(measure_of(binder, condition), binder.within(condition))


def _gathered(binder: Binder, condition: c.Count | c.Sum | c.DaysOfUse) -> Test:
    """The test of a number that trigger lines share which gather alike; limits that are worked out they may not."""
    measure, gatherer = measure_of(binder, condition), binder.gatherer(condition.lines)
    if formulas_of(condition):
        return _compared(shared(measure, gatherer), binder.within(condition))
    return shared(_compared(measure, binder.within(condition)), gatherer)


def _compared(measure: Measure, within: Within) -> Test:
    def test(check: Check, line: Line | None) -> bool | None:
        interval = measure(check, line)
        return None if interval is None else within(check, line, *interval)

    return test


def _of_visits(measure: Callable[[Visitor, Check], Interval]) -> Callable[[Binder, Any], Measure]:
    def bind(binder: Binder, condition: c.VisitCount | c.SinceVisit) -> Measure:
        visitor = binder.visitor(condition.visits)
        return lambda check, _line: check.remember((measure, visitor), lambda: measure(visitor, check))

    return bind


_MEASURES: dict[type, Callable[[Binder, Any], Measure]] = {
    c.Count: lambda binder, condition: partial(count, condition, binder.gatherer(condition.lines)),
    c.Sum: lambda binder, condition: partial(
        total, condition.of, binder.weights(condition.weights), binder.gatherer(condition.lines)
    ),
    c.DaysOfUse: lambda binder, condition: partial(days_of_use, binder.gatherer(condition.lines)),
    c.SupplyLeft: lambda binder, condition: partial(supply_left, binder.gatherer(condition.lines)),
    c.Rank: lambda binder, condition: partial(rank, condition.of, binder.gatherer(condition.lines)),
    c.Since: lambda binder, condition: partial(since, condition, binder.gatherer(condition.lines)),
    c.VisitCount: _of_visits(visit_count),
    c.SinceVisit: _of_visits(since_visit),
}


def _overlap(binder: Binder, condition: c.Overlap) -> Test:
    gatherer = binder.gatherer(condition.lines)

    def test(check: Check, line: Line | None) -> bool | None:
        gathered = gatherer.gather(check, line, others_only=True)
        sure = [overlaps(line, other) for other in gathered.certain]
        if True in sure:
            return True
        unsure = None in sure or any(overlaps(line, other) is not False for other in gathered.possible)
        return None if unsure or not gathered.covered else False

    return test


def overlaps(line: Line | None, other: Line) -> bool | None:
    """Whether two lines' stretches overlap; unknown unless both have a begin with a clock and a stop."""
    if line is None or not (line.has_clock and other.has_clock):
        return None
    if line.begins is None or line.stops is None or other.begins is None or other.stops is None:
        return None
    return line.begins < other.stops and other.begins < line.stops


def _pair(binder: Binder, condition: c.Pair) -> Test:
    contained, main = binder.members(condition.contained), binder.members(condition.main)
    sides = pair_sides(condition)
    with_main, with_contained = (binder.gatherer(lines) for lines in sides)

    def test(check: Check, line: Line | None) -> bool | None:
        if line is None:
            return False
        first = _kleene_and(contained.means(check, line), partial(_present, with_main, check, line))
        if first:
            return True
        second = _kleene_and(main.means(check, line), partial(_present, with_contained, check, line))
        if second:
            return True
        return None if first is None or second is None else False

    return test


def pair_sides(condition: c.Pair) -> tuple[c.Lines, c.Lines]:
    """What a contained line looks for, and what a main line looks for."""
    state: Literal["any", "in_force"] = "any" if condition.symmetric else "in_force"
    return (
        c.Lines(items=condition.main, window=condition.window),
        c.Lines(items=condition.contained, window=condition.window, state=state),
    )


def _kleene_and(left: bool | None, right: Callable[[], bool | None]) -> bool | None:
    if left is False:
        return False
    answer = right()
    if answer is False:
        return False
    return True if left and answer else None


_BIND: dict[type, Callable[[Binder, Any], Test]] = {
    c.All: _all,
    c.Any: _any,
    c.Not: _not,
    c.AtLeast: _at_least,
    c.Fact: lambda binder, condition: bind_fact(condition, binder.within),
    c.Evidence: lambda _binder, condition: bind_evidence(condition),
    c.Age: lambda binder, condition: bind_age(condition, binder.within(condition)),
    c.Diagnosis: lambda binder, condition: bind_coded("diagnoses", condition, binder.sets),
    c.Operation: lambda binder, condition: bind_coded("operations", condition, binder.sets),
    c.Some: _some,
    c.Every: _every,
    c.Count: _gathered,
    c.Sum: _gathered,
    c.DaysOfUse: _gathered,
    c.SupplyLeft: _measured,
    c.Rank: _measured,
    c.Since: _measured,
    c.Elapsed: lambda binder, condition: bind_elapsed(condition, binder.within(condition)),
    c.Overlap: _overlap,
    c.Pair: _pair,
    c.VisitCount: _measured,
    c.SinceVisit: _measured,
}
