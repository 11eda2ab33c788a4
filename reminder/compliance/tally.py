"""Counting: the figures of every group, while encounters go by one after the other."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from reminder.compliance.records import Asked, Figures, Group, Spread
from reminder.compliance.words import GOING_ON

if TYPE_CHECKING:
    from reminder.compliance.groupings import Answer, Grouping
    from reminder.compliance.records import Reminder
    from reminder.compliance.visits import Check
    from reminder.journal.brief import FoundBrief

__all__ = ["ACTED", "Cell", "Tally"]

ACTED = frozenset({"changed", "withdrawn", "self_paid", "justified"})
"""Outcomes with which somebody acted upon the reminder: how long that took is time to act."""

_MILLISECOND = timedelta(milliseconds=1)


def _numbers() -> array[int]:
    return array("q")


class Cell(Struct, kw_only=True, eq=False):
    """The figures of one group as they grow.

    ``last``: the number of the encounter counted last as a visit; ``asking``: the doctor who asked last in it.
    """

    reminders: int = 0
    shadow: int = 0
    unknown: int = 0
    disagrees: int = 0
    automatic: int = 0
    findings: int = 0
    showings: int = 0
    repeats: int = 0
    texts: int = 0
    junk: int = 0
    verified: int = 0
    at_risk_fen: int = 0
    warned_fen: int = 0
    intercepted_fen: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    amounts: Counter[str] = field(default_factory=Counter)
    answered: array[int] = field(default_factory=_numbers)
    acted: array[int] = field(default_factory=_numbers)
    checks: int = 0
    prescriptions: int = 0
    interruptions: int = 0
    visits: int = 0
    fees_fen: int = 0
    drugs_fen: int = 0
    doctors: bytearray = field(default_factory=bytearray)
    last: int = 0
    asking: int = -1

    def add_found(self, other: Cell) -> None:
        """Add what other findings and reminders come to."""
        for name in _SAME:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.answered.extend(other.answered)
        self.acted.extend(other.acted)

    def add(self, other: Cell, doctors: Sequence[int]) -> None:
        """Add the figures of other encounters; ``doctors``: the numbers here of the doctors there."""
        self.add_found(other)
        for name in _ASKED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        asked = int.from_bytes(other.doctors, "little")
        while asked:
            _mark(self.doctors, doctors[(asked & -asked).bit_length() - 1])
            asked &= asked - 1


class Tally:
    """The groups of one grouping (``None``: everything is one group)."""

    __slots__ = ("_cells", "_encounter", "_grouping", "_of_check")

    def __init__(self, grouping: Grouping | None = None) -> None:
        self._grouping = grouping
        self._of_check: Callable[[Answer], str] = (grouping and grouping.of_check) or _everything
        self._cells: dict[str, Cell] = {}
        self._encounter = 0

    def begun(self) -> None:
        """What follows is of another encounter."""
        self._encounter += 1

    @property
    def counts_checks(self) -> bool:
        """Whether a check stands in a group of this grouping."""
        return self._grouping is None or self._grouping.of_check is not None

    def check(self, check: Check, doctor: int) -> None:
        """Count a decision of the period; ``doctor`` is a number for the one who asked, below zero: not told."""
        key = self._of_check(check)
        cell = self._cells.get(key) or self._cell(key)
        cell.checks += 1
        if check.prescribes:
            cell.prescriptions += 1
        if check.interrupts:
            cell.interruptions += 1
        if check.fees_fen:
            cell.fees_fen += check.fees_fen
            cell.drugs_fen += check.drugs_fen
        if cell.last != self._encounter:
            cell.last = self._encounter
            cell.visits += 1
            cell.asking = -1
        if 0 <= doctor != cell.asking:
            cell.asking = doctor
            _mark(cell.doctors, doctor)

    def finding(self, answer: Answer, found: FoundBrief, way: str, showings: int, repeats: int) -> None:
        """Count a finding that was shown in the period, with the last word about it and its reminders' showings."""
        cell = self._cell(self._key_of(answer, found))
        cell.findings += 1
        cell.showings += showings
        cell.repeats += repeats
        cell.ways[way] += 1

    def shadow(self, answer: Answer, found: FoundBrief) -> None:
        """Count a reminder that was found in the period and never shown."""
        self._cell(self._key_of(answer, found)).shadow += 1

    def reminder(self, one: Reminder) -> None:
        """Count a reminder that began in the period."""
        key = "" if self._grouping is None else self._grouping.of_reminder(one)
        cell = self._cells.get(key) or self._cell(key)
        cell.reminders += 1
        cell.unknown += one.unknown
        cell.disagrees += one.disagrees is not None
        cell.automatic += one.automatic
        cell.outcomes[one.outcome] += 1
        cell.sources[one.source] += 1
        cell.actions[one.action] += 1
        _count_money(cell, one)
        _count_answer(cell, one)

    def cells(self) -> Mapping[str, Cell]:
        """The groups as they stand."""
        return self._cells

    def add(self, cells: Mapping[str, Cell], doctors: Sequence[int]) -> None:
        """Add the groups another tally has of other encounters; ``doctors`` as in :meth:`Cell.add`."""
        for key, cell in cells.items():
            self._cell(key).add(cell, doctors)

    def adopt(self, cells: Mapping[str, Cell]) -> None:
        """Begin with the groups of another tally, which is not used any more: they are not copied."""
        self._cells = dict(cells)

    def groups(self) -> tuple[Group, ...]:
        """Every group, by key."""
        asked = self.counts_checks
        return tuple(Group(key=key, figures=_figures(cell, asked=asked)) for key, cell in sorted(self._cells.items()))

    def total(self, groups: Tally | None = None) -> Figures:
        """The figures of everything, where all is one group; what was found was counted in ``groups`` alone."""
        cell = self._cell("")
        for other in groups.cells().values() if groups is not None else ():
            cell.add_found(other)
        return _figures(cell, asked=True)

    def _cell(self, key: str) -> Cell:
        cell = self._cells.get(key)
        if cell is None:
            cell = self._cells[key] = Cell()
        return cell

    def _key_of(self, answer: Answer, found: FoundBrief) -> str:
        of_found = None if self._grouping is None else self._grouping.of_found
        return self._of_check(answer) if of_found is None else of_found(found)


