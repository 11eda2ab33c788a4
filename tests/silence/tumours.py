"""How far a tumour has gone, and the line and the phase of its treatment, as a clause of a remark says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from negative_list.prescription import FactValue

__all__ = ["phase_facts", "tumour_facts"]

_STATES = re.compile(
    "(?P<local>局部晚期)|(?P<none>非转移性)|(?P<metastatic>转移性(?!疾病阶段|阶段)|(?<=/)转移(?!阶段))|"
    "(?P<late>晚期)|(?P<fixed>不可(?:手术)?切除|无法手术(?:切除)?)|(?P<recurrent>复发(?!风险|多发))|(?P<refractory>难治)|"
    "(?P<early>早期|(?:ⅠB|IB|II)期?[-至](?:ⅢA|IIIA)期)|(?P<third>(?<![-至])III期|IIIA-IIIB期)"
)
_IMPLIED: dict[str, tuple[str, ...]] = {
    "local": ("III", "locally-advanced"),
    "none": ("III",),
    "metastatic": ("IV", "metastatic"),
    "late": ("IV", "metastatic"),
    "fixed": ("III", "unresectable"),
    "recurrent": ("recurrent",),
    "refractory": ("refractory",),
    "early": ("II", "early"),
    "third": ("III", "locally-advanced"),
}
_OR = re.compile(r"性?(?:的|期)?(?:和/或|或者?|、|/|及)?(?:的)?")


def tumour_facts(clause: str, rng: Random) -> dict[str, FactValue]:
    """The stage of one patient the clause means, the line and the phase of treatment."""
    clause = clause.rstrip(",。 ")
    groups: list[list[str]] = []
    end = -1
    for match in _STATES.finditer(clause):
        between = clause[end : match.start()] if end >= 0 else "x"
        alternative = _OR.fullmatch(between) and re.search("或|、|/|及", between)
        groups = (
            [*groups[:-1], [*groups[-1], str(match.lastgroup)]] if alternative else [*groups, [str(match.lastgroup)]]
        )
        end = match.end()
    stages = tuple(dict.fromkeys(stage for group in groups for stage in _IMPLIED[rng.choice(group)]))
    facts: dict[str, FactValue] = {"encounter.tumour_stage": stages} if stages else {}
    return {**facts, "encounter.treatment_phase": _phase(clause), "encounter.line_of_therapy": _line(clause)}


def phase_facts(clause: str) -> dict[str, FactValue]:
    """The phase of treatment where the clause names one, of any disease."""
    phase = _phase(clause.rstrip(",。 "))
    return {} if phase == "palliative" else {"encounter.treatment_phase": phase}


def _phase(clause: str) -> str:
    ends = {"维持治疗": "maintenance", "新辅助治疗": "neoadjuvant", "辅助治疗": "adjuvant", "诱导治疗": "induction"}
    closing = re.sub("(?:的)?(?:成人|成年)?(?:患者)?(?:的治疗)?$", "", clause)
    return next((phase for words, phase in ends.items() if closing.endswith(words)), "palliative")


def _line(clause: str) -> int:
    if "三线" in clause:
        return 3
    first = re.search("一线治疗(?!后|期|失败)|的一线$|初始|初治|未接受过系统|未经系统|新诊断", clause)
    return 1 if first or not re.search("既往|二线|失败|进展|难治|复发", clause) else 2
