"""Random conditions over the universe of :mod:`tests.generators`: every kind, window, state, side and way."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

import msgspec

from negative_list import conditions as c
from negative_list.rules import NamedSet
from tests.generators import DIAGNOSES, ITEMS, OPERATIONS, TOLD, WORDS

__all__ = [
    "DIAGNOSIS_CODES",
    "KINDS",
    "LEAVES",
    "OPERATION_CODES",
    "SETS",
    "UNITS",
    "WHOSE",
    "about_line",
    "draw_branch",
    "draw_condition",
    "draw_items",
    "draw_leaf",
    "some_of",
]

CODES = tuple(code for code, _, _ in ITEMS)
ITEM_SETS = tuple(
    NamedSet(id=name, codes=CODES[first::step])
    for name, first, step in (("甲", 0, 2), ("乙", 1, 3), ("丙", 6, 1), ("丁", 0, 5))
)
DIAGNOSIS_SETS = (NamedSet(id="心脑", codes=("I20-I25", "I63")), NamedSet(id="肿瘤", codes=("C00-C97", "D46.9")))
OPERATION_SETS = (NamedSet(id="介入", codes=("36", "35-37")), NamedSet(id="眼科", codes=("13",)))
SETS: tuple[NamedSet, ...] = (*ITEM_SETS, *DIAGNOSIS_SETS, *OPERATION_SETS)
"""The sets of every list."""
PREFIXES = ("X", "XL02", "Z", "T", "T0017", "0012", "003", "C02", "XJ01DDT082B001", "ZD03AAA0043")
NAMES = ("阿帕他胺", "输液", "甘草", "注射", "阿胶", "运动疗法", "银杏叶")
DIAGNOSIS_CODES: tuple[str, ...] = (
    *("I10", "I63", "I20-I25", "C61", "C00-C97", "E11.9", "E10-E14", "H35.3", "J18", "O80", "I63.9", "Z88"),
)
"""Codes of diagnoses rules name."""
DIAGNOSIS_TERMS = (*(name for _, name in DIAGNOSES), "恶性肿瘤", "糖尿病", "小细胞肺癌", "MD", "ＭＤＳ")
OPERATION_CODES: tuple[str, ...] = ("36", "36.07", "85.21", "13", "35-37")
"""Codes of operations rules name."""
OPERATION_TERMS = (*(name for _, name in OPERATIONS), "支架", "白内障")
SAME = ("line.group_no", "line.site", "line.rx_no", "line.incision", "line.tooth", "line.drug_class")
SAME_VISIT = (*(f"encounter.{name}" for name in ("department_code", "doctor_id", "institution_id", "insurance")),)
COUNTED = ("line", "line", "item", "item", "day", "day", "line.rx_no", "line.tooth", "line.drug_class")
CALENDAR = ("instant", "hour", "day", "month", "quarter", "year", "insurance_year")
UNITS: tuple[str, ...] = (*CALENDAR, "hours", "days", "encounter", "lifetime", "course", "in_use", "first_use")
"""Every unit of a window."""
SLIDING = (*UNITS, *("hours", "days") * 5)  # counts and sums slide, so that theirs come more often
VISITING = (*CALENDAR, *("hours", "days", "lifetime") * 4)
WHOSE: tuple[str, ...] = ("encounter", "patient", "institution")
"""Whose lines a window may look at."""
LENGTHS = {
    "hours": (1, 6, 24, 48),
    "days": (1, 3, 7, 14),
    "course": (1, 3, 7, 14),
    "in_use": (None, 1, 3, 7),
    "first_use": (1, 3, 14, 31),
}
NUMBERS = {
    "line.quantity": ("1", "2", "3", "6", "7"),
    "line.amount_fen": ("1000", "2500", "3500", "30000"),
    "line.unit_price_fen": ("500", "1000"),
    "line.slides": ("1", "2", "8", "9"),
    "encounter.institution_level": ("1", "2", "3"),
    "encounter.stay_days": ("3", "14", "15"),
}
SUMMED = ("line.quantity", "line.quantity", "line.amount_fen", "line.slides")
LIMITS = ("encounter.stay_days", "encounter.institution_level", "line.quantity", "line.slides")
TEXTS = ("encounter.department_name", "line.rx_no")
TEXT_TERMS = ("康复", "病房", "ICU", "ＩＣＵ", "科室")
FLAGS = ("line.first_line_used", "encounter.rescue")


def some_of(random: Random, values: tuple[Any, ...], most: int) -> tuple[Any, ...]:
    """At least one of the values, at most ``most``."""
    return tuple(random.sample(values, random.randint(1, min(most, len(values)))))


def _maybe(random: Random, share: float, values: tuple[Any, ...], most: int) -> tuple[Any, ...]:
    return some_of(random, values, most) if random.random() < share else ()


def _names(sets: tuple[NamedSet, ...]) -> tuple[str, ...]:
    return tuple(one.id for one in sets)


# --- lines and windows ----------------------------------------------------------------------------------------------


def draw_items(random: Random, *, wide: bool = False) -> dict[str, Any]:
    """Ways to name items; ``wide`` may also name every line, or all but a few."""
    if wide and random.random() < 0.55:
        return _exceptions(random, 0.3)
    ways: dict[str, Any] = {}
    while not ways:
        drawn = {
            "codes": _maybe(random, 0.45, CODES, 5),
            "prefixes": _maybe(random, 0.35, PREFIXES, 3),
            "sets": _maybe(random, 0.35, _names(ITEM_SETS), 2),
            "names": _maybe(random, 0.25, NAMES, 2),
            "types": _maybe(random, 0.2, WORDS["line.item_type"], 3),
        }
        ways = {way: given for way, given in drawn.items() if given}
    return ways | _exceptions(random, 0.15)


def _exceptions(random: Random, share: float) -> dict[str, Any]:
    return {
        "except_codes": _maybe(random, share, PREFIXES + CODES, 2),
        "except_names": _maybe(random, share / 2, NAMES, 2),
    }


def _window(random: Random, units: tuple[str, ...] = UNITS) -> c.Window:
    unit: Any = random.choice(units)
    side: Any = random.choice(("around", "around", "before"))
    if unit == "encounter":
        return c.Window(unit=unit, side=side)
    length = random.choice(LENGTHS[unit]) if unit in LENGTHS else None
    ended = unit in ("hours", "days", "in_use") and length is not None
    whose: Any = random.choice(WHOSE)
    ends: Any = random.choice(("closed", "open")) if ended else "closed"
    return c.Window(unit=unit, length=length, ends=ends, side=side, whose=whose)


def _lines(random: Random, depth: int, units: tuple[str, ...] = UNITS) -> c.Lines:
    same = _maybe(random, 0.2, SAME, 2)
    return c.Lines(
        items=c.Items(**draw_items(random, wide=True)),
        window=_window(random, units),
        state=random.choice(("any", "any", "any", "current", "in_force")),
        same=same,
        different=_maybe(random, 0.08, tuple(fact for fact in SAME if fact not in same), 1),
        where=_where(random, depth) if random.random() < 0.2 else None,
        other_item=random.random() < 0.15,
    )


def _where(random: Random, depth: int) -> c.Condition:
    """A condition on the gathered line; seldom one that gathers lines itself."""
    kinds = ("fact", "fact", "fact", "age", "elapsed", "diagnosis", "evidence", "some", "all", "any", "not")
    kind = random.choice(kinds)
    if kind == "some" and depth < 1:
        kind = "fact"
    return draw_leaf(random, kind, depth - 1) if kind not in ("all", "any", "not") else draw_branch(random, kind, 0)


# --- bounds ---------------------------------------------------------------------------------------------------------


def _bounds(random: Random, limits: tuple[str, ...]) -> dict[str, Any]:
    """One bound, or a lower and an upper one that leave room between; now and then one that is worked out."""
    low, high = sorted(Decimal(random.choice(limits)) for _ in range(2))
    lower, upper = random.choice(("above", "at_least")), random.choice(("below", "at_most"))
    chance = random.random()
    if chance < 0.12:
        return {random.choice((lower, upper)): _formula(random)}
    if chance < 0.5:
        return {lower: low}
    if chance < 0.82 or low == high:
        return {upper: high}
    return {lower: low, upper: high if random.random() < 0.8 else _formula(random)}


def _formula(random: Random) -> c.Formula:
    factor: dict[str, Any] = {
        "times": Decimal(random.choice(("1", "1", "2", "0.5"))),
        "plus": Decimal(random.choice("0013")),
    }
    if random.random() < 0.5:
        return c.Formula(fact=random.choice(LIMITS), **factor)
    return c.Formula(lines=_lines(random, 0, SLIDING), of=random.choice(("line.quantity", "line.slides")), **factor)


# --- kinds ----------------------------------------------------------------------------------------------------------


def _fact(random: Random, _depth: int, subjects: tuple[str, ...] = ("patient", "encounter", "line")) -> c.Condition:
    chance = random.random()
    numbers, flags, words = (
        tuple(fact for fact in facts if fact.partition(".")[0] in subjects) for facts in (NUMBERS, FLAGS, WORDS)
    )
    if chance < 0.35:
        fact = random.choice(numbers)
        return msgspec.structs.replace(c.Fact(fact=fact), **_bounds(random, NUMBERS[fact]))
    if chance < 0.55:
        return c.Fact(fact=random.choice(flags), any_of=(random.random() < 0.5,))
    texts = tuple(fact for fact in TEXTS if fact.partition(".")[0] in subjects)
    if texts and chance > 0.9:
        return c.Fact(fact=random.choice(texts), terms=some_of(random, TEXT_TERMS, 2))
    fact = random.choice(words)
    return c.Fact(fact=fact, any_of=some_of(random, WORDS[fact], max(1, len(WORDS[fact]) - 1)))


def _evidence(random: Random, _depth: int) -> c.Condition:
    age: dict[str, Any] = random.choice(
        (
            {},
            {"max_age_hours": random.choice((1, 6, 24, 72))},
            {"max_age_days": random.choice((0, 1, 3, 7, 14))},
        )
    )
    states = some_of(random, ("present", "absent", "too_old") if age else ("present", "absent"), 2)
    # What is absent has no age.
    return c.Evidence(fact=random.choice(TOLD), states=states, **({} if states == ("absent",) else age))


def _age(random: Random, _depth: int) -> c.Condition:
    unit: Any = random.choice(("year", "year", "month", "day"))
    limits = {"year": ("3", "12", "18", "60"), "month": ("1", "6", "12", "144"), "day": ("27", "28", "365")}[unit]
    return c.Age(unit=unit, **_bounds(random, limits))


def _diagnosis(random: Random, _depth: int) -> c.Condition:
    codes, sets = _maybe(random, 0.75, DIAGNOSIS_CODES, 3), _maybe(random, 0.25, _names(DIAGNOSIS_SETS), 1)
    return c.Diagnosis(
        codes=codes,
        sets=sets,
        terms=_maybe(random, 0.4 if codes or sets else 1, DIAGNOSIS_TERMS, 2),
        main=random.random() < 0.25,
        past=random.random() < 0.3,
        stage=random.choice(("any", "any", "any", "admission", "discharge")),
    )


def _operation(random: Random, _depth: int) -> c.Condition:
    codes, sets = _maybe(random, 0.7, OPERATION_CODES, 2), _maybe(random, 0.25, _names(OPERATION_SETS), 1)
    terms = _maybe(random, 0.4 if codes or sets else 1, OPERATION_TERMS, 2)
    return c.Operation(codes=codes, sets=sets, terms=terms, main=random.random() < 0.25)


def _counted(random: Random, depth: int) -> c.Condition:
    by = random.choice(COUNTED)
    return c.Count(lines=_lines(random, depth, SLIDING), by=by, **_bounds(random, ("1", "2", "3", "4", "5")))


def _summed(random: Random, depth: int) -> c.Condition:
    of = random.choice(SUMMED)
    weights = [
        c.Weight(items=c.Items(**draw_items(random)), weight=Decimal(random.choice(("0.2", "0.5", "2", "3"))))
        for _ in range(random.choice((0, 0, 0, 1, 2)))
    ]
    return c.Sum(lines=_lines(random, depth, SLIDING), of=of, weights=tuple(weights), **_bounds(random, NUMBERS[of]))


def _rank(random: Random, depth: int) -> c.Condition:
    of = random.choice(("", "", "line.quantity", "line.slides"))
    return c.Rank(lines=_lines(random, depth), of=of, **_bounds(random, NUMBERS[of] if of else ("1", "2", "3")))


def _supply_left(random: Random, depth: int) -> c.Condition:
    units = (*UNITS, "in_use", "days", "lifetime")
    return c.SupplyLeft(lines=_lines(random, depth, units), **_bounds(random, ("0", "1", "3", "7", "14")))


def _pair(random: Random, _depth: int) -> c.Condition:
    return c.Pair(
        main=c.Items(**draw_items(random)),
        contained=c.Items(**draw_items(random)),
        window=_window(random),
        symmetric=random.random() < 0.4,
    )


def _since(random: Random, depth: int) -> c.Condition:
    unit: Any = random.choice(("day", "hour"))
    event: Any = random.choice(("first_use", "last_use"))
    limits = ("0", "1", "7", "14", "15") if unit == "day" else ("0", "6", "24", "168")
    return c.Since(event=event, lines=_lines(random, depth), unit=unit, **_bounds(random, limits))


def _elapsed(random: Random, _depth: int) -> c.Condition:
    unit: Any = random.choice(("day", "hour"))
    fact = random.choice(("encounter.onset_at", "encounter.admitted_at", "patient.birth_date"))
    limits = ("0", "1", "7", "14") if unit == "day" else ("0", "6", "24", "72")
    return c.Elapsed(fact=fact, unit=unit, **_bounds(random, limits))


def _visits(random: Random) -> c.Visits:
    window = msgspec.structs.replace(_window(random, VISITING), whose=random.choice(("patient", "institution")))
    return c.Visits(
        modes=_maybe(random, 0.4, WORDS["encounter.visit_mode"], 3),
        window=msgspec.structs.replace(window, side=random.choice(("around", "before"))),
        same=_maybe(random, 0.2, SAME_VISIT, 1),
        different=_maybe(random, 0.15, SAME_VISIT, 1),
        where=_where_visited(random) if random.random() < 0.3 else None,
    )


def _where_visited(random: Random) -> c.Condition:
    """A condition on an encounter: facts, ages, diagnoses and operations, with limits that are numbers."""
    kind = random.choice(("fact", "fact", "diagnosis", "operation", "age", "not"))
    if kind == "not":
        return c.Not(of=_diagnosis(random, 0))
    drawn = _fact(random, 0, ("patient", "encounter")) if kind == "fact" else draw_leaf(random, kind, 0)
    worked_out = any(isinstance(getattr(drawn, name, None), c.Formula) for name in c.Bounds.__struct_fields__)
    return _where_visited(random) if worked_out else drawn


def _some(random: Random, depth: int) -> c.Condition:
    return c.Some(lines=_lines(random, depth))


def _every(random: Random, depth: int) -> c.Condition:
    return c.Every(lines=_lines(random, depth), among=c.Items(**draw_items(random)))


def _days_of_use(random: Random, depth: int) -> c.Condition:
    return c.DaysOfUse(lines=_lines(random, depth), **_bounds(random, ("1", "3", "7", "14", "15")))


def _overlap(random: Random, depth: int) -> c.Condition:
    return c.Overlap(lines=_lines(random, depth))


def _visit_count(random: Random, _depth: int) -> c.Condition:
    return c.VisitCount(visits=_visits(random), **_bounds(random, ("0", "1", "2")))


def _since_visit(random: Random, _depth: int) -> c.Condition:
    return c.SinceVisit(visits=_visits(random), **_bounds(random, ("0", "1", "3", "7", "14", "30")))


LEAVES: dict[str, Callable[[Random, int], c.Condition]] = {
    "fact": _fact,
    "evidence": _evidence,
    "age": _age,
    "diagnosis": _diagnosis,
    "operation": _operation,
    "some": _some,
    "every": _every,
    "count": _counted,
    "sum": _summed,
    "days_of_use": _days_of_use,
    "supply_left": _supply_left,
    "rank": _rank,
    "since": _since,
    "elapsed": _elapsed,
    "overlap": _overlap,
    "pair": _pair,
    "visits": _visit_count,
    "since_visit": _since_visit,
}
"""What draws each kind that holds no other, by the word it has in files."""
BRANCHES = ("all", "any", "not", "at_least")
KINDS: tuple[str, ...] = (*LEAVES, *BRANCHES)
"""Every kind of condition, by the word it has in files."""
ABOUT_LINE = ("rank", "overlap", "pair")


def draw_leaf(random: Random, kind: str, depth: int) -> c.Condition:
    """A condition of a kind that holds no other; ``depth`` is left for what it gathers."""
    return LEAVES[kind](random, depth)


def draw_branch(random: Random, kind: str, depth: int) -> c.Condition:
    """A condition of a kind that holds others."""
    if kind == "not":
        return c.Not(of=draw_condition(random, depth))
    of = tuple(draw_condition(random, depth) for _ in range(random.randint(2, 3 + (kind == "at_least"))))
    if kind == "at_least":
        return c.AtLeast(of=of, count=random.randint(1, len(of)))
    return c.All(of=of) if kind == "all" else c.Any(of=of)


def draw_condition(random: Random, depth: int) -> c.Condition:
    """A condition of nesting depth ``depth`` at most."""
    if depth > 0 and random.random() < 0.4:
        return draw_branch(random, random.choice(BRANCHES), depth - 1)
    return draw_leaf(random, random.choice(tuple(LEAVES)), depth)


def about_line(condition: c.Condition) -> bool:
    """Whether the condition looks at a trigger line, which rules of the encounter have not."""
    written = msgspec.json.encode(condition)
    return any(f'"kind":"{kind}"'.encode() in written for kind in ABOUT_LINE)
