"""Files of points events: CSV, JSON Lines or a sheet, with the columns of the ledger in English or Chinese.

A row is one event that was decided: doctor, points, day, and why. One without an id is known by what it says, so that
a file may be read again. What is wrong is told with file, row and column, and nothing of a file with problems counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path

from negative_list.errors import DataError, ListError, Problem, nearest
from negative_list.readers.files import rows_of
from negative_list.readers.rows import plain
from negative_list.sheets.grid import read_grids
from reminder.journal.entries import PointsEvent
from reminder.journal.masking import mask
from reminder.office.points import MOST_POINTS, event_id

__all__ = ["COLUMNS", "event_of", "read_events"]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "event_id": ("事件编号", "事件号", "event"),
    "doctor_id": ("医师代码", "医保医师代码", "医师编码", "doctor"),
    "points": ("记分", "记分分值", "分值"),
    "decided_on": ("认定日期", "记分日期", "决定日期", "date"),
    "until": ("暂停至", "暂停截止日期"),
    "why": ("事由", "违规情形", "记分原因", "reason"),
    "by": ("认定机构", "认定单位", "经办机构"),
}
"""The columns of a file, and what else each may be called."""

_NAMES = {word: name for name, words in COLUMNS.items() for word in (name, *words)}
_NEEDED = ("doctor_id", "points", "decided_on")
_SHEETS = (".xlsx", ".xls")
_LOOSE = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?![0-9])")


def read_events(path: Path, at: datetime, engine: str) -> list[PointsEvent]:
    """The events of a file, entered at an instant (UTC).

    Raises:
        DataError: With everything that is wrong in it.
    """
    problems: list[Problem] = []
    events = []
    for number, row in _rows(path, problems):
        wrong: list[tuple[str, str]] = []
        event = event_of({name: plain(value) for name, value in row.items()}, at, engine, wrong)
        problems += [Problem(file=str(path), row=number, path=name, message=message) for name, message in wrong]
        events += [event] if event is not None else []
    if not (events or problems):
        problems.append(Problem(file=str(path), message="no row with an event; give a heading and one row for each"))
    if problems:
        raise DataError(sorted(problems))
    return events


def _rows(path: Path, problems: list[Problem]) -> Iterator[tuple[int, dict[str, object]]]:
    """The rows with their numbers, under the names of our columns."""
    rows = _sheet(path, problems) if path.suffix.lower() in _SHEETS else rows_of(path, problems)
    told: set[str] = set()
    for number, row in rows:
        named = {_NAMES.get(str(key).strip(), str(key)): value for key, value in row.items()}
        for unknown in sorted(named.keys() - COLUMNS.keys() - told):
            told.add(unknown)
            message = f"no such column{nearest(unknown, tuple(_NAMES))}; rename it or take it out"
            problems.append(Problem(file=str(path), row=1, path=unknown, message=message))
        yield number, {key: value for key, value in named.items() if key in COLUMNS}


def _sheet(path: Path, problems: list[Problem]) -> Iterator[tuple[int, dict[str, object]]]:
    """The rows of the first sheet, its first row the headings."""
    try:
        grid = read_grids(path)[0]
    except ListError as error:
        problems.extend(error.problems)
        return
    heading = [str(cell or "").strip() for cell in grid.rows[0]] if grid.rows else []
    for number, cells in enumerate(grid.rows[1:], 2):
        row = {name: _shown(cell) for name, cell in zip(heading, cells, strict=False) if name}
        if any(row.values()):
            yield number, row


def _shown(cell: object) -> object:
    """A cell as text: days without their clock, whole numbers without a point."""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell)


def event_of(row: Mapping[str, str], at: datetime, engine: str, wrong: list[tuple[str, str]]) -> PointsEvent | None:
    """The event of a row of texts, entered at an instant (UTC); ``None`` where something is wrong, which is added."""
    before = len(wrong)
    wrong += [(name, "missing; give it") for name in _NEEDED if not row.get(name)]
    points = _points(row.get("points", ""), wrong)
    decided, until = (_day(row.get(name, ""), name, wrong) for name in ("decided_on", "until"))
    if decided and until and until < decided:
        _refuse(wrong, "until", f"`{until}` is before the decision; give the last day of the suspension")
    if len(wrong) > before:
        return None
    doctor, why = row["doctor_id"], mask(row.get("why", ""))
    return PointsEvent(
        engine=engine,
        at=at,
        event_id=row.get("event_id") or event_id(doctor, decided, points, why),
        doctor_id=doctor,
        points=points,
        decided_on=decided,
        until=until,
        why=why,
        by=mask(row.get("by", "")),
    )


def _refuse(wrong: list[tuple[str, str]], name: str, message: str) -> None:
    wrong.append((name, message))


def _points(text: str, wrong: list[tuple[str, str]]) -> int:
    """How many points: 1 to 12, 0 for a doctor who was admitted again, -1 and less for points taken back."""
    try:
        points = int(text or 0)
    except ValueError:
        _refuse(wrong, "points", f"`{text}` is no whole number; give the points of the event")
        return 0
    if abs(points) > MOST_POINTS:
        _refuse(wrong, "points", f"`{points}` are more than an event may give ({MOST_POINTS}); give each event a row")
    return points


def _day(text: str, name: str, wrong: list[tuple[str, str]]) -> str:
    if not text:
        return ""
    try:
        # Excel writes a day without its zeros where the language is Chinese: 2026/2/3.
        found = _LOOSE.match(text)
        return (date(*map(int, found.groups())) if found else date.fromisoformat(text[:10])).isoformat()
    except ValueError:
        _refuse(wrong, name, f"`{text}` is no day; write it like 2026-01-31")
        return ""
