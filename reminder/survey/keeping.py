"""Where a sidecar keeps what it counted: a file a day and worker in the folder ``survey`` of the data folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct, field

from reminder.once import made_once
from reminder.survey.tally import Tally, add

__all__ = ["FOLDER", "KEPT_DAYS", "Day", "days_in", "drop_old", "encoded", "merged", "read_day", "write_day"]

FOLDER = "survey"
"""The folder in the data folder."""

KEPT_DAYS = 62
"""How long a day's counts are kept: a month before a vendor mended his system and a month after."""

_FILE = re.compile(r"(\d{4}-\d\d-\d\d)\.(\d+)\.json")


class Day(Struct, kw_only=True, omit_defaults=True):
    """What one worker counted on one civil day, by institution; "" is nobody's known."""

    day: str
    version: int = 1
    institutions: dict[str, Tally] = field(default_factory=dict)

    def of(self, institution_id: str, most: int = 64) -> Tally:
        """The tally of an institution; one more than so many is counted with nobody's."""
        if institution_id not in self.institutions and len(self.institutions) >= most:
            institution_id = ""
        return self.institutions.setdefault(institution_id, Tally())


@made_once
def _decoder() -> msgspec.json.Decoder[Day]:
    return msgspec.json.Decoder(Day)


def encoded(day: Day) -> bytes:
    """A day as JSON."""
    return msgspec.json.encode(day)


def write_day(folder: Path, name: str, worker: int, content: bytes) -> None:
    """Write a day's counts beside and move them into place; raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.{worker}.json"
    beside = path.with_suffix(".part")
    beside.write_bytes(content)
    beside.replace(path)


def read_day(path: Path) -> Day | None:
    """A day's counts; ``None`` where the file is not there, or none of ours: it is only counts, and the next day comes.

    Raises:
        OSError: It cannot be read.
    """
    try:
        return _decoder().decode(path.read_bytes())
    except (FileNotFoundError, msgspec.MsgspecError, ValueError):
        return None


def days_in(folder: Path, begin: str = "", end: str = "") -> Iterator[Day]:
    """Every day's counts of every worker from ``begin`` to the day before ``end`` ("": no limit), by day.

    Raises:
        OSError: One cannot be read.
    """
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        found = _FILE.fullmatch(path.name)
        if found and begin <= found[1] and (not end or found[1] < end):
            day = read_day(path)
            if day is not None:
                yield day


def merged(days: Iterator[Day]) -> tuple[dict[str, Tally], list[str]]:
    """All counts by institution, and the days they are of."""
    found: dict[str, Tally] = {}
    named: dict[str, None] = {}
    for day in days:
        named[day.day] = None
        for institution, tally in day.institutions.items():
            add(found.setdefault(institution, Tally()), tally)
    return found, list(named)


def drop_old(folder: Path, today: str) -> None:
    """Take away what is older than :data:`KEPT_DAYS`; raises ``OSError``."""
    oldest = (date.fromisoformat(today) - timedelta(days=KEPT_DAYS)).isoformat()
    for path in folder.glob("*.json"):
        found = _FILE.fullmatch(path.name)
        if found and found[1] < oldest:
            path.unlink(missing_ok=True)
