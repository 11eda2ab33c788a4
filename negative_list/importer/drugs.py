"""Classes judged by who the patient is and where: sex, age, insurance, visit mode, level, indication, course."""

from __future__ import annotations

from decimal import Decimal

from negative_list.conditions import (
    Age,
    All,
    Any,
    Condition,
    DaysOfUse,
    Diagnosis,
    Fact,
    Items,
    Lines,
    Not,
    Since,
    Some,
    Sum,
    Window,
)
from negative_list.importer.ages import Ages, child, read_ages
from negative_list.importer.indications import Branch, Remark, read_remark
from negative_list.importer.limits import Cap, Course, Level
from negative_list.importer.made import Made, Part, items_of, refused
from negative_list.importer.parts import EVIDENCE, demand, no, words
from negative_list.importer.points import Point
from negative_list.importer.remark import Reader
from negative_list.importer.sexes import Sex, sex_of
from negative_list.rules import OnUnknown, Text

__all__ = [
    "make_ages",
    "make_course",
    "make_indication",
    "make_insurance",
    "make_level",
    "make_modes",
    "make_second_line",
    "make_sex",
    "make_work_age",
    "period_part",
]

_SEX_EXEMPT = Diagnosis(
    codes=("Q56", "Q90-Q99", "E34.5", "E25"),
    terms=(
        "性别不明", "性别不清", "性别待定", "两性畸形", "真两性畸形", "假两性畸形", "间性", "染色体异常", "染色体畸变",
        "染色体病", "性发育异常", "性发育障碍", "性分化异常", "性腺发育不全", "雄激素不敏感综合征", "睾丸女性化",
        "克氏综合征", "克兰费尔特综合征", "Klinefelter", "特纳综合征", "Turner", "DSD",
    ),
)  # fmt: skip
"""Whom the official note of class 81 exempts: unclear sex, hermaphroditism, chromosomal abnormality, disorders of
sex development. ICD-10: Q56, Q90-Q99, E34.5 (androgen resistance), E25 (adrenogenital disorders)."""

_MODE_NAMES = {"outpatient": "门诊", "emergency": "急诊", "inpatient": "住院", "internet": "互联网", "pharmacy": "药店"}
_INSURANCE_NAMES = {"work-injury": "工伤保险", "maternity": "生育保险", "employee": "职工医保", "resident": "居民医保"}
_LEVEL_NAMES = {1: "一级", 2: "二级", 3: "三级"}
_UNIT_NAMES = {"year": "岁", "month": "个月", "day": "天"}

COURSE_PAUSE_DAYS = 30
"""Uses with longer pauses between them are different episodes of disease: the longest cap in the public course list is
two or three weeks of an acute disease, and nobody goes on with the same acute episode after a month."""


def make_sex(point: Point, class_id: str) -> Made:
    """The item is for one sex, told by its remark and name. Services exempt disorders of sex development."""
    sex = sex_of(point.constraint, point.item_name)
    if sex is None:
        return refused("neither the remark nor the item's name tells one sex")
    other: Sex = "男" if sex == "女" else "女"
    violation: Condition = words("patient.sex", other)
    on_unknown = OnUnknown()
    if class_id == "R81":
        violation = All(of=(violation, Not(of=_SEX_EXEMPT)))
        on_unknown = OnUnknown(action="remind", ask=("encounter.diagnoses",))
    message = Text(zh=f"限{sex}性使用，患者性别不符", en=f"for {'women' if sex == '女' else 'men'} only")
    own = Part(class_id=class_id, violation=violation, message=message, on_unknown=on_unknown)
    return _with_indication(point, own, {"sex": sex}, frozenset({"sex"}))


def make_ages(point: Point, class_id: str) -> Made:
    """The item is for children or for stated ages: bounds of the remark or the name, else the child limit."""
    restricts = point.constraint.strip().startswith(("限", "仅"))
    remark = read_remark(point.constraint) if restricts else None
    ages = remark.ages if remark else _label_ages(point)
    ages = _narrowed(ages, _newborn_class(class_id)) or child()
    own = Part(
        class_id=class_id,
        violation=no(ages.condition()),
        message=Text(zh=f"限{_ages_text(ages)}使用，患者年龄不符", en="the patient's age is outside the allowed range"),
    )
    same = remark is not None and all(b.ages in (None, remark.ages) for b in remark.branches)
    return _with_indication(point, own, {"age": ages.parameters()}, frozenset({"ages"} if same else ()), remark=remark)


def _newborn_class(class_id: str) -> Ages | None:
    return read_ages(Reader("新生儿")) if class_id in ("R06", "R18", "R32") else None


