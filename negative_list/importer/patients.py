"""Classes judged by who the patient is: sex, age, working age."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from negative_list.conditions import Age, All, Any, Condition, Diagnosis, Not
from negative_list.importer.ages import Ages, child, hull, newborn, read_ages
from negative_list.importer.indications import Remark, read_remark
from negative_list.importer.made import Made, Part, refused
from negative_list.importer.parts import flagged, no, one_of, words
from negative_list.importer.remark import Reader
from negative_list.importer.sexes import Sex, sex_of
from negative_list.importer.whole import restricts, whole
from negative_list.rules import OnUnknown, Text

if TYPE_CHECKING:
    from negative_list.importer.points import Point

__all__ = ["SEX_EXEMPT", "make_ages", "make_sex", "make_work_age"]

SEX_EXEMPT = Diagnosis(
    codes=("Q56", "Q90-Q99", "E34.5", "E25"),
    terms=(
        "性别不明", "性别不清", "性别待定", "两性畸形", "真两性畸形", "假两性畸形", "间性", "染色体异常", "染色体畸变",
        "染色体病", "性发育异常", "性发育障碍", "性分化异常", "性腺发育不全", "雄激素不敏感综合征", "睾丸女性化",
        "克氏综合征", "克兰费尔特综合征", "Klinefelter", "特纳综合征", "Turner", "DSD",
    ),
)  # fmt: skip
"""Whom the official note of class 81 exempts: unclear sex, hermaphroditism, chromosomal abnormality, disorders of
sex development. ICD-10: Q56, Q90-Q99, E34.5 (androgen resistance), E25 (adrenogenital disorders)."""

_UNIT_NAMES = {"year": "岁", "month": "个月", "day": "天"}


def make_sex(point: Point, class_id: str) -> Made:
    """The item is for one sex, told by its remark and name. Services exempt disorders of sex development."""
    sex = sex_of(point.constraint, point.item_name)
    if sex is None:
        return refused("neither the remark nor the item's name tells one sex")
    other: Sex = "男" if sex == "女" else "女"
    violation: Condition = words("patient.sex", other)
    on_unknown = OnUnknown()
    if class_id == "R81":
        violation = All(of=(violation, Not(of=SEX_EXEMPT)))
        on_unknown = OnUnknown(action="remind", ask=("encounter.diagnoses",))
    message = Text(zh=f"限{sex}性使用", en=f"for {'women' if sex == '女' else 'men'} only")
    own = Part(class_id=class_id, violation=violation, message=message, on_unknown=on_unknown)
    return whole(point, own, {"sex": sex}, "sex")


def make_ages(point: Point, class_id: str) -> Made:
    """The item is for children or for stated ages: bounds of the remark or the name, inside the class's own limit."""
    remark = read_remark(point.constraint) if restricts(point) else None
    said = remark.ages if remark else _label_ages(point, everything=class_id != "R65")
    adults = _names_adults(point.constraint)
    unnamed = remark is None and adults and not read_ages(Reader(point.item_name))
    if unnamed or (remark and _others_too(remark, said, point.constraint, adults=adults)):
        return refused("people who are no children are let in too")
    ages = _within(said, newborn() if class_id in _NEWBORN else child(), adults=adults)
    if ages.empty:
        return refused("the ages of the remark are not those the class is about")
    own = Part(
        class_id=class_id,
        violation=no(ages.condition()),
        message=Text(zh=f"限{_ages_text(ages)}使用", en="the patient's age is outside the allowed range"),
    )
    same = remark is not None and all(branch.ages in (None, remark.ages) for branch in remark.branches)
    return whole(point, own, {"age": ages.parameters()}, "ages" if same else "", remark=remark)


_NEWBORN = ("R06", "R18", "R32")
_ADULTS = re.compile("(?<!未)成年人|(?<!未)成年患者|成人|老年人")
_NOT_FOR = re.compile("禁|慎|不宜|不得|不推荐|不适|不[能可]|不用于|不包括|除外|参照|酌|尚|未")


def _names_adults(text: str) -> bool:
    """Whether a text names adults beside children among those who may use the item."""
    clauses = re.split("[\\n，,。；;]", text)
    return any(_ADULTS.search(clause) and not _NOT_FOR.search(clause) for clause in clauses)


_OR_ELSE = re.compile("(?:儿童|小儿|患儿)(?:患者)?[,，]?或者?(?![^,，;；。]{0,12}(?:岁|龄|儿|青少年))")


def _others_too(remark: Remark, said: Ages | None, text: str, *, adults: bool) -> bool:
    """Whether a remark that names children lets in others: adults, some branch without an age, other people."""
    aged = adults or any(branch.ages for branch in remark.branches)
    return remark.others or bool(_OR_ELSE.search(text)) or (said is None and aged)


