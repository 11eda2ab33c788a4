"""Binding: each condition becomes a function of a check and its trigger line.

Equal conditions are bound once and shared by all rules of a list, so that twenty thousand details cost what their few
thousand distinct conditions cost. A bound condition answers true, false or ``None`` (unknown).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from negative_list import conditions as c
from negative_list.gather import Gatherer, Members, Test
from negative_list.measure import Interval, compare, count, days_of_use, rank, since, total
from negative_list.values import HOUR_S, bind_age, bind_coded, bind_elapsed, bind_fact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from negative_list.check import Check
    from negative_list.prescription import Line

__all__ = ["Binder", "overlaps", "pair_sides"]


class Binder:
    """Binds the conditions of one list.

    Args:
        sets: the list's named sets, codes by name.
    """

    def __init__(self, sets: Mapping[str, tuple[str, ...]]) -> None:
        self._sets = sets
        self._tests: dict[c.Condition, Test] = {}
        self._members: dict[c.Items, Members] = {}
        self._gatherers: dict[c.Lines, Gatherer] = {}
        self._facts: dict[tuple[str, frozenset[c.Scalar]], Test] = {}

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
            bound = self._members[items] = Members(items, self._sets)
        return bound

    def gatherer(self, lines: c.Lines) -> Gatherer:
        """The bound lines; the same object for equal lines."""
        bound = self._gatherers.get(lines)
        if bound is None:
            where = self.bind(lines.where) if lines.where is not None else None
            bound = self._gatherers[lines] = Gatherer(lines, self.members(lines.items), where)
        return bound


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
    gathered = gatherer.gather(check, line, others_only=True)
    if gathered.certain:
        return True
    return False if gathered.covered and not gathered.possible else None


def _every(binder: Binder, condition: c.Every) -> Test:
    gatherer = binder.gatherer(condition.lines)
    among = binder.members(condition.among)

    def judge(check: Check, line: Line | None) -> bool | None:
        gathered = gatherer.gather(check, line)
        sure = [among.means(check, each) for each in gathered.certain]
        if False in sure:
            return False
        unsure = None in sure or any(among.means(check, each) is not True for each in gathered.possible)
        return None if unsure or not gathered.covered else True

    return _shared(judge, gatherer)


def _shared(judge: Test, gatherer: Gatherer) -> Test:
    """A test that hangs on the trigger line only through what it gathers: judged once for lines that gather alike."""

    def test(check: Check, line: Line | None) -> bool | None:
        key = gatherer.key(check, line)
        if key is None:
            return judge(check, line)
        try:
            return check.memo[judge, key]  # type: ignore[no-any-return]
        except KeyError:
            answer = check.memo[judge, key] = judge(check, line)
            return answer

    return test


def _measured(
    measure: Callable[[Check, Line | None, Gatherer], Interval | None], condition: Any, binder: Binder, scale: int = 1
) -> Test:
    gatherer = binder.gatherer(condition.lines)

    def test(check: Check, line: Line | None) -> bool | None:
        interval = measure(check, line, gatherer)
        return None if interval is None else compare(condition, *interval, scale)

    return test


def _count(binder: Binder, condition: c.Count) -> Test:
    return _shared(_measured(partial(count, condition), condition, binder), binder.gatherer(condition.lines))


def _sum(binder: Binder, condition: c.Sum) -> Test:
    return _shared(_measured(partial(total, condition), condition, binder), binder.gatherer(condition.lines))


def _days_of_use(binder: Binder, condition: c.DaysOfUse) -> Test:
    return _shared(_measured(days_of_use, condition, binder), binder.gatherer(condition.lines))


def _rank(binder: Binder, condition: c.Rank) -> Test:
    return _measured(rank, condition, binder)


def _since(binder: Binder, condition: c.Since) -> Test:
    return _measured(partial(since, condition), condition, binder, HOUR_S if condition.unit == "hour" else 1)


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
    c.Fact: lambda _binder, condition: bind_fact(condition),
    c.Age: lambda _binder, condition: bind_age(condition),
    c.Diagnosis: lambda _binder, condition: bind_coded("diagnoses", condition),
    c.Operation: lambda _binder, condition: bind_coded("operations", condition),
    c.Some: _some,
    c.Every: _every,
    c.Count: _count,
    c.Sum: _sum,
    c.DaysOfUse: _days_of_use,
    c.Rank: _rank,
    c.Since: _since,
    c.Elapsed: lambda _binder, condition: bind_elapsed(condition),
    c.Overlap: _overlap,
    c.Pair: _pair,
}
