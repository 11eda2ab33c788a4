"""Queries that only together say that nothing is missing: all visits of a patient (5201), and the fees of each (5204).

They pass one by one, minutes apart. Those of a patient are kept for a while and read anew with each that joins them,
which changes nothing that is known already.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

__all__ = ["KEPT", "MOST_OF_ONE", "MOST_PATIENTS", "Queries"]

KEPT = timedelta(minutes=10)
"""How long a query is kept for those that join it: a system asks them in a row."""

MOST_PATIENTS = 50
"""Patients whose queries are kept, those asked about last."""

MOST_OF_ONE = 60
"""Queries of one patient that are kept: past visits of a year."""

_JOINED = ("5201", "5204")

_Row: TypeAlias = "dict[str, Any]"


class Queries:
    """The queries of late."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], list[tuple[datetime, _Row]]] = {}

    def joined(self, calls: Sequence[_Row], now: datetime) -> list[_Row]:
        """These calls, with the earlier ones they complete."""
        told: list[_Row] = []
        for call in calls:
            who = _who(call["request"])
            told += [call] if who is None else self._with(who, call, now)
        return list(_once(told))

    def drop(self, calls: Sequence[_Row]) -> None:
        """Keep these no longer: they cannot be read."""
        wrong = {id(call) for call in calls}
        self._kept = {who: [one for one in kept if id(one[1]) not in wrong] for who, kept in self._kept.items()}

    def _with(self, who: tuple[str, str], call: _Row, now: datetime) -> list[_Row]:
        known = [(at, row) for at, row in self._kept.pop(who, []) if now - at < KEPT]
        self._kept[who] = [*known, (now, call)][-MOST_OF_ONE:]
        while len(self._kept) > MOST_PATIENTS:
            del self._kept[next(iter(self._kept))]
        return [row for _, row in self._kept[who]]


def _who(request: _Row) -> tuple[str, str] | None:
    """Whose visits are asked for by whom; ``None`` for any other call."""
    if str(request.get("infno", "")) not in _JOINED:
        return None
    asked = request.get("input")
    data = asked.get("data", asked) if isinstance(asked, dict) else None
    patient = data.get("psn_no") if isinstance(data, dict) else None
    return (str(request.get("fixmedins_code", "")), str(patient)) if patient else None


def _once(calls: Sequence[_Row]) -> Iterator[_Row]:
    seen: set[int] = set()
    for call in calls:
        if id(call) not in seen:
            seen.add(id(call))
            yield call
