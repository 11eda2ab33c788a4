"""What a careful human asks of patient, visit and line so that a published point has nothing to say.

Read from the published point (its remark, its class, its item's name; the sex from the importer's parameters where the
remark is a label), never from the rules made of it: the readings here and the importer's are independent, and diagnoses
come from ``patients.tsv``, not from the importer's table of diseases.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from negative_list.classes import class_by_name
from tests.silence.tumours import phase_facts, tumour_facts
from tests.silence.wishes import AGES, Wish, both

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from random import Random

    from negative_list.importer import Point
    from negative_list.prescription import FactValue

__all__ = ["class_of", "wish_of"]

_GROWN = frozenset({"adult", "elder"})
_ANYWHERE = frozenset({"outpatient", "emergency", "inpatient", "internet"})
_HERE = _ANYWHERE - {"internet"}
_WHO = {
    "男": ("男", _GROWN),
    "女": ("女", _GROWN),
    "女老年": ("女", frozenset({"elder"})),
    "女育龄": ("女", frozenset({"adult"})),
    "老年": ("", frozenset({"elder"})),
    "儿童": ("", frozenset({"child"})),
    "新生儿": ("", frozenset({"newborn"})),
}


class Row(Struct, frozen=True):
    """One row of ``patients.tsv``: words of a remark, the patients they mean by their diagnoses, and who they are."""

    phrase: str
    patients: tuple[tuple[tuple[str, str], ...], ...]
    who: str


def class_of(point: Point) -> str:
    """The class id of a point."""
    return class_by_name(point.rule_class).id


def wish_of(point: Point, parameters: Mapping[str, Any], rng: Random, prefer: Iterable[tuple[str, str]] = ()) -> Wish:
    """What a point asks for; of several indications one is drawn, if possible one that brings ``prefer``."""
    class_id = class_of(point)
    wish = _of_class(class_id, point, parameters)
    text = _cleaned(point.constraint)
    if text.startswith(("限", "需", "仅", "支付")) and class_id not in ("R31", "R23"):
        remark = _of_remark(text, "小儿" in point.item_name, rng, set(prefer))
        young = class_id in ("R65", "R80", "R07")
        return _met(wish, replace(remark, ages=frozenset(AGES)) if young else remark)
    return wish


def _met(wish: Wish, remark: Wish) -> Wish:
    """Both; a point whose class and remark no patient meets together is read wrongly here."""
    whole = both(wish, remark)
    if whole is None:
        message = f"nobody meets {wish} and {remark}"
        raise AssertionError(message)
    return whole


def _of_class(class_id: str, point: Point, parameters: Mapping[str, Any]) -> Wish:
    """What the class asks for, the remark's own words left aside."""
    text = point.constraint
    if class_id in ("R67", "R81"):
        sex = parameters.get("sex") or ("女" if "女" in text else "男")
        ages = frozenset({"child"}) if "小儿" in point.item_name else _GROWN
        return Wish(sex=sex, ages=ages, modes=_HERE if class_id == "R81" else _ANYWHERE)
    if class_id in ("R65", "R80", "R07"):
        return Wish(ages=_young(point.item_name, text), modes=_HERE)
    table = {
        "R29": Wish(ages=frozenset({"adult"})),
        "R03": Wish(self_paid=True),
        "R04": Wish(herb=True),
        "R15": Wish(
            groups=frozenset({text}),
            sex="男" if "男性" in text else "女" if "女性" in text else "",
            modes=frozenset({"inpatient"}),
        ),
        "R25": Wish(modes=_HERE),
        "R47": Wish(modes=_HERE),
        "R27": Wish(most=_limit(point), modes=_HERE),
        "R31": Wish(gap_days=point.period_days or _first_number(text), most=1, modes=_HERE),
        "R23": Wish(course_days=_course(text), most=1, gap_days=_gap(text), modes=_HERE),
    }
    return table.get(class_id, Wish())


def _limit(point: Point) -> int:
    return int(point.limit) if point.limit is not None else _first_number(point.constraint)


def _first_number(text: str) -> int:
    found = re.search(r"\d+", text)
    return int(found[0]) if found else 1


def _young(name: str, text: str) -> frozenset[str]:
    words = name + text
    if "婴幼儿" in words:
        return frozenset({"infant", "toddler"})
    if "新生儿专用" in words or ("早产" in words and "小儿" not in words) or "出生28天" in words:
        return frozenset({"newborn"})
    if "婴儿专用" in words or "用于婴儿" in words:
        return frozenset({"infant"})
    return frozenset({"child"}) if re.search(r"\d岁|\d+至\d+周岁", words) else frozenset({"toddler", "child"})


# -- the remark


@cache
def _cleaned(text: str) -> str:
    """A remark without what it shuts out and without cautions."""
    text = unicodedata.normalize("NFKC", text).replace("\n", "。")
    text = re.sub(r"\([^()]*(?:不含|除外)[^()]*\)", "", text)
    return re.sub(r"[,，]?不包括存在[^;。]*|[^;。,]*(?:不适合也不推荐|不宜接受本)[^;。]*|流感嗜血杆菌", "", text)


