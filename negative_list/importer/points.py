"""A published knowledge point, and reading files of them (JSON Lines, one point a line)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from negative_list.errors import ListError, Problem
from negative_list.text import normalise
from negative_list.validate_names import SHORTEST_TERM

__all__ = ["Point", "point_of", "read_points"]


class Point(Struct, frozen=True, kw_only=True):
    """One row of the published sheets.

    ``constraint`` is the payer's remark, ``detect_logic`` the one line of the class. ``window``, ``limit``, ``unit``
    and ``period_days`` are columns the sheets of some classes have; ``None`` where they had none. ``batch_tag`` is
    ``batch_NN`` or ``updates_YYYY-MM``. Other keys of a row are ignored.
    """

    kp_id: str
    rule_class: str
    item_name: str
    med_codes: tuple[str, ...]
    constraint: str = ""
    detect_logic: str = ""
    batch_tag: str = ""
    gz_code: str | None = None
    window: str | None = None
    limit: Decimal | None = None
    unit: str | None = None
    period_days: int | None = None

    @property
    def batch(self) -> int | None:
        """Number of the public batch, ``None`` for a revision."""
        found = re.fullmatch(r"batch_0*(\d+)", self.batch_tag)
        return int(found[1]) if found else None

    @property
    def revises(self) -> bool:
        """Whether the point belongs to a revision, which replaces the whole list of its class."""
        return self.batch_tag.startswith("updates")


def read_points(paths: Iterable[Path]) -> tuple[Point, ...]:
    """Read every point of the files, in their order.

    Raises :class:`ListError` with every row that cannot be read, each with its file and row: no JSON, a key missing,
    a value of the wrong kind, no item named, the id of another row with other content; and with every file that
    cannot be read. The same row once more is passed over.
    """
    points: list[Point] = []
    problems: list[Problem] = []
    first_seen: dict[str, tuple[str, Point]] = {}
    for path in paths:
        for row, read in _rows(path):
            found = _repeated(read, f"{path.name}:{row}", first_seen) if isinstance(read, Point) else read
            if isinstance(found, Point):
                points.append(found)
            elif found:
                problems.append(Problem(file=str(path), row=row, message=found))
    if problems:
        raise ListError(problems)
    return tuple(points)


def _rows(path: Path) -> Iterator[tuple[int, Point | str]]:
    """Every row with its number, as a point or as what is wrong with it; row 0 is the file itself."""
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines()
    except OSError as error:
        yield 0, f"cannot be read ({error.strerror}); name a file of knowledge points"
        return
    for row, line in enumerate(lines, 1):
        if line.strip():
            yield row, _read(line)


def _read(line: bytes) -> Point | str:
    try:
        return _checked(point_of(msgspec.json.decode(line, type=dict[str, Any])))
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        text = str(error)
        return f"{text[:1].lower()}{text[1:]}; write one JSON object a line with the keys of a knowledge point"


def point_of(row: Mapping[str, Any]) -> Point:
    """A row as a point: ``None`` is as good as absent, numbers may be written as text, blanks around codes are dropped.

    Raises ``msgspec.ValidationError`` for a row that is no point.
    """
    point = msgspec.convert({key: value for key, value in row.items() if value is not None}, Point, strict=False)
    codes = tuple(dict.fromkeys(code.strip() for code in point.med_codes if code.strip()))
    return msgspec.structs.replace(point, med_codes=codes)


def _checked(point: Point) -> Point | str:
    if not point.kp_id.strip():
        return "`kp_id` is empty; give every point its own id"
    if not point.item_name.strip() and not point.med_codes:
        return "the point names no item; give `item_name` or `med_codes`"
    if not point.med_codes and len(normalise(point.item_name)) < SHORTEST_TERM:
        return f"`item_name` is `{point.item_name}`, found inside other names; give its code, or a longer name"
    if point.limit is not None and point.limit < 0:
        return f"`limit` is `{point.limit}`; give a number that is not negative"
    return point


def _repeated(point: Point, place: str, first_seen: dict[str, tuple[str, Point]]) -> Point | str | None:
    """A point not seen before; ``None`` for the same once more; what is wrong with another of the same id."""
    if point.kp_id not in first_seen:
        first_seen[point.kp_id] = (place, point)
        return point
    first, same = first_seen[point.kp_id]
    if same == point:
        return None
    return f"`kp_id` `{point.kp_id}` was already at {first}; give every point its own id"
