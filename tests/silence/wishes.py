"""What must hold of patient, visit and line so that a point has nothing to say, and two such wishes together."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from negative_list.prescription import FactValue

__all__ = ["AGES", "Wish", "both"]

AGES = {
    "newborn": (1, 27),
    "infant": (95, 330),
    "toddler": (400, 1050),
    "child": (2240, 4000),
    "adult": (11000, 16000),
    "elder": (22300, 29000),
}
"""Ages a patient may be drawn from, in days; none lies near a bound any remark names."""

_ANYWHERE = frozenset({"outpatient", "emergency", "inpatient", "internet"})


class Wish(Struct, frozen=True, kw_only=True):
    """What must hold for a point to be silent. Empty: anything does.

    ``facts`` are facts of patient and encounter; ``diagnoses`` (code, name) all of them; ``alone``: nothing that brings
    diagnoses may stand beside it (the remark shuts some out). Of the line: ``most`` is the quantity of one day,
    ``course_days`` the days of use, ``gap_days`` those since the last one, ``groups`` its groups of operations;
    ``herb``: another herb must stand beside it; ``self_paid``: the patient pays; ``onset``: begun soon after the onset.
    """

    sex: str = ""
    ages: frozenset[str] = frozenset(AGES)
    modes: frozenset[str] = _ANYWHERE
    insurance: str = ""
    level: int = 0
    diagnoses: tuple[tuple[str, str], ...] = ()
    facts: Mapping[str, FactValue] = {}
    alone: bool = False
    most: int | None = None
    course_days: int | None = None
    gap_days: int | None = None
    groups: frozenset[str] = frozenset()
    herb: bool = False
    self_paid: bool = False
    onset: bool = False


def both(one: Wish, other: Wish) -> Wish | None:
    """One patient, visit and line that meets both; ``None`` where there is none."""
    facts = {**one.facts, **other.facts}
    fits = (
        not (one.sex and other.sex and one.sex != other.sex)
        and one.ages & other.ages
        and one.modes & other.modes
        and not (one.insurance and other.insurance and one.insurance != other.insurance)
        and all(facts[name] == value for name, value in one.facts.items())
        and not (one.alone and other.diagnoses and set(one.diagnoses) != set(other.diagnoses))
        and not (other.alone and one.diagnoses and set(one.diagnoses) != set(other.diagnoses))
    )
    return _joined(one, other, facts) if fits else None


def _joined(one: Wish, other: Wish, facts: Mapping[str, FactValue]) -> Wish:
    return Wish(
        sex=one.sex or other.sex,
        ages=one.ages & other.ages,
        modes=one.modes & other.modes,
        insurance=one.insurance or other.insurance,
        level=max(one.level, other.level),
        diagnoses=tuple(dict.fromkeys((*one.diagnoses, *other.diagnoses))),
        facts=facts,
        alone=one.alone or other.alone,
        most=_least(one.most, other.most),
        course_days=_least(one.course_days, other.course_days),
        gap_days=max(filter(None, (one.gap_days, other.gap_days)), default=None),
        groups=one.groups | other.groups,
        herb=one.herb or other.herb,
        self_paid=one.self_paid or other.self_paid,
        onset=one.onset or other.onset,
    )


def _least(one: int | None, other: int | None) -> int | None:
    return min((number for number in (one, other) if number is not None), default=None)
