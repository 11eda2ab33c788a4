"""Which diseases a text means, of those it names: not what it denies, not a treatment beside a disease."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from negative_list.diseases import Disease, Mention, disease, mentions
from negative_list.importer.remark import TAKEN
from negative_list.importer.wording import hide_substances

if TYPE_CHECKING:
    from negative_list.importer.remark import Reader

__all__ = ["diseases_named", "is_treatment", "joined", "severities", "unlisted"]

_NAMESAKE = re.compile(
    "激酶|癌基因|基因|因子|抗原|受体|抗体|病毒(?!感染|性|携带)|嗜血杆菌|杆菌|链球菌|克雷伯|支原体|衣原体"
)
_LINKED = re.compile("^[^、,;。/及和或与]*(?:伴|合并|并发|所致|引起|导致|继发|(?:患者|病人)的?$)")
_LEFT_OUT = re.compile("(?:患者|者)?(?:除外|不予支付)")
_SEVERITY = re.compile("(?:[轻中](?:度)?[至到-]?)?[轻中重]度|[湿干]性|活动性|便秘型|腹泻型")
_NEGATED = re.compile(r"(?:无|非|不伴|未合并|不合并|没有|排除|抗|低级别)$")
_LISTED = re.compile(r"(?:\([^()]*\)(?=[、及和或]))?(?:[、,;。]|[及和或]|$)")
_TREATMENT = re.compile("透析|化疗|放疗|手术|术后|移植|康复|换药|拆线|输血|抗凝|造口|状态|介入")
_PREGNANCY = 15
_FACTORS = 21


def diseases_named(reader: Reader) -> list[Mention]:
    """The diseases a branch means. Named treatments, and abbreviations, count only where nothing else is named."""
    text = _hide_others(hide_substances(reader.text))
    found = [
        m
        for m in mentions(text)
        if not (_LEFT_OUT.match(text, m.end) or _NEGATED.search(text[: m.start]) or _NAMESAKE.match(text, m.end))
    ]
    ends = {m.end for m in found}
    found = [m for m in found if not is_treatment(m.disease) or _is_listed(text, m, ends)] or found
    return [m for m in found if not text[m.start : m.end].isascii()] or found


def _hide_others(text: str) -> str:
    """A text without what a 非 denies: "非2型糖尿病" is no diabetes either, "非小细胞肺癌" a name of its own."""
    for at in [m.start() for m in re.finditer("非", text)]:
        denied = next(iter(mentions(text[at + 1 :])), None)
        own = any(m.start <= at < m.end for m in mentions(text))
        if denied and denied.start == 0 and not own:
            text = f"{text[:at]}{TAKEN * (denied.end + 1)}{text[at + 1 + denied.end :]}"
    return text


def _is_listed(text: str, mention: Mention, ends: set[int]) -> bool:
    """Whether a treatment is an item of a list of its own, not the state of a disease named before it ("骨折术后")."""
    return mention.start not in ends and bool(_LISTED.match(text, mention.end))


def severities(reader: Reader, found: list[Mention]) -> list[str]:
    """Words of severity that a name of a disease begins with, where its row holds every severity."""
    words = [(m, _SEVERITY.match(reader.text, m.start, m.end)) for m in found]
    return [
        reader.original(*word.span())
        for mention, word in words
        if word and disease(reader.text[word.end() : mention.end]) == mention.disease
    ]


def unlisted(reader: Reader, found: list[Mention]) -> list[str]:
    """Members of a list of diseases that the table does not know ("肾移植患者和系统性硬化"), as folded."""
    members: list[str] = []
    for clause in re.finditer("[^,;。]+", reader.text):
        named = [m for m in found if clause.start() <= m.start < clause.end()]
        for member in re.finditer("[^、或和及与]+", clause.group()) if named else ():
            start, end = (clause.start() + place for place in member.span())
            if not any(start < m.end and m.start < end for m in named):
                members.append(_WHO.sub("", member.group()))
    return [member for member in members if _DISEASE.search(member) and not _ACCOUNT.search(member)]


_WHO = re.compile("^(?:仅?限|用于)|(?:的?(?:患者|病人|者))?(?:使用)?$")
_ACCOUNT = re.compile("可能|导致|引起|并发症|治疗|的")
_DISEASE = re.compile("(?:[病症征炎瘤癌术伤痛]|硬化|感染|缺乏|不全|衰竭|损害|障碍|出血|移植)$")


def joined(reader: Reader, found: list[Mention]) -> list[str]:
    """Where two diseases must go together ("糖尿病伴周围神经病变"): hospitals may file either, so it is to be asked."""
    return [
        reader.original(one.start, other.end)
        for one, other in pairwise(found)
        if one.disease != other.disease and _linked(reader.text, one, other)
    ]


def _linked(text: str, one: Mention, other: Mention) -> bool:
    between = text[one.end : other.start]
    if not between:
        return one.disease.chapter in (_PREGNANCY, _FACTORS)
    return bool(_LINKED.search(between) or between == "的")


def is_treatment(row: Disease) -> bool:
    """A treatment, or the state after one, among the factors of chapter 21: dialysis, chemotherapy, a transplant."""
    return row.chapter == _FACTORS and bool(_TREATMENT.search(row.name))
