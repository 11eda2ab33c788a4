"""The families that have a sheet: for each class its shape, what a blank cell means, and an example row.

What a class wishes for (action, whether only the fund refuses, addressee...) is the importer's where the importer reads
the class, so that a rule from a sheet and one from a knowledge point differ in nothing but where they come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct, field

from negative_list.classes import CLASS_IDS, class_by_name, class_name
from negative_list.conditions import Window
from negative_list.errors import UnknownNameError
from negative_list.importer import families as imported
from negative_list.importer.patients import SEX_EXEMPT
from negative_list.importer.singles import COURSE_PAUSE_DAYS
from negative_list.sheets import amount_shapes as amounts
from negative_list.sheets import bill_shapes as bill
from negative_list.sheets import patient_shapes as patient
from negative_list.sheets import payment_shapes as payment
from negative_list.sheets.shapes import Shape

__all__ = ["COMMON", "FAMILIES", "Family", "family_of"]

Action: TypeAlias = Literal["remind", "warn", "block"]

COMMON = (
    "document",
    "article",
    "valid_from",
    "valid_to",
    "version",
    "message",
    "message_en",
    "handling",
    "result",
    "fund_only",
    "addressee",
    "per",
    "amount",
    "suggestions",
    "unknown_action",
    "ask",
    "points",
    "comment",
    "also",
    "rest",
)
"""The columns every family has, after its own."""

_LEADING = ("operation", "rule_id", "rule_class", "title")
_ITEMS = ("name", "codes", "sets", "names", "prefixes", "types", "except_codes", "except_names")
_EXEMPT = ("exempt_codes", "exempt_terms")
_WITHOUT_ITEMS = (
    patient.DIAGNOSIS_SEX,
    patient.DIAGNOSIS_AGE,
    patient.OPERATION_SEX,
    payment.MAIN_DIAGNOSIS,
    bill.CONTAINED,
    bill.TOGETHER,
)
_ITEM_NEEDS = ("codes", "name", "names", "prefixes", "types", "sets")


class Family(Struct, frozen=True, kw_only=True):
    """One class as a sheet. ``defaults`` are the values of blank cells, by column; ``example`` a template's row."""

    class_id: str
    shape: Shape
    defaults: Mapping[str, Any] = field(default_factory=dict)
    example: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The official name of the class."""
        return class_name(self.class_id)

    @property
    def of_items(self) -> bool:
        """Whether items trigger its rules by the item columns."""
        return self.shape not in _WITHOUT_ITEMS

    @property
    def remarks(self) -> bool:
        """Whether a row may tell its condition in the payer's words alone."""
        own = imported.FAMILIES.get(self.class_id)
        return own is not None and self.of_items and not self.shape.grouped

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the family, in the order of its template."""
        items = _ITEMS if self.of_items else ()
        remark = ("remark",) if self.remarks else ()
        return tuple(dict.fromkeys((*_LEADING, *items, *self.shape.columns, *remark, *_EXEMPT, *COMMON)))

    @property
    def needs(self) -> tuple[tuple[str, ...], ...]:
        """Of each tuple at least one column must be filled, by the row or by a default."""
        return (*((_ITEM_NEEDS,) if self.of_items else ()), *self.shape.needs)


def family_of(named: str) -> Family:
    """The family of a class, by its id or its official name.

    Raises:
        UnknownNameError: no class is called so, or the class has no sheet.
    """
    class_id = named.strip().upper()
    if class_id not in CLASS_IDS:
        class_id = class_by_name(named).id
    if class_id not in FAMILIES:
        raise UnknownNameError("family with a sheet", class_id, FAMILIES)
    return FAMILIES[class_id]


_SUGGESTED: Mapping[str, tuple[str, ...]] = {"line": ("drop",), "fund": ("drop", "self_pay")}


def _family(
    class_id: str, shape: Shape, example: Mapping[str, str], /, action: Action = "warn", **defaults: Any
) -> Family:
    """A family; what the importer says of the class goes before ``action``, what is told here before both."""
    known = imported.FAMILIES.get(class_id)
    own: dict[str, Any] = {
        "handling": known.action if known else action,
        "fund_only": known.fund_only if known else defaults.get("fund_only", False),
        "addressee": known.addressee if known else "doctor",
        "per": known.per if known else "line",
        "amount": known.amount if known else "line",
        "result": "definite",
        "unknown_action": "pass",
        "ask": (),
    }
    suggested = _SUGGESTED["fund" if own["fund_only"] else "line"]
    own["suggestions"] = known.suggestions if known else suggested
    return Family(class_id=class_id, shape=shape, defaults={**own, **defaults}, example=example)


_DRUG = {"name": "示例药品片", "codes": "XA01BCD123A001010100001"}
_PATENT = {"name": "示例胶囊", "codes": "ZA01BAB0001010100001"}
_HERB = {"name": "示例饮片", "codes": "T000100001"}
_SERVICE = {"name": "示例检查", "codes": "001100000010000"}
_MATERIAL = {"name": "示例耗材", "codes": "C0101010010000000001"}
_TWO_DRUGS = {"main_name": "示例药甲", "main_codes": "XA01BCD123A001010100001", "other_name": "示例药乙"} | {
    "other_codes": "XB01BCD123A001010100001"
}
_TWO_HERBS = {"main_name": "示例饮片甲", "main_codes": "T000100001", "other_name": "示例饮片乙"} | {
    "other_codes": "T000100002"
}
_TWO_SERVICES = {"main_name": "示例手术", "main_codes": "001100000010000", "other_name": "示例项目"} | {
    "other_codes": "001100000020000"
}
_COURSE = Window(unit="course", length=COURSE_PAUSE_DAYS, whose="patient")
_EXEMPT_SEX: dict[str, Any] = {"exempt_codes": SEX_EXEMPT.codes, "exempt_terms": SEX_EXEMPT.terms}
_ONLY: dict[str, Any] = {"form": "only"}
_CHARGE: dict[str, Any] = {"addressee": "charge_entry"}
_DISEASE = {"diagnosis_codes": "I10-I15", "diagnosis_terms": "高血压"}

_TABLE: tuple[Family, ...] = (
    _family("R01", payment.INSURANCE, _DRUG | {"insurance": "工伤保险"}, **_ONLY, insurance=("work-injury",)),
    _family("R02", payment.INSURANCE, _DRUG | {"insurance": "生育保险"}, **_ONLY, insurance=("maternity",)),
    _family("R03", bill.NEVER, _HERB),
    _family("R04", bill.ALONE, _HERB, types=("herb", "granule")),
    _family("R05", payment.SECOND_LINE, _DRUG, ask=("line.first_line_used",)),
    _family("R06", patient.AGES, _DRUG | {"age_high": "≤28天"}, **_ONLY),
    _family("R07", patient.AGES, _DRUG | {"age_low": "≥3岁", "age_high": "<12岁"}, **_ONLY),
    _family("R08", payment.INDICATION, _DRUG | _DISEASE),
    _family("R09", amounts.CAPS, _DRUG | {"limit_days": "28"}, fund_only=True, amount="excess"),
    _family("R10", amounts.COURSE, _DRUG | {"limit_days": "14"}, window=_COURSE),
    _family("R12", payment.LEVEL, _PATENT | {"level": "二级"}),
    _family("R13", payment.MODES, _PATENT | {"modes": "急诊、住院"}, **_ONLY),
    _family("R14", amounts.PRICE, _SERVICE | {"price_3": "160", "price_2": "140"}, **_CHARGE),
    _family(
        "R15",
        bill.DISCOUNT,
        _SERVICE | {"group": "胃肠手术组"},
        window=Window(unit="day"),
        unknown_action="remind",
        ask=("line.incision",),
    ),
    _family("R16", payment.INSURANCE, _SERVICE | {"insurance": "工伤保险"}, **_ONLY, insurance=("work-injury",)),
    _family("R17", payment.INSURANCE, _SERVICE | {"insurance": "生育保险"}, **_ONLY, insurance=("maternity",)),
    _family("R18", patient.AGES, _SERVICE | {"age_high": "≤28天"}, **_ONLY),
    _family("R19", patient.AGES, _SERVICE | {"age_high": "<14岁"}, **_ONLY),
    _family("R20", payment.INDICATION, _SERVICE | _DISEASE),
    _family("R21", payment.DEPARTMENT, _SERVICE | {"department_codes": "A15", "department_names": "精神科"}),
    _family("R22", payment.MODES, _SERVICE | {"modes": "住院"}, **_ONLY),
    _family("R23", amounts.COURSE, _SERVICE | {"limit_days": "90"}, window=_COURSE),
    _family("R24", payment.LEVEL, _SERVICE | {"level": "三级"}),
    _family("R25", bill.CONTAINED, _TWO_SERVICES | {"window": "单日"}),
    _family("R27", amounts.QUANTITY, _SERVICE | {"limit": "24", "window": "单日"}, window=Window(unit="day")),
    _family("R28", amounts.AMOUNT, _SERVICE | {"limit_amount": "400", "window": "单日"}, **_CHARGE, amount="excess"),
    _family("R29", patient.AGES, _SERVICE | {"age_low": "≥16岁", "age_high": "<60岁"}, **_ONLY),
    _family("R30", bill.CONTAINED, _TWO_SERVICES | {"other_codes": _MATERIAL["codes"], "window": "单日"}, **_CHARGE),
    _family("R31", amounts.QUANTITY, _SERVICE | {"limit": "1", "window": "15天"}),
    _family("R32", patient.AGES, _MATERIAL | {"age_high": "≤28天"}, **_ONLY),
    _family("R33", patient.AGES, _MATERIAL | {"age_high": "<18岁"}, **_ONLY),
    _family(
        "R34", amounts.AMOUNT, _MATERIAL | {"limit_amount": "40000", "window": "单次就诊"}, **_CHARGE, amount="excess"
    ),
    _family("R39", patient.OPERATION_SEX, {"operation_codes": "66.2100", "operation_name": "示例手术", "sex": "女"}),
    _family(
        "R40",
        payment.MAIN_DIAGNOSIS,
        {"operation_codes": "43.4105", "operation_name": "示例手术"} | {"diagnosis_codes": "K31.7"},
    ),
    _family("R46", bill.KINDS, {"types": "药品", "limit": "5"}, types=("drug",), per="encounter"),
    _family("R47", payment.MODES, _DRUG | {"modes": "互联网"}, form="not", modes=("internet",)),
    _family("R54", patient.DIAGNOSIS_SEX, {"diagnosis_codes": "D25", "diagnosis_terms": "子宫平滑肌瘤", "sex": "女"}),
    _family(
        "R55",
        patient.DIAGNOSIS_AGE,
        {"diagnosis_codes": "P22", "diagnosis_terms": "新生儿呼吸窘迫"} | {"age_high": "≤28天"},
        **_ONLY,
    ),
    _family("R64", bill.COMPANION, _DRUG | {"companion_codes": _SERVICE["codes"]}),
    _family("R65", patient.AGES, _PATENT | {"age_high": "<18岁"}, **_ONLY),
    _family("R66", patient.AGES, _DRUG | {"age_high": "<18岁", "form": "禁用"}, action="block", form="not"),
    _family("R67", patient.SEX, _PATENT | {"sex": "女"}),
    _family("R68", amounts.CAPS, _DRUG | {"limit_days": "28"}, amount="excess", suggestions=("days", "drop")),
    _family("R69", bill.DUPLICATES, _DRUG | {"group": "质子泵抑制剂"}),
    _family("R70", payment.INDICATION, _DRUG | _DISEASE, action="remind", result="suspicious"),
    _family("R71", payment.CONTRAINDICATION, _DRUG | _DISEASE),
    _family("R72", patient.AGES, _DRUG | {"age_low": "≥75岁", "form": "慎用"}, form="not"),
    _family("R73", patient.FERTILITY, _DRUG | {"fertility": "妊娠、哺乳"}, action="block"),
    _family("R74", bill.TOGETHER, _TWO_DRUGS | {"window": "14天（含端）"}, window=amounts.VISIT),
    _family("R75", bill.TOGETHER, _TWO_HERBS | {"window": "单次就诊"}, action="block", window=amounts.VISIT),
    _family("R76", bill.KINDS, {"types": "中药饮片", "limit": "25"}, types=("herb",), per="encounter"),
    _family("R77", amounts.GRAMS, _HERB | {"grams_label": "5", "grams_multiple": "5"}, amount="excess"),
    _family("R78", payment.INDICATION, _SERVICE | _DISEASE, result="suspicious"),
    _family("R79", payment.INDICATION, _SERVICE | _DISEASE, result="suspicious"),
    _family("R80", patient.AGES, _SERVICE | {"age_high": "<18岁"}, **_ONLY),
    _family(
        "R81",
        patient.SEX,
        _SERVICE | {"sex": "女"},
        **_EXEMPT_SEX,
        unknown_action="remind",
        ask=("encounter.diagnoses",),
    ),
    _family("R82", payment.CONTRAINDICATION, _SERVICE | _DISEASE),
    _family("R83", payment.INDICATION, _SERVICE | _DISEASE),
    _family("R84", bill.COMPANION, _MATERIAL | {"companion_codes": _SERVICE["codes"]}, **_CHARGE),
    _family("R85", payment.DEPARTMENT, _MATERIAL | {"department_codes": "A04", "department_names": "外科"}, **_CHARGE),
    _family(
        "R86",
        amounts.QUANTITY,
        _MATERIAL | {"limit": "4", "window": "单次就诊"},
        **_CHARGE,
        amount="excess",
        window=amounts.VISIT,
    ),
    _family("R87", patient.SEX, _MATERIAL | {"sex": "男"}),
    _family("R88", payment.INDICATION, _MATERIAL | _DISEASE),
    _family(
        "E01", amounts.CAPS, {"types": "药品", "limit_days": "7", "modes": "门诊"}, types=("drug",), amount="excess"
    ),
    _family("E08", bill.COMPANION, _SERVICE | {"companion_codes": _SERVICE["codes"]}, **_CHARGE),
)

FAMILIES: Mapping[str, Family] = {family.class_id: family for family in _TABLE}
"""Every class that has a sheet."""
