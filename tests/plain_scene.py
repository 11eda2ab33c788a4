"""The plain matcher, part 1 of 8: the scene, three-valued answers, facts, items and times.

The specification as code: every test is a loop anyone can check. Shares with the engine only the records, the
normalisation of texts and the expansion of code ranges. A told value is ``(value, needs)``: ``True``, ``False`` or
``None`` (unknown), and the names of the facts that would settle an unknown one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from negative_list.conditions import Condition, Items
from negative_list.prescription import Encounter, FactValue, History, Line, Prescription
from negative_list.rules import RuleList
from negative_list.text import normalise, occurs

__all__ = [
    "BEGINS",
    "FALSE",
    "NOTHING",
    "TRUE",
    "Answer",
    "Kleene",
    "Scene",
    "Told",
    "Trigger",
    "both",
    "compared_facts",
    "extent",
    "in_place",
    "is_bare",
    "item_key",
    "named",
    "span",
    "told",
    "value_of",
]

Kleene: TypeAlias = bool | None
Told: TypeAlias = tuple[Kleene, frozenset[str]]
"""A three-valued answer and the names that would settle it where it is unknown."""

NOTHING: frozenset[str] = frozenset()
"""No names."""
TRUE: Told = (True, NOTHING)
"""True, needing nothing."""
FALSE: Told = (False, NOTHING)
"""False, needing nothing."""
BEGINS: Told = (None, frozenset({"line.begins"}))
"""Unknown for want of a line's time."""

LAST_MOMENT = timedelta(days=1) - timedelta(seconds=1)
"""From the first to the last moment of a day: bodies send whole seconds."""


class Scene(Struct, kw_only=True):
    """Everything a decision sees, how conditions are judged, and a tally of what each condition kind answered.

    ``own`` are the lines of the current encounter, ``every`` all the patient's, ``writing`` the identities of the
    current ones, ``doubted`` of those that may be refunded. ``judge`` is :func:`tests.plain_kinds.answer`, for lines
    are gathered by conditions too.
    """

    rules: RuleList
    prescription: Prescription
    at: datetime
    history: History
    sets: dict[str, frozenset[str]]
    writing: frozenset[int]
    own: tuple[Line, ...]
    every: tuple[Line, ...]
    doubted: frozenset[int]
    seen: Counter[tuple[str, Kleene]]
    judge: Callable[[Condition, Scene, Trigger], Answer]

    def in_force(self, line: Line) -> bool:
        """Whether the line was there before: not a current line of the current encounter."""
        return id(line) not in self.writing

    def encounters(self) -> list[Encounter]:
        """The encounters of the body and of history, the current one first, each once."""
        met: dict[str, Encounter] = {}
        for one in (self.prescription.encounter, *self.prescription.others, *self.history.encounters):
            met.setdefault(one.id, one)
        return list(met.values())


class Trigger(NamedTuple):
    """What a condition is judged for: a line (none for diagnoses, operations, the encounter) and when it stands."""

    line: Line | None
    moment: datetime
    has_clock: bool

    @property
    def day(self) -> date:
        """The calendar day it stands on."""
        return self.moment.date()


class Answer(NamedTuple):
    """What a condition answers: the value, the lines a decided one rests on, the names an unknown one needs."""

    value: Kleene
    involved: Sequence[Line] = ()
    needs: frozenset[str] = NOTHING


def told(value: bool) -> Told:
    """A known answer."""
    return TRUE if value else FALSE


def both(left: Told, right: Told) -> Told:
    """Kleene's and of two told values; what a false one needs is of no interest."""
    if left[0] is False or right[0] is False:
        return FALSE
    if left[0] is None or right[0] is None:
        return None, left[1] | right[1]
    return TRUE


# --- facts ----------------------------------------------------------------------------------------------------------


def value_of(fact: str, scene: Scene, trigger: Trigger) -> FactValue | None:
    """The value of a fact by its dictionary name; ``None`` where it is not known."""
    match fact.partition(".")[0]:
        case "patient":
            return scene.prescription.patient.facts.get(fact)
        case "encounter":
            return scene.prescription.encounter.facts.get(fact)
        case _:
            return trigger.line.facts.get(fact) if trigger.line is not None else None


def compared_facts(ours: FactValue | None, theirs: FactValue | None, fact: str, *, equal: bool = True) -> Told:
    """Whether two values of a fact are equal (or differ), of several words share one; unknown where either is."""
    if ours is None or theirs is None:
        return None, frozenset({fact})
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        return told(any(word in theirs for word in ours) is equal)
    return told((ours == theirs) is equal)


# --- items ----------------------------------------------------------------------------------------------------------


def named(items: Items, line: Line, scene: Scene) -> Told:
    """Whether the line is one of the items (see :class:`negative_list.selection.Items`)."""
    return both(_of_types(items, line), _of_codes(items, line, scene))


def _of_types(items: Items, line: Line) -> Told:
    known = line.facts.get("line.item_type")
    if not items.types or known in items.types:
        return TRUE
    return FALSE if known is not None else (None, frozenset({"line.item_type"}))


def _of_codes(items: Items, line: Line, scene: Scene) -> Told:
    inclusive = bool(items.codes or items.prefixes or items.sets or items.names)
    if not (inclusive or items.except_codes or items.except_names):
        return TRUE
    usable = line.usable and bool(line.codes)
    if items.except_codes and any(code.startswith(items.except_codes) for code in line.codes):
        return FALSE
    if not usable and _stands(items.except_names, line):
        return FALSE
    if inclusive and any(_meant(items, code, scene) for code in line.codes):
        return TRUE
    if usable:
        return told(not inclusive)
    return TRUE if _stands(items.names, line) else (None, frozenset({"line.code"}))


def _stands(terms: tuple[str, ...], line: Line) -> bool:
    """Whether one of the terms stands in the line's name."""
    return any(occurs(normalise(term), normalise(line.name)) for term in terms)


def _meant(items: Items, code: str, scene: Scene) -> bool:
    if code in items.codes or code.startswith(items.prefixes):
        return True
    return any(code in scene.sets[name] for name in items.sets)


def item_key(line: Line) -> str:
    """The item a line is: its first code, else the hospital's own, else its normalised name."""
    return line.codes[0] if line.codes else str(line.facts.get("line.local_code") or normalise(line.name))


# --- times ----------------------------------------------------------------------------------------------------------


def in_place(line: Line, scene: Scene) -> Trigger:
    """The trigger a line makes: without a time of its own it stands at the decision's instant."""
    return Trigger(line, line.begins or scene.at, line.has_clock if line.begins else True)


def extent(line: Line, trigger: Trigger) -> tuple[datetime, datetime] | None:
    """The first and the last moment a line may begin at; the same where it has a clock, ``None`` without any time."""
    if line is trigger.line:
        return span(trigger.moment, has_clock=trigger.has_clock)
    return None if line.begins is None else span(line.begins, has_clock=line.has_clock)


def span(moment: datetime, *, has_clock: bool) -> tuple[datetime, datetime]:
    """The first and the last moment a time may stand for: a bare date is any moment of its day."""
    if has_clock:
        return moment, moment
    midnight = datetime.combine(moment, time())
    return midnight, midnight + LAST_MOMENT


def is_bare(line: Line, trigger: Trigger) -> bool:
    """Whether only the day is known of the line's or of the trigger's time."""
    return not (trigger.has_clock and (line is trigger.line or line.has_clock))
