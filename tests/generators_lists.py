"""Random lists over the universe of :mod:`tests.generators`: every part of a rule that changes what it finds."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from msgspec.json import encode

from negative_list import conditions as c
from negative_list.rules import Basis, Grade, OnUnknown, Rule, RuleList, Text, Trigger
from tests.generators import INSTANTS
from tests.generators_conditions import (
    DIAGNOSIS_CODES,
    KINDS,
    LEAVES,
    OPERATION_CODES,
    SETS,
    about_line,
    draw_branch,
    draw_condition,
    draw_items,
    draw_leaf,
    some_of,
)

__all__ = ["draw_list"]


def _violation(random: Random, kind: str) -> c.Condition:
    """The kind whose turn it is, alone or inside others; never more than three deep."""
    first = draw_leaf(random, kind, 1) if kind in LEAVES else draw_branch(random, kind, 2)
    if random.random() < 0.6 or kind not in LEAVES:
        return first
    others = tuple(draw_condition(random, 2) for _ in range(random.randint(1, 2)))
    of = (first, *others) if random.random() < 0.5 else (*others, first)
    return c.All(of=of) if random.random() < 0.5 else c.Any(of=of)


def _trigger(random: Random) -> Trigger:
    chance = random.random()
    if chance < 0.8:
        return Trigger(**draw_items(random))
    if chance < 0.86:
        return Trigger(diagnoses=some_of(random, DIAGNOSIS_CODES, 3))
    if chance < 0.92:
        return Trigger(operations=some_of(random, OPERATION_CODES, 2))
    return Trigger(encounter=True) if chance < 0.97 else Trigger(encounter=True, **draw_items(random))


def _grades(random: Random, violation: c.Condition, *, lineless: bool) -> tuple[Grade, ...]:
    # Terms prove no absence: where they are looked at nothing blocks.
    actions: tuple[Any, ...] = ("remind", "warn") if b'"terms"' in encode(violation) else ("remind", "warn", "block")
    grades = []
    for _ in range(random.choice((0, 0, 0, 1, 2))):
        when = draw_condition(random, 1)
        while lineless and about_line(when):
            when = draw_condition(random, 1)
        grades.append(Grade(when=when, action=random.choice(actions)))
    return tuple(grades)


def _in_force(random: Random, share: float) -> dict[str, date]:
    """The first and the last day of a rule, each given now and then, near the instants bodies are judged at."""
    first, last = (
        random.choice(INSTANTS).date() + timedelta(days=random.choice((-1, 0, 1))) if random.random() < share else None
        for _ in range(2)
    )
    if first and last and first > last:
        first, last = last, first
    return {name: day for name, day in (("valid_from", first), ("valid_to", last)) if day is not None}


def _rule(random: Random, number: int, kind: str) -> Rule:
    trigger = _trigger(random)
    lineless = bool(trigger.diagnoses or trigger.operations or trigger.encounter)
    violation, scope = _violation(random, kind), draw_condition(random, 1)
    while lineless and about_line(c.All(of=(violation, scope))):
        violation, scope = draw_condition(random, 2), draw_condition(random, 1)
    overriding = number > 0 and random.random() < 0.08
    amount: Any = random.choice(("line", "line", "excess", "excess", "none"))
    return Rule(
        id=f"r{number}",
        class_id="R01",
        title="随机",
        trigger=trigger,
        violation=violation,
        message=Text(zh="随机"),
        basis=Basis(document="随机"),
        result="suspicious",
        action=random.choice(("remind", "warn")),
        fund_only=random.random() < 0.3,
        per=random.choice(("line", "line", "encounter")),
        on_unknown=OnUnknown(action=random.choice(("pass", "remind", "warn"))),
        scope=scope if random.random() < 0.3 else None,
        amount=amount,
        amount_share=Decimal(random.choice(("1", "1", "0.5", "0.2"))),
        grades=_grades(random, violation, lineless=lineless),
        overrides=(f"r{random.randrange(number)}",) if overriding else (),
        **_in_force(random, 0.6 if overriding else 0.12),  # type: ignore[arg-type]
    )


def draw_list(seed: int) -> RuleList:
    """Draw a list of 4 to 9 rules; over successive seeds every kind has its turn as often as another."""
    random = Random(seed)
    number = random.randint(4, 9)
    rules = (_rule(random, n, KINDS[(seed * 7 + n) % len(KINDS)]) for n in range(number))
    return RuleList(rules=tuple(rules), sets=SETS)
