"""How far a tumour has gone, which line and which phase of treatment: words for facts of the dictionary."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from negative_list.conditions import Condition, Fact

if TYPE_CHECKING:
    from negative_list.importer.remark import Reader

__all__ = ["read_stages"]

_STAGE = "encounter.tumour_stage"
_LATE = ("III", "IV", "locally-advanced", "unresectable", "metastatic", "recurrent")
# A word stands for every stage it takes in: whoever has metastases is in stage IV, and cannot be operated on.
_STAGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("局部晚期", ("locally-advanced", "unresectable", "III")),
    ("(?<!非)转移性(?!疾病阶段|阶段)|(?:远处|发生|已)转移(?!风险)", ("metastatic", "IV")),
    ("(?:手术)?不可(?:手术)?切除(?:的)?|(?:无法|不能|不宜)(?:进行)?(?:手术)(?:切除)?(?:的)?", ("unresectable", *_LATE)),
    ("复发或难治性?|难治或复发性?", ("recurrent", "refractory")),
    ("复发性|复发型(?!多发)|复发(?!风险)", ("recurrent",)),
    ("难治性?", ("refractory", "recurrent")),
    ("中晚期|晚期|进展期", _LATE),
    ("早期", ("early", "I", "II")),
)
_PATTERNS = tuple((re.compile(words), stages) for words, stages in _STAGES)
_OR_NEW = re.compile(
    "(?:新诊断|初治|初诊|初发|首次诊断|未经?治疗)(?:的|性)?(?:或|、|和|及)|(?:或|、|和|及)(?:新诊断|初治|初诊|初发|首次诊断|未经?治疗)"
)
_GLUE = re.compile(r"(?<=\x00)(?:、|或|及|和|/|,)+(?=\x00)")
_FIRST_LINE = re.compile(r"(?:的)?一线(?:治疗)?(?=[的,;。()]|$|\x00)")
_PHASES = {
    "新辅助": "neoadjuvant",
    "辅助": "adjuvant",
    "诱导": "induction",
    "巩固": "consolidation",
    "维持": "maintenance",
}
_PHASE = "|".join(_PHASES)
_PHASED = re.compile(
    rf"(?:的)?(?:术后|强化)*(?:(?:{_PHASE})(?:缓解)?(?:治疗)?(?:、|和|及|或|/)*)*(?:{_PHASE})治疗(?!期|后|失败|之)"
)


def read_stages(reader: Reader, *, tumour: bool) -> tuple[Condition, ...]:
    """Take stage, line and phase out of a text, as conditions; stages only where the text is about a ``tumour``."""
    return tuple(_read(reader, tumour=tumour))


def _read(reader: Reader, *, tumour: bool) -> Iterator[Condition]:
    staged = tumour and not _OR_NEW.search(reader.text)
    stages = [stage for pattern, named in _PATTERNS if staged and reader.took(pattern) for stage in named]
    for _ in reader.takes(_GLUE) if stages else ():
        continue
    if stages:
        yield Fact(fact=_STAGE, any_of=tuple(dict.fromkeys(stages)))
    if reader.took(_FIRST_LINE):
        yield Fact(fact="encounter.line_of_therapy", at_most=Decimal(1))
    named = [word for match in reader.takes(_PHASED) for word in re.findall(_PHASE, match.group())] if tumour else []
    phases = tuple(dict.fromkeys(_PHASES[word] for word in named))
    if phases:
        yield Fact(fact="encounter.treatment_phase", any_of=phases)
