"""A decision as evidence: its lines found by item and order date, or by their own id.

Of a body only what can matter is kept: its current lines, and those in force that are like a line some earlier check
of the encounter found something about. A stay of five thousand fee lines is in memory once, not once for each check.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from reminder.journal.brief import DecisionBrief, FoundBrief, LineBrief

if TYPE_CHECKING:
    from reminder.journal.base import Row

__all__ = [
    "FEW_LINES",
    "SETTLEMENT",
    "Body",
    "Key",
    "Lines",
    "Wanted",
    "body_of",
    "civil_of",
    "differs",
    "fell_by",
    "match",
    "no_more",
    "other_items",
    "own_id",
    "places_of",
    "self_paid",
]

SETTLEMENT = frozenset({"6", "7", "8", "9"})
"""Scenes in which what is present was saved (national table trig_scen, 6 to 9: settlements and those before)."""

FEW_LINES = 30
"""A body of no more lines is kept whole: looking at each would cost more than keeping it."""

Key: TypeAlias = tuple[str, str]
"""Item and order date."""

_TOTALS = ("quantity", "days")


class Wanted:
    """What lines have to be like to matter: item and order date, or own id."""

    __slots__ = ("ids", "keys")

    def __init__(self) -> None:
        self.keys: set[Key] = set()
        self.ids: set[str] = set()

    def add(self, brief: DecisionBrief, day: str) -> None:
        """Lines like the current ones of a body matter from now on."""
        current = [line for line in brief.lines if line.current]
        self.keys.update((line.item, line.order_date or day) for line in current)
        self.ids.update(own_id(line) for line in current)
        self.ids.discard("")

    def fits(self, line: LineBrief, day: str) -> bool:
        """Whether a line matters."""
        return line.current or (line.item, line.order_date or day) in self.keys or line.id in self.ids


class Lines:
    """Lines by item and order date, and by own id. ``day`` is the order date of those that tell none."""

    __slots__ = ("day", "ids", "keys")

    def __init__(self, lines: Iterable[LineBrief], day: str) -> None:
        self.day = day
        self.keys: dict[Key, list[LineBrief]] = {}
        self.ids: dict[str, list[LineBrief]] = {}
        for line in lines:
            self.keys.setdefault((line.item, line.order_date or day), []).append(line)
            if line.id and "#" not in line.id:
                self.ids.setdefault(line.id, []).append(line)


class Body(Struct, kw_only=True, eq=False, gc=False):
    """A decision with what may matter of its lines, by their place in the brief.

    ``place``: where it stands among the decisions of its encounter, ``index``: at which place from 0 among those that
    are kept. ``found``: its findings, with the reminders of each (:func:`places_of`). ``civil``: its civil hour,
    ``day`` its civil day.
    """

    at: datetime
    place: tuple[datetime, str]
    institution: str
    civil: str
    day: str
    brief: DecisionBrief
    index: int
    placed: Mapping[int, LineBrief]
    found: Sequence[tuple[FoundBrief, dict[str, tuple[int, ...]]]]
    settles: bool
    some_in_force: bool
    some_line: bool
    indexed: Lines | None = None

    @property
    def lines(self) -> Lines:
        """Its lines, indexed when they are first asked for."""
        if self.indexed is None:
            self.indexed = Lines(self.placed.values(), self.day)
        return self.indexed

    def current(self) -> tuple[LineBrief, ...]:
        """The lines that were being written."""
        return tuple(line for line in self.placed.values() if line.current)


def civil_of(at: datetime, zone_minutes: int) -> str:
    """The civil hour of an instant (UTC), like "2026-01-05 09"."""
    return _civil(at.toordinal() * 24 + (at.hour * 60 + at.minute + zone_minutes) // 60)


@lru_cache(maxsize=16_384)
def _civil(hours: int) -> str:
    """An hour counted from the first day there is: a month has few, and a million entries."""
    return f"{date.fromordinal(hours // 24).isoformat()} {hours % 24:02}"


def body_of(row: Row, civil: str, brief: DecisionBrief, wanted: Wanted, index: int) -> Body:
    """A decision as evidence for what was found before it, and for what it finds itself."""
    day = civil[:10]
    if brief.found:
        wanted.add(brief, day)
    lines, many = brief.lines, len(brief.lines) > FEW_LINES
    return Body(
        at=row.at,
        place=(row.at, row.decision_id),
        institution=row.institution_id,
        civil=civil,
        day=day,
        brief=replace(brief, lines=()) if many else brief,
        index=index,
        found=[(found, places_of(found)) for found in brief.found],
        placed={at: line for at, line in enumerate(lines) if not many or wanted.fits(line, day)},
        settles=not SETTLEMENT.isdisjoint(brief.scene),
        some_in_force=not all(line.current for line in lines),
        some_line=bool(lines),
    )


def places_of(found: FoundBrief) -> dict[str, tuple[int, ...]]:
    """The reminders of a finding, as they first appear, with the places of their lines."""
    if not found.lines:
        return dict.fromkeys(found.reminders[:1], ())
    if len(found.lines) == 1:
        return dict.fromkeys(found.reminders[:1], found.lines)
    placed: dict[str, tuple[int, ...]] = {}
    for reminder_id, place in zip(found.reminders, found.lines, strict=False):
        placed[reminder_id] = (*placed.get(reminder_id, ()), place)
    return placed


def own_id(line: LineBrief | None) -> str:
    """The id a line has whatever body it stands in; "" where it is only its place in one."""
    return "" if line is None or "#" in line.id else line.id


def match(looked: Sequence[LineBrief], body: Lines, found_in: Lines) -> tuple[LineBrief, ...]:
    """The lines of ``found_in`` that are those looked for, which stand in ``body``; see docs/compliance.md."""
    if len(looked) == 1:
        return tuple(_hits(looked[0], looked, (looked[0].id,), body, found_in))
    own = {line.id for line in looked}
    found = {id(hit): hit for line in looked for hit in _hits(line, looked, own, body, found_in)}
    return tuple(found.values())


def _hits(
    line: LineBrief, looked: Sequence[LineBrief], own: Collection[str], body: Lines, found_in: Lines
) -> Sequence[LineBrief]:
    """Lines of the same item and order date: with an id that is looked for, else with no other line's; else by id."""
    key = line.item, line.order_date or body.day
    same = found_in.keys.get(key)
    if same is not None:
        exact = [hit for hit in same if hit.id in own and own_id(hit)]
        kept = exact or _not_others(same, looked, body.keys.get(key, ()))
        if kept:
            return kept
    return found_in.ids.get(line.id, ())