def _everything(_: object) -> str:
    """The one group there is where nothing is told apart."""
    return ""


def _count_money(cell: Cell, one: Reminder) -> None:
    cell.at_risk_fen += one.amount_fen or 0
    if one.warned_fen:
        cell.warned_fen += one.warned_fen
        cell.amounts[one.outcome] += one.warned_fen
        cell.intercepted_fen += one.intercepted_fen


def _count_answer(cell: Cell, one: Reminder) -> None:
    if one.answer_ms is not None:
        cell.answered.append(one.answer_ms)
    if one.outcome in ACTED and one.settled_at is not None and one.settled_at > one.first_at:
        cell.acted.append((one.settled_at - one.first_at) // _MILLISECOND)
    if one.done in GOING_ON and not one.automatic:
        cell.reasons[one.reason_code] += 1
        cell.texts += one.has_text
        cell.junk += one.has_text and one.junk != ""
        cell.verified += one.verdict == "present"


def _mark(doctors: bytearray, doctor: int) -> None:
    """Set the bit of a doctor: twelve thousand doctors in 744 hours are a megabyte."""
    byte = doctor >> 3
    if byte >= len(doctors):
        doctors.extend(bytes(byte + 1 - len(doctors)))
    doctors[byte] |= 1 << (doctor & 7)


_SAME = tuple(name for name in Figures.__struct_fields__ if name not in {"answered", "acted", "asked"})
_ASKED = tuple(name for name in Asked.__struct_fields__ if name != "doctors")


def _figures(cell: Cell, *, asked: bool) -> Figures:
    told = Asked(**_named(cell, _ASKED), doctors=int.from_bytes(cell.doctors, "little").bit_count()) if asked else None
    return Figures(**_named(cell, _SAME), answered=_spread(cell.answered), acted=_spread(cell.acted), asked=told)


def _named(cell: Cell, names: Iterable[str]) -> Mapping[str, Any]:
    """Some fields by name; counts by word in the order of the words."""
    values = ((name, getattr(cell, name)) for name in names)
    return {name: dict(sorted(value.items())) if isinstance(value, Counter) else value for name, value in values}


def _spread(values: Sequence[int]) -> Spread:
    ordered = sorted(values)
    count = len(ordered)
    if not count:
        return Spread()
    return Spread(count=count, median=ordered[(count + 1) // 2 - 1], p90=ordered[(9 * count + 9) // 10 - 1])