def _of_remark(text: str, small: bool, rng: Random, prefer: set[tuple[str, str]]) -> Wish:
    wish = Wish(
        ages=frozenset({"child"}) if small else _ages(text),
        modes=_modes(text),
        insurance=_insurance(text),
        level=3 if "三级" in text else 2 if "二级" in text else 0,
        facts=_facts(text),
        alone=bool(re.search("除外|不含|非透析|非肝硬化|未接受|未经", text)),
        course_days=_course(text),
        onset="小时内" in text,
    )
    found = _named(text)
    if not found or (wish.insurance and "或" not in text):
        return wish
    liked = [entry for entry in found if any(prefer & {*patient} for patient in entry[0].patients)] or found
    row, clause = rng.choice(liked)
    preferred = [patient for patient in row.patients if prefer & {*patient}] or row.patients
    sex, ages = _WHO.get(row.who, ("", wish.ages))
    facts = {**wish.facts, **(tumour_facts(clause, rng) if _is_tumour(row) else phase_facts(clause))}
    return replace(wish, sex=sex, ages=ages & wish.ages or ages, diagnoses=rng.choice(preferred), facts=facts)


def _ages(text: str) -> frozenset[str]:
    if re.search(r"限\d+-\d+岁", text) or ("儿童" in text and not re.search("成人|成年|岁及以上|青少年", text)):
        return frozenset({"child"})
    return frozenset({"elder"}) if "绝经" in text else _GROWN


def _modes(text: str) -> frozenset[str]:
    if "急诊或住院" in text:
        return frozenset({"emergency", "inpatient"})
    return frozenset({"inpatient"}) if re.search("住院|术中|手术过程|围手术期|禁食", text) else _HERE


def _insurance(text: str) -> str:
    if text.startswith("限工伤"):
        return "work-injury"
    return "maternity" if text.startswith("限生育") else ""


_DAYS = re.compile(r"(?:不超过|最多支付|总时间不超过)(\d+|一)(天|年|个月)")


def _course(text: str) -> int | None:
    found = _DAYS.search(text)
    if not found:
        return None
    count = 1 if found[1] == "一" else int(found[1])
    return count * {"天": 1, "年": 365, "个月": 30}[found[2]]


def _gap(text: str) -> int | None:
    found = re.search(r"不短于(\d+)天", text)
    return int(found[1]) if found else 7 if "每周" in text else None


_FACTS: tuple[tuple[str, dict[str, FactValue]], ...] = (
    ("BMI", {"patient.bmi": 28}),
    ("营养风险", {"encounter.nutrition_risk": True, "encounter.enteral_impossible": True}),
    ("LVEF|射血分数", {"encounter.lvef_percent": 35}),
    ("白蛋白低于", {"encounter.albumin_g_l": 25}),
    ("体重≥", {"patient.weight_kg": 60}),
    ("事前审查", {"encounter.prior_approval": True}),
    ("药敏", {"encounter.susceptibility_test": True}),
    ("抢救|重症患者", {"encounter.rescue": True, "encounter.critical": True}),
)


def _facts(text: str) -> dict[str, FactValue]:
    return {name: value for words, facts in _FACTS if re.search(words, text) for name, value in facts.items()}


@cache
def _rows() -> tuple[Row, ...]:
    lines = (Path(__file__).parent / "patients.tsv").read_text(encoding="utf-8").splitlines()
    cells = [line.split("\t") for line in lines if line and not line.startswith("#")]
    rows = [Row(unicodedata.normalize("NFKC", c[0]), tuple(map(_filed, c[1].split("|"))), c[2]) for c in cells]
    return tuple(sorted(rows, key=lambda row: -len(row.phrase)))


def _filed(patient: str) -> tuple[tuple[str, str], ...]:
    halves = [diagnosis.partition(" ") for diagnosis in patient.split(";")]
    return tuple((code, name) for code, _, name in halves)


@cache
def _named(text: str) -> tuple[tuple[Row, str], ...]:
    """Every disease the remark names, the longest words first, each with the clause it stands in."""
    taken = [False] * len(text)
    found = []
    for row in (named for named in _rows() if named.phrase in text):
        for match in re.finditer(re.escape(row.phrase), text):
            if not any(taken[match.start() : match.end()]):
                taken[match.start() : match.end()] = [True] * len(row.phrase)
                found.append((match.start(), row))
    return tuple((row, _clause(text, at)) for at, row in sorted(found, key=lambda entry: entry[0]))


_CUT = re.compile(r"[;。]|(?:^|(?<=[:;。限 ]))\(?\d+[.)]")


def _clause(text: str, at: int) -> str:
    cuts = [0, *(m.end() for m in _CUT.finditer(text) if m.end() <= at)]
    ends = [m.start() for m in _CUT.finditer(text) if m.start() >= at]
    return text[cuts[-1] : ends[0] if ends else len(text)]


def _is_tumour(row: Row) -> bool:
    code = row.patients[0][0][0]
    return code[0] == "C" or code[:2] in ("D0", "D1", "D2", "D3", "D4") or code.startswith("Q85.0")
