"""Shapes of rules about who the patient is: sex, age, pregnancy; of an item, a diagnosis or an operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from negative_list.conditions import Age, All, Condition, Fact, Not
from negative_list.conditions import Any as AnyOf
from negative_list.importer.ages import Ages, Bound
from negative_list.rules import Rule, Text, Trigger
from negative_list.sheets.cells import refusal
from negative_list.sheets.shapes import Made, Shape, Values, item_values, joined, trigger_of
from negative_list.sheets.spans import AgeEnd, ToldAges, Unit, resolved, written_bound

__all__ = ["AGES", "DIAGNOSIS_AGE", "DIAGNOSIS_SEX", "FERTILITY", "OPERATION_SEX", "SEX"]

_OTHER = {"男": "女", "女": "男"}
_ENGLISH = {"男": "men", "女": "women"}


# -- what is looked at: an item, a diagnosis, an operation


def _diagnoses(values: Values) -> Trigger:
    return Trigger(diagnoses=values["diagnosis_codes"])


def _operations(values: Values) -> Trigger:
    return Trigger(operations=values["operation_codes"])


def _of_items(rule: Rule) -> dict[str, Any]:
    return item_values(rule.trigger)


def _of_diagnoses(rule: Rule) -> dict[str, Any]:
    return {"diagnosis_codes": rule.trigger.diagnoses}


def _of_operations(rule: Rule) -> dict[str, Any]:
    return {"operation_codes": rule.trigger.operations}


# -- sex


def _make_sex(trigger: Callable[[Values], Trigger]) -> Callable[[Values], Made]:
    def make(values: Values) -> Made:
        sex = values["sex"]
        violation = Fact(fact="patient.sex", any_of=(_OTHER[sex],))
        return Made(
            violation=violation,
            trigger=trigger(values),
            message=Text(zh=f"限{sex}性使用", en=f"for {_ENGLISH[sex]} only"),
        )

    return make


def _take_sex(of: Callable[[Rule], dict[str, Any]]) -> Callable[[Rule, Condition], Values | None]:
    def take(rule: Rule, core: Condition) -> Values | None:
        match core:
            case Fact(fact="patient.sex", any_of=("男" | "女" as sex,)):
                return {**of(rule), "sex": _OTHER[sex]}
        return None

    return take


SEX = Shape(columns=("sex",), needs=(("sex",),), make=_make_sex(trigger_of), take=_take_sex(_of_items))
"""The item is for one sex."""

DIAGNOSIS_SEX = Shape(
    columns=("diagnosis_codes", "diagnosis_terms", "sex"),
    needs=(("diagnosis_codes",), ("sex",)),
    make=_make_sex(_diagnoses),
    take=_take_sex(_of_diagnoses),
    key=("diagnosis_codes",),
)
"""The diagnosis is one of one sex; its name is for people, since diagnoses trigger by code."""

OPERATION_SEX = Shape(
    columns=("operation_codes", "operation_name", "sex"),
    needs=(("operation_codes",), ("sex",)),
    make=_make_sex(_operations),
    take=_take_sex(_of_operations),
    key=("operation_codes",),
)
"""The operation is one of one sex."""


# -- age


def _ages(values: Values) -> Ages:
    """The ages a row tells: both ends, or a range in words."""
    unit = values.get("age_unit")
    low: AgeEnd | None = values.get("age_low")
    high: AgeEnd | None = values.get("age_high")
    if (low or high) and values.get("age_text"):
        raise refusal("年龄范围与上下限只能填一种 (tell the ages once); 请清空其一 (empty one of them)", "age_text")
    if not (low or high):
        return _in_words(values["age_text"], values)
    ages = Ages(
        low=resolved(low, unit=unit, included=values.get("low_included"), low=True) if low else None,
        high=resolved(high, unit=unit, included=values.get("high_included"), low=False) if high else None,
    )
    if ages.empty:
        raise refusal("年龄下限高于上限 (no age lies between); 请核对 (check both ends)", "age_low")
    return ages


def _in_words(told: ToldAges, values: Values) -> Ages:
    """A range in words, which must not speak of those who may where the row is about those who may not."""
    if told.form is not None and (told.form == "not") is not (values["form"] == "not"):
        message = (
            f"`{told.text}` 与限制方式相反 (the words and the kind of limit disagree)"
            "; 请在“限制方式”列填 仅限 或 禁用，年龄只写数字 (say which in that column)"
        )
        raise refusal(message, "age_text")
    return told.resolved(values.get("low_included"), values.get("high_included"))


def _make_ages(trigger: Callable[[Values], Trigger]) -> Callable[[Values], Made]:
    def make(values: Values) -> Made:
        ages, form = _ages(values), values["form"]
        ends = ((ages.low, True), (ages.high, False))
        said = "、".join(written_bound(end, low=low) for end, low in ends if end is not None)
        zh = f"不适用于年龄{said}的患者" if form == "not" else f"限年龄{said}患者使用"
        message = Text(zh=zh, en="the patient's age is outside the allowed range")
        return Made(violation=_violated(ages, form), trigger=trigger(values), message=message)

    return make


def _violated(ages: Ages, form: str) -> Condition:
    if form == "not":
        return ages.condition()
    if form == "only":
        return Not(of=ages.condition())
    if not (ages.low and ages.high):
        raise refusal("“范围外”需要上下限 (both ends are needed); 请填写两端，或改为 仅限、禁用 (fill in both)", "form")
    low = Ages(high=Bound(value=ages.low.value, unit=ages.low.unit, open=not ages.low.open))
    high = Ages(low=Bound(value=ages.high.value, unit=ages.high.unit, open=not ages.high.open))
    return AnyOf(of=(low.condition(), high.condition()))


def _take_ages(of: Callable[[Rule], dict[str, Any]]) -> Callable[[Rule, Condition], Values | None]:
    def take(rule: Rule, core: Condition) -> Values | None:
        match core:
            case AnyOf(of=(Age() as low, Age() as high)):
                form, ends = "outside", _turned(_ends(low), _ends(high))
            case Not(of=inside):
                form, ends = "only", _ends(inside)
            case _:
                form, ends = "not", _ends(core)
        return {**of(rule), "form": form, **ends} if ends else None

    return take


def _turned(low: dict[str, AgeEnd], high: dict[str, AgeEnd]) -> dict[str, AgeEnd]:
    """Ages below one end and above another, told as the range between."""
    if low.keys() != {"age_high"} or high.keys() != {"age_low"}:
        return {}
    found = {"age_low": low["age_high"], "age_high": high["age_low"]}
    return {key: replace(end, open=not end.open) for key, end in found.items()}


def _ends(inside: Condition) -> dict[str, AgeEnd]:
    """The ends of an age condition, of one or of two units."""
    parts = inside.of if isinstance(inside, All) else (inside,)
    ages = [part for part in parts if isinstance(part, Age) and part.unit in _UNITS]
    if len(ages) != len(parts):
        return {}
    told = [(part, name, key, opened) for part in ages for name, key, opened in _BOUNDS]
    return {
        key: AgeEnd(value=int(bound), unit=_UNITS[part.unit], open=opened)
        for part, name, key, opened in told
        if isinstance(bound := getattr(part, name), Decimal) and bound == int(bound)
    }


_UNITS: Mapping[str, Unit] = {"year": "year", "month": "month", "day": "day"}
_BOUNDS = (
    ("above", "age_low", True),
    ("at_least", "age_low", False),
    ("below", "age_high", True),
    ("at_most", "age_high", False),
)
_AGE_COLUMNS = ("age_low", "age_high", "age_text", "age_unit", "low_included", "high_included", "form")
_AGE_NEEDS = ("age_low", "age_high", "age_text")

AGES = Shape(
    columns=_AGE_COLUMNS, needs=(_AGE_NEEDS,), make=_make_ages(trigger_of), take=_take_ages(_of_items), key=("form",)
)
"""The item is for ages, or not for ages."""

DIAGNOSIS_AGE = Shape(
    columns=("diagnosis_codes", "diagnosis_terms", *_AGE_COLUMNS),
    needs=(("diagnosis_codes",), _AGE_NEEDS),
    make=_make_ages(_diagnoses),
    take=_take_ages(_of_diagnoses),
    key=("diagnosis_codes",),
)
"""The diagnosis is one of an age."""


# -- pregnancy and breast-feeding

_STATES = {"pregnant": "妊娠期", "lactating": "哺乳期", "planning": "备孕期", "none": "非孕哺期"}
_TRIMESTERS = {"1": "早期", "2": "中期", "3": "晚期"}


def _make_fertility(values: Values) -> Made:
    states, weeks = values["fertility"], values.get("trimester", ())
    violation: Condition = Fact(fact="encounter.fertility", any_of=tuple(states))
    if weeks and tuple(states) != ("pregnant",):
        message = (
            "孕期只适用于妊娠 (a trimester is said of the pregnant alone); 其他状态请另写一行 (give the others a row)"
        )
        raise refusal(message, "trimester")
    if weeks:
        violation = All(of=(violation, Fact(fact="encounter.trimester", any_of=tuple(int(week) for week in weeks))))
    named = joined(_STATES[state] for state in states)
    when = f"（孕{joined(_TRIMESTERS[week] for week in weeks)}）" if weeks else ""
    text = Text(zh=f"{named}患者{when}不宜使用", en="not for this reproductive state")
    return Made(violation=violation, trigger=trigger_of(values), message=text)


def _take_fertility(rule: Rule, core: Condition) -> Values | None:
    match core:
        case Fact(fact="encounter.fertility", any_of=states) if states:
            return {**item_values(rule.trigger), "fertility": states}
        case All(of=(Fact(fact="encounter.fertility", any_of=states), Fact(fact="encounter.trimester", any_of=weeks))):
            return {**item_values(rule.trigger), "fertility": states, "trimester": tuple(map(str, weeks))}
    return None


FERTILITY = Shape(
    columns=("fertility", "trimester"),
    needs=(("fertility",),),
    make=_make_fertility,
    take=_take_fertility,
    key=("fertility", "trimester"),
)
"""The item is not for the pregnant, or not for those who breast-feed."""
