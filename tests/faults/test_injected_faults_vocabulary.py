"""Faults in the wider vocabulary are each caught by the plain matcher: limits, windows, evidence, visits, grades."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from negative_list import compile as compiling
from negative_list import conditions as c
from negative_list import gather, limits, measure, supply, visits, windows
from negative_list.check import Check
from negative_list.compile import BoundRule, compile
from negative_list.gather import Gatherer
from negative_list.prescription import Encounter, History, Line, Patient
from negative_list.rules import Rule, Trigger
from tests.agreement import match_engine
from tests.faults.catching import Change, Patch, changed, every, is_caught, patched
from tests.faults.catching import windows as each_window

if TYPE_CHECKING:
    from negative_list.rules import Grade, RuleList
    from tests.generators import Case

FOREVER = (0, 10**7)


def _as_same(record: Any) -> Any:
    """Facts that must differ are taken for facts that must be equal."""
    if not isinstance(record, c.Lines):
        return record
    return replace(record, same=(*record.same, *record.different), different=())


def _turned(record: Any) -> Any:
    """The last weight that means a line counts."""
    return replace(record, weights=record.weights[::-1]) if isinstance(record, c.Sum) else record


def _any_name(record: Any) -> Any:
    """Excepted names are not looked at."""
    return replace(record, except_names=()) if isinstance(record, c.Items | Trigger) else record


def _a_day_older(record: Any) -> Any:
    """Evidence may be a day, or an hour, older."""
    if not isinstance(record, c.Evidence):
        return record
    ages = {name: getattr(record, name) for name in ("max_age_days", "max_age_hours")}
    return replace(record, **{name: None if age is None else age + 1 for name, age in ages.items()})


def _by_line(record: Any) -> Any:
    """Distinct values of a fact are taken for lines."""
    return replace(record, by="line") if isinstance(record, c.Count) and record.by.startswith("line.") else record


def _whole_line(record: Any) -> Any:
    """The whole line's money is at risk where only the excess is."""
    return replace(record, amount="line") if isinstance(record, Rule) and record.amount == "excess" else record


def _by_codes_alone(record: Any) -> Any:
    """Sets of diagnoses and operations are not looked at."""
    return replace(record, sets=()) if isinstance(record, c.Diagnosis | c.Operation) else record


LIST_FAULTS: dict[str, Change] = {
    "what a formula adds dropped": every(c.Formula, plus=Decimal(0)),
    "a formula's factor dropped": every(c.Formula, times=Decimal(1)),
    "weights ignored": every(c.Sum, weights=()),
    "weights read from the last": _turned,
    "different read as same": _as_same,
    "different ignored": every(c.Lines, different=()),
    "excepted names ignored": _any_name,
    "at least some read as any": every(c.AtLeast, count=1),
    "an insurance year read as a year": each_window(
        unit=lambda window: "year" if window.unit == "insurance_year" else window.unit
    ),
    "a first use read as a lifetime": each_window(
        unit=lambda window: "lifetime" if window.unit == "first_use" else window.unit,
        length=lambda window: None if window.unit == "first_use" else window.length,
    ),
    "the institution read as the patient": each_window(
        whose=lambda window: "patient" if window.whose == "institution" else window.whose
    ),
    "evidence a day older": _a_day_older,
    "the age of evidence ignored": every(c.Evidence, max_age_days=None, max_age_hours=None),
    "stages ignored": every(c.Diagnosis, stage="any"),
    "sets of diagnoses ignored": _by_codes_alone,
    "values of a fact counted as lines": _by_line,
    "units of a place ignored": every(c.Rank, of=""),
    "modes of visits ignored": every(c.Visits, modes=()),
    "where of visits ignored": every(c.Visits, where=None),
    "facts of visits ignored": every(c.Visits, same=(), different=()),
    "grades ignored": every(Rule, grades=()),
    "overrides ignored": every(Rule, overrides=()),
    "the share of the amount ignored": every(Rule, amount_share=Decimal(1)),
    "the excess taken for the line": _whole_line,
}


