"""Why: the evidence of a judgement, gathered in a second run over the rule's conditions.

Evidence is defined without order of evaluation. Of a true ``any``: its first true branch as written. Of a true
``all``: every child. Of a false one: the first false child of an ``all``, every child of an ``any``. Of an unknown:
every unknown leaf that could change the result. Conditions inside ``where`` are not descended into.
"""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from negative_list import conditions as c
from negative_list.bind import measure_of, overlaps, pair_sides
from negative_list.decision import FactSeen
from negative_list.dictionary import load
from negative_list.evidence import ages_of_evidence
from negative_list.limits import formulas_of
from negative_list.needs import leaf_needs
from negative_list.ranks import before
from negative_list.values import age_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from negative_list.bind import Binder
    from negative_list.check import Check
    from negative_list.engine import Judgement
    from negative_list.prescription import FactValue, Line

__all__ = ["MAX_INVOLVED", "Evidence", "explain", "explain_part"]


MAX_INVOLVED = 20
"""Lines, and facts of lines, told of one finding. Nobody reads more, and a settlement of thousands of lines of one
item over its limit would otherwise answer with millions of line ids."""


class Evidence:
    """What a judgement rests on: facts seen, lines involved, and what an unknown one needs, each once, in order."""

    __slots__ = ("_check", "_facts", "_lines", "_needs")

    def __init__(self, check: Check) -> None:
        self._check = check
        self._facts: dict[tuple[str, str], FactSeen] = {}
        self._lines: dict[int, Line] = {}
        self._needs: set[str] = set()

    @property
    def facts(self) -> tuple[FactSeen, ...]:
        """The facts seen, in the order of the conditions."""
        return tuple(self._facts.values())

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines gathered, in body order."""
        return tuple(sorted(self._lines.values(), key=self._check.place_of))

    @property
    def needs(self) -> tuple[str, ...]:
        """The names of what is missing, sorted."""
        return tuple(sorted(self._needs))

    def see(self, fact: str, subject: str, value: FactValue, *, unit: str = "", source: str = "request") -> None:
        """Adds a fact that is not private; days and times as text, the unit the dictionary's where none is given."""
        if fact in load() and load()[fact].private:
            return
        shown = str(value) if isinstance(value, date) else value
        given = load()[fact].unit if fact in load() and not unit else unit
        unit = "" if given.startswith("line.") else given
        seen = FactSeen(fact=fact, subject=subject, value=shown, unit=unit, source=source)
        self._facts.setdefault((fact, subject), seen)

    def see_age(self, fact: str, subject: str, age: int, unit: str) -> None:
        """Adds how old a piece of evidence is, one for each fact that has an age."""
        seen = FactSeen(fact="encounter.evidence_age", subject=subject, value=age, unit=unit, source="derived")
        self._facts.setdefault((f"age in {unit} of {fact}", subject), seen)

    def see_line(self, name: str, line: Line) -> None:
        """Adds a known fact of a line."""
        value = line.facts.get(name)
        if value is not None:
            unit = load()[name].unit if name in load() else ""
            # Some units are facts of the line themselves: the quantity is in `line.unit`.
            unit = str(line.facts.get(unit, "")) if unit.startswith("line.") else unit
            self.see(name, line.id, value, unit=unit, source=line.sources.get(name, "request"))

    def involve(self, lines: Iterable[Line]) -> None:
        """Adds lines the judgement rests on, up to ``MAX_INVOLVED``."""
        for line in lines:
            if len(self._lines) >= MAX_INVOLVED:
                return
            self._lines[id(line)] = line

    def need(self, names: Iterable[str]) -> None:
        """Adds what is missing."""
        self._needs.update(names)


def explain(judgement: Judgement, check: Check, binder: Binder) -> Evidence:
    """The evidence of one judgement, gathered once in a check."""
    key = ("evidence", id(judgement.rule), id(judgement.line))
    return check.remember(key, lambda: _explained(judgement, check, binder))  # type: ignore[no-any-return]


def explain_part(condition: c.Condition, check: Check, binder: Binder, line: Line | None) -> Evidence:
    """The evidence of one condition that holds no others, whatever it answers, for a reader of all parts."""
    evidence = Evidence(check)
    run = _Run(check, binder, line, evidence)
    run.leaf(condition, run.answer(condition))
    return evidence


def _explained(judgement: Judgement, check: Check, binder: Binder) -> Evidence:
    evidence = Evidence(check)
    run = _Run(check, binder, judgement.line, evidence)
    rule = judgement.rule.rule
    for condition in (rule.scope, rule.violation):
        if condition is not None and run.answer(condition) is judgement.holds:
            run.walk(condition)
    return evidence


