"""A reply that is too long for its reader: the gravest findings, whole enough to act on, and how many are left out.

A client reads a reply into a buffer of 1 MiB (reference 3.3, S7); what is longer is cut there, and is no JSON then.
Only a stay of thousands of lines has so much to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

__all__ = ["fitted"]

Size: TypeAlias = "Callable[[object], int]"

_MOST_LINES = 50
_MOST_SAID = 100
_LISTS = ("judge_result_detail_dtos", "lines", "involved", "suggestions", "needs", "reasons")
_ROOM = 2_000  # for the envelope, and for what is said of what is left out


def fitted(output: Mapping[str, Any], limit: int, size: Size) -> dict[str, Any]:
    """The output within ``limit`` bytes as ``size`` counts them, with ``left_out`` saying how much there was more.

    The findings are ordered by action, so that the gravest stay.
    """
    rows = [_shortened(row) for row in output["result"]]
    told = {name: value[:_MOST_SAID] if _is_long(value) else value for name, value in output.items()}
    told["result"] = []
    left = limit - _ROOM - size(told)
    kept = []
    for row in rows:
        left -= size(row) + 1
        if left < 0:
            break
        kept.append(row)
    more = len(rows) - len(kept)
    message = f"提示过多，另有 {more} 条未列出 (too many findings for one reply: {more} are not listed)"
    notes = [*told.get("notes", ()), {"code": "left_out", "message": message}]
    return told | {"result": kept, "left_out": more, "notes": notes}


def _shortened(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value[:_MOST_LINES] if name in _LISTS else value for name, value in row.items()}


def _is_long(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) > _MOST_SAID