@pytest.mark.parametrize("change", LIST_FAULTS.values(), ids=LIST_FAULTS)
def test_a_fault_in_reading_the_list_is_caught(change: Change) -> None:
    """An engine that read the list so would be told from the specification."""
    assert is_caught(lambda rules, case: match_engine(compile(changed(rules, change)), case))


# --- in the engine --------------------------------------------------------------------------------------------------

ADDS, APART, COVERS, DAYS_SINCE, LEFT = (
    supply._summed_up,  # noqa: SLF001 - faults are put where the work is done
    windows._days_apart,  # noqa: SLF001
    windows.covers,
    visits._days_since,  # noqa: SLF001
    supply._Supplies.left,  # noqa: SLF001
)
COVERED, OTHERS, USE_OF = Check.covered, Check._others, Check.use_of  # noqa: SLF001
HERE, WEIGHTS, WITHIN = Gatherer._in_institution, measure.weights_of, windows.within  # noqa: SLF001


def _unchained(by_day: dict[int, int]) -> tuple[list[int], list[int]]:
    """Every supply lasts from its own first day."""
    ends = [day - 1 + by_day[day] for day in sorted(by_day)]
    return [0] * len(ends), [max(ends[: n + 1]) for n in range(len(ends))]


def _left_after(self: Any, *given: Any) -> float:
    """The trigger's day does not count."""
    return max(0, LEFT(self, *given) - 1)


def _apart_one_more(*given: Any) -> float:
    """Neighbouring stretches are two days apart."""
    days = APART(*given)
    return days + 1 if days else days


def _ended(self: Check, line: Line | None) -> tuple[int, int, int | None]:
    """Use that may go on is over."""
    first, last, _ = USE_OF(self, line)
    return first, last, last


def _seen_since_ever(window: c.Window, *given: Any) -> bool:
    """The first use that is known is the first."""
    return window.unit == "first_use" or COVERS(window, *given)


def _seen_everywhere(self: Check, first: Any, whose: str) -> bool:
    """What the own institution knows is all there is of the patient."""
    return COVERED(self, first, "institution" if whose == "patient" else whose)


def _with_the_current(self: Check) -> dict[str, Encounter]:
    """The current encounter is one of the others."""
    return OTHERS(self) | {self.encounter.id: self.encounter}


def _with_copies(self: Check) -> dict[str, Encounter]:
    """Visits of history count beside those of the body."""
    past = self.history.encounters if self.history else ()
    return OTHERS(self) | {f"{one.id} again": one for one in past if one.id != self.encounter.id}


def _admitted_some_time(*given: Any) -> bool | None:
    """A visit without an admission is none."""
    return WITHIN(*given) or False


def _discharged_at_once(check: Check, encounter: Encounter) -> tuple[Any, Any]:
    """Who was not discharged left on the day of admission."""
    _, most = DAYS_SINCE(check, encounter)
    return most, most


def _ours(self: Gatherer, *given: Any) -> bool:
    """A line of an unknown institution is ours."""
    return HERE(self, *given) is not False


def _first_that_may(*given: Any) -> list[Decimal]:
    """The first weight that may mean a line counts."""
    return WEIGHTS(*given)[:1]


def _at_its_least(holds: Any, limit: Any, scale: int) -> Any:
    """A limit that may be anything from one end to the other is the lower one."""

    def test(check: Check, line: Line | None, low: Any, high: Any) -> bool | None:
        ends = limit(check, line)
        return None if ends is None else holds(low, high, ends[0] * scale, ends[0] * scale)

    return test


def _without_limit(holds: Any, limit: Any, scale: int) -> Any:
    """Without its fact there is no limit."""

    def test(check: Check, line: Line | None, low: Any, high: Any) -> bool | None:
        ends = limit(check, line)
        return False if ends is None else holds(low, high, ends[0] * scale, ends[1] * scale)

    return test


def _graded_by_doubt(self: BoundRule, check: Check, line: Line | None) -> Grade | None:
    """A grade that may hold gives the action."""
    return next((grade for when, grade in self.grades if when(check, line) is not False), None)


def _last_grade(self: BoundRule, check: Check, line: Line | None) -> Grade | None:
    """The last grade that holds gives the action."""
    return next((grade for when, grade in self.grades[::-1] if when(check, line)), None)


