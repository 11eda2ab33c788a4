"""Whatever the deep check says of two conditions is so for every prescription the engine can be shown."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from random import Random
from typing import Any

import msgspec

from negative_list import conditions as c
from negative_list.bind import Binder
from negative_list.check import Check
from negative_list.codes import normal
from negative_list.deep.implying import Implying
from negative_list.terms import Terms
from negative_list.text import normalise
from negative_list.validate_bounds import BOUNDS
from tests.generators import draw_case
from tests.generators_conditions import SETS, draw_leaf

KINDS = ("fact", "age", "count", "sum", "diagnosis", "some", "since", "elapsed", "days_of_use", "rank")
CASES = 60
NAMED = {named.id: tuple(map(normal, named.codes)) for named in SETS}


def relatives(random: Random, condition: c.Condition) -> list[c.Condition]:
    """Conditions that are like one: other bounds, fewer values, codes or terms, others' lines."""
    found = [condition]
    for name in BOUNDS if isinstance(condition, c.Bounds) else ():
        limit = getattr(condition, name)
        if isinstance(limit, Decimal):
            other = random.choice([each for each in BOUNDS if each != name])
            bare: dict[str, Any] = dict.fromkeys(BOUNDS)
            found.append(msgspec.structs.replace(condition, **{name: limit + random.choice((-1, 1, 2))}))
            found.append(msgspec.structs.replace(condition, **(bare | {other: limit})))
    for name in ("any_of", "codes", "terms"):
        values = getattr(condition, name, ())
        if len(values) > 1:
            found.append(msgspec.structs.replace(condition, **{name: values[: len(values) // 2]}))
    lines = getattr(condition, "lines", None)
    if lines is not None and lines.items.codes:
        fewer = msgspec.structs.replace(lines.items, codes=lines.items.codes[:1])
        found.append(msgspec.structs.replace(condition, lines=msgspec.structs.replace(lines, items=fewer)))
    return found


def family(seed: int) -> list[c.Condition]:
    """Conditions of which many imply or exclude each other."""
    random = Random(seed)
    kinds = random.sample(KINDS, 3)
    found = [each for kind in kinds for each in relatives(random, draw_leaf(random, kind, 0))]
    found += [c.Not(of=each) for each in found[:6]]
    for _ in range(8):
        one, other = random.choice(found), random.choice(found)
        found.append(random.choice((c.All, c.Any))(of=(one, other)))
    return found


def answers(conditions: list[c.Condition], seed: int) -> list[list[bool | None]]:
    """What the engine answers each condition, over the lines of many drawn prescriptions."""
    binder = Binder(NAMED)
    tests = [binder.bind(each) for each in conditions]
    terms = Terms({normalise(term) for each in conditions for term in terms_in(each)})
    told: list[list[bool | None]] = [[] for _ in conditions]
    for number in range(CASES):
        case = draw_case(Random(seed * 1000 + number))
        check = Check(case.prescription, case.at, terms, case.history)
        for line in check.encounter.lines:
            for place, test in enumerate(tests):
                told[place].append(test(check, line))
    return told


def terms_in(condition: c.Condition) -> list[str]:
    """Every text the condition looks for."""

    def walk(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [term for key in ("terms", "names", "except_names") for term in value.get(key, ())]
            return own + [term for inner in value.values() for term in walk(inner)]
        return [term for inner in value for term in walk(inner)] if isinstance(value, list) else []

    return walk(msgspec.to_builtins(condition))


def claims(seed: int) -> Counter[str]:
    """What is said of the conditions of one family, each claim held against every answer."""
    conditions = family(seed)
    told, implying, said = answers(conditions, seed), Implying(NAMED), Counter[str]()
    for one, first in zip(conditions, told, strict=True):
        if implying.never(one):
            said["never"] += 1
            assert True not in first, one
        for other, second in zip(conditions, told, strict=True):
            pairs = list(zip(first, second, strict=True))
            if one != other and implying.implies(one, other):
                said["implies"] += 1
                assert all(right for left, right in pairs if left), (one, other)
            if implying.excludes(one, other):
                said["excludes"] += 1
                assert (True, True) not in pairs, (one, other)
            if implying.covers(one, other):
                said["covers"] += 1
                assert (False, False) not in pairs, (one, other)
    return said


def test_what_is_said_is_so() -> None:
    """Implied conditions hold, excluded ones never do together, of two that cover everything one always holds."""
    said = sum((claims(seed) for seed in range(40)), Counter[str]())
    assert min(said[word] for word in ("never", "implies", "excludes", "covers")) > 10, said
