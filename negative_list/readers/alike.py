"""Lines that tell the same but for their ids and times: what was read of one is not worked out again for the next.

The same orders are written all day, and all orders of a stay come again with each new one. Of a line like one that is
known a tenth of the work is left (4 instead of 36 us), and reading lines was a third of a check.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from negative_list.prescription import FactValue, Line
from negative_list.readers.columns import Impossible

if TYPE_CHECKING:
    from negative_list.readers.columns import Columns

__all__ = ["EACH", "AlikeLines", "Whose"]

EACH = ("id", "begins", "stops", "rx_no", "group_no")
"""Fields of a line that are of this order only."""

_REMEMBERED = 16_384
"""Lines remembered, some 20 MB at most: as many as doses are (:mod:`negative_list.readers.derived`)."""

_TEXT = 64
"""Characters of a text; what is longer is prose, which nobody writes twice."""

_INSTITUTION = "line.institution_id"
_NUMBERS = ("line.rx_no", "line.group_no")
_UNTOLD = (None, "")
_NO_TIME = (None, True)


class Whose(NamedTuple):
    """Whose lines these are: their encounter's id and institution ("" for none known), and whether it is current."""

    encounter_id: str
    institution_id: str
    current: bool


class _Known(Struct, frozen=True):
    """What a line comes to that its own fields have no part in. ``current``: it does not say that it is in force."""

    codes: tuple[str, ...]
    usable: bool
    name: str
    current: bool
    facts: dict[str, FactValue]
    sources: Mapping[str, str]


class AlikeLines:
    """The lines of one site that were read lately.

    Args:
        columns: of a line.
        settled: the site leaves lines as they are told; else nothing is remembered, for its tables have their dates.
    """

    def __init__(self, columns: Columns, *, settled: bool) -> None:
        self._settled = settled
        self._known: dict[tuple[object, ...], _Known] = {}
        self._keys = frozenset(columns)
        self._alike = tuple(key for key in columns if key not in EACH)
        self._id = columns["id"]
        self._each = [columns[key] for key in ("begins", "rx_no", "group_no")]

    def line(self, row: Mapping[str, object], called: str, whose: Whose) -> Line | None:
        """The line, where one like it is known and there is nothing to be said about this one; else ``None``.

        ``called`` is its id, made unique.
        """
        if not row.keys() <= self._keys:
            return None
        get = row.get
        try:
            known = self._known.get(tuple(map(get, self._alike)))
        except TypeError:  # a list or an object has no hash
            return None
        if known is None or get("stops") not in _UNTOLD:
            return None
        told = [column.read(get(column.key)) for column in self._each]
        if Impossible in map(type, told) or (get("id") != called and type(self._id.read(get("id"))) is Impossible):
            return None
        return _line(known, called, whose, told)

    def remember(self, row: Mapping[str, object], line: Line) -> None:
        """Remember a line about which there was nothing to be said."""
        if not self._settled or not row.keys() <= self._keys or any(map(_is_long, row.values())):
            return
        facts = {name: value for name, value in line.facts.items() if name not in _NUMBERS and name != _INSTITUTION}
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        with contextlib.suppress(TypeError):
            self._known[tuple(map(row.get, self._alike))] = _Known(
                line.codes, line.usable, line.name, line.current, facts, line.sources
            )


def _is_long(value: object) -> bool:
    return value.__class__ is str and len(value) > _TEXT


def _line(known: _Known, called: str, whose: Whose, told: Sequence[Any]) -> Line:
    begins, has_clock = told[0] or _NO_TIME
    facts = known.facts.copy()
    for name, number in zip(_NUMBERS, told[1:], strict=True):
        if number is not None:
            facts[name] = number
    if whose.institution_id:
        facts[_INSTITUTION] = whose.institution_id
    return Line(
        id=called,
        encounter_id=whose.encounter_id,
        codes=known.codes,
        usable=known.usable,
        name=known.name,
        current=whose.current and known.current,
        begins=begins,
        has_clock=has_clock,
        facts=facts,
        sources=known.sources,
    )
