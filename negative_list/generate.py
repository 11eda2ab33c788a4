"""Lists of any size with the class mix and the code structures of the published knowledge points.

For benchmarks and tests: the names and codes are made up, the proportions are measured. The same number of details
and the same seed give the same list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random
from typing import Literal

from msgspec import Struct

from negative_list import conditions as c
from negative_list.rules import Basis, OnUnknown, Rule, RuleList, Text, Trigger

__all__ = ["FAMILIES", "Family", "generate"]


class Family(Struct, frozen=True, kw_only=True):
    """One class of generated rules.

    ``details`` is the class's share (details among the published points), ``per_rule`` its codes for each rule
    (mean), ``code`` the structure of its codes, ``violation`` makes the condition from the rule's codes.
    """

    class_id: str
    details: int
    per_rule: int
    code: str
    violation: Callable[[Random, tuple[str, ...]], c.Condition]
    action: Literal["warn", "block"] = "warn"
    fund_only: bool = True


def generate(details: int, seed: int) -> RuleList:
    """A list of about so many details.

    Args:
        details: (rule, code) pairs wanted; the list has at least one rule of each family.
        seed: of all random choices.
    """
    rng = Random(seed)  # noqa: S311 (no secret: repeatable on purpose)
    codes = _Codes(rng)
    scale = details / sum(family.details for family in FAMILIES)
    prefix = f"gen-{seed}"
    rules = [rule for family in FAMILIES for rule in _rules(family, scale, rng, codes, prefix)]
    return RuleList(rules=tuple(rules))


def _rules(family: Family, scale: float, rng: Random, codes: _Codes, prefix: str) -> Iterator[Rule]:
    left = max(1, round(family.details * scale))
    number = 0
    while left > 0:
        size = min(left, max(1, round(rng.expovariate(1 / family.per_rule)))) if family.per_rule > 1 else 1
        number += 1
        rule_id = f"{prefix}-{family.class_id}-{number:06d}"
        rule = _rule(family, rule_id, rng, codes.some(family.code, size))
        # A pair's main item is a detail too.
        left -= len(rule.trigger.codes)
        yield rule


def _rule(family: Family, rule_id: str, rng: Random, own: tuple[str, ...]) -> Rule:
    violation = family.violation(rng, own)
    main = violation.main.codes if isinstance(violation, c.Pair) else ()
    return Rule(
        id=rule_id,
        class_id=family.class_id,
        title=rule_id,
        trigger=Trigger(codes=(*main, *own)),
        violation=violation,
        message=Text(zh=f"生成的规则 {rule_id}"),
        basis=Basis(document="generated"),
        action=family.action,
        fund_only=family.fund_only,
        on_unknown=OnUnknown(),
        suggestions=("drop", "self_pay") if family.fund_only else ("drop",),
    )


class _Codes:
    """Codes of national structure, each handed out once."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._used: set[str] = set()

    def some(self, structure: str, size: int) -> tuple[str, ...]:
        """Codes of one item: they share what names the item and differ in pack and company."""
        stem = _STEMS[structure](self._rng)
        return tuple(self._one(structure, stem) for _ in range(size))

    def _one(self, structure: str, stem: str) -> str:
        while True:
            code = _TAILS[structure](self._rng, stem)
            if code not in self._used:
                self._used.add(code)
                return code
            stem = _STEMS[structure](self._rng)


_LETTERS = "ABCDEFGHJKLMNPRSTUVX"


def _letters(rng: Random, size: int) -> str:
    return "".join(rng.choices(_LETTERS, k=size))


def _digits(rng: Random, size: int) -> str:
    return f"{rng.randrange(10**size):0{size}d}"


