"""History without copies: a line saved here, in force in a body and fed by another system counts once.

One key tells a line across bodies: (encounter, rx_id, item, begin time); where either side has no rx_id, (encounter,
item, day). The body's own lines come first, then history in its order; a later line with the key of one that was kept
is a copy, a copy of a copy is none. A current line stands for what was saved or fed of its encounter, rx_id, item and
day whatever the time: an order that is opened again is often stamped anew.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from negative_list.check import item_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from negative_list.prescription import History, Line, Prescription

__all__ = ["without_copies"]


def without_copies(history: History, prescription: Prescription) -> History:
    """The history with the lines left out that the body, or the history before them, already holds.

    Every key holds the encounter, the item and the day: only lines that share these are compared any further, and
    most lines of a long history share them with none.
    """
    own = [line for encounter in (prescription.encounter, *prescription.others) for line in encounter.lines]
    places = [_of_day(line) for line in history.lines]
    told = Counter(map(_of_day, own))
    if not history.unique:
        told.update(places)
    seen = _Seen()
    alone = 0 if history.unique else 1
    seen.add(line for line in own if told[_of_day(line)] > alone)
    kept = []
    for line, place in zip(history.lines, places, strict=True):
        if told[place] <= alone:
            kept.append(line)
        elif not seen.holds(line):
            kept.append(line)
            seen.add(() if history.unique else (line,))
    return history if len(kept) == len(places) else msgspec.structs.replace(history, lines=tuple(kept))


class _Seen:
    """Keys of the lines seen so far, by how much each line tells of itself.

    ``bare`` holds those whose time of day says nothing.
    """

    def __init__(self) -> None:
        self._keys: dict[str, set[tuple[object, ...]]] = {"moment": set(), "id day": set(), "bare": set(), "day": set()}
        self._without_id: set[tuple[object, ...]] = set()

    def add(self, lines: Iterable[Line]) -> None:
        """Remembers lines."""
        for line in lines:
            self._keys["moment"].add((*_named(line), line.begins))
            self._keys["id day"].add((*_named(line), _day(line)))
            self._keys["day"].add(_of_day(line))
            if line.current or not line.has_clock:
                self._keys["bare"].add((*_named(line), _day(line)))
            if not _rx_id(line):
                self._without_id.add(_of_day(line))

    def holds(self, line: Line) -> bool:
        """Whether a line is a copy of one seen; a bare date stands for any time of its day."""
        if line.begins is None:
            return False
        if not _rx_id(line):
            return _of_day(line) in self._keys["day"]
        of_day = (*_named(line), _day(line))
        if not line.has_clock and of_day in self._keys["id day"]:
            return True
        same = (*_named(line), line.begins) in self._keys["moment"] or of_day in self._keys["bare"]
        return same or _of_day(line) in self._without_id


def _rx_id(line: Line) -> str:
    """The caller's id of the line, without the place that makes it unique in its body; "" where it has none."""
    if line.id.startswith("#"):
        return ""
    base, _, place = line.id.rpartition("#")
    return base if base and place.isdigit() else line.id


def _named(line: Line) -> tuple[str, str, str]:
    return line.encounter_id, _rx_id(line), item_of(line)


def _day(line: Line) -> date | None:
    return line.begins.date() if line.begins else None


def _of_day(line: Line) -> tuple[object, ...]:
    return line.encounter_id, item_of(line), _day(line)
