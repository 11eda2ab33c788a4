"""Random lists over the universe of :mod:`tests.generators`: every condition kind, window, state, side and way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import msgspec

from negative_list import conditions as c
from negative_list.rules import Basis, NamedSet, OnUnknown, Rule, RuleList, Text, Trigger
from tests.generators import DIAGNOSES, INSTANTS, ITEMS, OPERATIONS, WORDS

__all__ = ["KINDS", "draw_list"]

CODES = tuple(code for code, _, _ in ITEMS)
SETS = tuple(
    NamedSet(id=name, codes=CODES[first::step])
    for name, first, step in (("甲", 0, 2), ("乙", 1, 3), ("丙", 6, 1), ("丁", 0, 5))
)
PREFIXES = ("X", "XL02", "Z", "T", "T0017", "0012", "003", "C02", "XJ01DDT082B001", "ZD03AAA0043")
NAMES = ("阿帕他胺", "输液", "甘草", "注射", "阿胶", "运动疗法", "银杏叶")
DIAGNOSIS_CODES = ("I10", "I63", "I20-I25", "C61", "C00-C97", "E11.9", "E10-E14", "H35.3", "J18", "O80", "I63.9", "Z88")
DIAGNOSIS_TERMS = (*(name for _, name in DIAGNOSES), "恶性肿瘤", "糖尿病", "小细胞肺癌", "MD", "ＭＤＳ")
OPERATION_CODES = ("36", "36.07", "85.21", "13", "35-37")
OPERATION_TERMS = (*(name for _, name in OPERATIONS), "支架", "白内障")
SAME = ("line.group_no", "line.site", "line.rx_no", "line.incision")
UNITS = ("instant", "hour", "day", "month", "quarter", "year", "hours", "days", "encounter", "lifetime", "course")
SLIDING = (*UNITS, *("hours", "days") * 4)  # counts and sums slide, so that theirs come more often
NUMBERS = {
    "line.quantity": ("1", "2", "3", "6", "7"),
    "line.amount_fen": ("1000", "2500", "3500", "30000"),
    "line.unit_price_fen": ("500", "1000"),
    "encounter.institution_level": ("1", "2", "3"),
    "encounter.stay_days": ("3", "14", "15"),
}
FLAGS = ("line.first_line_used", "encounter.rescue")


def _some(random: Random, values: tuple[Any, ...], most: int) -> tuple[Any, ...]:
    return tuple(random.sample(values, random.randint(1, min(most, len(values)))))


def _maybe(random: Random, share: float, values: tuple[Any, ...], most: int) -> tuple[Any, ...]:
    return _some(random, values, most) if random.random() < share else ()


def _items(random: Random, *, wide: bool = False) -> dict[str, Any]:
    """Ways to name items; ``wide`` may also name every line, or all but a few."""
    if wide and random.random() < 0.55:
        return {"except_codes": _maybe(random, 0.3, PREFIXES + CODES, 2)}
    ways: dict[str, Any] = {}
    while not ways:
        drawn = {
            "codes": _maybe(random, 0.45, CODES, 5),
            "prefixes": _maybe(random, 0.35, PREFIXES, 3),
            "sets": _maybe(random, 0.35, tuple(one.id for one in SETS), 2),
            "names": _maybe(random, 0.25, NAMES, 2),
            "types": _maybe(random, 0.2, WORDS["line.item_type"], 3),
        }
        ways = {way: given for way, given in drawn.items() if given}
    if random.random() < 0.15:
        ways["except_codes"] = _some(random, PREFIXES + CODES, 2)
    return ways


def _bounds(random: Random, limits: tuple[str, ...]) -> dict[str, Decimal]:
    """One bound, or a lower and an upper one that leave room between."""
    low, high = sorted(Decimal(random.choice(limits)) for _ in range(2))
    lower, upper = random.choice(("above", "at_least")), random.choice(("below", "at_most"))
    chance = random.random()
    if chance < 0.45:
        return {lower: low}
    if chance < 0.8 or low == high:
        return {upper: high}
    return {lower: low, upper: high}


def _window(random: Random, units: tuple[str, ...] = UNITS) -> c.Window:
    unit: Any = random.choice(units)
    if unit == "encounter":
        return c.Window(unit=unit, side=random.choice(("around", "around", "before")))
    lengths = {"hours": (1, 6, 24, 48), "days": (1, 3, 7, 14), "course": (1, 3, 7, 14)}.get(unit)
    return c.Window(
        unit=unit,
        length=random.choice(lengths) if lengths else None,
        ends=random.choice(("closed", "open")) if unit in ("hours", "days") else "closed",
        side=random.choice(("around", "around", "before")),
        whose=random.choice(("encounter", "patient")),
    )


def _lines(random: Random, depth: int, units: tuple[str, ...] = UNITS) -> c.Lines:
    return c.Lines(
        items=c.Items(**_items(random, wide=True)),
        window=_window(random, units),
        state=random.choice(("any", "any", "any", "current", "in_force")),
        same=_maybe(random, 0.2, SAME, 2),
        where=_where(random, depth) if random.random() < 0.2 else None,
        other_item=random.random() < 0.15,
    )


def _where(random: Random, depth: int) -> c.Condition:
    """A condition on the gathered line; seldom one that gathers lines itself."""
    kind = random.choice(("fact", "fact", "fact", "age", "elapsed", "diagnosis", "some", "all", "any", "not"))
    if kind == "some" and depth < 1:
        kind = "fact"
    return _leaf(random, kind, depth - 1) if kind not in ("all", "any", "not") else _branch(random, kind, 0)


def _fact(random: Random, _depth: int) -> c.Condition:
    chance = random.random()
    if chance < 0.35:
        fact = random.choice(tuple(NUMBERS))
        return msgspec.structs.replace(c.Fact(fact=fact), **_bounds(random, NUMBERS[fact]))
    if chance < 0.55:
        return c.Fact(fact=random.choice(FLAGS), any_of=(random.random() < 0.5,))
    fact = random.choice(tuple(WORDS))
    return c.Fact(fact=fact, any_of=_some(random, WORDS[fact], max(1, len(WORDS[fact]) - 1)))


def _age(random: Random, _depth: int) -> c.Condition:
    unit: Any = random.choice(("year", "year", "month", "day"))
    limits = {"year": ("3", "12", "18", "60"), "month": ("1", "6", "12", "144"), "day": ("27", "28", "365")}[unit]
    return c.Age(unit=unit, **_bounds(random, limits))


def _diagnosis(random: Random, _depth: int) -> c.Condition:
    codes = _maybe(random, 0.85, DIAGNOSIS_CODES, 3)
    terms = _maybe(random, 0.4, DIAGNOSIS_TERMS, 2) if codes else _some(random, DIAGNOSIS_TERMS, 2)
    return c.Diagnosis(codes=codes, terms=terms, main=random.random() < 0.25, past=random.random() < 0.3)


def _operation(random: Random, _depth: int) -> c.Condition:
    codes = _maybe(random, 0.8, OPERATION_CODES, 2)
    terms = _maybe(random, 0.4, OPERATION_TERMS, 2) if codes else _some(random, OPERATION_TERMS, 2)
    return c.Operation(codes=codes, terms=terms, main=random.random() < 0.25)


def _counted(random: Random, depth: int) -> c.Condition:
    by: Any = random.choice(("line", "item", "day"))
    return c.Count(lines=_lines(random, depth, SLIDING), by=by, **_bounds(random, ("1", "2", "3", "4", "5")))


def _summed(random: Random, depth: int) -> c.Condition:
    of = random.choice(("line.quantity", "line.amount_fen"))
    return c.Sum(lines=_lines(random, depth, SLIDING), of=of, **_bounds(random, NUMBERS[of]))


def _pair(random: Random, _depth: int) -> c.Condition:
    return c.Pair(
        main=c.Items(**_items(random)),
        contained=c.Items(**_items(random)),
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


LEAVES: dict[str, Callable[[Random, int], c.Condition]] = {
    "fact": _fact,
    "age": _age,
    "diagnosis": _diagnosis,
    "operation": _operation,
    "some": lambda random, depth: c.Some(lines=_lines(random, depth)),
    "every": lambda random, depth: c.Every(lines=_lines(random, depth), among=c.Items(**_items(random))),
    "count": _counted,
    "sum": _summed,
    "days_of_use": lambda random, depth: c.DaysOfUse(
        lines=_lines(random, depth), **_bounds(random, ("1", "3", "7", "14", "15"))
    ),
    "rank": lambda random, depth: c.Rank(lines=_lines(random, depth), **_bounds(random, ("1", "2", "3"))),
    "since": _since,
    "elapsed": _elapsed,
    "overlap": lambda random, depth: c.Overlap(lines=_lines(random, depth)),
    "pair": _pair,
}
KINDS: tuple[str, ...] = (*LEAVES, "all", "any", "not")
"""Every kind of condition, by the word it has in files."""
ABOUT_LINE = ("rank", "overlap", "pair")


def _leaf(random: Random, kind: str, depth: int) -> c.Condition:
    return LEAVES[kind](random, depth)


def _branch(random: Random, kind: str, depth: int) -> c.Condition:
    if kind == "not":
        return c.Not(of=_condition(random, depth))
    of = tuple(_condition(random, depth) for _ in range(random.randint(2, 3)))
    return c.All(of=of) if kind == "all" else c.Any(of=of)


def _condition(random: Random, depth: int) -> c.Condition:
    """A condition of nesting depth ``depth`` at most."""
    if depth > 0 and random.random() < 0.4:
        return _branch(random, random.choice(("all", "any", "not")), depth - 1)
    return _leaf(random, random.choice(tuple(LEAVES)), depth)


def _about_line(condition: c.Condition) -> bool:
    """Whether the condition looks at a trigger line, which rules of the encounter have not."""
    written = msgspec.json.encode(condition)
    return any(f'"kind":"{kind}"'.encode() in written for kind in ABOUT_LINE)


def _violation(random: Random, kind: str) -> c.Condition:
    """The kind whose turn it is, alone or inside others; never more than three deep."""
    first = _leaf(random, kind, 1) if kind in LEAVES else _branch(random, kind, 2)
    if random.random() < 0.6 or kind not in LEAVES:
        return first
    others = tuple(_condition(random, 2) for _ in range(random.randint(1, 2)))
    of = (first, *others) if random.random() < 0.5 else (*others, first)
    return c.All(of=of) if random.random() < 0.5 else c.Any(of=of)


def _trigger(random: Random) -> Trigger:
    chance = random.random()
    if chance < 0.8:
        return Trigger(**_items(random))
    if chance < 0.86:
        return Trigger(diagnoses=_some(random, DIAGNOSIS_CODES, 3))
    if chance < 0.92:
        return Trigger(operations=_some(random, OPERATION_CODES, 2))
    return Trigger(encounter=True) if chance < 0.97 else Trigger(encounter=True, **_items(random))


def _rule(random: Random, number: int, kind: str) -> Rule:
    day = random.choice(INSTANTS).date() + timedelta(days=random.choice((-1, 0, 1)))
    trigger = _trigger(random)
    violation, scope = _violation(random, kind), _condition(random, 1)
    while (trigger.diagnoses or trigger.operations or trigger.encounter) and _about_line(c.All(of=(violation, scope))):
        violation, scope = _condition(random, 2), _condition(random, 1)
    return Rule(
        id=f"r{number}",
        class_id="R01",
        title="随机",
        trigger=trigger,
        violation=violation,
        message=Text(zh="随机"),
        basis=Basis(document="随机"),
        result="suspicious",
        fund_only=random.random() < 0.3,
        per=random.choice(("line", "line", "encounter")),
        on_unknown=OnUnknown(action=random.choice(("pass", "remind", "warn"))),
        scope=scope if random.random() < 0.3 else None,
        valid_from=day if random.random() < 0.12 else None,
        valid_to=day if random.random() < 0.12 else None,
    )


def draw_list(seed: int) -> RuleList:
    """Draw a list of 5 to 15 rules; over successive seeds every kind has its turn as often as another."""
    random = Random(seed)
    number = random.randint(5, 15)
    rules = (_rule(random, n, KINDS[(seed * 7 + n) % len(KINDS)]) for n in range(number))
    return RuleList(rules=tuple(rules), sets=SETS)