def _within(said: Ages | None, limit: Ages, *, adults: bool) -> Ages:
    """The ages said, inside the class's own limit; no limit narrows an upper end that is written, or adults."""
    inside = said.meet(limit) if said else limit
    if inside.empty or said is None or limit == newborn():
        return inside
    return said if said.high or adults else inside


_NUMBERED = re.compile(r"\d\s*(?:周?岁|个?月|日龄|天)|[一二三四五六七八九十]周?岁")
_YOUNGER = re.compile("以下[^,，;；。]{0,8}(?:遵医嘱|酌减|酌情|减量)")
_SAYING = ("用于", "适用", "专用", "患者", "限")


def _label_ages(point: Point, *, everything: bool) -> Ages | None:
    """Ages a remark describes, narrowed by the item's name; of a label only where it says for whom the drug is.

    An item whose name says children is narrowed by numbers only: a label that also speaks of the newborn means to
    describe ("早产儿、低体重儿…"), not to shut out older children.
    """
    named = read_ages(Reader(point.item_name))
    clauses = re.split("[\\n，,。；;]", point.constraint)
    saying = [clause for clause in clauses if everything or any(word in clause for word in _SAYING)]
    if named == child():
        saying = [clause for clause in saying if _NUMBERED.search(clause)]
    label = hull([ages for clause in saying if (ages := read_ages(Reader(clause)))])
    if label and _YOUNGER.search(point.constraint):
        label = Ages(high=label.high) if label.high else None
    if named and label:
        wider = label.high and named.join(label).high == label.high
        return label if wider else named.narrowed(label)
    return named or label


def _ages_text(ages: Ages) -> str:
    parts = []
    if ages.low:
        parts.append(f"{'大于' if ages.low.open else '满'}{ages.low.value}{_UNIT_NAMES[ages.low.unit]}")
    if ages.high:
        parts.append(f"{'不满' if ages.high.open else '不超过'}{ages.high.value}{_UNIT_NAMES[ages.high.unit]}")
    return "、".join(parts)


_WORKING = ("劳动年龄", "工作年龄", "退休年龄", "退休", "适龄劳动", "在职", "就业年龄")


def make_work_age(point: Point, class_id: str) -> Made:
    """An age range, or working age: from 16 completed years to retirement.

    Labour Law, article 15 (from 16). Retirement: 60 for men, 50 or 55 for women, raised step by step from 2025-01-01 to
    63, 55 and 58 (Decision of the Standing Committee of 2024-09-13). So under 16, men from 63 and women from 58 are
    outside for certain; between the earliest retirement (special work: men 55, women 45; incapacity: 50 and 45) and
    those ages ``patient.retired`` decides.
    """
    if any(word in point.constraint or word in point.item_name for word in _WORKING):
        own = Part(
            class_id=class_id,
            violation=_not_working(),
            message=Text(zh="限劳动年龄（满16岁至退休）患者", en="working age only"),
            on_unknown=OnUnknown(ask=("patient.retired",)),
        )
        return Made(
            parts=(own,),
            parameters={"age": {"min": 16, "max": 63, "unit": "year", "min_open": False, "max_open": True}},
        )
    by_sex = _ages_by_sex(point.constraint)
    ages = by_sex["男"].meet(by_sex["女"]) if by_sex else read_ages(Reader(point.constraint or point.item_name))
    if ages is None:
        return refused("no age is said, and working age is not named")
    outside = [All(of=(words("patient.sex", sex), no(own.condition()))) for sex, own in by_sex.items()]
    own = Part(
        class_id=class_id,
        violation=one_of(outside or [no(ages.condition())]),
        message=Text(zh=f"限{_ages_text(ages)}患者", en="the patient's age is outside the payable range"),
    )
    return Made(parts=(own,), parameters={"age": ages.parameters()})


def _ages_by_sex(remark: str) -> dict[Sex, Ages]:
    """Ages said apart for men and for women; empty where they are not."""
    found: dict[Sex, Ages] = {}
    for clause in re.split("[,;，；。]", remark):
        sex, ages = sex_of(clause), read_ages(Reader(clause))
        if sex and ages:
            found[sex] = ages
    return found if len(found) == len(_BOTH) else {}


_BOTH: tuple[Sex, Sex] = ("男", "女")


def _not_working() -> Condition:
    def years(sex: Sex, at_least: int) -> Condition:
        return All(of=(words("patient.sex", sex), Age(at_least=Decimal(at_least))))

    may_be_retired = Any(of=(years("男", 50), years("女", 45)))
    return Any(
        of=(
            Age(below=Decimal(16)),
            years("男", 63),
            years("女", 58),
            All(of=(may_be_retired, flagged("patient.retired"))),
        )
    )