def _label_ages(point: Point) -> Ages | None:
    """Ages of an item whose remark is a label: said where the label says for whom it is, narrowed by the item's name."""
    named = read_ages(Reader(point.item_name))
    clauses = point.constraint.replace("\n", "。").replace("，", "。").replace(",", "。").split("。")
    saying = [c for c in clauses if any(word in c for word in ("用于", "适用", "专用", "患者", "限"))]
    read = [ages for clause in saying if (ages := read_ages(Reader(clause)))]
    label = None
    for ages in read:
        label = label.join(ages) if label else ages
    if named and label and not named.meet(label).empty and not _loose(label, named):
        return named.meet(label)
    return named or label


def _loose(label: Ages, named: Ages) -> bool:
    """A label that speaks of the newborn among others does not narrow an item named for children."""
    return bool(named == child() and label.high and label.low is None and label.high.unit == "day")


def _narrowed(ages: Ages | None, limit: Ages | None) -> Ages | None:
    return ages.meet(limit) if ages and limit else ages or limit


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
        own = Part(class_id=class_id, violation=_not_working(), message=Text(zh="医保不支付：限劳动年龄（满16岁至退休）患者", en="working age only"),
                   on_unknown=OnUnknown(ask=("patient.retired",)))
        return Made(parts=(own,), parameters={"age": {"min": 16, "max": 63, "unit": "year", "min_open": False, "max_open": True}})
    ages = read_ages(Reader(point.constraint)) or read_ages(Reader(point.item_name))
    if ages is None:
        return refused("no age is said, and working age is not named")
    own = Part(class_id=class_id, violation=no(ages.condition()), message=Text(zh=f"医保不支付：限{_ages_text(ages)}患者", en="the patient's age is outside the payable range"))
    return Made(parts=(own,), parameters={"age": ages.parameters()})


def _not_working() -> Condition:
    def years(sex: Sex, at_least: int) -> Condition:
        return All(of=(words("patient.sex", sex), Age(at_least=Decimal(at_least))))

    may_be_retired = Any(of=(years("男", 50), years("女", 45)))
    return Any(
        of=(
            Age(below=Decimal(16)),
            years("男", 63),
            years("女", 58),
            All(of=(may_be_retired, words("patient.retired", True))),
        )
    )


def make_insurance(point: Point, class_id: str) -> Made:
    """Payable under the named kinds of insurance only."""
    remark = read_remark(point.constraint)
    kinds = tuple(dict.fromkeys(k for b in (remark.common, *remark.branches) for k in b.insurance))
    if not kinds:
        return refused("the remark names no kind of insurance")
    names = "或".join(_INSURANCE_NAMES[k] for k in kinds)
    own = Part(
        class_id=class_id,
        violation=no(words("encounter.insurance", *kinds)),
        message=Text(zh=f"医保不支付：限{names}", en="payable only under the named insurance"),
    )
    return _with_indication(point, own, {"insurance": list(kinds)}, frozenset({"insurance"}), remark=remark)


def make_modes(point: Point, class_id: str) -> Made:
    """Payable in the named visit modes only."""
    remark = read_remark(point.constraint)
    modes = _modes(remark)
    if not modes:
        return refused("the remark names no visit mode that every case needs")
    return _with_indication(point, _modes_part(modes, class_id), {"visit_modes": list(modes)}, frozenset({"modes"}), remark=remark)


def _modes(remark: Remark) -> tuple[str, ...]:
    """The visit modes every case needs; where branches name different ones, all of them together."""
    if remark.common.modes:
        return remark.common.modes
    named = [b.modes for b in remark.branches]
    return tuple(dict.fromkeys(m for modes in named for m in modes)) if all(named) else ()


def _modes_part(modes: tuple[str, ...], class_id: str) -> Part:
    names = "、".join(_MODE_NAMES[m] for m in modes)
    return Part(
        class_id=class_id,
        violation=no(words("encounter.visit_mode", *modes)),
        message=Text(zh=f"医保不支付：限{names}使用", en=f"payable only for {', '.join(modes)} visits"),
    )


def make_level(point: Point, class_id: str) -> Made:
    """Payable in institutions of at least a level."""
    remark = read_remark(point.constraint)
    level = _lift(remark, "level")
    if not isinstance(level, Level):
        return refused("the remark names no lowest level that every case needs")
    return _with_indication(point, _level_part(level, class_id), {"level_at_least": level.at_least}, frozenset({"level"}), remark=remark)


