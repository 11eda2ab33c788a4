"""The journal as JSON Lines, so that a stranger can read it, count it and check its chains.

One entry a line. ``entry`` is the last key, and its value stands there byte for byte as it was written; ``brief`` is in
Base64. From these and the columns beside them the hash can be made again (:mod:`reminder.journal.chain`).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from reminder.journal.chain import instant_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from reminder.journal.base import Row

__all__ = ["STEP", "export_line", "write_rows"]

STEP = 1000
"""Entries between two words about progress."""

_ENCODE = msgspec.json.Encoder().encode


def export_line(row: Row) -> bytes:
    """An entry as a line, with its end."""
    front = _ENCODE(
        {
            "chain": row.chain,
            "seq": row.seq,
            "hash": row.hash.hex(),
            "receipt": row.receipt,
            "kind": row.kind,
            "at": instant_text(row.at),
            "decision_id": row.decision_id,
            "institution_id": row.institution_id,
            "patient_key": row.patient_key,
            "encounter_key": row.encounter_key,
            "asked": row.asked,
            "brief": base64.b64encode(row.brief).decode("ascii"),
        }
    )
    return b"".join((front[:-1], b',"entry":', row.body, b"}\n"))


def write_rows(rows: Iterable[Row], out: BinaryIO, progress: Callable[[int], None]) -> int:
    """Write entries as they come; returns how many. ``progress`` is called with how many since the last call."""
    count = 0
    for count, row in enumerate(rows, 1):
        out.write(export_line(row))
        if not count % STEP:
            progress(STEP)
    return count