_STEMS: dict[str, Callable[[Random], str]] = {
    "drug": lambda rng: f"X{_letters(rng, 1)}{_digits(rng, 2)}{_letters(rng, 3)}{_digits(rng, 3)}A{_digits(rng, 3)}",
    "patent": lambda rng: f"Z{_letters(rng, 1)}{_digits(rng, 2)}{_letters(rng, 3)}{_digits(rng, 4)}",
    "herb": lambda _rng: "T00",
    "service": lambda rng: f"00{rng.randint(1, 4)}",
}
_TAILS: dict[str, Callable[[Random, str], str]] = {
    "drug": lambda rng, stem: stem + _digits(rng, 9),
    "patent": lambda rng, stem: stem + _digits(rng, 9),
    "herb": lambda rng, stem: stem + _digits(rng, 7),
    "service": lambda rng, stem: stem + _digits(rng, 12),
}


_FEMALE_SHARE = 0.9
"""Of the published sex points, those limited to women."""
_EMERGENCY_SHARE = 0.2
"""Of the published visit modes, those that allow emergency besides inpatient."""
_ADULT_SHARE = 0.3
"""Of the published indications, those with an adult or child branch."""


def _number(rng: Random, *choices: int) -> Decimal:
    return Decimal(rng.choice(choices))


def _sex(rng: Random, _codes: tuple[str, ...]) -> c.Condition:
    return c.Fact(fact="patient.sex", any_of=("男" if rng.random() < _FEMALE_SHARE else "女",))


def _sex_exempt(rng: Random, codes: tuple[str, ...]) -> c.Condition:
    exempt = c.Diagnosis(codes=("Q56", "Q90-Q99", "E34.5"), terms=("两性畸形", "性发育异常", "染色体异常"))
    return c.All(of=(_sex(rng, codes), c.Not(of=exempt)))


def _child(rng: Random, _codes: tuple[str, ...]) -> c.Condition:
    return c.Age(at_least=_number(rng, 18, 18, 18, 14, 12))


def _insurance(word: str) -> Callable[[Random, tuple[str, ...]], c.Condition]:
    condition = c.Not(of=c.Fact(fact="encounter.insurance", any_of=(word,)))
    return lambda _rng, _codes: condition


def _visit(rng: Random, _codes: tuple[str, ...]) -> c.Condition:
    modes = ("emergency", "inpatient") if rng.random() < _EMERGENCY_SHARE else ("inpatient",)
    return c.Not(of=c.Fact(fact="encounter.visit_mode", any_of=modes))


def _level(rng: Random, _codes: tuple[str, ...]) -> c.Condition:
    return c.Fact(fact="encounter.institution_level", below=_number(rng, 2, 2, 2, 3))


def _course(rng: Random, codes: tuple[str, ...]) -> c.Condition:
    window = c.Window(unit="course", length=30, whose="patient")
    return c.DaysOfUse(lines=c.Lines(items=c.Items(codes=codes), window=window), above=_number(rng, 3, 10, 14, 14, 20))


def _indication(rng: Random, _codes: tuple[str, ...]) -> c.Condition:
    branches = tuple(_branch(rng) for _ in range(rng.choice((1, 1, 1, 2, 3, 5))))
    return c.Not(of=branches[0] if len(branches) == 1 else c.Any(of=branches))


def _branch(rng: Random) -> c.Condition:
    category = f"{rng.choice('ABCDEGIJKLMN')}{rng.randrange(10, 96):02d}"
    disease = c.Diagnosis(codes=(category,), terms=(f"病名{rng.randrange(1200)}", f"别名{rng.randrange(1200)}"))
    if rng.random() < _ADULT_SHARE:
        return c.All(of=(disease, c.Age(at_least=Decimal(18))))
    return disease


def _second_line(_rng: Random, _codes: tuple[str, ...]) -> c.Condition:
    return c.Fact(fact="line.first_line_used", any_of=(False,))


def _internet(_rng: Random, _codes: tuple[str, ...]) -> c.Condition:
    return c.Fact(fact="encounter.visit_mode", any_of=("internet",))


