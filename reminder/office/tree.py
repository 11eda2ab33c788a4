"""A rule's conditions, part by part, as they were answered for one line: true, false or unknown, and on what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from negative_list import conditions as c
from negative_list.decision import FactSeen
from negative_list.explain import explain_part
from reminder.office.words import sentence, trigger_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from negative_list.bind import Binder
    from negative_list.check import Check
    from negative_list.prescription import Line
    from negative_list.rules import Rule
    from reminder.office.words import Language

__all__ = ["Part", "parts_of", "walked"]


class Part(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One condition: what it asks, what it answered (``None``: unknown), and on what.

    ``role``: ``trigger``, ``scope`` or ``violation`` at the top, "" inside. ``facts`` with values and sources;
    ``lines`` ids of the other lines it rests on; ``needs`` what is missing where it is unknown.
    """

    kind: str
    text: str
    holds: bool | None
    role: str = ""
    facts: tuple[FactSeen, ...] = ()
    lines: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()


def walked(rule: Rule, check: Check, binder: Binder, line: Line | None, language: Language) -> tuple[Part, ...]:
    """The trigger, the scope (where there is one) and the violation of a rule for one trigger line."""
    trigger = Part(kind="trigger", role="trigger", text=trigger_text(rule.trigger, language), holds=True)
    told = [("scope", rule.scope)] if rule.scope is not None else []
    walk = _Walk(check, binder, line, language)
    return (trigger, *(walk.part(condition, role) for role, condition in (*told, ("violation", rule.violation))))


class _Walk:
    def __init__(self, check: Check, binder: Binder, line: Line | None, language: Language) -> None:
        self._check = check
        self._binder = binder
        self._past = frozenset(past.id for past in check.history.lines) if check.history is not None else frozenset()
        self._line = line
        self._language = language

    def part(self, condition: c.Condition, role: str = "") -> Part:
        kind, text = str(condition.__struct_config__.tag), sentence(condition, self._language)
        holds = self._binder.bind(condition)(self._check, self._line)
        if isinstance(condition, (c.All, c.Any, c.AtLeast, c.Not)):
            inside = (condition.of,) if isinstance(condition, c.Not) else condition.of
            return Part(kind=kind, text=text, holds=holds, role=role, parts=tuple(map(self.part, inside)))
        seen = explain_part(condition, self._check, self._binder, self._line)
        lines = tuple(line.id for line in seen.lines)
        facts = tuple(map(self._sourced, seen.facts))
        return Part(kind=kind, text=text, holds=holds, role=role, facts=facts, lines=lines, needs=seen.needs)

    def _sourced(self, seen: FactSeen) -> FactSeen:
        """A fact of a line of history came from there; lines name a source only where the body did not tell it."""
        if seen.subject not in self._past or seen.source != "request":
            return seen
        return msgspec.structs.replace(seen, source="history")


def parts_of(part: Part) -> Iterator[Part]:
    """A part and all inside it, as written."""
    yield part
    for inside in part.parts:
        yield from parts_of(inside)
