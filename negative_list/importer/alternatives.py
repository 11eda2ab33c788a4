"""Cutting a branch that itself names alternatives of different kinds: an insurance or a disease, a level or a mode."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from negative_list.diseases import mentions
from negative_list.importer.wording import hide_substances

if TYPE_CHECKING:
    from negative_list.importer.remark import Reader

__all__ = ["cut"]

_BESIDE_INSURANCE = re.compile(
    r"(?<=[人者病症瘤炎癌内])(?P<or>或)(?=(?:参加)?(?:工伤|生育)(?:保险)?)"
    r"|(?:工伤|生育)(?:保险)?(?:患者|支付|参保人员?)?(?P<or2>或)(?!(?:工伤|生育))"
)
_ONE_OF_TWO = re.compile(
    r",(?P<or>或)(?:者)?(?=在|存在|单药|用于|患|对|接受)|(?P<or2>或)(?=男性|女性|绝经|成人|儿童|新生儿|住院|门诊|急诊|[≥\d])"
)
_OF_ITS_OWN = re.compile(
    r"(?P<or>[、,或和及])(?=[^、,或和及()]{2,16}\([^()]*(?:岁|月龄|男|女|成人|儿童)[^()]*\))|\([^()]*(?:岁|月龄|男|女|成人|儿童)[^()]*\)(?P<or2>[、,或和及])"
)
_ALSO = re.compile(r"(?P<or>,)(?=[^,;。]{1,16}?(?:也可|亦可|也予|亦予))")
_PATIENTS = re.compile(
    r"(?:住院|门诊|急诊)(?:患者|病人)(?P<or>[及和或、])(?=(?:住院|门诊|急诊)[^,;。]{1,10}?(?:患者|病人))"
    r"|(?:住院|门诊|急诊)(?:患者|病人)?(?P<or2>[或、])(?=(?!住院|门诊|急诊|抢救|急救|留观)[^,;。]{1,10}?(?:患者|病人))"
)
_EITHER = re.compile(r"(?P<left>[^,;。或]+)(?P<or>或者?)(?=(?P<right>[^,;。或]+))")
_KINDS = tuple(
    re.compile(words)
    for words in (
        "工伤|生育保险|职工医保|居民医保",
        "级[^,;。]{0,12}(?:医院|机构)",
        "门诊|急诊|住院",
        r"\d周?岁|月龄|儿童|成人|新生儿",
        "男性|女性|妇女|孕妇",
    )
)
_CLOCKED = re.compile(r"小时内\)?(?P<or>[、,和及或])")


def cut(part: Reader) -> list[Reader]:
    """A branch that itself names alternatives of different kinds, one by one."""
    found = [
        m for pattern in (_BESIDE_INSURANCE, _ONE_OF_TWO, _OF_ITS_OWN, _CLOCKED) for m in pattern.finditer(part.text)
    ]
    found = [m for m in found if m.re is _BESIDE_INSURANCE or _both_named(part.text, m)]
    found += [
        *_ALSO.finditer(part.text),
        *_PATIENTS.finditer(part.text),
        *(m for m in _EITHER.finditer(part.text) if _of_two_kinds(m)),
    ]
    cuts = sorted({m.span("or2" if m.lastgroup == "or2" else "or") for m in found})
    starts = [0, *(end for _, end in cuts)]
    ends = [*(start for start, _ in cuts), len(part.text)]
    return [part.part(start, end) for start, end in zip(starts, ends, strict=True)]


def _of_two_kinds(at: re.Match[str]) -> bool:
    """Whether an 或 stands between demands of different kinds: insurance, level, visit mode, age, sex."""
    left, right = ({n for n, words in enumerate(_KINDS) if words.search(at[side])} for side in ("left", "right"))
    return bool(left and right) and not left & right


def _both_named(text: str, at: re.Match[str]) -> bool:
    """Whether a disease stands on both sides of a cut, so that each side can be an alternative of its own."""
    sides = (text[: at.start()], text[at.end() :])
    return all(mentions(hide_substances(side)) for side in sides)