def _pair(rng: Random, _codes: tuple[str, ...]) -> c.Condition:
    unit: Literal["day", "encounter", "hours", "hour"]
    unit, length = rng.choices((("day", None), ("encounter", None), ("hours", 6), ("hour", None)), (330, 316, 14, 5))[0]
    main = f"003{_digits(rng, 12)}"
    return c.Pair(
        main=c.Items(codes=(main,)), contained=c.Items(codes=_codes), window=c.Window(unit=unit, length=length)
    )


def _daily(rng: Random, codes: tuple[str, ...]) -> c.Condition:
    return c.Sum(lines=c.Lines(items=c.Items(codes=codes), window=c.Window(unit="day")), above=_number(rng, 1, 24))


def _rolling(rng: Random, codes: tuple[str, ...]) -> c.Condition:
    window = c.Window(unit="days", length=rng.choice((7, 14, 15)), ends="open", whose="patient")
    return c.Sum(lines=c.Lines(items=c.Items(codes=codes), window=window), above=Decimal(1))


def _herbs(_rng: Random, codes: tuple[str, ...]) -> c.Condition:
    herbs = c.Lines(items=c.Items(types=("herb",)), same=("line.rx_no",))
    return c.Every(lines=herbs, among=c.Items(codes=codes))


def _never(_rng: Random, codes: tuple[str, ...]) -> c.Condition:
    return c.Count(lines=c.Lines(items=c.Items(codes=codes)), above=Decimal(0))


def _full_price(_rng: Random, codes: tuple[str, ...]) -> c.Condition:
    full = c.Fact(fact="line.full_price", any_of=(True,))
    lines = c.Lines(
        items=c.Items(codes=codes),
        window=c.Window(unit="day"),
        same=("line.incision",),
        where=full,
        other_item=True,
    )
    return c.All(of=(full, c.Rank(lines=lines, above=Decimal(1))))


# Shares: details and codes for each rule of the public batches 1-11 and 12-17 of the insurer's two libraries.
FAMILIES: tuple[Family, ...] = (
    Family(class_id="R67", details=5822, per_rule=13, code="patent", violation=_sex, action="block", fund_only=False),
    Family(class_id="R65", details=5444, per_rule=20, code="patent", violation=_child, action="block", fund_only=False),
    Family(class_id="R08", details=3853, per_rule=10, code="drug", violation=_indication),
    Family(class_id="R10", details=1810, per_rule=39, code="drug", violation=_course),
    Family(class_id="R13", details=1344, per_rule=21, code="drug", violation=_visit),
    Family(class_id="R12", details=1061, per_rule=13, code="patent", violation=_level, action="block"),
    Family(class_id="R25", details=1330, per_rule=1, code="service", violation=_pair),
    Family(class_id="R05", details=491, per_rule=6, code="drug", violation=_second_line),
    Family(class_id="R81", details=285, per_rule=1, code="service", violation=_sex_exempt, action="block"),
    Family(class_id="R15", details=275, per_rule=39, code="service", violation=_full_price),
    Family(class_id="R47", details=204, per_rule=11, code="drug", violation=_internet, fund_only=False),
    Family(class_id="R01", details=125, per_rule=9, code="drug", violation=_insurance("work-injury"), action="block"),
    Family(class_id="R04", details=89, per_rule=89, code="herb", violation=_herbs),
    Family(class_id="R02", details=57, per_rule=10, code="drug", violation=_insurance("maternity"), action="block"),
    Family(class_id="R27", details=55, per_rule=1, code="service", violation=_daily),
    Family(class_id="R07", details=47, per_rule=2, code="drug", violation=_child, action="block"),
    Family(class_id="R03", details=30, per_rule=1, code="herb", violation=_never, action="block"),
    Family(class_id="R80", details=24, per_rule=1, code="service", violation=_child, action="block", fund_only=False),
    Family(class_id="R31", details=13, per_rule=1, code="service", violation=_rolling),
    Family(class_id="R23", details=10, per_rule=1, code="service", violation=_course),
)
"""The families, largest share first."""
