"""One fact changed, and the item is no longer payable: clear violations made from conforming prescriptions."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from negative_list.importer import Point
from negative_list.prescription import Prescription
from tests.silence.drawn import Drawn, drawn_with
from tests.silence.readings import class_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from negative_list.prescription import FactValue
    from tests.silence.points import Points

__all__ = ["CLEAR", "Pair", "pairs_of"]

CLEAR = ("R67", "R81", "R07", "R65", "R80", "R01", "R02", "R12", "R03")
"""Classes whose violations are clear: sex, age, insurance, level, never payable."""

_LINE = "L1"


class Pair(Struct, frozen=True, kw_only=True):
    """A prescription that violates one point with one line, and the same with the one fact changed back."""

    point: Point
    class_id: str
    what: str
    violating: Prescription
    conforming: Drawn
    line: str = _LINE


def pairs_of(points: Points, point: Point, at: datetime) -> Iterator[Pair]:
    """Every way to break the point with one fact, each with its conforming twin; two harmless lines follow its own."""
    rng = Random(f"{point.kp_id} {at}")
    code = rng.choice(point.med_codes)
    wish = points.wish(code, rng)
    drawn = drawn_with(points, [(code, wish)], wish, rng, 2, bare_at=at)
    class_id = class_of(point)
    # "三级医院眼科或二级及以上眼科专科医院": a conforming visit is drawn at level 3, but level 2 may be right too
    least = 2 if "二级" in point.constraint else wish.level
    for what, broken in _BREAK[class_id](drawn.prescription, points.parameters.get(point.kp_id, {}), least):
        yield Pair(point=point, class_id=class_id, what=what, violating=broken, conforming=drawn)


Broken = tuple[str, "Prescription"]


def _sex(drawn: Prescription, _parameters: Mapping[str, Any], _level: int) -> Iterator[Broken]:
    other = "男" if drawn.patient.facts["patient.sex"] == "女" else "女"
    yield other, _patient(drawn, "patient.sex", other)


def _age(drawn: Prescription, parameters: Mapping[str, Any], _level: int) -> Iterator[Broken]:
    """A grown-up; and where a bound is known, the first day beyond it and the last one before it."""
    today = _day(drawn)
    yield "grown-up", _born(drawn, _years_before(today, 40))
    age = parameters.get("age", {})
    if age.get("unit") != "year":
        return
    if age["max"] is not None:
        first_beyond = int(age["max"]) + (0 if age["max_open"] else 1)
        yield f"{first_beyond} today", _born(drawn, _years_before(today, first_beyond))
    if age["min"]:
        yield f"{age['min']} tomorrow", _born(drawn, _years_before(today, int(age["min"])) + timedelta(days=1))


def _insured(drawn: Prescription, _parameters: Mapping[str, Any], _level: int) -> Iterator[Broken]:
    for insurance in ("employee", "resident"):
        yield insurance, _encounter(drawn, "encounter.insurance", (insurance,))


def _level(drawn: Prescription, _parameters: Mapping[str, Any], level: int) -> Iterator[Broken]:
    first = _line(drawn, "line.first_prescription", value=True)
    for lower in range(level):
        yield f"level {lower}", _encounter(first, "encounter.institution_level", lower)


def _never(drawn: Prescription, _parameters: Mapping[str, Any], _level: int) -> Iterator[Broken]:
    yield "paid by the fund", _line(drawn, "line.paid_by", value="fund")


_BREAK: Mapping[str, Callable[[Prescription, Mapping[str, Any], int], Iterator[Broken]]] = {
    "R67": _sex,
    "R81": _sex,
    "R07": _age,
    "R65": _age,
    "R80": _age,
    "R01": _insured,
    "R02": _insured,
    "R12": _level,
    "R03": _never,
}


def _day(drawn: Prescription) -> date:
    if drawn.at is None:
        message = "a drawn prescription has its time"
        raise AssertionError(message)
    return drawn.at.date()


def _years_before(day: date, years: int) -> date:
    return day.replace(year=day.year - years)


def _born(drawn: Prescription, day: date) -> Prescription:
    return _patient(drawn, "patient.birth_date", day)


def _patient(drawn: Prescription, name: str, value: FactValue) -> Prescription:
    return replace(drawn, patient=replace(drawn.patient, facts={**drawn.patient.facts, name: value}))


def _encounter(drawn: Prescription, name: str, value: FactValue) -> Prescription:
    return replace(drawn, encounter=replace(drawn.encounter, facts={**drawn.encounter.facts, name: value}))


def _line(drawn: Prescription, name: str, *, value: FactValue) -> Prescription:
    first, *others = drawn.encounter.lines
    changed = replace(first, facts={**first.facts, name: value})
    return replace(drawn, encounter=replace(drawn.encounter, lines=(changed, *others)))