def _level_part(level: Level, class_id: str) -> Part:
    below: Condition = Fact(fact="encounter.institution_level", below=Decimal(level.at_least))
    name = f"{_LEVEL_NAMES[level.at_least]}及以上医疗机构"
    on_unknown = OnUnknown()
    if level.first:
        below = All(of=(below, words("line.first_prescription", True)))
        on_unknown = OnUnknown(ask=("line.first_prescription",))
        name = f"首次处方须由{name}开具"
    message = Text(zh=f"医保不支付：{'' if level.first else '限'}{name}", en=f"payable only from level {level.at_least} up")
    return Part(class_id=class_id, violation=below, message=message, on_unknown=on_unknown)


def _lift(remark: Remark, part: str) -> object:
    """What the common part says, or every branch alike; ``None`` where a branch goes without it."""
    common = getattr(remark.common, part)
    if common:
        return common
    named = [getattr(branch, part) for branch in remark.branches]
    return named[0] if all(n == named[0] for n in named) else None


def make_course(point: Point, class_id: str) -> Made:
    """Payable for so many days of use."""
    remark = read_remark(point.constraint)
    course = _lift(remark, "course")
    if not isinstance(course, Course):
        return refused("the remark says no number of days that every case shares")
    own = _course_part(course, items_of(point), class_id)
    return _with_indication(point, own, {"course_days": course.days}, frozenset({"course"}), remark=remark)


def _course_part(course: Course, items: Items, class_id: str) -> Part:
    window = (
        Window(unit="encounter")
        if course.encounter
        else Window(unit="course", length=COURSE_PAUSE_DAYS, whose="patient")
    )
    lines = Lines(items=items, window=window)
    violation: Condition = DaysOfUse(lines=lines, above=Decimal(course.days))
    if course.span:
        # "总时间" runs from the first to the last day, both counted, so it is longer than 90 on the 91st day
        since = Since(event="first_use", lines=lines, unit="day", at_least=Decimal(course.days))
        violation = Any(of=(violation, All(of=(Some(lines=lines), since))))
    once = "单次住院" if course.encounter else ""
    message = Text(zh=f"医保不支付：{once}超过限定支付疗程{course.days}天", en=f"beyond the payable course of {course.days} days")
    return Part(class_id=class_id, violation=violation, message=message)


def period_part(cap: Cap, items: Items, class_id: str = "R31") -> Part:
    """At most so many in any stretch of days; the first and the fifteenth are fourteen days apart, so both may be."""
    window = Window(unit="days", length=cap.days, ends="open", whose="patient")
    violation = Sum(lines=Lines(items=items, window=window), of="line.quantity", above=cap.limit)
    message = Text(zh=f"医保不支付：任意{cap.days}天内最多支付{cap.limit}次", en=f"at most {cap.limit} in any {cap.days} days")
    return Part(class_id=class_id, violation=violation, message=message)


def make_second_line(point: Point, class_id: str) -> Made:
    """Payable only after a first-line drug failed or was not tolerated."""
    return _with_indication(point, _second_line_part(class_id), {}, frozenset({"prior_treatment"}))


def _second_line_part(class_id: str) -> Part:
    return Part(
        class_id=class_id,
        violation=words(EVIDENCE, False),
        message=Text(zh="医保不支付：限二线使用，缺少一线用药无效或不耐受的依据", en="second line only"),
        on_unknown=OnUnknown(ask=(EVIDENCE,)),
    )


def make_indication(point: Point, class_id: str) -> Made:
    """Payable for the named diseases, each alternative with its own conditions."""
    remark = read_remark(point.constraint)
    lifted = _lifted(remark, frozenset())
    own = _indication_part(remark, items_of(point), lifted, class_id)
    if own is None:
        return refused("the remark names no disease and no other condition")
    if not remark.diseases:
        return refused("no disease of the table is named in the remark")
    further = _further(remark, items_of(point), lifted, class_id)
    return Made(parts=(own, *further), parameters=_parameters(remark), unread=remark.rest)


def _with_indication(
    point: Point, own: Part, parameters: dict[str, object], judged: frozenset[str], *, remark: Remark | None = None
) -> Made:
    """A point's own rule, with what else its remark demands. A label ("用于…") demands nothing."""
    if remark is None:
        if not point.constraint.strip().startswith(("限", "仅", "需")):
            return Made(parts=(own,), parameters=parameters)
        remark = read_remark(point.constraint)
    lifted = _lifted(remark, judged)
    indication = _indication_part(remark, items_of(point), lifted, "R08")
    parts = [own, *_further(remark, items_of(point), lifted - judged, own.class_id)]
    if indication:
        parts.append(indication)
    return Made(parts=tuple(parts), parameters={**_parameters(remark), **parameters}, unread=remark.rest)


