"""Ids of cards and suggestions: real UUIDs, from which their findings are found again in the journal.

A finding's id has more bits than a UUID. A card's holds the millisecond its decision was made in, where the journal is
looked into, and 74 bits of a digest of the finding's id, by which it is known there: UUID version 8 (RFC 9562, 5.8).
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta

from reminder.ids import decision_of

__all__ = ["card_uuid", "moment_of", "suggestion_uuid"]

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TIME_CHARACTERS = 10
_VERSION, _VARIANT = 8, 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def card_uuid(finding_id: str) -> str:
    """The id of the card of a finding."""
    return _uuid(finding_id, finding_id)


def suggestion_uuid(finding_id: str, place: int) -> str:
    """The id of a finding's suggestion, by its place from 0."""
    return _uuid(finding_id, f"{finding_id}/{place}")


def moment_of(told: str) -> datetime | None:
    """The millisecond in which the decision of a card or suggestion was made, UTC; ``None``: the id is none of ours."""
    try:
        value = uuid.UUID(told)
    except ValueError:
        return None
    if value.version != _VERSION:
        return None
    try:
        return _EPOCH + timedelta(milliseconds=value.int >> 80)
    except OverflowError:
        return None


def _uuid(finding_id: str, text: str) -> str:
    """48 bits of milliseconds, version, 12 bits of digest, variant, 62 bits of digest."""
    digest = int.from_bytes(hashlib.sha256(text.encode()).digest()[:10])
    value = _milliseconds(decision_of(finding_id)) << 80 | _VERSION << 76 | (digest >> 62 & 0xFFF) << 64
    return str(uuid.UUID(int=value | _VARIANT << 62 | digest & (1 << 62) - 1))


def _milliseconds(decision_id: str) -> int:
    """The time in a decision's id (a ULID); 0 where a finding names no decision."""
    value = 0
    for character in decision_id[:_TIME_CHARACTERS]:
        value = value << 5 | _DIGITS.index(character)
    return value & (1 << 48) - 1