def _for_ever(rules: RuleList) -> dict[str, tuple[tuple[int, int], ...]]:
    """A rule that stands in for others does so on all days."""
    return {name: (FOREVER,) for rule in rules.rules for name in rule.overrides}


ENGINE_FAULTS: dict[str, Patch] = {
    "supplies not used up one after the other": (supply, "_summed_up", _unchained),
    "supplies without the trigger's day": (supply._Supplies, "left", _left_after),  # noqa: SLF001
    "use together off by a day": (windows, "_days_apart", _apart_one_more),
    "use that may go on taken for over": (Check, "use_of", _ended),
    "the first known use taken for the first": (gather, "covers", _seen_since_ever),
    "own history taken for all history": (Check, "covered", _seen_everywhere),
    "the current visit counted twice": (Check, "_others", _with_the_current),
    "a visit counted for each that tells it": (Check, "_others", _with_copies),
    "visits of an unknown time left out": (visits, "within", _admitted_some_time),
    "visits without a discharge taken for ended": (visits, "_days_since", _discharged_at_once),
    "lines of an unknown place taken for ours": (Gatherer, "_in_institution", _ours),
    "the first weight that may be taken for sure": (measure, "weights_of", _first_that_may),
    "an open limit taken for its least": (limits, "_worked_out", _at_its_least),
    "an unknown limit taken for kept": (limits, "_worked_out", _without_limit),
    "grades raised by doubt": (BoundRule, "grade", _graded_by_doubt),
    "the last grade taken for the first": (BoundRule, "grade", _last_grade),
    "a rule that stands in for ever": (compiling, "standing_in", _for_ever),
}


@pytest.mark.parametrize("patch", ENGINE_FAULTS.values(), ids=ENGINE_FAULTS)
def test_a_fault_in_the_engine_is_caught(patch: Patch) -> None:
    """With the fault some pair differs from the specification; without it that pair agrees."""
    assert is_caught(patched(patch))


# --- in what is handed over -----------------------------------------------------------------------------------------


def _timeless(case: Case) -> Case:
    """When evidence was found is lost."""
    encounter, patient = case.prescription.encounter, case.prescription.patient
    lines = tuple(replace(line, times={}) for line in encounter.lines)
    bare: dict[str, Any] = {"encounter": replace(encounter, times={}, lines=lines), "patient": _without_times(patient)}
    return replace(case, prescription=replace(case.prescription, **bare))


def _without_times(patient: Patient) -> Patient:
    return replace(patient, times={})


def _history(case: Case, **fields: Any) -> Case:
    return replace(case, history=replace(case.history or History(), **fields))


def _staged(case: Case, stage: str) -> Case:
    """Every diagnosis is of one stage."""
    encounter = case.prescription.encounter
    diagnoses = tuple(replace(one, stage=stage) for one in encounter.diagnoses)
    return replace(case, prescription=replace(case.prescription, encounter=replace(encounter, diagnoses=diagnoses)))


def _without_fact(case: Case, name: str) -> Case:
    """A fact of every other encounter is lost."""
    others = tuple(
        replace(one, facts={key: value for key, value in one.facts.items() if key != name})
        for one in case.prescription.others
    )
    return replace(case, prescription=replace(case.prescription, others=others))


HANDED_OVER: dict[str, Callable[[Case], Case]] = {
    "times of evidence lost": _timeless,
    "visits of history lost": lambda case: _history(case, encounters=()),
    "what the institution knows lost": lambda case: _history(case, own_since=None),
    "admission taken for every stage": lambda case: _staged(case, "admission"),
    "stages lost": lambda case: _staged(case, ""),
    "discharges of visits lost": lambda case: _without_fact(case, "encounter.discharged_at"),
}


@pytest.mark.parametrize("change", HANDED_OVER.values(), ids=HANDED_OVER)
def test_a_fault_in_what_is_handed_over_is_caught(change: Callable[[Case], Case]) -> None:
    """An engine that was given this instead would be told from the specification."""
    assert is_caught(lambda rules, case: match_engine(compile(rules), change(case)))
