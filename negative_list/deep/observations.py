"""What the deep check says: one observation, its kind, its place, and in which words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

__all__ = ["KINDS", "Kind", "Observation"]

Kind: TypeAlias = Literal[
    "never",
    "unreachable",
    "contradiction",
    "idle",
    "duplicate",
    "subsumed",
    "replaced",
    "expired",
    "one-way",
    "add-on",
    "code",
    "prefix",
    "term",
    "encounter",
]
"""What an observation is about."""

KINDS: Mapping[Kind, tuple[str, str, bool]] = {
    "never": ("永不触发", "can never fire", True),
    "unreachable": ("条件永不成立", "a condition that can never hold", True),
    "contradiction": ("互相矛盾", "rules that contradict each other", True),
    "idle": ("多余的分支", "a branch that adds nothing", False),
    "duplicate": ("重复", "said twice", False),
    "subsumed": ("已被涵盖", "said by another rule already", False),
    "replaced": ("已被取代", "replaced for good", False),
    "expired": ("已过期", "no longer in force", False),
    "one-way": ("单向配对", "a pair stored one way only", False),
    "add-on": ("加收项无主项目", "an add-on without its base", False),
    "code": ("编码结构不明", "a code of no known structure", False),
    "prefix": ("前缀过宽", "a prefix that swallows another class", False),
    "term": ("词中有词", "a term inside another with another meaning", False),
    "encounter": ("就诊级规则过多", "too many rules the encounter triggers", False),
}
"""Each kind: its name in Chinese and English, and whether it is a fault of the list (else advice)."""


class Observation(Struct, frozen=True, kw_only=True):
    """One thing seen. ``rule_id``: at which rule it is told ("": the list as a whole), ``path``: where inside it.

    ``others`` are the ids of further rules it is about, ``zh`` and ``en`` the sentence.
    """

    kind: Kind
    rule_id: str
    path: str = ""
    others: tuple[str, ...] = ()
    zh: str
    en: str

    @property
    def is_fault(self) -> bool:
        """Whether the list has to be changed."""
        return KINDS[self.kind][2]
