"""What an undecided condition over lines needs: the names of missing facts, and ``history`` where coverage lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from negative_list import conditions as c
from negative_list.bind import overlaps, pair_sides
from negative_list.measure import before
from negative_list.windows import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from negative_list.bind import Binder
    from negative_list.check import Check
    from negative_list.gather import Gathered, Members
    from negative_list.prescription import Line

__all__ = ["LOOKED_AT", "condition_needs", "gathered_needs"]


LOOKED_AT = 50
"""Lines looked at for what is missing: lines of one item lack the same facts, and a stay has thousands of them."""


def _looked_at(gathered: Gathered) -> tuple[Line, ...]:
    return (*gathered.certain[:LOOKED_AT], *gathered.possible[:LOOKED_AT])


def condition_needs(check: Check, binder: Binder, line: Line | None, condition: c.Condition) -> set[str]:
    """What any unknown condition needs; used inside ``where``, which evidence does not descend into."""
    if binder.bind(condition)(check, line) is not None:
        return set()
    if isinstance(condition, c.Not):
        return condition_needs(check, binder, line, condition.of)
    if isinstance(condition, (c.All, c.Any)):
        return set().union(*(condition_needs(check, binder, line, child) for child in condition.of))
    simple = _SIMPLE.get(type(condition))
    return simple(condition) if simple else gathered_needs(check, binder, line, condition)


_SIMPLE: dict[type, Callable[[Any], set[str]]] = {
    c.Fact: lambda condition: {condition.fact},
    c.Age: lambda _condition: {"patient.birth_date"},
    c.Diagnosis: lambda _condition: {"encounter.diagnoses"},
    c.Operation: lambda _condition: {"encounter.operations"},
    c.Elapsed: lambda condition: {condition.fact},
}


def gathered_needs(check: Check, binder: Binder, line: Line | None, condition: Any) -> set[str]:
    """What an unknown condition over gathered lines needs."""
    if isinstance(condition, c.Pair):
        return _pair_needs(check, binder, line, condition)
    if line is None and isinstance(condition, (c.Rank, c.Overlap)):
        return {"line.code"}
    others_only = isinstance(condition, (c.Some, c.Rank, c.Since, c.Overlap))
    needs, gathered = _lines_needs(check, binder, line, condition.lines, others_only=others_only)
    values = _VALUE_NEEDS.get(type(condition))
    if values is not None:
        needs.update(values(check, binder, line, condition, gathered))
    return needs


def _lines_needs(
    check: Check, binder: Binder, trigger: Line | None, lines: c.Lines, *, others_only: bool
) -> tuple[set[str], Gathered]:
    """What keeps lines only possible, and the coverage."""
    gathered = binder.gatherer(lines).gather(check, trigger, others_only=others_only)
    needs = set() if gathered.covered else {"history"}
    for line in gathered.possible[:LOOKED_AT]:
        needs.update(_doubts(check, binder, trigger, lines, line))
    return needs, gathered


def _doubts(check: Check, binder: Binder, trigger: Line | None, lines: c.Lines, line: Line) -> Iterator[str]:
    """Why one line is only possibly gathered."""
    yield from _item_doubts(check, binder.members(lines.items), lines.items, line)
    if within(lines.window, check, trigger, line) is None:
        yield "line.begins"
    if line is not trigger:
        for name in lines.same:
            if line.facts.get(name) is None or trigger is None or trigger.facts.get(name) is None:
                yield name
    if lines.where is not None:
        yield from condition_needs(check, binder, line, lines.where)


def _item_doubts(check: Check, members: Members, items: c.Items, line: Line) -> Iterator[str]:
    if members.means(check, line) is not None:
        return
    if items.types and line.facts.get("line.item_type") is None:
        yield "line.item_type"
    if members.named(check, line) is None:
        yield "line.code"


def _pair_needs(check: Check, binder: Binder, line: Line | None, condition: c.Pair) -> set[str]:
    needs: set[str] = set()
    for items, wanted in zip((condition.contained, condition.main), pair_sides(condition), strict=True):
        members = binder.members(items)
        if line is None or members.means(check, line) is False:
            continue
        found, gathered = _lines_needs(check, binder, line, wanted, others_only=True)
        if gathered.certain or gathered.possible or not gathered.covered:
            needs.update(_item_doubts(check, members, items, line))
            needs.update(found if not gathered.certain else ())
    return needs


# -- doubts about the values of gathered lines


def _sum_needs(
    check: Check, _binder: Binder, trigger: Line | None, condition: c.Sum, gathered: Gathered
) -> Iterable[str]:
    if any(line.facts.get(condition.of) is None for line in _looked_at(gathered)):
        yield condition.of
    if _is_loose(check, trigger, condition.lines.window, gathered):
        yield "line.begins"


def _is_loose(check: Check, trigger: Line | None, window: c.Window, gathered: Gathered) -> bool:
    """Whether a sliding window of hours holds other lines whose place in the stretch is not exact."""
    if window.unit != "hours" or window.side != "around":
        return False
    others = [line for line in gathered.certain if line is not trigger]
    ours = check.moments(trigger)
    return any(ours[0] != ours[1] or not line.has_clock for line in others)


def _count_needs(
    check: Check, _binder: Binder, trigger: Line | None, condition: c.Count, gathered: Gathered
) -> Iterable[str]:
    if condition.by == "day" and any(line.begins is None and line is not trigger for line in _looked_at(gathered)):
        yield "line.begins"
    if _is_loose(check, trigger, condition.lines.window, gathered):
        yield "line.begins"


def _use_needs(
    check: Check, _binder: Binder, trigger: Line | None, _condition: c.DaysOfUse, gathered: Gathered
) -> Iterable[str]:
    for line in _looked_at(gathered):
        if line.begins is None and line is not trigger:
            yield "line.begins"
        elif check.days_of_use(line)[2] is None:
            yield "line.days"


def _rank_needs(
    check: Check, _binder: Binder, trigger: Line | None, _condition: c.Rank, gathered: Gathered
) -> Iterable[str]:
    lines = _looked_at(gathered)
    if trigger is not None and any(before(check, line, trigger) is None for line in lines):
        yield "line.unit_price_fen"


def _since_needs(
    check: Check, _binder: Binder, trigger: Line | None, condition: c.Since, gathered: Gathered
) -> Iterable[str]:
    for line in _looked_at(gathered):
        bare = any(check.moments(each)[0] != check.moments(each)[1] for each in (line, trigger))
        if line.begins is None or (bare and condition.unit == "hour"):
            yield "line.begins"


def _overlap_needs(
    _check: Check, _binder: Binder, trigger: Line | None, _condition: c.Overlap, gathered: Gathered
) -> Iterable[str]:
    for other in _looked_at(gathered):
        if overlaps(trigger, other) is None:
            for line in (trigger, other):
                if line is not None and (line.begins is None or not line.has_clock):
                    yield "line.begins"
                if line is not None and line.stops is None:
                    yield "line.stops"


def _every_needs(
    check: Check, binder: Binder, _line: Line | None, condition: c.Every, gathered: Gathered
) -> Iterable[str]:
    members = binder.members(condition.among)
    for line in _looked_at(gathered):
        yield from _item_doubts(check, members, condition.among, line)


_VALUE_NEEDS: dict[type, Callable[..., Iterable[str]]] = {
    c.Sum: _sum_needs,
    c.Count: _count_needs,
    c.DaysOfUse: _use_needs,
    c.Rank: _rank_needs,
    c.Since: _since_needs,
    c.Overlap: _overlap_needs,
    c.Every: _every_needs,
}
