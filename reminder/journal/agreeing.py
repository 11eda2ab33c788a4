"""Whether an entry's columns and brief say what its body says: they are copies, by which it is found and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from reminder.journal.briefs import brief_of
from reminder.journal.coding import decode
from reminder.journal.entries import Changed, Decided, Entry

if TYPE_CHECKING:
    from reminder.journal.base import Row

__all__ = ["columns_of", "disagreement"]

_COPIED = ("decision_id", "patient_key", "encounter_key")


def disagreement(row: Row) -> str:
    """What an entry's columns or brief say other than its body; "" where they agree."""
    try:
        entry = decode(row.body)
    except (msgspec.DecodeError, ValueError, TypeError) as error:
        return f"its body is no entry ({error})"
    for name, value in columns_of(entry).items():
        if getattr(row, name) != value:
            return f"its column `{name}` says other than its body"
    return "" if brief_of(entry) == row.brief else "its brief says other than its body"


def columns_of(entry: Entry) -> dict[str, Any]:
    """What the columns of an entry must say. ``asked`` is not among them: only the caller's request could tell."""
    columns = {"kind": _kind(entry), "at": entry.at, "institution_id": _short(entry.institution_id)}
    columns |= {name: _short(getattr(entry, name, "")) for name in _COPIED}
    if isinstance(entry, Decided):
        columns["patient_key"] = _short(entry.prescription.patient.id)
        columns["encounter_key"] = _short(entry.prescription.encounter.id)
    return columns


def _kind(entry: Entry) -> str:
    if isinstance(entry, Changed) and entry.what == "list":
        return "list"
    return str(entry.__struct_config__.tag)


def _short(text: str) -> str:
    """A short text as it is stored (:func:`reminder.journal.chain.rows_of`)."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
