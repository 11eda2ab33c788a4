"""The records of what changed between two lists."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from msgspec import Struct

from negative_list.rules import Action

__all__ = ["Change", "ChangedRule", "ChangedSet", "ClassCount", "Differences", "Renumbered", "RuleTold", "Side"]


class Side(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of the two lists. ``version`` "": it is no release."""

    name: str
    version: str = ""
    digest: str
    rules: int
    details: int
    sets: int


class RuleTold(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule in short; ``details`` are those of its trigger, the codes of named sets included."""

    id: str
    class_id: str
    title: str
    action: Action
    result: Literal["definite", "suspicious"]
    details: int
    valid_from: date | None = None
    valid_to: date | None = None
    origin: str = ""


class Change(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing in a rule that changed.

    ``path`` is its place (``violation.of[1].below``), ``where`` the words on the way to it: field, kinds of conditions,
    facts, key. ``kind``: ``value`` has ``before`` and ``after``; ``items`` (codes, terms, values) and ``parts``
    (conditions, grades, reasons) have what was ``added`` and ``removed``; ``writing``: the same stands there in another
    order, or is named by other sets.
    """

    kind: Literal["value", "items", "parts", "writing"]
    path: str
    where: tuple[str, ...]
    before: Any = None
    after: Any = None
    added: tuple[Any, ...] = ()
    removed: tuple[Any, ...] = ()


class ChangedRule(Struct, frozen=True, kw_only=True):
    """A rule both lists have, as it is now, and what changed in it; what matters most comes first."""

    rule: RuleTold
    importance: int
    changes: tuple[Change, ...]


class Renumbered(Struct, frozen=True, kw_only=True):
    """A rule that says the same under another id."""

    before: str
    rule: RuleTold


class ChangedSet(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A named set that is new, gone, or has other codes; ``rules`` are the ids of those that name it."""

    id: str
    title: str = ""
    kind: Literal["new", "gone", "changed"]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


class ClassCount(Struct, frozen=True, kw_only=True):
    """What changed in one class; ``details`` are those before and after."""

    class_id: str
    name: str
    new: int
    gone: int
    changed: int
    details: tuple[int, int]


class Differences(Struct, frozen=True, kw_only=True):
    """What changed from one list to another; everything that matters most comes first.

    ``unchanged`` rules are those both lists have alike; of them ``through_sets`` name a set that changed.
    """

    before: Side
    after: Side
    new: tuple[RuleTold, ...]
    gone: tuple[RuleTold, ...]
    changed: tuple[ChangedRule, ...]
    renumbered: tuple[Renumbered, ...]
    sets: tuple[ChangedSet, ...]
    classes: tuple[ClassCount, ...]
    unchanged: int
    through_sets: int
