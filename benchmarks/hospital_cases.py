"""Encounters of a large hospital as they stand: who, where, what is ordered, which rules would find something in it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from negative_list.prescription import Line

__all__ = ["ZONE", "Case", "Item", "Rule", "World", "make_world", "maybe"]

ZONE = timedelta(hours=8)
"""What civil time is ahead of UTC by."""

_DOCTORS = 12_000
_DEPARTMENTS = 40
_WHOLE, _SHADOW, _UNKNOWN = {11, 23, 35, 47, 59}, {7, 22, 37, 52}, {13, 33, 53}


def maybe(rng: Random, share: float) -> bool:
    """True so often."""
    return rng.random() < share


class Rule(Struct, frozen=True, kw_only=True):
    """A rule; ``whole``: about the encounter, not a line of it; ``shadow``: found and not shown."""

    ident: str
    class_id: str
    action: Any
    fund_only: bool
    addressee: str
    whole: bool
    shadow: bool
    unknown: bool


class Item(Struct, frozen=True, kw_only=True):
    """Something that may be ordered, and the rules about it."""

    code: str
    name: str
    price_fen: int
    kind: str
    rules: tuple[Rule, ...]


def _rules(rng: Random) -> list[Rule]:
    """Sixty rules: some about the encounter, some in shadow, some for others than the doctor."""
    return [
        Rule(
            ident=f"M{number:03d}",
            class_id=f"R{rng.choice((2, 12, 21, 31, 56, 67, 68)):02d}",
            action=rng.choice(("remind", "warn", "warn", "block")),
            fund_only=maybe(rng, 0.5),
            addressee=rng.choice(("doctor",) * 8 + ("pharmacy", "charge_entry")),
            whole=number in _WHOLE,
            shadow=number in _SHADOW,
            unknown=number in _UNKNOWN,
        )
        for number in range(60)
    ]


def _items(rng: Random, rules: list[Rule]) -> list[Item]:
    """Eight hundred items; a third of them have a rule or two."""
    return [
        Item(
            code=f"XA{number:05d}B001010100001",
            name=f"药品{number}",
            price_fen=rng.randrange(50, 90_000),
            kind=rng.choice(("drug", "drug", "herb", "service", "material")),
            rules=tuple(rng.sample(rules, rng.choice((0,) * 26 + (1, 2, 3)))),
        )
        for number in range(800)
    ]


class World(Struct, frozen=True, kw_only=True):
    """What does not change over the month."""

    rules: list[Rule]
    items: list[Item]


def make_world() -> World:
    """The same one for every journal."""
    rng = Random(11)
    rules = _rules(rng)
    return World(rules=rules, items=_items(rng, rules))


class Case:
    """One encounter as it stands: who, where, what is ordered, and what the rules would find in it now.

    ``gone``: findings (rule, line) that are found no more; ``sends``: whether its institution sends more than 3101.
    """

    def __init__(self, world: World, number: int, at: datetime, rng: Random) -> None:
        self.rng, self.world = rng, world
        self.institution = rng.choice(("H1",) * 16 + ("H2",) * 3 + ("H3",))
        self.sends = self.institution != "H2"
        self.doctor = int(rng.betavariate(1.1, 2.5) * _DOCTORS)
        self.department = self.doctor % _DEPARTMENTS
        self.mode = rng.choice(("outpatient",) * 7 + ("emergency", "inpatient", "inpatient"))
        self.key = f"{number:016x}{rng.getrandbits(64):016x}"
        self.patient = f"{rng.getrandbits(128):032x}"
        self.months = rng.randrange(2, 1100)
        self.diagnoses = [f"I{rng.randrange(10, 99)}.900"]
        self.lines: list[Line] = []
        self.gone: set[tuple[str, str]] = set()
        self.discharged: datetime | None = None
        self.scene = "2"
        self.release = "2026-04"
        self.serial = 0
        self.order(at, rng.choice((1, 2, 2, 3, 3, 4, 6)))

    def order(self, at: datetime, count: int) -> None:
        """New lines; those before are in force."""
        self.lines = [replace(line, current=False) for line in self.lines]
        for item in self.rng.sample(self.world.items, count):
            self.serial += 1
            self.lines.append(_line(item, self, at))

    def found(self) -> list[tuple[Rule, tuple[Line, ...]]]:
        """What the rules find: current lines they forbid, joined where one rule finds two, and the encounter."""
        by_rule: dict[str, tuple[Rule, list[Line]]] = {}
        for line in self.lines:
            if line.current:
                for rule in self.world.items[int(line.codes[0][2:7])].rules:
                    if (rule.ident, line.id) not in self.gone:
                        by_rule.setdefault(rule.ident, (rule, []))[1].append(line)
        return [(rule, () if rule.whole else tuple(lines)) for rule, lines in by_rule.values()]


def _line(item: Item, case: Case, at: datetime) -> Line:
    quantity = case.rng.randrange(1, 8)
    begins = (at + ZONE).replace(tzinfo=None)
    untimed = maybe(case.rng, 0.02)
    return Line(
        id=f"L{case.serial}" if case.serial % 9 else f"#{case.serial}",
        encounter_id=case.key,
        codes=(item.code,),
        name=item.name,
        begins=None if untimed else begins.replace(microsecond=0),
        facts={
            "line.quantity": Decimal(quantity),
            "line.days": 7,
            "line.amount_fen": item.price_fen * quantity,
            "line.item_type": item.kind,
            "line.paid_by": "fund",
            "line.doctor_id": f"D{case.doctor:05d}",
            "line.department_code": f"{case.department:04d}",
        },
    )