class _Run:
    """One walk over a rule's conditions for one trigger line."""

    __slots__ = ("_answers", "_binder", "_check", "_evidence", "_line")

    def __init__(self, check: Check, binder: Binder, line: Line | None, evidence: Evidence) -> None:
        self._check = check
        self._binder = binder
        self._line = line
        self._evidence = evidence
        self._answers: dict[int, bool | None] = {}

    def answer(self, condition: c.Condition) -> bool | None:
        """What the condition answered, asked once: a walk passes every level of a deep rule several times."""
        key = id(condition)
        if key not in self._answers:
            self._answers[key] = self._binder.bind(condition)(self._check, self._line)
        return self._answers[key]

    def walk(self, condition: c.Condition) -> None:
        """Descends through logic to the leaves that matter."""
        if isinstance(condition, c.Not):
            self.walk(condition.of)
        elif isinstance(condition, (c.All, c.Any, c.AtLeast)):
            for child in self._branches(condition):
                self.walk(child)
        else:
            self.leaf(condition, self.answer(condition))

    def _branches(self, condition: c.All | c.Any | c.AtLeast) -> Iterator[c.Condition]:
        """The children that matter for the answer: as many as settle it, in the order written."""
        held = self.answer(condition)
        matching = (child for child in condition.of if self.answer(child) is held)
        if isinstance(condition, c.AtLeast):
            enough = condition.count if held else len(condition.of) - condition.count + 1
            yield from islice(matching, None if held is None else enough)
        elif held is isinstance(condition, c.Any):
            yield next(matching)
        else:
            yield from matching

    def leaf(self, condition: c.Condition, held: bool | None) -> None:
        """What a condition rests on that holds no others."""
        if held is None:
            self._evidence.need(leaf_needs(self._check, self._binder, self._line, condition))
        else:
            _SEEN[type(condition)](self._check, self._binder, self._line, condition, self._evidence)
            if isinstance(condition, c.Bounds):
                _saw_limits(self._check, self._binder, self._line, condition, self._evidence)


# -- what a decided leaf rests on


def _saw_fact(check: Check, _binder: Binder, line: Line | None, condition: c.Fact, evidence: Evidence) -> None:
    _see(check, line, condition.fact, evidence)


def _see(check: Check, line: Line | None, name: str, evidence: Evidence) -> None:
    """Adds a known fact of the patient, the encounter or the trigger line."""
    if name.startswith("line."):
        if line is not None:
            evidence.see_line(name, line)
        return
    patient = name.startswith("patient.")
    holder = check.prescription.patient if patient else check.encounter
    value = holder.facts.get(name)
    if value is not None:
        subject = "patient" if patient else check.encounter.id
        evidence.see(name, subject, value, source=holder.sources.get(name, "request"))


def _saw_age(check: Check, _binder: Binder, line: Line | None, condition: c.Age, evidence: Evidence) -> None:
    """The age is shown, never the birth date."""
    if check.birth is not None:
        source = check.prescription.patient.sources.get("patient.birth_date", "request")
        age = age_in(condition.unit, check.birth, check.time_of(line))
        evidence.see("patient.age", "patient", age, unit=condition.unit, source=source)


