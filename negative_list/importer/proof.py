"""Proof that a point's rule bites: two requests made from the report's parameters alone, never from the rule.

Both hold the same item. The violating one breaks the condition the point's class names, and only that; the conforming
one meets everything the parameters say. An engine that tells them apart has understood the point.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from negative_list.engine import match
from negative_list.importer.families import FAMILIES, Kind
from negative_list.prescription import Diagnosed, Encounter, FactValue, Line, Patient, Prescription

if TYPE_CHECKING:
    from negative_list.compile import CompiledList
    from negative_list.importer.points import Point
    from negative_list.importer.report import PointReport

__all__ = ["Trial", "tells_apart", "trial"]

_UNRELATED = (
    ("J06.900", "急性上呼吸道感染"), ("S61.900", "手和腕开放性伤口"), ("H26.900", "白内障"), ("N20.000", "肾结石"),
    ("K35.900", "急性阑尾炎"), ("Z00.000", "健康查体"), ("L60.000", "嵌甲"), ("F51.000", "非器质性失眠症"),
)  # fmt: skip
_MODES = ("outpatient", "inpatient", "emergency", "pharmacy", "internet")
_KINDS = ("employee", "resident", "work-injury", "maternity")
_DAY = timedelta(days=1)


class Trial(Struct, frozen=True, kw_only=True):
    """Two requests about one item, and the moment they are judged at."""

    violating: Prescription
    conforming: Prescription
    at: datetime


class _Case(Struct, frozen=True, kw_only=True):
    """What one request is made of; ``lines`` are added to the point's own line."""

    at: datetime
    sex: str = "女"
    born: date = date(1986, 1, 1)
    mode: str = "outpatient"
    insurance: tuple[str, ...] = ("employee",)
    level: int = 3
    diagnosis: tuple[str, str] = _UNRELATED[0]
    code: str = ""
    days_ago: int = 0
    facts: Mapping[str, FactValue] = {}
    lines: tuple[Line, ...] = ()


def trial(point: Point, report: PointReport, class_id: str, companion: str, at: datetime) -> Trial | None:
    """The two requests for a point; ``None`` where there is no conforming one (items never payable).

    Args:
        point: The point: its codes are the items.
        report: How it was read: only its parameters are used.
        class_id: The class of the point.
        companion: The code of another item of the same group, for classes that speak of a group.
        at: The moment both are judged at.
    """
    kind = FAMILIES[class_id].kind
    if kind == "never":
        return None
    conforming = _conforming(point, report.parameters, at)
    broken, met = _BROKEN[kind](conforming, report.parameters, companion)
    return Trial(violating=_prescription(broken), conforming=_prescription(met), at=at)


def tells_apart(compiled: CompiledList, made: Trial, rule_ids: Sequence[str]) -> bool:
    """Whether the engine finds the first rule in the violating request, and none of the rules in the conforming one."""
    found = {j.rule.rule.id for j in match(compiled, made.violating, made.at).true}
    silent = {j.rule.rule.id for j in match(compiled, made.conforming, made.at).true}
    return bool(rule_ids) and rule_ids[0] in found and not silent & set(rule_ids)


def _conforming(point: Point, parameters: Mapping[str, Any], at: datetime) -> _Case:
    codes, terms = parameters.get("codes"), parameters.get("terms")
    return _Case(
        at=at,
        sex=parameters.get("sex", "女"),
        born=_born(at, _inside(parameters["age"])) if "age" in parameters else date(at.year - 40, 1, 1),
        mode=(parameters.get("visit_modes") or ["outpatient"])[0],
        insurance=tuple(parameters.get("insurance") or ["employee"])[:1],
        level=parameters.get("level_at_least", 3),
        diagnosis=(_code(codes[0]), terms[0]) if codes and terms else _UNRELATED[0],
        code=point.med_codes[-1],
    )


def _code(category: str) -> str:
    first = category.split("-", maxsplit=1)[0]
    return f"{first}.900" if "." not in first else f"{first}00"


def _inside(age: Mapping[str, Any]) -> tuple[int, str]:
    low, high = age["min"], age["max"]
    if low is None:
        return int(high) // 2, age["unit"]
    if high is None:
        return int(low) + (12 if age["unit"] == "year" else 3), age["unit"]
    return (int(low) + int(high)) // 2, age["unit"]


def _outside(age: Mapping[str, Any]) -> tuple[int, str]:
    return (int(age["max"]) + 2 if age["max"] is not None else max(0, int(age["min"]) - 1), age["unit"])


def _born(at: datetime, age: tuple[int, str]) -> date:
    value, unit = age
    days = {"year": value * 365.25 + 30, "month": value * 30.4375 + 3, "day": float(value)}[unit]
    return at.date() - timedelta(days=int(days))


_Maker = Callable[[_Case, Mapping[str, Any], str], tuple[_Case, _Case]]


def _sex(case: _Case, _p: Mapping[str, Any], _c: str) -> tuple[_Case, _Case]:
    return replace(case, sex="男" if case.sex == "女" else "女"), case


def _age(case: _Case, p: Mapping[str, Any], _c: str) -> tuple[_Case, _Case]:
    return replace(case, born=_born(case.at, _outside(p["age"]))), case


def _insured(case: _Case, p: Mapping[str, Any], _c: str) -> tuple[_Case, _Case]:
    return replace(case, insurance=(next(k for k in _KINDS if k not in p["insurance"]),)), case