def _not_others(
    same: Sequence[LineBrief], looked: Sequence[LineBrief], stood: Sequence[LineBrief]
) -> Sequence[LineBrief]:
    """Lines that are none of the others of their item and order date that stood in a body."""
    if len(stood) == 1:
        return same
    others = {own_id(other) for other in stood if not any(other is one for one in looked)} - {""}
    return [hit for hit in same if hit.id not in others]


def self_paid(before: Sequence[LineBrief], now: Sequence[LineBrief]) -> bool:
    """Whether the patient pays for all of it now, and did not before."""
    paid = bool(now) and all(line.paid_by == "self" for line in now)
    return paid and any(line.paid_by != "self" for line in before)


def differs(before: Sequence[LineBrief], now: Sequence[LineBrief]) -> bool:
    """Whether items are others, or the total of quantity or days is less; what one side leaves out is not compared."""
    return other_items(before, now) or _is_less(before, now)


def other_items(before: Sequence[LineBrief], now: Sequence[LineBrief]) -> bool:
    """Whether the set of items is another."""
    if len(before) == len(now) == 1:
        return before[0].item != now[0].item
    return {line.item for line in before} != {line.item for line in now}


def no_more(judged: Sequence[LineBrief], now: Sequence[LineBrief]) -> bool:
    """Whether lines are of the items that were judged, and in quantity and days not over them."""
    return not other_items(judged, now) and not _is_less(now, judged)


def fell_by(before: Sequence[LineBrief], now: Sequence[LineBrief]) -> int:
    """By how much the total amount fell, fen; 0 where it did not, or a line does not tell its own."""
    first, second = (_total([line.amount_fen for line in lines]) for lines in (before, now))
    return 0 if first is None or second is None else max(int(first - second), 0)


def _is_less(before: Sequence[LineBrief], now: Sequence[LineBrief]) -> bool:
    """Whether the total of quantity or of days is less, of those every line on both sides tells."""
    if len(before) == len(now) == 1:
        one, two = before[0], now[0]
        return (one.quantity != two.quantity and _less_total((one.quantity,), (two.quantity,))) or (
            one.days != two.days and _less_total((one.days,), (two.days,))
        )
    told = ([[getattr(line, name) for line in lines] for lines in (before, now)] for name in _TOTALS)
    return any(first != second and _less_total(first, second) for first, second in told)


def _less_total(before: Iterable[object], now: Iterable[object]) -> bool:
    first, second = _total(before), _total(now)
    return first is not None and second is not None and second < first


def _total(values: Iterable[object]) -> Decimal | None:
    try:
        return sum((Decimal(str(value)) for value in values), Decimal(0))
    except InvalidOperation:  # a line that does not tell it
        return None