def _lifted(remark: Remark, judged: frozenset[str]) -> frozenset[str]:
    """The parts that rules of their own judge: the point's own, and what every case needs alike."""
    able = {"level", "modes", "course", "cap"}
    if _insurance_for_all(remark):
        able.add("insurance")
    lifted = {part for part in able if _lift(remark, part)}
    if _lift(remark, "second_line"):
        lifted.add("prior_treatment")
    return judged | lifted


def _insurance_for_all(remark: Remark) -> bool:
    return bool(remark.common.insurance) or all(b.insurance and b.diseases for b in remark.branches)


def _further(remark: Remark, items: Items, lifted: frozenset[str], own: str) -> list[Part]:
    """Rules under the class of each part every case needs, but for the point's own."""
    parts: list[Part] = []
    level, modes, course, cap = (_lift(remark, part) for part in ("level", "modes", "course", "cap"))
    if "level" in lifted and isinstance(level, Level) and own not in ("R12", "R24"):
        parts.append(_level_part(level, "R12"))
    if "modes" in lifted and isinstance(modes, tuple) and own not in ("R13", "R22"):
        parts.append(_modes_part(modes, "R13"))
    if "course" in lifted and isinstance(course, Course) and own not in ("R10", "R23"):
        parts.append(_course_part(course, items, "R10"))
    if "cap" in lifted and isinstance(cap, Cap) and own != "R31":
        parts.append(period_part(cap, items))
    if "insurance" in lifted and own not in ("R01", "R02", "R16", "R17"):
        kinds = remark.common.insurance or remark.branches[0].insurance
        names = "或".join(_INSURANCE_NAMES[k] for k in kinds)
        class_id = "R02" if kinds[0] == "maternity" else "R01"
        parts.append(Part(class_id=class_id, violation=no(words("encounter.insurance", *kinds)), message=Text(zh=f"医保不支付：限{names}", en="payable only under the named insurance")))
    if "prior_treatment" in lifted and own != "R05":
        parts.append(_second_line_part("R05"))
    return parts


def _indication_part(remark: Remark, items: Items, lifted: frozenset[str], class_id: str) -> Part | None:
    needed = demand(remark, items, lifted)
    if needed is None:
        return None
    names = "、".join(d.name for d in remark.diseases[:3])
    more = "等" if len(remark.diseases) > 3 else ""
    said = f"诊断等不符合限定支付范围（{names}{more}）" if names else "不符合限定支付条件"
    return Part(
        class_id=class_id,
        violation=no(needed.met),
        message=Text(zh=f"医保不支付：{said}", en="the payer's indication is not met"),
        on_unknown=OnUnknown(ask=needed.ask),
        suspicious=bool(remark.diseases) and not any(d.codes for d in remark.diseases),
    )


def _parameters(remark: Remark) -> dict[str, object]:
    """Everything the remark says, under the keys of the report. Ages and sex are those that suit every branch."""
    found: dict[str, object] = {}
    level, course, cap, modes = (_lift(remark, part) for part in ("level", "course", "cap", "modes"))
    sex, ages, insurance = _lift(remark, "sex"), _ages_for_all(remark), _lift(remark, "insurance")
    if sex:
        found["sex"] = sex
    if ages:
        found["age"] = ages.parameters()
    if isinstance(level, Level):
        found["level_at_least"] = level.at_least
    if modes:
        found["visit_modes"] = list(modes)  # type: ignore[call-overload]
    if insurance:
        found["insurance"] = list(insurance)  # type: ignore[call-overload]
    if isinstance(course, Course):
        found["course_days"] = course.days
    if isinstance(cap, Cap):
        found["limit"], found["period_days"] = int(cap.limit), cap.days
    rows = [row for branch in sorted(remark.branches, key=_narrowness) for row in branch.diseases]
    if rows:
        found["terms"] = list(dict.fromkeys(t for d in rows for t in d.terms))
        found["codes"] = list(dict.fromkeys(c for d in rows for c in d.codes))
    return found


def _narrowness(branch: Branch) -> int:
    """How much a branch asks of patient and visit besides the disease: the report names the freest branch first."""
    return sum(map(bool, (branch.modes, branch.sex, branch.ages, branch.level, branch.insurance)))


def _ages_for_all(remark: Remark) -> Ages | None:
    """The ages that suit every branch, if any does."""
    every = [b.ages for b in (*remark.branches, remark.common) if b.ages]
    if not every:
        return None
    meet = every[0]
    for ages in every[1:]:
        meet = meet.meet(ages)
    return None if meet.empty else meet