def _mode(case: _Case, p: Mapping[str, Any], _c: str) -> tuple[_Case, _Case]:
    return replace(case, mode=next(m for m in _MODES if m not in p["visit_modes"])), case


def _level(case: _Case, p: Mapping[str, Any], _c: str) -> tuple[_Case, _Case]:
    return replace(case, level=p["level_at_least"] - 1), case


def _diagnosis(case: _Case, p: Mapping[str, Any], _c: str) -> tuple[_Case, _Case]:
    codes = p.get("codes", ())
    other = next((d for d in _UNRELATED if not any(_covers(code, d[0]) for code in codes)), _UNRELATED[0])
    return replace(case, diagnosis=other, facts={"encounter.rescue": False, "encounter.critical": False}), case


def _covers(code: str, leaf: str) -> bool:
    """Whether a category, code or range of the parameters holds a code."""
    first, _, last = code.partition("-")
    return first <= leaf[: len(first)] <= last[: len(first)] if last else leaf.startswith(first)


def _evidence(case: _Case, _p: Mapping[str, Any], _c: str) -> tuple[_Case, _Case]:
    return replace(case, facts={"line.first_line_used": False}), case


def _course(case: _Case, p: Mapping[str, Any], _c: str) -> tuple[_Case, _Case]:
    before = tuple(_line(case, f"d{n}", case.code, n) for n in range(1, p["course_days"] + 1))
    return replace(case, lines=before), case


def _pair(case: _Case, _p: Mapping[str, Any], companion: str) -> tuple[_Case, _Case]:
    return replace(case, lines=(replace(_line(case, "main", companion, 0), current=False),)), case


def _frequency(case: _Case, p: Mapping[str, Any], _c: str) -> tuple[_Case, _Case]:
    limit = Decimal(str(p["limit"]))
    return replace(case, facts={"line.quantity": limit + 1}), replace(case, facts={"line.quantity": limit})


def _period(case: _Case, p: Mapping[str, Any], _c: str) -> tuple[_Case, _Case]:
    full: dict[str, FactValue] = {"line.quantity": Decimal(str(p["limit"]))}
    near = _line(case, "near", case.code, p["period_days"] - 1, full)
    far = _line(case, "far", case.code, p["period_days"], full)
    return replace(case, lines=(near,)), replace(case, lines=(far,))


def _discount(case: _Case, _p: Mapping[str, Any], companion: str) -> tuple[_Case, _Case]:
    same: dict[str, FactValue] = {"line.full_price": True, "line.incision": "1", "line.unit_price_fen": 100000}
    first = _line(case, "first", companion, 0, same)
    reduced = {**same, "line.full_price": False, "line.unit_price_fen": 50000}
    own = {**same, "line.unit_price_fen": 90000}
    return replace(case, facts=own, lines=(first,)), replace(case, facts=reduced, lines=(first,))


def _alone(case: _Case, _p: Mapping[str, Any], _c: str) -> tuple[_Case, _Case]:
    facts: dict[str, FactValue] = {"line.item_type": "herb", "line.rx_no": "1"}
    other = _line(case, "other", "T000000000", 0, facts)
    return replace(case, facts=facts), replace(case, facts=facts, lines=(other,))


_BROKEN: Mapping[Kind, _Maker] = {
    "sex": _sex,
    "ages": _age,
    "work_age": _age,
    "insurance": _insured,
    "modes": _mode,
    "internet": _mode,
    "level": _level,
    "indication": _diagnosis,
    "second_line": _evidence,
    "course": _course,
    "pair": _pair,
    "frequency": _frequency,
    "period": _period,
    "discount": _discount,
    "alone": _alone,
}


def _line(case: _Case, line_id: str, code: str, days_ago: int, facts: Mapping[str, FactValue] | None = None) -> Line:
    """A line of the case's encounter that began ``days_ago`` days before; today's is current."""
    return Line(
        id=line_id,
        encounter_id="e",
        codes=(code,),
        current=days_ago == 0,
        begins=case.at - days_ago * _DAY,
        facts={"line.quantity": Decimal(1), **(facts or {})},
    )


def _prescription(case: _Case) -> Prescription:
    of_line = {key: value for key, value in case.facts.items() if key.startswith("line.")}
    of_encounter = {key: value for key, value in case.facts.items() if key.startswith("encounter.")}
    given: dict[str, FactValue] = {
        "line.payment_condition_met": True,
        "line.first_line_used": True,
        "line.first_prescription": True,
    }
    own = _line(case, "own", case.code, 0, {**given, **of_line})
    began = min([case.at, *(line.begins for line in case.lines if line.begins)])
    return Prescription(
        patient=Patient(id="p", facts={"patient.sex": case.sex, "patient.birth_date": case.born}),
        encounter=Encounter(
            id="e",
            lines=(*case.lines, own),
            diagnoses=(Diagnosed(codes=(case.diagnosis[0],), name=case.diagnosis[1], main=True),),
            facts={
                "encounter.visit_mode": case.mode,
                "encounter.insurance": case.insurance,
                "encounter.institution_level": case.level,
                "encounter.admitted_at": began,
                "encounter.onset_at": began - timedelta(hours=1),
                "encounter.nutrition_risk": True,
                "encounter.enteral_impossible": True,
                **of_encounter,
            },
        ),
        at=case.at,
    )
