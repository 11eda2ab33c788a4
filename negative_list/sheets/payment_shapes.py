"""Shapes of rules about where, by whom and for what disease: insurance, visit, level, department, diagnoses."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from negative_list.conditions import All, Condition, Diagnosis, Fact, Not, Operation
from negative_list.conditions import Any as AnyOf
from negative_list.importer.parts import EVIDENCE, denied
from negative_list.rules import Rule, Text, Trigger
from negative_list.sheets.branches import grown, taken_apart
from negative_list.sheets.columns import columns
from negative_list.sheets.shapes import Made, Shape, Values, item_values, joined, trigger_of

__all__ = [
    "CONTRAINDICATION",
    "DEPARTMENT",
    "INDICATION",
    "INSURANCE",
    "LEVEL",
    "MAIN_DIAGNOSIS",
    "MODES",
    "SECOND_LINE",
    "diagnosis_of",
    "diagnosis_values",
]


# -- one of these words, or none of them


def _words_shape(column: str, fact: str, only: str, refused: str) -> Shape:
    """The fact has one of the words, or none of them, by the column 限制方式."""

    def make(values: Values) -> Made:
        words = tuple(values[column])
        has: Condition = Fact(fact=fact, any_of=words)
        names = {value: word for word, value in columns()[column].words.items()}
        told = joined((names.get(word, word) for word in words), most=5)
        zh = (only if values["form"] == "only" else refused).format(told)
        violation = Not(of=has) if values["form"] == "only" else has
        return Made(violation=violation, trigger=trigger_of(values), message=Text(zh=zh, en="not payable here"))

    def take(rule: Rule, core: Condition) -> Values | None:
        has = core.of if isinstance(core, Not) else core
        if not (isinstance(has, Fact) and has.fact == fact and has.any_of):
            return None
        return {**item_values(rule.trigger), "form": "only" if isinstance(core, Not) else "not", column: has.any_of}

    return Shape(columns=(column, "form"), needs=((column,),), make=make, take=take, key=("form",), union=(column,))


INSURANCE = _words_shape("insurance", "encounter.insurance", "限{}支付", "{}不予支付")
"""The fund of these kinds of insurance pays, or does not."""

MODES = _words_shape("modes", "encounter.visit_mode", "限{}使用", "{}不得使用")
"""The item is for these kinds of visit, or not."""


# -- level of the institution

_LEVELS = {"1": "一级", "2": "二级", "3": "三级"}
_FIRST = Fact(fact="line.first_prescription", any_of=(True,))


def _make_level(values: Values) -> Made:
    level = values["level"]
    violation: Condition = Fact(fact="encounter.institution_level", below=Decimal(level))
    name = f"{_LEVELS[level]}及以上医疗机构"
    zh = f"限{name}"
    if values.get("first_only"):
        violation = All(of=(violation, _FIRST))
        zh = f"首次处方须由{name}开具"
    message = Text(zh=zh, en=f"payable only from level {level} up")
    return Made(violation=violation, trigger=trigger_of(values), message=message)


def _take_level(rule: Rule, core: Condition) -> Values | None:
    match core:
        case All(of=(Fact(fact="encounter.institution_level", below=Decimal() as level), first)) if first == _FIRST:
            return {**item_values(rule.trigger), "level": str(level), "first_only": True}
        case Fact(fact="encounter.institution_level", below=Decimal() as level):
            return {**item_values(rule.trigger), "level": str(level)}
    return None


LEVEL = Shape(columns=("level", "first_only"), needs=(("level",),), make=_make_level, take=_take_level)
"""Payable from a level of institution up."""


# -- department


def _make_department(values: Values) -> Made:
    of = values.get("department_of", "line")
    told = [
        Fact(fact=f"{of}.department_{what}", any_of=tuple(values[column]))
        for what, column in (("code", "department_codes"), ("name", "department_names"))
        if values.get(column)
    ]
    inside: Condition = told[0] if len(told) == 1 else AnyOf(of=tuple(told))
    names = joined(values.get("department_names") or values["department_codes"])
    return Made(
        violation=Not(of=inside),
        trigger=trigger_of(values),
        message=Text(zh=f"限{names}科室使用", en="for certain departments only"),
    )


def _take_department(rule: Rule, core: Condition) -> Values | None:
    inside = core.of if isinstance(core, Not) else None
    found: dict[str, Any] = {}
    for part in inside.of if isinstance(inside, AnyOf) else (inside,):
        of, _, what = part.fact.partition(".department_") if isinstance(part, Fact) else ("", "", "")
        if not isinstance(part, Fact) or of not in ("line", "encounter") or what not in ("code", "name"):
            return None
        found |= {"department_of": of, "department_codes" if what == "code" else "department_names": part.any_of}
    return {**item_values(rule.trigger), **found}


DEPARTMENT = Shape(
    columns=("department_codes", "department_names", "department_of"),
    needs=(("department_codes", "department_names"),),
    make=_make_department,
    take=_take_department,
    union=("department_codes", "department_names"),
)
"""The item is for certain departments."""


# -- an earlier treatment


def _make_second_line(values: Values) -> Made:
    message = Text(zh="限二线使用，须有一线用药无效或不耐受的依据", en="second line only")
    return Made(violation=denied(EVIDENCE), trigger=trigger_of(values), message=message)


def _take_second_line(rule: Rule, core: Condition) -> Values | None:
    return item_values(rule.trigger) if core == denied(EVIDENCE) else None


SECOND_LINE = Shape(columns=(), needs=(), make=_make_second_line, take=_take_second_line)
"""Payable after a first-line drug."""


# -- diagnoses


def diagnosis_of(values: Values) -> Diagnosis:
    """The diagnosis a row names."""
    return Diagnosis(
        codes=tuple(values.get("diagnosis_codes", ())),
        terms=tuple(values.get("diagnosis_terms", ())),
        main=bool(values.get("main_only")),
        past=bool(values.get("past")),
    )


def diagnosis_values(diagnosis: Diagnosis) -> dict[str, Any]:
    """The columns of a diagnosis."""
    found = {"diagnosis_codes": diagnosis.codes, "diagnosis_terms": diagnosis.terms}
    flags = {"main_only": diagnosis.main, "past": diagnosis.past}
    return {key: value for key, value in (*found.items(), *flags.items()) if value}


_DIAGNOSIS = ("diagnosis_codes", "diagnosis_terms", "main_only", "past")
_DIAGNOSIS_NEEDS = (("diagnosis_codes", "diagnosis_terms"),)


def _named(values: Values) -> str:
    return joined(values.get("diagnosis_terms") or values["diagnosis_codes"])


def _make_indication(values: Values) -> Made:
    branches = {number: diagnosis_of(told) for number, told in values.get("branch", ())}
    if values.get("tree"):
        inside = grown(values["tree"], branches)
    elif branches:
        inside = next(iter(branches.values())) if len(branches) == 1 else AnyOf(of=tuple(branches.values()))
    else:
        inside = diagnosis_of(values)
    listed = branches.values() or (diagnosis_of(values),)
    named = joined(name for diagnosis in listed for name in diagnosis.terms or diagnosis.codes)
    message = Text(zh=f"限{named}患者", en="outside the indication")
    return Made(violation=Not(of=inside), trigger=trigger_of(values), message=message)


def _take_indication(rule: Rule, core: Condition) -> Values | None:
    match core:
        case Not(of=Diagnosis() as diagnosis):
            return {**item_values(rule.trigger), **diagnosis_values(diagnosis)}
        case Not(of=inside):
            tree, diagnoses = taken_apart(inside)
            told = tuple((n, diagnosis_values(diagnosis)) for n, diagnosis in enumerate(diagnoses, 1))
            rows = {"branch": told} if told else {}
            return {**item_values(rule.trigger), **rows, "tree": tree}
    return None


INDICATION = Shape(
    columns=("branch", *_DIAGNOSIS, "tree"),
    needs=(("diagnosis_codes", "diagnosis_terms", "branch", "tree"),),
    make=_make_indication,
    take=_take_indication,
    union=("diagnosis_codes", "diagnosis_terms"),
)
"""The item is for certain diagnoses; several rows of an item are alternatives, branches where they are numbered."""


def _make_contraindication(values: Values) -> Made:
    message = Text(zh=f"{_named(values)}患者禁忌", en="contraindicated diagnosis")
    return Made(violation=diagnosis_of(values), trigger=trigger_of(values), message=message)


def _take_contraindication(rule: Rule, core: Condition) -> Values | None:
    if not isinstance(core, Diagnosis):
        return None
    return {**item_values(rule.trigger), **diagnosis_values(core)}


CONTRAINDICATION = Shape(
    columns=_DIAGNOSIS,
    needs=_DIAGNOSIS_NEEDS,
    make=_make_contraindication,
    take=_take_contraindication,
    key=("diagnosis_codes", "diagnosis_terms"),
)
"""The item is not for certain diagnoses."""


def _make_main(values: Values) -> Made:
    operations = tuple(values["operation_codes"])
    allowed = Diagnosis(
        codes=tuple(values["diagnosis_codes"]), terms=tuple(values.get("diagnosis_terms", ())), main=True
    )
    violation = All(of=(Operation(codes=operations, main=True), Not(of=allowed)))
    name = values.get("operation_name") or joined(operations)
    message = Text(zh=f"主要诊断与主要手术（{name}）不符", en="the main diagnosis does not fit the main operation")
    return Made(violation=violation, trigger=Trigger(operations=operations), message=message)


def _take_main(_rule: Rule, core: Condition) -> Values | None:
    match core:
        case All(of=(Operation(main=True, terms=()) as operation, Not(of=Diagnosis(main=True, past=False) as allowed))):
            told = {"diagnosis_codes": allowed.codes, "diagnosis_terms": allowed.terms}
            return {"operation_codes": operation.codes, **{key: value for key, value in told.items() if value}}
    return None


MAIN_DIAGNOSIS = Shape(
    columns=("operation_codes", "operation_name", "diagnosis_codes", "diagnosis_terms"),
    needs=(("operation_codes",), ("diagnosis_codes",)),
    make=_make_main,
    take=_take_main,
    key=("operation_codes",),
    union=("diagnosis_codes", "diagnosis_terms"),
)
"""The main diagnoses a main operation may have: a list of those allowed, never of those refused."""
