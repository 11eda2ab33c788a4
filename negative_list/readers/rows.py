"""The objects and lists a body is made of, and what both kinds of body refuse alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from negative_list.dictionary import load
from negative_list.errors import FieldProblem, LimitError, RequestError
from negative_list.readers.limits import MAX_LINES
from negative_list.readers.wording import EXPECTED_OBJECT, EXPECTED_OBJECTS

if TYPE_CHECKING:
    from negative_list.prescription import Encounter
    from negative_list.readers.reading import Row

__all__ = [
    "LONGEST_ID",
    "all_at_payment",
    "check_count",
    "check_lines",
    "has_own_id",
    "is_nothing",
    "needs_current_line",
    "plain",
    "refused",
    "rows",
]

LONGEST_ID = 200
"""An id has fewer characters."""

_ORDER_SCENES = frozenset({"2", "4", "5"})
_EMPTY_SETS = frozenset({"[]", "{}"})  # what a client that escapes its sets makes of an empty one
_PAYING_SCENES = frozenset({"6", "7", "8", "9", "10"})


def rows(value: object, path: str) -> list[tuple[Row, str]]:
    """Return the objects of a list with their paths; one object stands for a list of one, a placeholder for none.

    Raises ``RequestError`` naming what is no object, ``LimitError`` where there are too many.
    """
    if isinstance(value, list):
        check_count(len(value), MAX_LINES, path)
        wrong = [n for n, row in enumerate(value) if not (isinstance(row, dict) or is_nothing(row))]
        if wrong:
            raise refused(f"{path}[{wrong[0]}]", EXPECTED_OBJECT)
        return [(row, f"{path}[{n}]") for n, row in enumerate(value) if isinstance(row, dict)]
    if isinstance(value, dict):
        return [(value, path)]
    if is_nothing(value):
        return []
    raise refused(path, EXPECTED_OBJECTS)


def is_nothing(value: object) -> bool:
    """Tell whether nothing stands where a set or one of its objects belongs: a placeholder, or an empty one."""
    if isinstance(value, str):
        text = value.strip()
        return not text.strip("-") or text in _EMPTY_SETS or text in load().placeholders
    return not value  # None, an empty list or object, and 0 or false, as some write what is not there


def refused(field: str, message: str) -> RequestError:
    """Return the error that refuses a body for one field."""
    return RequestError([FieldProblem(field=field, message=message)])


def plain(raw: object) -> str:
    """Return an id as text, "" where it is none; for what has to be known before a site is."""
    return str(raw).strip() if isinstance(raw, (str, int)) and len(str(raw)) < LONGEST_ID else ""


def has_own_id(line_id: str) -> bool:
    """Tell whether a line's id is its caller's; else its place in the body was made one (``#2``, ``R1#2``)."""
    _, mark, place = line_id.rpartition("#")
    return bool(line_id) and not (mark and (place.isdigit() or line_id.startswith("#")))


def check_lines(count: int, field: str) -> None:
    """Refuse more lines than a body may hold; raises ``LimitError``."""
    check_count(count, MAX_LINES, field)


def check_count(count: int, most: int, field: str) -> None:
    """Refuse more rows than there may be; raises ``LimitError``."""
    if count > most:
        message = f"一次超过 {most} 行 (more than {most:,} rows in one body); 请分次发送 (send it in parts)"
        raise LimitError([FieldProblem(field=field, message=message)])


def needs_current_line(current: Encounter) -> bool:
    """Tell whether the body is one to judge orders by (scene 2, 4, 5 or none named) and has no current line."""
    scenes = _scenes(current)
    ordering = not scenes or not _ORDER_SCENES.isdisjoint(scenes)
    return ordering and not any(line.current for line in current.lines)


def all_at_payment(current: Encounter) -> Encounter:
    """Return the encounter with every line current where it is paid for (scene 6 to 10) and none of them is new.

    By then every order is in force, as a client that follows the interface says; but what is being paid for is what the
    call is about. A line that is marked as new among them leaves the others as they are.
    """
    scenes = _scenes(current)
    if _PAYING_SCENES.isdisjoint(scenes) or any(line.current for line in current.lines):
        return current
    return replace(current, lines=tuple(replace(line, current=True) for line in current.lines))


def _scenes(current: Encounter) -> tuple[str, ...]:
    scenes = current.facts.get("encounter.scene", ())
    return scenes if isinstance(scenes, tuple) else ()
