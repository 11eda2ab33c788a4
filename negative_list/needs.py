"""What an undecided condition over lines needs: the names of missing facts, and ``history`` where coverage lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from negative_list import conditions as c
from negative_list.bind import overlaps, pair_sides
from negative_list.gather import Gathered, institution_of
from negative_list.limits import formulas_of
from negative_list.ranks import before
from negative_list.values import elapsed, is_number, reader_of
from negative_list.visits import check_of
from negative_list.windows import within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from negative_list.bind import Binder
    from negative_list.check import Check
    from negative_list.members import Members
    from negative_list.prescription import Encounter, Line

__all__ = ["LOOKED_AT", "condition_needs", "leaf_needs"]


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
    if isinstance(condition, (c.All, c.Any, c.AtLeast)):
        return set().union(*(condition_needs(check, binder, line, child) for child in condition.of))
    return leaf_needs(check, binder, line, condition)


def leaf_needs(check: Check, binder: Binder, line: Line | None, condition: Any) -> set[str]:
    """What an unknown condition needs that holds no others: for itself, and for limits that are worked out."""
    needs = set(_LEAVES.get(type(condition), _gathered_needs)(check, binder, line, condition))
    if isinstance(condition, c.Bounds):
        for formula in formulas_of(condition):
            needs |= _formula_needs(check, binder, line, formula)
    return needs


def _formula_needs(check: Check, binder: Binder, line: Line | None, formula: c.Formula) -> set[str]:
    """What keeps a limit from being one number."""
    if formula.lines is None:
        return set() if binder.formula(formula)(check, line) is not None else {formula.fact}
    return _gathered_needs(check, binder, line, c.Sum(lines=formula.lines, of=formula.of))


def _number_needs(check: Check, _binder: Binder, line: Line | None, condition: c.Fact) -> set[str]:
    """The fact, unless it is known and only its limit is not."""
    known = is_number(reader_of(condition.fact)(check, line))
    return set() if known and formulas_of(condition) else {condition.fact}


def _age_needs(check: Check, _binder: Binder, line: Line | None, _condition: c.Age) -> set[str]:
    """The birth date, unless only the limit is unknown."""
    born = check.birth is not None and check.birth <= check.time_of(line).date()
    return set() if born else {"patient.birth_date"}


def _elapsed_needs(check: Check, _binder: Binder, line: Line | None, condition: c.Elapsed) -> set[str]:
    """The time, unless only the limit is unknown."""
    apart = elapsed(condition, check, line)
    return set() if apart is not None and apart[0] == apart[1] else {condition.fact}


def _gathered_needs(check: Check, binder: Binder, line: Line | None, condition: Any) -> set[str]:
    """What an unknown condition over gathered lines needs."""
    if line is None and isinstance(condition, (c.Rank, c.Overlap)):
        return {"line.code"}
    others_only = isinstance(condition, (c.Some, c.SupplyLeft, c.Rank, c.Since, c.Overlap))
    needs, gathered = _lines_needs(check, binder, line, condition.lines, others_only=others_only)
    values = _VALUE_NEEDS.get(type(condition))
    if values is not None:
        needs.update(values(check, binder, line, condition, gathered))
    return needs


def _shared_needs(check: Check, binder: Binder, line: Line | None, condition: Any) -> set[str]:
    """What a number needs that trigger lines share which gather alike: found once for all of them."""
    key = binder.gatherer(condition.lines).key(check, line)
    if key is None:
        return _gathered_needs(check, binder, line, condition)
    place = ("needs", id(condition), key)
    needs: set[str] = check.remember(place, lambda: _gathered_needs(check, binder, line, condition))
    return needs


def _lines_needs(
    check: Check, binder: Binder, trigger: Line | None, lines: c.Lines, *, others_only: bool
) -> tuple[set[str], Gathered]:
    """What keeps lines only possible, and the coverage."""
    gathered = binder.gatherer(lines).gather(check, trigger, others_only=others_only)
    needs = set() if gathered.covered else set(_coverage_needs(check, lines.window))
    for line in gathered.possible[:LOOKED_AT]:
        needs.update(_doubts(check, binder, trigger, lines, line))
    return needs, gathered


def _coverage_needs(check: Check, window: c.Window) -> Iterator[str]:
    """What an uncovered window lacks: history, or the day from which its year is counted."""
    yield "history"
    if window.unit == "insurance_year" and check.insurance_year_from is None:
        yield "encounter.insurance_year_from"


def _doubts(check: Check, binder: Binder, trigger: Line | None, lines: c.Lines, line: Line) -> Iterator[str]:
    """Why one line is only possibly gathered."""
    yield from _item_doubts(check, binder.members(lines.items), lines.items, line)
    if id(line) in check.doubtful:
        yield "line.quantity"
    if within(lines.window, check, trigger, line) is None:
        yield from _window_doubts(check, lines.window, trigger, line)
    if line is not trigger:
        for name in (*lines.same, *lines.different):
            if line.facts.get(name) is None or trigger is None or trigger.facts.get(name) is None:
                yield name
        if lines.window.whose == "institution" and _is_nowhere(check, trigger, line):
            yield "line.institution_id"
    if lines.where is not None:
        yield from condition_needs(check, binder, line, lines.where)


def _is_nowhere(check: Check, trigger: Line | None, line: Line) -> bool:
    """Whether it is unknown if a line was given where the trigger line is."""
    elsewhere = line.encounter_id != check.encounter.id
    return elsewhere and None in (line.facts.get("line.institution_id"), institution_of(check, trigger))


def _window_doubts(check: Check, window: c.Window, trigger: Line | None, line: Line) -> Iterator[str]:
    """Why a line may or may not lie in a window: a missing time, a missing year, or a use without an end."""
    if line.begins is None or window.unit not in {"insurance_year", "in_use"}:
        yield "line.begins"
    elif window.unit == "insurance_year":
        yield "encounter.insurance_year_from"
    elif None in (check.use_of(trigger)[2], check.use_of(line)[2]):
        yield "line.days"


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
    check: Check, binder: Binder, trigger: Line | None, condition: c.Sum, gathered: Gathered
) -> Iterable[str]:
    if any(line.facts.get(condition.of) is None for line in _looked_at(gathered)):
        yield condition.of
    if _is_loose(check, trigger, condition.lines.window, gathered):
        yield "line.begins"
    for line in _looked_at(gathered) if condition.weights else ():
        yield from _weight_doubts(check, binder, condition, line)


def _weight_doubts(check: Check, binder: Binder, condition: c.Sum, line: Line) -> Iterator[str]:
    """Why a line may have one of several weights."""
    for weight in condition.weights:
        members = binder.members(weight.items)
        if members.means(check, line):
            return
        yield from _item_doubts(check, members, weight.items, line)


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
    if condition.by.startswith("line.") and any(line.facts.get(condition.by) is None for line in _looked_at(gathered)):
        yield condition.by
    if _is_loose(check, trigger, condition.lines.window, gathered):
        yield "line.begins"


def _use_needs(
    check: Check, _binder: Binder, trigger: Line | None, _condition: c.DaysOfUse | c.SupplyLeft, gathered: Gathered
) -> Iterable[str]:
    for line in _looked_at(gathered):
        if line.begins is None and line is not trigger:
            yield "line.begins"
        elif check.days_of_use(line)[2] is None:
            yield "line.days"


def _supply_needs(
    check: Check, binder: Binder, trigger: Line | None, condition: c.SupplyLeft, gathered: Gathered
) -> Iterable[str]:
    day = check.day_of(trigger)
    begun = [line for line in _looked_at(gathered) if line.begins is None or check.day_of(line) <= day]
    kept = Gathered(certain=tuple(begun), possible=(), covered=gathered.covered)
    return _use_needs(check, binder, trigger, condition, kept)


def _rank_needs(
    check: Check, _binder: Binder, trigger: Line | None, condition: c.Rank, gathered: Gathered
) -> Iterable[str]:
    if trigger is None:
        return
    ahead = [(line, before(check, line, trigger)) for line in _looked_at(gathered)]
    if any(comes is None for _, comes in ahead):
        yield "line.unit_price_fen"
    units = [trigger, *(line for line, comes in ahead if comes is not False)]
    if condition.of and any(line.facts.get(condition.of) is None for line in units):
        yield condition.of


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


# -- doubts about other encounters


def _visits_needs(check: Check, binder: Binder, _line: Line | None, condition: c.VisitCount | c.SinceVisit) -> set[str]:
    """What keeps encounters only possible, and the coverage."""
    visits, met = condition.visits, binder.visitor(condition.visits).meet(check)
    needs = set() if met.covered else set(_coverage_needs(check, visits.window))
    for encounter in met.possible[:LOOKED_AT]:
        needs.update(_visit_doubts(check, binder, visits, encounter))
    if isinstance(condition, c.VisitCount):
        needs.update(_fitting_needs(check, binder, visits))
    elif any("encounter.discharged_at" not in encounter.facts for encounter in (*met.certain, *met.possible)):
        needs.add("encounter.discharged_at")
    return needs


def _visit_doubts(check: Check, binder: Binder, visits: c.Visits, encounter: Encounter) -> Iterator[str]:
    """Why one encounter is only possibly meant."""
    unplaced = "encounter.admitted_at" not in encounter.facts
    if not unplaced and visits.window.unit == "insurance_year" and check.insurance_year_from is None:
        yield "encounter.insurance_year_from"
    elif unplaced or binder.visitor(visits).timely(check, encounter) is None:
        yield "encounter.admitted_at"
    here = ("encounter.institution_id",) if visits.window.whose == "institution" else ()
    for name in (*visits.same, *visits.different, *here):
        if name not in encounter.facts or name not in check.encounter_facts:
            yield name
    yield from _fitting_needs(check_of(check, encounter), binder, visits)


def _fitting_needs(check: Check, binder: Binder, visits: c.Visits) -> Iterator[str]:
    """Why mode and ``where`` of the encounter a check is of are not certain."""
    if binder.visitor(visits).fits(check) is not None:
        return
    if visits.modes and "encounter.visit_mode" not in check.encounter_facts:
        yield "encounter.visit_mode"
    if visits.where is not None:
        yield from condition_needs(check, binder, None, visits.where)


_LEAVES: dict[type, Callable[[Check, Binder, Line | None, Any], set[str]]] = {
    c.Fact: _number_needs,
    c.Evidence: lambda _check, _binder, _line, condition: {condition.fact},
    c.Age: _age_needs,
    c.Diagnosis: lambda *_: {"encounter.diagnoses"},
    c.Operation: lambda *_: {"encounter.operations"},
    c.Elapsed: _elapsed_needs,
    c.Pair: _pair_needs,
    c.VisitCount: _visits_needs,
    c.SinceVisit: _visits_needs,
    **dict.fromkeys((c.Count, c.Sum, c.DaysOfUse, c.Every), _shared_needs),
}
_VALUE_NEEDS: dict[type, Callable[..., Iterable[str]]] = {
    c.Sum: _sum_needs,
    c.Count: _count_needs,
    c.DaysOfUse: _use_needs,
    c.SupplyLeft: _supply_needs,
    c.Rank: _rank_needs,
    c.Since: _since_needs,
    c.Overlap: _overlap_needs,
    c.Every: _every_needs,
}