def _saw_evidence(check: Check, _binder: Binder, line: Line | None, condition: c.Evidence, evidence: Evidence) -> None:
    """The fact, and how old it is; one that is too old is told as missing."""
    _see(check, line, condition.fact, evidence)
    subject = _subject(check, line, condition.fact)
    ages = ages_of_evidence(condition, check, line) or ()
    for age in ages:
        evidence.see_age(condition.fact, subject, int(age.low) // age.unit_s, age.unit)
    if any(age.low > age.most for age in ages):
        evidence.need((condition.fact,))


def _subject(check: Check, line: Line | None, name: str) -> str:
    """What a fact of that name is a fact of."""
    if name.startswith("line."):
        return line.id if line is not None else ""
    return "patient" if name.startswith("patient.") else check.encounter.id


def _saw_limits(check: Check, binder: Binder, line: Line | None, condition: c.Bounds, evidence: Evidence) -> None:
    """What limits were worked out from."""
    for formula in formulas_of(condition):
        if formula.lines is None:
            _see(check, line, formula.fact, evidence)
        else:
            _saw_lines(check, binder, line, c.Sum(lines=formula.lines, of=formula.of), evidence)


def _saw_visits(measure: str) -> Callable[..., None]:
    def saw(check: Check, binder: Binder, line: Line | None, condition: Any, evidence: Evidence) -> None:
        """Only how many encounters, or how many days since the last: never which."""
        interval = measure_of(binder, condition)(check, line)
        if interval is not None and math.isfinite(interval[0]):
            evidence.see(measure, check.encounter.id, int(interval[0]), source="history")

    return saw


def _saw_coded(subject: str) -> Callable[..., None]:
    def saw(check: Check, _binder: Binder, _line: Line | None, condition: Any, evidence: Evidence) -> None:
        entries = check.entries(subject, main=condition.main, stage=getattr(condition, "stage", "any"))
        shown = tuple(" ".join([*entry.codes, entry.name]).strip() for entry in entries)
        evidence.see(f"encounter.{subject}", check.encounter.id, shown)

    return saw


def _saw_elapsed(check: Check, _binder: Binder, line: Line | None, condition: c.Elapsed, evidence: Evidence) -> None:
    _see(check, line, condition.fact, evidence)


def _saw_lines(check: Check, binder: Binder, line: Line | None, condition: Any, evidence: Evidence) -> None:
    """All certain gathered lines but the trigger line, with the facts the number was made of."""
    gathered = binder.gatherer(condition.lines).gather(check, line)
    relevant = _RELEVANT.get(type(condition))
    others = (other for other in gathered.certain if other is not line)
    evidence.involve(other for other in others if relevant is None or relevant(check, line, other, condition))
    if line is not None:
        for name in _LINE_FACTS.get(type(condition), ()):
            evidence.see_line(name, line)
    for name in _facts_of_all(condition):
        for each in gathered.certain[:MAX_INVOLVED]:
            evidence.see_line(name, each)


def _saw_total(check: Check, binder: Binder, line: Line | None, condition: Any, evidence: Evidence) -> None:
    """What days or amounts come to over all gathered lines, which the limit is held against, and those lines."""
    if isinstance(condition, c.DaysOfUse):
        name, unit = "encounter.days_of_use", ""
    elif isinstance(condition, c.Sum) and condition.of == "line.quantity" and not condition.weights and line:
        name, unit = "encounter.total", str(line.facts.get("line.unit", ""))
    else:
        name, unit = "", ""
    interval = measure_of(binder, condition)(check, line) if name else None
    if interval is not None and math.isfinite(interval[0]):
        total = Decimal(interval[0])
        shown = int(total) if total == total.to_integral_value() else total.normalize()
        evidence.see(name, check.encounter.id, shown, unit=unit, source="derived")
    _saw_lines(check, binder, line, condition, evidence)


def _facts_of_all(condition: Any) -> tuple[str, ...]:
    """The facts of all gathered lines the number was made of."""
    if isinstance(condition, c.SupplyLeft):
        return ("line.days",)
    if isinstance(condition, c.Count):
        return (condition.by,) if condition.by.startswith("line.") else ()
    return (condition.of,) if isinstance(condition, (c.Sum, c.Rank)) and condition.of else ()


def _saw_pair(check: Check, binder: Binder, line: Line | None, condition: c.Pair, evidence: Evidence) -> None:
    """The other side's lines; the contained side first."""
    if line is None:
        return
    sides = zip((condition.contained, condition.main), pair_sides(condition), strict=True)
    for items, wanted in sides:
        if binder.members(items).means(check, line):
            found = binder.gatherer(wanted).gather(check, line, others_only=True).certain
            evidence.involve(found)
            if found:
                return


def _overlapping(_check: Check, line: Line | None, other: Line, _condition: Any) -> bool:
    return overlaps(line, other) is True


def _coming_before(check: Check, line: Line | None, other: Line, _condition: Any) -> bool:
    return line is not None and before(check, other, line) is True


def _not_a_later_day(check: Check, line: Line | None, other: Line, _condition: Any) -> bool:
    return other.begins is not None and check.day_of(other) <= check.day_of(line)


def _not_later(check: Check, line: Line | None, other: Line, condition: c.Since) -> bool:
    if other.begins is None:
        return False
    if condition.unit == "day":
        return check.day_of(other) <= check.day_of(line)
    return check.moments(other)[1] <= check.moments(line)[0]


_RELEVANT: dict[type, Callable[[Check, Line | None, Line, Any], bool]] = {
    c.Overlap: _overlapping,
    c.Rank: _coming_before,
    c.Since: _not_later,
    c.SupplyLeft: _not_a_later_day,
}
_LINE_FACTS: dict[type, tuple[str, ...]] = {
    c.Rank: ("line.unit_price_fen",),
    c.DaysOfUse: ("line.days",),
}
_GATHERING = (c.Some, c.Every, c.Count, c.Sum, c.DaysOfUse, c.SupplyLeft, c.Rank, c.Since, c.Overlap)
_SEEN: dict[type, Callable[..., None]] = {
    c.Fact: _saw_fact,
    c.Evidence: _saw_evidence,
    c.Age: _saw_age,
    c.Diagnosis: _saw_coded("diagnoses"),
    c.Operation: _saw_coded("operations"),
    c.Elapsed: _saw_elapsed,
    c.Pair: _saw_pair,
    c.VisitCount: _saw_visits("encounter.visits"),
    c.SinceVisit: _saw_visits("encounter.days_since_visit"),
    **dict.fromkeys(_GATHERING, _saw_lines),
    c.Sum: _saw_total,
    c.DaysOfUse: _saw_total,
}
