"""Findings a remark demands that the fact dictionary knows: measured values with bounds, and things that must exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from negative_list.conditions import Condition, Fact

if TYPE_CHECKING:
    from negative_list.importer.remark import Reader

__all__ = ["read_alternative_states", "read_measures"]

_MEASURES: tuple[tuple[str, str, str], ...] = (
    # words, fact of the dictionary, unit as folded (may be left out)
    ("bmi|体重指数|体质指数|体重质量指数", "patient.bmi", r"kg/m[2²]"),
    ("体重", "patient.weight_kg", "kg|公斤|千克"),
    ("(?:血清|血浆|人血)?白蛋白(?:水平)?", "encounter.albumin_g_l", "g/l"),
    ("血红蛋白(?:水平)?|hb", "encounter.haemoglobin_g_l", "g/l"),
    (r"lvef|(?:左室|左心室)?射血分数(?:\(lvef\))?", "encounter.lvef_percent", "%"),
    (r"hba1c|糖化血红蛋白(?:\(hba1c\))?", "encounter.hba1c_percent", "%"),
    (r"ldl-c|低密度脂蛋白胆固醇(?:\(ldl-c\))?(?:水平)?", "encounter.ldl_c_mmol_l", "mmol/l"),
    ("egfr|肾小球滤过率", "encounter.egfr_ml_min", r"ml/min(?:/1\.73m[2²])?"),
    ("血小板(?:计数)?(?:<?数)?", "encounter.platelets_1e9_l", r"[×x*]10\^?9/l"),
    ("中性粒细胞(?:计数|绝对值)?", "encounter.neutrophils_1e9_l", r"[×x*]10\^?9/l"),
    ("血磷", "encounter.phosphate_mmol_l", "mmol/l"),
    ("血钾", "encounter.potassium_mmol_l", "mmol/l"),
)
_SIGNS = {
    **dict.fromkeys(("≥", ">=", "不低于", "不小于", "大于等于", "大于或等于", "不少于"), "at_least"),
    **dict.fromkeys(("≤", "<=", "不高于", "不超过", "不大于", "小于等于", "小于或等于"), "at_most"),
    **dict.fromkeys((">", "高于", "大于", "超过"), "above"),
    **dict.fromkeys(("<", "低于", "小于", "不足", "少于"), "below"),
}
_SIGN = "|".join(sorted(map(re.escape, _SIGNS), key=len, reverse=True))
_PATTERNS = tuple(
    (
        fact,
        re.compile(
            rf"(?:且|并且|伴)?(?:{words})(?:水平)?(?:为|应|需)?(?P<sign>{_SIGN})(?P<n>\d+(?:\.\d+)?)(?P<unit>{unit})?(?![\d.a-z/^*×])"
        ),
    )
    for words, fact, unit in _MEASURES
)
_FLAGS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile("(?:有|需)?(?:明确的?)?药(?:物)?敏(?:感性?)?试验(?:结果)?(?:证据|结果|报告)?(?:支持|提示)?"),
        "encounter.susceptibility_test",
    ),
    (
        re.compile("(?:需)?(?:经)?(?:医保)?事前审[查核](?:通过)?后?(?:方可用|方可使用|方可|使用)?"),
        "encounter.prior_approval",
    ),
)
_STATES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile("抢救(?:患者|病人)?(?=[、或])"), "encounter.rescue"),
    (re.compile("(?:危重症?|重症|病危)(?:患者|病人)?(?=[、或])"), "encounter.critical"),
)


def read_measures(reader: Reader) -> tuple[Condition, ...]:
    """Take measured values and required tests out of a text, as conditions that must hold."""
    return (*_measured(reader), *(Fact(fact=fact, any_of=(True,)) for fact in _flagged(reader)))


def _measured(reader: Reader) -> Iterator[Condition]:
    for fact, pattern in _PATTERNS:
        for match in reader.takes(pattern):
            yield replace(Fact(fact=fact), **{_SIGNS[match["sign"]]: Decimal(match["n"])})


def _flagged(reader: Reader) -> Iterator[str]:
    for pattern, fact in _FLAGS:
        if reader.took(pattern):
            yield fact


def read_alternative_states(reader: Reader) -> tuple[str, ...]:
    """Take the states of which one alone meets the remark: "抢救、重症或因…的患者" lets every rescue in."""
    return tuple(fact for pattern, fact in _STATES if reader.took(pattern))
