"""History without copies: a line saved here, in force in a body and fed by another system counts once.

One key tells a line across bodies: (encounter, rx_id, item, begin time); where either side has no rx_id, (encounter,
item, day). The body's own lines come first, then history in its order; a later line with the key of one that was kept
is a copy, a copy of a copy is none. A current line stands for what was saved or fed of its encounter, rx_id, item and
day whatever the time: an order that is opened again is often stamped anew. Items are the same where they share
a code, for a hospital's own code may stand for several.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from negative_list.text import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from negative_list.prescription import History, Line, Prescription

__all__ = ["items_of", "without_copies"]


def without_copies(history: History, prescription: Prescription) -> History:
    """The history with the lines left out that the body, or the history before them, already holds.

    Every key holds the encounter, the item and the day: only lines that share these are compared any further, and
    most lines of a long history share them with none.
    """
    own = [line for encounter in (prescription.encounter, *prescription.others) for line in encounter.lines]
    here = {line.encounter_id for line in own}
    places = [_places(line) if line.encounter_id in here or not history.unique else () for line in history.lines]
    told = Counter(chain.from_iterable(map(_places, own)))
    if not history.unique:
        told.update(chain.from_iterable(places))
    seen = _Seen()
    alone = 0 if history.unique else 1
    seen.add(line for line in own if any(told[place] > alone for place in _places(line)))
    kept = []
    for line, found in zip(history.lines, places, strict=True):
        if all(told[place] <= alone for place in found):
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
            rx_id = _rx_id(line)
            for place in _places(line):
                self._keys["moment"].add((*place, rx_id, line.begins))
                self._keys["id day"].add((*place, rx_id))
                self._keys["day"].add(place)
                if line.current or not line.has_clock:
                    self._keys["bare"].add((*place, rx_id))
                if not rx_id:
                    self._without_id.add(place)

    def holds(self, line: Line) -> bool:
        """Whether a line is a copy of one seen; a bare date stands for any time of its day."""
        rx_id = _rx_id(line)
        return line.begins is not None and any(self._holds(line, place, rx_id) for place in _places(line))

    def _holds(self, line: Line, place: tuple[object, ...], rx_id: str) -> bool:
        if not rx_id:
            return place in self._keys["day"]
        of_day = (*place, rx_id)
        if not line.has_clock and of_day in self._keys["id day"]:
            return True
        same = (*of_day, line.begins) in self._keys["moment"] or of_day in self._keys["bare"]
        return same or place in self._without_id


def _rx_id(line: Line) -> str:
    """The caller's id of the line, without the place that makes it unique in its body; "" where it has none."""
    if line.id.startswith("#"):
        return ""
    base, _, place = line.id.rpartition("#")
    return base if base and place.isdigit() else line.id


def items_of(line: Line) -> tuple[str, ...]:
    """What item a line is of: each of its codes, or its normalised name where it has none."""
    return line.codes or (normalise(line.name),)


def _places(line: Line) -> Sequence[tuple[object, ...]]:
    """Encounter, day and item: what copies share, once for each code of the line."""
    day = line.begins.date() if line.begins else None
    return [(line.encounter_id, day, item) for item in items_of(line)]
