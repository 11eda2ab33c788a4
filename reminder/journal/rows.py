"""An entry as the tables hold it, and back."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from reminder.journal.base import DamagedError, Row
from reminder.journal.chain import instant_of, instant_text
from reminder.journal.packing import unpacked
from reminder.journal.statements import seq_of

if TYPE_CHECKING:
    from reminder.stores.driver import Row as Read

__all__ = ["bare_row", "in_order", "sought", "stay_of", "sum_of", "sums_of", "values_of", "whole_row"]

_SUM_BITS = 32
_TYPES = (int, *(str,) * 7, bytes, bytes)  # of what is read of an entry


def sum_of(text: str) -> int:
    """What a text is looked for by. Any text may be asked for, also one no entry can have."""
    return zlib.crc32(text.encode("utf-8", "replace"))


def sums_of(part: int, parts: int) -> tuple[int, int]:
    """The sums of one of several parts: not below the first, below the second."""
    return (part << _SUM_BITS) // parts, (part + 1 << _SUM_BITS) // parts


def sought(row: Row) -> int | None:
    """What an entry is found by: its encounter's sum; where it has none, that of what else tells it from others."""
    text = row.encounter_key or row.asked or row.patient_key
    return sum_of(text) if text else None


def stay_of(patient_key: str, encounter_key: str, asked: str) -> tuple[int, int]:
    """By what a patient is found, of an entry that names one."""
    return sum_of(patient_key), sum_of(encounter_key or asked or patient_key)


def values_of(place: int, row: Row) -> Read:
    """An entry as :data:`reminder.journal.statements.ENTRY_COLUMNS` names its parts."""
    return (
        place,
        instant_text(row.at),
        row.kind,
        row.decision_id,
        row.institution_id,
        row.patient_key,
        row.encounter_key,
        row.asked,
        sought(row),
        sum_of(row.asked) if row.asked else None,
        row.hash,
        row.brief,
    )


def whole_row(chain: str, read: Read) -> Row:
    """An entry as it was read with its body. Raises ``DamagedError``."""
    *fields, content = read
    try:
        body = unpacked(content)
    except (zlib.error, TypeError) as error:
        raise DamagedError(chain, seq_of(read[0]), f"its body cannot be read ({error})") from error
    return _made(chain, fields, body)


def bare_row(chain: str, read: Read) -> Row:
    """The same without body."""
    return _made(chain, read, b"")


def _made(chain: str, read: Any, body: bytes) -> Row:
    place, at, kind, decision_id, institution_id, patient_key, encounter_key, asked, hash_, brief = read
    # SQLite keeps anything in any column; what is no text, or no bytes, can neither be hashed nor shown.
    if (*map(type, read),) != _TYPES:
        raise DamagedError(chain, seq_of(place), "a field is of another type than was written")
    try:
        return Row(
            chain=chain,
            seq=seq_of(place),
            at=instant_of(at),
            kind=kind,
            decision_id=decision_id,
            institution_id=institution_id,
            patient_key=patient_key,
            encounter_key=encounter_key,
            asked=asked,
            hash=hash_,
            brief=brief,
            body=body,
        )
    except ValueError as error:
        raise DamagedError(chain, seq_of(place), "a field cannot be read: its `at` is no instant") from error


def in_order(rows: Iterable[Row], *, by_encounter: bool) -> Iterator[Row]:
    """Entries the database has sorted, and those of one instant (and encounter) by chain and number.

    The database knows chains by numbers, and would have to look up the name of each only for that.
    """
    held: list[Row] = []
    for row in rows:
        if held:
            if row.at == held[0].at and (not by_encounter or _encounter(row) == _encounter(held[0])):
                held.append(row)
                continue
            if len(held) == 1:
                yield held[0]
            else:
                yield from sorted(held, key=_by_chain)
        held = [row]
    yield from sorted(held, key=_by_chain)


def _encounter(row: Row) -> tuple[str, str]:
    return row.institution_id, row.encounter_key


def _by_chain(row: Row) -> tuple[str, int]:
    return row.chain, row.seq
